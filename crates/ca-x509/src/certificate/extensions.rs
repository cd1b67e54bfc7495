//! The extensions of a certificate (RFC 5280 §4.2), in one fixed order.

use alloc::string::String;
use alloc::vec::Vec;

use super::key_usage::{ExtendedKeyUsage, KeyUsage};
use crate::asn1::{self, Element};
use crate::error::{DecodeError, EncodeError};
use crate::extension::{self, Extension};
use crate::key::KeyIdentifier;
use crate::name::{GeneralName, NameError, URI};
use crate::oids;

/// Whether the subject is a CA (RFC 5280 §4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BasicConstraints {
    /// Whether the key may sign certificates.
    pub ca: bool,
    /// How many intermediate certificates may follow; only with `ca`.
    pub path_len: Option<u8>,
}

/// The extensions of a certificate that this crate writes. An empty list or `None` is an absent extension.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extensions {
    /// RFC 5280 §4.2.1.2.
    pub subject_key_identifier: Option<KeyIdentifier>,
    /// RFC 5280 §4.2.1.1, the key identifier only.
    pub authority_key_identifier: Option<KeyIdentifier>,
    /// RFC 5280 §4.2.1.9; critical when `ca`.
    pub basic_constraints: Option<BasicConstraints>,
    /// RFC 5280 §4.2.1.3; critical.
    pub key_usage: Option<KeyUsage>,
    /// RFC 5280 §4.2.1.12; not critical.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// RFC 5280 §4.2.1.6; critical if and only if the subject is empty.
    pub subject_alt_names: Vec<GeneralName>,
    /// RFC 5280 §4.2.1.13: one distribution point with one URI each.
    pub crl_distribution_points: Vec<String>,
    /// RFC 5280 §4.2.2.1: URIs of OCSP responders.
    pub ocsp_urls: Vec<String>,
    /// RFC 5280 §4.2.2.1: URIs of the issuer's certificate.
    pub ca_issuers_urls: Vec<String>,
    /// RFC 6960 §4.2.2.2.1: a delegated responder's certificate is not itself to be checked.
    pub ocsp_no_check: bool,
}

/// What to do with what is not in [`Extensions`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    Refuse,
    Skip,
}

impl Extensions {
    /// `[3] EXPLICIT SEQUENCE OF Extension`, or nothing if there are none.
    pub(super) fn encode(&self, subject_is_empty: bool) -> Result<Vec<u8>, EncodeError> {
        let mut list = Vec::new();
        if let Some(key) = &self.subject_key_identifier {
            list.extend(extension::optional(oids::SUBJECT_KEY_IDENTIFIER, &asn1::octet_string(&key.0)));
        }
        if let Some(key) = &self.authority_key_identifier {
            let value = extension::authority_key_identifier(key);
            list.extend(extension::optional(oids::AUTHORITY_KEY_IDENTIFIER, &value));
        }
        if let Some(constraints) = self.basic_constraints {
            list.extend(constraints.encode()?);
        }
        if let Some(usage) = self.key_usage {
            if usage.is_empty() {
                return Err(EncodeError::Rule { what: KEY_USAGE, rule: "a bit is set (RFC 5280 §4.2.1.3)" });
            }
            list.extend(extension::critical(oids::KEY_USAGE, &usage.to_der()));
        }
        if !self.extended_key_usage.is_empty() {
            let purposes: Vec<u8> =
                self.extended_key_usage.iter().flat_map(|purpose| asn1::oid(purpose.oid())).collect();
            list.extend(extension::optional(oids::EXTENDED_KEY_USAGE, &asn1::sequence(&[&purposes])));
        }
        if !self.subject_alt_names.is_empty() {
            let value = general_names(&self.subject_alt_names)?;
            let write = if subject_is_empty { extension::critical } else { extension::optional };
            list.extend(write(oids::SUBJECT_ALT_NAME, &value));
        }
        if !self.crl_distribution_points.is_empty() {
            let value = encode_distribution_points(&self.crl_distribution_points)?;
            list.extend(extension::optional(oids::CRL_DISTRIBUTION_POINTS, &value));
        }
        if !self.ocsp_urls.is_empty() || !self.ca_issuers_urls.is_empty() {
            list.extend(extension::optional(oids::AUTHORITY_INFO_ACCESS, &self.encode_access()?));
        }
        if self.ocsp_no_check {
            list.extend(extension::optional(oids::OCSP_NO_CHECK, &asn1::null()));
        }
        // RFC 5280 §4.1.2.9: SIZE (1..MAX), so none at all is an absent field.
        Ok(if list.is_empty() { list } else { asn1::explicit(3, &[&asn1::sequence(&[&list])]) })
    }

