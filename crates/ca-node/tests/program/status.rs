//! What the status service of real processes says of serials that nobody issued.

use std::process::{Command, Output};

use ca_x509::certificate::Certificate;
use ca_x509::ocsp::{CertId, CertStatus, OcspError, OcspRequest, OcspResponse};
use ca_x509::serial::SerialNumber;

use crate::cluster::{Cluster, until};
use crate::promises::standing;

/// What a node's responder says of one serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Good,
    Revoked,
    Unknown,
    /// It cannot know, or does not answer at all.
    Later,
}

/// Asks a node's status service as a relying party does: over plain HTTP, for one serial of `issuing`.
pub(crate) fn asked(cluster: &Cluster, node: usize, issuer: &Certificate, serial: &SerialNumber) -> Said {
    let id = CertId::sha1(issuer.subject(), issuer.public_key(), serial);
    let request = cluster.dir.path().join("ask.der");
    std::fs::write(&request, OcspRequest { cert_ids: vec![id], nonce: None }.encode().unwrap()).unwrap();
    let url = format!("http://{}/ocsp", cluster.va(node));
    let answer = Command::new("curl")
        .args(["-sS", "--fail", "-H", "content-type: application/ocsp-request", "--data-binary"])
        .arg(format!("@{}", request.display()))
        .arg(url)
        .output()
        .unwrap();
    if !answer.status.success() {
        return Said::Later;
    }
    match OcspResponse::parse(&answer.stdout).unwrap() {
        OcspResponse::Error(OcspError::TryLater) => Said::Later,
        OcspResponse::Error(other) => panic!("{other:?}"),
        OcspResponse::Basic(answer) => match answer.data().responses[0].status {
            CertStatus::Good => Said::Good,
            CertStatus::Revoked { .. } => Said::Revoked,
            CertStatus::Unknown => Said::Unknown,
        },
    }
}

pub(crate) fn issuer(cluster: &Cluster) -> Certificate {
    let url = format!("http://{}/ca/issuing.cer", cluster.va(0));
    let answer = Command::new("curl").args(["-sS", "--fail", &url]).output().unwrap();
    assert!(answer.status.success(), "{url}");
    Certificate::parse(&answer.stdout).unwrap()
}

/// The neighbours of a serial, and others that differ from it in one bit each: what a guess or a slip would ask for.
fn unissued(real: &SerialNumber) -> Vec<SerialNumber> {
    let octets = real.as_be_bytes().to_vec();
    let number = u128::from_be_bytes(octets.clone().try_into().unwrap());
    let neighbours =
        [number - 1, number + 1, number - 256, number + 256].map(|number| number.to_be_bytes().to_vec());
    let flipped = (1..128).step_by(9).map(|bit| {
        let mut octets = octets.clone();
        octets[bit / 8] ^= 1 << (7 - bit % 8);
        octets
    });
    let all = neighbours.into_iter().chain(flipped).chain([vec![1], vec![0x7f; 20]]);
    all.filter_map(|octets| SerialNumber::from_be_bytes(&octets).ok())
        .filter(|serial| serial != real)
        .collect()
}

/// `unknown`, and nothing before it but `tryLater`: a busy machine's leader may have lost its lease for a moment.
fn unknown(cluster: &Cluster, node: usize, issuer: &Certificate, serial: &SerialNumber) {
    until("the node has a quorum and says unknown", || {
        let said = asked(cluster, node, issuer, serial);
        assert!(matches!(said, Said::Unknown | Said::Later), "node {node}: {serial}: {said:?}");
        said == Said::Unknown
    });
}

