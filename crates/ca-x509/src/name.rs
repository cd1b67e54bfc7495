//! Distinguished names, kept as the DER they came in, and the four forms of alternative names in use.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use der::asn1::ObjectIdentifier;

use crate::asn1::{self, Element};
use crate::error::DecodeError;
use crate::limits::{NAME_ATTRIBUTE_CHARS_MAX, NAME_ATTRIBUTES_MAX, NAME_BYTES_MAX, NAME_PLACE_CHARS_MAX};
use crate::oids;

mod general;

pub use general::GeneralName;
pub(crate) use general::URI;

/// A distinguished name: its DER, well-formed. Equal means equal octets, which is stricter than
/// RFC 5280 §7.1 and what chaining needs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DistinguishedName {
    der: Vec<u8>,
}

/// Builds a [`DistinguishedName`]: one attribute a step, in the order called, which is the order in
/// the encoding (by custom from the country down to the common name).
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct DistinguishedNameBuilder {
    attributes: Vec<(Attribute, String)>,
}

/// Why a name was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// An attribute without text.
    #[error("{attribute} is empty")]
    Empty {
        /// The attribute's short name.
        attribute: &'static str,
    },
    /// An attribute over its bound (RFC 5280 appendix A.1).
    #[error("{attribute} has {got} characters, at most {max} are allowed")]
    AttributeLength {
        /// The attribute's short name.
        attribute: &'static str,
        /// Characters given.
        got: usize,
        /// Characters allowed.
        max: usize,
    },
    /// An attribute with characters that its string type does not have.
    #[error("{attribute} has a character outside its string type")]
    Characters {
        /// The attribute's short name.
        attribute: &'static str,
    },
    /// More attributes than [`NAME_ATTRIBUTES_MAX`].
    #[error("distinguished name has {got} attributes, at most {max} are allowed")]
    TooManyAttributes {
        /// Attributes given.
        got: usize,
        /// Attributes allowed.
        max: usize,
    },
    /// A form of general name that is not in [`GeneralName`].
    #[error("general name of form [{tag}] ({form}) is not supported")]
    UnsupportedForm {
        /// The number of the form's tag in GeneralName (RFC 5280 §4.2.1.6).
        tag: u8,
        /// The form's name there.
        form: &'static str,
    },
    /// A text form with other than visible ASCII, empty, or too long.
    #[error("{form} is not 1 to {max} visible ascii characters")]
    Text {
        /// The form's name in GeneralName.
        form: &'static str,
        /// Octets allowed.
        max: usize,
    },
    /// An address of neither 4 nor 16 octets.
    #[error("ip address has {got} octets, expected 4 or 16")]
    AddressLength {
        /// Octets given.
        got: usize,
    },
}

impl DistinguishedName {
    /// Starts a name.
    #[expect(clippy::new_ret_no_self, reason = "reads as one sentence: new().common_name(..).build()")]
    pub const fn new() -> DistinguishedNameBuilder {
        DistinguishedNameBuilder { attributes: Vec::new() }
    }

    /// The name without attributes.
    #[must_use]
    pub fn empty() -> Self {
        Self { der: asn1::sequence(&[]) }
    }

    /// Reads a DER Name (RFC 5280 §4.1.2.4). Attribute types and string types are not restricted.
    ///
    /// # Errors
    /// Not DER, octets after it, an empty set or value, or over the limits.
    pub fn from_der(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > NAME_BYTES_MAX {
            return Err(DecodeError::TooLong { what: NAME, got: bytes.len(), max: NAME_BYTES_MAX });
        }
        let mut count = 0_usize;
        read_attributes(bytes, |_| count = count.saturating_add(1))?;
        if count > NAME_ATTRIBUTES_MAX {
            return Err(NameError::TooManyAttributes { got: count, max: NAME_ATTRIBUTES_MAX }.into());
        }
        Ok(Self { der: bytes.to_vec() })
    }

    /// The DER, as received or built.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Whether there is no attribute.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.der.len() <= 2
    }

    /// The text of the last (most specific) common name, if there is one in a string type read here.
    #[must_use]
    pub fn common_name(&self) -> Option<String> {
        let attributes = self.attributes();
        let mut names = attributes.iter().rev().filter(|entry| entry.oid == oids::COMMON_NAME.as_bytes());
        names.next().and_then(|entry| text_of(entry.value))
    }

    fn attributes(&self) -> Vec<AttributeEntry<'_>> {
        let mut entries = Vec::new();
        let read = read_attributes(&self.der, |entry| entries.push(entry));
        debug_assert!(read.is_ok(), "a name is checked when it is made");
        entries
    }
}

impl Default for DistinguishedName {
    fn default() -> Self {
        Self::empty()
    }
}

