//! What the nodes' registers were given, as they were given it: the log that really came to be.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ca_core::apply::Moment;
use ca_core::command::Envelope;
use ca_core::ids::{LogIndex, NodeId, UnixMillis};

use crate::checks::Logged;
use crate::token::{Committed, locked};

/// Clones are the same record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Applied(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    /// By the first node that applied it: what is applied is committed.
    entries: BTreeMap<LogIndex, (UnixMillis, Vec<Envelope>)>,
    broken: Option<String>,
}

impl Applied {
    /// A node applies an entry: whoever applied one at this index before applied the same.
    pub(super) fn add(&self, node: NodeId, index: LogIndex, stamp: UnixMillis, envelopes: &[Envelope]) {
        let mut inside = locked(&self.0);
        let now = (stamp, envelopes.to_vec());
        let differs = inside.entries.get(&index).is_some_and(|before| *before != now);
        if differs {
            let why =
                format!("I23: node {node} applies another entry {index} than the one that was committed");
            inside.broken.get_or_insert(why);
        } else {
            inside.entries.insert(index, now);
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

impl Committed for Applied {
    fn count(&self) -> u64 {
        locked(&self.0).entries.last_key_value().map(|(index, _)| index.0).unwrap_or_default()
    }
}
