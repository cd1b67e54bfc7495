//! What a node keeps on its disk.
//!
//! ```text
//!  lock                    held by the one process that has the directory open
//!  log/                    RocksDB: Raft's log, vote, identity, boot count, as_of — synced before it counts
//!  log.horizon             how far `log/` was synced: what a recovery must find again
//!  register-<n>/           RocksDB: the register; atomic per entry, synced by its snapshots only
//!  register.current        <n>
//!  snapshots/, incoming/   checkpoints made here, and received; emptied at start
//! ```

mod directory;
mod horizon;
pub(crate) mod key;
mod log;
mod recent;
mod register;
mod snapshot;

pub use self::directory::StartStoreError;
pub(crate) use self::directory::{DataDirectory, Identity};
pub(crate) use self::log::LogStore;
pub(crate) use self::register::{Applied as AppliedState, EncodedChanges, RegisterStore};
pub(crate) use self::snapshot::{SnapshotDirectory, sync_directory};

use std::sync::Arc;
use std::time::Duration;

use rocksdb::{BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, LogLevel, Options};

use crate::limits;
use crate::simulation::Observer;

/// A disk in a simulation.
#[derive(Clone)]
pub(crate) struct SimulatedDisk {
    /// How long the next sync takes.
    pub(crate) sync_takes: Arc<dyn Fn() -> Duration + Send + Sync>,
    /// Is told of each sync of the log.
    pub(crate) observer: Arc<dyn Observer>,
}

/// What is under the databases.
#[derive(Clone)]
pub(crate) enum Disk {
    Real,
    /// What is not synced stays in the process, so that the files are what a loss of power leaves.
    Simulated(SimulatedDisk),
}

/// RocksDB's settings, for both databases.
fn options(cache: &Cache, disk: &Disk) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_cache_index_and_filter_blocks(true);
    table.set_bloom_filter(10.0, false);
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&table);
    options.set_write_buffer_size(limits::WRITE_BUFFER_OCTETS);
    options.set_max_write_buffer_number(2);
    options.set_max_open_files(limits::OPEN_FILES_MAX);
    options.set_max_background_jobs(2);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(1 << 20);
    options.set_log_level(LogLevel::Warn);
    options.set_stats_dump_period_sec(0);
    // A torn last record is cut off; whether more than that is missing, the horizon tells.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_paranoid_checks(true);
    if matches!(disk, Disk::Simulated(_)) {
        options.set_manual_wal_flush(true);
        // Its write-ahead log is allocated in advance, and copied at each loss of power.
        options.set_write_buffer_size(limits::SIMULATED_BUFFER_OCTETS);
        // What RocksDB puts into a file by chance then does not show in its length, nor in how a snapshot travels.
        options.set_compression_type(DBCompressionType::None);
    }
    options
}
