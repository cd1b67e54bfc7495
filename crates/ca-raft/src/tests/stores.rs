//! The stores alone.

use std::sync::Arc;

use ca_core::apply::{Moment, apply};
use ca_core::command::Envelope;
use ca_core::ids::{ClusterId, Digest, LogIndex, NodeId, UnixMillis};
use ca_core::register::{Change, Key, MemoryRegister, Register as _, Value};
use openraft::StorageError;
use openraft::storage::{IOFlushed, RaftLogReader as _, RaftLogStorage as _};
use openraft::testing::log::{StoreBuilder, Suite};
use openraft::testing::{blank_ent, log_id};
use proptest::prelude::*;
use rocksdb::Cache;
use tempfile::TempDir;

use crate::clock::WallClock;
use crate::consensus::{StoredMembership, Types, Vote};
use crate::generate;
use crate::machine::{Machine, Progress, Snapshots};
use crate::stop::Stop;
use crate::store::{
    AppliedState, DataDirectory, Disk, EncodedChanges, Identity, LogStore, RegisterStore, StartStoreError,
};

fn identity() -> Identity {
    Identity { cluster: ClusterId([7; 16]), node: NodeId(1) }
}

/// Closes the flusher before the directory goes.
struct Guard {
    logs: LogStore,
    _directory: TempDir,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.logs.close();
    }
}

pub(super) fn open(
    directory: &TempDir,
) -> Result<(LogStore, RegisterStore, AppliedState, Stop), StartStoreError> {
    let data = Arc::new(DataDirectory::open(directory.path())?);
    let cache = Cache::new_lru_cache(1 << 20);
    let (register, applied) = RegisterStore::open(Arc::clone(&data), &cache, &Disk::Real)?;
    let stop = Stop::new();
    let logs =
        LogStore::open(&data, &cache, &Disk::Real, identity(), register.watch_applied(), stop.clone())?;
    Ok((logs, register, applied, stop))
}

struct Builder;

impl StoreBuilder<Types, LogStore, Machine, Guard> for Builder {
    async fn build(&self) -> Result<(Guard, LogStore, Machine), StorageError<Types>> {
        let directory = tempfile::tempdir().unwrap();
        let (logs, register, applied, stop) = open(&directory).unwrap();
        let snapshots = Snapshots::new(directory.path().join("snapshots"));
        std::fs::create_dir_all(directory.path().join("snapshots")).unwrap();
        let progress = Arc::new(Progress::new(&applied, WallClock::system()));
        let machine = Machine::new(register, applied, progress, snapshots, stop, None);
        Ok((Guard { logs: logs.clone(), _directory: directory }, logs, machine))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openrafts_own_suite_passes() {
    Suite::test_all(Builder).await.unwrap();
}

async fn append(logs: &mut LogStore, indexes: std::ops::Range<u64>) {
    let (sender, synced) = <Types as openraft::type_config::TypeConfigExt>::oneshot();
    let entries: Vec<_> = indexes.map(|index| blank_ent::<Types>(1, 1, index)).collect();
    logs.append(entries, IOFlushed::signal(sender)).await.unwrap();
    synced.await.unwrap().unwrap();
}

#[tokio::test]
async fn vote_log_and_as_of_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    {
        let (mut logs, _register, _, _) = open(&directory).unwrap();
        logs.save_vote(&Vote::new_committed(3, 2)).await.unwrap();
        append(&mut logs, 0..10).await;
        logs.save_committed(Some(log_id::<Types>(1, 1, 8))).await.unwrap();
        logs.store_as_of(UnixMillis(77)).unwrap();
        assert_eq!(logs.boots(), 1);
        logs.close();
    }
    let (mut logs, _register, _, _) = open(&directory).unwrap();
    assert_eq!(logs.read_vote().await.unwrap(), Some(Vote::new_committed(3, 2)));
    assert_eq!(logs.try_get_log_entries(..).await.unwrap().len(), 10);
    assert_eq!(logs.committed().unwrap(), LogIndex(8));
    assert_eq!(logs.as_of().unwrap(), Some(UnixMillis(77)));
    assert_eq!(logs.boots(), 2);
    logs.close();
}

/// R3: old voters that meet a promoted node must not overwrite what it applied.
#[tokio::test]
async fn r3_an_applied_entry_is_never_truncated() {
    let directory = tempfile::tempdir().unwrap();
    let (mut logs, register, mut applied, stop) = open(&directory).unwrap();
    append(&mut logs, 0..10).await;
    applied.id = Some(log_id::<Types>(1, 1, 5));
    register.write(EncodedChanges::of(Vec::new()), &applied).unwrap();
    logs.truncate_after(Some(log_id::<Types>(1, 1, 5))).await.unwrap();
    assert_eq!(logs.try_get_log_entries(..).await.unwrap().len(), 6);
    assert!(!stop.is_set());
    assert!(logs.truncate_after(Some(log_id::<Types>(1, 1, 4))).await.is_err());
    assert!(stop.is_set());
    assert_eq!(logs.try_get_log_entries(..).await.unwrap().len(), 6, "the log stays");
    logs.close();
}

/// I24: RocksDB opens without complaint when its log ends early; the horizon tells.
#[tokio::test]
async fn i24_a_log_that_lost_what_was_synced_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    {
        let (mut logs, _register, _, _) = open(&directory).unwrap();
        append(&mut logs, 0..50).await;
        logs.close();
    }
    let wal = std::fs::read_dir(directory.path().join("log")).unwrap();
    let wal =
        wal.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "log"));
    for path in wal {
        let length = std::fs::metadata(&path).unwrap().len();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length / 2).unwrap();
    }
    let refused = open(&directory).map(drop).unwrap_err();
    assert!(matches!(refused, StartStoreError::Lost { .. }), "{refused}");
}

