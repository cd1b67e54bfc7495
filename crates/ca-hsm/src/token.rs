//! The token: opened once, shared by whoever signs.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ca_authority::ports::{SignError, Signer};
use ca_core::permit::SigningOrder;
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::{KeyIdentifier, PublicKey};
use cryptoki::mechanism::MechanismType;
use secrecy::SecretString;

use crate::error::{During as _, TokenError};
use crate::heal::Seat;
use crate::library::{Library, Module};
use crate::limits::{
    ACT_MAX, KEY_LABEL_LENGTH_MAX, LABEL_LENGTH_MAX, QUEUE_MAX, SESSION_COUNT_DEFAULT, SESSION_COUNT_MAX,
    SIGN_MAX, SIGN_TRY_COUNT,
};
use crate::pool::{self, Description, Shared};
use crate::{object, raw};

/// Which token, and how much of it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenConfig {
    /// The PKCS#11 library.
    pub module: Module,
    /// The token's label, at most 32 octets.
    pub label: String,
    /// Sessions, and threads: 1 to [`crate::limits::SESSION_COUNT_MAX`]. One more session is kept idle.
    pub sessions: usize,
    /// Requests that may wait: 1 to [`crate::limits::QUEUE_MAX`].
    pub queue: usize,
    /// How long a signature may take, waiting included: up to [`crate::limits::SIGN_MAX`].
    pub deadline: Duration,
}

impl TokenConfig {
    /// The defaults: everything but the two facts that only the operator knows.
    #[must_use]
    pub fn new(module: Module, label: &str) -> Self {
        Self {
            module,
            label: label.to_owned(),
            sessions: SESSION_COUNT_DEFAULT,
            queue: QUEUE_MAX,
            deadline: SIGN_MAX,
        }
    }

    fn check(&self) -> Result<(), TokenError> {
        check_label("token.label", &self.label, LABEL_LENGTH_MAX)?;
        check_count("token.sessions", self.sessions, SESSION_COUNT_MAX)?;
        check_count("the token's queue", self.queue, QUEUE_MAX)?;
        if self.deadline.is_zero() || self.deadline > SIGN_MAX {
            let (bounds, got) = (format!("above 0 and at most {SIGN_MAX:?}"), format!("{:?}", self.deadline));
            return Err(TokenError::OutOfBounds { what: "the token's deadline", bounds, got });
        }
        Ok(())
    }
}

/// Where the PIN comes from, each time the token must be logged in to. Implemented for a PIN that is kept, and for a
/// closure that reads it again.
pub trait PinSource: Send + Sync + 'static {
    /// The PIN; it is wiped after use.
    ///
    /// # Errors
    /// [`PinUnavailable`]
    fn pin(&self) -> Result<SecretString, PinUnavailable>;
}

/// Why there is no PIN. The text never holds it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PinUnavailable(pub String);

impl PinSource for SecretString {
    fn pin(&self) -> Result<SecretString, PinUnavailable> {
        Ok(self.clone())
    }
}

impl<F: Fn() -> Result<SecretString, PinUnavailable> + Send + Sync + 'static> PinSource for F {
    fn pin(&self) -> Result<SecretString, PinUnavailable> {
        self()
    }
}

/// What a token says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenInfo {
    /// Its label.
    pub label: String,
    /// Who made it.
    pub manufacturer: String,
    /// Its model, with the version of the library that drives it.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// The mechanisms that it offers and this program can name: `CKM_ECDSA`.
    pub mechanisms: Vec<String>,
}

/// A PKCS#11 token that is logged in to. Clones share it; the threads end with the last of them, or at
/// [`Token::close`].
#[derive(Clone)]
pub struct Token {
    handle: Arc<Handle>,
}

/// Stops the threads when the last clone goes.
struct Handle {
    shared: Arc<Shared>,
}

impl Token {
    /// Loads the library, finds the token, logs in (one try, never repeated if the PIN is refused) and starts the
    /// workers. Makes calls into the library: not for a thread that must not wait.
    ///
    /// # Errors
    /// [`TokenError`], with the next step in its text.
    pub fn open(config: TokenConfig, pin: impl PinSource) -> Result<Self, TokenError> {
        config.check()?;
        let library = Library::load(&config.module)?;
        let shared = Arc::new(Shared::new(config, library, Box::new(pin)));
        match open_inside(&shared) {
            Ok(()) => Ok(Self { handle: Arc::new(Handle { shared }) }),
            Err(error) => {
                shared.close();
                Err(error)
            }
        }
    }

    /// What the token said of itself when it was opened.
    #[must_use]
    pub fn info(&self) -> Option<&TokenInfo> {
        self.shared().described.get().map(|description| &description.info)
    }

