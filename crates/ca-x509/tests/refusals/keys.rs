//! Keys and signature algorithms. That a point is on its curve is not seen here: whoever verifies with the key
//! finds out, and the issuing CA verifies the request's signature with it.

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::PublicKey;

use crate::write::{bits, ec, int, null, octets, oid, p256, seq, tlv};
use crate::{TAKEN, Verdict, check};

const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";

fn row(what: &'static str, spki: Vec<u8>, verdict: Verdict) -> (&'static str, Box<[u8]>, Verdict) {
    (what, spki.into(), verdict)
}

/// An odd number of so many octets, with this first one.
fn odd(first: u8, length: usize) -> Vec<u8> {
    let mut octets = vec![0xc5; length];
    octets[0] = first;
    octets
}

/// With the zero octet that keeps it positive.
fn positive(octets: &[u8]) -> Vec<u8> {
    if octets[0] < 0x80 { int(octets) } else { int(&[&[0], octets].concat()) }
}

pub(crate) fn good_rsa() -> Vec<u8> {
    rsa(&positive(&odd(0xc5, 256)), &int(&[1, 0, 1]))
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    rsa_of(&null(), &seq(&[modulus, exponent]))
}

fn rsa_of(parameters: &[u8], key: &[u8]) -> Vec<u8> {
    seq(&[&seq(&[&oid("1.2.840.113549.1.1.1"), parameters]), &bits(key)])
}

fn plain(algorithm: &str, parameters: &[u8], key: &[u8]) -> Vec<u8> {
    seq(&[&seq(&[&oid(algorithm), parameters]), &bits(key)])
}

fn read(spki: &[u8]) -> Result<(), ca_x509::key::KeyError> {
    PublicKey::from_spki_der(spki)?.check()
}

#[test]
fn curves() {
    let point = |first, length| [&[first][..], &vec![9; length]].concat();
    let explicit = seq(&[&int(&[1]), &seq(&[])]);
    check(
        &[
            row("P-256", p256(), TAKEN),
            row("a point off the curve: the verifier's", ec(P256, &point(4, 64)), TAKEN),
            row("P-384", ec(P384, &point(4, 96)), TAKEN),
            row("P-521", ec(P521, &point(4, 132)), TAKEN),
            row("compressed, even", ec(P256, &point(2, 32)), Err("octet 0x02, expected 0x04")),
            row("compressed, odd", ec(P256, &point(3, 32)), Err("octet 0x03, expected 0x04")),
            row("the point at infinity", ec(P256, &[0]), Err("octet 0x00, expected 0x04")),
            row("hybrid, even", ec(P256, &point(6, 64)), Err("octet 0x06, expected 0x04")),
            row("hybrid, odd", ec(P256, &point(7, 64)), Err("octet 0x07, expected 0x04")),
            row("no point", ec(P256, &[]), Err("octet 0x00, expected 0x04")),
            row("an octet too few", ec(P256, &point(4, 63)), Err("P-256 key has 64 octets, expected 65")),
            row("an octet too many", ec(P256, &point(4, 65)), Err("P-256 key has 66 octets, expected 65")),
            row("a point of P-384 on P-256", ec(P256, &point(4, 96)), Err("97 octets, expected 65")),
            row("a point of P-256 on P-384", ec(P384, &point(4, 64)), Err("65 octets, expected 97")),
            row("a point of P-384 on P-521", ec(P521, &point(4, 96)), Err("97 octets, expected 133")),
            row("P-192", ec("1.2.840.10045.3.1.1", &point(4, 48)), Err("curve 1.2.840.10045.3.1.1 is not")),
            row("P-224", ec("1.3.132.0.33", &point(4, 56)), Err("curve 1.3.132.0.33 is not")),
            row("secp256k1", ec("1.3.132.0.10", &point(4, 64)), Err("curve 1.3.132.0.10 is not")),
            row(
                "brainpool",
                ec("1.3.36.3.3.2.8.1.1.7", &point(4, 64)),
                Err("curve 1.3.36.3.3.2.8.1.1.7 is not"),
            ),
            row("explicit parameters", plain("1.2.840.10045.2.1", &explicit, &point(4, 64)), Err("tag 0x30")),
            row("implicit curve", plain("1.2.840.10045.2.1", &null(), &point(4, 64)), Err("tag 0x05")),
            row("no curve", plain("1.2.840.10045.2.1", &[], &point(4, 64)), Err("lacks a field")),
            row(
                "two curves",
                plain("1.2.840.10045.2.1", &oid(P256).repeat(2), &point(4, 64)),
                Err("not valid DER"),
            ),
            row("a point in an OCTET STRING", ec(P256, &octets(&point(4, 64))), Err("expected 65")),
        ],
        read,
    );
}

