//! Each rule is broken alone.

use alloc::vec;

use ca_x509::certificate::{
    CertificatePolicy, ExtendedKeyUsage, KeyUsage, NameConstraints, NameSubtree, PolicyConstraints,
};
use ca_x509::name::AttributeType;
use ca_x509::oid::Oid;

use super::*;
use crate::limits::NAMES_MAX;
use crate::profile::{
    AttributeRule, AttributeSource, Criticality, DnsRule, IpBlock, IpRule, NameRules, PerMinute, Stapling,
    SubjectRule, UriRule, built_in,
};

type Break = fn(&mut Profile);

#[test]
fn the_built_in_profiles_are_without_fault() {
    for dns in [DnsRule::Any, DnsRule::Under(vec!["example.com".into()])] {
        for profile in built_in(&dns).unwrap() {
            assert_eq!(profile.faults(), [], "{}", profile.name);
        }
    }
}

/// Each change breaks one rule of `tls-server`.
#[test]
fn each_fault_is_named_by_its_field() {
    let rows: &[(&str, Break)] = &[
        ("issuers", |p| p.issuers.clear()),
        ("keys", |p| p.keys.clear()),
        ("keys", |p| p.keys.push(KeyRule::Rsa { bits_min: 1024 })),
        ("keys", |p| p.keys.push(KeyRule::Rsa { bits_min: 65_535 })),
        ("validity.default", |p| p.validity.default_s = 0),
        ("validity.default", |p| p.validity.default_s = p.validity.max_s + 1),
        ("validity.max", |p| p.validity.max_s = u64::MAX),
        ("validity.backdate", |p| p.validity.backdate_s = 3 * 24 * 3600),
        ("rate_per_minute", |p| p.rate = Some(PerMinute(0))),
        ("rate_per_minute", |p| p.rate = Some(PerMinute(RATE_PER_MINUTE_MAX + 1))),
        ("policies", |p| p.policies = vec![policy("http://cps.test/"), policy("http://cps.test/")]),
        ("policies", |p| p.policies = vec![policy("no uri")]),
        ("template.name", |p| p.template_name = Some("x".repeat(65))),
        ("names.dns", |p| p.names.dns = DnsRule::Under(vec![])),
        ("names.dns", |p| p.names.dns = DnsRule::Under(vec!["*.example.com".into()])),
        ("names.email", |p| p.names.email = DnsRule::Under(vec!["Example.com".into()])),
        ("names.upn", |p| p.names.upn = DnsRule::Under(vec!["a b".into()])),
        ("names.ip", |p| p.names.ip = IpRule::Within(vec![])),
        ("names.ip", |p| {
            p.names.ip = IpRule::Within(vec![IpBlock { address: [10, 0, 0, 1].into(), prefix: 8 }]);
        }),
        ("names.uri", |p| p.names.uri = UriRule::Under(vec![])),
        ("names.uri", |p| p.names.uri = UriRule::Under(vec!["spiffe://corp.example".into()])),
        ("names.uri", |p| p.names.uri = UriRule::Under(vec!["/".into()])),
        ("names.wildcard", |p| p.names.dns = DnsRule::No),
        ("names.min", |p| p.names.count_min = NAMES_MAX + 1),
        ("names.min", |p| p.names.count_min = 0),
        ("subject", |p| p.subject = SubjectRule::Given),
        ("subject", |p| p.subject = composed(AttributeType::Country, fixed("Germany"))),
        ("subject", |p| p.subject = composed(AttributeType::CommonName, AttributeSource::Optional)),
        ("subject", |p| p.subject = composed(AttributeType::CommonName, fixed("web.test"))),
        ("subject", |p| p.subject = composed(AttributeType::UserId, AttributeSource::Names)),
        ("subject", |p| p.subject = composed(AttributeType::EmailAddress, AttributeSource::Optional)),
        ("subject", |p| {
            let unit = || AttributeRule {
                kind: AttributeType::OrganizationalUnit,
                source: AttributeSource::Optional,
            };
            p.subject = SubjectRule::Composed(vec![unit(), unit()]);
        }),
        ("usage.key", |p| p.key_usage = p.key_usage | KeyUsage::CRL_SIGN),
        ("usage.key", |p| p.key_usage = p.key_usage | KeyUsage::KEY_ENCIPHERMENT),
        ("usage.key", |p| p.rsa_key_usage = KeyUsage::KEY_AGREEMENT),
        ("usage.key", |p| p.ec_key_usage = KeyUsage::DATA_ENCIPHERMENT),
        ("usage.extended", |p| p.extended_key_usage.push(ExtendedKeyUsage::ServerAuth)),
        ("usage.extended", |p| p.extended_key_usage.push(ExtendedKeyUsage::OcspSigning)),
        ("usage.extended", |p| p.extended_key_usage.push(ExtendedKeyUsage::TimeStamping)),
        ("usage.extended", |p| p.status = StatusRule::NoCheck),
        ("names.email", |p| p.extended_key_usage.push(ExtendedKeyUsage::EmailProtection)),
        ("usage.critical", |p| {
            (p.purposes_marked, p.other_purposes) = (Criticality::Critical, vec![Oid::ANY_PURPOSE]);
        }),
        ("usage.key", |p| p.ec_key_usage = KeyUsage::KEY_CERT_SIGN),
        ("ca", |p| p.inhibit_any_policy = Some(0)),
        ("ca", |p| p.name_constraints = Some(permitting("example.com"))),
    ];
    broken_alone("tls-server", rows);
}

