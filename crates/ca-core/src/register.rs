//! The register: the state that every node derives by applying the issuance log.
//!
//! It is one ordered map from [`Key`] to [`Value`]; a command changes it by a list of [`Change`]s and nothing
//! else. [`MemoryRegister`] holds it in memory, `ca-raft` holds it in RocksDB, and [`Overlay`] lets the
//! commands of one batch see what the earlier ones changed.

mod entries;
mod memory;
mod requests;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use ca_x509::key::KeyIdentifier;
use ca_x509::serial::SerialNumber;

pub use self::entries::{
    Attempt, CaRequest, CertificateEntry, CertificateState, CertifiedBy, Cluster, CrlBase, CrlCut, CrlScope,
    Issuer, IssuerPurpose, JoinToken, KeyProof, KeyUse, Member, MemberState, OwnCertificate, PublicUrls,
    Revocation, SignedCrl, StatusChange, StatusEvent,
};
pub use self::memory::{MemoryRegister, Overlay};
pub use self::requests::Requests;
use crate::enrolment::Enrolment;
use crate::history::{HistoryPlace, HistoryRow};
use crate::ids::{CaId, Digest, LogIndex, NodeId, ProfileName, RequestId, UnixMillis};
use crate::limits::SCAN_ROWS;
use crate::outcome::Outcome;
use crate::profile::Profile;
use crate::roles::{Granted, Identity};
use crate::shards::ListId;

/// The name of one row. Rows sort by table first, then by the fields in their order: a store's encoding of keys
/// must keep exactly this order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The cluster itself; one row.
    Cluster,
    /// Register time (R8); one row.
    Time,
    /// What an identity may do, by the SHA-256 of its key.
    Grant(Digest),
    /// A certification authority.
    Issuer(CaId),
    /// A profile, in its current version.
    Profile(ProfileName),
    /// A node.
    Member(NodeId),
    /// An invitation, by the SHA-256 of its secret.
    JoinToken(Digest),
    /// A CA key's proof by one node's token (R11).
    KeyProof(KeyIdentifier, NodeId),
    /// The certificate of a node's OCSP responder key for one CA.
    Responder(CaId, NodeId),
    /// A certificate, from its intent on.
    Certificate(CaId, SerialNumber),
    /// An intent that is neither recorded nor abandoned.
    OpenIntent(CaId, SerialNumber),
    /// What happened to a certificate's status.
    Revocation(CaId, SerialNumber),
    /// The state of one of a CA's lists of revocations.
    CrlScope(ListId),
    /// The latest attempt under an idempotency key (R6); the digest covers requester and key.
    Attempt(Digest),
    /// A CA certificate that was issued elsewhere, by the SHA-256 of its DER.
    Imported(Digest),
    /// The request for a CA's certificate that its key was let sign.
    CaRequest(CaId),
    /// An act (I20).
    History(HistoryPlace),
    /// An enrolment token, by the digest of its secret.
    Enrolment(Digest),
    /// A key of the cluster's own, by the SHA-256 of its SubjectPublicKeyInfo.
    ClusterKey(Digest),
    /// What the commands of one entry came to.
    Outcomes(LogIndex),
    /// What leaves at a moment of register time, of the rows that one entry wrote.
    Expiry(UnixMillis, LogIndex),
}

/// A row that lives for a bounded time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expiring {
    /// [`Key::Outcomes`].
    Outcomes(LogIndex),
    /// [`Key::Attempt`], unless a later attempt has taken its place.
    Attempt(Digest),
    /// [`Key::Enrolment`], unless it has left already.
    Enrolment(Digest),
}

