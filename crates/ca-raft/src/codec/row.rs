//! The register's rows ⇄ protobuf.

use std::sync::Arc;

use ca_core::ids::{BootId, Epoch, LogIndex, NodeId, UnixMillis};
use ca_core::register::{
    Attempt, CertificateEntry, CertificateState, Cluster, CrlBase, CrlCut, CrlScope, Expiring, JoinToken,
    Key, KeyProof, KeyUse, Member, MemberState, Revocation, SignedCrl, StatusChange, StatusEvent, Value,
};
use ca_core::roles::Granted;
use ca_x509::time::UnixSeconds;

use super::fields::{self, known, octets, required};
use super::{CodecError, enrolment, grant, history, issuer, outcome, profile};
use crate::wire::log as wire;
use crate::wire::log::row::Value as Kind;

/// Whether a value may stand under a key.
pub(super) fn belongs(key: &Key, value: &Value) -> bool {
    matches!(
        (key, value),
        (Key::Cluster, Value::Cluster(_))
            | (Key::Time, Value::Time(_))
            | (Key::Grant(_), Value::Grant(_))
            | (Key::Issuer(_), Value::Issuer(_))
            | (Key::Profile(_), Value::Profile(_))
            | (Key::Member(_), Value::Member(_))
            | (Key::JoinToken(_), Value::JoinToken(_))
            | (Key::KeyProof(..), Value::KeyProof(_))
            | (Key::Responder(..), Value::Responder(_))
            | (Key::Certificate(..), Value::Certificate(_))
            | (Key::OpenIntent(..), Value::OpenIntent(..))
            | (Key::Revocation(..), Value::Revocation(_))
            | (Key::CrlScope(_), Value::CrlScope(_))
            | (Key::Attempt(_), Value::Attempt(_))
            | (Key::Outcomes(_), Value::Outcomes(_))
            | (Key::Expiry(..), Value::Expiry(_))
            | (Key::History(_), Value::History(_))
            | (Key::Imported(_), Value::Imported(_))
            | (Key::CaRequest(_), Value::CaRequest(_))
            | (Key::Enrolment(_), Value::Enrolment(_))
            | (Key::ClusterKey(_), Value::ClusterKey(_))
    )
}

pub(super) fn to_wire(value: &Value) -> wire::Row {
    let kind = match value {
        Value::Cluster(cluster) => Kind::Cluster(wire::Cluster {
            id: octets(&cluster.id.0),
            name: cluster.name.clone(),
            epoch: cluster.epoch.0,
            next_node: cluster.next_node.0,
            urls: Some(fields::urls_to_wire(&cluster.urls)),
        }),
        Value::Time(time) => Kind::TimeMs(time.0),
        Value::Grant(granted) => {
            Kind::Grant(wire::Granted { grant: Some(grant::to_wire(&granted.grant)), index: granted.index.0 })
        }
        Value::Issuer(issuer) => Kind::Issuer(issuer::to_wire(issuer)),
        Value::Profile(defined) => Kind::Profile(profile::to_wire(defined)),
        Value::Member(member) => Kind::Member(member_to_wire(member)),
        Value::JoinToken(token) => Kind::JoinToken(wire::JoinToken {
            expires_at_ms: token.expires_at.0,
            spent_by: token.spent_by.map(|node| node.0),
            minted_by: Some(fields::identity_to_wire(token.minted_by)),
        }),
        Value::KeyProof(proof) => Kind::KeyProof(wire::KeyProof {
            index: proof.index.0,
            boot: proof.boot.0,
            signature: octets(&proof.signature),
        }),
        Value::Responder(serial) => Kind::Responder(fields::serial_to_wire(*serial)),
        Value::Certificate(entry) => Kind::Certificate(certificate_to_wire(entry)),
        Value::OpenIntent(since, owner) => Kind::OpenIntent(wire::OpenIntent {
            since_ms: since.0,
            owner: Some(fields::request_to_wire(*owner)),
        }),
        Value::Revocation(revocation) => Kind::Revocation(revocation_to_wire(revocation)),
        Value::CrlScope(scope) => Kind::CrlScope(wire::CrlScope {
            last_counter: scope.last_counter,
            open: scope.open.as_ref().map(cut_to_wire),
            current: scope.current.as_deref().map(signed_to_wire),
            changed: scope.changed.0,
            delta: scope.delta.as_deref().map(signed_to_wire),
            scheduled_s: scope.scheduled.0,
        }),
        Value::Attempt(attempt) => Kind::Attempt(wire::Attempt {
            body: octets(&attempt.body.0),
            ca: attempt.ca.to_string(),
            serial: fields::serial_to_wire(attempt.serial),
            since_ms: attempt.since.0,
        }),
        Value::Outcomes(outcomes) => Kind::Outcomes(wire::Outcomes {
            of: outcomes
                .iter()
                .map(|(request, outcome)| wire::OutcomeOf {
                    request: Some(fields::request_to_wire(*request)),
                    outcome: Some(outcome::to_wire(outcome)),
                })
                .collect(),
        }),
        Value::Expiry(leaving) => {
            Kind::Expiries(wire::Expiries { of: leaving.iter().copied().map(expiring_to_wire).collect() })
        }
        Value::History(row) => Kind::History(history::to_wire(row)),
        Value::Imported(chain) => {
            Kind::Imported(wire::ImportedChain { chain_der: chain.iter().map(|der| octets(der)).collect() })
        }
        Value::CaRequest(request) => Kind::CaRequest(issuer::request_to_wire(request)),
        Value::Enrolment(token) => Kind::Enrolment(enrolment::to_wire(token)),
        Value::ClusterKey(usage) => Kind::ClusterKey(key_use_to_wire(usage)),
    };
    wire::Row { value: Some(kind) }
}

