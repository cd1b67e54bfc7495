//! `scripts/bench`: one line of JSON for each thing that is measured, on standard output.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the lines are what the command is for")]
#![expect(clippy::print_stderr, reason = "talk goes to standard error")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use benches::row::{Row, rounded};
use benches::{failover, inputs, issue, machine};
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
    },
    /// Time and memory that a node spends on what it refuses
    Inputs,
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
    match arguments.what {
        What::Issue { seconds, connections } => {
            row(&machine::fsync(&home)?)?;
            runtime.block_on(machine::signatures(&home))?.iter().try_for_each(row)?;
            let cluster = start(&binary, &home)?;
            for count in connections {
                let time = Duration::from_secs(seconds);
                row(&runtime.block_on(issue::issue(&cluster, count, time, &mut talk))?)?;
            }
        }
        What::Inputs => {
            let cluster = start(&binary, &home)?;
            runtime.block_on(inputs::inputs(&cluster))?.iter().try_for_each(row)?;
        }
        What::Failover { kills } => {
            let mut cluster = start(&binary, &home)?;
            row(&runtime.block_on(failover::failover(&mut cluster, kills, &mut talk))?)?;
        }
    }
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

fn row(row: &Row) -> Result<()> {
    println!("{}", serde_json::to_string(row)?);
    Ok(())
}

fn talk(text: &str) {
    eprintln!("{text}");
}
