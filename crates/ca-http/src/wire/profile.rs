//! A profile as people write it: the API's JSON, and the same in TOML for `ca-node profile`.
//!
//! What is left out has its default, and what has its default is left out when it is written: a file says what is
//! special about its profile.

mod authority;
mod names;
mod read;
mod subject;

use ca_core::profile::{
    Allow, Audience, Criticality, KeyRule, PerMinute, Profile, ProfileFault, Stapling, StatusRule,
    ValidityRule,
};
use ca_x509::certificate::{BasicConstraints, CertificatePolicy, CertificateTemplate, KeyUsage};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::authority::{CaDocument, SubtreesDocument};
pub use self::names::{KindDocument, NamesDocument};
pub use self::subject::SubjectDocument;
use super::life::Life;

/// `GET` and `PUT /api/v1/profiles/{name}`, one of `GET /api/v1/profiles`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileDocument {
    /// Its name: 1 to 32 lower-case letters, digits and hyphens.
    pub name: String,
    /// Set by the cluster: rises by one with every change. In a `PUT` it may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// `requesters`, or `cluster` for what only members ask for.
    #[serde(default = "requesters", skip_serializing_if = "is_requesters")]
    pub audience: String,
    /// The CAs that issue it; the first one by default.
    pub issuers: Vec<String>,
    /// Which keys are taken: `ec-p256`, `ec-p384`, `ec-p521`, `ed25519`, `rsa-2048` (that many bits or more).
    pub keys: Vec<String>,
    /// What stands in the subject.
    #[serde(default)]
    pub subject: SubjectDocument,
    /// `pointers` (CRL, OCSP and CA addresses), `root` (none), `no-check` (an OCSP responder's).
    #[serde(default = "pointers", skip_serializing_if = "is_pointers")]
    pub status: String,
    /// Whether a TLS server must staple (RFC 7633 §4).
    #[serde(default, skip_serializing_if = "is_false")]
    pub staple: bool,
    /// Whether certificates may be revoked for a while (`certificateHold`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub hold: bool,
    /// The most that one requester gets in a minute from one node: 1 to 1,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_minute: Option<u32>,
    /// How long a certificate lives.
    pub validity: ValidityDocument,
    /// Which names may be certified.
    #[serde(default, skip_serializing_if = "is_default")]
    pub names: NamesDocument,
    /// What the key may do.
    pub usage: UsageDocument,
    /// Under which policies it is issued (RFC 5280 §4.2.1.4).
    #[serde(default, skip_serializing_if = "is_default")]
    pub policies: Vec<PolicyDocument>,
    /// By what Windows tells what a certificate is for ([MS-WCCE] §2.2.2.7.7).
    #[serde(default, skip_serializing_if = "is_default")]
    pub template: TemplateDocument,
    /// For certificates of CAs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<CaDocument>,
}

/// How long a certificate lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidityDocument {
    /// When nothing is asked for.
    pub default: Life,
    /// The most that can be asked for.
    pub max: Life,
    /// How far notBefore lies in the past, for clients whose clocks are behind.
    #[serde(default = "five_minutes", skip_serializing_if = "is_five_minutes")]
    pub backdate: Life,
}

/// What the key may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageDocument {
    /// Names of RFC 5280 §4.2.1.3: `digitalSignature`, `keyEncipherment`, …
    pub key: Vec<String>,
    /// What RSA keys do besides: `keyEncipherment`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rsa: Vec<String>,
    /// What keys on a NIST curve do besides: `keyAgreement`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ec: Vec<String>,
    /// `serverAuth`, `clientAuth`, `codeSigning`, `emailProtection`, `timeStamping`, `OCSPSigning` (RFC 5280
    /// §4.2.1.12), or object identifiers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub extended: Vec<String>,
    /// Whether who does not know the purposes must refuse the certificate.
    #[serde(default, skip_serializing_if = "is_false")]
    pub critical: bool,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// Its object identifier: `2.23.140.1.2.1`.
    pub id: String,
    /// URIs of the practice statement.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cps: Vec<String>,
}

/// A Windows template, by name (version 1) or by object identifier and versions (later ones).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateDocument {
    /// 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its object identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its major version; 100 if none is given, as Windows counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major: Option<u32>,
    /// Its minor version; 0 if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minor: Option<u32>,
}

fn requesters() -> String {
    "requesters".to_owned()
}

fn is_requesters(text: &str) -> bool {
    text == "requesters"
}

fn pointers() -> String {
    "pointers".to_owned()
}

fn is_pointers(text: &str) -> bool {
    text == "pointers"
}

fn five_minutes() -> Life {
    Life(300)
}

