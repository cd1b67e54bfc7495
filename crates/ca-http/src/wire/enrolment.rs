//! Enrolment tokens as people ask for them and see them.

use ca_core::enrolment::{Enrolment, EnrolmentNames};
use ca_core::ids::Digest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Secret;

/// `POST /api/v1/enrolment-tokens`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentMintRequest {
    /// The profile of the one certificate.
    pub profile: String,
    /// The CA; the profile's first one if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The names that may stand in it, as in `POST /api/v1/certificates`; or `dns`, not both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// Domains: these and what lies below them may stand in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<Vec<String>>,
    /// How long the token is good: `24h` if not said, `30d` at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
}

/// The answer to an [`EnrolmentMintRequest`]: the only time that the token is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrolmentMinted {
    /// For `Authorization: Bearer …` on `POST /api/v1/certificates`.
    pub token: Secret,
    /// What it is good for.
    #[serde(flatten)]
    pub enrolment: EnrolmentAnswer,
}

/// One of `GET /api/v1/enrolment-tokens`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrolmentAnswer {
    /// The digest of its secret, which the log and the history have.
    pub id: String,
    /// The profile.
    pub profile: String,
    /// The CA.
    pub ca: String,
    /// The names that may stand in the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// Domains whose names may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<Vec<String>>,
    /// Who gave it away.
    pub minted_by: String,
    /// When it stops being good.
    pub expires_at: String,
    /// The certificate that it was used for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
}

impl EnrolmentAnswer {
    /// A token as the register has it.
    pub(crate) fn of(token: Digest, enrolment: &Enrolment) -> Self {
        let (names, dns) = match &enrolment.terms.names {
            EnrolmentNames::Among(names) => (Some(names.iter().map(ToString::to_string).collect()), None),
            EnrolmentNames::Below(domains) => (None, Some(domains.clone())),
        };
        Self {
            id: token.to_string(),
            profile: enrolment.terms.profile.to_string(),
            ca: enrolment.terms.ca.to_string(),
            names,
            dns,
            minted_by: enrolment.minted_by.to_string(),
            expires_at: enrolment.expires_at.seconds().to_string(),
            serial: enrolment.spent.map(|serial| serial.to_string()),
        }
    }
}
