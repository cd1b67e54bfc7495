//! What the rows of the register hold.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::certificate::NameConstraints;
use ca_x509::crl::{CrlNumber, RevocationReason};
use ca_x509::key::PublicKey;
use ca_x509::name::DistinguishedName;
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use crate::ids::{
    BootId, CaId, ClusterId, Digest, Epoch, LogIndex, NodeId, ProfileName, RequestId, UnixMillis,
};
use crate::limits::IDEMPOTENCY_KEPT_MS;
use crate::roles::Identity;
use crate::shards::{DELTA, ListId, ListKind, Shards};

/// The cluster's identity and where clients find its status service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Drawn at initialisation.
    pub id: ClusterId,
    /// For people.
    pub name: String,
    /// The count of promotions and recoveries (R3).
    pub epoch: Epoch,
    /// What the next member will be called. Rises only.
    pub next_node: NodeId,
    /// Goes into certificates.
    pub urls: PublicUrls,
}

/// The public addresses of the status service, as they stand in certificates: host names of the cluster, never those
/// of one node. Each is a scheme and a host without a slash at its end: `http://pki.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrls {
    /// Where lists of revocations are.
    pub crl: String,
    /// Where OCSP requests go.
    pub ocsp: String,
    /// Where CA certificates are (the caIssuers of RFC 5280 §4.2.2.1).
    pub aia: String,
}

impl PublicUrls {
    /// One address for all.
    #[must_use]
    pub fn all_at(base: &str) -> Self {
        Self { crl: base.into(), ocsp: base.into(), aia: base.into() }
    }

    /// Where OCSP requests for `ca` go.
    #[must_use]
    pub fn ocsp(&self, ca: &CaId) -> String {
        alloc::format!("{}/ocsp/{ca}", self.ocsp)
    }

    /// Where a list is.
    #[must_use]
    pub fn crl(&self, list: &ListId, kind: ListKind) -> String {
        let delta = match kind {
            ListKind::Complete => "",
            ListKind::Delta => DELTA,
        };
        alloc::format!("{}/crl/{list}{delta}.crl", self.crl)
    }

    /// Where the certificate of `ca` is.
    #[must_use]
    pub fn ca_certificate(&self, ca: &CaId) -> String {
        alloc::format!("{}/ca/{ca}.cer", self.aia)
    }
}

/// A certification authority of this cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Its name in every certificate that it issues.
    pub subject: DistinguishedName,
    /// The key that every signature is verified with (R13), and the handle of its private half in every token.
    pub public_key: PublicKey,
    /// How it signs.
    pub algorithm: SignatureAlgorithm,
    /// Who issues its own certificate: itself, if it is a root; `None` if that is a CA elsewhere.
    pub parent: Option<CaId>,
    /// Its own certificate, once recorded or imported: the latest. Before that it issues nothing but that.
    pub certificate: Option<OwnCertificate>,
    /// Its certificates beside that one, which lead to other roots or ended earlier: cross-certificates, and those that
    /// were renewed.
    pub others: Vec<OwnCertificate>,
    /// Whom it serves.
    pub purpose: IssuerPurpose,
    /// Since when it issues no more certificates.
    pub retired_at: Option<UnixMillis>,
    /// Into how many lists its revocations are divided.
    pub shards: Shards,
}

impl Issuer {
    /// The lists that it keeps, the whole one first.
    pub fn lists(&self, ca: &CaId) -> impl Iterator<Item = ListId> {
        let ca = ca.clone();
        self.shards.parts().map(move |part| ListId { ca: ca.clone(), part })
    }
}

/// One of a CA's own certificates, and what it lets the CA do (RFC 5280 §6.1.4): read out of it once, when it comes to
/// be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCertificate {
    /// Where it is.
    pub by: CertifiedBy,
    /// The log entry that it came with.
    pub index: LogIndex,
    /// When it, or one of those above it from elsewhere, ends.
    pub not_after: UnixSeconds,
    /// How many CAs may follow below; `None`: any number.
    pub path_len: Option<u8>,
    /// Every name below must be within each of these.
    pub names: Vec<NameConstraints>,
}

