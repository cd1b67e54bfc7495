//! What stands in the history, and for how long (I20).

use alloc::vec;
use alloc::vec::Vec;

use ca_x509::crl::CrlNumber;
use ca_x509::crl::RevocationReason::{KeyCompromise, Superseded};

use super::bench::*;
use crate::apply::*;
use crate::history::{About, Act, HistoryFilter, HistoryPage, HistoryRow, look};
use crate::ids::{Digest, NodeId};
use crate::limits::{HISTORY_KEPT_MS, HISTORY_ROWS_PER_TICK, INTENT_OPEN_MAX_MS};
use crate::roles::{Role, Scope};

const EVERYTHING: (usize, usize) = (usize::MAX, usize::MAX);

fn found(bench: &Bench, filter: &str) -> Vec<HistoryRow> {
    let filter: HistoryFilter = filter.parse().unwrap();
    let page = look(bench.register(), &filter, HistoryPlace::default(), EVERYTHING).unwrap();
    assert!(page.ended);
    page.found.into_iter().map(|(_, row)| row).collect()
}

/// The acts of the last entry.
fn latest(bench: &Bench) -> Vec<(Act, About, Identity)> {
    let last = HistoryPlace { index: LogIndex(bench.index), ordinal: 0 };
    let page = look(bench.register(), &HistoryFilter::default(), last, EVERYTHING).unwrap();
    page.found.into_iter().map(|(_, row)| (row.act, row.about, row.by)).collect()
}

/// Mechanism: `Step::write_history`.
#[test]
fn i20_every_act_leaves_one_row() {
    let mut bench = Bench::ready();
    let (issuing, node) = (ca("issuing"), Identity::Node(NodeId(1)));
    let serial = bench.commit(bench.intent(60));
    assert_eq!(latest(&bench), vec![], "an intent is no act");
    bench.record("a server", "issuing", serial);
    let certificate = About::Certificate(issuing.clone(), serial);
    assert_eq!(latest(&bench), vec![(Act::CertificateIssued, certificate, CLIENT)]);

    bench.revoke(serial, Superseded);
    let revoked =
        |reason| (Act::CertificateRevoked, About::Revocation(issuing.clone(), serial, reason), CLIENT);
    assert_eq!(latest(&bench), vec![revoked(Superseded)]);
    bench.revoke(serial, Superseded);
    assert_eq!(latest(&bench), vec![], "nothing was changed");
    bench.revoke(serial, KeyCompromise);
    assert_eq!(latest(&bench), vec![revoked(KeyCompromise)]);

    let held = bench.held(62);
    assert_eq!(latest(&bench).len(), 1);
    assert_eq!(bench.release(held), Outcome::Done);
    assert_eq!(
        latest(&bench),
        vec![(Act::CertificateReleased, About::Certificate(issuing.clone(), held), CLIENT)]
    );
    assert_eq!(bench.release(held), Outcome::Done);
    assert_eq!(latest(&bench), vec![], "it was released already");

    bench.apply(1, cut("issuing"));
    assert_eq!(latest(&bench), vec![], "nothing is signed yet");
    bench.done(sign_cut(1));
    assert_eq!(latest(&bench), vec![(Act::CrlPublished, About::Crl(whole("issuing"), CrlNumber(1)), node)]);

    let left = bench.commit(bench.intent(61));
    bench.wait(INTENT_OPEN_MAX_MS + 1);
    assert_eq!(bench.apply(2, abandon(left)), Outcome::Done);
    let abandoned = |serial| (Act::IntentAbandoned, About::Certificate(issuing.clone(), serial));
    let (act, about) = abandoned(left);
    assert_eq!(latest(&bench), vec![(act, about, Identity::Node(NodeId(2)))]);

    let first = bench.commit(bench.keyed(66, 1, None));
    bench.commit(bench.keyed(63, 1, Some(first)));
    let (act, about) = abandoned(first);
    assert_eq!(latest(&bench), vec![(act, about, node)], "the attempt that was superseded");

    bench.grant(7, &[Role::Auditor], Scope::default());
    let caller = || About::Caller(Digest([7; 32]));
    assert_eq!(latest(&bench), vec![(Act::GrantSet, caller(), Identity::Ceremony)]);
    bench.grant(7, &[], Scope::default());
    assert_eq!(latest(&bench), vec![(Act::GrantRemoved, caller(), Identity::Ceremony)]);

    let secret = Digest([8; 32]);
    bench.done(Command::MintJoinToken { secret, expires_at: bench.now, requester: CLIENT });
    assert_eq!(latest(&bench), vec![(Act::JoinTokenMinted, About::Token(secret), CLIENT)]);
    bench.apply(1, admit(Some(secret), "three"));
    let member = About::Member(NodeId(3));
    assert_eq!(latest(&bench), vec![(Act::MemberAdmitted, member, CLIENT)], "who invited it");

    let refusals = Command::RecordRefusals { by: OTHER_CLIENT, slug: "forbidden".into(), count: 9 };
    bench.done(refusals);
    assert_eq!(latest(&bench), vec![(Act::Refused, About::Refusals("forbidden".into(), 9), OTHER_CLIENT)]);
    bench.done(Command::Tick { digest: None });
    assert_eq!(latest(&bench), vec![]);
}

