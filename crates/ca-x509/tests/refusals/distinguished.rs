//! Distinguished names: their encoding, their attributes, their text.

use ca_x509::DecodeError;
use ca_x509::name::{DistinguishedName, NameError};

use crate::write::{attribute, common_name, int, octets, oid, printable, seq, set, tlv, utf8};
use crate::{TAKEN, Verdict, check};

fn name(what: &'static str, der: Vec<u8>, verdict: Verdict) -> (&'static str, Box<[u8]>, Verdict) {
    (what, der.into(), verdict)
}

fn read(der: &[u8]) -> Result<(), DecodeError> {
    Ok(DistinguishedName::from_der(der)?.check()?)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn distinguished_names_in_their_encoding() {
    let one = |kind: &str, value: &[u8]| seq(&[&attribute(kind, value)]);
    let pair = |kind: &str, text: &str| seq(&[&oid(kind), &utf8(text)]);
    let (cn, ou) = (pair("2.5.4.3", "a"), pair("2.5.4.11", "a"));
    let many = |count: usize| seq(&[&attribute("2.5.4.11", &utf8("a")).repeat(count)]);
    check(
        &[
            name("empty", seq(&[]), TAKEN),
            name("two in one set, in order", seq(&[&set(&[&cn, &ou])]), TAKEN),
            name("two in one set, out of order", seq(&[&set(&[&ou, &cn])]), Err("a SET OF is in order")),
            name("the same twice in one set", seq(&[&set(&[&cn, &cn])]), Err("CN occurs twice")),
            name(
                "two of one kind in one set",
                seq(&[&set(&[&cn, &pair("2.5.4.3", "b")])]),
                Err("CN occurs twice"),
            ),
            name("two of one kind in two sets", seq(&[&set(&[&cn]), &set(&[&cn])]), TAKEN),
            name("an empty set", seq(&[&set(&[])]), Err("a relative name has an attribute")),
            name("no set", seq(&[&cn]), Err("tag 0x30")),
            name(
                "an attribute without a value",
                seq(&[&set(&[&seq(&[&oid("2.5.4.3")])])]),
                Err("lacks a field"),
            ),
            name("an attribute without a kind", seq(&[&set(&[&seq(&[&utf8("a")])])]), Err("tag 0x0c")),
            name("an empty attribute", seq(&[&set(&[&seq(&[])])]), Err("lacks a field")),
            name(
                "two values",
                seq(&[&set(&[&seq(&[&oid("2.5.4.3"), &utf8("a"), &utf8("b")])])]),
                Err("not valid DER"),
            ),
            name("32 attributes", many(32), TAKEN),
            name("33 attributes", many(33), Err("33 attributes, at most 32")),
            name("300 attributes", many(300), Err("300 attributes, at most 32")),
            name("T61String", one("2.5.4.3", &tlv(0x14, &[b"a"])), Err("CN has string type 0x14")),
            name("BMPString", one("2.5.4.3", &tlv(0x1e, &[&[0, b'a']])), Err("CN has string type 0x1e")),
            name("UniversalString", one("2.5.4.3", &tlv(0x1c, &[&[0, 0, 0, b'a']])), Err("not valid DER")),
            name("IA5String in a common name", one("2.5.4.3", &tlv(0x16, &[b"a"])), Err("string type 0x16")),
            name("PrintableString in a common name", one("2.5.4.3", &printable("a")), TAKEN),
            name(
                "PrintableString with an @",
                one("2.5.4.3", &printable("a@b")),
                Err("outside its string type"),
            ),
            name(
                "PrintableString with a star",
                one("2.5.4.3", &printable("*.a")),
                Err("outside its string type"),
            ),
            name(
                "PrintableString beyond ASCII",
                one("2.5.4.3", &tlv(0x13, &[&[0xfc]])),
                Err("outside its string type"),
            ),
            name(
                "UTF8String that is none",
                one("2.5.4.3", &tlv(0x0c, &[&[0xff, 0xfe]])),
                Err("outside its string type"),
            ),
            name(
                "UTF8String, a longer form",
                one("2.5.4.3", &tlv(0x0c, &[&[0xc0, 0x80]])),
                Err("outside its string type"),
            ),
            name(
                "UTF8String, a surrogate",
                one("2.5.4.3", &tlv(0x0c, &[&[0xed, 0xa0, 0x80]])),
                Err("outside its"),
            ),
            name("an INTEGER", one("2.5.4.3", &int(&[1])), Err("string type 0x02")),
            name("an OCTET STRING", one("2.5.4.3", &octets(b"a")), Err("string type 0x04")),
            name("a SEQUENCE", one("2.5.4.3", &seq(&[])), Err("string type 0x30")),
            name("a string in parts", one("2.5.4.3", &tlv(0x2c, &[&utf8("a")])), Err("not valid DER")),
            name("a country in UTF8String", one("2.5.4.6", &utf8("CH")), Err("C has string type 0x0c")),
            name(
                "a domain component in UTF8String",
                one("0.9.2342.19200300.100.1.25", &utf8("a")),
                Err("DC has string type"),
            ),
            name(
                "a domain component beyond ASCII",
                one("0.9.2342.19200300.100.1.25", &tlv(0x16, &[&[0xfc]])),
                Err("DC has"),
            ),
            name("an attribute that nobody knows", one("1.2.3", &utf8("a")), TAKEN),
            name(
                "an unknown attribute, no string",
                one("1.2.3", &int(&[1])),
                Err("an attribute has string type 0x02"),
            ),
            name("an unknown attribute, a control", one("1.2.3", &utf8("a\u{7}")), Err("not shown")),
            name("an unknown attribute, empty", one("1.2.3", &utf8("")), Err("an attribute is empty")),
        ],
        read,
    );
}

#[test]
fn distinguished_names_in_their_text() {
    let one = |kind: &str, value: &[u8]| seq(&[&attribute(kind, value)]);
    let cn = |what, text: &str, verdict| name(what, common_name(text), verdict);
    check(
        &[
            cn("64 characters", &"a".repeat(64), TAKEN),
            cn("65 characters", &"a".repeat(65), Err("CN has 65 characters, at most 64")),
            cn("64 characters of two octets", &"\u{fc}".repeat(64), TAKEN),
            cn("1,000 characters", &"a".repeat(1000), Err("CN has 1000 characters")),
            cn("none", "", Err("CN is empty")),
            cn("a NUL", "a\0b", Err("not shown")),
            cn("a NUL alone", "\0", Err("not shown")),
            cn("a line feed", "a\nb", Err("not shown")),
            cn("a carriage return", "a\rb", Err("not shown")),
            cn("an escape", "a\u{1b}[31mb", Err("not shown")),
            cn("a delete", "a\u{7f}", Err("not shown")),
            cn("a control of Latin-1", "a\u{85}", Err("not shown")),
            cn("right to left from here", "a\u{202e}b", Err("not shown")),
            cn("an isolate", "a\u{2066}b", Err("not shown")),
            cn("a byte order mark", "\u{feff}a", Err("not shown")),
            cn("a space without width", "a\u{200b}b", Err("not shown")),
            cn("a soft hyphen", "a\u{ad}b", Err("not shown")),
            cn("a line separator", "a\u{2028}b", Err("not shown")),
            cn("a tag", "a\u{e0041}", Err("not shown")),
            cn("a joiner", "\u{915}\u{94d}\u{200d}\u{937}", TAKEN),
            cn("Arabic", "\u{645}\u{62b}\u{627}\u{644}", TAKEN),
            cn("an emoji", "\u{1f600}", TAKEN),
            cn("mixed scripts: policy's", "p\u{430}ypal", TAKEN),
            name("a country of one letter", one("2.5.4.6", &printable("C")), Err("C has 1 characters")),
            name(
                "a country of three",
                one("2.5.4.6", &printable("CHE")),
                Err("C has 3 characters, at most 2"),
            ),
            name("an organization of 65", one("2.5.4.10", &utf8(&"a".repeat(65))), Err("O has 65")),
            name("a unit of 65", one("2.5.4.11", &utf8(&"a".repeat(65))), Err("OU has 65")),
            name("a locality of 128", one("2.5.4.7", &utf8(&"a".repeat(128))), TAKEN),
            name("a locality of 129", one("2.5.4.7", &utf8(&"a".repeat(129))), Err("L has 129")),
            name("a state of 129", one("2.5.4.8", &utf8(&"a".repeat(129))), Err("ST has 129")),
            name(
                "a serial number of 65",
                one("2.5.4.5", &printable(&"1".repeat(65))),
                Err("serialNumber has 65"),
            ),
            name(
                "a mailbox of 256",
                one("1.2.840.113549.1.9.1", &tlv(0x16, &[&[b'a'; 256]])),
                Err("emailAddress has 256"),
            ),
            name(
                "an unknown attribute of 257",
                one("1.2.3", &utf8(&"a".repeat(257))),
                Err("an attribute has 257"),
            ),
        ],
        read,
    );
}

/// What may not be written even where it can be read.
#[test]
fn builder() {
    let built = |text: &str| DistinguishedName::new().common_name(text).build().map(drop);
    check(
        &[
            ("a letter", "a".into(), TAKEN),
            ("nothing", "".into(), Err("CN is empty")),
            ("a NUL", "a\0".into(), Err("not shown")),
            ("right to left from here", "a\u{202e}".into(), Err("not shown")),
        ],
        |text| built(text),
    );
    let many = (0..33).fold(DistinguishedName::new(), |builder, _| builder.organization("a"));
    assert_eq!(many.build(), Err(NameError::TooManyAttributes { got: 33, max: 32 }));
}
