//! The issuance log of one node: starts it, answers the authority, stops it.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use ca_authority::ports::{AppendError, Log, NoQuorum, Standing};
use ca_core::command::{Command, Envelope};
use ca_core::ids::{BootId, ClusterId, Digest, Epoch, LogIndex, NodeId, RequestId, UnixMillis};
use ca_core::limits::COMMAND_LIFE_MS;
use ca_core::permit::Applied;
use ca_core::register::{Register, StorageFault};
use openraft::async_runtime::watch::WatchReceiver as _;
use rocksdb::Cache;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::clock::{ClockOffset, WallClock, keep_time};
use crate::codec;
use crate::consensus::{self, Compaction, Raft};
use crate::forward::{self, LastFailure, Queued, Ways};
use crate::leader::Leader;
use crate::limits;
use crate::machine::{Given, Machine, Progress, Snapshots};
use crate::peers::{
    Contacts, Entrance, ExchangeHandler, Network, PeerIdentity, PeerTls, PeerTlsError, Peers, Served,
    Transport, serve,
};
use crate::read::{self, Reader, no_quorum};
use crate::runtime;
use crate::simulation::Ground;
use crate::stop::{Stop, StopReason};
use crate::store::{DataDirectory, Disk, Identity, LogStore, RegisterStore, StartStoreError};

/// What a node's log is started with.
pub struct StartOptions {
    /// Where its data are; made if it is not there.
    pub data_dir: PathBuf,
    /// Whose data they are.
    pub cluster: ClusterId,
    /// The count of promotions and recoveries.
    pub epoch: Epoch,
    /// This node.
    pub node: NodeId,
    /// This run: drawn at start, never used before.
    pub boot: BootId,
    /// Where peers call.
    pub peer_listener: TcpListener,
    /// The certificate that names (cluster, epoch, node).
    pub tls: PeerTls,
    /// Answers other nodes' exchanges.
    pub exchange: ExchangeHandler,
    /// How eagerly the log is cut behind snapshots.
    pub compaction: Compaction,
    /// What this node stamps by while it leads.
    pub clock: WallClock,
}

/// What is the same on a machine and in a simulation.
pub(crate) struct Start {
    pub(crate) data_dir: PathBuf,
    pub(crate) identity: PeerIdentity,
    pub(crate) boot: BootId,
    pub(crate) exchange: ExchangeHandler,
    pub(crate) compaction: Compaction,
    pub(crate) clock: WallClock,
}

impl fmt::Debug for StartOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (node, epoch) = (self.node, self.epoch);
        f.debug_struct("StartOptions").field("node", &node).field("epoch", &epoch).finish_non_exhaustive()
    }
}

