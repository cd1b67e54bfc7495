//! Answers OCSP requests with this node's own responder key (RFC 6960, RFC 5019, RFC 9654; R9).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use ca_core::ids::{CaId, UnixMillis};
use ca_core::limits::{STATUS_LIFE_S, STATUS_REFRESH_S};
use ca_core::permit::ResponderKey;
use ca_core::planted::{Bug, planted};
use ca_core::register::{Register, StorageFault};
use ca_core::status::{IssuerHashes, Status, told};
use ca_x509::certificate::Certificate;
use ca_x509::ocsp::{
    CertId, CertStatus, OcspError, OcspRequest, ResponseData, SingleResponse, assemble_response,
};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::limits::{ANSWERS_MAX, VA_GRACE_MS};
use crate::ports::{Clock, Log};

/// An answer to an OCSP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspAnswer {
    /// The whole OCSPResponse in DER.
    pub der: Arc<[u8]>,
    /// For the cache headers (RFC 5019 §6); `None` for what must not be cached: errors, nonces, `unknown`.
    pub cacheable: Option<Life>,
}

/// From when to when a signed answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// As signed.
    pub this_update: UnixSeconds,
    /// As signed.
    pub next_update: UnixSeconds,
}

/// Signed answers by CertID, each with the status that it tells. An answer is used only while the register still
/// says the same: a revocation takes effect at once, whatever is cached.
#[derive(Debug, Default)]
pub(crate) struct AnswerCache {
    answers: Mutex<HashMap<Vec<u8>, CachedAnswer>>,
}

#[derive(Clone, Debug)]
struct CachedAnswer {
    status: Status,
    responder: SerialNumber,
    life: Life,
    der: Arc<[u8]>,
}

impl<P: Ports> Authority<P> {
    /// Answers a request. Whatever is wrong becomes an OCSP error response: this never fails.
    pub async fn answer_ocsp(&self, request: &[u8]) -> OcspAnswer {
        let answer = match OcspRequest::parse(request) {
            Ok(request) => self.answer(request).await,
            Err(_) => Err(OcspError::MalformedRequest),
        };
        answer.unwrap_or_else(|error| OcspAnswer { der: error.response().into(), cacheable: None })
    }

    async fn answer(&self, request: OcspRequest) -> Result<OcspAnswer, OcspError> {
        // Read before the register: what the register says is then at least as new as what it is dated (I11).
        let mut as_of = self.usable_as_of()?;
        let ca = self.one_ca(&request.cert_ids)?;
        let responder = ResponderKey::of(self.register(), &ca, self.ports.log().node())
            .map_err(|_| OcspError::InternalError)?
            .filter(|responder| self.ports.clock().now().seconds() <= responder.not_after)
            .ok_or(OcspError::TryLater)?;
        let (mut told, mut changed) = self.told_of(&ca, &request.cert_ids).await?;
        if changed >= as_of.seconds() {
            // Another node may have said what was so before with a later thisUpdate than ours would be: ours must not
            // tell of what came after it (I10).
            as_of = self.refresh().await.map_err(|_| OcspError::TryLater)?.max(as_of);
            // The register went on while a quorum was asked, by hours on a node that had lagged: what is told must be
            // as new as it is dated (I11).
            (told, changed) = self.told_of(&ca, &request.cert_ids).await?;
        }
        let single = match (request.cert_ids.as_slice(), told.as_slice()) {
            ([id], [status]) if request.nonce.is_none() && *status != Status::Unassigned => {
                Some((id.clone(), *status))
            }
            _ => None,
        };
        let cached = single.as_ref().and_then(|(id, status)| self.answers.get(id.as_der(), *status));
        if let Some(cached) = &cached
            && cached.responder == responder.serial
            // A `good` of before a hold is true as it is dated, but no news for who was told of the hold.
            && (cached.status != Status::Good || cached.life.this_update >= changed)
            && as_of.seconds().0.saturating_sub(cached.life.this_update.0) < STATUS_REFRESH_S
        {
            return Ok(cached.answer());
        }
        if planted(Bug::ThisUpdateNow) {
            as_of = self.ports.clock().now();
        }
        let this_update = as_of.seconds();
        let life =
            Life { this_update, next_update: UnixSeconds(this_update.0.saturating_add(STATUS_LIFE_S)) };
        let der: Arc<[u8]> = match self.signed(&ca, &responder, request, told, life).await {
            Ok(der) => der.into(),
            // Without a token the node serves what is signed, until its nextUpdate (I12).
            Err(error) => {
                let now = self.ports.clock().now().seconds();
                let usable = cached.filter(|cached| now < cached.life.next_update);
                return usable.map(|cached| cached.answer()).ok_or(error);
            }
        };
        let cacheable = single.is_some().then_some(life);
        if let Some((id, status)) = single {
            let cached = CachedAnswer { status, responder: responder.serial, life, der: der.clone() };
            self.answers.put(id.as_der().to_vec(), cached);
        }
        Ok(OcspAnswer { der, cacheable })
    }

