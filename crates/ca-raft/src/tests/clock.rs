//! R8 on real nodes: whose clock stamps.

use std::time::Instant;

use ca_authority::ports::Log as _;

use super::cluster::{Cluster, PATIENCE, append};
use crate::{ClockOffset, Compaction, IssuanceLog};

const HOUR_MS: i64 = 3_600_000;

/// Waits for the next look at the voters' clocks.
async fn measured(log: &IssuanceLog) -> Option<ClockOffset> {
    let mut offset = log.clock_offset.clone();
    offset.mark_unchanged();
    tokio::time::timeout(PATIENCE, offset.changed()).await.expect("in time").expect("a log that runs");
    *offset.borrow()
}

/// Mechanism: `Verdict::HandOver` in `keep_time`; without `hand_over` the leader stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_a_leader_whose_clock_is_an_hour_off_hands_over() {
    let cluster = Cluster::of_three(Compaction::default()).await;
    append(cluster.node(1), 1).await;
    let ahead = cluster.leader_among(&[1, 2, 3]).await;
    cluster.set_wrong(ahead, HOUR_MS);
    let others: Vec<u64> = [1, 2, 3].into_iter().filter(|node| *node != ahead).collect();
    let behind = cluster.leader_among(&others).await;
    // Now one clock is an hour ahead, one an hour behind: the third is the median.
    cluster.set_wrong(behind, -HOUR_MS);
    let right: Vec<u64> = others.into_iter().filter(|node| *node != behind).collect();
    let leader = cluster.leader_among(&right).await;
    // It stays there.
    let begun = Instant::now();
    while cluster.node(leader).clock_offset().is_none() {
        assert!(begun.elapsed() < PATIENCE, "the leader measures nothing");
        measured(cluster.node(leader)).await;
    }
    let term = cluster.node(leader).standing().term;
    for _ in 0..2 {
        let own = measured(cluster.node(leader)).await.expect("a majority that answers");
        assert!(own.0.abs() < 1_000, "{own}");
    }
    assert_eq!(cluster.leader_among(&[1, 2, 3]).await, leader);
    assert_eq!(cluster.node(leader).standing().term, term);
    // And everybody goes on writing, whatever their clocks show.
    for (node, number) in [1, 2, 3].into_iter().zip(10..) {
        append(cluster.node(node), number).await;
    }
    cluster.stop_all().await;
}
