//! What the status service of real processes says of serials that nobody issued.

use std::process::Command;

use ca_x509::certificate::Certificate;
use ca_x509::ocsp::{CertId, CertStatus, OcspError, OcspRequest, OcspResponse};
use ca_x509::serial::SerialNumber;

use crate::cluster::{Cluster, until};

/// What a node's responder says of one serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Good,
    Revoked,
    Unknown,
    /// It cannot know, or does not answer at all.
    Later,
}

/// Asks a node's status service as a relying party does: over plain HTTP, for one serial of `issuing`.
fn asked(cluster: &Cluster, node: usize, issuer: &Certificate, serial: &SerialNumber) -> Said {
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

fn issuer(cluster: &Cluster) -> Certificate {
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
