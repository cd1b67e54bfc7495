//! What must hold of every reader, whatever the octets: it does not panic, what it takes reads the same twice, and what
//! a strict reader takes it would write in the same octets.

pub mod seeds;
/// The writer of the readers' own tables.
#[path = "../../crates/ca-x509/tests/refusals/write.rs"]
mod write;

use std::str::FromStr;

use ca_core::names::certified;
use ca_core::profile::{Allow, DnsRule, IpRule, NameRules, UriRule};
use ca_core::search::Filter;
use ca_core::weak_key;
use ca_http::wire::{GrantDocument, IssueRequest, Life, ProfileDocument, RevocationsRequest, RevokeRequest};
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::certificate::{Certificate, Extensions, TbsCertificate, subject_public_key_info};
use ca_x509::crl::CertificateList;
use ca_x509::key::PublicKey;
use ca_x509::name::{DistinguishedName, GeneralName, HostName};
use ca_x509::ocsp::{OcspRequest, OcspResponse, assemble_response};
use ca_x509::pem;
use ca_x509::request::CertificationRequest;
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "raft")]
pub use ca_raft::fuzz::{log, peer};

/// A certification request, in DER or PEM, up to the names that a permissive profile would certify.
pub fn request(octets: &[u8]) {
    key(octets);
    let Ok(request) = CertificationRequest::parse(octets) else { return };
    assert_eq!(CertificationRequest::parse(request.as_der()).as_ref(), Ok(&request));
    assert_eq!(PublicKey::from_spki_der(request.public_key().spki_der()).as_ref(), Ok(request.public_key()));
    assert_eq!(DistinguishedName::from_der(request.subject().as_der()).as_ref(), Ok(request.subject()));
    let _ = weak_key::check(request.public_key());
    let _ = request.subject().check();
    let armoured = pem::encode("CERTIFICATE REQUEST", request.as_der());
    assert_eq!(CertificationRequest::parse(armoured.as_bytes()).as_ref(), Ok(&request));
    names(request.requested_names());
}

/// What a profile certifies, it certifies again: names are settled by one pass.
fn names(asked: &[GeneralName]) {
    let rules = NameRules {
        dns: DnsRule::Any,
        wildcard: Allow::Yes,
        email: DnsRule::Any,
        upn: DnsRule::Any,
        ip: IpRule::Any,
        uri: UriRule::Any,
        directory: Allow::Yes,
        ..NameRules::NONE
    };
    let Ok(names) = certified(&rules, asked) else { return };
    assert_eq!(certified(&rules, &names).as_ref(), Ok(&names));
    for name in &names {
        assert!(name.check().is_ok(), "certified, and not fit to be: {name}");
    }
    if !names.is_empty() {
        stands(names);
    }
}

/// What may be certified has an encoding, and reads the same.
fn stands(names: Vec<GeneralName>) {
    let tbs = TbsCertificate {
        serial: SerialNumber::from_random([7; 16]),
        signature_algorithm: SignatureAlgorithm::Ed25519,
        issuer: DistinguishedName::new().common_name("issuer").build().expect("a name"),
        not_before: UnixSeconds(1_800_000_000),
        not_after: UnixSeconds(1_900_000_000),
        subject: DistinguishedName::empty(),
        public_key: PublicKey::from_ed25519([9; 32]),
        extensions: Extensions { subject_alt_names: names, ..Extensions::default() },
    };
    let octets = tbs.encode().expect("names that may be certified");
    assert_eq!(TbsCertificate::decode(&octets).as_ref(), Ok(&tbs));
}

/// Keys, names and algorithms are strict: one value, one encoding.
fn key(octets: &[u8]) {
    if let Ok(key) = PublicKey::from_spki_der(octets) {
        assert_eq!(key.spki_der(), octets);
        let _ = (key.check(), weak_key::check(&key));
    }
    if let Ok(name) = DistinguishedName::from_der(octets) {
        assert_eq!(name.as_der(), octets);
        let _ = (name.check(), name.to_string());
    }
    if let Ok(algorithm) = SignatureAlgorithm::from_der(octets) {
        assert_eq!(algorithm.to_der(), octets);
    }
}

