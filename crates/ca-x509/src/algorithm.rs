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
    /// RSASSA-PSS over SHA-256, MGF1 over the same, a salt of 32 octets.
    RsaPssSha256,
    /// RSASSA-PSS over SHA-384, MGF1 over the same, a salt of 48 octets.
    RsaPssSha384,
    /// RSASSA-PSS over SHA-512, MGF1 over the same, a salt of 64 octets.
    RsaPssSha512,
    /// Ed25519 (pure).
    Ed25519,
}

impl SignatureAlgorithm {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
        Self::RsaPssSha256,
        Self::RsaPssSha384,
        Self::RsaPssSha512,
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
            Self::RsaPkcs1Sha256
            | Self::RsaPkcs1Sha384
            | Self::RsaPkcs1Sha512
            | Self::RsaPssSha256
            | Self::RsaPssSha384
            | Self::RsaPssSha512 => matches!(kind, KeyKind::Rsa { .. }),
            Self::Ed25519 => matches!(kind, KeyKind::Ed25519),
        }
    }

    /// The name in its RFC, as OpenSSL shows it too; RSASSA-PSS has one for all hashes, so they are added.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EcdsaSha256 => "ecdsa-with-SHA256",
            Self::EcdsaSha384 => "ecdsa-with-SHA384",
            Self::EcdsaSha512 => "ecdsa-with-SHA512",
            Self::RsaPkcs1Sha256 => "sha256WithRSAEncryption",
            Self::RsaPkcs1Sha384 => "sha384WithRSAEncryption",
            Self::RsaPkcs1Sha512 => "sha512WithRSAEncryption",
            Self::RsaPssSha256 => "rsassaPss-SHA256",
            Self::RsaPssSha384 => "rsassaPss-SHA384",
            Self::RsaPssSha512 => "rsassaPss-SHA512",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The DER AlgorithmIdentifier: parameters NULL for RSA (RFC 4055 §5), those of the variant for RSASSA-PSS
    /// (RFC 4055 §3.1), absent for the others (RFC 5758 §3.2, RFC 8410 §3).
    #[must_use]
    pub fn to_der(self) -> Vec<u8> {
        let (oid, parameters) = match self {
            Self::EcdsaSha256 => (oids::ECDSA_SHA256, Vec::new()),
            Self::EcdsaSha384 => (oids::ECDSA_SHA384, Vec::new()),
            Self::EcdsaSha512 => (oids::ECDSA_SHA512, Vec::new()),
            Self::RsaPkcs1Sha256 => (oids::RSA_SHA256, asn1::null()),
            Self::RsaPkcs1Sha384 => (oids::RSA_SHA384, asn1::null()),
            Self::RsaPkcs1Sha512 => (oids::RSA_SHA512, asn1::null()),
            Self::RsaPssSha256 => (oids::RSA_PSS, pss_parameters(oids::SHA256, 32)),
            Self::RsaPssSha384 => (oids::RSA_PSS, pss_parameters(oids::SHA384, 48)),
            Self::RsaPssSha512 => (oids::RSA_PSS, pss_parameters(oids::SHA512, 64)),
            Self::Ed25519 => (oids::ED25519, Vec::new()),
        };
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

/// RSASSA-PSS-params (RFC 4055 §3.1): hash and MGF1 over it, the salt as long as the hash; the trailer is the
/// default. The hash's own parameters are NULL (RFC 4055 §2.1), as the CA/Browser Forum wants the octets (BR 7.1.3.2.1).
fn pss_parameters(hash: ObjectIdentifier, salt_length: u8) -> Vec<u8> {
    let hash = asn1::sequence(&[&asn1::oid(hash), &asn1::null()]);
    let mask = asn1::sequence(&[&asn1::oid(oids::MGF1), &hash]);
    asn1::sequence(&[
        &asn1::explicit(0, &[&hash]),
        &asn1::explicit(1, &[&mask]),
        &asn1::explicit(2, &[&asn1::unsigned(&[salt_length])]),
    ])
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
    fn rfc4055_3_1_pss_parameters_name_hash_mask_and_salt() {
        let expected: &[u8] = &[
            0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x34, 0xa0,
            0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
            0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30,
            0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0xa2, 0x03,
            0x02, 0x01, 0x20,
        ];
        assert_eq!(SignatureAlgorithm::RsaPssSha256.to_der(), expected);
        // The parameters are no option: the defaults are SHA-1 (RFC 4055 §3.1).
        let absent = asn1::sequence(&[&asn1::oid(oids::RSA_PSS)]);
        assert!(SignatureAlgorithm::from_der(&absent).is_err());
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
