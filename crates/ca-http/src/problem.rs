//! Errors as callers see them: RFC 9457 problem details. The only place where an error gets an HTTP status.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ca_authority::ActError;
use ca_authority::error::Effect;
use ca_core::outcome::Refusal;
use ca_core::profile::ProfileFault;
use ca_core::register::StorageFault;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::DoorError;
use crate::explain::explain;
use crate::join::DeskError;
use crate::limits::{PROBLEM_FIELDS_MAX, PROBLEM_TEXT_CHARS_MAX};
use crate::wire::Unproven;

/// Why a request failed, with all that its answer needs but the request's id. It travels in the response's
/// extensions to `watch`, which knows the id and writes the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    slug: &'static str,
    status: StatusCode,
    detail: String,
    effect: Effect,
    retry_after_s: Option<u32>,
    fault: Option<StorageFault>,
    errors: Vec<FieldError>,
}

/// One thing that is wrong in a request's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Where: `validity.max`, `keys[1]`.
    pub pointer: String,
    /// What.
    pub detail: String,
}

/// The body of a problem (RFC 9457 §3), as servers write and clients read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:ca-node:problem:` and the slug.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for all problems of the type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong with this request, with numbers.
    pub detail: String,
    /// The request's id, as in the node's log.
    pub instance: String,
    /// `not_applied`: the request has no effect and never will. `unknown`: ask again with the same key.
    pub outcome: String,
    /// When it may be worth another try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// `host:port` of the leader's API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Each thing that is wrong in the body, where more than one can be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl ProblemBody {
    /// What the types of our problems begin with.
    pub const TYPE_PREFIX: &'static str = "urn:ca-node:problem:";

    /// The stable word, for `ca-node explain`; `None` if the type is not one of ours.
    #[must_use]
    pub fn slug(&self) -> Option<&str> {
        self.kind.strip_prefix(Self::TYPE_PREFIX)
    }
}

impl Problem {
    /// The stable word for programs.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        self.slug
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// For an answer of which a part failed.
    pub(crate) fn into_unproven(self) -> Unproven {
        let internal = self.slug == "internal";
        let detail = if internal { "see the node's log".to_owned() } else { shortened(self.detail) };
        Unproven { slug: self.slug.to_owned(), detail }
    }

    pub(crate) fn fault(&self) -> Option<&StorageFault> {
        self.fault.as_ref()
    }

    /// Whether another node might do it.
    pub(crate) fn names_leader(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }

    /// The whole answer.
    pub(crate) fn into_answer(self, request_id: &str, leader: Option<String>) -> Response {
        let explanation = explain(self.slug);
        let internal = self.slug == "internal";
        let body = ProblemBody {
            kind: format!("{}{}", ProblemBody::TYPE_PREFIX, self.slug),
            title: explanation.map_or(self.slug, |known| known.title).to_owned(),
            status: self.status.as_u16(),
            // What is inside stays inside: rows, paths and the like stand in the node's log, under the id.
            detail: if internal {
                format!("see request {request_id} in the node's log")
            } else {
                shortened(self.detail)
            },
            instance: request_id.to_owned(),
            outcome: match self.effect {
                Effect::NotApplied => "not_applied",
                Effect::Unknown => "unknown",
            }
            .to_owned(),
            retry_after_s: self.retry_after_s,
            leader,
            next: explanation.map(|known| known.next.to_owned()),
            errors: self.errors,
        };
        let text = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (self.status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn new(slug: &'static str, detail: String) -> Self {
        let (status, retry_after_s) = answered(slug).unwrap_or((StatusCode::INTERNAL_SERVER_ERROR, None));
        Self {
            slug,
            status,
            detail,
            effect: Effect::NotApplied,
            retry_after_s,
            fault: None,
            errors: Vec::new(),
        }
    }
}

/// Without the request's id; `watch` completes it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<DoorError> for Problem {
    fn from(error: DoorError) -> Self {
        let (effect, problem) = (error.effect(), Self::new(error.slug(), error.to_string()));
        match error {
            DoorError::ProfileInvalid { faults } => {
                let errors = faults.into_iter().take(PROBLEM_FIELDS_MAX).map(FieldError::from).collect();
                Self { effect, errors, ..problem }
            }
            DoorError::RateLimited { wait_s, .. } => Self { effect, retry_after_s: Some(wait_s), ..problem },
            _ => Self { effect, ..problem },
        }
    }
}

impl From<ProfileFault> for FieldError {
    fn from(fault: ProfileFault) -> Self {
        Self { pointer: shortened(fault.field), detail: shortened(fault.why) }
    }
}

/// Most errors repeat some of what was sent; a caller gets no megabyte back for one.
fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(PROBLEM_TEXT_CHARS_MAX) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.slug(), refusal.to_string())
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        let (slug, effect, detail) = (error.slug(), error.effect(), error.to_string());
        match error {
            // What it is exactly names rows and paths, and stands in the node's log.
            ActError::Storage(fault) => {
                let detail = "the storage of this node failed: it stops".to_owned();
                Self { effect, fault: Some(fault), ..Self::new(slug, detail) }
            }
            _ => Self { effect, ..Self::new(slug, detail) },
        }
    }
}

