//! OCSP responses (RFC 6960 §4.2): the part to be signed, the whole, and the unsigned errors.

use alloc::vec::Vec;

use super::{CertId, extension_list, nonce_extension, read_nonce};
use crate::algorithm::SignatureAlgorithm;
use crate::asn1::{self, Cursor, Element};
use crate::crl::{RevocationReason, read_reason};
use crate::error::{DecodeError, EncodeError};
use crate::extension;
use crate::key::KeyIdentifier;
use crate::limits::{OCSP_CERT_IDS_MAX, OCSP_RESPONSE_BYTES_MAX};
use crate::oids;
use crate::time::UnixSeconds;

/// What is known of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertStatus {
    /// Issued and not revoked.
    Good,
    /// Revoked.
    Revoked {
        /// Since when.
        at: UnixSeconds,
        /// Why; `Unspecified` is written as an absent reason.
        reason: Option<RevocationReason>,
    },
    /// Of an issuer that this responder does not answer for.
    Unknown,
}

/// The status of one certificate, and from when to when it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SingleResponse {
    /// Which certificate: the request's own octets.
    pub cert_id: CertId,
    /// Its status.
    pub status: CertStatus,
    /// When the status was known to be right.
    pub this_update: UnixSeconds,
    /// When newer information is there at the latest.
    pub next_update: Option<UnixSeconds>,
    /// RFC 6960 §4.4.4: certificates that expired at this time or later still have their status here.
    pub archive_cutoff: Option<UnixSeconds>,
}

/// What a responder signs, version 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResponseData {
    /// Whose key signs (`byKey`).
    pub responder: KeyIdentifier,
    /// When this was signed.
    pub produced_at: UnixSeconds,
    /// One for each CertID, in the order of the request.
    pub responses: Vec<SingleResponse>,
    /// The request's nonce, 1 to 128 octets.
    pub nonce: Option<Vec<u8>>,
    /// RFC 6960 §4.4.8: this responder says `revoked` also of serials that were not issued (§2.2); not critical.
    pub extended_revoke: bool,
}

/// An answer that is no status; unsigned (RFC 6960 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum OcspError {
    /// `malformedRequest`.
    #[error("malformedRequest")]
    MalformedRequest,
    /// `internalError`.
    #[error("internalError")]
    InternalError,
    /// `tryLater`.
    #[error("tryLater")]
    TryLater,
    /// `sigRequired`.
    #[error("sigRequired")]
    SigRequired,
    /// `unauthorized`.
    #[error("unauthorized")]
    Unauthorized,
}

/// A response as received.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OcspResponse {
    /// `successful`, with an answer of type `id-pkix-ocsp-basic`.
    Basic(BasicResponse),
    /// An error.
    Error(OcspError),
}

/// A signed answer as received. Its signature is *not* verified here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BasicResponse {
    tbs_der: Vec<u8>,
    data: ResponseData,
    signature_algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    certificates: Vec<Vec<u8>>,
}

/// The whole response (`successful`, `id-pkix-ocsp-basic`) of signed octets, algorithm, signature
/// (DER; ECDSA as ECDSA-Sig-Value) and the responder's certificates in DER, which may be none.
#[must_use]
pub fn assemble_response(
    tbs_der: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
    certs: &[&[u8]],
) -> Vec<u8> {
    let certificates =
        if certs.is_empty() { Vec::new() } else { asn1::explicit(0, &[&asn1::sequence(certs)]) };
    let basic = asn1::sequence(&[tbs_der, &algorithm.to_der(), &asn1::bit_string(signature), &certificates]);
    let typed = asn1::sequence(&[&asn1::oid(oids::OCSP_BASIC), &asn1::octet_string(&basic)]);
    asn1::sequence(&[&status_der(SUCCESSFUL), &asn1::explicit(0, &[&typed])])
}

impl OcspError {
    /// The DER of the response.
    #[must_use]
    pub fn response(self) -> Vec<u8> {
        asn1::sequence(&[&status_der(self.code())])
    }

    const ALL: [Self; 5] =
        [Self::MalformedRequest, Self::InternalError, Self::TryLater, Self::SigRequired, Self::Unauthorized];

    /// OCSPResponseStatus (RFC 6960 §4.2.1).
    const fn code(self) -> u8 {
        match self {
            Self::MalformedRequest => 1,
            Self::InternalError => 2,
            Self::TryLater => 3,
            Self::SigRequired => 5,
            Self::Unauthorized => 6,
        }
    }
}

