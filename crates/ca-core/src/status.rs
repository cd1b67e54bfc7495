//! A certificate's status, and what a CA is called in OCSP requests.

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
    let status = match register.certificate(ca, serial)?.as_deref().map(|entry| &entry.state) {
        Some(CertificateState::Recorded { .. }) => Status::Good,
        Some(CertificateState::Open | CertificateState::Abandoned { .. }) => Status::Open,
        None if planted(Bug::GoodByDefault) => Status::Good,
        None => Status::Unassigned,
    };
    Ok((status, released))
}

/// What an issuer is called in CertIDs (RFC 6960 §4.1.1): the hashes of its name and its key bits. Made once an issuer,
/// for a request should not have all of them hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerHashes {
    sha1: [[u8; 20]; 2],
    sha256: [[u8; 32]; 2],
}

impl IssuerHashes {
    /// The hashes of this issuer.
    #[must_use]
    pub fn of(issuer: &Issuer) -> Self {
        use sha1::Digest as _;
        let hashed = [issuer.subject.as_der(), issuer.public_key.key_bits()];
        Self {
            sha1: hashed.map(|octets| sha1::Sha1::digest(octets).into()),
            sha256: hashed.map(|octets| crate::ids::Digest::of(octets).0),
        }
    }

    /// Whether a CertID means this issuer.
    #[must_use]
    pub fn are_in(&self, id: &CertId) -> bool {
        let asked = [id.issuer_name_hash.as_slice(), id.issuer_key_hash.as_slice()];
        match id.hash {
            HashAlgorithm::Sha1 => self.sha1.each_ref().map(<[u8; 20]>::as_slice) == asked,
            HashAlgorithm::Sha256 => self.sha256.each_ref().map(<[u8; 32]>::as_slice) == asked,
            HashAlgorithm::Other => false,
        }
    }
}
