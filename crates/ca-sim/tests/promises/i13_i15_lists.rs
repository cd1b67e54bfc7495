use std::collections::{BTreeMap, BTreeSet};

use ca_authority::ActError;
use ca_authority::limits::CRL_PACE_MIN_S;
use ca_core::command::Command;
use ca_core::ids::{Digest, NodeId};
use ca_core::limits::{DELTA_REFRESH_S, STATUS_REFRESH_S};
use ca_core::outcome::{Outcome, Refusal};
use ca_core::plan::CertificateRequest;
use ca_core::register::StorageFault;
use ca_core::shards::{ListId, ListKind, Shards};
use ca_sim::log::Kept;
use ca_sim::world::{ca, whole};
use ca_sim::{Act, Fault, TokenMode, World, drive};
use ca_x509::crl::{CrlEvent, CrlNumber, RevocationReason};

/// Mechanism: `ca_core::apply::crl::cut_crl`, `last_counter`; `ca_core::crl::tbs`, a function of the register.
#[test]
fn i13_numbers_rise_through_owners_and_every_node_serves_the_same_octets() {
    let world = World::bootstrapped(3);
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
    let open = Err(ActError::Refused(Refusal::CutOpen { list: whole("issuing") }));
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
    let world = World::bootstrapped(3);
    world.token_mode(1, TokenMode::Hangs);
    world.token_mode(2, TokenMode::Hangs);
    let publishing = |world: &World, node: u64| {
        let authority = world.node(node);
        Act::until_it_waits(async move { authority.publish_crl(&whole("issuing"), ListKind::Complete).await })
    };
    let late = publishing(&world, 1);
    world.wait_ms(61_000);
    let replacing = publishing(&world, 2);
    world.token_mode(1, TokenMode::Works);
    let closed = Refusal::CutClosed { list: whole("issuing") };
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
    let list = whole("issuing");
    let cut = Command::CutCrl { list: list.clone(), kind: ListKind::Complete };
    let Outcome::CrlCut(cut) = world.command(2, cut) else {
        panic!("no cut");
    };
    let tbs_digest = Digest::of(b"what another register would have made");
    let record =
        Command::RecordCrl { list: list.clone(), number: cut.number, tbs_digest, signature: vec![1; 70] };
    assert_eq!(world.command(2, record), Outcome::Done);
    for node in world.nodes() {
        let StorageFault(why) = world.node(node).crl(&list, ListKind::Complete).unwrap_err();
        assert_eq!(why, "CRL 1 of issuing is not the one that was signed");
    }
}

/// Mechanism: `ca_core::plan::Plan::with_serial` and `ca_core::crl::entries`: both ask `Shards` where a serial belongs.
#[test]
fn i15_each_list_names_its_place_and_its_issuer() {
    let world = World::bootstrapped(3);
    for (of, place) in [("root", None), ("issuing", None), ("issuing-2", Some("issuing-2")), ("peers", None)]
    {
        let list = list(of);
        for kind in [ListKind::Complete, ListKind::Delta] {
            world.publish_list(1, &list, kind).unwrap();
            let (_, served) = world.list(2, &list, kind).unwrap();
            let place = place.map(|place| format!("http://pki.example.test/crl/{place}.crl"));
            assert_eq!(served.tbs().distribution_point, place);
            let key = world.issuer(list.ca.as_str()).public_key.key_identifier();
            assert_eq!(served.tbs().authority_key_identifier, key);
            let freshest = format!("http://pki.example.test/crl/{of}-delta.crl");
            let expected = if kind == ListKind::Complete { vec![freshest] } else { vec![] };
            assert_eq!(served.tbs().freshest_crl, expected);
        }
    }
    world.settle_and_check();
}

/// Mechanism: as above. Every certificate is in the list that it names and in the list of everything, and in no other.
#[test]
fn i15_a_certificate_is_in_the_list_that_it_names() {
    let world = World::bootstrapped(3);
    let mut named = BTreeMap::new();
    for turn in 0..24 {
        let issued = world.issue(turn % 3 + 1, &format!("h{turn}.example.test")).unwrap();
        let certificate = ca_x509::certificate::Certificate::parse(&issued.certificate).unwrap();
        let [point] = certificate.extensions().crl_distribution_points.as_slice() else { panic!("one list") };
        named.insert(issued.serial, point.clone());
        world.revoke(1, &issued, RevocationReason::Superseded).unwrap();
    }
    let places: BTreeSet<_> = named.values().cloned().collect();
    let all = ["issuing-0", "issuing-1", "issuing-2", "issuing-3"];
    assert_eq!(places, all.map(|of| format!("http://pki.example.test/crl/{of}.crl")).into());
    for of in all {
        world.publish_list(1, &list(of), ListKind::Complete).unwrap();
        let (_, served) = world.list(3, &list(of), ListKind::Complete).unwrap();
        let place = served.tbs().distribution_point.clone().unwrap();
        let listed: Vec<_> = served.entries().iter().map(|entry| entry.serial).collect();
        let naming: Vec<_> =
            named.iter().filter(|(_, point)| **point == place).map(|(serial, _)| *serial).collect();
        assert_eq!(listed, naming, "{of}");
    }
    world.publish(1, "issuing").unwrap();
    assert_eq!(world.crl(2, "issuing").unwrap().1.entries().len(), named.len());
    world.settle_and_check();
}

