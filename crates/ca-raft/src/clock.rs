//! Whose clock stamps: a leader whose wall clock is off the voters' median hands over (R8).
//!
//! ```text
//!  each second, while this node leads:
//!    ask every other voter for the time ─▶ offsets to the own clock ─▶ median ─▶ stay · hand over · complain
//! ```
//!
//! Two clocks that differ do not tell which of them is wrong, and neither does a minority: then nothing happens.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use ca_core::ids::{NodeId, UnixMillis};
use futures_util::future::join_all;
use openraft::async_runtime::watch::WatchReceiver as _;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::forward::Ways;
use crate::leader::ChangeRefused;
use crate::limits;
use crate::wire::peer::membership_request::Change;

/// A node's wall clock.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> UnixMillis + Send + Sync>);

impl WallClock {
    /// The machine's.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
        })
    }

    /// Another, which may be wrong.
    pub fn new(now: impl Fn() -> UnixMillis + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        (self.0)()
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WallClock").field(&self.now()).finish()
    }
}

/// How far one clock is ahead of another, in milliseconds; behind it, if negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockOffset(pub i64);

impl ClockOffset {
    fn between(theirs: UnixMillis, ours: UnixMillis) -> Self {
        // More than the type holds is as wrong as a clock can be.
        Self(theirs.0.checked_signed_diff(ours.0).unwrap_or(i64::MAX))
    }

    /// How far apart the two are.
    fn apart(self, other: Self) -> u64 {
        self.0.abs_diff(other.0)
    }
}

/// `3600.000 s ahead`, `0.012 s behind`.
impl fmt::Display for ClockOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ms, side) = (self.0.unsigned_abs(), if self.0 < 0 { "behind" } else { "ahead" });
        write!(f, "{}.{:03} s {side}", ms / 1000, ms % 1000)
    }
}

