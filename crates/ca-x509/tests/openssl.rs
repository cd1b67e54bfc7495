//! What this crate writes, OpenSSL reads and verifies; what OpenSSL writes, this crate reads.
//! Keys are throw-away ones of aws-lc-rs; OpenSSL runs as a command, on files in a temporary folder.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair, UnparsedPublicKey,
};
use ca_x509::algorithm::{SignatureAlgorithm, ecdsa_signature_der};
use ca_x509::certificate::{
    BasicConstraints, Certificate, CertificatePolicy, ExtendedKeyUsage, Extensions, KeyUsage,
    NameConstraints, NameSubtree, PolicyConstraints, TbsCertificate, TlsFeature, assemble,
};
use ca_x509::crl::{self, CertificateList, CrlEntry, CrlNumber, CrlScope, RevocationReason, TbsCrl};
use ca_x509::key::{KeyKind, PublicKey};
use ca_x509::name::{DistinguishedName, GeneralName};
use ca_x509::ocsp::{
    CertId, CertStatus, OcspError, OcspRequest, OcspResponse, ResponseData, SingleResponse, assemble_response,
};
use ca_x509::pem;
use ca_x509::request::CertificationRequest;
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

/// A folder, and the openssl command in it.
struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Runs openssl; its whole output, standard error last. Fails the test if it fails.
    fn openssl(&self, arguments: &str) -> String {
        let (is_success, text) = self.run(arguments);
        assert!(is_success, "openssl {arguments}: {text}");
        text
    }

    /// Runs openssl; its whole output, whether it accepts or refuses.
    fn verdict(&self, arguments: &str) -> String {
        self.run(arguments).1
    }

    fn run(&self, arguments: &str) -> (bool, String) {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .output()
            .expect("these tests need the openssl command");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }
}

/// A P-256 authority with a self-signed certificate.
struct Authority {
    key: EcdsaKeyPair,
    certificate: Certificate,
}

impl Authority {
    fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let public_key = PublicKey::from_ec_point(KeyKind::EcP256, key.public_key().as_ref()).unwrap();
        let subject =
            DistinguishedName::new().country("CH").organization("Ünïcode & Co").common_name("Root 1").build();
        let subject = subject.unwrap();
        let tbs = TbsCertificate {
            serial: SerialNumber::from_random([1; 16]),
            signature_algorithm: SignatureAlgorithm::default_for(public_key.kind()),
            issuer: subject.clone(),
            not_before: UnixSeconds(1_600_000_000),
            not_after: UnixSeconds(4_000_000_000),
            subject,
            extensions: Extensions {
                subject_key_identifier: Some(public_key.key_identifier()),
                basic_constraints: Some(BasicConstraints { ca: true, path_len: Some(1) }),
                key_usage: Some(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN | KeyUsage::DIGITAL_SIGNATURE),
                ..Extensions::default()
            },
            public_key,
        };
        let certificate = certify(&key, &tbs);
        Self { key, certificate }
    }

    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        sign(&self.key, bytes)
    }

    fn leaf(
        &self,
        subject: DistinguishedName,
        public_key: PublicKey,
        extensions: Extensions,
    ) -> TbsCertificate {
        TbsCertificate {
            serial: SerialNumber::from_random([0xab; 16]),
            signature_algorithm: SignatureAlgorithm::EcdsaSha256,
            issuer: self.certificate.subject().clone(),
            not_before: UnixSeconds(1_700_000_000),
            not_after: UnixSeconds(3_900_000_000),
            subject,
            public_key,
            extensions,
        }
    }

    fn crl(&self, distribution_point: Option<&str>) -> TbsCrl {
        TbsCrl {
            signature_algorithm: SignatureAlgorithm::EcdsaSha256,
            issuer: self.certificate.subject().clone(),
            this_update: UnixSeconds(1_700_000_000),
            next_update: UnixSeconds(3_900_000_000),
            number: CrlNumber((1 << 64) + 1),
            authority_key_identifier: self.certificate.public_key().key_identifier(),
            distribution_point: distribution_point.map(Into::into),
            scope: CrlScope::All,
            delta_base: None,
            freshest_crl: vec![],
            expired_since: None,
        }
    }
}

