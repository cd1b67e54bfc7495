//! Changes what is equal on all nodes: profiles, grants and enrolment tokens.

use ca_core::command::Command;
use ca_core::enrolment::{Enrolment, EnrolmentRequest};
use ca_core::ids::{Digest, LogIndex};
use ca_core::outcome::Outcome;
use ca_core::profile::Profile;
use ca_core::roles::{Grant, Identity};

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::ports::{Clock, Log};

impl<P: Ports> Authority<P> {
    /// Makes a profile, or replaces it by its next version. Drafts of the old one are stale from here on (R12).
    ///
    /// The caller has asked [`Profile::faults`].
    ///
    /// # Errors
    /// [`ActError`]; a [`Refusal::ProfileVersion`](ca_core::outcome::Refusal::ProfileVersion) means that somebody
    /// else changed it meanwhile.
    pub async fn define_profile(&self, requester: Identity, profile: Profile) -> Result<LogIndex, ActError> {
        self.change(Command::DefineProfile { profile: Box::new(profile), requester }).await
    }

    /// Gives an identity exactly these roles, none of which takes the grant away: on every node that has applied the
    /// entry, from the next request on.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn set_grant(&self, requester: Identity, grant: Grant) -> Result<LogIndex, ActError> {
        self.change(Command::SetGrant { grant, requester }).await
    }

    /// Makes an enrolment token valid, if the requester may give away what it is good for. Answers what that is.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn mint_enrolment(
        &self,
        requester: Identity,
        token: Digest,
        request: EnrolmentRequest,
        life_ms: u64,
    ) -> Result<Enrolment, ActError> {
        let terms = request.terms(self.register(), requester)?;
        let now = self.ports.clock().now().max(self.register().time()?.unwrap_or_default());
        let expires_at = now.plus(life_ms);
        let mint = Command::MintEnrolment { token, terms: terms.clone(), expires_at, requester };
        let index = self.change(mint).await?;
        Ok(Enrolment { terms, minted_by: requester, index, expires_at, spent: None })
    }

    /// Takes an enrolment token back that is not spent.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn revoke_enrolment(&self, requester: Identity, token: Digest) -> Result<LogIndex, ActError> {
        self.change(Command::RevokeEnrolment { token, requester }).await
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
