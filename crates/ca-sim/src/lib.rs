//! The storm: a whole cluster in one thread, with everything that can go wrong under the test's hand.
//!
//! The core and the authority are the real ones, and so is the verifier. What lies outside of them is simulated:
//! the log, the tokens, the clocks, the random source. Nothing here sleeps, and nothing depends on anything but
//! what the test does: one test, one history.
//!
//! ```text
//!   Authority 1    Authority 2    Authority 3        the real thing, one a node
//!    │   │    │     │   │    │     │   │    │
//!    │ SimToken     │ SimToken     │ SimToken        software keys; each signature goes on one Tape
//!    │              │              │
//!   SimLog ─────── Storm ─────── SimLog              one ordered list of entries; links that can be cut
//!    │              │              │
//!   register 1    register 2     register 3          filled by ca_core::apply::apply alone
//! ```
//!
//! That is level 1. On level 2 ([`run::Level`]) the log is that of `ca-raft`, over a simulated network.
//!
//! Begin with [`World::bootstrapped`], which is also the description of how a cluster comes to life.
#![forbid(unsafe_code)]
#![expect(clippy::expect_used, clippy::panic, reason = "a simulator is a test: what cannot be ends the run")]

pub mod ceremony;
pub mod world;

mod cluster;
pub mod consensus;
pub mod log;
pub mod token;

pub mod clock;
pub mod dice;
pub mod entropy;

pub mod checks;
pub mod drive;

pub mod run;
pub mod shrink;

pub mod model;

pub use drive::{Act, drive};
pub use log::{Fault, Link};
pub use token::TokenMode;
pub use world::{Said, World};