/// A certificate of a stranger, and a TBSCertificate that claims to be ours.
pub fn certificate(octets: &[u8]) {
    if let Ok(certificate) = Certificate::parse(octets) {
        assert_eq!(Certificate::parse(certificate.as_der()).as_ref(), Ok(&certificate));
        let key = subject_public_key_info(certificate.tbs_der()).expect("it was read whole");
        assert_eq!(key, certificate.public_key().spki_der());
        tbs(certificate.tbs_der());
    }
    let _ = Certificate::parse_chain(octets);
    tbs(octets);
}

fn tbs(octets: &[u8]) {
    let key = subject_public_key_info(octets);
    let Ok(tbs) = TbsCertificate::decode(octets) else { return };
    assert_eq!(tbs.encode().as_deref(), Ok(octets), "what is linted is what is signed (I19)");
    assert_eq!(key, Ok(tbs.public_key.spki_der()));
}

/// A certificate list, as a client reads it.
pub fn list(octets: &[u8]) {
    let Ok(list) = CertificateList::parse(octets) else { return };
    assert_eq!(CertificateList::parse(octets).as_ref(), Ok(&list));
    let _ = format!("{list:?}");
}

/// OCSP, both ways.
pub fn ocsp(octets: &[u8]) {
    if let Ok(request) = OcspRequest::parse(octets) {
        assert_eq!(OcspRequest::parse(octets).as_ref(), Ok(&request));
        for id in &request.cert_ids {
            let _ = id.serial_number();
            assert!(
                octets.windows(id.as_der().len()).any(|part| part == id.as_der()),
                "handed out as received"
            );
        }
    }
    if let Ok(OcspResponse::Basic(answer)) = OcspResponse::parse(octets) {
        // What was read can be written; from then on it has one form (an unspecified reason is not written).
        if let Ok(written) = answer.data().encode() {
            let whole = assemble_response(&written, answer.signature_algorithm(), answer.signature(), &[]);
            let Ok(OcspResponse::Basic(again)) = OcspResponse::parse(&whole) else {
                panic!("written, and not read")
            };
            assert_eq!(again.tbs_der(), written);
            assert_eq!(again.data().encode(), Ok(written));
        }
    }
}

/// Every document that the API takes.
pub fn json(octets: &[u8]) {
    document::<IssueRequest>(octets);
    document::<RevokeRequest>(octets);
    document::<RevocationsRequest>(octets);
    if let Some(grant) = document::<GrantDocument>(octets) {
        let key = ca_core::ids::Digest([1; 32]);
        if let Ok(grant) = grant.grant(key) {
            let shown = GrantDocument::from(&grant);
            assert_eq!(shown.grant(key).as_ref(), Ok(&grant), "what is shown can be put");
        }
    }
    if let Some(document) = document::<ProfileDocument>(octets)
        && let Ok(profile) = document.profile(1)
        && profile.faults().is_empty()
    {
        let shown = ProfileDocument::from(&profile);
        assert_eq!(shown.profile(1).as_ref(), Ok(&profile), "what is shown can be put");
    }
}

fn document<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(octets: &[u8]) -> Option<T> {
    let document: T = serde_json::from_slice(octets).ok()?;
    let written = serde_json::to_vec(&document).expect("what was read can be written");
    let again: T = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(again, document);
    Some(document)
}

/// What people write: filters, names, serials, lives, armour.
pub fn text(octets: &[u8]) {
    for label in [pem::REQUEST, &["CERTIFICATE"]] {
        if let Ok(der) = pem::decode(label, octets) {
            let again = pem::encode(label[0], &der);
            assert_eq!(pem::decode(label, again.as_bytes()).as_ref(), Ok(&der));
        }
    }
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let _ = Filter::from_str(text);
    if let Ok(life) = Life::from_str(text) {
        assert_eq!(Life::from_str(&life.to_string()), Ok(life));
    }
    if let Ok(serial) = SerialNumber::from_str(text) {
        assert_eq!(SerialNumber::from_str(&serial.to_string()), Ok(serial));
    }
    if let Ok(host) = HostName::from_unicode(text) {
        // The two forms stand for each other (RFC 5890 §2.3.2.1).
        let unicode = host.to_unicode();
        assert_eq!(
            HostName::from_unicode(&unicode).map(|again| again.as_str().to_owned()),
            Ok(host.as_str().to_owned())
        );
        let _ = host.mixes_scripts();
    }
    for name in
        [GeneralName::Dns(text.into()), GeneralName::Email(text.into()), GeneralName::Uri(text.into())]
    {
        if name.check().is_ok() {
            stands(vec![name.clone()]);
        }
        names(&[name]);
    }
}
