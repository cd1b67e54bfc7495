//! Tests of certificate lists.

use super::*;
use crate::error::DecodeError;
use crate::name::tests::arbitrary_name;
use crate::pem;
use alloc::string::ToString as _;

use proptest::prelude::*;
use proptest::sample::{Index, select};

fn sample() -> TbsCrl {
    TbsCrl {
        signature_algorithm: SignatureAlgorithm::EcdsaSha256,
        issuer: DistinguishedName::new().common_name("Issuer").build().unwrap(),
        this_update: UnixSeconds(1_700_000_000),
        next_update: UnixSeconds(1_700_600_000),
        number: CrlNumber((1 << 64) + 7),
        authority_key_identifier: KeyIdentifier([3; 20]),
        distribution_point: None,
    }
}

fn entry(reason: Option<RevocationReason>) -> CrlEntry {
    CrlEntry { serial: SerialNumber::from_random([8; 16]), revoked_at: UnixSeconds(1_700_000_000), reason }
}

fn whole(tbs: &TbsCrl, entries: &[CrlEntry]) -> Vec<u8> {
    assemble(&tbs.encode(entries.iter().copied()).unwrap(), tbs.signature_algorithm, b"s")
}

fn arbitrary_entry() -> impl Strategy<Value = CrlEntry> {
    let reason = proptest::option::of(select(RevocationReason::ALL[1..].to_vec()));
    (any::<[u8; 16]>(), 0..=UnixSeconds::MAX.0, reason).prop_map(|(random, seconds, reason)| CrlEntry {
        serial: SerialNumber::from_random(random),
        revoked_at: UnixSeconds(seconds),
        reason,
    })
}

fn arbitrary_crl() -> impl Strategy<Value = TbsCrl> {
    let time = || (0..=UnixSeconds::MAX.0).prop_map(UnixSeconds);
    let point = proptest::option::of("http://[a-z.]{1,20}/[a-z]{0,9}");
    let algorithm = select(SignatureAlgorithm::ALL.to_vec());
    (algorithm, arbitrary_name(), time(), time(), any::<u128>(), any::<[u8; 20]>(), point).prop_map(
        |(signature_algorithm, issuer, this_update, next_update, number, key, distribution_point)| TbsCrl {
            signature_algorithm,
            issuer,
            this_update,
            next_update,
            number: CrlNumber(number),
            authority_key_identifier: KeyIdentifier(key),
            distribution_point,
        },
    )
}

#[test]
fn rfc5280_5_1_2_6_empty_list_is_absent() {
    let tbs = sample();
    let der = tbs.encode([]).unwrap();
    assert!(!der.windows(2).any(|window| window == [0x30, 0]));
    assert_eq!(CertificateList::parse(&whole(&tbs, &[])).unwrap().entries(), []);
    // The same list with an empty SEQUENCE after nextUpdate.
    let content = asn1::read_one("test", &der).unwrap().value;
    let at = content.iter().rposition(|octet| *octet == 0xa0).unwrap();
    let extensions = content.windows(2).position(|window| window[0] == 0xa0 && window[1] > 40).unwrap_or(at);
    let (before, after) = content.split_at(extensions);
    let damaged = assemble(&asn1::sequence(&[before, &[0x30, 0], after]), tbs.signature_algorithm, b"s");
    let rule = "an empty list is absent (RFC 5280 §5.1.2.6)";
    assert!(
        matches!(CertificateList::parse(&damaged), Err(DecodeError::Rule { rule: got, .. }) if got == rule)
    );
}

#[test]
fn rfc5280_5_3_1_unspecified_is_not_written() {
    let plain = sample().encode([entry(None)]).unwrap();
    assert_eq!(sample().encode([entry(Some(RevocationReason::Unspecified))]).unwrap(), plain);
    assert_ne!(sample().encode([entry(Some(RevocationReason::Superseded))]).unwrap(), plain);
}

#[test]
fn rfc5280_5_2_5_distribution_point_is_critical_and_2_5_29_28() {
    let mut tbs = sample();
    tbs.distribution_point = Some("http://a.example/1.crl".into());
    let der = tbs.encode([]).unwrap();
    assert!(der.windows(8).any(|window| window == [6, 3, 0x55, 0x1d, 28, 1, 1, 0xff]));
    assert_eq!(CertificateList::parse(&whole(&tbs, &[])).unwrap().tbs(), &tbs);
}

#[test]
fn rfc5280_5_2_3_number_of_16_octets_stays_positive() {
    let mut tbs = sample();
    tbs.number = CrlNumber(u128::MAX);
    assert_eq!(CertificateList::parse(&whole(&tbs, &[])).unwrap().tbs().number, CrlNumber(u128::MAX));
}

#[test]
fn entry_has_35_octets_and_49_with_a_reason() {
    let mut out = Vec::new();
    entry(None).push_to(&mut out).unwrap();
    assert_eq!(out.len(), 35);
    entry(Some(RevocationReason::KeyCompromise)).push_to(&mut out).unwrap();
    assert_eq!(out.len(), 35 + 49);
}

#[test]
fn two_hundred_thousand_entries_round_trip() {
    let entries: Vec<CrlEntry> = (0..200_000_u32)
        .map(|index| CrlEntry {
            serial: SerialNumber::from_random((u128::from(index) << 64).to_be_bytes()),
            ..entry(Some(RevocationReason::KeyCompromise))
        })
        .collect();
    let list = CertificateList::parse(&whole(&sample(), &entries)).unwrap();
    assert_eq!(list.entries(), entries);
    assert_eq!(list.entry(&entries[777].serial), Some(&entries[777]));
}

#[test]
fn reasons_have_names_and_codes() {
    for reason in RevocationReason::ALL {
        assert_eq!(reason.to_string().parse(), Ok(reason));
        assert_eq!(RevocationReason::from_code(reason.code()), Some(reason));
    }
    assert_eq!("key-compromise".parse(), Ok(RevocationReason::KeyCompromise));
    assert_eq!("caCompromise".parse(), Ok(RevocationReason::CaCompromise));
    assert_eq!("removeFromCRL".parse::<RevocationReason>(), Err(UnknownReason));
    assert_eq!(RevocationReason::from_code(8), None);
}

proptest! {
    #[test]
    fn every_list_round_trips(tbs in arbitrary_crl(), entries in proptest::collection::vec(arbitrary_entry(), 0..20)) {
        let der = whole(&tbs, &entries);
        let list = CertificateList::parse(&der).unwrap();
        prop_assert_eq!(list.tbs(), &tbs);
        prop_assert_eq!(list.entries(), &entries[..]);
        prop_assert_eq!(list.tbs_der(), &tbs.encode(entries).unwrap()[..]);
        prop_assert_eq!(CertificateList::parse(pem::encode(pem::CRL, &der).as_bytes()), Ok(list));
    }

    #[test]
    fn no_mutation_panics(tbs in arbitrary_crl(), entries in proptest::collection::vec(arbitrary_entry(), 0..5), at: Index, octet: u8) {
        let mut der = whole(&tbs, &entries);
        let at = at.index(der.len());
        let _ = CertificateList::parse(&der[..at]);
        der[at] = octet;
        let _ = CertificateList::parse(&der);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = CertificateList::parse(&bytes);
    }
}
