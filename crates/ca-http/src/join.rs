//! How nodes come in: the desk does the work, the doors carry the papers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ca_authority::{ActError, Ports};
use ca_core::roles::Identity;
use ca_x509::time::UnixSeconds;

use crate::answer::json;
use crate::body;
use crate::doors::Doors;
use crate::guard::Caller;
use crate::issue::idempotency_key;
use crate::limits::JOIN_BODY_OCTETS_MAX;
use crate::problem::Problem;
use crate::wire::{JoinAnswer, JoinRequest, JoinTokenAnswer, Secret};

/// What a desk answers in its own time.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Admits nodes. Its acts are run to their ends even if the caller goes away.
pub trait JoinDesk: Send + Sync + 'static {
    /// Admits a node that shows the secret of an invitation, and certifies its keys.
    ///
    /// # Errors
    /// [`DeskError`]
    fn join(&self, request: JoinRequest) -> BoxFuture<'_, Result<JoinAnswer, DeskError>>;

    /// Makes an invitation. The requester has the role `operator`.
    ///
    /// # Errors
    /// [`DeskError`]
    fn mint(&self, requester: Identity) -> BoxFuture<'_, Result<MintedToken, DeskError>>;
}

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintedToken {
    /// The whole token, for `ca-node join`.
    pub token: Secret,
    /// When it stops being good.
    pub expires_at: UnixSeconds,
}

/// Why a desk did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// The log, the register or the token says no.
    #[error(transparent)]
    Act(#[from] ActError),
    /// One of the papers is not in order.
    #[error("{field}: {why}")]
    Refused {
        /// Which: `peer_csr`, `name`.
        field: &'static str,
        /// What is wrong, with both sides.
        why: String,
    },
    /// A bug of ours.
    #[error("an internal error: {why}")]
    Internal {
        /// For the node's log only.
        why: String,
    },
}

/// `POST /api/v1/join`
pub(crate) async fn join<P: Ports>(State(doors): State<Doors<P>>, body: Body) -> Result<Response, Problem> {
    let body = body::read(body, JOIN_BODY_OCTETS_MAX).await?;
    let request: JoinRequest = body::json(&body)?;
    let desk = Arc::clone(&doors.desk);
    let answer = doors.act(async move { desk.join(request).await }).await?;
    json(StatusCode::OK, &answer)
}

/// `POST /api/v1/join-tokens`; takes no fields.
pub(crate) async fn mint<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(identity)): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // A retry makes one more invitation, which expires unused: the key needs no memory here.
    idempotency_key(&headers)?;
    let desk = Arc::clone(&doors.desk);
    let minted = doors.act(async move { desk.mint(identity).await }).await?;
    let answer = JoinTokenAnswer { token: minted.token, expires_at: minted.expires_at.to_string() };
    json(StatusCode::CREATED, &answer)
}
