//! Whom a certificate names: the subject (RFC 5280 §4.1.2.6, appendix A.1) and the alternative names (§4.2.1.6).
//!
//! The issuer's name is not looked at: it is the subject of a CA that was linted when it was certified, or of one from
//! elsewhere, and must be copied octet for octet either way (RFC 5280 §4.1.2.4).

use alloc::string::String;
use core::fmt::Display;

use super::der::{IA5_STRING, PRINTABLE_STRING, UTF8_STRING};
use super::reading::{Attribute, Reading};
use super::{Rule, ensure, oids};
use crate::limits::NAMES_MAX;

// Forms of GeneralName (RFC 5280 §4.2.1.6).
pub(super) const EMAIL: u8 = 0x81;
pub(super) const DNS: u8 = 0x82;
pub(super) const URI: u8 = 0x86;
pub(super) const IP: u8 = 0x87;

/// RFC 5280 appendix A.1: the upper bounds, in characters.
const BOUNDS: [(&[u8], usize); 9] = [
    (oids::COMMON_NAME, 64),
    (oids::ORGANIZATION, 64),
    (oids::ORGANIZATIONAL_UNIT, 64),
    (oids::TITLE, 64),
    (oids::SERIAL_NUMBER, 64),
    (oids::DN_QUALIFIER, 64),
    (oids::LOCALITY, 128),
    (oids::STATE, 128),
    (oids::EMAIL_ADDRESS, 255),
];

