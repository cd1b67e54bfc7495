//! Revokes a certificate, and releases one from its hold. One command; O(1), whatever the CA has issued.

use ca_core::command::Command;
use ca_core::ids::{CaId, LogIndex};
use ca_core::outcome::Outcome;
use ca_core::roles::{Identity, may_not_revoke};
use ca_x509::crl::RevocationReason;
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::ports::Log;

/// A certificate that is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The date that status answers give.
    pub revoked_at: UnixSeconds,
    /// The log entry at which this was answered.
    pub index: LogIndex,
}

impl<P: Ports> Authority<P> {
    /// Revokes. Revoking again answers with the first date; the reason changes towards keyCompromise only (I14).
    ///
    /// # Errors
    /// [`ActError`]; [`ActError::effect`] tells whether it may be revoked all the same.
    pub async fn revoke(
        &self,
        requester: Identity,
        ca: CaId,
        serial: SerialNumber,
        reason: RevocationReason,
    ) -> Result<Revoked, ActError> {
        self.asked_here_first(requester, &ca, serial)?;
        let applied = self.ports.log().append(Command::Revoke { ca, serial, reason, requester }).await?;
        // COMMIT: a majority has it on disk; no node of the majority answers `good` from here on (I11).
        let index = applied.index();
        match applied.into_outcome() {
            Outcome::Revoked { revoked_at } => Ok(Revoked { revoked_at, index }),
            outcome => Err(ActError::from_outcome(outcome)),
        }
    }

    /// Takes a certificate from its hold: from here on it is good again (I10). Done again it is done already.
    ///
    /// # Errors
    /// [`ActError`]; [`ActError::effect`] tells whether it may be released all the same.
    pub async fn release(
        &self,
        requester: Identity,
        ca: CaId,
        serial: SerialNumber,
    ) -> Result<LogIndex, ActError> {
        self.asked_here_first(requester, &ca, serial)?;
        let applied = self.ports.log().append(Command::Release { ca, serial, requester }).await?;
        // COMMIT: a majority has it on disk.
        let index = applied.index();
        match applied.into_outcome() {
            Outcome::Done => Ok(index),
            outcome => Err(ActError::from_outcome(outcome)),
        }
    }

    /// Who may not, leaves no entry in the log.
    fn asked_here_first(&self, requester: Identity, ca: &CaId, serial: SerialNumber) -> Result<(), ActError> {
        let Some(entry) = self.register().certificate(ca, serial)? else { return Ok(()) };
        may_not_revoke(self.register(), requester, ca, &entry)?.map_or(Ok(()), |refusal| Err(refusal.into()))
    }
}
