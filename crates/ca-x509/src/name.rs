//! Names: distinguished ones, kept as the DER they came in, and the forms of alternative names in use.
//!
//! Reading asks for DER and no more, for names of strangers are read too. What the standards say beyond it
//! (string types, bounds, host names, mailboxes, URIs, IDNA) is asked of a name by its `check`, and by the
//! builder; nothing that is certified goes without.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use crate::asn1::{self, Element};
use crate::error::DecodeError;
use crate::limits::{NAME_ATTRIBUTES_MAX, NAME_BYTES_MAX};

mod attribute;
mod general;
mod host;
mod label;
mod mailbox;
mod text;
mod uri;

pub use attribute::AttributeType;
use attribute::{is_shown, text_of};
pub use general::GeneralName;
pub(crate) use general::{DIRECTORY, DNS, EMAIL, IP, URI};
pub use host::{HostName, HostNameError};
pub use text::NameTextError;

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
    attributes: Vec<(AttributeType, String)>,
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
    /// An attribute with characters that its string type does not have, or that nobody sees.
    #[error("{attribute} has a character outside its string type, or one that is not shown")]
    Characters {
        /// The attribute's short name.
        attribute: &'static str,
    },
    /// An attribute in another string type than its own (RFC 5280 §4.1.2.4).
    #[error("{attribute} has string type 0x{got:02x}, which is not its own")]
    StringType {
        /// The attribute's short name.
        attribute: &'static str,
        /// The identifier octet found.
        got: u8,
    },
    /// An attribute that occurs twice in one relative name (X.501 §9.3).
    #[error("{attribute} occurs twice in one relative name")]
    Repeated {
        /// The attribute's short name, or its object identifier.
        attribute: String,
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
    /// A form of general name that breaks its syntax.
    #[error("{form}: {rule}")]
    Syntax {
        /// The form's name in GeneralName, or in the standard of its kind of otherName.
        form: &'static str,
        /// The rule that it breaks, with its source.
        rule: &'static str,
    },
    /// A host name, or the host in a mailbox or URI, that is none.
    #[error(transparent)]
    Host(#[from] HostNameError),
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
    /// Not DER (a set out of order is not), octets after it, an empty set, or over the limits.
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

    /// The relative names, one after another, as they stand in the DER.
    #[must_use]
    pub fn relative_names(&self) -> &[u8] {
        asn1::read_one(NAME, &self.der).map_or(&[], |name| name.value)
    }

    /// Whether there is no attribute.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.der.len() <= 2
    }

    /// Checks the name as RFC 5280 §4.1.2.4 wants it written: known attributes in their string types and
    /// bounds (appendix A.1), others as strings, none twice in one relative name, no character that is not
    /// shown. An empty name is well-formed; where one may stand is not decided here.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), NameError> {
        let attributes = self.attributes();
        let mut previous: Option<&AttributeEntry<'_>> = None;
        for entry in &attributes {
            // A set is sorted by its octets, so what is of one type stands together.
            if previous.is_some_and(|previous| previous.set == entry.set && previous.oid == entry.oid) {
                return Err(NameError::Repeated { attribute: entry.label() });
            }
            match entry.kind() {
                Some(kind) => kind.check_value(entry.value)?,
                None => attribute::check_other(entry.value)?,
            }
            previous = Some(entry);
        }
        Ok(())
    }

    /// The text of the last (most specific) common name, if there is one in a string type read here.
    #[must_use]
    pub fn common_name(&self) -> Option<String> {
        self.texts().filter(|(kind, _)| *kind == AttributeType::CommonName).last().map(|(_, text)| text)
    }

    /// Each attribute of a known kind with its text, in the order of the name; others are left out.
    pub fn texts(&self) -> impl Iterator<Item = (AttributeType, String)> {
        self.attributes().into_iter().filter_map(|entry| Some((entry.kind()?, text_of(entry.value)?)))
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
    /// Adds an attribute.
    pub fn attribute(mut self, kind: AttributeType, text: impl Into<String>) -> Self {
        self.attributes.push((kind, text.into()));
        self
    }

    /// Adds `countryName`, two letters of ISO 3166, a PrintableString.
    pub fn country(self, text: impl Into<String>) -> Self {
        self.attribute(AttributeType::Country, text)
    }

    /// Adds `stateOrProvinceName`.
    pub fn state(self, text: impl Into<String>) -> Self {
        self.attribute(AttributeType::State, text)
    }

    /// Adds `localityName`.
    pub fn locality(self, text: impl Into<String>) -> Self {
        self.attribute(AttributeType::Locality, text)
    }

    /// Adds `organizationName`.
    pub fn organization(self, text: impl Into<String>) -> Self {
        self.attribute(AttributeType::Organization, text)
    }

    /// Adds `organizationalUnitName`.
    pub fn organizational_unit(self, text: impl Into<String>) -> Self {
        self.attribute(AttributeType::OrganizationalUnit, text)
    }

    /// Adds `commonName`.
    pub fn common_name(self, text: impl Into<String>) -> Self {
        self.attribute(AttributeType::CommonName, text)
    }

    /// Adds `serialNumber` (of a person or device, not of a certificate), a PrintableString.
    pub fn serial_number(self, text: impl Into<String>) -> Self {
        self.attribute(AttributeType::SerialNumber, text)
    }

    /// Adds `domainComponent`, an IA5String.
    pub fn domain_component(self, text: impl Into<String>) -> Self {
        self.attribute(AttributeType::DomainComponent, text)
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
        for (kind, text) in &self.attributes {
            kind.check(text)?;
            sets.extend(asn1::tlv(asn1::SET, &[&kind.to_der(text)]));
        }
        Ok(DistinguishedName { der: asn1::sequence(&[&sets]) })
    }
}

