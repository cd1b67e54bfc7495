//! Runs seeds of five voters over an openraft that can commit without a quorum (databendlabs/openraft#1802), until a
//! checker of the simulator finds it. `scripts/openraft-1802` builds and runs it.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use ca_sim::run::{Fault, Level, Plan, Planned, run_with};

/// The bug needs an unlucky order of acknowledgements, and is to be found within so many seeds.
const SEEDS: u64 = 300;

fn main() -> ExitCode {
    // A promise that breaks ends a run by a panic, which is told below.
    std::panic::set_hook(Box::new(|_| {}));
    let plans = (0..SEEDS).map(|seed| (seed, Plan::of(seed, Level::Two)));
    let mut clean = 0_u64;
    for (seed, plan) in plans.filter(|(_, plan)| plan.nodes == 5) {
        let report = run_with(seed, &unlucky(plan));
        let Some(why) = &report.failure else {
            clean += 1;
            continue;
        };
        println!("seed {seed}, after {clean} clean runs of five voters: {why}");
        // Anything else that breaks is another bug, or none of ours.
        return if report.broken() == Some("I6") { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    println!("NOT FOUND in {clean} runs of five voters");
    ExitCode::FAILURE
}

/// Two followers must acknowledge before the leader's own disk does, and one of them twice, while more is under way.
/// The first node leads until something happens to it.
fn unlucky(mut plan: Plan) -> Plan {
    let slow = Fault::SlowDisk { node: 1, ms: 100 };
    plan.faults.insert(0, Planned { round: 0, until: 400, fault: slow });
    plan.crowded()
}