/// Each change breaks one rule of the profile named.
#[test]
fn faults_that_a_server_cannot_have_are_named_too() {
    broken_alone(
        "sub-ca",
        &[
            ("audience", |p| {
                p.audience = Audience::Requesters;
                p.subject = composed(AttributeType::CommonName, AttributeSource::Required);
            }),
            ("subject", |p| p.subject = composed(AttributeType::CommonName, AttributeSource::Optional)),
            ("ca.permit", |p| p.name_constraints = Some(NameConstraints::default())),
            ("ca.permit", |p| p.name_constraints = Some(permitting(".example.com"))),
            ("ca", |p| p.policy_constraints = Some(PolicyConstraints::default())),
            ("usage.key", |p| p.key_usage = KeyUsage::CRL_SIGN),
            ("usage.critical", |p| p.purposes_marked = Criticality::Critical),
            ("staple", |p| p.stapling = Stapling::Required),
            ("names.min", |p| p.names.count_min = 1),
        ],
    );
    broken_alone(
        "ocsp-responder",
        &[
            ("usage.extended", |p| p.status = StatusRule::Pointers),
            ("usage.extended", |p| p.other_purposes.push(Oid::ANY_PURPOSE)),
            ("hold", |p| p.hold = Allow::Yes),
        ],
    );
    broken_alone(
        "smime",
        &[
            ("names.email", |p| p.names.count_min = 0),
            ("subject", |p| (p.names, p.extended_key_usage) = (NameRules::NONE, vec![])),
        ],
    );
    broken_alone(
        "code-signing",
        &[
            ("usage.extended", |p| p.key_usage = KeyUsage::NON_REPUDIATION),
            ("usage.key", |p| (p.key_usage, p.extended_key_usage) = (KeyUsage::EMPTY, vec![])),
            ("usage.key", |p| p.ec_key_usage = KeyUsage::KEY_AGREEMENT | KeyUsage::KEY_ENCIPHERMENT),
        ],
    );
}

fn broken_alone(name: &str, rows: &[(&str, Break)]) {
    let profiles = built_in(&DnsRule::Any).unwrap();
    let sound = profiles.iter().find(|profile| profile.name.as_str() == name).unwrap();
    for (place, (field, break_it)) in rows.iter().enumerate() {
        let mut profile = sound.clone();
        break_it(&mut profile);
        let faults = profile.faults();
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, [*field], "row {place} of {name}: {faults:?}");
    }
}

fn composed(kind: AttributeType, source: AttributeSource) -> SubjectRule {
    SubjectRule::Composed(vec![AttributeRule { kind, source }])
}

fn fixed(text: &str) -> AttributeSource {
    AttributeSource::Fixed(text.into())
}

fn policy(cps: &str) -> CertificatePolicy {
    CertificatePolicy { identifier: "1.3.6.1.4.1.1.1".parse().unwrap(), cps: vec![cps.into()] }
}

fn permitting(domain: &str) -> NameConstraints {
    NameConstraints { permitted: vec![NameSubtree::Dns(domain.into())], excluded: vec![] }
}
