//! What commands come to.

mod authorities;
mod bench;
mod cluster_keys;
mod enrolment;
mod history;
mod refusals;
mod rights;

use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use ca_x509::crl::CrlNumber;
use ca_x509::crl::RevocationReason::{self, KeyCompromise, Superseded};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use super::*;
use crate::command::Intent;
use crate::ids::{BootId, Digest, NodeId};
use crate::limits::{
    COMMAND_LIFE_MS, CUT_OPEN_MAX_MS, IDEMPOTENCY_KEPT_MS, INTENT_OPEN_MAX_MS, STATUS_LIFE_S,
};
use crate::mandate::CaLimits;
use crate::plan::{CertificateRequest, NamesFrom, plan};
use crate::register::{CertifiedBy, MemberState, StatusChange};
use crate::roles::Identity;

use self::bench::*;

#[test]
fn a_spent_name_does_not_spend_the_token() {
    let mut bench = Bench::ready();
    let secret = Digest([6; 32]);
    bench.done(Command::MintJoinToken { secret, expires_at: bench.now, requester: Identity::Ceremony });
    assert!(matches!(bench.apply(3, admit(Some(secret), "two")), Outcome::Refused(_)));
    assert_eq!(bench.apply(3, admit(Some(secret), "three")), Outcome::Admitted(NodeId(3)));
}

#[test]
fn r11_a_member_signs_once_all_keys_are_proven() {
    let mut bench = Bench::ready();
    let state = |bench: &Bench| bench.register().member(NodeId(2)).unwrap().unwrap().state;
    for octet in [10, 12, 12, 11] {
        assert_eq!(state(&bench), MemberState::Joining);
        assert_eq!(bench.apply(2, prove(octet)), Outcome::Done);
    }
    assert_eq!(state(&bench), MemberState::Signing);
}

#[test]
fn r7_a_duplicate_has_the_first_outcome_and_no_permit() {
    let mut bench = Bench::ready();
    let command = Command::Intent(bench.intent(60));
    let envelope = bench.envelope(1, command);
    let first = bench.log(envelope.clone());
    let before = bench.register.clone();
    let again = bench.log(envelope.clone());
    assert_eq!(again.outcome(), first.outcome());
    assert!(bench.register == before, "it changes nothing");
    assert!(again.into_permit().is_err());
    let recalled = Applied::recalled(envelope.id, LogIndex(1), first.outcome().clone());
    assert!(recalled.into_permit().is_err());
    assert!(first.into_permit().is_ok());

    let envelope = bench.envelope(1, cut("issuing"));
    let first = bench.log(envelope.clone());
    assert!(bench.log(envelope).into_crl_permit(&whole("issuing")).is_err());
    assert!(first.into_crl_permit(&whole("issuing")).is_ok());
}

#[test]
fn r8_what_expired_leaves_in_bounded_sweeps_and_its_duplicate_is_refused() {
    let mut bench = Bench::ready();
    let tick = |bench: &mut Bench| bench.apply(1, Command::Tick { digest: None });
    let early = bench.envelope(1, Command::Tick { digest: None });
    assert_eq!(bench.log(early.clone()).into_outcome(), Outcome::Done);
    for _ in 0..EXPIRIES_PER_ENTRY * 3 / 2 {
        tick(&mut bench);
    }
    let outcomes = Key::Outcomes(LogIndex(0));
    let expiries = Key::Expiry(UnixMillis(0), LogIndex(0));
    let old = bench.rows(&outcomes);
    bench.wait(COMMAND_LIFE_MS + OUTCOME_KEPT_MS);
    tick(&mut bench);
    assert_eq!(bench.rows(&outcomes), old + 1, "at their last moment they are still kept");
    bench.wait(1);
    tick(&mut bench);
    let left = bench.rows(&outcomes);
    let swept = old + 2 - left;
    assert!((EXPIRIES_PER_ENTRY..2 * EXPIRIES_PER_ENTRY).contains(&swept), "a bounded sweep: {swept}");
    tick(&mut bench);
    assert_eq!(bench.rows(&outcomes), left + 1, "the same moment: nothing more is swept");
    bench.wait(1);
    tick(&mut bench);
    assert_eq!(bench.rows(&outcomes), 4, "the rest goes with the next moment: these four ticks are left");
    assert_eq!(bench.rows(&expiries), 4);
    let refused = bench.log(early).into_outcome();
    assert!(matches!(refused, Outcome::Refused(Refusal::Expired { .. })), "{refused:?}");
}

#[test]
fn r8_register_time_never_goes_back() {
    let mut bench = Bench::ready();
    bench.wait(10_000);
    bench.done(Command::Tick { digest: None });
    bench.now = START;
    bench.done(Command::Tick { digest: None });
    assert_eq!(bench.register().time(), Ok(Some(START.plus(10_000))));
}