/// Mechanism: `ca_core::crl::entry`, `ended_before`, and `CrlScope::take`, which counts scheduled lists alone: an entry
/// leaves after it was on one scheduled list that came after its certificate's end (RFC 5280 §3.3).
#[test]
fn i14_an_entry_leaves_after_one_scheduled_list_past_its_end() {
    let world = World::bootstrapped(3);
    let request = CertificateRequest { ttl_s: Some(24 * 3600), ..world.server_request("short.example.test") };
    let short = drive(world.issuing_for(1, world.client(), request, None)).unwrap();
    let long = world.issue(1, "long.example.test").unwrap();
    world.publish(1, "issuing").unwrap();
    world.revoke(1, &short, RevocationReason::Superseded).unwrap();
    world.revoke(1, &long, RevocationReason::Superseded).unwrap();
    let listed = |after_s: u64| {
        world.wait_ms(after_s * 1_000);
        world.tick();
        world.publish(2, "issuing").unwrap();
        let (_, served) = world.crl(3, "issuing").unwrap();
        assert!(served.entry(&long.serial).is_some());
        served.entry(&short.serial).is_some()
    };
    assert!(listed(3600), "while it is valid");
    assert!(listed(24 * 3600), "it has ended, and lists for the sake of a revocation do not count");
    assert!(listed(3600), "nor does another one");
    assert!(listed(STATUS_REFRESH_S), "the first scheduled list past its end");
    assert!(!listed(3600), "it has been on one");
    // What is revoked after its end is told of as well.
    world.revoke(1, &short, RevocationReason::KeyCompromise).unwrap();
    assert!(!listed(3600), "its date is that of the first revocation");
    world.settle_and_check();
}

/// Mechanism: `ca_core::crl::entry`, `event.index <= base.index`; `ca_core::apply::crl::cut_crl`, `base`.
#[test]
fn i13_i14_a_delta_on_top_of_its_base_tells_what_a_complete_list_would() {
    let world = World::bootstrapped(3);
    let whole = whole("issuing");
    let nothing = Refusal::NoBase { list: whole.clone() };
    assert_eq!(world.publish_list(1, &whole, ListKind::Delta), Err(ActError::Refused(nothing)));
    let before = world.issue(1, "a.example.test").unwrap();
    world.revoke(1, &before, RevocationReason::Superseded).unwrap();
    world.publish(1, "issuing").unwrap();
    assert_eq!(world.publish_list(2, &whole, ListKind::Delta), Ok(CrlNumber(2)), "deltas are counted along");
    let (_, empty) = world.list(3, &whole, ListKind::Delta).unwrap();
    assert_eq!((empty.entries().len(), empty.tbs().delta_base), (0, Some(CrlNumber(1))));
    let after = world.issue(1, "b.example.test").unwrap();
    world.revoke(2, &after, RevocationReason::Superseded).unwrap();
    world.revoke(2, &before, RevocationReason::KeyCompromise).unwrap();
    assert_eq!(world.publish_list(3, &whole, ListKind::Delta), Ok(CrlNumber(3)));
    for node in world.nodes() {
        world.restart(node, Kept::LogOnly);
        let (_, delta) = world.list(node, &whole, ListKind::Delta).unwrap();
        let told = |serial| delta.entry(serial).unwrap().reason;
        assert_eq!(told(&before.serial), Some(RevocationReason::KeyCompromise), "its reason changed");
        assert_eq!(told(&after.serial), Some(RevocationReason::Superseded));
    }
    assert_eq!(world.publish(1, "issuing"), Ok(CrlNumber(4)));
    assert_eq!(world.publish_list(1, &whole, ListKind::Delta), Ok(CrlNumber(5)));
    let (_, delta) = world.list(2, &whole, ListKind::Delta).unwrap();
    assert_eq!((delta.entries().len(), delta.tbs().delta_base), (0, Some(CrlNumber(4))));
    world.settle_and_check();
}

