//! The history as it is shown.

use ca_core::history::{About, HistoryPlace, HistoryRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/v1/history?filter=&from=&limit=&cursor=`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryAnswer {
    /// In the order of the log.
    pub acts: Vec<ActAnswer>,
    /// For the next page; after the last one, for what is done from now on.
    pub next_cursor: String,
    /// Whether this was the last page so far.
    pub ended: bool,
}

/// One act. What it is about stands in the fields that fit it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActAnswer {
    /// The log entry.
    pub index: u64,
    /// Its place in that entry, from 0.
    pub ordinal: u32,
    /// Register time.
    pub at: String,
    /// The node that it was done through.
    pub node: u64,
    /// Who wanted it: `spki:…`, `enrolment:…`, `node 3`, `ceremony`.
    pub by: String,
    /// `certificate-issued`, `certificate-revoked`, `grant-set`, …
    pub act: String,
    /// The CA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The serial of the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Why it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The number of the CRL, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crl_number: Option<String>,
    /// The profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The profile's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Whose grant: SHA-256 of the caller's SubjectPublicKeyInfo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// The digest of an invitation's or enrolment token's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<u64>,
    /// The identifier of a CA's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Why requests were refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// How many requests were refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl From<(HistoryPlace, HistoryRow)> for ActAnswer {
    fn from((place, row): (HistoryPlace, HistoryRow)) -> Self {
        let told = Self {
            index: place.index.0,
            ordinal: place.ordinal,
            at: row.at.seconds().to_string(),
            node: row.node.0,
            by: row.by.to_string(),
            act: row.act.to_string(),
            ca: row.about.ca().map(ToString::to_string),
            serial: row.about.serial().map(|serial| serial.to_string()),
            ..Self::default()
        };
        match row.about {
            About::Cluster | About::Ca(_) | About::Certificate(..) => told,
            About::Revocation(.., reason) => Self { reason: Some(reason.to_string()), ..told },
            About::Crl(_, number) => Self { crl_number: Some(format!("{:x}", number.0)), ..told },
            About::Profile(name, version) => {
                Self { profile: Some(name.to_string()), version: Some(version), ..told }
            }
            About::Caller(key) => Self { caller: Some(key.to_string()), ..told },
            About::Token(secret) => Self { token: Some(secret.to_string()), ..told },
            About::Member(node) => Self { member: Some(node.0), ..told },
            About::Key(key) => Self { key: Some(key.to_string()), ..told },
            About::Refusals(slug, count) => Self { slug: Some(slug), count: Some(count), ..told },
        }
    }
}
