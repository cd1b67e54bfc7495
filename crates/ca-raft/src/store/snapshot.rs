//! A snapshot: a checkpoint of the register as a directory of files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::consensus::SnapshotMeta;

/// A snapshot on the disk. The directory goes with the last reference, so that one that is being sent stays.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotDirectory {
    owned: Arc<Owned>,
}

#[derive(Debug)]
struct Owned {
    path: PathBuf,
    meta: SnapshotMeta,
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Err(e) = fs::remove_dir_all(&self.path) {
            // The next start empties the directory that it is in.
            tracing::warn!("the snapshot {} cannot be removed: {e}", self.path.display());
        }
    }
}

impl SnapshotDirectory {
    /// Takes over a directory.
    pub(crate) fn new(path: PathBuf, meta: SnapshotMeta) -> Self {
        Self { owned: Arc::new(Owned { path, meta }) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.owned.path
    }

    pub(crate) fn meta(&self) -> &SnapshotMeta {
        &self.owned.meta
    }

    /// Its files, by name.
    pub(crate) fn files(&self) -> io::Result<Vec<(String, PathBuf)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.path())? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|name| {
                io::Error::other(format!("{} is no name of a snapshot's file", name.display()))
            })?;
            files.push((name, entry.path()));
        }
        files.sort();
        Ok(files)
    }
}

/// Makes `to` hold the files of `from`, and syncs it. Table files never change, so they are linked; the others are
/// copied, for an open database writes to them.
pub(super) fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    // An installation that failed half-way may have left one.
    match fs::remove_dir_all(to) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let is_table = entry.path().extension().is_some_and(|extension| extension == "sst");
        if is_table {
            fs::hard_link(entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
        fs::File::open(&target)?.sync_all()?;
    }
    sync_directory(to)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}