/// Why the log did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The stored data cannot be used.
    #[error(transparent)]
    Store(#[from] StartStoreError),
    /// The certificate does not fit.
    #[error(transparent)]
    Tls(#[from] PeerTlsError),
    /// The certificate is another node's.
    #[error("the peer certificate names {got}, this node is {expected}")]
    OtherIdentity {
        /// This node.
        expected: PeerIdentity,
        /// The certificate's.
        got: PeerIdentity,
    },
    /// The consensus core did not start.
    #[error("raft: {0}")]
    Raft(String),
}

/// The replicated, totally ordered list of commands, and the register that follows from it.
///
/// [`IssuanceLog::shutdown`] before `main` returns: RocksDB aborts the process otherwise.
pub struct IssuanceLog {
    pub(crate) identity: PeerIdentity,
    boot: BootId,
    counter: AtomicU64,
    address: Option<SocketAddr>,
    register: RegisterStore,
    logs: LogStore,
    pub(crate) ways: Ways,
    pub(crate) contacts: Arc<Contacts>,
    tls: Option<Arc<ArcSwap<PeerTls>>>,
    queue: mpsc::Sender<Queued>,
    readers: mpsc::Sender<Reader>,
    pub(crate) clock_offset: watch::Receiver<Option<ClockOffset>>,
    /// The log known to be committed at start: before it is replayed, as_of says nothing (I24).
    replay_to: LogIndex,
    stop: Stop,
    closing: Arc<AtomicBool>,
    tasks: Mutex<JoinSet<()>>,
}

impl fmt::Debug for IssuanceLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuanceLog").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl IssuanceLog {
    /// Opens the stores, replays what is known to be committed, and joins the conversation. A node that is no
    /// member yet waits to be called.
    ///
    /// # Errors
    /// [`StartError`]: nothing runs, nothing was changed.
    pub async fn start(options: StartOptions) -> Result<Arc<Self>, StartError> {
        let StartOptions { data_dir, cluster, epoch, node, boot, tls, .. } = options;
        let StartOptions { peer_listener, exchange, compaction, clock, .. } = options;
        let identity = PeerIdentity { cluster, epoch, node };
        if tls.identity() != identity {
            return Err(StartError::OtherIdentity { expected: identity, got: tls.identity() });
        }
        let (address, tls) = (peer_listener.local_addr().ok(), Arc::new(ArcSwap::from_pointee(tls)));
        let transport = Transport::Tls(Arc::clone(&tls));
        let entrance = Entrance::Tls(peer_listener, tls);
        let ground = Ground { transport, entrance, address, disk: Disk::Real, observer: None };
        Self::start_on(ground, Start { data_dir, identity, boot, exchange, compaction, clock }).await
    }

    /// The same on a machine or in a simulation of one.
    pub(crate) async fn start_on(ground: Ground, start: Start) -> Result<Arc<Self>, StartError> {
        let Ground { transport, entrance, address, disk, observer } = ground;
        let Start { data_dir, identity, boot, exchange, compaction, clock } = start;
        let PeerIdentity { cluster, epoch, node } = identity;
        let config = consensus::config(compaction).map_err(|e| StartError::Raft(e.to_string()))?;
        let stop = Stop::new();
        let directory = Arc::new(DataDirectory::open(&data_dir)?);
        let cache = Cache::new_lru_cache(limits::BLOCK_CACHE_OCTETS);
        let (register, applied) = RegisterStore::open(Arc::clone(&directory), &cache, &disk)?;
        let snapshots = Snapshots::new(directory.emptied("snapshots")?);
        let incoming = directory.emptied("incoming")?;
        // From here on a thread runs, and must be ended on every way out.
        let whose = Identity { cluster, node };
        let logs = LogStore::open(&directory, &cache, &disk, whose, register.watch_applied(), stop.clone())?;
        let replay_to = logs.committed().map_err(|e| closed(&logs, &e))?;
        let progress = Arc::new(Progress::new(&applied, clock.clone()));
        let contacts = Arc::new(Contacts::default());
        let tls = match &transport {
            Transport::Tls(tls) => Some(Arc::clone(tls)),
            Transport::Simulated(_) => None,
        };
        let introduced = Arc::clone(&progress.introduced);
        let peers = Peers::new(identity, transport, register.clone(), Arc::clone(&contacts), introduced);
        let machine =
            Machine::new(register.clone(), applied, Arc::clone(&progress), snapshots, stop.clone(), observer);
        let raft = Raft::new(node.0, config, Network::new(peers.clone()), logs.clone(), machine).await;
        let raft = raft.map_err(|e| closed(&logs, &e))?;
        let leader = Leader::new(raft.clone(), Arc::clone(&progress), epoch);
        let last_failure = Arc::new(LastFailure::default());
        let ways = Ways { node, raft, leader, peers, progress, clock, last_failure };
        let served = Served {
            identity,
            raft: ways.raft.clone(),
            leader: ways.leader.clone(),
            contacts: Arc::clone(&contacts),
            exchange,
            clock: ways.clock.clone(),
            incoming,
            received: AtomicU64::new(0),
        };
        let (queue, queued) = mpsc::channel(limits::QUEUE_COMMANDS_MAX);
        let (readers, reading) = mpsc::channel(limits::READERS_MAX);
        let closing = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(entrance, Arc::new(served)));
        tasks.spawn(forward::forward(queued, ways.clone()));
        tasks.spawn(read::read(reading, ways.clone(), register.watch_applied()));
        let (measured, clock_offset) = watch::channel(None);
        tasks.spawn(keep_time(ways.clone(), measured));
        tasks.spawn(watch_core(ways.raft.clone(), stop.clone(), Arc::clone(&closing)));
        tasks.spawn(release_waiters(stop.clone(), Arc::clone(&ways.progress)));
        Ok(Arc::new(Self {
            identity,
            boot,
            counter: AtomicU64::new(0),
            address,
            register,
            logs,
            ways,
            contacts,
            tls,
            queue,
            readers,
            clock_offset,
            replay_to,
            stop,
            closing,
            tasks: Mutex::new(tasks),
        }))
    }

    /// Where peers call, as the listener says.
    #[must_use]
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// How often this data directory was opened, this run included (R14).
    #[must_use]
    pub fn boot_count(&self) -> u64 {
        self.logs.boots()
    }

    /// The chained digest of the register after this entry, while it is remembered (R17).
    #[must_use]
    pub fn digest_at(&self, index: LogIndex) -> Option<Digest> {
        self.ways.progress.digests.at(index)
    }

    /// Follows the index of the last entry that was applied here.
    #[must_use]
    pub fn watch_applied(&self) -> tokio::sync::watch::Receiver<LogIndex> {
        self.register.watch_applied()
    }

    /// How far this node's wall clock was ahead of the voters' median a second ago (R8). Only a leader knows, and
    /// only while a majority answers.
    #[must_use]
    pub fn clock_offset(&self) -> Option<ClockOffset> {
        *self.clock_offset.borrow()
    }

    /// Waits until something happens after which this node must not go on; nothing is acknowledged after it. The
    /// program then shuts down and exits.
    pub async fn stopped(&self) -> StopReason {
        self.stop.wait().await
    }

    /// Uses another certificate from the next connection on; connections to others are made anew.
    ///
    /// # Errors
    /// The certificate names another node: the old one stays.
    pub fn renew_tls(&self, tls: PeerTls) -> Result<(), StartError> {
        if tls.identity() != self.identity {
            return Err(StartError::OtherIdentity { expected: self.identity, got: tls.identity() });
        }
        if let Some(current) = &self.tls {
            current.store(Arc::new(tls));
        }
        self.ways.peers.reconnect();
        Ok(())
    }

    /// Makes a snapshot of what is applied and cuts the log behind it, as far as the settings say. Happens by
    /// itself; this does it now.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn compact(&self) -> Result<(), AppendError> {
        self.ways.raft.trigger().snapshot().await.map_err(|_fatal| AppendError::Stopped)
    }

    /// The first entry that is still in the log; everything before it is only in the register.
    #[must_use]
    pub fn purged(&self) -> Option<LogIndex> {
        self.ways.raft.metrics().borrow_watched().purged.map(|id| LogIndex(id.index()))
    }

    /// Ends everything that runs and closes the databases. Callers that wait are answered "stopping".
    pub async fn shutdown(&self) {
        self.closing.store(true, Ordering::Release);
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
        if self.ways.raft.shutdown().await.is_err() {
            tracing::error!("the consensus core panicked");
        }
        self.ways.progress.waiters.clear();
        self.ways.peers.reconnect();
        let (logs, register) = (self.logs.clone(), self.register.clone());
        let closing = runtime::blocking(move || {
            logs.close();
            register.close();
            Ok(())
        });
        if closing.await.is_err() {
            tracing::error!("the stores' closing panicked");
        }
    }

    fn is_stopping(&self) -> bool {
        self.stop.is_set() || self.closing.load(Ordering::Acquire)
    }

    fn no_quorum(&self) -> NoQuorum {
        no_quorum(&self.standing(), self.ways.last_failure.get())
    }

    /// Waits for the outcome as long as there is sense in it.
    async fn outcome(
        &self,
        id: RequestId,
        mut outcome: oneshot::Receiver<Applied>,
    ) -> Result<Applied, AppendError> {
        let begun = Instant::now();
        let mut patience = limits::NO_QUORUM_AFTER;
        loop {
            match timeout(patience, &mut outcome).await {
                Ok(Ok(applied)) => return Ok(applied),
                Ok(Err(_dropped)) => return Err(AppendError::Stopped),
                Err(_elapsed) => {}
            }
            if begun.elapsed() < limits::APPLIED_WITHIN && self.ways.progress.moves() {
                patience = limits::RETRY_AFTER;
                continue;
            }
            return match self.ways.progress.waiters.forget(id) {
                Some(Given::No) => Err(AppendError::NotAppended(self.no_quorum())),
                Some(Given::Perhaps) => Err(AppendError::NotKnown(self.no_quorum())),
                // It came this very moment.
                None => outcome.try_recv().map_err(|_dropped| AppendError::Stopped),
            };
        }
    }
}

