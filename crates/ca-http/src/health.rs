//! Whether the node lives, and what it is ready for.

use std::str::FromStr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ca_authority::Ports;
use ca_core::register::StorageFault;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::cache::no_store;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::extract::Query;
use crate::problem::Problem;

/// What a balancer asks a node for before it sends requests there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadyRole {
    /// Issuing and revoking.
    Write,
    /// Fresh status.
    Va,
    /// Truthful status, if need be without a quorum.
    VaStale,
}

impl ReadyRole {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Write, Self::Va, Self::VaStale];

    /// The word after `role=`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Va => "va",
            Self::VaStale => "va-stale",
        }
    }
}

impl FromStr for ReadyRole {
    type Err = DoorError;

    fn from_str(text: &str) -> Result<Self, DoorError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| DoorError::BadRequest {
            field: "role",
            why: "one of write, va, va-stale".to_owned(),
        })
    }
}

/// What the program knows of its own health.
pub trait Health: Send + Sync {
    /// Whether the node is ready; must answer at once.
    ///
    /// # Errors
    /// Why not, for people, without a full stop.
    fn ready(&self, role: ReadyRole) -> Result<(), String>;

    /// A handler met a fault of the storage: the node must stop. By default the program learns it elsewhere.
    fn storage_failed(&self, fault: &StorageFault) {
        let _ = fault;
    }
}

/// `GET /livez`: the runtime answers. Depends on no quorum and no token.
pub(crate) async fn live() -> Response {
    no_store((StatusCode::OK, "ok\n").into_response())
}

/// What may follow the `?`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Readiness {
    /// `write`, `va`, `va-stale`; `write` if none is named.
    role: Option<String>,
}

/// `GET /readyz?role=write|va|va-stale`
pub(crate) async fn ready<P: Ports>(
    State(doors): State<Doors<P>>,
    Query(asked): Query<Readiness>,
) -> Result<Response, Problem> {
    let role = asked.role.map_or(Ok(ReadyRole::Write), |role| role.parse())?;
    let answer = match doors.health.ready(role) {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        // Not an error of the request: what a balancer reads, and a person after it.
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    };
    Ok(no_store(answer.into_response()))
}