/// What a row holds: the variant is that of its [`Key`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// See [`Key::Cluster`]. Shared, as the other rows that every decision reads are.
    Cluster(Arc<Cluster>),
    /// See [`Key::Time`].
    Time(UnixMillis),
    /// See [`Key::Grant`].
    Grant(Arc<Granted>),
    /// See [`Key::Issuer`].
    Issuer(Arc<Issuer>),
    /// See [`Key::Profile`].
    Profile(Arc<Profile>),
    /// See [`Key::Member`].
    Member(Member),
    /// See [`Key::JoinToken`].
    JoinToken(JoinToken),
    /// See [`Key::KeyProof`].
    KeyProof(KeyProof),
    /// See [`Key::Responder`].
    Responder(SerialNumber),
    /// See [`Key::Certificate`].
    Certificate(Arc<CertificateEntry>),
    /// See [`Key::OpenIntent`]: register time of the intent, and whose it is.
    OpenIntent(UnixMillis, RequestId),
    /// See [`Key::Revocation`].
    Revocation(Revocation),
    /// See [`Key::CrlScope`].
    CrlScope(CrlScope),
    /// See [`Key::Attempt`].
    Attempt(Attempt),
    /// See [`Key::Imported`]: the certificate and those above it up to the root, each in DER.
    Imported(Vec<Vec<u8>>),
    /// See [`Key::CaRequest`].
    CaRequest(CaRequest),
    /// See [`Key::History`].
    History(HistoryRow),
    /// See [`Key::Enrolment`].
    Enrolment(Enrolment),
    /// See [`Key::ClusterKey`].
    ClusterKey(KeyUse),
    /// See [`Key::Outcomes`]: in the order of the ids.
    Outcomes(Vec<(RequestId, Outcome)>),
    /// See [`Key::Expiry`].
    Expiry(Vec<Expiring>),
}

/// One row set or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which row.
    pub key: Key,
    /// What it holds from now on; `None` removes it.
    pub value: Option<Value>,
}

/// The disk failed, or holds what we never wrote. No refusal: the node stops (I24).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the register cannot be read: {0}")]
pub struct StorageFault(pub alloc::string::String);

/// Reads the register. Object-safe; the typed readers below are what callers use.
pub trait Register: Send + Sync {
    /// The row, if there is one.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    fn get(&self, key: &Key) -> Result<Option<Value>, StorageFault>;

    /// At most `limit` rows of the same table as `from`, in order, beginning with `from` itself.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    fn scan(&self, from: &Key, limit: usize) -> Result<Vec<(Key, Value)>, StorageFault>;

    /// The row of [`Key::Outcomes`] with the outcome of this command, if it is remembered: from a [`Requests`], which the
    /// register keeps beside its rows.
    fn outcomes_with(&self, request: RequestId) -> Option<LogIndex>;
}

macro_rules! readers {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) = $key:expr => $variant:ident($value:ty);)*) => {
        impl dyn Register + '_ {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`StorageFault`]: the node must stop.
                pub fn $name(&self, $($arg: $type),*) -> Result<Option<$value>, StorageFault> {
                    match self.get(&$key)? {
                        None => Ok(None),
                        Some(Value::$variant(value)) => Ok(Some(value)),
                        Some(other) => Err(StorageFault(alloc::format!(
                            "row {:?} holds {other:?}", $key
                        ))),
                    }
                }
            )*
        }
    };
}

readers! {
    /// The cluster; `None` before its first command.
    cluster() = Key::Cluster => Cluster(Arc<Cluster>);
    /// Register time.
    time() = Key::Time => Time(UnixMillis);
    /// A grant.
    grant(key: Digest) = Key::Grant(key) => Grant(Arc<Granted>);
    /// A certification authority.
    issuer(ca: &CaId) = Key::Issuer(ca.clone()) => Issuer(Arc<Issuer>);
    /// A profile.
    profile(name: &ProfileName) = Key::Profile(name.clone()) => Profile(Arc<Profile>);
    /// A member.
    member(node: NodeId) = Key::Member(node) => Member(Member);
    /// An invitation.
    join_token(secret: Digest) = Key::JoinToken(secret) => JoinToken(JoinToken);
    /// A proof that a node's token holds a key.
    key_proof(key: KeyIdentifier, node: NodeId) = Key::KeyProof(key, node) => KeyProof(KeyProof);
    /// The serial of a node's OCSP responder certificate under a CA.
    responder(ca: &CaId, node: NodeId) = Key::Responder(ca.clone(), node) => Responder(SerialNumber);
    /// A certificate, from its intent on.
    certificate(ca: &CaId, serial: SerialNumber) = Key::Certificate(ca.clone(), serial) => Certificate(Arc<CertificateEntry>);
    /// What happened to a certificate's status; `None` is good, if the certificate is recorded.
    revocation(ca: &CaId, serial: SerialNumber) = Key::Revocation(ca.clone(), serial) => Revocation(Revocation);
    /// The state of one of a CA's lists of revocations.
    crl_scope(list: &ListId) = Key::CrlScope(list.clone()) => CrlScope(CrlScope);
    /// The latest attempt under an idempotency key.
    attempt(key: Digest) = Key::Attempt(key) => Attempt(Attempt);
    /// A CA certificate from elsewhere with those above it.
    imported(digest: Digest) = Key::Imported(digest) => Imported(Vec<Vec<u8>>);
    /// The request for a CA's certificate.
    ca_request(ca: &CaId) = Key::CaRequest(ca.clone()) => CaRequest(CaRequest);
    /// An enrolment token.
    enrolment(token: Digest) = Key::Enrolment(token) => Enrolment(Enrolment);
    /// What the commands of an entry came to, in the order of their ids.
    outcomes(index: LogIndex) = Key::Outcomes(index) => Outcomes(Vec<(RequestId, Outcome)>);
    /// What the cluster itself uses a key for, by the SHA-256 of its SubjectPublicKeyInfo.
    cluster_key(key: Digest) = Key::ClusterKey(key) => ClusterKey(KeyUse);
}

