//! Certificate lists (RFC 5280 §5): full ones and deltas, of all certificates or of one distribution point.
//!
//! Entries are written straight to octets, one after the other, so that a list of a million costs
//! its 49 MB twice over and nothing else. The caller fixes their order: equal inputs give equal octets.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::algorithm::SignatureAlgorithm;
use crate::asn1;
use crate::certificate::{distribution_point_name, encode_distribution_points};
use crate::error::EncodeError;
use crate::extension;
use crate::key::KeyIdentifier;
use crate::name::DistinguishedName;
use crate::oids;
use crate::serial::SerialNumber;
use crate::signed;
use crate::time::UnixSeconds;

mod list;
mod reason;

pub use list::CertificateList;
pub(crate) use reason::read_reason;
pub use reason::{RevocationReason, UnknownReason};

/// A CRL's number, which only rises within its scope (RFC 5280 §5.2.3; below 2^128, so at most 17 octets of 20).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrlNumber(pub u128);

/// Decimal.
impl fmt::Display for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One certificate in a list (RFC 5280 §5.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrlEntry {
    /// The certificate, of the list's issuer.
    pub serial: SerialNumber,
    /// When it was revoked.
    pub revoked_at: UnixSeconds,
    /// Why; `Unspecified` is written as an absent reason (RFC 5280 §5.3.1).
    pub reason: Option<RevocationReason>,
    /// Since when its key is known or thought to be in wrong hands (RFC 5280 §5.3.2); before `revoked_at`, mostly.
    pub invalidity_date: Option<UnixSeconds>,
    /// Whether it is revoked, or no longer.
    pub event: CrlEvent,
}

/// What an entry says of its certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrlEvent {
    /// It is revoked.
    #[default]
    Revoked,
    /// `removeFromCRL` (RFC 5280 §5.3.1), in a delta only and without another reason: it was on hold in the base
    /// and is no longer, or has expired since.
    Removed,
}

/// Which certificates of the issuer a list is complete for (RFC 5280 §5.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrlScope {
    /// All of them.
    #[default]
    All,
    /// `onlyContainsUserCerts`: those whose subject is no CA.
    UserCertificates,
    /// `onlyContainsCACerts`: those whose subject is a CA.
    CaCertificates,
}

/// What a CA signs of a certificate list (RFC 5280 §5.1.2), version 2, without the entries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TbsCrl {
    /// How the issuer signs; the same stands beside the signature.
    pub signature_algorithm: SignatureAlgorithm,
    /// The CA's subject, octet for octet.
    pub issuer: DistinguishedName,
    /// When the list was true.
    pub this_update: UnixSeconds,
    /// When the next list is there at the latest.
    pub next_update: UnixSeconds,
    /// RFC 5280 §5.2.3; not critical.
    pub number: CrlNumber,
    /// RFC 5280 §5.2.1: the CA's *own* key, not its issuer's.
    pub authority_key_identifier: KeyIdentifier,
    /// RFC 5280 §5.2.5: the URI in the certificates of this shard; critical. `None` for a full list.
    pub distribution_point: Option<String>,
    /// RFC 5280 §5.2.5, in the same extension.
    pub scope: CrlScope,
    /// RFC 5280 §5.2.4; critical: this list is a delta, to be read on top of the full list with this number or a
    /// later one.
    pub delta_base: Option<CrlNumber>,
    /// RFC 5280 §5.2.6: URIs of the delta to this list; not critical. A delta has none.
    pub freshest_crl: Vec<String>,
    /// X.509 §9.5.2.8 (expiredCertsOnCRL); not critical: entries of certificates that expired at this time or
    /// later are still in the list.
    pub expired_since: Option<UnixSeconds>,
}

/// The list of signed octets, algorithm and signature (DER; ECDSA as ECDSA-Sig-Value).
#[must_use]
pub fn assemble(tbs_der: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    signed::write(tbs_der, algorithm, signature)
}

impl TbsCrl {
    /// The DER to be signed, the entries in the order given.
    ///
    /// # Errors
    /// A time after 9999, a distribution point that is no URI, a delta that points to a delta or does not follow
    /// its base, a removal that is in no delta or has a reason.
    pub fn encode(&self, entries: impl IntoIterator<Item = CrlEntry>) -> Result<Vec<u8>, EncodeError> {
        self.check_delta()?;
        let mut revoked = Vec::new();
        for entry in entries {
            if entry.event == CrlEvent::Removed && self.delta_base.is_none() {
                return Err(EncodeError::Rule { what: LIST, rule: REMOVED_IN_DELTA });
            }
            entry.push_to(&mut revoked)?;
        }
        let mut header = Vec::new();
        // RFC 5280 §5.1.2.6: without entries the list itself must be absent.
        if !revoked.is_empty() {
            asn1::push_header(&mut header, asn1::SEQUENCE, revoked.len());
        }
        Ok(asn1::sequence(&[
            &asn1::unsigned(&[V2]),
            &self.signature_algorithm.to_der(),
            self.issuer.as_der(),
            &self.this_update.to_time_der()?,
            &self.next_update.to_time_der()?,
            &header,
            &revoked,
            &asn1::explicit(0, &[&asn1::sequence(&[&self.encode_extensions()?])]),
        ]))
    }

