//! `/api/v1/cas`: what CAs there are, what they may issue, and what becomes of them.

mod certify;
mod create;
mod elsewhere;
mod keys;
mod retire;

pub(crate) use self::certify::{cross_certify, renew};
pub(crate) use self::create::create;
pub(crate) use self::elsewhere::{csr, import};
pub use self::keys::CaKeys;
pub(crate) use self::retire::retire;

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use ca_authority::Ports;
use ca_authority::ports::Clock;
use ca_core::certificate::{self, chains};
use ca_core::ids::{CaId, Digest, NodeId};
use ca_core::mandate::{Mandate, may_not_issue};
use ca_core::outcome::Refusal;
use ca_core::register::{CertifiedBy, Issuer, IssuerPurpose, MemberState, OwnCertificate, StorageFault};
use ca_core::shards::ListId;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::{PEM_CHAIN, certificate_pem, json, typed};
use crate::doors::Doors;
use crate::error::DoorError;
use crate::extract::{Path, Query};
use crate::problem::Problem;
use crate::wire::{CaAnswer, CaCertificateAnswer, NamesLimit};

/// What stands for a CA that is none of this cluster's.
pub(crate) const ELSEWHERE: &str = "elsewhere";

/// `GET /api/v1/cas`
pub(crate) async fn list<P: Ports>(State(doors): State<Doors<P>>) -> Result<Response, Problem> {
    let issuers = doors.register().issuers()?;
    let all: Vec<CaAnswer> =
        issuers.into_iter().map(|(ca, issuer)| about(&doors, &ca, &issuer)).collect::<Result<_, _>>()?;
    json(StatusCode::OK, &all)
}

/// `GET /api/v1/cas/{ca}`
pub(crate) async fn show<P: Ports>(
    State(doors): State<Doors<P>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (ca, _) = named(&doors, &name)?;
    answer(&doors, StatusCode::OK, &ca)
}

/// What may follow the `?` of a chain.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Way {
    /// Which way to a root: 0, the default, is that of the CA's own certificate; those after it are over
    /// cross-certificates.
    #[serde(default)]
    alternative: usize,
}

/// `GET /api/v1/cas/{ca}/chain`: from the CA up to its root, the root included: what a client trusts comes from
/// here once, what a server sends comes with its certificate.
pub(crate) async fn chain<P: Ports>(
    State(doors): State<Doors<P>>,
    Path(name): Path<String>,
    Query(way): Query<Way>,
) -> Result<Response, Problem> {
    let (ca, issuer) = named(&doors, &name)?;
    if issuer.certificate.is_none() {
        return Err(Refusal::CaInactive { ca }.into());
    }
    // A revoked CA's own chain is still what its certificates came with.
    let chain = match way.alternative {
        0 => Some(certificate::chain(doors.register(), &ca)?),
        other => chains(doors.register(), &ca)?.into_iter().nth(other),
    };
    let chain = chain.ok_or_else(|| DoorError::BadRequest {
        field: "alternative",
        why: format!("`{ca}` has no such way to a root"),
    })?;
    let text: String = chain.iter().map(|der| certificate_pem(der)).collect();
    Ok(typed(StatusCode::OK, PEM_CHAIN, text))
}

/// The CA of a path.
pub(crate) fn named<P: Ports>(doors: &Doors<P>, name: &str) -> Result<(CaId, Arc<Issuer>), Problem> {
    let ca: CaId = name.parse().map_err(|_| DoorError::NotFound)?;
    match doors.register().issuer(&ca)? {
        Some(issuer) => Ok((ca, issuer)),
        None => Err(Refusal::UnknownCa { ca }.into()),
    }
}

/// A CA as it is now, with its entity tag.
pub(crate) fn answer<P: Ports>(doors: &Doors<P>, status: StatusCode, ca: &CaId) -> Result<Response, Problem> {
    let (_, issuer) = named(doors, ca.as_str())?;
    let about = about(doors, ca, &issuer)?;
    let tag = HeaderValue::try_from(entity_tag(&issuer)?)
        .map_err(|error| DoorError::Internal { why: error.to_string() })?;
    let mut response = json(status, &about)?;
    response.headers_mut().insert(ETAG, tag);
    Ok(response)
}

/// Changes whenever the CA does: its certificates, or that it is retired.
fn entity_tag(issuer: &Issuer) -> Result<String, DoorError> {
    let certificates: Vec<String> = issuer.certificate.iter().chain(&issuer.others).map(place).collect();
    let retired = issuer.retired_at.map_or(0, |at| at.0);
    let digest = Digest::over(&[certificates.join(" ").as_bytes(), &retired.to_be_bytes()]);
    Ok(format!("\"{}\"", digest.to_string().get(..16).unwrap_or_default()))
}

