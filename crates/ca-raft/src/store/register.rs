//! The register, on disk.
//!
//! One atomic write per entry: the changed rows, the applied index, the last membership and the chained digest.
//! It is not synced: the log has the entry, and applies it again. The small tables, which every decision reads,
//! are held in memory as well.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arc_swap::ArcSwap;
use bytes::Bytes;
use ca_core::ids::{CaId, Digest, LogIndex, NodeId, RequestId};
use ca_core::register::{Change, Key, MemoryRegister, Register, Requests, StorageFault, Value};
use ca_core::shards::ListId;
use ca_x509::key::KeyIdentifier;
use ca_x509::serial::SerialNumber;
use prost::Message as _;
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{Cache, DB, Direction, IteratorMode, Options, ReadOptions, WriteBatch};
use tokio::sync::watch;

use super::directory::{DataDirectory, StartStoreError};
use super::recent::Recent;
use super::snapshot::{SnapshotDirectory, link_or_copy, sync_directory};
use super::{Disk, key, options};
use crate::codec;
use crate::consensus::{LogId, SnapshotMeta, StoredMembership};
use crate::wire::peer as wire;

/// Sorts before every row.
const HEAD: &[u8] = b"\0head";
/// Says which directory is the register.
const POINTER: &str = "register.current";

/// How far the register came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    /// The last entry that was applied; none in an empty register.
    pub(crate) id: Option<LogId>,
    /// H(previous digest ‖ encoded changes), from zeros on (R17).
    pub(crate) digest: Digest,
    /// The last membership at or before that entry.
    pub(crate) membership: StoredMembership,
}

impl Applied {
    fn nothing() -> Self {
        Self { id: None, digest: Digest([0; 32]), membership: StoredMembership::default() }
    }

    /// The entry's index; 0 also for an empty register.
    pub(crate) fn index(&self) -> LogIndex {
        LogIndex(self.id.map(|id| id.index()).unwrap_or_default())
    }
}

/// The register database. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct RegisterStore {
    shared: Arc<Shared>,
}

struct Shared {
    cache: Cache,
    disk: Disk,
    current: ArcSwap<Open>,
    /// The rows of the small tables. Locked for writing while the database is switched.
    small: RwLock<MemoryRegister>,
    /// Of the large tables what is read again and again.
    recent: Recent,
    /// In which row the outcome of a command is.
    requests: RwLock<Requests>,
    /// No row of [`Key::Expiry`] sorts before this. Rows leave that table at its front, one by one, and RocksDB
    /// keeps a tombstone for each until it compacts: a scan from the table's beginning would read them all.
    expiry_floor: Mutex<Vec<u8>>,
    applied: watch::Sender<LogIndex>,
    /// Last: its lock goes when the database is closed.
    directory: Arc<DataDirectory>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegisterStore").field("at", &*self.applied.borrow()).finish_non_exhaustive()
    }
}

/// One open database. Fields drop in this order: first the database closes, then its directory may go.
struct Open {
    db: DB,
    number: u64,
    directory: Leftover,
}

/// A directory that goes away once it is obsolete and nobody reads it any more.
struct Leftover {
    path: PathBuf,
    obsolete: AtomicBool,
}

impl Drop for Leftover {
    fn drop(&mut self) {
        if self.obsolete.load(Ordering::Acquire)
            && let Err(e) = fs::remove_dir_all(&self.path)
        {
            // The next start removes it.
            tracing::warn!("{} cannot be removed: {e}", self.path.display());
        }
    }
}

/// One row's change as octets.
struct EncodedChange {
    key: Vec<u8>,
    value: Option<Vec<u8>>,
}

impl RegisterStore {
    /// Opens the register, or makes an empty one; removes what half-done installations left.
    pub(crate) fn open(
        directory: Arc<DataDirectory>,
        cache: &Cache,
        disk: &Disk,
    ) -> Result<(Self, Applied), StartStoreError> {
        let io = |source| StartStoreError::Io { path: directory.path().to_owned(), source };
        let number = read_pointer(directory.path()).map_err(io)?;
        remove_others(directory.path(), number).map_err(io)?;
        let number = number.unwrap_or_default();
        let open = open_database(&database_path(directory.path(), number), number, cache, disk)?;
        write_pointer(directory.path(), number).map_err(io)?;
        let applied = read_head(&open.db)?;
        let small = load_small(&open.db).map_err(|fault| damaged(&fault))?;
        let requests = load_requests(&open.db).map_err(|fault| damaged(&fault))?;
        let shared = Shared {
            cache: cache.clone(),
            disk: disk.clone(),
            current: ArcSwap::from_pointee(open),
            small: RwLock::new(small),
            recent: Recent::new(),
            requests: RwLock::new(requests),
            expiry_floor: Mutex::new(vec![EXPIRIES]),
            applied: watch::Sender::new(applied.index()),
            directory,
        };
        Ok((Self { shared: Arc::new(shared) }, applied))
    }

