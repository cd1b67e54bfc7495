use ca_authority::ActError;
use ca_core::ids::NodeId;
use ca_core::limits::IDEMPOTENCY_KEPT_MS;
use ca_core::outcome::Refusal;
use ca_sim::world::idempotency;
use ca_sim::{Act, Fault, Link, Said, TokenMode, World, drive};

const HOST: &str = "a.example.test";

/// Mechanism: `ca_core::apply::certificates::earlier_attempt`, `Recorded` → `AlreadyIssued`.
#[test]
fn i7_one_key_one_certificate_on_every_node() {
    let world = World::bootstrapped(3);
    let issued = world.issue_keyed(1, HOST, "k").unwrap();
    for node in [1, 2, 3, 1] {
        assert_eq!(world.issue_keyed(node, HOST, "k").as_ref(), Ok(&issued));
    }
    assert_ne!(world.issue_keyed(1, HOST, "another").unwrap().serial, issued.serial);
    world.settle_and_check();
}

/// Mechanism: as above; and `attempt_is_open` waits for the node's own record that is on its way.
#[test]
fn i7_a_lost_reply_is_found_again() {
    for faults in [&[Fault::None, Fault::ReplyLost][..], &[Fault::ReplyLost]] {
        let world = World::bootstrapped(3);
        world.storm().set_faults(NodeId(1), faults);
        assert!(matches!(world.issue_keyed(1, HOST, "k"), Err(ActError::NotKnown(_))));
        let issued = world.issue_keyed(2, HOST, "k").unwrap();
        assert_eq!(world.issue_keyed(1, HOST, "k").as_ref(), Ok(&issued));
        let history = world.check();
        let of_host = history.records.keys().filter(|(ca, _)| ca.as_str() == "issuing").count();
        assert_eq!(of_host, 1 + 3, "one certificate, and the three responders'");
        world.settle_and_check();
    }
}

/// Mechanism: `ca_authority::issue::wait_for_attempt` and `supersedes`; in the register
/// `ca_core::apply::certificates::earlier_attempt`, which abandons the open attempt in the same entry (R6).
#[test]
fn i7_an_open_attempt_is_superseded_after_a_second() {
    let world = World::bootstrapped(3);
    world.token_mode(1, TokenMode::Hangs);
    let slow = Act::until_it_waits(world.issuing(1, HOST, Some(idempotency("k", HOST))));
    let began = world.now();
    let issued = world.issue_keyed(2, HOST, "k").unwrap();
    assert_eq!(world.now().since(began), 1_000, "R6: it gave the other one second");
    world.token_mode(1, TokenMode::Works);
    assert_eq!(slow.finish(), Err(ActError::Overtaken), "its signature is dropped unseen (R5)");
    assert_eq!(world.issue_keyed(1, HOST, "k").as_ref(), Ok(&issued));
    world.refresh_all();
    assert_eq!(world.status(3, &issued), Said::Good);
    world.settle_and_check();
}

/// Mechanism: `ca_authority::issue::wait_for_attempt`: the retry takes what the first attempt came to.
#[test]
fn i7_a_retry_waits_for_the_attempt_under_way() {
    let world = World::bootstrapped(3);
    world.token_mode(1, TokenMode::Hangs);
    let mut first = Act::until_it_waits(world.issuing(1, HOST, Some(idempotency("k", HOST))));
    let retry = Act::until_it_waits(world.issuing(2, HOST, Some(idempotency("k", HOST))));
    world.token_mode(1, TokenMode::Works);
    let issued = first.step().unwrap().unwrap();
    assert_eq!(retry.finish(), Ok(issued));
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::certificates::earlier_attempt`, `body != key.body`.
#[test]
fn i7_another_body_under_the_key_is_refused() {
    let world = World::bootstrapped(3);
    world.issue_keyed(1, HOST, "k").unwrap();
    let other = drive(world.issuing(2, "b.example.test", Some(idempotency("k", "b.example.test"))));
    assert_eq!(other, Err(ActError::Refused(Refusal::IdempotencyMismatch)));
    assert_eq!(other.unwrap_err().slug(), "idempotency-mismatch");
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::certificates::earlier_attempt`, `Abandoned` → one more attempt.
#[test]
fn i7_an_abandoned_attempt_leaves_the_key_free() {
    let world = World::bootstrapped(3);
    world.storm().set_faults(NodeId(1), &[Fault::None, Fault::Lost]);
    assert!(world.issue_keyed(1, HOST, "k").is_err());
    world.wait_ms(31_000);
    world.tick();
    assert_eq!(drive(world.node(1).settle_old()), Ok(1));
    let issued = world.issue_keyed(3, HOST, "k").unwrap();
    assert_eq!(world.issue_keyed(1, HOST, "k"), Ok(issued));
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::certificates::earlier_attempt`, `earlier.take_if(..)`: a key that has had its days is
/// free even while its row is still there, and its old expiry does not take the new attempt away.
#[test]
fn i7_a_key_lives_seven_days_and_its_successor_too() {
    let world = World::bootstrapped(3);
    let first = world.issue_keyed(1, HOST, "k").unwrap();
    world.wait_ms(IDEMPOTENCY_KEPT_MS - 1_000);
    world.tick();
    assert_eq!(world.issue_keyed(2, HOST, "k").as_ref(), Ok(&first));
    world.wait_ms(2_000);
    let second = world.issue_keyed(2, HOST, "k").unwrap();
    assert_ne!(first.serial, second.serial);
    for _ in 0..100 {
        world.tick();
    }
    assert_eq!(world.issue_keyed(3, HOST, "k").as_ref(), Ok(&second), "the new attempt outlives the sweep");
    world.settle_and_check();
}

/// Mechanism: `Storm` and R8: an intent on its way for longer than its life is refused by the register.
#[test]
fn i7_a_command_that_comes_too_late_has_no_effect() {
    let world = World::bootstrapped(3);
    world.storm().set_faults(NodeId(1), &[Fault::Held]);
    assert!(matches!(world.issue_keyed(1, HOST, "k"), Err(ActError::NotKnown(_))));
    let issued = world.issue_keyed(2, HOST, "k").unwrap();
    world.wait_ms(21_000);
    world.storm().release_held();
    let history = world.check();
    let expired = |outcome: &&ca_core::outcome::Outcome| {
        matches!(outcome, ca_core::outcome::Outcome::Refused(Refusal::Expired { .. }))
    };
    assert_eq!(history.outcomes.values().filter(expired).count(), 1);
    world.link(3, Link::Up);
    assert_eq!(world.issue_keyed(3, HOST, "k"), Ok(issued));
    world.settle_and_check();
}
