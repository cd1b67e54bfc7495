//! What this crate writes is read by a parser that shares no code with it: x509-parser.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::certificate::{
    BasicConstraints, CertificatePolicy, CertificateTemplate, ExtendedKeyUsage, Extensions, KeyUsage,
    NameConstraints, NameSubtree, PolicyConstraints, SignedTimestamp, TbsCertificate, TlsFeature, assemble,
};
use ca_x509::crl::{self, CrlEntry, CrlNumber, CrlScope, RevocationReason, TbsCrl};
use ca_x509::key::{KeyIdentifier, PublicKey};
use ca_x509::name::{AttributeType, DistinguishedName, GeneralName};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;
use x509_parser::extensions::{DistributionPointName, GeneralName as Theirs, ParsedExtension, X509Extension};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

/// A timestamp of an imaginary log, in the form of RFC 6962 §3.2.
fn timestamp() -> SignedTimestamp {
    let parts: [&[u8]; 6] = [&[0], &[9; 32], &[0; 8], &[0, 0], &[4, 3], &[0, 2, 1, 2]];
    SignedTimestamp(parts.concat())
}

fn everything() -> Extensions {
    Extensions {
        subject_key_identifier: Some(KeyIdentifier([1; 20])),
        authority_key_identifier: Some(KeyIdentifier([2; 20])),
        basic_constraints: Some(BasicConstraints { ca: true, path_len: Some(3) }),
        name_constraints: Some(NameConstraints {
            permitted: vec![
                NameSubtree::Dns("a.example".into()),
                NameSubtree::Email(".a.example".into()),
                NameSubtree::Ip { address: "192.0.2.0".parse().unwrap(), prefix: 24 },
            ],
            excluded: vec![NameSubtree::Uri("b.a.example".into())],
        }),
        key_usage: Some(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN),
        extended_key_usage: vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::TimeStamping],
        other_purposes: vec!["1.3.6.1.4.1.311.20.2.2".parse().unwrap()],
        purposes_are_critical: true,
        policies: vec![CertificatePolicy {
            identifier: "2.23.140.1.2.1".parse().unwrap(),
            cps: vec!["http://a.example/cps".into()],
        }],
        policy_constraints: Some(PolicyConstraints {
            require_explicit_policy: Some(0),
            inhibit_policy_mapping: Some(200),
        }),
        inhibit_any_policy: Some(1),
        subject_alt_names: vec![
            GeneralName::Dns("*.a.example".into()),
            GeneralName::Ip("2001:db8::1".parse().unwrap()),
            GeneralName::Email("b@a.example".into()),
            GeneralName::Uri("urn:uuid:1".into()),
            GeneralName::Directory(
                DistinguishedName::new().attribute(AttributeType::Surname, "Müller").build().unwrap().into(),
            ),
            GeneralName::UserPrincipalName("b@a.example".into()),
        ],
        crl_distribution_points: vec!["http://a.example/1.crl".into()],
        freshest_crl: vec!["http://a.example/1-delta.crl".into()],
        ocsp_urls: vec!["http://a.example/ocsp".into()],
        ca_issuers_urls: vec!["http://a.example/ca.cer".into()],
        tls_features: vec![TlsFeature::STATUS_REQUEST],
        template_name: Some("User".into()),
        template: Some(CertificateTemplate { identifier: "1.2.3".parse().unwrap(), major: 100, minor: 4 }),
        ocsp_no_check: true,
        ct_poison: false,
        timestamps: vec![timestamp()],
    }
}

fn tbs(public_key: PublicKey) -> TbsCertificate {
    TbsCertificate {
        serial: SerialNumber::from_random([0x5a; 16]),
        signature_algorithm: SignatureAlgorithm::RsaPssSha384,
        issuer: DistinguishedName::new().country("CH").common_name("Issuer").build().unwrap(),
        not_before: UnixSeconds(1_700_000_000),
        not_after: UnixSeconds(4_100_000_000),
        subject: DistinguishedName::new().country("CH").common_name("Zürich").build().unwrap(),
        public_key,
        extensions: everything(),
    }
}

fn general(name: &Theirs<'_>) -> String {
    match name {
        Theirs::DirectoryName(name) => format!("dirName:{name}"),
        Theirs::IPAddress(octets) => format!("IP:{octets:?}"),
        Theirs::OtherName(oid, value) => format!("{oid}:{value:02x?}"),
        Theirs::DNSName(text) | Theirs::RFC822Name(text) | Theirs::URI(text) => (*text).to_owned(),
        other => panic!("{other:?}"),
    }
}

fn points(name: Option<&DistributionPointName<'_>>) -> String {
    match name {
        Some(DistributionPointName::FullName(names)) => names.iter().map(general).collect(),
        other => panic!("{other:?}"),
    }
}