#[tokio::test]
async fn a_directory_in_use_and_a_foreign_one_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (logs, register, _, stop) = open(&directory).unwrap();
    assert!(matches!(open(&directory).map(drop), Err(StartStoreError::Locked { .. })));
    logs.close();
    drop((logs, register));
    let data = Arc::new(DataDirectory::open(directory.path()).unwrap());
    let cache = Cache::new_lru_cache(1 << 20);
    let (register, _) = RegisterStore::open(Arc::clone(&data), &cache, &Disk::Real).unwrap();
    for other in
        [Identity { node: NodeId(2), ..identity() }, Identity { cluster: ClusterId([8; 16]), ..identity() }]
    {
        let opened =
            LogStore::open(&data, &cache, &Disk::Real, other, register.watch_applied(), stop.clone());
        assert!(matches!(opened.map(drop), Err(StartStoreError::Foreign { .. })));
    }
}

/// A crash in the middle of an installation leaves a directory that nothing points to.
#[test]
fn a_half_installed_register_does_not_survive_a_start() {
    let directory = tempfile::tempdir().unwrap();
    open(&directory).unwrap().0.close();
    let half = directory.path().join("register-1");
    std::fs::create_dir(&half).unwrap();
    std::fs::write(half.join("CURRENT"), "MANIFEST-000001\n").unwrap();
    let (logs, register, _, _) = open(&directory).unwrap();
    assert!(!half.exists());
    assert_eq!(register.get(&Key::Cluster), Ok(None));
    logs.close();
}

