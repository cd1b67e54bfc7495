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
        scope: CrlScope::All,
        delta_base: None,
        freshest_crl: Vec::new(),
        expired_since: None,
    }
}

fn entry(reason: Option<RevocationReason>) -> CrlEntry {
    CrlEntry::revoked(SerialNumber::from_random([8; 16]), UnixSeconds(1_700_000_000), reason)
}

fn whole(tbs: &TbsCrl, entries: &[CrlEntry]) -> Vec<u8> {
    assemble(&tbs.encode(entries.iter().copied()).unwrap(), tbs.signature_algorithm, b"s")
}

fn arbitrary_time() -> impl Strategy<Value = UnixSeconds> {
    (0..=UnixSeconds::MAX.0).prop_map(UnixSeconds)
}

fn arbitrary_entry() -> impl Strategy<Value = CrlEntry> {
    let reason = proptest::option::of(select(RevocationReason::ALL[1..].to_vec()));
    let serial = any::<[u8; 16]>().prop_map(SerialNumber::from_random);
    (serial, arbitrary_time(), reason, proptest::option::of(arbitrary_time())).prop_map(
        |(serial, revoked_at, reason, invalidity_date)| CrlEntry {
            invalidity_date,
            ..CrlEntry::revoked(serial, revoked_at, reason)
        },
    )
}

