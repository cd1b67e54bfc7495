//! I18 over whole CSRs: whatever a profile, a grant and a request say, a certificate has of the request what the
//! profile asks for and the grant allows, and nothing else.

use ca_core::ids::Digest;
use ca_core::roles::Role;
use ca_x509::certificate::{Certificate, ExtendedKeyUsage, KeyUsage, TbsCertificate};
use ca_x509::name::GeneralName;
use rcgen::{Attribute, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, SanType};
use serde_json::{Value, json};

use crate::world::{World, post, put};

/// Enough that each rule is met by names inside and outside it; how many certificates come of it is checked below.
const ROUNDS: usize = 400;
/// A rule that refuses everything would keep the promise too.
const ISSUED_MIN: usize = 40;

const NAMES: [&str; 9] = [
    "DNS:a.test",
    "DNS:www.a.test",
    "DNS:b.test",
    "IP:10.1.2.3",
    "IP:192.0.2.7",
    "email:ann@a.test",
    "email:bob@b.test",
    "URI:urn:dev:7",
    "URI:https://b.test/7",
];
/// Attributes with their identifiers and what a CSR says of them; each text is found nowhere else.
const ATTRIBUTES: [(&str, &[u64], &str); 5] = [
    ("O", &[2, 5, 4, 10], "canary organization"),
    ("OU", &[2, 5, 4, 11], "canary unit"),
    ("title", &[2, 5, 4, 12], "canary title"),
    ("serialNumber", &[2, 5, 4, 5], "canary-7.a.test"),
    ("UID", &[0, 9, 2342, 19_200_300, 100, 1, 1], "canary-uid.b.test"),
];
/// Of extensions and attributes of a CSR, which no profile asks for.
const NEVER: [&str; 3] = ["canary password", "canary extension", "canary policy"];

/// Mechanism: `ca_core::subject::subject` (only what the rule names), `ca_core::names::certified` (each kind by its
/// rule), `names::within` and `text_within` (the grant), and that `CertificationRequest` keeps nothing else of a CSR.
#[tokio::test]
async fn i18_nothing_of_a_csr_rides_in_unasked() {
    let world = World::new().await;
    let admin = world.caller(&[Role::Admin]).await;
    let requester = world.caller(&[Role::Requester]).await;
    let key = Digest::of(Certificate::parse(&requester).unwrap().public_key().spki_der());
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut issued = 0;
    for round in 0..ROUNDS {
        let profile = profile(&mut dice);
        // One that is at fault is not made, and the one before it stays.
        let made = world.api(Some(&admin), put("/api/v1/profiles/any", &profile)).await;
        if !matches!(made.status, 200 | 201) {
            assert_eq!(made.slug(), "profile-invalid", "{round}: {}", made.text());
            continue;
        }
        let space = dice.one(&[None, None, Some(vec!["a.test"])]);
        let grant = json!({ "roles": ["requester"], "dns": space, "label": "" });
        let granted = world.api(Some(&admin), put(&format!("/api/v1/grants/{key}"), &grant)).await;
        assert_eq!(granted.status, 200, "{}", granted.text());
        let asked = Asked::of(&mut dice);
        let answer = world.api(Some(&requester), post("/api/v1/certificates", &asked.body())).await;
        if answer.status != 201 {
            assert_eq!(answer.slug(), "outside-profile", "{round}: {}", answer.text());
            continue;
        }
        issued += 1;
        let pem = answer.json()["certificate"].as_str().unwrap().to_owned();
        let certificate = Certificate::parse(pem.as_bytes()).unwrap();
        // Strict: an extension that we do not write is refused.
        let tbs = TbsCertificate::decode(certificate.tbs_der()).unwrap();
        check_names(&tbs, &asked, &profile, space.as_deref());
        check_subject(&tbs, &asked, &profile, space.as_deref());
        check_rest(certificate.as_der(), &tbs, &profile);
    }
    assert!(issued >= ISSUED_MIN, "{issued} certificates of {ROUNDS} requests");
}

