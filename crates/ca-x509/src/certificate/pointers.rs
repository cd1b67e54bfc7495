//! Where to find lists, responders and the issuer's certificate.

use alloc::string::String;
use alloc::vec::Vec;

use crate::asn1::{self, Element};
use crate::error::{DecodeError, EncodeError};
use crate::name::{GeneralName, NameError, URI};
use crate::oids;

/// The two lists of AuthorityInfoAccessSyntax (RFC 5280 §4.2.2.1) that are in use.
#[derive(Default)]
pub(super) struct Access {
    pub(super) ocsp: Vec<String>,
    pub(super) issuers: Vec<String>,
}

/// AuthorityInfoAccessSyntax, responders first.
pub(super) fn encode_access(ocsp: &[String], issuers: &[String]) -> Result<Vec<u8>, EncodeError> {
    let ocsp = ocsp.iter().map(|url| (oids::ACCESS_OCSP, url));
    let issuers = issuers.iter().map(|url| (oids::ACCESS_CA_ISSUERS, url));
    let mut list = Vec::new();
    for (method, url) in ocsp.chain(issuers) {
        let place = GeneralName::Uri(url.clone()).to_der()?;
        list.extend(asn1::sequence(&[&asn1::oid(method), &place]));
    }
    Ok(asn1::sequence(&[&list]))
}

/// AccessDescriptions of other methods, or at other places than URIs, are skipped.
pub(super) fn read_access(element: Element<'_>) -> Result<Access, DecodeError> {
    let mut access = Access::default();
    let mut list = element.open(asn1::SEQUENCE)?;
    if list.is_finished() {
        return Err(element.rule("a list of accesses has one (RFC 5280 §4.2.2.1)"));
    }
    while !list.is_finished() {
        let mut description = list.sequence("access description")?;
        let (method, place) = (description.any()?.oid()?, description.any()?);
        description.finish()?;
        if place.tag != asn1::primitive(URI) {
            continue;
        }
        if method == oids::ACCESS_OCSP.as_bytes() {
            access.ocsp.push(read_uri(place)?);
        } else if method == oids::ACCESS_CA_ISSUERS.as_bytes() {
            access.issuers.push(read_uri(place)?);
        }
    }
    Ok(access)
}

/// CRLDistributionPoints (RFC 5280 §4.2.1.13), one point with one URI each; FreshestCRL (§4.2.1.15, §5.2.6)
/// has the same syntax.
pub(crate) fn encode_distribution_points(urls: &[String]) -> Result<Vec<u8>, NameError> {
    let mut list = Vec::new();
    for url in urls {
        list.extend(asn1::sequence(&[&distribution_point_name(url)?]));
    }
    Ok(asn1::sequence(&[&list]))
}

/// The URIs of the points for all reasons of the certificate's own issuer. A point for some reasons only, or
/// with the list of another issuer, is not the place of the list and is skipped.
pub(crate) fn read_distribution_points(element: Element<'_>) -> Result<Vec<String>, DecodeError> {
    let mut list = element.open(asn1::SEQUENCE)?;
    if list.is_finished() {
        return Err(element.rule("a list of distribution points has one (RFC 5280 §4.2.1.13)"));
    }
    let mut urls = Vec::new();
    while !list.is_finished() {
        let mut point = list.sequence("crl distribution point")?;
        if point.is_finished() {
            return Err(element.rule("a point has a name or an issuer (RFC 5280 §4.2.1.13)"));
        }
        let name = point.optional(asn1::constructed(0))?;
        let reasons = point.optional(asn1::primitive(1))?;
        let issuer = point.optional(asn1::constructed(2))?;
        point.finish()?;
        if let (Some(name), None, None) = (name, reasons, issuer) {
            urls.extend(read_distribution_point_name(name)?);
        }
    }
    Ok(urls)
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
        if forms.is_finished() {
            return Err(element.rule("a full name has one (RFC 5280 §4.2.1.6)"));
        }
        while !forms.is_finished() {
            let form = forms.any()?;
            if form.tag == asn1::primitive(URI) {
                urls.push(read_uri(form)?);
            }
        }
    }
    Ok(urls)
}

fn read_uri(element: Element<'_>) -> Result<String, DecodeError> {
    match GeneralName::read(element)? {
        GeneralName::Uri(url) => Ok(url),
        _ => Err(element.rule("a URI belongs here")),
    }
}
