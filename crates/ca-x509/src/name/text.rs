//! Distinguished names as people write them (RFC 4514 §3): `CN=Corp Root R1,O=Corp,C=DE`.

use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use super::{AttributeType, DistinguishedName, NameError};

/// Why a text is no distinguished name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameTextError {
    /// An attribute without its equals sign.
    #[error("`{got}` is not of the form type=value")]
    NoValue {
        /// The part.
        got: String,
    },
    /// An attribute type that is not written here, an object identifier among them.
    #[error("`{got}` is none of the attribute types CN, OU, O, L, ST, C, STREET, DC, UID and their like")]
    UnknownType {
        /// The type.
        got: String,
    },
    /// A special character that stands for itself without a backslash, or a backslash before nothing that it escapes.
    #[error("`{got}`: {rule} (RFC 4514 §2.4)")]
    Escape {
        /// The value.
        got: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A set of more than one attribute: read here, written never.
    #[error("`{got}`: each relative name has one attribute here")]
    MultiValued {
        /// The part.
        got: String,
    },
    /// The attributes make no name.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// The most specific attribute first, as [`core::fmt::Display`] writes it. Blanks around commas and equals signs are
/// read over (RFC 2253 §4 had them); values in hexadecimal (`#04…`) are not read.
impl FromStr for DistinguishedName {
    type Err = NameTextError;

    fn from_str(text: &str) -> Result<Self, NameTextError> {
        let mut name = Self::new();
        // RFC 4514 §2.1: the text begins at the end of the name.
        for part in parts(text).into_iter().rev() {
            let (kind, value) =
                part.split_once('=').ok_or_else(|| NameTextError::NoValue { got: part.trim().into() })?;
            let kind = kind.trim();
            let known = AttributeType::from_name(kind)
                .ok_or_else(|| NameTextError::UnknownType { got: kind.into() })?;
            name = name.attribute(known, value_of(value)?);
        }
        Ok(name.build()?)
    }
}

/// The text at its commas, those without a backslash before them.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begin, mut escaped) = (0, false);
    for (place, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.push(text.get(begin..place).unwrap_or_default());
                begin = place.saturating_add(1);
            }
            _ => {}
        }
    }
    let last = text.get(begin..).unwrap_or_default();
    if !(parts.is_empty() && last.trim().is_empty()) {
        parts.push(last);
    }
    parts
}

/// A value without its escapes: a backslash before a special character, or before two hexadecimal digits of an octet.
fn value_of(text: &str) -> Result<String, NameTextError> {
    let wrong = |rule| NameTextError::Escape { got: text.trim().into(), rule };
    let mut octets: Vec<u8> = Vec::with_capacity(text.len());
    // A blank at an end counts only where it is escaped.
    let mut kept = 0;
    let mut rest = text.trim_start_matches(' ').chars();
    if rest.as_str().starts_with('#') {
        return Err(wrong("values in hexadecimal are not read here"));
    }
    while let Some(character) = rest.next() {
        match character {
            '\\' => {
                octets
                    .extend(unescaped(&mut rest).ok_or_else(|| wrong("a backslash escapes nothing there"))?);
                kept = octets.len();
            }
            '+' => return Err(NameTextError::MultiValued { got: text.trim().into() }),
            '"' | ';' | '<' | '>' | '\0' => return Err(wrong("one of \" ; < > has a backslash before it")),
            _ => {
                octets.extend(character.encode_utf8(&mut [0; 4]).bytes());
                if character != ' ' {
                    kept = octets.len();
                }
            }
        }
    }
    octets.truncate(kept);
    String::from_utf8(octets).map_err(|_| wrong("the octets are not UTF-8"))
}

fn unescaped(rest: &mut core::str::Chars<'_>) -> Option<Vec<u8>> {
    let first = rest.next()?;
    if matches!(first, ' ' | '"' | '#' | '+' | ',' | ';' | '<' | '=' | '>' | '\\') {
        return Some(Vec::from([u8::try_from(first).ok()?]));
    }
    let (high, low) = (first.to_digit(16)?, rest.next()?.to_digit(16)?);
    Some(Vec::from([u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()?]))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    fn read(text: &str) -> Result<String, NameTextError> {
        text.parse::<DistinguishedName>().map(|name| name.to_string())
    }

    #[test]
    fn rfc4514_3_what_is_written_reads_back() {
        for text in [
            "CN=Corp Root R1,O=Corp,C=DE",
            "CN=a",
            "",
            "CN=a\\,b\\+c\\\"d\\;e\\\\f,O=x",
            "CN=\\ two\\ ,OU=\\#1",
            "CN=Müller,O=Größe",
            "OU=b,OU=a,DC=example,DC=com",
        ] {
            assert_eq!(read(text).as_deref(), Ok(text), "{text}");
        }
    }

    #[test]
    fn rfc4514_4_forms_of_one_name() {
        for (text, expected) in [
            (" cn = Corp Root , o = Corp ", "CN=Corp Root,O=Corp"),
            ("CN=Lu\\C4\\8Di\\C4\\87", "CN=Lučić"),
            ("CN=a=b", "CN=a=b"),
            ("CN=a\\=b", "CN=a=b"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn rfc4514_2_4_what_is_no_name() {
        for (text, why) in [
            ("Corp", "type=value"),
            ("CN=a,", "type=value"),
            (",CN=a", "type=value"),
            ("XX=a", "attribute types"),
            ("2.5.4.3=a", "attribute types"),
            ("CN=", "empty"),
            ("CN=  ", "empty"),
            ("CN=#0c0161", "hexadecimal"),
            ("CN=a+OU=b", "one attribute"),
            ("CN=a\"b", "backslash before it"),
            ("CN=a;O=b", "backslash before it"),
            ("CN=a\\", "escapes nothing"),
            ("CN=a\\zz", "escapes nothing"),
            ("CN=a\\C", "escapes nothing"),
            ("CN=\\ff", "UTF-8"),
            ("C=Germany", "countryName"),
            ("CN=a\\00b", "not shown"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(why) || why == "countryName", "{text}: {error}");
        }
    }
}
