//! Certificates: their fields and extensions, one wrong at a time.

use ca_x509::DecodeError;
use ca_x509::certificate::{Certificate, TbsCertificate};

use crate::write::{
    ECDSA, bits, common_name, extension, int, null, octets, oid, p256, seq, set, signed, tlv, utf8,
};
use crate::{TAKEN, Verdict, check};

/// The fields of a TBSCertificate, each in DER.
struct Fields {
    version: Vec<u8>,
    serial: Vec<u8>,
    algorithm: Vec<u8>,
    issuer: Vec<u8>,
    validity: Vec<u8>,
    subject: Vec<u8>,
    key: Vec<u8>,
    after: Vec<u8>,
}

pub(crate) fn good() -> Vec<u8> {
    signed(&good_tbs(), ECDSA)
}

/// As this crate writes it, with an extension of each shape.
pub(crate) fn good_tbs() -> Vec<u8> {
    let url = tlv(0x86, &[b"http://a.example/"]);
    let point = seq(&[&tlv(0xa0, &[&tlv(0xa0, &[&url])])]);
    let access = seq(&[&oid("1.3.6.1.5.5.7.48.1"), &url]);
    let critical = |kind: &str, value: &[u8]| seq(&[&oid(kind), &[1, 1, 0xff], &octets(value)]);
    let dns = seq(&[&tlv(0x82, &[b"a.example"])]);
    let cps = seq(&[&oid("1.3.6.1.5.5.7.2.1"), &tlv(0x16, &[b"http://a.example/"])]);
    with(&[
        &extension("2.5.29.14", &octets(&[1; 20])),
        &extension("2.5.29.35", &seq(&[&tlv(0x80, &[&[2; 20]])])),
        &critical("2.5.29.19", &seq(&[&[1, 1, 0xff], &int(&[0])])),
        &critical("2.5.29.30", &seq(&[&tlv(0xa0, &[&dns])])),
        &critical("2.5.29.15", &[3, 2, 1, 6]),
        &extension("2.5.29.37", &seq(&[&oid("1.3.6.1.5.5.7.3.1")])),
        &extension("2.5.29.32", &seq(&[&seq(&[&oid("1.2.3"), &seq(&[&cps])])])),
        &critical("2.5.29.36", &seq(&[&[0x80, 1, 0]])),
        &critical("2.5.29.54", &int(&[0])),
        &extension("2.5.29.17", &seq(&[&tlv(0x82, &[b"a.example"])])),
        &extension("2.5.29.31", &seq(&[&point])),
        &extension("2.5.29.46", &seq(&[&point])),
        &extension("1.3.6.1.5.5.7.1.1", &seq(&[&access])),
        &extension("1.3.6.1.5.5.7.1.24", &seq(&[&int(&[5])])),
        &extension("1.3.6.1.4.1.311.20.2", &tlv(0x1e, &[&[0, b'a']])),
        &extension("1.3.6.1.4.1.311.21.7", &seq(&[&oid("1.2.3"), &int(&[1]), &int(&[0])])),
    ])
}

pub(crate) fn good_name() -> Vec<u8> {
    common_name("a")
}

fn fields() -> Fields {
    let time = |text: &[u8]| tlv(0x17, &[text]);
    Fields {
        version: tlv(0xa0, &[&int(&[2])]),
        serial: int(&[5]),
        algorithm: ECDSA.to_der(),
        issuer: common_name("issuer"),
        validity: seq(&[&time(b"261122000000Z"), &time(b"271122000000Z")]),
        subject: common_name("a"),
        key: p256(),
        after: vec![],
    }
}

impl Fields {
    fn tbs(&self) -> Vec<u8> {
        seq(&[
            &self.version,
            &self.serial,
            &self.algorithm,
            &self.issuer,
            &self.validity,
            &self.subject,
            &self.key,
            &self.after,
        ])
    }
}

/// A TBSCertificate with these extensions.
fn with(extensions: &[&[u8]]) -> Vec<u8> {
    Fields { after: tlv(0xa3, &[&seq(extensions)]), ..fields() }.tbs()
}

fn row(what: &'static str, tbs: Vec<u8>, verdict: Verdict) -> (&'static str, Box<[u8]>, Verdict) {
    (what, tbs.into(), verdict)
}

/// As a stranger's certificate is read.
fn read(tbs: &[u8]) -> Result<(), DecodeError> {
    Certificate::parse(&signed(tbs, ECDSA)).map(drop)
}

