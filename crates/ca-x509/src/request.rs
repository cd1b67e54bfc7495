//! Certification requests (PKCS #10, RFC 2986).

use alloc::vec::Vec;
use core::fmt;

use crate::algorithm::SignatureAlgorithm;
use crate::asn1::{self, Cursor};
use crate::error::DecodeError;
use crate::extension;
use crate::key::PublicKey;
use crate::limits::{REQUEST_BYTES_MAX, REQUEST_NAMES_MAX};
use crate::name::{DistinguishedName, GeneralName};
use crate::oids;
use crate::pem;
use crate::signed::{self, Signed};

/// A request as parsed: what it asks for, and what its requester signed, exactly as received. Its
/// signature is *not* verified here. Of its attributes only the alternative names of an
/// extensionRequest are kept; a challengePassword and all else are read over. They remain in the signed
/// octets, which are there to be verified, not to be stored, and which `Debug` does not show (I26).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CertificationRequest {
    der: Vec<u8>,
    info_der: Vec<u8>,
    subject: DistinguishedName,
    public_key: PublicKey,
    requested_names: Vec<GeneralName>,
    signature_algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// More than [`REQUEST_NAMES_MAX`] alternative names.
    #[error("request has {got} names, at most {max} are read")]
    TooManyNames {
        /// Names given.
        got: usize,
        /// Names allowed.
        max: usize,
    },
    /// The key cannot have made such a signature.
    #[error("request has a {kind} key and a signature {algorithm}")]
    KeyMismatch {
        /// The key's kind.
        kind: crate::key::KeyKind,
        /// The signature's algorithm.
        algorithm: SignatureAlgorithm,
    },
    /// It cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// The CertificationRequestInfo for a subject and a key, without attributes (RFC 2986 §4.1): what the key's holder
/// signs. Equal values have equal octets.
#[must_use]
pub fn info_der(subject: &DistinguishedName, public_key: &PublicKey) -> Vec<u8> {
    let version = asn1::unsigned(&[0]);
    let attributes = asn1::tlv(asn1::constructed(0), &[]);
    asn1::sequence(&[&version, subject.as_der(), public_key.spki_der(), &attributes])
}

/// The request of signed octets, algorithm and signature.
#[must_use]
pub fn assemble(info_der: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    signed::write(info_der, algorithm, signature)
}

impl CertificationRequest {
    /// Reads a request in DER or in PEM (`CERTIFICATE REQUEST`, `NEW CERTIFICATE REQUEST`).
    ///
    /// # Errors
    /// Over [`REQUEST_BYTES_MAX`], not DER, octets after it, a kind of key, signature or name that is
    /// not supported, a key that [`PublicKey::check`] refuses, more than [`REQUEST_NAMES_MAX`] names.
    /// Whether the names are what their forms want is asked of each by its own `check`: the subject of a
    /// request is often replaced, and whoever replaces it need not refuse it.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        let der = signed::dearmour(REQUEST, pem::REQUEST, bytes, REQUEST_BYTES_MAX)?.into_owned();
        let signed = Signed::read(REQUEST, &der)?;
        let mut info = asn1::read_sequence(INFO, signed.body)?;
        let version = info.any()?.small(asn1::INTEGER)?;
        if version != 0 {
            return Err(DecodeError::Version { what: REQUEST, expected: 0, got: version }.into());
        }
        let subject = DistinguishedName::from_der(info.any()?.raw)?;
        let public_key = PublicKey::from_spki_der(info.any()?.raw).map_err(DecodeError::from)?;
        public_key.check().map_err(DecodeError::from)?;
        let attributes = info.expect(asn1::constructed(0))?.open(asn1::constructed(0))?;
        info.finish()?;
        let requested_names = read_attributes(attributes)?;
        let (kind, algorithm) = (public_key.kind(), signed.algorithm);
        if !algorithm.fits(kind) {
            return Err(RequestError::KeyMismatch { kind, algorithm });
        }
        let (info_der, signature) = (signed.body.to_vec(), signed.signature.to_vec());
        let signature_algorithm = signed.algorithm;
        Ok(Self { info_der, subject, public_key, requested_names, signature_algorithm, signature, der })
    }

    /// The whole request in DER, as received.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The CertificationRequestInfo that the requester signed, as received.
    #[must_use]
    pub fn info_der(&self) -> &[u8] {
        &self.info_der
    }

    /// The signature's octets.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// How it is signed; it fits the key.
    #[must_use]
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signature_algorithm
    }

    /// The key to be certified.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The subject asked for, perhaps empty.
    #[must_use]
    pub const fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The alternative names asked for, in order, perhaps none.
    #[must_use]
    pub fn requested_names(&self) -> &[GeneralName] {
        &self.requested_names
    }
}

