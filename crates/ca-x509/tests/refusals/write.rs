//! DER as a stranger writes it: whatever is asked for.

use ca_x509::algorithm::SignatureAlgorithm;

pub(crate) const ECDSA: SignatureAlgorithm = SignatureAlgorithm::EcdsaSha256;

pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..=0x7f => out.push(u8::try_from(length).unwrap()),
        _ => {
            let octets = length.to_be_bytes();
            let used = &octets[octets.iter().position(|octet| *octet != 0).unwrap()..];
            out.push(0x80 | u8::try_from(used.len()).unwrap());
            out.extend(used);
        }
    }
    out.extend(content);
    out
}

pub(crate) fn seq(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, parts)
}

pub(crate) fn set(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x31, parts)
}

pub(crate) fn int(content: &[u8]) -> Vec<u8> {
    tlv(2, &[content])
}

pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    tlv(4, &[content])
}

pub(crate) fn bits(content: &[u8]) -> Vec<u8> {
    tlv(3, &[&[0], content])
}

pub(crate) fn null() -> Vec<u8> {
    vec![5, 0]
}

pub(crate) fn utf8(text: &str) -> Vec<u8> {
    tlv(0x0c, &[text.as_bytes()])
}

pub(crate) fn printable(text: &str) -> Vec<u8> {
    tlv(0x13, &[text.as_bytes()])
}

/// OBJECT IDENTIFIER from dotted decimal.
pub(crate) fn oid(text: &str) -> Vec<u8> {
    let arcs: Vec<u64> = text.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = Vec::new();
    let first = [arcs[0] * 40 + arcs[1]];
    for arc in first.iter().chain(&arcs[2..]) {
        let groups = (0..9).rev().map(|place| (arc >> (7 * place)) & 0x7f);
        let groups: Vec<u64> = groups.skip_while(|group| *group == 0).collect();
        let groups = if groups.is_empty() { vec![0] } else { groups };
        for (place, group) in groups.iter().enumerate() {
            let more = if place + 1 == groups.len() { 0 } else { 0x80 };
            content.push(u8::try_from(group | more).unwrap());
        }
    }
    tlv(6, &[&content])
}

/// One attribute of a name in a relative name of its own.
pub(crate) fn attribute(kind: &str, value: &[u8]) -> Vec<u8> {
    set(&[&seq(&[&oid(kind), value])])
}

pub(crate) fn common_name(text: &str) -> Vec<u8> {
    seq(&[&attribute("2.5.4.3", &utf8(text))])
}

pub(crate) fn extension(kind: &str, value: &[u8]) -> Vec<u8> {
    seq(&[&oid(kind), &octets(value)])
}

/// A P-256 key whose point is on its curve: the generator (SEC 2 §2.4.2).
pub(crate) fn p256() -> Vec<u8> {
    let x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    let y = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    ec("1.2.840.10045.3.1.7", &[&[4][..], &hex(x), &hex(y)].concat())
}

pub(crate) fn ec(curve: &str, point: &[u8]) -> Vec<u8> {
    seq(&[&seq(&[&oid("1.2.840.10045.2.1"), &oid(curve)]), &bits(point)])
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|place| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).unwrap())
        .collect()
}

/// What is signed, by `algorithm`, with some signature.
pub(crate) fn signed(body: &[u8], algorithm: SignatureAlgorithm) -> Vec<u8> {
    seq(&[body, &algorithm.to_der(), &bits(b"signature")])
}
