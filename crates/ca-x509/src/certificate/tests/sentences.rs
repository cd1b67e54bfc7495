//! One test for each sentence of a standard that an extension is held to.

use super::*;

/// The extension with this identifier in what the sample becomes with these extensions: its octets.
fn written(extensions: Extensions) -> Vec<u8> {
    let mut tbs = sample();
    tbs.subject = DistinguishedName::new().common_name("a").build().unwrap();
    tbs.extensions = extensions;
    let der = tbs.encode().unwrap();
    assert_eq!(TbsCertificate::decode(&der), Ok(tbs));
    der
}

fn refused(extensions: Extensions) -> EncodeError {
    TbsCertificate { extensions, ..sample() }.encode().unwrap_err()
}

/// What strangers' certificates say in this extension.
fn parse(oid: ObjectIdentifier, value: &[u8]) -> Result<Extensions, DecodeError> {
    let tbs = with_extension(&extension::optional(oid, value));
    Certificate::parse(&assemble(&tbs, SignatureAlgorithm::EcdsaSha256, b"s"))
        .map(|certificate| certificate.extensions().clone())
}

fn is_critical(der: &[u8], oid: ObjectIdentifier) -> bool {
    let oid = asn1::oid(oid);
    assert!(contains(der, &oid), "the extension is written");
    contains(der, &[&oid[..], &[1, 1, 0xff]].concat())
}

fn names(permitted: Vec<NameSubtree>) -> Extensions {
    let constraints = NameConstraints { permitted, excluded: vec![] };
    Extensions { name_constraints: Some(constraints), ..Extensions::default() }
}

fn dns(text: &str) -> NameSubtree {
    NameSubtree::Dns(text.into())
}

#[test]
fn rfc5280_4_2_1_10_name_constraints_are_critical() {
    assert!(is_critical(&written(names(vec![dns("a.example")])), oids::NAME_CONSTRAINTS));
}

#[test]
fn rfc5280_4_2_1_10_name_constraints_are_not_empty() {
    assert!(matches!(refused(names(vec![])), EncodeError::Rule { .. }));
    assert!(parse(oids::NAME_CONSTRAINTS, &asn1::sequence(&[])).is_err());
    assert!(parse(oids::NAME_CONSTRAINTS, &asn1::sequence(&[&[0xa0, 0]])).is_err());
}

#[test]
fn rfc5280_4_2_1_10_minimum_is_zero_and_left_out_and_maximum_absent() {
    let base: &[u8] = b"\x82\x01a";
    let with = |rest: &[u8]| {
        let subtree = asn1::sequence(&[base, rest]);
        parse(oids::NAME_CONSTRAINTS, &asn1::sequence(&[&asn1::tlv(0xa0, &[&subtree])]))
    };
    assert_eq!(with(&[]).unwrap().name_constraints.unwrap().permitted, [dns("a")]);
    for rest in [[0x80, 1, 0], [0x80, 1, 1], [0x81, 1, 9]] {
        assert!(with(&rest).is_err(), "{rest:02x?}");
    }
}

#[test]
fn rfc5280_4_2_1_10_addresses_are_blocks() {
    let der = written(names(vec![
        NameSubtree::Ip { address: "192.0.2.0".parse().unwrap(), prefix: 24 },
        NameSubtree::Ip { address: "0.0.0.0".parse().unwrap(), prefix: 0 },
        NameSubtree::Ip { address: "2001:db8::".parse().unwrap(), prefix: 32 },
    ]));
    assert!(contains(&der, &[0x87, 8, 192, 0, 2, 0, 255, 255, 255, 0]));
    assert!(contains(&der, &[0x87, 8, 0, 0, 0, 0, 0, 0, 0, 0]));
    for (address, prefix) in
        [("192.0.2.1", 24), ("192.0.2.0", 33), ("::1", 127), ("::", 129), ("128.0.0.0", 0)]
    {
        refused(names(vec![NameSubtree::Ip { address: address.parse().unwrap(), prefix }]));
    }
    for block in [&[0x87, 8, 192, 0, 2, 0, 255, 0, 255, 0][..], &[0x87, 4, 192, 0, 2, 0], &[0x87, 0]] {
        let list = asn1::tlv(0xa0, &[&asn1::sequence(&[block])]);
        assert!(parse(oids::NAME_CONSTRAINTS, &asn1::sequence(&[&list])).is_err(), "{block:02x?}");
    }
}

