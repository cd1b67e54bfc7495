//! I23: one index, one state.

use ca_authority::authority::Ports as _;
use ca_authority::ports::Log as _;
use ca_core::ids::{CaId, Digest, LogIndex, NodeId, UnixMillis};
use ca_core::register::{Change, Key, MemoryRegister, Register};
use ca_core::shards::ListId;
use ca_x509::key::KeyIdentifier;
use ca_x509::serial::SerialNumber;

use super::History;
use crate::world::{World, profile};

impl World {
    /// Every node that has applied the whole log has the oracle's register, row by row.
    pub(super) fn i23_registers_are_equal(&self, history: &History) {
        let expected = copy_of(&history.register);
        for node in self.up_to_date() {
            let (number, register) = (node.ports().log().node(), copy_of(node.register()));
            assert!(register == expected, "I23: the register of node {number} differs");
        }
    }
}

/// Every row.
fn copy_of(register: &dyn Register) -> MemoryRegister {
    let (no_key, ca, nothing) = (KeyIdentifier([0; 20]), CaId::first(), Digest([0; 32]));
    let tables = [
        Key::Cluster,
        Key::Time,
        Key::Grant(nothing),
        Key::Issuer(ca.clone()),
        Key::Profile(profile("a")),
        Key::Member(NodeId(0)),
        Key::KeyProof(no_key, NodeId(0)),
        Key::Responder(ca.clone(), NodeId(0)),
        Key::OpenIntent(ca.clone(), SerialNumber::MIN),
        Key::CrlScope(ListId::whole(&ca)),
        Key::CaRequest(ca.clone()),
        Key::ClusterKey(nothing),
        Key::JoinToken(nothing),
        Key::Certificate(ca.clone(), SerialNumber::MIN),
        Key::Revocation(ca, SerialNumber::MIN),
        Key::Attempt(nothing),
        Key::Outcomes(LogIndex(0)),
        Key::Expiry(UnixMillis(0), LogIndex(0)),
        Key::History(ca_core::history::HistoryPlace::default()),
        Key::Enrolment(nothing),
        Key::Imported(nothing),
    ];
    let mut copy = MemoryRegister::default();
    for table in tables {
        let rows = register.scan(&table, usize::MAX).expect("a simulated disk has no faults of its own");
        copy.write(rows.into_iter().map(|(key, value)| Change { key, value: Some(value) }).collect());
    }
    copy
}
