//! Extensions in general: a row of (identifier, critical, DER) that certificates, lists, their
//! entries, requests and OCSP all use (RFC 5280 §4.2).

use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;

use crate::asn1::{self, Cursor, Element};
use crate::error::DecodeError;
use crate::key::KeyIdentifier;

/// Most extensions of one thing. Origin: certificates of use have about 10; duplicates are looked for pairwise.
const EXTENSIONS_MAX: usize = 64;

/// One extension as read.
pub(crate) struct Extension<'a> {
    /// Content octets of the object identifier.
    pub(crate) oid: &'a [u8],
    pub(crate) is_critical: bool,
    /// The octets in the OCTET STRING: DER for all that are known.
    pub(crate) value: &'a [u8],
}

impl Extension<'_> {
    pub(crate) fn is(&self, oid: ObjectIdentifier) -> bool {
        self.oid == oid.as_bytes()
    }

    /// The one value in it. `what` names it in errors.
    pub(crate) fn element(&self, what: &'static str) -> Result<Element<'_>, DecodeError> {
        asn1::read_one(what, self.value)
    }

    /// The error for one that is not known here.
    pub(crate) fn unknown(&self) -> DecodeError {
        DecodeError::UnknownExtension { oid: asn1::oid_text(self.oid) }
    }
}

/// Reads a SEQUENCE OF Extension: one at least, none twice (RFC 5280 §4.1.2.9, §4.2).
pub(crate) fn read_all<'a>(mut list: Cursor<'a>) -> Result<Vec<Extension<'a>>, DecodeError> {
    let mut extensions: Vec<Extension<'a>> = Vec::new();
    if list.is_finished() {
        return Err(DecodeError::Missing { what: "extensions" });
    }
    while !list.is_finished() {
        if extensions.len() >= EXTENSIONS_MAX {
            return Err(DecodeError::TooMany { what: "extensions", max: EXTENSIONS_MAX });
        }
        let mut fields = list.sequence("extension")?;
        let oid = fields.any()?.oid()?;
        let is_critical = fields.flag(asn1::BOOLEAN)?;
        let value = fields.expect(asn1::OCTET_STRING)?.value;
        fields.finish()?;
        if extensions.iter().any(|earlier| earlier.oid == oid) {
            return Err(DecodeError::DuplicateExtension { oid: asn1::oid_text(oid) });
        }
        extensions.push(Extension { oid, is_critical, value });
    }
    Ok(extensions)
}

/// The DER of an extension that a reader must understand.
pub(crate) fn critical(oid: ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    let flag = asn1::tlv(asn1::BOOLEAN, &[&[0xff]]);
    asn1::sequence(&[&asn1::oid(oid), &flag, &asn1::octet_string(value)])
}

/// The DER of an extension that a reader may skip.
pub(crate) fn optional(oid: ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    asn1::sequence(&[&asn1::oid(oid), &asn1::octet_string(value)])
}

/// AuthorityKeyIdentifier with the key identifier only (RFC 5280 §4.2.1.1).
pub(crate) fn authority_key_identifier(key: &KeyIdentifier) -> Vec<u8> {
    asn1::sequence(&[&asn1::tlv(asn1::primitive(0), &[&key.0])])
}

/// The key identifier of an AuthorityKeyIdentifier, if it has one of 20 octets.
pub(crate) fn read_authority_key_identifier(
    element: Element<'_>,
) -> Result<Option<KeyIdentifier>, DecodeError> {
    let key = element.open(asn1::SEQUENCE)?.optional(asn1::primitive(0))?;
    Ok(key.and_then(|key| key.value.try_into().ok()).map(KeyIdentifier))
}
