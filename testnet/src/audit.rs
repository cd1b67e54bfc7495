//! At rest: what every node says of all that was acknowledged (I6), and whether they are one register (I23).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use benches::connection::{Asked, Connection, tls};
use ca_x509::serial::SerialNumber;
use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use scripts::api::Caller;
use scripts::cluster::Cluster;
use scripts::limits::EQUAL_MAX;
use scripts::poll::until_ok;
use scripts::shell::{Audience, Shell};

use crate::history::{Operation, Said, Status};
use crate::workload::read;

/// What of the acknowledged is missing, or different, on some node.
///
/// # Errors
/// A node that does not answer, or registers that do not become equal.
pub async fn audit(cluster: &Cluster, history: &[Operation]) -> Result<Vec<String>> {
    let issued: BTreeMap<SerialNumber, &[u8]> = history
        .iter()
        .filter_map(|operation| operation.issued().map(|(_, serial, der)| (serial, der)))
        .collect();
    let revoked: BTreeSet<SerialNumber> = history.iter().filter_map(Operation::revoked).collect();
    equal(cluster)?;
    let tls = tls(cluster)?;
    let mut faults = Vec::new();
    for node in &cluster.nodes {
        let mut api = Connection::api(node, &tls)?;
        for (serial, der) in &issued {
            let ask = |form: &str| {
                let path = format!("/api/v1/certificates/{serial}{form}?ca=issuing&consistency=local");
                Asked::new(Method::GET, path, Bytes::new())
            };
            let (status, octets) = api.ask(&ask(".der")).await?;
            if status != StatusCode::OK || octets != *der {
                faults.push(format!("I6: {} has lost {serial}: {status}", node.name));
            }
            if revoked.contains(serial) {
                let (status, octets) = api.ask(&ask("")).await?;
                let (said, _) = read(status, &octets)?;
                if said != Said::Status(Status::Revoked) {
                    faults.push(format!("I6: {} has lost the revocation of {serial}: {said:?}", node.name));
                }
            }
        }
    }
    Ok(faults)
}

/// Waits until all nodes are at one index, and compares their digests there.
fn equal(cluster: &Cluster) -> Result<()> {
    let shell = Shell::new(cluster.home(), Audience::Nobody);
    let caller = Caller::client(&shell, cluster);
    until_ok("one index with one digest on all nodes", EQUAL_MAX, || {
        let standings = cluster.nodes.iter().map(|node| caller.standing(node)).collect::<Result<Vec<_>>>()?;
        let of =
            standings.iter().map(|standing| (standing.applied, &standing.digest)).collect::<BTreeSet<_>>();
        ensure!(of.len() == 1, "they stand at {of:?}");
        Ok(())
    })
}
