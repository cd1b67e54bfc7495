//! The cluster's own keys: what they are certified for, when planned and when applied.

use alloc::vec;

use ca_x509::name::GeneralName;

use super::bench::*;
use crate::command::{Command, Intent};
use crate::ids::NodeId;
use crate::outcome::{Outcome, Refusal};
use crate::plan::{CertificateRequest, PlanError, plan};
use crate::register::KeyUse;
use crate::roles::Identity;

const NODE: Identity = Identity::Node(NodeId(1));

/// A request for a server certificate of a client, with this key.
fn servers(octet: u8) -> CertificateRequest {
    CertificateRequest { public_key: key(octet), ..server() }
}

/// A request of a node for its own TLS listener.
fn listeners(octet: u8) -> CertificateRequest {
    CertificateRequest { profile: "node-tls".parse().unwrap(), ca: Some(ca("issuing")), ..servers(octet) }
}

fn responders(octet: u8, node: u64) -> CertificateRequest {
    CertificateRequest {
        profile: "ocsp-responder".parse().unwrap(),
        names: vec![],
        subject: subject("responder"),
        responder: Some(NodeId(node)),
        ..listeners(octet)
    }
}

fn planned(bench: &Bench, requester: Identity, request: CertificateRequest) -> Result<(), Refusal> {
    match plan(bench.register(), requester, request, bench.now) {
        Ok(_plan) => Ok(()),
        Err(PlanError::Refused(refusal)) => Err(refusal),
        Err(PlanError::Storage(fault)) => panic!("{fault}"),
    }
}

/// With a CA's key (`issuing`: 11), a TLS key (50) and a responder key (51) in use.
fn in_use() -> Bench {
    let mut bench = Bench::ready();
    for (serial, request) in [(20, listeners(50)), (21, responders(51, 1))] {
        let intent = bench.draft(NODE, request, serial);
        bench.commit(intent);
    }
    bench
}

/// Mechanism: `cluster_key::taken` in `ca_core::plan::plan`.
#[test]
fn a_key_of_the_cluster_is_certified_for_its_use_and_nothing_else() {
    let bench = in_use();
    let connections = || Err(Refusal::ClusterKey { usage: KeyUse::Connections });
    let authority = || Err(Refusal::ClusterKey { usage: KeyUse::Authority(ca("issuing")) });
    let responder = || Err(Refusal::ClusterKey { usage: KeyUse::Responder(NodeId(1)) });
    for (what, requester, request, expected) in [
        ("a client's own", CLIENT, servers(99), Ok(())),
        ("a CA's", CLIENT, servers(11), authority()),
        ("a TLS key", CLIENT, servers(50), connections()),
        ("a responder's", CLIENT, servers(51), responder()),
        ("a TLS key again, as at its renewal", NODE, listeners(50), Ok(())),
        ("a responder's again", NODE, responders(51, 1), Ok(())),
        ("a TLS key for a responder", NODE, responders(50, 1), connections()),
        ("a responder's for TLS", NODE, listeners(51), responder()),
        ("a CA's for TLS", NODE, listeners(11), authority()),
        ("another node's responder", Identity::Node(NodeId(2)), responders(51, 2), responder()),
    ] {
        assert_eq!(planned(&bench, requester, request), expected, "{what}");
    }
}

/// What was planned before the key came into use is refused when it is applied, and so is a CA that comes after it.
///
/// Mechanism: `use_key` in `ca_core::apply`.
#[test]
fn a_key_that_came_into_use_meanwhile_is_refused_by_the_log() {
    let mut bench = Bench::ready();
    let (clients, nodes) = (bench.draft(CLIENT, servers(50), 30), bench.draft(NODE, listeners(50), 31));
    bench.commit(nodes);
    let refused = Outcome::Refused(Refusal::ClusterKey { usage: KeyUse::Connections });
    assert_eq!(bench.apply(1, Command::Intent(clients)), refused);
    assert_eq!(bench.apply(1, define("second", "root", 50)), refused);
}

#[test]
fn an_intent_whose_key_cannot_be_read_is_refused() {
    let mut bench = Bench::ready();
    let intent = Intent { tbs: vec![0x30, 0], ..bench.intent(32) };
    let refused = bench.apply(1, Command::Intent(intent));
    assert!(matches!(refused, Outcome::Refused(Refusal::Lint { .. })), "{refused:?}");
}

/// A client whose key is nobody's may have as many certificates of it as it likes.
#[test]
fn a_clients_key_is_not_taken_from_it() {
    let mut bench = Bench::ready();
    for serial in [33, 34] {
        let names = vec![GeneralName::Dns(alloc::format!("h{serial}.test"))];
        let intent = bench.draft(CLIENT, CertificateRequest { names, ..servers(60) }, serial);
        bench.commit(intent);
    }
    assert_eq!(bench.register().cluster_key(crate::ids::Digest::of(key(60).spki_der())), Ok(None));
}
