//! Enrolment tokens: what they are good for, and that they are good once.

use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use ca_x509::name::GeneralName;

use super::bench::*;
use crate::apply::*;
use crate::command::Intent;
use crate::enrolment::{Enrolment, EnrolmentNames, EnrolmentRequest, may_not_enrol};
use crate::ids::{Digest, NodeId};
use crate::limits::{ENROLMENT_SHOWN_MS, INTENT_OPEN_MAX_MS};
use crate::plan::{CertificateRequest, PlanError, plan};
use crate::roles::{Reach, Role, Scope};

const TOKEN: Digest = Digest([0xe7; 32]);
const DEVICE: Identity = Identity::Enrolment(TOKEN);
const RA: Identity = Identity::Client(Digest([3; 32]));
const LIFE_MS: u64 = 3_600_000;

fn dns(names: &[&str]) -> Vec<GeneralName> {
    names.iter().map(|name| GeneralName::Dns((*name).into())).collect()
}

fn asked(profile: &str, names: EnrolmentNames) -> EnrolmentRequest {
    EnrolmentRequest { ca: None, profile: profile.parse().unwrap(), names }
}

fn minted_by(bench: &mut Bench, requester: Identity, request: EnrolmentRequest) -> Outcome {
    match request.terms(bench.register(), requester) {
        Ok(terms) => {
            let expires_at = bench.now.plus(LIFE_MS);
            bench.apply(1, Command::MintEnrolment { token: TOKEN, terms, expires_at, requester })
        }
        Err(PlanError::Refused(refusal)) => Outcome::Refused(refusal),
        Err(PlanError::Storage(fault)) => panic!("{fault}"),
    }
}

/// A registration authority, and its token for `web.test`.
fn minted() -> Bench {
    let mut bench = Bench::ready();
    bench.grant(3, &[Role::Ra], Scope::default());
    let names = EnrolmentNames::Among(dns(&["web.test"]));
    assert_eq!(minted_by(&mut bench, RA, asked("tls-server", names)), Outcome::Done);
    bench
}

fn planned(bench: &Bench, request: CertificateRequest) -> Result<(), Refusal> {
    match plan(bench.register(), DEVICE, request, bench.now) {
        Ok(_plan) => Ok(()),
        Err(PlanError::Refused(refusal)) => Err(refusal),
        Err(PlanError::Storage(fault)) => panic!("{fault}"),
    }
}

fn row(bench: &Bench) -> Enrolment {
    bench.register().enrolment(TOKEN).unwrap().unwrap()
}

/// Mechanism: `Step::spend_enrolment`.
#[test]
fn a_token_is_spent_by_the_intent_and_given_back_by_its_abandonment() {
    let mut bench = minted();
    let (one, other) = (bench.draft(DEVICE, server(), 60), bench.draft(DEVICE, server(), 61));
    let first = bench.commit(one);
    assert_eq!(row(&bench).spent, Some(first));
    let spent = Outcome::Refused(Refusal::EnrolmentTokenSpent { serial: first });
    assert_eq!(bench.apply(1, Command::Intent(other.clone())), spent);
    assert_eq!(
        may_not_enrol(bench.register(), DEVICE, None).map(Option::unwrap).map(Outcome::Refused),
        Ok(spent.clone())
    );
    bench.wait(INTENT_OPEN_MAX_MS + 1);
    assert_eq!(bench.apply(2, abandon(first)), Outcome::Done);
    let second = bench.commit(other);
    bench.record("a server", "issuing", second);
    let third = bench.draft(DEVICE, server(), 62);
    assert_eq!(
        bench.apply(1, Command::Intent(third)),
        Outcome::Refused(Refusal::EnrolmentTokenSpent { serial: second })
    );
    assert!(matches!(
        bench.apply(1, record("issuing", first)),
        Outcome::Refused(Refusal::IntentAbandoned { .. })
    ));
}

