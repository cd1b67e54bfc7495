//! OCSP: requests of strangers, and answers as a client reads them.

use ca_x509::DecodeError;
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::ocsp::{HashAlgorithm, OcspRequest, OcspResponse, assemble_response};
use ca_x509::serial::SerialNumber;

use crate::write::{extension, int, null, octets, oid, seq, tlv};
use crate::{TAKEN, Verdict, check};

const SHA1: &str = "1.3.14.3.2.26";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const NONCE: &str = "1.3.6.1.5.5.7.48.1.2";

pub(crate) fn good() -> Vec<u8> {
    request(&[&id(SHA1, 20, &[5])], &[&extension(NONCE, &octets(&[7; 32]))])
}

pub(crate) fn good_response() -> Vec<u8> {
    answer(&tlv(0x80, &[]), &[])
}

fn id(hash: &str, length: usize, serial: &[u8]) -> Vec<u8> {
    id_of(&seq(&[&oid(hash), &null()]), length, &int(serial))
}

fn id_of(algorithm: &[u8], length: usize, serial: &[u8]) -> Vec<u8> {
    seq(&[algorithm, &octets(&vec![1; length]), &octets(&vec![2; length]), serial])
}

fn request(ids: &[&[u8]], extensions: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> = ids.iter().flat_map(|id| seq(&[id])).collect();
    let extensions = if extensions.is_empty() { vec![] } else { tlv(0xa2, &[&seq(extensions)]) };
    whole(&[&seq(&[&list]), &extensions])
}

/// A request with these fields in its TBSRequest.
fn whole(fields: &[&[u8]]) -> Vec<u8> {
    seq(&[&seq(fields)])
}

fn row(what: &'static str, der: Vec<u8>, verdict: Verdict) -> (&'static str, Box<[u8]>, Verdict) {
    (what, der.into(), verdict)
}

fn read(der: &[u8]) -> Result<(), DecodeError> {
    OcspRequest::parse(der).map(drop)
}

#[test]
fn counts_of_ids() {
    let id = id(SHA1, 20, &[5]);
    let count = |count: usize| request(&vec![&id[..]; count], &[]);
    check(
        &[
            row("0", count(0), Err("certificate ids lacks a field")),
            row("1", count(1), TAKEN),
            row("10", count(10), TAKEN),
            row("11", count(11), Err("more than 10 certificate ids")),
            row("60", count(60), Err("more than 10 certificate ids")),
            row("10,000", count(10_000), Err("at most 4096 are read")),
        ],
        read,
    );
}

#[test]
fn nonces() {
    let id = id(SHA1, 20, &[5]);
    let nonce = |length: usize| extension(NONCE, &octets(&vec![7; length]));
    let with = |extensions: &[&[u8]]| request(&[&id], extensions);
    check(
        &[
            row("none", with(&[]), TAKEN),
            row("0 octets", with(&[&nonce(0)]), Err("1 to 128 octets")),
            row("1 octet", with(&[&nonce(1)]), TAKEN),
            row("32 octets", with(&[&nonce(32)]), TAKEN),
            row("128 octets", with(&[&nonce(128)]), TAKEN),
            row("129 octets", with(&[&nonce(129)]), Err("1 to 128 octets")),
            row("4,000 octets", with(&[&nonce(4_000)]), Err("at most 4096 are read")),
            row("two of them", with(&[&nonce(8), &nonce(8)]), Err("1.3.6.1.5.5.7.48.1.2 occurs twice")),
            row("bare octets", with(&[&extension(NONCE, &[7; 8])]), Err("nonce")),
            row("an INTEGER", with(&[&extension(NONCE, &int(&[7]))]), Err("tag 0x02 where 0x04")),
            row(
                "octets after it",
                with(&[&extension(NONCE, &[octets(&[7]), vec![0]].concat())]),
                Err("not valid DER"),
            ),
            row("an empty value", with(&[&extension(NONCE, &[])]), Err("lacks a field")),
        ],
        read,
    );
}

