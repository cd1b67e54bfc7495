//! Who may do what: identities, roles and the grants that join them. Deny by default.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use ca_x509::certificate::TbsCertificate;

use crate::ids::{CaId, Digest, LogIndex, NodeId, ProfileName};
use crate::names::within;
use crate::outcome::Refusal;
use crate::profile::PerMinute;
use crate::register::{CertificateEntry, Register, StorageFault};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// The act that sets up the cluster, before there is anybody to authenticate.
    Ceremony,
    /// A member, for the certificates that the cluster itself needs.
    Node(NodeId),
    /// A caller with a client certificate: SHA-256 of its SubjectPublicKeyInfo.
    Client(Digest),
    /// A caller without a certificate, by the digest of its enrolment token.
    Enrolment(Digest),
}

impl Identity {
    /// Whether it is somebody outside the cluster, who does only what a grant allows.
    #[must_use]
    pub fn is_outside(self) -> bool {
        match self {
            Self::Client(_) | Self::Enrolment(_) => true,
            Self::Ceremony | Self::Node(_) => false,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ceremony => f.write_str("ceremony"),
            Self::Node(node) => write!(f, "node {node}"),
            Self::Client(key) => write!(f, "spki:{key}"),
            Self::Enrolment(token) => write!(f, "enrolment:{token}"),
        }
    }
}

/// A text that names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identity: ceremony, node:3, or spki: or enrolment: and 64 hexadecimal digits")]
pub struct NotAnIdentity;

/// As [`fmt::Display`] writes it; a node also as `node:3`.
impl FromStr for Identity {
    type Err = NotAnIdentity;

    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        if text == "ceremony" {
            return Ok(Self::Ceremony);
        }
        if let Some(node) = text.strip_prefix("node ") {
            return node.parse().map(|node| Self::Node(NodeId(node))).map_err(|_| NotAnIdentity);
        }
        let digest = |digits: &str| digits.parse().map_err(|_| NotAnIdentity);
        match text.split_once(':').ok_or(NotAnIdentity)? {
            ("node", node) => node.parse().map(|node| Self::Node(NodeId(node))).map_err(|_| NotAnIdentity),
            ("spki", key) => digest(key).map(Self::Client),
            ("enrolment", token) => digest(token).map(Self::Enrolment),
            _ => Err(NotAnIdentity),
        }
    }
}

/// What a grant allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Asks for certificates, and revokes those that it asked for.
    Requester,
    /// Revokes certificates, whoever asked for them.
    Officer,
    /// Adds and removes members, mints join tokens.
    Operator,
    /// Reads everything, changes nothing.
    Auditor,
    /// A registration authority: asks for certificates on behalf of others, and revokes them.
    Ra,
    /// Changes what the cluster is: CAs, profiles, grants.
    Admin,
}

impl Role {
    /// Every role, in the order of their codes.
    pub const ALL: [Self; 6] =
        [Self::Requester, Self::Officer, Self::Operator, Self::Auditor, Self::Ra, Self::Admin];

    /// The word in configuration, API and log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requester => "requester",
            Self::Officer => "officer",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::Ra => "ra",
            Self::Admin => "admin",
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
#[error("`{got}` is not a role: requester, ra, officer, operator, auditor or admin")]
pub struct UnknownRole {
    /// The word.
    pub got: String,
}

/// What one identity may do. Deny by default: without a grant, nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// SHA-256 of the caller's SubjectPublicKeyInfo.
    pub key: Digest,
    /// What it may do; none takes the grant away.
    pub roles: Vec<Role>,
    /// Which certificates it may do it to.
    pub scope: Scope,
    /// The most requests that one node takes from it in a minute; the node's own limit if there is none here.
    pub rate: Option<PerMinute>,
    /// For people; decides nothing.
    pub label: String,
}

/// The certificates that a grant is about: each limit narrows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Issued by these CAs.
    pub cas: Reach<CaId>,
    /// Of these profiles.
    pub profiles: Reach<ProfileName>,
    /// For these DNS names, and whatever lies below them.
    pub dns: Reach<String>,
}

/// All of a kind, or only some. An empty list is nothing, never everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach<T> {
    /// All, also those that come to be later.
    #[default]
    All,
    /// These.
    Only(Vec<T>),
}

impl<T: PartialEq> Reach<T> {
    /// Whether `one` is within reach.
    pub fn covers(&self, one: &T) -> bool {
        match self {
            Self::All => true,
            Self::Only(some) => some.contains(one),
        }
    }
}

