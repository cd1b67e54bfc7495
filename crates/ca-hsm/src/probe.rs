//! Which keys signed lately: probes, and what they show (R11).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ca_x509::key::{KeyIdentifier, PublicKey};

use crate::error::TokenError;
use crate::heal::Seat;
use crate::limits::{HELD_MAX, KEY_COUNT_MAX, PROBE_PERIOD, SIGN_MAX, SIGN_TRY_COUNT};
use crate::pool::{Job, Shared};
use crate::proof::Statement;
use crate::token::{Signable as _, Token};

/// How the token is, as far as this node knows without asking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The keys that are watched, and whether each signed within [`crate::limits::HELD_MAX`].
    pub keys: Vec<(KeyIdentifier, bool)>,
    /// Milliseconds since any key signed, be it a probe; `None` if none has.
    pub last_signature_ms: Option<u64>,
    /// Requests that wait for a session.
    pub queued: usize,
    /// Workers that hang in a call into the library.
    pub hanging: usize,
    /// What failed last, while it has not worked since.
    pub fault: Option<TokenError>,
}

/// The keys that are probed, with when each signed last.
#[derive(Default)]
pub(crate) struct Watch {
    keys: Mutex<BTreeMap<KeyIdentifier, Watched>>,
}

struct Watched {
    key: PublicKey,
    doubts: Doubts,
    signed: Option<Instant>,
}

/// Counts how often a key was distrusted: what was proven before a doubt proves nothing after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Doubts(u64);

impl Watch {
    /// Begins to probe a key. Past the limit the newcomer is not watched, and so never held.
    pub(crate) fn add(&self, key: &PublicKey) {
        let mut keys = self.lock();
        let identifier = key.key_identifier();
        if keys.contains_key(&identifier) || keys.len() >= KEY_COUNT_MAX {
            return;
        }
        keys.insert(identifier, Watched { key: key.clone(), doubts: Doubts::default(), signed: None });
    }

    pub(crate) fn doubts(&self, key: KeyIdentifier) -> Doubts {
        self.lock().get(&key).map(|watched| watched.doubts).unwrap_or_default()
    }

    /// Notes a signature; it counts for nothing if the key was distrusted while it was made.
    pub(crate) fn signed(&self, key: &PublicKey, doubts: Doubts) {
        self.add(key);
        if let Some(watched) = self.lock().get_mut(&key.key_identifier())
            && watched.doubts == doubts
        {
            watched.signed = Some(Instant::now());
        }
    }

    fn doubt(&self, key: &PublicKey) {
        self.add(key);
        if let Some(watched) = self.lock().get_mut(&key.key_identifier()) {
            watched.doubts.0 = watched.doubts.0.saturating_add(1);
            watched.signed = None;
        }
    }

    fn holds(&self, key: KeyIdentifier) -> bool {
        self.lock().get(&key).is_some_and(Watched::is_held)
    }

    /// The keys that have not signed for a period.
    pub(crate) fn due(&self) -> Vec<PublicKey> {
        let is_due =
            |watched: &&Watched| watched.signed.is_none_or(|moment| moment.elapsed() >= PROBE_PERIOD);
        self.lock().values().filter(is_due).map(|watched| watched.key.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<KeyIdentifier, Watched>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    fn is_held(&self) -> bool {
        self.signed.is_some_and(|moment| moment.elapsed() <= HELD_MAX)
    }
}

impl Token {
    /// Begins to probe a key, such as each issuer key of the register: [`ca_authority::ports::Signer::holds`] tells
    /// the result. Keys that the token held when it was opened, and those that it made, are watched anyway.
    pub fn watch(&self, key: &PublicKey) {
        self.shared().watch.add(key);
    }

    /// How the token is; asks it nothing.
    #[must_use]
    pub fn health(&self) -> Health {
        let shared = self.shared();
        let keys = shared.watch.lock();
        let last = keys.values().filter_map(|watched| watched.signed).max();
        Health {
            keys: keys.iter().map(|(key, watched)| (*key, watched.is_held())).collect(),
            last_signature_ms: last.map(|t| u64::try_from(t.elapsed().as_millis()).unwrap_or(u64::MAX)),
            queued: shared.queue.len(),
            hanging: shared.hanging(),
            fault: shared.failures().last.clone(),
        }
    }

    pub(crate) fn is_held(&self, key: KeyIdentifier) -> bool {
        self.shared().watch.holds(key)
    }

    pub(crate) fn doubt(&self, key: &PublicKey) {
        self.shared().watch.doubt(key);
    }
}

/// Asks a worker for a probe of each key that has not signed for a period. A full queue means that the token signs
/// or hangs: a probe would tell nothing more.
pub(crate) fn ask_for_probes(shared: &Arc<Shared>) {
    for key in shared.watch.due() {
        let job = Job { limit: SIGN_MAX, run: Box::new(move |seat| probe(seat, &key)) };
        if shared.queue.put(job).is_err() {
            return;
        }
    }
}

fn probe(seat: &mut Seat, key: &PublicKey) {
    let identifier = key.key_identifier();
    let outcome = seat.retry(SIGN_TRY_COUNT, |shared, connection| {
        let doubts = shared.watch.doubts(identifier);
        let statement = Statement::random_probe(key)?;
        let signature = connection.sign(shared, key, statement.algorithm(), statement.message())?;
        if statement.verify(&signature).is_err() {
            shared.watch.doubt(key);
            let label = shared.config.label.clone();
            return Err(TokenError::KeyMismatch { label, key: identifier }.into());
        }
        shared.watch.signed(key, doubts);
        Ok(())
    });
    if let Err(error) = outcome {
        tracing::debug!(key = %identifier, %error, "a key did not sign its probe");
    }
}
