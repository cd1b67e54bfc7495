//! Certification requests at the door, each truly signed by the key that is in it: what is wrong is what the row says.

use std::ops::ControlFlow;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use ca_core::ids::{CaId, Digest};
use ca_core::register::{Key, KeyUse, Value};
use ca_core::roles::Role;
use ca_x509::key::{KeyKind, PublicKey};
use ca_x509::serial::SerialNumber;
use serde_json::json;

use crate::world::{Answer, World, id, post};
use crate::write::{ECDSA, bits, common_name, extension, int, oid, p256, seq, set, tlv, utf8};

const CERTIFICATES: &str = "/api/v1/certificates";
const CHALLENGE_PASSWORD: &str = "1.2.840.113549.1.9.7";

/// Who has a key, and signs requests with it.
struct Requester {
    pair: EcdsaKeyPair,
    key: PublicKey,
}

impl Requester {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let key = PublicKey::from_ec_point(KeyKind::EcP256, pair.public_key().as_ref()).unwrap();
        Self { pair, key }
    }

    fn request(&self, subject: &[u8], attributes: &[&[u8]]) -> Vec<u8> {
        let info = info(subject, self.key.spki_der(), attributes);
        let signature = self.pair.sign(&SystemRandom::new(), &info).unwrap();
        seq(&[&info, &ECDSA.to_der(), &bits(signature.as_ref())])
    }

    /// For these alternative names, in DER.
    fn named(&self, names: &[&[u8]]) -> Vec<u8> {
        self.request(&seq(&[]), &[&names_wanted(names)])
    }
}

fn info(subject: &[u8], spki: &[u8], attributes: &[&[u8]]) -> Vec<u8> {
    seq(&[&int(&[0]), subject, spki, &tlv(0xa0, attributes)])
}

fn attribute(kind: &str, values: &[&[u8]]) -> Vec<u8> {
    seq(&[&oid(kind), &set(values)])
}

fn names_wanted(names: &[&[u8]]) -> Vec<u8> {
    attribute("1.2.840.113549.1.9.14", &[&seq(&[&extension("2.5.29.17", &seq(names))])])
}

fn dns(name: &[u8]) -> Vec<u8> {
    tlv(0x82, &[name])
}

fn base64(der: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(der)
}

async fn issue(world: &World, caller: &[u8], der: &[u8]) -> Answer {
    world.api(Some(caller), post(CERTIFICATES, &json!({ "profile": "tls-server", "csr": base64(der) }))).await
}

