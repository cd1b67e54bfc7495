//! status: has every member prove what it can do, and compares what they hold.

mod asked;
mod shown;
mod verdict;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::json;

use self::asked::Looked;
use self::verdict::{Verdict, verdict};
use crate::cli::Format;
use crate::client::Connection;
use crate::failure::Failure;
use crate::limits::{HEALTHY_WITHIN, LOOK_AGAIN_EVERY, WATCH_EVERY};
use crate::output::{data, talk};

/// Which looks a person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// One.
    One,
    /// Until the cluster is healthy, for a while.
    UntilHealthy,
    /// One after the other, until Ctrl-C.
    Watch,
}

impl Looks {
    pub(super) fn wanted(wait: bool, watch: bool) -> Self {
        match (wait, watch) {
            (true, _) => Self::UntilHealthy,
            (_, true) => Self::Watch,
            _ => Self::One,
        }
    }
}

pub(super) async fn run(connection: &Connection, output: Format, looks: Looks) -> Result<ExitCode, Failure> {
    let begun = Instant::now();
    loop {
        let looked = asked::look(connection).await.map(|looked| (verdict(&looked), looked));
        match looks {
            Looks::One => return told(&looked?, output),
            Looks::UntilHealthy => {
                let healthy = looked.as_ref().is_ok_and(|(verdict, _)| *verdict == Verdict::Healthy);
                if healthy || begun.elapsed() > HEALTHY_WITHIN {
                    return told(&looked?, output);
                }
                tokio::time::sleep(LOOK_AGAIN_EVERY).await;
            }
            Looks::Watch => {
                if std::io::stdout().is_terminal() {
                    // ECMA-48: cursor home, erase display.
                    data("\x1b[H\x1b[2J");
                }
                match &looked {
                    Ok(looked) => drop(told(looked, output)?),
                    Err(failure) => talk(&failure.to_string()),
                }
                tokio::time::sleep(WATCH_EVERY).await;
            }
        }
    }
}

fn told((verdict, looked): &(Verdict, Looked), output: Format) -> Result<ExitCode, Failure> {
    match output {
        Format::Json => {
            let nodes: Vec<_> = looked.members.iter().map(asked::Asked::json).collect();
            data(&json!({ "verdict": verdict.word(), "nodes": nodes }).to_string());
        }
        Format::Table | Format::Pem => shown::show(looked, *verdict),
    }
    Ok(ExitCode::from(verdict.code()))
}
