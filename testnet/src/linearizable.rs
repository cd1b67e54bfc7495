//! Whether a history of concurrent calls can be put in one order (Wing and Gong 1993, with the memory of Lowe 2017).

use std::collections::HashSet;
use std::hash::Hash;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::limits::CALLS_MAX;

/// One call: from when to when, and what it was with what came of it.
#[derive(Clone, Debug)]
pub struct Call<C> {
    /// When it was sent.
    pub begun: Duration,
    /// When its answer was there; `None` if none came: then it may have taken effect at any later time, or never.
    pub ended: Option<Duration>,
    /// What.
    pub what: C,
}

/// Whether there is an order of the calls in which each takes effect between its beginning and its end and `step`
/// allows every one. `step` gives the next state, or `None` if what came of the call cannot come of it in this state.
///
/// # Errors
/// More than [`CALLS_MAX`] calls.
pub fn is_linearizable<S: Clone + Eq + Hash, C>(
    initial: S,
    calls: &[Call<C>],
    step: impl Fn(&S, &C) -> Option<S>,
) -> Result<bool> {
    ensure!(calls.len() <= CALLS_MAX, "{} calls are more than {CALLS_MAX}", calls.len());
    let bit = |place: usize| 1_u128 << place;
    let answered = (0..).zip(calls).filter(|(_, call)| call.ended.is_some());
    let wanted = answered.fold(0, |all, (place, _)| all | bit(place));
    let mut seen = HashSet::new();
    let mut open = vec![(0_u128, initial)];
    while let Some((done, state)) = open.pop() {
        if done & wanted == wanted {
            return Ok(true);
        }
        if !seen.insert((done, state.clone())) {
            continue;
        }
        let left = || (0..).zip(calls).filter(|(place, _)| done & bit(*place) == 0);
        // None comes before one that had ended when it began.
        let first_end = left().filter_map(|(_, call)| call.ended).min();
        for (place, call) in left().filter(|(_, call)| first_end.is_none_or(|end| call.begun <= end)) {
            if let Some(next) = step(&state, &call.what) {
                open.push((done | bit(place), next));
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum What {
        Write(u8),
        Read(u8),
    }
    use What::{Read, Write};

    fn holds(calls: &[(u64, Option<u64>, What)]) -> bool {
        let calls: Vec<_> = calls
            .iter()
            .map(|(begun, ended, what)| Call {
                begun: Duration::from_millis(*begun),
                ended: ended.map(Duration::from_millis),
                what: *what,
            })
            .collect();
        let step = |state: &u8, what: &What| match what {
            Write(value) => Some(*value),
            Read(value) => (state == value).then_some(*state),
        };
        is_linearizable(0, &calls, step).unwrap()
    }

    #[test]
    fn good_histories_pass() {
        assert!(holds(&[]));
        assert!(holds(&[(0, Some(1), Write(1)), (2, Some(3), Read(1))]));
        // Side by side, either order.
        assert!(holds(&[(0, Some(5), Write(1)), (1, Some(2), Read(0)), (3, Some(4), Read(1))]));
        assert!(holds(&[(0, Some(5), Write(1)), (0, Some(5), Write(2)), (6, Some(7), Read(1))]));
        // No answer came: at once, late, or never.
        assert!(holds(&[(0, None, Write(1)), (1, Some(2), Read(1))]));
        assert!(holds(&[(0, None, Write(1)), (1, Some(2), Read(0)), (8, Some(9), Read(1))]));
        assert!(holds(&[(0, None, Write(1)), (8, Some(9), Read(0))]));
    }

    #[test]
    fn bad_histories_fail() {
        // Stale.
        assert!(!holds(&[(0, Some(1), Write(1)), (2, Some(3), Read(0))]));
        // There and back.
        assert!(!holds(&[(0, Some(9), Write(1)), (1, Some(2), Read(1)), (3, Some(4), Read(0))]));
        // Before it was asked for.
        assert!(!holds(&[(0, Some(1), Read(1)), (2, Some(3), Write(1))]));
        // No answer came, and yet it was undone.
        assert!(!holds(&[(0, None, Write(1)), (1, Some(2), Read(1)), (3, Some(4), Read(0))]));
        // Two readers disagree on the order of two writers.
        assert!(!holds(&[
            (0, Some(20), Write(1)),
            (0, Some(20), Write(2)),
            (1, Some(2), Read(1)),
            (3, Some(4), Read(2)),
            (5, Some(6), Read(1)),
        ]));
    }

    #[test]
    fn too_many_calls_are_said() {
        let call = Call { begun: Duration::ZERO, ended: None, what: Write(1) };
        assert!(is_linearizable(0_u8, &vec![call; CALLS_MAX + 1], |_, _| Some(0_u8)).is_err());
    }
}
