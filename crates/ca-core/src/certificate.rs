//! Certificates as the register holds them.

use alloc::vec::Vec;

use ca_x509::certificate::assemble;
use ca_x509::serial::SerialNumber;

use crate::ids::CaId;
use crate::register::{CertificateEntry, CertificateState, Register, StorageFault};

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
    assembled(register, ca, entry)
}

/// The DER of a certificate's row; `None` while there is no record. The only place where an intent and its
/// signature become a certificate.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn assembled(
    register: &dyn Register,
    ca: &CaId,
    entry: CertificateEntry,
) -> Result<Option<Vec<u8>>, StorageFault> {
    let CertificateState::Recorded { signature, .. } = entry.state else { return Ok(None) };
    let issuer = register
        .issuer(ca)?
        .ok_or_else(|| StorageFault(alloc::format!("there are certificates of {ca}, but no CA {ca}")))?;
    Ok(Some(assemble(&entry.tbs, issuer.algorithm, &signature)))
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
        let Some(serial) = issuer.certificate else { return Ok(chain) };
        let Some(certificate) = der(register, &issuer.parent, serial)? else { return Ok(chain) };
        chain.push(certificate);
        if issuer.parent == ca {
            return Ok(chain);
        }
        ca = issuer.parent;
    }
}