/// As a token signs: r‖s, turned into DER.
fn sign(key: &EcdsaKeyPair, bytes: &[u8]) -> Vec<u8> {
    let raw = key.sign(&SystemRandom::new(), bytes).unwrap();
    ecdsa_signature_der(raw.as_ref()).unwrap()
}

fn certify(key: &EcdsaKeyPair, tbs: &TbsCertificate) -> Certificate {
    let der = tbs.encode().unwrap();
    Certificate::parse(&assemble(&der, tbs.signature_algorithm, &sign(key, &der))).unwrap()
}

fn entry(random: u8, reason: Option<RevocationReason>) -> CrlEntry {
    CrlEntry::revoked(SerialNumber::from_random([random; 16]), UnixSeconds(1_700_000_000), reason)
}

fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

#[test]
fn certificate_with_all_extensions_is_read_and_verified() {
    let (shop, authority) = (Shop::new(), Authority::new());
    let leaf_key = PublicKey::from_ed25519([9; 32]);
    let extensions = Extensions {
        subject_key_identifier: Some(leaf_key.key_identifier()),
        authority_key_identifier: Some(authority.certificate.public_key().key_identifier()),
        basic_constraints: Some(BasicConstraints { ca: false, path_len: None }),
        key_usage: Some(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_AGREEMENT | KeyUsage::DECIPHER_ONLY),
        extended_key_usage: ExtendedKeyUsage::ALL.to_vec(),
        subject_alt_names: vec![
            GeneralName::Dns("*.a.example".into()),
            GeneralName::Ip("192.0.2.7".parse().unwrap()),
            GeneralName::Ip("2001:db8::7".parse().unwrap()),
            GeneralName::Email("b@a.example".into()),
            GeneralName::Uri("urn:uuid:1".into()),
        ],
        crl_distribution_points: vec!["http://crl.example/1.crl".into(), "http://crl.example/2.crl".into()],
        ocsp_urls: vec!["http://ocsp.example/".into()],
        ca_issuers_urls: vec!["http://ca.example/1.cer".into()],
        ocsp_no_check: true,
        ..Extensions::default()
    };
    let tbs = authority.leaf(DistinguishedName::empty(), leaf_key, extensions);
    let certificate = certify(&authority.key, &tbs);
    assert_eq!(certificate.tbs(), Ok(tbs));
    shop.write("root.pem", authority.certificate.to_pem());
    shop.write("leaf.pem", certificate.to_pem());
    let text = shop.openssl("x509 -in leaf.pem -noout -text");
    assert_contains(
        &text,
        &[
            "6b:ab:ab:ab",
            "X509v3 Key Usage: critical",
            "Digital Signature, Key Agreement, Decipher Only",
            "TLS Web Server Authentication, TLS Web Client Authentication, OCSP Signing, Code Signing, E-mail Protection, Time Stamping",
            "X509v3 Subject Alternative Name: critical",
            "DNS:*.a.example, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7, email:b@a.example, URI:urn:uuid:1",
            "URI:http://crl.example/1.crl",
            "URI:http://crl.example/2.crl",
            "OCSP - URI:http://ocsp.example/",
            "CA Issuers - URI:http://ca.example/1.cer",
            "OCSP No Check",
            "CA:FALSE",
            "Not After : Aug  1 21:20:00 2093 GMT",
        ],
    );
    assert_contains(&shop.openssl("verify -x509_strict -CAfile root.pem leaf.pem"), &["leaf.pem: OK"]);
    assert_contains(
        &shop.openssl("x509 -in root.pem -noout -text -nameopt RFC2253,utf8,-esc_msb"),
        &["CN=Root 1,O=Ünïcode & Co,C=CH", "CA:TRUE, pathlen:1", "X509v3 Basic Constraints: critical"],
    );
    assert_eq!(authority.certificate.subject().to_string(), "CN=Root 1,O=Ünïcode & Co,C=CH");
}

#[test]
fn key_identifier_is_the_one_that_openssl_computes() {
    let shop = Shop::new();
    shop.openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout k.pem -subj /CN=a -out c.pem",
    );
    let certificate = Certificate::parse(&shop.read("c.pem")).unwrap();
    let key = certificate.public_key();
    assert_eq!(certificate.extensions().subject_key_identifier, Some(key.key_identifier()));
    assert_eq!(key.kind(), KeyKind::EcP384);
}