    /// I17: a node without a quorum goes on truthfully for the grace, then says `tryLater`.
    fn usable_as_of(&self) -> Result<UnixMillis, OcspError> {
        let as_of = self.as_of().ok_or(OcspError::TryLater)?;
        if self.ports.clock().now().since(as_of) > VA_GRACE_MS {
            return Err(OcspError::TryLater);
        }
        Ok(as_of)
    }

    /// One delegated responder speaks for one CA: it is authorized by that CA's own signature (RFC 6960 §4.2.2.2), and
    /// an answer has one. So a request over several CAs gets `unauthorized`, as one over a CA of others does.
    fn one_ca(&self, ids: &[CertId]) -> Result<CaId, OcspError> {
        let mut found: Option<CaId> = None;
        for id in ids {
            let ca = self.issuers.meant(self.register(), id).map_err(|_| OcspError::InternalError)?;
            let ca = ca.ok_or(OcspError::Unauthorized)?;
            if *found.get_or_insert_with(|| ca.clone()) != ca {
                return Err(OcspError::Unauthorized);
            }
        }
        found.ok_or(OcspError::MalformedRequest)
    }

    /// What is told of each, and when the latest of that changed.
    async fn told_of(&self, ca: &CaId, ids: &[CertId]) -> Result<(Vec<Status>, UnixSeconds), OcspError> {
        let mut told = Vec::with_capacity(ids.len());
        let mut changed = UnixSeconds(0);
        for id in ids {
            let (status, since) = self.told(ca, id).await?;
            told.push(status);
            changed = changed.max(since.unwrap_or_default());
        }
        Ok((told, changed))
    }

    /// What to tell of one serial, and since when it is so if it ever changed. Says [`Status::Unassigned`] only when a quorum, asked after the request came,
    /// knows nothing of it either (R9).
    async fn told(&self, ca: &CaId, id: &CertId) -> Result<(Status, Option<UnixSeconds>), OcspError> {
        let Some(serial) = id.serial_number() else { return Ok((Status::Unassigned, None)) };
        let local = || told(self.register(), ca, serial).map_err(|_| OcspError::InternalError);
        let found = match local()? {
            (Status::Unassigned, _) if planted(Bug::StatusWithoutIndex) => (Status::Unassigned, None),
            (Status::Unassigned, _) => {
                self.ports.log().read_index().await.map_err(|_| OcspError::TryLater)?;
                local()?
            }
            known => known,
        };
        if found.0 == Status::Open { Err(OcspError::TryLater) } else { Ok(found) }
    }

