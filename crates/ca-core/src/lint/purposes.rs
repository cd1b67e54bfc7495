//! What a certificate is for (RFC 5280 §4.2.1.12), and what follows from it.

use alloc::string::String;

use ca_x509::certificate::KeyUsage;

use super::reading::Reading;
use super::{Rule, ensure, oids};

const SIGNATURE: KeyUsage = KeyUsage::DIGITAL_SIGNATURE;
const COMMITMENT: KeyUsage = KeyUsage::NON_REPUDIATION;
const ENCIPHERMENT: KeyUsage = KeyUsage::KEY_ENCIPHERMENT;
const AGREEMENT: KeyUsage = KeyUsage::KEY_AGREEMENT;

pub(super) const RULES: &[Rule] = &[
    ("RFC 5280 §4.2.1.12", "a server's key signs, or transports or agrees on keys", |tbs| {
        consistent(tbs, oids::SERVER_AUTH, &[SIGNATURE, ENCIPHERMENT, AGREEMENT])
    }),
    ("RFC 5280 §4.2.1.12", "a client's key signs or agrees on keys", |tbs| {
        consistent(tbs, oids::CLIENT_AUTH, &[SIGNATURE, AGREEMENT])
    }),
    ("RFC 5280 §4.2.1.12", "a code signer's key signs", |tbs| {
        consistent(tbs, oids::CODE_SIGNING, &[SIGNATURE])
    }),
    ("RFC 5280 §4.2.1.12", "a mail user's key signs, or transports or agrees on keys", |tbs| {
        consistent(tbs, oids::EMAIL_PROTECTION, &[SIGNATURE, COMMITMENT, ENCIPHERMENT, AGREEMENT])
    }),
    ("RFC 5280 §4.2.1.12", "a time stamper's key signs", |tbs| {
        consistent(tbs, oids::TIME_STAMPING, &[SIGNATURE, COMMITMENT])
    }),
    ("RFC 5280 §4.2.1.12", "an OCSP responder's key signs", |tbs| {
        consistent(tbs, oids::OCSP_SIGNING, &[SIGNATURE, COMMITMENT])
    }),
    ("RFC 3161 §2.3", "time stamping is the only purpose, and critical", |tbs| {
        let critical = tbs.extension(oids::EXTENDED_KEY_USAGE).is_some_and(|purposes| purposes.is_critical());
        let alone = critical && tbs.purposes().count() == 1;
        ensure(!tbs.has_purpose(oids::TIME_STAMPING) || alone, "it is not")
    }),
    // A key with more purposes would sign status wherever it signs for them.
    ("RFC 6960 §4.2.2.2", "a responder's key is for nothing else", |tbs| {
        let purposes = tbs.purposes().count();
        ensure(
            !tbs.has_purpose(oids::OCSP_SIGNING) || purposes == 1,
            format_args!("it has {purposes} purposes"),
        )
    }),
    ("RFC 6960 §4.2.2.2.1", "ocsp-nocheck is a responder's", |tbs| {
        let no_check = tbs.extension(oids::OCSP_NO_CHECK).is_some();
        ensure(!no_check || tbs.has_purpose(oids::OCSP_SIGNING), "it stands in another certificate")
    }),
    // Of the three ways that the section gives, this one asks for no list that the responder itself would answer for.
    ("RFC 6960 §4.2.2.2.1", "a responder's certificate is not itself checked", |tbs| {
        let no_check = tbs.extension(oids::OCSP_NO_CHECK).is_some();
        ensure(no_check || !tbs.has_purpose(oids::OCSP_SIGNING), "ocsp-nocheck is missing")
    }),
];

/// Whether a certificate for this purpose has one of the usages that are consistent with it. One without any usage
/// breaks another rule.
fn consistent(tbs: &Reading<'_>, purpose: &[u8], usages: &[KeyUsage]) -> Result<(), String> {
    let usage = tbs.key_usage();
    let fits = usage.is_empty() || usages.iter().any(|one| usage.contains(*one));
    ensure(!tbs.has_purpose(purpose) || fits, format_args!("its usage is {usage:?}"))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use crate::lint::oids::{
        CLIENT_AUTH, CODE_SIGNING, EMAIL_PROTECTION, EXTENDED_KEY_USAGE, KEY_USAGE, OCSP_NO_CHECK,
        OCSP_SIGNING, TIME_STAMPING,
    };
    use crate::lint::sample::{Case, Parts, check, client, pass, responder, rsa, sequence, server, tlv};

    use super::*;

    fn with(base: Parts, purposes: &[&[u8]], critical: bool) -> Parts {
        let list: Vec<u8> = purposes.iter().flat_map(|purpose| tlv(6, purpose)).collect();
        base.replace(EXTENDED_KEY_USAGE, critical, &sequence(&[&list]))
    }

    const COMMITS: &[u8] = &[3, 2, 6, 0x40];
    const AGREES: &[u8] = &[3, 2, 3, 8];
    const ENCIPHERS_DATA: &[u8] = &[3, 2, 4, 0x10];
    const STAMPS: &str = "time stamping is the only purpose, and critical";

    const CASES: &[Case] = &[
        ("a server's key signs, or transports or agrees on keys", || {
            server().replace(KEY_USAGE, true, COMMITS)
        }),
        ("a client's key signs or agrees on keys", || client().replace(KEY_USAGE, true, COMMITS)),
        ("a client's key signs or agrees on keys", || rsa().replace(KEY_USAGE, true, &[3, 2, 5, 0x20])),
        ("a code signer's key signs", || {
            with(client().replace(KEY_USAGE, true, AGREES), &[CODE_SIGNING], false)
        }),
        ("a mail user's key signs, or transports or agrees on keys", || {
            with(rsa().replace(KEY_USAGE, true, ENCIPHERS_DATA), &[EMAIL_PROTECTION], false)
        }),
        ("a time stamper's key signs", || {
            with(client().replace(KEY_USAGE, true, AGREES), &[TIME_STAMPING], true)
        }),
        ("an OCSP responder's key signs", || responder().replace(KEY_USAGE, true, AGREES)),
        (STAMPS, || with(client(), &[TIME_STAMPING], false)),
        (STAMPS, || with(client(), &[TIME_STAMPING, CLIENT_AUTH], true)),
        ("a responder's key is for nothing else", || with(responder(), &[OCSP_SIGNING, CLIENT_AUTH], false)),
        ("ocsp-nocheck is a responder's", || client().append(OCSP_NO_CHECK, false, &[5, 0])),
        ("a responder's certificate is not itself checked", || responder().remove(OCSP_NO_CHECK)),
    ];

    #[test]
    fn each_rule_is_broken_by_octets_that_break_no_other() {
        check(RULES, CASES);
    }

    #[test]
    fn purposes_of_use_break_no_rule() {
        pass(&[
            with(client(), &[TIME_STAMPING], true),
            with(client(), &[CODE_SIGNING], false),
            with(client().replace(KEY_USAGE, true, COMMITS), &[EMAIL_PROTECTION], false),
            responder().replace(KEY_USAGE, true, COMMITS),
        ]);
    }
}
