//! `POST /api/v1/revocations`: revokes all that a filter finds, a page a call; or the certificate that is shown.

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ca_authority::ports::Log;
use ca_authority::{ActError, Ports};
use ca_core::certificate::der;
use ca_core::ids::CaId;
use ca_core::register::StorageFault;
use ca_core::roles::Identity;
use ca_core::search::Found;
use ca_core::status::Status;
use ca_x509::certificate::Certificate;
use ca_x509::crl::RevocationReason;
use ca_x509::serial::SerialNumber;
use tokio::task::JoinSet;

use crate::answer::json;
use crate::body;
use crate::certificates::reason_of;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::guard::Caller;
use crate::issue::{idempotency_key, pem_or_base64};
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
    let (meant, next_cursor) = match (&asked.filter, &asked.certificate) {
        (Some(filter), None) => found(&doors, identity, filter, asked.cursor.as_deref()).await?,
        (None, Some(certificate)) => (vec![in_hand(&doors, certificate).await?], None),
        _ => {
            let why = "either this or `certificate`".to_owned();
            return Err(DoorError::BadRequest { field: "filter", why }.into());
        }
    };
    let revoked = if asked.dry_run {
        meant.iter().map(|one| named(one, None)).collect()
    } else {
        revoke_all(&doors, identity, meant, reason).await?
    };
    let answer = RevocationsAnswer { revoked, next_cursor, dry_run: asked.dry_run };
    json(StatusCode::OK, &answer)
}

/// Which certificate is meant.
type Meant = (CaId, SerialNumber);

/// A page of what a filter finds and is not revoked yet, and where the next one begins.
async fn found<P: Ports>(
    doors: &Doors<P>,
    identity: Identity,
    filter: &str,
    cursor: Option<&str>,
) -> Result<(Vec<Meant>, Option<String>), Problem> {
    let filter = read_filter(filter)?;
    if filter.terms.is_empty() {
        let why = "empty, which would mean every certificate of the cluster: name at least its ca".to_owned();
        return Err(DoorError::BadRequest { field: "filter", why }.into());
    }
    let page = look(doors, visible(doors, identity, filter)?, cursor, BULK_PER_CALL).await?;
    // What the cluster itself lives by (CAs, nodes, responders) is revoked one by one, never by a pattern.
    let meant = |found: &Found| {
        let by_outside = found.entry.requester.is_outside();
        found.status == Status::Good && by_outside && found.entry.certifies.is_none()
    };
    let good = page.found.into_iter().filter(meant).map(|found| (found.ca, found.serial)).collect();
    Ok((good, page.next.as_ref().map(cursor_of)))
}

/// The certificate that the caller holds. A serial alone could be a slip of the pen; these octets are no slip, so they
/// must be ours to the last one. Says that they are not only after a quorum has been asked.
async fn in_hand<P: Ports>(doors: &Doors<P>, text: &str) -> Result<Meant, Problem> {
    let bad = |why: String| DoorError::BadRequest { field: "certificate", why };
    let octets = pem_or_base64(text).map_err(|error| bad(format!("neither PEM nor base64: {error}")))?;
    let certificate = Certificate::parse(&octets).map_err(|error| bad(error.to_string()))?;
    if let Some(found) = issued_here(doors, &certificate)? {
        return Ok(found);
    }
    doors.log().read_index().await.map_err(ActError::from)?;
    let found = issued_here(doors, &certificate)?;
    Ok(found.ok_or(DoorError::UnknownSerial { serial: certificate.serial() })?)
}

fn issued_here<P: Ports>(doors: &Doors<P>, certificate: &Certificate) -> Result<Option<Meant>, StorageFault> {
    let (register, serial) = (doors.register(), certificate.serial());
    for (ca, issuer) in register.issuers()? {
        if issuer.subject == *certificate.issuer()
            && der(register, &ca, serial)?.as_deref() == Some(certificate.as_der())
        {
            return Ok(Some((ca, serial)));
        }
    }
    Ok(None)
}

/// Some at once: they travel through the log together. The first that fails ends the call; what was revoked stays.
async fn revoke_all<P: Ports>(
    doors: &Doors<P>,
    identity: Identity,
    meant: Vec<Meant>,
    reason: RevocationReason,
) -> Result<Vec<RevokedSerial>, Problem> {
    let mut waiting = meant.into_iter();
    let mut under_way = JoinSet::new();
    let mut revoked = Vec::new();
    loop {
        while under_way.len() < BULK_AT_ONCE
            && let Some(one) = waiting.next()
        {
            let doors = doors.clone();
            under_way.spawn(async move {
                let (authority, (ca, serial)) = (doors.authority.clone(), one.clone());
                let act = async move { authority.revoke(identity, ca, serial, reason).await };
                doors.act(act).await.map(|done| named(&one, Some(done.revoked_at.to_string())))
            });
        }
        match under_way.join_next().await {
            None => return Ok(revoked),
            Some(Ok(done)) => revoked.push(done?),
            Some(Err(lost)) => return Err(DoorError::Internal { why: lost.to_string() }.into()),
        }
    }
}

fn named((ca, serial): &Meant, revoked_at: Option<String>) -> RevokedSerial {
    RevokedSerial { serial: serial.to_string(), ca: ca.to_string(), revoked_at }
}
