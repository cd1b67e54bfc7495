//! OCSP sentence by sentence, over requests made by hand where no client makes them.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::Request;
use ca_core::roles::Role;
use ca_x509::certificate::Certificate;
use ca_x509::ocsp::{CertId, CertStatus, HashAlgorithm, OcspError, OcspRequest, OcspResponse, ResponseData};
use ca_x509::serial::SerialNumber;
use serde_json::Value;

use crate::world::{Answer, World, get};

/// One value in DER, of up to 65,535 octets.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let header = match (high, low) {
        (0, 0..0x80) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [header, content.to_vec()].concat()
}

async fn asked(world: &World, request: Vec<u8>) -> (Answer, OcspResponse) {
    let answer = world.va(Request::post("/ocsp").body(Body::from(request)).unwrap()).await;
    let response = OcspResponse::parse(&answer.body).unwrap();
    (answer, response)
}

async fn told(world: &World, cert_ids: Vec<CertId>) -> Result<ResponseData, OcspError> {
    match asked(world, OcspRequest { cert_ids, nonce: None }.encode().unwrap()).await.1 {
        OcspResponse::Basic(basic) => Ok(basic.data().clone()),
        OcspResponse::Error(error) => Err(error),
    }
}

async fn certificate_of(world: &World, ca: &str) -> Certificate {
    Certificate::parse(&world.va(get(&format!("/ca/{ca}.cer"))).await.body).unwrap()
}

fn serial_of(issued: &Value) -> SerialNumber {
    issued["serial"].as_str().unwrap().parse().unwrap()
}

fn sha256_id(issuer: &Certificate, serial: &SerialNumber) -> CertId {
    let hash = |octets| ca_core::ids::Digest::of(octets).0;
    let (name, key) = (hash(issuer.subject().as_der()), hash(issuer.public_key().key_bits()));
    CertId::new(HashAlgorithm::Sha256, &name, &key, serial).unwrap()
}

/// RFC 9654 §2.1: 1 to 128 octets are echoed; anything else is malformed.
#[tokio::test]
async fn rfc9654_2_1_a_nonce_has_1_to_128_octets() {
    let world = World::new().await;
    let issued = world.issued(&world.caller(&[Role::Requester]).await).await;
    let issuer = certificate_of(&world, "issuing").await;
    let id = CertId::sha1(issuer.subject(), issuer.public_key(), &serial_of(&issued));
    for length in [1, 16, 32, 100] {
        let nonce = vec![7; length];
        let request =
            OcspRequest { cert_ids: vec![id.clone()], nonce: Some(nonce.clone()) }.encode().unwrap();
        let (answer, response) = asked(&world, request).await;
        let OcspResponse::Basic(basic) = response else { panic!("{length}: {response:?}") };
        assert_eq!(basic.data().nonce.as_ref(), Some(&nonce), "the answer has the request's nonce");
        assert_eq!(answer.header("cache-control"), "no-store", "and is for nobody else");
    }
    let request = OcspRequest { cert_ids: vec![id.clone()], nonce: Some(vec![7; 128]) }.encode().unwrap();
    assert!(matches!(asked(&world, request).await.1, OcspResponse::Basic(_)), "the longest");
    for length in [0, 129] {
        let request = raw_nonce(&id, length);
        let (_, response) = asked(&world, request).await;
        assert_eq!(response, OcspResponse::Error(OcspError::MalformedRequest), "{length} octets");
    }
}

/// A request with a nonce of so many octets.
fn raw_nonce(id: &CertId, length: usize) -> Vec<u8> {
    let octet_string = |content: &[u8]| tlv(4, content);
    let oid = [6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];
    let extension = tlv(0x30, &[&oid[..], &octet_string(&octet_string(&vec![7; length]))].concat());
    let list = tlv(0x30, &tlv(0x30, id.as_der()));
    let extensions = tlv(0xa2, &tlv(0x30, &extension));
    tlv(0x30, &tlv(0x30, &[list, extensions].concat()))
}

