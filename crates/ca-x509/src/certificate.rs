//! Certificates (RFC 5280 §4): the part to be signed, and the whole.
//!
//! Our own are written by [`TbsCertificate::encode`] and read back by the strict
//! [`TbsCertificate::decode`], which accepts exactly what `encode` writes: whoever lints the decoded
//! value has seen every octet. Others' are read by [`Certificate::parse`], which skips what it does not know.

use alloc::string::String;
use alloc::vec::Vec;

use crate::algorithm::SignatureAlgorithm;
use crate::asn1::{self, Cursor};
use crate::error::{DecodeError, EncodeError};
use crate::extension;
use crate::key::PublicKey;
use crate::limits::{CERTIFICATE_BYTES_MAX, CHAIN_CERTIFICATES_MAX};
use crate::name::DistinguishedName;
use crate::pem;
use crate::serial::SerialNumber;
use crate::signed::{self, Signed};
use crate::time::UnixSeconds;

mod constraints;
mod extensions;
mod key_usage;
mod microsoft;
mod pointers;
mod policies;
mod transparency;

pub use constraints::{BasicConstraints, NameConstraints, NameSubtree};
use extensions::Unknown;
pub use extensions::{Extensions, TlsFeature};
pub use key_usage::{ExtendedKeyUsage, KeyUsage};
pub use microsoft::CertificateTemplate;
pub(crate) use pointers::{
    distribution_point_name, encode_distribution_points, read_distribution_point_name,
    read_distribution_points,
};
pub use policies::{CertificatePolicy, PolicyConstraints};
pub use transparency::SignedTimestamp;

/// What a CA signs (RFC 5280 §4.1.2), version 3.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TbsCertificate {
    /// Unique for the issuer.
    pub serial: SerialNumber,
    /// How the issuer signs; the same stands beside the signature.
    pub signature_algorithm: SignatureAlgorithm,
    /// The issuer's subject, octet for octet.
    pub issuer: DistinguishedName,
    /// First second of validity.
    pub not_before: UnixSeconds,
    /// Last second of validity, inclusive.
    pub not_after: UnixSeconds,
    /// Whom it is for; may be empty if there are alternative names.
    pub subject: DistinguishedName,
    /// The certified key.
    pub public_key: PublicKey,
    /// All extensions.
    pub extensions: Extensions,
}

/// A certificate as received, with its fields read. Its signature is *not* verified here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Certificate {
    der: Vec<u8>,
    tbs_der: Vec<u8>,
    fields: TbsCertificate,
    signature: Vec<u8>,
}

/// The certificate of signed octets, algorithm and signature (DER; ECDSA as ECDSA-Sig-Value).
#[must_use]
pub fn assemble(tbs_der: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    signed::write(tbs_der, algorithm, signature)
}

/// The SubjectPublicKeyInfo of a TBSCertificate, exactly as it stands there, for those who want nothing else of it:
/// a tenth of what [`TbsCertificate::decode`] costs. The fields before it are skipped, not read.
///
/// # Errors
/// Not the DER of a version 3 TBSCertificate up to its key.
pub fn subject_public_key_info(tbs_der: &[u8]) -> Result<&[u8], DecodeError> {
    let mut fields = asn1::read_sequence(TBS, tbs_der)?;
    read_version(&mut fields)?;
    fields.expect(asn1::INTEGER)?;
    // Signature algorithm, issuer, validity, subject.
    for _ in 0..4 {
        fields.expect(asn1::SEQUENCE)?;
    }
    Ok(fields.expect(asn1::SEQUENCE)?.raw)
}

impl TbsCertificate {
    /// The DER to be signed. Equal values have equal octets.
    ///
    /// # Errors
    /// A time after 9999, a name or extension without encoding, a path length without `ca`.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let validity = asn1::sequence(&[&self.not_before.to_time_der()?, &self.not_after.to_time_der()?]);
        Ok(asn1::sequence(&[
            &asn1::explicit(0, &[&asn1::unsigned(&[V3])]),
            &self.serial.to_der(),
            &self.signature_algorithm.to_der(),
            self.issuer.as_der(),
            &validity,
            self.subject.as_der(),
            self.public_key.spki_der(),
            &self.extensions.encode(self.subject.is_empty())?,
        ]))
    }

    /// Reads back what [`Self::encode`] writes, and nothing else.
    ///
    /// # Errors
    /// Not DER, an unknown extension, or any octet that `encode` would have written otherwise.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let tbs = Self::read(bytes, Unknown::Refuse)?;
        match tbs.encode() {
            Ok(again) if again == bytes => Ok(tbs),
            Ok(_) | Err(_) => Err(DecodeError::NotCanonical { what: TBS }),
        }
    }

    fn read(bytes: &[u8], unknown: Unknown) -> Result<Self, DecodeError> {
        if bytes.len() > CERTIFICATE_BYTES_MAX {
            return Err(DecodeError::TooLong { what: TBS, got: bytes.len(), max: CERTIFICATE_BYTES_MAX });
        }
        let mut fields = asn1::read_sequence(TBS, bytes)?;
        read_version(&mut fields)?;
        let serial = SerialNumber::from_be_bytes(fields.any()?.unsigned()?)?;
        let signature_algorithm = SignatureAlgorithm::from_der(fields.any()?.raw)?;
        let issuer = DistinguishedName::from_der(fields.any()?.raw)?;
        let mut validity = fields.sequence("validity")?;
        let not_before = UnixSeconds::read_time(validity.any()?)?;
        let not_after = UnixSeconds::read_time(validity.any()?)?;
        validity.finish()?;
        let subject = DistinguishedName::from_der(fields.any()?.raw)?;
        let public_key = PublicKey::from_spki_der(fields.any()?.raw)?;
        // issuerUniqueID and subjectUniqueID: skipped here, refused by the comparison in `decode`.
        fields.optional(asn1::primitive(1))?;
        fields.optional(asn1::primitive(2))?;
        let mut extensions = Extensions::default();
        if let Some(field) = fields.optional(asn1::constructed(3))? {
            for extension in extension::read_all(field.inner()?.open(asn1::SEQUENCE)?)? {
                extensions.read(&extension, unknown)?;
            }
        }
        fields.finish()?;
        Ok(Self {
            serial,
            signature_algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            public_key,
            extensions,
        })
    }
}