#[test]
fn an_installed_snapshot_replaces_every_row_and_survives_a_restart() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let row = |node, time| {
        vec![
            Change { key: Key::Time, value: Some(Value::Time(UnixMillis(time))) },
            Change {
                key: Key::Attempt(Digest([node; 32])),
                value: Some(Value::Attempt(ca_core::register::Attempt {
                    body: Digest([node; 32]),
                    ca: "ca".parse().unwrap(),
                    serial: ca_x509::serial::SerialNumber::from_be_bytes(&[node]).unwrap(),
                    since: UnixMillis(time),
                })),
            },
        ]
    };
    let state = |index, digest| AppliedState {
        id: Some(log_id::<Types>(1, 1, index)),
        digest: Digest([digest; 32]),
        membership: StoredMembership::default(),
    };
    let (logs_one, register, _, _) = open(&one).unwrap();
    register.write(EncodedChanges::of(row(1, 10)), &state(5, 5)).unwrap();
    let snapshot = register.checkpoint(&one.path().join("snapshot")).unwrap();
    assert_eq!(snapshot.meta().last_log_id, Some(log_id::<Types>(1, 1, 5)));
    register.write(EncodedChanges::of(row(3, 11)), &state(6, 6)).unwrap();
    {
        let (logs, register, _, _) = open(&other).unwrap();
        register.write(EncodedChanges::of(row(2, 20)), &state(1, 1)).unwrap();
        assert_eq!(register.install(&snapshot).unwrap(), state(5, 5));
        assert_eq!(register.get(&Key::Time), Ok(Some(Value::Time(UnixMillis(10)))));
        logs.close();
    }
    let (logs, register, applied, _) = open(&other).unwrap();
    assert_eq!(applied, state(5, 5));
    assert_eq!(register.get(&Key::Time), Ok(Some(Value::Time(UnixMillis(10)))));
    assert_eq!(register.scan(&Key::Attempt(Digest([0; 32])), 10).unwrap().len(), 1);
    assert!(register.get(&Key::Attempt(Digest([1; 32]))).unwrap().is_some());
    logs.close();
    logs_one.close();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Expiring rows come at any place and leave at the front; the shortcut past those that left hides none.
    #[test]
    fn no_expiring_row_is_overlooked(
        steps in proptest::collection::vec((proptest::collection::vec(0_u64..40, 0..4), 0_u64..40, 0_usize..4), 1..30),
    ) {
        use ca_core::register::Expiring;
        let directory = tempfile::tempdir().unwrap();
        let (logs, disk, applied, _) = open(&directory).unwrap();
        let mut memory = MemoryRegister::default();
        let key = |at| Key::Expiry(UnixMillis(at), LogIndex(0));
        let leaving = Value::Expiry(vec![Expiring::Outcomes(LogIndex(0))]);
        for (set, from, remove) in steps {
            let mut changes: Vec<Change> =
                set.into_iter().map(|at| Change { key: key(at), value: Some(leaving.clone()) }).collect();
            let front = disk.scan(&key(0), remove).unwrap();
            prop_assert_eq!(&front, &memory.scan(&key(0), remove).unwrap());
            changes.splice(0..0, front.into_iter().map(|(key, _)| Change { key, value: None }));
            disk.write(EncodedChanges::of(changes.clone()), &applied).unwrap();
            memory.write(changes);
            prop_assert_eq!(disk.scan(&key(from), 5).unwrap(), memory.scan(&key(from), 5).unwrap());
        }
        prop_assert_eq!(disk.scan(&key(0), 99).unwrap(), memory.scan(&key(0), 99).unwrap());
        logs.close();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The register on disk is the register in memory: rows, order and digest.
    #[test]
    fn disk_and_memory_agree(
        batches in proptest::collection::vec(proptest::collection::vec(generate::envelope(), 1..5), 1..12),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (logs, disk, mut applied, _) = open(&directory).unwrap();
        let mut memory = MemoryRegister::default();
        let mut digest = applied.digest;
        let (mut keys, mut requests) = (Vec::new(), Vec::new());
        for (index, batch) in (1..).zip(batches) {
            let run = |below: &dyn ca_core::register::Register| {
                // One in two is in time.
                let envelopes = batch.iter().cloned().map(|envelope| match index % 2 {
                    0 => Envelope { expires_at: UnixMillis(u64::MAX / 2), ..envelope },
                    _ => envelope,
                });
                let at = Moment { index: LogIndex(index), time: UnixMillis(index * 1000) };
                apply(below, at, envelopes).unwrap().changes
            };
            let (of_disk, of_memory) = (run(&disk), run(&memory));
            prop_assert_eq!(&of_disk, &of_memory);
            requests.extend(batch.iter().map(|envelope| envelope.id));
            keys.extend(of_memory.iter().map(|change| change.key.clone()));
            let changes = EncodedChanges::of(of_disk);
            applied.digest = changes.digest(applied.digest);
            applied.id = Some(log_id::<Types>(1, 1, index));
            digest = EncodedChanges::of(of_memory.clone()).digest(digest);
            prop_assert_eq!(applied.digest, digest);
            disk.write(changes, &applied).unwrap();
            memory.write(of_memory);
        }
        for request in &requests {
            prop_assert_eq!(disk.outcomes_with(*request), memory.outcomes_with(*request));
            prop_assert!(memory.outcomes_with(*request).is_some());
        }
        for key in &keys {
            prop_assert_eq!(disk.get(key).unwrap(), memory.get(key).unwrap());
            prop_assert_eq!(disk.scan(key, 3).unwrap(), memory.scan(key, 3).unwrap());
        }
        logs.close();
    }
}