#[test]
fn serial_numbers_and_versions() {
    let serial = |content: &[u8]| Fields { serial: int(content), ..fields() }.tbs();
    let version = |version: Vec<u8>| Fields { version, ..fields() }.tbs();
    check(
        &[
            row("serial 1", serial(&[1]), TAKEN),
            row("a serial of 20 octets", serial(&[0x7f; 20]), TAKEN),
            row("serial 0", serial(&[0]), Err("a serial number is positive")),
            row("serial -1", serial(&[0xff]), Err("negative")),
            row("a negative serial of 20 octets", serial(&[0x80; 20]), Err("negative")),
            row("a serial of 21 octets", serial(&[1; 21]), Err("at most 20 octets, this one takes 21")),
            row("2^159", serial(&[&[0, 0x80][..], &[0; 19]].concat()), Err("this one takes 21")),
            row("a serial of 1,000 octets", serial(&[1; 1000]), Err("this one takes 1000")),
            row("a serial without octets", serial(&[]), Err("at least one octet")),
            row("a serial with a zero too many", serial(&[0, 1]), Err("minimal")),
            row(
                "a serial in an ENUMERATED",
                Fields { serial: tlv(0x0a, &[&[1]]), ..fields() }.tbs(),
                Err("tag 0x0a where 0x02"),
            ),
            row("no serial", Fields { serial: vec![], ..fields() }.tbs(), Err("tag 0x30 where 0x02")),
            row("version 1", version(vec![]), Err("version 0, expected 2")),
            row("version 1 in full", version(tlv(0xa0, &[&int(&[0])])), Err("version 0, expected 2")),
            row("version 2", version(tlv(0xa0, &[&int(&[1])])), Err("version 1, expected 2")),
            row("version 4", version(tlv(0xa0, &[&int(&[3])])), Err("version 3, expected 2")),
            row("version 2^32", version(tlv(0xa0, &[&int(&[1, 0, 0, 0, 0])])), Err("not in 0..=255")),
            row("an empty version", version(tlv(0xa0, &[])), Err("lacks a field")),
        ],
        read,
    );
}

#[test]
fn times() {
    let validity = |from: &[u8], to: &[u8]| Fields { validity: seq(&[from, to]), ..fields() }.tbs();
    let (utc, general) = (|text: &[u8]| tlv(0x17, &[text]), |text: &[u8]| tlv(0x18, &[text]));
    let from = utc(b"261122000000Z");
    check(
        &[
            row("the last second of 2049", validity(&from, &utc(b"491231235959Z")), TAKEN),
            row("the first of 2050", validity(&from, &general(b"20500101000000Z")), TAKEN),
            row("for ever (RFC 5280 §4.1.2.5)", validity(&from, &general(b"99991231235959Z")), TAKEN),
            row("1970", validity(&utc(b"700101000000Z"), &from), TAKEN),
            row("from later to earlier: lint's", validity(&from, &utc(b"251122000000Z")), TAKEN),
            row(
                "2049 as GeneralizedTime",
                validity(&from, &general(b"20491231235959Z")),
                Err("through 2049 is UTCTime"),
            ),
            row("UTCTime of 1950", validity(&utc(b"500101000000Z"), &from), Err("time is not valid DER")),
            row("no seconds", validity(&from, &utc(b"2611220000Z")), Err("time is not valid DER")),
            row("no zone", validity(&from, &utc(b"271122000000")), Err("time is not valid DER")),
            row("another zone", validity(&from, &utc(b"271122000000+0100")), Err("time is not valid DER")),
            row("a fraction", validity(&from, &general(b"20511122000000.5Z")), Err("time is not valid DER")),
            row(
                "no seconds, late",
                validity(&from, &general(b"205111220000Z")),
                Err("time is not valid DER"),
            ),
            row("month 13", validity(&from, &utc(b"271322000000Z")), Err("time is not valid DER")),
            row("day 0", validity(&from, &utc(b"271100000000Z")), Err("time is not valid DER")),
            row(
                "29 February of a common year",
                validity(&from, &utc(b"270229000000Z")),
                Err("time is not valid DER"),
            ),
            row("29 February of a leap year", validity(&from, &utc(b"280229000000Z")), TAKEN),
            row("hour 24", validity(&from, &utc(b"271122240000Z")), Err("time is not valid DER")),
            row("second 60", validity(&from, &utc(b"271122235960Z")), Err("time is not valid DER")),
            row("letters", validity(&from, &utc(b"27112200000aZ")), Err("time is not valid DER")),
            row("before 1970", validity(&general(b"19691231235959Z"), &from), Err("time")),
            row("year 0", validity(&general(b"00000101000000Z"), &from), Err("time")),
            row("one time", Fields { validity: seq(&[&from]), ..fields() }.tbs(), Err("lacks a field")),
            row(
                "three times",
                Fields { validity: seq(&[&from, &from, &from]), ..fields() }.tbs(),
                Err("not valid DER"),
            ),
            row("an empty validity", Fields { validity: seq(&[]), ..fields() }.tbs(), Err("lacks a field")),
            row("a time in text", validity(&from, &utf8("271122000000Z")), Err("tag 0x0c where 0x18")),
        ],
        read,
    );
}

