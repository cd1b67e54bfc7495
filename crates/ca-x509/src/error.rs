//! The errors of reading and of writing; names, keys, serials, requests and PEM have their own beside them.

use alloc::string::String;
use core::fmt;

use crate::key::KeyError;
use crate::name::NameError;
use crate::pem::PemError;
use crate::serial::SerialError;

/// Why bytes were not read. Always the sender's fault: refuse them; trying again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The input is over its limit in [`crate::limits`].
    #[error("{what} has {got} octets, at most {max} are read")]
    TooLong {
        /// What was read.
        what: &'static str,
        /// Octets given.
        got: usize,
        /// Octets allowed.
        max: usize,
    },
    /// More parts than the limit in [`crate::limits`].
    #[error("more than {max} {what}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The input is not DER, is cut short, or has octets after the value.
    #[error("{what} is not valid DER")]
    Malformed {
        /// The structure that was being read.
        what: &'static str,
        /// Where and why.
        #[source]
        source: Asn1Error,
    },
    /// A value with another tag than the structure has there.
    #[error("{what} has tag 0x{got:02x} where 0x{expected:02x} belongs")]
    Tag {
        /// The structure that was being read.
        what: &'static str,
        /// The identifier octet that belongs there.
        expected: u8,
        /// The identifier octet found.
        got: u8,
    },
    /// A structure ends before a field that it must have.
    #[error("{what} lacks a field")]
    Missing {
        /// The structure that was being read.
        what: &'static str,
    },
    /// A value outside what its standard allows.
    #[error("{what}: {rule}")]
    Rule {
        /// The structure that was being read.
        what: &'static str,
        /// The rule that it breaks, with its source.
        rule: &'static str,
    },
    /// A version that this crate does not read.
    #[error("{what} has version {got}, expected {expected}")]
    Version {
        /// The structure that was being read.
        what: &'static str,
        /// The encoded number that is read.
        expected: u8,
        /// The encoded number found, or 255 if it does not fit.
        got: u8,
    },
    /// A signature algorithm that is not in [`crate::algorithm::SignatureAlgorithm`], or with wrong parameters.
    #[error("signature algorithm {oid} is not supported")]
    UnsupportedAlgorithm {
        /// Dotted decimal.
        oid: String,
    },
    /// The algorithm inside the signed bytes differs from the one beside the signature (RFC 5280 §4.1.1.2).
    #[error("signature algorithm is {outer} outside and {inner} inside the signed part")]
    AlgorithmMismatch {
        /// Inside the signed bytes.
        inner: &'static str,
        /// Beside the signature.
        outer: &'static str,
    },
    /// An extension that this crate does not know, where it must.
    #[error("extension {oid} is not known")]
    UnknownExtension {
        /// Dotted decimal.
        oid: String,
    },
    /// An extension that occurs twice (RFC 5280 §4.2).
    #[error("extension {oid} occurs twice")]
    DuplicateExtension {
        /// Dotted decimal.
        oid: String,
    },
    /// The value reads well, but this crate would have written it in other bytes.
    #[error("{what} is not in the form that this crate writes")]
    NotCanonical {
        /// The structure that was being read.
        what: &'static str,
    },
    /// A serial number out of range.
    #[error(transparent)]
    Serial(#[from] SerialError),
    /// A public key that cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A distinguished or general name that cannot be read.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Armour that cannot be read.
    #[error(transparent)]
    Pem(#[from] PemError),
}

/// Why a value has no encoding. The caller's fault: a plan that got past its checks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A time after 9999-12-31T23:59:59Z (RFC 5280 §4.1.2.5).
    #[error("time {got} s after 1970 is later than the year 9999")]
    Time {
        /// Seconds since 1970.
        got: u64,
    },
    /// Two fields that contradict each other, or a field outside what its standard allows.
    #[error("{what}: {rule}")]
    Rule {
        /// The structure that was being written.
        what: &'static str,
        /// The rule that it breaks, with its source.
        rule: &'static str,
    },
    /// A name that has no encoding.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// Where and why DER reading stopped; the position counts from the start of the structure named beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asn1Error(pub(crate) der::Error);

impl fmt::Display for Asn1Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for Asn1Error {}
