//! Measures a cluster of real, durable processes from outside, beside what the machine itself can do.
//!
//! ```text
//!  bin/load ──▶ issue ─────▶ connection ─▶ TLS, HTTP/1.1 keep-alive ─▶ three nodes (scripts::cluster)
//!          └──▶ failover ──▶ connection      kill -9 of the leader
//!          └──▶ machine ───▶ fsync, the token by itself, /proc
//! ```
#![forbid(unsafe_code)]

pub mod failover;
pub mod issue;
pub mod machine;

pub mod connection;
pub mod limits;
pub mod row;
