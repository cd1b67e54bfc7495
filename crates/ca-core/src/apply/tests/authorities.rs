//! CAs: how they come to issue, what they may issue, and how they end.

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use ca_x509::certificate::{
    BasicConstraints, Extensions, KeyUsage, NameConstraints, NameSubtree, TbsCertificate, assemble,
};
use ca_x509::crl::RevocationReason::CessationOfOperation;
use ca_x509::name::{DistinguishedName, GeneralName};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use super::bench::*;
use crate::apply::*;
use crate::certificate::{chain, chains};
use crate::command::Intent;
use crate::ids::{BootId, Digest, NodeId};
use crate::mandate::CaLimits;
use crate::outcome::Refusal;
use crate::plan::{CertificateRequest, NamesFrom, PlanError, plan};
use crate::profile::Profile;
use crate::register::CertifiedBy;
use crate::roles::{Identity, Role, Scope};
use crate::shards::Shards;

const DAY_S: u64 = 24 * 3600;
const NODE: Identity = Identity::Node(NodeId(1));

/// A request for the certificate of a CA of this cluster.
fn ca_request(of: &str, by: &str, octet: u8, limits: CaLimits) -> CertificateRequest {
    CertificateRequest {
        profile: "sub-ca".parse().unwrap(),
        ca: Some(ca(by)),
        public_key: key(octet),
        subject: subject(of),
        names: vec![],
        names_from: NamesFrom::Caller,
        ttl_s: Some(100 * DAY_S),
        certifies: Some(ca(of)),
        limits: Some(limits),
        responder: None,
    }
}

fn responder(by: &str) -> CertificateRequest {
    CertificateRequest {
        profile: "ocsp-responder".parse().unwrap(),
        ca: Some(ca(by)),
        public_key: key(98),
        subject: subject("responder"),
        names: vec![],
        responder: Some(NodeId(1)),
        ..server()
    }
}

fn limits(path_len: Option<u8>, permit: &[&str]) -> CaLimits {
    let permitted = permit.iter().map(|base| NameSubtree::Dns((*base).into())).collect();
    CaLimits { path_len, names: Some(NameConstraints { permitted, excluded: vec![] }) }
}

impl Bench {
    /// A CA with its certificate.
    fn with_ca(&mut self, of: &str, by: &str, octet: u8, limits: CaLimits) {
        self.done(define(of, by, octet));
        self.done(prove(octet));
        let intent = self.draft(NODE, ca_request(of, by, octet, limits), octet);
        let serial = self.commit(intent);
        self.record(of, by, serial);
    }

    /// `tls-server` is issued by this CA from now on.
    fn serves(&mut self, by: &str) {
        let profile = self.profile("tls-server");
        let version = profile.version.saturating_add(1);
        let profile = Profile { version, issuers: vec![ca(by)], ..profile };
        self.done(Command::DefineProfile { profile: profile.into(), requester: NODE });
    }

