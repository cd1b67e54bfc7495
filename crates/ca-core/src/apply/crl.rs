//! Cuts of the lists of revocations (R10).

use alloc::boxed::Box;
use alloc::vec::Vec;

use ca_x509::crl::CrlNumber;
use ca_x509::serial::SerialNumber;

use super::{Halt, Step};
use crate::ids::{CaId, Digest};
use crate::limits::{CUT_OPEN_MAX_MS, DELTA_LIFE_S, STATUS_LIFE_S, STATUS_REFRESH_S};
use crate::outcome::{Outcome, Refusal};
use crate::planted::{Bug, planted};
use crate::register::{Cluster, CrlBase, CrlCut, CrlScope, Key, SignedCrl, Value};
use crate::shards::{ListId, ListKind, Part};

impl Step<'_> {
    /// Fixes number, index and times of the next list. The number rises even if the cut is never signed (I13).
    pub(super) fn cut_crl(
        &mut self,
        cluster: &Cluster,
        list: ListId,
        kind: ListKind,
    ) -> Result<Outcome, Halt> {
        self.may_cut(&list)?;
        let mut scope = self.register.crl_scope(&list)?.unwrap_or_default();
        if let Some(open) = &scope.open
            && self.now.since(open.cut_at) <= CUT_OPEN_MAX_MS
        {
            return Err(Refusal::CutOpen { list }.into());
        }
        let (base, life_s) = match (kind, scope.current.as_deref()) {
            (ListKind::Complete, _) => (None, STATUS_LIFE_S),
            (ListKind::Delta, Some(SignedCrl { cut: CrlCut { number, index, .. }, .. })) => {
                (Some(CrlBase { number: *number, index: *index }), DELTA_LIFE_S)
            }
            (ListKind::Delta, None) => return Err(Refusal::NoBase { list }.into()),
        };
        let counter = if planted(Bug::CrlNumberFromClock) {
            self.now.seconds().0
        } else {
            scope.last_counter.saturating_add(1)
        };
        let this_update = self.now.seconds();
        let cut = CrlCut {
            number: CrlNumber(u128::from(cluster.epoch.0) << 64 | u128::from(counter)),
            index: self.index,
            base,
            ended_before: scope.scheduled,
            owner: self.id,
            cut_at: self.now,
            this_update,
            next_update: this_update.saturating_add(life_s),
        };
        for earlier in [&scope.current, &scope.delta].into_iter().flatten() {
            assert!(cut.number > earlier.cut.number, "CRL numbers rise (I13)");
            assert!(cut.this_update >= earlier.cut.this_update, "register time rises (R8)");
        }
        scope.last_counter = counter;
        scope.open = Some(cut.clone());
        self.set(Key::CrlScope(list), Value::CrlScope(scope));
        Ok(Outcome::CrlCut(Box::new(cut)))
    }

    /// The list is one of an active CA's, and this node has proven its key (R11).
    fn may_cut(&self, list: &ListId) -> Result<(), Halt> {
        let ca = &list.ca;
        let issuer = self.register.issuer(ca)?.ok_or_else(|| Refusal::UnknownCa { ca: ca.clone() })?;
        if issuer.certificate.is_none() {
            return Err(Refusal::CaInactive { ca: ca.clone() }.into());
        }
        if !issuer.shards.parts().any(|part| part == list.part) {
            return Err(Refusal::UnknownList { list: list.clone() }.into());
        }
        if self.register.key_proof(issuer.public_key.key_identifier(), self.id.node)?.is_none() {
            return Err(Refusal::NotSigning { node: self.id.node }.into());
        }
        Ok(())
    }

    /// COMMIT: once this entry is on a majority's disks the list exists, the same octets on every node.
    pub(super) fn record_crl(
        &mut self,
        list: ListId,
        number: CrlNumber,
        tbs_digest: Digest,
        signature: Vec<u8>,
    ) -> Result<Outcome, Halt> {
        let mut scope = self.register.crl_scope(&list)?.unwrap_or_default();
        let awaited = |cut: &CrlCut| {
            cut.number == number && (cut.owner.node, cut.owner.boot) == (self.id.node, self.id.boot)
        };
        let Some(cut) = scope.open.take_if(|cut| awaited(cut)) else {
            return Err(Refusal::CutClosed { list }.into());
        };
        scope.take(SignedCrl { cut, tbs_digest, signature });
        self.set(Key::CrlScope(list), Value::CrlScope(scope));
        Ok(Outcome::Done)
    }

    /// The lists that a certificate stands in no longer tell everything.
    pub(super) fn lists_changed(&mut self, ca: &CaId, serial: SerialNumber) -> Result<(), Halt> {
        let issuer = self.register.issuer(ca)?.ok_or_else(|| Refusal::UnknownCa { ca: ca.clone() })?;
        let shard = Some(issuer.shards.of(serial)).filter(|part| *part != Part::Whole);
        for part in [Some(Part::Whole), shard].into_iter().flatten() {
            let list = ListId { ca: ca.clone(), part };
            let mut scope = self.register.crl_scope(&list)?.unwrap_or_default();
            scope.changed = self.index;
            self.set(Key::CrlScope(list), Value::CrlScope(scope));
        }
        Ok(())
    }
}

impl CrlScope {
    /// Serves this list from now on. A complete one is a scheduled one if it was time for that, whatever it was cut
    /// for: else entries would stay for ever where revocations never pause.
    fn take(&mut self, signed: SignedCrl) {
        let this_update = signed.cut.this_update;
        match signed.cut.kind() {
            ListKind::Delta => self.delta = Some(Box::new(signed)),
            ListKind::Complete => {
                let is_due = this_update.0 >= self.scheduled.0.saturating_add(STATUS_REFRESH_S);
                if is_due {
                    self.scheduled = this_update;
                }
                self.current = Some(Box::new(signed));
            }
        }
    }
}
