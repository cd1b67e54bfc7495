//! Applies the issuance log: the commands of an entry in, their outcomes and one list of changes out.
//!
//! Total and deterministic: the same register, moment and commands give the same answer on every node (I23).
//! A refusal changes nothing but register time and the memory of the refusal itself.

mod authorities;
mod certificates;
mod cluster;
mod crl;
mod enrolment;
mod history;

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use self::history::Deed;
use crate::command::{Command, Envelope};
use crate::history::HistoryPlace;
use crate::ids::{LogIndex, RequestId, UnixMillis};
use crate::limits::{EXPIRIES_PER_ENTRY, OUTCOME_KEPT_MS};
use crate::outcome::{Outcome, Refusal};
use crate::permit::{Applied, Occurrence};
use crate::register::{Change, Expiring, Issuer, Key, Overlay, Register, StorageFault, Value};
use crate::roles::Identity;

/// Where and when commands are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The log entry.
    pub index: LogIndex,
    /// The leader's stamp of the entry. Register time is the greatest stamp so far (R8).
    pub time: UnixMillis,
}

/// What the commands of an entry came to, and what they change.
#[derive(Debug)]
#[must_use = "the changes must be written before an outcome is handed to its waiter"]
pub struct Application {
    /// For the waiters, in the order of the commands.
    pub applied: Vec<Applied>,
    /// For the register: one change a row, in the order of the rows.
    pub changes: Vec<Change>,
}

/// Applies the commands of one entry, each on what the ones before it left.
///
/// # Errors
/// [`StorageFault`]: the register cannot be read; the node must stop and apply the entry again after its restart.
pub fn apply(
    register: &dyn Register,
    at: Moment,
    envelopes: impl IntoIterator<Item = Envelope>,
) -> Result<Application, StorageFault> {
    let mut batch = Batch::begin(register, at)?;
    let mut applied = Vec::new();
    for (ordinal, envelope) in (0..).zip(envelopes) {
        applied.push(batch.command(ordinal, envelope)?);
    }
    Ok(Application { applied, changes: batch.end() })
}

/// The way of one entry through the register.
struct Batch<'a> {
    register: Overlay<'a>,
    index: LogIndex,
    now: UnixMillis,
    outcomes: BTreeMap<RequestId, Outcome>,
    /// The moment from which on none of the outcomes is asked for any more.
    outcomes_until: UnixMillis,
    expiring: BTreeMap<UnixMillis, Vec<Expiring>>,
}

impl<'a> Batch<'a> {
    /// The stamp is the entry's: it moves the time, and sweeps, before the first command.
    fn begin(register: &'a dyn Register, at: Moment) -> Result<Self, StorageFault> {
        let before = register.time()?.unwrap_or_default();
        let now = before.max(at.time);
        let mut batch = Self {
            register: Overlay::over(register),
            index: at.index,
            now,
            outcomes: BTreeMap::new(),
            outcomes_until: now,
            expiring: BTreeMap::new(),
        };
        if now != before {
            let time = Change { key: Key::Time, value: Some(Value::Time(now)) };
            batch.register.absorb(vec![time]);
            batch.sweep()?;
        }
        Ok(batch)
    }

    fn command(&mut self, ordinal: u32, envelope: Envelope) -> Result<Applied, StorageFault> {
        let Envelope { id, expires_at, command } = envelope;
        // A batch may be logged twice, by a forward whose reply was lost: one id, one outcome, one permit (R7).
        let earlier = match self.outcomes.get(&id) {
            Some(outcome) => Some(outcome.clone()),
            None => self.register().outcome(id)?,
        };
        if let Some(outcome) = earlier {
            return Ok(Applied::new(id, self.index, outcome, Occurrence::Duplicate));
        }
        let place = HistoryPlace { index: self.index, ordinal };
        let (index, now) = (self.index, self.now);
        let mut step = Step {
            register: &self.register,
            index,
            place,
            now,
            id,
            changes: Vec::new(),
            expiring: Vec::new(),
        };
        let deed = Deed::of(&command, Identity::Node(id.node));
        let outcome = match step.decide(expires_at, command) {
            Ok(outcome) => {
                step.write_history(deed);
                let Step { changes, expiring, .. } = step;
                self.register.absorb(changes);
                for (until, what) in expiring {
                    self.expiring.entry(until).or_default().push(what);
                }
                outcome
            }
            Err(Halt::Refused(refusal)) => Outcome::Refused(refusal),
            Err(Halt::Fault(fault)) => return Err(fault),
        };
        self.outcomes.insert(id, outcome.clone());
        self.outcomes_until = self.outcomes_until.max(expires_at.max(now).plus(OUTCOME_KEPT_MS));
        Ok(Applied::new(id, index, outcome, Occurrence::First))
    }

