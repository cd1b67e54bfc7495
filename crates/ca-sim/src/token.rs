//! Tokens of software keys, and the tape on which every signature is recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use ca_authority::ports::{SignError, Signer};
use ca_core::ids::{ClusterId, Digest, NodeId};
use ca_core::permit::SigningOrder;
use ca_x509::key::{KeyIdentifier, PublicKey};

/// A private key. Ed25519, for its signatures are the same in every run.
#[derive(Clone, Debug)]
pub struct SoftKey {
    pair: Arc<Ed25519KeyPair>,
    public: PublicKey,
}

impl SoftKey {
    /// The key of this name: one name, one key, in every run.
    ///
    /// # Panics
    /// Never: every seed of 32 octets is a key (RFC 8032 §5.1.5).
    #[must_use]
    pub fn named(name: &str) -> Self {
        let seed = Digest::over(&[b"key", name.as_bytes()]).0;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 octets are a seed");
        let octets = pair.public_key().as_ref().try_into().expect("a public key has 32 octets");
        Self { pair: Arc::new(pair), public: PublicKey::from_ed25519(octets) }
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }
}

/// How a token behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenMode {
    /// As it should.
    Works,
    /// One bit of every signature is wrong.
    FlipsBits,
    /// It holds another key under the same identifier.
    SignsWithAnotherKey,
    /// It does not answer until it is in another mode.
    Hangs,
    /// It was pulled out.
    Gone,
}

/// One signature that a token made.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Whose token.
    pub node: NodeId,
    /// Which key was asked for. A token that confuses its keys may have used another.
    pub key: KeyIdentifier,
    /// What was signed.
    pub message: Vec<u8>,
    /// How many entries were committed at that moment.
    pub committed: u64,
}

/// Every signature of every token, in order: what a shim under the PKCS#11 interface would see.
#[derive(Clone, Debug, Default)]
pub struct Tape(Arc<Mutex<Vec<Signed>>>);

impl Tape {
    /// What is on it.
    #[must_use]
    pub fn signed(&self) -> Vec<Signed> {
        locked(&self.0).clone()
    }
}

/// One node's token. Clones are the same token.
#[derive(Clone, Debug)]
pub struct SimToken {
    node: NodeId,
    tape: Tape,
    committed: Arc<dyn Committed>,
    inside: Arc<Mutex<Inside>>,
}

/// Tells how long the log is, for the tape.
pub(crate) trait Committed: Send + Sync + std::fmt::Debug {
    fn count(&self) -> u64;
}

#[derive(Debug)]
struct Inside {
    keys: BTreeMap<KeyIdentifier, SoftKey>,
    mode: TokenMode,
    distrusted: BTreeSet<KeyIdentifier>,
}

impl SimToken {
    pub(crate) fn new(node: NodeId, tape: Tape, committed: Arc<dyn Committed>) -> Self {
        let inside = Inside { keys: BTreeMap::new(), mode: TokenMode::Works, distrusted: BTreeSet::new() };
        Self { node, tape, committed, inside: Arc::new(Mutex::new(inside)) }
    }

    /// Puts a key in.
    pub fn import(&self, key: SoftKey) {
        locked(&self.inside).keys.insert(key.public.key_identifier(), key);
    }

    /// Takes a key out.
    pub fn lose(&self, key: &PublicKey) {
        locked(&self.inside).keys.remove(&key.key_identifier());
    }

    /// Changes how it behaves. A token that works again has been probed: its keys are trusted again.
    pub fn set_mode(&self, mode: TokenMode) {
        let mut inside = locked(&self.inside);
        inside.mode = mode;
        if mode == TokenMode::Works {
            inside.distrusted.clear();
        }
    }

    /// Signs a key proof (R11).
    ///
    /// # Panics
    /// If the key is not in it.
    #[must_use]
    pub fn prove(&self, key: &PublicKey, statement: &[u8]) -> Vec<u8> {
        let id = key.key_identifier();
        let key = locked(&self.inside).keys.get(&id).cloned().expect("the token holds the key");
        self.with_key(id, &key, statement)
    }

    fn try_sign(&self, order: &SigningOrder) -> Poll<Result<Vec<u8>, SignError>> {
        let (mode, key) = {
            let inside = locked(&self.inside);
            let wanted = order.key();
            if inside.mode == TokenMode::Hangs {
                return Poll::Pending;
            }
            let down = |why: &str| Poll::Ready(Err(SignError::Down { why: why.into() }));
            if inside.mode == TokenMode::Gone {
                return down("it was pulled out");
            }
            if inside.distrusted.contains(&wanted) {
                return down("the key is not trusted until a probe verifies");
            }
            let other = || inside.keys.iter().find(|(id, _)| **id != wanted).map(|(_, key)| key.clone());
            let key = match inside.mode {
                TokenMode::SignsWithAnotherKey => other(),
                _ => inside.keys.get(&wanted).cloned(),
            };
            let Some(key) = key else { return Poll::Ready(Err(SignError::NoKey { key: wanted })) };
            (inside.mode, key)
        };
        let mut signature = self.with_key(order.key(), &key, order.message());
        if mode == TokenMode::FlipsBits
            && let Some(octet) = signature.first_mut()
        {
            *octet ^= 1;
        }
        Poll::Ready(Ok(signature))
    }

    fn with_key(&self, asked: KeyIdentifier, key: &SoftKey, message: &[u8]) -> Vec<u8> {
        let committed = self.committed.count();
        let signed = Signed { node: self.node, key: asked, message: message.to_vec(), committed };
        locked(&self.tape.0).push(signed);
        key.pair.sign(message).as_ref().to_vec()
    }
}

impl Signer for SimToken {
    async fn sign(&self, order: SigningOrder) -> Result<Vec<u8>, SignError> {
        poll_fn(|_| self.try_sign(&order)).await
    }

    fn holds(&self, key: KeyIdentifier) -> bool {
        let inside = locked(&self.inside);
        inside.keys.contains_key(&key) && !inside.distrusted.contains(&key) && inside.mode != TokenMode::Gone
    }

    fn distrust(&self, key: &PublicKey) {
        locked(&self.inside).distrusted.insert(key.key_identifier());
    }
}

/// What a key proof signs: `64 × 0x20 ‖ "ca-node key proof" ‖ cluster ‖ key ‖ node ‖ asking` (R11).
#[must_use]
pub fn proof_statement(cluster: ClusterId, key: KeyIdentifier, node: NodeId, asking: Digest) -> Vec<u8> {
    [&[0x20; 64][..], b"ca-node key proof", &cluster.0, &key.0, &node.0.to_be_bytes(), &asking.0].concat()
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds this lock")
}