    /// Follows the index of the last applied entry.
    pub(crate) fn watch_applied(&self) -> watch::Receiver<LogIndex> {
        self.shared.applied.subscribe()
    }

    /// Writes what one entry changed. The digest of the result is in `applied` already: see [`Self::digest`].
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    pub(crate) fn write(&self, changes: EncodedChanges, applied: &Applied) -> Result<(), StorageFault> {
        let mut batch = WriteBatch::default();
        // Held until the rows are written, so that no scan raises the floor past a row that is on its way.
        let mut floor = self.shared.expiry_floor.lock().unwrap_or_else(PoisonError::into_inner);
        for EncodedChange { key, value } in &changes.encoded {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
            if value.is_some() && key.first() == Some(&EXPIRIES) && *key < *floor {
                floor.clone_from(key);
            }
        }
        batch.put(HEAD, encode_head(applied));
        // COMMIT: after this line the entry is applied. A crash before it applies the entry again.
        self.shared.current.load().db.write(batch).map_err(fault)?;
        drop(floor);
        if !changes.small.is_empty() {
            self.shared.small.write().unwrap_or_else(PoisonError::into_inner).write(changes.small);
        }
        for Change { key, value } in changes.recent {
            self.shared.recent.put(key, value);
        }
        if !changes.outcomes.is_empty() {
            let mut requests = self.shared.requests.write().unwrap_or_else(PoisonError::into_inner);
            changes.outcomes.iter().for_each(|Change { key, value }| requests.follow(key, value.as_ref()));
        }
        self.shared.applied.send_replace(applied.index());
        Ok(())
    }

    /// Makes a checkpoint in a directory of its own, which must not exist yet. It holds at least what was applied
    /// when this was called, and everything in it is on the disk.
    pub(crate) fn checkpoint(&self, path: &Path) -> io::Result<SnapshotDirectory> {
        let current = self.shared.current.load_full();
        Checkpoint::new(&current.db)
            .and_then(|checkpoint| checkpoint.create_checkpoint(path))
            .map_err(io::Error::other)?;
        let head = {
            let db = DB::open_for_read_only(&Options::default(), path, false).map_err(io::Error::other)?;
            read_head(&db).map_err(io::Error::other)?
        };
        let meta = SnapshotMeta { last_log_id: head.id, last_membership: head.membership };
        Ok(SnapshotDirectory::new(path.to_owned(), meta))
    }

    /// Replaces the register by a snapshot: built aside, synced, switched by one rename.
    pub(crate) fn install(&self, snapshot: &SnapshotDirectory) -> io::Result<Applied> {
        let shared = &self.shared;
        let old = shared.current.load_full();
        let number = old.number.saturating_add(1);
        let path = database_path(shared.directory.path(), number);
        link_or_copy(snapshot.path(), &path)?;
        let open = open_database(&path, number, &shared.cache, &shared.disk).map_err(io::Error::other)?;
        let applied = read_head(&open.db).map_err(io::Error::other)?;
        if applied.id != snapshot.meta().last_log_id {
            return Err(io::Error::other(format!(
                "the snapshot is of entry {:?}, its register of entry {:?}",
                snapshot.meta().last_log_id,
                applied.id
            )));
        }
        let rows = load_small(&open.db).map_err(io::Error::other)?;
        let outcomes = load_requests(&open.db).map_err(io::Error::other)?;
        // COMMIT: after this line the snapshot is the register. A crash before it leaves the old one.
        write_pointer(shared.directory.path(), number)?;
        {
            let mut small = shared.small.write().unwrap_or_else(PoisonError::into_inner);
            let mut floor = shared.expiry_floor.lock().unwrap_or_else(PoisonError::into_inner);
            shared.recent.forget(|| shared.current.store(Arc::new(open)));
            *small = rows;
            *shared.requests.write().unwrap_or_else(PoisonError::into_inner) = outcomes;
            *floor = vec![EXPIRIES];
        }
        old.directory.obsolete.store(true, Ordering::Release);
        shared.applied.send_replace(applied.index());
        Ok(applied)
    }

    /// Closes background work; the database itself closes with the last reference.
    pub(crate) fn close(&self) {
        self.shared.current.load().db.cancel_all_background_work(true);
    }
}

