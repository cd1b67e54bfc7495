//! The certified key, what it may be used for, and the algorithm of the signature to come.
//!
//! Whether a key is weak is another matter, and decided before: [`crate::weak_key`].

use alloc::string::String;

use ca_x509::certificate::KeyUsage;

use super::der::{NULL, OBJECT_IDENTIFIER, SEQUENCE};
use super::reading::{Key, Reading};
use super::{Rule, ensure, oids};
use crate::limits::{RSA_BITS_MIN, RSA_EXPONENT_BITS_MAX, RSA_EXPONENT_BITS_MIN};
use crate::weak_key::bit_length;

pub(super) const RULES: &[Rule] = &[
    ("RFC 3279 §2.3.1", "an RSA key's parameters are null", |tbs| {
        of(tbs, oids::RSA_ENCRYPTION, |key| {
            let null = key.parameters.is_some_and(|parameters| parameters.tag == NULL);
            ensure(null, "they are something else, or absent")
        })
    }),
    ("RFC 5480 §2.1.1", "an elliptic curve key's parameters name a curve", |tbs| {
        of(tbs, oids::EC_PUBLIC_KEY, |key| {
            let named = key.parameters.is_some_and(|parameters| parameters.tag == OBJECT_IDENTIFIER);
            ensure(named, "they are something else, or absent")
        })
    }),
    ("NIST SP 800-186 §3.2.1", "the curve is P-256, P-384 or P-521", |tbs| {
        of(tbs, oids::EC_PUBLIC_KEY, |key| {
            let curve = key.parameters.filter(|parameters| parameters.tag == OBJECT_IDENTIFIER);
            let known = curve.is_none_or(|curve| coordinate(curve.content).is_some());
            ensure(
                known,
                format_args!("it is {}", oids::dotted(curve.map(|curve| curve.content).unwrap_or_default())),
            )
        })
    }),
    ("RFC 5480 §2.2", "a point is uncompressed, of two coordinates of its curve", |tbs| {
        of(tbs, oids::EC_PUBLIC_KEY, |key| {
            let Some(size) = key.parameters.and_then(|curve| coordinate(curve.content)) else {
                return Ok(());
            };
            let (form, octets) = (key.bits.first().copied().unwrap_or_default(), key.bits.len());
            let whole = octets == size.saturating_mul(2).saturating_add(1);
            ensure(form == 4 && whole, format_args!("it is of form {form} and {octets} octets"))
        })
    }),
    ("RFC 8410 §3", "an Ed25519 key has no parameters", |tbs| {
        of(tbs, oids::ED25519, |key| ensure(key.parameters.is_none(), "it has"))
    }),
    ("RFC 8032 §5.1.5", "an Ed25519 key has 32 octets", |tbs| {
        of(tbs, oids::ED25519, |key| ensure(key.bits.len() == 32, format_args!("it has {}", key.bits.len())))
    }),
    ("NIST SP 800-57 part 1 §5.6.1.1", "an RSA modulus has 2048 bits or more", |tbs| match rsa(tbs) {
        Some((modulus, _)) => {
            let bits = bit_length(modulus);
            ensure(bits >= usize::from(RSA_BITS_MIN), format_args!("it has {bits}"))
        }
        None => Ok(()),
    }),
    ("NIST FIPS 186-5 A.1.1", "an RSA exponent is odd, above 2^16 and below 2^256", |tbs| match rsa(tbs) {
        Some((_, exponent)) => {
            let odd = exponent.last().is_some_and(|last| last & 1 == 1);
            let sized = (RSA_EXPONENT_BITS_MIN..=RSA_EXPONENT_BITS_MAX).contains(&bit_length(exponent));
            ensure(odd && sized, format_args!("it is {exponent:02x?}"))
        }
        None => Ok(()),
    }),
    ("RFC 3279 §2.3.1", "an RSA key agrees on no key", |tbs| {
        of(tbs, oids::RSA_ENCRYPTION, |_| {
            without(tbs, KeyUsage::KEY_AGREEMENT | KeyUsage::ENCIPHER_ONLY | KeyUsage::DECIPHER_ONLY)
        })
    }),
    ("RFC 8813 §3", "an elliptic curve key enciphers neither keys nor data", |tbs| {
        of(tbs, oids::EC_PUBLIC_KEY, |_| {
            without(tbs, KeyUsage::KEY_ENCIPHERMENT | KeyUsage::DATA_ENCIPHERMENT)
        })
    }),
    ("RFC 9295 §3", "an Ed25519 key signs, and nothing else", |tbs| {
        of(tbs, oids::ED25519, |_| {
            let agreement = KeyUsage::KEY_AGREEMENT | KeyUsage::ENCIPHER_ONLY | KeyUsage::DECIPHER_ONLY;
            without(tbs, KeyUsage::KEY_ENCIPHERMENT | KeyUsage::DATA_ENCIPHERMENT | agreement)
        })
    }),
    // SHA-1 and MD5 stand in no list below.
    ("NIST SP 800-131A §3", "the signature will be RSA, ECDSA or Ed25519, with SHA-2", |tbs| {
        let (oid, _) = signature(tbs);
        let rsa = oid == oids::RSA_PSS || oids::RSA_SHA2.contains(&oid);
        let known = rsa || oids::ECDSA_SHA2.contains(&oid) || oid == oids::ED25519;
        ensure(known, format_args!("it will be {}", oids::dotted(oid)))
    }),
    ("RFC 4055 §5", "the parameters of RSA with SHA-2 are null", |tbs| {
        let (oid, parameters) = signature(tbs);
        ensure(
            !oids::RSA_SHA2.contains(&oid) || parameters == Some(NULL),
            "they are something else, or absent",
        )
    }),
    ("RFC 4055 §3.1", "the parameters of RSASSA-PSS are a sequence", |tbs| {
        let (oid, parameters) = signature(tbs);
        ensure(oid != oids::RSA_PSS || parameters == Some(SEQUENCE), "they are something else, or absent")
    }),
    ("RFC 5758 §3.2", "ECDSA has no parameters", |tbs| {
        let (oid, parameters) = signature(tbs);
        ensure(!oids::ECDSA_SHA2.contains(&oid) || parameters.is_none(), "it has")
    }),
    ("RFC 8410 §3", "the signature algorithm Ed25519 has no parameters", |tbs| {
        let (oid, parameters) = signature(tbs);
        ensure(oid != oids::ED25519 || parameters.is_none(), "it has")
    }),
];