/// Who issued a CA's own certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertifiedBy {
    /// A CA of this cluster.
    Here {
        /// Which.
        ca: CaId,
        /// Under which serial.
        serial: SerialNumber,
    },
    /// A CA elsewhere: the certificate was imported.
    Elsewhere {
        /// SHA-256 of its DER.
        digest: Digest,
    },
}

/// A certification request of a CA, signed by its own key: the octets follow from its subject and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaRequest {
    /// Whose permit to sign it is.
    pub owner: RequestId,
    /// The signature, once recorded.
    pub signature: Option<Vec<u8>>,
}

/// Whom a certification authority serves. Certificates of the two kinds never mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssuerPurpose {
    /// Users and the doors.
    Public,
    /// The members' peer connections.
    Peers,
}

/// What the cluster itself uses a key for. Such a key is certified for this and for nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// The key of a certification authority.
    Authority(CaId),
    /// The OCSP responder key of a node.
    Responder(NodeId),
    /// The TLS key of a node, with its peers or at its API.
    Connections,
}

impl fmt::Display for KeyUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authority(ca) => write!(f, "of the CA `{ca}`"),
            Self::Responder(node) => write!(f, "of the OCSP responder of node {node}"),
            Self::Connections => f.write_str("of a node's TLS connections"),
        }
    }
}

/// A certificate, from its intent on. The certificate's octets are `tbs`, the issuer's algorithm and `signature`:
/// one copy of the DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateEntry {
    /// The exact TBSCertificate, fixed before any signature.
    pub tbs: Vec<u8>,
    /// What it was planned from.
    pub profile: ProfileName,
    /// The version of that profile.
    pub profile_version: u32,
    /// Who asked.
    pub requester: Identity,
    /// The node and boot that the intent belongs to (R5).
    pub owner: RequestId,
    /// The log entry of the intent.
    pub intent_index: LogIndex,
    /// When it stops being valid.
    pub not_after: UnixSeconds,
    /// The certification authority whose own certificate this is.
    pub certifies: Option<CaId>,
    /// The node whose OCSP responder certificate this is.
    pub responder: Option<NodeId>,
    /// How far it came.
    pub state: CertificateState,
}

/// How far an issuance came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateState {
    /// The intent is committed; there may or may not be a signature somewhere.
    Open,
    /// The certificate exists.
    Recorded {
        /// The issuer's signature, as it stands in the certificate's BIT STRING.
        signature: Vec<u8>,
        /// The log entry of the record.
        index: LogIndex,
        /// Register time of the record.
        at: UnixMillis,
    },
    /// There will never be a certificate: the serial is assigned and revoked (I5).
    Abandoned {
        /// The log entry of the abandonment.
        index: LogIndex,
    },
}

/// What happened to a certificate's status, in the order of the log. Never empty.
///
/// The history makes the CRL of a cut a function of the register at any later time (R10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// When the certificate stops being valid: the entry stays until one scheduled CRL after (I14).
    pub not_after: UnixSeconds,
    /// Oldest first.
    pub events: Vec<StatusEvent>,
}

impl Revocation {
    /// The last event at or before `index`: the status that a register at that index has.
    #[must_use]
    pub fn as_of(&self, index: LogIndex) -> Option<&StatusEvent> {
        self.events.iter().rev().find(|event| event.index <= index)
    }

    /// What happened last.
    #[must_use]
    pub fn latest(&self) -> Option<&StatusEvent> {
        self.events.last()
    }

    /// The revocation that is in force now: none once the certificate was released from its hold.
    #[must_use]
    pub fn in_force(&self) -> Option<&StatusEvent> {
        self.latest().filter(|event| event.change != StatusChange::Released)
    }
}

/// One change of a certificate's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusEvent {
    /// The log entry.
    pub index: LogIndex,
    /// Since when. A revocation's date is that of the first one, whatever follows but a release (I14).
    pub since: UnixSeconds,
    /// What changed.
    pub change: StatusChange,
    /// Who wanted it.
    pub by: Identity,
}

/// What a status changed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusChange {
    /// Revoked by somebody.
    Revoked(RevocationReason),
    /// Never became a certificate; listed as revoked without a reason.
    Abandoned,
    /// On hold no longer: as good as before (I10).
    Released,
}

impl StatusChange {
    /// The reason as status answers give it.
    #[must_use]
    pub fn reason(self) -> Option<RevocationReason> {
        match self {
            Self::Revoked(RevocationReason::Unspecified) | Self::Abandoned | Self::Released => None,
            Self::Revoked(reason) => Some(reason),
        }
    }
}