#[test]
fn certificate_of_another_ca_is_read_and_its_unknown_extension_skipped() {
    let shop = Shop::new();
    let unknown = "-addext 1.2.3.4=critical,DER:0500 -addext certificatePolicies=2.23.140.1.2.1";
    let names = "-addext subjectAltName=DNS:a.example,otherName:1.2.3;UTF8:x,RID:1.2.3";
    shop.openssl(&format!(
        "req -x509 -newkey rsa:2048 -nodes -keyout k.pem -subj /CN=a {unknown} {names} -out c.pem"
    ));
    let certificate = Certificate::parse(&shop.read("c.pem")).unwrap();
    assert_eq!(certificate.extensions().subject_alt_names, [GeneralName::Dns("a.example".into())]);
    assert_eq!(
        certificate.extensions().basic_constraints,
        Some(BasicConstraints { ca: true, path_len: None })
    );
    assert_eq!(certificate.signature_algorithm(), SignatureAlgorithm::RsaPkcs1Sha256);
    assert_eq!(certificate.public_key().kind(), KeyKind::Rsa { bits: 2048 });
    assert!(certificate.tbs().is_err());
    shop.openssl("x509 -in c.pem -outform der -out c.der");
    assert_eq!(shop.read("c.der"), certificate.as_der());
}

#[test]
fn crl_with_entries_is_read_and_verified() {
    let (shop, authority) = (Shop::new(), Authority::new());
    let entries = [
        entry(1, Some(RevocationReason::KeyCompromise)),
        entry(2, None),
        entry(3, Some(RevocationReason::AaCompromise)),
    ];
    let tbs = authority.crl(Some("http://crl.example/1.crl")).encode(entries).unwrap();
    let der = crl::assemble(&tbs, SignatureAlgorithm::EcdsaSha256, &authority.sign(&tbs));
    shop.write("root.pem", authority.certificate.to_pem());
    shop.write("crl.pem", pem::encode(pem::CRL, &der));
    let text = shop.openssl("crl -in crl.pem -noout -text -CAfile root.pem");
    assert_contains(
        &text,
        &[
            "verify OK",
            "Version 2",
            "Serial Number: 41010101010101010101010101010101",
            "Key Compromise",
            "AA Compromise",
            "X509v3 Issuing Distribution Point: critical",
            "URI:http://crl.example/1.crl",
            "X509v3 CRL Number: \n                18446744073709551617",
        ],
    );
    let list = CertificateList::parse(&shop.read("crl.pem")).unwrap();
    assert_eq!((list.entries(), list.tbs_der()), (&entries[..], &tbs[..]));
}

#[test]
fn crl_without_entries_is_read_and_verified_and_used() {
    let (shop, authority) = (Shop::new(), Authority::new());
    let key = PublicKey::from_ed25519([9; 32]);
    let subject = DistinguishedName::new().common_name("a").build().unwrap();
    let leaf = authority.leaf(subject, key, Extensions::default());
    shop.write("root.pem", authority.certificate.to_pem());
    shop.write("leaf.pem", certify(&authority.key, &leaf).to_pem());
    let tbs = authority.crl(None).encode([]).unwrap();
    let der = crl::assemble(&tbs, SignatureAlgorithm::EcdsaSha256, &authority.sign(&tbs));
    shop.write("crl.pem", pem::encode(pem::CRL, &der));
    let text = shop.openssl("crl -in crl.pem -noout -text -CAfile root.pem");
    assert_contains(&text, &["verify OK", "No Revoked Certificates"]);
    let text = shop.openssl("verify -crl_check -CAfile root.pem -CRLfile crl.pem leaf.pem");
    assert_contains(&text, &["leaf.pem: OK"]);
}

#[test]
fn crl_of_openssl_is_read() {
    let shop = Shop::new();
    shop.openssl("req -x509 -newkey rsa:2048 -nodes -keyout k.pem -subj /CN=ca -out ca.pem");
    shop.openssl("req -x509 -newkey rsa:2048 -nodes -keyout l.pem -subj /CN=l -set_serial 0x1234 -out l.cer");
    shop.write(
        "ca.cnf",
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=3\n\
         crl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n",
    );
    shop.write("index", "");
    shop.write("number", "1000\n");
    let ca = "ca -config ca.cnf -keyfile k.pem -cert ca.pem";
    shop.openssl(&format!("{ca} -revoke l.cer -crl_reason cessationOfOperation"));
    shop.openssl(&format!("{ca} -gencrl -out crl.pem"));
    let list = CertificateList::parse(&shop.read("crl.pem")).unwrap();
    let entry = list.entry(&"1234".parse().unwrap()).unwrap();
    assert_eq!(entry.reason, Some(RevocationReason::CessationOfOperation));
    assert_eq!(list.tbs().number, CrlNumber(0x1000));
    assert_eq!(list.tbs().encode(list.entries().iter().copied()).unwrap(), list.tbs_der());
}

