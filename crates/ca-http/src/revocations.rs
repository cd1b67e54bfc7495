//! `POST /api/v1/revocations`: revokes all that a filter finds, a page a call.

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ca_authority::Ports;
use ca_core::roles::Identity;
use ca_core::search::Found;
use ca_core::status::Status;
use ca_x509::crl::RevocationReason;
use tokio::task::JoinSet;

use crate::answer::json;
use crate::body;
use crate::certificates::reason_of;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::guard::Caller;
use crate::issue::idempotency_key;
use crate::limits::{ADMIN_BODY_OCTETS_MAX, BULK_AT_ONCE, BULK_PER_CALL};
use crate::problem::Problem;
use crate::search::{cursor_of, look, read_filter, visible};
use crate::wire::{RevocationsAnswer, RevocationsRequest, RevokedSerial};

/// Revokes up to [`BULK_PER_CALL`] certificates and says where to go on. A call that breaks off is made again with
/// the same cursor: what is revoked already stays as it is (I14).
pub(crate) async fn revoke<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(identity)): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    idempotency_key(&headers)?;
    let asked: RevocationsRequest = body::json(&body::read(body, ADMIN_BODY_OCTETS_MAX).await?)?;
    let reason = reason_of(asked.reason.as_deref())?;
    let filter = read_filter(&asked.filter)?;
    if filter.terms.is_empty() {
        let why = "empty, which would mean every certificate of the cluster: name at least its ca".to_owned();
        return Err(DoorError::BadRequest { field: "filter", why }.into());
    }
    let filter = visible(&doors, identity, filter)?;
    let page = look(&doors, filter, asked.cursor.as_deref(), BULK_PER_CALL).await?;
    let next_cursor = page.next.as_ref().map(cursor_of);
    // What the cluster itself lives by (CAs, nodes, responders) is revoked one by one, never by a pattern.
    let meant = |found: &Found| {
        let by_outside = found.entry.requester.is_outside();
        found.status == Status::Good && by_outside && found.entry.certifies.is_none()
    };
    let good: Vec<Found> = page.found.into_iter().filter(meant).collect();
    let revoked = if asked.dry_run {
        good.iter().map(|found| named(found, None)).collect()
    } else {
        revoke_all(&doors, identity, good, reason).await?
    };
    let answer = RevocationsAnswer { revoked, next_cursor, dry_run: asked.dry_run };
    json(StatusCode::OK, &answer)
}

/// Some at once: they travel through the log together. The first that fails ends the call; what was revoked stays.
async fn revoke_all<P: Ports>(
    doors: &Doors<P>,
    identity: Identity,
    found: Vec<Found>,
    reason: RevocationReason,
) -> Result<Vec<RevokedSerial>, Problem> {
    let mut waiting = found.into_iter();
    let mut under_way = JoinSet::new();
    let mut revoked = Vec::new();
    loop {
        while under_way.len() < BULK_AT_ONCE
            && let Some(found) = waiting.next()
        {
            let doors = doors.clone();
            under_way.spawn(async move {
                let (authority, ca, serial) = (doors.authority.clone(), found.ca.clone(), found.serial);
                let act = async move { authority.revoke(identity, ca, serial, reason).await };
                doors.act(act).await.map(|done| named(&found, Some(done.revoked_at.to_string())))
            });
        }
        match under_way.join_next().await {
            None => return Ok(revoked),
            Some(Ok(done)) => revoked.push(done?),
            Some(Err(lost)) => return Err(DoorError::Internal { why: lost.to_string() }.into()),
        }
    }
}

fn named(found: &Found, revoked_at: Option<String>) -> RevokedSerial {
    RevokedSerial { serial: found.serial.to_string(), ca: found.ca.to_string(), revoked_at }
}
