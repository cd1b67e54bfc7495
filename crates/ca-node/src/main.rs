//! `ca-node`: one program, a node of a certification authority or a command to one.
//!
//! ```text
//!  init, join, server ─▶ setup ─▶ node (listeners, token, log, authority, doors, tasks)
//!  issue, revoke, status, cert, crl, ocsp ─▶ client ─▶ a node's doors
//!  dev ─▶ three of this program
//! ```
#![forbid(unsafe_code)]

mod cli;
mod commands;

mod ceremony;
mod choices;
mod desk;
mod jointoken;
mod setup;
mod token;
mod urls;

mod health;
mod keys;
mod leaves;
mod log;
mod node;
mod places;
mod ports;
mod serve;
mod tasks;
mod tls;

mod client;
mod columns;

mod config;
mod failure;
mod files;
mod limits;
mod output;

use std::process::ExitCode;

use clap::Parser as _;
use tikv_jemallocator::Jemalloc;

use crate::cli::Cli;
use crate::failure::Failure;

/// RocksDB's C++ takes it too. glibc's own costs an eighth more for each certificate (decision 0021).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = start(cli);
    output::flush();
    match ended {
        Ok(code) => code,
        Err(failure) => {
            output::talk(&failure.to_string());
            ExitCode::from(failure.code)
        }
    }
}

fn start(cli: Cli) -> Result<ExitCode, Failure> {
    // A core dump would hold PINs and whatever the embedded token keeps in memory (I26).
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(rustix::process::Resource::Core, none).map_err(Failure::internal)?;
    // A provider is installed once; a second call says so, and there is none.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::internal)?;
    runtime.block_on(commands::run(cli))
}
