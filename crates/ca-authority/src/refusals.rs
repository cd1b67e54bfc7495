//! Refusals of known callers, on their way into the history (R16).
//!
//! Who asks in a loop for what it may not have must not fill the log: a node counts, and writes one command for each
//! caller and slug every [`REFUSALS_EVERY_MS`]. What it has counted and not written is lost with its process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ca_core::command::Command;
use ca_core::ids::UnixMillis;
use ca_core::outcome::Outcome;
use ca_core::roles::Identity;

use crate::authority::{Authority, Ports};
use crate::error::{ActError, Effect};
use crate::limits::{REFUSALS_EVERY_MS, REFUSALS_MAX};
use crate::ports::{Clock, Log};

/// What was counted since it was recorded last.
#[derive(Debug, Default)]
pub(crate) struct RefusalBook(Mutex<Counts>);

type Refused = BTreeMap<(Identity, &'static str), u64>;

#[derive(Debug, Default)]
struct Counts {
    refused: Refused,
    /// Those for which there was no room.
    uncounted: u64,
    taken_at: UnixMillis,
}

/// What one call recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordedRefusals {
    /// Rows in the history.
    pub rows: usize,
    /// Refusals for which there was no room: they stand in the node's own log alone.
    pub uncounted: u64,
}

impl<P: Ports> Authority<P> {
    /// Counts a refusal of a caller that is known.
    pub fn count_refusal(&self, by: Identity, slug: &'static str) {
        self.refusals.add(by, slug, 1);
    }

    /// Writes what was counted, if the time for it has come.
    ///
    /// # Errors
    /// [`ActError`]: call again. Refusals that are not known to be written are not written twice.
    pub async fn record_refusals(&self) -> Result<RecordedRefusals, ActError> {
        let Some((refused, uncounted)) = self.refusals.take(self.ports.clock().now()) else {
            return Ok(RecordedRefusals::default());
        };
        let mut recorded = RecordedRefusals { rows: 0, uncounted };
        let mut left = refused.into_iter();
        while let Some(((by, slug), count)) = left.next() {
            match self.record(by, slug, count).await {
                Ok(()) => recorded.rows = recorded.rows.saturating_add(1),
                Err(error) => {
                    if error.effect() == Effect::NotApplied {
                        self.refusals.add(by, slug, count);
                    }
                    left.for_each(|((by, slug), count)| self.refusals.add(by, slug, count));
                    return Err(error);
                }
            }
        }
        Ok(recorded)
    }

    async fn record(&self, by: Identity, slug: &str, count: u64) -> Result<(), ActError> {
        let command = Command::RecordRefusals { by, slug: slug.to_owned(), count };
        // COMMIT: its row is the act.
        match self.ports.log().append(command).await?.into_outcome() {
            Outcome::Done => Ok(()),
            outcome => Err(ActError::from_outcome(outcome)),
        }
    }
}

impl RefusalBook {
    fn add(&self, by: Identity, slug: &'static str, count: u64) {
        let mut counts = self.lock();
        let full = counts.refused.len() >= REFUSALS_MAX;
        match counts.refused.get_mut(&(by, slug)) {
            Some(so_far) => *so_far = so_far.saturating_add(count),
            None if full => counts.uncounted = counts.uncounted.saturating_add(count),
            None => {
                counts.refused.insert((by, slug), count);
            }
        }
    }

    fn take(&self, now: UnixMillis) -> Option<(Refused, u64)> {
        let mut counts = self.lock();
        let due = now.since(counts.taken_at) >= REFUSALS_EVERY_MS;
        if !due || counts.refused.is_empty() {
            return None;
        }
        counts.taken_at = now;
        let uncounted = std::mem::take(&mut counts.uncounted);
        Some((std::mem::take(&mut counts.refused), uncounted))
    }

    /// Whoever panicked while it held the lock left counts as they were.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use ca_core::ids::Digest;

    use super::*;

    fn caller(number: u64) -> Identity {
        Identity::Client(Digest::over(&[&number.to_be_bytes()]))
    }

    #[test]
    fn r16_what_is_counted_is_bounded_and_taken_once() {
        let book = RefusalBook::default();
        let beyond = u64::try_from(REFUSALS_MAX).unwrap() + 3;
        (0..beyond).for_each(|number| book.add(caller(number), "forbidden", 1));
        book.add(caller(0), "forbidden", 2);
        let (refused, uncounted) = book.take(UnixMillis(REFUSALS_EVERY_MS)).unwrap();
        assert_eq!((refused.len(), uncounted), (REFUSALS_MAX, 3));
        assert_eq!(refused.get(&(caller(0), "forbidden")), Some(&3));
        assert_eq!(book.take(UnixMillis(9 * REFUSALS_EVERY_MS)), None);
    }
}
