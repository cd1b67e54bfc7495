//! What is there for some relying parties alone: stapling (RFC 7633), templates and accounts of Windows ([MS-WCCE]
//! §2.2.2.7.7), mailboxes beyond ASCII (RFC 9598).

use alloc::string::String;
use alloc::vec::Vec;

use super::der::{INTEGER, OBJECT_IDENTIFIER, UTF8_STRING, Value};
use super::reading::{Extension, Reading};
use super::{Rule, ensure, oids};

/// The string types that a template's name may have.
const BMP_STRING: u8 = 0x1e;

pub(super) const RULES: &[Rule] = &[
    // What a server staples it asks of the place that its certificate names.
    ("RFC 6066 §8", "who must staple names an OCSP responder", |tbs| {
        let staples =
            tbs.list(oids::TLS_FEATURE).iter().any(|feature| matches!(feature.magnitude(), [5 | 17]));
        let mut access = tbs.list(oids::AUTHORITY_INFO_ACCESS).iter();
        let asks = access.any(|one| one.inner().is_some_and(|method| method.content == oids::ACCESS_OCSP));
        ensure(!staples || asks, "it names none")
    }),
    ("[MS-WCCE] §2.2.2.7.7.1", "the name of a template is a string, and not critical", |tbs| {
        let Some(name) = tbs.extension(oids::MS_TEMPLATE_NAME) else { return Ok(()) };
        let is_string = |value: Value<'_>| matches!(value.tag, BMP_STRING | UTF8_STRING);
        let string = name.value.is_some_and(|value| is_string(value) && !value.content.is_empty());
        ensure(string && !name.is_critical(), "it is something else")
    }),
    ("[MS-WCCE] §2.2.2.7.7.2", "a template is an identifier and versions, and not critical", |tbs| {
        let Some(template) = tbs.extension(oids::MS_TEMPLATE) else { return Ok(()) };
        ensure(is_template(template) && !template.is_critical(), "it is something else")
    }),
    ("RFC 9598 §3", "a SmtpUTF8Mailbox has an @ and a local part that is not ASCII", |tbs| {
        others(tbs, oids::SMTP_UTF8_MAILBOX, |text| {
            text.rsplit_once('@').is_some_and(|(local, host)| !local.is_ascii() && !host.is_empty())
        })
    }),
    ("[MS-WCCE] §2.2.2.7.7", "a user principal name is a user, an @ and a domain", |tbs| {
        others(tbs, oids::USER_PRINCIPAL_NAME, |text| match text.split_once('@') {
            Some((user, domain)) => !user.is_empty() && !domain.is_empty() && !domain.contains('@'),
            None => false,
        })
    }),
];

fn is_template(template: &Extension<'_>) -> bool {
    match template.list.as_slice() {
        [oid, versions @ ..] => {
            oid.tag == OBJECT_IDENTIFIER
                && versions.len() <= 2
                && versions.iter().all(|version| version.tag == INTEGER && version.magnitude().len() <= 4)
        }
        [] => false,
    }
}

/// Whether every otherName of a type is UTF-8 and holds it (RFC 5280 §4.2.1.6: `[0]` of type and `[0]` value).
fn others(tbs: &Reading<'_>, kind: &[u8], holds: impl Fn(&str) -> bool) -> Result<(), String> {
    let names = tbs.names().iter().filter(|name| name.tag == 0xa0).map(|name| name.parts());
    let of_kind: Vec<Option<Value<'_>>> = names
        .filter(|parts| parts.first().is_some_and(|oid| oid.content == kind))
        .map(|parts| parts.get(1).and_then(|value| value.inner()))
        .collect();
    for value in of_kind {
        let text = value.filter(|value| value.tag == UTF8_STRING);
        let text = text.and_then(|value| core::str::from_utf8(value.content).ok());
        ensure(
            text.is_some_and(&holds),
            alloc::format!("there is {:02x?}", value.map(|value| value.content)),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::lint::oids::{
        AUTHORITY_INFO_ACCESS, MS_TEMPLATE, MS_TEMPLATE_NAME, SMTP_UTF8_MAILBOX, SUBJECT_ALT_NAME,
        TLS_FEATURE, USER_PRINCIPAL_NAME,
    };
    use crate::lint::sample::{Case, Parts, check, client, pass, sequence, server, tlv};

    use super::*;

    fn stapling(feature: u8) -> Parts {
        server().append(TLS_FEATURE, false, &sequence(&[&tlv(INTEGER, &[feature])]))
    }

    fn named(kind: &[u8], tag: u8, text: &[u8]) -> Parts {
        let name = tlv(0xa0, &[tlv(OBJECT_IDENTIFIER, kind), tlv(0xa0, &tlv(tag, text))].concat());
        client().append(SUBJECT_ALT_NAME, false, &sequence(&[&name]))
    }

    fn template(parts: &[&[u8]]) -> Vec<u8> {
        sequence(parts)
    }

    fn oid() -> Vec<u8> {
        tlv(OBJECT_IDENTIFIER, &[0x2a, 3])
    }

    const STAPLES: &str = "who must staple names an OCSP responder";
    const NAME: &str = "the name of a template is a string, and not critical";
    const TEMPLATE: &str = "a template is an identifier and versions, and not critical";
    const MAILBOX: &str = "a SmtpUTF8Mailbox has an @ and a local part that is not ASCII";
    const USER: &str = "a user principal name is a user, an @ and a domain";

    const CASES: &[Case] = &[
        (STAPLES, || stapling(5).remove(AUTHORITY_INFO_ACCESS)),
        (STAPLES, || stapling(17).remove(AUTHORITY_INFO_ACCESS)),
        (NAME, || client().append(MS_TEMPLATE_NAME, true, &tlv(BMP_STRING, &[0, 0x41]))),
        (NAME, || client().append(MS_TEMPLATE_NAME, false, &tlv(INTEGER, &[1]))),
        (TEMPLATE, || client().append(MS_TEMPLATE, true, &template(&[&oid(), &tlv(INTEGER, &[1])]))),
        (TEMPLATE, || client().append(MS_TEMPLATE, false, &template(&[&tlv(INTEGER, &[1])]))),
        (MAILBOX, || named(SMTP_UTF8_MAILBOX, UTF8_STRING, b"ann@mail.test")),
        (MAILBOX, || named(SMTP_UTF8_MAILBOX, 0x16, b"ann@mail.test")),
        (USER, || named(USER_PRINCIPAL_NAME, UTF8_STRING, b"ann")),
        (USER, || named(USER_PRINCIPAL_NAME, UTF8_STRING, b"a@b@c")),
        (USER, || named(USER_PRINCIPAL_NAME, 0x16, b"ann@corp.test")),
    ];

    #[test]
    fn each_rule_is_broken_by_octets_that_break_no_other() {
        check(RULES, CASES);
    }

    #[test]
    fn marks_of_use_break_no_rule() {
        pass(&[
            stapling(5),
            client().append(MS_TEMPLATE_NAME, false, &tlv(BMP_STRING, &[0, 0x41])),
            client().append(
                MS_TEMPLATE,
                false,
                &template(&[&oid(), &tlv(INTEGER, &[100]), &tlv(INTEGER, &[3])]),
            ),
            named(SMTP_UTF8_MAILBOX, UTF8_STRING, "\u{e4}nn@mail.test".as_bytes()),
            named(USER_PRINCIPAL_NAME, UTF8_STRING, b"ann@corp.test"),
        ]);
    }
}
