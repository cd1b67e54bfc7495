//! Certificates to break: written by `ca-x509`, taken apart, changed in one place, and put together again.

use alloc::vec;
use alloc::vec::Vec;

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::certificate::{BasicConstraints, ExtendedKeyUsage, Extensions, KeyUsage, TbsCertificate};
use ca_x509::key::{KeyIdentifier, KeyKind, PublicKey};
use ca_x509::name::{DistinguishedName, GeneralName};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;
use sha1::{Digest as _, Sha1};

use super::oids::SUBJECT_KEY_IDENTIFIER;
use super::reading::Reading;
use super::{Rule, TABLES, lint};

/// What a rule says, and octets that break it.
pub(super) type Case = (&'static str, fn() -> Parts);

/// Each case breaks its rule and no other, in any table; each rule of this table has a case.
pub(super) fn check(rules: &[Rule], cases: &[Case]) {
    for (holds, make) in cases {
        let parts = make();
        assert_eq!(parts.broken(), [*holds], "{:02x?}", parts.octets());
        assert!(lint(&parts.octets(), &server_tbs()).is_err());
    }
    for (source, holds, _) in rules {
        assert!(cases.iter().any(|(case, _)| case == holds), "nothing breaks {source}: {holds}");
    }
    for (case, _) in cases {
        assert!(rules.iter().any(|(_, holds, _)| holds == case), "no rule says: {case}");
    }
}

/// None of these breaks any rule.
pub(super) fn pass(all: &[Parts]) {
    for parts in all {
        assert!(parts.broken().is_empty(), "{:?}: {:02x?}", parts.broken(), parts.octets());
    }
}

/// A TBSCertificate field by field, each in DER; what is left out is empty.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) version: Vec<u8>,
    pub(super) serial: Vec<u8>,
    pub(super) algorithm: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    pub(super) not_before: Vec<u8>,
    pub(super) not_after: Vec<u8>,
    pub(super) subject: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) unique_ids: Vec<u8>,
    /// Identifier, mark, value; one without an identifier is an extension as it stands.
    pub(super) extensions: Vec<(Vec<u8>, bool, Vec<u8>)>,
}

impl Parts {
    pub(super) fn of(tbs: &TbsCertificate) -> Self {
        let octets = tbs.encode().unwrap();
        let reading = Reading::of(&octets).unwrap();
        let validity = reading.validity.parts();
        let extension = |one: &super::reading::Extension<'_>| {
            (one.oid.to_vec(), one.is_critical(), one.value.unwrap().raw.to_vec())
        };
        Self {
            version: reading.version.unwrap().raw.to_vec(),
            serial: reading.serial.raw.to_vec(),
            algorithm: reading.algorithm.raw.to_vec(),
            issuer: reading.issuer.raw.to_vec(),
            not_before: validity[0].raw.to_vec(),
            not_after: validity[1].raw.to_vec(),
            subject: reading.subject.raw.to_vec(),
            key: tbs.public_key.spki_der().to_vec(),
            unique_ids: Vec::new(),
            extensions: reading.extensions.iter().map(extension).collect(),
        }
    }

    pub(super) fn octets(&self) -> Vec<u8> {
        let extension = |(oid, critical, value): &(Vec<u8>, bool, Vec<u8>)| {
            if oid.is_empty() {
                return value.clone();
            }
            let flag: &[u8] = if *critical { &[1, 1, 0xff] } else { &[] };
            sequence(&[&tlv(6, oid), flag, &tlv(4, value)])
        };
        let extensions: Vec<u8> = self.extensions.iter().flat_map(extension).collect();
        sequence(&[
            &self.version,
            &self.serial,
            &self.algorithm,
            &self.issuer,
            &sequence(&[&self.not_before, &self.not_after]),
            &self.subject,
            &self.key,
            &self.unique_ids,
            &tlv(0xa3, &sequence(&[&extensions])),
        ])
    }

    /// What the broken rules say.
    pub(super) fn broken(&self) -> Vec<&'static str> {
        let octets = self.octets();
        let reading = Reading::of(&octets).unwrap();
        let rules = TABLES.into_iter().flatten();
        rules.filter(|(_, _, check)| check(&reading).is_err()).map(|(_, holds, _)| *holds).collect()
    }

    pub(super) fn append(mut self, oid: &[u8], critical: bool, value: &[u8]) -> Self {
        self.extensions.push((oid.to_vec(), critical, value.to_vec()));
        self
    }

    /// Appends an extension as it stands.
    pub(super) fn append_raw(self, extension: &[u8]) -> Self {
        self.append(&[], false, extension)
    }

    pub(super) fn remove(mut self, oid: &[u8]) -> Self {
        assert!(self.extensions.iter().any(|(one, ..)| one == oid), "there is nothing to remove");
        self.extensions.retain(|(one, ..)| one != oid);
        self
    }

    pub(super) fn replace(self, oid: &[u8], critical: bool, value: &[u8]) -> Self {
        self.remove(oid).append(oid, critical, value)
    }

    pub(super) fn mark(self, oid: &[u8], critical: bool) -> Self {
        let value = self.value(oid);
        self.replace(oid, critical, &value)
    }

    /// The octets inside an extension.
    pub(super) fn value(&self, oid: &[u8]) -> Vec<u8> {
        self.extensions.iter().find(|(one, ..)| one == oid).unwrap().2.clone()
    }

    /// Another key, with its identifier.
    pub(super) fn with_key(self, key: Vec<u8>) -> Self {
        let keyed = Self { key, ..self };
        let digest = Sha1::digest(keyed.spki_bits());
        keyed.replace(SUBJECT_KEY_IDENTIFIER, false, &tlv(4, &digest))
    }

    /// The octets of the key's BIT STRING.
    pub(super) fn spki_bits(&self) -> Vec<u8> {
        super::der::Value::one(&self.key).unwrap().parts()[1].content[1..].to_vec()
    }
}