/// RFC 4514: the most specific first, `CN=a\,b,O=c`; an attribute without a short name as `1.2.3=#0c0161`.
impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attributes = self.attributes();
        let mut previous: Option<usize> = None;
        // RFC 4514 §2.1: the sets in reverse; §2.2: the attributes of one set joined by plus signs.
        let mut sets: Vec<Vec<&AttributeEntry<'_>>> = Vec::new();
        for entry in &attributes {
            match sets.last_mut() {
                Some(set) if previous == Some(entry.set) => set.push(entry),
                _ => sets.push(Vec::from([entry])),
            }
            previous = Some(entry.set);
        }
        for (position, set) in sets.iter().rev().enumerate() {
            f.write_str(if position == 0 { "" } else { "," })?;
            for (place, entry) in set.iter().enumerate() {
                f.write_str(if place == 0 { "" } else { "+" })?;
                write_attribute(f, entry)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedName({self})")
    }
}

impl DistinguishedNameBuilder {
    /// Adds `countryName`, two letters of ISO 3166, a PrintableString.
    pub fn country(self, text: impl Into<String>) -> Self {
        self.with(&COUNTRY, text.into())
    }

    /// Adds `stateOrProvinceName`.
    pub fn state(self, text: impl Into<String>) -> Self {
        self.with(&STATE, text.into())
    }

    /// Adds `localityName`.
    pub fn locality(self, text: impl Into<String>) -> Self {
        self.with(&LOCALITY, text.into())
    }

    /// Adds `organizationName`.
    pub fn organization(self, text: impl Into<String>) -> Self {
        self.with(&ORGANIZATION, text.into())
    }

    /// Adds `organizationalUnitName`.
    pub fn organizational_unit(self, text: impl Into<String>) -> Self {
        self.with(&ORGANIZATIONAL_UNIT, text.into())
    }

    /// Adds `commonName`.
    pub fn common_name(self, text: impl Into<String>) -> Self {
        self.with(&COMMON_NAME, text.into())
    }

    /// Adds `serialNumber` (of a person or device, not of a certificate), a PrintableString.
    pub fn serial_number(self, text: impl Into<String>) -> Self {
        self.with(&SERIAL_NUMBER, text.into())
    }

    /// Adds `domainComponent`, an IA5String.
    pub fn domain_component(self, text: impl Into<String>) -> Self {
        self.with(&DOMAIN_COMPONENT, text.into())
    }

    /// The name.
    ///
    /// # Errors
    /// An attribute is empty, over its bound (RFC 5280 appendix A.1) or has characters that its
    /// string type does not; or there are too many.
    pub fn build(self) -> Result<DistinguishedName, NameError> {
        if self.attributes.len() > NAME_ATTRIBUTES_MAX {
            return Err(NameError::TooManyAttributes {
                got: self.attributes.len(),
                max: NAME_ATTRIBUTES_MAX,
            });
        }
        let mut sets = Vec::new();
        for (attribute, text) in &self.attributes {
            attribute.check(text)?;
            let value = asn1::tlv(attribute.string_tag, &[text.as_bytes()]);
            let pair = asn1::sequence(&[&asn1::oid(attribute.oid), &value]);
            sets.extend(asn1::tlv(asn1::SET, &[&pair]));
        }
        Ok(DistinguishedName { der: asn1::sequence(&[&sets]) })
    }

    fn with(mut self, attribute: &Attribute, text: String) -> Self {
        self.attributes.push((attribute.clone(), text));
        self
    }
}

const NAME: &str = "distinguished name";

/// A kind of attribute that the builder writes.
#[derive(Clone, Debug)]
struct Attribute {
    label: &'static str,
    oid: ObjectIdentifier,
    string_tag: u8,
    chars_min: usize,
    chars_max: usize,
}

impl Attribute {
    const fn utf8(label: &'static str, oid: ObjectIdentifier, chars_max: usize) -> Self {
        Self { label, oid, string_tag: asn1::UTF8_STRING, chars_min: 1, chars_max }
    }

    fn check(&self, text: &str) -> Result<(), NameError> {
        let attribute = self.label;
        let got = text.chars().count();
        if got == 0 {
            return Err(NameError::Empty { attribute });
        }
        if got > self.chars_max || got < self.chars_min {
            return Err(NameError::AttributeLength { attribute, got, max: self.chars_max });
        }
        let is_good = match self.string_tag {
            asn1::PRINTABLE_STRING => text.bytes().all(is_printable),
            asn1::IA5_STRING => text.is_ascii(),
            _ => true,
        };
        // Control characters have no place in a name, and hide what a person approves.
        if is_good && !text.chars().any(char::is_control) {
            Ok(())
        } else {
            Err(NameError::Characters { attribute })
        }
    }
}

