//! The oracle: the log, replayed one entry at a time.

use std::collections::BTreeMap;

use ca_core::apply::{Moment, apply};
use ca_core::command::{Command, Envelope};
use ca_core::ids::{CaId, Digest, LogIndex, RequestId, UnixMillis};
use ca_core::outcome::Outcome;
use ca_core::register::{Key, MemoryRegister, Register, StatusChange, Value};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use super::{CutList, rows_agree};

/// One entry as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Where, and by which stamp.
    pub at: Moment,
    /// What.
    pub envelopes: Vec<Envelope>,
}

/// What the log says, replayed one entry at a time on a register of its own: the oracle.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// As every node's must be.
    pub register: MemoryRegister,
    /// Every committed intent: where, and which octets.
    pub intents: BTreeMap<(CaId, SerialNumber), (LogIndex, Vec<u8>)>,
    /// Every record.
    pub records: BTreeMap<(CaId, SerialNumber), LogIndex>,
    /// Every cut with the list as it was at that entry.
    pub cuts: Vec<CutList>,
    /// Every committed intent that bore an idempotency key: the key, register time, and the serial.
    pub attempts: Vec<(Digest, UnixMillis, (CaId, SerialNumber))>,
    /// What each command came to, the first time.
    pub outcomes: BTreeMap<RequestId, Outcome>,
}

impl History {
    /// Replays a log and checks the register after every entry.
    ///
    /// # Panics
    /// If the register contradicts itself.
    #[must_use]
    pub fn of(log: &[Logged]) -> Self {
        let mut history = Self::default();
        log.iter().for_each(|logged| history.add(logged));
        rows_agree(&history.register);
        history.outcomes_stay();
        history
    }

    /// What a command came to the first time it came to for ever (R7).
    fn outcomes_stay(&self) {
        let rows = self.register.scan(&Key::Outcomes(LogIndex(0)), usize::MAX).expect("memory has no faults");
        for (_, value) in rows {
            let Value::Outcomes(outcomes) = value else { panic!("one table a scan") };
            for (id, outcome) in outcomes {
                assert_eq!(self.outcomes.get(&id), Some(&outcome), "R7: {id:?} has another outcome now");
            }
        }
    }

    /// When a certificate was released from a hold.
    pub(super) fn releases(&self, ca: &CaId, serial: SerialNumber) -> Vec<UnixSeconds> {
        let register: &dyn Register = &self.register;
        let revocation = register.revocation(ca, serial).expect("memory has no faults");
        let events = revocation.into_iter().flat_map(|revocation| revocation.events);
        events.filter(|event| event.change == StatusChange::Released).map(|event| event.since).collect()
    }

    /// Whether the revocation of this date was released from its hold. By the log: an acknowledgement may come long after
    /// the hold that it tells of is over.
    pub(super) fn is_over(&self, ca: &CaId, serial: SerialNumber, revoked_at: UnixSeconds) -> bool {
        let register: &dyn Register = &self.register;
        let revocation = register.revocation(ca, serial).expect("memory has no faults");
        let events = revocation.into_iter().flat_map(|revocation| revocation.events);
        let mut since = events.skip_while(|event| event.since != revoked_at);
        since.any(|event| event.change == StatusChange::Released)
    }

    fn add(&mut self, entry: &Logged) {
        let envelopes = entry.envelopes.iter().cloned();
        let application = apply(&self.register, entry.at, envelopes).expect("memory has no faults");
        self.register.write(application.changes);
        for (envelope, applied) in entry.envelopes.iter().zip(application.applied) {
            let first = !self.outcomes.contains_key(&envelope.id);
            if first {
                let outcome = applied.into_outcome();
                self.outcomes.insert(envelope.id, outcome.clone());
                self.came_to(entry.at.index, &envelope.command, outcome);
            }
        }
    }

    fn came_to(&mut self, index: LogIndex, command: &Command, outcome: Outcome) {
        match (command, outcome) {
            (Command::Intent(intent), Outcome::IntentCommitted { ca, serial, .. }) => {
                if let Some(idempotency) = intent.idempotency {
                    let register: &dyn Register = &self.register;
                    let now = register.time().expect("memory has no faults").unwrap_or_default();
                    self.attempts.push((idempotency.key, now, (ca.clone(), serial)));
                }
                let earlier = self.intents.insert((ca, serial), (index, intent.tbs.clone()));
                assert_eq!(earlier, None, "I1: the serial of {index} was taken");
            }
            (Command::Record { ca, serial, .. }, Outcome::Recorded { .. }) => {
                let earlier = self.records.insert((ca.clone(), *serial), index);
                assert_eq!(earlier, None, "a certificate is recorded once");
            }
            (Command::CutCrl { list, .. }, Outcome::CrlCut(cut)) => {
                self.cuts.push(CutList::of(&self.register, list, &cut));
            }
            (Command::RecordCrl { list, number, .. }, Outcome::Done) => {
                let cut = self.cuts.iter_mut().rev().find(|cut| cut.of == *list && cut.cut.number == *number);
                cut.expect("what is recorded was cut").recorded = true;
            }
            _ => {}
        }
    }
}
