//! Enrolment tokens: minted, spent, taken back.

use super::{Halt, Step};
use crate::command::Intent;
use crate::enrolment::{Enrolment, EnrolmentTerms, abandoned, may_not_give};
use crate::ids::{Digest, UnixMillis};
use crate::outcome::{Outcome, Refusal};
use crate::register::{CertificateState, Expiring, Key, Value};
use crate::roles::{Identity, Role};

impl Step<'_> {
    /// Decided here and not where it was asked: a node that lags still knows grants that were taken away.
    pub(super) fn mint_enrolment(
        &mut self,
        token: Digest,
        terms: EnrolmentTerms,
        expires_at: UnixMillis,
        minted_by: Identity,
    ) -> Result<Outcome, Halt> {
        if let Some(refusal) = may_not_give(self.register, minted_by, &terms)? {
            return Err(refusal.into());
        }
        // 256 random bits: it is the same command under another id, and whose it is stays as it was.
        if self.register.enrolment(token)?.is_some() {
            return Ok(Outcome::Done);
        }
        let enrolment = Enrolment { terms, minted_by, index: self.index, expires_at, spent: None };
        self.expire(enrolment.until(), Expiring::Enrolment(token));
        self.set(Key::Enrolment(token), Value::Enrolment(enrolment));
        Ok(Outcome::Done)
    }

    /// Spends the token of an intent, if it has one. The intent that is refused afterwards spends nothing, for it
    /// changes nothing.
    pub(super) fn spend_enrolment(&mut self, intent: &Intent) -> Result<(), Halt> {
        let Identity::Enrolment(token) = intent.requester else { return Ok(()) };
        let mut enrolment = self.register.enrolment(token)?.ok_or(Refusal::EnrolmentTokenUnknown)?;
        // What this very intent supersedes is abandoned too, though the register does not know it yet.
        let superseded = self.changes.iter().find_map(|change| match (&change.key, &change.value) {
            (Key::Certificate(_, serial), Some(Value::Certificate(entry)))
                if matches!(entry.state, CertificateState::Abandoned { .. }) =>
            {
                Some(*serial)
            }
            _ => None,
        });
        let gone = superseded.or(abandoned(self.register, &enrolment)?);
        if let Some(refusal) = enrolment.refusal(self.now, gone) {
            return Err(refusal.into());
        }
        enrolment.spent = Some(intent.serial);
        self.set(Key::Enrolment(token), Value::Enrolment(enrolment));
        Ok(())
    }

    /// Its minter takes it back, or an admin. What it was spent for is a certificate, and is revoked as one.
    pub(super) fn revoke_enrolment(&mut self, token: Digest, requester: Identity) -> Result<Outcome, Halt> {
        let enrolment = self.register.enrolment(token)?.ok_or(Refusal::EnrolmentTokenUnknown)?;
        let granted = self.register.grant_of(requester)?;
        let own = enrolment.minted_by == requester;
        if !granted.is_some_and(|granted| granted.has(Role::Admin) || own && granted.has(Role::Ra)) {
            let needs = "the role `admin`, or to have minted it".into();
            return Err(Refusal::Forbidden { caller: alloc::format!("{requester}"), needs }.into());
        }
        let gone = abandoned(self.register, &enrolment)?;
        if let Some(serial) = enrolment.spent.filter(|serial| gone != Some(*serial)) {
            return Err(Refusal::EnrolmentTokenSpent { serial }.into());
        }
        self.remove(Key::Enrolment(token));
        Ok(Outcome::Done)
    }
}