pub(super) fn from_wire(row: wire::Row) -> Result<Value, CodecError> {
    Ok(match required("row", row.value)? {
        Kind::Cluster(cluster) => Value::Cluster(Arc::new(Cluster {
            id: fields::cluster_id(&cluster.id)?,
            name: cluster.name,
            epoch: Epoch(cluster.epoch),
            next_node: NodeId(cluster.next_node),
            urls: fields::urls(cluster.urls)?,
        })),
        Kind::TimeMs(time) => Value::Time(UnixMillis(time)),
        Kind::Grant(granted) => Value::Grant(Arc::new(Granted {
            grant: grant::from_wire(required("grant", granted.grant)?)?,
            index: LogIndex(granted.index),
        })),
        Kind::Issuer(issuer) => Value::Issuer(Arc::new(issuer::from_wire(issuer)?)),
        Kind::Profile(defined) => Value::Profile(Arc::new(profile::from_wire(defined)?)),
        Kind::Member(member) => Value::Member(member_from_wire(member)?),
        Kind::JoinToken(token) => Value::JoinToken(JoinToken {
            expires_at: UnixMillis(token.expires_at_ms),
            spent_by: token.spent_by.map(NodeId),
            minted_by: fields::identity(token.minted_by)?,
        }),
        Kind::KeyProof(proof) => Value::KeyProof(KeyProof {
            index: LogIndex(proof.index),
            boot: BootId(proof.boot),
            signature: proof.signature.into(),
        }),
        Kind::Responder(serial) => Value::Responder(fields::serial(&serial)?),
        Kind::Certificate(entry) => Value::Certificate(Arc::new(certificate_from_wire(entry)?)),
        Kind::OpenIntent(open) => Value::OpenIntent(UnixMillis(open.since_ms), fields::request(open.owner)?),
        Kind::Revocation(revocation) => Value::Revocation(revocation_from_wire(revocation)?),
        Kind::CrlScope(scope) => Value::CrlScope(CrlScope {
            last_counter: scope.last_counter,
            open: scope.open.as_ref().map(cut_from_wire).transpose()?,
            current: scope.current.map(signed_from_wire).transpose()?.map(Box::new),
            changed: LogIndex(scope.changed),
            delta: scope.delta.map(signed_from_wire).transpose()?.map(Box::new),
            scheduled: UnixSeconds(scope.scheduled_s),
        }),
        Kind::Attempt(attempt) => Value::Attempt(Attempt {
            body: fields::digest(&attempt.body)?,
            ca: fields::ca(&attempt.ca)?,
            serial: fields::serial(&attempt.serial)?,
            since: UnixMillis(attempt.since_ms),
        }),
        Kind::Outcomes(outcomes) => Value::Outcomes(
            outcomes
                .of
                .into_iter()
                .map(|of| {
                    let outcome = outcome::from_wire(required("outcome", of.outcome)?)?;
                    Ok((fields::request(of.request)?, outcome))
                })
                .collect::<Result<_, CodecError>>()?,
        ),
        Kind::Expiries(leaving) => {
            Value::Expiry(leaving.of.into_iter().map(expiring_from_wire).collect::<Result<_, _>>()?)
        }
        Kind::History(row) => Value::History(history::from_wire(row)?),
        Kind::Imported(imported) => Value::Imported(imported.chain_der.into_iter().map(Into::into).collect()),
        Kind::CaRequest(request) => Value::CaRequest(issuer::request_from_wire(request)?),
        Kind::Enrolment(token) => Value::Enrolment(enrolment::from_wire(token)?),
        Kind::ClusterKey(usage) => Value::ClusterKey(key_use_from_wire(usage)?),
    })
}