/// A TLS server with a P-256 key.
pub(super) fn server() -> Parts {
    Parts::of(&server_tbs())
}

/// A CA that may issue to end entities.
pub(super) fn ca() -> Parts {
    Parts::of(&tbs(p256(), "Issuing CA", |extensions| {
        extensions.basic_constraints = Some(BasicConstraints { ca: true, path_len: Some(0) });
        extensions.key_usage = Some(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN);
    }))
}

/// A TLS client with a P-256 key and no alternative names; alive beyond 2050.
pub(super) fn client() -> Parts {
    client_of(p256())
}

/// A delegated OCSP responder.
pub(super) fn responder() -> Parts {
    Parts::of(&tbs(p256(), "OCSP responder", |extensions| {
        extensions.extended_key_usage = vec![ExtendedKeyUsage::OcspSigning];
        extensions.crl_distribution_points.clear();
        extensions.ocsp_no_check = true;
    }))
}

/// A client with an RSA key; its modulus is no product of primes, which no rule looks for.
pub(super) fn rsa() -> Parts {
    rsa_of(&[0xc5; 256], &[1, 0, 1])
}

pub(super) fn rsa_of(modulus: &[u8], exponent: &[u8]) -> Parts {
    client_of(PublicKey::from_rsa(modulus, exponent).unwrap())
}

pub(super) fn ed25519() -> Parts {
    client_of(PublicKey::from_ed25519([9; 32]))
}

pub(super) fn server_tbs() -> TbsCertificate {
    tbs(p256(), "web.test", |extensions| {
        extensions.extended_key_usage = vec![ExtendedKeyUsage::ServerAuth];
        extensions.subject_alt_names = vec![GeneralName::Dns("web.test".into())];
    })
}

fn client_of(key: PublicKey) -> Parts {
    Parts::of(&tbs(key, "a client", |extensions| {
        extensions.extended_key_usage = vec![ExtendedKeyUsage::ClientAuth];
    }))
}

fn p256() -> PublicKey {
    PublicKey::from_ec_point(KeyKind::EcP256, &[4; 65]).unwrap()
}

fn tbs(public_key: PublicKey, subject: &str, more: impl FnOnce(&mut Extensions)) -> TbsCertificate {
    let name = |text: &str| DistinguishedName::new().country("CH").common_name(text).build().unwrap();
    let mut extensions = Extensions {
        subject_key_identifier: Some(public_key.key_identifier()),
        authority_key_identifier: Some(KeyIdentifier([1; 20])),
        basic_constraints: Some(BasicConstraints { ca: false, path_len: None }),
        key_usage: Some(KeyUsage::DIGITAL_SIGNATURE),
        crl_distribution_points: vec!["http://pki.test/crl/issuing.crl".into()],
        ocsp_urls: vec!["http://pki.test/ocsp/issuing".into()],
        ca_issuers_urls: vec!["http://pki.test/ca/issuing.cer".into()],
        ..Extensions::default()
    };
    more(&mut extensions);
    TbsCertificate {
        serial: SerialNumber::from_random([1; 16]),
        signature_algorithm: SignatureAlgorithm::EcdsaSha256,
        issuer: name("Issuer"),
        not_before: UnixSeconds(1_800_000_000),
        not_after: UnixSeconds(2_524_608_000),
        subject: name(subject),
        public_key,
        extensions,
    }
}

/// One tag-length-value.
pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match length {
        [0, short @ 0..=0x7f] => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [&head, content].concat()
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(super) fn bits(content: &[u8]) -> Vec<u8> {
    tlv(3, &[&[0], content].concat())
}

/// An attribute for [`name`].
pub(super) fn attribute(oid: &[u8], tag: u8, text: &[u8]) -> Vec<u8> {
    sequence(&[&tlv(6, oid), &tlv(tag, text)])
}

/// A distinguished name of sets of one attribute each.
pub(super) fn name(attributes: &[&[u8]]) -> Vec<u8> {
    let sets: Vec<u8> = attributes.iter().flat_map(|attribute| tlv(0x31, attribute)).collect();
    sequence(&[&sets])
}
