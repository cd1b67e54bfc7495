//! What can be written to the issuance log.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::crl::{CrlNumber, RevocationReason};
use ca_x509::key::{KeyIdentifier, PublicKey};
use ca_x509::name::DistinguishedName;
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use crate::enrolment::EnrolmentTerms;
use crate::ids::{CaId, ClusterId, Digest, LogIndex, NodeId, ProfileName, RequestId, UnixMillis};
use crate::profile::Profile;
use crate::register::{IssuerPurpose, PublicUrls};
use crate::roles::{Grant, Identity};
use crate::shards::{ListId, ListKind, Shards};

/// A command on its way through the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Two envelopes of one id are one command.
    pub id: RequestId,
    /// Register time after which the command is refused, so that what is not known becomes known.
    pub expires_at: UnixMillis,
    /// What to do.
    pub command: Command,
}

/// What can be done. Every variant is decided by [`crate::apply::apply`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The first command of a cluster.
    InitCluster {
        /// 16 random octets.
        id: ClusterId,
        /// For people.
        name: String,
        /// What goes into certificates.
        urls: PublicUrls,
    },
    /// Adds a certification authority. Its own certificate follows, through the same cycle as any other.
    DefineIssuer {
        /// Its name; never used twice.
        ca: CaId,
        /// Its subject.
        subject: DistinguishedName,
        /// Its key, generated in a token.
        public_key: PublicKey,
        /// How it signs.
        algorithm: SignatureAlgorithm,
        /// Who issues its certificate; `None`: a CA elsewhere.
        parent: Option<CaId>,
        /// Whom it serves.
        purpose: IssuerPurpose,
        /// Who asked.
        requester: Identity,
        /// Into how many lists its revocations are divided, for ever.
        shards: Shards,
    },
    /// Adds a profile or replaces it by its next version.
    DefineProfile {
        /// As it will be.
        profile: Box<Profile>,
        /// Who asked.
        requester: Identity,
    },
    /// Gives an identity exactly these roles; none takes the grant away.
    SetGrant {
        /// As it will be.
        grant: Grant,
        /// Who asked.
        requester: Identity,
    },
    /// Step 3 of an issuance: fixes serial and TBSCertificate before any signature.
    Intent(Intent),
    /// Step 5 of an issuance: the signature that completes an intent.
    Record {
        /// The CA.
        ca: CaId,
        /// The serial.
        serial: SerialNumber,
        /// Verified by the proposer with the register's issuer key (R13).
        signature: Vec<u8>,
    },
    /// An intent that will never be a record (R5).
    Abandon {
        /// The CA.
        ca: CaId,
        /// The serial.
        serial: SerialNumber,
    },
    /// Takes a certificate's validity away.
    Revoke {
        /// The CA.
        ca: CaId,
        /// The serial.
        serial: SerialNumber,
        /// Why.
        reason: RevocationReason,
        /// Who asked.
        requester: Identity,
    },
    /// Takes a certificate from its hold.
    Release {
        /// The CA.
        ca: CaId,
        /// The serial.
        serial: SerialNumber,
        /// Who asked.
        requester: Identity,
    },
    /// Fixes the next CRL of one of a CA's lists (R10).
    CutCrl {
        /// The list.
        list: ListId,
        /// By itself, or on top of the one that is served.
        kind: ListKind,
    },
    /// The signature of a cut.
    RecordCrl {
        /// The list.
        list: ListId,
        /// The number of the cut.
        number: CrlNumber,
        /// SHA-256 of the TBSCertList that was signed.
        tbs_digest: Digest,
        /// Verified by the proposer with the register's issuer key.
        signature: Vec<u8>,
    },
    /// Makes an invitation valid.
    MintJoinToken {
        /// SHA-256 of its secret.
        secret: Digest,
        /// Register time after which it is refused.
        expires_at: UnixMillis,
        /// Who asked.
        requester: Identity,
    },
    /// Makes an enrolment token valid.
    MintEnrolment {
        /// The digest of its secret.
        token: Digest,
        /// What it is good for.
        terms: EnrolmentTerms,
        /// Register time after which it is refused.
        expires_at: UnixMillis,
        /// Who asked.
        requester: Identity,
    },
    /// Takes an enrolment token back that is not spent.
    RevokeEnrolment {
        /// The digest of its secret.
        token: Digest,
        /// Who asked.
        requester: Identity,
    },
    /// A node enters, spending its invitation. Without one only the first member can enter.
    AdmitMember {
        /// SHA-256 of the invitation's secret.
        token: Option<Digest>,
        /// The node's name.
        name: String,
        /// `host:port` of its peer listener.
        peer_address: String,
        /// `host:port` of its API.
        api_address: String,
        /// `host:port` of its status service.
        va_address: String,
    },
    /// A node's token holds a CA key (R11). Once all are proven the member signs.
    ProveKey {
        /// The key.
        key: KeyIdentifier,
        /// Over the key proof statement.
        signature: Vec<u8>,
    },
    /// Requests of one caller that a node refused with one slug since it said so last (R16). For the history only.
    RecordRefusals {
        /// The caller.
        by: Identity,
        /// Why; as in `docs/errors.md`.
        slug: String,
        /// How many.
        count: u64,
    },
    /// Lets the key of a CA sign one request for a certificate from elsewhere: R1's recorded act, with octets that follow
    /// from the CA's subject and key.
    RequestCaCertificate {
        /// The CA.
        ca: CaId,
        /// Who asked.
        requester: Identity,
    },
    /// The signature of that request.
    RecordCaRequest {
        /// The CA.
        ca: CaId,
        /// Verified by the proposer with the register's key (R13).
        signature: Vec<u8>,
        /// Who asked.
        requester: Identity,
    },
    /// A certificate of a CA that was issued elsewhere.
    ImportCaCertificate {
        /// The CA.
        ca: CaId,
        /// The certificate and those above it up to the root, each in DER. The proposer has verified each signature with
        /// the key of the next one.
        chain: Vec<Vec<u8>>,
        /// Who asked.
        requester: Identity,
    },
    /// Ends the issuing of a CA. Its status goes on.
    RetireCa {
        /// The CA.
        ca: CaId,
        /// Who asked.
        requester: Identity,
    },
    /// Moves register time; carries a digest of the register for every node to compare with its own (I23).
    Tick {
        /// The chained digest at an earlier index, as the leader has it.
        digest: Option<(LogIndex, Digest)>,
    },
}

