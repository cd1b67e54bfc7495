//! Permission to sign, as a value.
//!
//! A CA key signs only what a quorum has committed (I4, R1). The only way to a [`SigningOrder`] for a CA key leads
//! through a [`Permit`] or [`CrlPermit`], the only way to those through an [`Applied`] that [`crate::apply::apply`]
//! made on this node for a command that was applied for the first time and whose waiter still lives (R7).
//! None of them can be cloned, sent or made from parts; each is consumed by use.

use alloc::sync::Arc;
use alloc::vec::Vec;

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::{KeyIdentifier, PublicKey};
use ca_x509::request::info_der;
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use crate::ids::{CaId, Digest, LogIndex, NodeId, RequestId};
use crate::outcome::Outcome;
use crate::register::{CertificateState, CrlCut, Issuer, Register, StorageFault};
use crate::shards::ListId;

/// What this node's own apply of one command came to.
///
/// The apply loop hands it to the waiter that is registered under the command's id in this boot, and drops it if
/// there is none: so no permit survives a replay.
#[derive(Debug)]
#[must_use = "an applied command that nobody looks at was in vain"]
pub struct Applied {
    request: RequestId,
    index: LogIndex,
    outcome: Outcome,
    occurrence: Occurrence,
}

/// Whether a command was applied now or had been before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occurrence {
    First,
    Duplicate,
}

impl Applied {
    pub(crate) fn new(request: RequestId, index: LogIndex, outcome: Outcome, occurrence: Occurrence) -> Self {
        Self { request, index, outcome, occurrence }
    }

    /// An outcome that was read back from the register, because a snapshot skipped the entry. Bears no permit.
    pub fn recalled(request: RequestId, index: LogIndex, outcome: Outcome) -> Self {
        Self { request, index, outcome, occurrence: Occurrence::Duplicate }
    }

    /// The command.
    #[must_use]
    pub fn request(&self) -> RequestId {
        self.request
    }

    /// The log entry that it was applied at.
    #[must_use]
    pub fn index(&self) -> LogIndex {
        self.index
    }

    /// What it came to.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The outcome, where no permission is looked for.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        self.outcome
    }

    /// Permission to sign the intent that was committed.
    ///
    /// # Errors
    /// The outcome itself, if it is not a committed intent or this is not its first application.
    pub fn into_permit(self) -> Result<Permit, Outcome> {
        match (self.outcome, self.occurrence) {
            (Outcome::IntentCommitted { ca, serial, tbs_digest }, Occurrence::First) => {
                Ok(Permit { ca, serial, tbs_digest })
            }
            (outcome, _) => Err(outcome),
        }
    }

    /// Permission to sign the request for a CA's certificate.
    ///
    /// # Errors
    /// The outcome itself, if it is not such a request or this is not its first application.
    pub fn into_request_permit(self) -> Result<RequestPermit, Outcome> {
        match (self.outcome, self.occurrence) {
            (Outcome::CaRequestCommitted { ca, info_digest }, Occurrence::First) => {
                Ok(RequestPermit { ca, owner: self.request, info_digest })
            }
            (outcome, _) => Err(outcome),
        }
    }

    /// Permission to sign the CRL that was cut.
    ///
    /// # Errors
    /// The outcome itself, if it is not a cut or this is not its first application.
    pub fn into_crl_permit(self, list: &ListId) -> Result<CrlPermit, Outcome> {
        match (self.outcome, self.occurrence) {
            (Outcome::CrlCut(cut), Occurrence::First) => Ok(CrlPermit { list: list.clone(), cut: *cut }),
            (outcome, _) => Err(outcome),
        }
    }
}

/// Permission to sign the request for one CA's certificate, once.
#[derive(Debug)]
#[must_use = "a permit that is dropped leaves a request to be asked for again"]
pub struct RequestPermit {
    ca: CaId,
    owner: RequestId,
    info_digest: Digest,
}

impl RequestPermit {
    /// What to sign: the CertificationRequestInfo, built here from the register.
    ///
    /// # Errors
    /// [`OrderError`] if the register does not hold this request open with these octets.
    pub fn order(self, register: &dyn Register) -> Result<SigningOrder, OrderError> {
        let issuer = issuer_of(register, &self.ca)?;
        let open = register.ca_request(&self.ca)?;
        let info = info_der(&issuer.subject, &issuer.public_key);
        let is_ours = open.is_some_and(|request| request.owner == self.owner && request.signature.is_none());
        if !is_ours || Digest::of(&info) != self.info_digest {
            return Err(OrderError::NotCommitted);
        }
        Ok(SigningOrder::with(&issuer.public_key, issuer.algorithm, info))
    }
}

/// Permission to sign one TBSCertificate, once.
#[derive(Debug)]
#[must_use = "a permit that is dropped leaves an intent to be abandoned"]
pub struct Permit {
    ca: CaId,
    serial: SerialNumber,
    tbs_digest: Digest,
}

