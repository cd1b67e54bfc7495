//! Changes what is equal on all nodes: CAs, profiles, grants and enrolment tokens.

use ca_core::command::Command;
use ca_core::enrolment::{Enrolment, EnrolmentRequest};
use ca_core::ids::{CaId, Digest, LogIndex};
use ca_core::outcome::Outcome;
use ca_core::profile::Profile;
use ca_core::register::IssuerPurpose;
use ca_core::roles::{Grant, Identity};
use ca_core::shards::Shards;
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::PublicKey;
use ca_x509::name::DistinguishedName;

use crate::authority::{Authority, Ports};
use crate::error::ActError;
use crate::ports::{Clock, Log};

/// A CA to be defined, whose key is in this node's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIssuer {
    /// Its name; never used twice.
    pub ca: CaId,
    /// Its subject.
    pub subject: DistinguishedName,
    /// Its key.
    pub public_key: PublicKey,
    /// Who issues its certificate: itself, if it is a root; `None`: a CA elsewhere.
    pub parent: Option<CaId>,
    /// Into how many lists its revocations are divided.
    pub shards: Shards,
}

impl<P: Ports> Authority<P> {
    /// Makes a profile, or replaces it by its next version. Drafts of the old one are stale from here on (R12).
    ///
    /// The caller has asked [`Profile::faults`].
    ///
    /// # Errors
    /// [`ActError`]; a [`Refusal::ProfileVersion`](ca_core::outcome::Refusal::ProfileVersion) means that somebody
    /// else changed it meanwhile.
    pub async fn define_profile(&self, requester: Identity, profile: Profile) -> Result<LogIndex, ActError> {
        self.change(Command::DefineProfile { profile: Box::new(profile), requester }).await
    }

    /// Gives an identity exactly these roles, none of which takes the grant away: on every node that has applied the
    /// entry, from the next request on.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn set_grant(&self, requester: Identity, grant: Grant) -> Result<LogIndex, ActError> {
        self.change(Command::SetGrant { grant, requester }).await
    }

    /// Makes an enrolment token valid, if the requester may give away what it is good for. Answers what that is.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn mint_enrolment(
        &self,
        requester: Identity,
        token: Digest,
        request: EnrolmentRequest,
        life_ms: u64,
    ) -> Result<Enrolment, ActError> {
        let terms = request.terms(self.register(), requester)?;
        let now = self.ports.clock().now().max(self.register().time()?.unwrap_or_default());
        let expires_at = now.plus(life_ms);
        let mint = Command::MintEnrolment { token, terms: terms.clone(), expires_at, requester };
        let index = self.change(mint).await?;
        Ok(Enrolment { terms, minted_by: requester, index, expires_at, spent: None })
    }

    /// Takes an enrolment token back that is not spent.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn revoke_enrolment(&self, requester: Identity, token: Digest) -> Result<LogIndex, ActError> {
        self.change(Command::RevokeEnrolment { token, requester }).await
    }

    /// Adds a CA to the register: from here on its name and key are taken for ever. Its certificate follows by
    /// [`Authority::issue`], or is imported.
    ///
    /// # Errors
    /// [`ActError`]; a [`Refusal::CaExists`](ca_core::outcome::Refusal::CaExists) names the CA that has the name, the
    /// subject or the key.
    pub async fn define_ca(&self, requester: Identity, ca: NewIssuer) -> Result<LogIndex, ActError> {
        let NewIssuer { ca, subject, public_key, parent, shards } = ca;
        let algorithm = SignatureAlgorithm::default_for(public_key.kind());
        let purpose = IssuerPurpose::Public;
        let define =
            Command::DefineIssuer { ca, subject, public_key, algorithm, parent, purpose, requester, shards };
        self.change(define).await
    }

    /// Ends the issuing of a CA: on every node that has applied the entry, at once. Not undone.
    ///
    /// # Errors
    /// [`ActError`]; a [`Refusal::CaNeeded`](ca_core::outcome::Refusal::CaNeeded) names the profile that needs it.
    pub async fn retire_ca(&self, requester: Identity, ca: CaId) -> Result<LogIndex, ActError> {
        self.change(Command::RetireCa { ca, requester }).await
    }

    pub(crate) async fn change(&self, command: Command) -> Result<LogIndex, ActError> {
        let applied = self.ports.log().append(command).await?;
        // COMMIT: a majority has it on disk.
        let index = applied.index();
        match applied.into_outcome() {
            Outcome::Done => Ok(index),
            outcome => Err(ActError::from_outcome(outcome)),
        }
    }
}