#[test]
fn ocsp_answer_of_a_delegated_responder_is_verified() {
    let (shop, authority) = (Shop::new(), Authority::new());
    let responder_key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let responder_public =
        PublicKey::from_ec_point(KeyKind::EcP256, responder_key.public_key().as_ref()).unwrap();
    let responder_extensions = Extensions {
        authority_key_identifier: Some(authority.certificate.public_key().key_identifier()),
        key_usage: Some(KeyUsage::DIGITAL_SIGNATURE),
        extended_key_usage: vec![ExtendedKeyUsage::OcspSigning],
        ocsp_no_check: true,
        ..Extensions::default()
    };
    let name = DistinguishedName::new().common_name("OCSP").build().unwrap();
    let responder =
        certify(&authority.key, &authority.leaf(name.clone(), responder_public, responder_extensions));
    let leaf = certify(
        &authority.key,
        &authority.leaf(name, PublicKey::from_ed25519([9; 32]), Extensions::default()),
    );
    shop.write("root.pem", authority.certificate.to_pem());
    shop.write("leaf.pem", leaf.to_pem());
    let ask = "-issuer root.pem -cert leaf.pem -issuer root.pem -serial 77 -issuer root.pem -serial 78";
    shop.openssl(&format!("ocsp {ask} -nonce -reqout request.der"));

    let request = OcspRequest::parse(&shop.read("request.der")).unwrap();
    assert_eq!(request.encode().unwrap(), shop.read("request.der"));
    assert!(request.nonce.is_some());
    let key = authority.certificate.public_key();
    assert_eq!(request.cert_ids[0], CertId::sha1(authority.certificate.subject(), key, &leaf.serial()));
    let revoked =
        CertStatus::Revoked { at: UnixSeconds(1_700_000_000), reason: Some(RevocationReason::Superseded) };
    let statuses = [CertStatus::Good, revoked, CertStatus::Unknown];
    let now = UnixSeconds(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs());
    let answers = request.cert_ids.iter().zip(statuses).map(|(id, status)| SingleResponse {
        cert_id: id.clone(),
        status,
        this_update: now,
        next_update: Some(now.saturating_add(3600)),
        archive_cutoff: Some(UnixSeconds(1_600_000_000)),
    });
    let data = ResponseData {
        responder: responder.public_key().key_identifier(),
        produced_at: now,
        responses: answers.collect(),
        nonce: request.nonce.clone(),
        extended_revoke: true,
    };
    let tbs = data.encode().unwrap();
    let algorithm = SignatureAlgorithm::EcdsaSha256;
    let response = assemble_response(&tbs, algorithm, &sign(&responder_key, &tbs), &[responder.as_der()]);
    shop.write("response.der", &response);
    // The nonce is compared with the request's; then the statuses, for which openssl makes a request of its own.
    let text = shop.openssl("ocsp -respin response.der -reqin request.der -CAfile root.pem");
    assert_contains(&text, &["Response verify OK"]);
    assert!(!text.contains("WARNING"), "{text}");
    let text = shop.openssl(&format!("ocsp -respin response.der -no_nonce {ask} -CAfile root.pem"));
    let lines = ["Response verify OK", "leaf.pem: good", "77: revoked", "Reason: superseded", "78: unknown"];
    assert_contains(&text, &lines);
    assert!(!text.contains("WARNING"), "{text}");
    let Ok(OcspResponse::Basic(basic)) = OcspResponse::parse(&response) else { panic!("not read") };
    assert_eq!((basic.data(), basic.certificates()), (&data, &[responder.as_der().to_vec()][..]));
}

