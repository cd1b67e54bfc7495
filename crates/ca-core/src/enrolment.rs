//! Enrolment tokens: one certificate for somebody who has none yet.
//!
//! Who mints one gives away a part of its own grant: one certificate of one profile under one CA, for names that are
//! fixed before. The token is spent by the intent of that certificate, so that two requests with it cannot both come
//! to one; an attempt that is abandoned gives it back. The register knows the digest of its secret alone.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use ca_x509::name::GeneralName;
use ca_x509::serial::SerialNumber;

use crate::command::Idempotency;
use crate::ids::{CaId, Digest, LogIndex, ProfileName, UnixMillis};
use crate::limits::ENROLMENT_SHOWN_MS;
use crate::names::{certified, within};
use crate::outcome::Refusal;
use crate::plan::{PlanError, chosen_ca};
use crate::profile::Audience;
use crate::register::{CertificateState, Register, StorageFault};
use crate::roles::{Grant, Granted, Identity, Reach, Role, Scope};

/// A token, by the digest of its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// What it is good for.
    pub terms: EnrolmentTerms,
    /// Who gave it away. Without a grant that covers the terms it is good for nothing.
    pub minted_by: Identity,
    /// The log entry that minted it.
    pub index: LogIndex,
    /// Register time after which it is refused.
    pub expires_at: UnixMillis,
    /// The latest certificate that it was used for.
    pub spent: Option<SerialNumber>,
}

/// The certificate that a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentTerms {
    /// Issued by this CA.
    pub ca: CaId,
    /// Of this profile.
    pub profile: ProfileName,
    /// With these names.
    pub names: EnrolmentNames,
}

/// The names that a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnrolmentNames {
    /// Some of these, and no others.
    Among(Vec<GeneralName>),
    /// Below these domains, as in a grant.
    Below(Vec<String>),
}

/// What is asked for when a token is minted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentRequest {
    /// The CA; the profile's first one if none is named.
    pub ca: Option<CaId>,
    /// The profile.
    pub profile: ProfileName,
    /// The names.
    pub names: EnrolmentNames,
}

impl EnrolmentRequest {
    /// What the token will be good for, if the requester may give that away.
    ///
    /// # Errors
    /// [`PlanError::Refused`] names the field and both sides.
    pub fn terms(self, register: &dyn Register, requester: Identity) -> Result<EnrolmentTerms, PlanError> {
        let unknown = || Refusal::UnknownProfile { profile: self.profile.clone() };
        let profile = register.profile(&self.profile)?.ok_or_else(unknown)?;
        if profile.audience != Audience::Requesters {
            let needs = alloc::format!("to be a member: `{}` is for the cluster itself", profile.name);
            return Err(Refusal::Forbidden { caller: alloc::format!("{requester}"), needs }.into());
        }
        let ca = chosen_ca(&profile, self.ca)?;
        let names = match self.names {
            EnrolmentNames::Among(names) => EnrolmentNames::Among(certified(&profile.names, &names)?),
            below @ EnrolmentNames::Below(_) => below,
        };
        let terms = EnrolmentTerms { ca, profile: self.profile, names };
        match may_not_give(register, requester, &terms)? {
            None => Ok(terms),
            Some(refusal) => Err(refusal.into()),
        }
    }
}

impl Enrolment {
    /// The last moment of register time at which it is shown.
    #[must_use]
    pub fn until(&self) -> UnixMillis {
        self.expires_at.plus(ENROLMENT_SHOWN_MS)
    }

    /// The token as a grant, while its minter's own grant covers it.
    pub(crate) fn granted(
        &self,
        register: &dyn Register,
        token: Digest,
    ) -> Result<Option<Granted>, StorageFault> {
        if may_not_give(register, self.minted_by, &self.terms)?.is_some() {
            return Ok(None);
        }
        let EnrolmentTerms { ca, profile, names } = self.terms.clone();
        let dns = match names {
            EnrolmentNames::Among(_) => Reach::All,
            EnrolmentNames::Below(domains) => Reach::Only(domains),
        };
        let scope = Scope { cas: Reach::Only(vec![ca]), profiles: Reach::Only(vec![profile]), dns };
        let grant =
            Grant { key: token, roles: vec![Role::Requester], scope, rate: None, label: String::new() };
        Ok(Some(Granted { grant, index: self.index }))
    }

    /// Why the token is good for no certificate more; `gone` is one that will never be.
    pub(crate) fn refusal(&self, now: UnixMillis, gone: Option<SerialNumber>) -> Option<Refusal> {
        match self.spent {
            Some(serial) if gone != Some(serial) => Some(Refusal::EnrolmentTokenSpent { serial }),
            _ if now > self.expires_at => Some(Refusal::EnrolmentTokenExpired),
            _ => None,
        }
    }
}

/// Why `requester` may not give away a certificate of these terms; `None` if it may: as a registration authority what
/// lies within its own scope, and as an admin, who grants what it likes, the same.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn may_not_give(
    register: &dyn Register,
    requester: Identity,
    terms: &EnrolmentTerms,
) -> Result<Option<Refusal>, StorageFault> {
    let EnrolmentTerms { ca, profile, names } = terms;
    let needs = alloc::format!("the role `ra` or `admin` for profile `{profile}` of CA `{ca}`");
    let forbidden = Refusal::Forbidden { caller: alloc::format!("{requester}"), needs };
    // Not what comes of a token itself: it would mint others.
    let granted = match requester {
        Identity::Client(_) => register.grant_of(requester)?,
        Identity::Ceremony | Identity::Node(_) | Identity::Enrolment(_) => None,
    };
    let Some(granted) = granted.filter(|granted| granted.has(Role::Ra) || granted.has(Role::Admin)) else {
        return Ok(Some(forbidden));
    };
    if !granted.reaches(ca, profile) {
        return Ok(Some(forbidden));
    }
    let space = &granted.grant.scope.dns;
    Ok(match names {
        EnrolmentNames::Among(names) => within(space, names).err(),
        EnrolmentNames::Below(domains) => {
            let domains: Vec<_> = domains.iter().cloned().map(GeneralName::Dns).collect();
            within(space, &domains).err()
        }
    })
}

/// Why a request with an enrolment token would come to nothing, as far as this node knows; `None` for every other
/// requester, and where an earlier attempt under the idempotency key may have the answer. Asked before anything is
/// written: who brings a spent token leaves no entry in the log.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn may_not_enrol(
    register: &dyn Register,
    requester: Identity,
    idempotency: Option<Idempotency>,
) -> Result<Option<Refusal>, StorageFault> {
    let Identity::Enrolment(token) = requester else { return Ok(None) };
    let Some(enrolment) = register.enrolment(token)? else {
        return Ok(Some(Refusal::EnrolmentTokenUnknown));
    };
    if let Some(same) = idempotency
        && register.attempt(same.key)?.is_some()
    {
        return Ok(None);
    }
    let gone = abandoned(register, &enrolment)?;
    Ok(enrolment.refusal(register.time()?.unwrap_or_default(), gone))
}

/// The certificate that the token was spent for, if it will never be.
pub(crate) fn abandoned(
    register: &dyn Register,
    enrolment: &Enrolment,
) -> Result<Option<SerialNumber>, StorageFault> {
    let Some(serial) = enrolment.spent else { return Ok(None) };
    let entry = register.certificate(&enrolment.terms.ca, serial)?;
    let gone = entry.is_some_and(|entry| matches!(entry.state, CertificateState::Abandoned { .. }));
    Ok(gone.then_some(serial))
}
