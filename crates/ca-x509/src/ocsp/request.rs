//! OCSP requests (RFC 6960 §4.1).

use alloc::vec::Vec;

use super::{CertId, extension_list, nonce_extension, read_nonce};
use crate::asn1::{self, Element};
use crate::error::{DecodeError, EncodeError};
use crate::extension;
use crate::limits::{OCSP_CERT_IDS_MAX, OCSP_REQUEST_BYTES_MAX};
use crate::oids;

/// What a client asks. A requestor's name and signature are read over: status is public.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OcspRequest {
    /// The certificates asked about, in order: one at least, at most [`OCSP_CERT_IDS_MAX`].
    pub cert_ids: Vec<CertId>,
    /// What the answer must repeat: 1 to 128 octets (RFC 9654 §2.1).
    pub nonce: Option<Vec<u8>>,
}

impl OcspRequest {
    /// Reads a request in DER.
    ///
    /// # Errors
    /// Over [`OCSP_REQUEST_BYTES_MAX`], not DER, octets after it, none or too many CertIDs, a nonce of
    /// a wrong length, an unknown critical extension: all to be answered `malformedRequest`.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > OCSP_REQUEST_BYTES_MAX {
            return Err(DecodeError::TooLong {
                what: REQUEST,
                got: bytes.len(),
                max: OCSP_REQUEST_BYTES_MAX,
            });
        }
        let mut outer = asn1::read_sequence(REQUEST, bytes)?;
        let mut fields = outer.sequence(REQUEST)?;
        // optionalSignature.
        outer.optional(asn1::constructed(0))?;
        outer.finish()?;
        if let Some(version) = fields.optional(asn1::constructed(0))? {
            // Version 1 is the default and so should be absent; some clients write it, and nothing hangs on it.
            let got = version.inner()?.small(asn1::INTEGER)?;
            if got != 0 {
                return Err(DecodeError::Version { what: REQUEST, expected: 0, got });
            }
        }
        // requestorName.
        fields.optional(asn1::constructed(1))?;
        let mut list = fields.sequence(REQUEST)?;
        let nonce = match fields.optional(asn1::constructed(2))? {
            Some(extensions) => read_extensions(extensions)?,
            None => None,
        };
        fields.finish()?;
        let mut cert_ids = Vec::new();
        while !list.is_finished() {
            if cert_ids.len() >= OCSP_CERT_IDS_MAX {
                return Err(DecodeError::TooMany { what: "certificate ids", max: OCSP_CERT_IDS_MAX });
            }
            let mut single = list.sequence(REQUEST)?;
            cert_ids.push(CertId::read(single.any()?)?);
            if let Some(extensions) = single.optional(asn1::constructed(0))? {
                // Only to refuse critical ones; a nonce has no meaning here.
                read_extensions(extensions)?;
            }
            single.finish()?;
        }
        if cert_ids.is_empty() {
            return Err(DecodeError::Missing { what: "certificate ids" });
        }
        Ok(Self { cert_ids, nonce })
    }

    /// The DER of an unsigned request.
    ///
    /// # Errors
    /// No or too many CertIDs, or a nonce of a wrong length.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        if self.cert_ids.is_empty() || self.cert_ids.len() > OCSP_CERT_IDS_MAX {
            return Err(EncodeError::Rule { what: REQUEST, rule: "1 to 10 certificates are asked about" });
        }
        let list: Vec<u8> = self.cert_ids.iter().flat_map(|id| asn1::sequence(&[id.as_der()])).collect();
        let extensions = match &self.nonce {
            Some(nonce) => nonce_extension(nonce)?,
            None => Vec::new(),
        };
        let extensions = extension_list(2, &extensions);
        Ok(asn1::sequence(&[&asn1::sequence(&[&asn1::sequence(&[&list]), &extensions])]))
    }
}

const REQUEST: &str = "ocsp request";

/// The nonce among extensions; others are skipped unless critical (RFC 6960 §4.4).
fn read_extensions(tagged: Element<'_>) -> Result<Option<Vec<u8>>, DecodeError> {
    let mut nonce = None;
    for extension in extension::read_all(tagged.inner()?.open(asn1::SEQUENCE)?)? {
        if extension.is(oids::OCSP_NONCE) {
            nonce = Some(read_nonce(&extension)?);
        } else if extension.is_critical {
            return Err(extension.unknown());
        }
    }
    Ok(nonce)
}