    pub(super) fn read(&mut self, extension: &Extension<'_>, unknown: Unknown) -> Result<(), DecodeError> {
        let element = |what| extension.element(what);
        if extension.is(oids::SUBJECT_KEY_IDENTIFIER) {
            let key = element("subject key identifier")?.tagged(asn1::OCTET_STRING)?.value;
            self.subject_key_identifier = key.try_into().ok().map(KeyIdentifier);
        } else if extension.is(oids::AUTHORITY_KEY_IDENTIFIER) {
            let key = extension::read_authority_key_identifier(element("authority key identifier")?)?;
            self.authority_key_identifier = key;
        } else if extension.is(oids::BASIC_CONSTRAINTS) {
            self.basic_constraints = Some(BasicConstraints::read(element(BASIC_CONSTRAINTS)?)?);
        } else if extension.is(oids::KEY_USAGE) {
            self.key_usage = Some(KeyUsage::read(element(KEY_USAGE)?)?);
        } else if extension.is(oids::EXTENDED_KEY_USAGE) {
            self.extended_key_usage = read_purposes(element("extended key usage")?)?;
        } else if extension.is(oids::SUBJECT_ALT_NAME) {
            self.subject_alt_names = read_general_names(element("subject alternative names")?, unknown)?;
        } else if extension.is(oids::CRL_DISTRIBUTION_POINTS) {
            self.crl_distribution_points = read_distribution_points(element("crl distribution points")?)?;
        } else if extension.is(oids::AUTHORITY_INFO_ACCESS) {
            self.read_access(element("authority information access")?)?;
        } else if extension.is(oids::OCSP_NO_CHECK) {
            element("ocsp no check")?.null()?;
            self.ocsp_no_check = true;
        } else if unknown == Unknown::Refuse {
            return Err(extension.unknown());
        }
        Ok(())
    }

    fn encode_access(&self) -> Result<Vec<u8>, EncodeError> {
        let ocsp = self.ocsp_urls.iter().map(|url| (oids::ACCESS_OCSP, url));
        let issuers = self.ca_issuers_urls.iter().map(|url| (oids::ACCESS_CA_ISSUERS, url));
        let mut list = Vec::new();
        for (method, url) in ocsp.chain(issuers) {
            let place = GeneralName::Uri(url.clone()).to_der()?;
            list.extend(asn1::sequence(&[&asn1::oid(method), &place]));
        }
        Ok(asn1::sequence(&[&list]))
    }

    /// AccessDescriptions of other methods, or at other places than URIs, are skipped.
    fn read_access(&mut self, element: Element<'_>) -> Result<(), DecodeError> {
        let mut list = element.open(asn1::SEQUENCE)?;
        while !list.is_finished() {
            let mut description = list.sequence("access description")?;
            let (method, place) = (description.any()?.oid()?, description.any()?);
            description.finish()?;
            if place.tag != asn1::primitive(URI) {
                continue;
            }
            if method == oids::ACCESS_OCSP.as_bytes() {
                self.ocsp_urls.push(read_uri(place)?);
            } else if method == oids::ACCESS_CA_ISSUERS.as_bytes() {
                self.ca_issuers_urls.push(read_uri(place)?);
            }
        }
        Ok(())
    }
}

impl BasicConstraints {
    fn encode(self) -> Result<Vec<u8>, EncodeError> {
        let what = BASIC_CONSTRAINTS;
        match self {
            Self { ca: false, path_len: None } => {
                Ok(extension::optional(oids::BASIC_CONSTRAINTS, &asn1::sequence(&[])))
            }
            Self { ca: false, path_len: Some(_) } => {
                Err(EncodeError::Rule { what, rule: "pathLen needs cA (RFC 5280 §4.2.1.9)" })
            }
            Self { ca: true, path_len } => {
                let length = path_len.map(|length| asn1::unsigned(&[length])).unwrap_or_default();
                let value = asn1::sequence(&[&asn1::tlv(asn1::BOOLEAN, &[&[0xff]]), &length]);
                Ok(extension::critical(oids::BASIC_CONSTRAINTS, &value))
            }
        }
    }

