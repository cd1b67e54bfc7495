//! Settles intents that will never be records (R5).

use std::ops::ControlFlow;

use ca_core::command::Command;
use ca_core::ids::CaId;
use ca_core::limits::INTENT_OPEN_MAX_MS;
use ca_core::outcome::{Outcome, Refusal};
#[cfg(feature = "planted")]
use ca_core::planted::{Bug, planted};
use ca_core::register::{Key, StorageFault, Value};
use ca_x509::serial::SerialNumber;

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::limits::SETTLE_ROWS;
use crate::ports::Log;

impl<P: Ports> Authority<P> {
    /// Abandons this node's intents of earlier boots: their permits died with the process. Answers how many.
    ///
    /// # Errors
    /// [`ActError`]: call again.
    pub async fn settle_own(&self) -> Result<usize, ActError> {
        self.wait_until_fresh().await?;
        let (node, boot) = (self.ports.log().node(), self.ports.log().boot());
        let mine = self.open_intents(|_, owner| owner.node == node && owner.boot != boot)?;
        #[cfg(feature = "planted")]
        if planted(Bug::PermitAfterReplay) {
            self.resume(&mine).await?;
        }
        self.abandon(mine).await
    }

    /// Abandons whoever's intents are too old. The leader's task. Answers how many.
    ///
    /// # Errors
    /// [`ActError`]: call again.
    pub async fn settle_old(&self) -> Result<usize, ActError> {
        self.wait_until_fresh().await?;
        let now = self.register().time()?.unwrap_or_default();
        let old = self.open_intents(|since, _| now.since(since) > INTENT_OPEN_MAX_MS)?;
        self.abandon(old).await
    }

    fn open_intents(
        &self,
        wanted: impl Fn(ca_core::ids::UnixMillis, ca_core::ids::RequestId) -> bool,
    ) -> Result<Vec<(CaId, SerialNumber)>, StorageFault> {
        let mut found = Vec::new();
        self.register().each(Key::OpenIntent(CaId::first(), SerialNumber::MIN), |key, value| {
            if let (Key::OpenIntent(ca, serial), Value::OpenIntent(since, owner)) = (key, value)
                && wanted(since, owner)
            {
                found.push((ca.clone(), *serial));
            }
            if found.len() < SETTLE_ROWS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(found)
    }

    async fn abandon(&self, intents: Vec<(CaId, SerialNumber)>) -> Result<usize, ActError> {
        let mut abandoned = 0_usize;
        for (ca, serial) in intents {
            let applied = self.ports.log().append(Command::Abandon { ca, serial }).await?;
            match applied.into_outcome() {
                Outcome::Done => abandoned = abandoned.saturating_add(1),
                // The first in the log wins (R5): a record came before us, or it is not old enough yet.
                Outcome::Refused(Refusal::AlreadyRecorded { .. } | Refusal::StillOpen { .. }) => {}
                outcome => return Err(ActError::from_outcome(outcome)),
            }
        }
        Ok(abandoned)
    }
}
