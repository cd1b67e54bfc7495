//! Certification requests: their attributes, their counts, their armour.

use ca_x509::DecodeError;
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::pem;
use ca_x509::request::{CertificationRequest, RequestError};

use crate::write::{
    ECDSA, common_name, extension, int, null, oid, p256, printable, seq, set, signed, tlv, utf8,
};
use crate::{TAKEN, Verdict, check};

const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";
const CHALLENGE_PASSWORD: &str = "1.2.840.113549.1.9.7";
const SUBJECT_ALT_NAME: &str = "2.5.29.17";

pub(crate) fn good() -> Vec<u8> {
    with_names(&[&tlv(0x82, &[b"a.example"])])
}

/// A request for these alternative names, in DER.
pub(crate) fn with_names(names: &[&[u8]]) -> Vec<u8> {
    with(&[&extension_request(&[&extension(SUBJECT_ALT_NAME, &seq(names))])])
}

/// The error below a request's, which every row here has.
pub(crate) fn cause(error: RequestError) -> DecodeError {
    match error {
        RequestError::Decode(cause) => cause,
        other => panic!("{other}"),
    }
}

fn attribute(kind: &str, values: &[&[u8]]) -> Vec<u8> {
    seq(&[&oid(kind), &set(values)])
}

fn extension_request(extensions: &[&[u8]]) -> Vec<u8> {
    attribute(EXTENSION_REQUEST, &[&seq(extensions)])
}

/// A request with these attributes.
fn with(attributes: &[&[u8]]) -> Vec<u8> {
    of(&int(&[0]), &common_name("a"), &p256(), &tlv(0xa0, attributes))
}

fn of(version: &[u8], subject: &[u8], key: &[u8], attributes: &[u8]) -> Vec<u8> {
    signed(&seq(&[version, subject, key, attributes]), ECDSA)
}

fn row(what: &'static str, der: Vec<u8>, verdict: Verdict) -> (&'static str, Box<[u8]>, Verdict) {
    (what, der.into(), verdict)
}

fn read(bytes: &[u8]) -> Result<(), RequestError> {
    CertificationRequest::parse(bytes).map(drop)
}

#[test]
fn attributes() {
    let password = attribute(CHALLENGE_PASSWORD, &[&utf8("canary")]);
    let none = extension_request(&[]);
    let names = extension(SUBJECT_ALT_NAME, &seq(&[&tlv(0x82, &[b"a"])]));
    let smallest = seq(&[&[6, 1, 42], &[0x31, 0]]);
    check(
        &[
            row("none", with(&[]), TAKEN),
            row("a password", with(&[&password]), TAKEN),
            row("two passwords", with(&[&password, &password]), TAKEN),
            row("a password that is no string", with(&[&attribute(CHALLENGE_PASSWORD, &[&null()])]), TAKEN),
            row("an unknown attribute", with(&[&attribute("1.2.3.4", &[&utf8("x"), &null()])]), TAKEN),
            row("an unknown attribute without values", with(&[&attribute("1.2.3.4", &[])]), TAKEN),
            row("out of order", with(&[&none, &password]), TAKEN),
            row("9,000 of them", with(&[&smallest.repeat(9_000)]), TAKEN),
            row("100,000 of them", with(&[&smallest.repeat(100_000)]), Err("at most 65536 are read")),
            row("an attribute without a set", with(&[&seq(&[&oid("1.2.3")])]), Err("lacks a field")),
            row(
                "an attribute with two sets",
                with(&[&seq(&[&oid("1.2.3"), &set(&[]), &set(&[])])]),
                Err("not valid DER"),
            ),
            row("an empty attribute", with(&[&seq(&[])]), Err("lacks a field")),
            row("an attribute that is none", with(&[&null()]), Err("tag 0x05")),
            row("an extensionRequest for nothing", with(&[&none]), TAKEN),
            row("two extensionRequests", with(&[&none, &none]), Err("extensionRequest occurs once")),
            row(
                "one with two values",
                with(&[&attribute(EXTENSION_REQUEST, &[&seq(&[&names]), &seq(&[])])]),
                Err("not valid DER"),
            ),
            row("one without a value", with(&[&attribute(EXTENSION_REQUEST, &[])]), Err("lacks a field")),
            row(
                "one that is a SET",
                with(&[&attribute(EXTENSION_REQUEST, &[&set(&[&names])])]),
                Err("tag 0x31"),
            ),
            row(
                "an extension twice",
                with(&[&extension_request(&[&names, &names])]),
                Err("2.5.29.17 occurs twice"),
            ),
            row(
                "an extension that nobody knows",
                with(&[&extension_request(&[&extension("1.2.3", b"?")])]),
                TAKEN,
            ),
            row("an empty extension", with(&[&extension_request(&[&seq(&[])])]), Err("lacks a field")),
            row(
                "a default in an extension",
                with(&[&extension_request(&[&seq(&[&oid("1.2.3"), &[1, 1, 0], &[4, 0]])])]),
                Err("default is not encoded"),
            ),
            row(
                "names that are no DER",
                with(&[&extension_request(&[&extension(SUBJECT_ALT_NAME, b"\x30\x80\0\0")])]),
                Err("not valid DER"),
            ),
            row("names that are empty", with_names(&[]), Err("a list of names has one")),
            row(
                "65 extensions",
                with(&[&extension_request(&(0..65).map(|_| &names[..]).collect::<Vec<_>>())]),
                Err("occurs twice"),
            ),
        ],
        read,
    );
}

