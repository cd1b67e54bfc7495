//! openraft's types ⇄ protobuf.

use std::collections::{BTreeMap, BTreeSet};

use openraft::EntryPayload;

use super::CodecError;
use super::fields::required;
use crate::consensus::{Entry, LogId, Membership, PeerAddress, Proposal, StoredMembership, Vote};
use crate::wire::peer as wire;

pub(crate) fn log_id_to_wire(id: &LogId) -> wire::LogId {
    wire::LogId { term: **id.committed_leader_id(), index: id.index() }
}

pub(crate) fn log_id_from_wire(id: wire::LogId) -> LogId {
    LogId::new(id.term.into(), id.index)
}

pub(crate) fn vote_to_wire(vote: &Vote) -> wire::Vote {
    wire::Vote {
        term: vote.leader_id().term,
        node: vote.leader_id().voted_for,
        committed: vote.is_committed(),
    }
}

pub(crate) fn vote_from_wire(vote: Option<wire::Vote>) -> Result<Vote, CodecError> {
    let wire::Vote { term, node, committed } = required("vote", vote)?;
    Ok(if committed { Vote::new_committed(term, node) } else { Vote::new(term, node) })
}

pub(crate) fn entry_to_wire(entry: &Entry) -> wire::Entry {
    use wire::entry::Payload;
    let payload = match &entry.payload {
        EntryPayload::Blank => Payload::Blank(wire::Blank {}),
        EntryPayload::Normal(Proposal(batch)) => Payload::Batch(batch.clone()),
        EntryPayload::Membership(membership) => Payload::Membership(membership_to_wire(membership)),
    };
    wire::Entry { id: Some(log_id_to_wire(&entry.log_id)), payload: Some(payload) }
}

pub(crate) fn entry_from_wire(entry: wire::Entry) -> Result<Entry, CodecError> {
    use wire::entry::Payload;
    let payload = match required("entry payload", entry.payload)? {
        Payload::Blank(wire::Blank {}) => EntryPayload::Blank,
        Payload::Batch(batch) => EntryPayload::Normal(Proposal(batch)),
        Payload::Membership(membership) => EntryPayload::Membership(membership_from_wire(membership)?),
    };
    Ok(Entry { log_id: log_id_from_wire(required("entry id", entry.id)?), payload })
}

pub(crate) fn membership_to_wire(membership: &Membership) -> wire::Membership {
    let voters = |config: &BTreeSet<u64>| wire::Voters { nodes: config.iter().copied().collect() };
    wire::Membership {
        configs: membership.get_joint_config().iter().map(voters).collect(),
        nodes: membership
            .nodes()
            .map(|(node, PeerAddress(address))| wire::MemberNode {
                node: *node,
                peer_address: address.clone(),
            })
            .collect(),
    }
}

pub(crate) fn membership_from_wire(membership: wire::Membership) -> Result<Membership, CodecError> {
    let configs: Vec<BTreeSet<u64>> =
        membership.configs.into_iter().map(|voters| voters.nodes.into_iter().collect()).collect();
    let nodes: BTreeMap<u64, PeerAddress> =
        membership.nodes.into_iter().map(|member| (member.node, PeerAddress(member.peer_address))).collect();
    if configs.is_empty() && nodes.is_empty() {
        return Ok(Membership::default());
    }
    Membership::new(configs, nodes)
        .map_err(|e| CodecError::Malformed { what: "membership", why: e.to_string() })
}

pub(crate) fn stored_membership_to_wire(stored: &StoredMembership) -> wire::StoredMembership {
    wire::StoredMembership {
        id: stored.log_id().as_ref().map(log_id_to_wire),
        membership: Some(membership_to_wire(stored.membership())),
    }
}

pub(crate) fn stored_membership_from_wire(
    stored: wire::StoredMembership,
) -> Result<StoredMembership, CodecError> {
    let membership = membership_from_wire(required("membership", stored.membership)?)?;
    Ok(StoredMembership::new(stored.id.map(log_id_from_wire), membership))
}
