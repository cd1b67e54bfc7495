//! DER, as little of it as this crate needs: a cursor that reads (on `der`, which refuses BER), and
//! functions that write. Writing cannot fail: a length always has an encoding.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;
use der::{Decode as _, Header, Reader as _, SliceReader};

use crate::error::{Asn1Error, DecodeError};

// Identifier octets (X.690 §8.1.2).
pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const BMP_STRING: u8 = 0x1e;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The identifier octet of `[number]` over a primitive value; `number` is below 31.
pub(crate) const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// The identifier octet of `[number]` over a constructed value; `number` is below 31.
pub(crate) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// Reads the values in the content of one structure, in order.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    what: &'static str,
    reader: SliceReader<'a>,
}

/// One tag-length-value, borrowed from the input.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    what: &'static str,
    /// The identifier octet.
    pub(crate) tag: u8,
    /// The content octets.
    pub(crate) value: &'a [u8],
    /// Identifier, length and content, exactly as received.
    pub(crate) raw: &'a [u8],
}

/// Reads `bytes` as one SEQUENCE with nothing after it. `what` names it in errors.
pub(crate) fn read_sequence<'a>(what: &'static str, bytes: &'a [u8]) -> Result<Cursor<'a>, DecodeError> {
    read_one(what, bytes)?.open(SEQUENCE)
}

/// Reads `bytes` as one value with nothing after it.
pub(crate) fn read_one<'a>(what: &'static str, bytes: &'a [u8]) -> Result<Element<'a>, DecodeError> {
    let mut cursor = Cursor::new(what, bytes)?;
    let element = cursor.any()?;
    cursor.finish()?;
    Ok(element)
}

impl<'a> Cursor<'a> {
    /// Over the content octets of a structure. `what` names it in errors.
    pub(crate) fn new(what: &'static str, content: &'a [u8]) -> Result<Self, DecodeError> {
        let reader = SliceReader::new(content).map_err(|e| malformed(what, e))?;
        Ok(Self { what, reader })
    }

    /// The next value, whatever its tag.
    pub(crate) fn any(&mut self) -> Result<Element<'a>, DecodeError> {
        if self.reader.is_finished() {
            return Err(DecodeError::Missing { what: self.what });
        }
        let what = self.what;
        let raw = self.reader.clone().tlv_bytes().map_err(|e| malformed(what, e))?;
        let header = Header::decode(&mut self.reader).map_err(|e| malformed(what, e))?;
        let value = self.reader.read_slice(header.length()).map_err(|e| malformed(what, e))?;
        let tag = raw.first().copied().unwrap_or_default();
        Ok(Element { what, tag, value, raw })
    }

    /// The next value, which has `tag`.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, DecodeError> {
        self.any()?.tagged(tag)
    }

    /// The next value if it has `tag`; else nothing is consumed.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, DecodeError> {
        if self.peek() == Some(tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// The next value, a SEQUENCE, opened.
    pub(crate) fn sequence(&mut self, what: &'static str) -> Result<Self, DecodeError> {
        let mut element = self.expect(SEQUENCE)?;
        element.what = what;
        element.open(SEQUENCE)
    }

    /// A BOOLEAN DEFAULT FALSE under `tag`: true, or left out.
    pub(crate) fn flag(&mut self, tag: u8) -> Result<bool, DecodeError> {
        match self.optional(tag)? {
            None => Ok(false),
            Some(element) if element.boolean(tag)? => Ok(true),
            Some(element) => Err(element.rule("a default is not encoded (X.690 §11.5)")),
        }
    }

    /// The next identifier octet, if a value is left.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.reader.peek_byte()
    }

    /// Whether no value is left.
    pub(crate) fn is_finished(&self) -> bool {
        self.reader.is_finished()
    }

    /// Refuses what is left.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        let what = self.what;
        self.reader.finish().map_err(|e| malformed(what, e))
    }
}

impl<'a> Element<'a> {
    /// Names the value in errors from here on.
    pub(crate) fn named(mut self, what: &'static str) -> Self {
        self.what = what;
        self
    }

    /// Itself if it has `tag`.
    pub(crate) fn tagged(self, tag: u8) -> Result<Self, DecodeError> {
        if self.tag == tag {
            Ok(self)
        } else {
            Err(DecodeError::Tag { what: self.what, expected: tag, got: self.tag })
        }
    }

