//! Raft's log and vote, on disk.
//!
//! ```text
//!  append / vote ─▶ RocksDB write (readable at once) ─▶ queue ─▶ flusher thread: one sync ─▶ all callbacks
//! ```
//!
//! What is written is readable when the call returns; it counts only after its sync. One thread syncs, for
//! everybody who queued meanwhile: group commit. (In a simulation a task does it, and the sync takes simulated time.) After a failed sync nothing is acknowledged any more and no sync
//! is tried again: the kernel may have dropped the pages (fsync reports an error once).

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use ca_core::ids::{ClusterId, LogIndex, NodeId, UnixMillis};
use ca_core::planted::{Bug, planted};
use openraft::OptionalSend;
use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};
use prost::Message as _;
use rocksdb::{Cache, DB, Direction, IteratorMode, ReadOptions, WriteBatch};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{oneshot, watch};

use super::directory::{DataDirectory, Identity, StartStoreError};
use super::horizon::Horizon;
use super::{Disk, SimulatedDisk, options};
use crate::codec;
use crate::consensus::{Entry, LogId, Types, Vote};
use crate::limits;
use crate::simulation::{Observer, Place};
use crate::stop::Stop;
use crate::wire::peer as wire;

const ENTRY: u8 = b'e';
const VOTE: &[u8] = b"m/vote";
const COMMITTED: &[u8] = b"m/committed";
const PURGED: &[u8] = b"m/purged";
const CLUSTER: &[u8] = b"m/cluster";
const NODE: &[u8] = b"m/node";
const BOOTS: &[u8] = b"m/boots";
const AS_OF: &[u8] = b"m/as_of";

/// Syncs that may be queued: openraft has far fewer under way.
const FLUSH_QUEUE: usize = 4096;

/// The log database. Cheap to clone; the database closes with [`LogStore::close`].
#[derive(Clone, Debug)]
pub(crate) struct LogStore {
    shared: Arc<Shared>,
}

struct Shared {
    db: DB,
    cache: Mutex<EntryCache>,
    /// How far the log is known to be committed, as long as it is not written: it travels with the next write.
    committed: Mutex<Option<LogId>>,
    flush: Mutex<Option<Sender<Flush>>>,
    flusher: Mutex<Option<JoinHandle<()>>>,
    /// What the register has applied: nothing at or below it is ever truncated.
    applied: watch::Receiver<LogIndex>,
    stop: Stop,
    boots: u64,
    observer: Option<Arc<dyn Observer>>,
    /// Last: its lock goes when the database is closed.
    _directory: Arc<DataDirectory>,
}

impl Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("boots", &self.boots).finish_non_exhaustive()
    }
}

/// Somebody who waits for a sync.
enum Flush {
    Append(IOFlushed<Types>),
    Vote(oneshot::Sender<io::Result<()>>),
}

impl Flush {
    fn done(self, result: &Result<(), String>) {
        let result = result.clone().map_err(io::Error::other);
        match self {
            Self::Append(callback) => callback.io_completed(result),
            // Nobody waits any more: the vote's caller is gone, and with it the question.
            Self::Vote(waiter) => drop(waiter.send(result)),
        }
    }
}

