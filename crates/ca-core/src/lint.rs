//! Reads the exact octets that will be signed and checks them against the standards (I19).

use alloc::string::String;

use ca_x509::certificate::{ExtendedKeyUsage, KeyUsage, TbsCertificate};

use crate::limits::{NAMES_MAX, RSA_BITS_MIN};
use crate::outcome::Refusal;

/// Checks the octets of a TBSCertificate.
///
/// They must decode to exactly what was planned, so that nothing stands in them that nobody planned; then each rule
/// looks at what was decoded.
///
/// # Errors
/// [`Refusal::Lint`] with the first rule that is broken.
pub fn lint(tbs: &[u8], planned: &TbsCertificate) -> Result<(), Refusal> {
    let decoded = TbsCertificate::decode(tbs)
        .map_err(|e| broken("RFC 5280 §4.1 (DER)", alloc::format!("it does not read back: {e}")))?;
    if decoded != *planned {
        return Err(broken("RFC 5280 §4.1", "it reads back as something else than was planned".into()));
    }
    for (rule, check) in RULES {
        check(&decoded).map_err(|why| broken(rule, why))?;
    }
    Ok(())
}

type Check = fn(&TbsCertificate) -> Result<(), String>;

/// Each rule with its source.
const RULES: &[(&str, Check)] = &[
    ("RFC 5280 §4.1.2.2 (serial number)", |tbs| {
        let octets = tbs.serial.as_be_bytes();
        ensure(octets.len() >= 16 && octets.len() <= 20, "the serial has not 16 to 20 octets")
    }),
    ("RFC 5280 §4.1.2.4 (issuer)", |tbs| ensure(!tbs.issuer.is_empty(), "the issuer is empty")),
    ("RFC 5280 §4.1.2.5 (validity)", |tbs| {
        ensure(tbs.not_before <= tbs.not_after, "notBefore is later than notAfter")
    }),
    ("RFC 5280 §4.1.2.6 (subject)", |tbs| {
        let ca = is_ca(tbs);
        ensure(!ca || !tbs.subject.is_empty(), "a CA's subject is empty")?;
        let named = !tbs.subject.is_empty() || !tbs.extensions.subject_alt_names.is_empty();
        ensure(named, "neither subject nor subjectAltName names anybody")
    }),
    ("RFC 5280 §4.2.1.1 (authority key identifier)", |tbs| {
        ensure(tbs.extensions.authority_key_identifier.is_some(), "it is missing")
    }),
    ("RFC 5280 §4.2.1.2 (subject key identifier)", |tbs| {
        let expected = tbs.public_key.key_identifier();
        ensure(tbs.extensions.subject_key_identifier == Some(expected), "it is not that of the key")
    }),
    ("RFC 5280 §4.2.1.3 (key usage)", |tbs| {
        let usage = tbs.extensions.key_usage.unwrap_or_default();
        ensure(!usage.is_empty(), "no usage is set")?;
        let signs = usage.contains(KeyUsage::KEY_CERT_SIGN);
        ensure(signs == is_ca(tbs), "keyCertSign and cA do not go together")
    }),
    ("RFC 5280 §4.2.1.6 (subject alternative name)", |tbs| {
        let names = tbs.extensions.subject_alt_names.len();
        ensure(names <= NAMES_MAX, "there are too many names")
    }),
    ("RFC 5280 §4.2.1.9 (basic constraints)", |tbs| {
        let path_len = tbs.extensions.basic_constraints.and_then(|constraints| constraints.path_len);
        ensure(is_ca(tbs) || path_len.is_none(), "a path length without cA")
    }),
    ("RFC 6125 §6.4 (server names)", |tbs| {
        let server = tbs.extensions.extended_key_usage.contains(&ExtendedKeyUsage::ServerAuth);
        ensure(
            !server || !tbs.extensions.subject_alt_names.is_empty(),
            "a server certificate names no server",
        )
    }),
    ("RFC 6960 §4.2.2.2 (OCSP signing)", |tbs| {
        let usages = &tbs.extensions.extended_key_usage;
        let responder = usages.contains(&ExtendedKeyUsage::OcspSigning);
        ensure(!responder || usages.len() == 1, "a responder's key is for something else too")?;
        ensure(responder == tbs.extensions.ocsp_no_check, "ocsp-nocheck and OCSPSigning do not go together")
    }),
    ("CA/B Forum BR 6.1.5 (key sizes)", |tbs| match tbs.public_key.kind() {
        ca_x509::key::KeyKind::Rsa { bits } => ensure(
            bits >= RSA_BITS_MIN && bits.is_multiple_of(8),
            "the RSA modulus is too short or no whole octets",
        ),
        _ => Ok(()),
    }),
    ("CA/B Forum BR 6.1.6 (RSA exponents)", |tbs| match tbs.public_key.rsa_parts() {
        Some((_, exponent)) => {
            let odd = exponent.last().is_some_and(|octet| octet % 2 == 1);
            // Slices compare octet by octet, numbers of different length do not: [3] would be above [1, 0, 1].
            let large = exponent.len() > 3 || exponent.len() == 3 && exponent >= [1, 0, 1].as_slice();
            ensure(odd && large, "the exponent is below 65537 or even")
        }
        None => Ok(()),
    }),
];