/// Whatever is asked with a well-formed CertID is answered; that no certificate has the serial is part of the answer.
#[test]
fn ids() {
    let sha1 = seq(&[&oid(SHA1), &null()]);
    let one = |id: Vec<u8>| request(&[&id], &[]);
    check(
        &[
            row("SHA-1", one(id(SHA1, 20, &[5])), TAKEN),
            row("SHA-1 without NULL", one(id_of(&seq(&[&oid(SHA1)]), 20, &int(&[5]))), TAKEN),
            row("SHA-256", one(id(SHA256, 32, &[5])), TAKEN),
            row("an unknown hash", one(id("1.2.3.4", 20, &[5])), TAKEN),
            row("MD5", one(id("1.2.840.113549.2.5", 16, &[5])), TAKEN),
            row("strange parameters", one(id_of(&seq(&[&oid(SHA1), &int(&[1])]), 20, &int(&[5]))), TAKEN),
            row("hashes of no octets", one(id(SHA1, 0, &[5])), TAKEN),
            row("hashes of 19 octets", one(id(SHA1, 19, &[5])), TAKEN),
            row("serial 0", one(id(SHA1, 20, &[0])), TAKEN),
            row("serial -1", one(id(SHA1, 20, &[0xff])), TAKEN),
            row("a negative serial of 20 octets", one(id(SHA1, 20, &[0x80; 20])), TAKEN),
            row("a serial of 20 octets", one(id(SHA1, 20, &[0x7f; 20])), TAKEN),
            row("a serial of 21 octets", one(id(SHA1, 20, &[1; 21])), TAKEN),
            row("a serial of 2,000 octets", one(id(SHA1, 20, &[1; 2000])), TAKEN),
            row("a serial without octets", one(id(SHA1, 20, &[])), Err("at least one octet")),
            row("a serial with a zero too many", one(id(SHA1, 20, &[0, 5])), Err("minimal")),
            row(
                "a serial in an OCTET STRING",
                one(id_of(&sha1, 20, &octets(&[5]))),
                Err("tag 0x04 where 0x02"),
            ),
            row("no serial", one(id_of(&sha1, 20, &[])), Err("lacks a field")),
            row("a fifth field", one(id_of(&sha1, 20, &[int(&[5]), null()].concat())), Err("not valid DER")),
            row("no algorithm", one(id_of(&seq(&[]), 20, &int(&[5]))), Err("lacks a field")),
            row(
                "parameters twice",
                one(id_of(&seq(&[&oid(SHA1), &null(), &null()]), 20, &int(&[5]))),
                Err("not valid DER"),
            ),
            row("an empty id", one(seq(&[])), Err("lacks a field")),
        ],
        read,
    );
}

#[test]
fn i8_ids_that_no_certificate_has_have_no_serial_number() {
    for (serial, expected) in [
        (&[5][..], SerialNumber::from_be_bytes(&[5]).ok()),
        (&[0x7f; 20], SerialNumber::from_be_bytes(&[0x7f; 20]).ok()),
        (&[0], None),
        (&[0xff], None),
        (&[0x80; 20], None),
        (&[1; 21], None),
    ] {
        let asked = OcspRequest::parse(&request(&[&id(SHA1, 20, serial)], &[])).unwrap();
        assert_eq!(asked.cert_ids[0].serial_number(), expected, "{serial:02x?}");
    }
    for (hash, expected) in
        [(SHA1, HashAlgorithm::Sha1), (SHA256, HashAlgorithm::Sha256), ("1.2.3", HashAlgorithm::Other)]
    {
        let asked = OcspRequest::parse(&request(&[&id(hash, 20, &[5])], &[])).unwrap();
        assert_eq!(asked.cert_ids[0].hash, expected, "{hash}");
    }
}

#[test]
fn fields() {
    let list = seq(&[&seq(&[&id(SHA1, 20, &[5])])]);
    let critical = |kind: &str| seq(&[&oid(kind), &[1, 1, 0xff], &octets(&null())]);
    let requestor = tlv(0xa1, &[&tlv(0x82, &[b"a"])]);
    let single =
        |extension: &[u8]| whole(&[&seq(&[&seq(&[&id(SHA1, 20, &[5]), &tlv(0xa0, &[&seq(&[extension])])])])]);
    check(
        &[
            row("a list alone", whole(&[&list]), TAKEN),
            row("version 1, which is the default", whole(&[&tlv(0xa0, &[&int(&[0])]), &list]), TAKEN),
            row("version 2", whole(&[&tlv(0xa0, &[&int(&[1])]), &list]), Err("version 1, expected 0")),
            row("a requestor", whole(&[&requestor, &list]), TAKEN),
            row("a signature", seq(&[&seq(&[&list]), &tlv(0xa0, &[&seq(&[])])]), TAKEN),
            row("two signatures", seq(&[&seq(&[&list]), &tlv(0xa0, &[]).repeat(2)]), Err("not valid DER")),
            row(
                "an unknown extension",
                whole(&[&list, &tlv(0xa2, &[&seq(&[&extension("1.2.3", b"?")])])]),
                TAKEN,
            ),
            row(
                "an unknown critical one",
                whole(&[&list, &tlv(0xa2, &[&seq(&[&critical("1.2.3")])])]),
                Err("extension 1.2.3 is not known"),
            ),
            row(
                "no extension in the list of them",
                whole(&[&list, &tlv(0xa2, &[&seq(&[])])]),
                Err("extensions lacks a field"),
            ),
            row("an extension of one id", single(&extension("1.2.3", b"?")), TAKEN),
            row("a critical one", single(&critical("1.2.3")), Err("extension 1.2.3 is not known")),
            row("fields out of order", whole(&[&list, &requestor]), Err("not valid DER")),
            row("no list", whole(&[]), Err("lacks a field")),
            row("nothing", seq(&[]), Err("lacks a field")),
            row("a response", good_response(), Err("tag 0x0a where 0x30")),
        ],
        read,
    );
}