impl Log for IssuanceLog {
    fn node(&self) -> NodeId {
        self.identity.node
    }

    fn boot(&self) -> BootId {
        self.boot
    }

    async fn append(&self, command: Command) -> Result<Applied, AppendError> {
        let id = RequestId {
            node: self.identity.node,
            boot: self.boot,
            counter: self.counter.fetch_add(1, Ordering::Relaxed),
        };
        let register_time = self.register().time().ok().flatten().unwrap_or_default();
        let expires_at = register_time.max(self.ways.clock.now()).plus(COMMAND_LIFE_MS);
        let octets = codec::encode_envelope(&Envelope { id, expires_at, command });
        let refused = |cause: String| AppendError::NotAppended(NoQuorum { cause, ..self.no_quorum() });
        if octets.len() > limits::BATCH_OCTETS_MAX {
            return Err(refused(format!("a command of {} octets is too large", octets.len())));
        }
        let outcome = self.ways.progress.waiters.register(id);
        // The caller may go away at any await: then nobody waits.
        let _waiting = Waiting { id, progress: &self.ways.progress };
        if self.is_stopping() {
            return Err(AppendError::Stopped);
        }
        match self.queue.try_send(Queued { id, octets }) {
            Ok(()) => self.outcome(id, outcome).await,
            Err(TrySendError::Full(_)) => {
                Err(refused(format!("{} commands are waiting", limits::QUEUE_COMMANDS_MAX)))
            }
            Err(TrySendError::Closed(_)) => Err(AppendError::Stopped),
        }
    }

