//! OCSP (RFC 6960, nonces by RFC 9654): what is asked, what is answered, and the errors.

use alloc::vec::Vec;

use sha1::{Digest as _, Sha1};

use crate::asn1::{self, Element};
use crate::error::{DecodeError, EncodeError};
use crate::extension::{self, Extension};
use crate::key::PublicKey;
use crate::limits::OCSP_NONCE_BYTES_MAX;
use crate::name::DistinguishedName;
use crate::oids;
use crate::serial::SerialNumber;

mod request;
mod response;

pub use request::OcspRequest;
pub use response::{
    BasicResponse, CertStatus, OcspError, OcspResponse, ResponseData, SingleResponse, assemble_response,
};

/// The hash in a [`CertId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// SHA-1: a name, not a proof; what RFC 5019 §2.1.1 prescribes and nearly all clients send.
    Sha1,
    /// SHA-256.
    Sha256,
    /// Any other: no issuer can be found by it.
    Other,
}

/// Which certificate is asked about (RFC 6960 §4.1.1), with its octets as received, so that the answer echoes them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertId {
    /// Over what the two hashes are.
    pub hash: HashAlgorithm,
    /// Hash of the issuer's name in DER.
    pub issuer_name_hash: Vec<u8>,
    /// Hash of the issuer's key bits ([`PublicKey::key_bits`]).
    pub issuer_key_hash: Vec<u8>,
    /// Content octets of the serial's INTEGER, as received: perhaps negative, zero, or too long.
    pub serial: Vec<u8>,
    der: Vec<u8>,
}

impl CertId {
    /// About `serial` of the issuer with this name and key, by SHA-1.
    #[must_use]
    pub fn sha1(issuer: &DistinguishedName, issuer_key: &PublicKey, serial: &SerialNumber) -> Self {
        let name_hash: [u8; 20] = Sha1::digest(issuer.as_der()).into();
        Self::write(HashAlgorithm::Sha1, oids::SHA1, &name_hash, &issuer_key.key_identifier().0, serial)
    }

    /// About `serial` of the issuer with these hashes.
    ///
    /// # Errors
    /// The hash is [`HashAlgorithm::Other`], or the hashes have another length than it gives.
    pub fn new(
        hash: HashAlgorithm,
        issuer_name_hash: &[u8],
        issuer_key_hash: &[u8],
        serial: &SerialNumber,
    ) -> Result<Self, EncodeError> {
        let (oid, length) = match hash {
            HashAlgorithm::Sha1 => (oids::SHA1, 20),
            HashAlgorithm::Sha256 => (oids::SHA256, 32),
            HashAlgorithm::Other => {
                return Err(EncodeError::Rule { what: CERT_ID, rule: "the hash is known" });
            }
        };
        if issuer_name_hash.len() != length || issuer_key_hash.len() != length {
            return Err(EncodeError::Rule { what: CERT_ID, rule: "the hashes have the algorithm's length" });
        }
        Ok(Self::write(hash, oid, issuer_name_hash, issuer_key_hash, serial))
    }

    /// The DER, as received or built.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The serial as a number that a certificate can have; `None` means that none has it.
    #[must_use]
    pub fn serial_number(&self) -> Option<SerialNumber> {
        let is_negative = self.serial.first().is_some_and(|first| *first >= 0x80);
        if is_negative { None } else { SerialNumber::from_be_bytes(&self.serial).ok() }
    }

    fn write(
        hash: HashAlgorithm,
        oid: der::asn1::ObjectIdentifier,
        name_hash: &[u8],
        key_hash: &[u8],
        serial: &SerialNumber,
    ) -> Self {
        let serial_der = serial.to_der();
        let der = asn1::sequence(&[
            // RFC 5754 §2: readers take the NULL and its absence; old ones know only the NULL.
            &asn1::sequence(&[&asn1::oid(oid), &asn1::null()]),
            &asn1::octet_string(name_hash),
            &asn1::octet_string(key_hash),
            &serial_der,
        ]);
        // A serial has at most 20 octets, so its header has two.
        let serial = serial_der.get(2..).unwrap_or_default().to_vec();
        Self { hash, issuer_name_hash: name_hash.to_vec(), issuer_key_hash: key_hash.to_vec(), serial, der }
    }

    fn read(element: Element<'_>) -> Result<Self, DecodeError> {
        let mut fields = element.named(CERT_ID).open(asn1::SEQUENCE)?;
        let mut algorithm = fields.sequence(CERT_ID)?;
        let oid = algorithm.any()?.oid()?;
        let parameters = if algorithm.is_finished() { None } else { Some(algorithm.any()?) };
        algorithm.finish()?;
        let has_known_parameters = parameters.is_none_or(|parameters| parameters.null().is_ok());
        let hash = match oid {
            _ if !has_known_parameters => HashAlgorithm::Other,
            _ if oid == oids::SHA1.as_bytes() => HashAlgorithm::Sha1,
            _ if oid == oids::SHA256.as_bytes() => HashAlgorithm::Sha256,
            _ => HashAlgorithm::Other,
        };
        let issuer_name_hash = fields.expect(asn1::OCTET_STRING)?.value.to_vec();
        let issuer_key_hash = fields.expect(asn1::OCTET_STRING)?.value.to_vec();
        let serial = fields.any()?.integer(asn1::INTEGER)?.to_vec();
        fields.finish()?;
        Ok(Self { hash, issuer_name_hash, issuer_key_hash, serial, der: element.raw.to_vec() })
    }
}

const CERT_ID: &str = "certificate id";
const NONCE: &str = "nonce";

/// `[number] EXPLICIT SEQUENCE OF Extension`, or nothing if there are none.
fn extension_list(number: u8, extensions: &[u8]) -> Vec<u8> {
    if extensions.is_empty() { Vec::new() } else { asn1::explicit(number, &[&asn1::sequence(&[extensions])]) }
}

/// The nonce, an OCTET STRING within the extension's own (RFC 9654 §2.1).
fn nonce_extension(nonce: &[u8]) -> Result<Vec<u8>, EncodeError> {
    if nonce.is_empty() || nonce.len() > OCSP_NONCE_BYTES_MAX {
        return Err(EncodeError::Rule { what: NONCE, rule: NONCE_RULE });
    }
    Ok(extension::optional(oids::OCSP_NONCE, &asn1::octet_string(nonce)))
}

fn read_nonce(extension: &Extension<'_>) -> Result<Vec<u8>, DecodeError> {
    let element = extension.element(NONCE)?;
    let octets = element.tagged(asn1::OCTET_STRING)?.value;
    if octets.is_empty() || octets.len() > OCSP_NONCE_BYTES_MAX {
        return Err(element.rule(NONCE_RULE));
    }
    Ok(octets.to_vec())
}

const NONCE_RULE: &str = "a nonce has 1 to 128 octets (RFC 9654 §2.1)";

#[cfg(test)]
mod tests;