/// Measures while this node leads, and hands over when it should not stamp. Runs until it is aborted.
pub(crate) async fn keep_time(ways: Ways, measured: watch::Sender<Option<ClockOffset>>) {
    let mut rounds = interval(limits::CLOCK_EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut complained: Option<Instant> = None;
    loop {
        rounds.tick().await;
        if !ways.raft.is_leader() {
            measured.send_replace(None);
            continue;
        }
        let others = ways.other_voters();
        let voters = others.len().saturating_add(1);
        let readings = ways.read_clocks(others).await;
        let read = readings.len().saturating_add(1);
        let verdict = judge(&readings, voters);
        measured.send_replace(verdict.own());
        match verdict {
            Verdict::NoMedian | Verdict::Stay { .. } => {}
            Verdict::HandOver { own, to } => {
                tracing::warn!(
                    "this node's clock is {own} of the voters' median ({read} of {voters} clocks read): \
                     node {to} is to lead, whose clock is nearest"
                );
                ways.hand_over(to).await;
            }
            Verdict::NobodyBetter { own } => {
                if complained.is_none_or(|at| at.elapsed() >= limits::CLOCK_COMPLAINT_EVERY) {
                    complained = Some(Instant::now());
                    tracing::warn!(
                        "this node's clock is {own} of the voters' median ({read} of {voters} clocks read), and \
                         no voter that could lead is within {} ms of it: this node goes on leading",
                        limits::CLOCK_OFF_MS_MAX
                    );
                }
            }
        }
    }
}

impl Ways {
    fn other_voters(&self) -> Vec<NodeId> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        metrics.membership_config.voter_ids().map(NodeId).filter(|voter| *voter != self.node).collect()
    }

    /// The clocks of those that answer in time, all asked at once.
    async fn read_clocks(&self, voters: Vec<NodeId>) -> Vec<Reading> {
        let asked = voters.into_iter().map(|node| async move {
            let asked_at = Instant::now();
            let shown = self.peers.wall_clock(node).await.ok()?;
            // The answer was half the way old, more or less; the whole way is bounded.
            let way_ms = u64::try_from(asked_at.elapsed().as_millis()).unwrap_or(u64::MAX);
            let ahead = ClockOffset::between(shown.plus(way_ms / 2), self.clock.now());
            let may_lead = self.leader.caught_up(node.0).is_ok();
            Some(Reading { node, ahead, may_lead })
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// Tried again in the next round, with new readings, if it comes to nothing.
    async fn hand_over(&self, to: NodeId) {
        match self.leader.make(Change::TransferLeader(to.0)).await {
            Ok(()) => {}
            Err(ChangeRefused::NotLeading(not)) => tracing::debug!("nothing to hand over: {}", not.why),
            Err(ChangeRefused::Refused(why)) => {
                tracing::warn!("leadership was not handed to node {to}: {why}");
            }
        }
    }
}

/// Another voter's clock.
#[derive(Clone, Copy, Debug)]
struct Reading {
    node: NodeId,
    /// Of this node's.
    ahead: ClockOffset,
    /// Whether it follows the log closely: one that is far behind would keep every writer waiting.
    may_lead: bool,
}

/// What the readings come to. `own`: how far this node's clock is ahead of the median.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// A majority's clocks are not known.
    NoMedian,
    /// Good enough.
    Stay { own: ClockOffset },
    /// Not good enough, and this voter's is.
    HandOver { own: ClockOffset, to: NodeId },
    /// Not good enough, and nor is any other that could be had: handing over would go on for ever.
    NobodyBetter { own: ClockOffset },
}

impl Verdict {
    fn own(self) -> Option<ClockOffset> {
        match self {
            Self::NoMedian => None,
            Self::Stay { own } | Self::HandOver { own, .. } | Self::NobodyBetter { own } => Some(own),
        }
    }
}

/// Decides from the other voters' clocks; `voters` counts all, this node included, whose own offset is 0.
fn judge(others: &[Reading], voters: usize) -> Verdict {
    let mut offsets: Vec<i64> = others.iter().map(|reading| reading.ahead.0).collect();
    offsets.push(0);
    if offsets.len() <= voters / 2 {
        return Verdict::NoMedian;
    }
    offsets.sort_unstable();
    let (lower, upper) = (offsets.len().saturating_sub(1) / 2, offsets.len() / 2);
    let (Some(lower), Some(upper)) = (offsets.get(lower), offsets.get(upper)) else {
        return Verdict::NoMedian;
    };
    let median = ClockOffset(i64::midpoint(*lower, *upper));
    let own = ClockOffset(median.0.saturating_neg());
    if median.apart(ClockOffset(0)) <= limits::CLOCK_OFF_MS_MAX {
        return Verdict::Stay { own };
    }
    let off = |reading: &&Reading| reading.ahead.apart(median);
    let nearest = others.iter().filter(|reading| reading.may_lead).min_by_key(|r| (off(r), r.node));
    match nearest.filter(|reading| off(reading) <= limits::CLOCK_OFF_MS_MAX) {
        Some(reading) => Verdict::HandOver { own, to: reading.node },
        None => Verdict::NobodyBetter { own },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    /// The verdict of node 1, given how far the clocks of nodes 2, 3, … are ahead of its own, of so many voters.
    fn verdict(ahead: &[i64], voters: usize) -> Verdict {
        let reading = |(node, ahead): (u64, &i64)| Reading {
            node: NodeId(node),
            ahead: ClockOffset(*ahead),
            may_lead: true,
        };
        let readings: Vec<Reading> = (2..).zip(ahead).map(reading).collect();
        judge(&readings, voters)
    }

    #[test]
    fn r8_a_leader_hands_over_when_it_is_more_than_five_seconds_off_the_median() {
        let stay = |own| Verdict::Stay { own: ClockOffset(own) };
        let hand_over = |own, to| Verdict::HandOver { own: ClockOffset(own), to: NodeId(to) };
        let nobody_better = |own| Verdict::NobodyBetter { own: ClockOffset(own) };
        let table: &[(&[i64], usize, Verdict)] = &[
            // Alone, or with clocks that agree.
            (&[], 1, stay(0)),
            (&[3, -4], 3, stay(0)),
            // At the bound, and past it, on either side.
            (&[5_000, 5_000], 3, stay(-5_000)),
            (&[5_001, 5_001], 3, hand_over(-5_001, 2)),
            (&[-5_000, -5_000], 3, stay(5_000)),
            (&[-5_001, -5_001], 3, hand_over(5_001, 2)),
            // Another's wrong clock is not the leader's affair.
            (&[HOUR, 0], 3, stay(0)),
            (&[HOUR, 0, -HOUR, 2], 5, stay(0)),
            // All three differ: the one in the middle leads.
            (&[HOUR, 2 * HOUR], 3, hand_over(-HOUR, 2)),
            (&[-2 * HOUR, -HOUR], 3, hand_over(HOUR, 3)),
            // The nearest to the median, not the first.
            (&[HOUR + 900, HOUR + 20, HOUR - 30, HOUR + 1_000], 5, hand_over(-HOUR - 20, 3)),
            // Less than a majority says nothing.
            (&[], 3, Verdict::NoMedian),
            (&[HOUR], 5, Verdict::NoMedian),
            // Two clocks do not tell which is wrong.
            (&[HOUR], 2, nobody_better(-HOUR / 2)),
            (&[HOUR], 3, nobody_better(-HOUR / 2)),
            (&[9_000], 3, stay(-4_500)),
            (&[0, HOUR, HOUR], 4, nobody_better(-HOUR / 2)),
            // A majority of five, one of them wrong.
            (&[-HOUR, -HOUR], 5, hand_over(HOUR, 2)),
            // Clocks as wrong as can be.
            (&[i64::MAX, i64::MAX], 3, hand_over(-i64::MAX, 2)),
            (&[i64::MIN, i64::MIN], 3, hand_over(i64::MAX, 2)),
        ];
        for (ahead, voters, expected) in table {
            assert_eq!(verdict(ahead, *voters), *expected, "{ahead:?} of {voters}");
        }
    }

    /// Leadership that was handed over stays where it is: the target's own verdict over the same clocks is to stay.
    #[test]
    fn r8_who_is_handed_the_leadership_keeps_it() {
        let steps = [-HOUR, -9_000, -5_001, -4_000, 0, 4_000, 5_001, 9_000, HOUR];
        for a in steps {
            for b in steps {
                for c in steps {
                    for voters in [4, 5] {
                        let clocks = [0, a, b, c];
                        let Verdict::HandOver { to, .. } = verdict(&clocks[1..], voters) else { continue };
                        let place = usize::try_from(to.0).unwrap() - 1;
                        let as_seen: Vec<i64> = (0..clocks.len())
                            .filter(|other| *other != place)
                            .map(|other| clocks[other] - clocks[place])
                            .collect();
                        assert!(matches!(verdict(&as_seen, voters), Verdict::Stay { .. }), "{clocks:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn r8_a_voter_that_is_far_behind_is_not_handed_the_leadership() {
        let reading =
            |node, ahead, may_lead| Reading { node: NodeId(node), ahead: ClockOffset(ahead), may_lead };
        let best_is_behind = [reading(2, HOUR, false), reading(3, HOUR + 1_000, true)];
        let own = ClockOffset(-HOUR);
        assert_eq!(judge(&best_is_behind, 3), Verdict::HandOver { own, to: NodeId(3) });
        let all_are = best_is_behind.map(|reading| Reading { may_lead: false, ..reading });
        assert_eq!(judge(&all_are, 3), Verdict::NobodyBetter { own });
    }

    #[test]
    fn offsets_read_as_people_say_them() {
        assert_eq!(ClockOffset(3_600_012).to_string(), "3600.012 s ahead");
        assert_eq!(ClockOffset(-12).to_string(), "0.012 s behind");
        assert_eq!(ClockOffset::between(UnixMillis(5), UnixMillis(17)), ClockOffset(-12));
    }
}
