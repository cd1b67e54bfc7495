//! The authority: its ports, what it knows of its own freshness, its caches, and the refusals that it has yet to record.
//! Nothing else.

use ca_core::certificate::{assembled, chain};
use ca_core::ids::CaId;
use ca_core::register::{CertificateState, Register, StorageFault};
use ca_x509::serial::SerialNumber;

use crate::crl::CrlCache;
use crate::error::ActError;
use crate::freshness::Freshness;
use crate::issue::Issued;
use crate::ocsp::{AnswerCache, KnownIssuers};
use crate::ports::{Clock, Entropy, Log, Signer, Verifier};
use crate::refusals::RefusalBook;

/// The outside of one authority.
pub trait Ports: Send + Sync + 'static {
    /// See [`Log`].
    type Log: Log;
    /// See [`Signer`].
    type Signer: Signer;
    /// See [`Verifier`].
    type Verifier: Verifier;
    /// See [`Clock`].
    type Clock: Clock;
    /// See [`Entropy`].
    type Entropy: Entropy;

    /// The log.
    fn log(&self) -> &Self::Log;
    /// The token.
    fn signer(&self) -> &Self::Signer;
    /// The verifier.
    fn verifier(&self) -> &Self::Verifier;
    /// The clock.
    fn clock(&self) -> &Self::Clock;
    /// The random source.
    fn entropy(&self) -> &Self::Entropy;
}

/// One node's certification and validation authority.
pub struct Authority<P> {
    pub(crate) ports: P,
    pub(crate) freshness: Freshness,
    pub(crate) lists: CrlCache,
    pub(crate) answers: AnswerCache,
    pub(crate) issuers: KnownIssuers,
    pub(crate) refusals: RefusalBook,
}

impl<P> std::fmt::Debug for Authority<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("freshness", &self.freshness).finish_non_exhaustive()
    }
}

impl<P: Ports> Authority<P> {
    /// An authority over these ports. Signs nothing before its first fresh ReadIndex (R18).
    pub fn new(ports: P) -> Self {
        let freshness = Freshness::restored(ports.log().stored_as_of());
        Self {
            ports,
            freshness,
            lists: CrlCache::default(),
            answers: AnswerCache::default(),
            issuers: KnownIssuers::default(),
            refusals: RefusalBook::default(),
        }
    }

    /// The ports, for who wires them.
    pub fn ports(&self) -> &P {
        &self.ports
    }

    /// The register as this node has applied it.
    pub fn register(&self) -> &dyn Register {
        self.ports.log().register()
    }

    /// A recorded certificate with its chain; `None` while it has no record. Reads locally.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    pub fn issued(&self, ca: &CaId, serial: SerialNumber) -> Result<Option<Issued>, StorageFault> {
        let register = self.register();
        let Some(entry) = register.certificate(ca, serial)? else { return Ok(None) };
        let CertificateState::Recorded { index, .. } = entry.state else { return Ok(None) };
        let not_after = entry.not_after;
        let Some(certificate) = assembled(register, ca, &entry)? else { return Ok(None) };
        let chain = chain(register, ca)?;
        Ok(Some(Issued { ca: ca.clone(), serial, certificate, chain, not_after, index }))
    }

    /// What was recorded a moment ago.
    pub(crate) fn just_issued(&self, ca: &CaId, serial: SerialNumber) -> Result<Issued, ActError> {
        self.issued(ca, serial)?.ok_or_else(|| {
            ActError::Storage(StorageFault(format!(
                "certificate {serial} of {ca} was recorded and is not there"
            )))
        })
    }
}
