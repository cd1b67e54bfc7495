//! What requests, certificates, lists and OCSP answers share: signed octets, an algorithm, a signature.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::algorithm::SignatureAlgorithm;
use crate::asn1;
use crate::error::DecodeError;
use crate::pem;

/// SEQUENCE { what was signed, AlgorithmIdentifier, BIT STRING } (RFC 5280 §4.1.1, RFC 2986 §4.2).
pub(crate) struct Signed<'a> {
    /// What was signed, exactly as received.
    pub(crate) body: &'a [u8],
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    pub(crate) fn read(what: &'static str, der: &'a [u8]) -> Result<Self, DecodeError> {
        let mut outer = asn1::read_sequence(what, der)?;
        let body = outer.expect(asn1::SEQUENCE)?.raw;
        let algorithm = SignatureAlgorithm::from_der(outer.any()?.raw)?;
        let signature = outer.any()?.bits()?;
        outer.finish()?;
        Ok(Self { body, algorithm, signature })
    }

    /// RFC 5280 §4.1.1.2 and §5.1.1.2: the algorithm inside and outside must be the same.
    pub(crate) fn check_inner(&self, inner: SignatureAlgorithm) -> Result<(), DecodeError> {
        if inner == self.algorithm {
            Ok(())
        } else {
            Err(DecodeError::AlgorithmMismatch { inner: inner.as_str(), outer: self.algorithm.as_str() })
        }
    }
}

/// Joins signed octets, algorithm and signature.
pub(crate) fn write(body: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    asn1::sequence(&[body, &algorithm.to_der(), &asn1::bit_string(signature)])
}

/// The DER in `bytes`, which are DER themselves or one PEM block with one of `labels`; at most `max` octets.
pub(crate) fn dearmour<'a>(
    what: &'static str,
    labels: &[&str],
    bytes: &'a [u8],
    max: usize,
) -> Result<Cow<'a, [u8]>, DecodeError> {
    if bytes.len() > max {
        return Err(DecodeError::TooLong { what, got: bytes.len(), max });
    }
    if pem::is_armoured(bytes) {
        Ok(Cow::Owned(pem::decode(labels, bytes)?))
    } else {
        Ok(Cow::Borrowed(bytes))
    }
}
