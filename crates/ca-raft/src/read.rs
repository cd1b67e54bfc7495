//! ReadIndex, coalesced: whoever asks while one is under way shares the next one.

use ca_authority::ports::NoQuorum;
use ca_core::ids::LogIndex;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};

use crate::forward::Ways;
use crate::limits;
use crate::wire::peer as wire;

/// A caller that waits for a ReadIndex which begins after it asked.
pub(crate) type Reader = oneshot::Sender<LogIndex>;

/// Serves readers until their queue closes. A round that finds no quorum answers nobody: callers have their own
/// deadline, and say [`NoQuorum`].
pub(crate) async fn read(mut readers: Receiver<Reader>, ways: Ways, mut applied: watch::Receiver<LogIndex>) {
    while let Some(first) = readers.recv().await {
        let mut round = vec![first];
        while let Ok(reader) = readers.try_recv() {
            round.push(reader);
        }
        let confirmed = timeout(limits::NO_QUORUM_AFTER, async {
            let index = ways.committed().await;
            applied.wait_for(|applied| *applied >= index).await.ok()?;
            Some(index)
        });
        if let Ok(Some(index)) = confirmed.await {
            for reader in round {
                // An error is a caller who gave up, and has its answer.
                reader.send(index).ok();
            }
        }
    }
}

impl Ways {
    /// Asks the leader until it answers.
    async fn committed(&self) -> LogIndex {
        use wire::read_index_reply::Result as Reply;
        loop {
            let answer = match self.known_leader() {
                None => Err("no leader is known".to_owned()),
                Some(leader) if leader == self.node => Ok(Some(self.leader.read_index().await)),
                Some(leader) => {
                    let asked = self.peers.read_index(leader).await;
                    asked.map(|reply| reply.result).map_err(|e| e.to_string())
                }
            };
            match answer {
                Ok(Some(Reply::Index(index))) => return LogIndex(index),
                Ok(Some(Reply::NotLeading(not))) => self.last_failure.set(not.why),
                Ok(None) => self.last_failure.set("the leader's answer is of a later version".to_owned()),
                Err(why) => self.last_failure.set(why),
            }
            sleep(limits::RETRY_AFTER).await;
        }
    }
}

/// The answer to a caller whose deadline passed.
pub(crate) fn no_quorum(standing: &ca_authority::ports::Standing, last_failure: Option<String>) -> NoQuorum {
    NoQuorum {
        voters: standing.voters.clone(),
        reachable: standing.reachable.clone(),
        cause: last_failure.unwrap_or_else(|| "nothing was committed in time".to_owned()),
    }
}