#[test]
fn ocsp_errors_are_read() {
    let shop = Shop::new();
    for (error, name) in [
        (OcspError::MalformedRequest, "malformedrequest"),
        (OcspError::InternalError, "internalerror"),
        (OcspError::TryLater, "trylater"),
        (OcspError::SigRequired, "sigrequired"),
        (OcspError::Unauthorized, "unauthorized"),
    ] {
        shop.write("error.der", error.response());
        let output = Command::new("openssl")
            .args(["ocsp", "-respin", "error.der", "-noverify"])
            .current_dir(shop.folder.path())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        assert_contains(&String::from_utf8_lossy(&text), &[&format!("Responder Error: {name}")]);
    }
}

#[test]
fn ocsp_sha256_request_is_read() {
    let (shop, authority) = (Shop::new(), Authority::new());
    shop.write("root.pem", authority.certificate.to_pem());
    shop.openssl("ocsp -sha256 -issuer root.pem -serial 0x80 -no_nonce -reqout request.der");
    let request = OcspRequest::parse(&shop.read("request.der")).unwrap();
    assert_eq!(request.cert_ids[0].hash, ca_x509::ocsp::HashAlgorithm::Sha256);
    assert_eq!(request.cert_ids[0].serial, [0, 0x80]);
    assert_eq!(request.nonce, None);
}

const PSS_SHA384: &str = "-sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest";

#[test]
fn rsa_pss_certificate_is_verified() {
    let shop = Shop::new();
    shop.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -outform der -out k.der");
    let key = RsaKeyPair::from_der(&shop.read("k.der")).unwrap();
    shop.openssl("pkey -inform der -in k.der -pubout -outform der -out p.der");
    let public_key = PublicKey::from_spki_der(&shop.read("p.der")).unwrap();
    let name = DistinguishedName::new().common_name("a").build().unwrap();
    for (signature_algorithm, with) in [
        (SignatureAlgorithm::RsaPssSha256, &RSA_PSS_SHA256),
        (SignatureAlgorithm::RsaPssSha384, &RSA_PSS_SHA384),
        (SignatureAlgorithm::RsaPssSha512, &RSA_PSS_SHA512),
    ] {
        let tbs = TbsCertificate {
            signature_algorithm,
            subject: name.clone(),
            issuer: name.clone(),
            public_key: public_key.clone(),
            ..Authority::new().leaf(name.clone(), public_key.clone(), Extensions::default())
        };
        let der = tbs.encode().unwrap();
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(with, &SystemRandom::new(), &der, &mut signature).unwrap();
        let certificate = Certificate::parse(&assemble(&der, signature_algorithm, &signature)).unwrap();
        shop.write("c.pem", certificate.to_pem());
        let text = shop.openssl("verify -check_ss_sig -partial_chain -CAfile c.pem c.pem");
        assert_contains(&text, &["c.pem: OK"]);
    }
}

/// An authority below `root` that may certify names under a.example and addresses of 192.0.2.0/24, by one policy.
fn constrained(root: &Authority, policy: &CertificatePolicy) -> Authority {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let public_key = PublicKey::from_ec_point(KeyKind::EcP256, key.public_key().as_ref()).unwrap();
    let extensions = Extensions {
        subject_key_identifier: Some(public_key.key_identifier()),
        authority_key_identifier: Some(root.certificate.public_key().key_identifier()),
        basic_constraints: Some(BasicConstraints { ca: true, path_len: Some(0) }),
        name_constraints: Some(NameConstraints {
            permitted: vec![
                NameSubtree::Dns("a.example".into()),
                NameSubtree::Ip { address: "192.0.2.0".parse().unwrap(), prefix: 24 },
            ],
            excluded: vec![NameSubtree::Email(".b.example".into())],
        }),
        key_usage: Some(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN),
        policies: vec![policy.clone()],
        policy_constraints: Some(PolicyConstraints {
            require_explicit_policy: Some(0),
            inhibit_policy_mapping: Some(0),
        }),
        inhibit_any_policy: Some(0),
        freshest_crl: vec!["http://a.example/delta.crl".into()],
        tls_features: vec![TlsFeature::STATUS_REQUEST, TlsFeature::STATUS_REQUEST_V2],
        ..Extensions::default()
    };
    let name = DistinguishedName::new().common_name("Issuing").build().unwrap();
    let certificate = certify(&root.key, &root.leaf(name, public_key, extensions));
    Authority { key, certificate }
}

