//! The issuance log for real: openraft, RocksDB and the peers.
//!
//! Everything that a quorum decides goes through [`IssuanceLog`]; what the decisions are, [`ca_core`] says.
//!
//! ```text
//!   append ─▶ forward ─▶ leader ─▶ openraft ─▶ store::log   (synced before it counts)
//!     ▲                              │  ▲
//!     │                              │  └──── peers ◀──▶ the other nodes (mutual TLS)
//!     └── waiter ◀── machine ◀───────┘ committed
//!                       │  ca_core::apply
//!                       └─▶ store::register ◀── register(), snapshots
//! ```
//!
//! Read `log`, then `forward`, `machine` and `store`. No type of openraft, RocksDB or tonic leaves this crate.
#![forbid(unsafe_code)]

mod log;
mod membership;
mod stop;

mod clock;
mod forward;
mod leader;
mod read;
mod stamp;

mod consensus;
mod machine;
mod peers;
mod runtime;
mod store;

mod codec;
mod wire;

pub mod limits;
pub mod simulation;

#[cfg(fuzzing)]
pub mod fuzz;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod tests;

pub use self::clock::{ClockOffset, WallClock};
pub use self::codec::CodecError;
pub use self::consensus::Compaction;
pub use self::log::{IssuanceLog, StartError, StartOptions};
pub use self::membership::{ExchangeError, MembershipError};
pub use self::peers::{
    ExchangeHandler, InvalidPeerIdentity, PeerIdentity, PeerTls, PeerTlsError, exchange_nothing,
};
pub use self::stop::StopReason;
pub use self::store::StartStoreError;
