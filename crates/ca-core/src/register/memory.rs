//! The register in memory, and the view that the commands of one batch share.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::mem::discriminant;

use super::{Change, Key, Register, Requests, StorageFault, Value};
use crate::ids::{LogIndex, RequestId};

/// The whole register in one ordered map: for the simulator, and the oracle for the one on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryRegister {
    rows: BTreeMap<Key, Value>,
    requests: Requests,
}

impl MemoryRegister {
    /// Makes the changes, in their order.
    pub fn write(&mut self, changes: Vec<Change>) {
        for Change { key, value } in changes {
            self.requests.follow(&key, value.as_ref());
            match value {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
    }
}

impl Register for MemoryRegister {
    fn get(&self, key: &Key) -> Result<Option<Value>, StorageFault> {
        Ok(self.rows.get(key).cloned())
    }

    fn scan(&self, from: &Key, limit: usize) -> Result<Vec<(Key, Value)>, StorageFault> {
        let rows = self.rows.range(from..);
        let table = rows.take_while(|(key, _)| discriminant(*key) == discriminant(from));
        Ok(table.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn outcomes_with(&self, request: RequestId) -> Option<LogIndex> {
        self.requests.row_of(request)
    }
}

/// A register and changes that are not written yet.
///
/// The commands of one batch are applied on it one after another; their changes are then written at once.
pub struct Overlay<'a> {
    below: &'a dyn Register,
    changed: BTreeMap<Key, Option<Value>>,
    requests: Requests,
}

impl core::fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Overlay").field("changed", &self.changed).finish_non_exhaustive()
    }
}

impl<'a> Overlay<'a> {
    /// Nothing changed yet.
    #[must_use]
    pub fn over(below: &'a dyn Register) -> Self {
        Self { below, changed: BTreeMap::new(), requests: Requests::default() }
    }

    /// Sees the changes from now on.
    pub fn absorb(&mut self, changes: Vec<Change>) {
        for Change { key, value } in changes {
            self.requests.follow(&key, value.as_ref());
            self.changed.insert(key, value);
        }
    }

    /// What to write below: one change a row, in the order of the rows.
    #[must_use]
    pub fn into_changes(self) -> Vec<Change> {
        self.changed.into_iter().map(|(key, value)| Change { key, value }).collect()
    }
}

impl Register for Overlay<'_> {
    fn get(&self, key: &Key) -> Result<Option<Value>, StorageFault> {
        match self.changed.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.below.get(key),
        }
    }

    fn scan(&self, from: &Key, limit: usize) -> Result<Vec<(Key, Value)>, StorageFault> {
        let changed = self.changed.range(from..);
        let changed: Vec<_> =
            changed.take_while(|(key, _)| discriminant(*key) == discriminant(from)).collect();
        // Every removal may hide one row below: so many more are needed to fill the limit.
        let hidden = changed.iter().filter(|(_, value)| value.is_none()).count();
        let below = self.below.scan(from, limit.saturating_add(hidden))?;
        let mut rows: BTreeMap<Key, Value> = below.into_iter().collect();
        for (key, value) in changed {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(rows.into_iter().take(limit).collect())
    }

    fn outcomes_with(&self, request: RequestId) -> Option<LogIndex> {
        let here = self.requests.row_of(request);
        let below = || self.below.outcomes_with(request);
        here.or_else(|| below().filter(|row| !self.changed.contains_key(&Key::Outcomes(*row))))
    }
}
