//! The four forms of alternative names in use.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::NameError;
use crate::asn1::{self, Element};
use crate::error::DecodeError;
use crate::limits::GENERAL_NAME_BYTES_MAX;

/// A name of a certificate's or request's subject alternative name extension, or the place of a CRL.
/// Text forms hold visible ASCII (0x21–0x7e) only, 1 to [`GENERAL_NAME_BYTES_MAX`] octets, so that
/// no NUL, space or line break hides in one; whether a DNS name is one is policy, not checked here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GeneralName {
    /// `dNSName`, an international one in its ASCII form.
    Dns(String),
    /// `iPAddress` of 4 or 16 octets.
    Ip(IpAddr),
    /// `rfc822Name`.
    Email(String),
    /// `uniformResourceIdentifier`.
    Uri(String),
}

impl GeneralName {
    pub(crate) fn to_der(&self) -> Result<Vec<u8>, NameError> {
        let (tag, text) = match self {
            Self::Email(text) => (EMAIL, text),
            Self::Dns(text) => (DNS, text),
            Self::Uri(text) => (URI, text),
            Self::Ip(IpAddr::V4(address)) => return Ok(asn1::tlv(asn1::primitive(IP), &[&address.octets()])),
            Self::Ip(IpAddr::V6(address)) => return Ok(asn1::tlv(asn1::primitive(IP), &[&address.octets()])),
        };
        visible_ascii(tag, text.as_bytes())?;
        Ok(asn1::tlv(asn1::primitive(tag), &[text.as_bytes()]))
    }

    pub(crate) fn read(element: Element<'_>) -> Result<Self, DecodeError> {
        let number = element.tag & 0x1f;
        if element.tag & 0xc0 != 0x80 {
            return Err(element.rule("a general name has a context-specific tag (RFC 5280 §4.2.1.6)"));
        }
        let is_primitive = element.tag == asn1::primitive(number);
        match number {
            EMAIL if is_primitive => Ok(Self::Email(visible_ascii(number, element.value)?)),
            DNS if is_primitive => Ok(Self::Dns(visible_ascii(number, element.value)?)),
            URI if is_primitive => Ok(Self::Uri(visible_ascii(number, element.value)?)),
            IP if is_primitive => Ok(Self::Ip(address(element.value)?)),
            _ => Err(NameError::UnsupportedForm { tag: number, form: form_name(number) }.into()),
        }
    }
}

/// `DNS:a.example`, `IP:192.0.2.1`, `email:a@b.example`, `URI:https://a.example/`.
impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(text) => write!(f, "DNS:{text}"),
            Self::Ip(address) => write!(f, "IP:{address}"),
            Self::Email(text) => write!(f, "email:{text}"),
            Self::Uri(text) => write!(f, "URI:{text}"),
        }
    }
}

// Numbers of the forms of GeneralName (RFC 5280 §4.2.1.6).
const EMAIL: u8 = 1;
const DNS: u8 = 2;
pub(crate) const URI: u8 = 6;
const IP: u8 = 7;

const fn form_name(tag: u8) -> &'static str {
    match tag {
        0 => "otherName",
        EMAIL => "rfc822Name",
        DNS => "dNSName",
        3 => "x400Address",
        4 => "directoryName",
        5 => "ediPartyName",
        URI => "uniformResourceIdentifier",
        IP => "iPAddress",
        8 => "registeredID",
        _ => "unknown",
    }
}

fn visible_ascii(tag: u8, text: &[u8]) -> Result<String, NameError> {
    let refused = NameError::Text { form: form_name(tag), max: GENERAL_NAME_BYTES_MAX };
    let is_good = !text.is_empty()
        && text.len() <= GENERAL_NAME_BYTES_MAX
        && text.iter().all(|octet| octet.is_ascii_graphic());
    match core::str::from_utf8(text) {
        Ok(text) if is_good => Ok(text.into()),
        _ => Err(refused),
    }
}

fn address(octets: &[u8]) -> Result<IpAddr, NameError> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Ok(IpAddr::V4(Ipv4Addr::from(octets)));
    }
    <[u8; 16]>::try_from(octets)
        .map(|octets| IpAddr::V6(Ipv6Addr::from(octets)))
        .map_err(|_| NameError::AddressLength { got: octets.len() })
}