impl Permit {
    /// What to sign, and with which key: exactly the committed octets (I4, I19).
    ///
    /// # Errors
    /// [`OrderError`] if the register does not hold this intent open with these octets.
    pub fn order(self, register: &dyn Register) -> Result<SigningOrder, OrderError> {
        let issuer = issuer_of(register, &self.ca)?;
        let entry = register
            .certificate(&self.ca, self.serial)?
            .filter(|entry| {
                entry.state == CertificateState::Open && Digest::of(&entry.tbs) == self.tbs_digest
            })
            .ok_or(OrderError::NotCommitted)?;
        Ok(SigningOrder::with(&issuer.public_key, issuer.algorithm, entry.tbs.clone()))
    }
}

/// Permission to sign one CRL, once.
#[derive(Debug)]
#[must_use = "a permit that is dropped leaves a gap in the CRL numbers"]
pub struct CrlPermit {
    list: ListId,
    cut: CrlCut,
}

impl CrlPermit {
    /// What to sign: the TBSCertList is built here from the register as it was at the cut (R10).
    ///
    /// # Errors
    /// [`OrderError`] if the register does not hold this cut open.
    pub fn order(self, register: &dyn Register) -> Result<SigningOrder, OrderError> {
        let issuer = issuer_of(register, &self.list.ca)?;
        let open = register.crl_scope(&self.list)?.and_then(|scope| scope.open);
        if open.as_ref() != Some(&self.cut) {
            return Err(OrderError::NotCommitted);
        }
        let tbs = crate::crl::tbs(register, &self.list, &issuer, &self.cut)?;
        Ok(SigningOrder::with(&issuer.public_key, issuer.algorithm, tbs.der))
    }
}

/// A node's OCSP responder key for one CA: the one kind of key that signs what no quorum has committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponderKey {
    /// The serial of its certificate under the CA.
    pub serial: SerialNumber,
    /// The DER of its certificate, which travels in every answer.
    pub certificate: Vec<u8>,
    /// When its certificate stops being valid: nobody believes it then.
    pub not_after: UnixSeconds,
    public_key: PublicKey,
    algorithm: SignatureAlgorithm,
}

impl ResponderKey {
    /// The responder key of `node` for `ca`, if its certificate is recorded and not revoked.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    pub fn of(register: &dyn Register, ca: &CaId, node: NodeId) -> Result<Option<Self>, StorageFault> {
        let Some(serial) = register.responder(ca, node)? else { return Ok(None) };
        if register.revocation(ca, serial)?.is_some_and(|revocation| revocation.in_force().is_some()) {
            return Ok(None);
        }
        let Some(certificate) = crate::certificate::der(register, ca, serial)? else { return Ok(None) };
        let Some(entry) = register.certificate(ca, serial)? else { return Ok(None) };
        let tbs = ca_x509::certificate::TbsCertificate::decode(&entry.tbs)
            .map_err(|e| StorageFault(alloc::format!("certificate {serial} of {ca}: {e}")))?;
        let algorithm = SignatureAlgorithm::default_for(tbs.public_key.kind());
        let not_after = entry.not_after;
        Ok(Some(Self { serial, certificate, not_after, public_key: tbs.public_key, algorithm }))
    }

    /// The key that answers are verified with.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// How it signs.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// What to sign.
    pub fn order(&self, response_data: Vec<u8>) -> SigningOrder {
        SigningOrder::with(&self.public_key, self.algorithm, response_data)
    }
}

/// What a token is asked to sign. Its private half is found by the key identifier, its result verified with the
/// public key that stands here (R13).
#[derive(Debug)]
#[must_use = "an order is there to be carried out"]
pub struct SigningOrder {
    public_key: PublicKey,
    algorithm: SignatureAlgorithm,
    message: Vec<u8>,
}

impl SigningOrder {
    /// An order that nobody permitted: for the bugs that forge one.
    #[cfg(feature = "planted")]
    pub fn unpermitted(issuer: &Issuer, message: Vec<u8>) -> Self {
        Self::with(&issuer.public_key, issuer.algorithm, message)
    }

    fn with(public_key: &PublicKey, algorithm: SignatureAlgorithm, message: Vec<u8>) -> Self {
        Self { public_key: public_key.clone(), algorithm, message }
    }

    /// Names the private key in the token (`CKA_ID`).
    #[must_use]
    pub fn key(&self) -> KeyIdentifier {
        self.public_key.key_identifier()
    }

    /// What the signature is verified with: from the register, never from the token.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// How to sign.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// What to sign, not hashed.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }
}

/// A permit that the register does not bear out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Abandoned, superseded or replaced meanwhile.
    #[error("what the permit is for is no longer open")]
    NotCommitted,
    /// The disk failed: the node must stop.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

fn issuer_of(register: &dyn Register, ca: &CaId) -> Result<Arc<Issuer>, OrderError> {
    register.issuer(ca)?.ok_or(OrderError::NotCommitted)
}
