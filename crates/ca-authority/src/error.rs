//! Why an act came to nothing, and whether it may still come to something.

use ca_core::outcome::{Outcome, Refusal};
use ca_core::permit::OrderError;
use ca_core::plan::PlanError;
use ca_core::register::StorageFault;

use crate::ports::{AppendError, EntropyFault, NoQuorum, SignError};

/// Whether an act took effect although it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It did not and never will.
    NotApplied,
    /// Nobody knows yet: ask again with the same idempotency key.
    Unknown,
}

/// Why an act came to nothing. Each variant says what to do: mend the request, retry, ask again, stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// Mend the request.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Retry: nothing was written.
    #[error("{0}")]
    NoQuorum(NoQuorum),
    /// Ask again with the same idempotency key: it may have been written.
    #[error("it is not known whether this took effect: {0}")]
    NotKnown(NoQuorum),
    /// Retry on another node: this one's token did not sign. The intent, if there is one, will be abandoned.
    #[error("{0}")]
    Token(#[from] SignError),
    /// The token signed with something else than the CA's key (I28). Nothing was released.
    #[error("the token's signature does not verify with the CA's key: nothing was released")]
    WrongSignature,
    /// The intent was abandoned while the token signed.
    #[error("the intent was settled by another node while this one signed: nothing was released")]
    Overtaken,
    /// The system has no random octets.
    #[error("{0}")]
    Entropy(#[from] EntropyFault),
    /// The node is stopping.
    #[error("this node is stopping")]
    Stopped,
    /// The disk failed: the node stops.
    #[error("{0}")]
    Storage(#[from] StorageFault),
    /// The register answered something that does not belong to the command: a bug of ours.
    #[error("the register gave an unexpected answer: {0}")]
    Unexpected(String),
}

impl ActError {
    /// The stable word for programs; see `docs/errors.md`.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.slug(),
            Self::NoQuorum(_) => "no-quorum",
            Self::NotKnown(_) => "not-known",
            Self::Token(SignError::Busy { .. }) => "token-busy",
            Self::Token(SignError::TimedOut { .. }) => "token-timeout",
            Self::Token(SignError::NoKey { .. }) => "key-missing",
            Self::Token(SignError::Down { .. }) => "token-down",
            Self::WrongSignature => "wrong-signature",
            Self::Overtaken => "overtaken",
            // A node whose storage failed stops: another one is asked the same.
            Self::Stopped | Self::Storage(_) => "stopping",
            Self::Entropy(_) | Self::Unexpected(_) => "internal",
        }
    }

    /// Whether the act took effect all the same.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::NotKnown(_) | Self::Stopped | Self::Storage(_) | Self::Unexpected(_) => Effect::Unknown,
            _ => Effect::NotApplied,
        }
    }

    /// An outcome that the act did not wait for.
    pub(crate) fn from_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Refused(refusal) => Self::Refused(refusal),
            other => Self::Unexpected(format!("{other:?}")),
        }
    }
}

impl From<AppendError> for ActError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::NotAppended(quorum) => Self::NoQuorum(quorum),
            AppendError::NotKnown(quorum) => Self::NotKnown(quorum),
            AppendError::Stopped => Self::Stopped,
        }
    }
}

impl From<NoQuorum> for ActError {
    fn from(quorum: NoQuorum) -> Self {
        Self::NoQuorum(quorum)
    }
}

impl From<PlanError> for ActError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Refused(refusal) => Self::Refused(refusal),
            PlanError::Storage(fault) => Self::Storage(fault),
        }
    }
}

impl From<OrderError> for ActError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::NotCommitted => Self::Overtaken,
            OrderError::Storage(fault) => Self::Storage(fault),
        }
    }
}
