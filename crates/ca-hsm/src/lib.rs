//! The signer for real, and the verifier.
//!
//! A [`Token`] is a PKCS#11 token with this cluster's keys. It signs what a [`SigningOrder`] allows, and key proofs
//! of fixed form; nothing else reaches a key (I4, R1). It heals by itself: lost sessions, lost log-ins, stale
//! handles and a token that was away cost one retry, not a restart.
//!
//! ```text
//!  sign(order) ──► queue (bounded) ──► worker 1 ── session ─┐
//!  prove, wrap, …      │               worker 2 ── session ─┼──► PKCS#11 library ──► token
//!                      │               worker n ── session ─┘         ▲
//!                 watchdog: probes each key once a second,       one idle session
//!                 replaces workers that hang in a call           keeps the log-in
//! ```
//!
//! Every call into the library is made by a worker, an OS thread that owns its session; the async side only waits.
//!
//! [`SigningOrder`]: ca_core::permit::SigningOrder

mod entropy;
mod error;
mod generate;
mod heal;
mod library;
pub mod limits;
mod object;
mod pool;
mod probe;
mod proof;
mod provision;
mod queue;
mod raw;
mod sign;
mod token;
mod verify;
mod wrap;

#[cfg(test)]
mod tests;

pub use entropy::SystemEntropy;
pub use error::TokenError;
pub use library::Module;
pub use probe::Health;
pub use proof::{ProofStatement, verify_proof};
pub use token::{PinSource, PinUnavailable, Token, TokenConfig, TokenInfo};
pub use verify::SignatureVerifier;
pub use wrap::{TransportPublicKey, WrappedKey};
