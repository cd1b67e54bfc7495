//! as_of: the moment up to which this node knows its register to be current (R9).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ca_core::command::Command;
use ca_core::ids::{LogIndex, UnixMillis};

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::ports::{Clock, Log};

/// What a node knows of its own freshness. as_of only rises.
#[derive(Debug)]
pub struct Freshness {
    /// 0 while nothing is known.
    as_of_ms: AtomicU64,
    /// Whether a ReadIndex of this boot was applied: before that nothing is signed with a CA key (R18).
    confirmed: AtomicBool,
}

impl Freshness {
    pub(crate) fn restored(as_of: Option<UnixMillis>) -> Self {
        let as_of_ms = AtomicU64::new(as_of.unwrap_or_default().0);
        Self { as_of_ms, confirmed: AtomicBool::new(false) }
    }

    fn raise(&self, as_of: UnixMillis) {
        self.as_of_ms.fetch_max(as_of.0, Ordering::SeqCst);
        self.confirmed.store(true, Ordering::SeqCst);
    }
}

impl<P: Ports> Authority<P> {
    /// The moment up to which the register here is known to be current; `None` if nothing is known.
    pub fn as_of(&self) -> Option<UnixMillis> {
        let as_of = UnixMillis(self.freshness.as_of_ms.load(Ordering::SeqCst));
        // A node that replays its log learns its stored as_of only at the end of the replay (I24).
        let as_of = if as_of.0 == 0 { self.ports.log().stored_as_of().unwrap_or_default() } else { as_of };
        (as_of.0 != 0).then_some(as_of)
    }

    /// Whether this node has confirmed its register with a quorum since it started.
    pub fn confirmed(&self) -> bool {
        self.freshness.confirmed.load(Ordering::SeqCst)
    }

    /// Asks a quorum and raises as_of to the moment *before* it asked.
    ///
    /// # Errors
    /// [`ActError::NoQuorum`], [`ActError::Storage`]
    pub async fn refresh(&self) -> Result<UnixMillis, ActError> {
        let asked_at = self.ports.clock().now();
        self.ports.log().read_index().await?;
        self.freshness.raise(asked_at);
        self.ports.log().store_as_of(asked_at)?;
        Ok(asked_at)
    }

    /// Writes an entry that does nothing but move register time. Answers where it stands: committed, and applied here.
    ///
    /// It carries no digest: every node stops that holds another register than a tick says (I23), so one damaged node
    /// that ticked with its own would stop all the others.
    ///
    /// # Errors
    /// [`ActError::NoQuorum`], [`ActError::NotKnown`], [`ActError::Stopped`]
    pub async fn tick(&self) -> Result<LogIndex, ActError> {
        self.change(Command::Tick { digest: None }).await
    }

    pub(crate) async fn wait_until_fresh(&self) -> Result<(), ActError> {
        if !self.confirmed() {
            self.refresh().await?;
        }
        Ok(())
    }
}