impl ResponseData {
    /// The DER to be signed.
    ///
    /// # Errors
    /// No response at all, a time after 9999, or a nonce of a wrong length.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        if self.responses.is_empty() {
            return Err(EncodeError::Rule { what: DATA, rule: "there is a response to each request" });
        }
        let mut list = Vec::new();
        for response in &self.responses {
            list.extend(response.encode()?);
        }
        let mut extensions = match &self.nonce {
            Some(nonce) => nonce_extension(nonce)?,
            None => Vec::new(),
        };
        if self.extended_revoke {
            extensions.extend(extension::optional(oids::OCSP_EXTENDED_REVOKE, &asn1::null()));
        }
        Ok(asn1::sequence(&[
            &asn1::explicit(BY_KEY, &[&asn1::octet_string(&self.responder.0)]),
            &self.produced_at.to_generalized_time_der()?,
            &asn1::sequence(&[&list]),
            &extension_list(1, &extensions),
        ]))
    }

    fn read(element: Element<'_>) -> Result<Self, DecodeError> {
        let mut fields = element.named(DATA).open(asn1::SEQUENCE)?;
        if let Some(version) = fields.optional(asn1::constructed(0))? {
            return Err(version.rule("version 1 is the default, so it is absent (X.690 §11.5)"));
        }
        let responder = fields.any()?;
        if responder.tag != asn1::constructed(BY_KEY) {
            return Err(responder.rule("a responder is read by its key only"));
        }
        let key = responder.inner()?.tagged(asn1::OCTET_STRING)?;
        let key_length = key.rule("a responder's key is named by 20 octets (RFC 6960 §4.2.1)");
        let responder = KeyIdentifier(key.value.try_into().map_err(|_| key_length)?);
        let produced_at = UnixSeconds::read_generalized_time(fields.any()?)?;
        let mut list = fields.sequence(DATA)?;
        let (mut nonce, mut extended_revoke) = (None, false);
        if let Some(extensions) = fields.optional(asn1::constructed(1))? {
            for extension in extension::read_all(extensions.inner()?.open(asn1::SEQUENCE)?)? {
                if extension.is(oids::OCSP_NONCE) {
                    nonce = Some(read_nonce(&extension)?);
                } else if extension.is(oids::OCSP_EXTENDED_REVOKE) {
                    extension.element(DATA)?.null()?;
                    extended_revoke = true;
                } else if extension.is_critical {
                    return Err(extension.unknown());
                }
            }
        }
        fields.finish()?;
        let mut responses = Vec::new();
        while !list.is_finished() {
            if responses.len() >= OCSP_CERT_IDS_MAX {
                return Err(DecodeError::TooMany { what: "ocsp answers", max: OCSP_CERT_IDS_MAX });
            }
            responses.push(SingleResponse::read(list.sequence("ocsp answer")?)?);
        }
        if responses.is_empty() {
            return Err(DecodeError::Missing { what: "list of ocsp answers" });
        }
        Ok(Self { responder, produced_at, responses, nonce, extended_revoke })
    }
}

impl SingleResponse {
    fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let next_update = match self.next_update {
            Some(time) => asn1::explicit(0, &[&time.to_generalized_time_der()?]),
            None => Vec::new(),
        };
        let extensions = match self.archive_cutoff {
            Some(time) => extension::optional(oids::OCSP_ARCHIVE_CUTOFF, &time.to_generalized_time_der()?),
            None => Vec::new(),
        };
        Ok(asn1::sequence(&[
            self.cert_id.as_der(),
            &self.status.encode()?,
            &self.this_update.to_generalized_time_der()?,
            &next_update,
            &extension_list(1, &extensions),
        ]))
    }

    fn read(mut fields: Cursor<'_>) -> Result<Self, DecodeError> {
        let cert_id = CertId::read(fields.any()?)?;
        let status = CertStatus::read(fields.any()?)?;
        let this_update = UnixSeconds::read_generalized_time(fields.any()?)?;
        let next_update = match fields.optional(asn1::constructed(0))? {
            Some(time) => Some(UnixSeconds::read_generalized_time(time.inner()?)?),
            None => None,
        };
        let mut archive_cutoff = None;
        if let Some(extensions) = fields.optional(asn1::constructed(1))? {
            for extension in extension::read_all(extensions.inner()?.open(asn1::SEQUENCE)?)? {
                if extension.is(oids::OCSP_ARCHIVE_CUTOFF) {
                    let time = extension.element("archive cutoff")?;
                    archive_cutoff = Some(UnixSeconds::read_generalized_time(time)?);
                } else if extension.is_critical {
                    return Err(extension.unknown());
                }
            }
        }
        fields.finish()?;
        Ok(Self { cert_id, status, this_update, next_update, archive_cutoff })
    }
}

