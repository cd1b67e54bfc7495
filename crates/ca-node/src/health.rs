//! What this node is ready for.

use std::sync::atomic::{AtomicBool, Ordering};

use ca_authority::Ports as _;
use ca_authority::limits::VA_GRACE_MS;
use ca_authority::ports::{Clock as _, Log as _, Signer as _};
use ca_core::register::StorageFault;
use ca_core::shards::ListKind;
use ca_http::{Health, ReadyRole};
use tokio::sync::watch;

use crate::limits::STALENESS_MAX_MS;
use crate::ports::NodeAuthority;
use crate::tasks::has_status;

/// See [`Health`].
pub(crate) struct NodeHealth {
    authority: NodeAuthority,
    draining: AtomicBool,
    fault: watch::Sender<Option<StorageFault>>,
}

impl NodeHealth {
    pub(crate) fn new(authority: NodeAuthority) -> Self {
        Self { authority, draining: AtomicBool::new(false), fault: watch::Sender::new(None) }
    }

    /// Balancers are told to go elsewhere from now on.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Waits for a fault that a door met.
    pub(crate) async fn failed(&self) -> StorageFault {
        let mut fault = self.fault.subscribe();
        loop {
            if let Some(fault) = fault.borrow_and_update().clone() {
                return fault;
            }
            // The sender lives as long as this.
            let _ = fault.changed().await;
        }
    }

    fn age_ms(&self) -> Result<u64, String> {
        let as_of = self.authority.as_of().ok_or("not confirmed by a quorum yet")?;
        Ok(self.authority.ports().clock().now().since(as_of))
    }

    fn can_write(&self) -> Result<(), String> {
        let age = self.age_ms()?;
        if age > 2_000 {
            return Err(format!("no contact with a quorum for {age} ms"));
        }
        // Until then the others' quorum does without it: who counts the ready ones would count one too many.
        if !self.authority.ports().log().standing().votes {
            return Err("does not vote yet".to_owned());
        }
        self.signs_status()?;
        let register = self.authority.register();
        for (ca, issuer) in register.issuers().map_err(|e| e.to_string())? {
            // One that is being made is nobody's yet.
            if issuer.certificate.is_none() {
                continue;
            }
            let key = issuer.public_key.key_identifier();
            let proven = register.key_proof(key, self.authority.ports().log().node());
            if proven.map_err(|e| e.to_string())?.is_none() {
                return Err(format!("the key of `{ca}` is not proven here yet"));
            }
            if !self.authority.ports().signer().holds(key) {
                return Err(format!("the token does not sign with the key of `{ca}`"));
            }
        }
        Ok(())
    }

    /// Every active CA has a certified responder here and its lists.
    fn signs_status(&self) -> Result<(), String> {
        let register = self.authority.register();
        let node = self.authority.ports().log().node();
        for (ca, issuer) in register.issuers().map_err(|e| e.to_string())? {
            // A CA that waits for its certificate, or whose last one has ended, has no status to tell.
            if !has_status(&self.authority, &issuer) {
                continue;
            }
            let responder = register.responder(&ca, node).map_err(|e| e.to_string())?;
            if responder.is_none() {
                return Err(format!("no OCSP responder certificate from `{ca}` yet"));
            }
            for list in issuer.lists(&ca) {
                let served = self.authority.crl(&list, ListKind::Complete).map_err(|e| e.to_string())?;
                if served.is_none() {
                    return Err(format!("no current CRL `{list}`"));
                }
            }
        }
        Ok(())
    }
}

impl Health for NodeHealth {
    fn storage_failed(&self, fault: &StorageFault) {
        self.fault.send_replace(Some(fault.clone()));
    }

    fn ready(&self, role: ReadyRole) -> Result<(), String> {
        if self.draining.load(Ordering::SeqCst) {
            return Err("stopping".to_owned());
        }
        match role {
            ReadyRole::Write => self.can_write(),
            ReadyRole::Va => {
                let age = self.age_ms()?;
                if age > STALENESS_MAX_MS {
                    return Err(format!("no contact with a quorum for {age} ms"));
                }
                self.signs_status()
            }
            ReadyRole::VaStale => {
                let age = self.age_ms()?;
                if age > VA_GRACE_MS { Err(format!("{age} ms without a quorum")) } else { Ok(()) }
            }
        }
    }
}
