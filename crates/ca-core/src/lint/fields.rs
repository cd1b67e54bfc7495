//! The fields of a TBSCertificate (RFC 5280 §4.1.2).

use super::der::{GENERALIZED_TIME, UTC_TIME};
use super::reading::Reading;
use super::{Rule, ensure, oids};
use alloc::string::String;

pub(super) const RULES: &[Rule] = &[
    ("RFC 5280 §4.1.2.1", "the version is 3", |tbs| {
        let number = tbs.version.and_then(super::der::Value::inner).map(|number| number.content);
        ensure(number == Some(&[2]), format_args!("its number is {:?}", number.unwrap_or(&[0])))
    }),
    ("RFC 5280 §4.1.2.2", "the serial is positive", |tbs| {
        let serial = tbs.serial.content;
        let positive =
            serial.first().is_some_and(|first| *first < 0x80) && serial.iter().any(|octet| *octet != 0);
        ensure(positive, format_args!("it is {serial:02x?}"))
    }),
    ("RFC 5280 §4.1.2.2", "the serial has at most 20 octets", |tbs| {
        let octets = tbs.serial.content.len();
        ensure(octets <= 20, format_args!("it has {octets}"))
    }),
    // 126 random bits need them (docs/decisions/0007-serials.md); the CA/B Forum asks for 64 (BR §7.1.2.7).
    ("I2", "the serial has at least 16 octets", |tbs| {
        let octets = tbs.serial.content.len();
        ensure(octets >= 16, format_args!("it has {octets}"))
    }),
    ("RFC 5280 §4.1.2.4", "the issuer has a name", |tbs| {
        ensure(!tbs.issuer.content.is_empty(), "it is empty")
    }),
    ("RFC 5280 §4.1.2.5", "notBefore is not after notAfter", |tbs| match tbs.times() {
        Some((from, to)) => ensure(from <= to, format_args!("{from} is after {to}")),
        None => Ok(()),
    }),
    ("RFC 5280 §4.1.2.5", "a date through 2049 is a UTCTime", |tbs| {
        times(tbs, GENERALIZED_TIME, |time| time >= b"2050".as_slice())
    }),
    ("RFC 5280 §4.1.2.5.1", "a UTCTime is YYMMDDHHMMSSZ", |tbs| {
        times(tbs, UTC_TIME, |time| time.len() == 13 && ends_in_zulu(time))
    }),
    ("RFC 5280 §4.1.2.5.2", "a GeneralizedTime is YYYYMMDDHHMMSSZ", |tbs| {
        times(tbs, GENERALIZED_TIME, |time| time.len() == 15 && ends_in_zulu(time))
    }),
    ("RFC 5280 §4.1.2.6", "a CA has a subject", |tbs| {
        ensure(!tbs.is_ca() || !tbs.subject.content.is_empty(), "it is empty")
    }),
    ("RFC 5280 §4.1.2.6", "subject or alternative names name somebody", |tbs| {
        let named = !tbs.subject.content.is_empty() || tbs.extension(oids::SUBJECT_ALT_NAME).is_some();
        ensure(named, "there is neither")
    }),
    ("RFC 5280 §4.1.2.8", "there are no unique identifiers", |tbs| {
        let count = tbs.unique_ids.len();
        ensure(count == 0, format_args!("there are {count}"))
    }),
    // A CA that certified its own key under another name would lend that name its authority.
    ("RFC 5280 §3.2", "a certificate of the issuer's own key has the issuer's name", |tbs| {
        let issuer_key = tbs.list(oids::AUTHORITY_KEY_IDENTIFIER).first().map(|key| key.content);
        let own = tbs.value(oids::SUBJECT_KEY_IDENTIFIER).map(|key| key.content) == issuer_key;
        let named = tbs.subject.raw == tbs.issuer.raw;
        ensure(!own || issuer_key.is_none() || named, "it has another one")
    }),
];

fn times(tbs: &Reading<'_>, tag: u8, holds: fn(&[u8]) -> bool) -> Result<(), String> {
    let times = tbs.validity.parts();
    match times.into_iter().find(|time| time.tag == tag && !holds(time.content)) {
        Some(time) => Err(alloc::format!("there is `{}`", time.content.escape_ascii())),
        None => Ok(()),
    }
}

fn ends_in_zulu(time: &[u8]) -> bool {
    time.split_last().is_some_and(|(zulu, digits)| *zulu == b'Z' && digits.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use crate::lint::oids::{AUTHORITY_KEY_IDENTIFIER, SUBJECT_ALT_NAME, SUBJECT_KEY_IDENTIFIER};
    use crate::lint::sample::{Case, Parts, ca, check, client, sequence, server, tlv};

    const CASES: &[Case] = &[
        ("the version is 3", || Parts { version: vec![0xa0, 3, 2, 1, 1], ..client() }),
        ("the version is 3", || Parts { version: vec![], ..client() }),
        ("the serial is positive", || Parts { serial: tlv(2, &[0x80; 16]), ..client() }),
        ("the serial has at most 20 octets", || Parts { serial: tlv(2, &[0x40; 21]), ..client() }),
        ("the serial has at least 16 octets", || Parts { serial: tlv(2, &[0x40; 15]), ..client() }),
        ("the issuer has a name", || Parts { issuer: sequence(&[]), ..client() }),
        ("notBefore is not after notAfter", || Parts { not_after: tlv(0x17, b"270101000000Z"), ..client() }),
        ("a date through 2049 is a UTCTime", || Parts {
            not_after: tlv(0x18, b"20491231235959Z"),
            ..client()
        }),
        ("a UTCTime is YYMMDDHHMMSSZ", || Parts { not_before: tlv(0x17, b"2601010000Z"), ..client() }),
        ("a UTCTime is YYMMDDHHMMSSZ", || Parts { not_before: tlv(0x17, b"260101000000+0000"), ..client() }),
        ("a GeneralizedTime is YYYYMMDDHHMMSSZ", || Parts {
            not_after: tlv(0x18, b"20500101000000.5Z"),
            ..client()
        }),
        ("a CA has a subject", || {
            let names = sequence(&[&tlv(0x86, b"urn:somebody")]);
            Parts { subject: sequence(&[]), ..ca() }.append(SUBJECT_ALT_NAME, true, &names)
        }),
        ("subject or alternative names name somebody", || Parts { subject: sequence(&[]), ..client() }),
        ("there are no unique identifiers", || Parts { unique_ids: tlv(0x81, &[0, 1]), ..client() }),
        ("there are no unique identifiers", || Parts { unique_ids: tlv(0x82, &[0, 1]), ..client() }),
        ("a certificate of the issuer's own key has the issuer's name", || {
            let own = server().value(SUBJECT_KEY_IDENTIFIER);
            let own = sequence(&[&tlv(0x80, own.get(2..).unwrap())]);
            server().replace(AUTHORITY_KEY_IDENTIFIER, false, &own)
        }),
    ];

    #[test]
    fn each_rule_is_broken_by_octets_that_break_no_other() {
        check(super::RULES, CASES);
    }
}
