use ca_authority::ActError;
use ca_authority::limits::{CRL_PACE_MIN_S, VA_GRACE_MS};
use ca_core::ids::NodeId;
use ca_core::limits::{STATUS_LIFE_S, STATUS_REFRESH_S};
use ca_core::outcome::Refusal;
use ca_core::shards::ListKind;
use ca_sim::log::Kept;
use ca_sim::{Act, Link, Said, TokenMode, World, drive};
use ca_x509::crl::RevocationReason::{CertificateHold, KeyCompromise, Superseded};
use ca_x509::ocsp::OcspError;

/// Mechanism: `ca_authority::ocsp::answer`, the cached answer is used only while `status` is the same.
#[test]
fn i10_a_cached_answer_does_not_outlive_the_status() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    for node in world.nodes() {
        assert_eq!(world.status(node, &issued), Said::Good);
        assert_eq!(world.status(node, &issued), Said::Good, "from the cache");
    }
    let captured = world.captured();
    assert_eq!(captured[0].der, captured[1].der);
    world.wait_ms(10_000);
    world.revoke(2, &issued, Superseded).unwrap();
    world.wait_ms(2_000);
    for node in world.nodes() {
        let Said::Revoked(at, reason) = world.status(node, &issued) else { panic!("node {node}") };
        assert_eq!(reason, Some(Superseded));
        assert!(world.captured().last().unwrap().this_update > Some(at));
    }
    world.settle_and_check();
}

/// Mechanism: `ca_authority::ocsp::answer`, `is_revoked_since`: a node whose as_of is older than the revocation asks a
/// quorum first, for another one may have said `good` meanwhile with a later thisUpdate.
#[test]
fn i10_revoked_is_never_dated_before_a_good_of_another_node() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    world.wait_ms(20_000);
    ca_sim::drive(world.node(2).refresh()).unwrap();
    assert_eq!(world.status(2, &issued), Said::Good);
    world.wait_ms(1_000);
    world.revoke(3, &issued, Superseded).unwrap();
    world.wait_ms(1_000);
    assert!(matches!(world.status(1, &issued), Said::Revoked(..)));
    world.check();
    // Cut off it cannot ask any more, and does not say what it cannot date.
    let other = world.issue(1, "b.example.test").unwrap();
    world.wait_ms(20_000);
    ca_sim::drive(world.node(2).refresh()).unwrap();
    assert_eq!(world.status(2, &other), Said::Good);
    world.wait_ms(1_000);
    world.revoke(3, &other, Superseded).unwrap();
    world.link(1, Link::CutOff);
    assert_eq!(world.status(1, &other), Said::Error(OcspError::TryLater));
    assert!(matches!(world.status(1, &issued), Said::Revoked(..)), "what it knew in time it tells");
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::certificates::revoke`, `news`: date and reason stay, but for keyCompromise (I14).
#[test]
fn i10_i14_date_and_reason_change_towards_key_compromise_only() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    let first = world.revoke(1, &issued, Superseded).unwrap().revoked_at;
    let turns = [(Superseded, Superseded), (KeyCompromise, KeyCompromise), (Superseded, KeyCompromise)];
    for (asked, told) in turns {
        world.wait_ms(60_000);
        assert_eq!(world.revoke(2, &issued, asked).unwrap().revoked_at, first);
        world.refresh_all();
        assert_eq!(world.status(3, &issued), Said::Revoked(first, Some(told)));
        world.publish(1, "issuing").unwrap();
        let (_, list) = world.crl(3, "issuing").unwrap();
        let entry = list.entry(&issued.serial).unwrap();
        assert_eq!((entry.revoked_at, entry.reason), (first, Some(told)));
    }
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::certificates::release` and `gives_way`: from a hold there is a way back, and from nothing
/// else; a hold that becomes a revocation keeps its date.
#[test]
fn i10_i14_only_a_hold_is_taken_back() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    let refused = |refusal| Err(ActError::Refused(refusal));
    let not_held = Refusal::NotOnHold { serial: issued.serial };
    assert_eq!(world.release(1, &issued), refused(not_held.clone()));
    let held_at = world.revoke(1, &issued, CertificateHold).unwrap().revoked_at;
    world.wait_ms(60_000);
    world.refresh_all();
    assert_eq!(world.status(2, &issued), Said::Revoked(held_at, Some(CertificateHold)));
    assert_eq!(
        world.revoke(2, &issued, CertificateHold).unwrap().revoked_at,
        held_at,
        "again is held already"
    );
    world.wait_ms(60_000);
    let released = world.release(3, &issued);
    assert!(released.is_ok(), "{released:?}");
    world.wait_ms(60_000);
    world.refresh_all();
    assert_eq!(world.status(2, &issued), Said::Good);
    assert!(world.release(1, &issued).is_ok(), "again is released already");
    let again_at = world.revoke(1, &issued, CertificateHold).unwrap().revoked_at;
    assert!(again_at > held_at, "another hold has its own date");
    world.wait_ms(60_000);
    assert_eq!(
        world.revoke(1, &issued, Superseded).unwrap().revoked_at,
        again_at,
        "nobody relied on it since"
    );
    world.refresh_all();
    assert_eq!(world.status(3, &issued), Said::Revoked(again_at, Some(Superseded)));
    assert_eq!(world.release(1, &issued), refused(not_held));
    assert_eq!(world.revoke(1, &issued, CertificateHold).unwrap().revoked_at, again_at);
    world.refresh_all();
    assert_eq!(world.status(3, &issued), Said::Revoked(again_at, Some(Superseded)), "and stays so");
    world.settle_and_check();
}

