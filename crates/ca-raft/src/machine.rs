//! Applies committed entries to the register, in their order, once each.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use ca_core::apply::{Moment, apply};
use ca_core::command::{Command, Envelope};
use ca_core::ids::{Digest, LogIndex, NodeId, RequestId, UnixMillis};
use ca_core::permit::Applied;
use ca_core::register::Register;
use futures_util::{Stream, TryStreamExt as _};
use openraft::entry::RaftEntry as _;
use openraft::storage::{EntryResponder, RaftSnapshotBuilder, RaftStateMachine, Snapshot};
use openraft::{EntryPayload, OptionalSend};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::clock::WallClock;
use crate::codec;
use crate::consensus::{Entry, LogId, PeerAddress, Proposal, SnapshotMeta, StoredMembership, Types};
use crate::limits;
use crate::peers::Introductions;
use crate::runtime;
use crate::simulation::{Observer, Place};
use crate::stamp::Stamps;
use crate::stop::{Stop, StopReason};
use crate::store::{AppliedState, EncodedChanges, RegisterStore, SnapshotDirectory};

/// Owned by openraft's apply task: nothing else writes the register.
pub(crate) struct Machine {
    store: RegisterStore,
    applied: AppliedState,
    shared: Arc<Progress>,
    snapshots: Snapshots,
    stop: Stop,
    observer: Option<Arc<dyn Observer>>,
}

/// What the rest of the node sees of the apply task.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Who waits for what.
    pub(crate) waiters: Waiters,
    /// The latest digests.
    pub(crate) digests: Digests,
    /// Where the members listen.
    pub(crate) introduced: Arc<Introductions>,
    /// What the leader's clock is held to.
    pub(crate) stamps: Stamps,
    /// When something was last applied: a sign of a quorum.
    moved: Mutex<Option<Instant>>,
}

impl Progress {
    pub(crate) fn new(applied: &AppliedState, clock: WallClock) -> Self {
        let digests = Digests::default();
        digests.push(applied.index(), applied.digest);
        let progress = Self {
            waiters: Waiters::default(),
            digests,
            introduced: Arc::default(),
            stamps: Stamps::new(clock),
            moved: Mutex::new(None),
        };
        progress.introduce(&applied.membership);
        progress
    }

    fn introduce(&self, membership: &StoredMembership) {
        for (node, PeerAddress(address)) in membership.nodes() {
            self.introduced.introduce(NodeId(*node), address);
        }
    }

    /// Whether something was applied here lately.
    pub(crate) fn moves(&self) -> bool {
        let moved = *self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        moved.is_some_and(|at| at.elapsed() < limits::LOG_MOVES_WITHIN)
    }

    fn moved(&self) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// The commands of this boot whose callers wait. A permit is born only for one of them (R7).
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    waiting: Mutex<BTreeMap<RequestId, Waiting>>,
    /// Counts the times that some were resolved.
    resolved: watch::Sender<u64>,
}

#[derive(Debug)]
struct Waiting {
    caller: oneshot::Sender<Applied>,
    given: Given,
}

/// Whether a leader may have a command. Changes under the lock of the waiters, so that a caller that gives up learns
/// for certain whether its command can still take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// No leader has it, and if its caller gives up none will get it.
    No,
    /// A leader may have it.
    Perhaps,
}

impl Waiters {
    /// Registers a caller, before its command goes anywhere.
    pub(crate) fn register(&self, id: RequestId) -> oneshot::Receiver<Applied> {
        let (caller, receiver) = oneshot::channel();
        self.lock().insert(id, Waiting { caller, given: Given::No });
        receiver
    }

    /// The caller gives up. `None` if its outcome has just come.
    pub(crate) fn forget(&self, id: RequestId) -> Option<Given> {
        self.lock().remove(&id).map(|waiting| waiting.given)
    }

    /// Whether the caller still waits.
    pub(crate) fn waits(&self, id: RequestId) -> bool {
        self.lock().contains_key(&id)
    }

    /// A leader is about to get the command; what was known before. `None` if the caller has given up: then the
    /// command must not be given to anybody.
    pub(crate) fn give(&self, id: RequestId) -> Option<Given> {
        self.lock().get_mut(&id).map(|waiting| std::mem::replace(&mut waiting.given, Given::Perhaps))
    }

    /// The leader certainly did not append it, and nobody else was given it before.
    pub(crate) fn take_back(&self, id: RequestId) {
        if let Some(waiting) = self.lock().get_mut(&id) {
            waiting.given = Given::No;
        }
    }