impl fmt::Debug for CertificationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificationRequest")
            .field("subject", &self.subject)
            .field("public_key", &self.public_key)
            .field("requested_names", &self.requested_names)
            .finish_non_exhaustive()
    }
}

const REQUEST: &str = "certification request";
const INFO: &str = "certification request info";
const ATTRIBUTE: &str = "request attribute";

/// SET OF Attribute { type, SET OF value } (RFC 2986 §4.1). The order of the set is not checked: the
/// signature is over the octets as they came, and old tools do not sort.
fn read_attributes(mut attributes: Cursor<'_>) -> Result<Vec<GeneralName>, RequestError> {
    let mut names = None;
    while !attributes.is_finished() {
        let mut attribute = attributes.sequence(ATTRIBUTE)?;
        let oid = attribute.any()?.oid()?;
        let mut values = attribute.expect(asn1::SET)?.open(asn1::SET)?;
        attribute.finish()?;
        if oid != oids::EXTENSION_REQUEST.as_bytes() {
            continue;
        }
        // RFC 2985 §5.4.2: single-valued; and an attribute type occurs once (RFC 2986 §4.1).
        let list = values.sequence("extension request")?;
        values.finish()?;
        if names.is_some() {
            return Err(DecodeError::Rule { what: ATTRIBUTE, rule: "extensionRequest occurs once" }.into());
        }
        names = Some(read_names(list)?);
    }
    Ok(names.unwrap_or_default())
}

