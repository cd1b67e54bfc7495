//! Certificate lists (RFC 5280 §5): full, or of one distribution point.
//!
//! Entries are written straight to octets, one after the other, so that a list of a million costs
//! its 49 MB twice over and nothing else. The caller fixes their order: equal inputs give equal octets.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::algorithm::SignatureAlgorithm;
use crate::asn1;
use crate::certificate::distribution_point_name;
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

/// One revoked certificate (RFC 5280 §5.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrlEntry {
    /// The certificate, of the list's issuer.
    pub serial: SerialNumber,
    /// When it was revoked.
    pub revoked_at: UnixSeconds,
    /// Why; `Unspecified` is written as an absent reason (RFC 5280 §5.3.1).
    pub reason: Option<RevocationReason>,
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
    /// A time after 9999, or a distribution point that is no URI.
    pub fn encode(&self, entries: impl IntoIterator<Item = CrlEntry>) -> Result<Vec<u8>, EncodeError> {
        let mut revoked = Vec::new();
        for entry in entries {
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
        let number = asn1::unsigned(&self.number.0.to_be_bytes());
        list.extend(extension::optional(oids::CRL_NUMBER, &number));
        if let Some(url) = &self.distribution_point {
            let value = asn1::sequence(&[&distribution_point_name(url)?]);
            list.extend(extension::critical(oids::ISSUING_DISTRIBUTION_POINT, &value));
        }
        Ok(list)
    }
}

impl CrlEntry {
    fn push_to(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let serial = self.serial.to_der();
        let time = self.revoked_at.to_time_der()?;
        let reason = match self.reason {
            None | Some(RevocationReason::Unspecified) => Vec::new(),
            Some(reason) => {
                let code = asn1::unsigned_tagged(asn1::ENUMERATED, &[reason.code()]);
                asn1::sequence(&[&extension::optional(oids::REASON_CODE, &code)])
            }
        };
        let parts = [&*serial, &*time, &*reason];
        asn1::push_header(out, asn1::SEQUENCE, parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| out.extend_from_slice(part));
        Ok(())
    }
}

/// The encoded number of version 2 (RFC 5280 §5.1.2.1).
const V2: u8 = 1;

#[cfg(test)]
mod tests;
