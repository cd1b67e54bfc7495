//! What a key may do: the bits of KeyUsage and the purposes of ExtendedKeyUsage.

use alloc::vec::Vec;
use core::fmt;
use core::ops::BitOr;

use der::asn1::ObjectIdentifier;

use crate::asn1::{self, Element};
use crate::error::DecodeError;
use crate::oid::Oid;
use crate::oids;

/// A set of key usages (RFC 5280 §4.2.1.3).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyUsage {
    /// Bit 0 of the standard is the highest bit here, as in the BIT STRING's octets.
    bits: u16,
}

impl KeyUsage {
    /// No usage; has no encoding.
    pub const EMPTY: Self = Self { bits: 0 };
    /// `digitalSignature`.
    pub const DIGITAL_SIGNATURE: Self = Self::named(0);
    /// `nonRepudiation`, also called contentCommitment.
    pub const NON_REPUDIATION: Self = Self::named(1);
    /// `keyEncipherment`.
    pub const KEY_ENCIPHERMENT: Self = Self::named(2);
    /// `dataEncipherment`.
    pub const DATA_ENCIPHERMENT: Self = Self::named(3);
    /// `keyAgreement`.
    pub const KEY_AGREEMENT: Self = Self::named(4);
    /// `keyCertSign`.
    pub const KEY_CERT_SIGN: Self = Self::named(5);
    /// `cRLSign`.
    pub const CRL_SIGN: Self = Self::named(6);
    /// `encipherOnly`.
    pub const ENCIPHER_ONLY: Self = Self::named(7);
    /// `decipherOnly`.
    pub const DECIPHER_ONLY: Self = Self::named(8);

    /// Each usage with its name in RFC 5280, in the order of the bits.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::DIGITAL_SIGNATURE, "digitalSignature"),
        (Self::NON_REPUDIATION, "nonRepudiation"),
        (Self::KEY_ENCIPHERMENT, "keyEncipherment"),
        (Self::DATA_ENCIPHERMENT, "dataEncipherment"),
        (Self::KEY_AGREEMENT, "keyAgreement"),
        (Self::KEY_CERT_SIGN, "keyCertSign"),
        (Self::CRL_SIGN, "cRLSign"),
        (Self::ENCIPHER_ONLY, "encipherOnly"),
        (Self::DECIPHER_ONLY, "decipherOnly"),
    ];

    const fn named(bit: u32) -> Self {
        Self { bits: 0x8000 >> bit }
    }

    /// Whether all usages of `other` are in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.bits & other.bits == other.bits
    }

    /// Whether a usage is in both sets.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.bits & other.bits != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The names in RFC 5280, in the order of the bits.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().filter(move |(usage, _)| self.contains(*usage)).map(|(_, name)| name)
    }

    /// The usage of this name in RFC 5280.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(usage, _)| usage)
    }

    /// A BIT STRING of named bits: without trailing zero bits (X.690 §11.2.2).
    pub(super) fn to_der(self) -> Vec<u8> {
        let [first, second] = self.bits.to_be_bytes();
        let (last, octets) = if second == 0 { (first, &[first][..]) } else { (second, &[first, second][..]) };
        let unused = u8::try_from(last.trailing_zeros()).unwrap_or_default() & 7;
        asn1::tlv(asn1::BIT_STRING, &[&[unused], octets])
    }

    pub(super) fn read(element: Element<'_>) -> Result<Self, DecodeError> {
        let bits = match element.tagged(asn1::BIT_STRING)?.value {
            [_, first] => u16::from_be_bytes([*first, 0]),
            [_, first, second] => u16::from_be_bytes([*first, *second]),
            _ => return Err(element.rule("at least one of nine bits is set (RFC 5280 §4.2.1.3)")),
        };
        let usage = Self { bits };
        if bits == 0 || bits & 0x7f != 0 || usage.to_der() != element.raw {
            return Err(element.rule("one of nine bits is set, no trailing zero bits (X.690 §11.2.2)"));
        }
        Ok(usage)
    }
}

impl BitOr for KeyUsage {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits }
    }
}

impl FromIterator<Self> for KeyUsage {
    fn from_iter<I: IntoIterator<Item = Self>>(usages: I) -> Self {
        usages.into_iter().fold(Self::EMPTY, BitOr::bitor)
    }
}

impl fmt::Debug for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// A purpose (RFC 5280 §4.2.1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExtendedKeyUsage {
    /// `id-kp-serverAuth`.
    ServerAuth,
    /// `id-kp-clientAuth`.
    ClientAuth,
    /// `id-kp-OCSPSigning`.
    OcspSigning,
    /// `id-kp-codeSigning`.
    CodeSigning,
    /// `id-kp-emailProtection`.
    EmailProtection,
    /// `id-kp-timeStamping`.
    TimeStamping,
}

impl ExtendedKeyUsage {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::ServerAuth,
        Self::ClientAuth,
        Self::OcspSigning,
        Self::CodeSigning,
        Self::EmailProtection,
        Self::TimeStamping,
    ];

    /// The name in RFC 5280 without `id-kp-`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServerAuth => "serverAuth",
            Self::ClientAuth => "clientAuth",
            Self::OcspSigning => "OCSPSigning",
            Self::CodeSigning => "codeSigning",
            Self::EmailProtection => "emailProtection",
            Self::TimeStamping => "timeStamping",
        }
    }

    /// The purpose of this name in RFC 5280.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }

    /// The purpose with this object identifier.
    #[must_use]
    pub fn from_oid(oid: Oid) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| oid == purpose.oid())
    }

    pub(super) const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::ServerAuth => oids::SERVER_AUTH,
            Self::ClientAuth => oids::CLIENT_AUTH,
            Self::OcspSigning => oids::OCSP_SIGNING,
            Self::CodeSigning => oids::CODE_SIGNING,
            Self::EmailProtection => oids::EMAIL_PROTECTION,
            Self::TimeStamping => oids::TIME_STAMPING,
        }
    }
}

impl fmt::Display for ExtendedKeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x690_11_2_2_trailing_zero_bits_are_removed() {
        assert_eq!((KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN).to_der(), [3, 2, 1, 6]);
        assert_eq!(KeyUsage::DIGITAL_SIGNATURE.to_der(), [3, 2, 7, 0x80]);
        assert_eq!(KeyUsage::DECIPHER_ONLY.to_der(), [3, 3, 7, 0, 0x80]);
    }

    #[test]
    fn rfc5280_4_2_1_3_every_set_but_the_empty_round_trips() {
        for mask in 1_u16..512 {
            let usage = KeyUsage { bits: mask << 7 };
            assert_eq!(KeyUsage::read(asn1::read_one("test", &usage.to_der()).unwrap()), Ok(usage));
            assert_eq!(usage.names().filter_map(KeyUsage::from_name).collect::<KeyUsage>(), usage);
        }
        for refused in
            [&[3, 1, 0][..], &[3, 2, 0, 0], &[3, 2, 0, 6], &[3, 2, 7, 0x81], &[3, 3, 6, 0, 0x40], &[3, 0]]
        {
            assert!(KeyUsage::read(asn1::read_one("test", refused).unwrap()).is_err());
        }
    }
}
