//! Signing and verifying in one step: what comes out was made by the key of the register (R13).

use ca_core::permit::SigningOrder;
use ca_core::planted::{Bug, planted};

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::ports::{Signer, Verifier};

/// A signature that verified with the register's public key over the octets of its order. Made here only.
#[derive(Debug)]
#[must_use = "a signature is there to be recorded"]
pub(crate) struct VerifiedSignature {
    /// As in an X.509 BIT STRING.
    signature: Vec<u8>,
    /// What was signed.
    message: Vec<u8>,
}

impl VerifiedSignature {
    pub(crate) fn message(&self) -> &[u8] {
        &self.message
    }

    pub(crate) fn into_octets(self) -> Vec<u8> {
        self.signature
    }
}

impl<P: Ports> Authority<P> {
    /// Has the token sign and checks what it made. A crash here leaves a signature that nobody has seen: the intent
    /// stays open and is abandoned.
    pub(crate) async fn sign(&self, order: SigningOrder) -> Result<VerifiedSignature, ActError> {
        let public_key = order.public_key().clone();
        let algorithm = order.algorithm();
        let message = order.message().to_vec();
        let signature = self.ports.signer().sign(order).await?;
        let verdict = self.ports.verifier().verify(&public_key, algorithm, &message, &signature);
        if verdict.is_err() && !planted(Bug::NoVerifyAfterSign) {
            self.ports.signer().distrust(&public_key);
            return Err(ActError::WrongSignature);
        }
        Ok(VerifiedSignature { signature, message })
    }
}
