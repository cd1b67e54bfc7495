//! Tests of certificates.

use super::*;
use crate::key::KeyIdentifier;
use crate::key::tests::arbitrary_key;
use crate::name::GeneralName;
use crate::name::tests::{arbitrary_general_name, arbitrary_name};
use crate::oid::tests::arbitrary_oid;
use crate::oids;
use alloc::vec;
use core::net::{Ipv4Addr, Ipv6Addr};
use der::asn1::ObjectIdentifier;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

mod sentences;

fn sample() -> TbsCertificate {
    TbsCertificate {
        serial: SerialNumber::from_random([0x5a; 16]),
        signature_algorithm: SignatureAlgorithm::EcdsaSha256,
        issuer: DistinguishedName::new().common_name("Issuer").build().unwrap(),
        not_before: UnixSeconds(1_700_000_000),
        not_after: UnixSeconds(2_600_000_000),
        subject: DistinguishedName::empty(),
        public_key: PublicKey::from_ed25519([9; 32]),
        extensions: Extensions::default(),
    }
}

fn arbitrary_urls() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("http://[a-z]{1,20}/[a-z]{0,9}", 0..3)
}

fn arbitrary_subtrees() -> impl Strategy<Value = Vec<NameSubtree>> {
    let host = "[a-z]{1,9}\\.[a-z]{2,9}";
    let subtree = prop_oneof![
        prop_oneof![Just(String::new()), host.prop_map(String::from)].prop_map(NameSubtree::Dns),
        "[a-z]{1,9}@[a-z]{1,9}|\\.?[a-z]{1,9}".prop_map(NameSubtree::Email),
        "\\.?[a-z]{1,9}\\.[a-z]{2,9}".prop_map(NameSubtree::Uri),
        (any::<u32>(), 0..=32_u8).prop_map(|(bits, prefix)| {
            let mask = !u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
            NameSubtree::Ip { address: Ipv4Addr::from(bits & mask).into(), prefix }
        }),
        (any::<u128>(), 0..=128_u8).prop_map(|(bits, prefix)| {
            let mask = !u128::MAX.checked_shr(prefix.into()).unwrap_or(0);
            NameSubtree::Ip { address: Ipv6Addr::from(bits & mask).into(), prefix }
        }),
        arbitrary_name().prop_map(|name| NameSubtree::Directory(name.into())),
    ];
    proptest::collection::vec(subtree, 0..4)
}

/// Who the key is of, and what it is for.
fn arbitrary_use() -> impl Strategy<Value = Extensions> {
    let key = || proptest::option::of(any::<[u8; 20]>().prop_map(KeyIdentifier));
    let constraints = proptest::option::of(prop_oneof![
        Just(BasicConstraints { ca: false, path_len: None }),
        proptest::option::of(any::<u8>()).prop_map(|path_len| BasicConstraints { ca: true, path_len }),
    ]);
    let names = (arbitrary_subtrees(), arbitrary_subtrees()).prop_map(|(permitted, excluded)| {
        let is_empty = permitted.is_empty() && excluded.is_empty();
        (!is_empty).then_some(NameConstraints { permitted, excluded })
    });
    let usage = proptest::option::of(
        subsequence(KeyUsage::ALL.to_vec(), 1..=9)
            .prop_map(|set| set.into_iter().map(|(usage, _)| usage).collect()),
    );
    let purposes = (
        subsequence(ExtendedKeyUsage::ALL.to_vec(), 0..=6),
        proptest::collection::vec(arbitrary_oid(), 0..3),
        any::<bool>(),
    );
    let policies = proptest::collection::btree_map(arbitrary_oid(), arbitrary_urls(), 0..3);
    let count = || proptest::option::of(any::<u8>());
    let limits = (count(), count(), count());
    ((key(), key(), constraints, names), usage, purposes, policies, limits).prop_map(
        |(
            (subject_key, authority_key, constraints, names),
            usage,
            (named, others, critical),
            policies,
            limits,
        )| {
            let (require_explicit_policy, inhibit_policy_mapping, inhibit_any_policy) = limits;
            let policy = PolicyConstraints { require_explicit_policy, inhibit_policy_mapping };
            Extensions {
                subject_key_identifier: subject_key,
                authority_key_identifier: authority_key,
                basic_constraints: constraints,
                name_constraints: names,
                key_usage: usage,
                purposes_are_critical: critical && !(named.is_empty() && others.is_empty()),
                extended_key_usage: named,
                other_purposes: others,
                policies: policies
                    .into_iter()
                    .map(|(identifier, cps)| CertificatePolicy { identifier, cps })
                    .collect(),
                policy_constraints: (policy != PolicyConstraints::default()).then_some(policy),
                inhibit_any_policy,
                ..Extensions::default()
            }
        },
    )
}

