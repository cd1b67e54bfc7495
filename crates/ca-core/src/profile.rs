//! Profiles: what a certificate of a kind will be. Values in the register, versioned, equal on all nodes.

mod built_in;
mod faults;
mod names;
mod subject;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use ca_x509::certificate::{
    BasicConstraints, CertificatePolicy, CertificateTemplate, ExtendedKeyUsage, KeyUsage, NameConstraints,
    PolicyConstraints,
};
use ca_x509::key::KeyKind;
use ca_x509::oid::Oid;

pub use self::built_in::built_in;
pub use self::faults::ProfileFault;
pub use self::names::{DnsRule, IpBlock, IpRule, NameRules, NameSource, UriRule};
pub use self::subject::{AttributeRule, AttributeSource, SubjectRule};
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
    /// The key usage extension, whatever the key.
    pub key_usage: KeyUsage,
    /// What RSA keys do besides: transport keys (`keyEncipherment`).
    pub rsa_key_usage: KeyUsage,
    /// What keys on a NIST curve do besides: agree on keys (`keyAgreement`).
    pub ec_key_usage: KeyUsage,
    /// The extended key usage extension; left out if neither this nor [`Self::other_purposes`] has one.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// Purposes that have no name here.
    pub other_purposes: Vec<Oid>,
    /// Whether who does not know the purposes must refuse the certificate (RFC 5280 §4.2.1.12).
    pub purposes_marked: Criticality,
    /// The basic constraints extension.
    pub basic_constraints: BasicConstraints,
    /// What a CA may certify (RFC 5280 §4.2.1.10); for certificates of CAs.
    pub name_constraints: Option<NameConstraints>,
    /// Under which policies it is issued (RFC 5280 §4.2.1.4).
    pub policies: Vec<CertificatePolicy>,
    /// What paths through a CA must have (RFC 5280 §4.2.1.11); for certificates of CAs.
    pub policy_constraints: Option<PolicyConstraints>,
    /// After how many further certificates anyPolicy stands for no policy (RFC 5280 §4.2.1.14); for those of CAs.
    pub inhibit_any_policy: Option<u8>,
    /// Whether CRL, OCSP and CA addresses go in, or `id-pkix-ocsp-nocheck` instead.
    pub status: StatusRule,
    /// Whether a TLS server must staple an OCSP answer.
    pub stapling: Stapling,
    /// Whether a certificate may be revoked for a while (RFC 5280 §5.3.1, `certificateHold`).
    pub hold: Allow,
    /// The most that one requester gets in a minute from one node; the node's own limit if there is none here.
    pub rate: Option<PerMinute>,
    /// The name of a Windows template of version 1.
    pub template_name: Option<String>,
    /// A Windows template of version 2 or later.
    pub template: Option<CertificateTemplate>,
}

impl Profile {
    /// The key usage extension for a key of this kind.
    #[must_use]
    pub fn key_usage_of(&self, kind: KeyKind) -> KeyUsage {
        match kind {
            KeyKind::Rsa { .. } => self.key_usage | self.rsa_key_usage,
            KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => self.key_usage | self.ec_key_usage,
            KeyKind::Ed25519 => self.key_usage,
        }
    }

    /// Whether a certificate has a purpose at all.
    #[must_use]
    pub fn has_purposes(&self) -> bool {
        !self.extended_key_usage.is_empty() || !self.other_purposes.is_empty()
    }
}

impl Profile {
    /// Whether its certificates are those of OCSP responders (RFC 6960 §4.2.2.2).
    #[must_use]
    pub fn is_for_responders(&self) -> bool {
        self.extended_key_usage.contains(&ExtendedKeyUsage::OcspSigning)
    }
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

/// Whether something may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Allow {
    /// It may.
    Yes,
    /// It may not.
    No,
}

/// How an extension is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Criticality {
    /// Who does not know it must refuse the certificate.
    Critical,
    /// Who does not know it may skip it.
    NotCritical,
}

/// Whether a TLS server must staple (RFC 7633 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stapling {
    /// It must: the certificate says so, and clients refuse it otherwise.
    Required,
    /// It may.
    Optional,
}

/// A number of certificates a minute: 1 to [`RATE_PER_MINUTE_MAX`](crate::limits::RATE_PER_MINUTE_MAX).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PerMinute(pub u32);

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
