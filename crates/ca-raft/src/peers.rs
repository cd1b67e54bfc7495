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

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ca_core::ids::NodeId;

pub(crate) use self::client::{CallError, Peers};
pub use self::identity::{InvalidPeerIdentity, PeerIdentity};
pub(crate) use self::network::Network;
pub(crate) use self::server::{Served, serve};
pub use self::server::{ExchangeHandler, exchange_nothing};
pub use self::tls::{PeerTls, PeerTlsError};

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