#[test]
fn rsa_keys() {
    let modulus = positive(&odd(0xc5, 256));
    let e = int(&[1, 0, 1]);
    let even = [&odd(0xc5, 255)[..], &[0xc4]].concat();
    check(
        &[
            row("2048 bits", rsa(&modulus, &e), TAKEN),
            row("1024 bits: policy refuses", rsa(&positive(&odd(0xc5, 128)), &e), TAKEN),
            row("2047 bits: policy refuses", rsa(&positive(&odd(0x45, 256)), &e), TAKEN),
            row("4096 bits", rsa(&positive(&odd(0xc5, 512)), &e), TAKEN),
            row("16,384 bits", rsa(&positive(&odd(0xc5, 2048)), &e), TAKEN),
            row(
                "16,385 bits",
                rsa(&positive(&odd(1, 2049)), &e),
                Err("16385 bits, at least 1 and at most 16384"),
            ),
            row("65,537 bits", rsa(&positive(&odd(1, 8193)), &e), Err("65537 bits")),
            row("a modulus of zero", rsa(&int(&[0]), &e), Err("0 bits")),
            row("a modulus of one", rsa(&int(&[1]), &int(&[1])), Err("odd and at least 3")),
            row("a negative modulus", rsa(&int(&odd(0xc5, 256)), &e), Err("negative")),
            row(
                "a modulus with a zero too many",
                rsa(&int(&[&[0, 0][..], &odd(0xc5, 256)].concat()), &e),
                Err("minimal"),
            ),
            row("a modulus without octets", rsa(&int(&[]), &e), Err("at least one octet")),
            row("an even modulus", rsa(&positive(&even), &e), Err("the modulus is odd")),
            row("e = 0", rsa(&modulus, &int(&[0])), Err("exponent has 0 octets")),
            row("e = 1", rsa(&modulus, &int(&[1])), Err("odd and at least 3")),
            row("e = 2", rsa(&modulus, &int(&[2])), Err("odd and at least 3")),
            row("e = 3: policy refuses", rsa(&modulus, &int(&[3])), TAKEN),
            row("e = 65,536", rsa(&modulus, &int(&[1, 0, 0])), Err("odd and at least 3")),
            row(
                "e = 2^256 + 1: policy refuses",
                rsa(&modulus, &int(&[&[1][..], &[0; 31], &[1]].concat())),
                TAKEN,
            ),
            row("e = -1", rsa(&modulus, &int(&[0xff])), Err("negative")),
            row("e with a zero too many", rsa(&modulus, &int(&[0, 1, 0, 1])), Err("minimal")),
            row("e = n", rsa(&modulus, &modulus), Err("below the modulus")),
            row(
                "e longer than n",
                rsa(&modulus, &positive(&odd(0xc5, 257))),
                Err("257 octets, at least 1 and at most 256"),
            ),
            row("no e", rsa_of(&null(), &seq(&[&modulus])), Err("lacks a field")),
            row("a third number", rsa_of(&null(), &seq(&[&modulus, &e, &e])), Err("not valid DER")),
            row("an empty RSAPublicKey", rsa_of(&null(), &seq(&[])), Err("lacks a field")),
            row("no RSAPublicKey", rsa_of(&null(), &[]), Err("lacks a field")),
            row(
                "octets after it",
                rsa_of(&null(), &[seq(&[&modulus, &e]), vec![0]].concat()),
                Err("not valid DER"),
            ),
            row("absent parameters", rsa_of(&[], &seq(&[&modulus, &e])), Err("lacks a field")),
            row("parameters that are a SEQUENCE", rsa_of(&seq(&[]), &seq(&[&modulus, &e])), Err("tag 0x30")),
            row("two NULLs", rsa_of(&null().repeat(2), &seq(&[&modulus, &e])), Err("not valid DER")),
            row("a NULL with an octet", rsa_of(&[5, 1, 0], &seq(&[&modulus, &e])), Err("NULL is empty")),
            row("numbers in a SET", rsa_of(&null(), &tlv(0x31, &[&modulus, &e])), Err("tag 0x31")),
        ],
        read,
    );
}