fn expiring_to_wire(what: Expiring) -> wire::Expiring {
    use wire::expiring::Row;
    let row = match what {
        Expiring::Outcomes(index) => Row::OutcomesIndex(index.0),
        Expiring::Attempt(key) => Row::Attempt(octets(&key.0)),
        Expiring::Enrolment(token) => Row::Enrolment(octets(&token.0)),
    };
    wire::Expiring { row: Some(row) }
}

fn expiring_from_wire(from: wire::Expiring) -> Result<Expiring, CodecError> {
    use wire::expiring::Row;
    Ok(match required("what expires", from.row)? {
        Row::OutcomesIndex(index) => Expiring::Outcomes(LogIndex(index)),
        Row::Attempt(key) => Expiring::Attempt(fields::digest(&key)?),
        Row::Enrolment(token) => Expiring::Enrolment(fields::digest(&token)?),
    })
}

pub(super) fn key_use_to_wire(usage: &KeyUse) -> wire::KeyUse {
    use wire::key_use::Usage;
    let usage = match usage {
        KeyUse::Authority(ca) => Usage::Authority(ca.to_string()),
        KeyUse::Responder(node) => Usage::Responder(node.0),
        KeyUse::Connections => Usage::Connections(wire::Empty {}),
    };
    wire::KeyUse { usage: Some(usage) }
}

pub(super) fn key_use_from_wire(from: wire::KeyUse) -> Result<KeyUse, CodecError> {
    use wire::key_use::Usage;
    Ok(match required("use of a key", from.usage)? {
        Usage::Authority(ca) => KeyUse::Authority(fields::ca(&ca)?),
        Usage::Responder(node) => KeyUse::Responder(NodeId(node)),
        Usage::Connections(wire::Empty {}) => KeyUse::Connections,
    })
}

fn member_to_wire(member: &Member) -> wire::Member {
    wire::Member {
        name: member.name.clone(),
        peer_address: member.peer_address.clone(),
        api_address: member.api_address.clone(),
        va_address: member.va_address.clone(),
        state: match member.state {
            MemberState::Joining => wire::MemberState::Joining,
            MemberState::Signing => wire::MemberState::Signing,
        }
        .into(),
    }
}

fn member_from_wire(member: wire::Member) -> Result<Member, CodecError> {
    Ok(Member {
        state: match known("member state", member.state)? {
            wire::MemberState::Unset => return Err(CodecError::Unknown { what: "member state" }),
            wire::MemberState::Joining => MemberState::Joining,
            wire::MemberState::Signing => MemberState::Signing,
        },
        name: member.name,
        peer_address: member.peer_address,
        api_address: member.api_address,
        va_address: member.va_address,
    })
}

fn certificate_to_wire(entry: &CertificateEntry) -> wire::Certificate {
    use wire::certificate::State;
    wire::Certificate {
        tbs: octets(&entry.tbs),
        profile: entry.profile.to_string(),
        profile_version: entry.profile_version,
        requester: Some(fields::identity_to_wire(entry.requester)),
        owner: Some(fields::request_to_wire(entry.owner)),
        intent_index: entry.intent_index.0,
        not_after_s: entry.not_after.0,
        state: Some(match &entry.state {
            CertificateState::Open => State::Open(wire::Empty {}),
            CertificateState::Recorded { signature, index, at } => {
                State::Recorded(wire::Recorded { signature: octets(signature), index: index.0, at_ms: at.0 })
            }
            CertificateState::Abandoned { index } => State::AbandonedIndex(index.0),
        }),
        certifies: entry.certifies.as_ref().map(ToString::to_string),
        responder: entry.responder.map(|node| node.0),
    }
}