#[test]
fn r6_an_idempotency_key_has_one_attempt_at_a_time() {
    let mut bench = Bench::ready();
    let first = bench.commit(bench.keyed(60, 1, None));
    let second = bench.commit(bench.keyed(61, 1, Some(first)));
    assert_eq!(bench.reason(first), Some(StatusChange::Abandoned), "superseded in the same entry");
    assert!(matches!(
        bench.apply(1, record("issuing", first)),
        Outcome::Refused(Refusal::IntentAbandoned { .. })
    ));
    bench.record("the second attempt", "issuing", second);
    for supersedes in [None, Some(second), Some(first)] {
        let intent = bench.keyed(62, 1, supersedes);
        let expected = Outcome::AlreadyIssued { ca: ca("issuing"), serial: second };
        assert_eq!(bench.apply(1, Command::Intent(intent)), expected);
    }
    assert_eq!(bench.rows(&Key::OpenIntent(ca("issuing"), SerialNumber::MIN)), 0);
}

#[test]
fn r6_a_superseding_attempt_that_is_refused_abandons_nothing() {
    let mut bench = Bench::ready();
    let first = bench.commit(bench.keyed(60, 1, None));
    let taken = bench.issued(61);
    let intent = Intent { serial: taken, ..bench.keyed(62, 1, Some(first)) };
    assert_eq!(
        bench.apply(1, Command::Intent(intent)),
        Outcome::Refused(Refusal::SerialTaken { serial: taken })
    );
    assert_eq!(bench.reason(first), None);
    bench.record("the first attempt", "issuing", first);
}

#[test]
fn i7_a_key_is_free_after_its_days_and_its_successor_has_its_own() {
    // With and without a sweep between: the row may still be there, and its expiry is older than its successor.
    for ticks in [0, 20] {
        let mut bench = Bench::ready();
        let first = bench.commit(bench.keyed(60, 1, None));
        bench.record("the first", "issuing", first);
        bench.wait(IDEMPOTENCY_KEPT_MS);
        let intent = bench.keyed(61, 2, None);
        let outcome = bench.apply(1, Command::Intent(intent));
        assert_eq!(outcome, Outcome::Refused(Refusal::IdempotencyMismatch), "its last moment");
        bench.wait(1);
        for _ in 0..ticks {
            bench.done(Command::Tick { digest: None });
        }
        let second = bench.commit(bench.keyed(61, 2, None));
        for _ in 0..60 {
            bench.done(Command::Tick { digest: None });
        }
        let attempt = bench.register().attempt(Digest([3; 32])).unwrap().unwrap();
        assert_eq!((attempt.serial, attempt.since), (second, bench.now));
        bench.wait(IDEMPOTENCY_KEPT_MS + 1);
        for _ in 0..60 {
            bench.done(Command::Tick { digest: None });
        }
        assert_eq!(bench.register().attempt(Digest([3; 32])), Ok(None), "it does not stay for ever");
    }
}

#[test]
fn r5_three_may_abandon_and_the_first_in_the_log_wins() {
    // Its own node after a restart, at once.
    let mut bench = Bench::ready();
    let serial = bench.commit(bench.intent(60));
    bench.boot = BootId(2);
    assert_eq!(bench.apply(1, abandon(serial)), Outcome::Done);
    assert_eq!(bench.apply(2, abandon(serial)), Outcome::Done, "again is done already");
    let revocation = bench.register().revocation(&ca("issuing"), serial).unwrap().unwrap();
    assert_eq!(revocation.events.len(), 1);
    assert_eq!(revocation.events[0].since, bench.now.seconds());
    assert_eq!(
        bench.register().crl_scope(&whole("issuing")).unwrap().unwrap().changed,
        revocation.events[0].index
    );
    // Anybody after 30 s of register time.
    let mut bench = Bench::ready();
    let serial = bench.commit(bench.intent(60));
    bench.wait(INTENT_OPEN_MAX_MS + 1);
    assert_eq!(bench.apply(2, abandon(serial)), Outcome::Done);
    // A record that comes first wins.
    let mut bench = Bench::ready();
    let serial = bench.issued(60);
    bench.boot = BootId(2);
    assert!(matches!(bench.apply(1, abandon(serial)), Outcome::Refused(Refusal::AlreadyRecorded { .. })));
    assert_eq!(bench.reason(serial), None);
}

