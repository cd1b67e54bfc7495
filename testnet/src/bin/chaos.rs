//! `scripts/chaos`: breaks a real cluster on purpose and holds what its clients saw against the promises.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the verdict is what the command is for")]
#![expect(clippy::print_stderr, reason = "talk goes to standard error")]

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use scripts::cluster::{Cluster, find_binary, new_home};
use scripts::interrupt::stop_on_interrupt;
use scripts::{apart, seclusion};
use testnet::rows::{Ended, ROWS, Row};

/// Breaks a real cluster on purpose and holds what its clients saw against the promises.
#[derive(Debug, Parser)]
#[command(name = "scripts/chaos")]
struct Arguments {
    /// The rows; all if none is named
    rows: Vec<String>,
    /// Show the rows and what each breaks
    #[arg(long)]
    list: bool,
    /// How often each fault happens
    #[arg(long, default_value_t = 3)]
    faults: usize,
    /// How many operations must be acknowledged
    #[arg(long, default_value_t = 2_000)]
    acknowledged: usize,
    /// Decides what the clients ask and who is broken; of the clock if not given
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.list {
        ROWS.iter().for_each(|row| println!("{}\t{}", row.name, row.about));
        return Ok(ExitCode::SUCCESS);
    }
    let named = |name: &String| {
        ROWS.iter()
            .find(|row| row.name == name)
            .with_context(|| format!("no row {name}: scripts/chaos --list"))
    };
    let rows: Vec<&Row> = match arguments.rows.as_slice() {
        [] => ROWS.iter().collect(),
        names => names.iter().map(named).collect::<Result<_>>()?,
    };
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let seed = arguments.seed.unwrap_or_else(now);
    // In there nodes can have networks of their own, and whatever is started ends with it.
    if seclusion::inside().is_none()
        && let Ok(status) = seclusion::status_inside()
    {
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let mut all_pass = true;
    for row in rows {
        let ended = run(row, seed, arguments.faults, arguments.acknowledged);
        all_pass &= told(row, seed, &ended);
    }
    Ok(if all_pass { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(row: &Row, seed: u64, faults: usize, acknowledged: usize) -> Result<Ended> {
    let (binary, home) = (find_binary()?, new_home()?);
    let mut cluster = if row.is_apart() {
        ensure!(seclusion::inside().is_some(), "this machine permits no networks for single nodes");
        apart::start(&binary, &home, stop_on_interrupt)?
    } else {
        Cluster::start(&binary, &home, stop_on_interrupt)?
    };
    let ended = row.run(&mut cluster, seed, faults, acknowledged, &mut |text| eprintln!("{text}"));
    match &ended {
        Ok(ended) if ended.broken.is_empty() => {}
        _ => {
            eprintln!("{}", cluster.tails());
            cluster.abandon();
            eprintln!("kept: {}", cluster.home().display());
        }
    }
    ended
}

/// The verdict, and whether it is a pass.
fn told(row: &Row, seed: u64, ended: &Result<Ended>) -> bool {
    let Row { name, about, .. } = row;
    let version = env!("CARGO_PKG_VERSION");
    match ended {
        Err(error) => {
            println!("unknown {name} seed {seed} version {version}: {about}\n  {error:#}");
            false
        }
        Ok(ended) => {
            let verdict = if ended.broken.is_empty() { "pass   " } else { "fail   " };
            println!(
                "{verdict} {name} seed {seed} version {version}: {about}; {} of {} acknowledged, next certificate after \
                 {:?}, healed after {:?}",
                ended.acknowledged, ended.asked, ended.gaps, ended.healed
            );
            ended.broken.iter().for_each(|fault| println!("  {fault}"));
            ended.broken.is_empty()
        }
    }
}
