//! The register's answers. A refusal is an outcome, not an error: it is the same on every node and is kept.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use crate::ids::{CaId, Digest, LogIndex, NodeId, ProfileName, UnixMillis};
use crate::register::{CrlCut, KeyUse};
use crate::shards::ListId;

/// What one command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, and nothing more to say.
    Done,
    /// The intent is committed: its owner may sign exactly this.
    IntentCommitted {
        /// The CA.
        ca: CaId,
        /// The serial.
        serial: SerialNumber,
        /// SHA-256 of the TBSCertificate.
        tbs_digest: Digest,
    },
    /// The idempotency key already has its certificate; nothing was changed.
    AlreadyIssued {
        /// The CA.
        ca: CaId,
        /// The serial.
        serial: SerialNumber,
    },
    /// The certificate exists from this entry on.
    Recorded {
        /// The log entry of the record.
        index: LogIndex,
    },
    /// The certificate is revoked.
    Revoked {
        /// The date that status answers give: that of the first revocation.
        revoked_at: UnixSeconds,
    },
    /// The next CRL is fixed: its owner may sign it.
    CrlCut(Box<CrlCut>),
    /// A member entered.
    Admitted(NodeId),
    /// The request for a CA's certificate is fixed: its owner may sign exactly this.
    CaRequestCommitted {
        /// The CA.
        ca: CaId,
        /// SHA-256 of the CertificationRequestInfo.
        info_digest: Digest,
    },
    /// Nothing was changed.
    Refused(Refusal),
}

