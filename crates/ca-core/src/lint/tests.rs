//! What the octets as a whole are held to; each rule has its cases in its own file.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::{KeyKind, PublicKey};
use ca_x509::name::{DistinguishedName, GeneralName};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use super::sample::{client, ed25519, pass, responder, rsa, server, server_tbs};
use super::*;
use crate::draft::draft;
use crate::ids::{BootId, CaId, ClusterId, Digest, Epoch, LogIndex, NodeId, RequestId, UnixMillis};
use crate::mandate::CaLimits;
use crate::plan::{CertificateRequest, NamesFrom, plan};
use crate::profile::{Audience, DnsRule, built_in};
use crate::register::{
    CertificateEntry, CertificateState, CertifiedBy, Change, Cluster, Issuer, IssuerPurpose, Key,
    MemoryRegister, OwnCertificate, PublicUrls, Value,
};
use crate::roles::{Grant, Granted, Identity, Role, Scope};
use crate::shards::Shards;
use crate::weak_key::tests::sound_modulus;

#[test]
fn the_rules_are_many_and_each_is_one() {
    let rules: Vec<&Rule> = TABLES.into_iter().flatten().collect();
    let said: BTreeSet<&str> = rules.iter().map(|(_, holds, _)| *holds).collect();
    assert_eq!(said.len(), rules.len());
    assert!(rules.len() >= 100, "{}", rules.len());
    assert!(rules.iter().all(|(source, ..)| !source.is_empty()));
}

#[test]
fn certificates_of_each_kind_break_no_rule() {
    pass(&[server(), sample::ca(), client(), responder(), rsa(), ed25519()]);
}

#[test]
fn i19_octets_that_nobody_planned_are_refused() {
    let planned = server_tbs();
    assert_eq!(lint(&planned.encode().unwrap(), &planned), Ok(()));
    let other = TbsCertificate { not_after: UnixSeconds(2_524_608_001), ..planned.clone() };
    assert!(lint(&other.encode().unwrap(), &planned).is_err());
    let mut longer = planned.encode().unwrap();
    longer.push(0);
    assert!(lint(&longer, &planned).is_err());
    let unknown = server().append(&[0x2a, 3], false, &[5, 0]);
    pass(core::slice::from_ref(&unknown));
    assert!(lint(&unknown.octets(), &planned).is_err());
}

#[test]
fn i19_each_octet_counts() {
    let planned = server_tbs();
    let octets = planned.encode().unwrap();
    for place in 0..octets.len() {
        for bit in 0..8 {
            let mut flipped = octets.clone();
            flipped[place] ^= 1 << bit;
            assert!(lint(&flipped, &planned).is_err(), "bit {bit} of octet {place}");
        }
        assert!(lint(&octets[..place], &planned).is_err());
    }
}

#[test]
fn a_refusal_names_the_rule_its_source_and_both_sides() {
    let planned = TbsCertificate { not_before: UnixSeconds(2_524_608_001), ..server_tbs() };
    let Err(Refusal::Lint { rule, why }) = lint(&planned.encode().unwrap(), &planned) else {
        panic!("no refusal")
    };
    assert_eq!(rule, "RFC 5280 §4.1.2.5");
    let both = "2050-01-01T00:00:01Z is after 2050-01-01T00:00:00Z";
    assert_eq!(why, alloc::format!("notBefore is not after notAfter, but {both}"));
}

/// What is asked of each built-in profile: CA, subject, names, whom it certifies, whose responder it is.
type Asked = (&'static str, &'static str, DistinguishedName, Vec<GeneralName>, Option<CaId>, Option<NodeId>);

#[test]
fn what_the_built_in_profiles_issue_breaks_no_rule() {
    let register = register();
    let asked: Vec<Asked> = [asked_by_the_cluster(), asked_by_requesters()].concat();
    for profile in built_in(&DnsRule::Any).unwrap() {
        let asked = asked.iter().filter(|(name, ..)| *name == profile.name.as_str());
        assert!(asked.clone().count() > 0, "nothing is asked of {}", profile.name);
        for (_, issuer, subject, names, certifies, responder) in asked {
            for public_key in keys() {
                let taken = profile.keys.iter().any(|rule| rule.takes(public_key.kind()));
                let request = CertificateRequest {
                    profile: profile.name.clone(),
                    ca: Some(ca(issuer)),
                    public_key,
                    subject: subject.clone(),
                    names: names.clone(),
                    names_from: NamesFrom::Caller,
                    ttl_s: None,
                    certifies: certifies.clone(),
                    limits: profile.basic_constraints.ca.then(CaLimits::default),
                    responder: *responder,
                };
                let requester = match profile.audience {
                    Audience::Requesters => Identity::Client(CLIENT),
                    Audience::Cluster => Identity::Ceremony,
                };
                let planned = plan(&register, requester, request, NOW);
                assert_eq!(planned.is_ok(), taken, "{}: {planned:?}", profile.name);
                let drafted =
                    planned.ok().map(|plan| draft(&plan, SerialNumber::from_random([3; 16]), None, None));
                assert_eq!(drafted.and_then(Result::err), None, "{} of {issuer}", profile.name);
            }
        }
    }
}

