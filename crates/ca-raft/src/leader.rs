//! What a node does while it leads, for itself and for the others.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use ca_core::ids::{Epoch, NodeId};
use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::errors::{ClientWriteError, ForwardToLeader, LinearizableReadError, RaftError};
use openraft::{ChangeMembers, ReadPolicy};

use crate::codec;
use crate::consensus::{PeerAddress, Proposal, Raft, Types};
use crate::limits;
use crate::machine::Progress;
use crate::wire::peer as wire;
use crate::wire::peer::membership_request::Change;

/// A node's own end of the consensus, for writes, reads and membership.
#[derive(Clone)]
pub(crate) struct Leader {
    raft: Raft,
    progress: Arc<Progress>,
    epoch: Epoch,
}

impl fmt::Debug for Leader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leader").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// What became of commands that were to be written. What they came to, each node learns from the log itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// They are committed.
    Appended,
    /// They are in nobody's log on account of this call.
    NotAppended(NotLeading),
    /// They may be.
    NotKnown(String),
}

/// This node does not lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotLeading {
    pub(crate) why: String,
    pub(crate) leader: Option<NodeId>,
}

impl From<NotLeading> for wire::NotAppended {
    fn from(not: NotLeading) -> Self {
        Self { why: not.why, leader: not.leader.map(|node| node.0) }
    }
}

impl From<wire::NotAppended> for NotLeading {
    fn from(not: wire::NotAppended) -> Self {
        Self { why: not.why, leader: not.leader.map(NodeId) }
    }
}

impl From<ForwardToLeader<Types>> for NotLeading {
    fn from(forward: ForwardToLeader<Types>) -> Self {
        let leader = forward.leader_id.map(NodeId);
        let why = match leader {
            Some(leader) => format!("node {leader} leads"),
            None => format!("there is no leader ({:?})", forward.reason),
        };
        Self { why, leader }
    }
}

/// Why a membership change was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChangeRefused {
    /// Ask the leader.
    NotLeading(NotLeading),
    /// Not now, or not at all.
    Refused(String),
}

impl Leader {
    pub(crate) fn new(raft: Raft, progress: Arc<Progress>, epoch: Epoch) -> Self {
        Self { raft, progress, epoch }
    }

    /// Writes commands of this node as one entry, and waits until it is committed and applied here.
    pub(crate) async fn append(&self, envelopes: Vec<Bytes>) -> Written {
        let stamp = self.progress.stamps.next();
        let batch = codec::encode_batch(codec::Batch { stamp, epoch: self.epoch, envelopes });
        match self.raft.client_write(Proposal(batch)).await {
            Ok(_) => Written::Appended,
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => {
                Written::NotAppended(forward.into())
            }
            Err(RaftError::APIError(e @ ClientWriteError::LogEntryDiscarded(_))) => {
                Written::NotKnown(e.to_string())
            }
            // Neither belongs to a plain write; if one came all the same, nothing was written.
            Err(RaftError::APIError(
                e @ (ClientWriteError::ChangeMembershipError(_) | ClientWriteError::PreconditionFailed(_)),
            )) => Written::NotAppended(NotLeading { why: e.to_string(), leader: None }),
            Err(RaftError::Fatal(fatal)) => Written::NotKnown(fatal.to_string()),
        }
    }

    /// The same for another node's commands. They are read once here: what this node could not apply would stop
    /// every node if it were in the log.
    pub(crate) async fn append_forwarded(&self, envelopes: Vec<Bytes>) -> wire::forward_reply::Result {
        use wire::forward_reply::Result as Reply;
        if let Err(why) = readable(&envelopes) {
            return Reply::NotAppended(wire::NotAppended { why, leader: None });
        }
        match self.append(envelopes).await {
            Written::Appended => Reply::Appended(wire::Blank {}),
            Written::NotAppended(not) => Reply::NotAppended(not.into()),
            Written::NotKnown(why) => Reply::NotKnown(why),
        }
    }

