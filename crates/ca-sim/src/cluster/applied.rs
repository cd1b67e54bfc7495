//! What the nodes' registers were given, as they were given it: the log that really came to be; and what is on their
//! disks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ca_core::apply::Moment;
use ca_core::command::Envelope;
use ca_core::ids::{LogIndex, NodeId, UnixMillis};
use ca_raft::simulation::{Observer, Place};

use crate::checks::Logged;
use crate::token::{Committed, locked};

/// Clones are the same record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Applied(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    /// By the first node that applied it: what is applied is committed.
    entries: BTreeMap<LogIndex, (UnixMillis, Vec<Envelope>)>,
    /// How far each voter's log is on its disk.
    synced: BTreeMap<NodeId, Option<Place>>,
    /// The highest term of which each node's vote has counted.
    voted: BTreeMap<NodeId, u64>,
    broken: Option<String>,
}

impl Applied {
    /// There is such a voter.
    pub(super) fn expect(&self, node: NodeId) {
        locked(&self.0).synced.insert(node, None);
    }

    /// A node applies an entry: a majority of the voters has it on the disk, and whoever applied one at this index
    /// before applied the same.
    fn add(&self, node: NodeId, at: Place, stamp: UnixMillis, commands: &[Envelope]) {
        let mut inside = locked(&self.0);
        let now = (stamp, commands.to_vec());
        let Some(before) = inside.entries.get(&at.index) else {
            // Who follows a leader of this term or a later one has all that the leaders before it had committed.
            let has = |synced: &&Option<Place>| {
                synced.is_some_and(|last| last.term >= at.term && last.index >= at.index)
            };
            let (have, voters) = (inside.synced.values().filter(has).count(), inside.synced.len());
            if have <= voters / 2 {
                let index = at.index;
                inside.breaks(format!(
                    "I6: node {node} applies entry {index}, which {have} of {voters} voters have on their disks"
                ));
            }
            inside.entries.insert(at.index, now);
            return;
        };
        if *before != now {
            let index = at.index;
            inside.breaks(format!(
                "I23: node {node} applies another entry {index} than the one that was committed"
            ));
        }
    }

    /// What went wrong, if anything did.
    pub(super) fn broken(&self) -> Option<String> {
        locked(&self.0).broken.clone()
    }

    /// Entry by entry.
    pub(super) fn logged(&self) -> Vec<Logged> {
        let inside = locked(&self.0);
        let entries = inside.entries.iter();
        let logged = entries.map(|(index, (time, envelopes))| Logged {
            at: Moment { index: *index, time: *time },
            envelopes: envelopes.clone(),
        });
        logged.collect()
    }
}

impl Inside {
    fn breaks(&mut self, why: String) {
        self.broken.get_or_insert(why);
    }
}

/// One node's part of the record.
pub(super) struct Of(pub(super) NodeId, pub(super) Applied);

impl Observer for Of {
    fn applied(&self, at: Place, stamp: UnixMillis, commands: &[Envelope]) {
        self.1.add(self.0, at, stamp, commands);
    }

    fn synced(&self, last: Place) {
        locked(&self.1.0).synced.insert(self.0, Some(last));
    }

    fn voted(&self, term: u64) {
        let mut inside = locked(&self.1.0);
        let highest = inside.voted.entry(self.0).or_default();
        *highest = term.max(*highest);
    }

    fn found_vote(&self, term: u64) {
        let mut inside = locked(&self.1.0);
        let counted = inside.voted.get(&self.0).copied().unwrap_or_default();
        if term < counted {
            let node = self.0;
            inside.breaks(format!("I24: node {node} starts in term {term}, and has voted in term {counted}"));
        }
    }
}

impl Committed for Applied {
    fn count(&self) -> u64 {
        locked(&self.0).entries.last_key_value().map(|(index, _)| index.0).unwrap_or_default()
    }
}