/// RFC 6960 §4.1.1: CertIDs by SHA-1 and by SHA-256, several in one request, answered in their order.
#[tokio::test]
async fn rfc6960_4_1_1_several_certificates_of_one_ca_by_either_hash() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let serials = [serial_of(&world.issued(&caller).await), serial_of(&world.issued(&caller).await)];
    let issuer = certificate_of(&world, "issuing").await;
    let unissued: SerialNumber = "0123456789".parse().unwrap();
    let by_sha1 = |serial: &SerialNumber| CertId::sha1(issuer.subject(), issuer.public_key(), serial);
    let ids = vec![by_sha1(&serials[0]), sha256_id(&issuer, &serials[1]), sha256_id(&issuer, &unissued)];
    let data = told(&world, ids.clone()).await.unwrap();
    let answered: Vec<_> = data.responses.iter().map(|single| single.cert_id.clone()).collect();
    assert_eq!(answered, ids);
    let statuses: Vec<_> = data.responses.iter().map(|single| single.status).collect();
    assert_eq!(statuses, [CertStatus::Good, CertStatus::Good, CertStatus::Unknown]);
    assert!(!data.extended_revoke, "RFC 6960 §4.4.8: what was not issued is unknown, never revoked");
}

/// RFC 6960 §4.4.4: statuses are known since the CA began, and the answer says so; not of what was never issued.
#[tokio::test]
async fn rfc6960_4_4_4_the_archive_begins_with_the_ca() {
    let world = World::new().await;
    let serial = serial_of(&world.issued(&world.caller(&[Role::Requester]).await).await);
    let issuer = certificate_of(&world, "issuing").await;
    let data = told(&world, vec![sha256_id(&issuer, &serial)]).await.unwrap();
    assert_eq!(data.responses[0].archive_cutoff, Some(issuer.not_before()));
    let data = told(&world, vec![sha256_id(&issuer, &SerialNumber::MIN)]).await.unwrap();
    assert_eq!(data.responses[0].archive_cutoff, None);
}

/// RFC 6960 §4.2.2.2: a responder is authorized by the CA that it answers for, so no answer is for two; §2.3: a CA of
/// others is not ours to speak of. The hashes are compared together.
#[tokio::test]
async fn rfc6960_2_3_unauthorized_for_other_issuers_and_for_two_at_once() {
    let world = World::new().await;
    let serial = serial_of(&world.issued(&world.caller(&[Role::Requester]).await).await);
    let (issuing, root) = (certificate_of(&world, "issuing").await, certificate_of(&world, "root").await);
    let own = sha256_id(&issuing, &serial);
    let mixed = CertId::sha1(root.subject(), issuing.public_key(), &serial);
    let nobody = CertId::new(HashAlgorithm::Sha256, &[1; 32], &[2; 32], &serial).unwrap();
    let of_root = sha256_id(&root, &issuing.serial());
    for ids in [vec![mixed], vec![nobody.clone()], vec![own.clone(), nobody], vec![own.clone(), of_root]] {
        assert_eq!(told(&world, ids).await, Err(OcspError::Unauthorized));
    }
    assert!(told(&world, vec![own]).await.is_ok());
}

/// RFC 6960 §2.3: `tryLater` where a later answer may be another: no token and nothing signed, no quorum and nothing
/// known. What is signed already is served.
#[tokio::test]
async fn rfc6960_2_3_try_later_is_said_only_where_later_helps() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let (first, second) = (serial_of(&world.issued(&caller).await), serial_of(&world.issued(&caller).await));
    let issuer = certificate_of(&world, "issuing").await;
    assert!(told(&world, vec![sha256_id(&issuer, &first)]).await.is_ok());
    world.switches.token_down.store(true, Ordering::SeqCst);
    assert!(told(&world, vec![sha256_id(&issuer, &first)]).await.is_ok(), "it is signed");
    assert_eq!(told(&world, vec![sha256_id(&issuer, &second)]).await, Err(OcspError::TryLater));
    world.switches.token_down.store(false, Ordering::SeqCst);
    world.switches.no_quorum.store(true, Ordering::SeqCst);
    assert!(told(&world, vec![sha256_id(&issuer, &second)]).await.is_ok(), "it is known here");
    assert_eq!(told(&world, vec![sha256_id(&issuer, &SerialNumber::MIN)]).await, Err(OcspError::TryLater));
}
