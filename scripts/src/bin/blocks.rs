//! `scripts/blocks`, `scripts/tour`: documents, executed.
#![forbid(unsafe_code)]
#![expect(clippy::print_stderr, reason = "a command says on standard error why it failed")]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use scripts::reading::Place;
use scripts::seclusion;

/// Executes the blocks of Markdown documents, with the program that was built beside this one, in namespaces of their
/// own: no port of this machine is used, and no file outside a temporary directory is changed.
#[derive(Debug, Parser)]
#[command(name = "scripts/blocks")]
struct Arguments {
    /// Read the documents aloud: what they say, what is typed, what comes of it
    #[arg(long)]
    aloud: bool,
    /// The documents
    #[arg(required = true)]
    documents: Vec<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The outermost context last: what was printed first, what is wrong at the end, where people look.
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            eprintln!("error: {}", causes.join("\n  "));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let Some(home) = seclusion::inside() else { return seclusion::again_inside() };
    let place = Place { root: std::env::current_dir()?, home };
    if arguments.aloud {
        arguments.documents.iter().try_for_each(|document| place.read_aloud(document))
    } else {
        place.check(&arguments.documents)
    }
}
