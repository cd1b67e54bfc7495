//! Level 2: the log of `ca-raft` for real, openraft and RocksDB included, over turmoil's network.
//!
//! ```text
//!   Authority 1      Authority 2      Authority 3      the real thing, one a node
//!   IssuanceLog      IssuanceLog      IssuanceLog      the real thing: openraft, HTTP/2, protobuf, RocksDB
//!   ─────┬─────      ─────┬─────      ─────┬─────
//!     turmoil: TCP, partitions, time      files: what a loss of power leaves
//! ```
//!
//! Each node is a host with a runtime of its own; all run in one thread, a millisecond at a time. Its time is turmoil's,
//! its chance the seed's. Whatever any node applies is recorded, and is the log that the checkers replay.

mod applied;
mod disk;
mod host;
mod network;

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use ca_authority::ports::Log as _;
use ca_core::ids::NodeId;
use ca_raft::simulation;
use turmoil::Sim;

pub(crate) use self::applied::Applied;
use self::disk::Image;
pub(crate) use self::host::Host;
use self::host::Machine;
use self::network::{PORT, host};
use crate::checks::Logged;
use crate::clock::Time;
use crate::drive::Act;
use crate::token::Committed as _;
use crate::world::World;

/// How long a message is on its way.
const LATENCY_MS: (u64, u64) = (1, 8);

/// How long an act of a healthy cluster takes at most.
const DRIVE_MS_MAX: u64 = 60_000;

/// Real nodes over a simulated network.
pub(crate) struct Cluster {
    /// Taken when it ends.
    sim: RefCell<Option<Sim<'static>>>,
    machines: BTreeMap<NodeId, Rc<Machine>>,
    applied: Applied,
    time: Arc<Time>,
    /// Last: the nodes' files.
    _place: tempfile::TempDir,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("nodes", &self.machines.keys()).finish_non_exhaustive()
    }
}

impl Drop for Cluster {
    /// A promise that broke ends the run by a panic, and hosts cannot be taken apart while that goes on: then they stay.
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::mem::forget(self.sim.take());
        }
    }
}

impl Cluster {
    /// Starts every node; none has a log yet.
    pub(crate) fn new(seed: u64, time: Arc<Time>, applied: Applied, hosts: Vec<Host>) -> Self {
        simulation::seed(seed);
        let place = disk::place().expect("a directory for a while");
        let mut sim = turmoil::Builder::new()
            .rng_seed(seed)
            .tick_duration(Duration::from_millis(1))
            .min_message_latency(Duration::from_millis(LATENCY_MS.0))
            .max_message_latency(Duration::from_millis(LATENCY_MS.1))
            .simulation_duration(Duration::from_secs(1 << 32))
            .tcp_capacity(1 << 16)
            .build();
        let all: Vec<NodeId> = hosts.iter().map(|host| host.node).collect();
        let mut machines = BTreeMap::new();
        for own in hosts {
            let node = own.node;
            applied.expect(node);
            let data_dir = place.path().join(format!("node-{node}"));
            let machine = Rc::new(Machine::new(own, data_dir, applied.clone(), all.clone()));
            let software = Rc::clone(&machine);
            sim.host(host(node), move || Rc::clone(&software).live());
            machines.insert(node, machine);
        }
        let cluster = Self { sim: RefCell::new(Some(sim)), machines, applied, time, _place: place };
        cluster.run_for(20);
        cluster
    }

    fn sim(&self) -> RefMut<'_, Sim<'static>> {
        RefMut::map(self.sim.borrow_mut(), |sim| sim.as_mut().expect("it is taken at the end"))
    }

    fn machine(&self, node: NodeId) -> &Rc<Machine> {
        self.machines.get(&node).expect("the node is in this world")
    }

    pub(crate) fn recorded(&self) -> &Applied {
        &self.applied
    }

    pub(crate) fn logged(&self) -> Vec<Logged> {
        self.applied.logged()
    }

    /// Lets so much time pass.
    pub(crate) fn run_for(&self, millis: u64) {
        for _ in 0..millis {
            self.time.pass(1);
            self.sim().step().unwrap_or_else(|why| panic!("a host fails: {why}"));
            if let Some(why) = self.applied.broken() {
                panic!("{why}");
            }
            for machine in self.machines.values() {
                if let Some(why) = &*machine.ended.borrow() {
                    panic!("{why}");
                }
            }
        }
    }

