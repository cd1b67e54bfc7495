//! Changes what is equal on all nodes: profiles and grants.

use ca_core::command::Command;
use ca_core::ids::LogIndex;
use ca_core::outcome::Outcome;
use ca_core::profile::Profile;
use ca_core::roles::{Grant, Identity};

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::ports::Log;

impl<P: Ports> Authority<P> {
    /// Makes a profile, or replaces it by its next version. Drafts of the old one are stale from here on (R12).
    ///
    /// The caller has asked [`Profile::faults`].
    ///
    /// # Errors
    /// [`ActError`]; a [`Refusal::ProfileVersion`](ca_core::outcome::Refusal::ProfileVersion) means that somebody
    /// else changed it meanwhile.
    pub async fn define_profile(&self, requester: Identity, profile: Profile) -> Result<LogIndex, ActError> {
        self.change(Command::DefineProfile { profile, requester }).await
    }

    /// Gives an identity exactly these roles, none of which takes the grant away: on every node that has applied the
    /// entry, from the next request on.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn set_grant(&self, requester: Identity, grant: Grant) -> Result<LogIndex, ActError> {
        self.change(Command::SetGrant { grant, requester }).await
    }

    async fn change(&self, command: Command) -> Result<LogIndex, ActError> {
        let applied = self.ports.log().append(command).await?;
        // COMMIT: a majority has it on disk.
        let index = applied.index();
        match applied.into_outcome() {
            Outcome::Done => Ok(index),
            outcome => Err(ActError::from_outcome(outcome)),
        }
    }
}
