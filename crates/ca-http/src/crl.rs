//! Serves CRLs and CA certificates (RFC 5280 §4.2.1.13, §4.2.2.1; RFC 2585).

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ca_authority::Ports;
use ca_authority::ports::Clock;
use ca_core::certificate::chain;
use ca_core::ids::{CaId, Digest};
use ca_core::limits::{DELTA_REFRESH_S, STATUS_REFRESH_S};
use ca_core::outcome::Refusal;
use ca_core::shards::{DELTA, ListId, ListKind};
use ca_x509::certificate::Certificate;

use crate::answer::PKIX_CERT;
use crate::cache::Cacheable;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::limits::STATUS_MAX_AGE_S;
use crate::problem::Problem;

/// `GET /crl/{ca}[-{shard}][-delta].crl`
pub(crate) async fn crl<P: Ports>(
    State(doors): State<Doors<P>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = file.strip_suffix(".crl").ok_or(DoorError::NotFound)?;
    let (list, kind) = list_named(&doors, name)?;
    let served = doors.authority.crl(&list, kind)?.ok_or(DoorError::CrlNone { list: name.to_owned() })?;
    let refresh_s = match kind {
        ListKind::Complete => STATUS_REFRESH_S,
        ListKind::Delta => DELTA_REFRESH_S,
    };
    let object = Cacheable {
        media_type: "application/pkix-crl",
        // One number is one list, octet for octet, on every node (I15): no need to hash megabytes.
        tag: format!("{:x}", served.cut.number.0),
        since: served.cut.this_update,
        refresh_at: served.cut.this_update.saturating_add(refresh_s),
        body: Bytes::from_owner(served.der),
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

/// The list of this name. No CA has the name of another's list, so at most one CA has it.
fn list_named<P: Ports>(doors: &Doors<P>, name: &str) -> Result<(ListId, ListKind), Problem> {
    let complete = Some((name, ListKind::Complete));
    let delta = name.strip_suffix(DELTA).map(|name| (name, ListKind::Delta));
    let issuers = doors.register().issuers()?;
    for (stem, kind) in complete.into_iter().chain(delta) {
        let found = issuers.iter().find_map(|(ca, issuer)| ListId::named(stem, ca, issuer.shards));
        if let Some(list) = found {
            return Ok((list, kind));
        }
    }
    let ca: CaId = name.parse().map_err(|_| DoorError::NotFound)?;
    Err(Refusal::UnknownCa { ca }.into())
}

/// The CA in a file name.
fn named(file: &str, suffix: &str) -> Result<CaId, DoorError> {
    file.strip_suffix(suffix).and_then(|name| name.parse().ok()).ok_or(DoorError::NotFound)
}
