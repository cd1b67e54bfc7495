//! The leader's stamp on a batch, from which register time follows (R8).

use std::sync::{Mutex, PoisonError};

use ca_core::ids::UnixMillis;
use tokio::time::Instant;

use crate::clock::WallClock;
use crate::limits::CLOCK_OFF_MS_MAX;

/// Remembers the latest stamp, so that a clock that leaps cannot take register time along.
#[derive(Debug)]
pub(crate) struct Stamps {
    clock: WallClock,
    latest: Mutex<Option<Latest>>,
}

#[derive(Clone, Copy, Debug)]
struct Latest {
    stamp: UnixMillis,
    seen: Instant,
    /// How far the next stamps may still run ahead of the time that passes. It comes back with that time and not with
    /// each batch: a leader an hour off would otherwise take register time along within a thousand batches.
    leap_ms: u64,
}

impl Stamps {
    pub(crate) fn new(clock: WallClock) -> Self {
        Self { clock, latest: Mutex::new(None) }
    }

    /// The stamp of a batch that this node proposes now, as leader.
    pub(crate) fn next(&self) -> UnixMillis {
        self.next_at(self.clock.now(), Instant::now())
    }

    /// A batch with this stamp was applied.
    pub(crate) fn seen(&self, stamp: UnixMillis) {
        self.seen_at(stamp, self.clock.now(), Instant::now());
    }

    fn next_at(&self, wall: UnixMillis, now: Instant) -> UnixMillis {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let (stamp, leap_ms) = match *latest {
            None => (wall, CLOCK_OFF_MS_MAX),
            Some(Latest { stamp, seen, leap_ms }) => {
                let elapsed =
                    u64::try_from(now.saturating_duration_since(seen).as_millis()).unwrap_or(u64::MAX);
                let leap_ms = leap_ms.saturating_add(elapsed).min(CLOCK_OFF_MS_MAX);
                let due = stamp.plus(elapsed);
                let next = wall.clamp(stamp, due.plus(leap_ms));
                (next, leap_ms.saturating_sub(next.since(due)))
            }
        };
        *latest = Some(Latest { stamp, seen: now, leap_ms });
        stamp
    }

    /// A stamp holds this node's clock only if the two agreed when it came: entries that are replayed after a
    /// start are as old as the pause was long, and say nothing about now.
    fn seen_at(&self, stamp: UnixMillis, wall: UnixMillis, now: Instant) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = latest.is_none_or(|latest| stamp > latest.stamp);
        let live = wall.since(stamp) <= CLOCK_OFF_MS_MAX;
        if newer && (live || latest.is_some()) {
            *latest = Some(Latest { stamp, seen: now, leap_ms: CLOCK_OFF_MS_MAX });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn r8_a_clock_that_leaps_takes_a_stamp_five_seconds_at_most() {
        let (stamps, now) = (Stamps::new(WallClock::system()), Instant::now());
        assert_eq!(stamps.next_at(UnixMillis(100_000), now), UnixMillis(100_000));
        let later = now + Duration::from_millis(300);
        assert_eq!(stamps.next_at(UnixMillis(9_000_000), later), UnixMillis(105_300));
    }

    /// Mechanism: `leap_ms` is spent by a stamp that runs ahead and comes back with the time that passes.
    #[test]
    fn r8_many_batches_take_a_stamp_no_further_than_few() {
        let (stamps, start) = (Stamps::new(WallClock::system()), Instant::now());
        let (first, ahead) = (UnixMillis(100_000), UnixMillis(9_000_000));
        assert_eq!(stamps.next_at(first, start), first);
        let mut last = first;
        for batch in 1..=1_000 {
            last = stamps.next_at(ahead, start + Duration::from_millis(batch));
        }
        // A second has passed, the leap was 5 s, and a second of it came back.
        assert_eq!(last, UnixMillis(106_999));
        // However long the silence, no more than one leap has come back.
        assert_eq!(stamps.next_at(ahead, start + Duration::from_millis(61_000)), UnixMillis(171_999));
    }

    #[test]
    fn r8_a_clock_that_steps_back_keeps_the_stamp() {
        let (stamps, now) = (Stamps::new(WallClock::system()), Instant::now());
        stamps.seen_at(UnixMillis(100_000), UnixMillis(100_000), now);
        assert_eq!(stamps.next_at(UnixMillis(50_000), now), UnixMillis(100_000));
    }

    #[test]
    fn r8_replayed_stamps_do_not_hold_the_clock_in_the_past() {
        let (stamps, now) = (Stamps::new(WallClock::system()), Instant::now());
        stamps.seen_at(UnixMillis(100_000), UnixMillis(90_000_000), now);
        assert_eq!(stamps.next_at(UnixMillis(90_000_000), now), UnixMillis(90_000_000));
    }
}