/// No node says `good` of a serial that nobody issued: not while all is well, not one that is cut off, not one that is
/// killed and comes back, from its first answer on. While there is a quorum it says `unknown`, without one `tryLater`.
///
/// Mechanism: `status` in `ca-core/src/status.rs`: good is a recorded row. With `None => Good` there for a serial without
/// a row the first question fails.
#[test]
fn i8_no_node_in_any_state_says_good_of_what_was_not_issued() {
    let mut cluster = Cluster::start();
    let issuer = issuer(&cluster);
    let serial: SerialNumber = cluster.issue(0, &cluster.csr("web.test")).parse().unwrap();
    let others = unissued(&serial);
    for node in 0..3 {
        until("the issued one is good everywhere", || {
            matches!(asked(&cluster, node, &issuer, &serial), Said::Good)
        });
        for other in &others {
            unknown(&cluster, node, &issuer, other);
        }
    }
    cluster.kill_9(0);
    cluster.kill_9(1);
    for other in &others {
        let said = asked(&cluster, 2, &issuer, other);
        assert!(matches!(said, Said::Unknown | Said::Later), "cut off: {other}: {said:?}");
    }
    until("a cut-off node no longer knows", || asked(&cluster, 2, &issuer, &others[0]) == Said::Later);
    assert!(matches!(asked(&cluster, 2, &issuer, &serial), Said::Good), "what it knows it says");
    cluster.start_again(0);
    // From the first answer of a node that comes back, whatever it has replayed by then.
    until("it answers again", || {
        let said = asked(&cluster, 0, &issuer, &others[0]);
        assert!(matches!(said, Said::Unknown | Said::Later), "coming back: {said:?}");
        said == Said::Unknown
    });
    for other in &others {
        unknown(&cluster, 0, &issuer, other);
    }
}

/// `status` in each state of a cluster that ends by kill -9, node by node; what it says ends with the command to run.
///
/// Mechanism: each member's own proof (`ca_http::proof`); the verdicts one by one are in `commands/status/verdict.rs`.
#[test]
fn status_proves_what_the_cluster_can_do_and_ends_with_its_code() {
    let mut cluster = Cluster::start();
    // Once a cluster calls itself ready, any one node may go (`can_write` in `health.rs`): each of three votes.
    for node in 0..3 {
        let standing = standing(&cluster, node).unwrap();
        assert!(standing["votes"] == true && standing["voters"].as_array().unwrap().len() == 3, "{standing}");
    }
    let (code, talk, table) = status(cluster.ask(0, &["status", "--wait"]));
    assert_eq!(code, 0, "{talk}{table}");
    assert!(
        talk.contains("HEALTHY   may lose 1 node, 2 tokens") && talk.contains("equal on 3 of 3"),
        "{talk}"
    );
    for proof in ["write ok node1 ", "sign ok node1 ", "va ok 3 of 3, fresh as of "] {
        assert!(talk.contains(proof), "{proof}: {talk}");
    }
    assert_eq!(table.matches("\tready\t").count(), 3, "{table}");
    assert_eq!(table.matches("\tleader\t").count(), 1, "{table}");
    let told: serde_json::Value = serde_json::from_str(&cluster.must(1, &["status", "-o", "json"])).unwrap();
    assert_eq!(told["verdict"], "HEALTHY", "{told}");
    assert!(told["nodes"][2]["proof"]["write"]["index"].is_u64(), "{told}");

    cluster.kill_9(2);
    until("it is degraded and issues", || status(cluster.ask(0, &["status"])).0 == 1);
    let (_, talk, table) = status(cluster.ask(0, &["status"]));
    assert!(
        talk.contains("node3 does not answer: ") && table.contains("node3\t-\tsilent: "),
        "{talk}{table}"
    );
    assert!(talk.contains("next: on the machine of node3: ca-node server -c FILE"), "{talk}");

    cluster.kill_9(1);
    until("it has no quorum", || status(cluster.ask(0, &["status"])).0 == 2);
    let (_, talk, _) = status(cluster.ask(0, &["status"]));
    assert!(talk.contains("NO QUORUM   may lose no node, no token"), "{talk}");
    assert!(talk.contains("sign ok node1 ") && talk.contains("node1 cannot write: "), "{talk}");

    cluster.kill_9(0);
    let (code, talk, _) = status(cluster.ask(0, &["status"]));
    assert!(code == 4 && talk.contains("[unreachable]"), "{code}: {talk}");
}

/// Exit code, talk and data.
fn status(output: Output) -> (i32, String, String) {
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stderr), text(output.stdout))
}
