use std::collections::BTreeMap;

use ca_authority::limits::REFUSALS_EVERY_MS;
use ca_core::command::Command;
use ca_core::history::{About, Act, HistoryFilter, HistoryPlace, look};
use ca_core::ids::Digest;
use ca_core::roles::Identity;
use ca_sim::{Fault, Link, World, drive};
use ca_x509::crl::RevocationReason;

const ONE: Identity = Identity::Client(Digest([1; 32]));
const OTHER: Identity = Identity::Client(Digest([2; 32]));

/// Rows and refusals of each caller and slug, as a node's history has them.
fn refusals(world: &World, node: u64) -> BTreeMap<(Identity, String), (u64, u64)> {
    let authority = world.node(node);
    let filter: HistoryFilter = "act=refused".parse().unwrap();
    let page =
        look(authority.register(), &filter, HistoryPlace::default(), (usize::MAX, usize::MAX)).unwrap();
    let mut all: BTreeMap<_, (u64, u64)> = BTreeMap::new();
    for (_, row) in page.found {
        assert_eq!(row.act, Act::Refused);
        let About::Refusals(slug, count) = row.about else { panic!("a refusal has a slug") };
        let (rows, refused) = all.entry((row.by, slug)).or_default();
        (*rows, *refused) = (rows.saturating_add(1), refused.saturating_add(count));
    }
    all
}

/// Mechanism: `RefusalBook::take`, `due`; the count itself: `RefusalBook::add`.
#[test]
fn i20_refusals_of_a_caller_in_a_loop_are_one_row_in_ten_seconds() {
    let world = World::bootstrapped(3);
    let node = world.node(2);
    let rounds = 300;
    for _ in 0..rounds {
        node.count_refusal(ONE, "forbidden");
        node.count_refusal(ONE, "lint");
        node.count_refusal(OTHER, "forbidden");
        drive(node.record_refusals()).unwrap();
        world.wait_ms(100);
    }
    world.wait_ms(REFUSALS_EVERY_MS);
    drive(node.record_refusals()).unwrap();
    let all = refusals(&world, 1);
    assert_eq!(all.len(), 3);
    for ((by, slug), (rows, refused)) in all {
        assert_eq!(refused, rounds, "{by} {slug}: none is lost, none is told twice");
        assert!(rows <= 5, "{by} {slug}: {rows} rows in 30 s");
    }
    world.settle_and_check();
}

/// Mechanism: `record_refusals`, where what was not written is counted again.
#[test]
fn i20_refusals_wait_for_a_quorum() {
    let world = World::bootstrapped(3);
    let node = world.node(2);
    world.link(2, Link::CutOff);
    for _ in 0..3 {
        node.count_refusal(ONE, "forbidden");
        node.count_refusal(ONE, "lint");
        assert!(drive(node.record_refusals()).is_err());
        world.wait_ms(REFUSALS_EVERY_MS);
    }
    world.link(2, Link::Up);
    drive(node.record_refusals()).unwrap();
    let expected: Vec<(u64, u64)> = vec![(1, 3), (1, 3)];
    assert_eq!(refusals(&world, 1).into_values().collect::<Vec<_>>(), expected);
    world.settle_and_check();
}

/// Mechanism: `Step::write_history`; a duplicate in the log: the early return in `apply`.
#[test]
fn i20_what_is_logged_twice_stands_in_the_history_once() {
    let world = World::bootstrapped(3);
    for (round, fault) in [Fault::Duplicate, Fault::ReplyLost, Fault::None].into_iter().enumerate() {
        world.storm().set_faults(ca_core::ids::NodeId(2), &[fault; 3]);
        let issued = world.issue(2, &format!("h{round}.example.test"));
        if let Ok(issued) = issued {
            drop(world.revoke(2, &issued, RevocationReason::Superseded));
        }
        world.storm().set_faults(ca_core::ids::NodeId(2), &[]);
    }
    world.command(1, Command::Tick { digest: None });
    // Compares every row of the history with what was done.
    world.settle_and_check();
}