fn place(own: &OwnCertificate) -> String {
    match &own.by {
        CertifiedBy::Here { ca, serial } => format!("{ca}/{serial}"),
        CertifiedBy::Elsewhere { digest } => digest.to_string(),
    }
}

/// Refuses a change of a CA that is no longer as the caller has seen it (`If-Match`).
pub(crate) fn as_seen(headers: &HeaderMap, ca: &CaId, issuer: &Issuer) -> Result<(), DoorError> {
    let Some(seen) = headers.get(axum::http::header::IF_MATCH) else { return Ok(()) };
    if seen.as_bytes() == entity_tag(issuer)?.as_bytes() {
        return Ok(());
    }
    Err(DoorError::CaChanged { ca: ca.clone() })
}

/// The signing members that have not proven the key of a CA.
pub(crate) fn unproven<P: Ports>(doors: &Doors<P>, issuer: &Issuer) -> Result<Vec<NodeId>, StorageFault> {
    let register = doors.register();
    let key = issuer.public_key.key_identifier();
    let mut nodes = Vec::new();
    for (node, member) in register.members()? {
        if member.state == MemberState::Signing && register.key_proof(key, node)?.is_none() {
            nodes.push(node);
        }
    }
    Ok(nodes)
}

fn about<P: Ports>(doors: &Doors<P>, ca: &CaId, issuer: &Issuer) -> Result<CaAnswer, Problem> {
    let register = doors.register();
    let mandate = Mandate::of(register, ca, issuer)?;
    let own = issuer.certificate.as_ref();
    let serial = own.and_then(|own| match &own.by {
        CertifiedBy::Here { serial, .. } => Some(serial.to_string()),
        CertifiedBy::Elsewhere { .. } => None,
    });
    let der = own.map(|own| certificate::own(register, own)).transpose()?.flatten();
    let mut waiting_for = Vec::new();
    if own.is_none() {
        for node in unproven(doors, issuer)? {
            waiting_for.extend(register.member(node)?.map(|member| member.name));
        }
    }
    let list = register.crl_scope(&ListId::whole(ca))?.and_then(|scope| scope.current);
    Ok(CaAnswer {
        name: ca.to_string(),
        state: state(doors, ca, issuer)?.to_owned(),
        subject: issuer.subject.to_string(),
        parent: issuer.parent.as_ref().map_or_else(|| ELSEWHERE.to_owned(), CaId::to_string),
        purpose: match issuer.purpose {
            IssuerPurpose::Public => "public",
            IssuerPurpose::Peers => "peers",
        }
        .to_owned(),
        algorithm: issuer.algorithm.as_str().to_owned(),
        key: issuer.public_key.key_identifier().to_string(),
        waiting_for,
        serial,
        certificate: der.as_deref().map(certificate_pem),
        not_after: mandate.as_ref().map(|mandate| mandate.not_after.to_string()),
        path_len: mandate.as_ref().and_then(|mandate| mandate.path_len),
        names: mandate.iter().flat_map(|mandate| &mandate.names).map(NamesLimit::from).collect(),
        others: issuer.others.iter().map(|own| further(doors, own)).collect::<Result<_, _>>()?,
        retired_at: issuer.retired_at.map(|at| at.seconds().to_string()),
        crl_next_update: list.map(|list| list.cut.next_update.to_string()),
    })
}

fn state<P: Ports>(doors: &Doors<P>, ca: &CaId, issuer: &Issuer) -> Result<&'static str, StorageFault> {
    let now = doors.authority.ports().clock().now().seconds();
    let ended = issuer.certificate.as_ref().is_some_and(|own| own.not_after <= now);
    Ok(match may_not_issue(doors.register(), ca, issuer)? {
        Some(Refusal::CaRetired { .. }) => "retired",
        Some(Refusal::CaInactive { .. }) => "waiting",
        Some(_) => "revoked",
        None if ended => "ended",
        None => "active",
    })
}

fn further<P: Ports>(doors: &Doors<P>, own: &OwnCertificate) -> Result<CaCertificateAnswer, Problem> {
    let der = certificate::own(doors.register(), own)?;
    let lost = || DoorError::Internal { why: format!("no certificate {}", place(own)) };
    let (by, serial) = match &own.by {
        CertifiedBy::Here { ca, serial } => (ca.to_string(), Some(serial.to_string())),
        CertifiedBy::Elsewhere { .. } => (ELSEWHERE.to_owned(), None),
    };
    let certificate = certificate_pem(&der.ok_or_else(lost)?);
    Ok(CaCertificateAnswer { by, serial, not_after: own.not_after.to_string(), certificate })
}
