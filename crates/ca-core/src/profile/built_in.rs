//! The profiles that every cluster begins with.

use alloc::vec;
use alloc::vec::Vec;

use ca_x509::certificate::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use super::{Allow, Audience, DnsRule, KeyRule, NameRules, Profile, StatusRule, SubjectRule, ValidityRule};
use crate::ids::InvalidName;
use crate::limits::STATUS_LIFE_S;

const DAY_S: u64 = 24 * 3600;
/// For clients whose clocks are behind.
const BACKDATE_S: u64 = 300;

/// The profiles that every cluster begins with. Their CAs are `root`, `issuing` and `peers`.
///
/// # Errors
/// None in truth: the names are literals; the type says so because names are parsed.
pub fn built_in(tls_server_dns: DnsRule) -> Result<Vec<Profile>, InvalidName> {
    let server_names = |dns, wildcard, uri| NameRules {
        dns,
        wildcard,
        email: DnsRule::No,
        ip: Allow::Yes,
        uri,
        count_min: 1,
    };
    let authority = |name, issuers, path_len, status| -> Result<Profile, InvalidName> {
        Ok(Profile {
            validity: ValidityRule { default_s: 3650 * DAY_S, max_s: 7300 * DAY_S, backdate_s: BACKDATE_S },
            key_usage: KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN,
            basic_constraints: BasicConstraints { ca: true, path_len },
            status,
            ..leaf(name, issuers)?
        })
    };
    Ok(vec![
        authority("root", &["root", "peers"], None, StatusRule::Root)?,
        authority("sub-ca", &["root"], Some(0), StatusRule::Pointers)?,
        Profile {
            // Renewed at half: longer than the answers it signs.
            validity: ValidityRule { default_s: 14 * DAY_S, max_s: 14 * DAY_S, backdate_s: BACKDATE_S },
            extended_key_usage: vec![ExtendedKeyUsage::OcspSigning],
            status: StatusRule::NoCheck,
            ..leaf("ocsp-responder", &["issuing", "root", "peers"])?
        },
        Profile {
            names: server_names(DnsRule::Any, Allow::No, Allow::Yes),
            extended_key_usage: vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth],
            ..leaf("node-peer", &["peers"])?
        },
        Profile {
            names: server_names(DnsRule::Any, Allow::No, Allow::No),
            extended_key_usage: vec![ExtendedKeyUsage::ServerAuth],
            ..leaf("node-tls", &["issuing"])?
        },
        Profile { extended_key_usage: vec![ExtendedKeyUsage::ClientAuth], ..leaf("client", &["issuing"])? },
        Profile {
            audience: Audience::Requesters,
            subject: SubjectRule::NameAmongNames,
            names: server_names(tls_server_dns, Allow::Yes, Allow::No),
            extended_key_usage: vec![ExtendedKeyUsage::ServerAuth],
            ..leaf("tls-server", &["issuing"])?
        },
    ])
}

/// An end entity of the cluster itself, certified for nothing yet.
fn leaf(name: &str, issuers: &[&str]) -> Result<Profile, InvalidName> {
    Ok(Profile {
        name: name.parse()?,
        version: 1,
        audience: Audience::Cluster,
        issuers: issuers.iter().map(|ca| ca.parse()).collect::<Result<_, _>>()?,
        keys: KeyRule::all(),
        validity: ValidityRule { default_s: 90 * DAY_S, max_s: 397 * DAY_S, backdate_s: BACKDATE_S },
        subject: SubjectRule::Given,
        names: NameRules {
            dns: DnsRule::No,
            wildcard: Allow::No,
            email: DnsRule::No,
            ip: Allow::No,
            uri: Allow::No,
            count_min: 0,
        },
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usage: vec![],
        basic_constraints: BasicConstraints { ca: false, path_len: None },
        status: StatusRule::Pointers,
    })
}

const _: () = assert!(STATUS_LIFE_S < 14 * DAY_S, "a responder certificate outlives the answers it signs");
