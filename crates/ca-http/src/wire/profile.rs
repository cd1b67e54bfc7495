//! A profile as people write it: the API's JSON, and the same in TOML for `ca-node profile`.

use ca_core::ids::ProfileName;
use ca_core::profile::{
    Allow, Audience, DnsRule, KeyRule, NameRules, Profile, ProfileFault, StatusRule, SubjectRule,
    ValidityRule,
};
use ca_x509::certificate::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use serde::{Deserialize, Serialize};

use super::life::Life;

/// `GET` and `PUT /api/v1/profiles/{name}`, one of `GET /api/v1/profiles`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileDocument {
    /// Its name: 1 to 32 lower-case letters, digits and hyphens.
    pub name: String,
    /// Set by the cluster: rises by one with every change. In a `PUT` it may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// `requesters`, or `cluster` for what only members ask for.
    #[serde(default = "requesters")]
    pub audience: String,
    /// The CAs that issue it; the first one by default.
    pub issuers: Vec<String>,
    /// Which keys are taken: `ec-p256`, `ec-p384`, `ec-p521`, `ed25519`, `rsa-2048` (that many bits or more).
    pub keys: Vec<String>,
    /// How certificates learn their subject: `names` (the CSR's common name if it is among the certified names, else
    /// empty) or `given` (as the CSR has it).
    #[serde(default = "names")]
    pub subject: String,
    /// `pointers` (CRL, OCSP and CA addresses), `root` (none), `no-check` (an OCSP responder's).
    #[serde(default = "pointers")]
    pub status: String,
    /// How long a certificate lives.
    pub validity: ValidityDocument,
    /// Which names may be certified.
    #[serde(default)]
    pub names: NamesDocument,
    /// What the key may do.
    pub usage: UsageDocument,
    /// For certificates of CAs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<CaDocument>,
}

/// How long a certificate lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidityDocument {
    /// When nothing is asked for.
    pub default: Life,
    /// The most that can be asked for.
    pub max: Life,
    /// How far notBefore lies in the past, for clients whose clocks are behind.
    #[serde(default = "five_minutes")]
    pub backdate: Life,
}

/// Which subject alternative names may be certified; by default none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamesDocument {
    /// DNS names.
    #[serde(default)]
    pub dns: DomainsDocument,
    /// Whether `*.` may stand in front of a DNS name.
    #[serde(default)]
    pub wildcard: bool,
    /// Mail addresses, by the domain of their host.
    #[serde(default)]
    pub email: DomainsDocument,
    /// IP addresses.
    #[serde(default)]
    pub ip: bool,
    /// URIs.
    #[serde(default)]
    pub uri: bool,
    /// The fewest names.
    #[serde(default)]
    pub min: usize,
}

/// `"none"`, `"any"`, or a list of domains: these, and whatever lies below them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DomainsDocument {
    /// `none` or `any`.
    Word(String),
    /// These domains.
    Under(Vec<String>),
}

/// What the key may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageDocument {
    /// Names of RFC 5280 §4.2.1.3: `digitalSignature`, `keyEncipherment`, …
    pub key: Vec<String>,
    /// `serverAuth`, `clientAuth`, `codeSigning`, `emailProtection`, `timeStamping`, `OCSPSigning` (RFC 5280
    /// §4.2.1.12).
    #[serde(default)]
    pub extended: Vec<String>,
}

/// For certificates of CAs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaDocument {
    /// How many CAs may follow below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_len: Option<u8>,
}

fn requesters() -> String {
    "requesters".to_owned()
}

fn names() -> String {
    "names".to_owned()
}

fn pointers() -> String {
    "pointers".to_owned()
}

fn five_minutes() -> Life {
    Life(300)
}

impl Default for DomainsDocument {
    fn default() -> Self {
        Self::Word("none".to_owned())
    }
}

const AUDIENCES: [(&str, Audience); 2] =
    [("requesters", Audience::Requesters), ("cluster", Audience::Cluster)];
const SUBJECTS: [(&str, SubjectRule); 2] =
    [("names", SubjectRule::NameAmongNames), ("given", SubjectRule::Given)];
const STATUSES: [(&str, StatusRule); 3] =
    [("pointers", StatusRule::Pointers), ("root", StatusRule::Root), ("no-check", StatusRule::NoCheck)];