/// What they read in an extension; those that they know by identifier only are shown as octets.
fn shown(extension: &X509Extension<'_>) -> String {
    let critical = if extension.critical { "critical " } else { "" };
    let value = match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(key) => format!("ski {:x}", key.0[0]),
        ParsedExtension::AuthorityKeyIdentifier(key) => {
            format!("aki {:x}", key.key_identifier.as_ref().unwrap().0[0])
        }
        ParsedExtension::BasicConstraints(basic) => {
            format!("ca {} {:?}", basic.ca, basic.path_len_constraint)
        }
        ParsedExtension::NameConstraints(names) => {
            let list = |subtrees: &Option<Vec<x509_parser::extensions::GeneralSubtree<'_>>>| {
                subtrees.iter().flatten().map(|subtree| general(&subtree.base)).collect::<Vec<_>>().join(" ")
            };
            format!(
                "permitted {}, excluded {}",
                list(&names.permitted_subtrees),
                list(&names.excluded_subtrees)
            )
        }
        ParsedExtension::KeyUsage(usage) => format!("usage {usage}"),
        ParsedExtension::ExtendedKeyUsage(usage) => {
            format!("purposes {} {} {:?}", usage.server_auth, usage.time_stamping, usage.other)
        }
        ParsedExtension::CertificatePolicies(policies) => {
            let cps = policies[0].policy_qualifiers.as_ref().unwrap()[0].qualifier;
            format!("policy {} {}", policies[0].policy_id, String::from_utf8_lossy(&cps[2..]))
        }
        ParsedExtension::PolicyConstraints(limits) => {
            format!("policies {:?} {:?}", limits.require_explicit_policy, limits.inhibit_policy_mapping)
        }
        ParsedExtension::InhibitAnyPolicy(limit) => format!("any policy {}", limit.skip_certs),
        ParsedExtension::SubjectAlternativeName(names) => {
            format!("names {}", names.general_names.iter().map(general).collect::<Vec<_>>().join(" "))
        }
        ParsedExtension::CRLDistributionPoints(list) => {
            format!("crl {}", points(list.points[0].distribution_point.as_ref()))
        }
        ParsedExtension::AuthorityInfoAccess(access) => {
            let row = |row: &x509_parser::extensions::AccessDescription<'_>| general(&row.access_location);
            format!("access {}", access.accessdescs.iter().map(row).collect::<Vec<_>>().join(" "))
        }
        ParsedExtension::SCT(list) => format!("timestamps {} {:?}", list.len(), list[0].signature.data),
        ParsedExtension::IssuingDistributionPoint(scope) => format!(
            "scope {} {} {}",
            points(scope.distribution_point.as_ref()),
            scope.only_contains_user_certs,
            scope.only_contains_ca_certs
        ),
        ParsedExtension::CRLNumber(number) => format!("number {number}"),
        ParsedExtension::ParseError { error } => panic!("{}: {error:?}", extension.oid),
        _ => format!("{} {:02x?}", extension.oid, extension.value),
    };
    format!("{critical}{value}")
}

#[test]
fn every_extension_is_read() {
    let der = tbs(PublicKey::from_ed25519([9; 32])).encode().unwrap();
    let whole = assemble(&der, SignatureAlgorithm::RsaPssSha384, b"signature");
    let (rest, theirs) = X509Certificate::from_der(&whole).unwrap();
    assert!(rest.is_empty());
    assert_eq!(theirs.subject().to_string(), "C=CH, CN=Zürich");
    assert_eq!(theirs.validity().not_before.timestamp(), 1_700_000_000);
    assert_eq!(theirs.validity().not_after.timestamp(), 4_100_000_000);
    assert_eq!(theirs.signature_algorithm.algorithm.to_id_string(), "1.2.840.113549.1.1.10");
    assert_eq!(theirs.signature_value.data.as_ref(), b"signature");
    let extensions: Vec<String> = theirs.extensions().iter().map(shown).collect();
    let expected = [
        "ski 1",
        "aki 2",
        "critical ca true Some(3)",
        "critical permitted a.example .a.example IP:[192, 0, 2, 0, 255, 255, 255, 0], excluded b.a.example",
        "critical usage Key Cert Sign, CRL Sign",
        "critical purposes true true [OID(1.3.6.1.4.1.311.20.2.2)]",
        "policy 2.23.140.1.2.1 http://a.example/cps",
        "critical policies Some(0) Some(200)",
        "critical any policy 1",
        "names *.a.example IP:[32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] b@a.example urn:uuid:1 \
         dirName:surname=Müller 1.3.6.1.4.1.311.20.2.3:[a0, 0d, 0c, 0b, 62, 40, 61, 2e, 65, 78, 61, 6d, 70, 6c, 65]",
        "crl http://a.example/1.crl",
    ];
    assert_eq!(extensions[..expected.len()], expected);
    let further = [
        "2.5.29.46 [30, 24,",
        "access http://a.example/ocsp http://a.example/ca.cer",
        "1.3.6.1.5.5.7.1.24 [30, 03, 02, 01, 05]",
        "1.3.6.1.4.1.311.20.2 [1e, 08, 00, 55, 00, 73, 00, 65, 00, 72]",
        "1.3.6.1.4.1.311.21.7 [30, 0a, 06, 02, 2a, 03, 02, 01, 64, 02, 01, 04]",
        "1.3.6.1.5.5.7.48.1.5 [05, 00]",
        "timestamps 1 [1, 2]",
    ];
    assert_eq!(extensions.len(), expected.len() + further.len());
    for (got, expected) in extensions[11..].iter().zip(further) {
        assert!(got.starts_with(expected), "{got} against {expected}");
    }
}