fn policy() -> CertificatePolicy {
    CertificatePolicy { identifier: "1.2.3".parse().unwrap(), cps: vec!["http://a.example/cps".into()] }
}

#[test]
fn constraints_and_policies_are_read() {
    let shop = Shop::new();
    shop.write("issuing.pem", constrained(&Authority::new(), &policy()).certificate.to_pem());
    assert_contains(
        &shop.openssl("x509 -in issuing.pem -noout -text"),
        &[
            "X509v3 Name Constraints: critical",
            "DNS:a.example",
            "IP:192.0.2.0/255.255.255.0",
            "email:.b.example",
            "Policy: 1.2.3",
            "CPS: http://a.example/cps",
            "X509v3 Policy Constraints: critical",
            "Require Explicit Policy:0, Inhibit Policy Mapping:0",
            "X509v3 Inhibit Any Policy: critical",
            "X509v3 Freshest CRL:",
            "TLS Feature:",
            "status_request, status_request_v2",
        ],
    );
}

#[test]
fn constraints_and_policies_are_kept() {
    let (shop, root) = (Shop::new(), Authority::new());
    let issuing = constrained(&root, &policy());
    shop.write("root.pem", root.certificate.to_pem());
    shop.write("issuing.pem", issuing.certificate.to_pem());
    let verdict = |name: GeneralName, policies: Vec<CertificatePolicy>| {
        let key = PublicKey::from_ed25519([9; 32]);
        let extensions = Extensions {
            authority_key_identifier: Some(issuing.certificate.public_key().key_identifier()),
            subject_key_identifier: Some(key.key_identifier()),
            subject_alt_names: vec![name],
            policies,
            ..Extensions::default()
        };
        let tbs = issuing.leaf(DistinguishedName::empty(), key, extensions);
        shop.write("leaf.pem", certify(&issuing.key, &tbs).to_pem());
        let strict = "verify -x509_strict -policy 1.2.3 -explicit_policy";
        shop.verdict(&format!("{strict} -CAfile root.pem -untrusted issuing.pem leaf.pem"))
    };
    let dns = |name: &str| GeneralName::Dns(name.into());
    let address = |text: &str| GeneralName::Ip(text.parse().unwrap());
    let email = GeneralName::Email("a@x.b.example".into());
    assert_contains(&verdict(dns("x.a.example"), vec![policy()]), &["leaf.pem: OK"]);
    assert_contains(&verdict(dns("x.b.example"), vec![policy()]), &["permitted subtree violation"]);
    assert_contains(&verdict(address("192.0.2.9"), vec![policy()]), &["leaf.pem: OK"]);
    assert_contains(&verdict(address("198.51.100.9"), vec![policy()]), &["permitted subtree violation"]);
    assert_contains(&verdict(email, vec![policy()]), &["excluded subtree violation"]);
    assert_contains(&verdict(dns("x.a.example"), vec![]), &["no explicit policy"]);
}

#[test]
fn delta_takes_from_the_list() {
    let (shop, authority) = (Shop::new(), Authority::new());
    let subject = DistinguishedName::new().common_name("a").build().unwrap();
    let freshest_crl = vec![String::from("http://crl.example/delta.crl")];
    let extensions = Extensions { freshest_crl: freshest_crl.clone(), ..Extensions::default() };
    let leaf =
        certify(&authority.key, &authority.leaf(subject, PublicKey::from_ed25519([9; 32]), extensions));
    let full = TbsCrl { freshest_crl, ..authority.crl(None) };
    let base = full.number;
    let delta = TbsCrl {
        number: CrlNumber(base.0 + 1),
        delta_base: Some(base),
        this_update: UnixSeconds(1_700_000_100),
        ..authority.crl(None)
    };
    let write = |name: &str, list: &TbsCrl, entry: CrlEntry| {
        let tbs = list.encode([entry]).unwrap();
        let der = crl::assemble(&tbs, SignatureAlgorithm::EcdsaSha256, &authority.sign(&tbs));
        shop.write(name, pem::encode(pem::CRL, &der));
    };
    let (hold, date) = (Some(RevocationReason::CertificateHold), UnixSeconds(1_700_000_000));
    let held = CrlEntry {
        invalidity_date: Some(UnixSeconds(1_690_000_000)),
        ..CrlEntry::revoked(leaf.serial(), date, hold)
    };
    write("full.pem", &full, held);
    write("delta.pem", &delta, CrlEntry::removed(leaf.serial(), UnixSeconds(1_700_000_100)));
    shop.write("root.pem", authority.certificate.to_pem());
    shop.write("leaf.pem", leaf.to_pem());
    assert_contains(
        &shop.openssl("crl -in full.pem -noout -text -CAfile root.pem"),
        &[
            "verify OK",
            "Invalidity Date",
            "Jul 22 04:26:40 2023 GMT",
            "Certificate Hold",
            "X509v3 Freshest CRL",
        ],
    );
    assert_contains(
        &shop.openssl("crl -in delta.pem -noout -text -CAfile root.pem"),
        &["verify OK", "X509v3 Delta CRL Indicator: critical", "Remove From CRL"],
    );
    let verify = |lists: &str| {
        shop.verdict(&format!(
            "verify -crl_check -extended_crl -use_deltas -CAfile root.pem {lists} leaf.pem"
        ))
    };
    assert_contains(&verify("-CRLfile full.pem"), &["certificate revoked"]);
    assert_contains(&verify("-CRLfile full.pem -CRLfile delta.pem"), &["leaf.pem: OK"]);
}

