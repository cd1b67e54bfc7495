//! How often a caller may ask: buckets that fill with time, in bounded memory, on each node for itself.
//!
//! A rate of N a minute is a bucket of N that a minute fills: who comes after a pause has N at once. Of a bucket only
//! the moment is kept at which it is full again (the generic cell rate algorithm of ITU-T I.371, §A).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ca_core::ids::{ProfileName, UnixMillis};
use ca_core::profile::PerMinute;
use ca_core::roles::Identity;

use crate::error::DoorError;
use crate::limits::BUCKETS_MAX;

/// What a rate is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bucket {
    /// All requests of a caller.
    Requests(Identity),
    /// A caller's certificates of one profile.
    Certificates(Identity, ProfileName),
}

/// The buckets of one node. What is not in here is full.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<BTreeMap<Bucket, FullAt>>);

/// Microseconds since 1970, when a bucket is full again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FullAt(u64);

const MINUTE_US: u64 = 60_000_000;

impl Rates {
    /// Takes one out of a bucket.
    ///
    /// # Errors
    /// [`DoorError::RateLimited`], if it is empty.
    pub(crate) fn take(&self, bucket: Bucket, rate: PerMinute, now: UnixMillis) -> Result<(), DoorError> {
        let now_us = now.0.saturating_mul(1000);
        let one_us = MINUTE_US.checked_div(rate.0.into()).unwrap_or(MINUTE_US);
        // A panic elsewhere leaves moments that are as good as any.
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let empty_us = now_us.saturating_add(MINUTE_US);
        // A clock that stepped back must lock nobody out for longer than an empty bucket does.
        let full_us = buckets.get(&bucket).map_or(now_us, |at| at.0.clamp(now_us, empty_us));
        let then_us = full_us.saturating_add(one_us);
        if then_us > empty_us {
            if let Some(at) = buckets.get_mut(&bucket) {
                at.0 = full_us;
            }
            let wait_s = then_us.saturating_sub(empty_us).div_ceil(1_000_000);
            return Err(DoorError::RateLimited {
                what: bucket.what(),
                per_minute: rate.0,
                wait_s: u32::try_from(wait_s).unwrap_or(u32::MAX),
            });
        }
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&bucket) {
            make_room(&mut buckets, now_us);
        }
        buckets.insert(bucket, FullAt(then_us));
        Ok(())
    }
}

impl Bucket {
    fn what(&self) -> String {
        match self {
            Self::Requests(_) => "requests".to_owned(),
            Self::Certificates(_, profile) => format!("certificates of the profile `{profile}`"),
        }
    }
}

/// Forgets what is full; if nothing is, the fullest, whose caller gains the least by it.
fn make_room(buckets: &mut BTreeMap<Bucket, FullAt>, now_us: u64) {
    buckets.retain(|_, full| full.0 > now_us);
    if buckets.len() >= BUCKETS_MAX
        && let Some(fullest) = buckets.iter().min_by_key(|(_, full)| **full).map(|(bucket, _)| bucket.clone())
    {
        buckets.remove(&fullest);
    }
}

#[cfg(test)]
mod tests {
    use ca_core::ids::Digest;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn caller(number: u32) -> Bucket {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        Bucket::Requests(Identity::Client(Digest(key)))
    }

    fn taken(rates: &Rates, bucket: &Bucket, rate: u32, now: UnixMillis) -> u32 {
        (0..)
            .take_while(|_| rates.take(bucket.clone(), PerMinute(rate), now).is_ok())
            .count()
            .try_into()
            .unwrap()
    }

    #[test]
    fn a_full_bucket_has_a_minutes_worth_and_fills_as_time_passes() {
        for rate in [1, 2, 60, 7_000] {
            let (rates, one) = (Rates::default(), caller(1));
            assert_eq!(taken(&rates, &one, rate, NOW), rate);
            assert_eq!(taken(&rates, &one, rate, NOW.plus(30_000)), rate / 2);
            assert_eq!(taken(&rates, &one, rate, NOW.plus(3_600_000)), rate, "no more than full");
            assert_eq!(taken(&rates, &caller(2), rate, NOW), rate, "each has its own");
        }
    }

    #[test]
    fn a_refusal_says_when_and_costs_nothing() {
        let (rates, one) = (Rates::default(), caller(1));
        assert_eq!(taken(&rates, &one, 2, NOW), 2);
        for _ in 0..100 {
            let refused = rates.take(one.clone(), PerMinute(2), NOW.plus(1)).unwrap_err();
            let what = "requests".to_owned();
            assert_eq!(refused, DoorError::RateLimited { what, per_minute: 2, wait_s: 30 });
        }
        assert!(rates.take(one, PerMinute(2), NOW.plus(30_000)).is_ok());
    }

    #[test]
    fn a_clock_that_steps_back_locks_nobody_out() {
        let (rates, one) = (Rates::default(), caller(1));
        assert_eq!(taken(&rates, &one, 60, NOW.plus(86_400_000)), 60);
        assert_eq!(taken(&rates, &one, 60, NOW), 0);
        assert_eq!(taken(&rates, &one, 60, NOW.plus(60_000)), 60);
    }

    /// Mechanism: `make_room`.
    #[test]
    fn memory_is_bounded_however_many_callers_there_are() {
        let rates = Rates::default();
        for number in 0..u32::try_from(BUCKETS_MAX).unwrap() + 3 {
            rates.take(caller(number), PerMinute(1), NOW.plus(number.into())).unwrap();
        }
        let held = rates.0.lock().unwrap().len();
        assert_eq!(held, BUCKETS_MAX);
        let last = caller(u32::try_from(BUCKETS_MAX).unwrap() + 2);
        assert!(rates.take(last, PerMinute(1), NOW.plus(20_000)).is_err(), "the newest is remembered");
        rates.take(caller(0), PerMinute(1), NOW.plus(3_600_000)).unwrap();
        assert_eq!(rates.0.lock().unwrap().len(), 1, "what is full again is forgotten");
    }
}
