//! Issues a certificate: plan → draft → intent → permit → sign → verify → record → release.
//!
//! | a crash after | leaves | and ends as |
//! |---|---|---|
//! | plan, draft | nothing | nothing |
//! | intent | an open intent | abandoned: the serial is revoked (I5) |
//! | sign | an open intent and a signature that nobody saw | abandoned |
//! | record | the certificate | the certificate; a retry with its idempotency key gets it |

use ca_core::command::{Command, Idempotency, Intent};
use ca_core::draft::draft;
use ca_core::enrolment::may_not_enrol;
use ca_core::ids::{CaId, LogIndex};
use ca_core::outcome::{Outcome, Refusal};
use ca_core::permit::Permit;
use ca_core::plan::{CertificateRequest, Plan, plan};
#[cfg(feature = "planted")]
use ca_core::planted::{Bug, planted};
use ca_core::register::{CertificateState, StorageFault};
use ca_core::roles::Identity;
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::limits::{ATTEMPT_POLL_MS, ATTEMPT_WAIT_MS, DRAFTS_MAX};
use crate::ports::{Clock, Entropy, Log};

/// A certificate that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Who issued it.
    pub ca: CaId,
    /// Its serial.
    pub serial: SerialNumber,
    /// Its DER.
    pub certificate: Vec<u8>,
    /// From the CA that issued it up to the root, each in DER.
    pub chain: Vec<Vec<u8>>,
    /// When it stops being valid.
    pub not_after: UnixSeconds,
    /// The log entry of its record.
    pub index: LogIndex,
}

impl<P: Ports> Authority<P> {
    /// Issues a certificate, or answers with the one that the idempotency key already has (I7).
    ///
    /// The caller has checked that the requester holds the private key.
    ///
    /// # Errors
    /// [`ActError`]; [`ActError::effect`] tells whether a certificate may exist all the same.
    pub async fn issue(
        &self,
        requester: Identity,
        request: CertificateRequest,
        idempotency: Option<Idempotency>,
    ) -> Result<Issued, ActError> {
        self.wait_until_fresh().await?;
        if let Some(refusal) = may_not_enrol(self.register(), requester, idempotency)? {
            return Err(refusal.into());
        }
        let mut plan = self.plan(requester, request.clone())?;
        let mut supersedes = None;
        for _ in 0..DRAFTS_MAX {
            let intent = draft(&plan, self.draw_serial()?, idempotency, supersedes)?;
            match self.commit_intent(intent).await? {
                Ok((permit, serial)) => return self.complete(permit, plan.ca(), serial).await,
                Err(Outcome::AlreadyIssued { ca, serial }) => return self.just_issued(&ca, serial),
                Err(Outcome::Refused(Refusal::AttemptOpen { ca, serial })) => {
                    if let Some(issued) = self.wait_for_attempt(&ca, serial).await? {
                        return Ok(issued);
                    }
                    supersedes = Some(serial);
                }
                Err(Outcome::Refused(Refusal::StaleDraft { .. })) => {
                    plan = self.plan(requester, request.clone())?;
                }
                Err(Outcome::Refused(Refusal::SerialTaken { .. })) => {}
                Err(outcome) => return Err(ActError::from_outcome(outcome)),
            }
        }
        Err(ActError::Refused(Refusal::StaleDraft { what: "what the certificate depends on".into() }))
    }

    fn plan(&self, requester: Identity, request: CertificateRequest) -> Result<Plan, ActError> {
        Ok(plan(self.register(), requester, request, self.ports.clock().now())?)
    }

    fn draw_serial(&self) -> Result<SerialNumber, ActError> {
        let mut random = [0; 16];
        self.ports.entropy().fill(&mut random)?;
        Ok(SerialNumber::from_random(random))
    }

    async fn commit_intent(
        &self,
        intent: Intent,
    ) -> Result<Result<(Permit, SerialNumber), Outcome>, ActError> {
        let serial = intent.serial;
        #[cfg(feature = "planted")]
        if planted(Bug::SignedBeforeIntent) {
            self.sign_unpermitted(&intent.ca, intent.tbs.clone()).await?;
        }
        let applied = self.ports.log().append(Command::Intent(intent)).await?;
        Ok(applied.into_permit().map(|permit| (permit, serial)))
    }

    /// Signs and records. Whatever fails before the commit point leaves an open intent, which is abandoned.
    async fn complete(&self, permit: Permit, ca: &CaId, serial: SerialNumber) -> Result<Issued, ActError> {
        let order = permit.order(self.register())?;
        let signature = self.sign(order).await?;
        #[cfg(feature = "planted")]
        if planted(Bug::ReleasedBeforeRecord) || planted(Bug::ReleasedWhenDeposed) {
            return self.release_early(ca, serial, signature.into_octets()).await;
        }
        let record = Command::Record { ca: ca.clone(), serial, signature: signature.into_octets() };
        let applied = self.ports.log().append(record).await?;
        // COMMIT: after this line the certificate exists; before it nobody outside has seen one byte of it (I3).
        match applied.into_outcome() {
            Outcome::Recorded { .. } => self.just_issued(ca, serial),
            Outcome::Refused(Refusal::IntentAbandoned { .. }) => Err(ActError::Overtaken),
            outcome => Err(ActError::from_outcome(outcome)),
        }
    }

    /// R6: gives another node's attempt under the same key a second to end.
    async fn wait_for_attempt(&self, ca: &CaId, serial: SerialNumber) -> Result<Option<Issued>, ActError> {
        for _ in 0..ATTEMPT_WAIT_MS / ATTEMPT_POLL_MS {
            if !self.attempt_is_open(ca, serial)? {
                break;
            }
            self.ports.clock().sleep(ATTEMPT_POLL_MS).await;
        }
        Ok(self.issued(ca, serial)?)
    }

    fn attempt_is_open(&self, ca: &CaId, serial: SerialNumber) -> Result<bool, StorageFault> {
        let entry = self.register().certificate(ca, serial)?;
        Ok(entry.is_some_and(|entry| entry.state == CertificateState::Open))
    }
}
