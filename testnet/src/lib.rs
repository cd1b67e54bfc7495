//! Real clusters under load that are broken on purpose, and what their clients saw held against the promises.
//!
//! ```text
//!  bin/chaos ──▶ rows ─────▶ what is broken, and how it is mended (scripts::cluster: kill -9, SIGSTOP;
//!           │                scripts::apart: links; disks: strace)
//!           └──▶ workload ─▶ eight clients, each on every node ──▶ history: every answer, with its times
//!           └──▶ audit ────▶ at rest: what each node says of all that was acknowledged
//!           └──▶ checks ───▶ the promises over the history ──▶ linearizable, for each serial
//! ```
#![forbid(unsafe_code)]

pub mod audit;
pub mod checks;
pub mod dice;
pub mod disks;
pub mod history;
pub mod limits;
pub mod linearizable;
pub mod rows;
pub mod workload;
