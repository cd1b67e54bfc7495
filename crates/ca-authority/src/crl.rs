//! Publishes and serves the lists of revocations (R10).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ca_core::command::Command;
use ca_core::crl::tbs;
use ca_core::ids::{CaId, Digest};
use ca_core::limits::{DELTA_REFRESH_S, STATUS_REFRESH_S};
use ca_core::outcome::{Outcome, Refusal};
use ca_core::register::{CrlCut, CrlScope, SignedCrl, StorageFault};
use ca_core::shards::{ListId, ListKind};
use ca_x509::certificate::assemble;
use ca_x509::crl::CrlNumber;
use ca_x509::time::UnixSeconds;

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::limits::{CRL_OCTETS_PER_S, CRL_PACE_MAX_S, CRL_PACE_MIN_S, CUT_POLL_MS, CUT_TURNS};
use crate::ports::{Clock, Log};

/// A list as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crl {
    /// What it was made from.
    pub cut: CrlCut,
    /// Its DER, the same octets on every node.
    pub der: Arc<[u8]>,
    /// How many certificates it tells of.
    pub entries: usize,
}

/// What became of the lists that were due.
#[derive(Debug, Default)]
#[must_use = "a list that failed is told to the operator"]
pub struct Published {
    /// The new ones.
    pub lists: Vec<(ListId, ListKind, CrlNumber)>,
    /// Why the first that failed did.
    pub failed: Option<ActError>,
}

/// The lists that were served last: as many as there are scopes, twice.
#[derive(Debug, Default)]
pub(crate) struct CrlCache {
    lists: Mutex<BTreeMap<(ListId, ListKind), Crl>>,
}