#[test]
fn i26_a_password_is_not_shown() {
    let request = CertificationRequest::parse(&with(&[&attribute(CHALLENGE_PASSWORD, &[&utf8("canary")])]));
    let shown = format!("{request:?}");
    assert!(!shown.contains("canary") && !shown.contains("99, 97, 110, 97, 114, 121"), "{shown}");
}

#[test]
fn counts_of_names() {
    let name = tlv(0x82, &[b"a.example"]);
    let count = |count: usize| with_names(&vec![&name[..]; count]);
    check(
        &[
            row("one", count(1), TAKEN),
            row("100", count(100), TAKEN),
            row("101", count(101), Err("request has 101 names, at most 100")),
            row("5,000", count(5_000), Err("request has 5000 names")),
            row("10,000", count(10_000), Err("at most 65536 are read")),
        ],
        read,
    );
}

/// A 2048-bit key.
fn rsa_with_exponent(exponent: u8) -> Vec<u8> {
    let key = seq(&[&int(&[&[0][..], &[0xc5; 256]].concat()), &int(&[exponent])]);
    seq(&[&seq(&[&oid("1.2.840.113549.1.1.1"), &null()]), &tlv(3, &[&[0], &key])])
}

#[test]
fn fields() {
    let (version, name, key, none) = (int(&[0]), common_name("a"), p256(), tlv(0xa0, &[]));
    let info = seq(&[&version, &name, &key, &none]);
    let algorithm = ECDSA.to_der();
    let bits = |unused: u8| tlv(3, &[&[unused], b"s"]);
    check(
        &[
            row("an empty subject", of(&version, &seq(&[]), &key, &none), TAKEN),
            row("version 2", of(&int(&[1]), &name, &key, &none), Err("version 1, expected 0")),
            row("version -1", of(&int(&[0xff]), &name, &key, &none), Err("not in 0..=255")),
            row(
                "version 2^64",
                of(&int(&[1, 0, 0, 0, 0, 0, 0, 0, 0]), &name, &key, &none),
                Err("not in 0..=255"),
            ),
            row("a version in two octets", of(&int(&[0, 0]), &name, &key, &none), Err("minimal")),
            row("no version", of(&[], &name, &key, &none), Err("tag 0x30 where 0x02")),
            row("no attributes", of(&version, &name, &key, &[]), Err("lacks a field")),
            row("attributes in a SET", of(&version, &name, &key, &set(&[])), Err("tag 0x31 where 0xa0")),
            row(
                "attributes in a primitive tag",
                of(&version, &name, &key, &[0x80, 0]),
                Err("tag 0x80 where 0xa0"),
            ),
            row(
                "a fifth field",
                of(&version, &name, &key, &[&none[..], &null()].concat()),
                Err("not valid DER"),
            ),
            row("no key", of(&version, &name, &[], &none), Err("public key cannot be read")),
            row(
                "a key of another kind",
                of(&version, &name, &seq(&[&seq(&[&oid("1.3.101.113")]), &bits(0)]), &none),
                Err("1.3.101.113 is not supported"),
            ),
            row(
                "an RSA key with e = 1",
                of(&version, &name, &rsa_with_exponent(1), &none),
                Err("odd and at least 3"),
            ),
            row("no signature", seq(&[&info, &algorithm]), Err("lacks a field")),
            row("no algorithm", seq(&[&info, &bits(0)]), Err("tag 0x03 where 0x30")),
            row("a signature with unused bits", seq(&[&info, &algorithm, &bits(3)]), Err("no unused bits")),
            row(
                "a signature in an OCTET STRING",
                seq(&[&info, &algorithm, &tlv(4, &[b"s"])]),
                Err("tag 0x04 where 0x03"),
            ),
            row("a fourth part", seq(&[&info, &algorithm, &bits(0), &null()]), Err("not valid DER")),
            row(
                "a signature by another family",
                signed(&info, SignatureAlgorithm::Ed25519),
                Err("P-256 key and a signature Ed25519"),
            ),
            row(
                "RSA by an elliptic key",
                signed(&info, SignatureAlgorithm::RsaPssSha256),
                Err("P-256 key and a signature rsassaPss-SHA256"),
            ),
            row("a hash of another size", signed(&info, SignatureAlgorithm::EcdsaSha512), TAKEN),
            row("nothing in it", seq(&[]), Err("lacks a field")),
            row("a certificate", crate::certificates::good(), Err("tag 0xa0 where 0x02")),
            row("a Subject in text", printable("CN=a"), Err("tag 0x13 where 0x30")),
        ],
        read,
    );
}