/// Mechanism: `ca_core::apply::certificates::may_hold`: who is a client of a profile without holds is never told of one.
#[test]
fn i10_a_hold_is_the_profiles_to_permit() {
    let world = World::bootstrapped(3);
    let responder =
        world.node(1).register().responder(&ca_sim::world::ca("issuing"), NodeId(1)).unwrap().unwrap();
    let authority = world.node(1);
    let held =
        drive(authority.revoke(world.client(), ca_sim::world::ca("issuing"), responder, CertificateHold));
    let Err(ActError::Refused(Refusal::OutsideProfile { field, why })) = held else { panic!("{held:?}") };
    assert_eq!(
        (field.as_str(), why.as_str()),
        ("reason", "profile `ocsp-responder` does not permit certificateHold")
    );
    assert_eq!(world.status_of(2, "issuing", responder), Said::Good);
    world.settle_and_check();
}

/// Mechanism: `ca_authority::ocsp::answer`, `changed >= as_of`: a node whose as_of is older than the release asks a
/// quorum first, for another one may have said `revoked` meanwhile with a later thisUpdate.
#[test]
fn i10_released_is_never_dated_before_the_hold_of_another_node() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    world.refresh_all();
    world.revoke(3, &issued, CertificateHold).unwrap();
    world.wait_ms(20_000);
    drive(world.node(2).refresh()).unwrap();
    assert!(matches!(world.status(2, &issued), Said::Revoked(..)));
    world.wait_ms(1_000);
    world.release(3, &issued).unwrap();
    world.wait_ms(1_000);
    assert_eq!(world.status(1, &issued), Said::Good);
    let captured = world.captured();
    let [revoked, good] = captured.as_slice() else { panic!("two answers") };
    assert!(good.this_update > revoked.this_update);
    world.settle_and_check();
}

/// Mechanism: `ca_authority::freshness::refresh`: as_of is the clock *before* the quorum was asked, and rises only if
/// it answered.
#[test]
fn i11_as_of_is_the_moment_before_the_quorum_was_asked() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    world.refresh_all();
    world.link(3, Link::Lagging);
    world.issue(1, "b.example.test").unwrap();
    let asked_at = world.now();
    let authority = world.node(3);
    let refreshing = Act::until_it_waits(async move { authority.refresh().await });
    world.wait_ms(20_000);
    assert_eq!(world.status(3, &issued), Said::Good);
    world.link(3, Link::Up);
    assert_eq!(refreshing.finish(), Ok(asked_at));
    assert_eq!(world.node(3).as_of(), Some(asked_at));
    world.settle_and_check();
}

/// Mechanism: as above: without an answer as_of stays, so what a cut-off node says is dated before the revocation.
#[test]
fn i11_after_an_acknowledged_revocation_nobody_fresh_says_good() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    world.link(3, Link::CutOff);
    world.wait_ms(5_000);
    world.revoke(1, &issued, KeyCompromise).unwrap();
    for _ in 0..10 {
        world.wait_ms(6_000);
        world.refresh_all();
        for node in [1, 2] {
            assert!(matches!(world.status(node, &issued), Said::Revoked(_, Some(KeyCompromise))));
        }
        assert_eq!(world.status(3, &issued), Said::Good, "it cannot know; its answer is dated before");
    }
    world.check();
    world.link(3, Link::Up);
    world.refresh_all();
    assert!(matches!(world.status(3, &issued), Said::Revoked(..)));
    world.settle_and_check();
}

/// Mechanism: `Log::store_as_of` in `ca_authority::freshness::refresh`, `Freshness::restored`: a node that comes back
/// without a quorum dates its answers as before.
#[test]
fn i11_a_restart_does_not_make_a_node_fresh() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    world.refresh_all();
    let as_of = world.node(3).as_of();
    world.link(3, Link::CutOff);
    world.wait_ms(10_000);
    world.revoke(1, &issued, Superseded).unwrap();
    world.wait_ms(60_000);
    for kept in [Kept::All, Kept::LogOnly] {
        world.restart(3, kept);
        assert_eq!(world.status(3, &issued), Said::Good);
        assert_eq!(world.captured().last().unwrap().this_update, as_of.map(|as_of| as_of.seconds()));
    }
    world.settle_and_check();
}

