//! Calls to peers.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ca_core::ids::{NodeId, UnixMillis};
use ca_core::register::Register as _;
use ca_core::register::{Key, Value};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Status};

use super::identity::PeerIdentity;
use super::transport::{Octets, Transport};
use super::{Contacts, Introductions};
use crate::limits;
use crate::store::RegisterStore;
use crate::wire::peer as wire;
use crate::wire::peer::peers_client::PeersClient;

pub(crate) type Client = PeersClient<Channel>;

/// What a connection is for. Each has its own, so that none waits behind another's octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// Entries, votes, and everything small.
    Log,
    /// The leader's signs of life, and its question for the time: what must not wait.
    Heartbeat,
    /// Snapshots.
    Bulk,
}

/// A call that brought no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// The peer did not get it.
    #[error("node {node} cannot be reached: {why}")]
    Unreachable { node: NodeId, why: String },
    /// The peer may have got it.
    #[error("node {node} did not answer: {why}")]
    NoAnswer { node: NodeId, why: String },
    /// The peer refused to listen.
    #[error("node {node} refused: {why}")]
    Refused { node: NodeId, why: String },
}

/// All peers of this node. Connections are made when they are needed, and again when they break.
#[derive(Debug)]
pub(crate) struct Peers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    identity: PeerIdentity,
    transport: Transport,
    register: RegisterStore,
    contacts: Arc<Contacts>,
    introduced: Arc<Introductions>,
    clients: Mutex<HashMap<(NodeId, Lane), Client>>,
}

impl Clone for Peers {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl Peers {
    pub(crate) fn new(
        identity: PeerIdentity,
        transport: Transport,
        register: RegisterStore,
        contacts: Arc<Contacts>,
        introduced: Arc<Introductions>,
    ) -> Self {
        let clients = Mutex::default();
        Self { inner: Arc::new(Inner { identity, transport, register, contacts, introduced, clients }) }
    }

    /// What stands in every request to `to`.
    pub(crate) fn caller(&self, to: NodeId) -> wire::Caller {
        let PeerIdentity { cluster, epoch, node } = self.inner.identity;
        wire::Caller { cluster: Bytes::copy_from_slice(&cluster.0), epoch: epoch.0, from: node.0, to: to.0 }
    }

    /// The peer answered.
    pub(super) fn heard(&self, node: NodeId) {
        self.inner.contacts.heard(node);
    }

    /// Notes where a node listens, as the membership says.
    pub(crate) fn introduce(&self, node: NodeId, address: &str) {
        self.inner.introduced.introduce(node, address);
    }

