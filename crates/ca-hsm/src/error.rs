//! What can go wrong with a token, in sentences that name the next step.

use ca_authority::ports::SignError;
use ca_x509::key::{KeyIdentifier, KeyKind};
use cryptoki::error::{Error, RvError};

/// Why a token did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The PKCS#11 library cannot be loaded. Stop: configuration.
    #[error("the PKCS#11 module {module} cannot be loaded: {why}; check the path in token.module")]
    ModuleMissing {
        /// Its path, or what stands for the embedded one.
        module: String,
        /// What the loader said.
        why: String,
    },
    /// The library was loaded and does not start. Stop: configuration.
    #[error("the PKCS#11 module {module} does not start: {why}; check its own configuration")]
    ModuleRefused {
        /// Its path, or what stands for the embedded one.
        module: String,
        /// What it said.
        why: String,
    },
    /// No slot has a token of this label. Stop or wait: configuration, or a token that is away.
    #[error("no token is labelled \"{label}\" (found: {}); check token.label, or plug the token in", list(.found))]
    LabelMissing {
        /// The label that was asked for.
        label: String,
        /// The labels that are there.
        found: Vec<String>,
    },
    /// Two tokens have one label. Stop: configuration.
    #[error("{count} tokens are labelled \"{label}\"; give each its own label")]
    LabelAmbiguous {
        /// The label that was asked for.
        label: String,
        /// How many have it.
        count: usize,
    },
    /// There are tokens, or slots, but none is initialised. Stop: initialise it.
    #[error("no token is initialised ({slots} slots); initialise one, labelled \"{label}\"")]
    NotInitialised {
        /// The label that was asked for.
        label: String,
        /// How many slots the library has.
        slots: usize,
    },
    /// A token that should be initialised anew already is. Refuse: it may hold keys.
    #[error("a token labelled \"{label}\" is initialised already; it was left as it is")]
    AlreadyInitialised {
        /// The label.
        label: String,
    },
    /// The PIN is wrong. Never retried: each try brings the token nearer to locking itself.
    #[error(
        "the token \"{label}\" refuses the PIN; one try was spent and nothing will be retried; \
         correct the PIN and start again"
    )]
    WrongPin {
        /// The token's label.
        label: String,
    },
    /// The PIN is locked after too many wrong ones. Stop: the security officer must unlock it.
    #[error("the PIN of the token \"{label}\" is locked; its security officer must set a new one")]
    PinLocked {
        /// The token's label.
        label: String,
    },
    /// The token is initialised, but has no user PIN. Stop: set one.
    #[error("the token \"{label}\" has no user PIN; its security officer must set one")]
    PinNotSet {
        /// The token's label.
        label: String,
    },
    /// The PIN could not be read. Stop: configuration.
    #[error("the PIN is not available: {why}; check token.pin")]
    PinUnavailable {
        /// What its source said, without the PIN.
        why: String,
    },
    /// The private key is not in the token. Supply it.
    #[error("the token \"{label}\" has no private key {key}; supply it with: ca-node keys sync")]
    KeyMissing {
        /// The token's label.
        label: String,
        /// Its identifier (`CKA_ID`).
        key: KeyIdentifier,
    },
    /// The private key under this identifier is not the one that belongs to the public key. Stop using it.
    #[error(
        "the private key {key} in the token \"{label}\" does not belong to the public key of that identifier"
    )]
    KeyMismatch {
        /// The token's label.
        label: String,
        /// Its identifier (`CKA_ID`).
        key: KeyIdentifier,
    },
    /// The token may not give the key to another token, not even wrapped.
    #[error("the token \"{label}\" does not wrap the key {key}: {why}")]
    NotWrappable {
        /// The token's label.
        label: String,
        /// Its identifier (`CKA_ID`).
        key: KeyIdentifier,
        /// What it said.
        why: String,
    },
    /// A wrapped key or transport key is not well formed, or not for this token.
    #[error("the wrapped key is not usable here: {why}; wrap it again for this token's transport key")]
    WrappedKeyInvalid {
        /// What is wrong with it.
        why: String,
    },
    /// The token offers no mechanism for this.
    #[error("the token \"{label}\" cannot {what}: it offers no mechanism for it")]
    Unsupported {
        /// The token's label.
        label: String,
        /// What was asked: `generate Ed25519 keys`.
        what: String,
    },
    /// A value is outside its bounds.
    #[error("{what} must be {bounds}, not {got}")]
    OutOfBounds {
        /// Which value.
        what: &'static str,
        /// What is allowed.
        bounds: String,
        /// What was given.
        got: String,
    },
    /// The bounded queue is full. Retry later or elsewhere.
    #[error("the token's queue is full ({queued} requests)")]
    Busy {
        /// Its length.
        queued: usize,
    },
    /// The token took too long; whether it did what it was asked is not known.
    #[error("the token did not answer within {limit_ms} ms")]
    TimedOut {
        /// The deadline.
        limit_ms: u64,
    },
    /// The token is closed: the node is stopping.
    #[error("the token is closed")]
    Closed,
    /// A call into the library failed. Retried in the background where that can help.
    #[error("the token failed to {step}: {why}")]
    Call {
        /// What was being done.
        step: &'static str,
        /// What the library said.
        why: String,
    },
}

