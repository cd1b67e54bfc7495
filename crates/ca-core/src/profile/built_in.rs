//! The profiles that every cluster begins with: its own, and those that requesters begin with.

use alloc::vec;
use alloc::vec::Vec;

use ca_x509::certificate::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use ca_x509::name::AttributeType;

use super::{
    Allow, AttributeRule, AttributeSource, Audience, Criticality, DnsRule, IpRule, KeyRule, NameRules,
    Profile, Stapling, StatusRule, SubjectRule, UriRule, ValidityRule,
};
use crate::ids::InvalidName;
use crate::limits::STATUS_LIFE_S;

const DAY_S: u64 = 24 * 3600;
/// For clients whose clocks are behind.
const BACKDATE_S: u64 = 300;

/// The profiles that every cluster begins with. Their CAs are `root`, `issuing` and `peers`; `domains` are those that
/// requesters get names and mail addresses of.
///
/// # Errors
/// None in truth: the names are literals; the type says so because names are parsed.
pub fn built_in(domains: &DnsRule) -> Result<Vec<Profile>, InvalidName> {
    let mut profiles = cluster()?;
    profiles.extend(starters(domains)?);
    Ok(profiles)
}

/// What the cluster itself needs.
fn cluster() -> Result<Vec<Profile>, InvalidName> {
    let authority = |name, issuers, status| -> Result<Profile, InvalidName> {
        Ok(Profile {
            validity: days(3650, 10_950),
            key_usage: KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN,
            // How long a path may be is asked for with each CA.
            basic_constraints: BasicConstraints { ca: true, path_len: None },
            status,
            ..leaf(name, issuers)?
        })
    };
    let hosts = NameRules { dns: DnsRule::Any, ip: IpRule::Any, count_min: 1, ..NameRules::NONE };
    Ok(vec![
        authority("root", &["root", "peers"], StatusRule::Root)?,
        authority("sub-ca", &["root"], StatusRule::Pointers)?,
        Profile {
            // Renewed at half: longer than the answers it signs.
            validity: days(14, 14),
            extended_key_usage: vec![ExtendedKeyUsage::OcspSigning],
            status: StatusRule::NoCheck,
            ..leaf("ocsp-responder", &["issuing", "root", "peers"])?
        },
        Profile {
            names: NameRules { uri: UriRule::Any, ..hosts.clone() },
            rsa_key_usage: KeyUsage::KEY_ENCIPHERMENT,
            extended_key_usage: vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth],
            ..leaf("node-peer", &["peers"])?
        },
        Profile {
            names: hosts,
            rsa_key_usage: KeyUsage::KEY_ENCIPHERMENT,
            extended_key_usage: vec![ExtendedKeyUsage::ServerAuth],
            ..leaf("node-tls", &["issuing"])?
        },
        Profile { extended_key_usage: vec![ExtendedKeyUsage::ClientAuth], ..leaf("client", &["issuing"])? },
    ])
}

/// What requesters begin with: to be changed, or copied under another name.
fn starters(domains: &DnsRule) -> Result<Vec<Profile>, InvalidName> {
    let requesters = |name, subject, purpose| -> Result<Profile, InvalidName> {
        Ok(Profile {
            audience: Audience::Requesters,
            keys: everywhere(),
            subject: SubjectRule::Composed(subject),
            extended_key_usage: vec![purpose],
            ..leaf(name, &["issuing"])?
        })
    };
    let own = |dns: &DnsRule, email: &DnsRule, count_min| NameRules {
        dns: dns.clone(),
        email: email.clone(),
        count_min,
        ..NameRules::NONE
    };
    let common_name = |source| AttributeRule { kind: AttributeType::CommonName, source };
    let serial_number =
        AttributeRule { kind: AttributeType::SerialNumber, source: AttributeSource::Required };
    Ok(vec![
        Profile {
            names: NameRules { wildcard: Allow::Yes, ip: IpRule::Any, ..own(domains, &DnsRule::No, 1) },
            rsa_key_usage: KeyUsage::KEY_ENCIPHERMENT,
            ..requesters(
                "tls-server",
                vec![common_name(AttributeSource::Names)],
                ExtendedKeyUsage::ServerAuth,
            )?
        },
        Profile {
            names: own(domains, domains, 1),
            ..requesters(
                "tls-client",
                vec![common_name(AttributeSource::Names)],
                ExtendedKeyUsage::ClientAuth,
            )?
        },
        Profile {
            // Devices know each other, and what they can do is up to their maker.
            keys: KeyRule::all(),
            validity: days(730, 1825),
            names: own(domains, &DnsRule::No, 0),
            // A device is known by its serial number (IEEE 802.1AR §8.6).
            ..requesters(
                "device",
                vec![serial_number, common_name(AttributeSource::Names)],
                ExtendedKeyUsage::ClientAuth,
            )?
        },
        Profile {
            // CA/B CSBR §6.1.5.2: RSA of 3072 bits; §6.3.2: 460 days.
            keys: vec![KeyRule::EcP256, KeyRule::EcP384, KeyRule::Rsa { bits_min: 3072 }],
            validity: days(365, 460),
            ..requesters(
                "code-signing",
                vec![common_name(AttributeSource::Required)],
                ExtendedKeyUsage::CodeSigning,
            )?
        },
        Profile {
            // CA/B SMBR §6.3.2 (strict): 825 days.
            validity: days(365, 825),
            names: own(&DnsRule::No, domains, 1),
            rsa_key_usage: KeyUsage::KEY_ENCIPHERMENT,
            ec_key_usage: KeyUsage::KEY_AGREEMENT,
            ..requesters(
                "smime",
                vec![common_name(AttributeSource::Names)],
                ExtendedKeyUsage::EmailProtection,
            )?
        },
    ])
}

fn days(default: u64, max: u64) -> ValidityRule {
    let [default_s, max_s] = [default, max].map(|days| days.saturating_mul(DAY_S));
    ValidityRule { default_s, max_s, backdate_s: BACKDATE_S }
}

/// The keys that all clients of use take: browsers and mail programs know neither Ed25519 nor, mostly, P-521.
fn everywhere() -> Vec<KeyRule> {
    vec![KeyRule::EcP256, KeyRule::EcP384, KeyRule::Rsa { bits_min: 2048 }]
}

/// An end entity of the cluster itself, certified for nothing yet.
fn leaf(name: &str, issuers: &[&str]) -> Result<Profile, InvalidName> {
    Ok(Profile {
        name: name.parse()?,
        version: 1,
        audience: Audience::Cluster,
        issuers: issuers.iter().map(|ca| ca.parse()).collect::<Result<_, _>>()?,
        keys: KeyRule::all(),
        validity: days(90, 397),
        subject: SubjectRule::Given,
        names: NameRules::NONE,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        rsa_key_usage: KeyUsage::EMPTY,
        ec_key_usage: KeyUsage::EMPTY,
        extended_key_usage: vec![],
        other_purposes: vec![],
        purposes_marked: Criticality::NotCritical,
        basic_constraints: BasicConstraints { ca: false, path_len: None },
        name_constraints: None,
        policies: vec![],
        policy_constraints: None,
        inhibit_any_policy: None,
        status: StatusRule::Pointers,
        stapling: Stapling::Optional,
        hold: Allow::No,
        rate: None,
        template_name: None,
        template: None,
    })
}

const _: () = assert!(STATUS_LIFE_S < 14 * DAY_S, "a responder certificate outlives the answers it signs");
