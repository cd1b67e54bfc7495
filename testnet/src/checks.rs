//! The promises, over everything that the clients saw (docs/promises.md).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use crate::history::{Asked, Operation, Said, Status};
use crate::limits::STATUS_LAG_S;
use crate::linearizable::{Call, is_linearizable};

/// What a promise was broken by; none if all hold.
///
/// # Errors
/// A history that is too long to be checked.
pub fn broken(history: &[Operation]) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    faults.extend(one_serial_one_certificate(history));
    faults.extend(one_key_one_certificate(history));
    faults.extend(never_good_for_the_unissued(history));
    faults.extend(status_goes_one_way(history));
    faults.extend(lists_rise(history));
    faults.extend(only_waits_are_refused(history));
    faults.extend(linearizable(history)?);
    Ok(faults)
}

/// I1.
fn one_serial_one_certificate(history: &[Operation]) -> Vec<String> {
    let mut of_serial = BTreeMap::new();
    let issued = history.iter().filter_map(Operation::issued);
    issued
        .filter_map(|(key, serial, der)| {
            let (first_key, first_der) = *of_serial.entry(serial).or_insert((key, der));
            (first_key != key || first_der != der).then(|| format!("I1: {serial} was issued twice"))
        })
        .collect()
}

/// I7.
fn one_key_one_certificate(history: &[Operation]) -> Vec<String> {
    let mut of_key = BTreeMap::new();
    let issued = history.iter().filter_map(Operation::issued);
    issued
        .filter_map(|(key, serial, _)| {
            let first = *of_key.entry(key).or_insert(serial);
            (first != serial).then(|| format!("I7: key {key:x} has {first} and {serial}"))
        })
        .collect()
}

/// I8; and what is issued is never unknown after its acknowledgement (I9).
fn never_good_for_the_unissued(history: &[Operation]) -> Vec<String> {
    let issued: BTreeMap<SerialNumber, Duration> = history
        .iter()
        .filter_map(|operation| operation.issued().map(|(_, serial, _)| (serial, operation.ended)))
        .rev()
        .collect();
    let asked = history.iter().filter_map(|operation| match (operation.asked, &operation.said) {
        (Asked::Ocsp(serial), Said::Ocsp(status, _)) => Some((operation, serial, *status)),
        _ => None,
    });
    asked
        .filter_map(|(operation, serial, status)| match (issued.get(&serial), status) {
            (None, Status::Good) => Some(format!("I8: node {} says good of {serial}", operation.node)),
            (Some(at), Status::Unknown) if operation.begun > *at => {
                Some(format!("I9: node {} does not know {serial}", operation.node))
            }
            _ => None,
        })
        .collect()
}

/// I10 by thisUpdate, and I11: no answer dated 5 s and more after the acknowledgement of a revocation says good. What
/// nobody asked to revoke is never revoked.
fn status_goes_one_way(history: &[Operation]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut asked: BTreeSet<SerialNumber> = BTreeSet::new();
    let mut acknowledged: BTreeMap<SerialNumber, UnixSeconds> = BTreeMap::new();
    let issued: BTreeSet<_> =
        history.iter().filter_map(|operation| operation.issued().map(|(_, serial, _)| serial)).collect();
    for operation in history {
        if let Asked::Revoke(serial) = operation.asked {
            asked.insert(serial);
        }
        if let Some(serial) = operation.revoked() {
            let at = acknowledged.entry(serial).or_insert(operation.at);
            *at = (*at).min(operation.at);
        }
    }
    let mut answers: BTreeMap<SerialNumber, Vec<(UnixSeconds, Status)>> = BTreeMap::new();
    for operation in history {
        let (Asked::Ocsp(serial), Said::Ocsp(status, since)) = (operation.asked, &operation.said) else {
            continue;
        };
        if issued.contains(&serial) {
            answers.entry(serial).or_default().push((*since, *status));
        }
    }
    for (serial, answers) in &answers {
        let of = |wanted: Status| {
            answers.iter().filter(move |(_, status)| *status == wanted).map(|(since, _)| *since)
        };
        let (last_good, first_revoked) = (of(Status::Good).max(), of(Status::Revoked).min());
        if first_revoked.is_some() && !asked.contains(serial) {
            faults.push(format!("I10: {serial} is revoked, and nobody asked for it"));
        }
        if let (Some(good), Some(revoked)) = (last_good, first_revoked)
            && good > revoked
        {
            faults.push(format!("I10: {serial} is good at {good}, and was revoked at {revoked}"));
        }
        if let (Some(good), Some(at)) = (last_good, acknowledged.get(serial))
            && good.0 >= at.0.saturating_add(STATUS_LAG_S)
        {
            faults.push(format!("I11: {serial} is good at {good}, its revocation was acknowledged at {at}"));
        }
    }
    faults
}

