//! Reads and writes what certification authorities exchange: requests, certificates, CRLs, OCSP.
//! It is pure: bytes in, values out and back; no clock, no randomness, no keys, no policy, no IO.
//!
//! ```text
//!   CSR ──parse──▶ CertificationRequest ─┐
//!                                        ├─▶ TbsCertificate ──encode──▶ tbs bytes ──(signed elsewhere)──▶ assemble
//!   profile, register (other crates) ────┤
//!                                        ├─▶ TbsCrl + CrlEntry… ──encode──▶ tbs bytes ──▶ assemble
//!   OCSP query ──parse──▶ OcspRequest ───┴─▶ ResponseData ──encode──▶ tbs bytes ──▶ assemble_response
//! ```
//!
//! Three rules hold for every reader here. It never panics, whatever the bytes. It refuses what is
//! not DER, and octets after the value. What was signed is handed out exactly as received, never
//! re-encoded, because a signature is over received bytes.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(test)]
extern crate std;

pub mod algorithm;
pub mod certificate;
pub mod crl;
pub mod error;
pub mod key;
pub mod limits;
pub mod name;
pub mod ocsp;
pub mod oid;
pub mod pem;
pub mod request;
pub mod serial;
pub mod time;

mod asn1;
mod extension;
mod oids;
mod signed;

pub use error::{DecodeError, EncodeError};