impl CertStatus {
    fn encode(self) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Good => Ok(asn1::tlv(asn1::primitive(GOOD), &[])),
            Self::Unknown => Ok(asn1::tlv(asn1::primitive(UNKNOWN), &[])),
            Self::Revoked { at, reason } => {
                let reason = match reason {
                    None | Some(RevocationReason::Unspecified) => Vec::new(),
                    Some(reason) => {
                        asn1::explicit(0, &[&asn1::unsigned_tagged(asn1::ENUMERATED, &[reason.code()])])
                    }
                };
                Ok(asn1::tlv(asn1::constructed(REVOKED), &[&at.to_generalized_time_der()?, &reason]))
            }
        }
    }

    fn read(element: Element<'_>) -> Result<Self, DecodeError> {
        if element.tag == asn1::constructed(REVOKED) {
            let mut fields = element.open(asn1::constructed(REVOKED))?;
            let at = UnixSeconds::read_generalized_time(fields.any()?)?;
            let reason = match fields.optional(asn1::constructed(0))? {
                Some(reason) => Some(read_reason(reason.inner()?)?),
                None => None,
            };
            fields.finish()?;
            return Ok(Self::Revoked { at, reason });
        }
        let status = if element.tag == asn1::primitive(GOOD) {
            Self::Good
        } else {
            element.tagged(asn1::primitive(UNKNOWN))?;
            Self::Unknown
        };
        if element.value.is_empty() {
            Ok(status)
        } else {
            Err(element.rule("a NULL is empty (X.690 §8.8.2)"))
        }
    }
}

impl OcspResponse {
    /// Reads a response in DER.
    ///
    /// # Errors
    /// Over [`OCSP_RESPONSE_BYTES_MAX`], not DER, octets after it, another type than basic, a responder named
    /// by its subject, an algorithm that is not supported, an unknown critical extension.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > OCSP_RESPONSE_BYTES_MAX {
            return Err(DecodeError::TooLong {
                what: RESPONSE,
                got: bytes.len(),
                max: OCSP_RESPONSE_BYTES_MAX,
            });
        }
        let mut outer = asn1::read_sequence(RESPONSE, bytes)?;
        let status = outer.any()?;
        let code = status.small(asn1::ENUMERATED)?;
        if code != SUCCESSFUL {
            outer.finish()?;
            let error = OcspError::ALL.into_iter().find(|error| error.code() == code);
            return error.map(Self::Error).ok_or_else(|| status.rule("the status is one of RFC 6960 §4.2.1"));
        }
        let mut typed = outer.expect(asn1::constructed(0))?.inner()?.open(asn1::SEQUENCE)?;
        outer.finish()?;
        let kind = typed.any()?;
        if kind.oid()? != oids::OCSP_BASIC.as_bytes() {
            return Err(kind.rule("the type is id-pkix-ocsp-basic"));
        }
        let basic = typed.expect(asn1::OCTET_STRING)?.value;
        typed.finish()?;
        BasicResponse::read(basic).map(Self::Basic)
    }
}

impl BasicResponse {
    /// What the responder signed, as received.
    #[must_use]
    pub fn tbs_der(&self) -> &[u8] {
        &self.tbs_der
    }

    /// What the responder signed, read.
    #[must_use]
    pub const fn data(&self) -> &ResponseData {
        &self.data
    }

    /// How it is signed.
    #[must_use]
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signature_algorithm
    }

    /// The signature's octets.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The certificates sent along, in DER, unread.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    fn read(der: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = asn1::read_sequence(RESPONSE, der)?;
        let tbs = fields.expect(asn1::SEQUENCE)?;
        let signature_algorithm = SignatureAlgorithm::from_der(fields.any()?.raw)?;
        let signature = fields.any()?.bits()?.to_vec();
        let mut certificates = Vec::new();
        if let Some(list) = fields.optional(asn1::constructed(0))? {
            let mut list = list.inner()?.open(asn1::SEQUENCE)?;
            while !list.is_finished() {
                certificates.push(list.expect(asn1::SEQUENCE)?.raw.to_vec());
            }
        }
        fields.finish()?;
        let data = ResponseData::read(tbs)?;
        Ok(Self { tbs_der: tbs.raw.to_vec(), data, signature_algorithm, signature, certificates })
    }
}

const RESPONSE: &str = "ocsp response";
const DATA: &str = "ocsp response data";

/// OCSPResponseStatus `successful`.
const SUCCESSFUL: u8 = 0;

// Numbers of the forms of CertStatus and of ResponderID.
const GOOD: u8 = 0;
const REVOKED: u8 = 1;
const UNKNOWN: u8 = 2;
const BY_KEY: u8 = 2;

fn status_der(code: u8) -> Vec<u8> {
    asn1::unsigned_tagged(asn1::ENUMERATED, &[code])
}