/// Mechanism: as above, where what this very intent supersedes counts as abandoned.
#[test]
fn i7_a_retry_with_a_token_gets_the_certificate_and_not_another() {
    let mut bench = minted();
    let keyed = |bench: &Bench, serial, supersedes| Intent {
        requester: DEVICE,
        grant_index: Some(row(bench).index),
        ..bench.keyed(serial, 1, supersedes)
    };
    let first = bench.commit(keyed(&bench, 60, None));
    let second = bench.commit(keyed(&bench, 61, Some(first)));
    assert_eq!(row(&bench).spent, Some(second));
    bench.record("a server", "issuing", second);
    let again = bench.apply(1, Command::Intent(keyed(&bench, 62, None)));
    assert_eq!(again, Outcome::AlreadyIssued { ca: ca("issuing"), serial: second });
    let idempotency = keyed(&bench, 62, None).idempotency;
    assert_eq!(may_not_enrol(bench.register(), DEVICE, idempotency), Ok(None), "the log has the answer");
}

/// Mechanism: `NameSpace::of`, `NameSpace::admit`, `NameSpace::admits_text`; `Enrolment::granted` for CA and profile.
#[test]
fn i18_a_token_is_good_for_its_terms_only() {
    let mut bench = minted();
    for (names, fine) in [
        (vec!["web.test"], true),
        (vec!["WEB.test"], true),
        (vec!["web.test", "other.test"], false),
        (vec!["a.web.test"], false),
        (vec!["*.web.test"], false),
    ] {
        let verdict = planned(&bench, CertificateRequest { names: dns(&names), ..server() });
        assert_eq!(verdict.is_ok(), fine, "{names:?}: {verdict:?}");
    }
    let address = vec![GeneralName::Ip([192, 0, 2, 1].into())];
    assert!(planned(&bench, CertificateRequest { names: address, ..server() }).is_err());
    let other = CertificateRequest { profile: "device".parse().unwrap(), ..server() };
    assert!(matches!(planned(&bench, other), Err(Refusal::Forbidden { .. })));

    bench.done(Command::RevokeEnrolment { token: TOKEN, requester: RA });
    let below = EnrolmentNames::Below(vec!["team.test".into()]);
    assert_eq!(minted_by(&mut bench, RA, asked("tls-server", below)), Outcome::Done);
    for (name, fine) in [("team.test", true), ("x.team.test", true), ("badteam.test", false), ("test", false)]
    {
        let verdict = planned(&bench, CertificateRequest { names: dns(&[name]), ..server() });
        assert_eq!(verdict.is_ok(), fine, "{name}: {verdict:?}");
    }
}