    /// One row of outcomes, and one row of expiries for each moment at which something leaves.
    fn end(mut self) -> Vec<Change> {
        if !self.outcomes.is_empty() {
            self.expiring.entry(self.outcomes_until).or_default().push(Expiring::Outcomes(self.index));
            let outcomes = Value::Outcomes(self.outcomes.into_iter().collect());
            self.register.absorb(vec![Change { key: Key::Outcomes(self.index), value: Some(outcomes) }]);
        }
        let index = self.index;
        let expiries = self
            .expiring
            .into_iter()
            .map(|(until, what)| Change { key: Key::Expiry(until, index), value: Some(Value::Expiry(what)) });
        self.register.absorb(expiries.collect());
        self.register.into_changes()
    }

    fn register(&self) -> &dyn Register {
        &self.register
    }

    /// Takes away some of what has expired: a bounded number, so that no entry pays for all of a backlog. Looks at
    /// one row first, for mostly there is nothing to take.
    fn sweep(&mut self) -> Result<(), StorageFault> {
        let mut changes = Vec::new();
        let mut from = Key::Expiry(UnixMillis(0), LogIndex(0));
        let (mut page, mut swept) = (1, 0_usize);
        'pages: while swept < EXPIRIES_PER_ENTRY {
            let rows = self.register.scan(&from, page)?;
            let last_page = rows.len() < page;
            for (key, value) in rows {
                let (Key::Expiry(at, _), Value::Expiry(leaving)) = (&key, value) else { continue };
                if *at >= self.now || swept >= EXPIRIES_PER_ENTRY {
                    break 'pages;
                }
                // A page begins with the row that the one before ended with.
                if key != from {
                    swept = swept.saturating_add(leaving.len());
                    for what in leaving {
                        changes.extend(self.left(what, *at)?);
                    }
                    changes.push(Change { key: key.clone(), value: None });
                }
                from = key;
            }
            if last_page {
                break;
            }
            page = page.saturating_mul(2);
        }
        self.register.absorb(changes);
        Ok(())
    }

    /// The removal of what leaves at `at`; none if it has left already, or leaves later by now.
    fn left(&self, what: Expiring, at: UnixMillis) -> Result<Option<Change>, StorageFault> {
        let register = self.register();
        let key = match what {
            Expiring::Outcomes(index) => Some(Key::Outcomes(index)),
            Expiring::Attempt(key) => {
                let attempt = register.attempt(key)?.filter(|attempt| attempt.until() == at);
                attempt.map(|_| Key::Attempt(key))
            }
            Expiring::Enrolment(token) => {
                let enrolment = register.enrolment(token)?.filter(|enrolment| enrolment.until() == at);
                enrolment.map(|_| Key::Enrolment(token))
            }
        };
        Ok(key.map(|key| Change { key, value: None }))
    }
}

/// One command's way through the register.
struct Step<'a> {
    register: &'a dyn Register,
    index: LogIndex,
    place: HistoryPlace,
    now: UnixMillis,
    id: RequestId,
    changes: Vec<Change>,
    /// What of that leaves, and when.
    expiring: Vec<(UnixMillis, Expiring)>,
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

    fn expire(&mut self, until: UnixMillis, what: Expiring) {
        self.expiring.push((until, what));
    }
}

#[cfg(test)]
mod tests;
