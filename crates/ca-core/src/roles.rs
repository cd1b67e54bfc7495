//! Who may do what: identities, roles and the grants that join them. Deny by default.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::ids::{Digest, NodeId};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// The act that sets up the cluster, before there is anybody to authenticate.
    Ceremony,
    /// A member, for the certificates that the cluster itself needs.
    Node(NodeId),
    /// A caller with a client certificate: SHA-256 of its SubjectPublicKeyInfo.
    Client(Digest),
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ceremony => f.write_str("ceremony"),
            Self::Node(node) => write!(f, "node {node}"),
            Self::Client(key) => write!(f, "spki:{key}"),
        }
    }
}

/// What a grant allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Asks for certificates.
    Requester,
    /// Revokes certificates.
    Officer,
    /// Adds and removes members, mints join tokens.
    Operator,
    /// Reads everything, changes nothing.
    Auditor,
}

impl Role {
    /// Every role, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Requester, Self::Officer, Self::Operator, Self::Auditor];

    /// The word in configuration, API and log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requester => "requester",
            Self::Officer => "officer",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole { got: text.into() })
    }
}

/// A word that names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{got}` is not a role: requester, officer, operator or auditor")]
pub struct UnknownRole {
    /// The word.
    pub got: String,
}

/// One identity's roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// SHA-256 of the caller's SubjectPublicKeyInfo.
    pub key: Digest,
    /// What it may do.
    pub roles: Vec<Role>,
    /// For people; decides nothing.
    pub label: String,
}

/// All grants. An intent names the version that it was planned under (R12).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleSet {
    /// Rises by one with every change.
    pub version: u32,
    /// At most one grant an identity.
    pub grants: Vec<Grant>,
}

impl RoleSet {
    /// Whether `identity` has `role`.
    ///
    /// Members and the ceremony hold no roles: what they may do follows from the profile's audience.
    #[must_use]
    pub fn allows(&self, identity: Identity, role: Role) -> bool {
        match identity {
            Identity::Client(key) => {
                self.grants.iter().any(|grant| grant.key == key && grant.roles.contains(&role))
            }
            Identity::Ceremony | Identity::Node(_) => false,
        }
    }
}
