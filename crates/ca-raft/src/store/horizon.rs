//! How far the log database was synced: what a recovery must find again.
//!
//! RocksDB's recovery stops at the first bad record of its write-ahead log and opens without complaint, so that a
//! node could forget what it has acknowledged. So RocksDB's sequence number is noted here after each sync. After a
//! restart the database must have reached it; a bad record above it is the torn tail of a write that nobody was
//! told about.
//!
//! The note itself is not synced: an older one is true too, only weaker, and what one kill of the process can lose
//! is nothing.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use ca_core::ids::Digest;

/// The note's octets: a sequence number and the first 8 octets of its SHA-256.
const NOTE_OCTETS: usize = 16;

#[derive(Debug)]
pub(super) struct Horizon {
    file: File,
}

impl Horizon {
    /// Opens the note, and reads it; `None` if there is none, or its checksum is wrong (a torn write: it promises
    /// nothing).
    pub(super) fn open(path: &Path) -> io::Result<(Self, Option<u64>)> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut note = [0; NOTE_OCTETS];
        let read = match file.read_exact_at(&mut note, 0) {
            Ok(()) => Some(note),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(e) => return Err(e),
        };
        let sequence = read.and_then(|note| {
            let sequence = u64::from_be_bytes(*note.first_chunk()?);
            (encode(sequence) == note).then_some(sequence)
        });
        Ok((Self { file }, sequence))
    }

    /// Everything up to `sequence` is synced.
    pub(super) fn note(&self, sequence: u64) -> io::Result<()> {
        self.file.write_all_at(&encode(sequence), 0)
    }
}

fn encode(sequence: u64) -> [u8; NOTE_OCTETS] {
    let sequence = sequence.to_be_bytes();
    let digest = Digest::of(&sequence);
    let mut note = [0; NOTE_OCTETS];
    for (to, from) in note.iter_mut().zip(sequence.iter().chain(digest.0.iter())) {
        *to = *from;
    }
    note
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back_and_a_torn_one_promises_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("horizon");
        let (horizon, read) = Horizon::open(&path).unwrap();
        assert_eq!(read, None);
        horizon.note(7).unwrap();
        horizon.note(1 << 40).unwrap();
        assert_eq!(Horizon::open(&path).unwrap().1, Some(1 << 40));
        std::fs::write(&path, [0xff; 9]).unwrap();
        assert_eq!(Horizon::open(&path).unwrap().1, None);
        std::fs::write(&path, [0xff; 16]).unwrap();
        assert_eq!(Horizon::open(&path).unwrap().1, None);
    }
}
