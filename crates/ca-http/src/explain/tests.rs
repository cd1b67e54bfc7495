use std::collections::BTreeSet;

use ca_authority::ActError;
use ca_authority::ports::{EntropyFault, NoQuorum, SignError};
use ca_core::ids::{LogIndex, NodeId, UnixMillis};
use ca_core::outcome::Refusal;
use ca_core::register::{KeyUse, StorageFault};
use ca_core::shards::ListId;
use ca_x509::key::KeyIdentifier;
use ca_x509::serial::SerialNumber;

use super::*;
use crate::error::DoorError;
use crate::problem::status_of;

/// What only the program says, never a door.
const PROGRAM: &[&str] = &[
    "config-unknown-key",
    "bad-choice",
    "config-invalid",
    "port-in-use",
    "wrong-pin",
    "token-not-found",
    "token-failed",
    "foreign-data-dir",
    "data-dir-locked",
    "unreachable",
    "log-failed",
    "node-stopped",
    "data-dir-used",
    "peer-tls",
    "membership",
    "bad-name",
    "bad-node-count",
    "urls-missing",
    "bad-url",
    "crl-wrong",
    "ocsp-wrong",
    "file-unreadable",
];

/// Every slug that a door may answer with.
fn every_problem() -> BTreeSet<&'static str> {
    let refusals = every_refusal();
    let (acts, doors) = (every_act_error(), every_door_error());
    let acts = acts.iter().map(ActError::slug).chain(doors.iter().map(DoorError::slug));
    refusals.iter().map(Refusal::slug).chain(acts).collect()
}

#[test]
fn every_slug_is_explained() {
    let in_use: BTreeSet<&str> = every_problem().into_iter().chain(PROGRAM.iter().copied()).collect();
    let explained: BTreeSet<&str> = explanations().map(|explanation| explanation.slug).collect();
    assert_eq!(in_use, explained);
    assert_eq!(explanations().count(), explained.len(), "each once");
}

#[test]
fn every_problem_has_a_status_of_its_own() {
    for slug in every_problem() {
        assert!(status_of(slug).is_some(), "{slug}: give it a line in STATUSES");
        let explained = explain(slug).is_some();
        assert!(explained, "{slug}");
    }
    for slug in PROGRAM {
        assert_eq!(status_of(slug), None, "{slug}: no door answers with it");
    }
}