impl<P: Ports> Authority<P> {
    /// What of this list is to be made anew now: the complete list, for it is the base, before the delta.
    ///
    /// A list is due at 45 % of its life, and soon after a revocation: how soon depends on its size
    /// ([`CRL_OCTETS_PER_S`]), so that a large one is not made again for each. The delta is small, and tells meanwhile.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    pub fn crl_due(&self, list: &ListId) -> Result<Option<ListKind>, StorageFault> {
        let register = self.register();
        let own = register.issuer(&list.ca)?.and_then(|issuer| issuer.certificate.clone());
        let Some(own) = own else { return Ok(None) };
        let scope = register.crl_scope(list)?.unwrap_or_default();
        let Some(current) = &scope.current else { return Ok(Some(ListKind::Complete)) };
        let now = self.ports.clock().now().seconds();
        // Nothing outlives the certificate of the CA that issued it: with that one its last has ended, and one more
        // list has told of all (I14).
        if own.not_after < now && current.cut.this_update > own.not_after {
            return Ok(None);
        }
        let is_stale = scope.changed > current.cut.index;
        let is_its_turn = || -> Result<bool, StorageFault> {
            let octets = self.crl(list, ListKind::Complete)?.map_or(0, |served| served.der.len());
            Ok(age_s(&current.cut, now) >= pace_s(octets))
        };
        if age_s(&current.cut, now) > STATUS_REFRESH_S || is_stale && is_its_turn()? {
            return Ok(Some(ListKind::Complete));
        }
        Ok(delta_due(&scope, current, now).then_some(ListKind::Delta))
    }

    /// Publishes every list that is due: the leader's task. One that fails keeps no other back: a token may lack the key
    /// of one CA alone.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    pub async fn publish_due(&self) -> Result<Published, StorageFault> {
        let mut published = Published::default();
        for (ca, issuer) in self.register().issuers()? {
            for list in issuer.lists(&ca) {
                let Some(kind) = self.crl_due(&list)? else { continue };
                match self.publish_crl(&list, kind).await {
                    Ok(number) => published.lists.push((list, kind, number)),
                    // Another node's cut is being signed, or its owner died and it will give way.
                    Err(ActError::Refused(Refusal::CutOpen { .. })) => {}
                    Err(error) => published.failed = published.failed.or(Some(error)),
                }
            }
        }
        Ok(published)
    }

    /// Cuts, signs and records the next list of this kind. A crash after the cut leaves a gap in the numbers.
    ///
    /// # Errors
    /// [`ActError`]; a [`Refusal::CutOpen`] means that another node is at it.
    pub async fn publish_crl(&self, list: &ListId, kind: ListKind) -> Result<CrlNumber, ActError> {
        self.wait_until_fresh().await?;
        let applied = self.ports.log().append(Command::CutCrl { list: list.clone(), kind }).await?;
        let number = match applied.outcome() {
            Outcome::CrlCut(cut) => cut.number,
            _ => return Err(ActError::from_outcome(applied.into_outcome())),
        };
        let permit = applied.into_crl_permit(list).map_err(ActError::from_outcome)?;
        let order = permit.order(self.register())?;
        let signature = self.sign(order).await?;
        let tbs_digest = Digest::of(signature.message());
        let signature = signature.into_octets();
        let record = Command::RecordCrl { list: list.clone(), number, tbs_digest, signature };
        let applied = self.ports.log().append(record).await?;
        // COMMIT: after this line the list exists on every node.
        match applied.into_outcome() {
            Outcome::Done => Ok(number),
            outcome => Err(ActError::from_outcome(outcome)),
        }
    }

    /// Publishes every list of a CA now, whatever is due: each complete list, and its delta.
    ///
    /// # Errors
    /// [`ActError`] of the first that fails; the others before it are published.
    pub async fn publish_all_crls(&self, ca: &CaId) -> Result<(), ActError> {
        let issuer = self.register().issuer(ca)?.ok_or_else(|| Refusal::UnknownCa { ca: ca.clone() })?;
        for list in issuer.lists(ca) {
            self.publish_in_turn(&list, ListKind::Complete).await?;
            self.publish_in_turn(&list, ListKind::Delta).await?;
        }
        Ok(())
    }

    /// Waits while another node, or the leader's own round, is at this list: what it cuts may not tell of what the
    /// caller has in mind.
    async fn publish_in_turn(&self, list: &ListId, kind: ListKind) -> Result<(), ActError> {
        for _ in 0..CUT_TURNS {
            match self.publish_crl(list, kind).await {
                Err(ActError::Refused(Refusal::CutOpen { .. })) => {
                    self.ports.clock().sleep(CUT_POLL_MS).await
                }
                published => return published.map(|_| ()),
            }
        }
        Err(Refusal::CutOpen { list: list.clone() }.into())
    }

    /// The current list of this kind; `None` if there is none, or if it has expired and must not pass for fresh (I12).
    ///
    /// # Errors
    /// [`StorageFault`], also if the list made here is not the one that was signed (I23): the node must stop.
    pub fn crl(&self, list: &ListId, kind: ListKind) -> Result<Option<Crl>, StorageFault> {
        let register = self.register();
        let Some(scope) = register.crl_scope(list)? else { return Ok(None) };
        let Some(signed) = scope.served(kind) else { return Ok(None) };
        if signed.cut.next_update <= self.ports.clock().now().seconds() {
            return Ok(None);
        }
        if let Some(known) = self.lists.get(list, kind).filter(|known| known.cut == signed.cut) {
            return Ok(Some(known));
        }
        let Some(issuer) = register.issuer(&list.ca)? else { return Ok(None) };
        let tbs = tbs(register, list, &issuer, &signed.cut)?;
        if Digest::of(&tbs.der) != signed.tbs_digest {
            let number = signed.cut.number.0;
            return Err(StorageFault(format!("CRL {number:x} of {list} is not the one that was signed")));
        }
        let der = assemble(&tbs.der, issuer.algorithm, &signed.signature).into();
        let served = Crl { cut: signed.cut.clone(), der, entries: tbs.entries };
        self.lists.put(list, kind, &served);
        Ok(Some(served))
    }
}

/// A delta is due when it is not on top of the current complete list, when it is old, and when there is news; then at
/// the pace of small lists.
fn delta_due(scope: &CrlScope, current: &SignedCrl, now: UnixSeconds) -> bool {
    let on_top = |delta: &&SignedCrl| delta.cut.base.is_some_and(|base| base.number == current.cut.number);
    scope.delta.as_deref().filter(on_top).is_none_or(|delta| {
        let age_s = age_s(&delta.cut, now);
        age_s > DELTA_REFRESH_S || scope.changed > delta.cut.index && age_s >= CRL_PACE_MIN_S
    })
}

fn age_s(cut: &CrlCut, now: UnixSeconds) -> u64 {
    now.0.saturating_sub(cut.this_update.0)
}

/// How long a list of so many octets stands before a revocation has it made anew.
fn pace_s(octets: usize) -> u64 {
    let octets = u64::try_from(octets).unwrap_or(u64::MAX);
    octets.div_euclid(CRL_OCTETS_PER_S).clamp(CRL_PACE_MIN_S, CRL_PACE_MAX_S)
}

impl CrlCache {
    fn get(&self, list: &ListId, kind: ListKind) -> Option<Crl> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).get(&(list.clone(), kind)).cloned()
    }

    fn put(&self, list: &ListId, kind: ListKind, served: &Crl) {
        let key = (list.clone(), kind);
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).insert(key, served.clone());
    }
}
