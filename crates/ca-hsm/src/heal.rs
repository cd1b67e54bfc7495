//! A worker's seat at the token: its session and its handles, and how they come back when they are lost.
//!
//! What was lost is never repaired but made anew, in one order: session, log-in, key by its identifier, a probe
//! signature that verifies; only then does the key serve (R11, I28).

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::{KeyIdentifier, PublicKey};
use cryptoki::error::{Error, RvError};
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::Slot;
use secrecy::SecretString;

use crate::error::{During as _, Fault, Lost, LostPart, TokenError};
use crate::library::Generation;
use crate::limits::{BACK_OFF_FIRST, BACK_OFF_MAX, FAILURE_COUNT_BEFORE_RESTART, SIGN_TRY_COUNT};
use crate::pool::Shared;
use crate::probe::Doubts;
use crate::proof::Statement;
use crate::token::Signable as _;
use crate::{object, sign};

/// Owned by one worker.
pub(crate) struct Seat {
    shared: Arc<Shared>,
    connection: Option<Connection>,
}

/// A session that is logged in, and the keys that signed a probe on it.
pub(crate) struct Connection {
    pub(crate) session: Session,
    pub(crate) slot: Slot,
    generation: Generation,
    keys: HashMap<KeyIdentifier, Proven>,
}

/// A key that signed a probe on this session, and when: a later doubt (I28) makes it prove itself again.
#[derive(Clone, Copy)]
struct Proven {
    handle: ObjectHandle,
    doubts: Doubts,
}

/// The log-in is the process's, not the session's; so is its refusal.
#[derive(Default)]
pub(crate) struct LogIn {
    /// Set once the token refused the PIN: no other try is made, ever.
    refused: Option<TokenError>,
    /// How often the PIN was shown to the token.
    pub(crate) tries: u32,
    /// Keeps the log-in while workers change their sessions: it is lost when the last session closes.
    idle: Option<(Generation, Session)>,
}

/// How the token failed lately, over all workers.
#[derive(Default)]
pub(crate) struct Failures {
    count: u32,
    not_before: Option<Instant>,
    pub(crate) last: Option<TokenError>,
}

impl Seat {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, connection: None }
    }

    /// Does something that may be done more than once, healing in between.
    pub(crate) fn retry<T>(
        &mut self,
        try_count: u32,
        mut what: impl FnMut(&Shared, &mut Connection) -> Result<T, Fault>,
    ) -> Result<T, TokenError> {
        let mut last = None;
        for _ in 0..try_count {
            match self.attempt(&mut what) {
                Ok(value) => return Ok(value),
                Err(Fault::Final(error)) => return Err(error),
                Err(Fault::Lost(lost)) => last = Some(lost.into()),
            }
        }
        Err(last.unwrap_or(TokenError::Closed))
    }

    /// Does something once. A session that was lost while nobody used it is replaced first.
    pub(crate) fn once<T>(
        &mut self,
        what: impl FnOnce(&Shared, &mut Connection) -> Result<T, Fault>,
    ) -> Result<T, TokenError> {
        // Healing needs one failing call to start from; this is one without effect.
        self.retry(SIGN_TRY_COUNT, |_, connection| connection.confirm())?;
        Ok(self.attempt(what)?)
    }

    fn attempt<T>(
        &mut self,
        what: impl FnOnce(&Shared, &mut Connection) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let shared = Arc::clone(&self.shared);
        let seen = *shared.library.enter();
        let (outcome, freshness) = self.attempt_inside(&shared, seen, what);
        if let Err(Fault::Lost(lost)) = &outcome {
            self.lose(lost, seen, freshness);
        }
        outcome
    }

    fn attempt_inside<T>(
        &mut self,
        shared: &Shared,
        seen: Generation,
        what: impl FnOnce(&Shared, &mut Connection) -> Result<T, Fault>,
    ) -> (Result<T, Fault>, Freshness) {
        let existing = self.connection.take().filter(|connection| connection.generation == seen);
        let (connection, freshness) = match existing {
            Some(connection) => (Ok(connection), Freshness::Old),
            None => (Connection::open(shared, seen), Freshness::New),
        };
        let outcome = connection.and_then(|connection| {
            let connection = self.connection.insert(connection);
            // Held to the end of the call: the library is not finalised under it.
            let _entered = shared.library.enter_again(seen)?;
            what(shared, connection)
        });
        if outcome.is_ok() {
            shared.failures().clear();
        }
        (outcome, freshness)
    }

    /// Gives up what was lost, and says how soon anybody may try again.
    fn lose(&mut self, lost: &Lost, seen: Generation, freshness: Freshness) {
        if let Some(connection) = self.connection.take()
            && lost.what == LostPart::State
        {
            // Any other kind of loss leaves a handle that may be another session's by now.
            connection.close(&self.shared);
        }
        tracing::warn!(step = lost.step, why = %lost.why, "the token's session was lost; opening another");
        let failures = match freshness {
            // The first reconnection waits for nothing.
            Freshness::Old => 0,
            Freshness::New => self.shared.failures().add(lost),
        };
        if lost.what == LostPart::Library || failures >= FAILURE_COUNT_BEFORE_RESTART {
            match self.shared.library.restart(seen) {
                Ok(true) => tracing::warn!("the PKCS#11 library was initialised again"),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "the PKCS#11 library does not start again"),
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close(&self.shared);
        }
    }
}