fn asked_by_the_cluster() -> Vec<Asked> {
    let a_subject = || name("a subject");
    let peer = vec![dns("node.test"), GeneralName::Uri("urn:ca-node:1".into())];
    vec![
        ("root", "root", name("root"), vec![], Some(ca("root")), None),
        ("root", "peers", name("peers"), vec![], Some(ca("peers")), None),
        ("sub-ca", "root", name("issuing"), vec![], Some(ca("issuing")), None),
        ("ocsp-responder", "issuing", a_subject(), vec![], None, Some(NodeId(1))),
        ("ocsp-responder", "root", a_subject(), vec![], None, Some(NodeId(1))),
        ("node-peer", "peers", a_subject(), peer, None, None),
        ("node-tls", "issuing", a_subject(), vec![dns("node.test")], None, None),
        ("client", "issuing", a_subject(), vec![], None, None),
    ]
}

fn asked_by_requesters() -> Vec<Asked> {
    let empty = DistinguishedName::empty;
    let mail = || GeneralName::Email("ann@mail.test".into());
    let server = || vec![dns("web.test"), dns("*.web.test"), GeneralName::Ip([192, 0, 2, 1].into())];
    let device = || DistinguishedName::new().serial_number("0024BE-7");
    let asked = |profile, subject, names| (profile, "issuing", subject, names, None, None);
    vec![
        asked("tls-server", name("web.test"), server()),
        asked("tls-server", empty(), vec![dns(&["a"; 60].join("."))]),
        asked("tls-client", name("ann@mail.test"), vec![mail(), dns("ann.test")]),
        asked("tls-client", empty(), vec![mail()]),
        asked("device", device().build().unwrap(), vec![]),
        asked("device", device().common_name("dev.test").build().unwrap(), vec![dns("dev.test")]),
        asked("code-signing", name("Example Ltd"), vec![]),
        asked("smime", name("ann@mail.test"), vec![mail()]),
        asked("smime", empty(), vec![mail(), GeneralName::SmtpUtf8Mailbox("\u{e4}nn@mail.test".into())]),
    ]
}

fn dns(name: &str) -> GeneralName {
    GeneralName::Dns(name.into())
}

fn ca(name: &str) -> CaId {
    name.parse().unwrap()
}

fn name(text: &str) -> DistinguishedName {
    DistinguishedName::new().common_name(text).build().unwrap()
}

/// One of each kind.
fn keys() -> Vec<PublicKey> {
    vec![
        PublicKey::from_ec_point(KeyKind::EcP256, &[4; 65]).unwrap(),
        PublicKey::from_ec_point(KeyKind::EcP384, &[4; 97]).unwrap(),
        PublicKey::from_ec_point(KeyKind::EcP521, &[4; 133]).unwrap(),
        PublicKey::from_ed25519([9; 32]),
        PublicKey::from_rsa(&sound_modulus(), &[1, 0, 1]).unwrap(),
    ]
}

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
const CLIENT: Digest = Digest([1; 32]);

/// A register with the built-in profiles and three CAs, of which `root` and `issuing` are active.
fn register() -> MemoryRegister {
    let mut rows = vec![
        (
            Key::Cluster,
            Value::Cluster(Arc::new(Cluster {
                id: ClusterId([7; 16]),
                name: "test".into(),
                epoch: Epoch(1),
                next_node: NodeId(2),
                urls: PublicUrls::all_at("http://pki.test"),
            })),
        ),
        (
            Key::Grant(CLIENT),
            Value::Grant(Arc::new(Granted {
                grant: Grant {
                    key: CLIENT,
                    roles: vec![Role::Requester],
                    scope: Scope::default(),
                    rate: None,
                    label: "client".into(),
                },
                index: LogIndex(1),
            })),
        ),
    ];
    for (octet, name, parent, purpose) in [
        (10, "root", "root", IssuerPurpose::Public),
        (11, "issuing", "root", IssuerPurpose::Public),
        (12, "peers", "peers", IssuerPurpose::Peers),
    ] {
        let serial = SerialNumber::from_random([octet; 16]);
        let issuer = Issuer {
            subject: DistinguishedName::new().common_name(name).build().unwrap(),
            public_key: PublicKey::from_ed25519([octet; 32]),
            algorithm: SignatureAlgorithm::Ed25519,
            parent: Some(ca(parent)),
            certificate: Some(OwnCertificate {
                by: CertifiedBy::Here { ca: ca(parent), serial },
                index: LogIndex(1),
                not_after: UnixSeconds(2_600_000_000),
                path_len: None,
                names: vec![],
            }),
            others: vec![],
            purpose,
            shards: Shards::ONE,
            retired_at: None,
        };
        let entry = CertificateEntry {
            tbs: vec![],
            profile: "root".parse().unwrap(),
            profile_version: 1,
            requester: Identity::Ceremony,
            owner: RequestId { node: NodeId(1), boot: BootId(1), counter: 1 },
            intent_index: LogIndex(1),
            not_after: UnixSeconds(2_600_000_000),
            certifies: Some(ca(name)),
            responder: None,
            state: CertificateState::Open,
        };
        rows.push((Key::Issuer(ca(name)), Value::Issuer(Arc::new(issuer))));
        rows.push((Key::Certificate(ca(parent), serial), Value::Certificate(Arc::new(entry))));
    }
    for profile in built_in(&DnsRule::Any).unwrap() {
        rows.push((Key::Profile(profile.name.clone()), Value::Profile(Arc::new(profile))));
    }
    let mut register = MemoryRegister::default();
    register.write(rows.into_iter().map(|(key, value)| Change { key, value: Some(value) }).collect());
    register
}
