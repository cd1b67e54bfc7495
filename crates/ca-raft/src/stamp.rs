//! The leader's stamp on a batch, from which register time follows (R8).

use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ca_core::ids::UnixMillis;

use crate::limits::STAMP_LEAP_MS;

/// Remembers the latest stamp, so that a clock that leaps cannot take register time along.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    latest: Mutex<Option<Latest>>,
}

#[derive(Clone, Copy, Debug)]
struct Latest {
    stamp: UnixMillis,
    seen: Instant,
}

impl Stamps {
    /// The stamp of a batch that this node proposes now, as leader.
    pub(crate) fn next(&self) -> UnixMillis {
        self.next_at(wall_clock(), Instant::now())
    }

    /// A batch with this stamp was applied.
    pub(crate) fn seen(&self, stamp: UnixMillis) {
        self.seen_at(stamp, wall_clock(), Instant::now());
    }

    fn next_at(&self, wall: UnixMillis, now: Instant) -> UnixMillis {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = match *latest {
            None => wall,
            Some(Latest { stamp, seen }) => {
                let elapsed =
                    u64::try_from(now.saturating_duration_since(seen).as_millis()).unwrap_or(u64::MAX);
                wall.clamp(stamp, stamp.plus(elapsed).plus(STAMP_LEAP_MS))
            }
        };
        *latest = Some(Latest { stamp, seen: now });
        stamp
    }

    /// A stamp holds this node's clock only if the two agreed when it came: entries that are replayed after a
    /// start are as old as the pause was long, and say nothing about now.
    fn seen_at(&self, stamp: UnixMillis, wall: UnixMillis, now: Instant) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = latest.is_none_or(|latest| stamp > latest.stamp);
        let live = wall.since(stamp) <= STAMP_LEAP_MS;
        if newer && (live || latest.is_some()) {
            *latest = Some(Latest { stamp, seen: now });
        }
    }
}

/// The wall clock.
pub(crate) fn wall_clock() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn r8_a_clock_that_leaps_takes_a_stamp_five_seconds_at_most() {
        let (stamps, now) = (Stamps::default(), Instant::now());
        assert_eq!(stamps.next_at(UnixMillis(100_000), now), UnixMillis(100_000));
        let later = now + Duration::from_millis(300);
        assert_eq!(stamps.next_at(UnixMillis(9_000_000), later), UnixMillis(105_300));
    }

    #[test]
    fn r8_a_clock_that_steps_back_keeps_the_stamp() {
        let (stamps, now) = (Stamps::default(), Instant::now());
        stamps.seen_at(UnixMillis(100_000), UnixMillis(100_000), now);
        assert_eq!(stamps.next_at(UnixMillis(50_000), now), UnixMillis(100_000));
    }

    #[test]
    fn r8_replayed_stamps_do_not_hold_the_clock_in_the_past() {
        let (stamps, now) = (Stamps::default(), Instant::now());
        stamps.seen_at(UnixMillis(100_000), UnixMillis(90_000_000), now);
        assert_eq!(stamps.next_at(UnixMillis(90_000_000), now), UnixMillis(90_000_000));
    }
}
