//! openraft's network, over the calls of `proto/peer.proto`.

use std::fs::File;
use std::future::Future;
use std::io::{self, Read as _};

use ca_core::ids::NodeId;
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use openraft::base::{BoxFuture, BoxStream};
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{
    Backoff, NetBackoff, NetSnapshot, NetStreamAppend, NetTransferLeader, NetVote, RPCOption,
    RaftNetworkFactory,
};
use openraft::raft::{
    AppendEntriesRequest, SnapshotResponse, StreamAppendError, StreamAppendResult, TransferLeaderError,
    TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{OptionalSend, Snapshot};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::client::{Lane, Peers, answered, failed};
use crate::codec;
use crate::consensus::{PeerAddress, SnapshotMeta, Types, Vote};
use crate::limits;
use crate::runtime;
use crate::store::SnapshotDirectory;
use crate::wire::peer as wire;

type SnapshotOf = openraft::alias::SnapshotOf<Types, SnapshotDirectory>;

/// Makes a connection's openraft end.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    peers: Peers,
}

impl Network {
    pub(crate) fn new(peers: Peers) -> Self {
        Self { peers }
    }

    fn to(&self, target: u64, address: &PeerAddress, lane: Lane) -> PeerLink {
        let node = NodeId(target);
        self.peers.introduce(node, &address.0);
        PeerLink { peers: self.peers.clone(), node, lane }
    }
}

impl RaftNetworkFactory<Types> for Network {
    type Network = PeerLink;

    async fn new_client(&mut self, target: u64, node: &PeerAddress) -> PeerLink {
        self.to(target, node, Lane::Log)
    }

    async fn new_heartbeat_client(&mut self, target: u64, node: &PeerAddress) -> PeerLink {
        self.to(target, node, Lane::Heartbeat)
    }

    async fn new_snapshot_client(&mut self, target: u64, node: &PeerAddress) -> PeerLink {
        self.to(target, node, Lane::Bulk)
    }
}

/// One peer, for one purpose.
#[derive(Clone, Debug)]
pub(crate) struct PeerLink {
    peers: Peers,
    node: NodeId,
    lane: Lane,
}

impl PeerLink {
    fn vote_request(&self, rpc: &VoteRequest<Types>) -> wire::VoteRequest {
        wire::VoteRequest {
            caller: Some(self.peers.caller(self.node)),
            vote: Some(codec::vote_to_wire(&rpc.vote)),
            last: rpc.last_log_id.as_ref().map(codec::log_id_to_wire),
            leadership_transfer: rpc.leadership_transfer,
        }
    }
}

/// openraft waits a little before it tries again.
fn unreachable(why: impl ToString) -> RPCError<Types> {
    RPCError::Unreachable(Unreachable::from_string(why))
}

fn append_request(peers: &Peers, to: NodeId, rpc: &AppendEntriesRequest<Types>) -> wire::AppendRequest {
    wire::AppendRequest {
        caller: Some(peers.caller(to)),
        vote: Some(codec::vote_to_wire(&rpc.vote)),
        previous: rpc.prev_log_id.as_ref().map(codec::log_id_to_wire),
        entries: rpc.entries.iter().map(codec::entry_to_wire).collect(),
        leader_commit: rpc.leader_commit.as_ref().map(codec::log_id_to_wire),
    }
}

fn append_result(reply: wire::AppendReply) -> Result<StreamAppendResult<Types>, RPCError<Types>> {
    use wire::append_reply::Result as Reply;
    match reply.result {
        Some(Reply::Matched(wire::Matched { last })) => Ok(Ok(last.map(codec::log_id_from_wire))),
        Some(Reply::Conflict(at)) => Ok(Err(StreamAppendError::Conflict(codec::log_id_from_wire(at)))),
        Some(Reply::HigherVote(vote)) => {
            let vote = codec::vote_from_wire(Some(vote)).map_err(unreachable)?;
            Ok(Err(StreamAppendError::HigherVote(vote)))
        }
        None => Err(unreachable("the peer's answer is of a later version")),
    }
}

impl NetStreamAppend<Types> for PeerLink {
    fn stream_append<'s, S>(
        &'s mut self,
        input: S,
        _option: RPCOption,
    ) -> BoxFuture<
        's,
        Result<BoxStream<'s, Result<StreamAppendResult<Types>, RPCError<Types>>>, RPCError<Types>>,
    >
    where
        S: Stream<Item = AppendEntriesRequest<Types>> + OptionalSend + Unpin + 'static,
    {
        let (peers, node) = (self.peers.clone(), self.node);
        let requests = input.map(move |rpc| append_request(&peers, node, &rpc));
        async move {
            let mut client = self.peers.client(node, self.lane);
            // A connection that dies later is found by HTTP/2's keep-alive.
            let replies = answered(node, limits::CALL_WITHIN, client.append(requests)).await;
            let replies = match replies {
                Ok(replies) => replies,
                Err(why) => {
                    // openraft's own pause stands in the stream of requests, which nobody has polled yet: without
                    // this one a dead peer would be dialled a thousand times a second.
                    sleep(limits::REDIAL_AFTER).await;
                    return Err(unreachable(why));
                }
            };
            let peers = self.peers.clone();
            let results = replies.map(move |reply| match reply {
                Ok(reply) => {
                    peers.heard(node);
                    append_result(reply)
                }
                Err(status) => Err(unreachable(failed(node, &status))),
            });
            let results: BoxStream<'s, _> = Box::pin(results);
            Ok(results)
        }
        .boxed()
    }
}