    fn refused(&self, requester: Identity, request: CertificateRequest) -> Refusal {
        match plan(self.register(), requester, request, self.now) {
            Err(PlanError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    fn refused_later(&mut self, intent: Intent) -> &'static str {
        match self.apply(1, Command::Intent(intent)) {
            Outcome::Refused(refusal) => refusal.slug(),
            other => panic!("{other:?}"),
        }
    }
}

/// Mechanism: `apply::authorities::proven_by_all`. Without it the CA is active while node 2 cannot issue by it.
#[test]
fn r11_a_ca_is_certified_once_every_signing_member_has_proven_its_key() {
    let mut bench = Bench::ready();
    for octet in [10, 11, 12] {
        assert_eq!(bench.apply(2, prove(octet)), Outcome::Done);
    }
    bench.done(define("team", "root", 13));
    bench.done(prove(13));
    let intent = || ca_request("team", "root", 13, CaLimits::default());
    let unproven = bench.draft(NODE, intent(), 60);
    let refusal = Refusal::KeyUnproven { ca: ca("team"), nodes: vec![NodeId(2)] };
    assert_eq!(bench.apply(1, Command::Intent(unproven)), Outcome::Refused(refusal));
    assert_eq!(bench.apply(2, prove(13)), Outcome::Done);
    let serial = bench.commit(bench.draft(NODE, intent(), 61));
    bench.record("team", "root", serial);
    assert_eq!(bench.own("team").by, CertifiedBy::Here { ca: ca("root"), serial });
}

/// Mechanism: `mandate::may_not_issue`, asked when planned and when applied.
#[test]
fn a_retired_ca_issues_nothing_but_its_status_goes_on() {
    let mut bench = Bench::ready();
    bench.with_ca("team", "root", 13, CaLimits::default());
    bench.serves("team");
    let (leaf, sub) = (bench.intent(60), ca_request("sub", "team", 14, CaLimits::default()));
    let retire = || Command::RetireCa { ca: ca("team"), requester: NODE };
    bench.done(retire());
    assert_eq!(bench.apply(1, retire()), Outcome::Refused(Refusal::CaRetired { ca: ca("team") }));
    assert_eq!(bench.refused(CLIENT, server()), Refusal::CaRetired { ca: ca("team") });
    assert_eq!(bench.refused(NODE, sub), Refusal::CaRetired { ca: ca("team") });
    assert_eq!(bench.refused_later(leaf), "ca-retired");
    let status = bench.draft(NODE, responder("team"), 61);
    bench.commit(status);
    assert!(matches!(bench.apply(1, cut("team")), Outcome::CrlCut(_)));
    // Nobody certifies it anew, and its key signs no request.
    bench.done(define("other", "root", 15));
    let again = ca_request("team", "root", 13, CaLimits::default());
    let again = bench.draft(NODE, again, 62);
    assert_eq!(bench.refused_later(again), "ca-retired");
    for command in [
        Command::RequestCaCertificate { ca: ca("team"), requester: NODE },
        Command::ImportCaCertificate { ca: ca("team"), chain: vec![], requester: NODE },
    ] {
        assert_eq!(bench.apply(1, command), Outcome::Refused(Refusal::CaRetired { ca: ca("team") }));
    }
}

/// Mechanism: `mandate::is_revoked`. Without it a CA whose certificate its parent revoked goes on to issue.
#[test]
fn a_revoked_ca_issues_nothing_nor_do_those_below_it() {
    let mut bench = Bench::ready();
    bench.with_ca("mid", "root", 13, CaLimits::default());
    bench.with_ca("low", "mid", 14, CaLimits::default());
    bench.serves("low");
    let leaf = bench.intent(60);
    let requester = Identity::Client(Digest([1; 32]));
    let serial = SerialNumber::from_random([13; 16]);
    let revoke = Command::Revoke { ca: ca("root"), serial, reason: CessationOfOperation, requester };
    assert!(matches!(bench.apply(1, revoke), Outcome::Revoked { .. }));
    let revoked = |of: &str| Refusal::CaRevoked { ca: ca(of), revoked: ca("mid") };
    assert_eq!(bench.refused(CLIENT, server()), revoked("low"));
    assert_eq!(bench.refused(NODE, ca_request("new", "mid", 15, CaLimits::default())), revoked("mid"));
    assert_eq!(bench.refused_later(leaf), "ca-revoked");
    bench.commit(bench.draft(NODE, responder("mid"), 61));
    assert!(matches!(bench.apply(1, cut("mid")), Outcome::CrlCut(_)));
    // A new certificate for the same key, and they issue again.
    let serial = bench.commit(bench.draft(NODE, ca_request("mid", "root", 13, CaLimits::default()), 62));
    bench.record("mid", "root", serial);
    let planned = plan(bench.register(), CLIENT, server(), bench.now);
    assert!(planned.is_ok(), "{planned:?}");
}

#[test]
fn rfc5280_4_2_1_9_no_path_is_longer_than_any_ca_on_it_allows() {
    let mut bench = Bench::ready();
    bench.with_ca("two", "root", 13, limits(Some(2), &[]));
    bench.with_ca("one", "two", 14, limits(Some(1), &[]));
    bench.with_ca("any", "root", 15, limits(None, &[]));
    bench.with_ca("zero", "any", 16, limits(Some(0), &[]));
    for (by, asked, taken) in [
        ("root", None, true),
        ("root", Some(200), true),
        ("two", Some(1), true),
        ("two", Some(2), false),
        ("two", None, false),
        ("one", Some(0), true),
        ("one", Some(1), false),
        ("any", Some(7), true),
        ("any", None, true),
        ("zero", Some(0), false),
        ("zero", None, false),
    ] {
        let request = ca_request("new", by, 20, limits(asked, &[]));
        if taken {
            let planned = plan(bench.register(), NODE, request, bench.now);
            assert!(planned.is_ok(), "{asked:?} below {by}: {planned:?}");
        } else {
            let Refusal::OutsideCa { ca: of, field, why } = bench.refused(NODE, request) else {
                panic!("{asked:?} below {by}")
            };
            assert_eq!((of, field.as_str()), (ca(by), "path_len"), "{why}");
        }
    }
}

#[test]
fn rfc5280_4_2_1_10_names_are_within_the_constraints_of_every_ca_above() {
    let mut bench = Bench::ready();
    bench.with_ca("corp", "root", 13, limits(None, &["corp.example"]));
    bench.with_ca("team", "corp", 14, limits(None, &["team.corp.example"]));
    bench.serves("team");
    let named = |name: &str| CertificateRequest { names: vec![GeneralName::Dns(name.into())], ..server() };
    for (name, taken) in [
        ("team.corp.example", true),
        ("web.team.corp.example", true),
        ("*.team.corp.example", true),
        ("corp.example", false),
        ("web.corp.example", false),
        ("*.corp.example", false),
        ("team.corp.example.org", false),
    ] {
        if taken {
            assert!(plan(bench.register(), CLIENT, named(name), bench.now).is_ok(), "{name}");
        } else {
            let refusal = bench.refused(CLIENT, named(name));
            assert!(matches!(&refusal, Refusal::OutsideCa { field, .. } if field == "names"), "{refusal}");
            assert!(refusal.to_string().contains("corp.example"), "both sides: {refusal}");
        }
    }
    // A form that is not constrained is free.
    let ip = CertificateRequest { names: vec![GeneralName::Ip([10, 0, 0, 1].into())], ..server() };
    assert!(plan(bench.register(), CLIENT, ip, bench.now).is_ok());
    // A CA below asks for no more than the one above has.
    for (permit, taken) in [("a.team.corp.example", true), ("corp.example", false), ("other.example", false)]
    {
        let request = ca_request("new", "team", 20, limits(None, &[permit]));
        let planned = plan(bench.register(), NODE, request, bench.now);
        assert_eq!(planned.is_ok(), taken, "{permit}: {planned:?}");
    }
}

#[test]
fn no_ca_outlives_one_above_it() {
    let mut bench = Bench::ready();
    bench.with_ca("short", "root", 13, CaLimits::default());
    let asked = |ttl_s| CertificateRequest { ttl_s, ..ca_request("new", "short", 20, CaLimits::default()) };
    let refusal = bench.refused(NODE, asked(Some(101 * DAY_S)));
    assert!(refusal.to_string().contains("the CA itself ends in"), "{refusal}");
    // What is not asked for is cut to fit.
    let intent = bench.draft(NODE, asked(None), 60);
    assert_eq!(intent.not_after, bench.own("short").not_after);
}

#[test]
fn only_an_admin_among_clients_has_cas_certified() {
    let mut bench = Bench::ready();
    let admin = Identity::Client(Digest([2; 32]));
    bench.grant(2, &[Role::Admin], Scope::default());
    bench.done(define("team", "root", 13));
    bench.done(prove(13));
    let request = || ca_request("team", "root", 13, CaLimits::default());
    assert_eq!(bench.refused(CLIENT, request()).slug(), "forbidden");
    let intent = bench.draft(admin, request(), 60);
    // What decides is the grant in the log: planned by a node that lags, it is refused here.
    let forged = Intent { requester: CLIENT, grant_index: None, ..intent.clone() };
    assert_eq!(bench.refused_later(forged), "stale-draft");
    bench.commit(intent);
}

#[test]
fn a_renewed_ca_issues_under_the_latest_certificate() {
    let mut bench = Bench::ready();
    bench.with_ca("team", "root", 13, CaLimits::default());
    let first = bench.own("team");
    let serial = bench.commit(bench.draft(NODE, ca_request("team", "root", 13, limits(Some(0), &[])), 60));
    bench.record("team", "root", serial);
    let issuer = bench.register().issuer(&ca("team")).unwrap().unwrap();
    assert_eq!(issuer.others, [first]);
    let own = bench.own("team");
    assert_eq!((own.by, own.path_len), (CertifiedBy::Here { ca: ca("root"), serial }, Some(0)));
}

#[test]
fn a_cross_certificate_is_another_way_to_a_root() {
    let mut bench = Bench::ready();
    bench.done(define("second", "second", 13));
    bench.done(prove(13));
    let own = CertificateRequest {
        profile: "root".parse().unwrap(),
        ..ca_request("second", "second", 13, CaLimits::default())
    };
    // No cross-certificate comes before a CA's own.
    let early = bench.draft(NODE, ca_request("second", "root", 13, CaLimits::default()), 59);
    assert_eq!(bench.refused_later(early), "ca-inactive");
    let serial = bench.commit(bench.draft(NODE, own, 60));
    bench.record("second", "second", serial);
    for (of, octet, by, serial) in [("root", 10, "second", 61), ("second", 13, "root", 62)] {
        let cross = bench.draft(NODE, ca_request(of, by, octet, CaLimits::default()), serial);
        let serial = bench.commit(cross);
        bench.record(of, by, serial);
    }
    let register = bench.register();
    let all = chains(register, &ca("issuing")).unwrap();
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [2, 3], "to root, and over it to second");
    assert_eq!(all[0], chain(register, &ca("issuing")).unwrap());
    assert_eq!(
        chains(register, &ca("root")).unwrap().len(),
        2,
        "they certify each other, and nothing circles"
    );
    // The peers' CA stays by itself: whom it certifies is a member, and is supplied with keys.
    let peers = bench.draft(Identity::Ceremony, ca_request("peers", "root", 12, CaLimits::default()), 63);
    assert_eq!(bench.refused_later(peers), "outside-profile");
    bench.grant(2, &[Role::Admin], Scope::default());
    let admin = Identity::Client(Digest([2; 32]));
    let stranger =
        CertificateRequest { certifies: None, ..ca_request("x", "peers", 40, CaLimits::default()) };
    assert!(bench.refused(admin, stranger).to_string().contains("the cluster's own nodes and nobody else"));
}

#[test]
fn r1_a_ca_key_signs_its_request_once_and_nothing_else() {
    let mut bench = Bench::ready();
    let command = || Command::RequestCaCertificate { ca: ca("issuing"), requester: NODE };
    let record = || Command::RecordCaRequest { ca: ca("issuing"), signature: vec![7; 64], requester: NODE };
    let first = bench.envelope(1, command());
    let applied = bench.log(first.clone());
    // R7: a duplicate bears no permit.
    assert!(bench.log(first).into_request_permit().is_err());
    let order = applied.into_request_permit().unwrap().order(bench.register()).unwrap();
    let info = ca_x509::request::info_der(&subject("issuing"), &key(11));
    assert_eq!((order.message(), order.key()), (info.as_slice(), key(11).key_identifier()));
    // A restart: the request is asked for anew, and the old permit is worth nothing.
    let envelope = bench.envelope(1, command());
    let lost = bench.log(envelope).into_request_permit().unwrap();
    bench.boot = BootId(2);
    assert_eq!(
        bench.apply(1, record()),
        Outcome::Refused(Refusal::StaleDraft { what: "who signs the request".into() })
    );
    assert!(matches!(bench.apply(1, command()), Outcome::CaRequestCommitted { .. }));
    assert!(lost.order(bench.register()).is_err());
    bench.done(record());
    // It is signed: nothing more to sign, and nothing more to say (I20).
    bench.done(command());
    assert!(matches!(bench.apply(1, record()), Outcome::Refused(Refusal::StaleDraft { .. })));
    let request = bench.register().ca_request(&ca("issuing")).unwrap().unwrap();
    assert_eq!(request.signature, Some(vec![7; 64]));
}

/// A certificate from elsewhere, not signed: that is the proposer's to verify.
struct Foreign {
    tbs: TbsCertificate,
}

impl Foreign {
    fn new(of: &str, octet: u8, by: &str) -> Self {
        Self {
            tbs: TbsCertificate {
                serial: SerialNumber::from_random([octet; 16]),
                signature_algorithm: ca_x509::algorithm::SignatureAlgorithm::Ed25519,
                issuer: subject(by),
                not_before: UnixSeconds(START.seconds().0.saturating_sub(DAY_S)),
                not_after: START.plus(1000 * DAY_S * 1000).seconds(),
                subject: subject(of),
                public_key: key(octet),
                extensions: Extensions {
                    basic_constraints: Some(BasicConstraints { ca: true, path_len: None }),
                    key_usage: Some(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN),
                    ..Extensions::default()
                },
            },
        }
    }

