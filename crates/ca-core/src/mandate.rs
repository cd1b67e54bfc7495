//! What a CA may issue: what its own certificate, and those above it, let it (RFC 5280 §6.1).
//!
//! Whoever relies on a certificate checks all this again, and finds a certificate that breaks it worth nothing. So
//! it is refused here, before a serial is used.

use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec::Vec;

use ca_x509::certificate::{NameConstraints, NameSubtree};
use ca_x509::name::{DistinguishedName, GeneralName};
use ca_x509::time::UnixSeconds;

use crate::ids::CaId;
use crate::names::subtree;
use crate::outcome::Refusal;
use crate::register::{CertifiedBy, Issuer, OwnCertificate, Register, StorageFault};

/// What a certificate of a CA lets it do beside what its profile says: limits that whoever asks for it sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaLimits {
    /// How many CAs may follow below it (RFC 5280 §4.2.1.9); `None`: as many as its issuer's own limit leaves.
    pub path_len: Option<u8>,
    /// The names that it may certify (RFC 5280 §4.2.1.10); `None`: all that its issuer may.
    pub names: Option<NameConstraints>,
}

/// What one CA may issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mandate {
    /// The CA.
    pub ca: CaId,
    /// When the certificate that is the first to end on the way to the root does.
    pub not_after: UnixSeconds,
    /// How many CAs may follow below it; `None`: any number.
    pub path_len: Option<u8>,
    /// Every name in a certificate must be within each of these.
    pub names: Vec<NameConstraints>,
}

impl Mandate {
    /// What `issuer` may issue now; `None` while it has no certificate.
    ///
    /// # Errors
    /// [`StorageFault`]: the node must stop.
    pub fn of(register: &dyn Register, ca: &CaId, issuer: &Issuer) -> Result<Option<Self>, StorageFault> {
        let Some(own) = issuer.certificate.clone() else { return Ok(None) };
        let mut mandate =
            Self { ca: ca.clone(), not_after: own.not_after, path_len: own.path_len, names: own.names };
        // How many CAs stand between the one that is looked at and the one that will issue.
        let mut below = 0_u8;
        for (_, above) in above(register, issuer)? {
            below = below.saturating_add(1);
            let Some(own) = &above.certificate else { continue };
            mandate.not_after = mandate.not_after.min(own.not_after);
            mandate.names.extend(own.names.iter().cloned());
            let left = own.path_len.map(|length| length.saturating_sub(below));
            mandate.path_len = shorter(mandate.path_len, left);
        }
        Ok(Some(mandate))
    }

    /// Checks the names of a certificate against every constraint (RFC 5280 §4.2.1.10).
    ///
    /// # Errors
    /// [`Refusal::OutsideCa`] with the first name that is outside.
    pub fn admits(&self, subject: &DistinguishedName, names: &[GeneralName]) -> Result<(), Refusal> {
        for constraints in &self.names {
            if let Some(name) = names.iter().find(|name| !subtree::permits(constraints, name)) {
                return Err(self.outside("names", &name.to_string(), constraints));
            }
            // An empty subject is a name of no form.
            if !subject.is_empty() && !subtree::permits_directory(constraints, subject) {
                return Err(self.outside("subject", &subject.to_string(), constraints));
            }
        }
        Ok(())
    }

