//! Whether the rows of a register fit together.

use std::collections::BTreeSet;

use ca_core::ids::{CaId, Digest, LogIndex, UnixMillis};
use ca_core::register::{CertificateState, Expiring, Key, MemoryRegister, Register, StatusChange, Value};
use ca_core::shards::ListId;
use ca_x509::certificate::TbsCertificate;
use ca_x509::serial::SerialNumber;

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
                assert_ne!(change, Some(StatusChange::Abandoned), "I5: {serial} is recorded and abandoned");
            }
            CertificateState::Abandoned { index } => {
                assert!(index > entry.intent_index);
                assert_eq!(change, Some(StatusChange::Abandoned), "I5: {serial}");
            }
        }
    }
    assert!(open.is_empty(), "open rows without certificates: {open:?}");
    what_expires_leaves(register);
    for (key, value) in rows(Key::CrlScope(ListId::whole(&CaId::first()))) {
        let Value::CrlScope(scope) = value else { panic!("one table a scan") };
        for served in [scope.current, scope.delta].into_iter().flatten() {
            assert!(
                scope.open.as_ref().is_none_or(|open| open.number > served.cut.number),
                "I13: {key:?} has a cut below one that is served"
            );
        }
    }
}

/// Every row that lives for a bounded time has an expiry, at its moment; outcomes have one and leave with it.
fn what_expires_leaves(register: &dyn Register) {
    let rows = |from: Key| register.scan(&from, usize::MAX).expect("memory has no faults");
    let mut expiring = BTreeSet::new();
    for (key, value) in rows(Key::Expiry(UnixMillis(0), LogIndex(0))) {
        let (Key::Expiry(at, _), Value::Expiry(leaving)) = (key, value) else { panic!("one table a scan") };
        for what in leaving {
            assert!(expiring.insert((what, at)), "{what:?} expires twice");
        }
    }
    for (key, value) in rows(Key::Outcomes(LogIndex(0))) {
        let (Key::Outcomes(index), Value::Outcomes(outcomes)) = (key, value) else {
            panic!("one table a scan")
        };
        let expiry = expiring.iter().copied().find(|(what, _)| *what == Expiring::Outcomes(index));
        assert!(expiry.is_some_and(|expiry| expiring.remove(&expiry)), "{index:?}: outcomes stay for ever");
        for (id, outcome) in outcomes {
            assert_eq!(register.outcome(id).expect("memory has no faults"), Some(outcome), "{id:?} is found");
        }
    }
    for (key, value) in rows(Key::Attempt(Digest([0; 32]))) {
        let (Key::Attempt(digest), Value::Attempt(attempt)) = (key, value) else {
            panic!("one table a scan")
        };
        let expiry = (Expiring::Attempt(digest), attempt.until());
        assert!(expiring.remove(&expiry), "an idempotency key stays for ever");
        let certificate = register.certificate(&attempt.ca, attempt.serial).expect("memory has no faults");
        assert!(certificate.is_some(), "an attempt without an intent");
    }
    for (key, value) in rows(Key::Enrolment(Digest([0; 32]))) {
        let (Key::Enrolment(token), Value::Enrolment(enrolment)) = (key, value) else {
            panic!("one table a scan")
        };
        let expiry = (Expiring::Enrolment(token), enrolment.until());
        assert!(expiring.remove(&expiry), "an enrolment token stays for ever");
    }
    let of_nothing = expiring.iter().find(|(what, _)| matches!(what, Expiring::Outcomes(_)));
    assert_eq!(of_nothing, None, "outcomes leave once");
}
