//! Certificate templates, by which Windows tells what a certificate is for ([MS-WCCE] §2.2.2.7.7).

use alloc::string::String;
use alloc::vec::Vec;

use crate::asn1::{self, Element};
use crate::error::{DecodeError, EncodeError};
use crate::limits::TEMPLATE_NAME_CHARS_MAX;
use crate::oid::Oid;

/// A template of version 2 or later ([MS-WCCE] §2.2.2.7.7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateTemplate {
    /// Which template.
    pub identifier: Oid,
    /// Its major version.
    pub major: u32,
    /// Its minor version.
    pub minor: u32,
}

impl CertificateTemplate {
    pub(super) fn to_der(self) -> Vec<u8> {
        let number = |number: u32| asn1::unsigned(&number.to_be_bytes());
        asn1::sequence(&[&self.identifier.to_der(), &number(self.major), &number(self.minor)])
    }

    /// `None` where a version is left out or the identifier is too long: nothing that we write.
    pub(super) fn read(element: Element<'_>) -> Result<Option<Self>, DecodeError> {
        let mut fields = element.named(TEMPLATE).open(asn1::SEQUENCE)?;
        let identifier = Oid::from_content(fields.any()?.oid()?);
        let mut number = || match fields.optional(asn1::INTEGER)? {
            Some(number) => read_u32(number).map(Some),
            None => Ok(None),
        };
        let (major, minor) = (number()?, number()?);
        fields.finish()?;
        Ok(match (identifier, major, minor) {
            (Some(identifier), Some(major), Some(minor)) => Some(Self { identifier, major, minor }),
            _ => None,
        })
    }
}

/// A template of version 1: its name, a BMPString ([MS-WCCE] §2.2.2.7.7.1).
pub(super) fn encode_name(name: &str) -> Result<Vec<u8>, EncodeError> {
    let is_good = (1..=TEMPLATE_NAME_CHARS_MAX).contains(&name.encode_utf16().count())
        && name.chars().all(|character| character.len_utf16() == 1 && !character.is_control());
    if !is_good {
        return Err(EncodeError::Rule { what: TEMPLATE, rule: NAME_RULE });
    }
    let octets: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
    Ok(asn1::tlv(asn1::BMP_STRING, &[&octets]))
}

pub(super) fn read_name(element: Element<'_>) -> Result<String, DecodeError> {
    let (pairs, rest) = element.tagged(asn1::BMP_STRING)?.value.as_chunks::<2>();
    // A BMPString has no surrogates (X.680 §41.15), so one unit is one character.
    let text: Option<String> =
        pairs.iter().map(|pair| char::from_u32(u16::from_be_bytes(*pair).into())).collect();
    match text {
        Some(text) if rest.is_empty() && encode_name(&text).is_ok() => Ok(text),
        _ => Err(element.named(TEMPLATE).rule(NAME_RULE)),
    }
}

const TEMPLATE: &str = "certificate template";
const NAME_RULE: &str = "a template's name has 1 to 64 characters of the basic multilingual plane";

fn read_u32(element: Element<'_>) -> Result<u32, DecodeError> {
    let octets = element.unsigned()?;
    if octets.len() > 4 {
        return Err(element.rule("a version is below 2^32"));
    }
    Ok(octets.iter().fold(0, |number, octet| (number << 8) | u32::from(*octet)))
}