    /// Checks what a CA below this one is to be let do: no more than this one may itself.
    ///
    /// # Errors
    /// [`Refusal::OutsideCa`] with the first limit that is too wide.
    pub fn admits_ca(&self, limits: &CaLimits) -> Result<(), Refusal> {
        if let Some(left) = self.path_len {
            let refused =
                |why| Err(Refusal::OutsideCa { ca: self.ca.clone(), field: "path_len".into(), why });
            match limits.path_len {
                _ if left == 0 => {
                    return refused(
                        "its own path length is 0: it certifies no CA (RFC 5280 §4.2.1.9)".into(),
                    );
                }
                Some(asked) if asked < left => {}
                asked => {
                    let asked = asked.map_or_else(|| "no limit".into(), |asked| asked.to_string());
                    let most = left.saturating_sub(1);
                    return refused(alloc::format!(
                        "{asked}, where its own path length leaves {most} at most (RFC 5280 §4.2.1.9)"
                    ));
                }
            }
        }
        let permitted = limits.names.iter().flat_map(|names| &names.permitted);
        for base in permitted {
            if let Some(constraints) = self.names.iter().find(|above| !subtree::encloses(above, base)) {
                return Err(self.outside("names", &subtree::shown(base), constraints));
            }
        }
        Ok(())
    }

    fn outside(&self, field: &str, what: &str, constraints: &NameConstraints) -> Refusal {
        let all =
            |subtrees: &[NameSubtree]| subtrees.iter().map(subtree::shown).collect::<Vec<_>>().join(", ");
        let NameConstraints { permitted, excluded } = constraints;
        let rule = match (permitted.is_empty(), excluded.is_empty()) {
            (_, true) => alloc::format!("only {}", all(permitted)),
            (true, false) => alloc::format!("nothing of {}", all(excluded)),
            (false, false) => alloc::format!("only {}, and nothing of {}", all(permitted), all(excluded)),
        };
        let why = alloc::format!("{what}, where its name constraints admit {rule} (RFC 5280 §4.2.1.10)");
        Refusal::OutsideCa { ca: self.ca.clone(), field: field.into(), why }
    }
}

/// Why `ca` issues no certificate now; `None` if it does. What keeps its status known goes on: the responder
/// certificates of a retired or revoked CA are not asked about here.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn may_not_issue(
    register: &dyn Register,
    ca: &CaId,
    issuer: &Issuer,
) -> Result<Option<Refusal>, StorageFault> {
    if issuer.retired_at.is_some() {
        return Ok(Some(Refusal::CaRetired { ca: ca.clone() }));
    }
    if issuer.certificate.is_none() {
        return Ok(Some(Refusal::CaInactive { ca: ca.clone() }));
    }
    if is_revoked(register, issuer)? {
        return Ok(Some(Refusal::CaRevoked { ca: ca.clone(), revoked: ca.clone() }));
    }
    for (name, above) in above(register, issuer)? {
        if is_revoked(register, &above)? {
            return Ok(Some(Refusal::CaRevoked { ca: ca.clone(), revoked: name }));
        }
    }
    Ok(None)
}

/// Whether the certificate that a CA issues under is revoked, as this cluster knows: of one from elsewhere it does not.
fn is_revoked(register: &dyn Register, issuer: &Issuer) -> Result<bool, StorageFault> {
    match issuer.certificate.as_ref().map(|own| &own.by) {
        Some(CertifiedBy::Here { ca, serial }) => Ok(register.revocation(ca, *serial)?.is_some()),
        Some(CertifiedBy::Elsewhere { .. }) | None => Ok(false),
    }
}

/// The CAs of this cluster above one, its parent first. It ends: a CA is defined after its parent.
fn above(register: &dyn Register, issuer: &Issuer) -> Result<Vec<(CaId, Arc<Issuer>)>, StorageFault> {
    let mut all: Vec<(CaId, Arc<Issuer>)> = Vec::new();
    loop {
        let current = all.last().map_or(issuer, |(_, last)| last);
        let Some(OwnCertificate { by: CertifiedBy::Here { ca, .. }, .. }) = &current.certificate else {
            break;
        };
        let Some(parent) = register.issuer(ca)? else { break };
        // A root stands above itself.
        if parent.public_key == current.public_key {
            break;
        }
        all.push((ca.clone(), parent));
    }
    Ok(all)
}

/// The shorter of two path lengths, where `None` is any.
pub(crate) fn shorter(one: Option<u8>, other: Option<u8>) -> Option<u8> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