/// How many certificates the register has, whatever became of them.
fn count(world: &World) -> usize {
    let mut count = 0;
    let first = Key::Certificate(CaId::first(), SerialNumber::MIN);
    world
        .authority
        .register()
        .each(first, |_, _| {
            count += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    count
}

/// The names of one CSR, each in the way that a stranger would write it.
#[tokio::test]
async fn names_in_a_request() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let label = "a".repeat(63);
    let long = format!("{label}.{label}.{label}.{label}");
    let rows: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("a.test", dns(b"a.test"), 201, ""),
        ("capital letters", dns(b"A.TEST"), 201, ""),
        ("a wildcard", dns(b"*.a.test"), 201, ""),
        ("an international name", dns(b"xn--mnchen-3ya.test"), 201, ""),
        ("a NUL", dns(b"a.test\0.evil.test"), 400, "csr-malformed"),
        ("a line feed", dns(b"a.test\n"), 400, "csr-malformed"),
        ("a control character", dns(b"a\x07.test"), 400, "csr-malformed"),
        ("a DEL", dns(b"a\x7f.test"), 400, "csr-malformed"),
        ("Latin-1", dns(b"m\xfcnchen.test"), 400, "csr-malformed"),
        ("UTF-8", dns("münchen.test".as_bytes()), 400, "csr-malformed"),
        ("nothing", dns(b""), 400, "csr-malformed"),
        ("a dot", dns(b"."), 422, "outside-profile"),
        ("a blank", dns(b"a test"), 400, "csr-malformed"),
        ("255 characters", dns(long.as_bytes()), 422, "outside-profile"),
        ("a label of 64", dns(format!("{label}a.test").as_bytes()), 422, "outside-profile"),
        ("a wildcard in the middle", dns(b"a.*.test"), 422, "outside-profile"),
        ("a wildcard as a part", dns(b"a*.b.test"), 422, "outside-profile"),
        ("a wildcard alone", dns(b"*"), 422, "outside-profile"),
        ("a wildcard for a whole suffix", dns(b"*.test"), 422, "outside-profile"),
        ("two wildcards", dns(b"*.*.a.test"), 422, "outside-profile"),
        ("an A-label of nothing", dns(b"xn--.test"), 422, "outside-profile"),
        ("an A-label that does not come back", dns(b"xn--mnchen-psa.test"), 422, "outside-profile"),
        ("mixed scripts", dns(b"xn--pypal-4ve.test"), 422, "outside-profile"),
        ("an underscore", dns(b"a_b.test"), 422, "outside-profile"),
        ("a dot at its end", dns(b"a.test."), 422, "outside-profile"),
        ("two dots", dns(b"a..test"), 422, "outside-profile"),
        ("an IPv4 address", dns(b"192.0.2.1"), 422, "outside-profile"),
        ("an IPv6 address", dns(b"2001:db8::1"), 422, "outside-profile"),
        ("a hexadecimal address", dns(b"0x7f000001"), 422, "outside-profile"),
        ("a hyphen at its end", dns(b"a-.test"), 422, "outside-profile"),
        ("a URL", dns(b"https://a.test/"), 422, "outside-profile"),
        ("a port", dns(b"a.test:443"), 422, "outside-profile"),
        ("an address", tlv(0x87, &[&[192, 0, 2, 1]]), 201, ""),
        ("an address and its mask", tlv(0x87, &[&[255; 8]]), 400, "csr-malformed"),
        ("a mailbox", tlv(0x81, &[b"a@a.test"]), 422, "outside-profile"),
        ("a URI", tlv(0x86, &[b"spiffe://a.test/b"]), 422, "outside-profile"),
        ("a directory name", tlv(0xa4, &[&common_name("a.test")]), 422, "outside-profile"),
        ("a registered id", tlv(0x88, &[&[42]]), 400, "csr-malformed"),
    ];
    let many: Vec<Vec<u8>> = (0..101).map(|i| dns(format!("h{i}.test").as_bytes())).collect();
    let mut faults = Vec::new();
    let requester = Requester::new();
    for (what, name, status, slug) in rows {
        let answer = issue(&world, &caller, &requester.named(&[&name])).await;
        let got = (answer.status, if answer.status == 201 { String::new() } else { answer.slug() });
        if got != (status, slug.to_owned()) {
            faults.push(format!("{what}: {} {}", answer.status, answer.text()));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    let all: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    assert_eq!(issue(&world, &caller, &requester.named(&all[..100])).await.status, 201);
    let answer = issue(&world, &caller, &requester.named(&all)).await;
    assert_eq!((answer.status, answer.slug().as_str()), (400, "csr-malformed"));
    assert!(answer.text().contains("101 names, at most 100"), "{}", answer.text());
}

/// Where the names come from: those of the body in place of those of the CSR, never both, and a subject's common name
/// only if it is one of them.
#[tokio::test]
async fn i18_names_come_from_one_place() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let requester = Requester::new();
    let in_csr = names_wanted(&[&dns(b"csr.test")]);
    let body = |der: Vec<u8>, names: Option<&[&str]>| {
        let mut body = json!({ "profile": "tls-server", "csr": base64(&der) });
        if let Some(names) = names {
            body["names"] = json!(names);
        }
        post(CERTIFICATES, &body)
    };
    let none = seq(&[]);
    let long = format!("{0}.{0}.test", "a".repeat(40));
    for (what, subject, names, expected) in [
        ("in the CSR alone", none.clone(), None, Ok("DNS:csr.test")),
        ("in the body too", none.clone(), Some(&["body.test"][..]), Ok("DNS:body.test")),
        ("an empty list in the body", none.clone(), Some(&[][..]), Err("outside-profile")),
        ("a common name among them", common_name("csr.test"), None, Ok("DNS:csr.test")),
        ("a common name that is not", common_name("other.test"), None, Err("outside-profile")),
        (
            "a common name of the CSR's names, not the body's",
            common_name("csr.test"),
            Some(&["body.test"]),
            Err("outside-profile"),
        ),
        ("a common name of 65 characters", common_name(&"a".repeat(65)), None, Err("outside-profile")),
        ("a common name with a NUL", common_name("csr.test\0"), None, Err("outside-profile")),
        ("101 names in the body", none.clone(), Some(&["a.test"; 101]), Err("outside-profile")),
        ("a NUL in the body", none.clone(), Some(&["a\0.test"]), Err("outside-profile")),
        ("nothing in the body", none.clone(), Some(&[""]), Err("outside-profile")),
        ("an address as a DNS name", none.clone(), Some(&["DNS:192.0.2.1"]), Err("outside-profile")),
        ("a U-label", none.clone(), Some(&["münchen.test"]), Err("outside-profile")),
        ("a right-to-left mark", none.clone(), Some(&["a\u{202e}b.test"]), Err("outside-profile")),
        (
            "a name over 64 characters stands in no subject",
            common_name(&long[..64]),
            Some(&[&*long]),
            Err("outside-profile"),
        ),
    ] {
        let der = requester.request(&subject, &[&in_csr]);
        let answer = world.api(Some(&caller), body(der, names)).await;
        match expected {
            Ok(name) => {
                assert_eq!(answer.status, 201, "{what}: {}", answer.text());
                let pem = answer.json()["certificate"].as_str().unwrap().to_owned();
                let certificate = ca_x509::certificate::Certificate::parse(pem.as_bytes()).unwrap();
                let names: Vec<String> =
                    certificate.extensions().subject_alt_names.iter().map(ToString::to_string).collect();
                assert_eq!(names, [name], "{what}");
            }
            Err(slug) => {
                assert_eq!((answer.status, answer.slug().as_str()), (422, slug), "{what}: {}", answer.text())
            }
        }
    }
}

/// One bit of each octet of a request changed: the door refuses every one, for what was signed is not what came. No
/// intent is made of any.
///
/// Mechanism: `proven` in `ca-http/src/issue.rs` verifies over the received octets. Without it most are issued.
#[tokio::test]
async fn every_changed_octet_of_a_request_is_refused() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let good = Requester::new().named(&[&dns(b"a.test")]);
    let before = count(&world);
    for octet in 0..good.len() {
        let mut changed = good.clone();
        changed[octet] ^= 1 << (octet % 8);
        let answer = issue(&world, &caller, &changed).await;
        assert!([400, 422].contains(&answer.status), "octet {octet}: {}", answer.text());
    }
    for length in 0..good.len() {
        let answer = issue(&world, &caller, &good[..length]).await;
        assert_eq!((answer.status, answer.slug().as_str()), (400, "csr-malformed"), "{length} octets");
    }
    assert_eq!(count(&world), before);
    assert_eq!(issue(&world, &caller, &good).await.status, 201, "and as it was it is taken");
}

