//! Reads certificate lists, for clients and tests.

use alloc::string::String;
use alloc::vec::Vec;

use super::{CrlEntry, CrlNumber, TbsCrl, V2, read_reason};
use crate::algorithm::SignatureAlgorithm;
use crate::asn1::{self, Cursor, Element};
use crate::certificate::read_distribution_point_name;
use crate::error::DecodeError;
use crate::extension;
use crate::key::KeyIdentifier;
use crate::limits::CRL_BYTES_MAX;
use crate::name::DistinguishedName;
use crate::oids;
use crate::pem;
use crate::serial::SerialNumber;
use crate::signed::{self, Signed};
use crate::time::UnixSeconds;

/// A certificate list as received, with its fields and entries read. Its signature is *not* verified here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateList {
    tbs_der: Vec<u8>,
    tbs: TbsCrl,
    entries: Vec<CrlEntry>,
    signature: Vec<u8>,
}

impl CertificateList {
    /// Reads a list in DER or PEM (`X509 CRL`). Extensions that are not known and not critical are skipped.
    ///
    /// # Errors
    /// Over [`CRL_BYTES_MAX`], not DER, octets after it, not version 2, without nextUpdate, number or
    /// authority key identifier, with an unknown critical extension (RFC 5280 §5.2, §5.3), or of a
    /// scope that is not all certificates of one distribution point.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let der = signed::dearmour(LIST, &[pem::CRL], bytes, CRL_BYTES_MAX)?;
        let signed = Signed::read(LIST, &der)?;
        let mut fields = asn1::read_sequence(LIST, signed.body)?;
        let got = fields.any()?.small(asn1::INTEGER)?;
        if got != V2 {
            return Err(DecodeError::Version { what: LIST, expected: V2, got });
        }
        let signature_algorithm = SignatureAlgorithm::from_der(fields.any()?.raw)?;
        let issuer = DistinguishedName::from_der(fields.any()?.raw)?;
        let this_update = UnixSeconds::read_time(fields.any()?)?;
        let next_update = UnixSeconds::read_time(fields.any()?)?;
        let entries = match fields.optional(asn1::SEQUENCE)? {
            Some(list) => read_entries(list)?,
            None => Vec::new(),
        };
        let extensions = fields.expect(asn1::constructed(0))?.inner()?.open(asn1::SEQUENCE)?;
        fields.finish()?;
        let (number, authority_key_identifier, distribution_point) = read_extensions(extensions)?;
        signed.check_inner(signature_algorithm)?;
        let tbs = TbsCrl {
            signature_algorithm,
            issuer,
            this_update,
            next_update,
            number,
            authority_key_identifier,
            distribution_point,
        };
        Ok(Self { tbs_der: signed.body.to_vec(), tbs, entries, signature: signed.signature.to_vec() })
    }

    /// What the CA signed, as received.
    #[must_use]
    pub fn tbs_der(&self) -> &[u8] {
        &self.tbs_der
    }

    /// The list's fields.
    #[must_use]
    pub const fn tbs(&self) -> &TbsCrl {
        &self.tbs
    }

    /// The entries, in the order of the list.
    #[must_use]
    pub fn entries(&self) -> &[CrlEntry] {
        &self.entries
    }

    /// The entry of a serial number, if it is listed. Takes time in proportion to the list.
    #[must_use]
    pub fn entry(&self, serial: &SerialNumber) -> Option<&CrlEntry> {
        self.entries.iter().find(|entry| entry.serial == *serial)
    }

    /// The signature's octets.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// How it is signed, the same inside and outside the signed part.
    #[must_use]
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.tbs.signature_algorithm
    }
}

const LIST: &str = "certificate list";
const ENTRY: &str = "certificate list entry";

fn read_entries(list: Element<'_>) -> Result<Vec<CrlEntry>, DecodeError> {
    let mut rows = list.named("revoked certificates").open(asn1::SEQUENCE)?;
    if rows.is_finished() {
        return Err(list.rule("an empty list is absent (RFC 5280 §5.1.2.6)"));
    }
    let mut entries = Vec::new();
    while !rows.is_finished() {
        let mut row = rows.sequence(ENTRY)?;
        let serial = SerialNumber::from_be_bytes(row.any()?.unsigned()?)?;
        let revoked_at = UnixSeconds::read_time(row.any()?)?;
        let reason = match row.optional(asn1::SEQUENCE)? {
            Some(extensions) => read_entry_extensions(extensions.open(asn1::SEQUENCE)?)?,
            None => None,
        };
        row.finish()?;
        entries.push(CrlEntry { serial, revoked_at, reason });
    }
    Ok(entries)
}

fn read_entry_extensions(list: Cursor<'_>) -> Result<Option<super::RevocationReason>, DecodeError> {
    let mut reason = None;
    for extension in extension::read_all(list)? {
        if extension.is(oids::REASON_CODE) {
            reason = Some(read_reason(extension.element(ENTRY)?)?);
        } else if extension.is_critical {
            return Err(extension.unknown());
        }
    }
    Ok(reason)
}

fn read_extensions(list: Cursor<'_>) -> Result<(CrlNumber, KeyIdentifier, Option<String>), DecodeError> {
    let (mut number, mut key, mut point) = (None, None, None);
    for extension in extension::read_all(list)? {
        if extension.is(oids::CRL_NUMBER) {
            let element = extension.element("crl number")?;
            number = Some(read_number(element)?);
        } else if extension.is(oids::AUTHORITY_KEY_IDENTIFIER) {
            key = extension::read_authority_key_identifier(extension.element("authority key identifier")?)?;
        } else if extension.is(oids::ISSUING_DISTRIBUTION_POINT) {
            point = Some(read_scope(extension.element("issuing distribution point")?)?);
        } else if extension.is_critical {
            return Err(extension.unknown());
        }
    }
    // RFC 5280 §5.2.1 and §5.2.3: both must be in every list.
    let number = number.ok_or(DecodeError::Missing { what: "list's number" })?;
    let key = key.ok_or(DecodeError::Missing { what: "list's authority key identifier" })?;
    Ok((number, key, point))
}

fn read_number(element: Element<'_>) -> Result<CrlNumber, DecodeError> {
    let octets = element.unsigned()?;
    let mut wide = [0; 16];
    if octets.len() > wide.len() {
        return Err(element.rule("the number is below 2^128"));
    }
    for (place, octet) in wide.iter_mut().rev().zip(octets.iter().rev()) {
        *place = *octet;
    }
    Ok(CrlNumber(u128::from_be_bytes(wide)))
}

/// The distribution point, which is all that the scope may say: a list of user or CA certificates
/// only, of some reasons or of other issuers is not the list of all that the caller takes it for.
fn read_scope(element: Element<'_>) -> Result<String, DecodeError> {
    let mut fields = element.open(asn1::SEQUENCE)?;
    let urls = read_distribution_point_name(fields.expect(asn1::constructed(0))?)?;
    fields.finish()?;
    match <[String; 1]>::try_from(urls) {
        Ok([url]) => Ok(url),
        Err(_) => Err(element.rule("one URI names the distribution point")),
    }
}
