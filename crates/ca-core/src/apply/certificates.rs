//! Intents, records, abandonments, revocations.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use ca_x509::certificate::subject_public_key_info;
use ca_x509::crl::RevocationReason;
use ca_x509::serial::SerialNumber;

use super::{Halt, Step};
use crate::cluster_key;
use crate::command::{Idempotency, Intent};
use crate::ids::{CaId, Digest};
use crate::limits::{INTENT_OPEN_MAX_MS, TBS_OCTETS_MAX};
use crate::mandate::may_not_issue;
use crate::outcome::{Outcome, Refusal};
use crate::planted::{Bug, planted};
use crate::profile::{Allow, Profile};
use crate::register::{
    Attempt, CertificateEntry, CertificateState, CertifiedBy, Expiring, Issuer, Key, KeyUse, Revocation,
    StatusChange, StatusEvent, Value,
};
use crate::roles::{Identity, may_not_revoke};

impl Step<'_> {
    /// Step 3 of an issuance: from here on serial and TBSCertificate are fixed, and no signature exists.
    pub(super) fn intent(&mut self, intent: Intent) -> Result<Outcome, Halt> {
        let (issuer, profile) = self.current_rules(&intent)?;
        if let Some(idempotency) = intent.idempotency
            && let Some(outcome) = self.earlier_attempt(idempotency, &intent)?
        {
            return Ok(outcome);
        }
        self.spend_enrolment(&intent)?;
        if self.register.certificate(&intent.ca, intent.serial)?.is_some() {
            return Err(Refusal::SerialTaken { serial: intent.serial }.into());
        }
        if let Some(subject) = &intent.certifies {
            self.may_certify(&intent, &issuer, subject)?;
        }
        self.certified_key(&intent, &profile)?;
        let Intent { ca, serial, .. } = intent;
        let tbs_digest = Digest::of(&intent.tbs);
        self.set(Key::OpenIntent(ca.clone(), serial), Value::OpenIntent(self.now, self.id));
        let entry = CertificateEntry {
            tbs: intent.tbs,
            profile: intent.profile,
            profile_version: intent.profile_version,
            requester: intent.requester,
            owner: self.id,
            intent_index: self.index,
            not_after: intent.not_after,
            certifies: intent.certifies,
            responder: intent.responder,
            state: CertificateState::Open,
        };
        self.set(Key::Certificate(ca.clone(), serial), Value::Certificate(Arc::new(entry)));
        Ok(Outcome::IntentCommitted { ca, serial, tbs_digest })
    }

    /// R12: what the draft was planned from must still be so. R11: this node has proven the key.
    fn current_rules(&self, intent: &Intent) -> Result<(Arc<Issuer>, Arc<Profile>), Halt> {
        let ca = &intent.ca;
        let issuer = self.register.issuer(ca)?.ok_or_else(|| Refusal::UnknownCa { ca: ca.clone() })?;
        // A root's own certificate is the one thing that it issues before it has one; the responders of a retired or
        // revoked CA go on to tell the status of what it issued.
        let founding = issuer.certificate.is_none() && intent.certifies.as_ref() == Some(ca);
        let status = issuer.certificate.is_some() && intent.responder.is_some();
        if !founding
            && !status
            && let Some(refusal) = may_not_issue(self.register, ca, &issuer)?
        {
            return Err(refusal.into());
        }
        let stale = |what: &str| Refusal::StaleDraft { what: what.into() };
        if issuer.public_key.key_identifier() != intent.issuer_key {
            return Err(stale("the CA's key").into());
        }
        let profile = self.register.profile(&intent.profile)?;
        let profile = profile.filter(|profile| profile.version == intent.profile_version);
        let profile = profile.ok_or_else(|| stale("the profile"))?;
        let granted = self.register.grant_of(intent.requester)?;
        if granted.as_ref().map(|granted| granted.index) != intent.grant_index {
            return Err(stale("what the requester may do").into());
        }
        if intent.tbs.len() > TBS_OCTETS_MAX {
            let why = alloc::format!("{} octets are more than {TBS_OCTETS_MAX}", intent.tbs.len());
            return Err(Refusal::OutsideProfile { field: "names".into(), why }.into());
        }
        if self.register.key_proof(intent.issuer_key, self.id.node)?.is_none() {
            return Err(Refusal::NotSigning { node: self.id.node }.into());
        }
        Ok((issuer, profile))
    }

    /// The cluster's own keys are certified for their use alone. Decided here and not only where it was planned: a node
    /// that lags does not know of the newest.
    fn certified_key(&mut self, intent: &Intent, profile: &Profile) -> Result<(), Halt> {
        let key = subject_public_key_info(&intent.tbs).map_err(|why| Refusal::Lint {
            rule: "RFC 5280 §4.1".into(),
            why: alloc::format!("its key cannot be read: {why}"),
        })?;
        let usage = cluster_key::usage(profile, intent.certifies.as_ref(), intent.responder);
        self.use_key(Digest::of(key), usage)
    }

    /// Takes a key for a use of the cluster's own, or refuses if it has another.
    pub(super) fn use_key(&mut self, key: Digest, usage: Option<KeyUse>) -> Result<(), Halt> {
        if let Some(refusal) = cluster_key::taken(self.register, key, usage.as_ref())? {
            return Err(refusal.into());
        }
        if let Some(usage) = usage {
            self.set(Key::ClusterKey(key), Value::ClusterKey(usage));
        }
        Ok(())
    }

    /// R6: one idempotency key, one certificate. `Some` answers instead of a new intent.
    fn earlier_attempt(&mut self, key: Idempotency, intent: &Intent) -> Result<Option<Outcome>, Halt> {
        let mut earlier = self.register.attempt(key.key)?;
        // A key that has had its days is free, whether or not the sweep has come to it.
        earlier.take_if(|attempt| attempt.until() < self.now);
        // A further attempt keeps the days of the first, and with them its expiry.
        let since = earlier.as_ref().map_or(self.now, |attempt| attempt.since);
        let first = earlier.is_none();
        if let Some(Attempt { body, ca, serial, .. }) = earlier {
            if body != key.body {
                return Err(Refusal::IdempotencyMismatch.into());
            }
            if let Some(entry) = self.register.certificate(&ca, serial)? {
                match entry.state {
                    CertificateState::Recorded { .. } if planted(Bug::DuplicateOnRetry) => {}
                    CertificateState::Recorded { .. } => {
                        return Ok(Some(Outcome::AlreadyIssued { ca, serial }));
                    }
                    CertificateState::Open if intent.supersedes == Some(serial) => {
                        self.abandon_entry(&ca, serial, Arc::unwrap_or_clone(entry))?;
                    }
                    CertificateState::Open => return Err(Refusal::AttemptOpen { ca, serial }.into()),
                    CertificateState::Abandoned { .. } => {}
                }
            }
        }
        let attempt = Attempt { body: key.body, ca: intent.ca.clone(), serial: intent.serial, since };
        if first {
            self.expire(attempt.until(), Expiring::Attempt(key.key));
        }
        self.set(Key::Attempt(key.key), Value::Attempt(attempt));
        Ok(None)
    }

    /// Step 5 of an issuance. COMMIT: once this entry is on a majority's disks the certificate exists.
    pub(super) fn record(
        &mut self,
        ca: CaId,
        serial: SerialNumber,
        signature: Vec<u8>,
    ) -> Result<Outcome, Halt> {
        let mut entry = Arc::unwrap_or_clone(self.entry(&ca, serial)?);
        match entry.state {
            CertificateState::Open => {}
            CertificateState::Recorded { .. } => return Err(Refusal::AlreadyRecorded { serial }.into()),
            CertificateState::Abandoned { .. } if planted(Bug::AbandonedAndRecorded) => {}
            CertificateState::Abandoned { .. } => return Err(Refusal::IntentAbandoned { serial }.into()),
        }
        if (entry.owner.node, entry.owner.boot) != (self.id.node, self.id.boot) {
            return Err(Refusal::NotOwner { serial }.into());
        }
        entry.state = CertificateState::Recorded { signature, index: self.index, at: self.now };
        self.remove(Key::OpenIntent(ca.clone(), serial));
        if let Some(subject) = &entry.certifies {
            let by = CertifiedBy::Here { ca: ca.clone(), serial };
            self.certified(subject, by, &entry)?;
        }
        if let Some(node) = entry.responder {
            self.set(Key::Responder(ca.clone(), node), Value::Responder(serial));
        }
        self.set(Key::Certificate(ca, serial), Value::Certificate(Arc::new(entry)));
        Ok(Outcome::Recorded { index: self.index })
    }

    /// R5: the owner after a restart, or anybody once the intent is old. The first in the log wins.
    pub(super) fn abandon(&mut self, ca: &CaId, serial: SerialNumber) -> Result<Outcome, Halt> {
        let entry = self.entry(ca, serial)?;
        match entry.state {
            CertificateState::Open => {}
            CertificateState::Recorded { .. } => return Err(Refusal::AlreadyRecorded { serial }.into()),
            CertificateState::Abandoned { .. } => return Ok(Outcome::Done),
        }
        let own_earlier_boot = entry.owner.node == self.id.node && entry.owner.boot != self.id.boot;
        let open_ms = self.open_ms(ca, serial)?;
        if !own_earlier_boot && open_ms <= INTENT_OPEN_MAX_MS {
            return Err(Refusal::StillOpen { serial, open_ms }.into());
        }
        self.abandon_entry(ca, serial, Arc::unwrap_or_clone(entry))?;
        Ok(Outcome::Done)
    }

    fn open_ms(&self, ca: &CaId, serial: SerialNumber) -> Result<u64, Halt> {
        Ok(match self.register.get(&Key::OpenIntent(ca.clone(), serial))? {
            Some(Value::OpenIntent(since, _)) => self.now.since(since),
            _ => 0,
        })
    }

    fn abandon_entry(
        &mut self,
        ca: &CaId,
        serial: SerialNumber,
        mut entry: CertificateEntry,
    ) -> Result<(), Halt> {
        assert_eq!(entry.state, CertificateState::Open, "only an open intent is abandoned");
        let event = StatusEvent {
            index: self.index,
            since: self.now.seconds(),
            change: StatusChange::Abandoned,
            by: Identity::Node(self.id.node),
        };
        let revocation = Revocation { not_after: entry.not_after, events: vec![event] };
        entry.state = CertificateState::Abandoned { index: self.index };
        self.remove(Key::OpenIntent(ca.clone(), serial));
        self.set(Key::Revocation(ca.clone(), serial), Value::Revocation(revocation));
        self.set(Key::Certificate(ca.clone(), serial), Value::Certificate(Arc::new(entry)));
        self.lists_changed(ca, serial)
    }

    /// Date and reason never change, except towards keyCompromise and from a hold to a revocation for good, which
    /// keeps the date of the hold (I14): nobody was to rely on the certificate from then on. O(1).
    pub(super) fn revoke(
        &mut self,
        ca: &CaId,
        serial: SerialNumber,
        reason: RevocationReason,
        requester: Identity,
    ) -> Result<Outcome, Halt> {
        let entry = self.settled(ca, serial, requester)?;
        if reason == RevocationReason::CertificateHold {
            self.may_hold(&entry)?;
        }
        let earlier = self.register.revocation(ca, serial)?;
        let in_force = earlier.as_ref().and_then(|revocation| revocation.in_force());
        let since = in_force.map_or_else(|| self.now.seconds(), |event| event.since);
        if in_force.is_none_or(|event| gives_way(event.change, reason)) {
            let event = StatusEvent {
                index: self.index,
                since,
                change: StatusChange::Revoked(reason),
                by: requester,
            };
            self.add_event(ca, serial, &entry, earlier, event)?;
        }
        Ok(Outcome::Revoked { revoked_at: since })
    }

    /// The one way back (I10): from a hold, and from nothing else (RFC 5280 §5.3.1).
    pub(super) fn release(
        &mut self,
        ca: &CaId,
        serial: SerialNumber,
        requester: Identity,
    ) -> Result<Outcome, Halt> {
        let entry = self.settled(ca, serial, requester)?;
        let earlier = self.register.revocation(ca, serial)?;
        match earlier.as_ref().and_then(|revocation| revocation.latest()).map(|event| event.change) {
            Some(StatusChange::Revoked(RevocationReason::CertificateHold)) => {}
            // Said again, as after a lost answer.
            Some(StatusChange::Released) => return Ok(Outcome::Done),
            Some(StatusChange::Revoked(_) | StatusChange::Abandoned) | None => {
                return Err(Refusal::NotOnHold { serial }.into());
            }
        }
        let (index, since) = (self.index, self.now.seconds());
        let event = StatusEvent { index, since, change: StatusChange::Released, by: requester };
        self.add_event(ca, serial, &entry, earlier, event)?;
        Ok(Outcome::Done)
    }

    /// A certificate whose status this caller may change. Decided here and not where it was asked: a node that lags
    /// still knows grants that were taken away.
    fn settled(
        &self,
        ca: &CaId,
        serial: SerialNumber,
        requester: Identity,
    ) -> Result<Arc<CertificateEntry>, Halt> {
        let entry = self.entry(ca, serial)?;
        if let Some(refusal) = may_not_revoke(self.register, requester, ca, &entry)? {
            return Err(refusal.into());
        }
        if entry.state == CertificateState::Open {
            return Err(Refusal::NotRecorded { serial }.into());
        }
        Ok(entry)
    }

    fn may_hold(&self, entry: &CertificateEntry) -> Result<(), Halt> {
        let profile = self.register.profile(&entry.profile)?;
        if profile.is_some_and(|profile| profile.hold == Allow::Yes) {
            return Ok(());
        }
        let why = alloc::format!("profile `{}` does not permit certificateHold", entry.profile);
        Err(Refusal::OutsideProfile { field: "reason".into(), why }.into())
    }

    fn add_event(
        &mut self,
        ca: &CaId,
        serial: SerialNumber,
        entry: &CertificateEntry,
        earlier: Option<Revocation>,
        event: StatusEvent,
    ) -> Result<(), Halt> {
        let mut revocation = earlier.unwrap_or(Revocation { not_after: entry.not_after, events: vec![] });
        revocation.events.push(event);
        self.set(Key::Revocation(ca.clone(), serial), Value::Revocation(revocation));
        self.lists_changed(ca, serial)
    }

    fn entry(&self, ca: &CaId, serial: SerialNumber) -> Result<Arc<CertificateEntry>, Halt> {
        if self.register.issuer(ca)?.is_none() {
            return Err(Refusal::UnknownCa { ca: ca.clone() }.into());
        }
        let entry = self.register.certificate(ca, serial)?;
        Ok(entry.ok_or_else(|| Refusal::UnknownSerial { ca: ca.clone(), serial })?)
    }
}

/// Whether a revocation in force is replaced by one for this reason (I14).
fn gives_way(change: StatusChange, reason: RevocationReason) -> bool {
    match change {
        StatusChange::Revoked(RevocationReason::CertificateHold) => {
            reason != RevocationReason::CertificateHold
        }
        StatusChange::Revoked(RevocationReason::KeyCompromise) | StatusChange::Abandoned => false,
        StatusChange::Revoked(_) | StatusChange::Released => reason == RevocationReason::KeyCompromise,
    }
}