/// Why the register or the plan refused. One slug each; `ca-node explain SLUG` says more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The command came too late.
    #[error("the command expired at {expired_at:?} of register time; it is {now:?}")]
    Expired {
        /// Its limit.
        expired_at: UnixMillis,
        /// Register time.
        now: UnixMillis,
    },
    /// The cluster has its first command already.
    #[error("this cluster is already initialised")]
    AlreadyInitialised,
    /// Nothing but `InitCluster` can come first.
    #[error("this cluster is not initialised")]
    NotInitialised,
    /// No such certification authority.
    #[error("there is no CA `{ca}`")]
    UnknownCa {
        /// What was asked for.
        ca: CaId,
    },
    /// The name is taken.
    #[error("there is already a CA `{ca}`")]
    CaExists {
        /// The name.
        ca: CaId,
    },
    /// The CA has no certificate yet.
    #[error("the CA `{ca}` is not active: it has no certificate of its own yet")]
    CaInactive {
        /// The CA.
        ca: CaId,
    },
    /// No such profile.
    #[error("there is no profile `{profile}`")]
    UnknownProfile {
        /// What was asked for.
        profile: ProfileName,
    },
    /// A profile's versions rise by one.
    #[error("profile `{profile}` must come as version {expected}, not {got}")]
    ProfileVersion {
        /// The profile.
        profile: ProfileName,
        /// The next version.
        expected: u32,
        /// What came.
        got: u32,
    },
    /// The caller's roles do not cover this.
    #[error("{caller} may not do this: it needs {needs}")]
    Forbidden {
        /// Who asked.
        caller: String,
        /// The role, or the kind of caller.
        needs: String,
    },
    /// What was planned is no longer so (R12): plan again.
    #[error("{what} changed while the certificate was being planned")]
    StaleDraft {
        /// Profile, issuer key or roles.
        what: String,
    },
    /// The request breaks a rule of the profile.
    #[error("{field}: {why}")]
    OutsideProfile {
        /// Which part of the request: `names`, `public_key`, `ttl`, `ca`.
        field: String,
        /// What is wrong, with both sides.
        why: String,
    },
    /// What would have been signed breaks a rule of the standards (I19).
    #[error("the certificate would break {rule}: {why}")]
    Lint {
        /// The rule and its source.
        rule: String,
        /// What is wrong.
        why: String,
    },
    /// The drawn serial is taken (I1): draw again.
    #[error("serial {serial} is already assigned")]
    SerialTaken {
        /// The serial.
        serial: SerialNumber,
    },
    /// No such serial under this CA.
    #[error("the CA `{ca}` has no certificate {serial}")]
    UnknownSerial {
        /// The CA.
        ca: CaId,
        /// The serial.
        serial: SerialNumber,
    },
    /// The intent was abandoned: a signature that comes now is dropped unseen (R5).
    #[error("the intent {serial} was abandoned")]
    IntentAbandoned {
        /// The serial.
        serial: SerialNumber,
    },
    /// The certificate exists: it can be revoked, not abandoned.
    #[error("certificate {serial} is already recorded")]
    AlreadyRecorded {
        /// The serial.
        serial: SerialNumber,
    },
    /// The certificate does not exist yet.
    #[error("certificate {serial} is being issued and has no record yet")]
    NotRecorded {
        /// The serial.
        serial: SerialNumber,
    },
    /// The intent is somebody else's and not yet old enough (R5).
    #[error("the intent {serial} is open for {open_ms} ms and may not be abandoned by this node yet")]
    StillOpen {
        /// The serial.
        serial: SerialNumber,
        /// Register time since the intent.
        open_ms: u64,
    },
    /// Only the intent's owner records it.
    #[error("the intent {serial} belongs to another node or boot")]
    NotOwner {
        /// The serial.
        serial: SerialNumber,
    },
    /// The idempotency key was used for something else (R6).
    #[error("this idempotency key was used with another request")]
    IdempotencyMismatch,
    /// Another attempt under this idempotency key is under way (R6).
    #[error("another attempt under this idempotency key is under way: serial {serial}")]
    AttemptOpen {
        /// Its CA.
        ca: CaId,
        /// Its serial.
        serial: SerialNumber,
    },
    /// Released can be only what is on hold (RFC 5280 §5.3.1).
    #[error("certificate {serial} is not on hold")]
    NotOnHold {
        /// The serial.
        serial: SerialNumber,
    },
    /// One open cut a list (R10).
    #[error("a CRL of `{list}` is being signed")]
    CutOpen {
        /// The list.
        list: ListId,
    },
    /// The cut was replaced or recorded; its signature is dropped.
    #[error("this CRL of `{list}` is no longer awaited")]
    CutClosed {
        /// The list.
        list: ListId,
    },
    /// No such list: of another CA, or of a shard that the CA has not.
    #[error("there is no list `{list}`")]
    UnknownList {
        /// What was asked for.
        list: ListId,
    },
    /// A delta is read on top of a complete list, of which there is none yet.
    #[error("there is no complete list of `{list}` for a delta to be read on top of")]
    NoBase {
        /// The list.
        list: ListId,
    },
    /// The invitation is unknown.
    #[error("the join token is not one of this cluster's")]
    JoinTokenUnknown,
    /// The invitation was used.
    #[error("the join token was already used, by node {by}")]
    JoinTokenSpent {
        /// Who used it.
        by: NodeId,
    },
    /// The invitation is too old.
    #[error("the join token has expired")]
    JoinTokenExpired,
    /// There is no such enrolment token, or none any more.
    #[error("the enrolment token is not one of this cluster's")]
    EnrolmentTokenUnknown,
    /// The enrolment token was used.
    #[error("the enrolment token was already used, for certificate {serial}")]
    EnrolmentTokenSpent {
        /// What it was used for.
        serial: SerialNumber,
    },
    /// The enrolment token is too old.
    #[error("the enrolment token has expired")]
    EnrolmentTokenExpired,
    /// A member's name is never used twice.
    #[error("there is already a member `{name}`")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The node is no member, or has not proven its keys.
    #[error("node {node} may not sign: it is not a member that has proven its keys")]
    NotSigning {
        /// The node.
        node: NodeId,
    },
    /// The CA issues no more certificates.
    #[error("the CA `{ca}` is retired: it issues no more certificates")]
    CaRetired {
        /// The CA.
        ca: CaId,
    },
    /// The CA's own certificate, or one above it, is revoked.
    #[error("the CA `{ca}` issues nothing: the certificate of `{revoked}` is revoked")]
    CaRevoked {
        /// The CA.
        ca: CaId,
        /// Whose certificate it is: its own, or that of a CA above it.
        revoked: CaId,
    },
    /// A CA certifies what its own certificates let it, and no more.
    #[error("the CA `{ca}` may not issue this: {field}: {why}")]
    OutsideCa {
        /// The CA.
        ca: CaId,
        /// Which part of the request: `names`, `subject`, `path_len`.
        field: String,
        /// What is wrong, with both sides.
        why: String,
    },
    /// A CA is active only when every signing member has proven its key (R11).
    #[error("the key of the CA `{ca}` is not yet proven by {}", listed(nodes))]
    KeyUnproven {
        /// The CA.
        ca: CaId,
        /// The signing members that have not.
        nodes: Vec<NodeId>,
    },
    /// What was imported is no certificate of this CA.
    #[error("this is no certificate for the CA `{ca}`: {why}")]
    ImportUnfit {
        /// The CA.
        ca: CaId,
        /// What is wrong, with both sides.
        why: String,
    },
    /// The cluster itself needs the CA.
    #[error(
        "the CA `{ca}` cannot be retired: the profile `{profile}` of the cluster's own certificates issues by it"
    )]
    CaNeeded {
        /// The CA.
        ca: CaId,
        /// The profile that names it first.
        profile: ProfileName,
    },
    /// No CA has this key.
    #[error("no CA of this cluster has this key")]
    UnknownKey,
    /// The key to be certified is one of the cluster's own, for another use.
    #[error("public_key: this is the key {usage}, and is certified for nothing else")]
    ClusterKey {
        /// What the cluster uses it for.
        usage: KeyUse,
    },
}

