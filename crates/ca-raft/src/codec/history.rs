//! The history ⇄ protobuf.

use ca_core::command::Command;
use ca_core::history::{About, Act, HistoryRow};
use ca_core::ids::{NodeId, UnixMillis};
use ca_core::roles::Identity;

use super::CodecError;
use super::fields::{self, known, octets, required};
use crate::wire::log as wire;
use crate::wire::log::history::About as Kind;

pub(super) fn refusals_to_wire(by: Identity, slug: &str, count: u64) -> wire::RecordRefusals {
    wire::RecordRefusals { by: Some(fields::identity_to_wire(by)), slug: slug.to_owned(), count }
}

pub(super) fn refusals_from_wire(from: wire::RecordRefusals) -> Result<Command, CodecError> {
    let by = fields::identity(from.by)?;
    Ok(Command::RecordRefusals { by, slug: from.slug, count: from.count })
}

pub(super) fn to_wire(row: &HistoryRow) -> wire::History {
    wire::History {
        at_ms: row.at.0,
        node: row.node.0,
        by: Some(fields::identity_to_wire(row.by)),
        act: act_to_wire(row.act).into(),
        about: Some(about_to_wire(&row.about)),
    }
}

pub(super) fn from_wire(row: wire::History) -> Result<HistoryRow, CodecError> {
    Ok(HistoryRow {
        at: UnixMillis(row.at_ms),
        node: NodeId(row.node),
        by: fields::identity(row.by)?,
        act: act(known("act", row.act)?)?,
        about: about(required("what an act is about", row.about)?)?,
    })
}

fn about_to_wire(about: &About) -> Kind {
    match about {
        About::Cluster => Kind::Cluster(wire::Empty {}),
        About::Ca(ca) => Kind::Ca(ca.to_string()),
        About::Profile(name, version) => {
            Kind::Profile(wire::ProfileInVersion { name: name.to_string(), version: *version })
        }
        About::Caller(key) => Kind::Caller(octets(&key.0)),
        About::Certificate(ca, serial) => Kind::Certificate(fields::ca_serial_to_wire(ca, *serial)),
        About::Revocation(ca, serial, reason) => Kind::Revocation(wire::RevokedSerial {
            ca: ca.to_string(),
            serial: fields::serial_to_wire(*serial),
            reason_plus_one: u32::from(reason.code()).saturating_add(1),
        }),
        About::Crl(list, number) => Kind::Crl(wire::ListNumber {
            list: Some(fields::list_to_wire(list)),
            number: fields::crl_number_to_wire(*number),
        }),
        About::Token(secret) => Kind::Token(octets(&secret.0)),
        About::Member(node) => Kind::Member(node.0),
        About::Key(key) => Kind::Key(octets(&key.0)),
        About::Refusals(slug, count) => Kind::Refusals(wire::Refusals { slug: slug.clone(), count: *count }),
    }
}

fn about(kind: Kind) -> Result<About, CodecError> {
    Ok(match kind {
        Kind::Cluster(wire::Empty {}) => About::Cluster,
        Kind::Ca(ca) => About::Ca(fields::ca(&ca)?),
        Kind::Profile(profile) => About::Profile(fields::profile_name(&profile.name)?, profile.version),
        Kind::Caller(key) => About::Caller(fields::digest(&key)?),
        Kind::Certificate(certificate) => {
            let (ca, serial) = fields::ca_serial(&certificate)?;
            About::Certificate(ca, serial)
        }
        Kind::Revocation(revoked) => {
            let code = required("revocation reason", revoked.reason_plus_one.checked_sub(1))?;
            let (ca, serial) = (fields::ca(&revoked.ca)?, fields::serial(&revoked.serial)?);
            About::Revocation(ca, serial, fields::reason(code)?)
        }
        Kind::Crl(crl) => About::Crl(fields::list(crl.list)?, fields::crl_number(&crl.number)?),
        Kind::Token(secret) => About::Token(fields::digest(&secret)?),
        Kind::Member(node) => About::Member(NodeId(node)),
        Kind::Key(key) => About::Key(fields::key_identifier(&key)?),
        Kind::Refusals(refusals) => About::Refusals(refusals.slug, refusals.count),
    })
}

macro_rules! acts {
    ($($name:ident),* $(,)?) => {
        fn act_to_wire(act: Act) -> wire::Act {
            match act {
                $(Act::$name => wire::Act::$name,)*
            }
        }

        fn act(act: wire::Act) -> Result<Act, CodecError> {
            match act {
                wire::Act::Unset => Err(CodecError::Unknown { what: "act" }),
                $(wire::Act::$name => Ok(Act::$name),)*
            }
        }
    };
}

acts!(
    ClusterInitialised,
    CaDefined,
    ProfileDefined,
    GrantSet,
    GrantRemoved,
    CertificateIssued,
    IntentAbandoned,
    CertificateRevoked,
    CertificateReleased,
    CrlPublished,
    JoinTokenMinted,
    EnrolmentMinted,
    EnrolmentRevoked,
    MemberAdmitted,
    KeyProven,
    CaRequestSigned,
    CaCertificateImported,
    CaRetired,
    Refused,
);