pub(super) const RULES: &[Rule] = &[
    ("RFC 5280 §4.1.2.4", "a directory string is a UTF8String or a PrintableString", |tbs| {
        attributes(tbs, |attribute| {
            let directory = attribute.oid.starts_with(oids::ID_AT);
            !directory || matches!(attribute.value.tag, UTF8_STRING | PRINTABLE_STRING)
        })
    }),
    ("RFC 5280 A.1", "a country is a PrintableString of two letters", |tbs| {
        attributes(tbs, |Attribute { oid, value }| {
            let letters = value.content.len() == 2 && value.content.iter().all(u8::is_ascii_uppercase);
            oid != oids::COUNTRY || value.tag == PRINTABLE_STRING && letters
        })
    }),
    ("RFC 5280 A.1", "a serial number and a qualifier are PrintableStrings", |tbs| {
        attributes(tbs, |Attribute { oid, value }| {
            !matches!(oid, oids::SERIAL_NUMBER | oids::DN_QUALIFIER) || value.tag == PRINTABLE_STRING
        })
    }),
    ("RFC 5280 A.1", "a domain component and an e-mail address are IA5Strings", |tbs| {
        attributes(tbs, |Attribute { oid, value }| {
            let ia5 = value.tag == IA5_STRING && value.content.is_ascii();
            !matches!(oid, oids::DOMAIN_COMPONENT | oids::EMAIL_ADDRESS) || ia5
        })
    }),
    ("RFC 5280 A.1", "an attribute has no more characters than its bound", |tbs| {
        attributes(tbs, |Attribute { oid, value }| {
            let bound = BOUNDS.iter().find(|(bounded, _)| *bounded == oid).map(|(_, bound)| *bound);
            let chars = String::from_utf8_lossy(value.content).chars().count();
            bound.is_none_or(|bound| chars <= bound)
        })
    }),
    ("RFC 5280 A.1", "an attribute has a character", |tbs| {
        attributes(tbs, |attribute| !attribute.value.content.is_empty())
    }),
    ("X.680 §41.4", "a PrintableString has its characters only", |tbs| {
        attributes(tbs, |Attribute { value, .. }| {
            value.tag != PRINTABLE_STRING || value.content.iter().all(|octet| is_printable(*octet))
        })
    }),
    ("RFC 3629 §3", "a UTF8String is UTF-8", |tbs| {
        attributes(tbs, |Attribute { value, .. }| {
            value.tag != UTF8_STRING || core::str::from_utf8(value.content).is_ok()
        })
    }),
    // Names are compared without them, so that two that look alike, or do not, are one.
    ("RFC 4518 §2.2", "an attribute has no control character", |tbs| {
        attributes(tbs, |Attribute { value, .. }| {
            !String::from_utf8_lossy(value.content).chars().any(char::is_control)
        })
    }),
    ("RFC 5280 §4.1.2.6", "an e-mail address in the subject is an alternative name too", |tbs| {
        attributes(tbs, |Attribute { oid, value }| {
            let named = tbs.names().iter().any(|name| name.tag == EMAIL && name.content == value.content);
            oid != oids::EMAIL_ADDRESS || named
        })
    }),
    ("NAMES_MAX", "there are not more names than one certificate may have", |tbs| {
        let names = tbs.names().len();
        ensure(names <= NAMES_MAX, format_args!("there are {names}, where {NAMES_MAX} may be"))
    }),
    ("RFC 5280 §4.2.1.6", "a text form is visible ASCII", |tbs| {
        let text = tbs.names().iter().filter(|name| matches!(name.tag, EMAIL | DNS | URI));
        one_by_one(
            text,
            |name| name.content.iter().all(u8::is_ascii_graphic),
            |name| name.content.escape_ascii(),
        )
    }),
    ("RFC 1034 §3.5", "a DNS name is labels of letters, digits and hyphens", |tbs| {
        one_by_one(tbs.texts(DNS), |name| is_host_name(name), |name| name.escape_debug())
    }),
    ("RFC 9525 §6.3", "a wildcard is the whole first label", |tbs| {
        let below = |name: &&str| name.strip_prefix("*.").unwrap_or(name).contains('*');
        one_by_one(tbs.texts(DNS), |name| !below(name), |name| name.escape_debug())
    }),
    ("RFC 5280 §4.2.1.6", "an address has 4 or 16 octets", |tbs| {
        let addresses = tbs.names().iter().filter(|name| name.tag == IP);
        one_by_one(addresses, |name| matches!(name.content.len(), 4 | 16), |name| name.content.len())
    }),
    ("RFC 5321 §4.1.2", "a mailbox is a local part, @ and a domain", |tbs| {
        one_by_one(tbs.texts(EMAIL), |name| is_mailbox(name), |name| name.escape_debug())
    }),
    ("RFC 5280 §4.2.1.6", "a URI has a scheme and what belongs to it", |tbs| {
        one_by_one(tbs.texts(URI), |name| is_absolute(name), |name| name.escape_debug())
    }),
    ("RFC 9525 §4.1", "a server has an alternative name", |tbs| {
        let named = tbs.names().iter().any(|name| matches!(name.tag, DNS | IP | URI) || name.tag & 0x1f == 0);
        ensure(!tbs.has_purpose(oids::SERVER_AUTH) || named, "it has none that a client compares")
    }),
];

/// Whether every attribute of the subject holds it.
fn attributes(tbs: &Reading<'_>, holds: impl Fn(Attribute<'_>) -> bool) -> Result<(), String> {
    let name = |attribute: &Attribute<'_>| {
        let text = attribute.value.content.escape_ascii();
        alloc::format!("{}={text} of type {}", oids::dotted(attribute.oid), attribute.value.tag)
    };
    one_by_one(tbs.attributes.iter(), |attribute| holds(**attribute), |attribute| name(attribute))
}

/// The error shows the first that does not hold it.
fn one_by_one<T, S: Display>(
    all: impl IntoIterator<Item = T>,
    holds: impl Fn(&T) -> bool,
    show: impl Fn(&T) -> S,
) -> Result<(), String> {
    match all.into_iter().find(|one| !holds(one)) {
        Some(one) => Err(alloc::format!("there is `{}`", show(&one))),
        None => Ok(()),
    }
}

/// X.680 §41.4, table 10.
fn is_printable(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&octet)
}