/// I13, I14, I15: one number is one list, a node's numbers do not fall, and who is on a list is on every later one.
fn lists_rise(history: &[Operation]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut lists = BTreeMap::new();
    let mut of_node: BTreeMap<usize, Vec<(Duration, Duration, u128)>> = BTreeMap::new();
    for operation in history {
        let Said::List(number, digest, serials) = &operation.said else { continue };
        let (first, _) = lists.entry(*number).or_insert((*digest, serials));
        if first != digest {
            faults.push(format!("I13: list {number:x} has two contents"));
        }
        of_node.entry(operation.node).or_default().push((operation.begun, operation.ended, *number));
    }
    for (node, seen) in &of_node {
        let mut by_end = seen.clone();
        by_end.sort_by_key(|(_, ended, _)| *ended);
        for (begun, _, number) in seen {
            let before =
                by_end.iter().take_while(|(_, ended, _)| ended < begun).map(|(_, _, number)| *number).max();
            if before.is_some_and(|before| before > *number) {
                faults.push(format!("I13: node {node} went back to list {number:x}"));
            }
        }
    }
    for ((_, (_, earlier)), (number, (_, later))) in lists.iter().zip(lists.iter().skip(1)) {
        if let Some(gone) = earlier.difference(later).next() {
            faults.push(format!("I14: {gone} is not on list {number:x} any more"));
        }
    }
    faults
}

/// A client with every right and good requests is told to wait and nothing else.
fn only_waits_are_refused(history: &[Operation]) -> Vec<String> {
    let refusals = history.iter().filter_map(|operation| match &operation.said {
        Said::Refused(status, slug) => Some((*status, slug.clone(), operation.asked)),
        _ => None,
    });
    // One attempt under a key is open while another one comes: 409 says so, and to come again.
    let waits =
        |status: u16, slug: &str| status == 503 || slug == "attempt-open" || slug == "intent-abandoned";
    refusals
        .filter(|(status, slug, _)| !waits(*status, slug))
        .map(|(status, slug, asked)| format!("refused: {status} {slug} for {asked:?}"))
        .collect()
}

/// What a call on one serial was, with what came of it.
#[derive(Clone, Copy, Debug)]
enum On {
    Revoke,
    Read(Status),
}

