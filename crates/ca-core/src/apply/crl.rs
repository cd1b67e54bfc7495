//! Cuts of the lists of revocations (R10).

use alloc::vec::Vec;

use ca_x509::crl::CrlNumber;
use ca_x509::time::UnixSeconds;

use super::{Halt, Step};
use crate::ids::{CaId, Digest};
use crate::limits::{CUT_OPEN_MAX_MS, STATUS_LIFE_S};
use crate::outcome::{Outcome, Refusal};
use crate::register::{Cluster, CrlCut, Key, SignedCrl, Value};

impl Step<'_> {
    /// Fixes number, index and times of the next list. The number rises even if the cut is never signed (I13).
    pub(super) fn cut_crl(&mut self, cluster: &Cluster, ca: CaId) -> Result<Outcome, Halt> {
        let issuer = self.register.issuer(&ca)?.ok_or_else(|| Refusal::UnknownCa { ca: ca.clone() })?;
        if issuer.certificate.is_none() {
            return Err(Refusal::CaInactive { ca }.into());
        }
        if self.register.key_proof(issuer.public_key.key_identifier(), self.id.node)?.is_none() {
            return Err(Refusal::NotSigning { node: self.id.node }.into());
        }
        let mut scope = self.register.crl_scope(&ca)?.unwrap_or_default();
        if let Some(open) = &scope.open
            && self.now.since(open.cut_at) <= CUT_OPEN_MAX_MS
        {
            return Err(Refusal::CutOpen { ca }.into());
        }
        let counter = scope.last_counter.saturating_add(1);
        let this_update = self.now.seconds();
        let cut = CrlCut {
            number: CrlNumber(u128::from(cluster.epoch.0) << 64 | u128::from(counter)),
            index: self.index,
            owner: self.id,
            cut_at: self.now,
            this_update,
            next_update: UnixSeconds(this_update.0.saturating_add(STATUS_LIFE_S)),
        };
        if let Some(current) = &scope.current {
            assert!(cut.number > current.cut.number, "CRL numbers rise (I13)");
            assert!(cut.this_update >= current.cut.this_update, "register time rises (R8)");
        }
        scope.last_counter = counter;
        scope.open = Some(cut.clone());
        self.set(Key::CrlScope(ca), Value::CrlScope(scope));
        Ok(Outcome::CrlCut(cut))
    }

    /// COMMIT: once this entry is on a majority's disks the list exists, the same octets on every node.
    pub(super) fn record_crl(
        &mut self,
        ca: CaId,
        number: CrlNumber,
        tbs_digest: Digest,
        signature: Vec<u8>,
    ) -> Result<Outcome, Halt> {
        let mut scope = self.register.crl_scope(&ca)?.unwrap_or_default();
        let awaited = |cut: &CrlCut| {
            cut.number == number && (cut.owner.node, cut.owner.boot) == (self.id.node, self.id.boot)
        };
        let Some(cut) = scope.open.take_if(|cut| awaited(cut)) else {
            return Err(Refusal::CutClosed { ca }.into());
        };
        scope.current = Some(SignedCrl { cut, tbs_digest, signature });
        self.set(Key::CrlScope(ca), Value::CrlScope(scope));
        Ok(Outcome::Done)
    }

    /// The current list no longer tells everything.
    pub(super) fn list_changed(&mut self, ca: &CaId) -> Result<(), Halt> {
        let mut scope = self.register.crl_scope(ca)?.unwrap_or_default();
        scope.changed = self.index;
        self.set(Key::CrlScope(ca.clone()), Value::CrlScope(scope));
        Ok(())
    }
}
