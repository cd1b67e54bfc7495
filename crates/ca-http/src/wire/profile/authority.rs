//! What stands in a CA's certificate, as people write it.

use ca_core::profile::{IpBlock, Profile, ProfileFault};
use ca_x509::certificate::{NameConstraints, NameSubtree, PolicyConstraints};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::is_default;
use super::names::block;
use super::read::each;

/// For certificates of CAs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaDocument {
    /// How many CAs may follow below (RFC 5280 §4.2.1.9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_len: Option<u8>,
    /// After how many certificates each names an acceptable policy (RFC 5280 §4.2.1.11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_explicit_policy: Option<u8>,
    /// After how many certificates policies are no longer mapped (RFC 5280 §4.2.1.11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inhibit_policy_mapping: Option<u8>,
    /// After how many certificates anyPolicy stands for no policy (RFC 5280 §4.2.1.14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inhibit_any_policy: Option<u8>,
    /// The names that it may certify (RFC 5280 §4.2.1.10); of a kind that is not here: all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub permit: SubtreesDocument,
    /// The names that it must not certify.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exclude: SubtreesDocument,
}

/// Names below these bases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubtreesDocument {
    /// Domains: these, and whatever lies below them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dns: Vec<String>,
    /// Mail addresses, hosts of mail addresses, or with a leading dot all hosts below one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub email: Vec<String>,
    /// Hosts of URIs, or with a leading dot all hosts below one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub uri: Vec<String>,
    /// Blocks of addresses: `10.0.0.0/8`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ip: Vec<String>,
}

impl From<&Profile> for CaDocument {
    fn from(profile: &Profile) -> Self {
        let policies = profile.policy_constraints.unwrap_or_default();
        let names = profile.name_constraints.clone().unwrap_or_default();
        Self {
            path_len: profile.basic_constraints.path_len,
            require_explicit_policy: policies.require_explicit_policy,
            inhibit_policy_mapping: policies.inhibit_policy_mapping,
            inhibit_any_policy: profile.inhibit_any_policy,
            permit: (&names.permitted[..]).into(),
            exclude: (&names.excluded[..]).into(),
        }
    }
}

impl From<&[NameSubtree]> for SubtreesDocument {
    fn from(subtrees: &[NameSubtree]) -> Self {
        let mut document = Self::default();
        for subtree in subtrees {
            match subtree {
                NameSubtree::Dns(base) => document.dns.push(base.clone()),
                NameSubtree::Email(base) => document.email.push(base.clone()),
                NameSubtree::Uri(base) => document.uri.push(base.clone()),
                NameSubtree::Ip { address, prefix } => document.ip.push(format!("{address}/{prefix}")),
                // KNOWN: no document says so, so no profile does; there is no text form for it here yet.
                NameSubtree::Directory(_) => {}
            }
        }
        document
    }
}

impl CaDocument {
    pub(super) fn policy_constraints(&self) -> Option<PolicyConstraints> {
        let constraints = PolicyConstraints {
            require_explicit_policy: self.require_explicit_policy,
            inhibit_policy_mapping: self.inhibit_policy_mapping,
        };
        (constraints != PolicyConstraints::default()).then_some(constraints)
    }

    pub(super) fn name_constraints(&self, faults: &mut Vec<ProfileFault>) -> Option<NameConstraints> {
        let permitted = self.permit.read("ca.permit", faults);
        let excluded = self.exclude.read("ca.exclude", faults);
        let constraints = NameConstraints { permitted, excluded };
        (constraints != NameConstraints::default()).then_some(constraints)
    }
}

impl SubtreesDocument {
    fn read(&self, field: &str, faults: &mut Vec<ProfileFault>) -> Vec<NameSubtree> {
        let addresses = each(&format!("{field}.ip"), &self.ip, faults, block);
        let dns = self.dns.iter().cloned().map(NameSubtree::Dns);
        let email = self.email.iter().cloned().map(NameSubtree::Email);
        let uri = self.uri.iter().cloned().map(NameSubtree::Uri);
        let ip = addresses.into_iter().map(|IpBlock { address, prefix }| NameSubtree::Ip { address, prefix });
        dns.chain(email).chain(uri).chain(ip).collect()
    }
}
