//! The one place that says which of openraft's types are used, and how.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use openraft::{Config, SnapshotPolicy};
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::machine::Machine;

openraft::declare_raft_types!(
    /// The types of our log. One leader a term: this is in the format on disk.
    pub(crate) Types:
        D = Proposal,
        R = (),
        NodeId = u64,
        Node = PeerAddress,
        Term = u64,
        LeaderId = openraft::impls::leader_id_std::LeaderId<u64, u64>,
        AsyncRuntime = crate::runtime::Runtime,
);

pub(crate) type Raft = openraft::Raft<Types, Machine>;
pub(crate) type LogId = openraft::alias::LogIdOf<Types>;
pub(crate) type Vote = openraft::alias::VoteOf<Types>;
pub(crate) type Entry = openraft::alias::EntryOf<Types>;
pub(crate) type Membership = openraft::Membership<u64, PeerAddress>;
pub(crate) type StoredMembership = openraft::alias::StoredMembershipOf<Types>;
pub(crate) type SnapshotMeta = openraft::alias::SnapshotMetaOf<Types>;

/// What a leader writes: an encoded `Batch`. It is decoded once, where it is applied.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proposal(#[serde(with = "octets")] pub(crate) Bytes);

impl fmt::Debug for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a batch of {} octets", self.0.len())
    }
}

/// openraft asks for serde; nothing of ours is ever written by it.
mod octets {
    use bytes::Bytes;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(octets: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(octets)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        Vec::<u8>::deserialize(from).map(Bytes::from)
    }
}

/// Where a member listened when it became one: `host:port`. The register's row is newer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PeerAddress(pub(crate) String);

/// How eagerly the log is cut behind snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compaction {
    /// Entries between two snapshots.
    pub snapshot_every: u64,
    /// Entries kept behind a snapshot.
    pub entries_kept: u64,
}

impl Default for Compaction {
    fn default() -> Self {
        Self { snapshot_every: limits::SNAPSHOT_EVERY_ENTRIES, entries_kept: limits::ENTRIES_KEPT }
    }
}

/// openraft's settings (R18).
pub(crate) fn config(compaction: Compaction) -> Result<Arc<Config>, openraft::ConfigError> {
    let millis = |d: std::time::Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
    let config = Config {
        cluster_name: "ca-node".to_owned(),
        heartbeat_interval: millis(limits::HEARTBEAT),
        election_timeout_min: millis(limits::ELECTION_MIN),
        election_timeout_max: millis(limits::ELECTION_MAX),
        enable_pre_vote: Some(true),
        // A restarted leader that resumed its term with an unsynced tail lost would reuse log ids.
        enable_leader_restore: Some(false),
        max_payload_entries: limits::APPEND_ENTRIES_MAX,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(compaction.snapshot_every),
        max_in_snapshot_log_to_keep: compaction.entries_kept,
        purge_batch_size: 1,
        install_snapshot_timeout: millis(limits::SNAPSHOT_WITHIN),
        backoff: "50ms 100ms 200ms 200ms".to_owned(),
        ..Config::default()
    };
    config.validate().map(Arc::new)
}
