//! Signature algorithms and the form of ECDSA signatures.

use alloc::vec::Vec;
use core::fmt;

use der::asn1::ObjectIdentifier;

use crate::asn1;
use crate::error::{DecodeError, EncodeError};
use crate::key::KeyKind;
use crate::oids;

/// How something is signed. The names are those of RFC 5758, RFC 4055 and RFC 8410.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureAlgorithm {
    /// ECDSA over SHA-256.
    EcdsaSha256,
    /// ECDSA over SHA-384.
    EcdsaSha384,
    /// ECDSA over SHA-512.
    EcdsaSha512,
    /// RSASSA-PKCS1-v1_5 over SHA-256.
    RsaPkcs1Sha256,
    /// RSASSA-PKCS1-v1_5 over SHA-384.
    RsaPkcs1Sha384,
    /// RSASSA-PKCS1-v1_5 over SHA-512.
    RsaPkcs1Sha512,
    /// Ed25519 (pure).
    Ed25519,
}

impl SignatureAlgorithm {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
        Self::Ed25519,
    ];

    /// The algorithm whose hash matches the key's strength: P-256 SHA-256, P-384 SHA-384, P-521 SHA-512, RSA SHA-256.
    #[must_use]
    pub const fn default_for(kind: KeyKind) -> Self {
        match kind {
            KeyKind::EcP256 => Self::EcdsaSha256,
            KeyKind::EcP384 => Self::EcdsaSha384,
            KeyKind::EcP521 => Self::EcdsaSha512,
            KeyKind::Rsa { .. } => Self::RsaPkcs1Sha256,
            KeyKind::Ed25519 => Self::Ed25519,
        }
    }

    /// Whether a key of this kind can sign so.
    #[must_use]
    pub const fn fits(self, kind: KeyKind) -> bool {
        match self {
            Self::EcdsaSha256 | Self::EcdsaSha384 | Self::EcdsaSha512 => {
                matches!(kind, KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521)
            }
            Self::RsaPkcs1Sha256 | Self::RsaPkcs1Sha384 | Self::RsaPkcs1Sha512 => {
                matches!(kind, KeyKind::Rsa { .. })
            }
            Self::Ed25519 => matches!(kind, KeyKind::Ed25519),
        }
    }

    /// The name in its RFC, as OpenSSL shows it too.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EcdsaSha256 => "ecdsa-with-SHA256",
            Self::EcdsaSha384 => "ecdsa-with-SHA384",
            Self::EcdsaSha512 => "ecdsa-with-SHA512",
            Self::RsaPkcs1Sha256 => "sha256WithRSAEncryption",
            Self::RsaPkcs1Sha384 => "sha384WithRSAEncryption",
            Self::RsaPkcs1Sha512 => "sha512WithRSAEncryption",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The DER AlgorithmIdentifier: parameters NULL for RSA (RFC 4055 §5), absent for the others
    /// (RFC 5758 §3.2, RFC 8410 §3).
    #[must_use]
    pub fn to_der(self) -> Vec<u8> {
        let (oid, has_null) = self.identifier();
        let parameters = if has_null { asn1::null() } else { Vec::new() };
        asn1::sequence(&[&asn1::oid(oid), &parameters])
    }

    /// Reads a DER AlgorithmIdentifier.
    ///
    /// # Errors
    /// Not DER, another algorithm, or other parameters than [`Self::to_der`] writes.
    pub fn from_der(bytes: &[u8]) -> Result<Self, DecodeError> {
        let oid = asn1::read_sequence("signature algorithm", bytes)?.any()?.oid()?;
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.to_der() == bytes)
            .ok_or_else(|| DecodeError::UnsupportedAlgorithm { oid: asn1::oid_text(oid) })
    }

    const fn identifier(self) -> (ObjectIdentifier, bool) {
        match self {
            Self::EcdsaSha256 => (oids::ECDSA_SHA256, false),
            Self::EcdsaSha384 => (oids::ECDSA_SHA384, false),
            Self::EcdsaSha512 => (oids::ECDSA_SHA512, false),
            Self::RsaPkcs1Sha256 => (oids::RSA_SHA256, true),
            Self::RsaPkcs1Sha384 => (oids::RSA_SHA384, true),
            Self::RsaPkcs1Sha512 => (oids::RSA_SHA512, true),
            Self::Ed25519 => (oids::ED25519, false),
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Turns r‖s, as PKCS#11 gives it (both of one length, big-endian), into ECDSA-Sig-Value (RFC 3279 §2.2.3).
///
/// # Errors
/// Empty, of odd length, or with r or s zero, which no valid signature has (SEC 1 §4.1.3).
pub fn ecdsa_signature_der(r_s: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let what = "ecdsa signature";
    let half = r_s.len() >> 1;
    let halves = if r_s.len() & 1 == 0 { r_s.split_at_checked(half) } else { None };
    let (r, s) = halves.ok_or(EncodeError::Rule { what, rule: "r and s have one length" })?;
    if asn1::strip_zeros(r).is_empty() || asn1::strip_zeros(s).is_empty() {
        return Err(EncodeError::Rule { what, rule: "r and s are not zero (SEC 1 §4.1.3)" });
    }
    Ok(asn1::sequence(&[&asn1::unsigned(r), &asn1::unsigned(s)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc5758_3_2_ecdsa_parameters_are_absent() {
        let with_null = asn1::sequence(&[&asn1::oid(oids::ECDSA_SHA256), &asn1::null()]);
        assert!(SignatureAlgorithm::from_der(&with_null).is_err());
        assert_eq!(SignatureAlgorithm::EcdsaSha256.to_der().len(), 12);
    }

    #[test]
    fn rfc4055_5_rsa_parameters_are_null() {
        let absent = asn1::sequence(&[&asn1::oid(oids::RSA_SHA256)]);
        assert!(SignatureAlgorithm::from_der(&absent).is_err());
        assert_eq!(SignatureAlgorithm::RsaPkcs1Sha256.to_der()[13..], [5, 0]);
    }

    #[test]
    fn every_algorithm_round_trips_and_fits_one_family() {
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(SignatureAlgorithm::from_der(&algorithm.to_der()), Ok(algorithm));
        }
        for kind in
            [KeyKind::EcP256, KeyKind::EcP384, KeyKind::EcP521, KeyKind::Rsa { bits: 1 }, KeyKind::Ed25519]
        {
            assert!(SignatureAlgorithm::default_for(kind).fits(kind));
            assert!(SignatureAlgorithm::ALL.iter().any(|algorithm| !algorithm.fits(kind)));
        }
    }

    #[test]
    fn rfc3279_2_2_3_signature_is_a_sequence_of_minimal_integers() {
        assert_eq!(ecdsa_signature_der(&[0, 1, 0x80, 0]).unwrap(), [0x30, 8, 2, 1, 1, 2, 3, 0, 0x80, 0]);
        for refused in [&[][..], &[1], &[1, 2, 3], &[0, 0, 1, 1], &[1, 1, 0, 0]] {
            assert!(ecdsa_signature_der(refused).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = ecdsa_signature_der(&bytes);
            let _ = SignatureAlgorithm::from_der(&bytes);
        }
    }
}