/// 1 to 253 characters in labels of 1 to 63 (RFC 1035 §2.3.4); the wildcard is another rule's.
pub(super) fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let letters =
            label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'*'));
        (1..=63).contains(&label.len()) && letters && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// RFC 5321 §4.1.2 and §4.5.3.1 without quoted local parts and address literals, which nobody has.
pub(super) fn is_mailbox(name: &str) -> bool {
    let is_atom = |atom: &str| {
        let special = |octet| b"!#$%&'*+-/=?^_`{|}~".contains(&octet);
        !atom.is_empty() && atom.bytes().all(|octet| octet.is_ascii_alphanumeric() || special(octet))
    };
    match name.split_once('@') {
        Some((local, domain)) => local.len() <= 64 && local.split('.').all(is_atom) && is_host_name(domain),
        None => false,
    }
}

/// RFC 3986 §3.1 and §4.3: a scheme, a colon and something after it; after `//`, an authority.
pub(super) fn is_absolute(name: &str) -> bool {
    let Some((scheme, rest)) = name.split_once(':') else { return false };
    let begins = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    let scheme =
        scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.'));
    let authority =
        rest.strip_prefix("//").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    begins && scheme && !rest.is_empty() && authority != Some("")
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use crate::lint::oids::{
        COMMON_NAME, COUNTRY, DN_QUALIFIER, DOMAIN_COMPONENT, EMAIL_ADDRESS, LOCALITY, ORGANIZATION,
        SERIAL_NUMBER, SUBJECT_ALT_NAME,
    };
    use crate::lint::sample::{Case, Parts, attribute, check, client, name, pass, sequence, server, tlv};

    use super::*;

    /// A client with this attribute for a subject.
    fn subject(oid: &[u8], tag: u8, text: &[u8]) -> Parts {
        Parts { subject: name(&[&attribute(oid, tag, text)]), ..client() }
    }

    fn named(form: u8, text: &[u8]) -> Parts {
        server().replace(SUBJECT_ALT_NAME, false, &sequence(&[&tlv(form, text)]))
    }

    const DIRECTORY: &str = "a directory string is a UTF8String or a PrintableString";
    const PRINTABLE: &str = "a serial number and a qualifier are PrintableStrings";
    const IA5: &str = "a domain component and an e-mail address are IA5Strings";
    const BOUND: &str = "an attribute has no more characters than its bound";
    const LABELS: &str = "a DNS name is labels of letters, digits and hyphens";
    const WILDCARD: &str = "a wildcard is the whole first label";
    const MAILBOX: &str = "a mailbox is a local part, @ and a domain";
    const ABSOLUTE: &str = "a URI has a scheme and what belongs to it";

    const CASES: &[Case] = &[
        (DIRECTORY, || subject(COMMON_NAME, 0x14, b"TeletexString")),
        (DIRECTORY, || subject(ORGANIZATION, 0x1e, &[0x30, 0x42])),
        ("a country is a PrintableString of two letters", || subject(COUNTRY, 0x0c, b"CH")),
        ("a country is a PrintableString of two letters", || subject(COUNTRY, 0x13, b"CHE")),
        ("a country is a PrintableString of two letters", || subject(COUNTRY, 0x13, b"ch")),
        (PRINTABLE, || subject(SERIAL_NUMBER, 0x0c, b"1")),
        (PRINTABLE, || subject(DN_QUALIFIER, 0x0c, b"1")),
        (IA5, || subject(DOMAIN_COMPONENT, 0x0c, b"test")),
        (IA5, || subject(DOMAIN_COMPONENT, 0x16, b"t\xc3\xa9st")),
        (BOUND, || subject(COMMON_NAME, 0x0c, &[b'a'; 65])),
        (BOUND, || subject(LOCALITY, 0x13, &[b'a'; 129])),
        ("an attribute has a character", || subject(ORGANIZATION, 0x0c, b"")),
        ("a PrintableString has its characters only", || subject(ORGANIZATION, 0x13, b"a@b")),
        ("a PrintableString has its characters only", || subject(ORGANIZATION, 0x13, b"a*")),
        ("a UTF8String is UTF-8", || subject(COMMON_NAME, 0x0c, &[b'a', 0xff])),
        ("an attribute has no control character", || subject(COMMON_NAME, 0x0c, b"good.test\0.evil.test")),
        ("an attribute has no control character", || subject(COMMON_NAME, 0x0c, b"a\nb")),
        ("an e-mail address in the subject is an alternative name too", || {
            subject(EMAIL_ADDRESS, 0x16, b"a@b.test")
        }),
        ("there are not more names than one certificate may have", || {
            let names: Vec<u8> = (0..=NAMES_MAX).flat_map(|_| tlv(DNS, b"a.test")).collect();
            server().replace(SUBJECT_ALT_NAME, false, &sequence(&[&names]))
        }),
        ("a text form is visible ASCII", || named(URI, b"https://a.test/\xc3\xa9")),
        ("a text form is visible ASCII", || named(URI, b"https://a.test/ b")),
        (LABELS, || named(DNS, b"a_b.test")),
        (LABELS, || named(DNS, b"a..test")),
        (LABELS, || named(DNS, b"a.test.")),
        (LABELS, || named(DNS, b"-a.test")),
        (LABELS, || named(DNS, b"a-.test")),
        (LABELS, || named(DNS, b"")),
        (LABELS, || named(DNS, &[b'a'; 64])),
        (LABELS, || named(DNS, &[&b"a.".repeat(126)[..], b"ab"].concat())),
        (WILDCARD, || named(DNS, b"w*.test")),
        (WILDCARD, || named(DNS, b"a.*.test")),
        (WILDCARD, || named(DNS, b"*.*.test")),
        (WILDCARD, || named(DNS, b"*")),
        ("an address has 4 or 16 octets", || named(IP, &[1, 2, 3, 4, 5])),
        (MAILBOX, || client().append(SUBJECT_ALT_NAME, false, &sequence(&[&tlv(EMAIL, b"a.b.test")]))),
        (MAILBOX, || client().append(SUBJECT_ALT_NAME, false, &sequence(&[&tlv(EMAIL, b"A<a@b.test>")]))),
        (MAILBOX, || client().append(SUBJECT_ALT_NAME, false, &sequence(&[&tlv(EMAIL, b"a@b@c.test")]))),
        (ABSOLUTE, || named(URI, b"/a/b")),
        (ABSOLUTE, || named(URI, b"//a.test/b")),
        (ABSOLUTE, || named(URI, b"https:///b")),
        (ABSOLUTE, || named(URI, b"1:a")),
        (ABSOLUTE, || named(URI, b"urn:")),
        ("a server has an alternative name", || server().remove(SUBJECT_ALT_NAME)),
        ("a server has an alternative name", || named(EMAIL, b"a@b.test")),
    ];

    #[test]
    fn each_rule_is_broken_by_octets_that_break_no_other() {
        check(RULES, CASES);
    }

    #[test]
    fn names_of_use_break_no_rule() {
        pass(&[
            named(DNS, b"*.a-b.xn--mnchen-3ya.test"),
            named(DNS, &[&b"a.".repeat(126)[..], b"a"].concat()),
            named(URI, b"spiffe://cluster.test/node"),
            named(URI, b"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
            named(IP, &[0; 16]),
            client().append(SUBJECT_ALT_NAME, false, &sequence(&[&tlv(EMAIL, b"a.b+c@d.test")])),
            subject(EMAIL_ADDRESS, 0x16, b"a@b.test").append(
                SUBJECT_ALT_NAME,
                false,
                &sequence(&[&tlv(EMAIL, b"a@b.test")]),
            ),
            subject(COMMON_NAME, 0x0c, "é".repeat(64).as_bytes()),
            subject(COUNTRY, 0x13, b"CH"),
        ]);
    }
}
