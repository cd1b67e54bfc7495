//! A node's data directory, and what a loss of power leaves of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the files are: in memory, where the machine has such a place.
pub(super) fn place() -> io::Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}

/// What is on the disk at this moment: what is not synced is in the process alone
/// (`ca_raft::simulation::SimulatedOptions::data_dir`).
#[derive(Debug)]
pub(super) struct Image {
    of: PathBuf,
    copy: PathBuf,
}

impl Image {
    /// Taken while the node still runs: closing its databases would write what they hold.
    pub(super) fn take(of: &Path) -> io::Result<Self> {
        let image = Self { of: of.to_owned(), copy: of.with_extension("image") };
        if image.copy.exists() {
            fs::remove_dir_all(&image.copy)?;
        }
        copy(&image.of, &image.copy)?;
        Ok(image)
    }

    /// Put back after the node is gone.
    pub(super) fn put_back(self) -> io::Result<()> {
        fs::remove_dir_all(&self.of)?;
        fs::rename(&self.copy, &self.of)
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