/// Points that are on no curve cannot have signed anything.
#[tokio::test]
async fn points_off_the_curve_prove_nothing() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let requester = Requester::new();
    let point = requester.key.key_bits().to_vec();
    let spki = |point: &[u8]| crate::write::ec("1.2.840.10045.3.1.7", point);
    let moved = {
        let mut moved = point.clone();
        moved[64] ^= 1;
        moved
    };
    let field = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    let field: Vec<u8> = (0..32).map(|i| u8::from_str_radix(&field[2 * i..2 * i + 2], 16).unwrap()).collect();
    for (what, key, status, slug) in [
        ("off the curve", spki(&moved), 422, "csr-signature"),
        ("x and y of zero", spki(&[&[4][..], &[0; 64]].concat()), 422, "csr-signature"),
        ("x of the field's size", spki(&[&[4][..], &field, &point[33..]].concat()), 422, "csr-signature"),
        ("all ones", spki(&[&[4][..], &[0xff; 64]].concat()), 422, "csr-signature"),
        ("the identity", spki(&[0]), 400, "csr-malformed"),
        ("compressed", spki(&[&[2][..], &point[1..33]].concat()), 400, "csr-malformed"),
        ("somebody else's key", p256(), 422, "csr-signature"),
    ] {
        let info = info(&seq(&[]), &key, &[&names_wanted(&[&dns(b"a.test")])]);
        let signature = requester.pair.sign(&SystemRandom::new(), &info).unwrap();
        let answer = issue(&world, &caller, &seq(&[&info, &ECDSA.to_der(), &bits(signature.as_ref())])).await;
        assert_eq!((answer.status, answer.slug().as_str()), (status, slug), "{what}: {}", answer.text());
    }
}