#[test]
fn armour() {
    let der = good();
    let text = |label: &str| pem::encode(label, &der);
    let block = text("CERTIFICATE REQUEST");
    let row = |what, text: String, verdict| row(what, text.into_bytes(), verdict);
    check(
        &[
            row("a request", block.clone(), TAKEN),
            row("the older label", text("NEW CERTIFICATE REQUEST"), TAKEN),
            row("words before it", format!("Certificate Request:\n    Data\n{block}"), TAKEN),
            row("blanks after it", format!("{block}\r\n\t \n"), TAKEN),
            row("carriage returns", block.replace('\n', "\r\n"), TAKEN),
            row("words after it", format!("{block}more"), Err("text after the block")),
            row("twice", block.repeat(2), Err("more than one pem block")),
            row("a certificate's label", text("CERTIFICATE"), Err("labelled \"CERTIFICATE\"")),
            row("a key's label", text("PRIVATE KEY"), Err("labelled \"PRIVATE KEY\"")),
            row("a label in lower case", block.to_lowercase(), Err("not valid DER")),
            row(
                "another label at the end",
                block.replace("END CERTIFICATE REQUEST", "END CERTIFICATE"),
                Err("damaged"),
            ),
            row("no end", block.replace("-----END CERTIFICATE REQUEST-----", ""), Err("no end line")),
            row("an end that is cut", block.trim_end().trim_end_matches('-').into(), Err("cut short")),
            row(
                "nothing between",
                "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n".into(),
                Err("pem"),
            ),
            row("no base64", block.replace("MI", "\u{fc}!"), Err("damaged")),
            row("a character less", block.replacen("MI", "M", 1), Err("damaged")),
            row(
                "a header (RFC 1421)",
                block.replacen("\n", "\nProc-Type: 4,ENCRYPTED\n\n", 1),
                Err("damaged"),
            ),
            row("nothing", String::new(), Err("lacks a field")),
            row("text", "please certify a.example".into(), Err("not valid DER")),
        ],
        read,
    );
}
