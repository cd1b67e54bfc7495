//! Certificate Transparency (RFC 6962 §3): the list of timestamps in a certificate.

use alloc::vec::Vec;

use crate::asn1::{self, Element};
use crate::error::{DecodeError, EncodeError};

/// A SignedCertificateTimestamp as its log gave it (RFC 6962 §3.2), in the encoding of TLS: 1 to 65,535
/// octets, not looked into. Who embeds one has verified it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignedTimestamp(pub Vec<u8>);

/// SignedCertificateTimestampList: an OCTET STRING over a TLS vector of vectors (RFC 6962 §3.3).
pub(super) fn encode(timestamps: &[SignedTimestamp]) -> Result<Vec<u8>, EncodeError> {
    let mut list = Vec::new();
    for SignedTimestamp(octets) in timestamps {
        let length = length(octets)?;
        list.extend_from_slice(&length);
        list.extend_from_slice(octets);
    }
    Ok(asn1::tlv(asn1::OCTET_STRING, &[&length(&list)?, &list]))
}

pub(super) fn read(element: Element<'_>) -> Result<Vec<SignedTimestamp>, DecodeError> {
    let what = element.named(LIST);
    let damaged = || what.rule("a list of timestamps, each with its length (RFC 6962 §3.3)");
    let content = element.tagged(asn1::OCTET_STRING)?.value;
    let (mut list, rest) = take(content).ok_or_else(damaged)?;
    if list.is_empty() || !rest.is_empty() {
        return Err(damaged());
    }
    let mut timestamps = Vec::new();
    while !list.is_empty() {
        let (octets, rest) = take(list).ok_or_else(damaged)?;
        if octets.is_empty() {
            return Err(damaged());
        }
        timestamps.push(SignedTimestamp(octets.to_vec()));
        list = rest;
    }
    Ok(timestamps)
}

const LIST: &str = "signed certificate timestamps";

/// The length of a vector of 1 to 65,535 octets (RFC 5246 §4.3).
fn length(octets: &[u8]) -> Result<[u8; 2], EncodeError> {
    match u16::try_from(octets.len()) {
        Ok(length) if length > 0 => Ok(length.to_be_bytes()),
        _ => Err(EncodeError::Rule { what: LIST, rule: "1 to 65535 octets (RFC 6962 §3.3)" }),
    }
}

/// One vector, and what follows it.
fn take(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}