#[test]
fn explanations_are_sentences_with_a_next_step() {
    for Explanation { slug, title, meaning, next } in explanations() {
        assert!(slug.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{slug}");
        assert!(!title.is_empty() && !title.ends_with('.'), "{slug}");
        assert!(meaning.ends_with('.') && !meaning.contains('\n') && !meaning.contains("  "), "{slug}");
        assert!(!next.is_empty() && !next.ends_with('.') && !next.contains("  "), "{slug}");
    }
}

#[test]
fn docs_errors_md_is_made_from_the_table() {
    expect_test::expect_file!["../../../../docs/errors.md"].assert_eq(&markdown());
}

fn every_refusal() -> Vec<Refusal> {
    let ca = || "issuing".parse().unwrap();
    let serial = SerialNumber::from_random([7; 16]);
    let text = String::new;
    let all = vec![
        Refusal::Expired { expired_at: UnixMillis(1), now: UnixMillis(2) },
        Refusal::AlreadyInitialised,
        Refusal::NotInitialised,
        Refusal::UnknownCa { ca: ca() },
        Refusal::CaExists { ca: ca() },
        Refusal::CaInactive { ca: ca() },
        Refusal::UnknownProfile { profile: "p".parse().unwrap() },
        Refusal::ProfileVersion { profile: "p".parse().unwrap(), expected: 1, got: 2 },
        Refusal::Forbidden { caller: text(), needs: text() },
        Refusal::StaleDraft { what: text() },
        Refusal::OutsideProfile { field: text(), why: text() },
        Refusal::Lint { rule: text(), why: text() },
        Refusal::SerialTaken { serial },
        Refusal::UnknownSerial { ca: ca(), serial },
        Refusal::IntentAbandoned { serial },
        Refusal::AlreadyRecorded { serial },
        Refusal::NotRecorded { serial },
        Refusal::StillOpen { serial, open_ms: 1 },
        Refusal::NotOwner { serial },
        Refusal::IdempotencyMismatch,
        Refusal::AttemptOpen { ca: ca(), serial },
        Refusal::NotOnHold { serial },
        Refusal::CutOpen { list: ListId::whole(&ca()) },
        Refusal::CutClosed { list: ListId::whole(&ca()) },
        Refusal::UnknownList { list: ListId::whole(&ca()) },
        Refusal::NoBase { list: ListId::whole(&ca()) },
        Refusal::JoinTokenUnknown,
        Refusal::JoinTokenSpent { by: NodeId(1) },
        Refusal::JoinTokenExpired,
        Refusal::EnrolmentTokenUnknown,
        Refusal::EnrolmentTokenSpent { serial },
        Refusal::EnrolmentTokenExpired,
        Refusal::NameTaken { name: text() },
        Refusal::NotSigning { node: NodeId(1) },
        Refusal::UnknownKey,
        Refusal::CaRetired { ca: ca() },
        Refusal::CaRevoked { ca: ca(), revoked: ca() },
        Refusal::OutsideCa { ca: ca(), field: text(), why: text() },
        Refusal::KeyUnproven { ca: ca(), nodes: vec![NodeId(1)] },
        Refusal::ImportUnfit { ca: ca(), why: text() },
        Refusal::CaNeeded { ca: ca(), profile: "p".parse().unwrap() },
        Refusal::ClusterKey { usage: KeyUse::Connections },
    ];
    all.iter().for_each(is_in_the_list);
    all
}

/// A new variant does not compile here until it is in the list of [`every_refusal`].
fn is_in_the_list(refusal: &Refusal) {
    match refusal {
        Refusal::Expired { .. }
        | Refusal::AlreadyInitialised
        | Refusal::NotInitialised
        | Refusal::UnknownCa { .. }
        | Refusal::CaExists { .. }
        | Refusal::CaInactive { .. }
        | Refusal::UnknownProfile { .. }
        | Refusal::ProfileVersion { .. }
        | Refusal::Forbidden { .. }
        | Refusal::StaleDraft { .. }
        | Refusal::OutsideProfile { .. }
        | Refusal::Lint { .. }
        | Refusal::SerialTaken { .. }
        | Refusal::UnknownSerial { .. }
        | Refusal::IntentAbandoned { .. }
        | Refusal::AlreadyRecorded { .. }
        | Refusal::NotRecorded { .. }
        | Refusal::StillOpen { .. }
        | Refusal::NotOwner { .. }
        | Refusal::IdempotencyMismatch
        | Refusal::AttemptOpen { .. }
        | Refusal::NotOnHold { .. }
        | Refusal::UnknownList { .. }
        | Refusal::NoBase { .. }
        | Refusal::CutOpen { .. }
        | Refusal::CutClosed { .. }
        | Refusal::JoinTokenUnknown
        | Refusal::JoinTokenSpent { .. }
        | Refusal::JoinTokenExpired
        | Refusal::EnrolmentTokenUnknown
        | Refusal::EnrolmentTokenSpent { .. }
        | Refusal::EnrolmentTokenExpired
        | Refusal::NameTaken { .. }
        | Refusal::NotSigning { .. }
        | Refusal::UnknownKey
        | Refusal::CaRetired { .. }
        | Refusal::CaRevoked { .. }
        | Refusal::OutsideCa { .. }
        | Refusal::KeyUnproven { .. }
        | Refusal::ImportUnfit { .. }
        | Refusal::CaNeeded { .. }
        | Refusal::ClusterKey { .. } => {}
    }
}

fn every_act_error() -> Vec<ActError> {
    let quorum = || NoQuorum { voters: vec![], reachable: vec![], cause: String::new() };
    let all = vec![
        ActError::NoQuorum(quorum()),
        ActError::NotKnown(quorum()),
        ActError::Token(SignError::Busy { queued: 1 }),
        ActError::Token(SignError::TimedOut { limit_ms: 1 }),
        ActError::Token(SignError::NoKey { key: KeyIdentifier([0; 20]) }),
        ActError::Token(SignError::Down { why: String::new() }),
        ActError::WrongSignature,
        ActError::Overtaken,
        ActError::Entropy(EntropyFault),
        ActError::Stopped,
        ActError::Storage(StorageFault(String::new())),
        ActError::Unexpected(String::new()),
    ];
    for error in &all {
        match error {
            ActError::Refused(_)
            | ActError::NoQuorum(_)
            | ActError::NotKnown(_)
            | ActError::Token(
                SignError::Busy { .. }
                | SignError::TimedOut { .. }
                | SignError::NoKey { .. }
                | SignError::Down { .. },
            )
            | ActError::WrongSignature
            | ActError::Overtaken
            | ActError::Entropy(_)
            | ActError::Stopped
            | ActError::Storage(_)
            | ActError::Unexpected(_) => {}
        }
    }
    all
}

fn every_door_error() -> Vec<DoorError> {
    let why = String::new;
    let all = vec![
        DoorError::NoClientCertificate,
        DoorError::ClientCertificateInvalid { why: why() },
        DoorError::NotFound,
        DoorError::MethodNotAllowed { method: why() },
        DoorError::BodyTooLarge { max: 1 },
        DoorError::UriTooLong { got: 2, max: 1 },
        DoorError::TooSlow { limit_ms: 1 },
        DoorError::Deadline { limit_ms: 1 },
        DoorError::BadJson { why: why() },
        DoorError::BadRequest { field: "ttl", why: why() },
        DoorError::CsrMalformed { why: why() },
        DoorError::CsrSignature,
        DoorError::CrlNone { list: why() },
        DoorError::UnknownSerial { serial: SerialNumber::from_random([7; 16]) },
        DoorError::TooBusy { max: 1 },
        DoorError::TooManyWrongTokens { max: 1 },
        DoorError::RateLimited { what: why(), per_minute: 60, wait_s: 1 },
        DoorError::Behind { wanted: LogIndex(2), applied: LogIndex(1) },
        DoorError::Changed { what: why(), seen: 1, current: 2 },
        DoorError::CaChanged { ca: "issuing".parse().unwrap() },
        DoorError::ProfileInvalid { faults: vec![] },
        DoorError::Internal { why: why() },
    ];
    for error in &all {
        match error {
            DoorError::NoClientCertificate
            | DoorError::ClientCertificateInvalid { .. }
            | DoorError::NotFound
            | DoorError::MethodNotAllowed { .. }
            | DoorError::BodyTooLarge { .. }
            | DoorError::UriTooLong { .. }
            | DoorError::TooSlow { .. }
            | DoorError::Deadline { .. }
            | DoorError::BadJson { .. }
            | DoorError::BadRequest { .. }
            | DoorError::CsrMalformed { .. }
            | DoorError::CsrSignature
            | DoorError::CrlNone { .. }
            | DoorError::UnknownSerial { .. }
            | DoorError::TooBusy { .. }
            | DoorError::TooManyWrongTokens { .. }
            | DoorError::RateLimited { .. }
            | DoorError::Behind { .. }
            | DoorError::Changed { .. }
            | DoorError::CaChanged { .. }
            | DoorError::ProfileInvalid { .. }
            | DoorError::Internal { .. } => {}
        }
    }
    all
}

/// Between a failed sync and the end of the process clients and balancers must go elsewhere.
///
/// Mechanism: `ActError::slug`; with `internal` there they are told of a bug, with 500.
#[test]
fn a_node_whose_storage_failed_says_that_it_stops() {
    let problem = crate::problem::Problem::from(StorageFault("row 7 of /var/lib/ca".to_owned()));
    assert_eq!(problem.slug(), "stopping");
    assert_eq!(status_of("stopping"), Some(503));
    assert!(!problem.detail().contains("/var") && problem.fault().is_some(), "{problem:?}");
}