    /// Nobody waits any more: the node stops.
    pub(crate) fn clear(&self) {
        self.lock().clear();
        self.tell();
    }

    /// Changes whenever somebody was resolved.
    pub(crate) fn watch_resolved(&self) -> watch::Receiver<u64> {
        self.resolved.subscribe()
    }

    fn resolve(&self, applied: Applied) {
        let waiting = self.lock().remove(&applied.request());
        if let Some(waiting) = waiting {
            // If the caller is gone, the permit is gone with it: the intent will be abandoned.
            drop(waiting.caller.send(applied));
        }
    }

    fn tell(&self) {
        self.resolved.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn ids(&self) -> Vec<RequestId> {
        self.lock().keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RequestId, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The chained digest after each of the latest entries.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    latest: Mutex<VecDeque<(LogIndex, Digest)>>,
}

impl Digests {
    /// The digest after this entry, if it is still remembered.
    pub(crate) fn at(&self, index: LogIndex) -> Option<Digest> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let place = latest.binary_search_by_key(&index, |(at, _)| *at).ok()?;
        latest.get(place).map(|(_, digest)| *digest)
    }

    /// The last entry's.
    pub(crate) fn last(&self) -> Option<(LogIndex, Digest)> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).back().copied()
    }

    fn push(&self, index: LogIndex, digest: Digest) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.len() >= limits::DIGESTS_KEPT {
            latest.pop_front();
        }
        latest.push_back((index, digest));
    }

    fn restart(&self, index: LogIndex, digest: Digest) {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.push(index, digest);
    }
}

/// Where snapshots are made, and the latest of them.
#[derive(Clone, Debug)]
pub(crate) struct Snapshots {
    directory: PathBuf,
    count: Arc<AtomicU64>,
    current: Arc<Mutex<Option<SnapshotDirectory>>>,
}

impl Snapshots {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, count: Arc::new(AtomicU64::new(0)), current: Arc::new(Mutex::new(None)) }
    }

    fn make(&self, store: &RegisterStore) -> io::Result<SnapshotDirectory> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let made = store.checkpoint(&self.directory.join(number.to_string()))?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // Two may be made at once; the older one is of no use to anybody.
        if current.as_ref().is_none_or(|current| current.meta().last_log_id <= made.meta().last_log_id) {
            *current = Some(made.clone());
        }
        Ok(made)
    }

    fn current(&self) -> Option<SnapshotDirectory> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Machine {
    pub(crate) fn new(
        store: RegisterStore,
        applied: AppliedState,
        shared: Arc<Progress>,
        snapshots: Snapshots,
        stop: Stop,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        Self { store, applied, shared, snapshots, stop, observer }
    }

    fn apply_entry(&mut self, entry: Entry) -> io::Result<()> {
        let id = entry.log_id();
        match entry.payload {
            EntryPayload::Blank => self.write(id, EncodedChanges::of(Vec::new()), Vec::new()),
            EntryPayload::Membership(membership) => {
                self.applied.membership = StoredMembership::new(Some(id), membership);
                self.shared.introduce(&self.applied.membership);
                self.write(id, EncodedChanges::of(Vec::new()), Vec::new())
            }
            EntryPayload::Normal(Proposal(octets)) => self.apply_batch(id, octets),
        }
    }

    fn apply_batch(&mut self, id: LogId, octets: Bytes) -> io::Result<()> {
        let index = LogIndex(id.index());
        let (stamp, envelopes) = match decode(octets) {
            Ok(batch) => batch,
            Err(e) => return Err(self.stop_because(StopReason::Unreadable { index, why: e.to_string() })),
        };
        if let Some(observer) = &self.observer {
            observer.applied(Place::of(&id), stamp, &envelopes);
        }
        for envelope in &envelopes {
            if let Command::Tick { digest: Some((index, leaders)) } = envelope.command {
                self.compare(index, leaders)?;
            }
        }
        let at = Moment { index, time: stamp };
        let application = apply(&self.store, at, envelopes).map_err(|e| self.storage_fault(&e))?;
        self.shared.stamps.seen(stamp);
        self.write(id, EncodedChanges::of(application.changes), application.applied)
    }

    /// COMMIT: its write. Outcomes reach their waiters only after it.
    fn write(&mut self, id: LogId, changes: EncodedChanges, outcomes: Vec<Applied>) -> io::Result<()> {
        self.applied.id = Some(id);
        self.applied.digest = changes.digest(self.applied.digest);
        self.shared.digests.push(self.applied.index(), self.applied.digest);
        self.store.write(changes, &self.applied).map_err(|e| self.storage_fault(&e))?;
        self.shared.moved();
        if self.stop.is_set() {
            return Err(io::Error::other("this node stops"));
        }
        if !outcomes.is_empty() {
            for applied in outcomes {
                self.shared.waiters.resolve(applied);
            }
            self.shared.waiters.tell();
        }
        Ok(())
    }

    /// Two nodes at one applied index have one digest (I23).
    fn compare(&self, index: LogIndex, leaders: Digest) -> io::Result<()> {
        match self.shared.digests.at(index) {
            Some(ours) if ours != leaders => {
                Err(self.stop_because(StopReason::Diverged { index, leaders, ours }))
            }
            // Not remembered: applied before this node's start, or skipped by a snapshot.
            Some(_) | None => Ok(()),
        }
    }

    fn storage_fault(&self, fault: &ca_core::register::StorageFault) -> io::Error {
        self.stop_because(StopReason::Storage(fault.to_string()))
    }

    fn stop_because(&self, reason: StopReason) -> io::Error {
        let error = io::Error::other(reason.to_string());
        self.stop.because(reason);
        self.shared.waiters.clear();
        error
    }

    /// A snapshot skipped entries that somebody may wait for: their outcomes are in the register.
    fn recall(&self, register: &dyn Register, index: LogIndex) -> io::Result<()> {
        for id in self.shared.waiters.ids() {
            if let Some(outcome) = register.outcome(id).map_err(|e| self.storage_fault(&e))? {
                self.shared.waiters.resolve(Applied::recalled(id, index, outcome));
            }
        }
        self.shared.waiters.tell();
        Ok(())
    }
}

