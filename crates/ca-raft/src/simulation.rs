//! The same node in a simulation: its network is given to it, its time is the runtime's, a crash of it forgets what
//! was not synced.
//!
//! Everything is done by one thread, one task at a time, so that one seed gives one history. Consensus, log, register,
//! snapshots, calls and deadlines are those of a machine; TLS is not there, and a sync of the disk takes as long as it is
//! told to.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ca_core::command::Envelope;
use ca_core::ids::{BootId, ClusterId, Epoch, LogIndex, NodeId, UnixMillis};

use crate::clock::WallClock;
use crate::consensus::{Compaction, LogId};
use crate::log::{IssuanceLog, Start, StartError};
use crate::peers::{Entrance, PeerIdentity, Transport, exchange_nothing};
use crate::runtime;
use crate::store::{Disk, SimulatedDisk};

pub use crate::peers::{Later, Octets, SimulatedNetwork};

/// Where an entry stands, and who wrote it there: a term has one leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The leader's term.
    pub term: u64,
    /// The entry's index.
    pub index: LogIndex,
}

impl Place {
    pub(crate) fn of(id: &LogId) -> Self {
        Self { term: **id.committed_leader_id(), index: LogIndex(id.index()) }
    }
}

/// Sees what no other node is told.
pub trait Observer: Send + Sync {
    /// A batch is applied: its entry, the leader's stamp, its commands in order.
    fn applied(&self, at: Place, stamp: UnixMillis, commands: &[Envelope]);

    /// The log is on the disk up to here. Nothing that follows from it has happened yet.
    fn synced(&self, last: Place);

    /// A vote of this term counts from here on: others may be told.
    fn voted(&self, term: u64);

    /// The node starts, and finds a vote of this term on its disk; 0 if none.
    fn found_vote(&self, term: u64);
}

/// What a node is started on.
pub(crate) struct Ground {
    pub(crate) transport: Transport,
    pub(crate) entrance: Entrance,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) disk: Disk,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// What a simulated node's log is started with; as [`crate::StartOptions`] otherwise.
pub struct SimulatedOptions {
    /// Where its databases are. The files in it are what a loss of power leaves at any moment: whoever simulates
    /// one copies them before the node is dropped.
    pub data_dir: PathBuf,
    /// Whose data they are.
    pub cluster: ClusterId,
    /// This node.
    pub node: NodeId,
    /// This run.
    pub boot: BootId,
    /// How eagerly the log is cut behind snapshots.
    pub compaction: Compaction,
    /// The wall clock.
    pub clock: WallClock,
    /// How others are reached, and reach it.
    pub network: Arc<dyn SimulatedNetwork>,
    /// Where.
    pub peer_address: SocketAddr,
    /// How long the next sync of the log takes.
    pub sync_takes: Arc<dyn Fn() -> Duration + Send + Sync>,
    /// Sees what is applied, and what is on the disk.
    pub observer: Arc<dyn Observer>,
}

impl fmt::Debug for SimulatedOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedOptions").field("node", &self.node).finish_non_exhaustive()
    }
}

/// From now on whatever chance decides on this thread follows from the seed.
pub fn seed(seed: u64) {
    runtime::simulate_chance(seed);
}

/// Starts a node's log on a runtime of one thread, whose time it takes.
///
/// # Errors
/// [`StartError`]
pub async fn start(options: SimulatedOptions) -> Result<Arc<IssuanceLog>, StartError> {
    let SimulatedOptions { data_dir, cluster, node, boot, compaction, clock, .. } = options;
    let SimulatedOptions { network, peer_address, sync_takes, observer, .. } = options;
    let identity = PeerIdentity { cluster, epoch: Epoch(0), node };
    let ground = Ground {
        transport: Transport::Simulated(Arc::clone(&network)),
        entrance: Entrance::Simulated(network, identity),
        address: Some(peer_address),
        disk: Disk::Simulated(SimulatedDisk { sync_takes, observer: Arc::clone(&observer) }),
        observer: Some(observer),
    };
    let exchange = exchange_nothing();
    IssuanceLog::start_on(ground, Start { data_dir, identity, boot, exchange, compaction, clock }).await
}
