//! Rules about names ⇄ protobuf.

use ca_core::profile::{DnsRule, IpBlock, IpRule, NameRules, NameSource, UriRule};

use super::super::CodecError;
use super::super::fields::{self, known};
use super::{allow, allowed};
use crate::wire::log as wire;

pub(super) fn to_wire(names: &NameRules) -> wire::NameRules {
    let (dns, dns_under) = domains_to_wire(&names.dns);
    let (email, email_under) = domains_to_wire(&names.email);
    let (upn, upn_under) = domains_to_wire(&names.upn);
    let (ip, ip_within) = match &names.ip {
        IpRule::No => (wire::KindRule::No, Vec::new()),
        IpRule::Any => (wire::KindRule::Any, Vec::new()),
        IpRule::Within(blocks) => {
            (wire::KindRule::Under, blocks.iter().copied().map(block_to_wire).collect())
        }
    };
    let (uri, uri_under) = match &names.uri {
        UriRule::No => (wire::KindRule::No, Vec::new()),
        UriRule::Any => (wire::KindRule::Any, Vec::new()),
        UriRule::Under(prefixes) => (wire::KindRule::Under, prefixes.clone()),
    };
    wire::NameRules {
        dns: dns.into(),
        dns_under,
        wildcard: allowed(names.wildcard),
        ip: ip.into(),
        uri: uri.into(),
        count_min: u64::try_from(names.count_min).unwrap_or(u64::MAX),
        email: email.into(),
        email_under,
        ip_within,
        uri_under,
        upn: upn.into(),
        upn_under,
        directory: allowed(names.directory),
        source: match names.source {
            NameSource::Either => wire::NameSource::Either,
            NameSource::Csr => wire::NameSource::Csr,
            NameSource::Caller => wire::NameSource::Caller,
        }
        .into(),
    }
}

pub(super) fn from_wire(names: wire::NameRules) -> Result<NameRules, CodecError> {
    Ok(NameRules {
        source: match known("name source", names.source)? {
            wire::NameSource::Unset => return Err(CodecError::Unknown { what: "name source" }),
            wire::NameSource::Either => NameSource::Either,
            wire::NameSource::Csr => NameSource::Csr,
            wire::NameSource::Caller => NameSource::Caller,
        },
        dns: domains(names.dns, names.dns_under)?,
        email: domains(names.email, names.email_under)?,
        upn: domains(names.upn, names.upn_under)?,
        wildcard: allow(names.wildcard),
        ip: match known("address rule", names.ip)? {
            wire::KindRule::Unset => return Err(CodecError::Unknown { what: "address rule" }),
            wire::KindRule::No => IpRule::No,
            wire::KindRule::Any => IpRule::Any,
            wire::KindRule::Under => {
                IpRule::Within(names.ip_within.iter().map(block).collect::<Result<_, _>>()?)
            }
        },
        uri: match known("URI rule", names.uri)? {
            wire::KindRule::Unset => return Err(CodecError::Unknown { what: "URI rule" }),
            wire::KindRule::No => UriRule::No,
            wire::KindRule::Any => UriRule::Any,
            wire::KindRule::Under => UriRule::Under(names.uri_under),
        },
        directory: allow(names.directory),
        count_min: usize::try_from(names.count_min)
            .map_err(|_large| CodecError::Unknown { what: "name count" })?,
    })
}

fn domains_to_wire(rule: &DnsRule) -> (wire::KindRule, Vec<String>) {
    match rule {
        DnsRule::No => (wire::KindRule::No, Vec::new()),
        DnsRule::Any => (wire::KindRule::Any, Vec::new()),
        DnsRule::Under(domains) => (wire::KindRule::Under, domains.clone()),
    }
}

fn domains(rule: i32, under: Vec<String>) -> Result<DnsRule, CodecError> {
    Ok(match known("DNS rule", rule)? {
        wire::KindRule::Unset => return Err(CodecError::Unknown { what: "DNS rule" }),
        wire::KindRule::No => DnsRule::No,
        wire::KindRule::Any => DnsRule::Any,
        wire::KindRule::Under => DnsRule::Under(under),
    })
}

fn block_to_wire(block: IpBlock) -> wire::IpBlock {
    fields::ip_block_to_wire(block.address, block.prefix)
}

fn block(from: &wire::IpBlock) -> Result<IpBlock, CodecError> {
    let (address, prefix) = fields::ip_block(from)?;
    Ok(IpBlock { address, prefix })
}
