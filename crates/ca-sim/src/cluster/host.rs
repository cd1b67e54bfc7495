//! The program of one node, as a host of the simulated network runs it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use ca_authority::authority::Authority;
use ca_authority::ports::Clock as _;
use ca_core::ids::{BootId, NodeId};
use ca_raft::simulation::{SimulatedOptions, start};
use ca_raft::{Compaction, IssuanceLog, WallClock};

use super::applied::{Applied, Of};
use super::network::{Network, PORT, host};
use crate::ceremony::CLUSTER;
use crate::clock::SimClock;
use crate::consensus::Ordered;
use crate::entropy::SimEntropy;
use crate::run::why_it_panicked;
use crate::token::{SimToken, locked};
use crate::world::{Running, SimPorts};

/// What a node is made of that outlives its process.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) node: NodeId,
    pub(crate) running: Running,
    pub(crate) token: SimToken,
    pub(crate) clock: SimClock,
    pub(crate) entropy: Arc<SimEntropy>,
}

type Visit = Pin<Box<dyn Future<Output = ()>>>;

/// A host.
pub(super) struct Machine {
    pub(super) host: Host,
    pub(super) data_dir: PathBuf,
    pub(super) applied: Applied,
    pub(super) all: Vec<NodeId>,
    /// How long a sync of the disk takes.
    pub(super) sync_ms: Arc<AtomicU64>,
    boots: Cell<u64>,
    /// Acts that are to begin.
    visits: RefCell<VecDeque<Visit>>,
    log: RefCell<Option<Arc<IssuanceLog>>>,
    /// Why it must not go on, or what it broke.
    pub(super) ended: RefCell<Option<String>>,
}

/// So few that snapshots are sent in most runs.
const COMPACTION: Compaction = Compaction { snapshot_every: 60, entries_kept: 20 };

/// Between two looks of an act at what is not tokio's: tokens, and the world's time.
const LOOK_EVERY: Duration = Duration::from_millis(4);

impl Machine {
    pub(super) fn new(host: Host, data_dir: PathBuf, applied: Applied, all: Vec<NodeId>) -> Self {
        Self {
            host,
            data_dir,
            applied,
            all,
            sync_ms: Arc::new(AtomicU64::new(1)),
            boots: Cell::new(0),
            visits: RefCell::default(),
            log: RefCell::default(),
            ended: RefCell::default(),
        }
    }

    /// Its log, while it runs.
    pub(super) fn log(&self) -> Option<Arc<IssuanceLog>> {
        self.log.borrow().clone()
    }

    /// The process is gone, and whatever it was at.
    pub(super) fn forget(&self) {
        self.visits.borrow_mut().clear();
        *locked(&self.host.running) = None;
        *self.log.borrow_mut() = None;
    }

    /// Has an act begin.
    pub(super) fn receive<T: 'static>(
        self: &Rc<Self>,
        act: impl Future<Output = T> + 'static,
        came_to: Rc<RefCell<Option<T>>>,
    ) {
        let machine = Rc::clone(self);
        self.visits.borrow_mut().push_back(Box::pin(async move {
            match looking(act).await {
                Ok(output) => *came_to.borrow_mut() = Some(output),
                Err(why) => drop(machine.ended.borrow_mut().get_or_insert(why)),
            }
        }));
    }

    /// From the start of the process to its end.
    pub(super) async fn live(self: Rc<Self>) -> turmoil::Result {
        self.boots.set(self.boots.get().saturating_add(1));
        let log = match self.start_log().await {
            Ok(log) => log,
            Err(why) => {
                *self.ended.borrow_mut() = Some(format!("node {} does not start: {why}", self.host.node));
                return Ok(());
            }
        };
        let Host { token, clock, entropy, .. } = &self.host;
        let ports = SimPorts {
            log: Ordered::Raft(log.clone()),
            token: token.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
        };
        *self.log.borrow_mut() = Some(log.clone());
        *locked(&self.host.running) = Some(Arc::new(Authority::new(ports)));
        let mut stopped = pin!(log.stopped());
        loop {
            let visits = std::mem::take(&mut *self.visits.borrow_mut());
            visits.into_iter().for_each(|visit| drop(tokio::task::spawn_local(visit)));
            tokio::select! {
                biased;
                why = &mut stopped => {
                    *self.ended.borrow_mut() = Some(format!("I23: node {} stops: {why}", self.host.node));
                    return Ok(());
                }
                () = tokio::time::sleep(Duration::from_millis(1)) => {}
            }
        }
    }

    async fn start_log(&self) -> Result<Arc<IssuanceLog>, Box<dyn std::error::Error>> {
        let Host { node, clock, .. } = &self.host;
        let (node, clock, sync_ms, applied) =
            (*node, clock.clone(), self.sync_ms.clone(), self.applied.clone());
        let network = Network::listen(self.all.clone()).await?;
        let log = start(SimulatedOptions {
            data_dir: self.data_dir.clone(),
            cluster: CLUSTER,
            node,
            boot: BootId(self.boots.get()),
            compaction: COMPACTION,
            clock: WallClock::new(move || clock.now()),
            network,
            peer_address: (turmoil::lookup(host(node)), PORT).into(),
            sync_takes: Arc::new(move || Duration::from_millis(sync_ms.load(Ordering::SeqCst))),
            observer: Arc::new(Of(node, applied)),
        });
        Ok(log.await?)
    }
}

/// An act that looks again and again at what cannot wake it. What it says when it panics, if it does.
async fn looking<T>(act: impl Future<Output = T>) -> Result<T, String> {
    let mut act = pin!(act);
    let mut looks = tokio::time::interval(LOOK_EVERY);
    poll_fn(|context| {
        while looks.poll_tick(context).is_ready() {}
        match catch_unwind(AssertUnwindSafe(|| act.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(why) => Poll::Ready(Err(why_it_panicked(&*why))),
        }
    })
    .await
}