    /// The signing keys in the token that have a public key beside them.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn keys(&self) -> Result<Vec<KeyIdentifier>, TokenError> {
        Ok(self.public_keys().await?.iter().map(PublicKey::key_identifier).collect())
    }

    /// As [`Token::keys`], the public keys themselves.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn public_keys(&self) -> Result<Vec<PublicKey>, TokenError> {
        self.ask(|seat| {
            seat.retry(SIGN_TRY_COUNT, |_, connection| {
                connection.confirm()?;
                object::signing_keys(&connection.session)
            })
        })
        .await
    }

    /// The signing key with this `CKA_LABEL`, if there is one; of several, always the same.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn key_labelled(&self, label: &str) -> Result<Option<PublicKey>, TokenError> {
        check_label("a key's label", label, KEY_LABEL_LENGTH_MAX)?;
        let label = label.to_owned();
        self.ask(move |seat| {
            seat.retry(SIGN_TRY_COUNT, |_, connection| {
                connection.confirm()?;
                let keys = object::signing_keys_labelled(&connection.session, &label)?;
                Ok(keys.into_iter().min_by_key(PublicKey::key_identifier))
            })
        })
        .await
    }

    /// Ends the threads and the use of the library. Waits for signatures at work, at most
    /// [`crate::limits::CLOSE_MAX`]; whoever still waits for one is told [`TokenError::Closed`].
    pub fn close(&self) {
        self.shared().close();
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// Has a worker do something that may take long: making, wrapping and listing keys.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Seat) -> Result<T, TokenError> + Send + 'static,
    ) -> Result<T, TokenError> {
        self.shared().ask(ACT_MAX, what).await
    }

    /// The one way to a signature.
    pub(crate) async fn sign_what(&self, what: impl Signable) -> Result<Vec<u8>, SignError> {
        let deadline = self.shared().config.deadline;
        let signed = self.shared().ask(deadline, move |seat| {
            seat.retry(SIGN_TRY_COUNT, |shared, connection| {
                connection.sign(shared, what.public_key(), what.algorithm(), what.message())
            })
        });
        Ok(signed.await?)
    }
}

impl Signer for Token {
    fn sign(&self, order: SigningOrder) -> impl Future<Output = Result<Vec<u8>, SignError>> + Send {
        self.sign_what(order)
    }

    fn holds(&self, key: KeyIdentifier) -> bool {
        self.is_held(key)
    }

    fn distrust(&self, key: &PublicKey) {
        tracing::error!(key = %key.key_identifier(), "the token signed with another key than the register's");
        self.doubt(key);
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("config", &self.shared().config).finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

/// What may reach a private key: an order that a permit became, and a statement that this crate built.
pub(crate) trait Signable: Send + 'static {
    fn public_key(&self) -> &PublicKey;
    fn algorithm(&self) -> SignatureAlgorithm;
    fn message(&self) -> &[u8];
}

impl Signable for SigningOrder {
    fn public_key(&self) -> &PublicKey {
        self.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm()
    }

    fn message(&self) -> &[u8] {
        self.message()
    }
}

fn open_inside(shared: &Arc<Shared>) -> Result<(), TokenError> {
    let mut first = Seat::new(Arc::clone(shared));
    let (description, keys) = first.retry(1, |shared, connection| {
        let context = shared.library.context();
        let info = context.get_token_info(connection.slot).during("look at the token")?;
        let mut mechanisms = context.get_mechanism_list(connection.slot).during("list the mechanisms")?;
        let padded = raw::key_wrap_with_padding();
        if context.get_mechanism_info(connection.slot, padded).is_ok() {
            mechanisms.push(padded);
        }
        let info = TokenInfo {
            label: info.label().to_owned(),
            manufacturer: info.manufacturer_id().to_owned(),
            model: info.model().to_owned(),
            serial: info.serial_number().to_owned(),
            mechanisms: mechanisms.iter().map(MechanismType::to_string).collect(),
        };
        Ok((Description { info, mechanisms }, object::signing_keys(&connection.session)?))
    })?;
    // Set by nobody else: a second value cannot come.
    let _ = shared.described.set(description);
    keys.iter().for_each(|key| shared.watch.add(key));
    pool::start(shared, first)
}

/// Refuses what PKCS#11 would silently cut off.
pub(crate) fn check_label(what: &'static str, label: &str, length_max: usize) -> Result<(), TokenError> {
    if label.is_empty() || label.len() > length_max {
        let bounds = format!("1 to {length_max} octets long");
        return Err(TokenError::OutOfBounds { what, bounds, got: format!("{} octets", label.len()) });
    }
    Ok(())
}

fn check_count(what: &'static str, count: usize, max: usize) -> Result<(), TokenError> {
    if (1..=max).contains(&count) {
        return Ok(());
    }
    Err(TokenError::OutOfBounds { what, bounds: format!("1 to {max}"), got: count.to_string() })
}
