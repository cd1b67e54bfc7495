//! Profiles ⇄ protobuf.

use ca_core::profile::{
    Allow, Audience, DnsRule, KeyRule, NameRules, Profile, StatusRule, SubjectRule, ValidityRule,
};
use ca_x509::certificate::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use super::CodecError;
use super::fields::{self, known, required};
use crate::wire::log as wire;

pub(super) fn to_wire(profile: &Profile) -> wire::Profile {
    wire::Profile {
        name: profile.name.to_string(),
        version: profile.version,
        audience: match profile.audience {
            Audience::Requesters => wire::Audience::Requesters,
            Audience::Cluster => wire::Audience::Cluster,
        }
        .into(),
        keys: profile.keys.iter().map(|rule| key_rule_to_wire(*rule)).collect(),
        default_s: profile.validity.default_s,
        max_s: profile.validity.max_s,
        backdate_s: profile.validity.backdate_s,
        subject: match profile.subject {
            SubjectRule::NameAmongNames => wire::SubjectRule::NameAmongNames,
            SubjectRule::Given => wire::SubjectRule::Given,
        }
        .into(),
        names: Some(names_to_wire(&profile.names)),
        key_usage: key_usage_to_wire(profile.key_usage),
        extended_key_usage: profile
            .extended_key_usage
            .iter()
            .map(|usage| purpose_to_wire(*usage).into())
            .collect(),
        ca: profile.basic_constraints.ca,
        path_len: profile.basic_constraints.path_len.map(u32::from),
        status: match profile.status {
            StatusRule::Pointers => wire::StatusRule::Pointers,
            StatusRule::Root => wire::StatusRule::Root,
            StatusRule::NoCheck => wire::StatusRule::NoCheck,
        }
        .into(),
        issuers: profile.issuers.iter().map(ToString::to_string).collect(),
    }
}

pub(super) fn from_wire(profile: wire::Profile) -> Result<Profile, CodecError> {
    let unset = |what| Err(CodecError::Unknown { what });
    Ok(Profile {
        name: fields::profile_name(&profile.name)?,
        version: profile.version,
        audience: match known("audience", profile.audience)? {
            wire::Audience::Unset => return unset("audience"),
            wire::Audience::Requesters => Audience::Requesters,
            wire::Audience::Cluster => Audience::Cluster,
        },
        issuers: profile.issuers.iter().map(|ca| fields::ca(ca)).collect::<Result<_, _>>()?,
        keys: profile.keys.iter().map(key_rule).collect::<Result<_, _>>()?,
        validity: ValidityRule {
            default_s: profile.default_s,
            max_s: profile.max_s,
            backdate_s: profile.backdate_s,
        },
        subject: match known("subject rule", profile.subject)? {
            wire::SubjectRule::Unset => return unset("subject rule"),
            wire::SubjectRule::NameAmongNames => SubjectRule::NameAmongNames,
            wire::SubjectRule::Given => SubjectRule::Given,
        },
        names: names(required("name rules", profile.names)?)?,
        key_usage: key_usage(profile.key_usage)?,
        extended_key_usage: profile
            .extended_key_usage
            .into_iter()
            .map(|number| purpose(known("extended key usage", number)?))
            .collect::<Result<_, _>>()?,
        basic_constraints: BasicConstraints {
            ca: profile.ca,
            path_len: match profile.path_len.map(u8::try_from) {
                None => None,
                Some(Ok(len)) => Some(len),
                Some(Err(_)) => return unset("path length"),
            },
        },
        status: match known("status rule", profile.status)? {
            wire::StatusRule::Unset => return unset("status rule"),
            wire::StatusRule::Pointers => StatusRule::Pointers,
            wire::StatusRule::Root => StatusRule::Root,
            wire::StatusRule::NoCheck => StatusRule::NoCheck,
        },
    })
}

fn key_rule_to_wire(rule: KeyRule) -> wire::KeyRule {
    let (algorithm, bits_min) = match rule {
        KeyRule::EcP256 => (wire::KeyAlgorithm::EcP256, 0),
        KeyRule::EcP384 => (wire::KeyAlgorithm::EcP384, 0),
        KeyRule::EcP521 => (wire::KeyAlgorithm::EcP521, 0),
        KeyRule::Ed25519 => (wire::KeyAlgorithm::Ed25519, 0),
        KeyRule::Rsa { bits_min } => (wire::KeyAlgorithm::Rsa, bits_min.into()),
    };
    wire::KeyRule { algorithm: algorithm.into(), bits_min }
}

fn key_rule(rule: &wire::KeyRule) -> Result<KeyRule, CodecError> {
    Ok(match known("key algorithm", rule.algorithm)? {
        wire::KeyAlgorithm::Unset => return Err(CodecError::Unknown { what: "key algorithm" }),
        wire::KeyAlgorithm::EcP256 => KeyRule::EcP256,
        wire::KeyAlgorithm::EcP384 => KeyRule::EcP384,
        wire::KeyAlgorithm::EcP521 => KeyRule::EcP521,
        wire::KeyAlgorithm::Ed25519 => KeyRule::Ed25519,
        wire::KeyAlgorithm::Rsa => KeyRule::Rsa {
            bits_min: u16::try_from(rule.bits_min)
                .map_err(|_large| CodecError::Unknown { what: "RSA bits" })?,
        },
    })
}

