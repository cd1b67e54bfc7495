//! What surrounds every request: its id, its deadline, its problem document and its one event.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::header::HeaderName;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ca_authority::Ports;
use ca_authority::ports::{Clock, Log};
use ca_core::ids::LogIndex;
use ca_x509::serial::SerialNumber;
use tokio::time::timeout;

use crate::doors::Doors;
use crate::error::DoorError;
use crate::guard::Caller;
use crate::limits::REQUEST_MS_MAX;
use crate::problem::Problem;

/// How much of the log an answer has seen.
pub(crate) const CA_INDEX: HeaderName = HeaderName::from_static("ca-index");
/// How much of the log a request wants to have been seen.
pub(crate) const CA_MIN_INDEX: HeaderName = HeaderName::from_static("ca-min-index");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a handler tells about its request, for the event. Names and subjects never stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The certificate in question.
    pub(crate) serial: SerialNumber,
    /// The entry that it was done at, if the log was written.
    pub(crate) index: Option<LogIndex>,
}

/// The outermost layer of both doors.
pub(crate) async fn watch<P: Ports>(State(doors): State<Doors<P>>, request: Request, next: Next) -> Response {
    let clock = doors.authority.ports().clock();
    let began = clock.now();
    let (node, boot) = (doors.log().node(), doors.log().boot().0);
    let count = doors.requests.fetch_add(1, Ordering::Relaxed);
    // Unique for ever, as the ids of commands are, and told by nobody but us.
    let request_id = format!("{node}-{boot:x}-{count}");
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());

    let limit = Duration::from_millis(REQUEST_MS_MAX);
    let mut response = match timeout(limit, answered(&doors, request, next)).await {
        Ok(response) => response,
        Err(_) => Problem::from(DoorError::Deadline { limit_ms: REQUEST_MS_MAX }).into_response(),
    };
    let caller = response.extensions().get::<Caller>().map(|caller| caller.0);
    let told = response.extensions().get::<Told>().copied();
    let problem = response.extensions_mut().remove::<Problem>();
    let slug = problem.as_ref().map(Problem::slug);
    if let Some(problem) = problem {
        response = completed(&doors, problem, &response, &request_id);
    }
    let index = told.and_then(|told| told.index).unwrap_or_else(|| doors.log().standing().applied);
    response.headers_mut().insert(CA_INDEX, HeaderValue::from(index.0));
    if let Ok(id) = HeaderValue::try_from(request_id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    tracing::info!(
        request_id,
        identity = caller.map(tracing::field::display),
        route = route.as_deref().unwrap_or("none"),
        slug,
        status = response.status().as_u16(),
        dur_ms = clock.now().since(began),
        serial = told.map(|told| tracing::field::display(told.serial)),
        index = index.0,
        "request"
    );
    response
}

async fn answered<P: Ports>(doors: &Doors<P>, request: Request, next: Next) -> Response {
    let wanted = request.headers().get(CA_MIN_INDEX).cloned();
    match caught_up(doors, wanted).await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Read your writes on another node: `Ca-Min-Index` waits for what the caller has seen elsewhere.
async fn caught_up<P: Ports>(doors: &Doors<P>, wanted: Option<HeaderValue>) -> Result<(), Problem> {
    let Some(wanted) = wanted else { return Ok(()) };
    let wanted = wanted.to_str().ok().and_then(|text| text.parse().ok()).map(LogIndex);
    let wanted = wanted.ok_or_else(|| DoorError::BadRequest {
        field: "Ca-Min-Index",
        why: "not the number of a log entry".to_owned(),
    })?;
    if doors.log().standing().applied >= wanted {
        return Ok(());
    }
    // What the caller has seen is committed, so a quorum knows of it.
    doors.log().read_index().await.map_err(ca_authority::ActError::from)?;
    let applied = doors.log().standing().applied;
    if applied >= wanted { Ok(()) } else { Err(DoorError::Behind { wanted, applied }.into()) }
}

fn completed<P: Ports>(doors: &Doors<P>, problem: Problem, bare: &Response, request_id: &str) -> Response {
    if let Some(fault) = problem.fault() {
        doors.health.storage_failed(fault);
    }
    if problem.slug() == "internal" {
        tracing::error!(request_id, detail = problem.detail(), "internal error");
    }
    let leader = if problem.names_leader() { doors.leader_address() } else { None };
    let mut response = problem.into_answer(request_id, leader);
    // What the router has said beside: `Allow`, with 405 (RFC 9110 §15.5.6).
    if let Some(allow) = bare.headers().get(axum::http::header::ALLOW) {
        response.headers_mut().insert(axum::http::header::ALLOW, allow.clone());
    }
    response
}