    /// Begins an act on a node that runs.
    pub(crate) fn begin<T: 'static>(&self, node: NodeId, act: impl Future<Output = T> + 'static) -> Act<T> {
        let came_to = Rc::new(RefCell::new(None));
        self.machine(node).receive(act, Rc::clone(&came_to));
        Act::new(poll_fn(move |_| came_to.borrow_mut().take().map_or(Poll::Pending, Poll::Ready)))
    }

    /// Runs an act to its end.
    pub(crate) fn drive<T: 'static>(&self, node: NodeId, act: impl Future<Output = T> + 'static) -> T {
        let mut act = self.begin(node, act);
        for _ in 0..DRIVE_MS_MAX {
            self.run_for(1);
            if let Some(came_to) = act.step() {
                return came_to;
            }
        }
        panic!("the act waits for something that nobody will do")
    }

    /// How far a node has applied the log; 0 while it does not run.
    pub(crate) fn applied(&self, node: NodeId) -> u64 {
        self.machine(node).log().map(|log| log.standing().applied.0).unwrap_or_default()
    }

    /// Whether every node runs and has applied all that any has.
    pub(crate) fn is_calm(&self) -> bool {
        let committed = self.applied.count();
        self.machines.keys().all(|node| self.applied(*node) >= committed)
    }

    /// Whether a node takes itself for the leader.
    pub(crate) fn leads(&self, node: NodeId) -> bool {
        self.machine(node).log().is_some_and(|log| log.standing().leader == Some(node))
    }
}

/// What goes wrong.
impl Cluster {
    /// The process is killed; at once or with the power.
    pub(crate) fn crash(&self, node: NodeId, power: Power) {
        let machine = self.machine(node);
        let image =
            (power == Power::Lost).then(|| Image::take(&machine.data_dir).expect("the files can be copied"));
        machine.forget();
        self.sim().crash(host(node));
        if let Some(image) = image {
            image.put_back().expect("the files can be put back");
        }
    }

    /// It starts again.
    pub(crate) fn start(&self, node: NodeId) {
        self.sim().bounce(host(node));
    }

    /// How long a node's disk takes for a sync.
    pub(crate) fn sync_takes(&self, node: NodeId, millis: u64) {
        self.machine(node).sync_ms.store(millis, Ordering::SeqCst);
    }

    /// What the link from one node to another does.
    pub(crate) fn set_link(&self, from: NodeId, to: NodeId, way: Way) {
        let (sim, from, to) = (self.sim(), host(from), host(to));
        match way {
            Way::Cut => sim.partition(from, to),
            Way::HalfCut => sim.partition_oneway(from, to),
            Way::Held => sim.hold(from, to),
            Way::Slow(millis) => {
                sim.set_link_max_message_latency(from, to, Duration::from_millis(millis));
            }
            Way::Good => {
                sim.release(from.clone(), to.clone());
                sim.repair(from.clone(), to.clone());
                sim.set_link_max_message_latency(from, to, Duration::from_millis(LATENCY_MS.1));
            }
        }
    }

    /// Asks a node to hand the leadership over.
    pub(crate) fn hand_over(&self, node: NodeId) -> Option<Act<String>> {
        let log = self.machine(node).log()?;
        // What openraft says of a failure names the time of the machine, which is not part of a history.
        Some(self.begin(node, async move {
            let handed = log.transfer_leader(None).await;
            if handed.is_ok() { "handed over".to_owned() } else { "not handed over".to_owned() }
        }))
    }
}

/// Whether the machine loses its power with the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    Kept,
    /// What was not synced is gone.
    Lost,
}

/// How octets travel between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// At once, more or less.
    Good,
    /// They are lost.
    Cut,
    /// They are lost in this direction.
    HalfCut,
    /// They wait.
    Held,
    /// They take up to so many milliseconds.
    Slow(u64),
}

impl World {
    /// The first node begins a log of its own; the others follow it, and vote.
    ///
    /// # Panics
    /// If one is refused.
    pub(crate) fn gather_voters(&self) {
        let crate::consensus::Consensus::Raft(cluster) = &self.consensus else { return };
        let first = NodeId(1);
        let log = cluster.machine(first).log().expect("the node runs");
        let begun = log.clone();
        let began = cluster.drive(first, async move { begun.initialise_single().await });
        assert_eq!(began, Ok(()));
        for node in cluster.machines.keys().copied().filter(|node| *node != first) {
            let (log, address) = (log.clone(), format!("{}:{PORT}", host(node)));
            let joined = cluster.drive(first, async move {
                // Refused while the change before it is not committed.
                while let Err(ca_raft::MembershipError::Refused(_)) = log.admit_learner(node, &address).await
                {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                while let Err(ca_raft::MembershipError::Refused(_)) = log.promote(node).await {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Ok::<(), ca_raft::MembershipError>(())
            });
            assert_eq!(joined, Ok(()), "node {node} becomes a voter");
        }
    }
}
