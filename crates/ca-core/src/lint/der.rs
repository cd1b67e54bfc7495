//! DER by the lint's own eyes: what one hand wrote is not checked by the same hand (`ca-x509`).
//!
//! This reader forgives, so that a rule can name what is wrong; what is no certificate at all is refused by the
//! strict reader at the end of [`super::lint`].

use alloc::vec;
use alloc::vec::Vec;

// Identifier octets (X.690 §8.1.2).
pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const IA5_STRING: u8 = 0x16;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// The bit of the identifier octet that says: there are values inside (X.690 §8.1.2.5).
pub(super) const CONSTRUCTED: u8 = 0x20;

/// One tag-length-value, borrowed from the octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value<'a> {
    /// The identifier octet.
    pub(super) tag: u8,
    /// The length octets, as they stand.
    pub(super) length: &'a [u8],
    /// The content octets.
    pub(super) content: &'a [u8],
    /// Identifier, length and content.
    pub(super) raw: &'a [u8],
}

impl<'a> Value<'a> {
    /// The first value and what follows it. `None` if it is cut short, or of a form that no certificate has: a tag
    /// number above 30, an indefinite length, one of more than 4 octets.
    fn first(octets: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&[tag, head], _) = octets.split_first_chunk::<2>()?;
        let more = match head {
            0..=0x7f => 0,
            0x81..=0x84 => usize::from(head & 0x7f),
            _ => return None,
        };
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, rest) = octets.get(1..)?.split_at_checked(more.saturating_add(1))?;
        let size = match length {
            [short] => u32::from(*short),
            [_, octets @ ..] => octets.iter().fold(0, |size, octet| (size << 8) | u32::from(*octet)),
            [] => return None,
        };
        let (content, rest) = rest.split_at_checked(usize::try_from(size).ok()?)?;
        let raw = octets.get(..octets.len().saturating_sub(rest.len()))?;
        Some((Self { tag, length, content, raw }, rest))
    }

    /// The one value that the octets are.
    pub(super) fn one(octets: &'a [u8]) -> Option<Self> {
        Self::first(octets).filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value)
    }

    /// The values inside, in order; none if it is primitive or does not hold values.
    pub(super) fn parts(self) -> Vec<Self> {
        let (mut parts, mut rest) = (Vec::new(), self.content);
        while self.tag & CONSTRUCTED != 0 && !rest.is_empty() {
            let Some((value, after)) = Self::first(rest) else { return Vec::new() };
            parts.push(value);
            rest = after;
        }
        parts
    }

    /// The first value inside.
    pub(super) fn inner(self) -> Option<Self> {
        self.parts().into_iter().next()
    }

    /// Itself and all values inside, at any depth.
    pub(super) fn within(self) -> Vec<Self> {
        let (mut found, mut next) = (vec![self], 0_usize);
        while let Some(value) = found.get(next).copied() {
            found.extend(value.parts());
            next = next.saturating_add(1);
        }
        found
    }

    /// The magnitude of an INTEGER, big-endian: without the zero octet that keeps it positive.
    pub(super) fn magnitude(self) -> &'a [u8] {
        match self.content {
            [0, rest @ ..] => rest,
            all => all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_split_from_what_follows() {
        let (value, rest) = Value::first(&[4, 0x81, 2, 7, 8, 9]).unwrap();
        assert_eq!((value.tag, value.length, value.content), (4, &[0x81, 2][..], &[7, 8][..]));
        assert_eq!((value.raw, rest), (&[4, 0x81, 2, 7, 8][..], &[9][..]));
    }

    #[test]
    fn what_is_cut_short_or_of_another_form_is_no_value() {
        for octets in
            [&[][..], &[4], &[4, 1], &[4, 0x81], &[4, 0x80, 0, 0], &[0x1f, 1, 0], &[4, 0x85, 0, 0, 0, 0, 0]]
        {
            assert_eq!(Value::first(octets), None, "{octets:?}");
        }
        assert_eq!(Value::one(&[5, 0, 0]), None);
    }

    #[test]
    fn values_are_found_at_any_depth() {
        let outer = Value::one(&[0x30, 7, 0x30, 2, 5, 0, 2, 1, 9]).unwrap();
        let tags: Vec<u8> = outer.within().into_iter().map(|value| value.tag).collect();
        assert_eq!(tags, [SEQUENCE, SEQUENCE, INTEGER, NULL]);
    }
}