fn is_five_minutes(life: &Life) -> bool {
    *life == five_minutes()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_default<T: Default + PartialEq>(field: &T) -> bool {
    *field == T::default()
}

const AUDIENCES: [(&str, Audience); 2] =
    [("requesters", Audience::Requesters), ("cluster", Audience::Cluster)];
const STATUSES: [(&str, StatusRule); 3] =
    [("pointers", StatusRule::Pointers), ("root", StatusRule::Root), ("no-check", StatusRule::NoCheck)];
const KEYS: [(&str, KeyRule); 4] = [
    ("ec-p256", KeyRule::EcP256),
    ("ec-p384", KeyRule::EcP384),
    ("ec-p521", KeyRule::EcP521),
    ("ed25519", KeyRule::Ed25519),
];
/// What Windows gives a template that was never changed.
const TEMPLATE_MAJOR: u32 = 100;

impl From<&Profile> for ProfileDocument {
    fn from(profile: &Profile) -> Self {
        Self {
            name: profile.name.to_string(),
            version: Some(profile.version),
            audience: read::word(&AUDIENCES, profile.audience),
            issuers: profile.issuers.iter().map(ToString::to_string).collect(),
            keys: profile.keys.iter().map(|rule| key_word(*rule)).collect(),
            subject: (&profile.subject).into(),
            status: read::word(&STATUSES, profile.status),
            staple: profile.stapling == Stapling::Required,
            hold: profile.hold == Allow::Yes,
            rate_per_minute: profile.rate.map(|rate| rate.0),
            validity: ValidityDocument {
                default: Life(profile.validity.default_s),
                max: Life(profile.validity.max_s),
                backdate: Life(profile.validity.backdate_s),
            },
            names: (&profile.names).into(),
            usage: profile.into(),
            policies: profile.policies.iter().map(Into::into).collect(),
            template: TemplateDocument {
                name: profile.template_name.clone(),
                id: profile.template.map(|template| template.identifier.to_string()),
                major: profile.template.map(|template| template.major),
                minor: profile.template.map(|template| template.minor),
            },
            ca: profile.basic_constraints.ca.then(|| profile.into()),
        }
    }
}

impl From<&Profile> for UsageDocument {
    fn from(profile: &Profile) -> Self {
        let names = |usage: KeyUsage| usage.names().map(str::to_owned).collect();
        let named = profile.extended_key_usage.iter().map(ToString::to_string);
        Self {
            key: names(profile.key_usage),
            rsa: names(profile.rsa_key_usage),
            ec: names(profile.ec_key_usage),
            extended: named.chain(profile.other_purposes.iter().map(ToString::to_string)).collect(),
            critical: profile.purposes_marked == Criticality::Critical,
        }
    }
}

impl From<&CertificatePolicy> for PolicyDocument {
    fn from(policy: &CertificatePolicy) -> Self {
        Self { id: policy.identifier.to_string(), cps: policy.cps.clone() }
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
        let name = read::parsed("name", &self.name, faults);
        let issuers =
            read::each("issuers", &self.issuers, faults, |ca| ca.parse().map_err(|e| format!("{e}")));
        let keys = read::each("keys", &self.keys, faults, key_rule);
        let audience = read::known("audience", &AUDIENCES, &self.audience, faults);
        let subject = self.subject.read(faults);
        let status = read::known("status", &STATUSES, &self.status, faults);
        let names = self.names.read(faults);
        let key_usage = read::key_usage("usage.key", &self.usage.key, faults);
        let rsa_key_usage = read::key_usage("usage.rsa", &self.usage.rsa, faults);
        let ec_key_usage = read::key_usage("usage.ec", &self.usage.ec, faults);
        let (extended_key_usage, other_purposes) = read::purposes(&self.usage.extended, faults);
        let policies = self.policies.iter().enumerate().filter_map(|(place, policy)| {
            let identifier = read::parsed(&format!("policies[{place}].id"), &policy.id, faults)?;
            Some(CertificatePolicy { identifier, cps: policy.cps.clone() })
        });
        let policies = policies.collect();
        let template = self.template.read(faults);
        let ca = self.ca.as_ref();
        let name_constraints = ca.and_then(|ca| ca.name_constraints(faults));
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
            names: names?,
            key_usage,
            rsa_key_usage,
            ec_key_usage,
            extended_key_usage,
            other_purposes,
            purposes_marked: if self.usage.critical {
                Criticality::Critical
            } else {
                Criticality::NotCritical
            },
            basic_constraints: BasicConstraints { ca: ca.is_some(), path_len: ca.and_then(|ca| ca.path_len) },
            name_constraints,
            policies,
            policy_constraints: ca.and_then(CaDocument::policy_constraints),
            inhibit_any_policy: ca.and_then(|ca| ca.inhibit_any_policy),
            status: status?,
            stapling: if self.staple { Stapling::Required } else { Stapling::Optional },
            hold: read::allow(self.hold),
            rate: self.rate_per_minute.map(PerMinute),
            template_name: self.template.name.clone(),
            template,
        })
    }
}

impl TemplateDocument {
    fn read(&self, faults: &mut Vec<ProfileFault>) -> Option<CertificateTemplate> {
        let Some(id) = &self.id else {
            if self.major.is_some() || self.minor.is_some() {
                faults.push(read::fault("template", "a version without an id".to_owned()));
            }
            return None;
        };
        let identifier = read::parsed("template.id", id, faults)?;
        let (major, minor) = (self.major.unwrap_or(TEMPLATE_MAJOR), self.minor.unwrap_or_default());
        Some(CertificateTemplate { identifier, major, minor })
    }
}

fn key_word(rule: KeyRule) -> String {
    match rule {
        KeyRule::Rsa { bits_min } => format!("rsa-{bits_min}"),
        other => read::word(&KEYS, other),
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
mod tests;