    fn encode_extensions(&self) -> Result<Vec<u8>, EncodeError> {
        let key = extension::authority_key_identifier(&self.authority_key_identifier);
        let mut list = extension::optional(oids::AUTHORITY_KEY_IDENTIFIER, &key);
        list.extend(extension::optional(oids::CRL_NUMBER, &self.number.to_der()));
        if let Some(base) = self.delta_base {
            list.extend(extension::critical(oids::DELTA_CRL_INDICATOR, &base.to_der()));
        }
        let point = match &self.distribution_point {
            Some(url) => distribution_point_name(url)?,
            None => Vec::new(),
        };
        let scope = match self.scope {
            CrlScope::All => Vec::new(),
            CrlScope::UserCertificates => asn1::tlv(asn1::primitive(ONLY_USERS), &[&[0xff]]),
            CrlScope::CaCertificates => asn1::tlv(asn1::primitive(ONLY_CAS), &[&[0xff]]),
        };
        // RFC 5280 §5.2.5: an empty SEQUENCE must not be written, so a list of everything has no such extension.
        if !point.is_empty() || !scope.is_empty() {
            let value = asn1::sequence(&[&point, &scope]);
            list.extend(extension::critical(oids::ISSUING_DISTRIBUTION_POINT, &value));
        }
        if !self.freshest_crl.is_empty() {
            let value = encode_distribution_points(&self.freshest_crl)?;
            list.extend(extension::optional(oids::FRESHEST_CRL, &value));
        }
        if let Some(time) = self.expired_since {
            list.extend(extension::optional(oids::EXPIRED_CERTS_ON_CRL, &time.to_generalized_time_der()?));
        }
        Ok(list)
    }

    fn check_delta(&self) -> Result<(), EncodeError> {
        let rule = match self.delta_base {
            Some(base) if base >= self.number => "a delta follows its base (RFC 5280 §5.2.4)",
            Some(_) if !self.freshest_crl.is_empty() => "a delta points to no delta (RFC 5280 §5.2.6)",
            Some(_) | None => return Ok(()),
        };
        Err(EncodeError::Rule { what: LIST, rule })
    }
}

impl CrlNumber {
    fn to_der(self) -> Vec<u8> {
        asn1::unsigned(&self.0.to_be_bytes())
    }
}

impl CrlEntry {
    /// A certificate that is revoked.
    #[must_use]
    pub const fn revoked(
        serial: SerialNumber,
        revoked_at: UnixSeconds,
        reason: Option<RevocationReason>,
    ) -> Self {
        Self { serial, revoked_at, reason, invalidity_date: None, event: CrlEvent::Revoked }
    }

    /// A certificate that a delta takes from the list (RFC 5280 §5.2.4).
    #[must_use]
    pub const fn removed(serial: SerialNumber, removed_at: UnixSeconds) -> Self {
        Self { event: CrlEvent::Removed, ..Self::revoked(serial, removed_at, None) }
    }

    fn push_to(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let serial = self.serial.to_der();
        let time = self.revoked_at.to_time_der()?;
        let code = match (self.event, self.reason) {
            (CrlEvent::Revoked, None | Some(RevocationReason::Unspecified)) => None,
            (CrlEvent::Revoked, Some(reason)) => Some(reason.code()),
            (CrlEvent::Removed, None) if self.invalidity_date.is_none() => Some(REMOVE_FROM_CRL),
            (CrlEvent::Removed, _) => {
                let rule = "what is removed has no reason (RFC 5280 §5.3.1)";
                return Err(EncodeError::Rule { what: LIST, rule });
            }
        };
        let mut extensions = Vec::new();
        if let Some(code) = code {
            let code = asn1::unsigned_tagged(asn1::ENUMERATED, &[code]);
            extensions.extend(extension::optional(oids::REASON_CODE, &code));
        }
        if let Some(date) = self.invalidity_date {
            // RFC 5280 §5.3.2: GeneralizedTime whatever the year.
            extensions.extend(extension::optional(oids::INVALIDITY_DATE, &date.to_generalized_time_der()?));
        }
        if !extensions.is_empty() {
            extensions = asn1::sequence(&[&extensions]);
        }
        let parts = [&*serial, &*time, &*extensions];
        asn1::push_header(out, asn1::SEQUENCE, parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| out.extend_from_slice(part));
        Ok(())
    }
}

const LIST: &str = "certificate list";
const REMOVED_IN_DELTA: &str = "removeFromCRL stands in a delta only (RFC 5280 §5.3.1)";

// Numbers of fields of IssuingDistributionPoint (RFC 5280 §5.2.5).
const ONLY_USERS: u8 = 1;
const ONLY_CAS: u8 = 2;

/// CRLReason `removeFromCRL`, which is no reason of a revocation (RFC 5280 §5.3.1).
const REMOVE_FROM_CRL: u8 = 8;

/// The encoded number of version 2 (RFC 5280 §5.1.2.1).
const V2: u8 = 1;

#[cfg(test)]
mod tests;
