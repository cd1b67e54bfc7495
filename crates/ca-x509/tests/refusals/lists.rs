//! Certificate lists, as a client reads them.

use ca_x509::DecodeError;
use ca_x509::crl::CertificateList;

use crate::write::{ECDSA, common_name, extension, int, null, octets, oid, seq, signed, tlv};
use crate::{TAKEN, Verdict, check};

pub(crate) fn good() -> Vec<u8> {
    let reason = extension("2.5.29.21", &[0x0a, 1, 1]);
    whole(&[&key(), &number(7), &scope(&[&point()])], &[&entry(&[1], &[&reason])])
}

fn key() -> Vec<u8> {
    extension("2.5.29.35", &seq(&[&tlv(0x80, &[&[3; 20]])]))
}

fn number(number: u8) -> Vec<u8> {
    extension("2.5.29.20", &int(&[number]))
}

fn point() -> Vec<u8> {
    tlv(0xa0, &[&tlv(0xa0, &[&tlv(0x86, &[b"http://a.example/1.crl"])])])
}

fn scope(fields: &[&[u8]]) -> Vec<u8> {
    critical("2.5.29.28", &seq(fields))
}

fn critical(kind: &str, value: &[u8]) -> Vec<u8> {
    seq(&[&oid(kind), &[1, 1, 0xff], &octets(value)])
}

fn time() -> Vec<u8> {
    tlv(0x17, &[b"261122000000Z"])
}

fn entry(serial: &[u8], extensions: &[&[u8]]) -> Vec<u8> {
    let extensions = if extensions.is_empty() { vec![] } else { seq(extensions) };
    seq(&[&int(serial), &time(), &extensions])
}

fn whole(extensions: &[&[u8]], entries: &[&[u8]]) -> Vec<u8> {
    let entries = if entries.is_empty() { vec![] } else { seq(entries) };
    of(&[
        &int(&[1]),
        &ECDSA.to_der(),
        &common_name("issuer"),
        &time(),
        &time(),
        &entries,
        &tlv(0xa0, &[&seq(extensions)]),
    ])
}

fn of(fields: &[&[u8]]) -> Vec<u8> {
    signed(&seq(fields), ECDSA)
}

fn row(what: &'static str, der: Vec<u8>, verdict: Verdict) -> (&'static str, Box<[u8]>, Verdict) {
    (what, der.into(), verdict)
}

fn read(der: &[u8]) -> Result<(), DecodeError> {
    CertificateList::parse(der).map(drop)
}

#[test]
fn entries() {
    let list = |entries: &[&[u8]]| whole(&[&key(), &number(7)], entries);
    let delta = |entries: &[&[u8]]| whole(&[&key(), &number(7), &critical("2.5.29.27", &int(&[5]))], entries);
    let reason = |code: u8| extension("2.5.29.21", &[0x0a, 1, code]);
    let dated = |time: &[u8]| list(&[&entry(&[1], &[&extension("2.5.29.24", time)])]);
    check(
        &[
            row("none", list(&[]), TAKEN),
            row("one", list(&[&entry(&[1], &[])]), TAKEN),
            row("serial 0", list(&[&entry(&[0], &[])]), Err("positive")),
            row("serial -1", list(&[&entry(&[0xff], &[])]), Err("negative")),
            row("a serial of 21 octets", list(&[&entry(&[1; 21], &[])]), Err("this one takes 21")),
            row("a serial without octets", list(&[&entry(&[], &[])]), Err("at least one octet")),
            row("key compromise", list(&[&entry(&[1], &[&reason(1)])]), TAKEN),
            row(
                "reason 7, which does not exist",
                list(&[&entry(&[1], &[&reason(7)])]),
                Err("one of RFC 5280 §5.3.1"),
            ),
            row("reason 11", list(&[&entry(&[1], &[&reason(11)])]), Err("one of RFC 5280 §5.3.1")),
            row("removal in a full list", list(&[&entry(&[1], &[&reason(8)])]), Err("in a delta only")),
            row("removal in a delta", delta(&[&entry(&[1], &[&reason(8)])]), TAKEN),
            row(
                "a reason in an INTEGER",
                list(&[&entry(&[1], &[&extension("2.5.29.21", &int(&[1]))])]),
                Err("tag 0x02 where 0x0a"),
            ),
            row(
                "two reasons",
                list(&[&entry(&[1], &[&reason(1), &reason(4)])]),
                Err("2.5.29.21 occurs twice"),
            ),
            row("an invalidity date", dated(&tlv(0x18, &[b"20261122000000Z"])), TAKEN),
            row("an invalidity date in UTCTime", dated(&time()), Err("tag 0x17 where 0x18")),
            row(
                "the certificate's issuer (§5.3.3)",
                list(&[&entry(&[1], &[&critical("2.5.29.29", &seq(&[]))])]),
                Err("extension 2.5.29.29 is not known"),
            ),
            row("an extension that nobody knows", list(&[&entry(&[1], &[&extension("1.2.3", &[])])]), TAKEN),
            row(
                "no extension in their list",
                list(&[&seq(&[&int(&[1]), &time(), &seq(&[])])]),
                Err("extensions lacks a field"),
            ),
            row("no time", list(&[&seq(&[&int(&[1])])]), Err("lacks a field")),
            row("an empty entry", list(&[&seq(&[])]), Err("lacks a field")),
            row("a fourth field", list(&[&seq(&[&int(&[1]), &time(), &null()])]), Err("not valid DER")),
        ],
        read,
    );
}