/// Mechanism: `ca_authority::ocsp::answer`, `< STATUS_REFRESH_S`.
#[test]
fn i12_answers_are_made_anew_before_half_their_life() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    for _ in 0..60 {
        world.wait_ms(6 * 3_600_000);
        world.refresh_all();
        world.certify_responders();
        for node in world.nodes() {
            assert_eq!(world.status(node, &issued), Said::Good);
            let answer = world.captured().pop().unwrap();
            let left_s = answer.next_update.unwrap().0 - world.now().seconds().0;
            assert!(left_s * 2 >= STATUS_LIFE_S, "node {node}: {left_s} s left");
        }
    }
    let answers: std::collections::BTreeSet<_> =
        world.captured().into_iter().map(|answer| answer.der).collect();
    assert!(answers.len() <= 3 * 8, "most answers came from the cache: {} were signed", answers.len());
    world.settle_and_check();
}

/// Mechanism: `ca_authority::ocsp::answer`, the cached answer after `signed` has failed.
#[test]
fn i12_without_a_token_what_is_signed_is_served_until_its_end() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    assert_eq!(world.status(2, &issued), Said::Good);
    world.token_mode(2, TokenMode::Gone);
    for _ in 0..27 {
        world.wait_ms(6 * 3_600_000);
        world.refresh_all();
        assert_eq!(world.status(2, &issued), Said::Good);
    }
    world.wait_ms(6 * 3_600_000);
    world.refresh_all();
    assert_eq!(world.status(2, &issued), Said::Error(OcspError::TryLater), "it has expired");
    world.token_mode(2, TokenMode::Works);
    assert_eq!(world.status(2, &issued), Said::Good);
    world.settle_and_check();
}

/// Mechanism: `ca_authority::ocsp::answer`, the filter over `responder.not_after`.
#[test]
fn i12_an_expired_responder_says_nothing() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    world.wait_ms(14 * 24 * 3_600_000 + 1_000);
    world.refresh_all();
    assert_eq!(world.status(2, &issued), Said::Error(OcspError::TryLater));
    world.certify_responders();
    assert_eq!(world.status(2, &issued), Said::Good);
    world.settle_and_check();
}

/// Mechanism: `ca_authority::responder::responder_request`, `past_half`: a responder is certified anew at half of its
/// 14 days, and no answer of the old one is used again.
#[test]
fn i12_responders_are_certified_anew_at_half_of_their_life() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    let responder =
        |node| world.node(node).register().responder(&ca_sim::world::ca("issuing"), NodeId(node)).unwrap();
    let mut serials = std::collections::BTreeSet::new();
    for _ in 0..30 {
        world.wait_ms(24 * 3_600_000);
        world.refresh_all();
        world.certify_responders();
        assert_eq!(world.status(2, &issued), Said::Good);
        serials.insert(responder(2).unwrap());
    }
    assert_eq!(serials.len(), 5, "once a week in 30 days, beside the first");
    world.settle_and_check();
}

/// Mechanism: `ca_authority::ocsp::usable_as_of`.
#[test]
fn i12_i17_a_minority_answers_for_its_grace_and_then_says_try_later() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    world.refresh_all();
    world.link(3, Link::CutOff);
    world.wait_ms(VA_GRACE_MS);
    world.refresh_all();
    assert_eq!(world.status(3, &issued), Said::Good);
    assert_eq!(world.status(1, &issued), Said::Good);
    world.wait_ms(1);
    assert_eq!(world.status(3, &issued), Said::Error(OcspError::TryLater));
    world.link(3, Link::Up);
    world.refresh_all();
    assert_eq!(world.status(3, &issued), Said::Good);
    world.settle_and_check();
}

/// Mechanism: `ca_authority::crl::crl_due` (age), `ca_authority::crl::crl` (nextUpdate).
#[test]
fn i12_lists_are_renewed_before_half_and_not_served_after_their_end() {
    let world = World::bootstrapped(3);
    let list = ca_sim::world::whole("issuing");
    let due = |node: u64| world.node(node).crl_due(&list).unwrap() == Some(ListKind::Complete);
    assert!(due(1), "there is none");
    assert!(world.crl(1, "issuing").is_none());
    world.publish(1, "issuing").unwrap();
    assert!(!due(2));
    world.wait_ms(STATUS_REFRESH_S * 1_000);
    assert!(!due(2));
    world.wait_ms(1_000);
    assert!(due(2), "past 45 % of its life");
    world.wait_ms((STATUS_LIFE_S - STATUS_REFRESH_S) * 1_000 - 2_000);
    assert!(world.crl(3, "issuing").is_some());
    world.wait_ms(1_000);
    for node in world.nodes() {
        assert!(world.crl(node, "issuing").is_none(), "it has expired");
    }
    world.publish(2, "issuing").unwrap();
    assert!(world.crl(3, "issuing").is_some());
    let issued = world.issue(1, "a.example.test").unwrap();
    assert!(!due(1), "nothing to tell");
    world.revoke(1, &issued, Superseded).unwrap();
    world.wait_ms(CRL_PACE_MIN_S * 1_000 - 1_000);
    assert!(!due(1), "however many revocations there are");
    world.wait_ms(1_000);
    assert!(due(1), "soon after a revocation");
    world.settle_and_check();
}
