//! Random profiles.

use std::net::IpAddr;

use ca_core::profile::{
    Allow, AttributeRule, AttributeSource, Audience, Criticality, DnsRule, IpBlock, IpRule, KeyRule,
    NameRules, NameSource, PerMinute, Profile, Stapling, StatusRule, SubjectRule, UriRule, ValidityRule,
};
use ca_x509::certificate::{
    BasicConstraints, CertificatePolicy, CertificateTemplate, ExtendedKeyUsage, KeyUsage, NameConstraints,
    NameSubtree, PolicyConstraints,
};
use ca_x509::name::AttributeType;
use ca_x509::oid::Oid;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{ca, profile_name, subject, text};

pub(crate) fn profile() -> impl Strategy<Value = Profile> {
    let rules = (
        select(vec![Audience::Requesters, Audience::Cluster]),
        vec(ca(), 0..3),
        vec(key_rule(), 0..5),
        any::<(u64, u64, u64)>(),
        subject_rule(),
        name_rules(),
        (allow(), option::of(any::<u32>().prop_map(PerMinute))),
    );
    (profile_name(), any::<u32>(), rules, usages(), constraints(), marks()).prop_map(
        |(name, version, rules, usages, constraints, marks)| {
            let (audience, issuers, keys, (default_s, max_s, backdate_s), subject, names, rest) = rules;
            let ((key_usage, rsa_key_usage, ec_key_usage), extended_key_usage, other_purposes, marked) =
                usages;
            let (basic_constraints, name_constraints, policies, policy_constraints, inhibit_any_policy) =
                constraints;
            let (status, stapling, template_name, template) = marks;
            Profile {
                name,
                version,
                audience,
                issuers,
                keys,
                validity: ValidityRule { default_s, max_s, backdate_s },
                subject,
                names,
                key_usage,
                rsa_key_usage,
                ec_key_usage,
                extended_key_usage,
                other_purposes,
                purposes_marked: marked,
                basic_constraints,
                name_constraints,
                policies,
                policy_constraints,
                inhibit_any_policy,
                status,
                stapling,
                hold: rest.0,
                rate: rest.1,
                template_name,
                template,
            }
        },
    )
}

fn allow() -> impl Strategy<Value = Allow> {
    select(vec![Allow::Yes, Allow::No])
}

fn key_rule() -> impl Strategy<Value = KeyRule> {
    prop_oneof![
        select(vec![KeyRule::EcP256, KeyRule::EcP384, KeyRule::EcP521, KeyRule::Ed25519]),
        any::<u16>().prop_map(|bits_min| KeyRule::Rsa { bits_min }),
    ]
}

fn subject_rule() -> impl Strategy<Value = SubjectRule> {
    let source = prop_oneof![
        text().prop_map(AttributeSource::Fixed),
        select(vec![AttributeSource::Optional, AttributeSource::Required, AttributeSource::Names]),
    ];
    let attribute = (select(AttributeType::ALL.to_vec()), source)
        .prop_map(|(kind, source)| AttributeRule { kind, source });
    prop_oneof![Just(SubjectRule::Given), vec(attribute, 0..4).prop_map(SubjectRule::Composed)]
}

fn name_rules() -> impl Strategy<Value = NameRules> {
    let domains = || {
        prop_oneof![
            Just(DnsRule::No),
            Just(DnsRule::Any),
            vec("[a-z]{1,8}[.]test", 0..3).prop_map(DnsRule::Under),
        ]
    };
    let ip = prop_oneof![
        Just(IpRule::No),
        Just(IpRule::Any),
        vec((any::<IpAddr>(), any::<u8>()), 0..3).prop_map(|blocks| {
            IpRule::Within(blocks.into_iter().map(|(address, prefix)| IpBlock { address, prefix }).collect())
        }),
    ];
    let uri = prop_oneof![
        Just(UriRule::No),
        Just(UriRule::Any),
        vec("urn:[a-z]{1,8}:", 0..3).prop_map(UriRule::Under),
    ];
    let source = select(vec![NameSource::Either, NameSource::Csr, NameSource::Caller]);
    (source, (domains(), domains(), domains()), ip, uri, allow(), allow(), 0_usize..9).prop_map(
        |(source, (dns, email, upn), ip, uri, wildcard, directory, count_min)| NameRules {
            source,
            dns,
            wildcard,
            email,
            upn,
            ip,
            uri,
            directory,
            count_min,
        },
    )
}

type Usages = ((KeyUsage, KeyUsage, KeyUsage), Vec<ExtendedKeyUsage>, Vec<Oid>, Criticality);

fn usages() -> impl Strategy<Value = Usages> {
    let usage = || {
        vec(select(KeyUsage::ALL.map(|(usage, _)| usage).to_vec()), 0..4)
            .prop_map(|usages| usages.into_iter().collect::<KeyUsage>())
    };
    (
        (usage(), usage(), usage()),
        vec(select(ExtendedKeyUsage::ALL.to_vec()), 0..4),
        vec(oid(), 0..3),
        select(vec![Criticality::Critical, Criticality::NotCritical]),
    )
}

fn oid() -> impl Strategy<Value = Oid> {
    "1[.]3[.]6[.]1[.]4[.]1[.][1-9][0-9]{0,5}".prop_map(|text| text.parse().unwrap())
}

type Constraints = (
    BasicConstraints,
    Option<NameConstraints>,
    Vec<CertificatePolicy>,
    Option<PolicyConstraints>,
    Option<u8>,
);

fn constraints() -> impl Strategy<Value = Constraints> {
    let basic =
        (any::<bool>(), option::of(any::<u8>())).prop_map(|(ca, path_len)| BasicConstraints { ca, path_len });
    let policy =
        (oid(), vec(text(), 0..2)).prop_map(|(identifier, cps)| CertificatePolicy { identifier, cps });
    let policies =
        any::<(Option<u8>, Option<u8>)>().prop_map(|(require_explicit_policy, inhibit_policy_mapping)| {
            PolicyConstraints { require_explicit_policy, inhibit_policy_mapping }
        });
    (basic, option::of(name_constraints()), vec(policy, 0..3), option::of(policies), any::<Option<u8>>())
}

pub(super) fn name_constraints() -> impl Strategy<Value = NameConstraints> {
    (vec(subtree(), 0..3), vec(subtree(), 0..3))
        .prop_map(|(permitted, excluded)| NameConstraints { permitted, excluded })
}

fn subtree() -> impl Strategy<Value = NameSubtree> {
    prop_oneof![
        text().prop_map(NameSubtree::Dns),
        text().prop_map(NameSubtree::Email),
        text().prop_map(NameSubtree::Uri),
        (any::<IpAddr>(), any::<u8>()).prop_map(|(address, prefix)| NameSubtree::Ip { address, prefix }),
        subject().prop_map(|name| NameSubtree::Directory(Box::new(name))),
    ]
}

type Marks = (StatusRule, Stapling, Option<String>, Option<CertificateTemplate>);

fn marks() -> impl Strategy<Value = Marks> {
    let template = (oid(), any::<u32>(), any::<u32>())
        .prop_map(|(identifier, major, minor)| CertificateTemplate { identifier, major, minor });
    (
        select(vec![StatusRule::Pointers, StatusRule::Root, StatusRule::NoCheck]),
        select(vec![Stapling::Required, Stapling::Optional]),
        option::of(text()),
        option::of(template),
    )
}