#[test]
fn extensions() {
    let whole = |after: Vec<u8>| Fields { after, ..fields() }.tbs();
    let some = extension("1.2.3", &null());
    let raw = |fields: &[&[u8]]| with(&[&seq(fields)]);
    let many: Vec<Vec<u8>> = (0..65).map(|arc| extension(&format!("1.2.3.{arc}"), &null())).collect();
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    check(
        &[
            row("none", whole(vec![]), TAKEN),
            row("one that nobody knows", with(&[&some]), TAKEN),
            row("one twice", with(&[&some, &some]), Err("extension 1.2.3 occurs twice")),
            row("64 of them", with(&many[..64]), TAKEN),
            row("65 of them", with(&many), Err("more than 64 extensions")),
            row("a list of none", with(&[]), Err("extensions lacks a field")),
            row("an empty tag", whole(tlv(0xa3, &[])), Err("lacks a field")),
            row("a SET of them", whole(tlv(0xa3, &[&set(&[&some])])), Err("tag 0x31 where 0x30")),
            row("two lists", whole(tlv(0xa3, &[&seq(&[&some]), &seq(&[&some])])), Err("not valid DER")),
            row(
                "not critical, said",
                raw(&[&oid("1.2.3"), &[1, 1, 0], &octets(&[])]),
                Err("default is not encoded"),
            ),
            row("critical by 0x01", raw(&[&oid("1.2.3"), &[1, 1, 1], &octets(&[])]), Err("0x00 or 0xff")),
            row(
                "critical in two octets",
                raw(&[&oid("1.2.3"), &[1, 2, 0xff, 0xff], &octets(&[])]),
                Err("0x00 or 0xff"),
            ),
            row("no value", raw(&[&oid("1.2.3")]), Err("lacks a field")),
            row("no identifier", raw(&[&octets(&[])]), Err("tag 0x04 where 0x06")),
            row("a value in parts", raw(&[&oid("1.2.3"), &tlv(0x24, &[&octets(&[])])]), Err("not valid DER")),
            row("a fourth field", raw(&[&oid("1.2.3"), &octets(&[]), &null()]), Err("not valid DER")),
            row("unique identifiers (RFC 5280 §4.1.2.8)", whole(tlv(0x81, &[&[0, 1]])), TAKEN),
            row(
                "something after the extensions",
                whole([tlv(0xa3, &[&seq(&[&some])]), null()].concat()),
                Err("not valid DER"),
            ),
            row(
                "the other algorithm inside",
                Fields { algorithm: seq(&[&oid("1.2.840.10045.4.3.3")]), ..fields() }.tbs(),
                Err("ecdsa-with-SHA256 outside and ecdsa-with-SHA384 inside"),
            ),
        ],
        read,
    );
    // What is ours says more: an extension that nobody knows was not planned, nor were unique identifiers.
    check(
        &[
            row("as we write it", good_tbs(), TAKEN),
            row("one that nobody knows", with(&[&some]), Err("extension 1.2.3 is not known")),
            row(
                "unique identifiers",
                whole(tlv(0x81, &[&[0, 1]])),
                Err("not in the form that this crate writes"),
            ),
            row(
                "another order",
                with(&[
                    &extension("2.5.29.37", &seq(&[&oid("1.3.6.1.5.5.7.3.1")])),
                    &extension("2.5.29.14", &octets(&[1; 20])),
                ]),
                Err("not in the form"),
            ),
        ],
        |tbs| TbsCertificate::decode(tbs).map(drop),
    );
}

