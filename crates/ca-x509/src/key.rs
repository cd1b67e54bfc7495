//! Public keys as SubjectPublicKeyInfo, and their identifiers. Which of them are good enough is policy, not decided here.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use der::asn1::ObjectIdentifier;
use sha1::{Digest as _, Sha1};

use crate::asn1;
use crate::error::DecodeError;
use crate::limits::RSA_MODULUS_BITS_MAX;
use crate::oids;

/// The kind of a key, and with it its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Elliptic curve secp256r1 (RFC 5480).
    EcP256,
    /// Elliptic curve secp384r1 (RFC 5480).
    EcP384,
    /// Elliptic curve secp521r1 (RFC 5480).
    EcP521,
    /// RSA (RFC 3279 §2.3.1).
    Rsa {
        /// Bits of the modulus, the highest of which is set.
        bits: u16,
    },
    /// Ed25519 (RFC 8410).
    Ed25519,
}

impl KeyKind {
    /// The curve's name and the octets of one coordinate.
    const fn curve(self) -> Option<(ObjectIdentifier, usize)> {
        match self {
            Self::EcP256 => Some((oids::SECP256R1, 32)),
            Self::EcP384 => Some((oids::SECP384R1, 48)),
            Self::EcP521 => Some((oids::SECP521R1, 66)),
            Self::Rsa { .. } | Self::Ed25519 => None,
        }
    }
}

