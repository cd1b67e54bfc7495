//! Rows that were read or written lately, as values.
//!
//! A certificate's row is read on its way five times on each node, and the rows of the CAs above it with each: from
//! here, without a look into the database and without decoding. That a row is not there is kept as well.

use std::array;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ca_core::register::{Key, StorageFault, Value};

use crate::limits::{RECENT_ROWS, RECENT_SHARDS};

/// What is known of some rows: as old as the last write, or newer.
#[derive(Debug)]
pub(super) struct Recent {
    hasher: RandomState,
    shards: [Mutex<Rows>; RECENT_SHARDS],
}

/// Two generations: what is not asked for while one fills leaves with the next.
#[derive(Debug, Default)]
struct Rows {
    young: HashMap<Key, Option<Value>>,
    old: HashMap<Key, Option<Value>>,
}

impl Recent {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), shards: array::from_fn(|_| Mutex::default()) }
    }

    /// Whether rows of this table are kept: those that are read again, and of which there may be millions.
    pub(super) fn keeps(key: &Key) -> bool {
        matches!(key, Key::Certificate(..) | Key::Revocation(..))
    }

    /// The row, from here or as `read` finds it.
    ///
    /// Nobody else reads or replaces it meanwhile: a value that a write has replaced cannot come after that of the
    /// write.
    pub(super) fn get_or(
        &self,
        key: &Key,
        read: impl FnOnce() -> Result<Option<Value>, StorageFault>,
    ) -> Result<Option<Value>, StorageFault> {
        let mut rows = self.rows(key);
        if let Some(known) = rows.get(key) {
            return Ok(known);
        }
        let found = read()?;
        rows.put(key.clone(), found.clone());
        Ok(found)
    }

    /// The row was written, and whoever reads the database now finds it.
    pub(super) fn put(&self, key: Key, value: Option<Value>) {
        self.rows(&key).put(key, value);
    }

    /// Forgets all, while `switch` puts another database in the place of the one that they are from.
    pub(super) fn forget(&self, switch: impl FnOnce()) {
        let mut all: Vec<MutexGuard<'_, Rows>> =
            self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner)).collect();
        switch();
        all.iter_mut().for_each(|rows| **rows = Rows::default());
    }

    fn rows(&self, key: &Key) -> MutexGuard<'_, Rows> {
        let hash = self.hasher.hash_one(key);
        let [first, ..] = &self.shards;
        let place = usize::try_from(hash).unwrap_or_default().checked_rem(RECENT_SHARDS).unwrap_or_default();
        let shard = self.shards.get(place).unwrap_or(first);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn get(&mut self, key: &Key) -> Option<Option<Value>> {
        if let Some(known) = self.young.get(key) {
            return Some(known.clone());
        }
        // It is asked for: it stays.
        let (key, known) = self.old.remove_entry(key)?;
        self.put(key, known.clone());
        Some(known)
    }

    fn put(&mut self, key: Key, value: Option<Value>) {
        self.young.insert(key, value);
        if self.young.len() >= RECENT_ROWS / RECENT_SHARDS / 2 {
            self.old = std::mem::take(&mut self.young);
        }
    }
}

#[cfg(test)]
mod tests {
    use ca_core::ids::CaId;
    use ca_core::register::Revocation;
    use ca_x509::serial::SerialNumber;
    use ca_x509::time::UnixSeconds;

    use super::*;

    fn key(number: u128) -> Key {
        Key::Revocation(CaId::first(), SerialNumber::from_random(number.to_be_bytes()))
    }

    fn row(at: u64) -> Option<Value> {
        Some(Value::Revocation(Revocation { not_after: UnixSeconds(at), events: vec![] }))
    }

    #[test]
    fn a_row_is_read_once_and_what_was_written_replaces_it() {
        let recent = Recent::new();
        assert_eq!(recent.get_or(&key(1), || Ok(row(1))), Ok(row(1)));
        assert_eq!(recent.get_or(&key(1), || Err(StorageFault("read again".into()))), Ok(row(1)));
        recent.put(key(1), row(2));
        assert_eq!(recent.get_or(&key(1), || Ok(None)), Ok(row(2)));
        recent.put(key(1), None);
        assert_eq!(recent.get_or(&key(1), || Ok(row(3))), Ok(None));
        recent.forget(|| ());
        assert_eq!(recent.get_or(&key(1), || Ok(row(4))), Ok(row(4)));
    }

    #[test]
    fn what_is_asked_for_stays_and_all_is_bounded() {
        let recent = Recent::new();
        recent.put(key(0), row(7));
        let many = u128::try_from(RECENT_ROWS).unwrap() * 8;
        for number in 1..=many {
            recent.put(key(number), None);
            assert_eq!(recent.get_or(&key(0), || Ok(None)), Ok(row(7)), "{number}");
        }
        let kept: usize = recent
            .shards
            .iter()
            .map(|shard| {
                let rows = shard.lock().unwrap();
                rows.young.len() + rows.old.len()
            })
            .sum();
        assert!(kept <= RECENT_ROWS, "{kept}");
        assert_eq!(recent.get_or(&key(1), || Ok(row(9))), Ok(row(9)), "the first of many is gone");
    }

    #[test]
    fn a_fault_is_not_kept() {
        let recent = Recent::new();
        let fault = StorageFault("the disk".into());
        assert_eq!(recent.get_or(&key(1), || Err(fault.clone())), Err(fault));
        assert_eq!(recent.get_or(&key(1), || Ok(None)), Ok(None));
    }
}
