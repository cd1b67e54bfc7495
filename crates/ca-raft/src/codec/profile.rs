//! Profiles ⇄ protobuf.

use ca_core::command::Command;
use ca_core::profile::{
    Allow, Audience, Criticality, KeyRule, PerMinute, Profile, Stapling, StatusRule, ValidityRule,
};
use ca_core::roles::Identity;
use ca_x509::certificate::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use super::CodecError;
use super::fields::{self, known, required};
use crate::wire::log as wire;

pub(super) mod constraints;
mod names;
mod subject;

pub(super) fn define_to_wire(profile: &Profile, requester: Identity) -> wire::DefineProfile {
    let requester = Some(fields::identity_to_wire(requester));
    wire::DefineProfile { profile: Some(to_wire(profile)), requester }
}

pub(super) fn define_from_wire(defined: wire::DefineProfile) -> Result<Command, CodecError> {
    let profile = Box::new(from_wire(required("profile", defined.profile)?)?);
    Ok(Command::DefineProfile { profile, requester: fields::identity(defined.requester)? })
}

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
        subject: subject::to_wire(&profile.subject),
        names: Some(names::to_wire(&profile.names)),
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
        rsa_key_usage: key_usage_to_wire(profile.rsa_key_usage),
        ec_key_usage: key_usage_to_wire(profile.ec_key_usage),
        other_purposes: profile.other_purposes.iter().map(ToString::to_string).collect(),
        purposes_critical: profile.purposes_marked == Criticality::Critical,
        policies: profile.policies.iter().map(constraints::policy_to_wire).collect(),
        policy_constraints: profile.policy_constraints.map(constraints::policies_to_wire),
        inhibit_any_policy: profile.inhibit_any_policy.map(u32::from),
        name_constraints: profile.name_constraints.as_ref().map(constraints::names_to_wire),
        must_staple: profile.stapling == Stapling::Required,
        hold: allowed(profile.hold),
        rate_per_minute: profile.rate.map(|rate| rate.0),
        template_name: profile.template_name.clone(),
        template: profile.template.map(constraints::template_to_wire),
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
        subject: subject::from_wire(profile.subject)?,
        names: names::from_wire(required("name rules", profile.names)?)?,
        key_usage: key_usage(profile.key_usage)?,
        rsa_key_usage: key_usage(profile.rsa_key_usage)?,
        ec_key_usage: key_usage(profile.ec_key_usage)?,
        extended_key_usage: profile
            .extended_key_usage
            .into_iter()
            .map(|number| purpose(known("extended key usage", number)?))
            .collect::<Result<_, _>>()?,
        other_purposes: profile
            .other_purposes
            .iter()
            .map(|oid| fields::oid(oid))
            .collect::<Result<_, _>>()?,
        purposes_marked: match profile.purposes_critical {
            true => Criticality::Critical,
            false => Criticality::NotCritical,
        },
        basic_constraints: BasicConstraints {
            ca: profile.ca,
            path_len: fields::small("path length", profile.path_len)?,
        },
        status: match known("status rule", profile.status)? {
            wire::StatusRule::Unset => return unset("status rule"),
            wire::StatusRule::Pointers => StatusRule::Pointers,
            wire::StatusRule::Root => StatusRule::Root,
            wire::StatusRule::NoCheck => StatusRule::NoCheck,
        },
        name_constraints: profile.name_constraints.map(constraints::names).transpose()?,
        policies: profile.policies.into_iter().map(constraints::policy).collect::<Result<_, _>>()?,
        policy_constraints: profile.policy_constraints.map(constraints::policies).transpose()?,
        inhibit_any_policy: fields::small("inhibitAnyPolicy", profile.inhibit_any_policy)?,
        stapling: if profile.must_staple { Stapling::Required } else { Stapling::Optional },
        hold: allow(profile.hold),
        rate: profile.rate_per_minute.map(PerMinute),
        template_name: profile.template_name,
        template: profile.template.as_ref().map(constraints::template).transpose()?,
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

fn allowed(allow: Allow) -> bool {
    allow == Allow::Yes
}

fn allow(yes: bool) -> Allow {
    if yes { Allow::Yes } else { Allow::No }
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
