//! Commands ⇄ protobuf.

use ca_core::command::{Command, Envelope, Idempotency, Intent};
use ca_core::ids::{CaId, Digest, LogIndex, NodeId, UnixMillis};
use ca_core::register::IssuerPurpose;
use ca_core::roles::Identity;
use ca_core::shards::{ListId, ListKind};
use ca_x509::crl::{CrlNumber, RevocationReason};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use super::fields::{self, octets, required};
use super::{CodecError, enrolment, grant, history, profile};
use crate::wire::log as wire;
use crate::wire::log::envelope::Command as Kind;

pub(super) fn to_wire(envelope: &Envelope) -> wire::Envelope {
    wire::Envelope {
        id: Some(fields::request_to_wire(envelope.id)),
        expires_at_ms: envelope.expires_at.0,
        command: Some(kind_to_wire(&envelope.command)),
    }
}

pub(super) fn from_wire(envelope: wire::Envelope) -> Result<Envelope, CodecError> {
    Ok(Envelope {
        id: fields::request(envelope.id)?,
        expires_at: UnixMillis(envelope.expires_at_ms),
        command: kind_from_wire(required("command", envelope.command)?)?,
    })
}

#[expect(clippy::too_many_lines, reason = "one arm a command")]
fn kind_to_wire(command: &Command) -> Kind {
    match command {
        Command::InitCluster { id, name, urls } => Kind::InitCluster(wire::InitCluster {
            id: octets(&id.0),
            name: name.clone(),
            urls: Some(fields::urls_to_wire(urls)),
        }),
        Command::DefineIssuer { ca, subject, public_key, algorithm, parent, purpose, shards, requester } => {
            Kind::DefineIssuer(wire::DefineIssuer {
                ca: ca.to_string(),
                subject_der: octets(subject.as_der()),
                spki_der: octets(public_key.spki_der()),
                algorithm_der: algorithm.to_der().into(),
                parent: parent.as_ref().map(ToString::to_string),
                purpose: purpose_to_wire(*purpose).into(),
                requester: Some(fields::identity_to_wire(*requester)),
                shards: shards.count().into(),
            })
        }
        Command::DefineProfile { profile: defined, requester } => {
            Kind::DefineProfile(profile::define_to_wire(defined, *requester))
        }
        Command::SetGrant { grant, requester } => Kind::SetGrant(grant::set_to_wire(grant, *requester)),
        Command::Intent(intent) => Kind::Intent(intent_to_wire(intent)),
        Command::Record { ca, serial, signature } => Kind::Record(record_to_wire(ca, *serial, signature)),
        Command::Abandon { ca, serial } => Kind::Abandon(fields::ca_serial_to_wire(ca, *serial)),
        Command::Revoke { ca, serial, reason, requester } => {
            Kind::Revoke(revoke_to_wire(ca, *serial, *reason, *requester))
        }
        Command::Release { ca, serial, requester } => Kind::Release(release_to_wire(ca, *serial, *requester)),
        Command::CutCrl { list, kind } => Kind::CutCrl(wire::CutCrl {
            list: Some(fields::list_to_wire(list)),
            delta: *kind == ListKind::Delta,
        }),
        Command::RecordCrl { list, number, tbs_digest, signature } => {
            Kind::RecordCrl(record_crl_to_wire(list, *number, *tbs_digest, signature))
        }
        Command::MintJoinToken { secret, expires_at, requester } => {
            Kind::MintJoinToken(wire::MintJoinToken {
                secret: octets(&secret.0),
                expires_at_ms: expires_at.0,
                requester: Some(fields::identity_to_wire(*requester)),
            })
        }
        Command::MintEnrolment { token, terms, expires_at, requester } => {
            Kind::MintEnrolment(enrolment::mint_to_wire(*token, terms, *expires_at, *requester))
        }
        Command::RevokeEnrolment { token, requester } => {
            Kind::RevokeEnrolment(enrolment::revoke_to_wire(*token, *requester))
        }
        Command::AdmitMember { token, name, peer_address, api_address, va_address } => {
            Kind::AdmitMember(wire::AdmitMember {
                token: token.map(|token| octets(&token.0)),
                name: name.clone(),
                peer_address: peer_address.clone(),
                api_address: api_address.clone(),
                va_address: va_address.clone(),
            })
        }
        Command::ProveKey { key, signature } => {
            Kind::ProveKey(wire::ProveKey { key: octets(&key.0), signature: octets(signature) })
        }
        Command::RecordRefusals { by, slug, count } => {
            Kind::RecordRefusals(history::refusals_to_wire(*by, slug, *count))
        }
        Command::RequestCaCertificate { ca, requester } => {
            Kind::RequestCaCertificate(wire::RequestCaCertificate {
                ca: ca.to_string(),
                requester: Some(fields::identity_to_wire(*requester)),
            })
        }
        Command::RecordCaRequest { ca, signature, requester } => {
            Kind::RecordCaRequest(wire::RecordCaRequest {
                ca: ca.to_string(),
                signature: octets(signature),
                requester: Some(fields::identity_to_wire(*requester)),
            })
        }
        Command::ImportCaCertificate { ca, chain, requester } => {
            Kind::ImportCaCertificate(wire::ImportCaCertificate {
                ca: ca.to_string(),
                chain_der: chain.iter().map(|der| octets(der)).collect(),
                requester: Some(fields::identity_to_wire(*requester)),
            })
        }
        Command::RetireCa { ca, requester } => Kind::RetireCa(wire::RetireCa {
            ca: ca.to_string(),
            requester: Some(fields::identity_to_wire(*requester)),
        }),
        Command::Tick { digest } => Kind::Tick(wire::Tick {
            digest: digest
                .map(|(index, digest)| wire::IndexDigest { index: index.0, digest: octets(&digest.0) }),
        }),
    }
}

