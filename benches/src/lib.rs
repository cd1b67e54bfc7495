//! Measures a cluster of real, durable processes from outside, beside what the machine itself can do.
//!
//! ```text
//!  bin/load ──▶ issue ─────▶ closed_loop, connection ─▶ TLS, HTTP/1.1 keep-alive ─▶ three nodes (scripts::cluster)
//!          └──▶ revoke ────▶ closed_loop, connection      certificates revoked, lists made anew
//!          └──▶ ocsp ──────▶ closed_loop, lean            answers that are kept, answers that are signed; nginx beside
//!          └──▶ mixed ─────▶ closed_loop, connection      a day of a CA in small
//!          └──▶ store ─────▶ issue, revoke                a store of many certificates: start, issue, disk
//!          └──▶ slow ──────▶ issue                         tokens that take 20 ms a signature: one node, three nodes
//!          └──▶ failover ──▶ connection                   kill -9 of the leader
//!          └──▶ inputs ────▶ connection                   what is refused, and what it costs
//!          └──▶ ratios ────▶ issue, ocsp, revoke, mixed     all of that beside what the machine can do
//!          └──▶ beside ────▶ nginx, cfssl                   what others do, where they are installed
//!          └──▶ machine ───▶ fsync, the token by itself, /proc
//! ```
#![forbid(unsafe_code)]

pub mod failover;
pub mod inputs;
pub mod issue;
pub mod machine;
pub mod mixed;
pub mod ocsp;
pub mod revoke;
pub mod slow;
pub mod store;

pub mod beside;
pub mod closed_loop;
pub mod connection;
pub mod lean;
pub mod limits;
pub mod ratios;
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