#[test]
fn rfc5280_4_2_1_10_a_leading_dot_is_for_uri_and_mailbox() {
    written(names(vec![NameSubtree::Uri(".a.example".into()), NameSubtree::Email(".a.example".into())]));
    written(names(vec![NameSubtree::Email("a@b.example".into()), NameSubtree::Email("b.example".into())]));
    written(names(vec![dns("")]));
    for base in [dns(".a.example"), dns("A.example"), dns("a_b"), NameSubtree::Uri(String::new())] {
        refused(names(vec![base]));
    }
    // Others write it, so it is read; but not as ours.
    let list = asn1::tlv(0xa0, &[&asn1::sequence(&[b"\x82\x02.a"])]);
    let read = parse(oids::NAME_CONSTRAINTS, &asn1::sequence(&[&list])).unwrap();
    assert_eq!(read.name_constraints.unwrap().permitted, [dns(".a")]);
}

#[test]
fn rfc5280_4_2_1_10_unknown_form_makes_the_whole_extension_unknown() {
    let list = asn1::tlv(0xa0, &[&asn1::sequence(&[b"\x88\x01\x2a"]), &asn1::sequence(&[b"\x82\x01a"])]);
    assert_eq!(parse(oids::NAME_CONSTRAINTS, &asn1::sequence(&[&list])).unwrap().name_constraints, None);
}

fn policy(identifier: &str, cps: &[&str]) -> CertificatePolicy {
    CertificatePolicy {
        identifier: identifier.parse().unwrap(),
        cps: cps.iter().map(|uri| (*uri).into()).collect(),
    }
}

fn policies(policies: Vec<CertificatePolicy>) -> Extensions {
    Extensions { policies, ..Extensions::default() }
}

#[test]
fn rfc5280_4_2_1_4_policies_are_not_critical_and_point_to_their_statement() {
    let der =
        written(policies(vec![policy("2.23.140.1.2.1", &["http://a.example/cps"]), policy("1.2.3", &[])]));
    assert!(!is_critical(&der, oids::CERTIFICATE_POLICIES));
    let qualifier = [&asn1::oid(oids::POLICY_CPS)[..], &[0x16, 20], b"http://a.example/cps"].concat();
    assert!(contains(&der, &asn1::sequence(&[&asn1::sequence(&[&qualifier])])));
    // A policy without qualifiers has none, not an empty list of them.
    assert!(contains(&der, &asn1::sequence(&[&asn1::oid(ObjectIdentifier::new_unwrap("1.2.3"))])));
}

#[test]
fn rfc5280_4_2_1_4_a_policy_occurs_once() {
    refused(policies(vec![policy("1.2.3", &[]), policy("1.2.3", &["http://a.example/"])]));
    let one = asn1::sequence(&[&[6, 2, 42, 3]]);
    assert!(parse(oids::CERTIFICATE_POLICIES, &asn1::sequence(&[&one])).is_ok());
    assert!(parse(oids::CERTIFICATE_POLICIES, &asn1::sequence(&[&one, &one])).is_err());
    assert!(parse(oids::CERTIFICATE_POLICIES, &asn1::sequence(&[])).is_err());
}

#[test]
fn rfc5280_4_2_1_4_other_qualifiers_are_skipped_but_not_ours() {
    // id-qt-unotice with an empty UserNotice.
    let notice = asn1::sequence(&[&[6, 8, 0x2b, 6, 1, 5, 5, 7, 2, 2], &[0x30, 0]]);
    let list = asn1::sequence(&[&asn1::sequence(&[&[6, 2, 42, 3], &asn1::sequence(&[&notice])])]);
    assert_eq!(parse(oids::CERTIFICATE_POLICIES, &list).unwrap().policies, [policy("1.2.3", &[])]);
    let tbs = with_extension(&extension::optional(oids::CERTIFICATE_POLICIES, &list));
    assert_eq!(TbsCertificate::decode(&tbs), Err(DecodeError::NotCanonical { what: TBS }));
}

fn policy_constraints(require_explicit_policy: Option<u8>, inhibit_policy_mapping: Option<u8>) -> Extensions {
    let constraints = PolicyConstraints { require_explicit_policy, inhibit_policy_mapping };
    Extensions { policy_constraints: Some(constraints), ..Extensions::default() }
}

#[test]
fn rfc5280_4_2_1_11_policy_constraints_are_critical_and_not_empty() {
    let der = written(policy_constraints(Some(0), Some(200)));
    assert!(is_critical(&der, oids::POLICY_CONSTRAINTS));
    assert!(contains(&der, &[0x30, 7, 0x80, 1, 0, 0x81, 2, 0, 200]));
    refused(policy_constraints(None, None));
    assert!(parse(oids::POLICY_CONSTRAINTS, &asn1::sequence(&[])).is_err());
    assert!(parse(oids::POLICY_CONSTRAINTS, &asn1::sequence(&[&[0x80, 1, 0xff]])).is_err());
}

