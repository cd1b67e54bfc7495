//! Faults of the rules about names.

use alloc::string::String;

use ca_x509::certificate::ExtendedKeyUsage;
use ca_x509::name::{GeneralName, HostName};

use super::{Rule, found};
use crate::limits::{NAMES_MAX, PROFILE_RULES_MAX};
use crate::profile::{Allow, Audience, DnsRule, IpRule, NameRules, UriRule};

pub(super) const RULES: &[Rule] = &[
    ("names.dns", |p| domains(&p.names.dns)),
    ("names.email", |p| domains(&p.names.email)),
    ("names.upn", |p| domains(&p.names.upn)),
    ("names.ip", |p| {
        let IpRule::Within(blocks) = &p.names.ip else { return None };
        let fine = count_is_fine(blocks.len()) && blocks.iter().all(|block| block.is_well_formed());
        found(!fine, "not a list of blocks like 10.0.0.0/8, with no bits beyond the prefix (RFC 4632 §3.1)")
    }),
    ("names.uri", |p| {
        let UriRule::Under(prefixes) = &p.names.uri else { return None };
        let fine = count_is_fine(prefixes.len()) && prefixes.iter().all(|prefix| is_prefix(prefix));
        found(
            !fine,
            "not a list of prefixes like spiffe://corp.example/ or urn:dev:, each with / or : at its end",
        )
    }),
    ("names.wildcard", |p| {
        let alone = p.names.wildcard == Allow::Yes && p.names.dns == DnsRule::No;
        found(alone, "there are no DNS names that it could stand before")
    }),
    ("names.min", |p| {
        let min = p.names.count_min;
        found(min > NAMES_MAX, alloc::format!("{min} are more than a certificate may have, {NAMES_MAX}"))
    }),
    ("names.min", |p| {
        let none = NameRules { source: p.names.source, ..NameRules::NONE };
        let never = p.names == NameRules { count_min: p.names.count_min, ..none };
        found(never && p.names.count_min > 0, "the profile certifies no names at all")
    }),
    ("names.min", |p| {
        let server = p.extended_key_usage.contains(&ExtendedKeyUsage::ServerAuth);
        let nameless = server && p.names.count_min == 0 && p.audience == Audience::Requesters;
        found(nameless, "serverAuth without a name: a server is known by its names (RFC 9525 §2)")
    }),
    ("names.email", |p| {
        let mail = p.extended_key_usage.contains(&ExtendedKeyUsage::EmailProtection);
        let nameless = mail && (p.names.email == DnsRule::No || p.names.count_min == 0);
        found(
            nameless,
            "emailProtection without a mail address, or min = 0: mail is known by it (RFC 8550 §3)",
        )
    }),
];

fn domains(rule: &DnsRule) -> Option<String> {
    let DnsRule::Under(domains) = rule else { return None };
    let fine = count_is_fine(domains.len()) && domains.iter().all(|domain| is_domain(domain));
    found(!fine, "not a list of domains like example.com, in lower case")
}

fn count_is_fine(count: usize) -> bool {
    (1..=PROFILE_RULES_MAX).contains(&count)
}

/// A domain as it stands in a rule: a host name in lower case.
fn is_domain(text: &str) -> bool {
    HostName::parse(text).is_ok() && !text.chars().any(|c| c.is_ascii_uppercase())
}

/// What goes on to be a URI.
fn is_prefix(text: &str) -> bool {
    text.ends_with(['/', ':']) && GeneralName::Uri(alloc::format!("{text}a")).check().is_ok()
}
