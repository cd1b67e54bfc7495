//! Enrolment tokens ⇄ protobuf.

use ca_core::command::Command;
use ca_core::enrolment::{Enrolment, EnrolmentNames, EnrolmentTerms};
use ca_core::ids::{Digest, LogIndex, UnixMillis};
use ca_core::roles::Identity;
use ca_x509::name::GeneralName;

use super::CodecError;
use super::fields::{self, malformed, octets, required};
use crate::wire::log as wire;

pub(super) fn mint_to_wire(
    token: Digest,
    terms: &EnrolmentTerms,
    expires_at: UnixMillis,
    requester: Identity,
) -> wire::MintEnrolment {
    wire::MintEnrolment {
        token: octets(&token.0),
        terms: Some(terms_to_wire(terms)),
        expires_at_ms: expires_at.0,
        requester: Some(fields::identity_to_wire(requester)),
    }
}

pub(super) fn mint_from_wire(mint: wire::MintEnrolment) -> Result<Command, CodecError> {
    Ok(Command::MintEnrolment {
        token: fields::digest(&mint.token)?,
        terms: terms(required("terms", mint.terms)?)?,
        expires_at: UnixMillis(mint.expires_at_ms),
        requester: fields::identity(mint.requester)?,
    })
}

pub(super) fn revoke_to_wire(token: Digest, requester: Identity) -> wire::RevokeEnrolment {
    wire::RevokeEnrolment { token: octets(&token.0), requester: Some(fields::identity_to_wire(requester)) }
}

pub(super) fn revoke_from_wire(revoke: wire::RevokeEnrolment) -> Result<Command, CodecError> {
    let token = fields::digest(&revoke.token)?;
    Ok(Command::RevokeEnrolment { token, requester: fields::identity(revoke.requester)? })
}

pub(super) fn to_wire(enrolment: &Enrolment) -> wire::Enrolment {
    wire::Enrolment {
        terms: Some(terms_to_wire(&enrolment.terms)),
        minted_by: Some(fields::identity_to_wire(enrolment.minted_by)),
        index: enrolment.index.0,
        expires_at_ms: enrolment.expires_at.0,
        spent: enrolment.spent.map(fields::serial_to_wire),
    }
}

pub(super) fn from_wire(enrolment: wire::Enrolment) -> Result<Enrolment, CodecError> {
    Ok(Enrolment {
        terms: terms(required("terms", enrolment.terms)?)?,
        minted_by: fields::identity(enrolment.minted_by)?,
        index: LogIndex(enrolment.index),
        expires_at: UnixMillis(enrolment.expires_at_ms),
        spent: enrolment.spent.map(|serial| fields::serial(&serial)).transpose()?,
    })
}

fn terms_to_wire(terms: &EnrolmentTerms) -> wire::EnrolmentTerms {
    use wire::enrolment_terms::Names;
    let names = match &terms.names {
        // A name that has no DER is none that a profile certifies.
        EnrolmentNames::Among(names) => {
            let der = names.iter().filter_map(|name| name.to_der().ok());
            Names::Among(wire::GeneralNames { der: der.map(Into::into).collect() })
        }
        EnrolmentNames::Below(domains) => Names::Below(wire::Texts { texts: domains.clone() }),
    };
    wire::EnrolmentTerms { ca: terms.ca.to_string(), profile: terms.profile.to_string(), names: Some(names) }
}

fn terms(from: wire::EnrolmentTerms) -> Result<EnrolmentTerms, CodecError> {
    use wire::enrolment_terms::Names;
    let name = |der: &bytes::Bytes| GeneralName::from_der(der).map_err(|e| malformed("general name", &e));
    Ok(EnrolmentTerms {
        ca: fields::ca(&from.ca)?,
        profile: fields::profile_name(&from.profile)?,
        names: match required("names", from.names)? {
            Names::Among(names) => {
                EnrolmentNames::Among(names.der.iter().map(name).collect::<Result<_, _>>()?)
            }
            Names::Below(domains) => EnrolmentNames::Below(domains.texts),
        },
    })
}
