//! The command `ca-sim`: runs seeds, makes failures small, explores the model.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command talks")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Instant;

use ca_core::ids::Digest;
use ca_sim::model::{Bounds, Cycle, explore};
use ca_sim::run::{FaultKind, Level, Plan, Report, run, run_with};
use ca_sim::shrink::shrink;
use clap::{Args, Parser, Subcommand};

/// Tests of the promises over simulated clusters.
#[derive(Debug, Parser)]
#[command(name = "ca-sim", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    seeds: Seeds,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct Seeds {
    /// Runs this seed and tells its story.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    seed: Option<u64>,
    /// With --seed: only these faults of its plan, by their places: `0,3,7`, or `none`.
    #[arg(long, requires = "seed")]
    faults: Option<String>,
    /// Runs every seed from this one on.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Up to this one, which is not run itself.
    #[arg(long, default_value_t = 300)]
    to: u64,
    /// What is below the authorities. 1: a simulated log. 2: openraft over a simulated network.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    level: u8,
    /// Plants this bug first; only in a build with the feature `planted`.
    #[arg(long)]
    plant: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explores every state of the model of the issuance cycle, within its bounds.
    Model {
        /// How many threads look.
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// Plants each bug and counts the seeds that it takes to catch it; only in a build with the feature `planted`.
    Planted {
        /// How many seeds each bug has.
        #[arg(long, default_value_t = 300)]
        seeds: u64,
    },
}

fn main() -> ExitCode {
    // A promise that breaks ends a run by a panic, which is told below.
    std::panic::set_hook(Box::new(|_| {}));
    let Arguments { seeds, command } = Arguments::parse();
    match command {
        Some(Command::Model { threads }) => model(threads),
        Some(Command::Planted { seeds }) => planted::each(seeds),
        None => {
            if let Some(bug) = &seeds.plant
                && !planted::plant(bug)
            {
                println!("there is no bug `{bug}` in this build");
                return ExitCode::FAILURE;
            }
            let level = if seeds.level == 1 { Level::One } else { Level::Two };
            match seeds.seed {
                Some(seed) => one(seed, level, seeds.faults.as_deref()),
                None => range(seeds.from, seeds.to, level),
            }
        }
    }
}

fn one(seed: u64, level: Level, faults: Option<&str>) -> ExitCode {
    let plan = Plan::of(seed, level);
    let plan = match faults {
        None => plan,
        Some(places) => plan.only(&places.split(',').filter_map(|place| place.trim().parse().ok()).collect()),
    };
    let report = run_with(seed, &plan);
    report.story.iter().for_each(|line| println!("{line}"));
    println!("seed {seed}: {} acknowledged, digest {}", report.acknowledged, report.digest);
    verdict(report.failure.is_none())
}

fn range(from: u64, to: u64, level: Level) -> ExitCode {
    let began = Instant::now();
    let (mut failures, mut acknowledged, mut digests) = (0_u64, 0_usize, Vec::new());
    let mut fired: BTreeMap<FaultKind, u64> = BTreeMap::new();
    for seed in from..to {
        let report = run(seed, level);
        for kind in &report.fired {
            let count = fired.entry(*kind).or_default();
            *count = count.saturating_add(1);
        }
        acknowledged = acknowledged.saturating_add(report.acknowledged);
        digests.extend(report.digest.0);
        if report.failure.is_some() {
            failures = failures.saturating_add(1);
            tell_small(&report);
        }
    }
    let (count, seconds) = (to.saturating_sub(from), began.elapsed().as_secs_f64());
    println!(
        "{count} seeds from {from}, {failures} failures, in {seconds:.1} s; digest {}",
        Digest::of(&digests)
    );
    println!("{acknowledged} operations acknowledged; runs in which each fault came to something:");
    fired.iter().for_each(|(kind, count)| println!("  {kind:?} {count}"));
    let missing: BTreeSet<&FaultKind> =
        FaultKind::all(level).iter().filter(|kind| !fired.contains_key(kind)).collect();
    // A range in which a fault never came to something, or nobody got anything, shows nothing.
    let covered =
        missing.is_empty() && u64::try_from(acknowledged).unwrap_or(u64::MAX) >= count.saturating_mul(10);
    if !covered {
        println!("NOT COVERED: {missing:?}");
    }
    verdict(failures == 0 && (covered || count < 64))
}