/// The state of one of a CA's lists of revocations: the complete list, and the delta on top of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrlScope {
    /// The number within the epoch that the latest cut took. Deltas are counted along (RFC 5280 §5.2.3).
    pub last_counter: u64,
    /// The cut that waits for its signature.
    pub open: Option<CrlCut>,
    /// The complete list that is served.
    pub current: Option<Box<SignedCrl>>,
    /// The delta that is served.
    pub delta: Option<Box<SignedCrl>>,
    /// thisUpdate of the latest complete list that was due by its age, whatever was cut between for the sake of a
    /// revocation: entries leave by these alone (I14).
    pub scheduled: UnixSeconds,
    /// The log entry of the latest status change in this list's part: a list that was cut before is stale.
    pub changed: LogIndex,
}

impl CrlScope {
    /// The list of this kind that is served.
    #[must_use]
    pub fn served(&self, kind: ListKind) -> Option<&SignedCrl> {
        match kind {
            ListKind::Complete => self.current.as_deref(),
            ListKind::Delta => self.delta.as_deref(),
        }
    }
}

/// Fixes everything about one CRL before it is signed (R10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlCut {
    /// epoch · 2^64 + counter.
    pub number: CrlNumber,
    /// The list holds what was revoked at or before this entry.
    pub index: LogIndex,
    /// A delta holds only what changed after this list; a complete list has none.
    pub base: Option<CrlBase>,
    /// Certificates that ended before this moment have been on a scheduled list since, and are left out (I14).
    pub ended_before: UnixSeconds,
    /// Whose permit it is.
    pub owner: RequestId,
    /// Register time at the cut.
    pub cut_at: UnixMillis,
    /// As it stands in the list.
    pub this_update: UnixSeconds,
    /// As it stands in the list.
    pub next_update: UnixSeconds,
}

impl CrlCut {
    /// What will become of it.
    #[must_use]
    pub fn kind(&self) -> ListKind {
        if self.base.is_some() { ListKind::Delta } else { ListKind::Complete }
    }
}

/// The complete list that a delta is read on top of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CrlBase {
    /// Its number, for BaseCRLNumber.
    pub number: CrlNumber,
    /// Its index.
    pub index: LogIndex,
}

/// A CRL that is signed; every node makes the same octets from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCrl {
    /// What it was made from.
    pub cut: CrlCut,
    /// SHA-256 of its TBSCertList.
    pub tbs_digest: Digest,
    /// The issuer's signature.
    pub signature: Vec<u8>,
}

/// The latest attempt under an idempotency key (R6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// SHA-256 of what was asked; another body under the same key is refused.
    pub body: Digest,
    /// The CA of the attempt.
    pub ca: CaId,
    /// The serial of the attempt.
    pub serial: SerialNumber,
    /// Register time of the first attempt: the key lives from then.
    pub since: UnixMillis,
}

impl Attempt {
    /// The last moment of register time at which the key is remembered.
    #[must_use]
    pub fn until(&self) -> UnixMillis {
        self.since.plus(IDEMPOTENCY_KEPT_MS)
    }
}

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name; never used twice.
    pub name: String,
    /// `host:port` of its peer listener.
    pub peer_address: String,
    /// `host:port` of its API.
    pub api_address: String,
    /// `host:port` of its status service.
    pub va_address: String,
    /// Whether it may sign.
    pub state: MemberState,
}

/// How far a member came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemberState {
    /// Admitted: follows the log, has not proven its keys.
    Joining,
    /// Has proven every CA key: may sign and vote.
    Signing,
}

/// An invitation to become a member: one use, until it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinToken {
    /// Register time after which it is refused.
    pub expires_at: UnixMillis,
    /// Who used it.
    pub spent_by: Option<NodeId>,
    /// Who made it.
    pub minted_by: Identity,
}

/// A node's token signed the key proof statement with a CA key, and the node verified it with the register's
/// public key (R11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyProof {
    /// The log entry of the proof.
    pub index: LogIndex,
    /// The run of the node that proved it.
    pub boot: BootId,
    /// The signature, for the auditor.
    pub signature: Vec<u8>,
}
