//! Profiles: what a certificate of a kind will be. Values in the register, versioned, equal on all nodes.

mod built_in;
mod faults;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use ca_x509::certificate::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use ca_x509::key::KeyKind;

pub use self::built_in::built_in;
pub use self::faults::ProfileFault;
use crate::ids::{CaId, ProfileName};
use crate::limits::{RSA_BITS_MAX, RSA_BITS_MIN};

/// What a certificate of one kind will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: ProfileName,
    /// Rises by one with every change, from 1.
    pub version: u32,
    /// Who may ask.
    pub audience: Audience,
    /// The CAs that issue it; the first one does when none is asked for.
    pub issuers: Vec<CaId>,
    /// Which keys are taken.
    pub keys: Vec<KeyRule>,
    /// How long a certificate lives.
    pub validity: ValidityRule,
    /// Where the subject comes from.
    pub subject: SubjectRule,
    /// Which names may be certified.
    pub names: NameRules,
    /// The key usage extension.
    pub key_usage: KeyUsage,
    /// The extended key usage extension; left out if empty.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// The basic constraints extension.
    pub basic_constraints: BasicConstraints,
    /// Whether CRL, OCSP and CA addresses go in, or `id-pkix-ocsp-nocheck` instead.
    pub status: StatusRule,
}

/// Who may ask for a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Callers with the role `requester`.
    Requesters,
    /// Members and the ceremony: the certificates that the cluster itself needs.
    Cluster,
}

/// One kind of key that a profile takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyRule {
    /// NIST P-256.
    EcP256,
    /// NIST P-384.
    EcP384,
    /// NIST P-521.
    EcP521,
    /// Ed25519.
    Ed25519,
    /// RSA with a modulus of at least so many bits.
    Rsa {
        /// The fewest bits.
        bits_min: u16,
    },
}

impl KeyRule {
    /// Whether a key of this kind is taken.
    #[must_use]
    pub fn takes(self, kind: KeyKind) -> bool {
        match (self, kind) {
            (Self::EcP256, KeyKind::EcP256)
            | (Self::EcP384, KeyKind::EcP384)
            | (Self::EcP521, KeyKind::EcP521)
            | (Self::Ed25519, KeyKind::Ed25519) => true,
            (Self::Rsa { bits_min }, KeyKind::Rsa { bits }) => bits >= bits_min && bits <= RSA_BITS_MAX,
            _ => false,
        }
    }

    /// Every kind.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![Self::EcP256, Self::EcP384, Self::EcP521, Self::Ed25519, Self::Rsa { bits_min: RSA_BITS_MIN }]
    }
}

/// How long a certificate lives, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValidityRule {
    /// When nothing is asked for.
    pub default_s: u64,
    /// The most that can be asked for.
    pub max_s: u64,
    /// How far notBefore lies in the past, for clients whose clocks are behind.
    pub backdate_s: u64,
}

/// Where the subject comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectRule {
    /// Empty, or the request's common name if it is one of the certified names.
    NameAmongNames,
    /// What the cluster's own code says.
    Given,
}

/// Which subject alternative names may be certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameRules {
    /// DNS names.
    pub dns: DnsRule,
    /// Whether `*.` may stand in front of a DNS name.
    pub wildcard: Allow,
    /// Mail addresses at hosts of these domains.
    pub email: DnsRule,
    /// IP addresses.
    pub ip: Allow,
    /// URIs.
    pub uri: Allow,
    /// The fewest names.
    pub count_min: usize,
}

/// Whether something may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Allow {
    /// It may.
    Yes,
    /// It may not.
    No,
}

/// Which DNS names may be certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsRule {
    /// None.
    No,
    /// All that are well formed.
    Any,
    /// These, and whatever lies below them.
    Under(Vec<String>),
}

/// How a client learns a certificate's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusRule {
    /// CRL, OCSP and CA addresses stand in the certificate.
    Pointers,
    /// A root's own certificate: nobody asks.
    Root,
    /// An OCSP responder's: `id-pkix-ocsp-nocheck` (RFC 6960 §4.2.2.2.1).
    NoCheck,
}