#[test]
fn other_keys() {
    let unused = |count: u8| seq(&[&seq(&[&oid("1.3.101.112")]), &tlv(3, &[&[count], &[9; 32]])]);
    check(
        &[
            row("Ed25519", plain("1.3.101.112", &[], &[9; 32]), TAKEN),
            row("31 octets", plain("1.3.101.112", &[], &[9; 31]), Err("31 octets, expected 32")),
            row("33 octets", plain("1.3.101.112", &[], &[9; 33]), Err("33 octets, expected 32")),
            row("Ed25519 with NULL", plain("1.3.101.112", &null(), &[9; 32]), Err("not valid DER")),
            row("unused bits", unused(1), Err("no unused bits")),
            row("eight unused bits", unused(8), Err("no unused bits")),
            row("Ed448", plain("1.3.101.113", &[], &[9; 57]), Err("algorithm 1.3.101.113 is not")),
            row("X25519", plain("1.3.101.110", &[], &[9; 32]), Err("algorithm 1.3.101.110 is not")),
            row(
                "RSASSA-PSS only",
                plain("1.2.840.113549.1.1.10", &[], &[9]),
                Err("1.2.840.113549.1.1.10 is not"),
            ),
            row("DSA", plain("1.2.840.10040.4.1", &[], &[9]), Err("1.2.840.10040.4.1 is not")),
            row("Diffie-Hellman", plain("1.2.840.10046.2.1", &[], &[9]), Err("1.2.840.10046.2.1 is not")),
            row(
                "ML-DSA-44",
                plain("2.16.840.1.101.3.4.3.17", &[], &[9]),
                Err("2.16.840.1.101.3.4.3.17 is not"),
            ),
            row(
                "EC for Diffie-Hellman only",
                plain("1.3.132.1.12", &oid(P256), &[4; 65]),
                Err("1.3.132.1.12 is not"),
            ),
            row("no algorithm", seq(&[&seq(&[]), &bits(&[9; 32])]), Err("lacks a field")),
            row("an empty identifier", seq(&[&seq(&[&[6, 0]]), &bits(&[9; 32])]), Err("cut short")),
            row(
                "an identifier that is cut",
                seq(&[&seq(&[&[6, 1, 0x80 | 43]]), &bits(&[9; 32])]),
                Err("cut short"),
            ),
            row(
                "an identifier with a zero",
                seq(&[&seq(&[&[6, 3, 43, 0x80, 1]]), &bits(&[9; 32])]),
                Err("minimal"),
            ),
            row("no key", seq(&[&seq(&[&oid("1.3.101.112")])]), Err("lacks a field")),
            row("an empty BIT STRING", seq(&[&seq(&[&oid("1.3.101.112")]), &[3, 0]]), Err("no unused bits")),
            row(
                "a BIT STRING in parts",
                seq(&[&seq(&[&oid("1.3.101.112")]), &tlv(0x23, &[&bits(&[9; 32])])]),
                Err("not valid DER"),
            ),
            row("an OCTET STRING", seq(&[&seq(&[&oid("1.3.101.112")]), &octets(&[9; 32])]), Err("tag 0x04")),
            row(
                "a private key",
                seq(&[&int(&[0]), &seq(&[&oid("1.3.101.112")]), &octets(&[9; 34])]),
                Err("tag 0x02"),
            ),
        ],
        read,
    );
}

