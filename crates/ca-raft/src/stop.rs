//! The one-way switch: something happened after which this node must not go on.

use std::sync::Arc;

use tokio::sync::watch;

/// Why the node stops. Its data stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// A disk failed, or holds what we never wrote.
    #[error("storage: {0}")]
    Storage(String),
    /// The register of this node differs from the leader's at one index (I23).
    #[error("the register differs at entry {index}: the leader has digest {leaders}, this node {ours}")]
    Diverged {
        /// The log entry.
        index: ca_core::ids::LogIndex,
        /// The leader's digest.
        leaders: ca_core::ids::Digest,
        /// This node's.
        ours: ca_core::ids::Digest,
    },
    /// An entry cannot be read: it is from a later version of the program.
    #[error("entry {index} cannot be read: {why}")]
    Unreadable {
        /// The log entry.
        index: ca_core::ids::LogIndex,
        /// What is not known.
        why: String,
    },
    /// A leader asked to remove what is applied here: it is of another epoch, or lost its disk (R3).
    #[error("an applied entry was to be removed: {0}")]
    Truncated(String),
    /// The consensus core ended.
    #[error("raft: {0}")]
    Raft(String),
}

/// Sets and shows the reason. The first one stays.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    reason: Arc<watch::Sender<Option<StopReason>>>,
}

impl Stop {
    pub(crate) fn new() -> Self {
        Self { reason: Arc::new(watch::Sender::new(None)) }
    }

    /// COMMIT: after this line nothing is acknowledged.
    pub(crate) fn because(&self, reason: StopReason) {
        self.reason.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                tracing::error!("this node stops: {reason}");
                *current = Some(reason);
            }
            first
        });
    }

    pub(crate) fn is_set(&self) -> bool {
        self.reason.borrow().is_some()
    }

    /// Waits for the reason.
    pub(crate) async fn wait(&self) -> StopReason {
        let mut watched = self.reason.subscribe();
        loop {
            if let Some(reason) = watched.borrow_and_update().clone() {
                return reason;
            }
            if watched.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
