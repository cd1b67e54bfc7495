//! What surrounds every request: its id, its deadline, its problem document and its one event.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::HeaderName;
use axum::http::{HeaderValue, StatusCode};
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
use crate::surplus::lend;

/// How much of the log an answer has seen.
pub(crate) const CA_INDEX: HeaderName = HeaderName::from_static("ca-index");
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

    let (request, surplus) = lend(request);
    let limit = Duration::from_millis(REQUEST_MS_MAX);
    let mut response = match timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::from(DoorError::Deadline { limit_ms: REQUEST_MS_MAX }).into_response(),
    };
    surplus.read().await;
    let caller = response.extensions().get::<Caller>().map(|caller| caller.0);
    let told = response.extensions().get::<Told>().copied();
    let problem = response.extensions_mut().remove::<Problem>();
    let slug = problem.as_ref().map(Problem::slug);
    // What a caller got wrong is a refusal; what this node cannot do is none (R16).
    // Whom this node bids wait is bid so without the log, which a loop must not fill.
    if let (Some(caller), Some(slug)) = (caller, slug)
        && response.status().is_client_error()
        && response.status() != StatusCode::TOO_MANY_REQUESTS
    {
        doors.authority.count_refusal(caller, slug);
    }
    if let Some(problem) = problem {
        response = completed(&doors, problem, &response, &request_id);
    }
    let index = told.and_then(|told| told.index).unwrap_or_else(|| doors.log().standing().applied);
    response.headers_mut().insert(CA_INDEX, HeaderValue::from(index.0));
    if let Ok(id) = HeaderValue::try_from(request_id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let status = response.status();
    // Relying parties and balancers ask by the thousand; what goes wrong is told all the same.
    let routine = route.as_deref().is_some_and(is_routine) && !status.is_server_error();
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                request_id,
                identity = caller.map(tracing::field::display),
                route = route.as_deref().unwrap_or("none"),
                slug,
                status = status.as_u16(),
                dur_ms = clock.now().since(began),
                serial = told.map(|told| tracing::field::display(told.serial)),
                index = index.0,
                "request"
            )
        };
    }
    if routine {
        event!(debug)
    } else {
        event!(info)
    }
    response
}

fn is_routine(route: &str) -> bool {
    !route.starts_with("/api/")
}

fn completed<P: Ports>(doors: &Doors<P>, problem: Problem, bare: &Response, request_id: &str) -> Response {
    if let Some(fault) = problem.fault() {
        tracing::error!(request_id, %fault, "storage fault");
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
