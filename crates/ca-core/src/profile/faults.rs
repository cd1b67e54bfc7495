//! What can be wrong with a profile before anything is issued from it.

use alloc::string::String;
use alloc::vec::Vec;

use ca_x509::certificate::{ExtendedKeyUsage, KeyUsage};
use ca_x509::name::HostName;

use super::{Audience, DnsRule, KeyRule, Profile, StatusRule, SubjectRule};
use crate::limits::{BACKDATE_MAX_S, LIFE_MAX_S, NAMES_MAX, RSA_BITS_MAX, RSA_BITS_MIN};

/// What makes a profile one that nothing, or nothing right, can be issued from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct ProfileFault {
    /// Where: `validity.max`, `keys[1]`.
    pub field: String,
    /// What is wrong, with both sides.
    pub why: String,
}

impl Profile {
    /// What is wrong with this profile in itself; empty if nothing is. Whether its CAs exist, the register knows.
    #[must_use]
    pub fn faults(&self) -> Vec<ProfileFault> {
        let Self { keys, issuers, validity, names, extended_key_usage: purposes, .. } = self;
        let ca = self.basic_constraints.ca;
        let signs = self.key_usage.contains(KeyUsage::KEY_CERT_SIGN);
        let responder = purposes.contains(&ExtendedKeyUsage::OcspSigning);
        let server = purposes.contains(&ExtendedKeyUsage::ServerAuth);
        let short = |rule: &KeyRule| matches!(rule, KeyRule::Rsa { bits_min } if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(bits_min));
        let malformed = |rule: &DnsRule| match rule {
            DnsRule::Under(domains) => domains.is_empty() || domains.iter().any(|domain| !is_domain(domain)),
            DnsRule::No | DnsRule::Any => false,
        };
        let given = self.subject == SubjectRule::Given && self.audience == Audience::Requesters;
        let rules: [(bool, &str, String); 15] = [
            (issuers.is_empty(), "issuers", "no CA issues it".into()),
            (keys.is_empty(), "keys", "no key is taken".into()),
            (
                keys.iter().any(short),
                "keys",
                alloc::format!("RSA keys have {RSA_BITS_MIN} to {RSA_BITS_MAX} bits"),
            ),
            (validity.default_s == 0, "validity.default", "it is 0".into()),
            (
                validity.default_s > validity.max_s,
                "validity.default",
                alloc::format!("{} s are more than max, {} s", validity.default_s, validity.max_s),
            ),
            (
                validity.max_s > LIFE_MAX_S,
                "validity.max",
                alloc::format!("{} s are more than {LIFE_MAX_S} s", validity.max_s),
            ),
            (
                validity.backdate_s > BACKDATE_MAX_S,
                "validity.backdate",
                alloc::format!("{} s are more than {BACKDATE_MAX_S} s", validity.backdate_s),
            ),
            (
                malformed(&names.dns),
                "names.dns",
                "not a list of domains like example.com, in lower case".into(),
            ),
            (
                malformed(&names.email),
                "names.email",
                "not a list of domains like example.com, in lower case".into(),
            ),
            (
                names.count_min > NAMES_MAX,
                "names.min",
                alloc::format!("{} are more than a certificate may have, {NAMES_MAX}", names.count_min),
            ),
            (
                server && names.count_min == 0 && self.audience == Audience::Requesters,
                "names.min",
                "serverAuth without a name: a server is known by its names (RFC 9525 §2)".into(),
            ),
            (self.key_usage.is_empty(), "usage.key", "at least one usage (RFC 5280 §4.2.1.3)".into()),
            (ca != signs, "usage.key", "keyCertSign and [ca] go together (RFC 5280 §4.2.1.9)".into()),
            (
                responder != (self.status == StatusRule::NoCheck) || responder && purposes.len() > 1,
                "usage.extended",
                "OCSPSigning stands alone, with status no-check (RFC 6960 §4.2.2.2)".into(),
            ),
            (
                given || ca && self.audience == Audience::Requesters,
                "audience",
                "only the cluster itself names subjects freely and makes CAs".into(),
            ),
        ];
        let broken = rules.into_iter().filter(|(broken, ..)| *broken);
        broken.map(|(_, field, why)| ProfileFault { field: field.into(), why }).collect()
    }
}

/// A domain as it stands in a rule: a host name in lower case.
fn is_domain(text: &str) -> bool {
    HostName::parse(text).is_ok() && !text.chars().any(|c| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::built_in;
    use super::*;

    #[test]
    fn the_built_in_profiles_are_without_fault() {
        for profile in built_in(DnsRule::Any).unwrap() {
            assert_eq!(profile.faults(), [], "{}", profile.name);
        }
    }

    /// Each change breaks one rule.
    #[test]
    fn each_fault_is_named_by_its_field() {
        type Break = fn(&mut Profile);
        let rows: [(&str, Break); 17] = [
            ("issuers", |p| p.issuers.clear()),
            ("keys", |p| p.keys.clear()),
            ("keys", |p| p.keys.push(KeyRule::Rsa { bits_min: 1024 })),
            ("keys", |p| p.keys.push(KeyRule::Rsa { bits_min: 65_535 })),
            ("validity.default", |p| p.validity.default_s = 0),
            ("validity.default", |p| p.validity.default_s = p.validity.max_s + 1),
            ("validity.max", |p| p.validity.max_s = u64::MAX),
            ("validity.backdate", |p| p.validity.backdate_s = 3 * 24 * 3600),
            ("names.dns", |p| p.names.dns = DnsRule::Under(vec![])),
            ("names.dns", |p| p.names.dns = DnsRule::Under(vec!["*.example.com".into()])),
            ("names.email", |p| p.names.email = DnsRule::Under(vec!["Example.com".into()])),
            ("names.min", |p| p.names.count_min = NAMES_MAX + 1),
            ("names.min", |p| p.names.count_min = 0),
            ("usage.key", |p| p.key_usage = KeyUsage::EMPTY),
            ("usage.key", |p| p.key_usage = KeyUsage::KEY_CERT_SIGN),
            ("usage.extended", |p| p.extended_key_usage.push(ExtendedKeyUsage::OcspSigning)),
            ("audience", |p| p.subject = SubjectRule::Given),
        ];
        let profiles = built_in(DnsRule::Any).unwrap();
        let server = profiles.iter().find(|profile| profile.name.as_str() == "tls-server").unwrap();
        for (field, break_it) in rows {
            let mut profile = server.clone();
            break_it(&mut profile);
            let fields: Vec<_> = profile.faults().into_iter().map(|fault| fault.field).collect();
            assert_eq!(fields, [field]);
        }
    }
}
