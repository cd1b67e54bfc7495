//! The history: who did what to what, and when. One row an act, written by [`mod@crate::apply`] in the same list of
//! changes as the act itself, so that neither is without the other (I20).
//!
//! A row is small and names what it is about; the certificate, profile or grant itself stands in its own row. Ticks,
//! intents and what else leads up to an act leave none.

mod filter;

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use ca_x509::crl::{CrlNumber, RevocationReason};
use ca_x509::key::KeyIdentifier;
use ca_x509::serial::SerialNumber;

pub use self::filter::{HistoryFilter, HistoryFilterError, HistoryPage, HistoryPlace, look};
use crate::ids::{CaId, Digest, NodeId, ProfileName, UnixMillis};
use crate::roles::Identity;
use crate::shards::ListId;

/// One act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Register time (R8).
    pub at: UnixMillis,
    /// The node that it was done through.
    pub node: NodeId,
    /// Who wanted it.
    pub by: Identity,
    /// What was done.
    pub act: Act,
    /// To what.
    pub about: About,
}

/// What an act was about. The variant follows from the [`Act`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The cluster itself.
    Cluster,
    /// A certification authority.
    Ca(CaId),
    /// A profile, in this version from now on.
    Profile(ProfileName, u32),
    /// A caller, by the SHA-256 of its key.
    Caller(Digest),
    /// A certificate.
    Certificate(CaId, SerialNumber),
    /// A certificate and the reason that status answers give.
    Revocation(CaId, SerialNumber, RevocationReason),
    /// A list of revocations.
    Crl(ListId, CrlNumber),
    /// An invitation or an enrolment token, by the digest of its secret.
    Token(Digest),
    /// A member.
    Member(NodeId),
    /// A key of a CA.
    Key(KeyIdentifier),
    /// Requests that were refused with one slug, and how many of them since the row before.
    Refusals(String, u64),
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What can be done, and what stands in the history of it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Act {
            $($(#[$doc])* $name,)*
        }

        impl Act {
            /// Every act.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in API, filters and output.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

acts! {
    /// The cluster's first command.
    ClusterInitialised = "cluster-initialised",
    /// A CA came to be; its certificate follows as an act of its own.
    CaDefined = "ca-defined",
    /// A profile came to be, or has a new version.
    ProfileDefined = "profile-defined",
    /// A caller got exactly these roles.
    GrantSet = "grant-set",
    /// A caller lost its roles.
    GrantRemoved = "grant-removed",
    /// A certificate exists.
    CertificateIssued = "certificate-issued",
    /// An intent will never be a certificate; its serial is revoked.
    IntentAbandoned = "intent-abandoned",
    /// A certificate is revoked or on hold, or its reason became keyCompromise.
    CertificateRevoked = "certificate-revoked",
    /// A certificate is on hold no longer.
    CertificateReleased = "certificate-released",
    /// A list of revocations is signed.
    CrlPublished = "crl-published",
    /// Somebody may bring a node.
    JoinTokenMinted = "join-token-minted",
    /// Somebody who has no certificate may have one.
    EnrolmentMinted = "enrolment-minted",
    /// An enrolment token was taken back.
    EnrolmentRevoked = "enrolment-revoked",
    /// A node came in.
    MemberAdmitted = "member-admitted",
    /// A node has shown that its token holds a key.
    KeyProven = "key-proven",
    /// The key of a CA signed its request for a certificate from elsewhere.
    CaRequestSigned = "ca-request-signed",
    /// A CA has a certificate from elsewhere.
    CaCertificateImported = "ca-certificate-imported",
    /// A CA issues no more.
    CaRetired = "ca-retired",
    /// Requests of a known caller were refused.
    Refused = "refused",
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{got}` is no act: {}", words())]
pub struct UnknownAct {
    /// The word.
    pub got: String,
}

fn words() -> String {
    Act::ALL.iter().map(|act| act.as_str()).collect::<alloc::vec::Vec<_>>().join(", ")
}

impl FromStr for Act {
    type Err = UnknownAct;

    fn from_str(text: &str) -> Result<Self, UnknownAct> {
        let found = Self::ALL.iter().find(|act| act.as_str() == text);
        found.copied().ok_or_else(|| UnknownAct { got: text.into() })
    }
}

impl About {
    /// The CA, if one is named.
    #[must_use]
    pub fn ca(&self) -> Option<&CaId> {
        match self {
            Self::Ca(ca) | Self::Certificate(ca, _) | Self::Revocation(ca, ..) => Some(ca),
            Self::Crl(list, _) => Some(&list.ca),
            Self::Cluster
            | Self::Profile(..)
            | Self::Caller(_)
            | Self::Token(_)
            | Self::Member(_)
            | Self::Key(_)
            | Self::Refusals(..) => None,
        }
    }

    /// The serial, if a certificate is named.
    #[must_use]
    pub fn serial(&self) -> Option<SerialNumber> {
        match self {
            Self::Certificate(_, serial) | Self::Revocation(_, serial, _) => Some(*serial),
            _ => None,
        }
    }
}