impl Register for RegisterStore {
    fn get(&self, key: &Key) -> Result<Option<Value>, StorageFault> {
        if is_small(key) {
            return self.shared.small.read().unwrap_or_else(PoisonError::into_inner).get(key);
        }
        if Recent::keeps(key) {
            return self.shared.recent.get_or(key, || self.read(key));
        }
        self.read(key)
    }

    fn scan(&self, from: &Key, limit: usize) -> Result<Vec<(Key, Value)>, StorageFault> {
        if is_small(from) {
            return self.shared.small.read().unwrap_or_else(PoisonError::into_inner).scan(from, limit);
        }
        match from {
            Key::Expiry(..) => self.scan_expiries(key::encode(from), limit),
            _ => scan(&self.shared.current.load().db, from, limit),
        }
    }

    fn outcomes_with(&self, request: RequestId) -> Option<LogIndex> {
        self.shared.requests.read().unwrap_or_else(PoisonError::into_inner).row_of(request)
    }
}

impl RegisterStore {
    fn read(&self, key: &Key) -> Result<Option<Value>, StorageFault> {
        let current = self.shared.current.load();
        let Some(octets) = current.db.get_pinned(key::encode(key)).map_err(fault)? else { return Ok(None) };
        codec::decode_value(key, &octets).map(Some).map_err(|e| unreadable(key, &e))
    }

    /// From the floor on; if everything before it was asked for, the first row found is the new floor.
    fn scan_expiries(&self, from: Vec<u8>, limit: usize) -> Result<Vec<(Key, Value)>, StorageFault> {
        let mut floor = self.shared.expiry_floor.lock().unwrap_or_else(PoisonError::into_inner);
        let from_floor = from <= *floor;
        let from = if from_floor { floor.clone() } else { from };
        let rows = scan_from(&self.shared.current.load().db, &from, EXPIRIES, limit)?;
        if let Some((first, _)) = rows.first().filter(|_| from_floor) {
            *floor = key::encode(first);
        }
        Ok(rows)
    }
}

/// An entry's changes, encoded once, for the digest and for the disk.
pub(crate) struct EncodedChanges {
    encoded: Vec<EncodedChange>,
    small: Vec<Change>,
    recent: Vec<Change>,
    outcomes: Vec<Change>,
}

impl EncodedChanges {
    pub(crate) fn of(changes: Vec<Change>) -> Self {
        let encoded = changes
            .iter()
            .map(|Change { key, value }| EncodedChange {
                key: key::encode(key),
                value: value.as_ref().map(codec::encode_value),
            })
            .collect();
        let (small, large): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| is_small(&change.key));
        let (outcomes, large): (Vec<_>, Vec<_>) =
            large.into_iter().partition(|change| matches!(change.key, Key::Outcomes(_)));
        let recent = large.into_iter().filter(|change| Recent::keeps(&change.key)).collect();
        Self { encoded, small, recent, outcomes }
    }

    /// H(previous ‖ changes), each change as its key, whether it sets or removes, and the row (R17).
    pub(crate) fn digest(&self, previous: Digest) -> Digest {
        let mut parts: Vec<&[u8]> = vec![&previous.0];
        for EncodedChange { key, value } in &self.encoded {
            parts.push(key);
            match value {
                Some(value) => parts.extend([&[1_u8][..], value]),
                None => parts.push(&[0]),
            }
        }
        Digest::over(&parts)
    }
}

/// The tables with a few rows for each CA, profile or member, and the intents that are open right now. All tables
/// are named here so that a new one is decided upon.
fn is_small(key: &Key) -> bool {
    match key {
        Key::Cluster
        | Key::Time
        | Key::Grant(_)
        | Key::Issuer(_)
        | Key::Profile(_)
        | Key::Member(_)
        | Key::KeyProof(..)
        | Key::Responder(..)
        | Key::OpenIntent(..)
        | Key::CrlScope(_)
        | Key::CaRequest(_)
        | Key::ClusterKey(_) => true,
        Key::JoinToken(_)
        | Key::Certificate(..)
        | Key::Revocation(..)
        | Key::Attempt(_)
        | Key::Outcomes(_)
        | Key::Expiry(..)
        | Key::History(_)
        | Key::Enrolment(_)
        | Key::Imported(_) => false,
    }
}