const COMMON_NAME: Attribute = Attribute::utf8("CN", oids::COMMON_NAME, NAME_ATTRIBUTE_CHARS_MAX);
const ORGANIZATION: Attribute = Attribute::utf8("O", oids::ORGANIZATION, NAME_ATTRIBUTE_CHARS_MAX);
const ORGANIZATIONAL_UNIT: Attribute =
    Attribute::utf8("OU", oids::ORGANIZATIONAL_UNIT, NAME_ATTRIBUTE_CHARS_MAX);
const LOCALITY: Attribute = Attribute::utf8("L", oids::LOCALITY, NAME_PLACE_CHARS_MAX);
const STATE: Attribute = Attribute::utf8("ST", oids::STATE, NAME_PLACE_CHARS_MAX);
const COUNTRY: Attribute = Attribute {
    label: "C",
    oid: oids::COUNTRY,
    string_tag: asn1::PRINTABLE_STRING,
    chars_min: 2,
    chars_max: 2,
};
const SERIAL_NUMBER: Attribute = Attribute {
    label: "serialNumber",
    oid: oids::SERIAL_NUMBER,
    string_tag: asn1::PRINTABLE_STRING,
    chars_min: 1,
    chars_max: NAME_ATTRIBUTE_CHARS_MAX,
};
const DOMAIN_COMPONENT: Attribute = Attribute {
    label: "DC",
    oid: oids::DOMAIN_COMPONENT,
    string_tag: asn1::IA5_STRING,
    chars_min: 1,
    chars_max: NAME_ATTRIBUTE_CHARS_MAX,
};

/// The characters of PrintableString (X.680 §41.4).
const fn is_printable(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b' ' | b'\'' | b'(' | b')' | b'+'..=b'/' | b':' | b'=' | b'?')
}

struct AttributeEntry<'a> {
    /// The place of its set in the name.
    set: usize,
    oid: &'a [u8],
    value: Element<'a>,
}

fn read_attributes<'a>(der: &'a [u8], mut visit: impl FnMut(AttributeEntry<'a>)) -> Result<(), DecodeError> {
    let mut sets = asn1::read_sequence(NAME, der)?;
    let mut place = 0_usize;
    while !sets.is_finished() {
        let set_element = sets.any()?.named(NAME);
        let mut set = set_element.open(asn1::SET)?;
        if set.is_finished() {
            return Err(set_element.rule("a relative name has an attribute (X.501 §9.3)"));
        }
        while !set.is_finished() {
            let mut pair = set.sequence(NAME)?;
            let (oid, value) = (pair.any()?.oid()?, pair.any()?);
            pair.finish()?;
            visit(AttributeEntry { set: place, oid, value });
        }
        place = place.saturating_add(1);
    }
    Ok(())
}

/// The text of a directory string; `None` for a type that is not read here or that holds what it must not.
fn text_of(value: Element<'_>) -> Option<String> {
    match value.tag {
        asn1::UTF8_STRING => core::str::from_utf8(value.value).ok().map(String::from),
        asn1::PRINTABLE_STRING | asn1::IA5_STRING if value.value.is_ascii() => {
            core::str::from_utf8(value.value).ok().map(String::from)
        }
        _ => None,
    }
}

const SHORT_NAMES: [(ObjectIdentifier, &str); 9] = [
    (oids::COMMON_NAME, "CN"),
    (oids::LOCALITY, "L"),
    (oids::STATE, "ST"),
    (oids::ORGANIZATION, "O"),
    (oids::ORGANIZATIONAL_UNIT, "OU"),
    (oids::COUNTRY, "C"),
    (oids::STREET, "STREET"),
    (oids::DOMAIN_COMPONENT, "DC"),
    (oids::USER_ID, "UID"),
];

fn write_attribute(f: &mut fmt::Formatter<'_>, entry: &AttributeEntry<'_>) -> fmt::Result {
    let short = SHORT_NAMES.iter().find(|(oid, _)| oid.as_bytes() == entry.oid);
    match (short, text_of(entry.value)) {
        (Some((_, label)), Some(text)) => {
            write!(f, "{label}=")?;
            write_escaped(f, &text)
        }
        // RFC 4514 §2.4: hexadecimal of the whole value where the string form is not known.
        (short, _) => {
            let label = short.map_or_else(|| asn1::oid_text(entry.oid), |(_, label)| label.to_string());
            write!(f, "{label}=#")?;
            entry.value.raw.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
        }
    }
}

/// RFC 4514 §2.4. Control characters are escaped as well, so that the text stays on its line.
fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let last = text.chars().count().saturating_sub(1);
    for (place, character) in text.chars().enumerate() {
        let is_edge_space = character == ' ' && (place == 0 || place == last);
        let is_leading_hash = character == '#' && place == 0;
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{character}")?,
            _ if is_edge_space || is_leading_hash => write!(f, "\\{character}")?,
            _ if character.is_control() => {
                let mut octets = [0; 4];
                for octet in character.encode_utf8(&mut octets).bytes() {
                    write!(f, "\\{octet:02x}")?;
                }
            }
            _ => write!(f, "{character}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
