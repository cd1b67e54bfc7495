//! What every door stands in front of.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::Router;
use ca_authority::ports::Log;
use ca_authority::{Authority, Ports};
use ca_core::register::Register;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::bearer::WrongTokens;
use crate::cas::CaKeys;
use crate::error::DoorError;
use crate::health::Health;
use crate::join::JoinDesk;
use crate::limits::{ACT_MS_MAX, ACTS_MAX};
use crate::problem::Problem;
use crate::rates::Rates;

/// The doors of one node. Cheap to clone.
pub struct Doors<P> {
    pub(crate) authority: Arc<Authority<P>>,
    pub(crate) health: Arc<dyn Health>,
    pub(crate) desk: Arc<dyn JoinDesk>,
    pub(crate) keys: Arc<dyn CaKeys>,
    /// One permit an act under way.
    acts: Arc<Semaphore>,
    /// Who shows tokens that are none.
    pub(crate) wrong_tokens: Arc<WrongTokens>,
    /// How often each caller may ask.
    pub(crate) rates: Arc<Rates>,
    /// Counts the requests of this run, for their ids.
    pub(crate) requests: Arc<AtomicU64>,
}

impl<P: Ports> Doors<P> {
    /// The doors to this authority.
    pub fn new(
        authority: Arc<Authority<P>>,
        health: Arc<dyn Health>,
        desk: Arc<dyn JoinDesk>,
        keys: Arc<dyn CaKeys>,
    ) -> Self {
        let acts = Arc::new(Semaphore::new(ACTS_MAX));
        let (wrong_tokens, rates) = (Arc::default(), Arc::default());
        let requests = Arc::new(AtomicU64::new(1));
        Self { authority, health, desk, keys, acts, wrong_tokens, rates, requests }
    }

    /// The API: to be served over TLS, each request with the extension [`crate::PeerCertificate`]. Without that
    /// extension a request counts as one without a certificate.
    pub fn api(&self) -> Router {
        crate::api::router(self.clone())
    }

    /// The status service: plain HTTP on purpose, for what it serves is signed.
    pub fn va(&self) -> Router {
        crate::va::router(self.clone())
    }

    pub(crate) fn register(&self) -> &dyn Register {
        self.authority.register()
    }

    pub(crate) fn log(&self) -> &P::Log {
        self.authority.ports().log()
    }

    /// `host:port` of the leader's API, if this node knows a leader.
    pub(crate) fn leader_address(&self) -> Option<String> {
        let leader = self.log().standing().leader?;
        self.register().member(leader).ok().flatten().map(|member| member.api_address)
    }

    /// Runs an act to its end, whether or not its caller waits for it: a connection that is closed between intent
    /// and record would otherwise leave a serial to be abandoned, and one more line in every CRL.
    pub(crate) async fn act<T, E>(
        &self,
        act: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let permit =
            Arc::clone(&self.acts).try_acquire_owned().map_err(|_| DoorError::TooBusy { max: ACTS_MAX })?;
        let task = tokio::spawn(async move {
            let end = act.await;
            drop(permit);
            end
        });
        match timeout(Duration::from_millis(ACT_MS_MAX), task).await {
            Ok(Ok(end)) => end.map_err(Into::into),
            Ok(Err(lost)) => Err(DoorError::Internal { why: lost.to_string() }.into()),
            Err(_) => Err(DoorError::Deadline { limit_ms: ACT_MS_MAX }.into()),
        }
    }
}

impl<P> Clone for Doors<P> {
    fn clone(&self) -> Self {
        Self {
            authority: Arc::clone(&self.authority),
            health: Arc::clone(&self.health),
            desk: Arc::clone(&self.desk),
            keys: Arc::clone(&self.keys),
            acts: Arc::clone(&self.acts),
            wrong_tokens: Arc::clone(&self.wrong_tokens),
            rates: Arc::clone(&self.rates),
            requests: Arc::clone(&self.requests),
        }
    }
}

impl<P> fmt::Debug for Doors<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doors").finish_non_exhaustive()
    }
}
