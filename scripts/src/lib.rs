//! What the commands of this folder share: real processes on this machine, driven from outside.
//!
//! ```text
//!  bin/demo ──▶ show, check ──▶ api, status, requests ──▶ shell ──▶ openssl, curl
//!                    └───────▶ cluster ──▶ ca-node dev, ca-node server, kill -9
//!  bin/blocks ─▶ reading ──▶ documents (Markdown), session ──▶ bash ──▶ what a document says
//!       └──────▶ seclusion ──▶ namespaces: every port free, nothing left behind
//! ```
//!
//! Nothing here links the program: what a stranger can do with openssl and curl is what is shown and checked.
#![forbid(unsafe_code)]

pub mod check;
pub mod show;

pub mod documents;
pub mod reading;
pub mod seclusion;
pub mod session;

pub mod api;
pub mod requests;
pub mod status;

pub mod apart;
pub mod cluster;
pub mod interrupt;
pub mod limits;
pub mod poll;
pub mod shell;
pub mod steps;
