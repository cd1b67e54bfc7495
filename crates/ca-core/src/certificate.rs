//! Certificates as the register holds them.

use alloc::vec::Vec;

use ca_x509::certificate::assemble;
use ca_x509::serial::SerialNumber;

use crate::ids::CaId;
use crate::limits::CHAINS_MAX;
use crate::register::{
    CertificateEntry, CertificateState, CertifiedBy, OwnCertificate, Register, StorageFault,
};

/// The DER of a recorded certificate; `None` while there is no record.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn der(
    register: &dyn Register,
    ca: &CaId,
    serial: SerialNumber,
) -> Result<Option<Vec<u8>>, StorageFault> {
    let Some(entry) = register.certificate(ca, serial)? else { return Ok(None) };
    assembled(register, ca, &entry)
}

/// The DER of a certificate's row; `None` while there is no record. The only place where an intent and its
/// signature become a certificate.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn assembled(
    register: &dyn Register,
    ca: &CaId,
    entry: &CertificateEntry,
) -> Result<Option<Vec<u8>>, StorageFault> {
    let CertificateState::Recorded { signature, .. } = &entry.state else { return Ok(None) };
    let issuer = register
        .issuer(ca)?
        .ok_or_else(|| StorageFault(alloc::format!("there are certificates of {ca}, but no CA {ca}")))?;
    Ok(Some(assemble(&entry.tbs, issuer.algorithm, signature)))
}

/// The DER of one of a CA's own certificates.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn own(register: &dyn Register, own: &OwnCertificate) -> Result<Option<Vec<u8>>, StorageFault> {
    match &own.by {
        CertifiedBy::Here { ca, serial } => der(register, ca, *serial),
        CertifiedBy::Elsewhere { digest } => {
            Ok(register.imported(*digest)?.and_then(|chain| chain.into_iter().next()))
        }
    }
}

/// The certificates from `ca` up to its root, each in DER. Empty while `ca` is inactive.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn chain(register: &dyn Register, ca: &CaId) -> Result<Vec<Vec<u8>>, StorageFault> {
    let mut chain = Vec::new();
    let mut ca = ca.clone();
    // Bounded by the number of CAs: each is defined after its parent, so there is no cycle but the root's own.
    loop {
        let Some(issuer) = register.issuer(&ca)? else { return Ok(chain) };
        let Some(own) = issuer.certificate.as_ref() else { return Ok(chain) };
        match &own.by {
            CertifiedBy::Elsewhere { digest } => {
                chain.extend(register.imported(*digest)?.unwrap_or_default());
                return Ok(chain);
            }
            CertifiedBy::Here { ca: parent, serial } => {
                let Some(certificate) = der(register, parent, *serial)? else { return Ok(chain) };
                chain.push(certificate);
                if *parent == ca {
                    return Ok(chain);
                }
                ca = parent.clone();
            }
        }
    }
}

/// Every way from `ca` up to a root, [`chain`] first, those over cross-certificates after it: at most
/// [`CHAINS_MAX`]. What is revoked leads nowhere.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn chains(register: &dyn Register, ca: &CaId) -> Result<Vec<Vec<Vec<u8>>>, StorageFault> {
    let mut found = Vec::new();
    climb(register, ca, &mut Vec::new(), &mut Vec::new(), &mut found)?;
    Ok(found)
}

fn climb(
    register: &dyn Register,
    ca: &CaId,
    below: &mut Vec<CaId>,
    path: &mut Vec<Vec<u8>>,
    found: &mut Vec<Vec<Vec<u8>>>,
) -> Result<(), StorageFault> {
    let Some(issuer) = register.issuer(ca)? else { return Ok(()) };
    below.push(ca.clone());
    for own in issuer.certificate.iter().chain(&issuer.others) {
        if found.len() >= CHAINS_MAX {
            break;
        }
        match &own.by {
            CertifiedBy::Elsewhere { digest } => {
                let mut whole = path.clone();
                whole.extend(register.imported(*digest)?.unwrap_or_default());
                found.push(whole);
            }
            CertifiedBy::Here { ca: by, serial } => {
                // Two CAs may certify each other: no way leads through one twice.
                let circles = by != ca && below.contains(by);
                if circles || register.revocation(by, *serial)?.is_some() {
                    continue;
                }
                let Some(certificate) = der(register, by, *serial)? else { continue };
                path.push(certificate);
                if by == ca {
                    found.push(path.clone());
                } else {
                    climb(register, by, below, path, found)?;
                }
                path.pop();
            }
        }
    }
    below.pop();
    Ok(())
}
