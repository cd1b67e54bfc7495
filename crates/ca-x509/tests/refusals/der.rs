//! What is not DER, or not all there, or too much.

use ca_x509::DecodeError;
use ca_x509::certificate::{Certificate, TbsCertificate};
use ca_x509::crl::CertificateList;
use ca_x509::key::PublicKey;
use ca_x509::name::DistinguishedName;
use ca_x509::ocsp::{OcspRequest, OcspResponse};
use ca_x509::request::CertificationRequest;

use crate::write::{p256, seq, tlv};
use crate::{Verdict, certificates, keys, lists, ocsp, requests};

type Reader = (&'static str, fn(&[u8]) -> bool, fn() -> Vec<u8>);

/// Every reader that strangers reach: whether it takes an input, and one that it takes.
const READERS: [Reader; 9] = [
    ("request", |der| CertificationRequest::parse(der).is_ok(), requests::good),
    ("certificate", |der| Certificate::parse(der).is_ok(), certificates::good),
    ("tbs certificate", |der| TbsCertificate::decode(der).is_ok(), certificates::good_tbs),
    ("list", |der| CertificateList::parse(der).is_ok(), lists::good),
    ("ocsp request", |der| OcspRequest::parse(der).is_ok(), ocsp::good),
    ("ocsp response", |der| OcspResponse::parse(der).is_ok(), ocsp::good_response),
    ("name", |der| DistinguishedName::from_der(der).is_ok(), certificates::good_name),
    ("key", |der| PublicKey::from_spki_der(der).is_ok(), p256),
    ("rsa key", |der| PublicKey::from_spki_der(der).is_ok(), keys::good_rsa),
];

/// SEQUENCEs in each other, `depth` of them.
fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(Vec::new(), |inner, _| seq(&[&inner]))
}

#[test]
fn the_good_is_taken() {
    for (reader, takes, good) in READERS {
        assert!(takes(&good()), "{reader}");
    }
}

/// The same octets under another length, or beside others.
#[test]
fn lengths_and_wrappings() {
    type Change = fn(&[u8]) -> Vec<u8>;
    const LONG: usize = 0x100;
    let rows: [(&str, Change); 28] = [
        ("nothing", |_| vec![]),
        ("identifier octet alone", |_| vec![0x30]),
        ("length octet missing its octets", |_| vec![0x30, 0x82]),
        ("length octet 0xff (X.690 §8.1.3.5)", |good| [&[0x30, 0xff][..], content(good)].concat()),
        ("indefinite length", |good| [&[0x30, 0x80][..], content(good), &[0, 0]].concat()),
        ("indefinite length, no end", |good| [&[0x30, 0x80][..], content(good)].concat()),
        ("length in one octet more than it needs", |good| relength(good, 1)),
        ("length in two octets more", |good| relength(good, 2)),
        ("length of 2^31 - 1", |good| [&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff][..], content(good)].concat()),
        ("length of 2^31", |good| [&[0x30, 0x84, 0x80, 0, 0, 0][..], content(good)].concat()),
        ("length of 2^32 - 1", |good| [&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..], content(good)].concat()),
        ("length of 2^32", |good| [&[0x30, 0x85, 1, 0, 0, 0, 0][..], content(good)].concat()),
        ("length of 2^64 - 1", |good| [&[0x30, 0x88][..], &[0xff; 8], content(good)].concat()),
        ("length in 126 octets", |good| [&[0x30, 0xfe][..], &[0; 126], content(good)].concat()),
        ("one octet less than the length", |good| good[..good.len() - 1].to_vec()),
        ("half of it", |good| good[..good.len() / 2].to_vec()),
        ("a zero octet after it", |good| [good, &[0]].concat()),
        ("end of contents after it", |good| [good, &[0, 0]].concat()),
        ("itself after it", |good| good.repeat(2)),
        ("a line feed after it", |good| [good, b"\n"].concat()),
        ("a zero octet before it", |good| [&[0][..], good].concat()),
        ("an element more in it", |good| tlv(0x30, &[content(good), &[5, 0]])),
        ("a SEQUENCE around it", |good| seq(&[good])),
        ("a SET in its place", |good| tlv(0x31, &[content(good)])),
        ("an OCTET STRING around it", |good| tlv(4, &[good])),
        ("a primitive SEQUENCE", |good| tlv(0x10, &[content(good)])),
        ("identifier in two octets", |good| [&[0x3f, 0x10][..], &good[1..]].concat()),
        ("zeros", |_| vec![0; LONG]),
    ];
    let mut faults = Vec::new();
    for (reader, takes, good) in READERS {
        for (what, change) in rows {
            if takes(&change(&good())) {
                faults.push(format!("{reader}: {what}"));
            }
        }
    }
    assert!(faults.is_empty(), "taken: {faults:#?}");
}

