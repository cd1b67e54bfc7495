use ca_core::command::Command;
use ca_core::ids::{LogIndex, NodeId};
use ca_core::outcome::{Outcome, Refusal};
use ca_core::register::Key;
use ca_sim::log::Kept;
use ca_sim::world::ca;
use ca_sim::{Act, Fault, Said, TokenMode, World, drive};
use ca_x509::ocsp::OcspError;
use ca_x509::serial::SerialNumber;

fn open_intent(world: &World, node: u64) -> SerialNumber {
    let authority = world.node(node);
    let first = Key::OpenIntent(ca("issuing"), SerialNumber::MIN);
    let rows = authority.register().scan(&first, 2).unwrap();
    let [(Key::OpenIntent(_, serial), _)] = rows.as_slice() else { panic!("one open intent: {rows:?}") };
    *serial
}

fn is_revoked_everywhere(world: &World, serial: SerialNumber) {
    world.wait_ms(1_000);
    world.refresh_all();
    for node in world.nodes() {
        assert!(matches!(world.status_of(node, "issuing", serial), Said::Revoked(_, None)), "node {node}");
    }
    let number = world.publish(1, "issuing").unwrap();
    for node in world.nodes() {
        let (_, list) = world.crl(node, "issuing").unwrap();
        assert_eq!(list.tbs().number, number);
        assert!(list.entry(&serial).is_some(), "an abandoned serial is listed (R10)");
    }
}

/// Mechanism: `ca_authority::settle::settle_own`; `ca_core::apply::certificates::abandon_entry`, which writes the
/// revocation.
#[test]
fn i5_a_crash_after_the_intent_ends_as_abandoned_by_the_restarted_node() {
    let world = World::bootstrapped(3);
    world.token_mode(2, TokenMode::Hangs);
    let act = Act::until_it_waits(world.issuing(2, "a.example.test", None));
    let serial = open_intent(&world, 1);
    assert_eq!(
        world.status_of(3, "issuing", serial),
        Said::Error(OcspError::TryLater),
        "neither good nor unknown"
    );
    drop(act);
    world.token_mode(2, TokenMode::Works);
    world.restart(2, Kept::All);
    assert_eq!(drive(world.node(2).settle_own()), Ok(1));
    is_revoked_everywhere(&world, serial);
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::certificates::abandon`, `open_ms <= INTENT_OPEN_MAX_MS`: not before 30 s of register
/// time, and then by anybody.
#[test]
fn i5_the_leader_abandons_after_30_seconds_of_register_time() {
    let world = World::bootstrapped(3);
    world.storm().set_faults(NodeId(2), &[Fault::None, Fault::Lost]);
    assert!(world.issue(2, "a.example.test").is_err());
    let serial = open_intent(&world, 1);
    world.wait_ms(30_000);
    world.tick();
    assert_eq!(drive(world.node(1).settle_old()), Ok(0), "not yet");
    let refused = Outcome::Refused(Refusal::StillOpen { serial, open_ms: 30_000 });
    assert_eq!(world.command(1, Command::Abandon { ca: ca("issuing"), serial }), refused);
    assert_eq!(drive(world.node(2).settle_own()), Ok(0), "it is not of an earlier boot");
    world.wait_ms(1_000);
    assert_eq!(drive(world.node(1).settle_old()), Ok(0), "register time has not moved");
    world.tick();
    assert_eq!(drive(world.node(1).settle_old()), Ok(1));
    is_revoked_everywhere(&world, serial);
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::certificates::abandon`, the match over the state: the first in the log wins (R5).
#[test]
fn i5_what_is_recorded_is_not_abandoned() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    world.wait_ms(60_000);
    let outcome = world.command(3, Command::Abandon { ca: issued.ca.clone(), serial: issued.serial });
    assert_eq!(outcome, Outcome::Refused(Refusal::AlreadyRecorded { serial: issued.serial }));
    world.refresh_all();
    assert_eq!(world.status(2, &issued), Said::Good);
    assert!(issued.index > LogIndex(0));
    world.settle_and_check();
}
