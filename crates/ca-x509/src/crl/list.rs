//! Reads certificate lists, for clients and tests.

use alloc::string::String;
use alloc::vec::Vec;

use super::{
    CrlEntry, CrlEvent, CrlNumber, CrlScope, LIST, ONLY_CAS, ONLY_USERS, REMOVE_FROM_CRL, REMOVED_IN_DELTA,
    TbsCrl, V2, read_reason,
};
use crate::algorithm::SignatureAlgorithm;
use crate::asn1::{self, Cursor, Element};
use crate::certificate::{read_distribution_point_name, read_distribution_points};
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
    /// Whoever wants the complete list looks at `delta_base`, `scope` and `distribution_point` of [`Self::tbs`].
    ///
    /// # Errors
    /// Over [`CRL_BYTES_MAX`], not DER, octets after it, not version 2, without nextUpdate, number or
    /// authority key identifier, with an unknown critical extension (RFC 5280 §5.2, §5.3), of some reasons,
    /// other issuers or attribute certificates, or a full list that removes entries.
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
        let read = ListExtensions::read(extensions)?;
        signed.check_inner(signature_algorithm)?;
        // RFC 5280 §5.2.1 and §5.2.3: both must be in every list.
        let number = read.number.ok_or(DecodeError::Missing { what: "list's number" })?;
        let key = read.key.ok_or(DecodeError::Missing { what: "list's authority key identifier" })?;
        if read.delta_base.is_none() && entries.iter().any(|entry| entry.event == CrlEvent::Removed) {
            return Err(DecodeError::Rule { what: LIST, rule: REMOVED_IN_DELTA });
        }
        let tbs = TbsCrl {
            signature_algorithm,
            issuer,
            this_update,
            next_update,
            number,
            authority_key_identifier: key,
            distribution_point: read.point,
            scope: read.scope,
            delta_base: read.delta_base,
            freshest_crl: read.freshest_crl,
            expired_since: read.expired_since,
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
        let mut entry = CrlEntry::revoked(serial, revoked_at, None);
        if let Some(extensions) = row.optional(asn1::SEQUENCE)? {
            read_entry_extensions(&mut entry, extensions.open(asn1::SEQUENCE)?)?;
        }
        row.finish()?;
        entries.push(entry);
    }
    Ok(entries)
}

fn read_entry_extensions(entry: &mut CrlEntry, list: Cursor<'_>) -> Result<(), DecodeError> {
    for extension in extension::read_all(list)? {
        if extension.is(oids::REASON_CODE) {
            let code = extension.element(ENTRY)?;
            if code.small(asn1::ENUMERATED)? == REMOVE_FROM_CRL {
                entry.event = CrlEvent::Removed;
            } else {
                entry.reason = Some(read_reason(code)?);
            }
        } else if extension.is(oids::INVALIDITY_DATE) {
            entry.invalidity_date = Some(UnixSeconds::read_generalized_time(extension.element(ENTRY)?)?);
        } else if extension.is_critical {
            return Err(extension.unknown());
        }
    }
    Ok(())
}

/// What the extensions of a list say, before it is known which of them are missing.
#[derive(Default)]
struct ListExtensions {
    number: Option<CrlNumber>,
    key: Option<KeyIdentifier>,
    point: Option<String>,
    scope: CrlScope,
    delta_base: Option<CrlNumber>,
    freshest_crl: Vec<String>,
    expired_since: Option<UnixSeconds>,
}

impl ListExtensions {
    fn read(list: Cursor<'_>) -> Result<Self, DecodeError> {
        let mut read = Self::default();
        for extension in extension::read_all(list)? {
            let element = |what| extension.element(what);
            if extension.is(oids::CRL_NUMBER) {
                read.number = Some(read_number(element("crl number")?)?);
            } else if extension.is(oids::AUTHORITY_KEY_IDENTIFIER) {
                read.key = extension::read_authority_key_identifier(element("authority key identifier")?)?;
            } else if extension.is(oids::ISSUING_DISTRIBUTION_POINT) {
                (read.point, read.scope) = read_scope(element("issuing distribution point")?)?;
            } else if extension.is(oids::DELTA_CRL_INDICATOR) {
                read.delta_base = Some(read_number(element("delta crl indicator")?)?);
            } else if extension.is(oids::FRESHEST_CRL) {
                read.freshest_crl = read_distribution_points(element("freshest crl")?)?;
            } else if extension.is(oids::EXPIRED_CERTS_ON_CRL) {
                let time = element("expired certificates on crl")?;
                read.expired_since = Some(UnixSeconds::read_generalized_time(time)?);
            } else if extension.is_critical {
                return Err(extension.unknown());
            }
        }
        Ok(read)
    }
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

/// Distribution point and scope, which are all that may be said: a list of some reasons, of other issuers or of
/// attribute certificates is not what any caller takes it for.
fn read_scope(element: Element<'_>) -> Result<(Option<String>, CrlScope), DecodeError> {
    let mut fields = element.open(asn1::SEQUENCE)?;
    if fields.is_finished() {
        return Err(element.rule("the extension says something (RFC 5280 §5.2.5)"));
    }
    let point = match fields.optional(asn1::constructed(0))? {
        Some(name) => match <[String; 1]>::try_from(read_distribution_point_name(name)?) {
            Ok([url]) => Some(url),
            Err(_) => return Err(element.rule("one URI names the distribution point")),
        },
        None => None,
    };
    let scope = match (fields.flag(asn1::primitive(ONLY_USERS))?, fields.flag(asn1::primitive(ONLY_CAS))?) {
        (false, false) => CrlScope::All,
        (true, false) => CrlScope::UserCertificates,
        (false, true) => CrlScope::CaCertificates,
        (true, true) => return Err(element.rule("one scope at most is said (RFC 5280 §5.2.5)")),
    };
    if !fields.is_finished() {
        return Err(
            element.rule("a list of some reasons, other issuers or attribute certificates is not read")
        );
    }
    Ok((point, scope))
}
