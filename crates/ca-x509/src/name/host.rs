//! Host names: letters, digits and hyphens, and international labels as A-labels.

use alloc::string::String;
use core::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::label;
use crate::limits::{HOST_LABEL_BYTES_MAX, HOST_NAME_BYTES_MAX};

/// A host name as a certificate holds it: ASCII in lower case, 1 to 253 octets, labels of 1 to 63, without
/// a dot at its end. "Preferred name syntax" (RFC 5280 §4.2.1.6: RFC 1034 §3.5 as changed by RFC 1123
/// §2.1); a label that begins with `xn--` is an A-label (RFC 5890 §2.3.2.1), so it stands for one U-label
/// and is the only writing of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName {
    ascii: String,
}

/// Why a text is no host name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostNameError {
    /// Empty, or over the limit (RFC 1034 §3.1).
    #[error("{got} characters, where 1 to {max} may be")]
    Length {
        /// Characters given.
        got: usize,
        /// Characters allowed.
        max: usize,
    },
    /// A label that is empty or over the limit (RFC 1034 §3.1): two dots in a row, one at an end.
    #[error("a label of {got} characters, where 1 to {max} may be")]
    LabelLength {
        /// Characters given.
        got: usize,
        /// Characters allowed.
        max: usize,
    },
    /// A label with other characters (RFC 1034 §3.5): an underscore, a blank, a letter outside ASCII.
    #[error("label `{label}` has characters other than letters, digits and hyphens")]
    Characters {
        /// The label, what is not visible ASCII escaped.
        label: String,
    },
    /// A hyphen at an end of a label (RFC 1034 §3.5).
    #[error("label `{label}` begins or ends with a hyphen")]
    Hyphen {
        /// The label.
        label: String,
    },
    /// Hyphens in the third and fourth place without `xn` before them (RFC 5890 §2.3.1).
    #[error("label `{label}` is reserved: hyphens in the third and fourth place")]
    Reserved {
        /// The label.
        label: String,
    },
    /// An `xn--` that stands for no U-label, or is not its only writing (RFC 5891 §4.2, RFC 5892, RFC 5893).
    #[error("an international label in `{name}` is not valid: {rule}")]
    International {
        /// The whole name: the rule on writing directions spans labels.
        name: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// The last label is a number, so that programs take the name for an IPv4 address (RFC 1123 §2.1).
    #[error("it looks like an ip address")]
    Numeric,
}

impl HostName {
    /// Reads a name in ASCII, in any case.
    ///
    /// # Errors
    /// Not a host name, or not in the ASCII form: [`Self::from_unicode`] makes that.
    pub fn parse(text: &str) -> Result<Self, HostNameError> {
        let got = text.len();
        if got == 0 || got > HOST_NAME_BYTES_MAX {
            return Err(HostNameError::Length { got, max: HOST_NAME_BYTES_MAX });
        }
        let mut is_international = false;
        let mut last = "";
        for label in text.split('.') {
            is_international |= check_label(label)?;
            last = label;
        }
        if is_number(last) {
            return Err(HostNameError::Numeric);
        }
        let ascii = text.to_ascii_lowercase();
        if is_international {
            check_international(&ascii)?;
        }
        Ok(Self { ascii })
    }

    /// Reads a name as people write it, `München.example`: each U-label becomes its A-label, after the
    /// mappings of UTS #46 §5 (lower case, NFC, full-width forms; `ß` stays itself).
    ///
    /// # Errors
    /// Not a host name, or a label that has no A-label.
    pub fn from_unicode(text: &str) -> Result<Self, HostNameError> {
        if text.is_ascii() {
            return Self::parse(text);
        }
        let ascii = Uts46::new()
            .to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify)
            .map_err(|_| international(text, "it has no form in ascii (UTS #46 §4.2)"))?;
        Self::parse(&ascii)
    }

    /// The name in ASCII, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.ascii
    }

    /// The name for people, each A-label as its U-label.
    #[must_use]
    pub fn to_unicode(&self) -> String {
        unicode(&self.ascii).0
    }

    /// Whether one label mixes scripts so that it can be taken for another (UTS #39 §5.2, above "highly
    /// restrictive"): Latin with Cyrillic, say. Japanese, Korean and Chinese may stand with Latin. IDNA
    /// permits such labels and leaves them to the registries; whether they are certified is policy.
    #[must_use]
    pub fn mixes_scripts(&self) -> bool {
        self.to_unicode().split('.').any(label::mixes_scripts)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.ascii)
    }
}