    /// A cursor over the content of a constructed value with `tag`.
    pub(crate) fn open(self, tag: u8) -> Result<Cursor<'a>, DecodeError> {
        Cursor::new(self.what, self.tagged(tag)?.value)
    }

    /// The one value inside an explicit tag or an OCTET STRING that holds DER.
    pub(crate) fn inner(self) -> Result<Self, DecodeError> {
        read_one(self.what, self.value)
    }

    /// BOOLEAN (X.690 §11.1: 0x00 or 0xff), under its own tag or an implicit one.
    pub(crate) fn boolean(self, tag: u8) -> Result<bool, DecodeError> {
        match self.tagged(tag)?.value {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(self.rule("a BOOLEAN is 0x00 or 0xff (X.690 §11.1)")),
        }
    }

    /// The content octets of a minimally encoded INTEGER or ENUMERATED (X.690 §8.3.2).
    pub(crate) fn integer(self, tag: u8) -> Result<&'a [u8], DecodeError> {
        match self.tagged(tag)?.value {
            [] => Err(self.rule("an INTEGER has at least one octet (X.690 §8.3.1)")),
            [0x00, second, ..] if *second < 0x80 => Err(self.rule("an INTEGER is minimal (X.690 §8.3.2)")),
            [0xff, second, ..] if *second >= 0x80 => Err(self.rule("an INTEGER is minimal (X.690 §8.3.2)")),
            content => Ok(content),
        }
    }

    /// The octets of a non-negative INTEGER, big-endian, without leading zeros; zero is one zero octet.
    pub(crate) fn unsigned(self) -> Result<&'a [u8], DecodeError> {
        match self.integer(INTEGER)? {
            [first, ..] if *first >= 0x80 => Err(self.rule("the INTEGER is negative")),
            [0x00, rest @ ..] if !rest.is_empty() => Ok(rest),
            content => Ok(content),
        }
    }

    /// A small non-negative INTEGER or ENUMERATED.
    pub(crate) fn small(self, tag: u8) -> Result<u8, DecodeError> {
        match self.integer(tag)? {
            [value] if *value < 0x80 => Ok(*value),
            [0x00, value] => Ok(*value),
            _ => Err(self.rule("the number is not in 0..=255")),
        }
    }

    /// The octets of a BIT STRING with no unused bits.
    pub(crate) fn bits(self) -> Result<&'a [u8], DecodeError> {
        match self.tagged(BIT_STRING)?.value {
            [0x00, bits @ ..] => Ok(bits),
            _ => Err(self.rule("a BIT STRING of octets has no unused bits")),
        }
    }

    /// OBJECT IDENTIFIER: its content octets, well-formed (X.690 §8.19.2), of any length.
    pub(crate) fn oid(self) -> Result<&'a [u8], DecodeError> {
        let content = self.tagged(OBJECT_IDENTIFIER)?.value;
        let mut starts = true;
        for octet in content {
            if starts && *octet == 0x80 {
                return Err(self.rule("an OBJECT IDENTIFIER is minimal (X.690 §8.19.2)"));
            }
            starts = *octet < 0x80;
        }
        if content.is_empty() || !starts {
            return Err(self.rule("an OBJECT IDENTIFIER is cut short (X.690 §8.19.2)"));
        }
        Ok(content)
    }

    /// NULL.
    pub(crate) fn null(self) -> Result<(), DecodeError> {
        if self.tagged(NULL)?.value.is_empty() {
            Ok(())
        } else {
            Err(self.rule("a NULL is empty (X.690 §8.8.2)"))
        }
    }

    /// The error that says that the value breaks `rule`.
    pub(crate) fn rule(self, rule: &'static str) -> DecodeError {
        DecodeError::Rule { what: self.what, rule }
    }
}

/// Dotted decimal of the content octets of an OBJECT IDENTIFIER; hexadecimal where they are too long for that.
pub(crate) fn oid_text(content: &[u8]) -> String {
    match ObjectIdentifier::from_bytes(content) {
        Ok(oid) => oid.to_string(),
        Err(_) => content.iter().map(|octet| alloc::format!("{octet:02x}")).collect(),
    }
}

/// One tag-length-value over the concatenated `parts`.
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length.saturating_add(10));
    push_header(&mut out, tag, length);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// Appends the identifier and length octets of a value of `length` content octets.
