//! Outcomes and refusals ⇄ protobuf.

use ca_core::ids::{LogIndex, NodeId, UnixMillis};
use ca_core::outcome::{Outcome, Refusal};
use ca_x509::time::UnixSeconds;

use super::fields::{self, octets, required};
use super::{CodecError, row};
use crate::wire::log as wire;
use crate::wire::log::outcome::Outcome as Kind;
use crate::wire::log::refusal::Why;

pub(super) fn to_wire(outcome: &Outcome) -> wire::Outcome {
    let kind = match outcome {
        Outcome::Done => Kind::Done(wire::Empty {}),
        Outcome::IntentCommitted { ca, serial, tbs_digest } => Kind::IntentCommitted(wire::IntentCommitted {
            ca: ca.to_string(),
            serial: fields::serial_to_wire(*serial),
            tbs_digest: octets(&tbs_digest.0),
        }),
        Outcome::AlreadyIssued { ca, serial } => Kind::AlreadyIssued(fields::ca_serial_to_wire(ca, *serial)),
        Outcome::Recorded { index } => Kind::RecordedIndex(index.0),
        Outcome::Revoked { revoked_at } => Kind::RevokedAtS(revoked_at.0),
        Outcome::CrlCut(cut) => Kind::CrlCut(row::cut_to_wire(cut)),
        Outcome::Admitted(node) => Kind::Admitted(node.0),
        Outcome::CaRequestCommitted { ca, info_digest } => {
            Kind::CaRequestCommitted(wire::CaRequestCommitted {
                ca: ca.to_string(),
                info_digest: octets(&info_digest.0),
            })
        }
        Outcome::Refused(refusal) => Kind::Refused(wire::Refusal { why: Some(why_to_wire(refusal)) }),
    };
    wire::Outcome { outcome: Some(kind) }
}

pub(super) fn from_wire(outcome: wire::Outcome) -> Result<Outcome, CodecError> {
    Ok(match required("outcome", outcome.outcome)? {
        Kind::Done(wire::Empty {}) => Outcome::Done,
        Kind::IntentCommitted(intent) => Outcome::IntentCommitted {
            ca: fields::ca(&intent.ca)?,
            serial: fields::serial(&intent.serial)?,
            tbs_digest: fields::digest(&intent.tbs_digest)?,
        },
        Kind::AlreadyIssued(issued) => {
            let (ca, serial) = fields::ca_serial(&issued)?;
            Outcome::AlreadyIssued { ca, serial }
        }
        Kind::RecordedIndex(index) => Outcome::Recorded { index: LogIndex(index) },
        Kind::RevokedAtS(at) => Outcome::Revoked { revoked_at: UnixSeconds(at) },
        Kind::CrlCut(cut) => Outcome::CrlCut(Box::new(row::cut_from_wire(&cut)?)),
        Kind::Admitted(node) => Outcome::Admitted(NodeId(node)),
        Kind::CaRequestCommitted(request) => Outcome::CaRequestCommitted {
            ca: fields::ca(&request.ca)?,
            info_digest: fields::digest(&request.info_digest)?,
        },
        Kind::Refused(refusal) => Outcome::Refused(why_from_wire(required("refusal", refusal.why)?)?),
    })
}