impl LogStore {
    /// Opens the database, or makes it; raises the boot count, synced.
    pub(crate) fn open(
        directory: &Arc<DataDirectory>,
        cache: &Cache,
        disk: &Disk,
        identity: Identity,
        applied: watch::Receiver<LogIndex>,
        stop: Stop,
    ) -> Result<Self, StartStoreError> {
        let path = directory.path().join("log.horizon");
        let (horizon, synced) =
            Horizon::open(&path).map_err(|source| StartStoreError::Io { path, source })?;
        let db = DB::open(&options(cache, disk), directory.path().join("log")).map_err(damaged)?;
        // Damage below the horizon: what was acknowledged is gone.
        let found = db.latest_sequence_number();
        if let Some(horizon) = synced.filter(|horizon| found < *horizon) {
            return Err(StartStoreError::Lost { found, horizon });
        }
        claim(&db, directory, identity)?;
        let boots = number(&db, BOOTS).map_err(damaged)?.unwrap_or_default().saturating_add(1);
        db.put(BOOTS, boots.to_be_bytes()).map_err(damaged)?;
        db.flush_wal(true).map_err(damaged)?;
        let (sender, receiver) = channel(FLUSH_QUEUE);
        let shared = Arc::new(Shared {
            db,
            cache: Mutex::new(EntryCache::default()),
            committed: Mutex::new(None),
            flush: Mutex::new(Some(sender)),
            flusher: Mutex::new(None),
            applied,
            stop,
            boots,
            observer: match disk {
                Disk::Real => None,
                Disk::Simulated(disk) => Some(Arc::clone(&disk.observer)),
            },
            _directory: Arc::clone(directory),
        });
        let store = Self { shared: Arc::clone(&shared) };
        if let Some(observer) = &shared.observer {
            let vote = store.stored_vote().map_err(damaged)?;
            observer.found_vote(vote.map_or(0, term));
        }
        let flusher = Flusher { shared: Arc::clone(&shared), horizon, queue: receiver, failed: Ok(()) };
        match disk {
            Disk::Real => {
                let thread = std::thread::Builder::new().name("log-flusher".to_owned());
                let thread = thread.spawn(move || flusher.run());
                let io = |source| StartStoreError::Io { path: directory.path().to_owned(), source };
                *shared.flusher.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread.map_err(io)?);
            }
            Disk::Simulated(disk) => {
                // What a process that was killed had written is there, and was synced above.
                flusher.tell();
                tokio::spawn(flusher.simulate(disk.clone()));
            }
        }
        Ok(store)
    }

    /// How often this directory was opened, this time included (R14).
    pub(crate) fn boots(&self) -> u64 {
        self.shared.boots
    }

    /// Ends the flusher thread, after a last sync. RocksDB aborts the process if it is still open when `main`
    /// returns.
    pub(crate) fn close(&self) {
        drop(self.shared.flush.lock().unwrap_or_else(PoisonError::into_inner).take());
        let flusher = self.shared.flusher.lock().unwrap_or_else(PoisonError::into_inner).take();
        if flusher.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the flusher thread panicked");
        }
        self.shared.db.cancel_all_background_work(true);
    }

    /// The as_of stored last (R9). Written after `committed` into the same write-ahead log: if it survives, so does
    /// the knowledge of how far the log must be replayed before it may be used (I24).
    pub(crate) fn as_of(&self) -> io::Result<Option<UnixMillis>> {
        Ok(number(&self.shared.db, AS_OF).map_err(io::Error::other)?.map(UnixMillis))
    }

    /// Stores as_of; not synced, for an older one is true too.
    pub(crate) fn store_as_of(&self, as_of: UnixMillis) -> io::Result<()> {
        let mut batch = WriteBatch::default();
        self.put_committed(&mut batch);
        batch.put(AS_OF, as_of.0.to_be_bytes());
        self.shared.db.write(batch).map_err(io::Error::other)
    }

    /// Adds to a write how far the log is known to be committed, if that is news.
    fn put_committed(&self, batch: &mut WriteBatch) {
        let news = self.shared.committed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(id) = news {
            batch.put(COMMITTED, codec::log_id_to_wire(&id).encode_to_vec());
        }
    }

    /// The index up to which this node knew the log to be committed.
    pub(crate) fn committed(&self) -> io::Result<LogIndex> {
        let committed = self.stored_log_id(COMMITTED)?;
        Ok(LogIndex(committed.map(|id| id.index()).unwrap_or_default()))
    }

    /// Queues a wait for the next sync.
    async fn flush(&self, waiter: Flush) -> io::Result<()> {
        let sender = self.shared.flush.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let closed = || io::Error::other("the log database is closed");
        sender.ok_or_else(closed)?.send(waiter).await.map_err(|_waiter| closed())
    }

    fn stored_log_id(&self, key: &[u8]) -> io::Result<Option<LogId>> {
        let Some(octets) = self.shared.db.get_pinned(key).map_err(io::Error::other)? else { return Ok(None) };
        let id = wire::LogId::decode(&*octets).map_err(io::Error::other)?;
        Ok(Some(codec::log_id_from_wire(id)))
    }

    fn stored_vote(&self) -> io::Result<Option<Vote>> {
        let Some(octets) = self.shared.db.get_pinned(VOTE).map_err(io::Error::other)? else {
            return Ok(None);
        };
        let vote = wire::Vote::decode(&*octets).map_err(io::Error::other)?;
        codec::vote_from_wire(Some(vote)).map(Some).map_err(io::Error::other)
    }

    /// The entries from `start` on, before `end`, until `octets` are reached; at least one if there is one.
    fn read(&self, start: u64, end: u64, octets: usize) -> io::Result<Vec<Entry>> {
        if let Some(entries) = self.cache().range(start, end, octets) {
            return Ok(entries);
        }
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(entry_key(end));
        let from = entry_key(start);
        let rows = self.shared.db.iterator_opt(IteratorMode::From(&from, Direction::Forward), options);
        let mut entries: Vec<Entry> = Vec::new();
        let mut sum = 0_usize;
        for row in rows {
            let (_, value) = row.map_err(io::Error::other)?;
            sum = sum.saturating_add(value.len());
            if sum > octets && !entries.is_empty() {
                break;
            }
            let entry = decode_entry(Bytes::from(value))?;
            if let Some(last) = entries.last()
                && last.log_id.index().checked_add(1) != Some(entry.log_id.index())
            {
                let hole = format!("the log has a hole between {} and {}", last.log_id, entry.log_id);
                return Err(io::Error::other(hole));
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn last_entry_id(&self) -> io::Result<Option<LogId>> {
        let upper = [ENTRY, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        let Some(row) = self.shared.db.iterator(IteratorMode::From(&upper, Direction::Reverse)).next() else {
            return Ok(None);
        };
        let (key, value) = row.map_err(io::Error::other)?;
        if key.first() != Some(&ENTRY) {
            return Ok(None);
        }
        decode_entry(Bytes::from(value)).map(|entry| Some(entry.log_id))
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, EntryCache> {
        self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn truncate(&self, last: Option<LogId>) -> io::Result<()> {
        let first_removed = last.map_or(0, |id| id.index().saturating_add(1));
        let applied = *self.shared.applied.borrow();
        // Index 0 is the first membership; before anything is applied `applied` says 0 too.
        if applied.0 >= first_removed && applied.0 > 0 {
            // Old voters that met a promoted node would overwrite committed entries in silence. The log stays.
            let why = format!("asked to remove entry {first_removed}, but {applied} is applied");
            self.shared.stop.because(crate::stop::StopReason::Truncated(why.clone()));
            return Err(io::Error::other(why));
        }
        self.cache().truncate(first_removed);
        let mut batch = WriteBatch::default();
        batch.delete_range(entry_key(first_removed), entry_key(u64::MAX));
        self.shared.db.write(batch).map_err(io::Error::other)
    }
}

impl RaftLogReader<Types> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, io::Error> {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        self.read(start, end, usize::MAX)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, io::Error> {
        self.read(start, end, limits::APPEND_OCTETS_MAX)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        self.stored_vote()
    }
}

impl RaftLogStorage<Types> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, io::Error> {
        let last_purged_log_id = self.stored_log_id(PURGED)?;
        let last_log_id = self.last_entry_id()?.or(last_purged_log_id);
        Ok(LogState { last_purged_log_id, last_log_id })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        self.shared.db.put(VOTE, codec::vote_to_wire(vote).encode_to_vec()).map_err(io::Error::other)?;
        let (waiter, synced) = oneshot::channel();
        self.flush(Flush::Vote(waiter)).await?;
        // COMMIT: after this line the vote counts; a crash before it leaves a vote that nobody was told of.
        synced.await.map_err(io::Error::other)??;
        if let Some(observer) = &self.shared.observer {
            observer.voted(term(*vote));
        }
        Ok(())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        // Not written at once: it only says how far to replay, and an older one is true too. But as_of is never written
        // without it (I24).
        if committed.is_some() {
            *self.shared.committed.lock().unwrap_or_else(PoisonError::into_inner) = committed;
        }
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        let news = *self.shared.committed.lock().unwrap_or_else(PoisonError::into_inner);
        if news.is_some() { Ok(news) } else { self.stored_log_id(COMMITTED) }
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<Types>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut batch = WriteBatch::default();
        self.put_committed(&mut batch);
        let mut appended = Vec::new();
        for entry in entries {
            let octets = codec::entry_to_wire(&entry).encode_to_vec();
            batch.put(entry_key(entry.log_id.index()), &octets);
            appended.push((entry, octets.len()));
        }
        self.shared.db.write(batch).map_err(io::Error::other)?;
        self.cache().push(appended);
        // The callback says when it is durable; it is readable now.
        self.flush(Flush::Append(callback)).await
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> Result<(), io::Error> {
        self.truncate(last_log_id)
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), io::Error> {
        let end = log_id.index().saturating_add(1);
        let mut batch = WriteBatch::default();
        batch.put(PURGED, codec::log_id_to_wire(&log_id).encode_to_vec());
        batch.delete_range(entry_key(0), entry_key(end));
        self.shared.db.write(batch).map_err(io::Error::other)?;
        self.cache().purge(end);
        Ok(())
    }
}

/// Syncs for all; ends when the store is closed.
struct Flusher {
    shared: Arc<Shared>,
    horizon: Horizon,
    queue: Receiver<Flush>,
    /// What the first sync that failed said.
    failed: Result<(), String>,
}

impl Flusher {
    /// A thread's life.
    fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let group = self.group(first);
            self.sync();
            self.acknowledge(group);
        }
    }

    /// The same as a task, in simulated time.
    async fn simulate(mut self, disk: SimulatedDisk) {
        while let Some(first) = self.queue.recv().await {
            let group = self.group(first);
            if !planted(Bug::LogNotSynced) {
                tokio::time::sleep((disk.sync_takes)()).await;
                self.sync();
                self.tell();
            }
            self.acknowledge(group);
        }
    }

    /// Tells a simulation how far the log is synced.
    fn tell(&self) {
        let store = LogStore { shared: Arc::clone(&self.shared) };
        if let (Ok(()), Ok(Some(last)), Some(observer)) =
            (&self.failed, store.last_entry_id(), &self.shared.observer)
        {
            observer.synced(Place::of(&last));
        }
    }

    /// Everybody who has queued meanwhile.
    fn group(&mut self, first: Flush) -> Vec<Flush> {
        let mut group = vec![first];
        while let Ok(next) = self.queue.try_recv() {
            group.push(next);
        }
        group
    }

    fn sync(&mut self) {
        if self.failed.is_ok() {
            // Everything in the group was written before it was queued, so this sequence number covers it.
            let sequence = self.shared.db.latest_sequence_number();
            let synced = self.shared.db.flush_wal(true);
            self.failed = synced.map_err(|e| format!("the log cannot be synced: {e}"));
            if let Err(why) = &self.failed {
                self.shared.stop.because(crate::stop::StopReason::Storage(why.clone()));
            } else if let Err(e) = self.horizon.note(sequence) {
                tracing::warn!("the log's horizon cannot be noted: {e}");
            }
        }
    }

    /// COMMIT: after a successful sync the group's entries and votes count.
    fn acknowledge(&self, group: Vec<Flush>) {
        for waiter in group {
            waiter.done(&self.failed);
        }
    }
}

/// Writes the identity into a new database, or compares it with the one that stands there.
fn claim(db: &DB, directory: &DataDirectory, identity: Identity) -> Result<(), StartStoreError> {
    let stored = db.get(CLUSTER).map_err(damaged)?;
    let node = number(db, NODE).map_err(damaged)?;
    let (Some(cluster), Some(node)) = (stored, node) else {
        let mut batch = WriteBatch::default();
        batch.put(CLUSTER, identity.cluster.0);
        batch.put(NODE, identity.node.0.to_be_bytes());
        return db.write(batch).map_err(damaged);
    };
    let cluster = ClusterId(cluster.as_slice().try_into().map_err(damaged)?);
    if cluster == identity.cluster && node == identity.node.0 {
        return Ok(());
    }
    Err(StartStoreError::Foreign {
        path: directory.path().to_owned(),
        stored_cluster: cluster,
        stored_node: NodeId(node),
        cluster: identity.cluster,
        node: identity.node,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn damaged(why: impl ToString) -> StartStoreError {
    StartStoreError::Database { what: "the log database", why: why.to_string() }
}

fn number(db: &DB, key: &[u8]) -> Result<Option<u64>, String> {
    let Some(octets) = db.get_pinned(key).map_err(|e| e.to_string())? else { return Ok(None) };
    let octets: [u8; 8] =
        (*octets).try_into().map_err(|_length| format!("{} octets of a number", octets.len()))?;
    Ok(Some(u64::from_be_bytes(octets)))
}

fn term(vote: Vote) -> u64 {
    codec::vote_to_wire(&vote).term
}

fn entry_key(index: u64) -> Vec<u8> {
    let mut key = vec![ENTRY];
    key.extend_from_slice(&index.to_be_bytes());
    key
}

fn decode_entry(octets: Bytes) -> io::Result<Entry> {
    let entry = wire::Entry::decode(octets).map_err(io::Error::other)?;
    codec::entry_from_wire(entry).map_err(io::Error::other)
}

/// The newest entries, without a gap: what is replicated and applied next.
#[derive(Debug, Default)]
struct EntryCache {
    entries: BTreeMap<u64, (Entry, usize)>,
    octets: usize,
}

impl EntryCache {
    fn push(&mut self, appended: Vec<(Entry, usize)>) {
        if let Some((first, _)) = appended.first() {
            let first = first.log_id.index();
            let follows =
                self.entries.last_key_value().is_none_or(|(last, _)| last.checked_add(1) == Some(first));
            if !follows {
                *self = Self::default();
            }
        }
        for (entry, octets) in appended {
            self.octets = self.octets.saturating_add(octets);
            self.entries.insert(entry.log_id.index(), (entry, octets));
        }
        while self.octets > limits::ENTRY_CACHE_OCTETS {
            let Some((_, (_, octets))) = self.entries.pop_first() else { break };
            self.octets = self.octets.saturating_sub(octets);
        }
    }

    /// `None` if the beginning is not here.
    fn range(&self, start: u64, end: u64, octets: usize) -> Option<Vec<Entry>> {
        if start >= end || !self.entries.contains_key(&start) {
            return None;
        }
        let mut sum = 0_usize;
        let mut entries = Vec::new();
        for (entry, length) in self.entries.range(start..end).map(|(_, cached)| cached) {
            sum = sum.saturating_add(*length);
            if sum > octets && !entries.is_empty() {
                break;
            }
            entries.push(entry.clone());
        }
        Some(entries)
    }

    fn truncate(&mut self, first_removed: u64) {
        for (_, (_, octets)) in self.entries.split_off(&first_removed) {
            self.octets = self.octets.saturating_sub(octets);
        }
    }

    fn purge(&mut self, end: u64) {
        let kept = self.entries.split_off(&end);
        self.octets = kept.values().fold(0, |sum, (_, octets)| sum.saturating_add(*octets));
        self.entries = kept;
    }
}
