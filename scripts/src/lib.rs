//! What the commands of this folder share: a cluster of real processes on this machine, driven from outside.
//!
//! ```text
//!  bin/demo ──▶ show, check ──▶ api, status, requests ──▶ shell ──▶ openssl, curl
//!                    └───────▶ cluster ──▶ ca-node dev, ca-node server, kill -9
//! ```
//!
//! Nothing here links the program: what a stranger can do with openssl and curl is what is shown and checked.
#![forbid(unsafe_code)]

pub mod check;
pub mod show;

pub mod api;
pub mod requests;
pub mod status;

pub mod cluster;
pub mod interrupt;
pub mod limits;
pub mod poll;
pub mod shell;
pub mod steps;
