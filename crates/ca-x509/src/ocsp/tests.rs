//! Tests of OCSP.

use super::*;
use crate::algorithm::SignatureAlgorithm;
use crate::crl::RevocationReason;
use crate::key::KeyIdentifier;
use crate::time::UnixSeconds;
use alloc::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

fn serial() -> SerialNumber {
    SerialNumber::from_be_bytes(&[0x81, 2, 3]).unwrap()
}

fn cert_id() -> CertId {
    CertId::sha1(&DistinguishedName::empty(), &PublicKey::from_ed25519([1; 32]), &serial())
}

fn with_serial(serial: &[u8]) -> Result<OcspRequest, DecodeError> {
    let hash = asn1::sequence(&[&asn1::oid(oids::SHA1)]);
    let id = asn1::sequence(&[
        &hash,
        &asn1::octet_string(&[1; 20]),
        &asn1::octet_string(&[2; 20]),
        &asn1::tlv(asn1::INTEGER, &[serial]),
    ]);
    OcspRequest::parse(&asn1::sequence(&[&asn1::sequence(&[&asn1::sequence(&[&asn1::sequence(&[&id])])])]))
}

fn arbitrary_id() -> impl Strategy<Value = CertId> {
    (any::<bool>(), any::<[u8; 32]>(), any::<[u8; 16]>()).prop_map(|(is_sha1, hash, random)| {
        let (kind, length) = if is_sha1 { (HashAlgorithm::Sha1, 20) } else { (HashAlgorithm::Sha256, 32) };
        CertId::new(kind, &hash[..length], &hash[..length], &SerialNumber::from_random(random)).unwrap()
    })
}

fn arbitrary_nonce() -> impl Strategy<Value = Option<Vec<u8>>> {
    proptest::option::of(proptest::collection::vec(any::<u8>(), 1..=128))
}

fn arbitrary_time() -> impl Strategy<Value = UnixSeconds> {
    (0..=UnixSeconds::MAX.0).prop_map(UnixSeconds)
}

fn arbitrary_data() -> impl Strategy<Value = ResponseData> {
    let reason = proptest::option::of(select(RevocationReason::ALL[1..].to_vec()));
    let status = prop_oneof![
        Just(CertStatus::Good),
        Just(CertStatus::Unknown),
        (arbitrary_time(), reason).prop_map(|(at, reason)| CertStatus::Revoked { at, reason }),
    ];
    let optional = || proptest::option::of(arbitrary_time());
    let single = (arbitrary_id(), status, arbitrary_time(), optional(), optional()).prop_map(
        |(cert_id, status, this_update, next_update, archive_cutoff)| SingleResponse {
            cert_id,
            status,
            this_update,
            next_update,
            archive_cutoff,
        },
    );
    let responses = proptest::collection::vec(single, 1..=10);
    (any::<[u8; 20]>(), arbitrary_time(), responses, arbitrary_nonce(), any::<bool>()).prop_map(
        |(key, produced_at, responses, nonce, extended_revoke)| ResponseData {
            responder: KeyIdentifier(key),
            produced_at,
            responses,
            nonce,
            extended_revoke,
        },
    )
}

#[test]
fn rfc9654_2_1_nonce_has_1_to_128_octets() {
    for (length, is_good) in [(0, false), (1, true), (32, true), (128, true), (129, false)] {
        let request = OcspRequest { cert_ids: vec![cert_id()], nonce: Some(vec![7; length]) };
        assert_eq!(request.encode().is_ok(), is_good, "{length}");
        let extension = extension::optional(oids::OCSP_NONCE, &asn1::octet_string(&vec![7; length]));
        let ids = asn1::sequence(&[&asn1::sequence(&[cert_id().as_der()])]);
        let tbs = asn1::sequence(&[&ids, &asn1::explicit(2, &[&asn1::sequence(&[&extension])])]);
        assert_eq!(OcspRequest::parse(&asn1::sequence(&[&tbs])).is_ok(), is_good, "{length}");
    }
}

#[test]
fn rfc6960_4_4_unknown_critical_extension_is_refused() {
    let ids = asn1::sequence(&[&asn1::sequence(&[cert_id().as_der()])]);
    let with = |extension: Vec<u8>| {
        let tbs = asn1::sequence(&[&ids, &asn1::explicit(2, &[&asn1::sequence(&[&extension])])]);
        OcspRequest::parse(&asn1::sequence(&[&tbs]))
    };
    assert!(with(extension::critical(oids::OCSP_NO_CHECK, &asn1::null())).is_err());
    assert_eq!(with(extension::optional(oids::OCSP_NO_CHECK, &asn1::null())).unwrap().nonce, None);
}