impl TokenError {
    /// The stable name that `ca-node explain` knows.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::ModuleMissing { .. } => "token-module-missing",
            Self::ModuleRefused { .. } => "token-module-refused",
            Self::LabelMissing { .. } => "token-label-missing",
            Self::LabelAmbiguous { .. } => "token-label-ambiguous",
            Self::NotInitialised { .. } => "token-not-initialised",
            Self::AlreadyInitialised { .. } => "token-already-initialised",
            Self::WrongPin { .. } => "token-pin-wrong",
            Self::PinLocked { .. } => "token-pin-locked",
            Self::PinNotSet { .. } => "token-pin-not-set",
            Self::PinUnavailable { .. } => "token-pin-unavailable",
            Self::KeyMissing { .. } => "token-key-missing",
            Self::KeyMismatch { .. } => "token-key-mismatch",
            Self::NotWrappable { .. } => "token-key-not-wrappable",
            Self::WrappedKeyInvalid { .. } => "token-wrapped-key-invalid",
            Self::Unsupported { .. } => "token-mechanism-missing",
            Self::OutOfBounds { .. } => "token-value-out-of-bounds",
            Self::Busy { .. } => "token-busy",
            Self::TimedOut { .. } => "token-timed-out",
            Self::Closed => "token-closed",
            Self::Call { .. } => "token-call-failed",
        }
    }

    pub(crate) fn no_generation(label: &str, kind: KeyKind) -> Self {
        Self::Unsupported { label: label.to_owned(), what: format!("generate {kind:?} keys") }
    }
}

impl From<TokenError> for SignError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Busy { queued } => Self::Busy { queued },
            TokenError::TimedOut { limit_ms } => Self::TimedOut { limit_ms },
            TokenError::KeyMissing { key, .. } => Self::NoKey { key },
            other => Self::Down { why: other.to_string() },
        }
    }
}

/// How one step on a session ended, seen by the worker that must decide whether to heal.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The session, its log-in, a handle or the library is gone: what was asked may be tried again after healing.
    Lost(Lost),
    /// Healing would not help.
    Final(TokenError),
}

/// What was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) step: &'static str,
    pub(crate) why: String,
    pub(crate) what: LostPart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LostPart {
    /// The handle means nothing any more, or by now another session: it must not be closed.
    Session,
    /// The session may still be there; it is closed before another is opened.
    State,
    /// The library is no longer initialised.
    Library,
}

impl Fault {
    /// Sorts an error of the library by what it needs.
    pub(crate) fn of(step: &'static str, error: &Error) -> Self {
        match lost_part(error) {
            Some(what) => Self::Lost(Lost { step, why: said(error), what }),
            None => Self::Final(TokenError::Call { step, why: said(error) }),
        }
    }
}

impl From<TokenError> for Fault {
    fn from(error: TokenError) -> Self {
        Self::Final(error)
    }
}

impl From<Fault> for TokenError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Lost(lost) => lost.into(),
            Fault::Final(error) => error,
        }
    }
}

impl From<Lost> for TokenError {
    fn from(lost: Lost) -> Self {
        Self::Call { step: lost.step, why: lost.why }
    }
}

/// Names the step that a call belongs to: `session.login(…).during("log in")?`.
pub(crate) trait During<T> {
    fn during(self, step: &'static str) -> Result<T, Fault>;
}

impl<T> During<T> for Result<T, Error> {
    fn during(self, step: &'static str) -> Result<T, Fault> {
        self.map_err(|error| Fault::of(step, &error))
    }
}

/// The library's own word, without the wrapping sentence of the binding.
pub(crate) fn said(error: &Error) -> String {
    match error {
        Error::Pkcs11(code, function) => format!("{function} gave {code:?}"),
        other => other.to_string(),
    }
}

/// What an error shows to be gone, if anything is.
fn lost_part(error: &Error) -> Option<LostPart> {
    let Error::Pkcs11(code, _) = error else { return None };
    match code {
        RvError::CryptokiNotInitialized => Some(LostPart::Library),
        RvError::SessionHandleInvalid | RvError::SessionClosed => Some(LostPart::Session),
        RvError::ObjectHandleInvalid
        | RvError::KeyHandleInvalid
        | RvError::UserNotLoggedIn
        | RvError::TokenNotPresent
        | RvError::TokenNotRecognized
        | RvError::SlotIdInvalid
        | RvError::DeviceRemoved
        | RvError::DeviceError
        | RvError::DeviceMemory
        | RvError::GeneralError
        | RvError::FunctionFailed
        // A call that failed half-way left its operation open: only a new session is clean again.
        | RvError::OperationActive
        | RvError::OperationNotInitialized => Some(LostPart::State),
        _ => None,
    }
}

fn list(labels: &[String]) -> String {
    if labels.is_empty() { "none".to_owned() } else { labels.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cryptoki::context::Function;

    #[test]
    fn a_wrong_pin_says_that_one_try_was_spent() {
        let text = TokenError::WrongPin { label: "ca-node".into() }.to_string();
        assert!(text.contains("one try was spent and nothing will be retried"), "{text}");
    }

    #[test]
    fn a_missing_label_names_those_that_are_there() {
        let error = TokenError::LabelMissing { label: "a".into(), found: vec!["b".into(), "c".into()] };
        assert_eq!(
            error.to_string(),
            "no token is labelled \"a\" (found: b, c); check token.label, or plug the token in"
        );
    }

    #[test]
    fn a_lost_log_in_heals_and_a_wrong_pin_does_not() {
        let lost = Fault::of("sign", &Error::Pkcs11(RvError::UserNotLoggedIn, Function::Sign));
        assert!(matches!(lost, Fault::Lost(Lost { what: LostPart::State, .. })));
        let wrong = Fault::of("log in", &Error::Pkcs11(RvError::PinIncorrect, Function::Login));
        assert!(matches!(wrong, Fault::Final(_)));
    }
}