const KEYS: [(&str, KeyRule); 4] = [
    ("ec-p256", KeyRule::EcP256),
    ("ec-p384", KeyRule::EcP384),
    ("ec-p521", KeyRule::EcP521),
    ("ed25519", KeyRule::Ed25519),
];

impl From<&Profile> for ProfileDocument {
    fn from(profile: &Profile) -> Self {
        Self {
            name: profile.name.to_string(),
            version: Some(profile.version),
            audience: word(&AUDIENCES, profile.audience),
            issuers: profile.issuers.iter().map(ToString::to_string).collect(),
            keys: profile.keys.iter().map(|rule| key_word(*rule)).collect(),
            subject: word(&SUBJECTS, profile.subject),
            status: word(&STATUSES, profile.status),
            validity: ValidityDocument {
                default: Life(profile.validity.default_s),
                max: Life(profile.validity.max_s),
                backdate: Life(profile.validity.backdate_s),
            },
            names: (&profile.names).into(),
            usage: UsageDocument {
                key: profile.key_usage.names().map(str::to_owned).collect(),
                extended: profile.extended_key_usage.iter().map(|usage| usage.as_str().to_owned()).collect(),
            },
            ca: profile
                .basic_constraints
                .ca
                .then_some(CaDocument { path_len: profile.basic_constraints.path_len }),
        }
    }
}

impl From<&NameRules> for NamesDocument {
    fn from(rules: &NameRules) -> Self {
        Self {
            dns: (&rules.dns).into(),
            wildcard: rules.wildcard == Allow::Yes,
            email: (&rules.email).into(),
            ip: rules.ip == Allow::Yes,
            uri: rules.uri == Allow::Yes,
            min: rules.count_min,
        }
    }
}

impl From<&DnsRule> for DomainsDocument {
    fn from(rule: &DnsRule) -> Self {
        match rule {
            DnsRule::No => Self::Word("none".to_owned()),
            DnsRule::Any => Self::Word("any".to_owned()),
            DnsRule::Under(domains) => Self::Under(domains.clone()),
        }
    }
}

impl ProfileDocument {
    /// The profile that this describes, as version `version`.
    ///
    /// # Errors
    /// Every word that is none of the vocabulary, with the field it stands in.
    pub fn profile(&self, version: u32) -> Result<Profile, Vec<ProfileFault>> {
        let mut faults = Vec::new();
        let profile = self.read(version, &mut faults);
        match profile {
            Some(profile) if faults.is_empty() => Ok(profile),
            _ => Err(faults),
        }
    }

    /// Reads on after a fault, so that one try names them all.
    fn read(&self, version: u32, faults: &mut Vec<ProfileFault>) -> Option<Profile> {
        let name: Option<ProfileName> =
            self.name.parse().map_err(|error| faults.push(fault("name", format!("{error}")))).ok();
        let issuers = each("issuers", &self.issuers, faults, |ca| ca.parse().map_err(|e| format!("{e}")));
        let keys = each("keys", &self.keys, faults, key_rule);
        let audience = known("audience", &AUDIENCES, &self.audience, faults);
        let subject = known("subject", &SUBJECTS, &self.subject, faults);
        let status = known("status", &STATUSES, &self.status, faults);
        let dns = domains("names.dns", &self.names.dns, faults);
        let email = domains("names.email", &self.names.email, faults);
        let key_usages = each("usage.key", &self.usage.key, faults, |name| {
            let names = || KeyUsage::ALL.map(|(_, name)| name).join(", ");
            KeyUsage::from_name(name).ok_or_else(|| format!("`{name}` is none of {}", names()))
        });
        let extended_key_usage = each("usage.extended", &self.usage.extended, faults, |name| {
            let names = || ExtendedKeyUsage::ALL.map(ExtendedKeyUsage::as_str).join(", ");
            ExtendedKeyUsage::from_name(name).ok_or_else(|| format!("`{name}` is none of {}", names()))
        });
        let allow = |yes| if yes { Allow::Yes } else { Allow::No };
        Some(Profile {
            name: name?,
            version,
            audience: audience?,
            issuers,
            keys,
            validity: ValidityRule {
                default_s: self.validity.default.0,
                max_s: self.validity.max.0,
                backdate_s: self.validity.backdate.0,
            },
            subject: subject?,
            names: NameRules {
                dns: dns?,
                wildcard: allow(self.names.wildcard),
                email: email?,
                ip: allow(self.names.ip),
                uri: allow(self.names.uri),
                count_min: self.names.min,
            },
            key_usage: key_usages.into_iter().collect(),
            extended_key_usage,
            basic_constraints: BasicConstraints {
                ca: self.ca.is_some(),
                path_len: self.ca.as_ref().and_then(|ca| ca.path_len),
            },
            status: status?,
        })
    }
}