/// Whether what failed had ever worked.
#[derive(Clone, Copy)]
enum Freshness {
    Old,
    New,
}

impl Connection {
    fn open(shared: &Shared, generation: Generation) -> Result<Self, Fault> {
        shared.failures().may_try()?;
        let connection = {
            let _entered = shared.library.enter_again(generation)?;
            // A missing label is final for whoever opens a token, and a loss for a worker: the token may come back.
            let slot = shared.library.slot(&shared.config.label).map_err(|fault| match fault {
                Fault::Final(error) if shared.was_open() => {
                    let lost = Lost { step: "find the token", why: error.to_string(), what: LostPart::State };
                    Fault::Lost(lost)
                }
                other => other,
            })?;
            let session = shared.library.context().open_rw_session_no_drop(slot).during("open a session")?;
            Self { session, slot, generation, keys: HashMap::new() }
        };
        match log_in(shared, &connection) {
            Ok(()) => Ok(connection),
            Err(fault) => {
                connection.close(shared);
                Err(fault)
            }
        }
    }

    /// Closes the session, unless the library has forgotten it.
    fn close(self, shared: &Shared) {
        if let Ok(_entered) = shared.library.enter_again(self.generation) {
            // A session that cannot be closed is gone already.
            let _ = self.session.close();
        }
    }

    /// That the session is there and logged in. Without the log-in a token hides its private keys instead of
    /// refusing their use: nothing is missing before this was asked.
    pub(crate) fn confirm(&self) -> Result<(), Fault> {
        let step = "look at the session";
        if logged_in(self.session.get_session_info().during(step)?.session_state()) {
            return Ok(());
        }
        let why = "it is no longer logged in".to_owned();
        Err(Fault::Lost(Lost { step, why, what: LostPart::State }))
    }

    /// The private key under an identifier, a token object.
    pub(crate) fn private(&self, shared: &Shared, key: KeyIdentifier) -> Result<ObjectHandle, Fault> {
        if let Some(handle) = object::find(&self.session, ObjectClass::PRIVATE_KEY, key)? {
            return Ok(handle);
        }
        self.confirm()?;
        Err(TokenError::KeyMissing { label: shared.config.label.clone(), key }.into())
    }

    /// Signs with the private key that belongs to `key`.
    pub(crate) fn sign(
        &mut self,
        shared: &Shared,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        let Proven { handle, doubts } = self.proven(shared, key)?;
        let signature = sign::sign(&self.session, shared.mechanisms(), handle, algorithm, message)?;
        shared.watch.signed(key, doubts);
        Ok(signature)
    }

    /// Signs a probe with the key and verifies it; then it may serve on this session.
    fn proven(&mut self, shared: &Shared, key: &PublicKey) -> Result<Proven, Fault> {
        let identifier = key.key_identifier();
        let doubts = shared.watch.doubts(identifier);
        match self.keys.get(&identifier) {
            Some(proven) if proven.doubts == doubts => return Ok(*proven),
            _ => {}
        }
        let stored = self.private(shared, identifier)?;
        // Soft tokens read a token object from disk at each use; a copy doubles their rate. Not every policy allows
        // it. KNOWN: a key that somebody deletes from the token goes on serving in sessions that have a copy.
        let handle = self.session.copy_object(stored, &[Attribute::Token(false)]).unwrap_or(stored);
        self.probe(shared, key, handle)?;
        let proven = Proven { handle, doubts };
        self.keys.insert(identifier, proven);
        Ok(proven)
    }

