//! Serves CRLs and CA certificates (RFC 5280 §4.2.1.13, §4.2.2.1; RFC 2585).

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ca_authority::Ports;
use ca_authority::limits::STATUS_REFRESH_S;
use ca_authority::ports::Clock;
use ca_core::certificate::chain;
use ca_core::ids::{CaId, Digest};
use ca_core::outcome::Refusal;
use ca_x509::certificate::Certificate;

use crate::answer::PKIX_CERT;
use crate::cache::Cacheable;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::limits::STATUS_MAX_AGE_S;
use crate::problem::Problem;

/// `GET /crl/{ca}.crl`
pub(crate) async fn crl<P: Ports>(
    State(doors): State<Doors<P>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ca = named(&file, ".crl")?;
    if doors.register().issuer(&ca)?.is_none() {
        return Err(Refusal::UnknownCa { ca }.into());
    }
    let list = doors.authority.crl(&ca)?.ok_or(DoorError::CrlNone { ca })?;
    let object = Cacheable {
        media_type: "application/pkix-crl",
        // One number is one list, octet for octet, on every node (I15): no need to hash megabytes.
        tag: format!("{:x}", list.cut.number.0),
        since: list.cut.this_update,
        refresh_at: list.cut.this_update.saturating_add(STATUS_REFRESH_S),
        body: Bytes::from_owner(list.der),
    };
    Ok(object.into_answer(&headers, doors.authority.ports().clock().now().seconds()))
}

/// `GET /ca/{ca}.cer`
pub(crate) async fn ca_certificate<P: Ports>(
    State(doors): State<Doors<P>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ca = named(&file, ".cer")?;
    if doors.register().issuer(&ca)?.is_none() {
        return Err(Refusal::UnknownCa { ca }.into());
    }
    let own = chain(doors.register(), &ca)?.into_iter().next().ok_or(Refusal::CaInactive { ca })?;
    let parsed = Certificate::parse(&own).map_err(|error| DoorError::Internal { why: error.to_string() })?;
    let now = doors.authority.ports().clock().now().seconds();
    let object = Cacheable {
        media_type: PKIX_CERT,
        tag: Digest::of(&own).to_string(),
        since: parsed.not_before(),
        refresh_at: now.saturating_add(STATUS_MAX_AGE_S),
        body: own.into(),
    };
    Ok(object.into_answer(&headers, now))
}

/// The CA in a file name.
fn named(file: &str, suffix: &str) -> Result<CaId, DoorError> {
    file.strip_suffix(suffix).and_then(|name| name.parse().ok()).ok_or(DoorError::NotFound)
}