fn fault(field: &str, why: String) -> ProfileFault {
    ProfileFault { field: field.to_owned(), why }
}

fn each<T>(
    field: &str,
    texts: &[String],
    faults: &mut Vec<ProfileFault>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Vec<T> {
    let mut read_all = Vec::with_capacity(texts.len());
    for (place, text) in texts.iter().enumerate() {
        match read(text) {
            Ok(one) => read_all.push(one),
            Err(why) => faults.push(fault(&format!("{field}[{place}]"), why)),
        }
    }
    read_all
}

fn known<T: Copy>(field: &str, words: &[(&str, T)], text: &str, faults: &mut Vec<ProfileFault>) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        faults.push(fault(field, format!("`{text}` is none of {}", words.join(", "))));
    }
    found
}

fn word<T: PartialEq + Copy>(words: &[(&str, T)], value: T) -> String {
    let found = words.iter().find(|(_, known)| *known == value);
    found.map(|(word, _)| (*word).to_owned()).unwrap_or_default()
}

fn domains(field: &str, document: &DomainsDocument, faults: &mut Vec<ProfileFault>) -> Option<DnsRule> {
    match document {
        DomainsDocument::Word(word) if word == "none" => Some(DnsRule::No),
        DomainsDocument::Word(word) if word == "any" => Some(DnsRule::Any),
        DomainsDocument::Word(word) => {
            faults.push(fault(field, format!("`{word}` is neither none, any, nor a list of domains")));
            None
        }
        DomainsDocument::Under(domains) => Some(DnsRule::Under(domains.clone())),
    }
}

fn key_word(rule: KeyRule) -> String {
    match rule {
        KeyRule::Rsa { bits_min } => format!("rsa-{bits_min}"),
        other => word(&KEYS, other),
    }
}

fn key_rule(text: &str) -> Result<KeyRule, String> {
    if let Some(bits_min) = text.strip_prefix("rsa-").and_then(|bits| bits.parse().ok()) {
        return Ok(KeyRule::Rsa { bits_min });
    }
    let found = KEYS.iter().find(|(word, _)| *word == text).map(|(_, rule)| *rule);
    found.ok_or_else(|| format!("`{text}` is none of ec-p256, ec-p384, ec-p521, ed25519, rsa-2048"))
}

#[cfg(test)]
mod tests {
    use ca_core::profile::built_in;

    use super::*;

    #[test]
    fn every_built_in_profile_survives_a_round_trip() {
        for profile in built_in(DnsRule::Under(vec!["example.com".to_owned()])).unwrap() {
            let text = serde_json::to_string(&ProfileDocument::from(&profile)).unwrap();
            let read: ProfileDocument = serde_json::from_str(&text).unwrap();
            assert_eq!(read.profile(profile.version), Ok(profile), "{text}");
        }
    }

    #[test]
    fn one_try_names_every_fault() {
        let text = r#"{"name":"Bad Name","issuers":["issuing","?"],"keys":["dsa"],"subject":"x","status":"y",
            "audience":"z","validity":{"default":"90d","max":"90d"},"names":{"dns":"some","email":"few"},
            "usage":{"key":["sign"],"extended":["webAuth"]}}"#;
        let document: ProfileDocument = serde_json::from_str(text).unwrap();
        let faults = document.profile(1).unwrap_err();
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "name",
                "issuers[1]",
                "keys[0]",
                "audience",
                "subject",
                "status",
                "names.dns",
                "names.email",
                "usage.key[0]",
                "usage.extended[0]"
            ]
        );
    }

    #[test]
    fn unknown_fields_are_refused() {
        let text = r#"{"name":"a","issuers":[],"keys":[],"validity":{"default":"1d","max":"1d"},
            "usage":{"key":[]},"nmaes":{}}"#;
        let error = serde_json::from_str::<ProfileDocument>(text).unwrap_err();
        assert!(error.to_string().contains("unknown field `nmaes`"), "{error}");
    }
}
