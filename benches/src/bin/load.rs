//! `scripts/bench`: one line of JSON for each thing that is measured, on standard output.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the lines are what the command is for")]
#![expect(clippy::print_stderr, reason = "talk goes to standard error")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use benches::issue::Through;
use benches::limits::FILL_CONNECTIONS;
use benches::row::{Row, rounded};
use benches::{failover, inputs, issue, machine, mixed, ocsp, ratios, revoke, slow, store};
use clap::{Parser, Subcommand};
use scripts::cluster::{Cluster, find_binary, new_home_in};
use scripts::interrupt::stop_on_interrupt;

/// Measures a durable cluster of three nodes on this machine.
#[derive(Debug, Parser)]
#[command(name = "scripts/bench")]
struct Arguments {
    /// Where the nodes' files go: on a disk, or the numbers say nothing
    #[arg(long, global = true, value_name = "DIR")]
    nodes_dir: Option<PathBuf>,
    /// The program to use instead of the one that was built beside this one
    #[arg(long, global = true, value_name = "FILE")]
    binary: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Certificates a second, beside the token's and the disk's own rates
    Issue {
        /// How long each concurrency is measured
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// The concurrencies
        #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
        connections: Vec<usize>,
        /// Which nodes are asked
        #[arg(long, value_enum, default_value_t = Through::All)]
        through: Through,
    },
    /// Certificates a second with tokens that take 20 ms a signature: of one node, and of three
    Slow {
        /// How long each is measured
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// The embedded token's signatures a second, by itself
    Sign,
    /// OCSP answers a second: those that are kept, beside a static file of nginx, and those that are signed for each
    Ocsp {
        /// How long each is measured
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// The concurrencies
        #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
        connections: Vec<usize>,
    },
    /// Revocations a second
    Revoke {
        /// How many
        #[arg(long, default_value_t = 10_000)]
        count: usize,
        /// The clients
        #[arg(long, default_value_t = 16)]
        connections: usize,
    },
    /// Requests a second of which 60 % issue, 20 % revoke, 15 % ask for a status and 5 % fetch the whole list
    Mixed {
        /// How long each concurrency is measured
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// The concurrencies
        #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
        connections: Vec<usize>,
    },
    /// How soon lists of many revocations are served on all nodes
    Crl {
        /// How many entries
        #[arg(long, default_value_t = 100_000)]
        entries: usize,
    },
    /// Start, issuance and disk with many certificates in the store, beside the empty one
    Store {
        /// How many
        #[arg(long, default_value_t = 100_000)]
        certificates: usize,
        /// How long issuance is measured
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// Time and memory that a node spends on what it refuses
    Inputs,
    /// Our rates beside what the machine can do, as a table
    Compare {
        /// How long each is measured
        #[arg(long, default_value_t = 8)]
        seconds: u64,
    },
    /// The same, beside the ratios of the record; fails if one fell by more than a fifth
    Check {
        /// How long each is measured
        #[arg(long, default_value_t = 8)]
        seconds: u64,
        /// The recorded ratios
        #[arg(long, default_value = "benches/recorded.json")]
        file: PathBuf,
        /// Record these instead
        #[arg(long)]
        record: bool,
    },
    /// kill -9 of the leader until the next certificate
    Failover {
        /// How often
        #[arg(long, default_value_t = 10)]
        kills: usize,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let binary = arguments.binary.map_or_else(find_binary, Ok)?;
    let home = new_home_in(&arguments.nodes_dir.unwrap_or_else(std::env::temp_dir))?;
    // One thread: the client takes as little from the nodes as it can.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(arguments.what, &binary, &home))
}

async fn measure(what: What, binary: &Path, home: &Path) -> Result<()> {
    match what {
        What::Issue { seconds, connections, through } => {
            row(&machine::fsync(home)?)?;
            machine::signatures(home).await?.iter().try_for_each(row)?;
            let cluster = start(binary, home)?;
            for count in connections {
                row(&issue::issue(&cluster, through, count, secs(seconds), &mut talk).await?)?;
            }
            Ok(())
        }
        What::Slow { seconds } => slow_tokens(binary, home, secs(seconds)).await,
        What::Sign => machine::signatures(home).await?.iter().try_for_each(row),
        What::Ocsp { seconds, connections } => status(binary, home, secs(seconds), &connections).await,
        What::Revoke { count, connections } => {
            let cluster = start(binary, home)?;
            let serials = revoke::fill(&cluster, count, &mut talk).await?;
            row(&revoke::revoke(&cluster, serials, connections, &mut talk).await?)
        }
        What::Mixed { seconds, connections } => {
            let cluster = start(binary, home)?;
            for count in connections {
                row(&mixed::mixed(&cluster, count, secs(seconds), &mut talk).await?)?;
            }
            Ok(())
        }
        What::Crl { entries } => {
            let cluster = start(binary, home)?;
            let serials = revoke::fill(&cluster, entries, &mut talk).await?;
            row(&revoke::revoke(&cluster, serials, FILL_CONNECTIONS, &mut talk).await?)?;
            row(&revoke::crl(&cluster).await?)
        }
        What::Store { certificates, seconds } => {
            let mut cluster = start(binary, home)?;
            issue_and_restart(&mut cluster, 0, secs(seconds)).await?;
            let filled = revoke::fill(&cluster, certificates, &mut talk).await?.len();
            issue_and_restart(&mut cluster, filled, secs(seconds)).await?;
            row(&store::disk(&mut cluster).await?)
        }
        What::Compare { seconds } => {
            let cluster = start(binary, home)?;
            print!("{}", ratios::table(&ratios::measure_all(&cluster, seconds, &mut talk).await?));
            Ok(())
        }
        What::Check { seconds, file, record } => {
            let cluster = start(binary, home)?;
            check(&ratios::measure_all(&cluster, seconds, &mut talk).await?, &file, record)
        }
        What::Inputs => {
            let cluster = start(binary, home)?;
            inputs::inputs(&cluster).await?.iter().try_for_each(row)
        }
        What::Failover { kills } => {
            let mut cluster = start(binary, home)?;
            row(&failover::failover(&mut cluster, kills, &mut talk).await?)
        }
    }
}

async fn slow_tokens(binary: &Path, home: &Path, time: Duration) -> Result<()> {
    let shim = binary.with_file_name("libpkcs11_shim.so");
    for nodes in [1, 3] {
        let home = new_home_in(home)?;
        row(&slow::slow(nodes, &shim, binary, &home, time, stop_on_interrupt, &mut talk).await?)?;
    }
    Ok(())
}

async fn status(binary: &Path, home: &Path, time: Duration, connections: &[usize]) -> Result<()> {
    let rates = machine::signatures(home).await?;
    rates.iter().try_for_each(row)?;
    let cluster = start(binary, home)?;
    for count in connections {
        ocsp::cached(&cluster, *count, time, &mut talk).await?.iter().try_for_each(row)?;
        row(&ocsp::live(&cluster, *count, time, machine::best(&rates), &mut talk).await?)?;
    }
    Ok(())
}

async fn issue_and_restart(cluster: &mut Cluster, certificates: usize, time: Duration) -> Result<()> {
    row(&issue::issue(cluster, Through::All, FILL_CONNECTIONS, time, &mut talk).await?)?;
    row(&store::restart(cluster, certificates)?)
}

fn check(measured: &[ratios::Ratio], file: &Path, record: bool) -> Result<()> {
    if record {
        ratios::record(file, measured)?;
    }
    let (table, holds) = ratios::compared(measured, &ratios::read(file)?);
    print!("{table}");
    ensure!(holds, "a ratio fell by more than a fifth of what is recorded");
    Ok(())
}

fn start(binary: &Path, home: &Path) -> Result<Cluster> {
    let cluster = Cluster::start(binary, home, stop_on_interrupt)?;
    row(&Row::Start { ready_s: rounded(cluster.ready_after.as_secs_f64()) })?;
    for node in &cluster.nodes {
        row(&Row::Memory { node: node.name.clone(), rss_mb: machine::rss_mb(node.pid)? })?;
    }
    Ok(cluster)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn row(row: &Row) -> Result<()> {
    println!("{}", serde_json::to_string(row)?);
    Ok(())
}

fn talk(text: &str) {
    eprintln!("{text}");
}
