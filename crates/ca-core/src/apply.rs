//! Applies the issuance log: one command in, one outcome and its changes out.
//!
//! Total and deterministic: the same register, moment and command give the same answer on every node (I23).
//! A refusal changes nothing but register time and the memory of the refusal itself.

mod authorities;
mod certificates;
mod cluster;
mod crl;
mod enrolment;
mod history;

use alloc::vec::Vec;

use self::history::Deed;
use crate::command::{Command, Envelope};
use crate::history::HistoryPlace;
use crate::ids::{LogIndex, RequestId, UnixMillis};
use crate::limits::{EXPIRIES_FIRST_PAGE, EXPIRIES_PER_BATCH, OUTCOME_KEPT_MS};
use crate::outcome::{Outcome, Refusal};
use crate::permit::{Applied, Occurrence};
use crate::register::{Change, Expiring, Issuer, Key, Register, StorageFault, Value};
use crate::roles::Identity;

/// Where and when a command is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The log entry.
    pub index: LogIndex,
    /// The command's place in it, from 0.
    pub ordinal: u32,
    /// The leader's stamp of the batch. Register time is the greatest stamp so far (R8).
    pub time: UnixMillis,
}

/// What a command came to, and what it changes.
#[derive(Debug)]
#[must_use = "the changes must be written before the outcome is handed to its waiter"]
pub struct Application {
    /// For the waiter.
    pub applied: Applied,
    /// For the register.
    pub changes: Vec<Change>,
}

/// Applies one command.
///
/// # Errors
/// [`StorageFault`]: the register cannot be read; the node must stop and apply the entry again after its restart.
pub fn apply(register: &dyn Register, at: Moment, envelope: Envelope) -> Result<Application, StorageFault> {
    let Envelope { id, expires_at, command } = envelope;
    // A batch may be logged twice, by a forward whose reply was lost: one id, one outcome, one permit (R7).
    if let Some(outcome) = register.outcome(id)? {
        let applied = Applied::new(id, at.index, outcome, Occurrence::Duplicate);
        return Ok(Application { applied, changes: Vec::new() });
    }
    let before = register.time()?.unwrap_or_default();
    let now = before.max(at.time);
    let place = HistoryPlace { index: at.index, ordinal: at.ordinal };
    let mut step = Step { register, index: at.index, place, now, id, changes: Vec::new() };
    // The stamp is the batch's: its first command moves the time, and sweeps for all of them.
    if now != before {
        step.set(Key::Time, Value::Time(now));
        step.sweep()?;
    }
    let kept = step.changes.len();
    let deed = Deed::of(&command, Identity::Node(id.node));
    let outcome = match step.decide(expires_at, command) {
        Ok(outcome) => {
            step.write_history(deed, kept);
            outcome
        }
        Err(Halt::Refused(refusal)) => {
            step.changes.truncate(kept);
            Outcome::Refused(refusal)
        }
        Err(Halt::Fault(fault)) => return Err(fault),
    };
    step.remember(&outcome, expires_at.max(now).plus(OUTCOME_KEPT_MS));
    let applied = Applied::new(id, at.index, outcome, Occurrence::First);
    Ok(Application { applied, changes: step.changes })
}

/// One command's way through the register.
struct Step<'a> {
    register: &'a dyn Register,
    index: LogIndex,
    place: HistoryPlace,
    now: UnixMillis,
    id: RequestId,
    changes: Vec<Change>,
}