#[expect(clippy::too_many_lines, reason = "one arm a command")]
fn kind_from_wire(kind: Kind) -> Result<Command, CodecError> {
    Ok(match kind {
        Kind::InitCluster(init) => Command::InitCluster {
            id: fields::cluster_id(&init.id)?,
            name: init.name,
            urls: fields::urls(init.urls)?,
        },
        Kind::DefineIssuer(issuer) => Command::DefineIssuer {
            purpose: purpose(issuer.purpose)?,
            shards: fields::shards(issuer.shards)?,
            ca: fields::ca(&issuer.ca)?,
            subject: fields::subject(&issuer.subject_der)?,
            public_key: fields::public_key(&issuer.spki_der)?,
            algorithm: fields::algorithm(&issuer.algorithm_der)?,
            parent: issuer.parent.map(|parent| fields::ca(&parent)).transpose()?,
            requester: fields::identity(issuer.requester)?,
        },
        Kind::DefineProfile(defined) => profile::define_from_wire(defined)?,
        Kind::SetGrant(set) => grant::set_from_wire(set)?,
        Kind::Intent(intent) => Command::Intent(intent_from_wire(intent)?),
        Kind::Record(record) => Command::Record {
            ca: fields::ca(&record.ca)?,
            serial: fields::serial(&record.serial)?,
            signature: record.signature.into(),
        },
        Kind::Abandon(abandon) => {
            let (ca, serial) = fields::ca_serial(&abandon)?;
            Command::Abandon { ca, serial }
        }
        Kind::Revoke(revoke) => revoke_from_wire(revoke)?,
        Kind::Release(release) => Command::Release {
            ca: fields::ca(&release.ca)?,
            serial: fields::serial(&release.serial)?,
            requester: fields::identity(release.requester)?,
        },
        Kind::CutCrl(cut) => Command::CutCrl {
            list: fields::list(cut.list)?,
            kind: if cut.delta { ListKind::Delta } else { ListKind::Complete },
        },
        Kind::RecordCrl(record) => Command::RecordCrl {
            list: fields::list(record.list)?,
            number: fields::crl_number(&record.number)?,
            tbs_digest: fields::digest(&record.tbs_digest)?,
            signature: record.signature.into(),
        },
        Kind::MintJoinToken(mint) => Command::MintJoinToken {
            secret: fields::digest(&mint.secret)?,
            expires_at: UnixMillis(mint.expires_at_ms),
            requester: fields::identity(mint.requester)?,
        },
        Kind::MintEnrolment(mint) => enrolment::mint_from_wire(mint)?,
        Kind::RevokeEnrolment(revoke) => enrolment::revoke_from_wire(revoke)?,
        Kind::AdmitMember(admit) => Command::AdmitMember {
            token: admit.token.map(|token| fields::digest(&token)).transpose()?,
            name: admit.name,
            peer_address: admit.peer_address,
            api_address: admit.api_address,
            va_address: admit.va_address,
        },
        Kind::ProveKey(proof) => {
            Command::ProveKey { key: fields::key_identifier(&proof.key)?, signature: proof.signature.into() }
        }
        Kind::RecordRefusals(refusals) => history::refusals_from_wire(refusals)?,
        Kind::RequestCaCertificate(request) => Command::RequestCaCertificate {
            ca: fields::ca(&request.ca)?,
            requester: fields::identity(request.requester)?,
        },
        Kind::RecordCaRequest(record) => Command::RecordCaRequest {
            ca: fields::ca(&record.ca)?,
            signature: record.signature.into(),
            requester: fields::identity(record.requester)?,
        },
        Kind::ImportCaCertificate(import) => Command::ImportCaCertificate {
            ca: fields::ca(&import.ca)?,
            chain: import.chain_der.into_iter().map(Into::into).collect(),
            requester: fields::identity(import.requester)?,
        },
        Kind::RetireCa(retire) => {
            Command::RetireCa { ca: fields::ca(&retire.ca)?, requester: fields::identity(retire.requester)? }
        }
        Kind::Tick(tick) => Command::Tick {
            digest: tick
                .digest
                .map(|at| Ok::<_, CodecError>((LogIndex(at.index), fields::digest(&at.digest)?)))
                .transpose()?,
        },
    })
}