/// `P-256`, `P-384`, `P-521`, `RSA-2048`, `Ed25519`.
impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcP256 => f.write_str("P-256"),
            Self::EcP384 => f.write_str("P-384"),
            Self::EcP521 => f.write_str("P-521"),
            Self::Rsa { bits } => write!(f, "RSA-{bits}"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

/// A public key of one of the kinds in [`KeyKind`], well-formed. Not shown here: that a point is on
/// its curve, that a modulus is sound; whoever verifies with the key finds out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    kind: KeyKind,
    spki: Vec<u8>,
    key_bits: Vec<u8>,
    rsa: Option<RsaParts>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct RsaParts {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// The name of a key: SHA-1 over the content of its BIT STRING (RFC 5280 §4.2.1.2 (1)).
/// A name only; nothing rests on SHA-1 resisting collisions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyIdentifier(pub [u8; 20]);

/// Why a public key was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not a SubjectPublicKeyInfo in DER.
    #[error("public key cannot be read")]
    Malformed(#[source] Box<DecodeError>),
    /// A kind of key that is not in [`KeyKind`].
    #[error("public key algorithm {oid} is not supported")]
    UnsupportedAlgorithm {
        /// Dotted decimal.
        oid: String,
    },
    /// A curve that is not in [`KeyKind`].
    #[error("elliptic curve {oid} is not supported")]
    UnsupportedCurve {
        /// Dotted decimal.
        oid: String,
    },
    /// A point in another form than uncompressed (RFC 5480 §2.2).
    #[error("elliptic curve point starts with octet 0x{got:02x}, expected 0x04 (uncompressed)")]
    PointForm {
        /// The first octet, zero if there is none.
        got: u8,
    },
    /// Key bits of a length that the kind does not have.
    #[error("{kind} key has {got} octets, expected {expected}")]
    Length {
        /// The kind of key.
        kind: KeyKind,
        /// Octets given.
        got: usize,
        /// Octets of such a key.
        expected: usize,
    },
    /// A point was given for a kind that has none.
    #[error("{kind} is no elliptic curve")]
    NotACurve {
        /// The kind given.
        kind: KeyKind,
    },
    /// An RSA modulus that is zero or over [`RSA_MODULUS_BITS_MAX`].
    #[error("rsa modulus has {got} bits, at least 1 and at most {max} are read")]
    ModulusSize {
        /// Bits given.
        got: usize,
        /// Bits allowed.
        max: u16,
    },
    /// Numbers that are no RSA public key (RFC 8017 §3.1).
    #[error("no rsa public key: {rule}")]
    NotRsa {
        /// The rule that they break.
        rule: &'static str,
    },
    /// An RSA exponent that is zero or not below the modulus in length.
    #[error("rsa exponent has {got} octets, at least 1 and at most {max} are read")]
    ExponentSize {
        /// Octets given.
        got: usize,
        /// Octets of the modulus.
        max: usize,
    },
}

impl PublicKey {
    /// Reads a DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// Not DER, octets after it, another kind of key, wrong parameters, or key bits of the wrong form.
    pub fn from_spki_der(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::read(bytes).map_err(|error| match error {
            DecodeError::Key(key) => key,
            other => KeyError::Malformed(Box::new(other)),
        })
    }

    /// From an uncompressed point, `0x04 ‖ x ‖ y` (SEC 1 §2.3.3), as a PKCS#11 token keeps it (inside its OCTET STRING).
    ///
    /// # Errors
    /// `kind` is no curve, or the point has another form or length.
    pub fn from_ec_point(kind: KeyKind, point: &[u8]) -> Result<Self, KeyError> {
        let (curve, coordinate) = kind.curve().ok_or(KeyError::NotACurve { kind })?;
        let got = point.first().copied().unwrap_or_default();
        if got != 0x04 {
            return Err(KeyError::PointForm { got });
        }
        let expected = coordinate.saturating_mul(2).saturating_add(1);
        if point.len() != expected {
            return Err(KeyError::Length { kind, got: point.len(), expected });
        }
        let algorithm = asn1::sequence(&[&asn1::oid(oids::EC_PUBLIC_KEY), &asn1::oid(curve)]);
        Ok(Self::assemble(kind, &algorithm, point.to_vec(), None))
    }

    /// From big-endian modulus and public exponent, leading zeros or not.
    ///
    /// # Errors
    /// A modulus that is zero or over [`RSA_MODULUS_BITS_MAX`]; an exponent that is zero or longer than it.
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let (modulus, exponent) = (asn1::strip_zeros(modulus), asn1::strip_zeros(exponent));
        let max = RSA_MODULUS_BITS_MAX;
        let bits_count = bit_length(modulus);
        let bits = match u16::try_from(bits_count) {
            Ok(bits) if (1..=max).contains(&bits) => bits,
            _ => return Err(KeyError::ModulusSize { got: bits_count, max }),
        };
        if exponent.is_empty() || exponent.len() > modulus.len() {
            return Err(KeyError::ExponentSize { got: exponent.len(), max: modulus.len() });
        }
        let key_bits = asn1::sequence(&[&asn1::unsigned(modulus), &asn1::unsigned(exponent)]);
        let algorithm = asn1::sequence(&[&asn1::oid(oids::RSA_ENCRYPTION), &asn1::null()]);
        let parts = RsaParts { modulus: modulus.to_vec(), exponent: exponent.to_vec() };
        Ok(Self::assemble(KeyKind::Rsa { bits }, &algorithm, key_bits, Some(parts)))
    }

    /// From the 32 octets of an Ed25519 public key (RFC 8032 §5.1.5).
    #[must_use]
    pub fn from_ed25519(octets: [u8; 32]) -> Self {
        let algorithm = asn1::sequence(&[&asn1::oid(oids::ED25519)]);
        Self::assemble(KeyKind::Ed25519, &algorithm, octets.to_vec(), None)
    }

    /// The DER SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The kind of key.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The content of the BIT STRING: a point, an RSAPublicKey in DER, or the 32 octets of Ed25519.
    #[must_use]
    pub fn key_bits(&self) -> &[u8] {
        &self.key_bits
    }

    /// Modulus and exponent, big-endian without leading zeros, of an RSA key.
    #[must_use]
    pub fn rsa_parts(&self) -> Option<(&[u8], &[u8])> {
        self.rsa.as_ref().map(|parts| (&*parts.modulus, &*parts.exponent))
    }

    /// SHA-1 over [`Self::key_bits`] (RFC 5280 §4.2.1.2 (1)); OCSP's `issuerKeyHash` and `byKey` are the same value.
    #[must_use]
    pub fn key_identifier(&self) -> KeyIdentifier {
        KeyIdentifier(Sha1::digest(&self.key_bits).into())
    }

    /// Checks what RFC 8017 §3.1 says of the numbers of an RSA key and can be seen: the modulus is odd, as a
    /// product of odd primes is; the exponent is odd, at least 3 and below the modulus. Which sizes are good
    /// enough, and that the modulus has no known factor, is decided elsewhere; so is whether a point is on its curve.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn check(&self) -> Result<(), KeyError> {
        let Some(RsaParts { modulus, exponent }) = &self.rsa else { return Ok(()) };
        let is_odd = |octets: &[u8]| octets.last().is_some_and(|last| last & 1 == 1);
        let is_below =
            exponent.len() < modulus.len() || exponent.len() == modulus.len() && exponent < modulus;
        let rule = if !is_odd(modulus) {
            "the modulus is odd"
        } else if !is_odd(exponent) || exponent.as_slice() == [1] {
            "the exponent is odd and at least 3"
        } else if !is_below {
            "the exponent is below the modulus"
        } else {
            return Ok(());
        };
        Err(KeyError::NotRsa { rule })
    }

    fn assemble(kind: KeyKind, algorithm: &[u8], key_bits: Vec<u8>, rsa: Option<RsaParts>) -> Self {
        let spki = asn1::sequence(&[algorithm, &asn1::bit_string(&key_bits)]);
        Self { kind, spki, key_bits, rsa }
    }

    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let what = "public key";
        let mut spki = asn1::read_sequence(what, bytes)?;
        let mut algorithm = spki.sequence("public key algorithm")?;
        let bits = spki.any()?.bits()?;
        spki.finish()?;
        let oid = algorithm.any()?.oid()?;
        let key = if oid == oids::EC_PUBLIC_KEY.as_bytes() {
            let curve = algorithm.any()?.oid()?;
            let kind = [KeyKind::EcP256, KeyKind::EcP384, KeyKind::EcP521]
                .into_iter()
                .find(|kind| kind.curve().is_some_and(|(oid, _)| oid.as_bytes() == curve))
                .ok_or_else(|| KeyError::UnsupportedCurve { oid: asn1::oid_text(curve) })?;
            Self::from_ec_point(kind, bits)?
        } else if oid == oids::RSA_ENCRYPTION.as_bytes() {
            algorithm.any()?.null()?;
            let mut parts = asn1::read_sequence("rsa public key", bits)?;
            let (modulus, exponent) = (parts.any()?.unsigned()?, parts.any()?.unsigned()?);
            parts.finish()?;
            Self::from_rsa(modulus, exponent)?
        } else if oid == oids::ED25519.as_bytes() {
            let length = KeyError::Length { kind: KeyKind::Ed25519, got: bits.len(), expected: 32 };
            Self::from_ed25519(bits.try_into().map_err(|_| length)?)
        } else {
            return Err(KeyError::UnsupportedAlgorithm { oid: asn1::oid_text(oid) }.into());
        };
        algorithm.finish()?;
        // Pair assertion: the bytes are the ones that this crate writes, so hashes and comparisons agree.
        if key.spki == bytes { Ok(key) } else { Err(DecodeError::NotCanonical { what }) }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {})", self.kind, self.key_identifier())
    }
}

