//! `scripts/demo`: three real nodes on this machine, shown to a person or checked without one.
#![forbid(unsafe_code)]
#![expect(clippy::print_stderr, reason = "a command says on standard error why it failed")]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use scripts::{check, cluster, show};

/// Starts a cluster of three nodes and shows it at work, with nothing but openssl and curl.
#[derive(Debug, Parser)]
#[command(name = "scripts/demo")]
struct Arguments {
    /// Check every step, stop the cluster, and say whether all went well
    #[arg(long)]
    check: bool,
    /// The program to use instead of the one that was built beside this one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The outermost context last: logs first, what is wrong at the end, where people look.
            let mut causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            let logs = if causes.len() > 1 { causes.remove(0) } else { String::new() };
            eprintln!("{logs}\n\nerror: {}", causes.join("\n  "));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let binary = arguments.binary.clone().map_or_else(cluster::find_binary, Ok)?;
    if arguments.check { check::check(&binary) } else { show::show(&binary) }
}