fn record_to_wire(ca: &CaId, serial: SerialNumber, signature: &[u8]) -> wire::Record {
    let serial = fields::serial_to_wire(serial);
    wire::Record { ca: ca.to_string(), serial, signature: octets(signature) }
}

fn revoke_to_wire(
    ca: &CaId,
    serial: SerialNumber,
    reason: RevocationReason,
    requester: Identity,
) -> wire::Revoke {
    wire::Revoke {
        ca: ca.to_string(),
        serial: fields::serial_to_wire(serial),
        reason_plus_one: u32::from(reason.code()).saturating_add(1),
        requester: Some(fields::identity_to_wire(requester)),
    }
}

fn revoke_from_wire(revoke: wire::Revoke) -> Result<Command, CodecError> {
    Ok(Command::Revoke {
        ca: fields::ca(&revoke.ca)?,
        serial: fields::serial(&revoke.serial)?,
        reason: fields::reason(required("revocation reason", revoke.reason_plus_one.checked_sub(1))?)?,
        requester: fields::identity(revoke.requester)?,
    })
}

fn release_to_wire(ca: &CaId, serial: SerialNumber, requester: Identity) -> wire::Release {
    let requester = Some(fields::identity_to_wire(requester));
    wire::Release { ca: ca.to_string(), serial: fields::serial_to_wire(serial), requester }
}

fn record_crl_to_wire(
    list: &ListId,
    number: CrlNumber,
    tbs_digest: Digest,
    signature: &[u8],
) -> wire::RecordCrl {
    wire::RecordCrl {
        list: Some(fields::list_to_wire(list)),
        number: fields::crl_number_to_wire(number),
        tbs_digest: octets(&tbs_digest.0),
        signature: octets(signature),
    }
}

fn intent_to_wire(intent: &Intent) -> wire::Intent {
    wire::Intent {
        ca: intent.ca.to_string(),
        issuer_key: octets(&intent.issuer_key.0),
        profile: intent.profile.to_string(),
        profile_version: intent.profile_version,
        grant_index: intent.grant_index.map(|index| index.0),
        requester: Some(fields::identity_to_wire(intent.requester)),
        serial: fields::serial_to_wire(intent.serial),
        tbs: octets(&intent.tbs),
        not_after_s: intent.not_after.0,
        idempotency: intent
            .idempotency
            .map(|same| wire::Idempotency { key: octets(&same.key.0), body: octets(&same.body.0) }),
        supersedes: intent.supersedes.map(fields::serial_to_wire),
        certifies: intent.certifies.as_ref().map(ToString::to_string),
        responder: intent.responder.map(|node| node.0),
    }
}

fn intent_from_wire(intent: wire::Intent) -> Result<Intent, CodecError> {
    Ok(Intent {
        ca: fields::ca(&intent.ca)?,
        issuer_key: fields::key_identifier(&intent.issuer_key)?,
        profile: fields::profile_name(&intent.profile)?,
        profile_version: intent.profile_version,
        grant_index: intent.grant_index.map(LogIndex),
        requester: fields::identity(intent.requester)?,
        serial: fields::serial(&intent.serial)?,
        tbs: intent.tbs.into(),
        not_after: UnixSeconds(intent.not_after_s),
        idempotency: intent
            .idempotency
            .map(|same| {
                Ok::<_, CodecError>(Idempotency {
                    key: fields::digest(&same.key)?,
                    body: fields::digest(&same.body)?,
                })
            })
            .transpose()?,
        supersedes: intent.supersedes.map(|serial| fields::serial(&serial)).transpose()?,
        certifies: intent.certifies.map(|ca| fields::ca(&ca)).transpose()?,
        responder: intent.responder.map(NodeId),
    })
}

pub(super) fn purpose_to_wire(purpose: IssuerPurpose) -> wire::Purpose {
    match purpose {
        IssuerPurpose::Public => wire::Purpose::Public,
        IssuerPurpose::Peers => wire::Purpose::Peers,
    }
}

pub(super) fn purpose(number: i32) -> Result<IssuerPurpose, CodecError> {
    match fields::known("purpose", number)? {
        wire::Purpose::Unset => Err(CodecError::Unknown { what: "purpose" }),
        wire::Purpose::Public => Ok(IssuerPurpose::Public),
        wire::Purpose::Peers => Ok(IssuerPurpose::Peers),
    }
}