#[test]
fn values_of_extensions() {
    let usage = |content: &[u8]| with(&[&extension("2.5.29.15", &tlv(3, &[content]))]);
    let basic = |fields: &[&[u8]]| with(&[&extension("2.5.29.19", &seq(fields))]);
    let one = |kind: &str, value: &[u8]| with(&[&extension(kind, value)]);
    check(
        &[
            row("a usage", usage(&[7, 0x80]), TAKEN),
            row("no usage", usage(&[0]), Err("at least one of nine bits")),
            row("usage bits that are zero", usage(&[0, 0]), Err("one of nine bits is set")),
            row("a usage with a zero bit at its end", usage(&[0, 0x80]), Err("no trailing zero bits")),
            row("a usage that says eight unused bits", usage(&[8, 0x80]), Err("no trailing zero bits")),
            row("a tenth bit", usage(&[6, 0, 0x40]), Err("one of nine bits")),
            row("a usage in three octets", usage(&[0, 0x80, 0, 1]), Err("at least one of nine bits")),
            row("cA false, said", basic(&[&[1, 1, 0]]), Err("default is not encoded")),
            row("a path of -1", basic(&[&[1, 1, 0xff], &int(&[0xff])]), Err("not in 0..=255")),
            row("a path of 256", basic(&[&[1, 1, 0xff], &int(&[1, 0])]), Err("not in 0..=255")),
            row("a third constraint", basic(&[&[1, 1, 0xff], &int(&[0]), &null()]), Err("not valid DER")),
            row("a path before cA", basic(&[&int(&[0]), &[1, 1, 0xff]]), Err("not valid DER")),
            row("no purposes", one("2.5.29.37", &seq(&[])), Err("a list of purposes has one")),
            row("no policies", one("2.5.29.32", &seq(&[])), Err("a list of policies has one")),
            row(
                "no qualifiers in their list",
                one("2.5.29.32", &seq(&[&seq(&[&oid("1.2.3"), &seq(&[])])])),
                Err("policy qualifiers lacks"),
            ),
            row("no names", one("2.5.29.17", &seq(&[])), Err("a list of names has one")),
            row("no points", one("2.5.29.31", &seq(&[])), Err("a list of distribution points has one")),
            row("an empty point", one("2.5.29.31", &seq(&[&seq(&[])])), Err("a name or an issuer")),
            row("no accesses", one("1.3.6.1.5.5.7.1.1", &seq(&[])), Err("a list of accesses has one")),
            row("no features", one("1.3.6.1.5.5.7.1.24", &seq(&[])), Err("a list of features has one")),
            row("no constraint of names", one("2.5.29.30", &seq(&[])), Err("permits or excludes something")),
            row("no constraint of policies", one("2.5.29.36", &seq(&[])), Err("one of its fields is there")),
            row("a key identifier in text", one("2.5.29.14", &utf8("a")), Err("tag 0x0c where 0x04")),
            row(
                "octets after a value",
                one("2.5.29.14", &[octets(&[1; 20]), null()].concat()),
                Err("not valid DER"),
            ),
            row("no value", one("2.5.29.14", &[]), Err("lacks a field")),
            row(
                "a poison that is no NULL",
                one("1.3.6.1.4.1.11129.2.4.3", &octets(&[])),
                Err("tag 0x04 where 0x05"),
            ),
            row(
                "timestamps that are none",
                one("1.3.6.1.4.1.11129.2.4.2", &octets(&[0, 5, 0, 1])),
                Err("RFC 6962 §3.3"),
            ),
            row("no check, with content", one("1.3.6.1.5.5.7.48.1.5", &[5, 1, 0]), Err("NULL is empty")),
        ],
        read,
    );
}

#[test]
fn the_whole() {
    let tbs = good_tbs();
    let algorithm = ECDSA.to_der();
    check(
        &[
            row("a certificate", good(), TAKEN),
            row("a signature without octets: the verifier's", seq(&[&tbs, &algorithm, &bits(&[])]), TAKEN),
            row(
                "unused bits in the signature",
                seq(&[&tbs, &algorithm, &[3, 2, 1, 0]]),
                Err("no unused bits"),
            ),
            row("no unused-bits octet", seq(&[&tbs, &algorithm, &[3, 0]]), Err("no unused bits")),
            row("no signature", seq(&[&tbs, &algorithm]), Err("lacks a field")),
            row(
                "an algorithm that is not known",
                seq(&[&tbs, &seq(&[&oid("1.2.3")]), &bits(b"s")]),
                Err("algorithm 1.2.3 is not supported"),
            ),
            row("a fourth part", seq(&[&tbs, &algorithm, &bits(b"s"), &null()]), Err("not valid DER")),
            row("a request", crate::requests::good(), Err("version 0, expected 2")),
            row("a list", crate::lists::good(), Err("version 0, expected 2")),
        ],
        |der| Certificate::parse(der).map(drop),
    );
}