/// RSASSA-PSS-params.
fn pss(hash: &str, mask: &str, salt: u8) -> Vec<u8> {
    let digest = |hash| seq(&[&oid(hash), &null()]);
    seq(&[
        &oid("1.2.840.113549.1.1.10"),
        &seq(&[
            &tlv(0xa0, &[&digest(hash)]),
            &tlv(0xa1, &[&seq(&[&oid("1.2.840.113549.1.1.8"), &digest(mask)])]),
            &tlv(0xa2, &[&int(&[salt])]),
        ]),
    ])
}

#[test]
fn signature_algorithms() {
    const SHA1: &str = "1.3.14.3.2.26";
    const SHA256: &str = "2.16.840.1.101.3.4.2.1";
    const SHA384: &str = "2.16.840.1.101.3.4.2.2";
    const PSS: &str = "signature algorithm 1.2.840.113549.1.1.10 is not supported";
    let with_null = |kind: &str| seq(&[&oid(kind), &null()]);
    let bare = |kind: &str| seq(&[&oid(kind)]);
    check(
        &[
            row("PSS, SHA-256", pss(SHA256, SHA256, 32), TAKEN),
            row("PSS, a salt of 20", pss(SHA256, SHA256, 20), Err(PSS)),
            row("PSS, no salt", pss(SHA256, SHA256, 0), Err(PSS)),
            row("PSS, another hash in the mask", pss(SHA256, SHA384, 32), Err(PSS)),
            row("PSS, SHA-1", pss(SHA1, SHA1, 20), Err(PSS)),
            row("PSS, defaults", seq(&[&oid("1.2.840.113549.1.1.10"), &seq(&[])]), Err(PSS)),
            row("PSS, no parameters", bare("1.2.840.113549.1.1.10"), Err(PSS)),
            row("PKCS #1, SHA-256", with_null("1.2.840.113549.1.1.11"), TAKEN),
            row("PKCS #1, no parameters", bare("1.2.840.113549.1.1.11"), Err("1.2.840.113549.1.1.11 is not")),
            row("PKCS #1, SHA-1", with_null("1.2.840.113549.1.1.5"), Err("1.2.840.113549.1.1.5 is not")),
            row("PKCS #1, MD5", with_null("1.2.840.113549.1.1.4"), Err("1.2.840.113549.1.1.4 is not")),
            row("PKCS #1, MD2", with_null("1.2.840.113549.1.1.2"), Err("1.2.840.113549.1.1.2 is not")),
            row("PKCS #1, SHA-224", with_null("1.2.840.113549.1.1.14"), Err("1.2.840.113549.1.1.14 is not")),
            row("ECDSA, SHA-512", bare("1.2.840.10045.4.3.4"), TAKEN),
            row("ECDSA, SHA-1", bare("1.2.840.10045.4.1"), Err("1.2.840.10045.4.1 is not")),
            row("ECDSA, SHA-224", bare("1.2.840.10045.4.3.1"), Err("1.2.840.10045.4.3.1 is not")),
            row("ECDSA with NULL", with_null("1.2.840.10045.4.3.2"), Err("1.2.840.10045.4.3.2 is not")),
            row("Ed25519", bare("1.3.101.112"), TAKEN),
            row("Ed25519 with NULL", with_null("1.3.101.112"), Err("1.3.101.112 is not")),
            row("Ed448", bare("1.3.101.113"), Err("1.3.101.113 is not")),
            row("DSA, SHA-256", bare("2.16.840.1.101.3.4.3.2"), Err("2.16.840.1.101.3.4.3.2 is not")),
            row(
                "the key's own identifier",
                with_null("1.2.840.113549.1.1.1"),
                Err("1.2.840.113549.1.1.1 is not"),
            ),
            row("nothing", seq(&[]), Err("lacks a field")),
        ],
        |der| SignatureAlgorithm::from_der(der).map(drop),
    );
}