/// Mechanism: `may_not_give`.
#[test]
fn i18_a_minter_gives_away_no_more_than_it_has() {
    let team = || Scope { dns: Reach::Only(vec!["team.test".into()]), ..Scope::default() };
    let elsewhere = Scope { cas: Reach::Only(vec![ca("root")]), ..Scope::default() };
    let devices = Scope { profiles: Reach::Only(vec!["device".parse().unwrap()]), ..Scope::default() };
    let among = |names: &[&str]| EnrolmentNames::Among(dns(names));
    let below = |domain: &str| EnrolmentNames::Below(vec![domain.into()]);
    for (roles, scope, names, fine) in [
        (&[Role::Ra][..], Scope::default(), among(&["web.test"]), true),
        (&[Role::Admin], Scope::default(), below("test"), true),
        (&[Role::Requester], Scope::default(), among(&["web.test"]), false),
        (&[Role::Officer, Role::Operator, Role::Auditor], Scope::default(), among(&["web.test"]), false),
        (&[Role::Ra], team(), among(&["web.team.test"]), true),
        (&[Role::Ra], team(), among(&["web.team.test", "web.test"]), false),
        (&[Role::Ra], team(), below("x.team.test"), true),
        (&[Role::Ra], team(), below("test"), false),
        (&[Role::Admin], team(), below("test"), false),
        (&[Role::Ra], elsewhere, among(&["web.test"]), false),
        (&[Role::Ra], devices, among(&["web.test"]), false),
    ] {
        let mut bench = Bench::ready();
        bench.grant(3, roles, scope.clone());
        let outcome = minted_by(&mut bench, RA, asked("tls-server", names.clone()));
        assert_eq!(outcome == Outcome::Done, fine, "{roles:?} {scope:?} {names:?}: {outcome:?}");
        // What the door's node thought is not believed.
        let terms = crate::enrolment::EnrolmentTerms {
            ca: ca("issuing"),
            profile: "tls-server".parse().unwrap(),
            names,
        };
        let expires_at = bench.now.plus(LIFE_MS);
        let mint = Command::MintEnrolment { token: Digest([9; 32]), terms, expires_at, requester: RA };
        assert_eq!(bench.apply(1, mint) == Outcome::Done, fine);
    }
    let mut bench = minted();
    let by_itself = minted_by(&mut bench, DEVICE, asked("tls-server", among(&["web.test"])));
    assert!(matches!(by_itself, Outcome::Refused(Refusal::Forbidden { .. })), "{by_itself:?}");
    let sub_ca = minted_by(&mut bench, RA, asked("sub-ca", among(&["web.test"])));
    assert!(matches!(sub_ca, Outcome::Refused(_)), "{sub_ca:?}");
}

/// Mechanism: `Enrolment::granted`, which asks for the minter's grant each time; R12 in `apply` for the draft.
#[test]
fn i18_a_token_is_worth_nothing_without_its_minters_grant() {
    let mut bench = minted();
    let drafted = bench.draft(DEVICE, server(), 60);
    bench.grant(3, &[], Scope::default());
    assert!(matches!(planned(&bench, server()), Err(Refusal::Forbidden { .. })));
    let outcome = bench.apply(1, Command::Intent(drafted));
    assert!(matches!(outcome, Outcome::Refused(Refusal::StaleDraft { .. })), "{outcome:?}");
}

#[test]
fn a_token_ends_and_is_taken_back() {
    let mut bench = minted();
    let revoke = |requester| Command::RevokeEnrolment { token: TOKEN, requester };
    assert!(matches!(bench.apply(1, revoke(CLIENT)), Outcome::Refused(Refusal::Forbidden { .. })));
    let drafted = bench.draft(DEVICE, server(), 60);
    bench.done(revoke(RA));
    assert_eq!(bench.apply(1, revoke(RA)), Outcome::Refused(Refusal::EnrolmentTokenUnknown));
    assert!(matches!(bench.apply(1, Command::Intent(drafted)), Outcome::Refused(Refusal::StaleDraft { .. })));

    let mut bench = minted();
    let late = bench.draft(DEVICE, server(), 60);
    bench.wait(LIFE_MS + 1);
    assert_eq!(bench.apply(1, Command::Intent(late)), Outcome::Refused(Refusal::EnrolmentTokenExpired));
    bench.wait(ENROLMENT_SHOWN_MS);
    bench.done(Command::Tick { digest: None });
    assert_eq!(bench.register().enrolment(TOKEN), Ok(None), "nothing stays for ever");

    let mut bench = minted();
    let used = bench.commit(bench.draft(DEVICE, server(), 60));
    assert_eq!(bench.apply(1, revoke(RA)), Outcome::Refused(Refusal::EnrolmentTokenSpent { serial: used }));
}

#[test]
fn identities_are_read_as_they_are_shown() {
    for identity in [Identity::Ceremony, Identity::Node(NodeId(3)), CLIENT, DEVICE] {
        assert_eq!(identity.to_string().parse(), Ok(identity));
    }
    for bad in ["", "enrolment:", "spki:00", "node:x", "Ceremony", "enrolment"] {
        assert!(bad.parse::<Identity>().is_err(), "{bad}");
    }
}
