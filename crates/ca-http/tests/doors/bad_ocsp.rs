//! OCSP requests at the door: every verdict is an OCSP answer or a refusal with its status, and never `good`.

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ca_core::roles::Role;
use ca_x509::certificate::Certificate;
use ca_x509::ocsp::{CertStatus, OcspResponse};

use crate::world::{World, get, id};
use crate::write::{extension, int, null, octets, oid, seq, tlv};

const SHA1: &str = "1.3.14.3.2.26";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const NONCE: &str = "1.3.6.1.5.5.7.48.1.2";

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Good,
    Unknown,
    Malformed,
    Unauthorized,
    Http(u16),
}
use Said::{Good, Http, Malformed, Unauthorized, Unknown};

/// Names and keys as they stand in a CertID.
struct Asked {
    name: [Vec<u8>; 2],
    key: [Vec<u8>; 2],
    serial: Vec<u8>,
}

impl Asked {
    fn id(&self, hash: usize, serial: &[u8]) -> Vec<u8> {
        id_of([SHA1, SHA256][hash], &self.name[hash], &self.key[hash], serial)
    }

    fn good(&self) -> Vec<u8> {
        self.id(0, &self.serial)
    }
}

fn id_of(hash: &str, name: &[u8], key: &[u8], serial: &[u8]) -> Vec<u8> {
    seq(&[&seq(&[&oid(hash), &null()]), &octets(name), &octets(key), &int(serial)])
}

fn request(ids: &[Vec<u8>], extensions: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> = ids.iter().flat_map(|id| seq(&[id])).collect();
    let extensions = if extensions.is_empty() { vec![] } else { tlv(0xa2, &[&seq(extensions)]) };
    seq(&[&seq(&[&seq(&[&list]), &extensions])])
}

fn nonce(length: usize) -> Vec<u8> {
    extension(NONCE, &octets(&vec![7; length]))
}

async fn asked(world: &World) -> Asked {
    let caller = world.caller(&[Role::Requester]).await;
    let issued = world.issued(&caller).await;
    let parse = |pem: &serde_json::Value| Certificate::parse(pem.as_str().unwrap().as_bytes()).unwrap();
    let (leaf, issuer) = (parse(&issued["certificate"]), parse(&issued["chain"][0]));
    let digest = |algorithm, octets: &[u8]| aws_lc_rs::digest::digest(algorithm, octets).as_ref().to_vec();
    let both = |octets: &[u8]| {
        [
            digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, octets),
            digest(&aws_lc_rs::digest::SHA256, octets),
        ]
    };
    let serial = leaf.serial();
    let serial = serial.as_be_bytes();
    let positive = if serial[0] < 0x80 { serial.to_vec() } else { [&[0], serial].concat() };
    Asked {
        name: both(issuer.subject().as_der()),
        key: both(issuer.public_key().key_bits()),
        serial: positive,
    }
}

async fn said(world: &World, request: Request<Body>) -> Said {
    let answer = world.va(request).await;
    if answer.status != 200 {
        assert!(!answer.slug().is_empty());
        return Http(answer.status);
    }
    assert_eq!(answer.header("content-type"), "application/ocsp-response");
    match answer.body[..] {
        [0x30, 3, 0x0a, 1, 1] => return Malformed,
        [0x30, 3, 0x0a, 1, 6] => return Unauthorized,
        _ => {}
    }
    let Ok(OcspResponse::Basic(basic)) = OcspResponse::parse(&answer.body) else {
        panic!("{:02x?}", answer.body);
    };
    match basic.data().responses[0].status {
        CertStatus::Good => Good,
        CertStatus::Unknown => Unknown,
        CertStatus::Revoked { .. } => panic!("nothing is revoked here"),
    }
}

fn post(octets: Vec<u8>) -> Request<Body> {
    Request::post("/ocsp")
        .header("content-type", "application/ocsp-request")
        .body(Body::from(octets))
        .unwrap()
}

