//! A CA whose root is elsewhere: its key signs a request, once; the certificate that comes back is imported.
//!
//! | a crash after | leaves | and ends as |
//! |---|---|---|
//! | the request is committed | a permit that died with the process | asked again, it is committed anew: the same octets |
//! | sign | a signature over those octets that nobody saw | the same |
//! | the signature is recorded | the request | the request, the same octets whoever asks |
//! | the import is committed | an active CA | the same |

use ca_core::command::Command;
use ca_core::ids::{CaId, Digest};
use ca_core::outcome::{Outcome, Refusal};
use ca_core::register::{CertifiedBy, StorageFault};
use ca_core::roles::Identity;
use ca_x509::certificate::Certificate;
use ca_x509::request::{assemble, info_der};

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::ports::{Log, Verifier};

impl<P: Ports> Authority<P> {
    /// The certification request (PKCS #10, DER) of a CA, signed by its key: for who issues its certificate elsewhere.
    ///
    /// # Errors
    /// [`ActError`]; [`Refusal::NotSigning`] where this node's token has not proven the key.
    pub async fn request_ca_certificate(&self, requester: Identity, ca: &CaId) -> Result<Vec<u8>, ActError> {
        self.wait_until_fresh().await?;
        let ask = Command::RequestCaCertificate { ca: ca.clone(), requester };
        let applied = self.ports.log().append(ask).await?;
        // Signed before, by whichever node: one request a CA.
        if *applied.outcome() == Outcome::Done {
            return self.signed_request(ca);
        }
        let permit = applied.into_request_permit().map_err(ActError::from_outcome)?;
        let signature = self.sign(permit.order(self.register())?).await?;
        let signature = signature.into_octets();
        let record = Command::RecordCaRequest { ca: ca.clone(), signature, requester };
        let applied = self.ports.log().append(record).await?;
        // COMMIT: after this line the request exists; before it nobody outside has seen one byte of it.
        match applied.into_outcome() {
            Outcome::Done => self.signed_request(ca),
            // Another call was faster: its request is the same but for the signature.
            Outcome::Refused(Refusal::StaleDraft { .. }) => self.signed_request(ca),
            outcome => Err(ActError::from_outcome(outcome)),
        }
    }

    fn signed_request(&self, ca: &CaId) -> Result<Vec<u8>, ActError> {
        let lost = || StorageFault(format!("the request of {ca} was recorded and is not there"));
        let issuer = self.register().issuer(ca)?.ok_or_else(lost)?;
        let request = self.register().ca_request(ca)?.ok_or_else(lost)?;
        let signature = request.signature.ok_or_else(lost)?;
        Ok(assemble(&info_der(&issuer.subject, &issuer.public_key), issuer.algorithm, &signature))
    }

    /// Takes a certificate that a CA was issued elsewhere, with those above it up to the root, in any order behind it.
    ///
    /// # Errors
    /// [`ActError`]; [`Refusal::ImportUnfit`] says what is wrong with it.
    pub async fn import_ca_certificate(
        &self,
        requester: Identity,
        ca: &CaId,
        certificates: Vec<Certificate>,
    ) -> Result<(), ActError> {
        let own = certificates.first().map(|own| Digest::of(own.as_der()));
        if let Some(issuer) = self.register().issuer(ca)? {
            let mut known = issuer.certificate.iter().chain(&issuer.others);
            // A retry: it has it.
            if known.any(|known| matches!(known.by, CertifiedBy::Elsewhere { digest } if Some(digest) == own))
            {
                return Ok(());
            }
        }
        let unfit = |why: String| Refusal::ImportUnfit { ca: ca.clone(), why };
        let chain = ordered(certificates);
        for (place, certificate) in chain.iter().enumerate() {
            // The root stands above itself.
            let above = chain.get(place.saturating_add(1)).unwrap_or(certificate);
            let (algorithm, signature) = (certificate.signature_algorithm(), certificate.signature());
            let signed = certificate.tbs_der();
            if self.ports.verifier().verify(above.public_key(), algorithm, signed, signature).is_err() {
                let why = format!(
                    "{} is not signed with the key of {}; give the chain up to the root",
                    certificate.subject(),
                    above.subject()
                );
                return Err(unfit(why).into());
            }
        }
        let chain = chain.iter().map(|certificate| certificate.as_der().to_vec()).collect();
        self.change(Command::ImportCaCertificate { ca: ca.clone(), chain, requester }).await.map(drop)
    }
}

/// The first certificate, then whoever issued each: files come in every order, some with the CA's own alone. What leads
/// nowhere stays behind it, to be refused.
fn ordered(mut rest: Vec<Certificate>) -> Vec<Certificate> {
    if rest.is_empty() {
        return rest;
    }
    let mut chain = vec![rest.remove(0)];
    while let Some(last) = chain.last() {
        let above = rest.iter().position(|one| one.subject() == last.issuer() && one != last);
        match above {
            Some(place) if last.issuer() != last.subject() => chain.push(rest.remove(place)),
            _ => break,
        }
    }
    chain
}