#[test]
fn i14_date_and_reason_change_towards_key_compromise_only() {
    use RevocationReason::{CessationOfOperation, Unspecified};
    let table = [
        (vec![Superseded], Superseded),
        (vec![Superseded, Unspecified, CessationOfOperation], Superseded),
        (vec![Superseded, KeyCompromise], KeyCompromise),
        (vec![KeyCompromise, Superseded], KeyCompromise),
        (vec![Unspecified, KeyCompromise, KeyCompromise], KeyCompromise),
    ];
    for (asked, told) in table {
        let mut bench = Bench::ready();
        let serial = bench.issued(60);
        let first = bench.now.seconds();
        for reason in &asked {
            assert_eq!(bench.revoke(serial, *reason), Outcome::Revoked { revoked_at: first });
            bench.wait(5_000);
        }
        assert_eq!(bench.reason(serial), Some(StatusChange::Revoked(told)), "{asked:?}");
    }
    // What was abandoned has been revoked already, for ever.
    let mut bench = Bench::ready();
    let serial = bench.commit(bench.intent(60));
    bench.boot = BootId(2);
    let abandoned_at = bench.now.seconds();
    bench.apply(1, abandon(serial));
    bench.wait(5_000);
    assert_eq!(bench.revoke(serial, KeyCompromise), Outcome::Revoked { revoked_at: abandoned_at });
    assert_eq!(bench.reason(serial), Some(StatusChange::Abandoned));
}

#[test]
fn r10_a_cut_fixes_number_index_and_times() {
    let mut bench = Bench::ready();
    let take = |bench: &mut Bench| match bench.apply(1, cut("issuing")) {
        Outcome::CrlCut(cut) => *cut,
        other => panic!("{other:?}"),
    };
    let first = take(&mut bench);
    assert_eq!((first.number, first.index, first.cut_at), (CrlNumber(1), LogIndex(bench.index), bench.now));
    assert_eq!(first.this_update, bench.now.seconds());
    assert_eq!(first.next_update, UnixSeconds(first.this_update.0 + STATUS_LIFE_S));
    bench.wait(CUT_OPEN_MAX_MS + 1);
    let second = take(&mut bench);
    assert_eq!(second.number, CrlNumber(2), "the number of a cut that was never signed stays a gap");
    bench.done(sign_cut(2));
    let scope = bench.register().crl_scope(&whole("issuing")).unwrap().unwrap();
    assert_eq!((scope.open, scope.current.map(|current| current.cut)), (None, Some(second)));
    assert_eq!(take(&mut bench).number, CrlNumber(3), "at once, for none is open");
}

#[test]
fn of_two_open_intents_for_one_ca_the_first_record_is_its_certificate() {
    let mut bench = Bench::ready();
    let request = || CertificateRequest {
        profile: "root".parse().unwrap(),
        ca: Some(ca("peers")),
        public_key: key(12),
        subject: subject("peers"),
        names: vec![],
        names_from: NamesFrom::Caller,
        ttl_s: None,
        certifies: Some(ca("peers")),
        limits: Some(CaLimits::default()),
        responder: None,
    };
    let intents: Vec<_> = [70, 71].map(|serial| bench.draft(Identity::Ceremony, request(), serial)).into();
    let serials: Vec<_> = intents.into_iter().map(|intent| bench.commit(intent)).collect();
    for serial in &serials {
        bench.record("peers", "peers", *serial);
    }
    assert_eq!(bench.own("peers").by, CertifiedBy::Here { ca: ca("peers"), serial: serials[0] });
}

#[test]
fn what_the_register_hangs_on_a_certificate_follows_from_its_profile() {
    let bench = Bench::ready();
    let refusal = |requester, request| match plan(bench.register(), requester, request, bench.now) {
        Err(crate::plan::PlanError::Refused(refusal)) => refusal.to_string(),
        other => panic!("{other:?}"),
    };
    let client = |request| refusal(CLIENT, request);
    assert!(
        client(CertificateRequest { certifies: Some(ca("issuing")), ..server() }).starts_with("certifies: ")
    );
    assert!(client(CertificateRequest { responder: Some(NodeId(1)), ..server() }).starts_with("responder: "));
    let responder = |node| CertificateRequest {
        profile: "ocsp-responder".parse().unwrap(),
        subject: subject("responder"),
        names: vec![],
        responder: node,
        ..server()
    };
    let node = |request| refusal(Identity::Node(NodeId(1)), request);
    assert!(node(responder(None)).starts_with("responder: "));
    assert!(node(responder(Some(NodeId(2)))).contains("node 1 asks for the responder of node 2"));
    let inactive = CertificateRequest { ca: Some(ca("peers")), ..responder(Some(NodeId(1))) };
    assert!(node(inactive).contains("the CA `peers` is not active"));
    assert!(plan(bench.register(), Identity::Node(NodeId(1)), responder(Some(NodeId(1))), bench.now).is_ok());
}