/// A grant as the register holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// What was granted.
    pub grant: Grant,
    /// The log entry that granted it: an intent names it, so that a later change finds the draft stale (R12).
    pub index: LogIndex,
}

impl Granted {
    /// Whether it holds this role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.grant.roles.contains(&role)
    }

    /// Whether the holder may ask for certificates of this profile under this CA.
    #[must_use]
    pub fn may_request(&self, ca: &CaId, profile: &ProfileName) -> bool {
        (self.has(Role::Requester) || self.has(Role::Ra)) && self.reaches(ca, profile)
    }

    /// Whether the holder may revoke a certificate that `requester` asked for, if its names are within the scope. A
    /// registration authority does not revoke what the cluster itself asked for.
    #[must_use]
    pub fn may_revoke(&self, ca: &CaId, profile: &ProfileName, requester: Identity) -> bool {
        let own = requester == Identity::Client(self.grant.key) && self.has(Role::Requester);
        let outside = requester.is_outside() && self.has(Role::Ra);
        (own || outside || self.has(Role::Officer)) && self.reaches(ca, profile)
    }

    pub(crate) fn reaches(&self, ca: &CaId, profile: &ProfileName) -> bool {
        self.grant.scope.cas.covers(ca) && self.grant.scope.profiles.covers(profile)
    }
}

/// Why `requester` may not revoke this certificate; `None` if it may.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn may_not_revoke(
    register: &dyn Register,
    requester: Identity,
    ca: &CaId,
    entry: &CertificateEntry,
) -> Result<Option<Refusal>, StorageFault> {
    let granted = register.grant_of(requester)?;
    // Who had a CA certified does not end it: that is an officer's.
    let is_ca = entry.certifies.is_some();
    if let Some(granted) = granted
        && (!is_ca || granted.has(Role::Officer))
        && granted.may_revoke(ca, &entry.profile, entry.requester)
    {
        // One's own is within one's space, even if that was narrowed since.
        if granted.grant.scope.dns == Reach::All || entry.requester == requester {
            return Ok(None);
        }
        let tbs = TbsCertificate::decode(&entry.tbs)
            .map_err(|e| StorageFault(alloc::format!("a TBSCertificate of {ca}: {e}")))?;
        // A certificate that names nobody is in no name space.
        let names = &tbs.extensions.subject_alt_names;
        if !names.is_empty() && within(&granted.grant.scope.dns, names).is_ok() {
            return Ok(None);
        }
    }
    let needs = "the role `officer` or `ra` for it, or to have asked for it".into();
    Ok(Some(Refusal::Forbidden { caller: requester.to_string(), needs }))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    const KEY: Digest = Digest([1; 32]);

    fn granted(roles: &[Role], cas: Reach<CaId>) -> Granted {
        let scope = Scope { cas, ..Scope::default() };
        let grant = Grant { key: KEY, roles: roles.to_vec(), scope, rate: None, label: String::new() };
        Granted { grant, index: LogIndex(1) }
    }

    #[test]
    fn rights_over_certificates_follow_from_role_scope_and_requester() {
        let (ca, other): (CaId, CaId) = ("issuing".parse().unwrap(), "root".parse().unwrap());
        let profile: ProfileName = "tls-server".parse().unwrap();
        let (own, foreign) = (Identity::Client(KEY), Identity::Client(Digest([2; 32])));
        // role, may request, may revoke its own, may revoke another's
        for (role, request, revoke_own, revoke_foreign) in [
            (Role::Requester, true, true, false),
            (Role::Ra, true, true, true),
            (Role::Officer, false, true, true),
            (Role::Operator, false, false, false),
            (Role::Auditor, false, false, false),
            (Role::Admin, false, false, false),
        ] {
            let everywhere = granted(&[role], Reach::All);
            assert_eq!(everywhere.may_request(&ca, &profile), request, "{role:?}");
            assert_eq!(everywhere.may_revoke(&ca, &profile, own), revoke_own, "{role:?}");
            assert_eq!(everywhere.may_revoke(&ca, &profile, foreign), revoke_foreign, "{role:?}");
            for reach in [vec![], vec![other.clone()]] {
                let elsewhere = granted(&[role], Reach::Only(reach));
                assert!(!elsewhere.may_request(&ca, &profile), "{role:?}");
                assert!(!elsewhere.may_revoke(&ca, &profile, own), "{role:?}");
            }
        }
    }
}