impl Certificate {
    /// Reads a certificate in DER or PEM (`CERTIFICATE`). Extensions, purposes and forms of names that
    /// are not known here are skipped, critical or not: who relies on the certificate must use [`Self::tbs`].
    ///
    /// # Errors
    /// Over [`CERTIFICATE_BYTES_MAX`], not DER, octets after it, not version 3, a key or signature
    /// algorithm that is not supported, or a known extension that cannot be read.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let der =
            signed::dearmour(CERTIFICATE, &[pem::CERTIFICATE], bytes, CERTIFICATE_BYTES_MAX)?.into_owned();
        let signed = Signed::read(CERTIFICATE, &der)?;
        let fields = TbsCertificate::read(signed.body, Unknown::Skip)?;
        signed.check_inner(fields.signature_algorithm)?;
        let (tbs_der, signature) = (signed.body.to_vec(), signed.signature.to_vec());
        Ok(Self { tbs_der, fields, signature, der })
    }

    /// Reads the certificates of a PEM file, in order: one at least, at most [`CHAIN_CERTIFICATES_MAX`].
    ///
    /// # Errors
    /// No block, too many, or one that [`Self::parse`] refuses.
    pub fn parse_chain(text: &[u8]) -> Result<Vec<Self>, DecodeError> {
        let max = CHAIN_CERTIFICATES_MAX.saturating_mul(CERTIFICATE_BYTES_MAX);
        if text.len() > max {
            return Err(DecodeError::TooLong { what: "certificate chain", got: text.len(), max });
        }
        let blocks = pem::decode_all(&[pem::CERTIFICATE], text)?;
        if blocks.len() > CHAIN_CERTIFICATES_MAX {
            return Err(DecodeError::TooMany {
                what: "certificates in a chain",
                max: CHAIN_CERTIFICATES_MAX,
            });
        }
        blocks.iter().map(|der| Self::parse(der)).collect()
    }

    /// The whole certificate in DER, as received.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// What the issuer signed, as received.
    #[must_use]
    pub fn tbs_der(&self) -> &[u8] {
        &self.tbs_der
    }

    /// What the issuer signed, read strictly.
    ///
    /// # Errors
    /// As [`TbsCertificate::decode`]: in particular for certificates of other CAs.
    pub fn tbs(&self) -> Result<TbsCertificate, DecodeError> {
        TbsCertificate::decode(&self.tbs_der)
    }

    /// The signature's octets.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// How it is signed, the same inside and outside the signed part.
    #[must_use]
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.fields.signature_algorithm
    }

    /// The serial number.
    #[must_use]
    pub const fn serial(&self) -> SerialNumber {
        self.fields.serial
    }

    /// Who signed it.
    #[must_use]
    pub const fn issuer(&self) -> &DistinguishedName {
        &self.fields.issuer
    }

    /// Whom it is for.
    #[must_use]
    pub const fn subject(&self) -> &DistinguishedName {
        &self.fields.subject
    }

    /// First second of validity.
    #[must_use]
    pub const fn not_before(&self) -> UnixSeconds {
        self.fields.not_before
    }

    /// Last second of validity, inclusive.
    #[must_use]
    pub const fn not_after(&self) -> UnixSeconds {
        self.fields.not_after
    }

    /// The certified key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.fields.public_key
    }

    /// The extensions known here, or what is known of them.
    #[must_use]
    pub const fn extensions(&self) -> &Extensions {
        &self.fields.extensions
    }

    /// PEM (`CERTIFICATE`).
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode(pem::CERTIFICATE, &self.der)
    }
}

const CERTIFICATE: &str = "certificate";
const TBS: &str = "tbs certificate";

/// The encoded number of version 3 (RFC 5280 §4.1.2.1).
const V3: u8 = 2;

fn read_version(fields: &mut Cursor<'_>) -> Result<(), DecodeError> {
    let got = match fields.optional(asn1::constructed(0))? {
        Some(version) => version.inner()?.small(asn1::INTEGER)?,
        None => 0,
    };
    if got == V3 { Ok(()) } else { Err(DecodeError::Version { what: CERTIFICATE, expected: V3, got }) }
}

#[cfg(test)]
mod tests;