fn decode(octets: Bytes) -> Result<(UnixMillis, Vec<Envelope>), codec::CodecError> {
    let batch = codec::decode_batch(octets)?;
    let envelopes = batch.envelopes.into_iter().map(codec::decode_envelope).collect::<Result<_, _>>()?;
    Ok((batch.stamp, envelopes))
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotData = SnapshotDirectory;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        Ok((self.applied.id, self.applied.membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> Result<(), io::Error>
    where
        S: Stream<Item = Result<EntryResponder<Types>, io::Error>> + Unpin + OptionalSend,
    {
        while let Some((entry, responder)) = entries.try_next().await? {
            self.apply_entry(entry)?;
            if let Some(responder) = responder {
                responder.send(());
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        Builder { store: self.store.clone(), snapshots: self.snapshots.clone() }
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: SnapshotDirectory,
    ) -> Result<(), io::Error> {
        let storage = |e: io::Error| self.stop_because(StopReason::Storage(e.to_string()));
        self.applied = self.store.install(&snapshot).map_err(storage)?;
        let index = self.applied.index();
        tracing::info!("the register is now a snapshot of entry {index} ({:?})", meta.last_log_id);
        self.shared.digests.restart(index, self.applied.digest);
        self.shared.introduce(&self.applied.membership);
        self.shared.moved();
        self.recall(&self.store.clone(), index)?;
        self.snapshots.make(&self.store).map(drop)
    }

    async fn get_current_snapshot(
        &mut self,
    ) -> Result<Option<openraft::alias::SnapshotOf<Types, SnapshotDirectory>>, io::Error> {
        Ok(self.snapshots.current().map(snapshot_of))
    }
}

/// Makes snapshots beside the apply task.
#[derive(Debug)]
pub(crate) struct Builder {
    store: RegisterStore,
    snapshots: Snapshots,
}

impl RaftSnapshotBuilder<Types> for Builder {
    type SnapshotData = SnapshotDirectory;

    async fn build_snapshot(
        &mut self,
    ) -> Result<openraft::alias::SnapshotOf<Types, SnapshotDirectory>, io::Error> {
        let (store, snapshots) = (self.store.clone(), self.snapshots.clone());
        let made = runtime::blocking(move || snapshots.make(&store)).await;
        made.map(snapshot_of)
    }
}

fn snapshot_of(directory: SnapshotDirectory) -> openraft::alias::SnapshotOf<Types, SnapshotDirectory> {
    Snapshot { meta: directory.meta().clone(), snapshot: directory }
}