fn certificate_from_wire(entry: wire::Certificate) -> Result<CertificateEntry, CodecError> {
    use wire::certificate::State;
    Ok(CertificateEntry {
        tbs: entry.tbs.into(),
        profile: fields::profile_name(&entry.profile)?,
        profile_version: entry.profile_version,
        requester: fields::identity(entry.requester)?,
        owner: fields::request(entry.owner)?,
        intent_index: LogIndex(entry.intent_index),
        not_after: UnixSeconds(entry.not_after_s),
        certifies: entry.certifies.map(|ca| fields::ca(&ca)).transpose()?,
        responder: entry.responder.map(NodeId),
        state: match required("certificate state", entry.state)? {
            State::Open(wire::Empty {}) => CertificateState::Open,
            State::Recorded(recorded) => CertificateState::Recorded {
                signature: recorded.signature.into(),
                index: LogIndex(recorded.index),
                at: UnixMillis(recorded.at_ms),
            },
            State::AbandonedIndex(index) => CertificateState::Abandoned { index: LogIndex(index) },
        },
    })
}

fn revocation_to_wire(revocation: &Revocation) -> wire::Revocation {
    use wire::status_event::Change;
    let event = |event: &StatusEvent| wire::StatusEvent {
        index: event.index.0,
        since_s: event.since.0,
        change: Some(match event.change {
            StatusChange::Revoked(reason) => Change::RevokedReason(reason.code().into()),
            StatusChange::Abandoned => Change::Abandoned(wire::Empty {}),
            StatusChange::Released => Change::Released(wire::Empty {}),
        }),
        by: Some(fields::identity_to_wire(event.by)),
    };
    wire::Revocation {
        not_after_s: revocation.not_after.0,
        events: revocation.events.iter().map(event).collect(),
    }
}

fn revocation_from_wire(revocation: wire::Revocation) -> Result<Revocation, CodecError> {
    use wire::status_event::Change;
    let event = |event: wire::StatusEvent| {
        Ok(StatusEvent {
            index: LogIndex(event.index),
            since: UnixSeconds(event.since_s),
            change: match required("status change", event.change)? {
                Change::RevokedReason(code) => StatusChange::Revoked(fields::reason(code)?),
                Change::Abandoned(wire::Empty {}) => StatusChange::Abandoned,
                Change::Released(wire::Empty {}) => StatusChange::Released,
            },
            by: fields::identity(event.by)?,
        })
    };
    Ok(Revocation {
        not_after: UnixSeconds(revocation.not_after_s),
        events: revocation.events.into_iter().map(event).collect::<Result<_, _>>()?,
    })
}

pub(super) fn cut_to_wire(cut: &CrlCut) -> wire::CrlCut {
    wire::CrlCut {
        number: fields::crl_number_to_wire(cut.number),
        index: cut.index.0,
        owner: Some(fields::request_to_wire(cut.owner)),
        cut_at_ms: cut.cut_at.0,
        this_update_s: cut.this_update.0,
        next_update_s: cut.next_update.0,
        base: cut.base.map(|base| wire::CrlBase {
            number: fields::crl_number_to_wire(base.number),
            index: base.index.0,
        }),
        ended_before_s: cut.ended_before.0,
    }
}

pub(super) fn cut_from_wire(cut: &wire::CrlCut) -> Result<CrlCut, CodecError> {
    Ok(CrlCut {
        number: fields::crl_number(&cut.number)?,
        index: LogIndex(cut.index),
        owner: fields::request(cut.owner)?,
        cut_at: UnixMillis(cut.cut_at_ms),
        this_update: UnixSeconds(cut.this_update_s),
        next_update: UnixSeconds(cut.next_update_s),
        base: cut.base.as_ref().map(base_from_wire).transpose()?,
        ended_before: UnixSeconds(cut.ended_before_s),
    })
}

fn base_from_wire(base: &wire::CrlBase) -> Result<CrlBase, CodecError> {
    Ok(CrlBase { number: fields::crl_number(&base.number)?, index: LogIndex(base.index) })
}

fn signed_to_wire(signed: &SignedCrl) -> wire::SignedCrl {
    wire::SignedCrl {
        cut: Some(cut_to_wire(&signed.cut)),
        tbs_digest: octets(&signed.tbs_digest.0),
        signature: octets(&signed.signature),
    }
}

fn signed_from_wire(signed: wire::SignedCrl) -> Result<SignedCrl, CodecError> {
    Ok(SignedCrl {
        cut: cut_from_wire(&required("CRL cut", signed.cut)?)?,
        tbs_digest: fields::digest(&signed.tbs_digest)?,
        signature: signed.signature.into(),
    })
}