#[test]
fn rfc5280_4_2_1_14_inhibit_any_policy_is_critical() {
    let der = written(Extensions { inhibit_any_policy: Some(3), ..Extensions::default() });
    assert!(is_critical(&der, oids::INHIBIT_ANY_POLICY));
    assert!(contains(&der, &[4, 3, 2, 1, 3]));
    assert!(parse(oids::INHIBIT_ANY_POLICY, &[2, 1, 0x80]).is_err());
}

#[test]
fn rfc5280_4_2_1_12_purposes_without_a_name_are_kept() {
    let purpose: crate::oid::Oid = "1.3.6.1.4.1.311.20.2.2".parse().unwrap();
    let der = written(Extensions {
        extended_key_usage: vec![ExtendedKeyUsage::ClientAuth],
        other_purposes: vec![purpose],
        ..Extensions::default()
    });
    assert!(!is_critical(&der, oids::EXTENDED_KEY_USAGE));
    assert!(parse(oids::EXTENDED_KEY_USAGE, &asn1::sequence(&[])).is_err());
}

#[test]
fn rfc5280_4_2_1_12_purposes_are_critical_at_the_option_of_the_issuer() {
    let der = written(Extensions {
        extended_key_usage: vec![ExtendedKeyUsage::TimeStamping],
        purposes_are_critical: true,
        ..Extensions::default()
    });
    assert!(is_critical(&der, oids::EXTENDED_KEY_USAGE));
}

#[test]
fn rfc5280_4_2_1_13_distribution_point_has_a_full_name() {
    let url = "http://a.example/crl/issuing-3.crl";
    let der = written(Extensions { crl_distribution_points: vec![url.into()], ..Extensions::default() });
    assert!(!is_critical(&der, oids::CRL_DISTRIBUTION_POINTS));
    let uri = asn1::tlv(0x86, &[url.as_bytes()]);
    let point = asn1::sequence(&[&asn1::tlv(0xa0, &[&asn1::tlv(0xa0, &[&uri])])]);
    assert!(contains(&der, &asn1::sequence(&[&point])));
}

#[test]
fn rfc5280_4_2_1_13_a_point_of_some_reasons_or_another_issuer_is_not_ours() {
    let name = pointers::distribution_point_name("http://a.example/").unwrap();
    let read = |fields: &[&[u8]]| {
        parse(oids::CRL_DISTRIBUTION_POINTS, &asn1::sequence(&[&asn1::sequence(fields)]))
            .map(|extensions| extensions.crl_distribution_points.len())
    };
    assert_eq!(read(&[&name]), Ok(1));
    assert_eq!(read(&[&name, &[0x81, 2, 7, 0x80]]), Ok(0));
    assert_eq!(read(&[&name, &[0xa2, 2, 0x82, 0]]), Ok(0));
    assert!(read(&[]).is_err());
    assert!(read(&[&name, &[5, 0]]).is_err());
    assert!(parse(oids::CRL_DISTRIBUTION_POINTS, &asn1::sequence(&[])).is_err());
}

#[test]
fn rfc5280_4_2_1_15_freshest_crl_is_not_critical() {
    let freshest_crl = vec!["http://a.example/delta.crl".into()];
    let der = written(Extensions { freshest_crl, ..Extensions::default() });
    assert!(!is_critical(&der, oids::FRESHEST_CRL));
}

#[test]
fn rfc5280_4_2_1_6_names_are_not_empty() {
    assert!(parse(oids::SUBJECT_ALT_NAME, &asn1::sequence(&[])).is_err());
}

#[test]
fn rfc5280_4_2_1_9_a_default_is_not_encoded() {
    assert!(parse(oids::BASIC_CONSTRAINTS, &[0x30, 3, 1, 1, 0]).is_err());
    assert!(parse(oids::BASIC_CONSTRAINTS, &[0x30, 0]).is_ok());
}

#[test]
fn rfc5280_4_2_2_1_access_is_not_critical_and_not_empty() {
    let der = written(Extensions { ocsp_urls: vec!["http://a.example/".into()], ..Extensions::default() });
    assert!(!is_critical(&der, oids::AUTHORITY_INFO_ACCESS));
    assert!(parse(oids::AUTHORITY_INFO_ACCESS, &asn1::sequence(&[])).is_err());
}

