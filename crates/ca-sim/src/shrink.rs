//! Makes a failure small: which of the planned faults does it take?

use std::collections::BTreeSet;

use crate::run::{Plan, Report, run_with};

/// A failure with as few faults as were found to suffice.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// Places in the plan's list of faults.
    pub faults: BTreeSet<usize>,
    /// The run with these alone.
    pub report: Report,
    /// How many runs it took.
    pub runs: usize,
}

/// Delta debugging (Zeller, Hildebrandt: Simplifying and isolating failure-inducing input, 2002): leaves out ever
/// smaller parts of the list while the same promise still breaks.
#[must_use]
pub fn shrink(failed: &Report) -> Shrunk {
    let plan = Plan::of(failed.seed, failed.level);
    let mut shrunk = Shrunk { faults: (0..plan.faults.len()).collect(), report: failed.clone(), runs: 0 };
    let mut parts = 2_usize;
    while shrunk.faults.len().min(parts) > 1 || (parts == 2 && shrunk.faults.len() == 1) {
        let size = shrunk.faults.len().div_ceil(parts);
        let faults: Vec<usize> = shrunk.faults.iter().copied().collect();
        let smaller = faults.chunks(size).find_map(|left_out| {
            let kept: BTreeSet<usize> =
                faults.iter().copied().filter(|fault| !left_out.contains(fault)).collect();
            let report = run_with(failed.seed, &plan.only(&kept));
            shrunk.runs = shrunk.runs.saturating_add(1);
            (report.broken() == failed.broken()).then_some((kept, report))
        });
        match smaller {
            Some((kept, report)) => {
                shrunk.faults = kept;
                shrunk.report = report;
                parts = parts.saturating_sub(1).max(2);
            }
            None if size == 1 => break,
            None => parts = parts.saturating_mul(2).min(shrunk.faults.len()),
        }
    }
    shrunk
}
