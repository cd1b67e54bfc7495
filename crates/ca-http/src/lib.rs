//! The doors: REST for those who ask for certificates, OCSP and CRLs for those who rely on them.
//!
//! ```text
//!  ca-node's accept loop ── PeerCertificate ──▶ watch: request id, deadline, one event, problem+json
//!                                                 │
//!          table ─▶ api: guard (the route's rule) ─▶ handler ─▶ Authority::issue, revoke
//!                        va:                              handler ─▶ Authority::answer_ocsp, crl
//! ```
//!
//! No TLS here: who accepts a connection puts the caller's verified certificate into every request as a
//! [`PeerCertificate`]. HTTP statuses of errors stand in [`problem`] alone.
#![forbid(unsafe_code)]

mod api;
mod doors;
mod openapi;
mod route;
mod table;
mod va;

mod bearer;
mod guard;
mod watch;

mod cas;
mod certificates;
mod cluster;
mod crl;
mod enrolment;
mod grants;
mod health;
mod history;
mod issue;
mod join;
mod ocsp;
mod profiles;
mod proof;
mod revocations;
mod search;

mod answer;
mod body;
mod cache;
mod error;
mod extract;
mod rates;
mod surplus;

pub mod explain;
pub mod limits;
mod lists;
pub mod problem;
pub mod wire;

pub use bearer::PeerAddress;
pub use cas::CaKeys;
pub use doors::Doors;
pub use error::DoorError;
pub use guard::PeerCertificate;
pub use health::{Health, ReadyRole};
pub use join::{BoxFuture, DeskError, JoinDesk, MintedToken};
pub use wire::{JoinAnswer, JoinRequest, Secret};
