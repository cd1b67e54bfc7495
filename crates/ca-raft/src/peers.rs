//! How nodes talk: mutual TLS of our own, HTTP/2, and the calls of `proto/peer.proto`.
//!
//! ```text
//!  openraft ─▶ network ─▶ client ─▶ TLS: "is this node 2 of our cluster and epoch?" ─▶ server ─▶ openraft
//!  forward, read index, membership, exchange ─▶ client      every message names (cluster, epoch, from, to)
//! ```

mod client;
mod identity;
mod network;
mod server;
mod tls;
mod transport;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ca_core::ids::NodeId;
use tokio::time::Instant;

pub(crate) use self::client::{CallError, Peers};
pub use self::identity::{InvalidPeerIdentity, PeerIdentity};
pub(crate) use self::network::Network;
pub use self::server::{ExchangeHandler, exchange_nothing};
pub(crate) use self::server::{Served, serve};
pub use self::tls::{PeerTls, PeerTlsError};
pub(crate) use self::transport::{Entrance, Transport};
pub use self::transport::{Later, Octets, SimulatedNetwork};

/// When each peer was last heard.
#[derive(Debug, Default)]
pub(crate) struct Contacts {
    heard: Mutex<HashMap<NodeId, Instant>>,
}

impl Contacts {
    pub(crate) fn heard(&self, node: NodeId) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(node, Instant::now());
    }

    /// Whether the peer called within this time.
    pub(crate) fn lately(&self, node: NodeId, within: Duration) -> bool {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.get(&node).is_some_and(|at| at.elapsed() < within)
    }
}

/// Where nodes listen, as the membership says; for those that the register has no row of yet.
#[derive(Debug, Default)]
pub(crate) struct Introductions {
    addresses: Mutex<HashMap<NodeId, String>>,
}

impl Introductions {
    pub(crate) fn introduce(&self, node: NodeId, address: &str) {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).insert(node, address.to_owned());
    }

    pub(crate) fn of(&self, node: NodeId) -> Option<String> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).get(&node).cloned()
    }
}
