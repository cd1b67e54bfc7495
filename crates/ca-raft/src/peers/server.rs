//! Answers peers.

use std::fs;
use std::future::Future;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ca_core::ids::NodeId;
use futures_util::{Stream, StreamExt as _};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use openraft::Snapshot;
use openraft::raft::{
    AppendEntriesRequest, StreamAppendError, StreamAppendResult, TransferLeaderError, TransferLeaderRequest,
    VoteRequest, VoteResponse,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::{Request, Response, Status, Streaming};

use super::Contacts;
use super::identity::PeerIdentity;
use super::transport::{Caller, Entrance};
use crate::clock::WallClock;
use crate::codec;
use crate::consensus::{Raft, SnapshotMeta, Types};
use crate::leader::Leader;
use crate::limits;
use crate::runtime;
use crate::store::{SnapshotDirectory, sync_directory};
use crate::wire::peer as wire;
use crate::wire::peer::peers_server::{Peers, PeersServer};

/// Answers an exchange: (who asks, name, octets) → octets, or why not.
pub type ExchangeHandler = Arc<
    dyn Fn(NodeId, String, Vec<u8>) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>>
        + Send
        + Sync,
>;

/// The handler of a node that exchanges nothing.
#[must_use]
pub fn exchange_nothing() -> ExchangeHandler {
    Arc::new(|_, name, _| Box::pin(async move { Err(format!("nothing is exchanged under `{name}`")) }))
}

/// What peers' calls reach.
pub(crate) struct Served {
    pub(crate) identity: PeerIdentity,
    pub(crate) raft: Raft,
    pub(crate) leader: Leader,
    pub(crate) contacts: Arc<Contacts>,
    pub(crate) exchange: ExchangeHandler,
    pub(crate) clock: WallClock,
    /// Where snapshots are received.
    pub(crate) incoming: PathBuf,
    pub(crate) received: AtomicU64,
}

/// Accepts peers until it is aborted; connections end with it.
pub(crate) async fn serve(entrance: Entrance, served: Arc<Served>) {
    let permits = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        match entrance.accept().await {
            Ok(caller) => {
                let (from, served) = (caller.place(), Arc::clone(&served));
                connections.spawn(async move {
                    if let Err(e) = connection(caller, served).await {
                        tracing::debug!("peer connection from {from}: {e}");
                    }
                    drop(permit);
                });
            }
            Err(e) => {
                tracing::warn!("peer listener: {e}");
                tokio::time::sleep(limits::RETRY_AFTER).await;
            }
        }
    }
}

async fn connection(
    caller: Caller,
    served: Arc<Served>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (stream, peer) = caller.identified().await?;
    let service = PeersServer::new(PeerCalls { served, peer })
        .max_decoding_message_size(limits::MESSAGE_OCTETS_MAX)
        .max_encoding_message_size(limits::MESSAGE_OCTETS_MAX);
    let mut builder = auto::Builder::new(TokioExecutor::new()).http2_only();
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(limits::STREAM_WINDOW_OCTETS)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_OCTETS)
        .keep_alive_interval(limits::KEEP_ALIVE_EVERY)
        .keep_alive_timeout(limits::KEEP_ALIVE_WITHIN);
    builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await
}

/// The calls of one connection.
struct PeerCalls {
    served: Arc<Served>,
    /// Whom the connection's certificate names.
    peer: PeerIdentity,
}

impl PeerCalls {
    fn admit(&self, caller: Option<wire::Caller>) -> Result<NodeId, Status> {
        admit(self.served.identity, self.peer, caller, &self.served.contacts)
    }
}

