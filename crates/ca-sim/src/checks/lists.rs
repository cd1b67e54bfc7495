//! What the lists of revocations must be, looked at from outside: from the octets that were to be signed and from the
//! history of each certificate's status.

use std::collections::{BTreeMap, BTreeSet};

use ca_core::ids::Digest;
use ca_core::limits::STATUS_REFRESH_S;
use ca_core::register::{CrlCut, Key, MemoryRegister, Register, Revocation, StatusChange, Value};
use ca_core::shards::{ListId, ListKind, Part, Shards};
use ca_x509::certificate::{TbsCertificate, assemble};
use ca_x509::crl::{CertificateList, CrlEntry, CrlEvent, CrlNumber, RevocationReason};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use super::History;
use crate::world::World;

/// One cut, with the list as it was at that entry.
#[derive(Clone, Debug)]
pub struct CutList {
    /// Which list.
    pub of: ListId,
    /// What was fixed.
    pub cut: CrlCut,
    /// SHA-256 of the octets to be signed.
    pub digest: Digest,
    /// What they say.
    pub list: CertificateList,
    /// Whether it was recorded, and so served.
    pub recorded: bool,
    /// Every certificate of the CA whose status ever changed, as it was then.
    pub revocations: BTreeMap<SerialNumber, Revocation>,
}

impl CutList {
    /// The list of a cut that was applied a moment ago.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn of(register: &MemoryRegister, of: &ListId, cut: &CrlCut) -> Self {
        let rows = register.scan(&Key::Revocation(of.ca.clone(), SerialNumber::MIN), usize::MAX);
        let revocations = rows.expect("memory has no faults").into_iter().filter_map(|row| match row {
            (Key::Revocation(ca, serial), Value::Revocation(revocation)) if ca == of.ca => {
                Some((serial, revocation))
            }
            _ => None,
        });
        let revocations = revocations.collect();
        let register: &dyn Register = register;
        let issuer = register.issuer(&of.ca).expect("memory has no faults").expect("it is defined");
        let tbs = ca_core::crl::tbs(register, of, &issuer, cut).expect("memory has no faults");
        let list = CertificateList::parse(&assemble(&tbs.der, issuer.algorithm, b"unsigned"));
        Self {
            of: of.clone(),
            cut: cut.clone(),
            digest: Digest::of(&tbs.der),
            list: list.expect("a list was cut"),
            recorded: false,
            revocations,
        }
    }

    fn entries(&self) -> BTreeMap<SerialNumber, CrlEntry> {
        self.list.entries().iter().map(|entry| (entry.serial, *entry)).collect()
    }

    fn is(&self, kind: ListKind) -> bool {
        self.recorded && self.cut.kind() == kind
    }
}

impl History {
    /// Each list's cuts, oldest first.
    fn lists(&self) -> BTreeMap<&ListId, Vec<&CutList>> {
        let mut lists: BTreeMap<&ListId, Vec<&CutList>> = BTreeMap::new();
        for cut in &self.cuts {
            lists.entry(&cut.of).or_default().push(cut);
        }
        lists
    }