    /// Drops all connections: they were made with a certificate that is no longer ours.
    pub(crate) fn reconnect(&self) {
        self.inner.clients.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The client for a peer. Does not connect yet.
    pub(super) fn client(&self, node: NodeId, lane: Lane) -> Client {
        let mut clients = self.inner.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry((node, lane)).or_insert_with(|| self.inner.connectable(node)).clone()
    }

    /// The client for a peer, which sends whatever it is given.
    #[cfg(test)]
    pub(crate) fn unbounded(&self, node: NodeId) -> Client {
        self.client(node, Lane::Bulk).max_encoding_message_size(usize::MAX)
    }

    /// Forwards commands to the leader.
    pub(crate) async fn forward(
        &self,
        leader: NodeId,
        envelopes: Vec<Bytes>,
    ) -> Result<wire::ForwardReply, CallError> {
        let request = wire::ForwardRequest { caller: Some(self.caller(leader)), envelopes };
        let mut client = self.client(leader, Lane::Log);
        answered(leader, limits::APPLIED_WITHIN, client.forward(request)).await
    }

    /// Asks the leader how far the log is committed.
    pub(crate) async fn read_index(&self, leader: NodeId) -> Result<wire::ReadIndexReply, CallError> {
        let request = wire::ReadIndexRequest { caller: Some(self.caller(leader)) };
        let mut client = self.client(leader, Lane::Log);
        answered(leader, limits::CALL_WITHIN, client.read_index(request)).await
    }

    /// Asks a voter what its wall clock shows.
    pub(crate) async fn wall_clock(&self, voter: NodeId) -> Result<UnixMillis, CallError> {
        let request = wire::ClockRequest { caller: Some(self.caller(voter)) };
        let mut client = self.client(voter, Lane::Heartbeat);
        let reply = answered(voter, limits::CLOCK_WITHIN, client.clock(request)).await?;
        Ok(UnixMillis(reply.wall_ms))
    }

    /// Asks the leader for a membership change.
    pub(crate) async fn membership(
        &self,
        leader: NodeId,
        change: wire::membership_request::Change,
    ) -> Result<wire::MembershipReply, CallError> {
        let request = wire::MembershipRequest { caller: Some(self.caller(leader)), change: Some(change) };
        let mut client = self.client(leader, Lane::Log);
        answered(leader, limits::MEMBERSHIP_WITHIN, client.membership(request)).await
    }

    /// Calls what the other node's program has put under this name.
    pub(crate) async fn exchange(
        &self,
        node: NodeId,
        name: &str,
        octets: Vec<u8>,
    ) -> Result<wire::ExchangeReply, CallError> {
        let request = wire::ExchangeRequest {
            caller: Some(self.caller(node)),
            name: name.to_owned(),
            octets: octets.into(),
        };
        let mut client = self.client(node, Lane::Bulk);
        answered(node, limits::EXCHANGE_WITHIN, client.exchange(request)).await
    }
}

impl Inner {
    fn connectable(self: &Arc<Self>, node: NodeId) -> Client {
        // Weak: the channel, which lives in `clients`, would otherwise keep its owner alive.
        let inner = Arc::downgrade(self);
        let connector = tower::service_fn(move |_uri: Uri| {
            let inner = inner.upgrade();
            async move {
                let inner = inner.ok_or_else(|| NotConnected("this node is stopping".to_owned()))?;
                inner.connect(node).await.map(TokioIo::new).map_err(|e| NotConnected(e.to_string()))
            }
        });
        // The address is looked up at each connect; this one only fills the request's authority.
        let channel = Endpoint::from_static("http://peer.invalid")
            .initial_stream_window_size(limits::STREAM_WINDOW_OCTETS)
            .initial_connection_window_size(limits::CONNECTION_WINDOW_OCTETS)
            .http2_keep_alive_interval(limits::KEEP_ALIVE_EVERY)
            .keep_alive_timeout(limits::KEEP_ALIVE_WITHIN)
            .keep_alive_while_idle(true)
            .connect_with_connector_lazy(connector);
        PeersClient::new(channel)
            .max_decoding_message_size(limits::MESSAGE_OCTETS_MAX)
            .max_encoding_message_size(limits::MESSAGE_OCTETS_MAX)
    }

    async fn connect(&self, node: NodeId) -> io::Result<Box<dyn Octets>> {
        let address = self.address(node)?;
        let connecting = self.transport.connect(&address, PeerIdentity { node, ..self.identity });
        timeout(limits::CONNECT_WITHIN.saturating_mul(2), connecting)
            .await
            .map_err(|_elapsed| {
                io::Error::new(io::ErrorKind::TimedOut, format!("{address} does not answer"))
            })?
            .map_err(|e| io::Error::new(e.kind(), format!("{address}: {e}")))
    }

    fn address(&self, node: NodeId) -> io::Result<String> {
        match self.register.get(&Key::Member(node)) {
            Ok(Some(Value::Member(member))) => return Ok(member.peer_address),
            Ok(_) => {}
            Err(fault) => return Err(io::Error::other(fault)),
        }
        self.introduced.of(node).ok_or_else(|| io::Error::other(format!("node {node} has no address")))
    }
}

/// Waits for a call's answer, at most this long.
pub(super) async fn answered<T>(
    node: NodeId,
    within: Duration,
    call: impl Future<Output = Result<tonic::Response<T>, Status>>,
) -> Result<T, CallError> {
    match timeout(within, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(failed(node, &status)),
        Err(_elapsed) => Err(CallError::NoAnswer { node, why: format!("within {within:?}") }),
    }
}

/// What a status means. tonic's own messages hide their cause ("transport error"), which stands in the sources.
pub(super) fn failed(node: NodeId, status: &Status) -> CallError {
    let mut why = status.message().to_owned();
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        why = error.to_string();
        // The request never left this node.
        if error.is::<NotConnected>() {
            return CallError::Unreachable { node, why };
        }
        source = error.source();
    }
    match status.code() {
        Code::PermissionDenied | Code::Unimplemented | Code::InvalidArgument => {
            CallError::Refused { node, why }
        }
        _ => CallError::NoAnswer { node, why },
    }
}

/// There is no connection. Found again among the sources of a call's error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotConnected(String);
