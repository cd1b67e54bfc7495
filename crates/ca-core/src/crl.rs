//! The list of revocations that a cut fixes: a function of the register, the same on every node (R10).

use alloc::vec::Vec;
use core::ops::ControlFlow;

use ca_x509::crl::{CrlEntry, CrlScope, TbsCrl};
use ca_x509::serial::SerialNumber;

use crate::ids::CaId;
use crate::register::{CrlCut, Issuer, Key, Register, StorageFault, Value};

/// The TBSCertList of a cut, in DER.
///
/// What happened after the cut is not in it: each revocation keeps its history, so that the list can be made at
/// any later time, after a restart or from a snapshot.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn tbs(
    register: &dyn Register,
    ca: &CaId,
    issuer: &Issuer,
    cut: &CrlCut,
) -> Result<Vec<u8>, StorageFault> {
    let cluster = register.cluster()?.ok_or_else(|| StorageFault("a cut without a cluster".into()))?;
    let list = TbsCrl {
        signature_algorithm: issuer.algorithm,
        issuer: issuer.subject.clone(),
        this_update: cut.this_update,
        next_update: cut.next_update,
        number: cut.number,
        authority_key_identifier: issuer.public_key.key_identifier(),
        distribution_point: Some(cluster.urls.crl(ca)),
        scope: CrlScope::All,
        delta_base: None,
        freshest_crl: Vec::new(),
        expired_since: None,
    };
    let entries = entries(register, ca, cut)?;
    list.encode(entries).map_err(|e| StorageFault(alloc::format!("the CRL of {ca}: {e}")))
}

fn entries(register: &dyn Register, ca: &CaId, cut: &CrlCut) -> Result<Vec<CrlEntry>, StorageFault> {
    let mut entries = Vec::new();
    register.each(Key::Revocation(ca.clone(), SerialNumber::MIN), |key, value| {
        let (Key::Revocation(of, serial), Value::Revocation(revocation)) = (key, value) else {
            return ControlFlow::Break(());
        };
        if of != ca {
            return ControlFlow::Break(());
        }
        if let Some(event) = revocation.as_of(cut.index) {
            entries.push(CrlEntry::revoked(*serial, event.revoked_at, event.change.reason()));
        }
        ControlFlow::Continue(())
    })?;
    Ok(entries)
}