pub(crate) fn push_header(out: &mut Vec<u8>, tag: u8, length: usize) {
    out.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            // X.690 §10.1: the fewest octets, so without the leading zeros.
            let octets = length.to_be_bytes();
            let zeros = octets.iter().take_while(|octet| **octet == 0).count();
            let used = octets.len().saturating_sub(zeros);
            // A usize has at most 16 octets on any machine, so this always fits.
            out.push(0x80 | u8::try_from(used).unwrap_or(0x7f));
            out.extend(octets.iter().skip(zeros));
        }
    }
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(SEQUENCE, parts)
}

pub(crate) fn explicit(number: u8, parts: &[&[u8]]) -> Vec<u8> {
    tlv(constructed(number), parts)
}

pub(crate) fn oid(oid: ObjectIdentifier) -> Vec<u8> {
    tlv(OBJECT_IDENTIFIER, &[oid.as_bytes()])
}

pub(crate) fn octet_string(content: &[u8]) -> Vec<u8> {
    tlv(OCTET_STRING, &[content])
}

pub(crate) fn bit_string(bits: &[u8]) -> Vec<u8> {
    tlv(BIT_STRING, &[&[0], bits])
}

pub(crate) fn null() -> Vec<u8> {
    tlv(NULL, &[])
}

/// A non-negative INTEGER from big-endian octets, leading zeros or not.
pub(crate) fn unsigned(octets: &[u8]) -> Vec<u8> {
    unsigned_tagged(INTEGER, octets)
}

/// As [`unsigned`], under another identifier octet (ENUMERATED, an implicit tag).
pub(crate) fn unsigned_tagged(tag: u8, octets: &[u8]) -> Vec<u8> {
    match strip_zeros(octets) {
        [] => tlv(tag, &[&[0]]),
        stripped @ [first, ..] if *first >= 0x80 => tlv(tag, &[&[0], stripped]),
        stripped => tlv(tag, &[stripped]),
    }
}

/// Without leading zero octets; zero becomes empty.
pub(crate) fn strip_zeros(mut octets: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = octets {
        octets = rest;
    }
    octets
}

fn malformed(what: &'static str, error: der::Error) -> DecodeError {
    DecodeError::Malformed { what, source: Asn1Error(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn x690_10_1_length_takes_the_fewest_octets() {
        assert_eq!(tlv(4, &[&[7; 127]])[..2], [4, 127]);
        assert_eq!(tlv(4, &[&[7; 128]])[..3], [4, 0x81, 128]);
        assert_eq!(tlv(4, &[&[7; 256]])[..4], [4, 0x82, 1, 0]);
    }

    #[test]
    fn x690_10_1_longer_length_is_refused() {
        assert!(read_one("test", &[4, 0x81, 1, 0]).is_err());
        assert!(read_one("test", &[0x30, 0x80, 0, 0]).is_err());
    }

    #[test]
    fn x690_8_3_2_integer_is_minimal() {
        for refused in [&[2, 0][..], &[2, 2, 0, 1], &[2, 2, 0xff, 0x80]] {
            assert!(read_one("test", refused).unwrap().integer(INTEGER).is_err());
        }
        assert!(read_one("test", &[2, 1, 0x80]).unwrap().unsigned().is_err());
        assert_eq!(read_one("test", &[2, 2, 0, 0x80]).unwrap().unsigned().unwrap(), [0x80]);
    }

    #[test]
    fn x690_11_1_true_is_ff() {
        assert!(read_one("test", &[1, 1, 1]).unwrap().boolean(BOOLEAN).is_err());
        assert!(read_one("test", &[1, 1, 0xff]).unwrap().boolean(BOOLEAN).unwrap());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(tag in prop_oneof![Just(OCTET_STRING), Just(SEQUENCE), Just(constructed(3))],
                                   content in proptest::collection::vec(any::<u8>(), 0..70_000)) {
            let written = tlv(tag, &[&content]);
            let element = read_one("test", &written).unwrap();
            prop_assert_eq!(element.tag, tag);
            prop_assert_eq!(element.value, &content[..]);
            prop_assert_eq!(element.raw, &written[..]);
        }

        #[test]
        fn unsigned_round_trips(octets in proptest::collection::vec(any::<u8>(), 0..30)) {
            let written = unsigned(&octets);
            let read = read_one("test", &written).unwrap().unsigned().unwrap().to_vec();
            let expected = if strip_zeros(&octets).is_empty() { vec![0] } else { strip_zeros(&octets).to_vec() };
            prop_assert_eq!(read, expected);
        }
    }
}
