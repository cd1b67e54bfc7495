//! The data directory: one process, one cluster, one node.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use ca_core::ids::{ClusterId, NodeId};

/// Whose data it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) cluster: ClusterId,
    pub(crate) node: NodeId,
}

/// Why the stored data cannot be used. None of it is changed; none of it heals by trying again.
#[derive(Debug, thiserror::Error)]
pub enum StartStoreError {
    /// Another process holds the directory.
    #[error("{} is in use by another process", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The directory belongs to somebody else.
    #[error(
        "{} belongs to node {stored_node} of cluster {stored_cluster}, not to node {node} of cluster {cluster}",
        path.display()
    )]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        stored_cluster: ClusterId,
        /// Whose it is.
        stored_node: NodeId,
        /// Who opens it.
        cluster: ClusterId,
        /// Who opens it.
        node: NodeId,
    },
    /// Less is there than was acknowledged: the disk lost it. The node must leave and join again under a new
    /// number; what it would vote now could contradict what it said.
    #[error(
        "the log database ends at {found}, but was synced up to {horizon}: acknowledged entries are lost"
    )]
    Lost {
        /// RocksDB's last sequence number.
        found: u64,
        /// The one that was noted after a sync.
        horizon: u64,
    },
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// RocksDB failed, or holds what we never wrote.
    #[error("{what}: {why}")]
    Database {
        /// Which one.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
}

/// An open data directory. The lock goes with the last reference.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    /// Held open for its lock.
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory if needed and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, StartStoreError> {
        let io = |source| StartStoreError::Io { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(io)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join("lock"))
            .map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StartStoreError::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A subdirectory that is empty from now on.
    pub(crate) fn emptied(&self, name: &str) -> Result<PathBuf, StartStoreError> {
        let path = self.path.join(name);
        let io = |source| StartStoreError::Io { path: path.clone(), source };
        match fs::remove_dir_all(&path) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(io(e)),
        }
        fs::create_dir_all(&path).map_err(io)?;
        Ok(path)
    }
}
