//! Publishes and serves the lists of revocations (R10).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ca_core::command::Command;
use ca_core::crl::tbs;
use ca_core::ids::{CaId, Digest};
use ca_core::outcome::Outcome;
use ca_core::register::{CrlCut, StorageFault};
use ca_x509::certificate::assemble;
use ca_x509::crl::CrlNumber;

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::limits::STATUS_REFRESH_S;
use crate::ports::{Clock, Log};

/// A list as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crl {
    /// What it was made from.
    pub cut: CrlCut,
    /// Its DER, the same octets on every node.
    pub der: Arc<[u8]>,
}

/// The list of each CA that was served last: as many as there are CAs.
#[derive(Debug, Default)]
pub(crate) struct CrlCache {
    lists: Mutex<BTreeMap<CaId, Crl>>,
}

impl<P: Ports> Authority<P> {
    /// Whether `ca` needs a new list: it has none, a status changed since, or it is past 45 % of its life.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    pub fn crl_due(&self, ca: &CaId) -> Result<bool, StorageFault> {
        let register = self.register();
        let active = register.issuer(ca)?.is_some_and(|issuer| issuer.certificate.is_some());
        let scope = register.crl_scope(ca)?.unwrap_or_default();
        let now = self.ports.clock().now().seconds();
        Ok(active
            && scope.current.is_none_or(|current| {
                let age_s = now.0.saturating_sub(current.cut.this_update.0);
                scope.changed > current.cut.index || age_s > STATUS_REFRESH_S
            }))
    }

    /// Cuts, signs and records the next list of `ca`. A crash after the cut leaves a gap in the numbers.
    ///
    /// # Errors
    /// [`ActError`]; a [`Refusal::CutOpen`](ca_core::outcome::Refusal::CutOpen) means that another node is at it.
    pub async fn publish_crl(&self, ca: &CaId) -> Result<CrlNumber, ActError> {
        self.wait_until_fresh().await?;
        let applied = self.ports.log().append(Command::CutCrl { ca: ca.clone() }).await?;
        let Outcome::CrlCut(CrlCut { number, .. }) = *applied.outcome() else {
            return Err(ActError::from_outcome(applied.into_outcome()));
        };
        let permit = applied.into_crl_permit(ca).map_err(ActError::from_outcome)?;
        let order = permit.order(self.register())?;
        let signature = self.sign(order).await?;
        let tbs_digest = Digest::of(signature.message());
        let signature = signature.into_octets();
        let record = Command::RecordCrl { ca: ca.clone(), number, tbs_digest, signature };
        let applied = self.ports.log().append(record).await?;
        // COMMIT: after this line the list exists on every node.
        match applied.into_outcome() {
            Outcome::Done => Ok(number),
            outcome => Err(ActError::from_outcome(outcome)),
        }
    }

    /// The current list of `ca`; `None` if there is none, or if it has expired and must not pass for fresh (I12).
    ///
    /// # Errors
    /// [`StorageFault`], also if the list made here is not the one that was signed (I23): the node must stop.
    pub fn crl(&self, ca: &CaId) -> Result<Option<Crl>, StorageFault> {
        let register = self.register();
        let Some(current) = register.crl_scope(ca)?.and_then(|scope| scope.current) else { return Ok(None) };
        if current.cut.next_update <= self.ports.clock().now().seconds() {
            return Ok(None);
        }
        if let Some(known) = self.lists.get(ca).filter(|known| known.cut == current.cut) {
            return Ok(Some(known));
        }
        let Some(issuer) = register.issuer(ca)? else { return Ok(None) };
        let tbs = tbs(register, ca, &issuer, &current.cut)?;
        if Digest::of(&tbs) != current.tbs_digest {
            let number = current.cut.number.0;
            return Err(StorageFault(format!("CRL {number:x} of {ca} is not the one that was signed")));
        }
        let der = assemble(&tbs, issuer.algorithm, &current.signature).into();
        let list = Crl { cut: current.cut, der };
        self.lists.put(ca, &list);
        Ok(Some(list))
    }
}

impl CrlCache {
    fn get(&self, ca: &CaId) -> Option<Crl> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).get(ca).cloned()
    }

    fn put(&self, ca: &CaId, list: &Crl) {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).insert(ca.clone(), list.clone());
    }
}