#[tokio::test]
async fn requests_by_post() {
    let world = World::new().await;
    let asked = asked(&world).await;
    let good = asked.good();
    let one = |id: Vec<u8>| request(&[id], &[]);
    let critical = seq(&[&oid("1.2.3"), &[1, 1, 0xff], &octets(&null())]);
    let rows: Vec<(&str, Vec<u8>, Said)> = vec![
        ("a certificate of ours", one(good.clone()), Good),
        ("with SHA-256", one(asked.id(1, &asked.serial)), Good),
        ("0 of them", request(&[], &[]), Malformed),
        ("10 of them", request(&vec![good.clone(); 10], &[]), Good),
        ("11 of them", request(&vec![good.clone(); 11], &[]), Malformed),
        ("10,000 of them", request(&vec![good.clone(); 10_000], &[]), Http(413)),
        ("a nonce of 0 octets", request(std::slice::from_ref(&good), &[&nonce(0)]), Malformed),
        ("a nonce of 1 octet", request(std::slice::from_ref(&good), &[&nonce(1)]), Good),
        ("a nonce of 128 octets", request(std::slice::from_ref(&good), &[&nonce(128)]), Good),
        ("a nonce of 129 octets", request(std::slice::from_ref(&good), &[&nonce(129)]), Malformed),
        ("two nonces", request(std::slice::from_ref(&good), &[&nonce(8), &nonce(8)]), Malformed),
        ("an unknown critical extension", request(std::slice::from_ref(&good), &[&critical]), Malformed),
        ("an unknown hash", one(id_of("1.2.3.4", &[1; 20], &[2; 20], &asked.serial)), Unauthorized),
        ("MD5", one(id_of("1.2.840.113549.2.5", &[1; 16], &[2; 16], &asked.serial)), Unauthorized),
        ("serial 0", one(asked.id(0, &[0])), Unknown),
        ("serial -1", one(asked.id(0, &[0xff])), Unknown),
        ("a negative serial of 20 octets", one(asked.id(0, &[0x80; 20])), Unknown),
        ("a serial of 21 octets", one(asked.id(0, &[1; 21])), Unknown),
        ("a serial of 2,000 octets", one(asked.id(0, &[1; 2000])), Unknown),
        ("a serial that is not minimal", one(asked.id(0, &[0, 1])), Malformed),
        ("a serial without octets", one(asked.id(0, &[])), Malformed),
        ("a foreign issuer", one(id_of(SHA1, &[1; 20], &[2; 20], &asked.serial)), Unauthorized),
        (
            "our name and a foreign key",
            one(id_of(SHA1, &asked.name[0], &[2; 20], &asked.serial)),
            Unauthorized,
        ),
        (
            "our key and a foreign name",
            one(id_of(SHA1, &[1; 20], &asked.key[0], &asked.serial)),
            Unauthorized,
        ),
        (
            "hashes that are cut",
            one(id_of(SHA1, &asked.name[0][..19], &asked.key[0][..19], &asked.serial)),
            Unauthorized,
        ),
        (
            "hashes of another algorithm",
            one(id_of(SHA256, &asked.name[0], &asked.key[0], &asked.serial)),
            Unauthorized,
        ),
        ("no hashes", one(id_of(SHA1, &[], &[], &asked.serial)), Unauthorized),
        ("nothing", vec![], Malformed),
        ("text", b"is it good?".to_vec(), Malformed),
        ("an octet too many", [one(good.clone()), vec![0]].concat(), Malformed),
        ("an octet too few", one(good.clone())[..60].to_vec(), Malformed),
        ("SEQUENCEs 1,000 deep", (0..1_000).fold(vec![], |inner, _| seq(&[&inner])), Malformed),
        ("a length of 2^31", [&[0x30, 0x84, 0x80, 0, 0, 0][..], &good].concat(), Malformed),
        ("4 KiB and one octet", vec![0x30; 4097], Http(413)),
        ("a megabyte", vec![0x30; 1 << 20], Http(413)),
    ];
    for (what, octets, expected) in rows {
        assert_eq!(said(&world, post(octets)).await, expected, "{what}");
    }
    assert!(world.authority.register().responder(&id("issuing"), ca_core::ids::NodeId(1)).unwrap().is_some());
}

#[tokio::test]
async fn requests_by_get() {
    let world = World::new().await;
    let asked = asked(&world).await;
    let plain = STANDARD.encode(request(&[asked.good()], &[]));
    let escaped = plain.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let rows: Vec<(&str, String, Said)> = vec![
        ("as it is", format!("/ocsp/{plain}"), Good),
        ("escaped", format!("/ocsp/{escaped}"), Good),
        ("escaped twice", format!("/ocsp/{}", escaped.replace('%', "%25")), Good),
        (
            "escaped three times",
            format!("/ocsp/{}", escaped.replace('%', "%2525")),
            if escaped == plain { Good } else { Malformed },
        ),
        ("two slashes", format!("/ocsp//{plain}"), Good),
        ("three slashes", format!("/ocsp///{plain}"), Good),
        ("below its CA", format!("/ocsp/issuing/{plain}"), Good),
        ("below its CA, two slashes", format!("/ocsp/issuing//{plain}"), Good),
        ("below another CA: the request itself counts", format!("/ocsp/root/{plain}"), Good),
        ("below no CA", format!("/ocsp/nosuch/{plain}"), Malformed),
        ("a character less", format!("/ocsp/{}", &plain[..40]), Malformed),
        ("no base64", "/ocsp/%21%21%21".to_owned(), Malformed),
        ("half an escape", "/ocsp/MA%3".to_owned(), Malformed),
        ("an escape that is none", "/ocsp/MA%zz".to_owned(), Malformed),
        ("dots", "/ocsp/..%2F..%2Fetc".to_owned(), Malformed),
        ("2 KiB of base64", format!("/ocsp/{}", "M".repeat(2_000)), Malformed),
        ("more than 2 KiB", format!("/ocsp/{}", "M".repeat(2_100)), Http(414)),
        // Longer than any path that the library under the router holds: its own server says 414 as well.
        ("60 kB", format!("/ocsp/{}", "M".repeat(60_000)), Http(414)),
    ];
    for (what, path, expected) in rows {
        assert_eq!(said(&world, get(&path)).await, expected, "{what}: {}", &path[..path.len().min(100)]);
    }
}
