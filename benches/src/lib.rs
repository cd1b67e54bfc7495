//! Measures a cluster of real, durable processes from outside, beside what the machine itself can do.
//!
//! ```text
//!  bin/load ──▶ issue ─────▶ connection ─▶ TLS, HTTP/1.1 keep-alive ─▶ three nodes (scripts::cluster)
//!          └──▶ failover ──▶ connection      kill -9 of the leader
//!          └──▶ inputs ───▶ connection      what is refused, and what it costs
//!          └──▶ machine ───▶ fsync, the token by itself, /proc
//! ```
#![forbid(unsafe_code)]

pub mod failover;
pub mod inputs;
pub mod issue;
pub mod machine;

pub mod connection;
pub mod limits;
pub mod row;

/// DER as a stranger writes it: the writer of the readers' own tables.
#[path = "../../crates/ca-x509/tests/refusals/write.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "written for tests, over input of our own"
)]
mod write;