    fn read(element: Element<'_>) -> Result<Self, DecodeError> {
        let mut fields = element.open(asn1::SEQUENCE)?;
        let ca = match fields.optional(asn1::BOOLEAN)? {
            Some(flag) => flag.boolean()?,
            None => false,
        };
        let path_len = match fields.optional(asn1::INTEGER)? {
            Some(length) => Some(length.small(asn1::INTEGER)?),
            None => None,
        };
        fields.finish()?;
        Ok(Self { ca, path_len })
    }
}

const BASIC_CONSTRAINTS: &str = "basic constraints";
const KEY_USAGE: &str = "key usage";

fn general_names(names: &[GeneralName]) -> Result<Vec<u8>, NameError> {
    let mut list = Vec::new();
    for name in names {
        list.extend(name.to_der()?);
    }
    Ok(asn1::sequence(&[&list]))
}

fn read_general_names(element: Element<'_>, unknown: Unknown) -> Result<Vec<GeneralName>, DecodeError> {
    let mut list = element.open(asn1::SEQUENCE)?;
    let mut names = Vec::new();
    while !list.is_finished() {
        match GeneralName::read(list.any()?) {
            Ok(name) => names.push(name),
            Err(DecodeError::Name(NameError::UnsupportedForm { .. })) if unknown == Unknown::Skip => {}
            Err(error) => return Err(error),
        }
    }
    Ok(names)
}

/// Purposes that are not in [`ExtendedKeyUsage`] are skipped.
fn read_purposes(element: Element<'_>) -> Result<Vec<ExtendedKeyUsage>, DecodeError> {
    let mut list = element.open(asn1::SEQUENCE)?;
    let mut purposes = Vec::new();
    while !list.is_finished() {
        let oid = list.any()?.oid()?;
        purposes.extend(ExtendedKeyUsage::ALL.into_iter().find(|purpose| purpose.oid().as_bytes() == oid));
    }
    Ok(purposes)
}

fn encode_distribution_points(urls: &[String]) -> Result<Vec<u8>, NameError> {
    let mut list = Vec::new();
    for url in urls {
        list.extend(asn1::sequence(&[&distribution_point_name(url)?]));
    }
    Ok(asn1::sequence(&[&list]))
}

/// `distributionPoint [0] { fullName [0] { URI } }`, shared with the CRL's own extension (RFC 5280 §5.2.5).
pub(crate) fn distribution_point_name(url: &str) -> Result<Vec<u8>, NameError> {
    let uri = GeneralName::Uri(url.into()).to_der()?;
    // DistributionPointName is a CHOICE, so its own tag is explicit (X.680 §31.2.7).
    Ok(asn1::explicit(0, &[&asn1::tlv(asn1::constructed(0), &[&uri])]))
}

/// The URIs of a `distributionPoint [0]`; other forms are skipped.
pub(crate) fn read_distribution_point_name(element: Element<'_>) -> Result<Vec<String>, DecodeError> {
    let mut urls = Vec::new();
    let name = element.inner()?;
    if name.tag == asn1::constructed(0) {
        let mut forms = name.open(asn1::constructed(0))?;
        while !forms.is_finished() {
            let form = forms.any()?;
            if form.tag == asn1::primitive(URI) {
                urls.push(read_uri(form)?);
            }
        }
    }
    Ok(urls)
}

fn read_distribution_points(element: Element<'_>) -> Result<Vec<String>, DecodeError> {
    let mut list = element.open(asn1::SEQUENCE)?;
    let mut urls = Vec::new();
    while !list.is_finished() {
        let mut point = list.sequence("crl distribution point")?;
        if let Some(name) = point.optional(asn1::constructed(0))? {
            urls.extend(read_distribution_point_name(name)?);
        }
    }
    Ok(urls)
}

fn read_uri(element: Element<'_>) -> Result<String, DecodeError> {
    match GeneralName::read(element)? {
        GeneralName::Uri(url) => Ok(url),
        GeneralName::Dns(_) | GeneralName::Ip(_) | GeneralName::Email(_) => {
            Err(element.rule("a URI belongs here"))
        }
    }
}
