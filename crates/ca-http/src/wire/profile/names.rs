//! The rules about names as people write them.

use std::net::IpAddr;

use ca_core::profile::{Allow, DnsRule, IpBlock, IpRule, NameRules, NameSource, ProfileFault, UriRule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::read::{allow, each, fault, known, word};
use super::{is_default, is_false};

/// Which subject alternative names may be certified; by default none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamesDocument {
    /// `either` (the caller's list if there is one, else the CSR's), `csr` or `caller`.
    #[serde(default = "either", skip_serializing_if = "is_either")]
    pub source: String,
    /// DNS names.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dns: KindDocument,
    /// Whether `*.` may stand in front of a DNS name.
    #[serde(default, skip_serializing_if = "is_false")]
    pub wildcard: bool,
    /// Mail addresses, by the domain of their host.
    #[serde(default, skip_serializing_if = "is_default")]
    pub email: KindDocument,
    /// User principal names of Windows, by their domain.
    #[serde(default, skip_serializing_if = "is_default")]
    pub upn: KindDocument,
    /// IP addresses; a list has blocks: `10.0.0.0/8`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ip: KindDocument,
    /// URIs; a list has what they begin with: `spiffe://corp.example/`, `urn:dev:`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub uri: KindDocument,
    /// Directory names, which only a CSR can have.
    #[serde(default, skip_serializing_if = "is_false")]
    pub directory: bool,
    /// The fewest names.
    #[serde(default, skip_serializing_if = "is_default")]
    pub min: usize,
}

/// `"none"`, `"any"`, or a list: these domains and whatever lies below them, these blocks, these prefixes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum KindDocument {
    /// `none` or `any`.
    Word(String),
    /// These.
    Under(Vec<String>),
}

fn either() -> String {
    "either".to_owned()
}

fn is_either(text: &str) -> bool {
    text == "either"
}

impl Default for NamesDocument {
    fn default() -> Self {
        (&NameRules::NONE).into()
    }
}

impl Default for KindDocument {
    fn default() -> Self {
        Self::Word("none".to_owned())
    }
}

const SOURCES: [(&str, NameSource); 3] =
    [("either", NameSource::Either), ("csr", NameSource::Csr), ("caller", NameSource::Caller)];

impl From<&NameRules> for NamesDocument {
    fn from(rules: &NameRules) -> Self {
        Self {
            source: word(&SOURCES, rules.source),
            dns: (&rules.dns).into(),
            wildcard: rules.wildcard == Allow::Yes,
            email: (&rules.email).into(),
            upn: (&rules.upn).into(),
            ip: match &rules.ip {
                IpRule::No => KindDocument::default(),
                IpRule::Any => KindDocument::any(),
                IpRule::Within(blocks) => KindDocument::Under(
                    blocks.iter().map(|IpBlock { address, prefix }| format!("{address}/{prefix}")).collect(),
                ),
            },
            uri: match &rules.uri {
                UriRule::No => KindDocument::default(),
                UriRule::Any => KindDocument::any(),
                UriRule::Under(prefixes) => KindDocument::Under(prefixes.clone()),
            },
            directory: rules.directory == Allow::Yes,
            min: rules.count_min,
        }
    }
}

impl From<&DnsRule> for KindDocument {
    fn from(rule: &DnsRule) -> Self {
        match rule {
            DnsRule::No => Self::default(),
            DnsRule::Any => Self::any(),
            DnsRule::Under(domains) => Self::Under(domains.clone()),
        }
    }
}

/// `none`, `any` or a list.
enum Which<'a> {
    None,
    Any,
    These(&'a [String]),
}

impl KindDocument {
    fn any() -> Self {
        Self::Word("any".to_owned())
    }

    fn read(&self, field: &str, faults: &mut Vec<ProfileFault>) -> Option<Which<'_>> {
        match self {
            Self::Word(word) if word == "none" => Some(Which::None),
            Self::Word(word) if word == "any" => Some(Which::Any),
            Self::Word(word) => {
                faults.push(fault(field, format!("`{word}` is neither none, any, nor a list")));
                None
            }
            Self::Under(list) => Some(Which::These(list)),
        }
    }

    fn domains(&self, field: &str, faults: &mut Vec<ProfileFault>) -> Option<DnsRule> {
        Some(match self.read(field, faults)? {
            Which::None => DnsRule::No,
            Which::Any => DnsRule::Any,
            Which::These(domains) => DnsRule::Under(domains.to_vec()),
        })
    }
}

impl NamesDocument {
    pub(super) fn read(&self, faults: &mut Vec<ProfileFault>) -> Option<NameRules> {
        let source = known("names.source", &SOURCES, &self.source, faults);
        let dns = self.dns.domains("names.dns", faults);
        let email = self.email.domains("names.email", faults);
        let upn = self.upn.domains("names.upn", faults);
        let ip = match self.ip.read("names.ip", faults) {
            None => None,
            Some(Which::None) => Some(IpRule::No),
            Some(Which::Any) => Some(IpRule::Any),
            Some(Which::These(blocks)) => Some(IpRule::Within(each("names.ip", blocks, faults, block))),
        };
        let uri = match self.uri.read("names.uri", faults) {
            None => None,
            Some(Which::None) => Some(UriRule::No),
            Some(Which::Any) => Some(UriRule::Any),
            Some(Which::These(prefixes)) => Some(UriRule::Under(prefixes.to_vec())),
        };
        Some(NameRules {
            source: source?,
            dns: dns?,
            wildcard: allow(self.wildcard),
            email: email?,
            upn: upn?,
            ip: ip?,
            uri: uri?,
            directory: allow(self.directory),
            count_min: self.min,
        })
    }
}

/// `10.0.0.0/8`.
pub(super) fn block(text: &str) -> Result<IpBlock, String> {
    let parts = text.split_once('/').map(|(address, prefix)| (address.parse::<IpAddr>(), prefix.parse()));
    match parts {
        Some((Ok(address), Ok(prefix))) => Ok(IpBlock { address, prefix }),
        _ => Err(format!("`{text}` is no block like 10.0.0.0/8")),
    }
}