/// Names ⊆ requested ∩ profile ∩ grant.
fn check_names(tbs: &TbsCertificate, asked: &Asked, profile: &Value, space: Option<&[&str]>) {
    let requested = asked.listed.as_ref().unwrap_or(&asked.in_csr);
    let allowed = |rule: &Value, host: &str| match rule.as_array() {
        Some(domains) => domains.iter().any(|domain| below(host, domain.as_str().unwrap())),
        None => rule == "any",
    };
    for name in &tbs.extensions.subject_alt_names {
        let text = name.to_string();
        assert!(requested.contains(&text.as_str()), "{text} was not asked for: {requested:?}");
        let host = text.rsplit([':', '@']).next().unwrap();
        let (kind, inside) = match name {
            GeneralName::Dns(_) => ("dns", true),
            GeneralName::Email(_) => ("email", true),
            GeneralName::Ip(_) => ("ip", false),
            _ => ("uri", false),
        };
        let rule = &profile["names"][kind];
        let fits = match name {
            GeneralName::Ip(address) if rule.is_array() => address.to_string().starts_with("10."),
            GeneralName::Uri(uri) if rule.is_array() => uri.starts_with("urn:dev:"),
            _ => allowed(rule, host),
        };
        assert!(fits, "{text} under {rule}");
        let Some(space) = space else { continue };
        assert!(inside && space.iter().any(|domain| below(host, domain)), "{text} in {space:?}");
    }
}

fn below(host: &str, domain: &str) -> bool {
    host == domain || host.ends_with(&format!(".{domain}"))
}

/// Each attribute stands in the profile, and has its text or that of the CSR.
fn check_subject(tbs: &TbsCertificate, asked: &Asked, profile: &Value, space: Option<&[&str]>) {
    let rules: Vec<&str> =
        profile["subject"].as_array().unwrap().iter().map(|rule| rule.as_str().unwrap()).collect();
    for (kind, text) in tbs.subject.texts() {
        let names: Vec<String> = tbs.extensions.subject_alt_names.iter().map(ToString::to_string).collect();
        let named = names.iter().any(|name| name.ends_with(&format!(":{text}")));
        let in_csr = asked.subject.iter().any(|(known, _, own)| *known == kind.as_str() && *own == text);
        let fits = rules.iter().any(|rule| match rule.split_once(' ') {
            _ if rule.contains('=') => *rule == format!("{kind}={text}"),
            Some((name, "from names")) => name == kind.as_str() && named,
            Some((name, _)) => name == kind.as_str() && in_csr,
            None => false,
        });
        assert!(fits, "{kind}={text} under {rules:?}");
        let host = text.rsplit('@').next().unwrap();
        let inside = space.is_none_or(|space| space.iter().any(|domain| below(host, domain)));
        assert!(inside || rules.contains(&format!("{kind}={text}").as_str()), "{kind}={text} in {space:?}");
    }
    let required = rules.iter().filter_map(|rule| rule.strip_suffix(" required"));
    for kind in required {
        assert!(tbs.subject.texts().any(|(known, _)| known.as_str() == kind), "{kind} is missing");
    }
}

/// What the key may do is the profile's word, and no octet of what is never asked for is there.
fn check_rest(der: &[u8], tbs: &TbsCertificate, profile: &Value) {
    let extensions = &tbs.extensions;
    assert_eq!(extensions.key_usage, Some(KeyUsage::DIGITAL_SIGNATURE));
    assert_eq!(extensions.extended_key_usage, [ExtendedKeyUsage::ClientAuth]);
    assert!(extensions.other_purposes.is_empty() && extensions.policies.is_empty());
    assert!(extensions.basic_constraints.is_some_and(|constraints| !constraints.ca));
    let contains = |text: &str| der.windows(text.len()).any(|octets| octets == text.as_bytes());
    for text in NEVER {
        assert!(!contains(text), "{text} rode in");
    }
    let subject = profile["subject"].to_string();
    for (kind, _, text) in ATTRIBUTES {
        assert!(!contains(text) || subject.contains(&format!("\"{kind} ")), "{text} rode in under {subject}");
    }
}

/// What one request says.
struct Asked {
    subject: Vec<(&'static str, &'static [u64], &'static str)>,
    in_csr: Vec<&'static str>,
    /// Beside the CSR.
    listed: Option<Vec<&'static str>>,
    extended: bool,
}

impl Asked {
    fn of(dice: &mut Dice) -> Self {
        let mut subject: Vec<_> = ATTRIBUTES.into_iter().filter(|_| dice.chance(2)).collect();
        if dice.chance(2) {
            subject.push(("CN", &[2, 5, 4, 3], dice.one(&["a.test", "ann@a.test", "10.1.2.3", "b.test"])));
        }
        let some = |dice: &mut Dice| {
            let odds = dice.one(&[2, 4, 8]);
            NAMES.into_iter().filter(|_| dice.chance(odds)).collect::<Vec<_>>()
        };
        let (in_csr, listed) = (some(dice), some(dice));
        Self { subject, in_csr, listed: dice.chance(2).then_some(listed), extended: dice.chance(2) }
    }

