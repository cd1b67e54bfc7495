//! The register of the model: what `ca_core::apply` decides, in twenty rows.

use super::{Cycle, Rule};

/// A command's identity: whose, of which run of that node, which one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    /// The node.
    pub node: u8,
    /// Its run.
    pub boot: u8,
    /// The command of that run.
    pub counter: u8,
}

/// What is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Command {
    /// Fixes a serial; the id of the entry stands for the octets of the TBSCertificate.
    Intent {
        /// The serial.
        serial: u8,
        /// The idempotency key, if there is one.
        key: Option<u8>,
        /// The open attempt that it replaces.
        supersedes: Option<u8>,
    },
    /// Completes an intent.
    Record(u8),
    /// Gives an intent up.
    Abandon(u8),
    /// Revokes a certificate.
    Revoke(u8),
}

/// One entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    /// Two entries of one id are one command.
    pub id: Id,
    /// What to do.
    pub command: Command,
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Committed,
    AlreadyIssued(u8),
    AttemptOpen(u8),
    Done,
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Open,
    Recorded,
    Abandoned,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) serial: u8,
    pub(super) tbs: Id,
    pub(super) fate: Fate,
    /// The place of the entry that revoked or abandoned it.
    pub(super) revoked: Option<usize>,
}

/// Serials, keys and outcomes.
#[derive(Debug, Default)]
pub(super) struct Register {
    pub(super) rows: Vec<Row>,
    attempts: Vec<(u8, u8)>,
    outcomes: Vec<(Id, Outcome)>,
}

/// All that ever came to pass, whatever the register says now.
#[derive(Debug, Default)]
pub(super) struct Events {
    pub(super) intents: Vec<(u8, Id)>,
    pub(super) recorded: Vec<(u8, Option<u8>)>,
    pub(super) abandoned: Vec<u8>,
    pub(super) superseded: bool,
    pub(super) duplicated: bool,
}

impl Register {
    pub(super) fn row(&self, serial: u8) -> Option<Row> {
        self.rows.iter().find(|row| row.serial == serial).copied()
    }

    /// Applies one entry; the outcome, and whether this was its first time.
    pub(super) fn apply(
        &mut self,
        model: &Cycle,
        place: usize,
        Entry { id, command }: Entry,
        events: &mut Events,
    ) -> (Outcome, bool) {
        if let Some((_, outcome)) = self.outcomes.iter().find(|(known, _)| *known == id) {
            events.duplicated = true;
            return (*outcome, false);
        }
        let outcome = match command {
            Command::Intent { serial, key, supersedes } => {
                self.intent(model, place, id, (serial, key, supersedes), events)
            }
            Command::Record(serial) => self.record(model, id, serial, events),
            Command::Abandon(serial) => self.abandon(model, place, serial, events),
            Command::Revoke(serial) => self.revoke(place, serial),
        };
        self.outcomes.push((id, outcome));
        (outcome, true)
    }

    fn intent(
        &mut self,
        model: &Cycle,
        place: usize,
        id: Id,
        (serial, key, supersedes): (u8, Option<u8>, Option<u8>),
        events: &mut Events,
    ) -> Outcome {
        let attempt = self.attempts.iter().find(|(of, _)| Some(*of) == key).map(|(_, serial)| *serial);
        let earlier = attempt.and_then(|serial| self.row(serial));
        match earlier {
            Some(Row { fate: Fate::Recorded, serial, .. }) if model.keeps(Rule::KeyIsRemembered) => {
                return Outcome::AlreadyIssued(serial);
            }
            Some(Row { fate: Fate::Open, serial, .. })
                if supersedes != Some(serial) && model.keeps(Rule::OpenAttemptHolds) =>
            {
                return Outcome::AttemptOpen(serial);
            }
            _ => {}
        }
        if self.row(serial).is_some() && model.keeps(Rule::SerialTaken) {
            return Outcome::Refused;
        }
        if let Some(Row { fate: Fate::Open, serial, .. }) = earlier
            && supersedes == Some(serial)
        {
            self.end(serial, Fate::Abandoned, Some(place));
            events.abandoned.push(serial);
            events.superseded = true;
        }
        self.rows.retain(|row| row.serial != serial);
        self.rows.push(Row { serial, tbs: id, fate: Fate::Open, revoked: None });
        if let Some(key) = key {
            self.attempts.retain(|(of, _)| *of != key);
            self.attempts.push((key, serial));
        }
        events.intents.push((serial, id));
        Outcome::Committed
    }

    fn record(&mut self, model: &Cycle, id: Id, serial: u8, events: &mut Events) -> Outcome {
        let Some(row) = self.row(serial) else { return Outcome::Refused };
        let open = match row.fate {
            Fate::Open => true,
            Fate::Recorded => false,
            Fate::Abandoned => !model.keeps(Rule::AbandonedStays),
        };
        if !open || (row.tbs.node, row.tbs.boot) != (id.node, id.boot) {
            return Outcome::Refused;
        }
        self.end(serial, Fate::Recorded, row.revoked);
        let key = self.attempts.iter().find(|(_, attempt)| *attempt == serial).map(|(key, _)| *key);
        events.recorded.push((serial, key));
        Outcome::Done
    }

    /// Whether it is old enough is a matter of time, and any moment may be late.
    fn abandon(&mut self, model: &Cycle, place: usize, serial: u8, events: &mut Events) -> Outcome {
        let Some(row) = self.row(serial) else { return Outcome::Refused };
        let open = match row.fate {
            Fate::Open => true,
            Fate::Recorded => !model.keeps(Rule::RecordedStays),
            Fate::Abandoned => false,
        };
        if open {
            self.end(serial, Fate::Abandoned, Some(place));
            events.abandoned.push(serial);
        }
        if open { Outcome::Done } else { Outcome::Refused }
    }

    fn revoke(&mut self, place: usize, serial: u8) -> Outcome {
        match self.row(serial) {
            None | Some(Row { fate: Fate::Open, .. }) => Outcome::Refused,
            Some(row) => {
                self.end(serial, row.fate, row.revoked.or(Some(place)));
                Outcome::Done
            }
        }
    }

    fn end(&mut self, serial: u8, fate: Fate, revoked: Option<usize>) {
        for row in self.rows.iter_mut().filter(|row| row.serial == serial) {
            row.fate = fate;
            row.revoked = revoked;
        }
    }
}
