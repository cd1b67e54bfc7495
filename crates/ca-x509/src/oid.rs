//! Object identifiers, where a caller names one.

use core::fmt;
use core::str::FromStr;

use der::asn1::ObjectIdentifier;

use crate::asn1;

/// An object identifier of at most 39 octets of DER: a policy, a purpose, a template.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(ObjectIdentifier);

/// A text that is no object identifier in dotted decimal, or one that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an object identifier of the form 2.23.140.1.2.1")]
pub struct InvalidOid;

impl Oid {
    /// `anyPolicy` (RFC 5280 §4.2.1.4).
    pub const ANY_POLICY: Self = Self(ObjectIdentifier::new_unwrap("2.5.29.32.0"));
    /// `anyExtendedKeyUsage` (RFC 5280 §4.2.1.12).
    pub const ANY_PURPOSE: Self = Self(ObjectIdentifier::new_unwrap("2.5.29.37.0"));

    pub(crate) fn to_der(self) -> alloc::vec::Vec<u8> {
        asn1::oid(self.0)
    }

    /// From the content octets of an OBJECT IDENTIFIER.
    pub(crate) fn from_content(content: &[u8]) -> Option<Self> {
        ObjectIdentifier::from_bytes(content).ok().map(Self)
    }
}

/// Dotted decimal.
impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq<ObjectIdentifier> for Oid {
    fn eq(&self, other: &ObjectIdentifier) -> bool {
        self.0 == *other
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

/// Dotted decimal.
impl FromStr for Oid {
    type Err = InvalidOid;

    fn from_str(text: &str) -> Result<Self, InvalidOid> {
        ObjectIdentifier::new(text).map(Self).map_err(|_| InvalidOid)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use alloc::string::{String, ToString as _};
    use proptest::prelude::*;

    pub(crate) fn arbitrary_oid() -> impl Strategy<Value = Oid> {
        proptest::collection::vec(any::<u32>(), 0..5).prop_map(|arcs| {
            arcs.iter().fold(String::from("1.3"), |text, arc| alloc::format!("{text}.{arc}")).parse().unwrap()
        })
    }

    #[test]
    fn text_is_dotted_decimal() {
        assert_eq!("2.5.29.32.0".parse(), Ok(Oid::ANY_POLICY));
        for bad in ["", "1", "3.1", "1.40", "1..2", "1.2.", "a.b", "1.2.-1", "1.2.99999999999"] {
            assert_eq!(bad.parse::<Oid>(), Err(InvalidOid), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_identifier_round_trips(oid in arbitrary_oid()) {
            prop_assert_eq!(oid.to_string().parse(), Ok(oid));
            prop_assert_eq!(Oid::from_content(&oid.to_der()[2..]), Some(oid));
        }

        #[test]
        fn no_text_panics(text in "[0-9.a ]{0,40}") {
            let _ = text.parse::<Oid>();
        }
    }
}
