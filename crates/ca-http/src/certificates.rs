//! `/api/v1/certificates/{serial}`: what it is, what became of it, and its end.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ca_authority::ports::Log;
use ca_authority::{ActError, Ports};
use ca_core::certificate::der;
use ca_core::ids::CaId;
use ca_core::outcome::Refusal;
use ca_core::register::CertificateEntry;
use ca_core::status::{Status, status};
use ca_x509::crl::RevocationReason;
use ca_x509::serial::SerialNumber;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::{PEM_CHAIN, PKIX_CERT, certificate_pem, handshake_chain, json, typed};
use crate::body;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::extract::{Path, Query};
use crate::guard::Caller;
use crate::issue::{idempotency_key, wants_pem};
use crate::limits::ADMIN_BODY_OCTETS_MAX;
use crate::problem::Problem;
use crate::watch::Told;
use crate::wire::{CertificateAnswer, LogPlace, ReleaseAnswer, ReleaseRequest, RevokeAnswer, RevokeRequest};

/// What may follow the `?`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichCa {
    /// The CA; found by the serial if none is named.
    ca: Option<String>,
}

/// `GET /api/v1/certificates/{serial}`, with `.pem` or `.der` for the bare certificate.
pub(crate) async fn show<P: Ports>(
    State(doors): State<Doors<P>>,
    Path(file): Path<String>,
    Query(query): Query<WhichCa>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (text, form) = match file.rsplit_once('.') {
        Some((text, "pem")) => (text, Form::Pem),
        Some((text, "der")) => (text, Form::Der),
        _ if wants_pem(&headers) => (file.as_str(), Form::Pem),
        _ => (file.as_str(), Form::Json),
    };
    let serial = serial(text)?;
    let (ca, entry) = find(&doors, query.ca.as_deref(), serial).await?;
    let mut response = shown(&doors, &ca, serial, &entry, form)?;
    response.extensions_mut().insert(Told { serial, index: None });
    Ok(response)
}

/// `POST /api/v1/certificates/{serial}/revoke`
pub(crate) async fn revoke<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(identity)): Extension<Caller>,
    Path(text): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    // Revoking is idempotent by itself (I14): the key is checked, so that a client errs alike on all routes.
    idempotency_key(&headers)?;
    let body = body::read(body, ADMIN_BODY_OCTETS_MAX).await?;
    let asked: RevokeRequest =
        if body.trim_ascii().is_empty() { RevokeRequest::default() } else { body::json(&body)? };
    let serial = serial(&text)?;
    let reason = reason_of(asked.reason.as_deref())?;
    let (ca, _) = find(&doors, asked.ca.as_deref(), serial).await?;
    let (authority, issuer) = (doors.authority.clone(), ca.clone());
    let act = async move { authority.revoke(identity, issuer, serial, reason).await };
    let revoked = doors.act(act).await?;
    let answer = RevokeAnswer {
        serial: serial.to_string(),
        ca: ca.to_string(),
        revoked_at: revoked.revoked_at.to_string(),
        log: LogPlace { index: revoked.index.0 },
    };
    let mut response = json(StatusCode::OK, &answer)?;
    response.extensions_mut().insert(Told { serial, index: Some(revoked.index) });
    Ok(response)
}

/// `POST /api/v1/certificates/{serial}/release`: from a hold, and from nothing else (I10).
pub(crate) async fn release<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(identity)): Extension<Caller>,
    Path(text): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    // Idempotent by itself, as revoking is.
    idempotency_key(&headers)?;
    let body = body::read(body, ADMIN_BODY_OCTETS_MAX).await?;
    let asked: ReleaseRequest =
        if body.trim_ascii().is_empty() { ReleaseRequest::default() } else { body::json(&body)? };
    let serial = serial(&text)?;
    let (ca, _) = find(&doors, asked.ca.as_deref(), serial).await?;
    let (authority, issuer) = (doors.authority.clone(), ca.clone());
    let index = doors.act(async move { authority.release(identity, issuer, serial).await }).await?;
    let answer =
        ReleaseAnswer { serial: serial.to_string(), ca: ca.to_string(), log: LogPlace { index: index.0 } };
    let mut response = json(StatusCode::OK, &answer)?;
    response.extensions_mut().insert(Told { serial, index: Some(index) });
    Ok(response)
}