#[test]
fn rfc6960_4_1_1_signature_and_requestor_are_read_over() {
    let ids = asn1::sequence(&[&asn1::sequence(&[cert_id().as_der()])]);
    let tbs = asn1::sequence(&[&asn1::explicit(1, &[b"\x82\x01a"]), &ids]);
    let request = asn1::sequence(&[&tbs, &asn1::explicit(0, &[&asn1::sequence(&[])])]);
    assert_eq!(OcspRequest::parse(&request).unwrap().cert_ids, [cert_id()]);
}

#[test]
fn ids_are_counted_and_echoed() {
    let request = |count| OcspRequest { cert_ids: vec![cert_id(); count], nonce: None };
    assert!(request(0).encode().is_err() && request(11).encode().is_err());
    let ids: Vec<u8> = (0..11).flat_map(|_| asn1::sequence(&[cert_id().as_der()])).collect();
    let eleven = asn1::sequence(&[&asn1::sequence(&[&asn1::sequence(&[&ids])])]);
    assert_eq!(OcspRequest::parse(&eleven), Err(DecodeError::TooMany { what: "certificate ids", max: 10 }));
    let none = asn1::sequence(&[&asn1::sequence(&[&asn1::sequence(&[])])]);
    assert!(OcspRequest::parse(&none).is_err());
    assert_eq!(cert_id().serial_number(), Some(serial()));
    assert_eq!(cert_id().serial, [0, 0x81, 2, 3]);
}

#[test]
fn i8_serials_that_no_certificate_has_are_none() {
    for impossible in [&[0][..], &[0x80], &[0xff, 0], &[1; 21]] {
        assert_eq!(with_serial(impossible).unwrap().cert_ids[0].serial_number(), None);
    }
    assert!(with_serial(&[]).is_err() && with_serial(&[0, 1]).is_err());
    let id = &with_serial(&[5]).unwrap().cert_ids[0];
    assert_eq!((id.hash, id.serial_number()), (HashAlgorithm::Sha1, SerialNumber::from_be_bytes(&[5]).ok()));
}

#[test]
fn rfc6960_4_2_1_errors_have_a_status_alone() {
    assert_eq!(OcspError::TryLater.response(), [0x30, 3, 0x0a, 1, 3]);
    for (error, code) in [
        (OcspError::MalformedRequest, 1),
        (OcspError::InternalError, 2),
        (OcspError::TryLater, 3),
        (OcspError::SigRequired, 5),
        (OcspError::Unauthorized, 6),
    ] {
        assert_eq!(error.response()[4], code);
        assert_eq!(OcspResponse::parse(&error.response()), Ok(OcspResponse::Error(error)));
    }
    assert!(OcspResponse::parse(&[0x30, 3, 0x0a, 1, 4]).is_err());
}

#[test]
fn rfc6960_4_2_1_unspecified_is_not_written() {
    let single = |reason| SingleResponse {
        cert_id: cert_id(),
        status: CertStatus::Revoked { at: UnixSeconds(5), reason },
        this_update: UnixSeconds(6),
        next_update: None,
        archive_cutoff: None,
    };
    let data = |reason| ResponseData {
        responder: KeyIdentifier([1; 20]),
        produced_at: UnixSeconds(7),
        responses: vec![single(reason)],
        nonce: None,
        extended_revoke: false,
    };
    let plain = data(None).encode().unwrap();
    assert_eq!(data(Some(RevocationReason::Unspecified)).encode().unwrap(), plain);
    assert_ne!(data(Some(RevocationReason::Superseded)).encode().unwrap(), plain);
}

