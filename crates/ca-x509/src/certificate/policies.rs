//! Under which policies a certificate is issued, and what that asks of the certificates below it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::asn1::{self, Cursor, Element};
use crate::error::{DecodeError, EncodeError};
use crate::limits::GENERAL_NAME_BYTES_MAX;
use crate::oid::Oid;
use crate::oids;

/// One policy (RFC 5280 §4.2.1.4), with at most the pointers to its practice statement. User notices are
/// not written: RFC 5280 advises against qualifiers, and the CA/Browser Forum permits the pointer alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificatePolicy {
    /// Which policy; occurs once in a certificate.
    pub identifier: Oid,
    /// URIs of the certification practice statement.
    pub cps: Vec<String>,
}

/// What paths through a CA must have (RFC 5280 §4.2.1.11): how many certificates further on it begins to
/// hold. One of them at least is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyConstraints {
    /// From where on each certificate names an acceptable policy.
    pub require_explicit_policy: Option<u8>,
    /// From where on policies are not mapped.
    pub inhibit_policy_mapping: Option<u8>,
}

/// SEQUENCE OF PolicyInformation.
pub(super) fn encode(policies: &[CertificatePolicy]) -> Result<Vec<u8>, EncodeError> {
    let mut list = Vec::new();
    for (place, policy) in policies.iter().enumerate() {
        if policies.iter().take(place).any(|earlier| earlier.identifier == policy.identifier) {
            return Err(EncodeError::Rule { what: POLICIES, rule: ONCE });
        }
        let mut qualifiers = Vec::new();
        for uri in &policy.cps {
            if !is_uri(uri.as_bytes()) {
                return Err(EncodeError::Rule { what: POLICIES, rule: CPS_RULE });
            }
            let uri = asn1::tlv(asn1::IA5_STRING, &[uri.as_bytes()]);
            qualifiers.extend(asn1::sequence(&[&asn1::oid(oids::POLICY_CPS), &uri]));
        }
        let qualifiers = if qualifiers.is_empty() { qualifiers } else { asn1::sequence(&[&qualifiers]) };
        list.extend(asn1::sequence(&[&policy.identifier.to_der(), &qualifiers]));
    }
    Ok(asn1::sequence(&[&list]))
}

/// Qualifiers other than pointers are skipped, and policies whose identifiers are too long.
pub(super) fn read(element: Element<'_>) -> Result<Vec<CertificatePolicy>, DecodeError> {
    let mut list = element.named(POLICIES).open(asn1::SEQUENCE)?;
    if list.is_finished() {
        return Err(element.rule("a list of policies has one (RFC 5280 §4.2.1.4)"));
    }
    let mut policies: Vec<CertificatePolicy> = Vec::new();
    while !list.is_finished() {
        let mut fields = list.sequence(POLICIES)?;
        let identifier = Oid::from_content(fields.any()?.oid()?);
        let cps = match fields.optional(asn1::SEQUENCE)? {
            Some(qualifiers) => read_qualifiers(qualifiers.named(POLICIES).open(asn1::SEQUENCE)?)?,
            None => Vec::new(),
        };
        fields.finish()?;
        let Some(identifier) = identifier else { continue };
        if policies.iter().any(|earlier| earlier.identifier == identifier) {
            return Err(element.rule(ONCE));
        }
        policies.push(CertificatePolicy { identifier, cps });
    }
    Ok(policies)
}

impl PolicyConstraints {
    pub(super) fn to_der(self) -> Result<Vec<u8>, EncodeError> {
        if self == Self::default() {
            return Err(EncodeError::Rule { what: CONSTRAINTS, rule: NOT_EMPTY });
        }
        let field = |number, count: Option<u8>| {
            count.map(|count| asn1::unsigned_tagged(asn1::primitive(number), &[count])).unwrap_or_default()
        };
        Ok(asn1::sequence(&[&field(0, self.require_explicit_policy), &field(1, self.inhibit_policy_mapping)]))
    }

    pub(super) fn read(element: Element<'_>) -> Result<Self, DecodeError> {
        let mut fields = element.named(CONSTRAINTS).open(asn1::SEQUENCE)?;
        if fields.is_finished() {
            return Err(element.rule(NOT_EMPTY));
        }
        let mut field = |number| match fields.optional(asn1::primitive(number))? {
            Some(count) => count.small(asn1::primitive(number)).map(Some),
            None => Ok(None),
        };
        let (require_explicit_policy, inhibit_policy_mapping) = (field(0)?, field(1)?);
        fields.finish()?;
        Ok(Self { require_explicit_policy, inhibit_policy_mapping })
    }
}

const POLICIES: &str = "certificate policies";
const CONSTRAINTS: &str = "policy constraints";
const ONCE: &str = "a policy occurs once (RFC 5280 §4.2.1.4)";
const CPS_RULE: &str = "a practice statement is at a URI of 1 to 2048 visible ascii characters";
const NOT_EMPTY: &str = "one of its fields is there (RFC 5280 §4.2.1.11)";

fn read_qualifiers(mut qualifiers: Cursor<'_>) -> Result<Vec<String>, DecodeError> {
    let mut cps = Vec::new();
    if qualifiers.is_finished() {
        return Err(DecodeError::Missing { what: "policy qualifiers" });
    }
    while !qualifiers.is_finished() {
        let mut qualifier = qualifiers.sequence(POLICIES)?;
        let (oid, value) = (qualifier.any()?.oid()?, qualifier.any()?);
        qualifier.finish()?;
        if oid == oids::POLICY_CPS.as_bytes() {
            let octets = value.tagged(asn1::IA5_STRING)?.value;
            match core::str::from_utf8(octets) {
                Ok(uri) if is_uri(octets) => cps.push(uri.into()),
                _ => return Err(value.rule(CPS_RULE)),
            }
        }
    }
    Ok(cps)
}

fn is_uri(text: &[u8]) -> bool {
    !text.is_empty() && text.len() <= GENERAL_NAME_BYTES_MAX && text.iter().all(u8::is_ascii_graphic)
}