impl dyn Register + '_ {
    /// What a command came to, if that is remembered.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    pub fn outcome(&self, request: RequestId) -> Result<Option<Outcome>, StorageFault> {
        let Some(index) = self.outcomes_with(request) else { return Ok(None) };
        let outcomes = self.outcomes(index)?.unwrap_or_default();
        Ok(outcomes.into_iter().find_map(|(id, outcome)| (id == request).then_some(outcome)))
    }

    /// Every certification authority, by name.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    pub fn issuers(&self) -> Result<Vec<(CaId, Arc<Issuer>)>, StorageFault> {
        let rows = self.scan(&Key::Issuer(CaId::first()), usize::MAX)?;
        Ok(rows
            .into_iter()
            .filter_map(|(key, value)| match (key, value) {
                (Key::Issuer(ca), Value::Issuer(issuer)) => Some((ca, issuer)),
                _ => None,
            })
            .collect())
    }

    /// The grant of a caller; of an enrolment token what it is good for. Members and the ceremony hold none: what they may do follows from the profile's
    /// audience.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    pub fn grant_of(&self, identity: Identity) -> Result<Option<Arc<Granted>>, StorageFault> {
        match identity {
            Identity::Client(key) => self.grant(key),
            Identity::Enrolment(token) => match self.enrolment(token)? {
                Some(enrolment) => Ok(enrolment.granted(self, token)?.map(Arc::new)),
                None => Ok(None),
            },
            Identity::Ceremony | Identity::Node(_) => Ok(None),
        }
    }

    /// Every profile, by name.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    pub fn profiles(&self) -> Result<Vec<Arc<Profile>>, StorageFault> {
        let rows = self.scan(&Key::Profile(ProfileName::first()), usize::MAX)?;
        Ok(rows
            .into_iter()
            .filter_map(|(_, value)| match value {
                Value::Profile(profile) => Some(profile),
                _ => None,
            })
            .collect())
    }

    /// Every member, by number, the removed ones included.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    pub fn members(&self) -> Result<Vec<(NodeId, Member)>, StorageFault> {
        let rows = self.scan(&Key::Member(NodeId(0)), usize::MAX)?;
        Ok(rows
            .into_iter()
            .filter_map(|(key, value)| match (key, value) {
                (Key::Member(node), Value::Member(member)) => Some((node, member)),
                _ => None,
            })
            .collect())
    }

    /// Every row of the table of `from`, from there on, a page at a time, until `row` breaks off.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    pub fn each(
        &self,
        from: Key,
        mut row: impl FnMut(&Key, Value) -> ControlFlow<()>,
    ) -> Result<(), StorageFault> {
        let mut from = from;
        let mut resumed = false;
        loop {
            let rows = self.scan(&from, SCAN_ROWS)?;
            let last_page = rows.len() < SCAN_ROWS;
            for (key, value) in rows {
                // A page begins with the row that the one before ended with.
                if resumed && key == from {
                    continue;
                }
                if row(&key, value).is_break() {
                    return Ok(());
                }
                from = key;
                resumed = true;
            }
            if last_page {
                return Ok(());
            }
        }
    }
}
