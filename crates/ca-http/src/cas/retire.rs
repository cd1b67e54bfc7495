//! `POST /api/v1/cas/{ca}/retire`: the end of its issuing; its status goes on.

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ca_authority::Ports;
use ca_core::ids::CaId;

use super::{as_seen, named};
use crate::answer::json;
use crate::body;
use crate::doors::Doors;
use crate::extract::Path;
use crate::guard::Caller;
use crate::issue::idempotency_key;
use crate::limits::{ADMIN_BODY_OCTETS_MAX, PAGE_ITEMS_MAX};
use crate::problem::Problem;
use crate::search::{cursor_of, look, read_filter};
use crate::wire::{RetireCaAnswer, RetireCaRequest};

/// Says what depends on the CA, and ends its issuing unless it is a dry run.
pub(crate) async fn retire<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(identity)): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    idempotency_key(&headers)?;
    let (ca, issuer) = named(&doors, &name)?;
    as_seen(&headers, &ca, &issuer)?;
    let body = body::read(body, ADMIN_BODY_OCTETS_MAX).await?;
    let asked: RetireCaRequest =
        if body.is_empty() { RetireCaRequest::default() } else { body::json(&body)? };
    let profiles = doors.register().profiles()?;
    let below = doors.register().issuers()?;
    let mut answer = RetireCaAnswer {
        name,
        retired_at: None,
        profiles: profiles
            .into_iter()
            .filter(|profile| profile.issuers.contains(&ca))
            .map(|profile| profile.name.to_string())
            .collect(),
        below: below
            .into_iter()
            .filter(|(other, issuer)| *other != ca && issuer.parent.as_ref() == Some(&ca))
            .map(|(other, _)| other.to_string())
            .collect(),
        live_certificates: live(&doors, &ca).await?,
        dry_run: asked.dry_run,
    };
    if !asked.dry_run {
        // One that is retired stays as it is: the answer has the first date.
        if issuer.retired_at.is_none() {
            let (authority, retired) = (doors.authority.clone(), ca.clone());
            doors.act(async move { authority.retire_ca(identity, retired).await }).await?;
        }
        let (_, issuer) = named(&doors, ca.as_str())?;
        answer.retired_at = issuer.retired_at.map(|at| at.seconds().to_string());
    }
    json(StatusCode::OK, &answer)
}

/// How many certificates of a CA are good and have not ended.
async fn live<P: Ports>(doors: &Doors<P>, ca: &CaId) -> Result<u64, Problem> {
    let filter = read_filter(&format!("ca={ca} status=good"))?;
    let (mut count, mut after) = (0_u64, None);
    loop {
        let page = look(doors, filter.clone(), after.as_deref(), PAGE_ITEMS_MAX).await?;
        count = count.saturating_add(u64::try_from(page.found.len()).unwrap_or(u64::MAX));
        match page.next.as_ref() {
            Some(next) => after = Some(cursor_of(next)),
            None => return Ok(count),
        }
    }
}