#[test]
fn every_kind_of_key_is_read() {
    use ca_x509::key::KeyKind;
    let point = |length| [&[4][..], &vec![7; length]].concat();
    let mut modulus = vec![0xc5; 512];
    modulus[511] = 1;
    for (key, algorithm) in [
        (PublicKey::from_ec_point(KeyKind::EcP256, &point(64)).unwrap(), "1.2.840.10045.2.1"),
        (PublicKey::from_ec_point(KeyKind::EcP384, &point(96)).unwrap(), "1.2.840.10045.2.1"),
        (PublicKey::from_ec_point(KeyKind::EcP521, &point(132)).unwrap(), "1.2.840.10045.2.1"),
        (PublicKey::from_rsa(&modulus, &[1, 0, 1]).unwrap(), "1.2.840.113549.1.1.1"),
        (PublicKey::from_ed25519([9; 32]), "1.3.101.112"),
    ] {
        let der = tbs(key.clone()).encode().unwrap();
        let whole = assemble(&der, SignatureAlgorithm::RsaPssSha384, b"signature");
        let (_, theirs) = X509Certificate::from_der(&whole).unwrap();
        assert_eq!(theirs.public_key().raw, key.spki_der());
        assert_eq!(theirs.public_key().subject_public_key.data.as_ref(), key.key_bits());
        assert_eq!(theirs.public_key().algorithm.algorithm.to_id_string(), algorithm);
    }
}

#[test]
fn a_delta_of_a_shard_is_read() {
    let entry = |random: u8| {
        let serial = SerialNumber::from_random([random; 16]);
        CrlEntry::revoked(serial, UnixSeconds(1_700_000_000), Some(RevocationReason::KeyCompromise))
    };
    let tbs = TbsCrl {
        signature_algorithm: SignatureAlgorithm::Ed25519,
        issuer: DistinguishedName::new().common_name("Issuer").build().unwrap(),
        this_update: UnixSeconds(1_700_000_000),
        next_update: UnixSeconds(1_700_600_000),
        number: CrlNumber((1 << 64) + 7),
        authority_key_identifier: KeyIdentifier([3; 20]),
        distribution_point: Some("http://a.example/3.crl".into()),
        scope: CrlScope::UserCertificates,
        delta_base: Some(CrlNumber((1 << 64) + 5)),
        freshest_crl: vec![],
        expired_since: Some(UnixSeconds(1_600_000_000)),
    };
    let dated = CrlEntry { invalidity_date: Some(UnixSeconds(1_690_000_000)), ..entry(1) };
    let removed = CrlEntry::removed(entry(2).serial, UnixSeconds(1_700_000_000));
    let der = crl::assemble(&tbs.encode([dated, removed]).unwrap(), tbs.signature_algorithm, b"signature");
    let (rest, theirs) = CertificateRevocationList::from_der(&der).unwrap();
    assert!(rest.is_empty());
    let extensions: Vec<String> = theirs.extensions().iter().map(shown).collect();
    assert_eq!(
        extensions,
        [
            "aki 3",
            "number 18446744073709551623",
            "critical 2.5.29.27 [02, 09, 01, 00, 00, 00, 00, 00, 00, 00, 05]",
            "critical scope http://a.example/3.crl true false",
            "2.5.29.60 [18, 0f, 32, 30, 32, 30, 30, 39, 31, 33, 31, 32, 32, 36, 34, 30, 5a]",
        ]
    );
    let entries: Vec<_> = theirs.iter_revoked_certificates().collect();
    let reasons: Vec<u8> = entries.iter().map(|entry| entry.reason_code().unwrap().1.0).collect();
    assert_eq!(reasons, [1, 8]);
    assert_eq!(entries[0].invalidity_date().unwrap().1.timestamp(), 1_690_000_000);
    assert_eq!(entries[0].revocation_date.timestamp(), 1_700_000_000);
    assert_eq!(entries[0].raw_serial(), dated.serial.as_be_bytes());
}