/// Whether a well-formed label is to be an A-label.
fn check_label(label: &str) -> Result<bool, HostNameError> {
    let got = label.len();
    if got == 0 || got > HOST_LABEL_BYTES_MAX {
        return Err(HostNameError::LabelLength { got, max: HOST_LABEL_BYTES_MAX });
    }
    let shown = || label.escape_default().collect();
    if !label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-') {
        return Err(HostNameError::Characters { label: shown() });
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(HostNameError::Hyphen { label: shown() });
    }
    if label.get(2..4) != Some("--") {
        return Ok(false);
    }
    let is_international = label.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("xn"));
    if is_international { Ok(true) } else { Err(HostNameError::Reserved { label: shown() }) }
}

/// Decimal, or hexadecimal as programs read it too (`0x7f`).
fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) => digits.bytes().all(|octet| octet.is_ascii_hexdigit()),
        None => label.bytes().all(|octet| octet.is_ascii_digit()),
    }
}

/// RFC 5891 §4.2 and §4.4: what the A-labels stand for is permitted, and they are what it is written as.
fn check_international(ascii: &str) -> Result<(), HostNameError> {
    let (text, is_valid) = unicode(ascii);
    if !is_valid {
        return Err(international(ascii, "it stands for no label in unicode (RFC 5891 §4.2, RFC 5893 §2)"));
    }
    // The property itself. No label is known that `idna` calls valid and writes otherwise (1.5 million drawn at
    // random, 0.4 million of them valid, showed none), so this guards against a change there.
    let again =
        Uts46::new().to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify);
    if !again.is_ok_and(|again| again == ascii) {
        return Err(international(ascii, "it is not what its unicode form is written as (RFC 5891 §4.2)"));
    }
    for (label, written) in text.split('.').zip(ascii.split('.')) {
        if label != written {
            label::check(label).map_err(|rule| international(ascii, rule))?;
        }
    }
    Ok(())
}

/// The name with U-labels, and whether each of them is one by UTS #46.
fn unicode(ascii: &str) -> (String, bool) {
    let (text, verdict) = Uts46::new().to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    (text.into_owned(), verdict.is_ok())
}

fn international(name: &str, rule: &'static str) -> HostNameError {
    HostNameError::International { name: name.escape_default().collect(), rule }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc5890_2_3_2_1_u_label_and_a_label_stand_for_each_other() {
        for (unicode, ascii) in [
            ("München.example", "xn--mnchen-3ya.example"),
            ("faß.de", "xn--fa-hia.de"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("ｆｕｌｌ。example", "full.example"),
            ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
            ("مثال.إختبار", "xn--mgbh0fb.xn--kgbechtv"),
            ("plain.example", "plain.example"),
        ] {
            let name = HostName::from_unicode(unicode).unwrap();
            assert_eq!(name.as_str(), ascii);
            assert_eq!(HostName::parse(ascii), Ok(name.clone()));
            assert_eq!(HostName::from_unicode(&name.to_unicode()), Ok(name));
        }
        assert_eq!(HostName::parse("XN--MNCHEN-3YA.Example").unwrap().as_str(), "xn--mnchen-3ya.example");
    }

    #[test]
    fn uts39_5_2_mixed_scripts_are_found() {
        for (name, is_mixed) in [
            ("paypal.com", false),
            ("раураl.com", true),
            ("пример.com", false),
            ("東京タワーの.jp", false),
            ("tokyo東京.jp", false),
            ("abc한국.kr", false),
            ("ελλάs.gr", true),
            ("кириллица1-2.example", false),
            ("한국タワー.jp", true),
        ] {
            assert_eq!(HostName::from_unicode(name).unwrap().mixes_scripts(), is_mixed, "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_again(text in "(xn--)?[a-z0-9-]{1,20}(\\.[a-zäßあ-]{1,8}){0,3}") {
            if let Ok(name) = HostName::from_unicode(&text) {
                prop_assert_eq!(HostName::parse(name.as_str()), Ok(name.clone()));
                prop_assert_eq!(HostName::from_unicode(&name.to_unicode()), Ok(name));
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}", label in "xn--[a-z0-9]{0,30}") {
            let _ = HostName::from_unicode(&text).map(|name| name.mixes_scripts());
            let _ = HostName::parse(&label).map(|name| name.mixes_scripts());
        }
    }
}