/// Mechanism: the early return for a known id in `apply`, and `Step::write_history` behind it.
#[test]
fn i20_what_is_refused_or_logged_twice_leaves_no_row() {
    let mut bench = Bench::ready();
    let serial = bench.issued(60);
    let before = found(&bench, "").len();
    assert!(matches!(bench.apply(1, record("issuing", serial)), Outcome::Refused(_)));
    assert!(matches!(bench.revoke_as(9, serial, Superseded), Outcome::Refused(_)));
    assert_eq!(found(&bench, "").len(), before);
    let command = Command::Revoke { ca: ca("issuing"), serial, reason: Superseded, requester: CLIENT };
    let envelope = bench.envelope(1, command);
    drop(bench.log(envelope.clone()));
    drop(bench.log(envelope));
    assert_eq!(found(&bench, "").len(), before + 1);
}

#[test]
fn commands_of_one_entry_have_rows_of_their_own() {
    let mut bench = Bench::ready();
    let (one, other) = (bench.issued(60), bench.issued(61));
    let envelopes = [one, other].map(|serial| {
        let command = Command::Revoke { ca: ca("issuing"), serial, reason: Superseded, requester: CLIENT };
        bench.envelope(1, command)
    });
    let at = Moment { index: LogIndex(1_000), time: START };
    bench.register.write(apply(&bench.register, at, envelopes).unwrap().changes);
    assert_eq!(found(&bench, "act=certificate-revoked").len(), 2);
}

#[test]
fn a_look_is_bounded_and_goes_on_where_it_ended() {
    let mut bench = Bench::ready();
    for serial in 60..70 {
        bench.issued(serial);
    }
    let all = found(&bench, "");
    for (filter, limit, rows) in [("", 3, 100), ("", 100, 4), ("act=certificate-issued", 1, 5)] {
        let filter: HistoryFilter = filter.parse().unwrap();
        let (mut from, mut seen, mut pages) = (HistoryPlace::default(), Vec::new(), 0);
        loop {
            let HistoryPage { found, next, ended } =
                look(bench.register(), &filter, from, (limit, rows)).unwrap();
            assert!(found.len() <= limit.min(rows));
            seen.extend(found.into_iter().map(|(_, row)| row));
            (from, pages) = (next, pages + 1);
            if ended {
                break;
            }
        }
        assert!(pages > 2, "{pages}");
        let expected: Vec<_> =
            all.iter().filter(|row| limit != 1 || row.act == Act::CertificateIssued).collect();
        assert_eq!(seen.iter().collect::<Vec<_>>(), expected);
    }
    assert_eq!(found(&bench, "act=certificate-issued ca=issuing").len(), 10);
    assert_eq!(found(&bench, "act=certificate-issued by=ceremony").len(), 2);
}

/// Mechanism: `Step::sweep_history`.
#[test]
fn the_history_ends_after_ten_years_a_bounded_part_at_a_time() {
    let mut bench = Bench::ready();
    while bench.rows(&Key::History(HistoryPlace::default())) <= HISTORY_ROWS_PER_TICK {
        bench.grant(9, &[Role::Auditor], Scope::default());
    }
    let old = bench.rows(&Key::History(HistoryPlace::default()));
    bench.wait(HISTORY_KEPT_MS);
    bench.done(Command::Tick { digest: None });
    assert_eq!(found(&bench, "").len(), old, "its time is not over");
    bench.wait(1);
    bench.grant(9, &[Role::Auditor], Scope::default());
    bench.done(Command::Tick { digest: None });
    assert_eq!(found(&bench, "").len(), old + 1 - HISTORY_ROWS_PER_TICK);
    bench.done(Command::Tick { digest: None });
    assert_eq!(found(&bench, "").len(), 1, "what is new stays");
}