/// Checks (cluster, epoch, from, to) against this node and the certificate, before anything else sees the message.
fn admit(
    ours: PeerIdentity,
    peer: PeerIdentity,
    caller: Option<wire::Caller>,
    contacts: &Contacts,
) -> Result<NodeId, Status> {
    let caller = caller.ok_or_else(|| Status::permission_denied("the request names no caller"))?;
    let says = (caller.cluster.as_ref(), caller.epoch, caller.from, caller.to);
    let expected = (ours.cluster.0.as_slice(), ours.epoch.0, peer.node.0, ours.node.0);
    if says != expected || peer.cluster != ours.cluster || peer.epoch != ours.epoch {
        return Err(Status::permission_denied(format!(
            "this is {ours}; the certificate is of {peer}; the request is of epoch {}, from node {} to node {}",
            caller.epoch, caller.from, caller.to
        )));
    }
    contacts.heard(peer.node);
    Ok(peer.node)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn malformed(why: impl ToString) -> Status {
    Status::invalid_argument(why.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn stopped(why: impl ToString) -> Status {
    Status::unavailable(why.to_string())
}

type AppendReplies = Pin<Box<dyn Stream<Item = Result<wire::AppendReply, Status>> + Send>>;

#[tonic::async_trait]
impl Peers for PeerCalls {
    type AppendStream = AppendReplies;

    async fn vote(&self, request: Request<wire::VoteRequest>) -> Result<Response<wire::VoteReply>, Status> {
        let mut request = request.into_inner();
        self.admit(request.caller.take())?;
        let answer = self.served.raft.vote(vote_request(request)?).await.map_err(stopped)?;
        Ok(Response::new(vote_reply(&answer)))
    }

    async fn pre_vote(
        &self,
        request: Request<wire::VoteRequest>,
    ) -> Result<Response<wire::VoteReply>, Status> {
        let mut request = request.into_inner();
        self.admit(request.caller.take())?;
        let answer = self.served.raft.pre_vote(vote_request(request)?).await.map_err(stopped)?;
        Ok(Response::new(vote_reply(&answer)))
    }

    async fn append(
        &self,
        request: Request<Streaming<wire::AppendRequest>>,
    ) -> Result<Response<AppendReplies>, Status> {
        let (ours, peer) = (self.served.identity, self.peer);
        let contacts = Arc::clone(&self.served.contacts);
        // A message that is refused ends the stream of requests; its status ends the stream of replies.
        let refused: Arc<Mutex<Option<Status>>> = Arc::default();
        let refuse = Arc::clone(&refused);
        let requests = request.into_inner().map(move |message| {
            let mut message = message?;
            admit(ours, peer, message.caller.take(), &contacts)?;
            append_request(message)
        });
        let requests = requests.scan((), move |(), read| {
            let read = read.map_err(|status| {
                *refuse.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
            });
            std::future::ready(read.ok())
        });
        let replies = self.served.raft.stream_append(requests).map(|result| match result {
            Ok(result) => Ok(append_reply(&result)),
            Err(fatal) => Err(stopped(fatal)),
        });
        let last = futures_util::stream::once(async move {
            refused.lock().unwrap_or_else(PoisonError::into_inner).take()
        });
        let last = last.filter_map(|status| std::future::ready(status.map(Err)));
        Ok(Response::new(Box::pin(replies.chain(last))))
    }

    async fn snapshot(
        &self,
        request: Request<Streaming<wire::SnapshotPart>>,
    ) -> Result<Response<wire::SnapshotReply>, Status> {
        let mut parts = request.into_inner();
        let (vote, snapshot) = self.receive(&mut parts).await?;
        let meta = snapshot.meta().clone();
        let installed = self.served.raft.install_full_snapshot(vote, Snapshot { meta, snapshot }).await;
        let vote = codec::vote_to_wire(&installed.map_err(stopped)?.vote);
        Ok(Response::new(wire::SnapshotReply { vote: Some(vote) }))
    }

    async fn transfer_leader(
        &self,
        request: Request<wire::TransferRequest>,
    ) -> Result<Response<wire::TransferReply>, Status> {
        use wire::transfer_reply::Result as Reply;
        let mut request = request.into_inner();
        self.admit(request.caller.take())?;
        let from = codec::vote_from_wire(request.from_leader).map_err(malformed)?;
        let last = request.last.map(codec::log_id_from_wire);
        let transfer = TransferLeaderRequest::new(from, request.to, last);
        let result = match self.served.raft.handle_transfer_leader(transfer).await.map_err(stopped)? {
            Ok(()) => Reply::Accepted(wire::Blank {}),
            Err(TransferLeaderError::VoteChanged { actual, .. }) => {
                Reply::VoteChanged(codec::vote_to_wire(&actual))
            }
            Err(TransferLeaderError::LogNotFlushed { actual, .. }) => {
                Reply::NotFlushed(wire::NotFlushed { last: actual.as_ref().map(codec::log_id_to_wire) })
            }
        };
        Ok(Response::new(wire::TransferReply { result: Some(result) }))
    }

    async fn forward(
        &self,
        request: Request<wire::ForwardRequest>,
    ) -> Result<Response<wire::ForwardReply>, Status> {
        let mut request = request.into_inner();
        self.admit(request.caller.take())?;
        let result = self.served.leader.append_forwarded(request.envelopes).await;
        Ok(Response::new(wire::ForwardReply { result: Some(result) }))
    }

    async fn read_index(
        &self,
        request: Request<wire::ReadIndexRequest>,
    ) -> Result<Response<wire::ReadIndexReply>, Status> {
        self.admit(request.into_inner().caller)?;
        let result = self.served.leader.read_index().await;
        Ok(Response::new(wire::ReadIndexReply { result: Some(result) }))
    }

    async fn clock(
        &self,
        request: Request<wire::ClockRequest>,
    ) -> Result<Response<wire::ClockReply>, Status> {
        self.admit(request.into_inner().caller)?;
        Ok(Response::new(wire::ClockReply { wall_ms: self.served.clock.now().0 }))
    }

    async fn membership(
        &self,
        request: Request<wire::MembershipRequest>,
    ) -> Result<Response<wire::MembershipReply>, Status> {
        let mut request = request.into_inner();
        self.admit(request.caller.take())?;
        let change = request.change.ok_or_else(|| malformed("a change of a later version"))?;
        let result = self.served.leader.change(change).await;
        Ok(Response::new(wire::MembershipReply { result: Some(result) }))
    }

    async fn exchange(
        &self,
        request: Request<wire::ExchangeRequest>,
    ) -> Result<Response<wire::ExchangeReply>, Status> {
        use wire::exchange_reply::Result as Reply;
        let request = request.into_inner();
        let peer = self.admit(request.caller)?;
        let result = match (self.served.exchange)(peer, request.name, request.octets.into()).await {
            Ok(octets) => Reply::Octets(octets.into()),
            Err(why) => Reply::Refused(why),
        };
        Ok(Response::new(wire::ExchangeReply { result: Some(result) }))
    }
}

impl PeerCalls {
    /// Receives a snapshot's files into a directory of their own, synced. What is received in part goes away with
    /// the value.
    async fn receive(
        &self,
        parts: &mut Streaming<wire::SnapshotPart>,
    ) -> Result<(crate::consensus::Vote, SnapshotDirectory), Status> {
        use wire::snapshot_part::Part;
        let next = |part: Option<wire::SnapshotPart>| {
            let wire::SnapshotPart { caller, part } =
                part.ok_or_else(|| malformed("the snapshot ends early"))?;
            self.admit(caller)?;
            part.ok_or_else(|| malformed("a part of a later version"))
        };
        let Part::Begin(begin) = next(parts.message().await?)? else {
            return Err(malformed("the snapshot has no beginning"));
        };
        let vote = codec::vote_from_wire(begin.vote).map_err(malformed)?;
        let membership = begin.membership.ok_or_else(|| malformed("the snapshot has no membership"))?;
        let meta = SnapshotMeta {
            last_log_id: begin.last.map(codec::log_id_from_wire),
            last_membership: codec::stored_membership_from_wire(membership).map_err(malformed)?,
        };
        let number = self.served.received.fetch_add(1, Ordering::Relaxed);
        let path = self.served.incoming.join(number.to_string());
        let disk = |e: io::Error| Status::internal(format!("{}: {e}", path.display()));
        fs::create_dir(&path).map_err(disk)?;
        let snapshot = SnapshotDirectory::new(path.clone(), meta);
        let mut file = None;
        let mut count = 0_u64;
        loop {
            match next(parts.message().await?)? {
                Part::Begin(_) => return Err(malformed("the snapshot begins twice")),
                Part::File(name) => {
                    finish(file.take()).await.map_err(disk)?;
                    count = count.saturating_add(1);
                    file = Some(create(&path, &name, count)?);
                }
                Part::Octets(octets) => {
                    let file = file.as_mut().ok_or_else(|| malformed("octets of no file"))?;
                    file.write_all(&octets).map_err(disk)?;
                }
                Part::End(sent) => {
                    finish(file.take()).await.map_err(disk)?;
                    if sent != count {
                        return Err(malformed(format!("{sent} files were sent, {count} came")));
                    }
                    break;
                }
            }
        }
        sync_directory(&path).map_err(disk)?;
        Ok((vote, snapshot))
    }
}

/// A plain name only: a peer chooses no path on this node.
fn create(directory: &Path, name: &str, count: u64) -> Result<fs::File, Status> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let fits = (1..=limits::SNAPSHOT_NAME_OCTETS_MAX).contains(&name.len());
    if !fits || !name.chars().all(plain) || name.starts_with('.') || count > limits::SNAPSHOT_FILES_MAX {
        return Err(malformed("not the name of a snapshot's file, or too many of them"));
    }
    let file = fs::OpenOptions::new().write(true).create_new(true).open(directory.join(name));
    file.map_err(|e| Status::internal(e.to_string()))
}

async fn finish(file: Option<fs::File>) -> io::Result<()> {
    let Some(file) = file else { return Ok(()) };
    runtime::blocking(move || file.sync_all()).await
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn vote_request(request: wire::VoteRequest) -> Result<VoteRequest<Types>, Status> {
    Ok(VoteRequest {
        vote: codec::vote_from_wire(request.vote).map_err(malformed)?,
        last_log_id: request.last.map(codec::log_id_from_wire),
        leadership_transfer: request.leadership_transfer,
    })
}

fn vote_reply(answer: &VoteResponse<Types>) -> wire::VoteReply {
    wire::VoteReply {
        vote: Some(codec::vote_to_wire(&answer.vote)),
        granted: answer.vote_granted,
        last: answer.last_log_id.as_ref().map(codec::log_id_to_wire),
    }
}

fn append_request(request: wire::AppendRequest) -> Result<AppendEntriesRequest<Types>, Status> {
    Ok(AppendEntriesRequest {
        vote: codec::vote_from_wire(request.vote).map_err(malformed)?,
        prev_log_id: request.previous.map(codec::log_id_from_wire),
        entries: request
            .entries
            .into_iter()
            .map(codec::entry_from_wire)
            .collect::<Result<_, _>>()
            .map_err(malformed)?,
        leader_commit: request.leader_commit.map(codec::log_id_from_wire),
    })
}

fn append_reply(result: &StreamAppendResult<Types>) -> wire::AppendReply {
    use wire::append_reply::Result as Reply;
    let result = match result {
        Ok(last) => Reply::Matched(wire::Matched { last: last.as_ref().map(codec::log_id_to_wire) }),
        Err(StreamAppendError::Conflict(at)) => Reply::Conflict(codec::log_id_to_wire(at)),
        Err(StreamAppendError::HigherVote(vote)) => Reply::HigherVote(codec::vote_to_wire(vote)),
    };
    wire::AppendReply { result: Some(result) }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use ca_core::ids::{ClusterId, Epoch};

    use super::*;

    /// R3: a term does not fence, this does.
    #[test]
    fn r3_a_message_must_name_cluster_epoch_sender_and_receiver() {
        let identity =
            |node| PeerIdentity { cluster: ClusterId([1; 16]), epoch: Epoch(2), node: NodeId(node) };
        let (ours, peer, contacts) = (identity(1), identity(3), Contacts::default());
        let right = wire::Caller { cluster: Bytes::from_static(&[1; 16]), epoch: 2, from: 3, to: 1 };
        let admitted = |peer, caller| admit(ours, peer, caller, &contacts).is_ok();
        assert!(admitted(peer, Some(right.clone())));
        assert!(!admitted(peer, None));
        assert!(!admitted(
            peer,
            Some(wire::Caller { cluster: Bytes::from_static(&[2; 16]), ..right.clone() })
        ));
        assert!(!admitted(peer, Some(wire::Caller { epoch: 1, ..right.clone() })));
        assert!(!admitted(peer, Some(wire::Caller { epoch: 3, ..right.clone() })));
        assert!(!admitted(peer, Some(wire::Caller { from: 2, ..right.clone() })));
        assert!(!admitted(peer, Some(wire::Caller { to: 3, ..right.clone() })));
        assert!(!admitted(PeerIdentity { epoch: Epoch(1), ..peer }, Some(right.clone())));
        assert!(!admitted(PeerIdentity { cluster: ClusterId([2; 16]), ..peer }, Some(right)));
    }
}