/// Lower-case hexadecimal.
impl fmt::Display for KeyIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for KeyIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyIdentifier({self})")
    }
}

/// Bits of a big-endian number without leading zero octets.
fn bit_length(octets: &[u8]) -> usize {
    let zeros = octets.first().map_or(0, |first| first.leading_zeros());
    octets.len().saturating_mul(8).saturating_sub(usize::try_from(zeros).unwrap_or(0))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    pub(crate) fn arbitrary_key() -> impl Strategy<Value = PublicKey> {
        let point = |kind, length| {
            proptest::collection::vec(any::<u8>(), length).prop_map(move |mut point| {
                point[0] = 4;
                PublicKey::from_ec_point(kind, &point).unwrap()
            })
        };
        let rsa = proptest::collection::vec(any::<u8>(), 2..300).prop_map(|mut modulus| {
            modulus[0] |= 1;
            *modulus.last_mut().unwrap() |= 1;
            PublicKey::from_rsa(&modulus, &[3]).unwrap()
        });
        prop_oneof![
            point(KeyKind::EcP256, 65),
            point(KeyKind::EcP384, 97),
            point(KeyKind::EcP521, 133),
            any::<[u8; 32]>().prop_map(PublicKey::from_ed25519),
            rsa,
        ]
    }

    #[test]
    fn rfc5480_2_2_compressed_point_is_refused() {
        let mut point = vec![2; 33];
        assert_eq!(PublicKey::from_ec_point(KeyKind::EcP256, &point), Err(KeyError::PointForm { got: 2 }));
        point[0] = 4;
        let length = KeyError::Length { kind: KeyKind::EcP256, got: 33, expected: 65 };
        assert_eq!(PublicKey::from_ec_point(KeyKind::EcP256, &point), Err(length));
        assert_eq!(PublicKey::from_ec_point(KeyKind::EcP256, &[]), Err(KeyError::PointForm { got: 0 }));
        let not = KeyError::NotACurve { kind: KeyKind::Ed25519 };
        assert_eq!(PublicKey::from_ec_point(KeyKind::Ed25519, &[4; 65]), Err(not));
    }

    #[test]
    fn rfc5480_2_1_1_unknown_curve_is_refused() {
        // secp256k1.
        let curve = asn1::oid(ObjectIdentifier::new_unwrap("1.3.132.0.10"));
        let algorithm = asn1::sequence(&[&asn1::oid(oids::EC_PUBLIC_KEY), &curve]);
        let spki = asn1::sequence(&[&algorithm, &asn1::bit_string(&[4; 65])]);
        let expected = KeyError::UnsupportedCurve { oid: "1.3.132.0.10".into() };
        assert_eq!(PublicKey::from_spki_der(&spki), Err(expected));
    }

    #[test]
    fn rfc3279_2_3_1_rsa_parameters_are_null() {
        let key = asn1::sequence(&[&asn1::unsigned(&[0xc5; 256]), &asn1::unsigned(&[1, 0, 1])]);
        let absent = asn1::sequence(&[&asn1::oid(oids::RSA_ENCRYPTION)]);
        let null = asn1::sequence(&[&asn1::oid(oids::RSA_ENCRYPTION), &asn1::null()]);
        let spki = |algorithm: &[u8]| asn1::sequence(&[algorithm, &asn1::bit_string(&key)]);
        assert!(PublicKey::from_spki_der(&spki(&absent)).is_err());
        assert_eq!(PublicKey::from_spki_der(&spki(&null)).unwrap().kind(), KeyKind::Rsa { bits: 2048 });
    }

    #[test]
    fn rfc8410_3_ed25519_parameters_are_absent() {
        let algorithm = asn1::sequence(&[&asn1::oid(oids::ED25519), &asn1::null()]);
        assert!(
            PublicKey::from_spki_der(&asn1::sequence(&[&algorithm, &asn1::bit_string(&[1; 32])])).is_err()
        );
    }

    #[test]
    fn rsa_bits_count_the_highest_bit() {
        assert_eq!(PublicKey::from_rsa(&[0, 0x7f, 0xff], &[3]).unwrap().kind(), KeyKind::Rsa { bits: 15 });
        assert!(PublicKey::from_rsa(&[0], &[3]).is_err());
        assert!(PublicKey::from_rsa(&[5], &[0]).is_err());
        assert!(PublicKey::from_rsa(&[0xff; 2049], &[3]).is_err());
    }

    proptest! {
        #[test]
        fn every_key_round_trips(key in arbitrary_key()) {
            let read = PublicKey::from_spki_der(key.spki_der());
            prop_assert_eq!(read.as_ref(), Ok(&key));
            if let Some((modulus, exponent)) = key.rsa_parts() {
                prop_assert_eq!(PublicKey::from_rsa(modulus, exponent), Ok(key.clone()));
            }
        }

        #[test]
        fn no_mutation_panics(key in arbitrary_key(), at: prop::sample::Index, octet: u8) {
            let mut bytes = key.spki_der().to_vec();
            bytes[at.index(key.spki_der().len())] = octet;
            if let Ok(read) = PublicKey::from_spki_der(&bytes) {
                prop_assert_eq!(read.spki_der(), &bytes[..]);
            }
            let _ = PublicKey::from_spki_der(&bytes[..at.index(bytes.len())]);
        }
    }
}