/// Everything that an issuance fixes before its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The CA.
    pub ca: CaId,
    /// The key that must still be the issuer's (R12).
    pub issuer_key: KeyIdentifier,
    /// The profile.
    pub profile: ProfileName,
    /// The version that must still be current (R12).
    pub profile_version: u32,
    /// The entry of the requester's grant, which must still be the current one (R12).
    pub grant_index: Option<LogIndex>,
    /// Who asked.
    pub requester: Identity,
    /// At least 64 bits of it are random (I2).
    pub serial: SerialNumber,
    /// The exact TBSCertificate.
    pub tbs: Vec<u8>,
    /// As in the TBSCertificate.
    pub not_after: UnixSeconds,
    /// Ties retries together (R6).
    pub idempotency: Option<Idempotency>,
    /// The open attempt under the same idempotency key that this one replaces (R5).
    pub supersedes: Option<SerialNumber>,
    /// The certification authority whose own certificate this is.
    pub certifies: Option<CaId>,
    /// The node whose OCSP responder certificate this is.
    pub responder: Option<NodeId>,
}

/// What a client's `Idempotency-Key` comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Idempotency {
    /// Covers requester and key: two callers' equal keys differ.
    pub key: Digest,
    /// Covers everything that was asked.
    pub body: Digest,
}
