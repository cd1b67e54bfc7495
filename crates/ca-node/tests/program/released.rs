//! What a client has received, against what the nodes' disks hold.

use crate::cluster::{Cluster, serial};

/// Whatever octets of a certificate a client has received, the other two nodes hold the same, though the node that gave
/// them is killed at that moment; and so does that node, once it is back. Each node is that node once.
///
/// Mechanism: the certificate is put together from the recorded row, after the commit point of
/// `ca-authority/src/issue.rs`. With the answer given before the record is appended (`complete`) the others have an
/// intent and no certificate.
#[test]
fn i3_what_a_client_received_is_on_the_other_nodes_disks() {
    let mut cluster = Cluster::start();
    let csr = cluster.csr("web.test");
    let mut received = Vec::new();
    for node in 0..3 {
        for _ in 0..3 {
            let issued = cluster.must(node, &["issue", "--csr", &csr, "-o", "json"]);
            let parsed: serde_json::Value = serde_json::from_str(&issued).unwrap();
            received.push((serial(&issued), parsed["certificate"].as_str().unwrap().to_owned()));
        }
        cluster.kill_9(node);
        for other in (0..3).filter(|other| *other != node) {
            for (serial, certificate) in &received {
                assert_eq!(
                    &shown(&cluster, other, serial),
                    certificate,
                    "node {other} after the end of node {node}"
                );
            }
        }
        cluster.start_again(node);
        cluster.until_healthy();
        for (serial, certificate) in &received {
            assert_eq!(&shown(&cluster, node, serial), certificate, "node {node} is back");
        }
    }
}

/// The certificate as a node's register has it, once that node has a quorum to ask.
fn shown(cluster: &Cluster, node: usize, serial: &str) -> String {
    let mut text = String::new();
    crate::cluster::until("the node answers", || {
        let shown = cluster.ask(node, &["cert", "show", serial, "-o", "json"]);
        text = String::from_utf8_lossy(&shown.stdout).into_owned();
        shown.status.success()
    });
    let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
    shown["certificate"].as_str().unwrap_or_default().to_owned()
}