    /// Shows that the private key under `handle` belongs to `key`.
    pub(crate) fn probe(&self, shared: &Shared, key: &PublicKey, handle: ObjectHandle) -> Result<(), Fault> {
        let label = &shared.config.label;
        let statement = Statement::random_probe(key)?;
        let signature = sign::sign(
            &self.session,
            shared.mechanisms(),
            handle,
            statement.algorithm(),
            statement.message(),
        )?;
        statement
            .verify(&signature)
            .map_err(|_| TokenError::KeyMismatch { label: label.clone(), key: key.key_identifier() }.into())
    }
}

/// Logs in if nobody in this process is, and sees to it that the log-in lasts.
fn log_in(shared: &Shared, connection: &Connection) -> Result<(), Fault> {
    // One at a time: two workers that show the same wrong PIN would spend two tries.
    let mut state = shared.log_in();
    if let Some(refused) = &state.refused {
        return Err(refused.clone().into());
    }
    let library = &shared.library;
    let (info, token) = {
        let _entered = library.enter_again(connection.generation)?;
        let info = connection.session.get_session_info().during("look at the session")?;
        (info, library.context().get_token_info(connection.slot).during("look at the token")?)
    };
    if !logged_in(info.session_state()) {
        // Read before anybody is kept out: it may come from a slow place.
        let pin = if token.protected_authentication_path() {
            None
        } else {
            Some(shared.pin.pin().map_err(|e| TokenError::PinUnavailable { why: e.0 })?)
        };
        let _alone = library.alone(connection.generation)?;
        show_pin(shared, &mut state, &connection.session, pin.as_ref())?;
    }
    let _entered = library.enter_again(connection.generation)?;
    let stays = state.idle.as_ref().is_some_and(|(generation, idle)| {
        *generation == connection.generation && idle.get_session_info().is_ok()
    });
    if !stays {
        let idle = library.context().open_ro_session_no_drop(connection.slot);
        state.idle = Some((connection.generation, idle.during("open the idle session")?));
    }
    Ok(())
}

/// The one place where the PIN is shown to the token.
fn show_pin(
    shared: &Shared,
    state: &mut LogIn,
    session: &Session,
    pin: Option<&SecretString>,
) -> Result<(), Fault> {
    let label = shared.config.label.clone();
    state.tries = state.tries.saturating_add(1);
    let refused = match session.login(UserType::User, pin) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => return Ok(()),
        Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
            TokenError::WrongPin { label }
        }
        Err(Error::Pkcs11(RvError::PinLocked | RvError::PinExpired, _)) => TokenError::PinLocked { label },
        Err(Error::Pkcs11(RvError::UserPinNotInitialized, _)) => TokenError::PinNotSet { label },
        Err(error) => return Err(Fault::of("log in", &error)),
    };
    tracing::error!(error = %refused, "log-in refused");
    state.refused = Some(refused.clone());
    Err(refused.into())
}

fn logged_in(state: SessionState) -> bool {
    match state {
        SessionState::RwUser | SessionState::RoUser => true,
        SessionState::RoPublic | SessionState::RwPublic | SessionState::RwSecurityOfficer => false,
    }
}

impl LogIn {
    /// Lets go of the idle session, before the library is finalised.
    pub(crate) fn leave(&mut self) {
        if let Some((_, session)) = self.idle.take() {
            let _ = session.close();
        }
    }
}

impl Failures {
    fn may_try(&self) -> Result<(), Fault> {
        match (&self.last, self.not_before) {
            (Some(last), Some(moment)) if Instant::now() < moment => Err(last.clone().into()),
            _ => Ok(()),
        }
    }

    fn add(&mut self, lost: &Lost) -> u32 {
        let doubled =
            BACK_OFF_FIRST.saturating_mul(1_u32.checked_shl(self.count.min(16)).unwrap_or(u32::MAX));
        self.count = self.count.saturating_add(1);
        let pause: Duration = doubled.min(BACK_OFF_MAX);
        self.not_before = Instant::now().checked_add(pause);
        self.last = Some(lost.clone().into());
        self.count
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Shared {
    pub(crate) fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log_in(&self) -> MutexGuard<'_, LogIn> {
        self.log_in.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
