//! I20: whatever was done stands in the history, once.

use std::collections::BTreeMap;

use ca_core::command::Command;
use ca_core::history::{About, Act, HistoryPlace};
use ca_core::ids::{CaId, LogIndex};
use ca_core::outcome::Outcome;
use ca_core::register::{CertificateState, Key, Register, StatusChange, Value};
use ca_core::roles::Identity;
use ca_x509::serial::SerialNumber;

use super::history::{History, Logged};

/// What a row says but for its time, and how often it stands there.
type Acts = BTreeMap<(LogIndex, String), u64>;

impl History {
    /// Compares the history with what the other rows and the outcomes tell: one row an act, none twice, and none of
    /// anything else. Times rise with the log.
    ///
    /// # Panics
    /// If an act has no row, or a row has no act.
    pub fn i20_each_act_has_one_row(&self, log: &[Logged]) {
        let mut written = Acts::new();
        let mut last = None;
        for (key, value) in self.rows(&Key::History(HistoryPlace::default())) {
            let (Key::History(place), Value::History(row)) = (key, value) else { panic!("one table a scan") };
            assert!(last <= Some(row.at), "I20: {place:?} is older than what came before it");
            last = Some(row.at);
            count(&mut written, place.index, row.act, &row.about, row.by);
        }
        let mut done = Acts::new();
        self.acts_of_rows(&mut done);
        self.acts_of_outcomes(log, &mut done);
        assert_eq!(written, done, "I20");
    }

    /// Certificates and revocations tell themselves what became of them, when, and who wanted it.
    fn acts_of_rows(&self, acts: &mut Acts) {
        for (key, value) in self.rows(&Key::Certificate(CaId::first(), SerialNumber::MIN)) {
            let (Key::Certificate(ca, serial), Value::Certificate(entry)) = (key, value) else {
                panic!("one table a scan")
            };
            let about = About::Certificate(ca, serial);
            if let CertificateState::Recorded { index, .. } = entry.state {
                count(acts, index, Act::CertificateIssued, &about, entry.requester);
            }
        }
        for (key, value) in self.rows(&Key::Revocation(CaId::first(), SerialNumber::MIN)) {
            let (Key::Revocation(ca, serial), Value::Revocation(revocation)) = (key, value) else {
                panic!("one table a scan")
            };
            for event in revocation.events {
                let (act, about) = match event.change {
                    StatusChange::Revoked(reason) => {
                        (Act::CertificateRevoked, About::Revocation(ca.clone(), serial, reason))
                    }
                    StatusChange::Released => {
                        (Act::CertificateReleased, About::Certificate(ca.clone(), serial))
                    }
                    StatusChange::Abandoned => (Act::IntentAbandoned, About::Certificate(ca.clone(), serial)),
                };
                count(acts, event.index, act, &about, event.by);
            }
        }
    }

    /// Everything else is a command that was not refused the first time that it was in the log.
    fn acts_of_outcomes(&self, log: &[Logged], acts: &mut Acts) {
        let mut seen = std::collections::BTreeSet::new();
        let commands =
            log.iter().flat_map(|entry| entry.envelopes.iter().map(|envelope| (entry.at.index, envelope)));
        for (index, envelope) in commands {
            let id = envelope.id;
            if !seen.insert(id) || matches!(self.outcomes.get(&id), None | Some(Outcome::Refused(_))) {
                continue;
            }
            let node = Identity::Node(id.node);
            let (act, about, by) = match &envelope.command {
                Command::InitCluster { .. } => (Act::ClusterInitialised, About::Cluster, Identity::Ceremony),
                Command::DefineIssuer { ca, requester, .. } => {
                    (Act::CaDefined, About::Ca(ca.clone()), *requester)
                }
                Command::RecordCaRequest { ca, requester, .. } => {
                    (Act::CaRequestSigned, About::Ca(ca.clone()), *requester)
                }
                Command::ImportCaCertificate { ca, requester, .. } => {
                    (Act::CaCertificateImported, About::Ca(ca.clone()), *requester)
                }
                Command::RetireCa { ca, requester } => (Act::CaRetired, About::Ca(ca.clone()), *requester),
                Command::DefineProfile { profile, requester } => {
                    let about = About::Profile(profile.name.clone(), profile.version);
                    (Act::ProfileDefined, about, *requester)
                }
                Command::SetGrant { grant, requester } if grant.roles.is_empty() => {
                    (Act::GrantRemoved, About::Caller(grant.key), *requester)
                }
                Command::SetGrant { grant, requester } => {
                    (Act::GrantSet, About::Caller(grant.key), *requester)
                }
                Command::RecordCrl { list, number, .. } => {
                    (Act::CrlPublished, About::Crl(list.clone(), *number), node)
                }
                Command::MintJoinToken { secret, requester, .. } => {
                    (Act::JoinTokenMinted, About::Token(*secret), *requester)
                }
                Command::MintEnrolment { token, requester, .. } => {
                    (Act::EnrolmentMinted, About::Token(*token), *requester)
                }
                Command::RevokeEnrolment { token, requester } => {
                    (Act::EnrolmentRevoked, About::Token(*token), *requester)
                }
                Command::AdmitMember { .. } => {
                    let Some(Outcome::Admitted(member)) = self.outcomes.get(&id) else {
                        panic!("a member has a number")
                    };
                    (Act::MemberAdmitted, About::Member(*member), Identity::Ceremony)
                }
                Command::ProveKey { key, .. } => (Act::KeyProven, About::Key(*key), node),
                Command::RecordRefusals { by, slug, count } => {
                    (Act::Refused, About::Refusals(slug.clone(), *count), *by)
                }
                _ => continue,
            };
            count(acts, index, act, &about, by);
        }
    }

    fn rows(&self, from: &Key) -> Vec<(Key, Value)> {
        self.register.scan(from, usize::MAX).expect("memory has no faults")
    }
}

fn count(acts: &mut Acts, index: LogIndex, act: Act, about: &About, by: Identity) {
    let times = acts.entry((index, format!("{act} {about:?} by {by}"))).or_default();
    *times = times.saturating_add(1);
}