    fn body(&self) -> Value {
        let mut body = json!({ "profile": "any", "csr": self.csr() });
        if let Some(names) = &self.listed {
            body["names"] = json!(names);
        }
        body
    }

    /// Signed, with extensions that would make it a CA for everything, and a password.
    fn csr(&self) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, oid, text) in &self.subject {
            let value = match *kind {
                "serialNumber" => DnValue::PrintableString((*text).try_into().unwrap()),
                _ => DnValue::Utf8String((*text).to_owned()),
            };
            params.distinguished_name.push(DnType::CustomDnType(oid.to_vec()), value);
        }
        params.subject_alt_names = self.in_csr.iter().map(|name| alternative(name)).collect();
        let octets = |text: &str| [&[4, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        if self.extended {
            params.custom_extensions = vec![
                // cA is TRUE; keyCertSign; serverAuth; extensions that nobody knows.
                CustomExtension::from_oid_content(&[2, 5, 29, 19], vec![0x30, 3, 1, 1, 0xff]),
                CustomExtension::from_oid_content(&[2, 5, 29, 15], vec![3, 2, 2, 4]),
                CustomExtension::from_oid_content(
                    &[2, 5, 29, 37],
                    vec![0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1],
                ),
                CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 1, 1], octets(NEVER[1])),
                CustomExtension::from_oid_content(&[2, 5, 29, 32], octets(NEVER[2])),
            ];
        }
        // RFC 2985 §5.4.1: challengePassword.
        let password = [&[0x0c, u8::try_from(NEVER[0].len()).unwrap()], NEVER[0].as_bytes()].concat();
        let values = [&[0x31, u8::try_from(password.len()).unwrap()], &password[..]].concat();
        let attributes = if self.extended {
            vec![Attribute { oid: &[1, 2, 840, 113_549, 1, 9, 7], values }]
        } else {
            vec![]
        };
        let key = rcgen::KeyPair::generate().unwrap();
        params.serialize_request_with_attributes(&key, attributes).unwrap().pem().unwrap()
    }
}

fn alternative(name: &str) -> SanType {
    match name.split_once(':').unwrap() {
        ("DNS", text) => SanType::DnsName(text.try_into().unwrap()),
        ("IP", text) => SanType::IpAddress(text.parse().unwrap()),
        ("email", text) => SanType::Rfc822Name(text.try_into().unwrap()),
        (_, text) => SanType::URI(text.try_into().unwrap()),
    }
}

/// A document with rules of every kind.
fn profile(dice: &mut Dice) -> Value {
    let domains = |dice: &mut Dice| dice.one(&[json!("none"), json!("any"), json!(["a.test"])]);
    let mut subject: Vec<String> = Vec::new();
    for (kind, _, _) in ATTRIBUTES {
        let rule = match dice.below(6) {
            0 => format!("{kind} optional"),
            1 => format!("{kind} required"),
            2 => format!("{kind}=fixed"),
            _ => continue,
        };
        subject.push(rule);
    }
    if dice.chance(2) {
        subject.push("CN from names".to_owned());
    }
    json!({
        "name": "any",
        "issuers": ["issuing"],
        "keys": ["ec-p256"],
        "subject": subject,
        "validity": { "default": "1d", "max": "2d" },
        "names": {
            "source": dice.one(&["either", "either", "csr", "caller"]),
            "dns": domains(dice),
            "email": domains(dice),
            "ip": dice.one(&[json!("none"), json!("any"), json!(["10.0.0.0/8"])]),
            "uri": dice.one(&[json!("none"), json!("any"), json!(["urn:dev:"])]),
        },
        "usage": { "key": ["digitalSignature"], "extended": ["clientAuth"] },
    })
}

/// Marsaglia's xorshift64: the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11).checked_rem(count).unwrap()
    }

    /// One in so many.
    fn chance(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }

    fn one<T: Clone>(&mut self, all: &[T]) -> T {
        let place = self.below(u64::try_from(all.len()).unwrap());
        all[usize::try_from(place).unwrap()].clone()
    }
}
