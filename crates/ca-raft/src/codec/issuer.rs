//! The CAs and their certificates ⇄ protobuf.

use ca_core::ids::{LogIndex, UnixMillis};
use ca_core::register::{CaRequest, CertifiedBy, Issuer, OwnCertificate};
use ca_x509::time::UnixSeconds;

use super::fields::{self, octets, required};
use super::profile::constraints;
use super::{CodecError, command};
use crate::wire::log as wire;

pub(super) fn to_wire(issuer: &Issuer) -> wire::Issuer {
    wire::Issuer {
        subject_der: octets(issuer.subject.as_der()),
        spki_der: octets(issuer.public_key.spki_der()),
        algorithm_der: issuer.algorithm.to_der().into(),
        parent: issuer.parent.as_ref().map(ToString::to_string),
        certificate: issuer.certificate.as_ref().map(own_to_wire),
        purpose: command::purpose_to_wire(issuer.purpose).into(),
        others: issuer.others.iter().map(own_to_wire).collect(),
        retired_at_ms: issuer.retired_at.map(|at| at.0),
        shards: issuer.shards.count().into(),
    }
}

pub(super) fn from_wire(issuer: wire::Issuer) -> Result<Issuer, CodecError> {
    Ok(Issuer {
        subject: fields::subject(&issuer.subject_der)?,
        public_key: fields::public_key(&issuer.spki_der)?,
        algorithm: fields::algorithm(&issuer.algorithm_der)?,
        parent: issuer.parent.map(|parent| fields::ca(&parent)).transpose()?,
        certificate: issuer.certificate.map(own_from_wire).transpose()?,
        others: issuer.others.into_iter().map(own_from_wire).collect::<Result<_, _>>()?,
        purpose: command::purpose(issuer.purpose)?,
        retired_at: issuer.retired_at_ms.map(UnixMillis),
        shards: fields::shards(issuer.shards)?,
    })
}

pub(super) fn request_to_wire(request: &CaRequest) -> wire::CaRequest {
    wire::CaRequest {
        owner: Some(fields::request_to_wire(request.owner)),
        signature: request.signature.as_deref().map(octets),
    }
}

pub(super) fn request_from_wire(request: wire::CaRequest) -> Result<CaRequest, CodecError> {
    Ok(CaRequest { owner: fields::request(request.owner)?, signature: request.signature.map(Into::into) })
}

fn own_to_wire(own: &OwnCertificate) -> wire::OwnCertificate {
    use wire::own_certificate::By;
    wire::OwnCertificate {
        by: Some(match &own.by {
            CertifiedBy::Here { ca, serial } => By::Here(fields::ca_serial_to_wire(ca, *serial)),
            CertifiedBy::Elsewhere { digest } => By::Elsewhere(octets(&digest.0)),
        }),
        index: own.index.0,
        not_after_s: own.not_after.0,
        path_len: own.path_len.map(u32::from),
        names: own.names.iter().map(constraints::names_to_wire).collect(),
    }
}

fn own_from_wire(own: wire::OwnCertificate) -> Result<OwnCertificate, CodecError> {
    use wire::own_certificate::By;
    Ok(OwnCertificate {
        by: match required("who issued a CA's certificate", own.by)? {
            By::Here(here) => {
                let (ca, serial) = fields::ca_serial(&here)?;
                CertifiedBy::Here { ca, serial }
            }
            By::Elsewhere(digest) => CertifiedBy::Elsewhere { digest: fields::digest(&digest)? },
        },
        index: LogIndex(own.index),
        not_after: UnixSeconds(own.not_after_s),
        path_len: own.path_len.map(|length| small("path length", length)).transpose()?,
        names: own.names.into_iter().map(constraints::names).collect::<Result<_, _>>()?,
    })
}

fn small(what: &'static str, number: u32) -> Result<u8, CodecError> {
    u8::try_from(number).map_err(|_| CodecError::Unknown { what })
}
