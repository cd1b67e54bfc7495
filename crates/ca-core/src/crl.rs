//! The list of revocations that a cut fixes: a function of the register, the same on every node (R10).

use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use ca_x509::crl::{CrlEntry, CrlScope, TbsCrl};
use ca_x509::serial::SerialNumber;

use crate::planted::{Bug, planted};
use crate::register::{CrlCut, Issuer, Key, Register, Revocation, StatusChange, StorageFault, Value};
use crate::shards::{ListId, ListKind, Part, Shards};

/// A list before its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListTbs {
    /// The TBSCertList.
    pub der: Vec<u8>,
    /// How many certificates it tells of.
    pub entries: usize,
}

/// The TBSCertList of a cut.
///
/// What happened after the cut is not in it: each revocation keeps its history, so that the list can be made at
/// any later time, after a restart or from a snapshot.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn tbs(
    register: &dyn Register,
    list: &ListId,
    issuer: &Issuer,
    cut: &CrlCut,
) -> Result<ListTbs, StorageFault> {
    let cluster = register.cluster()?.ok_or_else(|| StorageFault("a cut without a cluster".into()))?;
    // A shard's list names its place, lest another's be put there. The one of everything is complete for each
    // certificate of its CA, wherever it comes from, and names none (RFC 5280 §5.2.5, §6.3.3 (b)(2)): whoever checks
    // whole chains (openssl -crl_check_all, curl, nginx) asks it for a root too, which points nowhere itself.
    let is_of_a_shard = list.part != Part::Whole;
    let place = cluster.urls.crl(list, ListKind::Complete);
    let freshest = match cut.kind() {
        ListKind::Complete => vec![cluster.urls.crl(list, ListKind::Delta)],
        ListKind::Delta => Vec::new(),
    };
    let tbs = TbsCrl {
        signature_algorithm: issuer.algorithm,
        issuer: issuer.subject.clone(),
        this_update: cut.this_update,
        next_update: cut.next_update,
        number: cut.number,
        authority_key_identifier: issuer.public_key.key_identifier(),
        // A delta has the scope of its base, octet for octet (RFC 5280 §6.3.3 (c)(2)).
        distribution_point: is_of_a_shard.then_some(place),
        // A CA of ours issues to others and to its own responders: neither of the flags would be true.
        scope: CrlScope::All,
        delta_base: cut.base.map(|base| base.number),
        freshest_crl: freshest,
        expired_since: None,
    };
    let entries = entries(register, list, issuer.shards, cut)?;
    let count = entries.len();
    let der = tbs.encode(entries).map_err(|e| StorageFault(alloc::format!("the CRL of {list}: {e}")))?;
    Ok(ListTbs { der, entries: count })
}

fn entries(
    register: &dyn Register,
    list: &ListId,
    shards: Shards,
    cut: &CrlCut,
) -> Result<Vec<CrlEntry>, StorageFault> {
    let mut entries = Vec::new();
    register.each(Key::Revocation(list.ca.clone(), shards.first_of(list.part)), |key, value| {
        let (Key::Revocation(of, serial), Value::Revocation(revocation)) = (key, value) else {
            return ControlFlow::Break(());
        };
        let is_in_part = list.part == Part::Whole || shards.of(*serial) == list.part;
        if *of != list.ca || !is_in_part {
            return ControlFlow::Break(());
        }
        entries.extend(entry(*serial, &revocation, cut));
        ControlFlow::Continue(())
    })?;
    Ok(entries)
}

/// What a cut tells of one certificate.
fn entry(serial: SerialNumber, revocation: &Revocation, cut: &CrlCut) -> Option<CrlEntry> {
    let event = revocation.as_of(cut.index)?;
    // RFC 5280 §3.3: it has been on a scheduled list that came after its end. One that was revoked after its end, and
    // after that list, has not.
    let may_leave = revocation.not_after < cut.ended_before && event.since < cut.ended_before;
    let gone = planted(Bug::PurgedTooEarly) && revocation.not_after < cut.this_update;
    let is_told = match cut.base {
        // RFC 5280 §5.2.4: a delta tells of every change since its base, and of what was on hold for a while in between;
        // also of a reason that changed after the end, for the base may have the entry with the old one.
        Some(base) => event.index > base.index,
        None => !may_leave,
    };
    if gone || !is_told {
        return None;
    }
    match (event.change, cut.kind()) {
        (StatusChange::Released, ListKind::Delta) => Some(CrlEntry::removed(serial, event.since)),
        (StatusChange::Released, ListKind::Complete) => None,
        (change, _) => Some(CrlEntry::revoked(serial, event.since, change.reason())),
    }
}