fn arbitrary_crl() -> impl Strategy<Value = TbsCrl> {
    let url = || "http://[a-z]{1,20}/[a-z]{0,9}";
    let algorithm = select(SignatureAlgorithm::ALL.to_vec());
    let scope = select(alloc::vec![CrlScope::All, CrlScope::UserCertificates, CrlScope::CaCertificates]);
    let what = (proptest::option::of(url()), scope, proptest::collection::vec(url(), 0..3));
    let delta = (any::<u128>(), proptest::option::of(any::<u128>()));
    let times = (arbitrary_time(), arbitrary_time(), proptest::option::of(arbitrary_time()));
    (algorithm, arbitrary_name(), times, delta, any::<[u8; 20]>(), what).prop_map(
        |(signature_algorithm, issuer, times, (number, base), key, (distribution_point, scope, freshest))| {
            let delta_base = base.filter(|base| *base < number).map(CrlNumber);
            TbsCrl {
                signature_algorithm,
                issuer,
                this_update: times.0,
                next_update: times.1,
                number: CrlNumber(number),
                authority_key_identifier: KeyIdentifier(key),
                distribution_point,
                scope,
                freshest_crl: if delta_base.is_none() { freshest } else { Vec::new() },
                delta_base,
                expired_since: times.2,
            }
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

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn delta() -> TbsCrl {
    TbsCrl { delta_base: Some(CrlNumber((1 << 64) + 5)), ..sample() }
}

#[test]
fn rfc5280_5_2_4_delta_indicator_is_critical_and_names_the_base() {
    let tbs = TbsCrl { number: CrlNumber(7), delta_base: Some(CrlNumber(5)), ..sample() };
    let der = tbs.encode([]).unwrap();
    assert!(contains(&der, &[6, 3, 0x55, 0x1d, 27, 1, 1, 0xff, 4, 3, 2, 1, 5]));
    assert_eq!(CertificateList::parse(&whole(&tbs, &[])).unwrap().tbs(), &tbs);
}

#[test]
fn rfc5280_5_2_4_delta_follows_its_base() {
    for base in [sample().number, CrlNumber(sample().number.0 + 1)] {
        assert!(TbsCrl { delta_base: Some(base), ..sample() }.encode([]).is_err(), "{base}");
    }
}

#[test]
fn rfc5280_5_2_4_delta_has_a_number_and_a_base_number_both() {
    // The delta indicator does not stand for the list's own number.
    let key = extension::authority_key_identifier(&KeyIdentifier([3; 20]));
    let extensions = [
        extension::optional(oids::AUTHORITY_KEY_IDENTIFIER, &key),
        extension::critical(oids::DELTA_CRL_INDICATOR, &CrlNumber(5).to_der()),
    ];
    let tbs = sample().encode([]).unwrap();
    let content = asn1::read_one("test", &tbs).unwrap().value;
    let own = asn1::explicit(0, &[&asn1::sequence(&[&sample().encode_extensions().unwrap()])]);
    let head = &content[..content.len() - own.len()];
    let list = asn1::explicit(0, &[&asn1::sequence(&[&extensions.concat()])]);
    let der = assemble(&asn1::sequence(&[head, &list]), sample().signature_algorithm, b"s");
    assert_eq!(CertificateList::parse(&der), Err(DecodeError::Missing { what: "list's number" }));
}

#[test]
fn rfc5280_5_2_6_freshest_crl_is_not_critical_and_not_in_a_delta() {
    let freshest_crl = alloc::vec!["http://a.example/delta.crl".into()];
    let tbs = TbsCrl { freshest_crl: freshest_crl.clone(), ..sample() };
    assert!(contains(&tbs.encode([]).unwrap(), &[6, 3, 0x55, 0x1d, 46, 4]));
    assert!(TbsCrl { freshest_crl, ..delta() }.encode([]).is_err());
}

#[test]
fn rfc5280_5_3_1_remove_from_crl_stands_in_deltas_only() {
    let removed = CrlEntry::removed(SerialNumber::from_random([8; 16]), UnixSeconds(1_700_000_000));
    assert!(sample().encode([removed]).is_err());
    let list = CertificateList::parse(&whole(&delta(), &[removed, entry(None)])).unwrap();
    assert_eq!(list.entries(), [removed, entry(None)]);
    assert!(contains(list.tbs_der(), &[6, 3, 0x55, 0x1d, 21, 4, 3, 0x0a, 1, 8]));
    // Nor in a full list that another wrote: the delta's entries under the head of a full one.
    let reason = RevocationReason::Superseded;
    let mut full = whole(&sample(), &[entry(Some(reason))]);
    let at = full.windows(3).rposition(|window| window == [0x0a, 1, reason.code()]).unwrap();
    full[at + 2] = 8;
    assert!(matches!(CertificateList::parse(&full), Err(DecodeError::Rule { .. })));
}

#[test]
fn rfc5280_5_3_1_what_is_removed_has_no_reason() {
    let removed = CrlEntry::removed(SerialNumber::from_random([8; 16]), UnixSeconds(1_700_000_000));
    let reason = Some(RevocationReason::KeyCompromise);
    assert!(delta().encode([CrlEntry { reason, ..removed }]).is_err());
    assert!(delta().encode([CrlEntry { invalidity_date: Some(UnixSeconds(1)), ..removed }]).is_err());
}

#[test]
fn rfc5280_5_3_2_invalidity_date_is_generalized_time_and_not_critical() {
    let dated = CrlEntry { invalidity_date: Some(UnixSeconds(1_600_000_000)), ..entry(None) };
    let list = CertificateList::parse(&whole(&sample(), &[dated])).unwrap();
    assert_eq!(list.entries(), [dated]);
    assert!(contains(list.tbs_der(), b"\x06\x03\x55\x1d\x18\x04\x11\x18\x0f20200913122640Z"));
}

#[test]
fn rfc5280_5_2_5_scope_is_one_of_three() {
    for (scope, octets) in [
        (CrlScope::UserCertificates, [0x30, 3, 0x81, 1, 0xff]),
        (CrlScope::CaCertificates, [0x30, 3, 0x82, 1, 0xff]),
    ] {
        let tbs = TbsCrl { scope, ..sample() };
        assert!(contains(&tbs.encode([]).unwrap(), &octets));
        assert_eq!(CertificateList::parse(&whole(&tbs, &[])).unwrap().tbs(), &tbs);
    }
    assert!(!contains(&sample().encode([]).unwrap(), &[6, 3, 0x55, 0x1d, 28]));
}

#[test]
fn rfc5280_5_2_5_other_scopes_are_refused() {
    let read = |fields: &[&[u8]]| {
        let idp = extension::critical(oids::ISSUING_DISTRIBUTION_POINT, &asn1::sequence(fields));
        let key = extension::authority_key_identifier(&KeyIdentifier([3; 20]));
        let key = extension::optional(oids::AUTHORITY_KEY_IDENTIFIER, &key);
        let number = extension::optional(oids::CRL_NUMBER, &CrlNumber(1).to_der());
        let own = asn1::explicit(0, &[&asn1::sequence(&[&sample().encode_extensions().unwrap()])]);
        let tbs = sample().encode([]).unwrap();
        let content = asn1::read_one("test", &tbs).unwrap().value;
        let list = asn1::explicit(0, &[&asn1::sequence(&[&key, &number, &idp])]);
        let tbs = asn1::sequence(&[&content[..content.len() - own.len()], &list]);
        CertificateList::parse(&assemble(&tbs, sample().signature_algorithm, b"s"))
            .map(|list| list.tbs().scope)
    };
    let flag = |number: u8| [0x80 | number, 1, 0xff];
    assert_eq!(read(&[&flag(1)]), Ok(CrlScope::UserCertificates));
    let point = distribution_point_name("http://a.example/").unwrap();
    assert_eq!(read(&[&point, &flag(2)]), Ok(CrlScope::CaCertificates));
    assert_eq!(read(&[&point]), Ok(CrlScope::All));
    let refused: [&[&[u8]]; 7] = [
        &[],
        &[&flag(1), &flag(2)],
        &[&[0x83, 2, 7, 0x80]],
        &[&flag(4)],
        &[&flag(5)],
        &[&[0x81, 1, 0]],
        &[&flag(2), &point],
    ];
    for fields in refused {
        assert!(read(fields).is_err(), "{fields:02x?}");
    }
}

#[test]
fn x509_9_5_2_8_expired_certificates_stay_since_a_time() {
    let tbs = TbsCrl { expired_since: Some(UnixSeconds(1_600_000_000)), ..sample() };
    assert!(contains(&tbs.encode([]).unwrap(), b"\x06\x03\x55\x1d\x3c\x04\x11\x18\x0f20200913122640Z"));
    assert_eq!(CertificateList::parse(&whole(&tbs, &[])).unwrap().tbs(), &tbs);
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