fn is_ca(tbs: &TbsCertificate) -> bool {
    tbs.extensions.basic_constraints.as_ref().is_some_and(|constraints| constraints.ca)
}

fn ensure(holds: bool, why: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why.into()) }
}

fn broken(rule: &str, why: String) -> Refusal {
    Refusal::Lint { rule: rule.into(), why }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use ca_x509::algorithm::SignatureAlgorithm;
    use ca_x509::certificate::{BasicConstraints, Extensions};
    use ca_x509::key::PublicKey;
    use ca_x509::name::DistinguishedName;
    use ca_x509::serial::SerialNumber;
    use ca_x509::time::UnixSeconds;

    use super::*;

    fn certificate_of(public_key: PublicKey) -> TbsCertificate {
        let name = DistinguishedName::new().common_name("somebody").build().unwrap();
        TbsCertificate {
            serial: SerialNumber::from_random([1; 16]),
            signature_algorithm: SignatureAlgorithm::Ed25519,
            issuer: name.clone(),
            not_before: UnixSeconds(1),
            not_after: UnixSeconds(2),
            subject: name,
            extensions: Extensions {
                subject_key_identifier: Some(public_key.key_identifier()),
                authority_key_identifier: Some(public_key.key_identifier()),
                basic_constraints: Some(BasicConstraints { ca: false, path_len: None }),
                key_usage: Some(KeyUsage::DIGITAL_SIGNATURE),
                ..Extensions::default()
            },
            public_key,
        }
    }

    fn verdict(public_key: PublicKey) -> Result<(), Refusal> {
        let planned = certificate_of(public_key);
        lint(&planned.encode().unwrap(), &planned)
    }

    #[test]
    fn br_6_1_6_rsa_exponents_are_odd_and_at_least_65537() {
        for (exponent, fine) in [
            (&[3][..], false),
            (&[17], false),
            (&[0xff], false),
            (&[0xff, 0xff], false),
            (&[1, 0, 0], false),
            (&[1, 0, 1], true),
            (&[1, 0, 2], false),
            (&[1, 0, 0, 1], true),
        ] {
            let verdict = verdict(PublicKey::from_rsa(&[0xc5; 256], exponent).unwrap());
            assert_eq!(verdict.is_ok(), fine, "{exponent:?}: {verdict:?}");
        }
    }

    #[test]
    fn br_6_1_5_rsa_moduli_are_long_enough_and_whole_octets() {
        for (octets, first, fine) in
            [(255, 0xc5, false), (256, 0xc5, true), (256, 0x65, false), (384, 0xc5, true)]
        {
            let mut modulus = vec![0xc5; octets];
            modulus[0] = first;
            let verdict = verdict(PublicKey::from_rsa(&modulus, &[1, 0, 1]).unwrap());
            assert_eq!(verdict.is_ok(), fine, "{octets} octets from {first:x}: {verdict:?}");
        }
    }

    #[test]
    fn i19_octets_that_nobody_planned_are_refused() {
        let planned = certificate_of(PublicKey::from_ed25519([1; 32]));
        let other = TbsCertificate { not_after: UnixSeconds(3), ..planned.clone() };
        assert!(lint(&other.encode().unwrap(), &planned).is_err());
        let mut longer = planned.encode().unwrap();
        longer.push(0);
        assert!(lint(&longer, &planned).is_err());
        assert_eq!(lint(&planned.encode().unwrap(), &planned), Ok(()));
    }
}