impl From<StorageFault> for Problem {
    fn from(fault: StorageFault) -> Self {
        ActError::Storage(fault).into()
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Act(error) => error.into(),
            DeskError::Refused { field, why } => DoorError::BadRequest { field, why }.into(),
            DeskError::Internal { why } => DoorError::Internal { why }.into(),
        }
    }
}

/// How a problem is answered, and after how many seconds another try may be worth it: 1 for what clears by itself,
/// more for what needs an election or a person.
type Status = (StatusCode, Option<u32>);

/// The status of each slug that a door answers with. A slug that is missing here is a bug of ours, answered as one;
/// a test walks them all.
const STATUSES: &[(Status, &[&str])] = &[
    ((StatusCode::BAD_REQUEST, None), &["bad-json", "bad-request", "csr-malformed"]),
    (
        (StatusCode::UNAUTHORIZED, None),
        &["client-certificate-invalid", "enrolment-token-unknown", "no-client-certificate"],
    ),
    (
        (StatusCode::FORBIDDEN, None),
        &[
            "enrolment-token-expired",
            "enrolment-token-spent",
            "forbidden",
            "join-token-expired",
            "join-token-spent",
            "join-token-unknown",
        ],
    ),
    ((StatusCode::NOT_FOUND, None), &["not-found", "unknown-ca", "unknown-list", "unknown-serial"]),
    ((StatusCode::METHOD_NOT_ALLOWED, None), &["method-not-allowed"]),
    ((StatusCode::REQUEST_TIMEOUT, None), &["too-slow"]),
    (
        (StatusCode::CONFLICT, None),
        &[
            "already-initialised",
            "already-recorded",
            "ca-exists",
            "ca-inactive",
            "ca-needed",
            "ca-retired",
            "ca-revoked",
            "cut-closed",
            "intent-abandoned",
            "name-taken",
            "no-base",
            "not-on-hold",
            "not-owner",
            "profile-version",
            "still-open",
        ],
    ),
    (
        (StatusCode::CONFLICT, Some(1)),
        &["attempt-open", "cut-open", "key-unproven", "not-recorded", "stale-draft"],
    ),
    ((StatusCode::PRECONDITION_FAILED, None), &["behind", "changed-meanwhile"]),
    ((StatusCode::PAYLOAD_TOO_LARGE, None), &["body-too-large"]),
    ((StatusCode::URI_TOO_LONG, None), &["uri-too-long"]),
    (
        (StatusCode::UNPROCESSABLE_ENTITY, None),
        &[
            "cluster-key",
            "csr-signature",
            "idempotency-mismatch",
            "import-unfit",
            "lint",
            "outside-ca",
            "outside-profile",
            "profile-invalid",
            "unknown-key",
            "unknown-profile",
        ],
    ),
    ((StatusCode::TOO_MANY_REQUESTS, Some(60)), &["too-many-wrong-tokens"]),
    ((StatusCode::TOO_MANY_REQUESTS, Some(1)), &["rate-limited"]),
    ((StatusCode::INTERNAL_SERVER_ERROR, None), &["internal"]),
    (
        (StatusCode::SERVICE_UNAVAILABLE, Some(1)),
        &["command-expired", "deadline", "not-known", "overtaken", "serial-taken", "token-busy", "too-busy"],
    ),
    ((StatusCode::SERVICE_UNAVAILABLE, Some(2)), &["no-quorum"]),
    (
        (StatusCode::SERVICE_UNAVAILABLE, Some(5)),
        &["key-missing", "stopping", "token-down", "token-timeout", "wrong-signature"],
    ),
    ((StatusCode::SERVICE_UNAVAILABLE, Some(10)), &["crl-none", "not-initialised", "not-signing"]),
];

/// The HTTP status of a slug, if a door answers with it.
#[must_use]
pub fn status_of(slug: &str) -> Option<u16> {
    answered(slug).map(|(status, _)| status.as_u16())
}

/// After how many seconds another try may be worth it.
pub(crate) fn retry_after_of(slug: &str) -> Option<u32> {
    answered(slug).and_then(|(_, retry_after_s)| retry_after_s)
}

fn answered(slug: &str) -> Option<Status> {
    STATUSES.iter().find(|(_, slugs)| slugs.contains(&slug)).map(|(status, _)| *status)
}