fn read_names(list: Cursor<'_>) -> Result<Vec<GeneralName>, RequestError> {
    let mut names = Vec::new();
    if list.is_finished() {
        // Some tools write an extensionRequest without extensions; it asks for nothing.
        return Ok(names);
    }
    let mut got = 0_usize;
    for extension in extension::read_all(list)?.iter().filter(|entry| entry.is(oids::SUBJECT_ALT_NAME)) {
        let element = extension.element("requested names")?;
        let mut row = element.open(asn1::SEQUENCE)?;
        if row.is_finished() {
            return Err(element.rule("a list of names has one (RFC 5280 §4.2.1.6)").into());
        }
        while !row.is_finished() {
            got = got.saturating_add(1);
            let name = row.any()?;
            // The rest is counted, not read, so that the error can say how many there are.
            if got <= REQUEST_NAMES_MAX {
                names.push(GeneralName::read(name)?);
            }
        }
    }
    if got > REQUEST_NAMES_MAX {
        return Err(RequestError::TooManyNames { got, max: REQUEST_NAMES_MAX });
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;
    use crate::key::tests::arbitrary_key;
    use crate::name::NameError;
    use crate::name::tests::{arbitrary_general_name, arbitrary_name};
    use proptest::prelude::*;

    fn attribute(oid: der::asn1::ObjectIdentifier, value: &[u8]) -> Vec<u8> {
        asn1::sequence(&[&asn1::oid(oid), &asn1::tlv(asn1::SET, &[value])])
    }

    fn extension_request(names: &[Vec<u8>]) -> Vec<u8> {
        let names: Vec<&[u8]> = names.iter().map(|name| &**name).collect();
        let extension = extension::optional(oids::SUBJECT_ALT_NAME, &asn1::sequence(&names));
        attribute(oids::EXTENSION_REQUEST, &asn1::sequence(&[&extension]))
    }

    fn request(subject: &DistinguishedName, key: &PublicKey, attributes: &[&[u8]]) -> Vec<u8> {
        let attributes = asn1::tlv(asn1::constructed(0), attributes);
        let info = asn1::sequence(&[&asn1::unsigned(&[]), subject.as_der(), key.spki_der(), &attributes]);
        signed::write(&info, SignatureAlgorithm::default_for(key.kind()), b"signature")
    }

    fn key() -> PublicKey {
        PublicKey::from_ed25519([7; 32])
    }

    fn parse_names(names: &[Vec<u8>]) -> Result<CertificationRequest, RequestError> {
        CertificationRequest::parse(&request(
            &DistinguishedName::empty(),
            &key(),
            &[&extension_request(names)],
        ))
    }

    #[test]
    fn i26_challenge_password_is_not_shown() {
        let password = der::asn1::ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.7");
        let secret = attribute(password, &asn1::tlv(asn1::UTF8_STRING, &[b"canary"]));
        let der = request(&DistinguishedName::empty(), &key(), &[&secret]);
        let shown = alloc::format!("{:?}", CertificationRequest::parse(&der).unwrap());
        let octets = alloc::format!("{:?}", b"canary");
        assert!(!shown.contains("canary") && !shown.contains(octets.trim_matches(['[', ']'])));
    }

    #[test]
    fn rfc2985_5_4_2_extension_request_occurs_once() {
        let one = extension_request(&[GeneralName::Dns("a.example".into()).to_der().unwrap()]);
        let der = request(&DistinguishedName::empty(), &key(), &[&one, &one]);
        assert!(matches!(
            CertificationRequest::parse(&der),
            Err(RequestError::Decode(DecodeError::Rule { .. }))
        ));
    }

    #[test]
    fn names_over_the_limit_are_counted() {
        let name = GeneralName::Dns("a.example".into()).to_der().unwrap();
        assert_eq!(parse_names(&alloc::vec![name.clone(); 100]).unwrap().requested_names().len(), 100);
        assert_eq!(
            parse_names(&alloc::vec![name; 130]),
            Err(RequestError::TooManyNames { got: 130, max: 100 })
        );
    }

    #[test]
    fn unsupported_name_is_refused_by_its_tag() {
        let refused = NameError::UnsupportedForm { tag: 8, form: "registeredID" };
        let expected = RequestError::Decode(refused.into());
        assert_eq!(parse_names(&[asn1::tlv(asn1::primitive(8), &[&[42]])]), Err(expected));
    }

    #[test]
    fn trailing_octets_and_size_are_refused() {
        let mut der = request(&DistinguishedName::empty(), &key(), &[]);
        der.push(0);
        assert!(CertificationRequest::parse(&der).is_err());
        let long = alloc::vec![0x30; REQUEST_BYTES_MAX + 1];
        let expected = DecodeError::TooLong { what: REQUEST, got: long.len(), max: REQUEST_BYTES_MAX };
        assert_eq!(CertificationRequest::parse(&long), Err(expected.into()));
    }

    #[test]
    fn signature_of_another_family_is_refused() {
        let key = key();
        let attributes = asn1::tlv(asn1::constructed(0), &[]);
        let subject = DistinguishedName::empty();
        let info = asn1::sequence(&[&asn1::unsigned(&[]), subject.as_der(), key.spki_der(), &attributes]);
        let der = signed::write(&info, SignatureAlgorithm::EcdsaSha256, b"signature");
        let algorithm = SignatureAlgorithm::EcdsaSha256;
        let expected = RequestError::KeyMismatch { kind: KeyKind::Ed25519, algorithm };
        assert_eq!(CertificationRequest::parse(&der), Err(expected));
    }

    proptest! {
        #[test]
        fn every_request_is_read(subject in arbitrary_name(), key in arbitrary_key(),
                                 names in proptest::collection::vec(arbitrary_general_name(), 1..8)) {
            let encoded: Vec<_> = names.iter().map(|name| name.to_der().unwrap()).collect();
            let der = request(&subject, &key, &[&extension_request(&encoded)]);
            let parsed = CertificationRequest::parse(&der).unwrap();
            prop_assert_eq!(parsed.subject(), &subject);
            prop_assert_eq!(parsed.public_key(), &key);
            prop_assert_eq!(parsed.requested_names(), &names[..]);
            prop_assert_eq!(parsed.as_der(), &der[..]);
            let armoured = pem::encode(pem::REQUEST[1], &der);
            prop_assert_eq!(CertificationRequest::parse(armoured.as_bytes()).unwrap(), parsed);
        }

        #[test]
        fn no_mutation_panics(key in arbitrary_key(), name in arbitrary_general_name(), at: prop::sample::Index, octet: u8) {
            let names = [name.to_der().unwrap()];
            let mut der = request(&DistinguishedName::empty(), &key, &[&extension_request(&names)]);
            let at = at.index(der.len());
            let _ = CertificationRequest::parse(&der[..at]);
            der[at] = octet;
            let _ = CertificationRequest::parse(&der);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = CertificationRequest::parse(&bytes);
        }
    }
}