    async fn read_index(&self) -> Result<LogIndex, NoQuorum> {
        let (reader, answer) = oneshot::channel();
        if self.readers.try_send(reader).is_ok()
            && let Ok(Ok(index)) = timeout(limits::NO_QUORUM_AFTER, answer).await
        {
            return Ok(index);
        }
        Err(self.no_quorum())
    }

    fn register(&self) -> &dyn Register {
        &self.register
    }

    fn standing(&self) -> Standing {
        let node = self.identity.node;
        let (term, leader, voters, members, votes) = {
            let metrics = self.ways.raft.metrics();
            let metrics = metrics.borrow_watched();
            let membership = &metrics.membership_config;
            let voters: Vec<NodeId> = membership.voter_ids().map(NodeId).collect();
            let members: Vec<NodeId> = membership.nodes().map(|(node, _)| NodeId(*node)).collect();
            // While it is being made a voter the quorum of before still counts: without it nothing is committed.
            let mut quorums = membership.membership().get_joint_config().iter();
            let votes = voters.contains(&node) && quorums.all(|voters| voters.contains(&node.0));
            (metrics.current_term, metrics.current_leader.map(NodeId), voters, members, votes)
        };
        let heard =
            |member: &NodeId| *member == node || self.contacts.lately(*member, limits::REACHABLE_WITHIN);
        let (applied, digest) = self.ways.progress.digests.last().unwrap_or((LogIndex(0), Digest([0; 32])));
        Standing {
            term,
            leader,
            applied,
            votes,
            reachable: members.into_iter().filter(heard).collect(),
            voters,
            digest,
        }
    }

    fn stored_as_of(&self) -> Option<UnixMillis> {
        let replayed = *self.register.watch_applied().borrow() >= self.replay_to;
        if !replayed {
            return None;
        }
        self.logs.as_of().unwrap_or_else(|e| {
            self.stop.because(StopReason::Storage(e.to_string()));
            None
        })
    }

    fn store_as_of(&self, as_of: UnixMillis) -> Result<(), StorageFault> {
        self.logs.store_as_of(as_of).map_err(|e| StorageFault(e.to_string()))
    }
}

/// Why the start failed, after the flusher thread was ended.
fn closed(logs: &LogStore, why: &impl ToString) -> StartError {
    logs.close();
    StartError::Raft(why.to_string())
}

/// A caller that waits. Gone, when the caller's future is dropped.
struct Waiting<'a> {
    id: RequestId,
    progress: &'a Progress,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.progress.waiters.forget(self.id);
    }
}

/// Reports the end of the consensus core, unless it was asked to end.
async fn watch_core(raft: Raft, stop: Stop, closing: Arc<AtomicBool>) {
    let mut metrics = raft.metrics();
    loop {
        let running = metrics.borrow_watched().running_state.clone();
        if let Err(fatal) = running {
            if !closing.load(Ordering::Acquire) {
                stop.because(StopReason::Raft(fatal.to_string()));
            }
            return;
        }
        if metrics.changed().await.is_err() {
            if !closing.load(Ordering::Acquire) {
                stop.because(StopReason::Raft("the core is gone".to_owned()));
            }
            return;
        }
    }
}

/// Whoever waits when the node stops is told so.
async fn release_waiters(stop: Stop, progress: Arc<Progress>) {
    stop.wait().await;
    loop {
        progress.waiters.clear();
        // One that registered meanwhile.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