/// A response with this status of one certificate, and these extensions of the whole.
fn answer(status: &[u8], extensions: &[&[u8]]) -> Vec<u8> {
    let time = tlv(0x18, &[b"20261122000000Z"]);
    let single = seq(&[&id(SHA1, 20, &[5]), status, &time]);
    let extensions = if extensions.is_empty() { vec![] } else { tlv(0xa1, &[&seq(extensions)]) };
    let data = seq(&[&tlv(0xa2, &[&octets(&[3; 20])]), &time, &seq(&[&single]), &extensions]);
    assemble_response(&data, SignatureAlgorithm::Ed25519, b"signature", &[])
}

#[test]
fn answers() {
    let revoked = |time: &[u8], reason: &[u8]| answer(&tlv(0xa1, &[&tlv(0x18, &[time]), reason]), &[]);
    let reason = |code: u8| tlv(0xa0, &[&tlv(0x0a, &[&[code]])]);
    let time = b"20261122000000Z";
    check(
        &[
            row("good", good_response(), TAKEN),
            row("unknown", answer(&tlv(0x82, &[]), &[]), TAKEN),
            row("revoked", revoked(time, &[]), TAKEN),
            row("revoked for key compromise", revoked(time, &reason(1)), TAKEN),
            row("revoked for removal", revoked(time, &reason(8)), Err("but removeFromCRL")),
            row(
                "revoked for a reason that does not exist",
                revoked(time, &reason(7)),
                Err("one of RFC 5280"),
            ),
            row("revoked for reason 11", revoked(time, &reason(11)), Err("one of RFC 5280")),
            row("revoked without a time", answer(&tlv(0xa1, &[]), &[]), Err("lacks a field")),
            row(
                "revoked at a UTCTime",
                answer(&tlv(0xa1, &[&tlv(0x17, &[b"261122000000Z"])]), &[]),
                Err("tag 0x17 where 0x18"),
            ),
            row("revoked with a fraction", revoked(b"20261122000000.5Z", &[]), Err("time is not valid DER")),
            row("revoked in another zone", revoked(b"20261122000000+01", &[]), Err("time is not valid DER")),
            row("revoked on 31 February", revoked(b"20260231000000Z", &[]), Err("time is not valid DER")),
            row("good with content", answer(&tlv(0x80, &[&[0]]), &[]), Err("NULL is empty")),
            row("a constructed good", answer(&tlv(0xa0, &[]), &[]), Err("tag 0xa0 where 0x82")),
            row("another status", answer(&tlv(0x83, &[]), &[]), Err("tag 0x83 where 0x82")),
            row(
                "a nonce of no octets",
                answer(&tlv(0x80, &[]), &[&extension(NONCE, &octets(&[]))]),
                Err("1 to 128"),
            ),
            row("tryLater", seq(&[&[0x0a, 1, 3]]), TAKEN),
            row("status 4, which is not used", seq(&[&[0x0a, 1, 4]]), Err("one of RFC 6960 §4.2.1")),
            row("status 7", seq(&[&[0x0a, 1, 7]]), Err("one of RFC 6960 §4.2.1")),
            row("a negative status", seq(&[&[0x0a, 1, 0xff]]), Err("not in 0..=255")),
            row("success without an answer", seq(&[&[0x0a, 1, 0]]), Err("lacks a field")),
            row("an error with an answer", seq(&[&[0x0a, 1, 3], &tlv(0xa0, &[])]), Err("not valid DER")),
            row(
                "an answer of another type",
                seq(&[&[0x0a, 1, 0], &tlv(0xa0, &[&seq(&[&oid("1.2.3"), &octets(&[])])])]),
                Err("id-pkix-ocsp-basic"),
            ),
        ],
        |der| OcspResponse::parse(der).map(drop),
    );
}