/// An answer about one certificate, with what the closure changes.
fn answer(change: impl FnOnce(&mut ResponseData)) -> Vec<u8> {
    let single = SingleResponse {
        cert_id: cert_id(),
        status: CertStatus::Good,
        this_update: UnixSeconds(6),
        next_update: None,
        archive_cutoff: None,
    };
    let responder = KeyIdentifier([1; 20]);
    let mut data = ResponseData {
        responder,
        produced_at: UnixSeconds(7),
        responses: vec![single],
        nonce: None,
        extended_revoke: false,
    };
    change(&mut data);
    data.encode().unwrap()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn rfc6960_4_4_4_archive_cutoff_is_generalized_time_in_the_single_answer() {
    let oid = asn1::oid(oids::OCSP_ARCHIVE_CUTOFF);
    let der = answer(|data| data.responses[0].archive_cutoff = Some(UnixSeconds(1_600_000_000)));
    assert!(contains(&der, &[&oid[..], b"\x04\x11\x18\x0f20200913122640Z"].concat()));
    assert!(!contains(&answer(|_| ()), &oid));
}

#[test]
fn rfc6960_4_4_8_extended_revoke_is_null_and_not_critical() {
    let expected = [&asn1::oid(oids::OCSP_EXTENDED_REVOKE)[..], &[4, 2, 5, 0]].concat();
    assert!(contains(&answer(|data| data.extended_revoke = true), &expected));
    assert!(!contains(&answer(|_| ()), &expected[..11]));
}

#[test]
fn rfc6960_4_4_unknown_critical_extension_of_an_answer_is_refused() {
    let whole = |tbs: &[u8]| assemble_response(tbs, SignatureAlgorithm::Ed25519, b"s", &[]);
    let with = |extension: Vec<u8>| {
        let der = answer(|_| ());
        let content = asn1::read_one("test", &der).unwrap().value;
        let tbs = asn1::sequence(&[content, &extension_list(1, &extension)]);
        OcspResponse::parse(&whole(&tbs))
    };
    assert!(with(extension::critical(oids::OCSP_NO_CHECK, &asn1::null())).is_err());
    assert!(with(extension::optional(oids::OCSP_NO_CHECK, &asn1::null())).is_ok());
    assert!(with(extension::optional(oids::OCSP_EXTENDED_REVOKE, &asn1::octet_string(&[]))).is_err());
}

#[test]
fn rfc6960_2_2_one_answer_tells_of_several_certificates() {
    let der = answer(|data| {
        let sha256 = CertId::new(HashAlgorithm::Sha256, &[1; 32], &[2; 32], &serial()).unwrap();
        data.responses.push(SingleResponse {
            cert_id: sha256,
            status: CertStatus::Unknown,
            ..data.responses[0].clone()
        });
    });
    let whole = assemble_response(&der, SignatureAlgorithm::Ed25519, b"s", &[]);
    let Ok(OcspResponse::Basic(basic)) = OcspResponse::parse(&whole) else { panic!("not read") };
    let hashes: Vec<_> = basic.data().responses.iter().map(|single| single.cert_id.hash).collect();
    assert_eq!(hashes, [HashAlgorithm::Sha1, HashAlgorithm::Sha256]);
}

proptest! {
    #[test]
    fn every_request_round_trips(cert_ids in proptest::collection::vec(arbitrary_id(), 1..=10), nonce in arbitrary_nonce()) {
        let request = OcspRequest { cert_ids, nonce };
        prop_assert_eq!(OcspRequest::parse(&request.encode().unwrap()), Ok(request));
    }

    #[test]
    fn every_response_round_trips(data in arbitrary_data(), signature: Vec<u8>, certificate: Vec<u8>) {
        let tbs = data.encode().unwrap();
        let certificate = asn1::sequence(&[&certificate]);
        let whole = assemble_response(&tbs, SignatureAlgorithm::Ed25519, &signature, &[&certificate]);
        let Ok(OcspResponse::Basic(basic)) = OcspResponse::parse(&whole) else { panic!("not read") };
        prop_assert_eq!(basic.data(), &data);
        prop_assert_eq!(basic.tbs_der(), &tbs[..]);
        prop_assert_eq!(basic.signature(), &signature[..]);
        prop_assert_eq!(basic.certificates(), &[certificate]);
    }

    #[test]
    fn no_mutation_panics(data in arbitrary_data(), nonce in arbitrary_nonce(), at: Index, octet: u8) {
        let mut response = assemble_response(&data.encode().unwrap(), SignatureAlgorithm::Ed25519, b"s", &[]);
        let cert_ids = data.responses.into_iter().map(|single| single.cert_id).collect();
        let mut request = OcspRequest { cert_ids, nonce }.encode().unwrap();
        for der in [&mut response, &mut request] {
            let at = at.index(der.len());
            let _ = (OcspResponse::parse(&der[..at]), OcspRequest::parse(&der[..at]));
            der[at] = octet;
            let _ = (OcspResponse::parse(der), OcspRequest::parse(der));
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = (OcspResponse::parse(&bytes), OcspRequest::parse(&bytes));
    }
}