fn why_to_wire(refusal: &Refusal) -> Why {
    let texts =
        |first: &String, second: &String| wire::TwoTexts { first: first.clone(), second: second.clone() };
    match refusal {
        Refusal::Expired { expired_at, now } => {
            Why::Expired(wire::Expired { expired_at_ms: expired_at.0, now_ms: now.0 })
        }
        Refusal::AlreadyInitialised => Why::AlreadyInitialised(wire::Empty {}),
        Refusal::NotInitialised => Why::NotInitialised(wire::Empty {}),
        Refusal::UnknownCa { ca } => Why::UnknownCa(ca.to_string()),
        Refusal::CaExists { ca } => Why::CaExists(ca.to_string()),
        Refusal::CaInactive { ca } => Why::CaInactive(ca.to_string()),
        Refusal::UnknownProfile { profile } => Why::UnknownProfile(profile.to_string()),
        Refusal::ProfileVersion { profile, expected, got } => Why::ProfileVersion(wire::ProfileVersion {
            profile: profile.to_string(),
            expected: *expected,
            got: *got,
        }),
        Refusal::Forbidden { caller, needs } => Why::Forbidden(texts(caller, needs)),
        Refusal::StaleDraft { what } => Why::StaleDraft(what.clone()),
        Refusal::OutsideProfile { field, why } => Why::OutsideProfile(texts(field, why)),
        Refusal::Lint { rule, why } => Why::Lint(texts(rule, why)),
        Refusal::SerialTaken { serial } => Why::SerialTaken(fields::serial_to_wire(*serial)),
        Refusal::UnknownSerial { ca, serial } => Why::UnknownSerial(fields::ca_serial_to_wire(ca, *serial)),
        Refusal::IntentAbandoned { serial } => Why::IntentAbandoned(fields::serial_to_wire(*serial)),
        Refusal::AlreadyRecorded { serial } => Why::AlreadyRecorded(fields::serial_to_wire(*serial)),
        Refusal::NotRecorded { serial } => Why::NotRecorded(fields::serial_to_wire(*serial)),
        Refusal::StillOpen { serial, open_ms } => {
            Why::StillOpen(wire::StillOpen { serial: fields::serial_to_wire(*serial), open_ms: *open_ms })
        }
        Refusal::NotOwner { serial } => Why::NotOwner(fields::serial_to_wire(*serial)),
        Refusal::IdempotencyMismatch => Why::IdempotencyMismatch(wire::Empty {}),
        Refusal::AttemptOpen { ca, serial } => Why::AttemptOpen(fields::ca_serial_to_wire(ca, *serial)),
        Refusal::NotOnHold { serial } => Why::NotOnHold(fields::serial_to_wire(*serial)),
        Refusal::CutOpen { list } => Why::CutOpen(fields::list_to_wire(list)),
        Refusal::CutClosed { list } => Why::CutClosed(fields::list_to_wire(list)),
        Refusal::UnknownList { list } => Why::UnknownList(fields::list_to_wire(list)),
        Refusal::NoBase { list } => Why::NoBase(fields::list_to_wire(list)),
        Refusal::JoinTokenUnknown => Why::JoinTokenUnknown(wire::Empty {}),
        Refusal::JoinTokenSpent { by } => Why::JoinTokenSpent(by.0),
        Refusal::JoinTokenExpired => Why::JoinTokenExpired(wire::Empty {}),
        Refusal::EnrolmentTokenUnknown => Why::EnrolmentTokenUnknown(wire::Empty {}),
        Refusal::EnrolmentTokenSpent { serial } => Why::EnrolmentTokenSpent(fields::serial_to_wire(*serial)),
        Refusal::EnrolmentTokenExpired => Why::EnrolmentTokenExpired(wire::Empty {}),
        Refusal::NameTaken { name } => Why::NameTaken(name.clone()),
        Refusal::NotSigning { node } => Why::NotSigning(node.0),
        Refusal::UnknownKey => Why::UnknownKey(wire::Empty {}),
        Refusal::CaRetired { ca } => Why::CaRetired(ca.to_string()),
        Refusal::CaRevoked { ca, revoked } => Why::CaRevoked(texts(&ca.to_string(), &revoked.to_string())),
        Refusal::OutsideCa { ca, field, why } => {
            Why::OutsideCa(wire::OutsideCa { ca: ca.to_string(), field: field.clone(), why: why.clone() })
        }
        Refusal::KeyUnproven { ca, nodes } => Why::KeyUnproven(wire::KeyUnproven {
            ca: ca.to_string(),
            nodes: nodes.iter().map(|node| node.0).collect(),
        }),
        Refusal::ImportUnfit { ca, why } => Why::ImportUnfit(texts(&ca.to_string(), why)),
        Refusal::CaNeeded { ca, profile } => Why::CaNeeded(texts(&ca.to_string(), &profile.to_string())),
        Refusal::ClusterKey { usage } => Why::ClusterKey(row::key_use_to_wire(usage)),
    }
}