/// Mechanism: `ca_core::crl::entry`, `StatusChange::Released`: a delta takes back what was on hold in its base, and
/// what was on hold since its base for a while (RFC 5280 §5.2.4); a complete list is without it.
#[test]
fn i14_what_is_released_leaves_the_lists() {
    let world = World::bootstrapped(3);
    let whole = whole("issuing");
    let hold = |host: &str| {
        let issued = world.issue(1, host).unwrap();
        world.revoke(1, &issued, RevocationReason::CertificateHold).unwrap();
        issued
    };
    let in_base = hold("a.example.test");
    world.publish(1, "issuing").unwrap();
    let since = hold("b.example.test");
    let kept = hold("c.example.test");
    world.publish_list(1, &whole, ListKind::Delta).unwrap();
    for issued in [&in_base, &since] {
        world.release(2, issued).unwrap();
    }
    world.publish_list(2, &whole, ListKind::Delta).unwrap();
    let (_, delta) = world.list(3, &whole, ListKind::Delta).unwrap();
    let event = |serial| delta.entry(serial).map(|entry| (entry.event, entry.reason));
    assert_eq!(event(&in_base.serial), Some((CrlEvent::Removed, None)));
    assert_eq!(event(&since.serial), Some((CrlEvent::Removed, None)));
    assert_eq!(event(&kept.serial), Some((CrlEvent::Revoked, Some(RevocationReason::CertificateHold))));
    world.publish(3, "issuing").unwrap();
    let (_, list) = world.crl(1, "issuing").unwrap();
    assert_eq!(list.entries().iter().map(|entry| entry.serial).collect::<Vec<_>>(), [kept.serial]);
    world.settle_and_check();
}

/// Mechanism: `ca_authority::crl::crl_due` and `delta_due`: what is cut, and when. Without `pace_s` 600 revocations make 1,200
/// lists; without `delta_due` there is no delta.
#[test]
fn i12_lists_and_deltas_are_cut_in_time_and_at_a_pace() {
    let world = World::bootstrapped(3);
    let whole = whole("issuing");
    let cut_what_is_due = || {
        let mut cuts = Vec::new();
        while let Some(kind) = world.node(1).crl_due(&whole).unwrap() {
            world.publish_list(1, &whole, kind).unwrap();
            cuts.push(kind);
            assert!(cuts.len() <= 2, "what was cut a moment ago is due again: {cuts:?}");
        }
        cuts
    };
    assert_eq!(cut_what_is_due(), [ListKind::Complete, ListKind::Delta], "there is none");
    world.wait_ms(DELTA_REFRESH_S * 1_000 + 1_000);
    world.tick();
    assert_eq!(cut_what_is_due(), [ListKind::Delta], "a delta lives for a day");
    let mut lists = 0;
    for turn in 0..600 {
        let issued = world.issue(1, &format!("h{turn}.example.test")).unwrap();
        world.revoke(1, &issued, RevocationReason::Superseded).unwrap();
        world.wait_ms(100);
        lists += cut_what_is_due().len();
    }
    assert!((12..=26).contains(&lists), "600 revocations in a minute made {lists} lists");
    world.wait_ms(CRL_PACE_MIN_S * 1_000);
    cut_what_is_due();
    assert_eq!(world.crl(2, "issuing").unwrap().1.entries().len(), 600, "and all are told of");
    world.settle_and_check();
}

/// The list that is called so.
fn list(name: &str) -> ListId {
    let cas = ["root", "issuing", "peers"].map(ca);
    let four = Shards::new(4).unwrap();
    cas.iter().find_map(|ca| ListId::named(name, ca, four)).unwrap()
}

/// Mechanism: `ca_authority::crl::publish_due`, which goes on after a list that fails. With `return Err(error)` there,
/// CAs that sort after one whose key this token lacks get no list, until theirs expire.
#[test]
fn i12_a_ca_without_its_key_keeps_no_other_list_back() {
    let world = World::bootstrapped(3);
    world.token(1).lose(&world.issuer("issuing").public_key);
    let published = drive(world.node(1).publish_due()).unwrap();
    assert!(matches!(published.failed, Some(ActError::Token(_))), "{:?}", published.failed);
    for of in ["peers", "root"] {
        assert!(world.crl(2, of).is_some(), "{of}");
    }
    assert!(world.crl(2, "issuing").is_none());
}
