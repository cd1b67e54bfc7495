//! What a grant lets its holder do, at plan time and when a command is applied.

use alloc::boxed::Box;
use alloc::vec;

use super::bench::*;
use crate::command::Command;
use crate::ids::{CaId, Digest};
use crate::outcome::{Outcome, Refusal};
use crate::plan::{CertificateRequest, PlanError, plan};
use crate::roles::{Identity, Reach, Role, Scope};
use ca_x509::crl::RevocationReason::Superseded;
use ca_x509::name::GeneralName;

fn planned(bench: &Bench, name: &str) -> Result<(), Refusal> {
    let request = CertificateRequest { names: vec![GeneralName::Dns(name.into())], ..server() };
    match plan(bench.register(), CLIENT, request, bench.now) {
        Ok(_plan) => Ok(()),
        Err(PlanError::Refused(refusal)) => Err(refusal),
        Err(PlanError::Storage(fault)) => panic!("{fault}"),
    }
}

/// Mechanism: `ca_core::plan::plan`, `within(&granted.grant.scope.dns, …)`.
#[test]
fn i18_a_requester_gets_names_of_its_own_space_only() {
    let mut bench = Bench::ready();
    let dns = Reach::Only(vec!["team.test".into()]);
    bench.grant(1, &[Role::Requester], Scope { dns, ..Scope::default() });
    for (name, fine) in [
        ("team.test", true),
        ("web.team.test", true),
        ("*.team.test", true),
        ("WEB.Team.Test", true),
        ("test", false),
        ("other.test", false),
        ("badteam.test", false),
        ("team.test.evil.test", false),
    ] {
        assert_eq!(planned(&bench, name).is_ok(), fine, "{name}");
    }
}

/// Mechanism: `ca_core::plan::may_ask`.
#[test]
fn i18_a_requester_is_bound_to_its_cas_and_profiles() {
    let mut bench = Bench::ready();
    let only = |ca: &str| -> Reach<CaId> { Reach::Only(vec![ca.parse().unwrap()]) };
    let profiles = Reach::Only(vec!["tls-server".parse().unwrap()]);
    for (scope, fine) in [
        (Scope { cas: only("issuing"), profiles, ..Scope::default() }, true),
        (Scope { cas: only("root"), ..Scope::default() }, false),
        (Scope { profiles: Reach::Only(vec!["device".parse().unwrap()]), ..Scope::default() }, false),
        (Scope { profiles: Reach::Only(vec![]), ..Scope::default() }, false),
    ] {
        bench.grant(1, &[Role::Requester], scope.clone());
        let verdict = planned(&bench, "web.test");
        assert_eq!(verdict.is_ok(), fine, "{scope:?}");
        assert!(verdict.is_ok() || matches!(verdict, Err(Refusal::Forbidden { .. })), "{verdict:?}");
    }
}

/// Mechanism: `ca_core::apply::certificates::revoke`, `may_not_revoke`.
#[test]
fn i18_who_may_revoke_is_decided_in_the_log() {
    let mut bench = Bench::ready();
    let own = bench.issued(60);
    bench.grant(2, &[Role::Requester], Scope::default());
    bench.grant(3, &[Role::Ra], Scope::default());
    let elsewhere = Scope { cas: Reach::Only(vec![ca("root")]), ..Scope::default() };
    bench.grant(4, &[Role::Officer], elsewhere);
    for (key, fine) in [(2, false), (4, false), (9, false), (3, true), (1, true)] {
        let outcome = bench.revoke_as(key, own, Superseded);
        assert_eq!(matches!(outcome, Outcome::Revoked { .. }), fine, "{key}: {outcome:?}");
    }
}

/// Mechanism: `ca_core::roles::may_not_revoke`, `within(&granted.grant.scope.dns, names)`, and `may_revoke`, `clients`.
#[test]
fn i18_a_registration_authority_revokes_in_its_name_space_and_nothing_of_the_cluster() {
    let mut bench = Bench::ready();
    let serial = bench.issued(60);
    for (space, fine) in [("other.test", false), ("web.test.evil", false), ("web.test", true)] {
        let dns = Reach::Only(vec![space.into()]);
        bench.grant(3, &[Role::Ra], Scope { dns, ..Scope::default() });
        let outcome = bench.revoke_as(3, serial, Superseded);
        assert_eq!(matches!(outcome, Outcome::Revoked { .. }), fine, "{space}: {outcome:?}");
    }
    bench.grant(3, &[Role::Ra], Scope::default());
    let requester = Identity::Client(Digest([3; 32]));
    let own = ca_x509::serial::SerialNumber::from_random([11; 16]);
    let revoke = Command::Revoke { ca: ca("root"), serial: own, reason: Superseded, requester };
    let outcome = bench.apply(1, revoke);
    assert!(matches!(outcome, Outcome::Refused(Refusal::Forbidden { .. })), "a CA's own: {outcome:?}");
}

/// Mechanism: `ca_core::plan::plan`, `issuer.purpose == IssuerPurpose::Peers`. A certificate of that CA makes its
/// holder a member to the others.
#[test]
fn i18_nobody_outside_the_cluster_is_certified_by_the_peers_ca() {
    let mut bench = Bench::ready();
    let mut profile = bench.profile("tls-server");
    (profile.version, profile.issuers) = (2, vec![ca("peers")]);
    bench.done(Command::DefineProfile { profile: Box::new(profile), requester: Identity::Ceremony });
    let verdict = planned(&bench, "web.test");
    assert!(matches!(&verdict, Err(Refusal::OutsideProfile { field, .. }) if field == "ca"), "{verdict:?}");
}

/// Mechanism: the same look-up at each command: nothing of a grant is kept anywhere else.
#[test]
fn r12_another_callers_grant_leaves_a_draft_fresh() {
    let mut bench = Bench::ready();
    let intent = bench.intent(60);
    bench.grant(9, &[Role::Requester], Scope::default());
    bench.commit(intent);
}
