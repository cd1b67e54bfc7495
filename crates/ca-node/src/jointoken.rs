//! A join token: one string that says which cluster, how to know it, and the one-time secret.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ca_core::ids::Digest;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

const PREFIX: &str = "ca-node-join-1.";

/// What the string holds. The secret is wiped nowhere, for it is spent by its first use.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JoinToken {
    /// The cluster's id, hex: shown before anything is sent.
    pub(crate) cluster: String,
    /// SHA-256 of the root certificate: the joiner talks to nobody else.
    pub(crate) root_sha256: String,
    /// Spent by one log entry.
    pub(crate) secret: String,
    /// API addresses, `host:port`.
    pub(crate) addresses: Vec<String>,
}

impl JoinToken {
    /// What stands in the log instead of the secret.
    pub(crate) fn digest(secret: &str) -> Digest {
        Digest::over(&[b"ca-node join token", secret.as_bytes()])
    }
}

impl fmt::Display for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(self).map_err(|_| fmt::Error)?;
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinToken").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl FromStr for JoinToken {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let read = || {
            let encoded = text.trim().strip_prefix(PREFIX)?;
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
        };
        read().ok_or_else(|| {
            Failure::new("join-token-unknown", "this is not a join token: it begins with `ca-node-join-1.`")
                .next("ca-node member token on a node of the cluster prints a fresh one")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_garbage_does_not() {
        let token = JoinToken {
            cluster: "00".repeat(16),
            root_sha256: "11".repeat(32),
            secret: "s".to_owned(),
            addresses: vec!["127.0.0.1:1".to_owned()],
        };
        assert_eq!(token.to_string().parse::<JoinToken>().unwrap(), token);
        for bad in ["", "ca-node-join-1.", "ca-node-join-1.e30", "ca-node-join-2.e30"] {
            assert_eq!(bad.parse::<JoinToken>().unwrap_err().slug, "join-token-unknown", "{bad}");
        }
        assert!(!format!("{token:?}").contains("secret: \"s\""), "I26");
    }
}