impl NetVote<Types> for PeerLink {
    async fn vote(
        &mut self,
        rpc: VoteRequest<Types>,
        option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        let mut client = self.peers.client(self.node, self.lane);
        let reply = answered(self.node, option.soft_ttl(), client.vote(self.vote_request(&rpc))).await;
        vote_response(reply.map_err(unreachable)?)
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<Types>,
        option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        let mut client = self.peers.client(self.node, self.lane);
        let reply = answered(self.node, option.soft_ttl(), client.pre_vote(self.vote_request(&rpc))).await;
        vote_response(reply.map_err(unreachable)?)
    }
}

fn vote_response(reply: wire::VoteReply) -> Result<VoteResponse<Types>, RPCError<Types>> {
    let vote = codec::vote_from_wire(reply.vote).map_err(unreachable)?;
    Ok(VoteResponse::new(vote, reply.last.map(codec::log_id_from_wire), reply.granted))
}

impl NetTransferLeader<Types> for PeerLink {
    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<Types>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<Types>, RPCError<Types>> {
        use wire::transfer_reply::Result as Reply;
        let expected = *request.from_leader();
        let wanted = request.last_log_id().copied();
        let asked = wire::TransferRequest {
            caller: Some(self.peers.caller(self.node)),
            from_leader: Some(codec::vote_to_wire(&expected)),
            to: *request.to_node_id(),
            last: wanted.as_ref().map(codec::log_id_to_wire),
        };
        let mut client = self.peers.client(self.node, self.lane);
        let reply = answered(self.node, option.soft_ttl(), client.transfer_leader(asked)).await;
        match reply.map_err(unreachable)?.result {
            Some(Reply::Accepted(wire::Blank {})) => Ok(Ok(())),
            Some(Reply::VoteChanged(vote)) => {
                let actual = codec::vote_from_wire(Some(vote)).map_err(unreachable)?;
                Ok(Err(TransferLeaderError::VoteChanged { expected, actual }))
            }
            Some(Reply::NotFlushed(wire::NotFlushed { last })) => {
                let actual = last.map(codec::log_id_from_wire);
                Ok(Err(TransferLeaderError::LogNotFlushed { expected: wanted, actual }))
            }
            None => Err(unreachable("the peer's answer is of a later version")),
        }
    }
}

impl NetBackoff<Types> for PeerLink {
    fn backoff(&self) -> Option<Backoff> {
        None
    }
}

impl NetSnapshot<Types> for PeerLink {
    type SnapshotData = SnapshotDirectory;

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: SnapshotOf,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<Types>, StreamingError<Types>> {
        let Snapshot { meta, snapshot } = snapshot;
        let (sender, mut receiver) = mpsc::channel(4);
        let (caller, first) = (self.peers.caller(self.node), begin(&vote, &meta));
        // The directory stays while the reader holds it, though newer snapshots are made.
        let reader = tokio::spawn(send_files(snapshot, caller, first, sender));
        let parts = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
        let mut client = self.peers.client(self.node, Lane::Bulk);
        let sent = timeout(limits::SNAPSHOT_WITHIN, client.snapshot(parts));
        let reply = tokio::select! {
            closed = cancel => return Err(StreamingError::Closed(closed)),
            sent = sent => sent,
        };
        let network = |why: String| StreamingError::Network(NetworkError::from_string(why));
        let reply = reply.map_err(|elapsed| network(elapsed.to_string()))?;
        let reply = reply.map_err(|status| {
            StreamingError::Unreachable(Unreachable::from_string(failed(self.node, &status)))
        })?;
        // A file that could not be read was cut short, and the receiver has refused it; this says why.
        reader.await.map_err(|e| network(e.to_string()))?.map_err(|e| network(e.to_string()))?;
        let vote = codec::vote_from_wire(reply.into_inner().vote).map_err(|e| network(e.to_string()))?;
        Ok(SnapshotResponse::new(vote))
    }
}

fn begin(vote: &Vote, meta: &SnapshotMeta) -> wire::SnapshotBegin {
    wire::SnapshotBegin {
        vote: Some(codec::vote_to_wire(vote)),
        last: meta.last_log_id.as_ref().map(codec::log_id_to_wire),
        membership: Some(codec::stored_membership_to_wire(&meta.last_membership)),
    }
}

/// Reads a snapshot's files in parts. Ends early, without an error, when the receiver is gone.
async fn send_files(
    snapshot: SnapshotDirectory,
    caller: wire::Caller,
    first: wire::SnapshotBegin,
    to: mpsc::Sender<wire::SnapshotPart>,
) -> io::Result<()> {
    use wire::snapshot_part::Part;
    let send = async |part| {
        let part = wire::SnapshotPart { caller: Some(caller.clone()), part: Some(part) };
        to.send(part).await.is_ok()
    };
    if !send(Part::Begin(first)).await {
        return Ok(());
    }
    let mut count = 0_u64;
    let directory = snapshot.clone();
    for (name, path) in runtime::blocking(move || directory.files()).await? {
        count = count.saturating_add(1);
        if !send(Part::File(name)).await {
            return Ok(());
        }
        let mut file = runtime::blocking(move || File::open(path)).await?;
        loop {
            let (read_on, octets) = runtime::blocking(move || read_part(file)).await?;
            if octets.is_empty() {
                break;
            }
            if !send(Part::Octets(octets.into())).await {
                return Ok(());
            }
            file = read_on;
        }
    }
    send(Part::End(count)).await;
    Ok(())
}

/// The next octets of a file; none at its end.
fn read_part(mut file: File) -> io::Result<(File, Vec<u8>)> {
    let mut octets = Vec::with_capacity(limits::SNAPSHOT_PART_OCTETS);
    let most = u64::try_from(limits::SNAPSHOT_PART_OCTETS).unwrap_or(u64::MAX);
    file.by_ref().take(most).read_to_end(&mut octets)?;
    Ok((file, octets))
}