    /// Numbers rise within a list, deltas and gaps among them; no serial stands twice in one.
    pub(super) fn i13_numbers_rise(&self) {
        for (of, cuts) in self.lists() {
            let numbers: Vec<CrlNumber> = cuts.iter().map(|cut| cut.cut.number).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "I13: {of}: {numbers:?}");
            for cut in cuts {
                let serials = cut.list.entries().iter().map(|entry| entry.serial);
                assert!(serials.is_sorted_by(|a, b| a < b), "I13: {of} {}", cut.cut.number);
                assert_eq!(cut.list.tbs().number, cut.cut.number, "I13: {of}");
            }
        }
    }

    /// Between one complete list and the next an entry stays, or its certificate was released or has ended and been
    /// on a scheduled list since; its date and reason stay, or become worse.
    pub(super) fn i14_revoked_stays_revoked(&self) {
        for (of, cuts) in self.lists() {
            let mut earlier: Option<&CutList> = None;
            let mut scheduled: Vec<&CutList> = Vec::new();
            for next in cuts.into_iter().filter(|cut| cut.is(ListKind::Complete)) {
                if let Some(earlier) = earlier {
                    i14_between(of, earlier, next, &scheduled);
                }
                let last = scheduled.last().map(|cut| cut.cut.this_update.0);
                if last.is_none_or(|last| next.cut.this_update.0 >= last.saturating_add(STATUS_REFRESH_S)) {
                    scheduled.push(next);
                }
                earlier = Some(next);
            }
        }
    }

    /// A delta on top of its base tells what a complete list of that moment would.
    pub(super) fn i14_deltas_tell_the_same(&self) {
        for (of, cuts) in self.lists() {
            for delta in cuts.iter().filter(|cut| cut.is(ListKind::Delta)) {
                let number = delta.cut.base.map(|base| base.number);
                assert_eq!(delta.list.tbs().delta_base, number, "{of}");
                let base = cuts.iter().find(|cut| Some(cut.cut.number) == number && cut.recorded);
                let base = base.unwrap_or_else(|| panic!("{of}: no base {number:?}"));
                let mut together = base.entries();
                for entry in delta.list.entries() {
                    match entry.event {
                        CrlEvent::Revoked => together.insert(entry.serial, *entry),
                        CrlEvent::Removed => together.remove(&entry.serial),
                    };
                }
                self.is_what_is_in_force(delta, &together);
            }
        }
    }

    /// Complete lists hold every revocation in force, but for those whose certificates ended.
    pub(super) fn i14_lists_are_complete(&self) {
        for cut in self.cuts.iter().filter(|cut| cut.is(ListKind::Complete)) {
            self.is_what_is_in_force(cut, &cut.entries());
        }
    }

    fn is_what_is_in_force(&self, cut: &CutList, told: &BTreeMap<SerialNumber, CrlEntry>) {
        let (of, number) = (&cut.of, cut.cut.number);
        for (serial, revocation) in &cut.revocations {
            let in_force = revocation.in_force().filter(|_| self.belongs(of, *serial));
            match (in_force, told.get(serial)) {
                (Some(event), Some(entry)) => {
                    let expected = CrlEntry::revoked(*serial, event.since, event.change.reason());
                    assert_eq!(*entry, expected, "I14: {of} {number}");
                }
                (Some(_), None) => {
                    assert!(revocation.not_after < cut.cut.this_update, "I14: {of} {number} lacks {serial}");
                }
                (None, Some(_)) => panic!("I14: {of} {number} has {serial}"),
                (None, None) => {}
            }
        }
    }

    /// Whether this certificate is to be looked for in this list: it says so itself.
    fn belongs(&self, of: &ListId, serial: SerialNumber) -> bool {
        let place = self.place(of);
        let (_, tbs) = self.intents.get(&(of.ca.clone(), serial)).expect("I4: it has an intent");
        let tbs = TbsCertificate::decode(tbs).expect("an intent holds a TBSCertificate");
        let points = tbs.extensions.crl_distribution_points;
        let shard = match of.part {
            Part::Whole => return true,
            // A certificate of the cluster itself names no list; it is in the one of its serial all the same.
            Part::Shard(_) if points.is_empty() => return self.shards(of).of(serial) == of.part,
            Part::Shard(_) => place,
        };
        points == [shard]
    }

    fn place(&self, of: &ListId) -> String {
        let register: &dyn Register = &self.register;
        let cluster = register.cluster().expect("memory has no faults").expect("there is one");
        format!("{}/crl/{of}.crl", cluster.urls.crl)
    }

    fn shards(&self, of: &ListId) -> Shards {
        let register: &dyn Register = &self.register;
        register.issuer(&of.ca).expect("memory has no faults").expect("it is defined").shards
    }

    /// Each list names its issuer's key, and that of a shard the place that certificates point to.
    pub(super) fn i15_place_and_issuer(&self) {
        let register: &dyn Register = &self.register;
        for cut in &self.cuts {
            let issuer = register.issuer(&cut.of.ca).expect("memory has no faults").expect("it is defined");
            let tbs = cut.list.tbs();
            assert_eq!(tbs.authority_key_identifier, issuer.public_key.key_identifier(), "I15: {}", cut.of);
            assert_eq!(tbs.issuer, issuer.subject, "I15: {}", cut.of);
            let place = (cut.of.part != Part::Whole).then(|| self.place(&cut.of));
            assert_eq!(tbs.distribution_point, place, "I15: {}", cut.of);
        }
    }
}

fn i14_between(of: &ListId, earlier: &CutList, next: &CutList, scheduled: &[&CutList]) {
    let (before, after) = (earlier.entries(), next.entries());
    for (serial, was) in &before {
        let revocation = next.revocations.get(serial).expect("its row never leaves");
        let was_released = revocation.events.iter().any(|event| {
            event.change == StatusChange::Released
                && event.index > earlier.cut.index
                && event.index <= next.cut.index
        });
        let ended_and_told = scheduled
            .iter()
            .any(|list| list.cut.this_update > revocation.not_after && list.entries().contains_key(serial));
        let Some(is) = after.get(serial) else {
            assert!(was_released || ended_and_told, "I14: {serial} left {of} at {}", next.cut.number);
            continue;
        };
        let worse = is.reason == Some(RevocationReason::KeyCompromise)
            || was.reason == Some(RevocationReason::CertificateHold);
        let same: (UnixSeconds, bool) = (was.revoked_at, was.reason == is.reason || worse);
        assert!(was_released || same == (is.revoked_at, true), "I14: {was:?} became {is:?}");
    }
}

impl World {
    /// What was served under one number is what was cut, whoever served it, and in force when it was.
    pub(super) fn i15_one_number_one_list(&self, history: &History) {
        let cuts: BTreeSet<(&ListId, CrlNumber, Digest)> =
            history.cuts.iter().map(|cut| (&cut.of, cut.cut.number, cut.digest)).collect();
        for served in self.all_served() {
            let digest = Digest::of(served.list.tbs_der());
            assert!(cuts.contains(&(&served.of, served.cut.number, digest)), "I15: {}", served.of);
            assert!(served.list.tbs().next_update > served.at.seconds(), "I12: {} has expired", served.of);
            assert_eq!(served.cut.kind(), served.kind, "I15: {}", served.of);
        }
    }
}
