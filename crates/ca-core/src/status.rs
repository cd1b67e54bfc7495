//! A certificate's status, and which CA an OCSP request means.

use alloc::vec::Vec;

use ca_x509::crl::RevocationReason;
use ca_x509::ocsp::{CertId, HashAlgorithm};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use crate::ids::{CaId, LogIndex};
use crate::planted::{Bug, planted};
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

/// The status of a serial, as the register has it.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn status(register: &dyn Register, ca: &CaId, serial: SerialNumber) -> Result<Status, StorageFault> {
    Ok(told(register, ca, serial)?.0)
}

/// The status of a serial, and since when it is so if it ever changed.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn told(
    register: &dyn Register,
    ca: &CaId,
    serial: SerialNumber,
) -> Result<(Status, Option<UnixSeconds>), StorageFault> {
    let revocation = register.revocation(ca, serial)?;
    if let Some(event) = revocation.as_ref().and_then(|revocation| revocation.in_force()) {
        let (at, reason, index) = (event.since, event.change.reason(), event.index);
        return Ok((Status::Revoked { at, reason, index }, Some(at)));
    }
    let released = revocation.and_then(|revocation| revocation.latest().map(|event| event.since));
    let status = match register.certificate(ca, serial)?.map(|entry| entry.state) {
        Some(CertificateState::Recorded { .. }) => Status::Good,
        Some(CertificateState::Open | CertificateState::Abandoned { .. }) => Status::Open,
        None if planted(Bug::GoodByDefault) => Status::Good,
        None => Status::Unassigned,
    };
    Ok((status, released))
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
