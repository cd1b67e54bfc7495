use ca_authority::error::Effect;
use ca_authority::ports::Log as _;
use ca_authority::{ActError, Ports as _};
use ca_core::ids::NodeId;
use ca_core::outcome::Refusal;
use ca_sim::log::Kept;
use ca_sim::{Act, Fault, Link, Said, TokenMode, World, drive};
use ca_x509::crl::RevocationReason;

/// Mechanism: `ca_authority::issue::complete`, which releases on the record's outcome alone.
#[test]
fn i16_a_deposed_leader_releases_nothing() {
    let world = World::bootstrapped(3);
    assert_eq!(world.storm().leader(), NodeId(1));
    world.token_mode(1, TokenMode::Hangs);
    let act = Act::until_it_waits(world.issuing(1, "a.example.test", None));
    world.link(1, Link::Deposed);
    world.token_mode(1, TokenMode::Works);
    assert_eq!(act.finish().unwrap_err().effect(), Effect::Unknown);
    assert!(matches!(world.issue(1, "b.example.test"), Err(ActError::NotKnown(_))), "it does not know yet");
    assert!(world.publish(1, "issuing").is_err());
    world.issue(2, "c.example.test").unwrap();
    assert_eq!(world.node(2).ports().log().standing().leader, Some(NodeId(2)));
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::certificates::record`, `Abandoned` → `IntentAbandoned`: the first in the log wins (R5).
#[test]
fn i16_a_record_that_was_on_its_way_for_long_is_refused_once_its_intent_is_abandoned() {
    let world = World::bootstrapped(3);
    world.storm().set_faults(NodeId(1), &[Fault::None, Fault::Held]);
    let key = ca_sim::world::idempotency("k", "a.example.test");
    assert!(drive(world.issuing(1, "a.example.test", Some(key))).is_err());
    world.link(1, Link::CutOff);
    let issued = world.issue_keyed(2, "a.example.test", "k").unwrap();
    world.link(1, Link::Up);
    world.storm().release_held();
    let history = world.check();
    let abandoned = |outcome: &&ca_core::outcome::Outcome| {
        matches!(outcome, ca_core::outcome::Outcome::Refused(Refusal::IntentAbandoned { .. }))
    };
    assert_eq!(history.outcomes.values().filter(abandoned).count(), 1);
    world.refresh_all();
    assert_eq!(world.status(1, &issued), Said::Good);
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::certificates::record`, `NotOwner`: a record that the earlier boot had sent still counts
/// if it comes before its intent is abandoned, but nobody can send one in its place.
#[test]
fn i16_a_record_of_an_earlier_boot_still_counts_and_of_another_node_never() {
    let world = World::bootstrapped(3);
    world.storm().set_faults(NodeId(1), &[Fault::None, Fault::Held]);
    assert!(world.issue(1, "a.example.test").is_err());
    world.restart(1, Kept::All);
    let intents = world.check().intents;
    let (ca, serial) = intents.iter().max_by_key(|(_, (index, _))| *index).unwrap().0.clone();
    let record = ca_core::command::Command::Record { ca, serial, signature: vec![1; 64] };
    for node in world.nodes() {
        let refused = ca_core::outcome::Outcome::Refused(Refusal::NotOwner { serial });
        assert_eq!(world.command(node, record.clone()), refused, "node {node}");
    }
    world.storm().release_held();
    assert!(world.check().records.contains_key(&(ca_sim::world::ca("issuing"), serial)));
    world.settle_and_check();
}

/// Mechanism: `ca_authority::issue::commit_intent` and `revoke`: no append, no effect; OCSP asks the register alone.
#[test]
fn i17_a_cut_off_node_refuses_to_write_and_goes_on_answering() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    world.publish(1, "issuing").unwrap();
    world.refresh_all();
    world.link(3, Link::CutOff);
    for kept in [None, Some(Kept::All), Some(Kept::LogOnly)] {
        kept.into_iter().for_each(|kept| world.restart(3, kept));
        let refused = [
            world.issue(3, "b.example.test").unwrap_err(),
            world.revoke(3, &issued, RevocationReason::Superseded).unwrap_err(),
            world.publish(3, "issuing").unwrap_err(),
        ];
        for error in refused {
            assert_eq!((error.slug(), error.effect()), ("no-quorum", Effect::NotApplied), "{error}");
            assert!(
                error.to_string().contains("2 of 3 voters are needed; silent: node 1, node 2"),
                "{error}"
            );
        }
        assert_eq!(world.status(3, &issued), Said::Good);
        assert!(world.crl(3, "issuing").is_some());
    }
    world.settle_and_check();
}

/// Mechanism: `ca_authority::freshness::wait_until_fresh`: after a restart no CA key signs before a quorum answered (R18).
#[test]
fn i16_a_restarted_node_signs_nothing_before_it_is_confirmed() {
    let world = World::bootstrapped(3);
    world.restart(2, Kept::All);
    assert!(!world.node(2).confirmed());
    world.link(2, Link::Lagging);
    world.issue(1, "a.example.test").unwrap();
    let committed = world.storm().committed();
    let act = Act::until_it_waits(world.issuing(2, "b.example.test", None));
    assert_eq!(world.storm().committed(), committed, "not even an intent");
    world.link(2, Link::Up);
    act.finish().unwrap();
    assert!(world.node(2).confirmed());
    world.settle_and_check();
}
