//! What the authority needs from outside. The simulator has its own versions of all of it.

use std::future::Future;

use ca_core::command::Command;
use ca_core::ids::{BootId, LogIndex, NodeId, UnixMillis};
use ca_core::permit::{Applied, SigningOrder};
use ca_core::register::{Register, StorageFault};
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::{KeyIdentifier, PublicKey};

/// The issuance log: replicated, totally ordered, the only truth.
pub trait Log: Send + Sync + 'static {
    /// This node.
    fn node(&self) -> NodeId;

    /// This run of this node.
    fn boot(&self) -> BootId;

    /// Puts a command into the log and waits until it is applied *here*.
    ///
    /// # Errors
    /// [`AppendError`] tells whether the command can still take effect.
    fn append(&self, command: Command) -> impl Future<Output = Result<Applied, AppendError>> + Send;

    /// Asks a quorum how far the log is committed (ReadIndex) and waits until this node has applied that much.
    /// What the register holds then was true at some moment after the call began.
    ///
    /// # Errors
    /// [`NoQuorum`] within 2 s (I17).
    fn read_index(&self) -> impl Future<Output = Result<LogIndex, NoQuorum>> + Send;

    /// The register as this node has applied it.
    fn register(&self) -> &dyn Register;

    /// How the node stands in its cluster, as far as it knows.
    fn standing(&self) -> Standing;

    /// The as_of (R9) that was stored last; survives restarts. `None` on a new node, and while the log that this
    /// node knows to be committed is not replayed (I24).
    fn stored_as_of(&self) -> Option<UnixMillis>;

    /// Stores as_of; need not be synced, for an older one is true too.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    fn store_as_of(&self, as_of: UnixMillis) -> Result<(), StorageFault>;
}

/// A node's place in its cluster at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The Raft term.
    pub term: u64,
    /// The leader, if this node knows one.
    pub leader: Option<NodeId>,
    /// The last entry applied here.
    pub applied: LogIndex,
    /// The voters.
    pub voters: Vec<NodeId>,
    /// Members that answered this node lately, itself included; only a leader knows the others' answers.
    pub reachable: Vec<NodeId>,
    /// Whether this node is a voter, and was one before a change of voters that is under way.
    pub votes: bool,
    /// The chained digest of the register at `applied` (R17).
    pub digest: ca_core::ids::Digest,
}

/// Why a command has no outcome here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The command was not given to a leader: it can never take effect.
    #[error("not written to the log: {0}")]
    NotAppended(NoQuorum),
    /// The command may or may not take effect, until its expiry. Never "failed".
    #[error("not known whether the command was written: {0}")]
    NotKnown(NoQuorum),
    /// This node is stopping or has stopped.
    #[error("this node is stopping")]
    Stopped,
}

/// No majority of the voters can be reached from here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct NoQuorum {
    /// All voters.
    pub voters: Vec<NodeId>,
    /// Those that this node knows to answer, itself included.
    pub reachable: Vec<NodeId>,
    /// What the last try met: `connection refused`, `no leader since 2.1 s`.
    pub cause: String,
}

impl NoQuorum {
    fn sentence(&self) -> String {
        let missing: Vec<String> =
            self.voters.iter().filter(|v| !self.reachable.contains(v)).map(|v| format!("node {v}")).collect();
        let need = (self.voters.len() / 2).saturating_add(1);
        let silent = if missing.is_empty() { "none".to_owned() } else { missing.join(", ") };
        format!(
            "no quorum: {need} of {} voters are needed; silent: {silent} ({})",
            self.voters.len(),
            self.cause
        )
    }
}

/// A PKCS#11 token with this cluster's keys.
pub trait Signer: Send + Sync + 'static {
    /// Signs; the order is used up. The result is what stands in an X.509 BIT STRING: DER for ECDSA.
    /// It is *not* verified: the authority does that, with the register's key (R13).
    ///
    /// # Errors
    /// [`SignError`]
    fn sign(&self, order: SigningOrder) -> impl Future<Output = Result<Vec<u8>, SignError>> + Send;

    /// Whether the token holds the private key and a probe with it verified lately.
    fn holds(&self, key: KeyIdentifier) -> bool;

    /// The token signed with something else than this key (I28): it signs nothing with it until a probe verifies
    /// again.
    fn distrust(&self, key: &PublicKey);
}

/// Why a token did not sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The bounded queue is full: try another node, or later.
    #[error("the token's queue is full ({queued} requests)")]
    Busy {
        /// Its length.
        queued: usize,
    },
    /// The token took too long; whether it signed is not known.
    #[error("the token did not answer within {limit_ms} ms")]
    TimedOut {
        /// The deadline.
        limit_ms: u64,
    },
    /// The token has no such key.
    #[error("the token has no key {}", hex(.key))]
    NoKey {
        /// The key.
        key: KeyIdentifier,
    },
    /// The token is away, locked or failing.
    #[error("the token does not work: {why}")]
    Down {
        /// What it said.
        why: String,
    },
}

fn hex(key: &KeyIdentifier) -> String {
    key.0.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Checks signatures; needs no token.
pub trait Verifier: Send + Sync + 'static {
    /// Checks `signature` (as in an X.509 BIT STRING) over `message`, which is not hashed.
    ///
    /// # Errors
    /// [`BadSignature`], also when key and algorithm do not fit.
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature>;
}

/// A signature that is not by this key over this message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// The wall clock, and waiting.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> UnixMillis;

    /// Waits.
    fn sleep(&self, millis: u64) -> impl Future<Output = ()> + Send;
}

/// A cryptographically secure source of random octets.
pub trait Entropy: Send + Sync + 'static {
    /// Fills the buffer.
    ///
    /// # Errors
    /// [`EntropyFault`]: nothing is issued.
    fn fill(&self, octets: &mut [u8]) -> Result<(), EntropyFault>;
}

/// The system gave no random octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's random source failed")]
pub struct EntropyFault;