#[test]
fn extensions() {
    let list = |more: &[&[u8]]| whole(&[&[&key()[..], &number(7)], more].concat(), &[]);
    let flag = |number: u8| [0x80 | number, 1, 0xff];
    check(
        &[
            row("key and number", list(&[]), TAKEN),
            row("no number (§5.2.3)", whole(&[&key()], &[]), Err("list's number lacks")),
            row("no key (§5.2.1)", whole(&[&number(7)], &[]), Err("authority key identifier lacks")),
            row(
                "a key of 19 octets",
                whole(&[&extension("2.5.29.35", &seq(&[&tlv(0x80, &[&[3; 19]])])), &number(7)], &[]),
                Err("authority key identifier lacks"),
            ),
            row("no extensions", whole(&[], &[]), Err("extensions lacks a field")),
            row("a negative number", whole(&[&key(), &number(0xff)], &[]), Err("negative")),
            row(
                "a number of 17 octets",
                whole(&[&key(), &extension("2.5.29.20", &int(&[1; 17]))], &[]),
                Err("below 2^128"),
            ),
            row("two numbers", list(&[&number(8)]), Err("2.5.29.20 occurs twice")),
            row("a point", list(&[&scope(&[&point()])]), TAKEN),
            row("users only", list(&[&scope(&[&flag(1)])]), TAKEN),
            row("cas only", list(&[&scope(&[&point(), &flag(2)])]), TAKEN),
            row("users only and cas only", list(&[&scope(&[&flag(1), &flag(2)])]), Err("one scope at most")),
            row("some reasons", list(&[&scope(&[&[0x83, 2, 7, 0x80]])]), Err("some reasons")),
            row("other issuers", list(&[&scope(&[&flag(4)])]), Err("other issuers")),
            row("attribute certificates", list(&[&scope(&[&flag(5)])]), Err("attribute certificates")),
            row("no scope said", list(&[&scope(&[])]), Err("the extension says something")),
            row("a default said", list(&[&scope(&[&[0x81, 1, 0]])]), Err("default is not encoded")),
            row(
                "a point of two URIs",
                list(&[&scope(&[&tlv(0xa0, &[&tlv(0xa0, &[&tlv(0x86, &[b"urn:a"]).repeat(2)])])])]),
                Err("one URI names"),
            ),
            row(
                "a point by a relative name",
                list(&[&scope(&[&tlv(0xa0, &[&tlv(0xa1, &[])])])]),
                Err("one URI names"),
            ),
            row("a delta", list(&[&critical("2.5.29.27", &int(&[5]))]), TAKEN),
            row("a delta without a base", list(&[&critical("2.5.29.27", &[])]), Err("lacks a field")),
            row("the freshest", list(&[&extension("2.5.29.46", &seq(&[&seq(&[&point()])]))]), TAKEN),
            row(
                "the freshest, nowhere",
                list(&[&extension("2.5.29.46", &seq(&[]))]),
                Err("distribution points has one"),
            ),
            row("an unknown one", list(&[&extension("1.2.3", &[])]), TAKEN),
            row(
                "an unknown critical one",
                list(&[&critical("1.2.3", &[])]),
                Err("extension 1.2.3 is not known"),
            ),
        ],
        read,
    );
}

#[test]
fn fields() {
    let (version, algorithm, issuer) = (int(&[1]), ECDSA.to_der(), common_name("issuer"));
    let extensions = tlv(0xa0, &[&seq(&[&key(), &number(7)])]);
    let (one, none) = (seq(&[&entry(&[1], &[])]), seq(&[]));
    let general = tlv(0x18, &[b"20261122000000Z"]);
    check(
        &[
            row("a list", of(&[&version, &algorithm, &issuer, &time(), &time(), &one, &extensions]), TAKEN),
            row(
                "version 1",
                of(&[&int(&[0]), &algorithm, &issuer, &time(), &time(), &extensions]),
                Err("version 0, expected 1"),
            ),
            row(
                "version 1 by default",
                of(&[&algorithm, &issuer, &time(), &time()]),
                Err("tag 0x30 where 0x02"),
            ),
            row(
                "version 3",
                of(&[&int(&[2]), &algorithm, &issuer, &time(), &time(), &extensions]),
                Err("version 2, expected 1"),
            ),
            row(
                "no nextUpdate (§5.1.2.5)",
                of(&[&version, &algorithm, &issuer, &time(), &one, &extensions]),
                Err("where 0x18"),
            ),
            row(
                "GeneralizedTime before 2050",
                of(&[&version, &algorithm, &issuer, &general, &time(), &extensions]),
                Err("through 2049"),
            ),
            row(
                "an empty list (§5.1.2.6)",
                of(&[&version, &algorithm, &issuer, &time(), &time(), &none, &extensions]),
                Err("an empty list is absent"),
            ),
            row(
                "two lists",
                of(&[&version, &algorithm, &issuer, &time(), &time(), &one, &one, &extensions]),
                Err("tag 0x30 where 0xa0"),
            ),
            row(
                "no extensions",
                of(&[&version, &algorithm, &issuer, &time(), &time(), &one]),
                Err("lacks a field"),
            ),
            row(
                "another algorithm inside",
                of(&[&version, &seq(&[&oid("1.3.101.112")]), &issuer, &time(), &time(), &extensions]),
                Err("outside and Ed25519 inside"),
            ),
            row(
                "something after the extensions",
                of(&[&version, &algorithm, &issuer, &time(), &time(), &extensions, &null()]),
                Err("not valid DER"),
            ),
        ],
        read,
    );
}