const NAME: &str = "distinguished name";

struct AttributeEntry<'a> {
    /// The place of its set in the name.
    set: usize,
    oid: &'a [u8],
    value: Element<'a>,
}

impl AttributeEntry<'_> {
    fn kind(&self) -> Option<AttributeType> {
        AttributeType::of(self.oid)
    }

    /// The short name of RFC 4514 §3, else the object identifier.
    fn label(&self) -> String {
        match self.kind() {
            Some(kind) if kind.has_short_name() => kind.to_string(),
            _ => asn1::oid_text(self.oid),
        }
    }
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
        let mut previous: &[u8] = &[];
        while !set.is_finished() {
            let element = set.any()?;
            // No encoding is the beginning of another, so the order of X.690 §11.6 is that of slices.
            if element.raw < previous {
                return Err(element.rule("a SET OF is in order (X.690 §11.6)"));
            }
            previous = element.raw;
            let mut pair = element.open(asn1::SEQUENCE)?;
            let (oid, value) = (pair.any()?.oid()?, pair.any()?);
            pair.finish()?;
            visit(AttributeEntry { set: place, oid, value });
        }
        place = place.saturating_add(1);
    }
    Ok(())
}

fn write_attribute(f: &mut fmt::Formatter<'_>, entry: &AttributeEntry<'_>) -> fmt::Result {
    write!(f, "{}=", entry.label())?;
    match text_of(entry.value) {
        Some(text) if entry.kind().is_some_and(AttributeType::has_short_name) => write_escaped(f, &text),
        // RFC 4514 §2.4: hexadecimal of the whole value where the string form is not known.
        _ => {
            f.write_str("#")?;
            entry.value.raw.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
        }
    }
}

/// RFC 4514 §2.4. What is not shown is escaped as well, so that the text stays on its line and says what it holds.
fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let last = text.chars().count().saturating_sub(1);
    for (place, character) in text.chars().enumerate() {
        let is_edge_space = character == ' ' && (place == 0 || place == last);
        let is_leading_hash = character == '#' && place == 0;
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{character}")?,
            _ if is_edge_space || is_leading_hash => write!(f, "\\{character}")?,
            _ if !is_shown(character) => {
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