/// The keys of CAs, of the responder, and of a node's TLS listener: truly signed, and refused.
///
/// Mechanism: `cluster_key::taken` in `ca_core::plan::plan` and in `apply`.
#[tokio::test]
async fn the_clusters_own_keys_are_certified_for_nobody() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let register = world.authority.register();
    let mut own: Vec<PublicKey> =
        register.issuers().unwrap().into_iter().map(|(_, issuer)| issuer.public_key.clone()).collect();
    let issuing = id("issuing");
    let serial = register.responder(&issuing, ca_core::ids::NodeId(1)).unwrap().unwrap();
    let responder = register.certificate(&issuing, serial).unwrap().unwrap();
    own.push(ca_x509::certificate::TbsCertificate::decode(&responder.tbs).unwrap().public_key);
    assert_eq!(own.len(), 3);
    for key in own {
        let info = info(&seq(&[]), key.spki_der(), &[&names_wanted(&[&dns(b"a.test")])]);
        let signature = world.signed_with(&key, &info);
        let answer = issue(&world, &caller, &seq(&[&info, &ECDSA.to_der(), &bits(&signature)])).await;
        assert_eq!((answer.status, answer.slug().as_str()), (422, "cluster-key"), "{}", answer.text());
        assert_eq!(answer.json()["outcome"], "not_applied");
    }
    let listener = Requester::new();
    world.certify_listener(&listener.key).await;
    let usage = register.cluster_key(Digest::of(listener.key.spki_der())).unwrap();
    assert_eq!(usage, Some(KeyUse::Connections));
    let answer = issue(&world, &caller, &listener.named(&[&dns(b"a.test")])).await;
    assert_eq!((answer.status, answer.slug().as_str()), (422, "cluster-key"), "{}", answer.text());
}

/// A challenge password, and attributes that nobody knows, thousands of them: read over. Nothing of them is in the
/// certificate, in the register or in what is logged.
#[tokio::test]
async fn i26_attributes_leave_no_trace() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let password = attribute(CHALLENGE_PASSWORD, &[&utf8("canary-password")]);
    let unknown = attribute("1.3.6.1.4.1.99999.1", &[&utf8("canary-unknown")]);
    let names = names_wanted(&[&dns(b"a.test")]);
    let many: Vec<&[u8]> = std::iter::repeat_n(&unknown[..], 1_000).chain([&names[..]]).collect();
    let events = crate::api::Events::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(events.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let requester = Requester::new();
    for (what, attributes) in [
        ("a password", vec![&password[..], &names]),
        ("a password twice", vec![&password, &names, &password]),
        ("an unknown one", vec![&unknown, &names]),
        ("1,000 unknown ones", many),
    ] {
        let answer = issue(&world, &caller, &requester.request(&seq(&[]), &attributes)).await;
        assert_eq!(answer.status, 201, "{what}: {}", answer.text());
        assert!(!answer.text().contains("canary"), "{what}");
        let der =
            ca_x509::pem::decode(&["CERTIFICATE"], answer.json()["certificate"].as_str().unwrap().as_bytes());
        assert!(!holds(&der.unwrap(), b"canary"), "{what}");
    }
    // In what is refused they are not told either.
    let refused = issue(&world, &caller, &requester.request(&seq(&[]), &[&password])).await;
    assert_eq!((refused.status, refused.slug().as_str()), (422, "outside-profile"));
    drop(guard);
    assert!(!refused.text().contains("canary"));
    assert!(events.text().contains(CERTIFICATES), "something was logged");
    assert!(!events.text().contains("canary"));
    let first = Key::Certificate(CaId::first(), SerialNumber::MIN);
    let mut seen = 0;
    let look = |_: &Key, value: Value| {
        if let Value::Certificate(entry) = value {
            assert!(!holds(&entry.tbs, b"canary"));
            seen += 1;
        }
        ControlFlow::Continue(())
    };
    world.authority.register().each(first, look).unwrap();
    assert!(seen >= 4);
}

fn holds(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

/// More than is read of a request is too much, whatever it is.
#[tokio::test]
async fn a_request_of_100_000_attributes_is_too_large() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let smallest = seq(&[&[6, 1, 42], &[0x31, 0]]);
    let answer =
        issue(&world, &caller, &Requester::new().request(&seq(&[]), &[&smallest.repeat(100_000)])).await;
    assert_eq!((answer.status, answer.slug().as_str()), (413, "body-too-large"));
    // 48 KiB of DER are 64 KiB of base64.
    let answer =
        issue(&world, &caller, &Requester::new().request(&seq(&[]), &[&smallest.repeat(6_500)])).await;
    assert_eq!((answer.status, answer.slug().as_str()), (422, "outside-profile"), "{}", answer.text());
}
