//! Commands that a node writes into the log in its own name.
//!
//! A crash before one of these returns leaves it written or not; whoever calls finds out from the register when it
//! tries again.

use ca_authority::ports::Log as _;
use ca_authority::{ActError, Ports as _};
use ca_core::command::Command;
use ca_core::ids::NodeId;
use ca_core::outcome::Outcome;

use crate::ports::NodeAuthority;

/// Appends a command and waits for its outcome here.
///
/// # Errors
/// [`ActError::Refused`] is the register's answer; the others say whether it may still take effect.
pub(crate) async fn append(authority: &NodeAuthority, command: Command) -> Result<Outcome, ActError> {
    match authority.ports().log().append(command).await?.into_outcome() {
        Outcome::Refused(refusal) => Err(refusal.into()),
        outcome => Ok(outcome),
    }
}

/// As [`append`], for a command whose one good outcome is `Done`.
///
/// # Errors
/// As there.
pub(crate) async fn enact(authority: &NodeAuthority, command: Command) -> Result<(), ActError> {
    match append(authority, command).await? {
        Outcome::Done => Ok(()),
        other => Err(unexpected(&other)),
    }
}

/// Appends the admission of a member; answers its number.
///
/// # Errors
/// As [`append`].
pub(crate) async fn admit(authority: &NodeAuthority, admission: Command) -> Result<NodeId, ActError> {
    match append(authority, admission).await? {
        Outcome::Admitted(node) => Ok(node),
        other => Err(unexpected(&other)),
    }
}

fn unexpected(outcome: &Outcome) -> ActError {
    ActError::Unexpected(format!("{outcome:?}"))
}
