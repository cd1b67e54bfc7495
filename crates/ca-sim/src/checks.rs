//! The checkers: each reads what the world recorded and ends the run if a promise is broken.

mod acts;
mod lists;

use std::collections::{BTreeMap, BTreeSet};

use ca_core::apply::{Moment, apply};
use ca_core::command::Command;
use ca_core::ids::{CaId, Digest, LogIndex, NodeId, RequestId};
use ca_core::limits::INTENT_OPEN_MAX_MS;
use ca_core::outcome::Outcome;
use ca_core::register::{CertificateState, Expiring, Key, MemoryRegister, Register, StatusChange, Value};
use ca_core::shards::ListId;
use ca_x509::certificate::TbsCertificate;
use ca_x509::crl::RevocationReason;
use ca_x509::key::KeyIdentifier;
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

pub use self::lists::CutList;
use crate::ceremony::AUTHORITIES;
use crate::drive::drive;
use crate::log::{Entry, Link, index_of};
use crate::token::{SoftKey, TokenMode};
use crate::world::{Said, World};

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
    /// What each command came to, the first time.
    pub outcomes: BTreeMap<RequestId, Outcome>,
}

impl History {
    /// Replays a log and checks the register after every entry.
    ///
    /// # Panics
    /// If the register contradicts itself.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let mut history = Self::default();
        for (place, entry) in entries.iter().enumerate() {
            history.add(index_of(place), entry);
        }
        rows_agree(&history.register);
        history.outcomes_stay();
        history
    }

    /// What a command came to the first time it came to for ever (R7).
    fn outcomes_stay(&self) {
        let rows =
            self.register.scan(&Key::Outcome(RequestId::FIRST), usize::MAX).expect("memory has no faults");
        for (key, value) in rows {
            let (Key::Outcome(id), Value::Outcome(outcome)) = (key, value) else {
                panic!("one table a scan")
            };
            assert_eq!(self.outcomes.get(&id), Some(&outcome), "R7: {id:?} has another outcome now");
        }
    }

    /// When a certificate was released from a hold.
    fn releases(&self, ca: &CaId, serial: SerialNumber) -> Vec<UnixSeconds> {
        let register: &dyn Register = &self.register;
        let revocation = register.revocation(ca, serial).expect("memory has no faults");
        let events = revocation.into_iter().flat_map(|revocation| revocation.events);
        events.filter(|event| event.change == StatusChange::Released).map(|event| event.since).collect()
    }

    fn add(&mut self, index: LogIndex, entry: &Entry) {
        let first = !self.outcomes.contains_key(&entry.envelope.id);
        let moment = Moment { index, ordinal: 0, time: entry.stamp };
        let application =
            apply(&self.register, moment, entry.envelope.clone()).expect("memory has no faults");
        self.register.write(application.changes);
        let outcome = application.applied.into_outcome();
        if !first {
            return;
        }
        self.outcomes.insert(entry.envelope.id, outcome.clone());
        match (&entry.envelope.command, outcome) {
            (Command::Intent(intent), Outcome::IntentCommitted { ca, serial, .. }) => {
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

/// Whatever was done, the rows of a register fit together.
///
/// # Panics
/// If they do not.
pub fn rows_agree(register: &MemoryRegister) {
    let rows = |from: Key| register.scan(&from, usize::MAX).expect("memory has no faults");
    let register: &dyn Register = register;
    let mut open = BTreeSet::new();
    for (key, _) in rows(Key::OpenIntent(CaId::first(), SerialNumber::MIN)) {
        let Key::OpenIntent(ca, serial) = key else { panic!("one table a scan") };
        open.insert((ca, serial));
    }
    for (key, value) in rows(Key::Certificate(CaId::first(), SerialNumber::MIN)) {
        let (Key::Certificate(ca, serial), Value::Certificate(entry)) = (key, value) else {
            panic!("one table a scan")
        };
        let is_open = open.remove(&(ca.clone(), serial));
        assert_eq!(entry.state == CertificateState::Open, is_open, "{serial}: open row and state");
        let tbs = TbsCertificate::decode(&entry.tbs).expect("an intent holds a TBSCertificate");
        assert_eq!((tbs.serial, tbs.not_after), (serial, entry.not_after), "row and octets");
        let revocation = register.revocation(&ca, serial).expect("memory has no faults");
        let change = revocation.as_ref().and_then(|revocation| revocation.latest()).map(|event| event.change);
        match entry.state {
            CertificateState::Open => assert_eq!(change, None, "{serial}: nothing happens to what is open"),
            CertificateState::Recorded { index, .. } => {
                assert!(index > entry.intent_index, "{serial}: no record before its intent");
                assert_ne!(change, Some(StatusChange::Abandoned), "{serial}: recorded and abandoned");
            }
            CertificateState::Abandoned { index } => {
                assert!(index > entry.intent_index);
                assert_eq!(change, Some(StatusChange::Abandoned), "{serial}: I5");
            }
        }
    }
    assert!(open.is_empty(), "open rows without certificates: {open:?}");
    let mut expiring = BTreeSet::new();
    let first = Key::Expiry(ca_core::ids::UnixMillis(0), Expiring::Outcome(RequestId::FIRST));
    for (key, _) in rows(first) {
        let Key::Expiry(_, what) = key else { panic!("one table a scan") };
        assert!(expiring.insert(what.clone()), "{what:?} expires twice");
    }
    for (key, _) in rows(Key::Outcome(RequestId::FIRST)) {
        let Key::Outcome(id) = key else { panic!("one table a scan") };
        assert!(expiring.remove(&Expiring::Outcome(id)), "{id:?} stays for ever");
    }
    for (key, value) in rows(Key::Attempt(Digest([0; 32]))) {
        let (Key::Attempt(digest), Value::Attempt(attempt)) = (key, value) else {
            panic!("one table a scan")
        };
        assert!(expiring.remove(&Expiring::Attempt(digest)), "an idempotency key stays for ever");
        let certificate = register.certificate(&attempt.ca, attempt.serial).expect("memory has no faults");
        assert!(certificate.is_some(), "an attempt without an intent");
    }
    for (key, _) in rows(Key::Enrolment(Digest([0; 32]))) {
        let Key::Enrolment(token) = key else { panic!("one table a scan") };
        assert!(expiring.remove(&Expiring::Enrolment(token)), "an enrolment token stays for ever");
    }
    assert!(expiring.is_empty(), "expiries of nothing: {expiring:?}");
    for (key, value) in rows(Key::CrlScope(ListId::whole(&CaId::first()))) {
        let Value::CrlScope(scope) = value else { panic!("one table a scan") };
        for served in [scope.current, scope.delta].into_iter().flatten() {
            assert!(scope.open.as_ref().is_none_or(|open| open.number > served.cut.number), "I13: {key:?}");
        }
    }
}

impl World {
    /// Ends every fault, lets the cluster settle, and checks all promises over all that was recorded.
    ///
    /// # Panics
    /// If one is broken.
    pub fn settle_and_check(&self) {
        for node in self.nodes() {
            self.token_mode(node, TokenMode::Works);
            self.storm().set_faults(NodeId(node), &[]);
            self.link(node, Link::Up);
        }
        self.storm().release_held();
        self.wait_ms(INTENT_OPEN_MAX_MS.saturating_add(1_000));
        self.tick();
        let leader = self.node(self.storm().leader().0);
        drive(leader.settle_old()).expect("a quorum is there");
        let history = self.check();
        let register: &dyn Register = &history.register;
        let open = register.scan(&Key::OpenIntent(CaId::first(), SerialNumber::MIN), 1);
        assert_eq!(open, Ok(vec![]), "I5: every intent ends");
    }

    /// Checks all promises over all that was recorded so far.
    ///
    /// # Panics
    /// If one is broken.
    pub fn check(&self) -> History {
        let entries = self.storm().entries();
        let history = History::of(&entries);
        self.i1_one_serial_one_certificate(&history);
        self.i3_released_is_recorded(&history);
        self.i4_signed_is_committed(&history);
        self.i8_good_is_recorded(&history);
        self.i10_good_to_revoked(&history);
        self.i11_this_update(&history);
        history.i13_numbers_rise();
        history.i14_revoked_stays_revoked();
        history.i14_lists_are_complete();
        history.i14_deltas_tell_the_same();
        history.i15_place_and_issuer();
        self.i15_one_number_one_list(&history);
        history.i20_each_act_has_one_row(&entries);
        self.i23_registers_are_equal(&history);
        history
    }

    fn i1_one_serial_one_certificate(&self, history: &History) {
        let mut seen: BTreeMap<(Vec<u8>, SerialNumber), Vec<u8>> = BTreeMap::new();
        let on_tape = self.tape().signed().into_iter().map(|signed| signed.message);
        let in_log = history.intents.values().map(|(_, tbs)| tbs.clone());
        for octets in on_tape.chain(in_log) {
            let Ok(tbs) = TbsCertificate::decode(&octets) else { continue };
            let earlier = seen.insert((tbs.issuer.as_der().to_vec(), tbs.serial), octets.clone());
            assert!(earlier.is_none_or(|earlier| earlier == octets), "I1: {} twice", tbs.serial);
        }
    }

    fn i3_released_is_recorded(&self, history: &History) {
        for released in self.all_released() {
            let issued = &released.issued;
            let index = history.records.get(&(issued.ca.clone(), issued.serial));
            assert_eq!(index, Some(&issued.index), "I3: {} was released without a record", issued.serial);
            assert!(issued.index.0 <= released.committed, "I3: {} was released too early", issued.serial);
            let register: &dyn Register = &history.register;
            let der = ca_core::certificate::der(register, &issued.ca, issued.serial);
            assert_eq!(
                der,
                Ok(Some(issued.certificate.clone())),
                "I3: what was released is what is recorded"
            );
        }
    }

    fn i4_signed_is_committed(&self, history: &History) {
        let ca_keys: BTreeSet<KeyIdentifier> =
            AUTHORITIES.map(|(name, ..)| SoftKey::named(name).public().key_identifier()).into();
        let mut may: BTreeMap<Digest, u64> = BTreeMap::new();
        for (index, tbs) in history.intents.values() {
            may.insert(Digest::of(tbs), index.0);
        }
        for cut in &history.cuts {
            may.insert(cut.digest, cut.cut.index.0);
        }
        for signed in self.tape().signed().into_iter().filter(|signed| ca_keys.contains(&signed.key)) {
            // A key proof begins with 64 spaces, which nothing else does (R11).
            if signed.message.starts_with(&[0x20; 64]) {
                continue;
            }
            let index = may.get(&Digest::of(&signed.message));
            let index =
                index.unwrap_or_else(|| panic!("I4: node {} signed what nobody committed", signed.node));
            assert!(*index <= signed.committed, "I4: node {} signed before the commit", signed.node);
        }
    }

    fn i8_good_is_recorded(&self, history: &History) {
        for answer in self.captured() {
            if answer.said == Said::Good {
                let recorded = history.records.contains_key(&(answer.ca.clone(), answer.serial));
                assert!(recorded, "I8: good for {} of {}", answer.serial, answer.ca);
            }
        }
    }

    /// From good to revoked and never back, but by a release that came between.
    fn i10_good_to_revoked(&self, history: &History) {
        let captured = self.captured();
        for revoked in &captured {
            let Said::Revoked(at, reason) = revoked.said else { continue };
            let releases = history.releases(&revoked.ca, revoked.serial);
            let is_released_by = |good: Option<UnixSeconds>| {
                reason == Some(RevocationReason::CertificateHold)
                    && releases.iter().any(|release| at <= *release && Some(*release) <= good)
            };
            let later_good = captured.iter().find(|other| {
                other.said == Said::Good
                    && (&other.ca, other.serial) == (&revoked.ca, revoked.serial)
                    && other.this_update > revoked.this_update
                    && !is_released_by(other.this_update)
            });
            assert_eq!(later_good, None, "I10: good after {revoked:?}");
        }
    }

    fn i11_this_update(&self, history: &History) {
        for answer in self.captured() {
            let Some(this_update) = answer.this_update else { continue };
            let as_of = answer.as_of.map(|as_of| as_of.seconds());
            assert!(as_of.is_some_and(|as_of| this_update <= as_of), "I11: {answer:?}");
            for told in self.all_acknowledged() {
                let late = this_update.0.saturating_mul(1000) >= told.at.0.saturating_add(5_000);
                let same = (&told.ca, told.serial) == (&answer.ca, answer.serial);
                let released = history.releases(&told.ca, told.serial);
                let holds = !released.iter().any(|release| *release >= told.at.seconds());
                let says_good = answer.said == Said::Good;
                assert!(!(late && same && holds && says_good), "I11: good after {told:?}: {answer:?}");
            }
        }
    }

    /// Every node that has applied the whole log has the oracle's register.
    fn i23_registers_are_equal(&self, history: &History) {
        for (node, register) in self.storm().registers() {
            if self.storm().applied(node) == self.storm().committed() {
                assert!(register == history.register, "I23: the register of node {node} differs");
            }
        }
    }
}
