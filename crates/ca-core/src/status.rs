//! A certificate's status, and which CA an OCSP request means.

use alloc::vec::Vec;

use ca_x509::crl::RevocationReason;
use ca_x509::ocsp::{CertId, HashAlgorithm};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use crate::ids::{CaId, LogIndex, UnixMillis};
use crate::register::{CertificateState, Issuer, Register, StorageFault};

/// What the register says of one serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Recorded and not revoked.
    Good,
    /// Revoked or abandoned.
    Revoked {
        /// Since.
        at: UnixSeconds,
        /// Why, if that is told.
        reason: Option<RevocationReason>,
        /// The log entry of the latest change.
        index: LogIndex,
    },
    /// An intent: neither good nor revoked yet. It will be one of them within a minute (I5).
    Open,
    /// This serial was never assigned: never `good` (I8).
    Unassigned,
}

impl Status {
    /// Whether it was revoked at `as_of` or later: an answer of that date would tell of its own future.
    #[must_use]
    pub fn is_revoked_since(self, as_of: UnixMillis) -> bool {
        matches!(self, Self::Revoked { at, .. } if at >= as_of.seconds())
    }
}

/// The status of a serial, as the register has it.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn status(register: &dyn Register, ca: &CaId, serial: SerialNumber) -> Result<Status, StorageFault> {
    if let Some(event) = register.revocation(ca, serial)?.as_ref().and_then(|revocation| revocation.latest())
    {
        let (at, reason, index) = (event.revoked_at, event.change.reason(), event.index);
        return Ok(Status::Revoked { at, reason, index });
    }
    Ok(match register.certificate(ca, serial)?.map(|entry| entry.state) {
        Some(CertificateState::Recorded { .. }) => Status::Good,
        Some(CertificateState::Open | CertificateState::Abandoned { .. }) => Status::Open,
        None => Status::Unassigned,
    })
}

/// The CA that a CertID means (RFC 6960 §4.1.1): hashes of the issuer's name and key, by SHA-1 or SHA-256.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn issuer_of(register: &dyn Register, id: &CertId) -> Result<Option<CaId>, StorageFault> {
    let issuers = register.issuers()?;
    Ok(issuers.into_iter().find(|(_, issuer)| means(id, issuer)).map(|(ca, _)| ca))
}

fn means(id: &CertId, issuer: &Issuer) -> bool {
    let name = hash(id.hash, issuer.subject.as_der());
    let key = hash(id.hash, issuer.public_key.key_bits());
    name.is_some_and(|name| name == id.issuer_name_hash) && key.is_some_and(|key| key == id.issuer_key_hash)
}

fn hash(algorithm: HashAlgorithm, octets: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        HashAlgorithm::Sha1 => {
            use sha1::Digest as _;
            Some(sha1::Sha1::digest(octets).to_vec())
        }
        HashAlgorithm::Sha256 => Some(crate::ids::Digest::of(octets).0.to_vec()),
        HashAlgorithm::Other => None,
    }
}