fn arbitrary_extensions() -> impl Strategy<Value = Extensions> {
    let names = proptest::collection::vec(arbitrary_general_name(), 0..5);
    let urls = (arbitrary_urls(), arbitrary_urls(), arbitrary_urls(), arbitrary_urls());
    let features = proptest::collection::vec(any::<u16>().prop_map(TlsFeature), 0..3);
    let template = proptest::option::of((arbitrary_oid(), any::<u32>(), any::<u32>()));
    let templates = (proptest::option::of("[A-Za-zäあ ]{1,20}"), template);
    let timestamp = proptest::collection::vec(any::<u8>(), 1..150).prop_map(SignedTimestamp);
    let timestamps = proptest::collection::vec(timestamp, 0..3);
    let marks = (any::<bool>(), any::<bool>());
    (arbitrary_use(), names, urls, features, templates, timestamps, marks).prop_map(
        |(known, names, (points, freshest, ocsp, issuers), features, (name, template), timestamps, marks)| {
            Extensions {
                subject_alt_names: names,
                crl_distribution_points: points,
                freshest_crl: freshest,
                ocsp_urls: ocsp,
                ca_issuers_urls: issuers,
                tls_features: features,
                template_name: name,
                template: template.map(|(identifier, major, minor)| CertificateTemplate {
                    identifier,
                    major,
                    minor,
                }),
                ocsp_no_check: marks.0,
                ct_poison: marks.1 && timestamps.is_empty(),
                timestamps,
                ..known
            }
        },
    )
}

fn arbitrary_tbs() -> impl Strategy<Value = TbsCertificate> {
    let time = || (0..=UnixSeconds::MAX.0).prop_map(UnixSeconds);
    let serial = any::<[u8; 16]>().prop_map(SerialNumber::from_random);
    let algorithm = proptest::sample::select(SignatureAlgorithm::ALL.to_vec());
    let names = (arbitrary_name(), arbitrary_name());
    (serial, algorithm, names, time(), time(), arbitrary_key(), arbitrary_extensions()).prop_map(
        |(serial, signature_algorithm, (issuer, subject), not_before, not_after, public_key, extensions)| {
            TbsCertificate {
                serial,
                signature_algorithm,
                issuer,
                not_before,
                not_after,
                subject,
                public_key,
                extensions,
            }
        },
    )
}