    /// How far the log is committed, confirmed by a quorum that this node still leads.
    pub(crate) async fn read_index(&self) -> wire::read_index_reply::Result {
        use wire::read_index_reply::Result as Reply;
        match self.raft.get_read_linearizer(ReadPolicy::ReadIndex).await {
            Ok(linearizer) => Reply::Index(linearizer.read_log_id().index()),
            Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(forward))) => {
                Reply::NotLeading(NotLeading::from(forward).into())
            }
            Err(e) => Reply::NotLeading(wire::NotAppended { why: e.to_string(), leader: None }),
        }
    }

    /// Answers another node's wish for a change.
    pub(crate) async fn change(&self, change: Change) -> wire::membership_reply::Result {
        use wire::membership_reply::Result as Reply;
        match self.make(change).await {
            Ok(()) => Reply::Done(wire::Blank {}),
            Err(ChangeRefused::NotLeading(not)) => Reply::NotLeading(not.into()),
            Err(ChangeRefused::Refused(why)) => Reply::Refused(why),
        }
    }

    /// Makes a membership change.
    pub(crate) async fn make(&self, change: Change) -> Result<(), ChangeRefused> {
        match change {
            Change::AdmitLearner(wire::MemberNode { node, peer_address }) => {
                let added = self.raft.add_learner(node, PeerAddress(peer_address), false).await;
                added.map(drop).map_err(refused)
            }
            Change::Promote(node) => {
                self.caught_up(node)?;
                let voters = ChangeMembers::AddVoterIds(BTreeSet::from([node]));
                self.raft.change_membership(voters, true).await.map(drop).map_err(refused)
            }
            Change::TransferLeader(to) => self.transfer(to).await,
        }
    }

    /// A voter that is far behind would make every commit wait for it.
    pub(crate) fn caught_up(&self, node: u64) -> Result<(), ChangeRefused> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let Some(replication) = &metrics.replication else {
            let leader = metrics.current_leader.map(NodeId);
            return Err(ChangeRefused::NotLeading(NotLeading {
                why: "this node does not lead".into(),
                leader,
            }));
        };
        let last = metrics.last_log_index.unwrap_or_default();
        let matched = replication.get(&node).and_then(|id| id.as_ref()).map(openraft::LogId::index);
        match matched {
            Some(matched) if last.saturating_sub(matched) <= limits::PROMOTE_LAG_ENTRIES => Ok(()),
            Some(matched) => Err(ChangeRefused::Refused(format!(
                "node {node} is at entry {matched} of {last}; at most {} behind may vote",
                limits::PROMOTE_LAG_ENTRIES
            ))),
            None => Err(ChangeRefused::Refused(format!("node {node} does not follow the log yet"))),
        }
    }

    async fn transfer(&self, to: u64) -> Result<(), ChangeRefused> {
        let me = *self.raft.node_id();
        if !self.raft.is_leader() {
            let leader = self.raft.current_leader().await.map(NodeId);
            return Err(ChangeRefused::NotLeading(NotLeading {
                why: "this node does not lead".into(),
                leader,
            }));
        }
        if to == me {
            return Ok(());
        }
        let stopped = |e: &dyn fmt::Display| ChangeRefused::Refused(e.to_string());
        self.raft.trigger().transfer_leader(to).await.map_err(|e| stopped(&e))?;
        let gone = |metrics: &openraft::RaftMetrics<Types>| {
            metrics.current_leader.is_some_and(|leader| leader != me)
        };
        let waiting = self.raft.wait(Some(limits::TRANSFER_WITHIN));
        waiting.metrics(gone, "leadership to be handed over").await.map(drop).map_err(|e| stopped(&e))
    }
}

fn refused(e: RaftError<Types, ClientWriteError<Types>>) -> ChangeRefused {
    match e {
        RaftError::APIError(ClientWriteError::ForwardToLeader(forward)) => {
            ChangeRefused::NotLeading(forward.into())
        }
        other => ChangeRefused::Refused(other.to_string()),
    }
}

fn readable(envelopes: &[Bytes]) -> Result<(), String> {
    let octets = envelopes.iter().fold(0_usize, |sum, envelope| sum.saturating_add(envelope.len()));
    if envelopes.len() > limits::BATCH_COMMANDS_MAX || octets > limits::BATCH_OCTETS_MAX {
        return Err(format!("{} commands of {octets} octets are too many for one entry", envelopes.len()));
    }
    for envelope in envelopes {
        codec::decode_envelope(envelope.clone()).map_err(|e| e.to_string())?;
    }
    Ok(())
}
