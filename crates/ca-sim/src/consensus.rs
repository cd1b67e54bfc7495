//! What puts commands into order, below the authorities: a simulated log, or openraft over a simulated network.

use std::sync::Arc;

use ca_authority::ports::{AppendError, Log, NoQuorum, Standing};
use ca_core::command::Command;
use ca_core::ids::{BootId, LogIndex, NodeId, UnixMillis};
use ca_core::permit::Applied;
use ca_core::register::{Register, StorageFault};
use ca_raft::IssuanceLog;

use crate::cluster::{self, Cluster};
use crate::log::{Link, SimLog, Storm};
use crate::token::Committed as _;

/// Of all nodes.
#[derive(Debug)]
pub(crate) enum Consensus {
    /// Level 1.
    Simulated(Storm),
    /// Level 2.
    Raft(Box<Cluster>),
}

/// What an act sees of it.
#[derive(Clone, Debug)]
pub(crate) enum View {
    Simulated(Storm),
    Raft(cluster::Applied),
}

impl Consensus {
    pub(crate) fn view(&self) -> View {
        match self {
            Self::Simulated(storm) => View::Simulated(storm.clone()),
            Self::Raft(cluster) => View::Raft(cluster.recorded().clone()),
        }
    }
}

impl View {
    /// How long the log is, as far as any node has applied it.
    pub(crate) fn committed(&self) -> u64 {
        match self {
            Self::Simulated(storm) => storm.committed(),
            Self::Raft(applied) => applied.count(),
        }
    }

    /// How a node is connected. Over openraft it does not know, and nor does anybody else.
    pub(crate) fn link(&self, node: NodeId) -> Link {
        match self {
            Self::Simulated(storm) => storm.link(node),
            Self::Raft(_) => Link::Up,
        }
    }
}

/// The log of one run of one node.
#[derive(Clone, Debug)]
pub enum Ordered {
    /// Level 1.
    Simulated(SimLog),
    /// Level 2.
    Raft(Arc<IssuanceLog>),
}

impl Log for Ordered {
    fn node(&self) -> NodeId {
        match self {
            Self::Simulated(log) => log.node(),
            Self::Raft(log) => log.node(),
        }
    }

    fn boot(&self) -> BootId {
        match self {
            Self::Simulated(log) => log.boot(),
            Self::Raft(log) => log.boot(),
        }
    }

    async fn append(&self, command: Command) -> Result<Applied, AppendError> {
        match self {
            Self::Simulated(log) => log.append(command).await,
            Self::Raft(log) => log.append(command).await,
        }
    }

    async fn read_index(&self) -> Result<LogIndex, NoQuorum> {
        match self {
            Self::Simulated(log) => log.read_index().await,
            Self::Raft(log) => log.read_index().await,
        }
    }

    fn register(&self) -> &dyn Register {
        match self {
            Self::Simulated(log) => log.register(),
            Self::Raft(log) => log.register(),
        }
    }

    fn standing(&self) -> Standing {
        match self {
            Self::Simulated(log) => log.standing(),
            Self::Raft(log) => log.standing(),
        }
    }

    fn stored_as_of(&self) -> Option<UnixMillis> {
        match self {
            Self::Simulated(log) => log.stored_as_of(),
            Self::Raft(log) => log.stored_as_of(),
        }
    }

    fn store_as_of(&self, as_of: UnixMillis) -> Result<(), StorageFault> {
        match self {
            Self::Simulated(log) => log.store_as_of(as_of),
            Self::Raft(log) => log.store_as_of(as_of),
        }
    }
}
