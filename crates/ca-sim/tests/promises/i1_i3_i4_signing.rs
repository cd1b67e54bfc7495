use ca_authority::error::Effect;
use ca_authority::{ActError, Ports as _};
use ca_core::shards::ListKind;
use ca_sim::world::idempotency;
use ca_sim::{Act, Fault, Link, TokenMode, World, drive};

/// Mechanism: `ca_core::apply::certificates::intent`, the refusal `SerialTaken`.
#[test]
fn i1_a_source_that_repeats_itself_gives_no_serial_twice() {
    let world = World::bootstrapped(3);
    let first = world.issue(1, "a.example.test").unwrap();
    world.node(1).ports().entropy().repeat();
    let second = world.issue(1, "b.example.test").unwrap();
    assert_ne!(first.serial, second.serial);
    for node in world.nodes() {
        world.issue(node, "c.example.test").unwrap();
    }
    world.settle_and_check();
}

/// Mechanism: `ca_authority::issue::complete`, which answers only with what the record's outcome allows.
#[test]
fn i3_whatever_becomes_of_the_record_nobody_sees_a_certificate_that_has_none() {
    for fault in [Fault::NotAppended, Fault::Lost, Fault::ReplyLost, Fault::Held] {
        let world = World::bootstrapped(3);
        world.storm().set_faults(ca_core::ids::NodeId(2), &[Fault::None, fault]);
        let error = world.issue(2, "a.example.test").unwrap_err();
        let effect = if fault == Fault::NotAppended { Effect::NotApplied } else { Effect::Unknown };
        assert_eq!(error.effect(), effect, "{fault:?}");
        world.settle_and_check();
    }
}

/// Mechanism: `ca_authority::issue::issue`, which signs only with the permit of an applied intent.
#[test]
fn i4_without_a_committed_intent_nothing_is_signed() {
    for fault in [Fault::NotAppended, Fault::Lost, Fault::ReplyLost, Fault::Held] {
        let world = World::bootstrapped(3);
        let before = world.tape().signed().len();
        world.storm().set_faults(ca_core::ids::NodeId(2), &[fault]);
        assert!(world.issue(2, "a.example.test").is_err());
        world.storm().set_faults(ca_core::ids::NodeId(2), &[fault]);
        assert!(world.publish(2, "issuing").is_err());
        assert_eq!(world.tape().signed().len(), before, "{fault:?}");
        world.settle_and_check();
        assert_eq!(world.tape().signed().len(), before, "{fault:?}: nor later");
    }
}

/// Mechanism: `ca_core::permit::Applied::into_permit` and the waiters of the log (R7).
#[test]
fn i4_an_intent_that_is_logged_twice_is_signed_once() {
    let world = World::bootstrapped(3);
    let before = world.tape().signed().len();
    world.storm().set_faults(ca_core::ids::NodeId(2), &[Fault::Duplicate, Fault::Duplicate]);
    world.issue(2, "a.example.test").unwrap();
    assert_eq!(world.tape().signed().len(), before + 1);
    world.settle_and_check();
}

/// Mechanism: `ca_core::permit::Permit::order`, `entry.state == CertificateState::Open`.
#[test]
fn i4_an_intent_that_was_superseded_before_its_owner_applied_it_is_not_signed() {
    let world = World::bootstrapped(3);
    world.link(3, Link::Lagging);
    let key = Some(idempotency("k", "a.example.test"));
    let late = Act::until_it_waits(world.issuing(3, "a.example.test", key));
    let issued = world.issue_keyed(1, "a.example.test", "k").unwrap();
    let before = world.tape().signed().len();
    world.link(3, Link::Up);
    assert_eq!(late.finish(), Err(ActError::Overtaken));
    assert_eq!(world.tape().signed().len(), before, "the permit came too late");
    assert_eq!(world.issue_keyed(3, "a.example.test", "k"), Ok(issued));
    world.settle_and_check();
}

/// Mechanism: the permit is a value of the boot that dies with it (`ca_sim::log` plays R7; `ca-raft` keeps it).
#[test]
fn i4_a_permit_does_not_survive_a_restart() {
    let world = World::bootstrapped(3);
    for kept in [ca_sim::log::Kept::All, ca_sim::log::Kept::LogOnly, ca_sim::log::Kept::Nothing] {
        world.link(2, Link::Lagging);
        let waiting = Act::until_it_waits(world.issuing(2, "a.example.test", None));
        world.restart(2, kept);
        let before = world.tape().signed().len();
        world.link(2, Link::Up);
        assert_eq!(waiting.finish(), Err(ActError::Stopped));
        assert_eq!(world.tape().signed().len(), before, "{kept:?}");
        assert_eq!(drive(world.node(2).settle_own()), Ok(1), "{kept:?}");
    }
    world.settle_and_check();
}

/// Mechanism: `ca_core::crl::tbs` takes each status as of the cut (`Revocation::as_of`): what is signed is the list
/// of the cut even if more was revoked before the token came to it.
#[test]
fn i4_a_list_is_signed_as_it_was_at_its_cut() {
    use ca_x509::crl::RevocationReason::{KeyCompromise, Superseded};
    let world = World::bootstrapped(3);
    let [first, second] = ["a.example.test", "b.example.test"].map(|host| world.issue(1, host).unwrap());
    world.revoke(1, &first, Superseded).unwrap();
    world.token_mode(1, TokenMode::Hangs);
    let authority = world.node(1);
    let publishing = Act::until_it_waits(async move {
        authority.publish_crl(&ca_sim::world::whole("issuing"), ListKind::Complete).await
    });
    world.revoke(2, &second, Superseded).unwrap();
    world.revoke(2, &first, KeyCompromise).unwrap();
    world.token_mode(1, TokenMode::Works);
    publishing.finish().unwrap();
    let (_, list) = world.crl(3, "issuing").unwrap();
    assert_eq!(list.entries().len(), 1);
    assert_eq!(list.entry(&first.serial).unwrap().reason, Some(Superseded));
    world.settle_and_check();
}
