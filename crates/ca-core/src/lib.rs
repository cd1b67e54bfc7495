//! Decides what the certificate authority does; never does it.
//!
//! Everything here is pure: time, randomness, disk and network are arguments.
//! One command in, one outcome and a list of changes out, the same on every node:
//!
//! ```text
//!  request ─▶ plan ─▶ draft (+ lint) ─▶ Command::Intent ─▶ apply ─▶ Outcome, Changes
//!                                                            │
//!                                     Applied ─▶ Permit ─▶ SigningOrder
//! ```
//!
//! Read [`register`] first, then [`command`], then [`mod@apply`].
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod ids;
pub mod register;

pub mod command;
pub mod outcome;

pub mod apply;
pub mod certificate;
pub mod crl;
pub mod history;
pub mod permit;

mod cluster_key;
pub mod draft;
pub mod enrolment;
pub mod lint;
pub mod mandate;
pub mod names;
pub mod plan;
pub mod profile;
pub mod roles;
pub mod search;
pub mod shards;
pub mod status;
mod subject;
pub mod weak_key;

pub mod limits;
pub mod planted;
