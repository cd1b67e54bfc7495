//! The planted bugs that take more than an `if`: what no code outside of a test may do (see [`ca_core::planted`]).

use std::pin::pin;
use std::task::{Context, Waker};

use ca_core::command::Command;
use ca_core::ids::CaId;
use ca_core::permit::SigningOrder;
use ca_core::planted::{Bug, planted};
use ca_x509::certificate::assemble;
use ca_x509::serial::SerialNumber;

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::issue::Issued;
use crate::ports::{AppendError, Log};

impl<P: Ports> Authority<P> {
    /// Signs what nobody permitted.
    pub(crate) async fn sign_unpermitted(&self, ca: &CaId, tbs: Vec<u8>) -> Result<(), ActError> {
        if let Some(issuer) = self.register().issuer(ca)? {
            drop(self.sign(SigningOrder::unpermitted(&issuer, tbs)).await?);
        }
        Ok(())
    }

    /// Signs again what an earlier boot had a permit for.
    pub(crate) async fn resume(&self, intents: &[(CaId, SerialNumber)]) -> Result<(), ActError> {
        for (ca, serial) in intents {
            if let Some(entry) = self.register().certificate(ca, *serial)? {
                self.sign_unpermitted(ca, entry.tbs.clone()).await?;
            }
        }
        Ok(())
    }

    /// Releases without waiting for the record, or although nobody knows of it.
    pub(crate) async fn release_early(
        &self,
        ca: &CaId,
        serial: SerialNumber,
        signature: Vec<u8>,
    ) -> Result<Issued, ActError> {
        let record = Command::Record { ca: ca.clone(), serial, signature: signature.clone() };
        let mut appended = pin!(self.ports.log().append(record));
        if planted(Bug::ReleasedBeforeRecord) {
            drop(appended.as_mut().poll(&mut Context::from_waker(Waker::noop())));
            return self.unrecorded(ca, serial, &signature);
        }
        match appended.await {
            Err(AppendError::NotKnown(_)) => self.unrecorded(ca, serial, &signature),
            Err(error) => Err(error.into()),
            Ok(_) => self.just_issued(ca, serial),
        }
    }

    fn unrecorded(&self, ca: &CaId, serial: SerialNumber, signature: &[u8]) -> Result<Issued, ActError> {
        if let Some(issued) = self.issued(ca, serial)? {
            return Ok(issued);
        }
        let (Some(issuer), Some(entry)) =
            (self.register().issuer(ca)?, self.register().certificate(ca, serial)?)
        else {
            return Err(ActError::Overtaken);
        };
        let certificate = assemble(&entry.tbs, issuer.algorithm, signature);
        let chain = ca_core::certificate::chain(self.register(), ca)?;
        let (not_after, index) = (entry.not_after, entry.intent_index);
        Ok(Issued { ca: ca.clone(), serial, certificate, chain, not_after, index })
    }
}