fn why_from_wire(why: Why) -> Result<Refusal, CodecError> {
    Ok(match why {
        Why::Expired(expired) => Refusal::Expired {
            expired_at: UnixMillis(expired.expired_at_ms),
            now: UnixMillis(expired.now_ms),
        },
        Why::AlreadyInitialised(wire::Empty {}) => Refusal::AlreadyInitialised,
        Why::NotInitialised(wire::Empty {}) => Refusal::NotInitialised,
        Why::UnknownCa(ca) => Refusal::UnknownCa { ca: fields::ca(&ca)? },
        Why::CaExists(ca) => Refusal::CaExists { ca: fields::ca(&ca)? },
        Why::CaInactive(ca) => Refusal::CaInactive { ca: fields::ca(&ca)? },
        Why::UnknownProfile(name) => Refusal::UnknownProfile { profile: fields::profile_name(&name)? },
        Why::ProfileVersion(version) => Refusal::ProfileVersion {
            profile: fields::profile_name(&version.profile)?,
            expected: version.expected,
            got: version.got,
        },
        Why::Forbidden(texts) => Refusal::Forbidden { caller: texts.first, needs: texts.second },
        Why::StaleDraft(what) => Refusal::StaleDraft { what },
        Why::OutsideProfile(texts) => Refusal::OutsideProfile { field: texts.first, why: texts.second },
        Why::Lint(texts) => Refusal::Lint { rule: texts.first, why: texts.second },
        Why::SerialTaken(serial) => Refusal::SerialTaken { serial: fields::serial(&serial)? },
        Why::UnknownSerial(unknown) => {
            let (ca, serial) = fields::ca_serial(&unknown)?;
            Refusal::UnknownSerial { ca, serial }
        }
        Why::IntentAbandoned(serial) => Refusal::IntentAbandoned { serial: fields::serial(&serial)? },
        Why::AlreadyRecorded(serial) => Refusal::AlreadyRecorded { serial: fields::serial(&serial)? },
        Why::NotRecorded(serial) => Refusal::NotRecorded { serial: fields::serial(&serial)? },
        Why::StillOpen(open) => {
            Refusal::StillOpen { serial: fields::serial(&open.serial)?, open_ms: open.open_ms }
        }
        Why::NotOwner(serial) => Refusal::NotOwner { serial: fields::serial(&serial)? },
        Why::IdempotencyMismatch(wire::Empty {}) => Refusal::IdempotencyMismatch,
        Why::AttemptOpen(open) => {
            let (ca, serial) = fields::ca_serial(&open)?;
            Refusal::AttemptOpen { ca, serial }
        }
        Why::NotOnHold(serial) => Refusal::NotOnHold { serial: fields::serial(&serial)? },
        Why::CutOpen(list) => Refusal::CutOpen { list: fields::list(Some(list))? },
        Why::CutClosed(list) => Refusal::CutClosed { list: fields::list(Some(list))? },
        Why::UnknownList(list) => Refusal::UnknownList { list: fields::list(Some(list))? },
        Why::NoBase(list) => Refusal::NoBase { list: fields::list(Some(list))? },
        Why::JoinTokenUnknown(wire::Empty {}) => Refusal::JoinTokenUnknown,
        Why::JoinTokenSpent(by) => Refusal::JoinTokenSpent { by: NodeId(by) },
        Why::JoinTokenExpired(wire::Empty {}) => Refusal::JoinTokenExpired,
        Why::EnrolmentTokenUnknown(wire::Empty {}) => Refusal::EnrolmentTokenUnknown,
        Why::EnrolmentTokenSpent(serial) => Refusal::EnrolmentTokenSpent { serial: fields::serial(&serial)? },
        Why::EnrolmentTokenExpired(wire::Empty {}) => Refusal::EnrolmentTokenExpired,
        Why::NameTaken(name) => Refusal::NameTaken { name },
        Why::NotSigning(node) => Refusal::NotSigning { node: NodeId(node) },
        Why::UnknownKey(wire::Empty {}) => Refusal::UnknownKey,
        Why::CaRetired(ca) => Refusal::CaRetired { ca: fields::ca(&ca)? },
        Why::CaRevoked(texts) => {
            Refusal::CaRevoked { ca: fields::ca(&texts.first)?, revoked: fields::ca(&texts.second)? }
        }
        Why::OutsideCa(outside) => {
            Refusal::OutsideCa { ca: fields::ca(&outside.ca)?, field: outside.field, why: outside.why }
        }
        Why::KeyUnproven(unproven) => Refusal::KeyUnproven {
            ca: fields::ca(&unproven.ca)?,
            nodes: unproven.nodes.into_iter().map(NodeId).collect(),
        },
        Why::ImportUnfit(texts) => Refusal::ImportUnfit { ca: fields::ca(&texts.first)?, why: texts.second },
        Why::CaNeeded(texts) => {
            Refusal::CaNeeded { ca: fields::ca(&texts.first)?, profile: fields::profile_name(&texts.second)? }
        }
        Why::ClusterKey(usage) => Refusal::ClusterKey { usage: row::key_use_from_wire(usage)? },
    })
}
