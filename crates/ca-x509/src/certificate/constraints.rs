//! What a CA may certify: whether it is one, and under which names.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::asn1::{self, Cursor, Element};
use crate::error::{DecodeError, EncodeError};
use crate::name::{self, DistinguishedName, HostName, NameError};

/// Whether the subject is a CA (RFC 5280 §4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BasicConstraints {
    /// Whether the key may sign certificates.
    pub ca: bool,
    /// How many intermediate certificates may follow; only with `ca`.
    pub path_len: Option<u8>,
}

/// The names that a CA may certify (RFC 5280 §4.2.1.10): of each form those in `permitted`, all if there is
/// none of that form, without those in `excluded`. At least one list has an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameConstraints {
    /// `permittedSubtrees`.
    pub permitted: Vec<NameSubtree>,
    /// `excludedSubtrees`.
    pub excluded: Vec<NameSubtree>,
}

/// Names below one base (RFC 5280 §4.2.1.10); `minimum` is 0 and `maximum` absent, as it prescribes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameSubtree {
    /// A host name and all below it; empty: all of them.
    Dns(String),
    /// A mailbox, all of a host, or with a leading dot all of the hosts below it.
    Email(String),
    /// The host of a URI, or with a leading dot all below it.
    Uri(String),
    /// The addresses that begin with the first `prefix` bits of `address`, whose other bits are zero.
    Ip {
        /// The block's first address.
        address: IpAddr,
        /// At most 32, or 128 for IPv6.
        prefix: u8,
    },
    /// All names that begin with these relative names; empty: all of them.
    Directory(Box<DistinguishedName>),
}

impl BasicConstraints {
    pub(super) fn to_der(self) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self { ca: false, path_len: None } => Ok(asn1::sequence(&[])),
            Self { ca: false, path_len: Some(_) } => {
                Err(EncodeError::Rule { what: BASIC, rule: "pathLen needs cA (RFC 5280 §4.2.1.9)" })
            }
            Self { ca: true, path_len } => {
                let length = path_len.map(|length| asn1::unsigned(&[length])).unwrap_or_default();
                Ok(asn1::sequence(&[&asn1::tlv(asn1::BOOLEAN, &[&[0xff]]), &length]))
            }
        }
    }

    pub(super) fn read(element: Element<'_>) -> Result<Self, DecodeError> {
        let mut fields = element.named(BASIC).open(asn1::SEQUENCE)?;
        let ca = fields.flag(asn1::BOOLEAN)?;
        let path_len = match fields.optional(asn1::INTEGER)? {
            Some(length) => Some(length.small(asn1::INTEGER)?),
            None => None,
        };
        fields.finish()?;
        Ok(Self { ca, path_len })
    }
}

impl NameConstraints {
    pub(super) fn to_der(&self) -> Result<Vec<u8>, EncodeError> {
        if self.permitted.is_empty() && self.excluded.is_empty() {
            return Err(EncodeError::Rule { what: NAMES, rule: NOT_EMPTY });
        }
        let mut lists = Vec::new();
        for (number, subtrees) in [(0, &self.permitted), (1, &self.excluded)] {
            let mut list = Vec::new();
            for subtree in subtrees {
                list.extend(asn1::sequence(&[&subtree.to_der()?]));
            }
            if !list.is_empty() {
                lists.extend(asn1::tlv(asn1::constructed(number), &[&list]));
            }
        }
        Ok(asn1::sequence(&[&lists]))
    }

    pub(super) fn read(element: Element<'_>) -> Result<Self, DecodeError> {
        let mut fields = element.named(NAMES).open(asn1::SEQUENCE)?;
        if fields.is_finished() {
            return Err(element.rule(NOT_EMPTY));
        }
        let permitted = read_subtrees(&mut fields, 0)?;
        let excluded = read_subtrees(&mut fields, 1)?;
        fields.finish()?;
        Ok(Self { permitted, excluded })
    }
}

