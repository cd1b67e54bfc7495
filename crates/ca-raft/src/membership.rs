//! Who belongs to the log, who votes, who leads; and what nodes hand each other beside it.

use ca_core::ids::NodeId;
use openraft::async_runtime::watch::WatchReceiver as _;
use tokio::time::{Instant, sleep};

use crate::consensus::PeerAddress;
use crate::leader::ChangeRefused;
use crate::limits;
use crate::log::IssuanceLog;
use crate::wire::peer as wire;
use crate::wire::peer::membership_request::Change;

/// Why a membership change was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    /// It cannot be made, or not now.
    #[error("{0}")]
    Refused(String),
    /// No leader could be asked in time. It may have been made.
    #[error("no leader answered: {0}")]
    NotKnown(String),
}

/// Why nothing was exchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The other node's program refused.
    #[error("node {node} refused: {why}")]
    Refused {
        /// The other node.
        node: NodeId,
        /// What it said.
        why: String,
    },
    /// The other node could not be asked, or did not answer.
    #[error("{0}")]
    NoAnswer(String),
    /// More octets than a message may have.
    #[error("{got} octets are more than the {max} that one exchange carries")]
    TooLarge {
        /// The limit.
        max: usize,
        /// What was given.
        got: usize,
    },
}

impl IssuanceLog {
    /// Makes this node, alone, the first voter of a new log. Does nothing if it has a log.
    ///
    /// # Errors
    /// [`MembershipError::Refused`]: this node's log has begun otherwise.
    pub async fn initialise_single(&self) -> Result<(), MembershipError> {
        let raft = &self.ways.raft;
        let refused = |e: &dyn std::fmt::Display| MembershipError::Refused(e.to_string());
        if raft.is_initialized().await.map_err(|e| refused(&e))? {
            return Ok(());
        }
        let address = self.peer_address().map(|address| address.to_string()).unwrap_or_default();
        let members = std::collections::BTreeMap::from([(self.identity.node.0, PeerAddress(address))]);
        raft.initialize(members).await.map_err(|e| refused(&e))
    }

    /// Makes a node a learner: it follows the log. The address is where it listens now; later the register's row
    /// says. Any node can be asked.
    ///
    /// # Errors
    /// [`MembershipError`]
    pub async fn admit_learner(&self, node: NodeId, peer_address: &str) -> Result<(), MembershipError> {
        let member = wire::MemberNode { node: node.0, peer_address: peer_address.to_owned() };
        self.change(Change::AdmitLearner(member)).await
    }

    /// Who follows the log without a vote, as this node knows it.
    #[must_use]
    pub fn learners(&self) -> Vec<NodeId> {
        let metrics = self.ways.raft.metrics();
        let metrics = metrics.borrow_watched();
        metrics.membership_config.membership().learner_ids().map(NodeId).collect()
    }

    /// Makes a learner that has caught up a voter. Any node can be asked.
    ///
    /// # Errors
    /// [`MembershipError::Refused`] also while it is behind.
    pub async fn promote(&self, node: NodeId) -> Result<(), MembershipError> {
        self.change(Change::Promote(node.0)).await
    }

    /// Hands the leadership to a voter; `None`: from this node to the voter that is furthest, if this node leads
    /// at all. Takes tens of milliseconds, in which no request fails.
    ///
    /// # Errors
    /// [`MembershipError`]
    pub async fn transfer_leader(&self, to: Option<NodeId>) -> Result<(), MembershipError> {
        let to = match to {
            Some(to) => to,
            None if !self.ways.raft.is_leader() => return Ok(()),
            None => self.furthest_voter().ok_or_else(|| {
                MembershipError::Refused("no other voter that could lead was heard lately".to_owned())
            })?,
        };
        self.change(Change::TransferLeader(to.0)).await
    }

    /// Calls what the other node's program has put under this name.
    ///
    /// # Errors
    /// [`ExchangeError`]
    pub async fn exchange(
        &self,
        node: NodeId,
        name: &str,
        octets: Vec<u8>,
    ) -> Result<Vec<u8>, ExchangeError> {
        use wire::exchange_reply::Result as Reply;
        let (max, got) = (limits::EXCHANGE_OCTETS_MAX, octets.len());
        if got > max {
            return Err(ExchangeError::TooLarge { max, got });
        }
        match self.ways.peers.exchange(node, name, octets).await.map(|reply| reply.result) {
            Ok(Some(Reply::Octets(octets))) => Ok(octets.into()),
            Ok(Some(Reply::Refused(why))) => Err(ExchangeError::Refused { node, why }),
            Ok(None) => Err(ExchangeError::NoAnswer("an answer of a later version".to_owned())),
            Err(e) => Err(ExchangeError::NoAnswer(e.to_string())),
        }
    }

    /// The voter that has matched most of this leader's log, of those that were heard lately: one that is gone may
    /// have matched all of it.
    pub(crate) fn furthest_voter(&self) -> Option<NodeId> {
        let metrics = self.ways.raft.metrics();
        let metrics = metrics.borrow_watched();
        let replication = metrics.replication.as_ref()?;
        let others = metrics.membership_config.voter_ids().filter(|voter| {
            *voter != self.identity.node.0 && self.contacts.lately(NodeId(*voter), limits::REACHABLE_WITHIN)
        });
        let matched = |voter: &u64| replication.get(voter).copied().flatten().map(|id| id.index());
        others.max_by_key(matched).map(NodeId)
    }

    async fn change(&self, change: Change) -> Result<(), MembershipError> {
        let begun = Instant::now();
        loop {
            let why = match self.ways.known_leader() {
                None => "no leader is known".to_owned(),
                Some(leader) => match self.ask(leader, change.clone()).await {
                    Ok(()) => return Ok(()),
                    Err(ChangeRefused::Refused(why)) => return Err(MembershipError::Refused(why)),
                    Err(ChangeRefused::NotLeading(not)) => not.why,
                },
            };
            if begun.elapsed() >= limits::NO_QUORUM_AFTER {
                return Err(MembershipError::NotKnown(why));
            }
            sleep(limits::RETRY_AFTER).await;
        }
    }

    async fn ask(&self, leader: NodeId, change: Change) -> Result<(), ChangeRefused> {
        use wire::membership_reply::Result as Reply;
        if leader == self.identity.node {
            return self.ways.leader.make(change).await;
        }
        let not_leading =
            |why: String| ChangeRefused::NotLeading(crate::leader::NotLeading { why, leader: None });
        match self.ways.peers.membership(leader, change).await.map(|reply| reply.result) {
            Ok(Some(Reply::Done(wire::Blank {}))) => Ok(()),
            Ok(Some(Reply::NotLeading(not))) => Err(ChangeRefused::NotLeading(not.into())),
            Ok(Some(Reply::Refused(why))) => Err(ChangeRefused::Refused(why)),
            Ok(None) => Err(ChangeRefused::Refused("an answer of a later version".to_owned())),
            Err(e) => Err(not_leading(e.to_string())),
        }
    }
}
