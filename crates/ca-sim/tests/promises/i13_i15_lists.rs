use ca_authority::ActError;
use ca_core::command::Command;
use ca_core::ids::{Digest, NodeId};
use ca_core::outcome::{Outcome, Refusal};
use ca_core::register::StorageFault;
use ca_sim::log::Kept;
use ca_sim::world::ca;
use ca_sim::{Act, Fault, TokenMode, World};
use ca_x509::crl::{CrlNumber, RevocationReason};

/// Mechanism: `ca_core::apply::crl::cut_crl`, `last_counter`; `ca_core::crl::tbs`, a function of the register.
#[test]
fn i13_numbers_rise_through_owners_and_every_node_serves_the_same_octets() {
    let mut world = World::bootstrapped(3);
    for turn in 1..=9_u64 {
        let issued = world.issue(turn % 3 + 1, "a.example.test").unwrap();
        world.revoke(1, &issued, RevocationReason::Superseded).unwrap();
        let number = world.publish(turn % 3 + 1, "issuing").unwrap();
        assert_eq!(number, CrlNumber(turn.into()));
        world.restart(turn % 3 + 1, Kept::LogOnly);
        // What comes after the cut is not in it, whenever the list is made.
        let later = world.issue(1, "b.example.test").unwrap();
        world.revoke(2, &later, RevocationReason::KeyCompromise).unwrap();
        let lists: Vec<_> = world.nodes().map(|node| world.crl(node, "issuing").unwrap()).collect();
        assert!(lists.iter().all(|(served, list)| {
            served.der == lists[0].0.der && list.tbs().number == number && list.entry(&later.serial).is_none()
        }));
        let entries = lists[0].1.entries();
        assert!(entries.is_sorted_by(|a, b| a.serial < b.serial), "no serial twice");
        assert_eq!(entries.len(), usize::try_from(2 * turn - 1).unwrap());
    }
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::crl::cut_crl`, `scope.last_counter = counter` before any signature.
#[test]
fn i13_a_crash_between_cut_and_record_leaves_a_gap() {
    let world = World::bootstrapped(3);
    assert_eq!(world.publish(1, "issuing"), Ok(CrlNumber(1)));
    world.storm().set_faults(NodeId(1), &[Fault::None, Fault::Lost]);
    assert!(world.publish(1, "issuing").is_err());
    let open = Err(ActError::Refused(Refusal::CutOpen { ca: ca("issuing") }));
    assert_eq!(world.publish(2, "issuing"), open, "one open cut a CA (R10)");
    world.wait_ms(60_000);
    world.tick();
    assert_eq!(world.publish(2, "issuing"), open);
    world.wait_ms(1_000);
    assert_eq!(world.publish(2, "issuing"), Ok(CrlNumber(3)), "2 stays a gap");
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::crl::record_crl`, `awaited`: a signature that comes after its cut was replaced is
/// dropped, and so is one of another boot.
#[test]
fn i13_a_late_signature_of_a_replaced_cut_is_dropped() {
    let mut world = World::bootstrapped(3);
    world.token_mode(1, TokenMode::Hangs);
    world.token_mode(2, TokenMode::Hangs);
    let publishing = |world: &World, node: u64| {
        let authority = world.node(node);
        Act::until_it_waits(async move { authority.publish_crl(&ca("issuing")).await })
    };
    let late = publishing(&world, 1);
    world.wait_ms(61_000);
    let replacing = publishing(&world, 2);
    world.token_mode(1, TokenMode::Works);
    let closed = Refusal::CutClosed { ca: ca("issuing") };
    assert_eq!(late.finish(), Err(ActError::Refused(closed)), "another cut is awaited now");
    assert!(world.crl(1, "issuing").is_none());
    world.token_mode(2, TokenMode::Works);
    assert_eq!(replacing.finish(), Ok(CrlNumber(2)));
    world.storm().set_faults(NodeId(1), &[Fault::None, Fault::Held]);
    assert!(world.publish(1, "issuing").is_err());
    world.wait_ms(61_000);
    assert_eq!(world.publish(3, "issuing"), Ok(CrlNumber(4)));
    world.restart(1, Kept::All);
    world.storm().release_held();
    let (_, list) = world.crl(1, "issuing").unwrap();
    assert_eq!(list.tbs().number, CrlNumber(4));
    world.settle_and_check();
}

/// Mechanism: `ca_authority::crl::crl`, `Digest::of(&tbs) != current.tbs_digest`: a node whose register makes another
/// list than the one that was signed serves none, and stops.
#[test]
fn i15_a_list_that_is_not_the_signed_one_is_not_served() {
    let world = World::bootstrapped(3);
    let ca = ca("issuing");
    let Outcome::CrlCut(cut) = world.command(2, Command::CutCrl { ca: ca.clone() }) else {
        panic!("no cut");
    };
    let tbs_digest = Digest::of(b"what another register would have made");
    let record =
        Command::RecordCrl { ca: ca.clone(), number: cut.number, tbs_digest, signature: vec![1; 70] };
    assert_eq!(world.command(2, record), Outcome::Done);
    for node in world.nodes() {
        let StorageFault(why) = world.node(node).crl(&ca).unwrap_err();
        assert_eq!(why, "CRL 1 of issuing is not the one that was signed");
    }
}

/// Mechanism: `ca_core::crl::tbs`, which takes the place from the cluster's addresses and the key from the issuer.
#[test]
fn i15_each_list_names_its_place_and_its_issuer() {
    let world = World::bootstrapped(3);
    for of in ["root", "issuing", "peers"] {
        world.publish(1, of).unwrap();
        let (_, list) = world.crl(2, of).unwrap();
        let place = format!("http://pki.example.test/crl/{of}.crl");
        assert_eq!(list.tbs().distribution_point.as_ref(), Some(&place));
        assert_eq!(list.tbs().authority_key_identifier, world.issuer(of).public_key.key_identifier());
    }
    let issued = world.issue(1, "a.example.test").unwrap();
    let certificate = ca_x509::certificate::Certificate::parse(&issued.certificate).unwrap();
    assert_eq!(certificate.extensions().crl_distribution_points, ["http://pki.example.test/crl/issuing.crl"]);
    world.settle_and_check();
}
