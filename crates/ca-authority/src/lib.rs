//! Acts: issues, revokes, publishes CRLs, answers OCSP, recovers. Knows no runtime, no disk, no network and no
//! token: those are [`ports`].
//!
//! ```text
//!            ┌────────────── Authority ──────────────┐
//!  doors ──▶ │ issue  revoke  crl  ocsp  settle      │ ──▶ Log       (ca-raft)
//!            │   one act a file; acts call no acts   │ ──▶ Signer    (ca-hsm)
//!            └───────────────────────────────────────┘ ──▶ Verifier, Clock, Entropy
//! ```
//!
//! The commit point of an issuance is marked `COMMIT` in [`mod@issue`].
#![forbid(unsafe_code)]

pub mod authority;
pub mod ports;

pub mod issue;
pub mod revoke;

mod configure;
mod elsewhere;

pub mod crl;
pub mod ocsp;

pub mod freshness;
mod refusals;
pub mod responder;
pub mod settle;

pub mod error;
pub mod limits;
#[cfg(feature = "planted")]
mod planted;
mod signature;

pub use authority::{Authority, Ports};
pub use configure::NewIssuer;
pub use error::ActError;
