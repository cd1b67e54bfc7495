//! Whether the rows of a register fit together.

use std::collections::BTreeSet;

use ca_core::ids::{CaId, Digest, RequestId};
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
            assert!(
                scope.open.as_ref().is_none_or(|open| open.number > served.cut.number),
                "I13: {key:?} has a cut below one that is served"
            );
        }
    }
}
