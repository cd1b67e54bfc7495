//! Grants as people write them.

use ca_core::ids::Digest;
use ca_core::limits::RATE_PER_MINUTE_MAX;
use ca_core::profile::PerMinute;
use ca_core::roles::{Grant, Reach, Role, Scope};
use ca_x509::name::HostName;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One of `GET /api/v1/grants`; `PUT /api/v1/grants/{key}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantDocument {
    /// SHA-256 of the caller's SubjectPublicKeyInfo, in hex; `whoami` shows a caller its own. In a `PUT` the path
    /// says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `requester`, `ra`, `officer`, `operator`, `auditor`, `admin`.
    pub roles: Vec<String>,
    /// Only for certificates of these CAs; all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cas: Option<Vec<String>>,
    /// Only for certificates of these profiles; all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profiles: Option<Vec<String>>,
    /// Only for these domains and what lies below them; everything if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<Vec<String>>,
    /// The most requests that one node takes in a minute, 1 to 1,000,000; 120,000 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000000)]
    pub rate_per_minute: Option<u32>,
    /// For people.
    #[serde(default)]
    pub label: String,
}

impl GrantDocument {
    /// The grant that this describes.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub fn grant(&self, key: Digest) -> Result<Grant, (&'static str, String)> {
        let roles = self.roles.iter().map(|role| role.parse::<Role>());
        Ok(Grant {
            key,
            roles: roles.collect::<Result<_, _>>().map_err(|e| ("roles", e.to_string()))?,
            scope: Scope {
                cas: reach(self.cas.as_deref(), |ca| ca.parse())
                    .map_err(|e: ca_core::ids::InvalidName| ("cas", e.to_string()))?,
                profiles: reach(self.profiles.as_deref(), |name| name.parse())
                    .map_err(|e: ca_core::ids::InvalidName| ("profiles", e.to_string()))?,
                dns: reach(self.dns.as_deref(), |text| domain(text)).map_err(|why| ("dns", why))?,
            },
            rate: self.rate_per_minute.map(rate).transpose()?,
            label: self.label.clone(),
        })
    }
}

/// A domain in lower case.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn domain(text: &str) -> Result<String, String> {
    let lower = text.to_ascii_lowercase();
    HostName::parse(&lower).map(|_| lower).map_err(|why| format!("`{text}`: {why}"))
}

impl From<&Grant> for GrantDocument {
    fn from(grant: &Grant) -> Self {
        Self {
            key: Some(grant.key.to_string()),
            roles: grant.roles.iter().map(|role| role.as_str().to_owned()).collect(),
            cas: texts(&grant.scope.cas),
            profiles: texts(&grant.scope.profiles),
            dns: texts(&grant.scope.dns),
            rate_per_minute: grant.rate.map(|rate| rate.0),
            label: grant.label.clone(),
        }
    }
}

fn rate(per_minute: u32) -> Result<PerMinute, (&'static str, String)> {
    if (1..=RATE_PER_MINUTE_MAX).contains(&per_minute) {
        return Ok(PerMinute(per_minute));
    }
    Err(("rate_per_minute", format!("{per_minute}, where 1 to {RATE_PER_MINUTE_MAX} may be")))
}

fn reach<T, E>(texts: Option<&[String]>, read: impl Fn(&String) -> Result<T, E>) -> Result<Reach<T>, E> {
    match texts {
        None => Ok(Reach::All),
        Some(some) => some.iter().map(read).collect::<Result<_, _>>().map(Reach::Only),
    }
}

fn texts(reach: &Reach<impl ToString>) -> Option<Vec<String>> {
    match reach {
        Reach::All => None,
        Reach::Only(some) => Some(some.iter().map(ToString::to_string).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Digest = Digest([7; 32]);

    fn read(text: &str) -> Result<Grant, (&'static str, String)> {
        serde_json::from_str::<GrantDocument>(text).unwrap().grant(KEY)
    }

    #[test]
    fn grants_survive_a_round_trip() {
        for text in [
            r#"{"roles":["requester"],"label":"web"}"#,
            r#"{"roles":["ra","auditor"],"cas":["issuing"],"profiles":["tls-server"],"dns":["Team.Test"],"label":""}"#,
            r#"{"roles":["admin"],"cas":[],"label":""}"#,
            r#"{"roles":["requester"],"rate_per_minute":60,"label":""}"#,
        ] {
            let grant = read(text).unwrap();
            let document = serde_json::to_string(&GrantDocument::from(&grant)).unwrap();
            let document: GrantDocument = serde_json::from_str(&document).unwrap();
            assert_eq!(document.grant(KEY), Ok(grant), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (text, field) in [
            (r#"{"roles":["king"]}"#, "roles"),
            (r#"{"roles":["ra"],"cas":["Root CA"]}"#, "cas"),
            (r#"{"roles":["ra"],"profiles":[""]}"#, "profiles"),
            (r#"{"roles":["ra"],"dns":["*.test"]}"#, "dns"),
            (r#"{"roles":["ra"],"rate_per_minute":0}"#, "rate_per_minute"),
            (r#"{"roles":["ra"],"rate_per_minute":1000001}"#, "rate_per_minute"),
        ] {
            assert_eq!(read(text).unwrap_err().0, field, "{text}");
        }
    }
}