    /// Statuses never leave the register: they are known of every certificate since the first of the CA's own began
    /// (RFC 6960 §4.4.4).
    fn archived_since(&self, ca: &CaId) -> Result<Option<UnixSeconds>, StorageFault> {
        let register = self.register();
        let Some(issuer) = register.issuer(ca)? else { return Ok(None) };
        let mut since = None;
        for own in issuer.certificate.iter().chain(&issuer.others) {
            let der = ca_core::certificate::own(register, own)?;
            let began = der.and_then(|der| Certificate::parse(&der).ok()).map(|own| own.not_before());
            since = match (since, began) {
                (Some(since), Some(began)) => Some(UnixSeconds::min(since, began)),
                (since, began) => since.or(began),
            };
        }
        Ok(since)
    }

    async fn signed(
        &self,
        ca: &CaId,
        responder: &ResponderKey,
        request: OcspRequest,
        told: Vec<Status>,
        life: Life,
    ) -> Result<Vec<u8>, OcspError> {
        let responses = request.cert_ids.into_iter().zip(told);
        let archive_cutoff = self.archived_since(ca).map_err(|_| OcspError::InternalError)?;
        let data = ResponseData {
            responder: responder.public_key().key_identifier(),
            produced_at: self.ports.clock().now().seconds(),
            responses: responses
                .map(|(cert_id, status)| SingleResponse {
                    cert_id,
                    status: match status {
                        Status::Good => CertStatus::Good,
                        Status::Revoked { at, reason, .. } => CertStatus::Revoked { at, reason },
                        Status::Open | Status::Unassigned => CertStatus::Unknown,
                    },
                    this_update: life.this_update,
                    next_update: Some(life.next_update),
                    archive_cutoff: archive_cutoff.filter(|_| status != Status::Unassigned),
                })
                .collect(),
            nonce: request.nonce,
            // What was not issued is `unknown` here and never `revoked` (RFC 6960 §2.2, §4.4.8).
            extended_revoke: false,
        };
        let data = data.encode().map_err(|_| OcspError::InternalError)?;
        let signature = self.sign(responder.order(data.clone())).await.map_err(|error| match error {
            ActError::Token(_) => OcspError::TryLater,
            _ => OcspError::InternalError,
        })?;
        let certificates = [responder.certificate.as_slice()];
        Ok(assemble_response(&data, responder.algorithm(), &signature.into_octets(), &certificates))
    }
}

/// What the CAs are called in CertIDs. Name and key of a CA never change and no two have the same, so that what is here
/// once stays right; there are as many as CAs.
#[derive(Debug, Default)]
pub(crate) struct KnownIssuers {
    hashes: Mutex<BTreeMap<CaId, IssuerHashes>>,
}

impl KnownIssuers {
    /// The CA that a CertID means. The register is asked only for who is not known yet.
    fn meant(&self, register: &dyn Register, id: &CertId) -> Result<Option<CaId>, StorageFault> {
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |hashes: &BTreeMap<CaId, IssuerHashes>| {
            hashes.iter().find(|(_, hashes)| hashes.are_in(id)).map(|(ca, _)| ca.clone())
        };
        if let Some(ca) = known(&hashes) {
            return Ok(Some(ca));
        }
        for (ca, issuer) in register.issuers()? {
            hashes.entry(ca).or_insert_with(|| IssuerHashes::of(&issuer));
        }
        Ok(known(&hashes))
    }
}

impl CachedAnswer {
    fn answer(&self) -> OcspAnswer {
        OcspAnswer { der: self.der.clone(), cacheable: Some(self.life) }
    }
}

impl AnswerCache {
    /// The answer to this CertID that tells this status.
    fn get(&self, id: &[u8], status: Status) -> Option<CachedAnswer> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(id).filter(|cached| cached.status == status).cloned()
    }

    fn put(&self, id: Vec<u8>, answer: CachedAnswer) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        // Full: begin again. Every answer can be signed anew at any time, and no attacker can fill the cache with
        // serials that were not issued, for those are never cached.
        if answers.len() >= ANSWERS_MAX {
            answers.clear();
        }
        answers.insert(id, answer);
    }
}