impl Refusal {
    /// The stable word for programs; see `docs/errors.md`.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "command-expired",
            Self::AlreadyInitialised => "already-initialised",
            Self::NotInitialised => "not-initialised",
            Self::UnknownCa { .. } => "unknown-ca",
            Self::CaExists { .. } => "ca-exists",
            Self::CaInactive { .. } => "ca-inactive",
            Self::UnknownProfile { .. } => "unknown-profile",
            Self::ProfileVersion { .. } => "profile-version",
            Self::Forbidden { .. } => "forbidden",
            Self::StaleDraft { .. } => "stale-draft",
            Self::OutsideProfile { .. } => "outside-profile",
            Self::Lint { .. } => "lint",
            Self::SerialTaken { .. } => "serial-taken",
            Self::UnknownSerial { .. } => "unknown-serial",
            Self::IntentAbandoned { .. } => "intent-abandoned",
            Self::AlreadyRecorded { .. } => "already-recorded",
            Self::NotRecorded { .. } => "not-recorded",
            Self::StillOpen { .. } => "still-open",
            Self::NotOwner { .. } => "not-owner",
            Self::IdempotencyMismatch => "idempotency-mismatch",
            Self::AttemptOpen { .. } => "attempt-open",
            Self::NotOnHold { .. } => "not-on-hold",
            Self::CutOpen { .. } => "cut-open",
            Self::CutClosed { .. } => "cut-closed",
            Self::UnknownList { .. } => "unknown-list",
            Self::NoBase { .. } => "no-base",
            Self::JoinTokenUnknown => "join-token-unknown",
            Self::JoinTokenSpent { .. } => "join-token-spent",
            Self::JoinTokenExpired => "join-token-expired",
            Self::EnrolmentTokenUnknown => "enrolment-token-unknown",
            Self::EnrolmentTokenSpent { .. } => "enrolment-token-spent",
            Self::EnrolmentTokenExpired => "enrolment-token-expired",
            Self::NameTaken { .. } => "name-taken",
            Self::NotSigning { .. } => "not-signing",
            Self::UnknownKey => "unknown-key",
            Self::ClusterKey { .. } => "cluster-key",
            Self::CaRetired { .. } => "ca-retired",
            Self::CaRevoked { .. } => "ca-revoked",
            Self::OutsideCa { .. } => "outside-ca",
            Self::KeyUnproven { .. } => "key-unproven",
            Self::ImportUnfit { .. } => "import-unfit",
            Self::CaNeeded { .. } => "ca-needed",
        }
    }
}

fn listed(nodes: &[NodeId]) -> String {
    let nodes: Vec<String> = nodes.iter().map(|node| alloc::format!("node {node}")).collect();
    nodes.join(", ")
}
