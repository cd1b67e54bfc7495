//! When a node needs a new certificate for its OCSP responder key, and what to ask for.

use ca_core::ids::CaId;
use ca_core::permit::ResponderKey;
use ca_core::plan::{CertificateRequest, NamesFrom};
use ca_core::register::StorageFault;
use ca_x509::certificate::TbsCertificate;
use ca_x509::key::PublicKey;
use ca_x509::name::DistinguishedName;

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::ports::{Clock, Log};

impl<P: Ports> Authority<P> {
    /// What this node should ask `ca` for, so that it can answer OCSP with `key`; `None` while its certificate is
    /// for that key and in the first half of its life.
    ///
    /// # Errors
    /// [`ActError::Storage`], [`ActError::Unexpected`]
    pub fn responder_request(
        &self,
        ca: &CaId,
        key: &PublicKey,
    ) -> Result<Option<CertificateRequest>, ActError> {
        let node = self.ports.log().node();
        if let Some(current) = ResponderKey::of(self.register(), ca, node)?
            && current.public_key() == key
            && !self.past_half(ca, &current)?
        {
            return Ok(None);
        }
        let name = |e: &dyn std::fmt::Display| ActError::Unexpected(e.to_string());
        let subject = DistinguishedName::new()
            .common_name(format!("OCSP responder {node} of {ca}"))
            .build()
            .map_err(|e| name(&e))?;
        Ok(Some(CertificateRequest {
            profile: "ocsp-responder".parse().map_err(|e| name(&e))?,
            ca: Some(ca.clone()),
            public_key: key.clone(),
            subject,
            names: Vec::new(),
            names_from: NamesFrom::Caller,
            ttl_s: None,
            certifies: None,
            limits: None,
            responder: Some(node),
        }))
    }

    fn past_half(&self, ca: &CaId, current: &ResponderKey) -> Result<bool, StorageFault> {
        let Some(entry) = self.register().certificate(ca, current.serial)? else { return Ok(true) };
        let Ok(tbs) = TbsCertificate::decode(&entry.tbs) else { return Ok(true) };
        let half = tbs.not_before.0.midpoint(tbs.not_after.0);
        Ok(self.ports.clock().now().seconds().0 >= half)
    }
}
