use ca_core::ids::NodeId;
use ca_sim::log::Kept;
use ca_sim::{Fault, Link, World};
use ca_x509::crl::RevocationReason;

/// Mechanism: `ca_core::register::memory::Overlay`, through which the commands of one batch see each other. A node
/// that lagged applies in one batch what the others applied one by one, the sweep of what expired included.
#[test]
fn i23_batches_of_any_size_give_one_register() {
    let world = World::bootstrapped(3);
    for turn in 0..10_u64 {
        world.link(3, Link::Lagging);
        let issued = world.issue_keyed(1, &format!("h{turn}.example.test"), &format!("k{turn}")).unwrap();
        world.revoke(2, &issued, RevocationReason::Superseded).unwrap();
        world.publish(2, "issuing").unwrap();
        world.wait_ms(90_000);
        for _ in 0..turn {
            world.tick();
        }
        world.link(3, Link::Up);
        world.check();
    }
    world.wait_ms(8 * 24 * 3_600_000);
    world.link(3, Link::Lagging);
    for _ in 0..60 {
        world.tick();
    }
    world.link(3, Link::Up);
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::apply`, the outcome of the first entry answers the second.
#[test]
fn i23_entries_that_are_logged_twice_change_nothing() {
    let world = World::bootstrapped(3);
    for node in world.nodes() {
        world.storm().set_faults(NodeId(node), &[Fault::Duplicate; 4]);
        let issued = world.issue(node, "a.example.test").unwrap();
        world.revoke(node, &issued, RevocationReason::Superseded).unwrap();
        world.tick();
    }
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::apply` takes time from the entry and the register alone (R8).
#[test]
fn i23_a_replay_gives_the_same_register_whatever_the_clocks_say() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    world.publish(1, "issuing").unwrap();
    let time = |world: &World| world.node(2).register().time().unwrap();
    let before = time(&world);
    world.clock(1).set_error(-3_600_000);
    world.tick();
    assert_eq!(time(&world), before, "register time does not go back");
    world.revoke(1, &issued, RevocationReason::Superseded).unwrap();
    world.publish(2, "issuing").unwrap();
    for (node, kept) in [(1, Kept::All), (2, Kept::LogOnly), (3, Kept::Nothing)] {
        world.restart(node, kept);
        world.check();
    }
    world.clock(1).set_error(0);
    world.settle_and_check();
}