fn names_to_wire(names: &NameRules) -> wire::NameRules {
    let (dns, dns_under) = domains_to_wire(&names.dns);
    let (email, email_under) = domains_to_wire(&names.email);
    wire::NameRules {
        dns: dns.into(),
        dns_under,
        wildcard: names.wildcard == Allow::Yes,
        ip: names.ip == Allow::Yes,
        uri: names.uri == Allow::Yes,
        count_min: u64::try_from(names.count_min).unwrap_or(u64::MAX),
        email: email.into(),
        email_under,
    }
}

fn domains_to_wire(rule: &DnsRule) -> (wire::DnsRule, Vec<String>) {
    match rule {
        DnsRule::No => (wire::DnsRule::No, Vec::new()),
        DnsRule::Any => (wire::DnsRule::Any, Vec::new()),
        DnsRule::Under(domains) => (wire::DnsRule::Under, domains.clone()),
    }
}

fn domains(rule: i32, under: Vec<String>) -> Result<DnsRule, CodecError> {
    Ok(match known("DNS rule", rule)? {
        wire::DnsRule::Unset => return Err(CodecError::Unknown { what: "DNS rule" }),
        wire::DnsRule::No => DnsRule::No,
        wire::DnsRule::Any => DnsRule::Any,
        wire::DnsRule::Under => DnsRule::Under(under),
    })
}

fn names(names: wire::NameRules) -> Result<NameRules, CodecError> {
    let allow = |yes| if yes { Allow::Yes } else { Allow::No };
    Ok(NameRules {
        dns: domains(names.dns, names.dns_under)?,
        email: domains(names.email, names.email_under)?,
        wildcard: allow(names.wildcard),
        ip: allow(names.ip),
        uri: allow(names.uri),
        count_min: usize::try_from(names.count_min)
            .map_err(|_large| CodecError::Unknown { what: "name count" })?,
    })
}

/// Bit n of the number is bit n of RFC 5280 §4.2.1.3, which is the place in [`KeyUsage::ALL`].
fn key_usage_to_wire(usage: KeyUsage) -> u32 {
    let bits = KeyUsage::ALL.iter().zip(0_u32..);
    bits.filter(|((named, _), _)| usage.contains(*named)).fold(0, |set, (_, bit)| set | bit_of(bit))
}

fn key_usage(set: u32) -> Result<KeyUsage, CodecError> {
    let bits = KeyUsage::ALL.iter().zip(0_u32..);
    let usage: KeyUsage =
        bits.filter(|(_, bit)| set & bit_of(*bit) != 0).map(|((named, _), _)| *named).collect();
    if key_usage_to_wire(usage) == set { Ok(usage) } else { Err(CodecError::Unknown { what: "key usage" }) }
}

fn bit_of(bit: u32) -> u32 {
    1_u32.checked_shl(bit).unwrap_or_default()
}

fn purpose_to_wire(usage: ExtendedKeyUsage) -> wire::ExtendedKeyUsage {
    match usage {
        ExtendedKeyUsage::ServerAuth => wire::ExtendedKeyUsage::ServerAuth,
        ExtendedKeyUsage::ClientAuth => wire::ExtendedKeyUsage::ClientAuth,
        ExtendedKeyUsage::OcspSigning => wire::ExtendedKeyUsage::OcspSigning,
        ExtendedKeyUsage::CodeSigning => wire::ExtendedKeyUsage::CodeSigning,
        ExtendedKeyUsage::EmailProtection => wire::ExtendedKeyUsage::EmailProtection,
        ExtendedKeyUsage::TimeStamping => wire::ExtendedKeyUsage::TimeStamping,
    }
}

fn purpose(usage: wire::ExtendedKeyUsage) -> Result<ExtendedKeyUsage, CodecError> {
    Ok(match usage {
        wire::ExtendedKeyUsage::Unset => return Err(CodecError::Unknown { what: "extended key usage" }),
        wire::ExtendedKeyUsage::ServerAuth => ExtendedKeyUsage::ServerAuth,
        wire::ExtendedKeyUsage::ClientAuth => ExtendedKeyUsage::ClientAuth,
        wire::ExtendedKeyUsage::OcspSigning => ExtendedKeyUsage::OcspSigning,
        wire::ExtendedKeyUsage::CodeSigning => ExtendedKeyUsage::CodeSigning,
        wire::ExtendedKeyUsage::EmailProtection => ExtendedKeyUsage::EmailProtection,
        wire::ExtendedKeyUsage::TimeStamping => ExtendedKeyUsage::TimeStamping,
    })
}
