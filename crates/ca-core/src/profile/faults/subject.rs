//! Faults of the subject.

use alloc::string::ToString as _;

use ca_x509::certificate::ExtendedKeyUsage;
use ca_x509::name::{AttributeType, DistinguishedName, DistinguishedNameBuilder};

use super::{Rule, found};
use crate::profile::{AttributeRule, AttributeSource, Audience, NameRules, Profile, SubjectRule};

pub(super) const RULES: &[Rule] = &[
    ("subject", |p| {
        let free = p.subject == SubjectRule::Given && p.audience == Audience::Requesters;
        found(free, "only the cluster itself names subjects freely")
    }),
    ("subject", |p| {
        let fixed = |name, rule: &AttributeRule| match &rule.source {
            AttributeSource::Fixed(text) => {
                DistinguishedNameBuilder::attribute(name, rule.kind, text.clone())
            }
            AttributeSource::Optional | AttributeSource::Required | AttributeSource::Names => name,
        };
        attributes(p).iter().fold(DistinguishedName::new(), fixed).build().err().map(|e| e.to_string())
    }),
    ("subject", |p| {
        let asked = |rule: &&AttributeRule| !matches!(rule.source, AttributeSource::Fixed(_));
        let twice =
            attributes(p).iter().enumerate().filter(|(_, rule)| asked(rule)).find(|(place, rule)| {
                attributes(p).iter().take(*place).filter(asked).any(|earlier| earlier.kind == rule.kind)
            })?;
        Some(alloc::format!("{} is taken from the request twice", twice.1.kind))
    }),
    ("subject", |p| {
        let named = |rule: &&AttributeRule| rule.source == AttributeSource::Names;
        let known = |kind| matches!(kind, AttributeType::CommonName | AttributeType::EmailAddress);
        let other = attributes(p).iter().filter(named).find(|rule| !known(rule.kind))?;
        Some(alloc::format!("{} is no name: CN and emailAddress can come from names", other.kind))
    }),
    ("subject", |p| {
        let other = attributes(p)
            .iter()
            .any(|rule| rule.kind == AttributeType::EmailAddress && rule.source != AttributeSource::Names);
        found(other, "an emailAddress is an alternative name too: it comes from names (RFC 5280 §4.1.2.6)")
    }),
    ("subject", |p| {
        let server = p.extended_key_usage.contains(&ExtendedKeyUsage::ServerAuth);
        let free = |rule: &AttributeRule| {
            rule.kind == AttributeType::CommonName && rule.source != AttributeSource::Names
        };
        let free = server && attributes(p).iter().any(free);
        found(free, "clients still read a server's CN: it comes from names (CA/B BR §7.1.4.3)")
    }),
    ("subject", |p| {
        let never = p.names == NameRules { source: p.names.source, ..NameRules::NONE };
        let named = |rule: &AttributeRule| rule.source != AttributeSource::Names;
        let nobody = is_composed(p) && never && !attributes(p).iter().any(named);
        found(nobody, "neither a subject nor a name: it certifies nobody (RFC 5280 §4.1.2.6)")
    }),
    ("subject", |p| {
        let sure = |rule: &AttributeRule| {
            matches!(rule.source, AttributeSource::Fixed(_) | AttributeSource::Required)
        };
        let unnamed = is_composed(p) && p.basic_constraints.ca && !attributes(p).iter().any(sure);
        found(unnamed, "a CA's subject is not empty (RFC 5280 §4.1.2.6)")
    }),
];

fn is_composed(p: &Profile) -> bool {
    matches!(p.subject, SubjectRule::Composed(_))
}

fn attributes(p: &Profile) -> &[AttributeRule] {
    match &p.subject {
        SubjectRule::Composed(rules) => rules,
        SubjectRule::Given => &[],
    }
}