#[test]
fn requests_of_every_key_kind_are_read() {
    let shop = Shop::new();
    let curve = |name: &str| format!("ec -pkeyopt ec_paramgen_curve:{name}");
    for (key, hash, kind, algorithm) in [
        (curve("P-256"), "-sha256", KeyKind::EcP256, SignatureAlgorithm::EcdsaSha256),
        (curve("P-384"), "-sha384", KeyKind::EcP384, SignatureAlgorithm::EcdsaSha384),
        (curve("P-521"), "-sha512", KeyKind::EcP521, SignatureAlgorithm::EcdsaSha512),
        ("rsa:2048".into(), "-sha384", KeyKind::Rsa { bits: 2048 }, SignatureAlgorithm::RsaPkcs1Sha384),
        ("rsa:3072".into(), PSS_SHA384, KeyKind::Rsa { bits: 3072 }, SignatureAlgorithm::RsaPssSha384),
        ("ed25519".into(), "", KeyKind::Ed25519, SignatureAlgorithm::Ed25519),
    ] {
        let names =
            "-addext subjectAltName=DNS:a.example,IP:192.0.2.7,IP:2001:db8::7,email:b@a.example,URI:urn:x";
        shop.openssl(&format!(
            "req -new -newkey {key} {hash} -nodes -keyout k.pem -subj /C=CH/CN=a {names} -out r.pem"
        ));
        let request = CertificationRequest::parse(&shop.read("r.pem")).unwrap();
        assert_eq!((request.public_key().kind(), request.signature_algorithm()), (kind, algorithm));
        assert_eq!(request.subject().to_string(), "CN=a,C=CH");
        let names: Vec<String> = request.requested_names().iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            ["DNS:a.example", "IP:192.0.2.7", "IP:2001:db8::7", "email:b@a.example", "URI:urn:x"]
        );
        shop.openssl("req -in r.pem -outform der -out r.der");
        assert_eq!(CertificationRequest::parse(&shop.read("r.der")), Ok(request.clone()));
        // The key's encoding is OpenSSL's, octet for octet.
        shop.openssl("pkey -in k.pem -pubout -outform der -out p.der");
        assert_eq!(shop.read("p.der"), request.public_key().spki_der());
        let again = PublicKey::from_spki_der(request.public_key().spki_der());
        assert_eq!(again.as_ref(), Ok(request.public_key()));
    }
}

#[test]
fn request_with_empty_subject_and_no_names_is_read() {
    let shop = Shop::new();
    shop.openssl("req -new -newkey ed25519 -nodes -keyout k.pem -subj / -out r.pem");
    let request = CertificationRequest::parse(&shop.read("r.pem")).unwrap();
    assert!(request.subject().is_empty());
    assert_eq!(request.requested_names(), []);
}

#[test]
fn request_signature_is_over_the_received_octets() {
    let shop = Shop::new();
    shop.openssl("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -subj /CN=a -newhdr -text -out r.pem");
    let request = CertificationRequest::parse(&shop.read("r.pem")).unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, request.public_key().key_bits());
    assert!(key.verify(request.info_der(), request.signature()).is_ok());
}
