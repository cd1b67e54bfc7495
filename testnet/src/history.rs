//! Everything that the clients asked, and every answer.

use std::collections::BTreeSet;
use std::time::Duration;

use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

/// One request and its answer. A retry is another one.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Which node was asked, by its position.
    pub node: usize,
    /// When it was sent, since the run began.
    pub begun: Duration,
    /// When its answer was there, or nobody waited any longer.
    pub ended: Duration,
    /// The wall clock then.
    pub at: UnixSeconds,
    /// What was asked.
    pub asked: Asked,
    /// What came of it.
    pub said: Said,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A certificate, under this idempotency key.
    Issue(u64),
    /// A revocation.
    Revoke(SerialNumber),
    /// A linearizable read of a status.
    Read(SerialNumber),
    /// A status by OCSP.
    Ocsp(SerialNumber),
    /// The whole list.
    Crl,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A certificate, in DER.
    Issued(SerialNumber, Vec<u8>),
    /// Revoked, now or before.
    Revoked,
    /// A status, by a linearizable read.
    Status(Status),
    /// A status by OCSP, and since when it held.
    Ocsp(Status, UnixSeconds),
    /// An OCSP error, by its name: `tryLater`.
    OcspError(String),
    /// A list: number, SHA-256, and whom it tells of.
    List(u128, [u8; 32], BTreeSet<SerialNumber>),
    /// Refused, with the HTTP status and the word for why.
    Refused(u16, String),
    /// No answer: it may have taken effect.
    Nothing(String),
}

/// A status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Issued, and not revoked.
    Good,
    /// Revoked.
    Revoked,
    /// Not known.
    Unknown,
}

impl Operation {
    /// Whether it was done and said so.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        !matches!(self.said, Said::Refused(..) | Said::Nothing(_) | Said::OcspError(_))
    }

    /// A certificate that was issued.
    #[must_use]
    pub fn issued(&self) -> Option<(u64, SerialNumber, &[u8])> {
        match (&self.asked, &self.said) {
            (Asked::Issue(key), Said::Issued(serial, der)) => Some((*key, *serial, der)),
            _ => None,
        }
    }

    /// A revocation that was acknowledged.
    #[must_use]
    pub fn revoked(&self) -> Option<SerialNumber> {
        match (&self.asked, &self.said) {
            (Asked::Revoke(serial), Said::Revoked) => Some(*serial),
            _ => None,
        }
    }
}