#[test]
fn rfc7633_4_features_are_numbers_and_not_critical() {
    let tls_features = vec![TlsFeature::STATUS_REQUEST, TlsFeature::STATUS_REQUEST_V2, TlsFeature(0xff01)];
    let der = written(Extensions { tls_features, ..Extensions::default() });
    assert!(!is_critical(&der, oids::TLS_FEATURE));
    assert!(contains(&der, &[0x30, 11, 2, 1, 5, 2, 1, 17, 2, 3, 0, 0xff, 1]));
    for list in [&[][..], &[2, 1, 0x80], &[2, 3, 1, 0, 0]] {
        assert!(parse(oids::TLS_FEATURE, &asn1::sequence(&[list])).is_err(), "{list:02x?}");
    }
}

#[test]
fn rfc6962_3_1_poison_is_critical_and_null_and_without_timestamps() {
    let poisoned = Extensions { ct_poison: true, ..Extensions::default() };
    let der = written(poisoned.clone());
    assert!(is_critical(&der, oids::CT_POISON));
    assert!(contains(&der, &[1, 1, 0xff, 4, 2, 5, 0]));
    refused(Extensions { timestamps: vec![SignedTimestamp(vec![1])], ..poisoned });
}

#[test]
fn rfc6962_3_3_timestamps_are_a_tls_vector_in_an_octet_string() {
    let timestamps = vec![SignedTimestamp(vec![7; 3]), SignedTimestamp(vec![8])];
    let der = written(Extensions { timestamps, ..Extensions::default() });
    assert!(!is_critical(&der, oids::SCT_LIST));
    assert!(contains(&der, &[4, 12, 4, 10, 0, 8, 0, 3, 7, 7, 7, 0, 1, 8]));
    for refused_list in [vec![], vec![SignedTimestamp(vec![])], vec![SignedTimestamp(vec![1; 0xffff])]] {
        // An empty list is an absent extension, so only the others reach the encoder.
        if !refused_list.is_empty() {
            refused(Extensions { timestamps: refused_list, ..Extensions::default() });
        }
    }
    let damaged: [&[u8]; 6] =
        [&[], &[0, 0], &[0, 3, 0, 1], &[0, 2, 0, 0], &[0, 3, 0, 2, 1], &[0, 3, 0, 1, 1, 9]];
    for list in damaged {
        assert!(parse(oids::SCT_LIST, &asn1::octet_string(list)).is_err(), "{list:02x?}");
    }
}

#[test]
fn ms_wcce_2_2_2_7_7_1_template_name_is_a_bmp_string() {
    let der = written(Extensions { template_name: Some("Üser".into()), ..Extensions::default() });
    assert!(contains(&der, &[0x1e, 8, 0, 0xdc, 0, b's', 0, b'e', 0, b'r']));
    for name in ["", "😀", "a\0b", &"a".repeat(65)] {
        refused(Extensions { template_name: Some(name.into()), ..Extensions::default() });
    }
    for value in [&[0x1e, 3, 0, b'a', 0][..], &[0x1e, 2, 0xd8, 0], &[0x0c, 1, b'a'], &[0x1e, 0]] {
        assert!(parse(oids::MS_TEMPLATE_NAME, value).is_err(), "{value:02x?}");
    }
}

#[test]
fn ms_wcce_2_2_2_7_7_2_template_has_an_identifier_and_two_numbers() {
    let identifier = "1.3.6.1.4.1.311.21.8.1".parse().unwrap();
    let template = CertificateTemplate { identifier, major: 100, minor: u32::MAX };
    let der = written(Extensions { template: Some(template), ..Extensions::default() });
    assert!(!is_critical(&der, oids::MS_TEMPLATE));
    assert!(contains(&der, &[2, 1, 100, 2, 5, 0, 0xff, 0xff, 0xff, 0xff]));
    assert!(parse(oids::MS_TEMPLATE, &[0x30, 11, 6, 1, 42, 2, 6, 1, 0, 0, 0, 0, 0]).is_err());
    assert_eq!(parse(oids::MS_TEMPLATE, &[0x30, 3, 6, 1, 42]).unwrap().template, None);
}

#[test]
fn rfc5280_4_1_2_5_validity_crosses_2050() {
    let mut tbs = sample();
    (tbs.not_before, tbs.not_after) = (UnixSeconds(2_524_607_999), UnixSeconds(2_524_608_000));
    let der = tbs.encode().unwrap();
    assert!(contains(&der, b"\x30\x20\x17\x0d491231235959Z\x18\x0f20500101000000Z"));
    assert_eq!(TbsCertificate::decode(&der), Ok(tbs));
}
