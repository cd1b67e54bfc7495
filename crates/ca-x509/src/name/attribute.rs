//! The attributes of distinguished names that are written here, each with its string type and bound.

use alloc::string::String;
use core::fmt;

use der::asn1::ObjectIdentifier;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

use super::NameError;
use crate::asn1::{self, Element};
use crate::limits::{
    NAME_ATTRIBUTE_CHARS_MAX, NAME_MAILBOX_CHARS_MAX, NAME_OTHER_CHARS_MAX, NAME_PERSON_CHARS_MAX,
    NAME_PLACE_CHARS_MAX,
};
use crate::oids;

/// A kind of attribute (RFC 5280 appendix A.1, RFC 4519).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AttributeType {
    /// `commonName`, `CN`.
    CommonName,
    /// `countryName`, `C`: two letters of ISO 3166.
    Country,
    /// `stateOrProvinceName`, `ST`.
    State,
    /// `localityName`, `L`.
    Locality,
    /// `streetAddress`, `STREET`.
    Street,
    /// `postalCode`.
    PostalCode,
    /// `organizationName`, `O`.
    Organization,
    /// `organizationalUnitName`, `OU`.
    OrganizationalUnit,
    /// `organizationIdentifier` (X.520 §6.4.4).
    OrganizationIdentifier,
    /// `title`.
    Title,
    /// `surname`.
    Surname,
    /// `givenName`.
    GivenName,
    /// `initials`.
    Initials,
    /// `generationQualifier`: `Jr.`.
    GenerationQualifier,
    /// `pseudonym`.
    Pseudonym,
    /// `serialNumber`, of a person or device.
    SerialNumber,
    /// `dnQualifier`.
    DnQualifier,
    /// `uid`, `UID`.
    UserId,
    /// `domainComponent`, `DC`: one label of a host name.
    DomainComponent,
    /// `emailAddress` (RFC 2985 §5.2.1), which RFC 5280 §4.1.2.6 wants in the alternative names instead.
    EmailAddress,
}