/// Checks keys of one algorithm.
fn of(
    tbs: &Reading<'_>,
    algorithm: &[u8],
    check: impl Fn(Key<'_>) -> Result<(), String>,
) -> Result<(), String> {
    match tbs.key {
        Some(key) if key.algorithm == algorithm => check(key),
        _ => Ok(()),
    }
}

fn rsa<'a>(tbs: &Reading<'a>) -> Option<(&'a [u8], &'a [u8])> {
    tbs.key.and_then(Key::rsa)
}

/// The octets of a coordinate of this curve, if it is one of ours.
fn coordinate(curve: &[u8]) -> Option<usize> {
    oids::CURVES.into_iter().find(|(oid, _)| *oid == curve).map(|(_, size)| size)
}

/// The identifier of the signature's algorithm, and the type of its parameters.
fn signature<'a>(tbs: &Reading<'a>) -> (&'a [u8], Option<u8>) {
    let parts = tbs.algorithm.parts();
    let oid = parts.first().map(|oid| oid.content).unwrap_or_default();
    (oid, parts.get(1).map(|parameters| parameters.tag))
}

fn without(tbs: &Reading<'_>, usages: KeyUsage) -> Result<(), String> {
    let usage = tbs.key_usage();
    let has = KeyUsage::ALL.into_iter().any(|(one, _)| usages.contains(one) && usage.contains(one));
    ensure(!has, format_args!("its usage is {usage:?}"))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use crate::lint::oids::{ED25519, KEY_USAGE, RSA_PSS};
    use crate::lint::sample::{Case, Parts, bits, check, client, ed25519, pass, rsa, rsa_of, sequence, tlv};

    use super::*;

    fn spki(algorithm: &[&[u8]], key: &[u8]) -> Vec<u8> {
        sequence(&[&sequence(algorithm), &bits(key)])
    }

    fn signed_by(algorithm: &[&[u8]]) -> Parts {
        Parts { algorithm: sequence(algorithm), ..client() }
    }

    /// The key of the RSA sample under other parameters.
    fn rsa_with(parameters: &[u8]) -> Parts {
        let key = rsa().spki_bits();
        rsa().with_key(spki(&[&tlv(6, oids::RSA_ENCRYPTION), parameters], &key))
    }

    fn ec(curve: &[u8], point: &[u8]) -> Parts {
        client().with_key(spki(&[&tlv(6, oids::EC_PUBLIC_KEY), curve], point))
    }

    const NULLS: &str = "an RSA key's parameters are null";
    const CURVE: &str = "an elliptic curve key's parameters name a curve";
    const POINT: &str = "a point is uncompressed, of two coordinates of its curve";
    const EXPONENT: &str = "an RSA exponent is odd, above 2^16 and below 2^256";
    const ENCIPHERS: &str = "an elliptic curve key enciphers neither keys nor data";
    const SIGNS: &str = "an Ed25519 key signs, and nothing else";
    const SHA2: &str = "the signature will be RSA, ECDSA or Ed25519, with SHA-2";

    const CASES: &[Case] = &[
        (NULLS, || rsa_with(&[])),
        (NULLS, || rsa_with(&[0x30, 0])),
        (CURVE, || ec(&[], &[4; 65])),
        (CURVE, || ec(&[0x30, 0], &[4; 65])),
        ("the curve is P-256, P-384 or P-521", || ec(&tlv(6, &[0x2b, 0x81, 4, 0, 10]), &[4; 65])),
        (POINT, || ec(&tlv(6, oids::CURVES[0].0), &[2; 33])),
        (POINT, || ec(&tlv(6, oids::CURVES[0].0), &[4; 97])),
        (POINT, || ec(&tlv(6, oids::CURVES[1].0), &[3; 97])),
        (POINT, || ec(&tlv(6, oids::CURVES[2].0), &[])),
        ("an Ed25519 key has no parameters", || {
            ed25519().with_key(spki(&[&tlv(6, ED25519), &[5, 0]], &[9; 32]))
        }),
        ("an Ed25519 key has 32 octets", || ed25519().with_key(spki(&[&tlv(6, ED25519)], &[9; 31]))),
        ("an RSA modulus has 2048 bits or more", || rsa_of(&[0xc5; 255], &[1, 0, 1])),
        ("an RSA modulus has 2048 bits or more", || {
            rsa_of(&[&[0x45; 1][..], &[0xc5; 255]].concat(), &[1, 0, 1])
        }),
        (EXPONENT, || rsa_of(&[0xc5; 256], &[1])),
        (EXPONENT, || rsa_of(&[0xc5; 256], &[3])),
        (EXPONENT, || rsa_of(&[0xc5; 256], &[0xff, 0xff])),
        (EXPONENT, || rsa_of(&[0xc5; 256], &[1, 0, 2])),
        (EXPONENT, || rsa_of(&[0xc5; 256], &[1; 33])),
        ("an RSA key agrees on no key", || rsa().replace(KEY_USAGE, true, &[3, 2, 3, 0x88])),
        (ENCIPHERS, || client().replace(KEY_USAGE, true, &[3, 2, 5, 0xa0])),
        (ENCIPHERS, || client().replace(KEY_USAGE, true, &[3, 2, 4, 0x90])),
        (SIGNS, || ed25519().replace(KEY_USAGE, true, &[3, 2, 5, 0xa0])),
        (SIGNS, || ed25519().replace(KEY_USAGE, true, &[3, 2, 3, 0x88])),
        // sha1WithRSAEncryption, md5WithRSAEncryption, ecdsa-with-SHA1.
        (SHA2, || signed_by(&[&tlv(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5]), &[5, 0]])),
        (SHA2, || signed_by(&[&tlv(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4]), &[5, 0]])),
        (SHA2, || signed_by(&[&tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1])])),
        ("the parameters of RSA with SHA-2 are null", || signed_by(&[&tlv(6, oids::RSA_SHA2[0])])),
        ("the parameters of RSA with SHA-2 are null", || {
            signed_by(&[&tlv(6, oids::RSA_SHA2[2]), &[0x30, 0]])
        }),
        ("the parameters of RSASSA-PSS are a sequence", || signed_by(&[&tlv(6, RSA_PSS)])),
        ("ECDSA has no parameters", || signed_by(&[&tlv(6, oids::ECDSA_SHA2[1]), &[5, 0]])),
        ("the signature algorithm Ed25519 has no parameters", || signed_by(&[&tlv(6, ED25519), &[5, 0]])),
    ];

    #[test]
    fn each_rule_is_broken_by_octets_that_break_no_other() {
        check(RULES, CASES);
    }

    #[test]
    fn keys_of_use_break_no_rule() {
        pass(&[
            ec(&tlv(6, oids::CURVES[1].0), &[4; 97]),
            ec(&tlv(6, oids::CURVES[2].0), &[4; 133]),
            client().replace(KEY_USAGE, true, &[3, 2, 3, 0x88]),
            rsa_of(&[0xc5; 512], &[1, 0, 1]),
            rsa_of(&[0xc5; 256], &[0xff; 32]),
            rsa().replace(KEY_USAGE, true, &[3, 2, 4, 0xb0]),
        ]);
    }
}