    fn der(&self) -> Vec<u8> {
        assemble(&self.tbs.encode().unwrap(), self.tbs.signature_algorithm, &[1; 64])
    }
}

#[test]
fn an_imported_certificate_fits_the_ca_and_its_chain() {
    type Break = fn(&mut [Foreign; 3]);
    let rows: &[(&str, Break)] = &[
        ("", |_| {}),
        ("its key is", |chain| chain[0].tbs.public_key = key(40)),
        ("its subject is", |chain| chain[0].tbs.subject = subject("else")),
        ("no CA's", |chain| chain[0].tbs.extensions.basic_constraints = None),
        ("no CA's", |chain| {
            chain[1].tbs.extensions.basic_constraints = Some(BasicConstraints { ca: false, path_len: None });
        }),
        ("cRLSign", |chain| chain[0].tbs.extensions.key_usage = Some(KeyUsage::KEY_CERT_SIGN)),
        ("cRLSign", |chain| chain[0].tbs.extensions.key_usage = None),
        ("keyCertSign", |chain| chain[0].tbs.extensions.key_usage = Some(KeyUsage::CRL_SIGN)),
        ("keyCertSign", |chain| chain[1].tbs.extensions.key_usage = Some(KeyUsage::CRL_SIGN)),
        ("the names differ", |chain| chain[0].tbs.issuer = subject("else")),
        ("the names differ", |chain| chain[1].tbs.issuer = subject("else")),
        ("no root", |chain| chain[2].tbs.issuer = subject("higher")),
        ("valid from", |chain| chain[0].tbs.not_before = START.plus(1000).seconds()),
        ("valid from", |chain| chain[1].tbs.not_after = START.seconds()),
        ("path length is 0, and 1 CAs", |chain| {
            chain[1].tbs.extensions.basic_constraints =
                Some(BasicConstraints { ca: true, path_len: Some(0) });
        }),
        ("path length is 1, and 2 CAs", |chain| {
            chain[2].tbs.extensions.basic_constraints =
                Some(BasicConstraints { ca: true, path_len: Some(1) });
        }),
        ("outside its name constraints", |chain| {
            let only: DistinguishedName = "O=Else".parse().unwrap();
            let permitted = vec![NameSubtree::Directory(only.into())];
            chain[2].tbs.extensions.name_constraints = Some(NameConstraints { permitted, excluded: vec![] });
        }),
    ];
    for (why, break_it) in rows {
        let mut bench = Bench::ready();
        bench.done(Command::DefineIssuer {
            ca: ca("ext"),
            subject: subject("ext"),
            public_key: key(30),
            algorithm: ca_x509::algorithm::SignatureAlgorithm::Ed25519,
            parent: None,
            purpose: crate::register::IssuerPurpose::Public,
            requester: NODE,
            shards: Shards::ONE,
        });
        bench.done(prove(30));
        let mut foreign = [
            Foreign::new("ext", 30, "middle"),
            Foreign::new("middle", 31, "top"),
            Foreign::new("top", 32, "top"),
        ];
        break_it(&mut foreign);
        let chain = foreign.iter().map(Foreign::der).collect();
        let refused =
            match bench.apply(1, Command::ImportCaCertificate { ca: ca("ext"), chain, requester: NODE }) {
                Outcome::Done => String::new(),
                Outcome::Refused(Refusal::ImportUnfit { why, .. }) => why,
                other => panic!("{other:?}"),
            };
        assert!(if why.is_empty() { refused.is_empty() } else { refused.contains(why) }, "{why}: {refused}");
    }
}

#[test]
fn under_an_imported_certificate_a_ca_issues_within_its_whole_chain() {
    let mut bench = Bench::ready();
    let define = Command::DefineIssuer {
        ca: ca("ext"),
        subject: subject("ext"),
        public_key: key(30),
        algorithm: ca_x509::algorithm::SignatureAlgorithm::Ed25519,
        parent: None,
        purpose: crate::register::IssuerPurpose::Public,
        requester: NODE,
        shards: Shards::ONE,
    };
    bench.done(define);
    bench.done(prove(30));
    bench.serves("ext");
    assert_eq!(bench.refused(CLIENT, server()), Refusal::CaInactive { ca: ca("ext") });
    let mut foreign = [Foreign::new("ext", 30, "top"), Foreign::new("top", 32, "top")];
    foreign[1].tbs.not_after = START.plus(100 * DAY_S * 1000).seconds();
    foreign[1].tbs.extensions.basic_constraints = Some(BasicConstraints { ca: true, path_len: Some(2) });
    let permitted = vec![NameSubtree::Dns("web.test".into())];
    foreign[1].tbs.extensions.name_constraints = Some(NameConstraints { permitted, excluded: vec![] });
    let octets: Vec<_> = foreign.iter().map(Foreign::der).collect();
    let import = Command::ImportCaCertificate { ca: ca("ext"), chain: octets.clone(), requester: NODE };
    bench.done(import.clone());
    assert!(matches!(bench.apply(1, import), Outcome::Refused(Refusal::ImportUnfit { .. })), "once");
    assert_eq!(chain(bench.register(), &ca("ext")).unwrap(), octets);
    let own = bench.own("ext");
    assert_eq!((own.path_len, own.not_after), (Some(1), foreign[1].tbs.not_after));
    assert!(plan(bench.register(), CLIENT, server(), bench.now).is_ok());
    let elsewhere = CertificateRequest { names: vec![GeneralName::Dns("mail.test".into())], ..server() };
    assert_eq!(bench.refused(CLIENT, elsewhere).slug(), "outside-ca");
    let sub = |path_len| ca_request("sub", "ext", 33, limits(path_len, &[]));
    assert!(plan(bench.register(), NODE, sub(Some(0)), bench.now).is_ok());
    assert_eq!(bench.refused(NODE, sub(Some(1))).slug(), "outside-ca");
}