impl AttributeType {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::CommonName,
        Self::Country,
        Self::State,
        Self::Locality,
        Self::Street,
        Self::PostalCode,
        Self::Organization,
        Self::OrganizationalUnit,
        Self::OrganizationIdentifier,
        Self::Title,
        Self::Surname,
        Self::GivenName,
        Self::Initials,
        Self::GenerationQualifier,
        Self::Pseudonym,
        Self::SerialNumber,
        Self::DnQualifier,
        Self::UserId,
        Self::DomainComponent,
        Self::EmailAddress,
    ];

    /// The short name where RFC 4514 §3 has one, else the name in its standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.form().label
    }

    /// The kind of this short name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }

    /// The kind with these content octets of its object identifier.
    pub(super) fn of(oid: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.form().oid.as_bytes() == oid)
    }

    /// Whether RFC 4514 §3 gives it the short name.
    pub(super) const fn has_short_name(self) -> bool {
        matches!(
            self,
            Self::CommonName
                | Self::Locality
                | Self::State
                | Self::Organization
                | Self::OrganizationalUnit
                | Self::Country
                | Self::Street
                | Self::DomainComponent
                | Self::UserId
        )
    }

    /// Checks a text against string type and bound.
    pub(super) fn check(self, text: &str) -> Result<(), NameError> {
        let Form { label: attribute, string_tag, chars_min, chars_max, .. } = self.form();
        let got = text.chars().count();
        if got == 0 {
            return Err(NameError::Empty { attribute });
        }
        if got > chars_max || got < chars_min {
            return Err(NameError::AttributeLength { attribute, got, max: chars_max });
        }
        let is_of_type = match string_tag {
            asn1::PRINTABLE_STRING => text.bytes().all(is_printable),
            asn1::IA5_STRING => text.is_ascii(),
            _ => true,
        };
        if is_of_type && text.chars().all(is_shown) {
            Ok(())
        } else {
            Err(NameError::Characters { attribute })
        }
    }

    /// Checks a value as received: the string type too (RFC 5280 §4.1.2.4: UTF8String or PrintableString).
    pub(super) fn check_value(self, value: Element<'_>) -> Result<(), NameError> {
        let form = self.form();
        let is_of_type = value.tag == form.string_tag
            || form.string_tag == asn1::UTF8_STRING && value.tag == asn1::PRINTABLE_STRING;
        if !is_of_type {
            return Err(NameError::StringType { attribute: form.label, got: value.tag });
        }
        let text = checked_text(value).ok_or(NameError::Characters { attribute: form.label })?;
        self.check(&text)
    }

    /// SEQUENCE { type, value }; the text is checked before.
    pub(super) fn to_der(self, text: &str) -> alloc::vec::Vec<u8> {
        let form = self.form();
        asn1::sequence(&[&asn1::oid(form.oid), &asn1::tlv(form.string_tag, &[text.as_bytes()])])
    }

    const fn form(self) -> Form {
        match self {
            Self::CommonName => Form::utf8("CN", oids::COMMON_NAME, NAME_ATTRIBUTE_CHARS_MAX),
            Self::Country => Form { chars_min: 2, ..Form::printable("C", oids::COUNTRY, 2) },
            Self::State => Form::utf8("ST", oids::STATE, NAME_PLACE_CHARS_MAX),
            Self::Locality => Form::utf8("L", oids::LOCALITY, NAME_PLACE_CHARS_MAX),
            Self::Street => Form::utf8("STREET", oids::STREET, NAME_PERSON_CHARS_MAX),
            Self::PostalCode => Form::utf8("postalCode", oids::POSTAL_CODE, NAME_ATTRIBUTE_CHARS_MAX),
            Self::Organization => Form::utf8("O", oids::ORGANIZATION, NAME_ATTRIBUTE_CHARS_MAX),
            Self::OrganizationalUnit => Form::utf8("OU", oids::ORGANIZATIONAL_UNIT, NAME_ATTRIBUTE_CHARS_MAX),
            Self::OrganizationIdentifier => {
                Form::utf8("organizationIdentifier", oids::ORGANIZATION_IDENTIFIER, NAME_OTHER_CHARS_MAX)
            }
            Self::Title => Form::utf8("title", oids::TITLE, NAME_ATTRIBUTE_CHARS_MAX),
            Self::Surname => Form::utf8("surname", oids::SURNAME, NAME_PERSON_CHARS_MAX),
            Self::GivenName => Form::utf8("givenName", oids::GIVEN_NAME, NAME_PERSON_CHARS_MAX),
            Self::Initials => Form::utf8("initials", oids::INITIALS, NAME_PERSON_CHARS_MAX),
            Self::GenerationQualifier => {
                Form::utf8("generationQualifier", oids::GENERATION_QUALIFIER, NAME_PERSON_CHARS_MAX)
            }
            Self::Pseudonym => Form::utf8("pseudonym", oids::PSEUDONYM, NAME_PERSON_CHARS_MAX),
            Self::SerialNumber => {
                Form::printable("serialNumber", oids::SERIAL_NUMBER, NAME_ATTRIBUTE_CHARS_MAX)
            }
            Self::DnQualifier => Form::printable("dnQualifier", oids::DN_QUALIFIER, NAME_ATTRIBUTE_CHARS_MAX),
            Self::UserId => Form::utf8("UID", oids::USER_ID, NAME_OTHER_CHARS_MAX),
            Self::DomainComponent => Form::ia5("DC", oids::DOMAIN_COMPONENT, NAME_ATTRIBUTE_CHARS_MAX),
            Self::EmailAddress => Form::ia5("emailAddress", oids::EMAIL_ADDRESS, NAME_MAILBOX_CHARS_MAX),
        }
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an attribute is written.
struct Form {
    label: &'static str,
    oid: ObjectIdentifier,
    string_tag: u8,
    chars_min: usize,
    chars_max: usize,
}

impl Form {
    const fn utf8(label: &'static str, oid: ObjectIdentifier, chars_max: usize) -> Self {
        Self { label, oid, string_tag: asn1::UTF8_STRING, chars_min: 1, chars_max }
    }

    const fn printable(label: &'static str, oid: ObjectIdentifier, chars_max: usize) -> Self {
        Self { string_tag: asn1::PRINTABLE_STRING, ..Self::utf8(label, oid, chars_max) }
    }

    const fn ia5(label: &'static str, oid: ObjectIdentifier, chars_max: usize) -> Self {
        Self { string_tag: asn1::IA5_STRING, ..Self::utf8(label, oid, chars_max) }
    }
}

/// Whether a person sees the character. What is not seen has no place in a name and hides what a person
/// approves: controls, line and paragraph ends, and format characters, which turn the direction of writing.
/// Joiners (U+200C, U+200D) are letters' own.
pub(super) fn is_shown(character: char) -> bool {
    match CodePointMapData::<GeneralCategory>::new().get(character) {
        GeneralCategory::Control | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => {
            false
        }
        GeneralCategory::Format => matches!(character, '\u{200c}' | '\u{200d}'),
        _ => true,
    }
}

/// The characters of PrintableString (X.680 §41.4).
const fn is_printable(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b' ' | b'\'' | b'(' | b')' | b'+'..=b'/' | b':' | b'=' | b'?')
}

/// Checks the value of a kind that is not in [`AttributeType`]: a string of a type in use, shown, bounded.
pub(super) fn check_other(value: Element<'_>) -> Result<(), NameError> {
    let attribute = "an attribute";
    let is_string = matches!(value.tag, asn1::UTF8_STRING | asn1::PRINTABLE_STRING | asn1::IA5_STRING);
    if !is_string {
        return Err(NameError::StringType { attribute, got: value.tag });
    }
    let text = checked_text(value).ok_or(NameError::Characters { attribute })?;
    let got = text.chars().count();
    if got == 0 {
        Err(NameError::Empty { attribute })
    } else if got > NAME_OTHER_CHARS_MAX {
        Err(NameError::AttributeLength { attribute, got, max: NAME_OTHER_CHARS_MAX })
    } else if text.chars().all(is_shown) {
        Ok(())
    } else {
        Err(NameError::Characters { attribute })
    }
}

/// As [`text_of`], and a PrintableString has its own characters only. To read a name it need not: `@` and `*`
/// stand in many.
fn checked_text(value: Element<'_>) -> Option<String> {
    text_of(value).filter(|text| value.tag != asn1::PRINTABLE_STRING || text.bytes().all(is_printable))
}

/// The text of a directory string; `None` for a type that is not read here or that holds what it must not.
pub(super) fn text_of(value: Element<'_>) -> Option<String> {
    match value.tag {
        asn1::UTF8_STRING => core::str::from_utf8(value.value).ok().map(String::from),
        asn1::PRINTABLE_STRING | asn1::IA5_STRING if value.value.is_ascii() => {
            core::str::from_utf8(value.value).ok().map(String::from)
        }
        _ => None,
    }
}