/// `unspecified` if none is given.
pub(crate) fn reason_of(asked: Option<&str>) -> Result<RevocationReason, DoorError> {
    asked.map_or(Ok(RevocationReason::Unspecified), str::parse).map_err(|_| {
        let words: Vec<&str> = RevocationReason::ALL.iter().map(|reason| reason.as_str()).collect();
        DoorError::BadRequest { field: "reason", why: format!("one of {}", words.join(", ")) }
    })
}

/// How a certificate is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Pem,
    Der,
}

fn shown<P: Ports>(
    doors: &Doors<P>,
    ca: &CaId,
    serial: SerialNumber,
    entry: &CertificateEntry,
    form: Form,
) -> Result<Response, Problem> {
    let certificate = der(doors.register(), ca, serial)?;
    match (form, certificate) {
        (Form::Pem, Some(der)) => {
            let chain = ca_core::certificate::chain(doors.register(), ca)?;
            Ok(typed(StatusCode::OK, PEM_CHAIN, handshake_chain(&der, &chain)))
        }
        (Form::Der, Some(der)) => Ok(typed(StatusCode::OK, PKIX_CERT, der)),
        (Form::Json, certificate) => {
            let (word, revoked_at, reason) = match status(doors.register(), ca, serial)? {
                Status::Good => ("good", None, None),
                Status::Revoked { at, reason, .. } => ("revoked", Some(at), reason),
                // I3: no octet of it, nor its status, before its record.
                Status::Open | Status::Unassigned => return Err(Refusal::NotRecorded { serial }.into()),
            };
            let answer = CertificateAnswer {
                serial: serial.to_string(),
                ca: ca.to_string(),
                status: word.to_owned(),
                revoked_at: revoked_at.map(|at| at.to_string()),
                reason: reason.map(|reason| reason.to_string()),
                profile: entry.profile.to_string(),
                certificate: certificate.as_deref().map(certificate_pem),
                not_after: entry.not_after.to_string(),
            };
            json(StatusCode::OK, &answer)
        }
        (Form::Pem | Form::Der, None) => match status(doors.register(), ca, serial)? {
            Status::Revoked { .. } => Err(Refusal::IntentAbandoned { serial }.into()),
            Status::Good | Status::Open | Status::Unassigned => Err(Refusal::NotRecorded { serial }.into()),
        },
    }
}

fn serial(text: &str) -> Result<SerialNumber, DoorError> {
    text.parse().map_err(|error: ca_x509::serial::SerialError| DoorError::BadRequest {
        field: "serial",
        why: error.to_string(),
    })
}

/// The certificate and its CA. Says that there is none only after a quorum has been asked: a client that was given
/// a certificate by another node a moment ago finds it here.
async fn find<P: Ports>(
    doors: &Doors<P>,
    ca: Option<&str>,
    serial: SerialNumber,
) -> Result<(CaId, Arc<CertificateEntry>), Problem> {
    let ca: Option<CaId> = ca.map(str::parse).transpose().map_err(|error: ca_core::ids::InvalidName| {
        DoorError::BadRequest { field: "ca", why: error.to_string() }
    })?;
    if let Some(found) = find_here(doors, ca.as_ref(), serial)? {
        return Ok(found);
    }
    doors.log().read_index().await.map_err(ActError::from)?;
    if let Some(found) = find_here(doors, ca.as_ref(), serial)? {
        return Ok(found);
    }
    match ca {
        None => Err(DoorError::UnknownSerial { serial }.into()),
        Some(ca) if doors.register().issuer(&ca)?.is_none() => Err(Refusal::UnknownCa { ca }.into()),
        Some(ca) => Err(Refusal::UnknownSerial { ca, serial }.into()),
    }
}

fn find_here<P: Ports>(
    doors: &Doors<P>,
    ca: Option<&CaId>,
    serial: SerialNumber,
) -> Result<Option<(CaId, Arc<CertificateEntry>)>, Problem> {
    let register = doors.register();
    let cas = match ca {
        Some(ca) => vec![ca.clone()],
        None => register.issuers()?.into_iter().map(|(ca, _)| ca).collect(),
    };
    let mut found = None;
    for ca in cas {
        let Some(entry) = register.certificate(&ca, serial)? else { continue };
        // A serial is unique under its CA only; with 120 random bits this is an operator's import, not chance.
        if let Some((other, _)) = found {
            let why = format!("serial {serial} is known under `{other}` and `{ca}`: name one");
            return Err(DoorError::BadRequest { field: "ca", why }.into());
        }
        found = Some((ca, entry));
    }
    Ok(found)
}
