//! From the queue to the leader: one entry of this node in flight, whatever arrives meanwhile travels in the next.
//!
//! ```text
//!  append ─▶ queue ─▶ batch ─▶ leader (this node, or a call) ─▶ … log … ─▶ own apply ─▶ waiter
//!                       ▲                  │ not appended, because …                     │
//!                       └──────────────────┘                    the next batch ◀─────────┘
//! ```
//!
//! The call's answer says only whether the leader has the commands. The outcome comes from this node's own apply:
//! so a change of leader, a lost answer and a retry are one case. Retries bear the same ids, and `apply` decides
//! each id once.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use ca_core::ids::{NodeId, RequestId};
use openraft::async_runtime::watch::WatchReceiver as _;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::clock::WallClock;
use crate::consensus::Raft;
use crate::leader::{Leader, Written};
use crate::limits;
use crate::machine::{Given, Progress};
use crate::peers::{CallError, Peers};
use crate::wire::peer as wire;

/// A command on its way to the leader.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) id: RequestId,
    pub(crate) octets: Bytes,
}

/// The ways to the leader.
#[derive(Clone)]
pub(crate) struct Ways {
    pub(crate) node: NodeId,
    pub(crate) raft: Raft,
    pub(crate) leader: Leader,
    pub(crate) peers: Peers,
    pub(crate) progress: Arc<Progress>,
    pub(crate) clock: WallClock,
    pub(crate) last_failure: Arc<LastFailure>,
}

/// What the last try to reach a leader met.
#[derive(Debug, Default)]
pub(crate) struct LastFailure(Mutex<Option<String>>);

impl LastFailure {
    pub(crate) fn set(&self, why: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    pub(crate) fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Forwards until the queue closes.
pub(crate) async fn forward(mut queue: Receiver<Queued>, ways: Ways) {
    let mut held = None;
    loop {
        let first = match held.take() {
            Some(first) => first,
            None => match queue.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        let (batch, next) = gather(first, &mut queue);
        held = next;
        ways.deliver(batch).await;
    }
}

/// What has arrived, bounded in count and octets; and what did not fit.
fn gather(first: Queued, queue: &mut Receiver<Queued>) -> (Vec<Queued>, Option<Queued>) {
    let mut octets = first.octets.len();
    let mut batch = vec![first];
    while batch.len() < limits::BATCH_COMMANDS_MAX {
        let Ok(next) = queue.try_recv() else { break };
        octets = octets.saturating_add(next.octets.len());
        if octets > limits::BATCH_OCTETS_MAX {
            return (batch, Some(next));
        }
        batch.push(next);
    }
    (batch, None)
}

/// What to do after waiting a while for a batch.
enum Next {
    /// All outcomes are here, or nobody waits for the rest.
    Settled,
    /// Send it again.
    Again,
}

impl Ways {
    async fn deliver(&self, batch: Vec<Queued>) {
        loop {
            let Some(leader) = self.known_leader() else {
                self.last_failure.set("no leader is known".to_owned());
                if self.nobody_waits(&batch) {
                    return;
                }
                sleep(limits::RETRY_AFTER).await;
                continue;
            };
            let (given, first_time) = self.give(&batch);
            if given.is_empty() {
                return;
            }
            // A task of its own: when the outcome comes before the answer, the call may end in peace.
            let sending = tokio::spawn(self.clone().send(leader, given));
            match self.settle(&batch, leader, &first_time, sending).await {
                Next::Settled => return,
                Next::Again => sleep(limits::RETRY_AFTER).await,
            }
        }
    }

    /// Marks as given those whose callers still wait. Second: those that no leader had before.
    fn give(&self, batch: &[Queued]) -> (Vec<Bytes>, Vec<RequestId>) {
        let mut octets = Vec::with_capacity(batch.len());
        let mut first_time = Vec::new();
        for queued in batch {
            match self.progress.waiters.give(queued.id) {
                None => continue,
                Some(Given::No) => first_time.push(queued.id),
                Some(Given::Perhaps) => {}
            }
            octets.push(queued.octets.clone());
        }
        (octets, first_time)
    }

    async fn settle(
        &self,
        batch: &[Queued],
        leader: NodeId,
        first_time: &[RequestId],
        mut sending: JoinHandle<Written>,
    ) -> Next {
        let mut resolved = self.progress.waiters.watch_resolved();
        let mut answered = false;
        loop {
            if self.nobody_waits(batch) {
                return Next::Settled;
            }
            tokio::select! {
                _ = resolved.changed() => {}
                // Callers that give up, and a leader that changed, are seen here.
                () = sleep(limits::RETRY_AFTER) => {
                    if !answered && self.known_leader() != Some(leader) {
                        self.last_failure.set(format!("node {leader} no longer leads"));
                        return Next::Again;
                    }
                }
                written = &mut sending, if !answered => match written {
                    Ok(Written::Appended) => answered = true,
                    Ok(Written::NotAppended(not)) => {
                        self.last_failure.set(not.why);
                        for id in first_time {
                            self.progress.waiters.take_back(*id);
                        }
                        return Next::Again;
                    }
                    Ok(Written::NotKnown(why)) => {
                        self.last_failure.set(why);
                        return Next::Again;
                    }
                    Err(e) => {
                        self.last_failure.set(e.to_string());
                        return Next::Again;
                    }
                },
            }
        }
    }

    fn nobody_waits(&self, batch: &[Queued]) -> bool {
        !batch.iter().any(|queued| self.progress.waiters.waits(queued.id))
    }

    async fn send(self, leader: NodeId, envelopes: Vec<Bytes>) -> Written {
        use wire::forward_reply::Result as Reply;
        if leader == self.node {
            // Bounded, as a call is: a leader that lost its quorum would hold the batch for ever.
            let writing = timeout(limits::APPLIED_WITHIN, self.leader.append(envelopes)).await;
            return writing.unwrap_or_else(|elapsed| Written::NotKnown(elapsed.to_string()));
        }
        match self.peers.forward(leader, envelopes).await.map(|reply| reply.result) {
            Ok(Some(Reply::Appended(wire::Blank {}))) => Written::Appended,
            Ok(Some(Reply::NotAppended(not))) => Written::NotAppended(not.into()),
            Ok(Some(Reply::NotKnown(why))) => Written::NotKnown(why),
            Ok(None) => Written::NotKnown("the leader's answer is of a later version".to_owned()),
            Err(e @ (CallError::Unreachable { .. } | CallError::Refused { .. })) => {
                Written::NotAppended(crate::leader::NotLeading { why: e.to_string(), leader: None })
            }
            Err(e @ CallError::NoAnswer { .. }) => Written::NotKnown(e.to_string()),
        }
    }

    /// Who leads, as far as this node knows.
    pub(crate) fn known_leader(&self) -> Option<NodeId> {
        self.raft.metrics().borrow_watched().current_leader.map(NodeId)
    }
}