/// I22, for each serial: what happens to it begins when its certificate is acknowledged, for nobody knew it before.
fn linearizable(history: &[Operation]) -> Result<Vec<String>> {
    let mut calls: BTreeMap<SerialNumber, Vec<Call<On>>> = BTreeMap::new();
    for operation in history {
        let (serial, what, ended) = match (operation.asked, &operation.said) {
            (Asked::Read(serial), Said::Status(status)) => (serial, On::Read(*status), Some(operation.ended)),
            (Asked::Revoke(serial), Said::Revoked) => (serial, On::Revoke, Some(operation.ended)),
            // Refused or not: a command that was passed on may still come into the log.
            (Asked::Revoke(serial), Said::Nothing(_) | Said::Refused(..)) => (serial, On::Revoke, None),
            _ => continue,
        };
        calls.entry(serial).or_default().push(Call { begun: operation.begun, ended, what });
    }
    let step = |status: &Status, on: &On| match on {
        On::Revoke => Some(Status::Revoked),
        On::Read(seen) => (seen == status).then_some(*status),
    };
    let mut faults = Vec::new();
    for (serial, calls) in calls {
        if !is_linearizable(Status::Good, &calls, step)? {
            faults.push(format!("I22: no order of these calls on {serial}: {calls:?}"));
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serial(number: u8) -> SerialNumber {
        SerialNumber::from_random([number; 16])
    }

    /// Half a second each, one after the other, on node 0.
    fn history(of: Vec<(Asked, Said)>) -> Vec<Operation> {
        let operation = |(place, (asked, said)): (u64, _)| Operation {
            node: 0,
            begun: Duration::from_secs(place),
            ended: Duration::from_secs(place).saturating_add(Duration::from_millis(500)),
            at: UnixSeconds(1_000_u64.saturating_add(place)),
            asked,
            said,
        };
        (0..).zip(of).map(operation).collect()
    }

    fn issued(key: u64, number: u8) -> (Asked, Said) {
        (Asked::Issue(key), Said::Issued(serial(number), vec![number]))
    }

    fn revoked(number: u8) -> (Asked, Said) {
        (Asked::Revoke(serial(number)), Said::Revoked)
    }

    fn read(number: u8, status: Status) -> (Asked, Said) {
        (Asked::Read(serial(number)), Said::Status(status))
    }

    fn ocsp(number: u8, status: Status, since: u64) -> (Asked, Said) {
        (Asked::Ocsp(serial(number)), Said::Ocsp(status, UnixSeconds(since)))
    }

    fn list(number: u128, digest: u8, of: &[u8]) -> (Asked, Said) {
        (Asked::Crl, Said::List(number, [digest; 32], of.iter().copied().map(serial).collect()))
    }

    #[test]
    fn a_good_history_breaks_nothing() {
        let nothing = || Said::Nothing("gone".to_owned());
        let good = history(vec![
            (Asked::Issue(1), nothing()),
            issued(1, 1),
            issued(1, 1),
            ocsp(1, Status::Good, 1_002),
            read(1, Status::Good),
            (Asked::Revoke(serial(1)), nothing()),
            (Asked::Revoke(serial(1)), Said::Refused(503, "no-quorum".to_owned())),
            read(1, Status::Good),
            revoked(1),
            read(1, Status::Revoked),
            // Still the answer of before: dated before.
            ocsp(1, Status::Good, 1_002),
            ocsp(1, Status::Revoked, 1_009),
            list(1, 1, &[]),
            list(2, 2, &[1]),
            list(2, 2, &[1]),
            ocsp(9, Status::Unknown, 1_010),
        ]);
        assert_eq!(broken(&good).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn each_promise_is_seen_to_be_broken() {
        for (promise, of) in [
            ("I1", vec![issued(1, 1), issued(2, 1)]),
            ("I7", vec![issued(1, 1), issued(1, 2)]),
            ("I8", vec![ocsp(9, Status::Good, 1_000)]),
            ("I9", vec![issued(1, 1), ocsp(1, Status::Unknown, 1_000)]),
            ("I10", vec![issued(1, 1), ocsp(1, Status::Revoked, 1_000)]),
            (
                "I10",
                vec![issued(1, 1), revoked(1), ocsp(1, Status::Revoked, 1_001), ocsp(1, Status::Good, 1_002)],
            ),
            ("I11", vec![issued(1, 1), revoked(1), ocsp(1, Status::Good, 1_006)]),
            ("I13", vec![list(1, 1, &[]), list(1, 2, &[])]),
            ("I13", vec![list(2, 2, &[]), list(1, 1, &[])]),
            ("I14", vec![list(1, 1, &[1]), list(2, 2, &[])]),
            ("I22", vec![issued(1, 1), revoked(1), read(1, Status::Good)]),
            ("I22", vec![issued(1, 1), read(1, Status::Unknown)]),
            ("refused", vec![(Asked::Issue(1), Said::Refused(403, "forbidden".to_owned()))]),
        ] {
            let faults = broken(&history(of)).unwrap();
            assert!(faults.iter().any(|fault| fault.starts_with(promise)), "{promise}: {faults:?}");
        }
    }
}
