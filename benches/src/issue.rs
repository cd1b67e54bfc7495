//! Certificates a second: so many connections, spread over the nodes, each with one request at a time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use scripts::cluster::Cluster;
use tokio::task::LocalSet;

use crate::connection::{Issuing, tls};
use crate::limits::WARM_UP;
use crate::machine::cpu_us;
use crate::row::{Row, millis, percentile, rate, rounded};

/// What all connections have seen since the measurement began.
#[derive(Debug, Default)]
struct Seen {
    times: Vec<Duration>,
    error_count: u64,
    first_error: Option<String>,
}

/// Measures with `connection_count` connections; the first error is told to `said`.
///
/// # Errors
/// The cluster's files, or a node that is gone.
pub async fn issue(
    cluster: &Cluster,
    connection_count: usize,
    time: Duration,
    said: &mut dyn FnMut(&str),
) -> Result<Row> {
    let tls = tls(cluster)?;
    let nodes = cluster.nodes.iter().cycle();
    let connections = nodes.take(connection_count).map(|node| Issuing::new(node, &tls));
    let connections = connections.collect::<Result<Vec<_>>>()?;
    let seen = Rc::new(RefCell::new(Seen::default()));
    let begin = Instant::now().checked_add(WARM_UP).unwrap_or_else(Instant::now);
    let end = begin.checked_add(time).unwrap_or(begin);
    let local = LocalSet::new();
    for connection in connections {
        local.spawn_local(client(connection, Rc::clone(&seen), begin, end));
    }
    let measured = local.run_until(async {
        tokio::time::sleep_until(begin.into()).await;
        let before = cluster_cpu_us(cluster)?;
        tokio::time::sleep_until(end.into()).await;
        anyhow::Ok(cluster_cpu_us(cluster)?.saturating_sub(before))
    });
    let used_us = measured.await?;
    local.await;
    let mut seen = seen.take();
    if let Some(error) = &seen.first_error {
        said(error);
    }
    let count = u64::try_from(seen.times.len())?;
    ensure!(count > 0, "not one certificate with {connection_count} connections");
    Ok(Row::Issue {
        c: connection_count,
        per_s: rate(count, time),
        p50_ms: millis(percentile(&mut seen.times, 50)),
        p99_ms: millis(percentile(&mut seen.times, 99)),
        errors: seen.error_count,
        server_cpu_us: rounded(f64::from(u32::try_from(used_us)?) / f64::from(u32::try_from(count)?)),
    })
}

/// One connection's loop; what ends within the measurement counts.
async fn client(mut connection: Issuing, seen: Rc<RefCell<Seen>>, begin: Instant, end: Instant) {
    while Instant::now() < end {
        let asked = Instant::now();
        let done = connection.issue().await;
        let now = Instant::now();
        let mut seen = seen.borrow_mut();
        match done {
            Ok(()) if now >= begin && now < end => seen.times.push(now.duration_since(asked)),
            Ok(()) => {}
            // Those of the warm-up count as well: there is no reason for any.
            Err(error) => {
                seen.error_count = seen.error_count.saturating_add(1);
                seen.first_error.get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }
}

fn cluster_cpu_us(cluster: &Cluster) -> Result<u64> {
    cluster.nodes.iter().map(|node| cpu_us(node.pid)).sum()
}