#[test]
fn deep_nesting_is_refused_without_recursion() {
    let deep = nested(10_000);
    let indefinite = [[0x30, 0x80].repeat(10_000), [0, 0].repeat(10_000)].concat();
    let explicit = (0..10_000).fold(vec![5, 0], |inner, _| tlv(0xa0, &[&inner]));
    for (reader, takes, _) in READERS {
        assert!(!takes(&deep) && !takes(&indefinite) && !takes(&explicit), "{reader}");
    }
}

#[test]
fn every_prefix_is_refused() {
    for (reader, takes, good) in READERS {
        let good = good();
        for length in 0..good.len() {
            assert!(!takes(&good[..length]), "{reader}: the first {length} of {} octets", good.len());
        }
    }
}

/// Where a value may be empty, by its place in the tree; emptied anywhere else, the whole is refused. Every value is
/// tried, constructed or not, and what stands in an OCTET STRING too.
#[test]
fn an_empty_value_is_refused_wherever_it_may_not_be() {
    let right: [(&str, &[&str]); 9] = [
        // The subject, and its common name, which `DistinguishedName::check` refuses; no attributes; an
        // extensionRequest that asks for nothing.
        ("request", &["0.1 30", "0.1.0.0.1 0c", "0.3 a0", "0.3.0.1.0 30"]),
        // Issuer and subject are names, and the lint looks at them. An authority key identifier has no field that
        // must be, and a stranger's may name no key; cA is false by default; a constraint to "" permits every name.
        (
            "certificate",
            &[
                "0.3 30",
                "0.3.0.0.1 0c",
                "0.5 30",
                "0.5.0.0.1 0c",
                "0.7.0.1.1.0 30",
                "0.7.0.1.1.0.0 80",
                "0.7.0.2.2.0 30",
                "0.7.0.3.2.0.0.0.0 82",
            ],
        ),
        ("tbs certificate", &["3 30", "3.0.0.1 0c", "5.0.0.1 0c", "7.0.3.2.0.0.0.0 82"]),
        ("list", &["0.2 30", "0.2.0.0.1 0c"]),
        // Hashes of no octets are no CA's, and are answered so.
        ("ocsp request", &["0.0.0.0.1 04", "0.0.0.0.2 04"]),
        ("ocsp response", &["1.0.1.0.0.2.0.0.1 04", "1.0.1.0.0.2.0.0.2 04"]),
        ("name", &[" 30", "0.0.1 0c"]),
        ("key", &[]),
        ("rsa key", &[]),
    ];
    let mut faults = Vec::new();
    for ((reader, takes, good), (_, right)) in READERS.into_iter().zip(right) {
        let good = good();
        let places = places(&good, &[]).into_iter().filter(|place| takes(&emptied(&good, place)));
        let taken: Vec<String> = places.map(|place| told_place(&good, &place)).collect();
        if taken != right {
            faults.push(format!("{reader}: {taken:?}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// One bit at a time: no reader panics, and what a strict one still takes is what it would write itself.
#[test]
fn every_flipped_bit_is_refused_or_read_as_it_stands() {
    type Again = fn(&[u8]) -> Option<Vec<u8>>;
    let strict: [(&str, Again); 4] = [
        ("tbs certificate", |der| TbsCertificate::decode(der).ok().map(|tbs| tbs.encode().unwrap())),
        ("name", |der| DistinguishedName::from_der(der).ok().map(|name| name.as_der().to_vec())),
        ("key", |der| PublicKey::from_spki_der(der).ok().map(|key| key.spki_der().to_vec())),
        ("rsa key", |der| PublicKey::from_spki_der(der).ok().map(|key| key.spki_der().to_vec())),
    ];
    for (reader, takes, good) in READERS {
        let good = good();
        let again = strict.iter().find(|(name, _)| *name == reader).map(|(_, again)| again);
        for bit in 0..8 * good.len() {
            let mut flipped = good.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if takes(&flipped)
                && let Some(again) = again
            {
                assert_eq!(again(&flipped).as_ref(), Some(&flipped), "{reader}: bit {bit}");
            }
        }
    }
}

#[test]
fn limits_of_size() {
    let over = |max: usize| tlv(0x30, &[&vec![5; max]]);
    let rows: [(&str, Result<(), DecodeError>, Verdict); 5] = [
        ("name of 4 KiB and more", DistinguishedName::from_der(&over(4096)).map(drop), Err("at most 4096")),
        (
            "certificate of 128 KiB and more",
            Certificate::parse(&over(131_072)).map(drop),
            Err("at most 131072"),
        ),
        ("ocsp request of 4 KiB and more", OcspRequest::parse(&over(4096)).map(drop), Err("at most 4096")),
        (
            "ocsp response of 64 KiB and more",
            OcspResponse::parse(&over(65_536)).map(drop),
            Err("at most 65536"),
        ),
        ("tbs of 128 KiB and more", TbsCertificate::decode(&over(131_072)).map(drop), Err("at most 131072")),
    ];
    for (what, got, expected) in rows {
        assert!(got.unwrap_err().to_string().contains(expected.unwrap_err()), "{what}");
    }
}

/// The content octets of the one value in `der`.
fn content(der: &[u8]) -> &[u8] {
    elements(der).unwrap()[0].1
}

/// The same value with its length in so many octets more.
fn relength(der: &[u8], more: usize) -> Vec<u8> {
    let content = content(der);
    let length = content.len().to_be_bytes();
    let used = length.iter().position(|octet| *octet != 0).unwrap();
    let needed = if content.len() < 0x80 { 0 } else { length.len() - used };
    let octets = &length[length.len() - needed - more..];
    [&[0x30, 0x80 | u8::try_from(octets.len()).unwrap()][..], octets, content].concat()
}

/// Identifier octet, content and whole of one value.
type Element<'a> = (u8, &'a [u8], &'a [u8]);

/// The values in a row, if the octets are one.
fn elements(mut octets: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut row = Vec::new();
    while let [tag, first, ..] = octets {
        let count = usize::from(first & 0x7f);
        let (start, length) = if *first < 0x80 {
            (2, count)
        } else {
            let digits = octets.get(2..2 + count).filter(|digits| (1..=4).contains(&digits.len()))?;
            (2 + count, digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)))
        };
        row.push((*tag, octets.get(start..start + length)?, &octets[..start + length]));
        octets = &octets[start + length..];
    }
    octets.is_empty().then_some(row)
}

/// Whether a value has values in it: constructed, or an OCTET STRING that holds DER.
fn is_opened(tag: u8, content: &[u8]) -> bool {
    tag & 0x20 != 0 || tag == 4 && content.first() == Some(&0x30) && elements(content).is_some()
}

/// The places of all values that are not empty, first itself.
fn places(octets: &[u8], at: &[usize]) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    for (place, (tag, content, _)) in elements(octets).unwrap().into_iter().enumerate() {
        let path = [at, &[place]].concat();
        if !content.is_empty() {
            found.push(path.clone());
        }
        if is_opened(tag, content) {
            found.extend(places(content, &path));
        }
    }
    found
}

/// With nothing in the value at this place.
fn emptied(octets: &[u8], path: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    for (place, (tag, content, whole)) in elements(octets).unwrap().into_iter().enumerate() {
        match path {
            [here] if *here == place => out.extend([tag, 0]),
            [here, rest @ ..] if *here == place => out.extend(tlv(tag, &[&emptied(content, rest)])),
            _ => out.extend(whole),
        }
    }
    out
}

/// A place as people read it: the way through the tree, and the tag there.
fn told_place(octets: &[u8], path: &[usize]) -> String {
    let tag = path.iter().fold((0, octets), |(_, content), place| {
        let (tag, content, _) = elements(content).unwrap()[*place];
        (tag, content)
    });
    let way: Vec<String> = path.iter().skip(1).map(usize::to_string).collect();
    format!("{} {:02x}", way.join("."), tag.0)
}