fn tell_small(failed: &Report) {
    let why = failed.failure.as_deref().unwrap_or_default();
    println!("seed {}: {why}", failed.seed);
    let small = shrink(failed);
    let places: Vec<String> = small.faults.iter().map(ToString::to_string).collect();
    let places = if places.is_empty() { "none".to_owned() } else { places.join(",") };
    println!("  with {} of its faults, found in {} runs; to repeat it:", small.faults.len(), small.runs);
    let level = if failed.level == Level::One { "" } else { " --level 2" };
    println!("  ca-sim --seed {}{level} --faults {places}", failed.seed);
}

fn verdict(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn model(threads: usize) -> ExitCode {
    let began = Instant::now();
    let (mut states, mut broken) = (0_usize, false);
    let mut never: Option<BTreeSet<&'static str>> = None;
    for bounds in Bounds::FULL {
        let explored = explore(Cycle::within(bounds), threads);
        println!("{} states, at most {} steps deep: {bounds:?}", explored.states, explored.depth);
        for (promise, history) in &explored.broken {
            println!("BROKEN {promise}");
            history.iter().for_each(|action| println!("  {action:?}"));
        }
        states = states.saturating_add(explored.states);
        broken |= !explored.broken.is_empty();
        let missed: BTreeSet<&'static str> = explored.never.into_iter().collect();
        never = Some(never.map_or(missed.clone(), |before| before.intersection(&missed).copied().collect()));
    }
    let never = never.unwrap_or_default();
    never.iter().for_each(|situation| println!("NEVER {situation}: the bounds are too narrow"));
    println!("{states} states in {:.1} s", began.elapsed().as_secs_f64());
    verdict(!broken && never.is_empty())
}

#[cfg(feature = "planted")]
mod planted {
    use std::process::ExitCode;

    use ca_core::planted::{Bug, plant as choose};
    use ca_sim::run::{Level, run};

    /// Whether there is such a bug.
    pub(super) fn plant(name: &str) -> bool {
        let bug = Bug::ALL.into_iter().find(|bug| format!("{bug:?}") == name);
        choose(bug);
        bug.is_some()
    }

    pub(super) fn each(seeds: u64) -> ExitCode {
        let mut missed = 0_u64;
        for bug in Bug::ALL {
            choose(Some(bug));
            let (own, level) = (bug.breaks(), if bug.is_in_raft() { Level::Two } else { Level::One });
            let mut first = None;
            // Whatever fails first, the checker of its own promise must be among those that find it.
            let caught = (0..seeds).find(|seed| {
                let report = run(*seed, level);
                let broken = report.broken().map(str::to_owned);
                first = first.take().or_else(|| broken.clone().map(|what| (*seed, what)));
                broken.as_deref() == Some(own)
            });
            choose(None);
            let (seed, what) = first.unwrap_or_else(|| (seeds, "nothing".to_owned()));
            match caught {
                Some(by) => println!("{bug:?}: {own} by seed {by}; first found by seed {seed} as {what}"),
                None => {
                    missed = missed.saturating_add(1);
                    println!(
                        "{bug:?}: {own} NOT CAUGHT in {seeds} seeds; first found by seed {seed} as {what}"
                    );
                }
            }
        }
        super::verdict(missed == 0)
    }
}

#[cfg(not(feature = "planted"))]
mod planted {
    use std::process::ExitCode;

    pub(super) fn plant(_: &str) -> bool {
        false
    }

    pub(super) fn each(_: u64) -> ExitCode {
        println!("this build has no bugs: `cargo run -p ca-sim --features planted -- planted`");
        ExitCode::FAILURE
    }
}
