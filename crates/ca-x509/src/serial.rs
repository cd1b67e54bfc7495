//! Serial numbers: positive, at most 20 octets, of constant DER length when drawn here (I2).

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::asn1;
use crate::limits::SERIAL_BYTES_MAX;

/// A certificate's serial number, 0 < s < 2^159 (RFC 5280 §4.1.2.2: positive, at most 20 octets of DER).
/// Ordered by value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber {
    /// Octets in use at the end of `octets`; before them are zeros. First, so that the order is by value.
    length: u8,
    octets: [u8; SERIAL_BYTES_MAX],
}

/// Why a serial number was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SerialError {
    /// Zero, or no octets (RFC 5280 §4.1.2.2).
    #[error("a serial number is positive")]
    NotPositive,
    /// 2^159 or more: more than 20 octets of DER (RFC 5280 §4.1.2.2).
    #[error("a serial number has at most 20 octets, this one takes {got}")]
    TooLong {
        /// Octets that its DER would have.
        got: usize,
    },
    /// A text that is not hexadecimal.
    #[error("a serial number is written in hexadecimal digits")]
    NotHexadecimal,
}

impl SerialNumber {
    /// The least one, 1: where a scan over all of them begins.
    pub const MIN: Self = {
        let mut octets = [0; SERIAL_BYTES_MAX];
        octets[SERIAL_BYTES_MAX - 1] = 1;
        Self { length: 1, octets }
    };

    /// From 16 random octets: the top bit cleared (positive), the next one set (so that each serial
    /// has 16 octets of DER), the other 126 bits as drawn.
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Self {
        let mut value = u128::from_be_bytes(random);
        value &= u128::MAX >> 1;
        value |= 1 << 126;
        let mut octets = [0; SERIAL_BYTES_MAX];
        for (place, octet) in octets.iter_mut().rev().zip(value.to_be_bytes().iter().rev()) {
            *place = *octet;
        }
        Self { length: 16, octets }
    }

    /// From big-endian octets; leading zeros are stripped.
    ///
    /// # Errors
    /// Zero, or 2^159 or more.
    pub fn from_be_bytes(bytes: &[u8]) -> Result<Self, SerialError> {
        let stripped = asn1::strip_zeros(bytes);
        let first = *stripped.first().ok_or(SerialError::NotPositive)?;
        let der_length = stripped.len().saturating_add(usize::from(first >= 0x80));
        if der_length > SERIAL_BYTES_MAX {
            return Err(SerialError::TooLong { got: der_length });
        }
        let mut octets = [0; SERIAL_BYTES_MAX];
        for (place, octet) in octets.iter_mut().rev().zip(stripped.iter().rev()) {
            *place = *octet;
        }
        let length =
            u8::try_from(stripped.len()).map_err(|_| SerialError::TooLong { got: stripped.len() })?;
        Ok(Self { length, octets })
    }

    /// Big-endian octets without leading zeros: 1 to 20 of them.
    #[must_use]
    pub fn as_be_bytes(&self) -> &[u8] {
        let unused = SERIAL_BYTES_MAX.saturating_sub(usize::from(self.length));
        self.octets.get(unused..).unwrap_or(&self.octets)
    }

    pub(crate) fn to_der(self) -> Vec<u8> {
        asn1::unsigned(self.as_be_bytes())
    }
}

/// Lower-case hexadecimal, two digits an octet, no separators.
impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_be_bytes().iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

/// Hexadecimal in any case, with or without `0x`, colons and leading zeros.
impl FromStr for SerialNumber {
    type Err = SerialError;

    fn from_str(text: &str) -> Result<Self, SerialError> {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let mut octets = [0_u8; SERIAL_BYTES_MAX];
        let mut significant = 0_usize;
        // The number is shifted in from the right, a digit at a time, so an odd count needs no case.
        for character in digits.chars().filter(|character| *character != ':') {
            let digit = character.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let mut carry = digit.ok_or(SerialError::NotHexadecimal)?;
            if significant > 0 || carry > 0 {
                significant = significant.saturating_add(1);
            }
            if significant > SERIAL_BYTES_MAX.saturating_mul(2) {
                return Err(SerialError::TooLong { got: significant.div_ceil(2) });
            }
            for octet in octets.iter_mut().rev() {
                let shifted = (*octet << 4) | carry;
                carry = *octet >> 4;
                *octet = shifted;
            }
        }
        if digits.is_empty() {
            return Err(SerialError::NotHexadecimal);
        }
        Self::from_be_bytes(&octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;
    use proptest::prelude::*;

    #[test]
    fn rfc5280_4_1_2_2_serial_is_positive() {
        assert_eq!(SerialNumber::from_be_bytes(&[]), Err(SerialError::NotPositive));
        assert_eq!(SerialNumber::from_be_bytes(&[0, 0]), Err(SerialError::NotPositive));
    }

    #[test]
    fn rfc5280_4_1_2_2_serial_has_at_most_20_octets() {
        let mut largest = [0xff; 20];
        largest[0] = 0x7f;
        assert_eq!(SerialNumber::from_be_bytes(&largest).unwrap().to_der().len(), 22);
        assert_eq!(SerialNumber::from_be_bytes(&[0xff; 20]), Err(SerialError::TooLong { got: 21 }));
        assert_eq!(SerialNumber::from_be_bytes(&[1; 21]), Err(SerialError::TooLong { got: 21 }));
        assert!(SerialNumber::from_be_bytes(&[&[0; 9][..], &largest].concat()).is_ok());
    }

    #[test]
    fn i2_random_serials_have_one_der_length() {
        for random in [[0; 16], [0xff; 16], [0x80; 16], *b"0123456789abcdef"] {
            assert_eq!(SerialNumber::from_random(random).to_der().len(), 18);
        }
    }

    #[test]
    fn text_is_accepted_in_any_form() {
        let serial = SerialNumber::from_be_bytes(&[0x0a, 0xbc]).unwrap();
        for form in ["abc", "0xABC", "0A:BC", "0abc", "00:00:0a:bc"] {
            assert_eq!(form.parse(), Ok(serial), "{form}");
        }
        assert_eq!(serial.to_string(), "0abc");
        for bad in ["", "0x", "xyz", "12 34", "-1"] {
            assert!(bad.parse::<SerialNumber>().is_err(), "{bad}");
        }
        assert!("f".repeat(41).parse::<SerialNumber>().is_err());
    }

    proptest! {
        #[test]
        fn i2_random_bits_are_kept(random: [u8; 16]) {
            let serial = SerialNumber::from_random(random);
            let value = u128::from_be_bytes(serial.as_be_bytes().try_into().unwrap());
            prop_assert_eq!(value >> 126, 1);
            prop_assert_eq!(value << 2, u128::from_be_bytes(random) << 2);
        }

        #[test]
        fn text_and_octets_round_trip(octets in proptest::collection::vec(any::<u8>(), 1..=19)) {
            if let Ok(serial) = SerialNumber::from_be_bytes(&octets) {
                prop_assert_eq!(serial.to_string().parse(), Ok(serial));
                prop_assert_eq!(SerialNumber::from_be_bytes(serial.as_be_bytes()), Ok(serial));
            }
        }

        #[test]
        fn order_is_by_value(a in 1_u128.., b in 1_u128..) {
            let (x, y) = (SerialNumber::from_be_bytes(&a.to_be_bytes()), SerialNumber::from_be_bytes(&b.to_be_bytes()));
            prop_assert_eq!(x.unwrap().cmp(&y.unwrap()), a.cmp(&b));
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = text.parse::<SerialNumber>();
        }
    }
}