/// The sample with one more extension, as another CA would write it.
fn with_extension(extension: &[u8]) -> Vec<u8> {
    let tbs = sample().encode().unwrap();
    let content = asn1::read_one("test", &tbs).unwrap().value;
    asn1::sequence(&[content, &asn1::explicit(3, &[&asn1::sequence(&[extension])])])
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn rfc5280_4_1_2_9_no_extensions_is_an_absent_field() {
    let tbs = sample().encode().unwrap();
    assert!(!contains(&tbs, &[0xa3]));
    assert_eq!(TbsCertificate::decode(&tbs), Ok(sample()));
}

#[test]
fn rfc5280_4_1_2_1_version_is_3() {
    let mut tbs = sample().encode().unwrap();
    let at = tbs.windows(5).position(|window| window == [0xa0, 3, 2, 1, 2]).unwrap();
    tbs[at + 4] = 1;
    let expected = DecodeError::Version { what: CERTIFICATE, expected: 2, got: 1 };
    assert_eq!(TbsCertificate::decode(&tbs), Err(expected));
}

#[test]
fn rfc5280_4_2_1_6_alternative_names_are_critical_iff_subject_is_empty() {
    let mut tbs = sample();
    tbs.extensions.subject_alt_names = vec![GeneralName::Dns("a.example".into())];
    let critical = [&asn1::oid(oids::SUBJECT_ALT_NAME)[..], &[1, 1, 0xff]].concat();
    assert!(contains(&tbs.encode().unwrap(), &critical));
    tbs.subject = DistinguishedName::new().common_name("a").build().unwrap();
    assert!(!contains(&tbs.encode().unwrap(), &critical));
}

#[test]
fn rfc5280_4_2_1_9_constraints_are_critical_in_a_ca_and_path_len_needs_ca() {
    let mut tbs = sample();
    let critical = [&asn1::oid(oids::BASIC_CONSTRAINTS)[..], &[1, 1, 0xff]].concat();
    tbs.extensions.basic_constraints = Some(BasicConstraints { ca: true, path_len: Some(0) });
    assert!(contains(&tbs.encode().unwrap(), &critical));
    tbs.extensions.basic_constraints = Some(BasicConstraints { ca: false, path_len: None });
    assert!(!contains(&tbs.encode().unwrap(), &critical));
    tbs.extensions.basic_constraints = Some(BasicConstraints { ca: false, path_len: Some(0) });
    assert!(tbs.encode().is_err());
}

#[test]
fn rfc5280_4_2_1_3_usage_is_critical_and_not_empty() {
    let mut tbs = sample();
    tbs.extensions.key_usage = Some(KeyUsage::DIGITAL_SIGNATURE);
    let critical = [&asn1::oid(oids::KEY_USAGE)[..], &[1, 1, 0xff]].concat();
    assert!(contains(&tbs.encode().unwrap(), &critical));
    tbs.extensions.key_usage = Some(KeyUsage::EMPTY);
    assert!(tbs.encode().is_err());
}

#[test]
fn rfc5280_4_2_extension_occurs_once() {
    let one = extension::optional(oids::OCSP_NO_CHECK, &asn1::null());
    let tbs = with_extension(&[&one[..], &one].concat());
    let expected = DecodeError::DuplicateExtension { oid: "1.3.6.1.5.5.7.48.1.5".into() };
    assert_eq!(TbsCertificate::decode(&tbs), Err(expected));
}

#[test]
fn unknown_extension_is_skipped_by_parse_and_refused_by_decode() {
    let oid = ObjectIdentifier::new_unwrap("1.2.3.4");
    let tbs = with_extension(&extension::critical(oid, b"anything"));
    let certificate = Certificate::parse(&assemble(&tbs, SignatureAlgorithm::EcdsaSha256, b"s")).unwrap();
    assert_eq!(certificate.serial(), sample().serial);
    assert_eq!(certificate.extensions(), &Extensions::default());
    assert_eq!(certificate.tbs(), Err(DecodeError::UnknownExtension { oid: "1.2.3.4".into() }));
}

#[test]
fn i19_other_octets_for_the_same_value_are_refused() {
    // Right but never written: an extension marked critical that we write as not critical.
    let tbs = with_extension(&extension::critical(oids::OCSP_NO_CHECK, &asn1::null()));
    assert_eq!(TbsCertificate::decode(&tbs), Err(DecodeError::NotCanonical { what: TBS }));
    // A purpose without a name here, before one with a name.
    let purposes = asn1::sequence(&[
        &asn1::oid(ObjectIdentifier::new_unwrap("1.2.3")),
        &asn1::oid(ExtendedKeyUsage::ServerAuth.oid()),
    ]);
    let tbs = with_extension(&extension::optional(oids::EXTENDED_KEY_USAGE, &purposes));
    assert_eq!(TbsCertificate::decode(&tbs), Err(DecodeError::NotCanonical { what: TBS }));
    assert!(Certificate::parse(&assemble(&tbs, SignatureAlgorithm::EcdsaSha256, b"s")).is_ok());
}

#[test]
fn rfc5280_4_1_1_2_algorithm_is_the_same_inside_and_outside() {
    let der = assemble(&sample().encode().unwrap(), SignatureAlgorithm::EcdsaSha384, b"s");
    let expected = DecodeError::AlgorithmMismatch { inner: "ecdsa-with-SHA256", outer: "ecdsa-with-SHA384" };
    assert_eq!(Certificate::parse(&der), Err(expected));
}

#[test]
fn chain_is_read_in_order() {
    let mut second = sample();
    second.serial = SerialNumber::from_random([1; 16]);
    let pem: String = [sample(), second]
        .iter()
        .map(|tbs| {
            Certificate::parse(&assemble(&tbs.encode().unwrap(), tbs.signature_algorithm, b"s")).unwrap()
        })
        .map(|certificate| certificate.to_pem())
        .collect();
    let chain = Certificate::parse_chain(pem.as_bytes()).unwrap();
    assert_eq!(chain.len(), 2);
    assert_eq!(chain[1].serial(), SerialNumber::from_random([1; 16]));
    assert!(Certificate::parse(pem.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn every_certificate_round_trips(tbs in arbitrary_tbs(), signature: Vec<u8>) {
        let der = tbs.encode().unwrap();
        prop_assert_eq!(TbsCertificate::decode(&der), Ok(tbs.clone()));
        let whole = assemble(&der, tbs.signature_algorithm, &signature);
        let certificate = Certificate::parse(&whole).unwrap();
        prop_assert_eq!(certificate.tbs_der(), &der[..]);
        prop_assert_eq!(certificate.signature(), &signature[..]);
        prop_assert_eq!(certificate.tbs(), Ok(tbs.clone()));
        prop_assert_eq!(Certificate::parse(certificate.to_pem().as_bytes()), Ok(certificate));
    }

    #[test]
    fn what_decodes_after_a_mutation_encodes_to_itself(tbs in arbitrary_tbs(), at: Index, octet: u8) {
        let mut der = tbs.encode().unwrap();
        let at = at.index(der.len());
        prop_assert!(TbsCertificate::decode(&der[..at]).is_err());
        der[at] = octet;
        if let Ok(decoded) = TbsCertificate::decode(&der) {
            prop_assert_eq!(decoded.encode().unwrap(), der.clone());
        }
        let _ = Certificate::parse(&assemble(&der, tbs.signature_algorithm, b"s"));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = (TbsCertificate::decode(&bytes), Certificate::parse(&bytes), Certificate::parse_chain(&bytes));
    }
}