impl NameSubtree {
    /// Checks that the base is one that RFC 5280 §4.2.1.10 knows: what others wrote may be none.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn check(&self) -> Result<(), EncodeError> {
        self.to_der().map(|_| ())
    }

    fn to_der(&self) -> Result<Vec<u8>, EncodeError> {
        let (tag, text) = match self {
            Self::Email(text) => (name::EMAIL, text),
            Self::Dns(text) => (name::DNS, text),
            Self::Uri(text) => (name::URI, text),
            Self::Ip { address, prefix } => {
                let block = block(*address, *prefix).ok_or(EncodeError::Rule {
                    what: NAMES,
                    rule: "a block has no bits beyond its prefix",
                })?;
                return Ok(asn1::tlv(asn1::primitive(name::IP), &[&block]));
            }
            Self::Directory(base) => return Ok(asn1::explicit(name::DIRECTORY, &[base.as_der()])),
        };
        if is_base(tag, text) {
            Ok(asn1::tlv(asn1::primitive(tag), &[text.as_bytes()]))
        } else {
            Err(EncodeError::Rule { what: NAMES, rule: BASE_RULE })
        }
    }

    fn read(element: Element<'_>) -> Result<Self, DecodeError> {
        let number = element.tag & 0x1f;
        if element.tag == asn1::constructed(name::DIRECTORY) {
            let base = DistinguishedName::from_der(element.inner()?.raw)?;
            return Ok(Self::Directory(Box::new(base)));
        }
        if element.tag == asn1::primitive(name::IP) {
            return read_block(element);
        }
        if element.tag != asn1::primitive(number) || !matches!(number, name::EMAIL | name::DNS | name::URI) {
            return Err(unsupported(number));
        }
        // Others write bases that are none (a leading dot in a dNSName); we read those and never write them.
        let is_shown = element.value.iter().all(u8::is_ascii_graphic);
        match core::str::from_utf8(element.value) {
            Ok(text) if is_shown && number == name::EMAIL => Ok(Self::Email(text.into())),
            Ok(text) if is_shown && number == name::DNS => Ok(Self::Dns(text.into())),
            Ok(text) if is_shown => Ok(Self::Uri(text.into())),
            _ => Err(element.rule("a base has visible ascii characters only")),
        }
    }
}

const BASIC: &str = "basic constraints";
const NAMES: &str = "name constraints";
const NOT_EMPTY: &str = "it permits or excludes something (RFC 5280 §4.2.1.10)";
const BASE_RULE: &str = "a base is a host name, a leading dot in uri and mailbox only (RFC 5280 §4.2.1.10)";

fn unsupported(tag: u8) -> DecodeError {
    NameError::UnsupportedForm { tag, form: "base of a name constraint" }.into()
}

/// Whether a text is a base of the form with this number.
fn is_base(number: u8, text: &str) -> bool {
    let is_host = |text: &str| HostName::parse(text).is_ok_and(|host| host.as_str() == text);
    match number {
        name::DNS => text.is_empty() || is_host(text),
        name::EMAIL if text.contains('@') => name::GeneralName::Email(text.into()).check().is_ok(),
        name::EMAIL | name::URI => is_host(text.strip_prefix('.').unwrap_or(text)),
        _ => false,
    }
}

/// GeneralSubtrees: one at least. Each with minimum and maximum left out (RFC 5280 §4.2.1.10).
fn read_subtrees(fields: &mut Cursor<'_>, number: u8) -> Result<Vec<NameSubtree>, DecodeError> {
    let Some(list) = fields.optional(asn1::constructed(number))? else { return Ok(Vec::new()) };
    let mut rows = list.open(asn1::constructed(number))?;
    if rows.is_finished() {
        return Err(list.rule("a list of subtrees has one (RFC 5280 §4.2.1.10)"));
    }
    let mut subtrees = Vec::new();
    while !rows.is_finished() {
        let mut subtree = rows.sequence(NAMES)?;
        subtrees.push(NameSubtree::read(subtree.any()?)?);
        if !subtree.is_finished() {
            return Err(list.rule("minimum is 0 and left out, maximum is absent (RFC 5280 §4.2.1.10)"));
        }
    }
    Ok(subtrees)
}

/// Address and mask, 8 or 32 octets (RFC 5280 §4.2.1.10, in the style of RFC 4632).
fn block(address: IpAddr, prefix: u8) -> Option<Vec<u8>> {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.checked_sub(prefix.into())?).unwrap_or(0);
            let is_first = address.to_bits() & !mask == 0;
            is_first.then(|| [address.octets(), mask.to_be_bytes()].concat())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.checked_sub(prefix.into())?).unwrap_or(0);
            let is_first = address.to_bits() & !mask == 0;
            is_first.then(|| [address.octets(), mask.to_be_bytes()].concat())
        }
    }
}

fn read_block(element: Element<'_>) -> Result<NameSubtree, DecodeError> {
    let halves = element.value.split_at_checked(element.value.len() >> 1);
    let (address, mask): (IpAddr, Vec<u8>) = match halves {
        Some((address, mask)) if element.value.len() == 8 => {
            (Ipv4Addr::from(<[u8; 4]>::try_from(address).unwrap_or_default()).into(), mask.to_vec())
        }
        Some((address, mask)) if element.value.len() == 32 => {
            (Ipv6Addr::from(<[u8; 16]>::try_from(address).unwrap_or_default()).into(), mask.to_vec())
        }
        _ => return Err(NameError::AddressLength { got: element.value.len() }.into()),
    };
    let ones: u32 = mask.iter().map(|octet| octet.leading_ones()).sum();
    let prefix = u8::try_from(ones).unwrap_or(u8::MAX);
    // Written again, a mask with holes or an address with bits beyond it comes out otherwise, or not at all.
    if block(address, prefix).as_deref() == Some(element.value) {
        Ok(NameSubtree::Ip { address, prefix })
    } else {
        Err(element.rule("a mask is ones, then zeros, and the address has no bits beyond it (RFC 4632 §3.1)"))
    }
}