fn load_small(db: &DB) -> Result<MemoryRegister, StorageFault> {
    let no_key = KeyIdentifier([0; 20]);
    let tables = [
        Key::Cluster,
        Key::Time,
        Key::Grant(Digest([0; 32])),
        Key::Issuer(CaId::first()),
        Key::Member(NodeId(0)),
        Key::KeyProof(no_key, NodeId(0)),
        Key::Responder(CaId::first(), NodeId(0)),
        Key::OpenIntent(CaId::first(), SerialNumber::MIN),
        Key::CrlScope(ListId::whole(&CaId::first())),
        Key::CaRequest(CaId::first()),
        Key::ClusterKey(Digest([0; 32])),
    ];
    let mut small = MemoryRegister::default();
    let mut load = |rows: Vec<(Key, Value)>| {
        small.write(rows.into_iter().map(|(key, value)| Change { key, value: Some(value) }).collect());
    };
    for table in &tables {
        load(scan(db, table, usize::MAX)?);
    }
    // A profile's name is never empty, so there is no first key of its type.
    load(scan_from(db, &[PROFILES], PROFILES, usize::MAX)?);
    Ok(small)
}

/// The outcomes of the last minute and a half.
fn load_requests(db: &DB) -> Result<Requests, StorageFault> {
    let mut requests = Requests::default();
    for (key, value) in scan(db, &Key::Outcomes(LogIndex(0)), usize::MAX)? {
        requests.follow(&key, Some(&value));
    }
    Ok(requests)
}

/// Tables; see [`key::table`].
const PROFILES: u8 = 5;
/// See [`PROFILES`].
const EXPIRIES: u8 = 37;

fn scan(db: &DB, from: &Key, limit: usize) -> Result<Vec<(Key, Value)>, StorageFault> {
    scan_from(db, &key::encode(from), key::table(from), limit)
}

fn scan_from(db: &DB, from: &[u8], table: u8, limit: usize) -> Result<Vec<(Key, Value)>, StorageFault> {
    let mut options = ReadOptions::default();
    options.set_iterate_upper_bound([table.saturating_add(1)]);
    let rows = db.iterator_opt(IteratorMode::From(from, Direction::Forward), options);
    rows.take(limit)
        .map(|row| {
            let (octets, value) = row.map_err(fault)?;
            let key = key::decode(&octets).map_err(fault)?;
            let value = codec::decode_value(&key, &value).map_err(|e| unreadable(&key, &e))?;
            Ok((key, value))
        })
        .collect()
}

fn open_database(path: &Path, number: u64, cache: &Cache, disk: &Disk) -> Result<Open, StartStoreError> {
    let db = DB::open(&options(cache, disk), path).map_err(|e| damaged(&e))?;
    let directory = Leftover { path: path.to_owned(), obsolete: AtomicBool::new(false) };
    Ok(Open { db, number, directory })
}

fn read_head(db: &DB) -> Result<Applied, StartStoreError> {
    let Some(octets) = db.get(HEAD).map_err(|e| damaged(&e))? else { return Ok(Applied::nothing()) };
    let head = wire::RegisterHead::decode(Bytes::from(octets)).map_err(|e| damaged(&e))?;
    let digest = Digest(head.digest.as_ref().try_into().map_err(|e| damaged(&e))?);
    let membership = head.membership.map_or_else(
        || Ok(StoredMembership::default()),
        |stored| codec::stored_membership_from_wire(stored).map_err(|e| damaged(&e)),
    )?;
    Ok(Applied { id: head.applied.map(codec::log_id_from_wire), digest, membership })
}

fn encode_head(applied: &Applied) -> Vec<u8> {
    wire::RegisterHead {
        applied: applied.id.as_ref().map(codec::log_id_to_wire),
        digest: Bytes::copy_from_slice(&applied.digest.0),
        membership: Some(codec::stored_membership_to_wire(&applied.membership)),
    }
    .encode_to_vec()
}

fn database_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("register-{number}"))
}

fn read_pointer(directory: &Path) -> io::Result<Option<u64>> {
    match fs::read_to_string(directory.join(POINTER)) {
        Ok(text) => text.trim().parse().map(Some).map_err(io::Error::other),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn write_pointer(directory: &Path, number: u64) -> io::Result<()> {
    let aside = directory.join("register.next");
    let mut file = fs::File::create(&aside)?;
    file.write_all(number.to_string().as_bytes())?;
    file.sync_all()?;
    fs::rename(&aside, directory.join(POINTER))?;
    sync_directory(directory)
}

/// Removes every register but the current one: what an installation left that crashed before or after its switch.
fn remove_others(directory: &Path, current: Option<u64>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("register-")).map(str::parse::<u64>);
        if let Some(Ok(number)) = number
            && Some(number) != current
        {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn damaged(why: &impl ToString) -> StartStoreError {
    StartStoreError::Database { what: "the register database", why: why.to_string() }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn fault(why: impl ToString) -> StorageFault {
    StorageFault(why.to_string())
}

fn unreadable(key: &Key, why: &codec::CodecError) -> StorageFault {
    StorageFault(format!("row {key:?}: {why}"))
}
