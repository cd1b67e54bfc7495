//! What the doors themselves refuse, before any act begins or beside it.

use ca_authority::error::Effect;
use ca_core::ids::{CaId, LogIndex};
use ca_core::profile::ProfileFault;

/// Why a request did not get as far as an act, or did not hear of its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DoorError {
    /// The route wants to know who asks.
    #[error("this needs a client certificate, and the connection has none")]
    NoClientCertificate,
    /// The connection's certificate was good when the connection began and is no longer, or cannot be read.
    #[error("the client certificate is not accepted: {why}")]
    ClientCertificateInvalid {
        /// Revoked, expired, unreadable.
        why: String,
    },
    /// No such route.
    #[error("there is nothing at this path")]
    NotFound,
    /// The route has other methods.
    #[error("this path does not take {method}")]
    MethodNotAllowed {
        /// What was tried.
        method: String,
    },
    /// The body is longer than its route takes.
    #[error("the body is longer than {max} octets")]
    BodyTooLarge {
        /// The limit in octets.
        max: usize,
    },
    /// The path is longer than its route takes.
    #[error("the path has {got} characters, at most {max} are read")]
    UriTooLong {
        /// What came.
        got: usize,
        /// The limit.
        max: usize,
    },
    /// The body did not arrive in time.
    #[error("the body did not arrive within {limit_ms} ms")]
    TooSlow {
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// The act goes on, but its caller waits no longer.
    #[error("there was no answer within {limit_ms} ms: this may still take effect")]
    Deadline {
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// The body is not the JSON that the route takes.
    #[error("the body is not what this route takes: {why}")]
    BadJson {
        /// The parser's words, with line and column.
        why: String,
    },
    /// One part of the request cannot be read.
    #[error("{field}: {why}")]
    BadRequest {
        /// Which: `ttl`, `serial`, `Idempotency-Key`.
        field: &'static str,
        /// What is wrong, with both sides.
        why: String,
    },
    /// The CSR cannot be read.
    #[error("the certificate request cannot be read: {why}")]
    CsrMalformed {
        /// What is wrong.
        why: String,
    },
    /// The requester has not shown that it holds the private key.
    #[error("the certificate request is not signed by the key that it holds")]
    CsrSignature,
    /// No CRL, or none that is still valid (I12).
    #[error("there is no current CRL `{list}`")]
    CrlNone {
        /// Its name, as asked for.
        list: String,
    },
    /// No such serial under any CA.
    #[error("no CA of this cluster has a certificate {serial}")]
    UnknownSerial {
        /// As asked for.
        serial: ca_x509::serial::SerialNumber,
    },
    /// The bound on acts is reached.
    #[error("{max} acts are under way on this node")]
    TooBusy {
        /// The limit.
        max: usize,
    },
    /// Too many enrolment tokens from this address that are none of ours.
    #[error("more than {max} wrong enrolment tokens came from this address within a minute")]
    TooManyWrongTokens {
        /// The limit.
        max: u32,
    },
    /// The caller's bucket is empty.
    #[error("{per_minute} {what} a minute are granted: wait {wait_s} s")]
    RateLimited {
        /// `requests`, or certificates of which profile.
        what: String,
        /// The rate.
        per_minute: u32,
        /// When there is one again.
        wait_s: u32,
    },
    /// The caller wants to see more of the log than there is.
    #[error("a quorum knows of entry {applied} at most, the request wants {wanted}")]
    Behind {
        /// `Ca-Min-Index`.
        wanted: LogIndex,
        /// Here, after a quorum was asked.
        applied: LogIndex,
    },
    /// It was changed since the caller looked.
    #[error("{what} is in version {current}, you have seen {seen}")]
    Changed {
        /// Which one.
        what: String,
        /// `If-Match`.
        seen: u32,
        /// Here.
        current: u32,
    },
    /// A CA was changed since the caller looked.
    #[error("the CA `{ca}` is no longer as you have seen it")]
    CaChanged {
        /// Which one.
        ca: CaId,
    },
    /// Nothing right could be issued from the profile.
    #[error("the profile has {} fault{}: {}", faults.len(), if faults.len() == 1 { "" } else { "s" }, listed(faults))]
    ProfileInvalid {
        /// All of them.
        faults: Vec<ProfileFault>,
    },
    /// A bug of ours.
    #[error("an internal error: {why}")]
    Internal {
        /// For the node's log only.
        why: String,
    },
}

impl DoorError {
    /// The stable word for programs; see `docs/errors.md`.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::NoClientCertificate => "no-client-certificate",
            Self::ClientCertificateInvalid { .. } => "client-certificate-invalid",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed { .. } => "method-not-allowed",
            Self::BodyTooLarge { .. } => "body-too-large",
            Self::UriTooLong { .. } => "uri-too-long",
            Self::TooSlow { .. } => "too-slow",
            Self::Deadline { .. } => "deadline",
            Self::BadJson { .. } => "bad-json",
            Self::BadRequest { .. } => "bad-request",
            Self::CsrMalformed { .. } => "csr-malformed",
            Self::CsrSignature => "csr-signature",
            Self::CrlNone { .. } => "crl-none",
            Self::UnknownSerial { .. } => "unknown-serial",
            Self::TooBusy { .. } => "too-busy",
            Self::TooManyWrongTokens { .. } => "too-many-wrong-tokens",
            Self::RateLimited { .. } => "rate-limited",
            Self::Behind { .. } => "behind",
            Self::Changed { .. } | Self::CaChanged { .. } => "changed-meanwhile",
            Self::ProfileInvalid { .. } => "profile-invalid",
            Self::Internal { .. } => "internal",
        }
    }

    /// Whether the request took effect all the same.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::Deadline { .. } | Self::Internal { .. } => Effect::Unknown,
            _ => Effect::NotApplied,
        }
    }
}

fn listed(faults: &[ProfileFault]) -> String {
    let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
    all.join("; ")
}