/// Why a decision ends early.
enum Halt {
    Refused(Refusal),
    Fault(StorageFault),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StorageFault> for Halt {
    fn from(fault: StorageFault) -> Self {
        Self::Fault(fault)
    }
}

impl Step<'_> {
    fn decide(&mut self, expires_at: UnixMillis, command: Command) -> Result<Outcome, Halt> {
        if self.now > expires_at {
            return Err(Refusal::Expired { expired_at: expires_at, now: self.now }.into());
        }
        if let Command::InitCluster { id, name, urls } = command {
            return self.init_cluster(id, name, urls);
        }
        let cluster = self.register.cluster()?.ok_or(Refusal::NotInitialised)?;
        match command {
            Command::InitCluster { .. } => Err(Refusal::AlreadyInitialised.into()),
            Command::DefineIssuer {
                ca,
                subject,
                public_key,
                algorithm,
                parent,
                purpose,
                shards,
                requester: _,
            } => {
                let issuer = Issuer {
                    subject,
                    public_key,
                    algorithm,
                    parent,
                    certificate: None,
                    others: Vec::new(),
                    purpose,
                    retired_at: None,
                    shards,
                };
                self.define_issuer(ca, issuer)
            }
            Command::DefineProfile { profile, requester: _ } => self.define_profile(*profile),
            Command::SetGrant { grant, requester: _ } => Ok(self.set_grant(grant)),
            Command::Intent(intent) => self.intent(intent),
            Command::Record { ca, serial, signature } => self.record(ca, serial, signature),
            Command::Abandon { ca, serial } => self.abandon(&ca, serial),
            Command::Revoke { ca, serial, reason, requester } => self.revoke(&ca, serial, reason, requester),
            Command::Release { ca, serial, requester } => self.release(&ca, serial, requester),
            Command::CutCrl { list, kind } => self.cut_crl(&cluster, list, kind),
            Command::RecordCrl { list, number, tbs_digest, signature } => {
                self.record_crl(list, number, tbs_digest, signature)
            }
            Command::MintJoinToken { secret, expires_at, requester } => {
                self.mint_join_token(secret, expires_at, requester)
            }
            Command::MintEnrolment { token, terms, expires_at, requester } => {
                self.mint_enrolment(token, terms, expires_at, requester)
            }
            Command::RevokeEnrolment { token, requester } => self.revoke_enrolment(token, requester),
            Command::AdmitMember { token, name, peer_address, api_address, va_address } => {
                let member = cluster::new_member(name, peer_address, api_address, va_address);
                self.admit_member(&cluster, token, member)
            }
            Command::ProveKey { key, signature } => self.prove_key(key, signature),
            Command::RequestCaCertificate { ca, .. } => self.request_ca_certificate(ca),
            Command::RecordCaRequest { ca, signature, .. } => self.record_ca_request(ca, signature),
            Command::ImportCaCertificate { ca, chain, .. } => self.import_ca_certificate(ca, chain),
            Command::RetireCa { ca, .. } => self.retire_ca(ca),
            // Its row in the history is all that it changes.
            Command::RecordRefusals { .. } => Ok(Outcome::Done),
            Command::Tick { .. } => {
                self.sweep_history()?;
                Ok(Outcome::Done)
            }
        }
    }

    fn set(&mut self, key: Key, value: Value) {
        self.changes.push(Change { key, value: Some(value) });
    }

    fn remove(&mut self, key: Key) {
        self.changes.push(Change { key, value: None });
    }

    /// Takes away some of what has expired: a bounded number, so that no batch pays for all of a backlog. Looks at
    /// few rows first, for mostly there is nothing to take.
    fn sweep(&mut self) -> Result<(), StorageFault> {
        let mut from = Key::Expiry(UnixMillis(0), Expiring::Outcome(RequestId::FIRST));
        let (mut page, mut swept) = (EXPIRIES_FIRST_PAGE, 0_usize);
        while swept < EXPIRIES_PER_BATCH {
            let rows = self.register.scan(&from, page)?;
            let last_page = rows.len() < page;
            for (key, _) in rows {
                let Key::Expiry(at, ref what) = key else { continue };
                if at >= self.now {
                    return Ok(());
                }
                // A page begins with the row that the one before ended with.
                if key != from {
                    match *what {
                        Expiring::Outcome(id) => self.remove(Key::Outcome(id)),
                        Expiring::Attempt(attempt) => self.remove(Key::Attempt(attempt)),
                        Expiring::Enrolment(token) => self.remove(Key::Enrolment(token)),
                    }
                    self.remove(key.clone());
                    swept = swept.saturating_add(1);
                }
                from = key;
            }
            if last_page {
                return Ok(());
            }
            page = page.saturating_mul(2);
        }
        Ok(())
    }

    fn remember(&mut self, outcome: &Outcome, until: UnixMillis) {
        self.set(Key::Outcome(self.id), Value::Outcome(outcome.clone()));
        self.set(Key::Expiry(until, Expiring::Outcome(self.id)), Value::Expiry);
    }
}

#[cfg(test)]
mod tests;
