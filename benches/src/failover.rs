//! The gap that a client sees when the leader is killed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use scripts::api::Caller;
use scripts::cluster::Cluster;
use scripts::poll::until_ok;
use scripts::shell::{Audience, Shell};

use crate::connection::{Issuing, tls};
use crate::limits::{RESTART_MAX, RETRY_EVERY};
use crate::row::{Row, millis, percentile};

/// Kills the leader so many times; each time the others must issue, and the killed one come back.
///
/// # Errors
/// No certificate, or no node, in time.
pub async fn failover(cluster: &mut Cluster, kill_count: usize, said: &mut dyn FnMut(&str)) -> Result<Row> {
    let tls = tls(cluster)?;
    let mut gaps = Vec::new();
    for kill in 1..=kill_count {
        let leader = leader(cluster)?;
        let others = cluster.others(leader);
        let mut connections =
            others.iter().map(|node| Issuing::new(node, &tls)).collect::<Result<Vec<_>>>()?;
        for connection in &mut connections {
            connection.issue().await.context("before the kill")?;
        }
        let killed = Instant::now();
        cluster.kill(leader)?;
        let gap = next_certificate(&mut connections, killed).await?;
        said(&format!(
            "{kill}: {} killed, next certificate after {} ms",
            cluster.node(leader)?.name,
            millis(gap)
        ));
        gaps.push(gap);
        cluster.restart(leader)?;
        all_ready(cluster)?;
    }
    Ok(Row::Failover {
        kills: kill_count,
        p50_ms: millis(percentile(&mut gaps, 50)),
        p99_ms: millis(percentile(&mut gaps, 99)),
        min_ms: millis(gaps.iter().min().copied().unwrap_or_default()),
        max_ms: millis(gaps.iter().max().copied().unwrap_or_default()),
    })
}

async fn next_certificate(connections: &mut [Issuing], killed: Instant) -> Result<Duration> {
    let mut last = String::new();
    while killed.elapsed() < RESTART_MAX {
        for connection in connections.iter_mut() {
            match connection.issue().await {
                Ok(_) => return Ok(killed.elapsed()),
                Err(error) => last = format!("{error:#}"),
            }
        }
        tokio::time::sleep(RETRY_EVERY).await;
    }
    bail!("no certificate within {RESTART_MAX:?}; last: {last}")
}

/// The position of the leader, as the nodes see it.
///
/// # Errors
/// No node leads.
pub fn leader(cluster: &Cluster) -> Result<usize> {
    let shell = Shell::new(cluster.home(), Audience::Nobody);
    let caller = Caller::client(&shell, cluster);
    until_ok("a leader", RESTART_MAX, || {
        for (position, node) in (0_usize..).zip(&cluster.nodes) {
            let standing = caller.standing(node)?;
            if standing.leader == Some(standing.node) {
                return Ok(position);
            }
        }
        bail!("no node leads")
    })
}

/// Waits until every node takes writes.
///
/// # Errors
/// One does not in time.
pub fn all_ready(cluster: &Cluster) -> Result<()> {
    let shell = Shell::new(cluster.home(), Audience::Nobody);
    cluster.nodes.iter().try_for_each(|node| {
        let url = format!("{}/readyz?role=write", node.va);
        until_ok("ready for writing", RESTART_MAX, || {
            shell.run("curl", &["--silent", "--show-error", "--fail-with-body", &url]).map(|_| ())
        })
    })
}
