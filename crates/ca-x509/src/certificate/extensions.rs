//! The extensions of a certificate (RFC 5280 §4.2), in one fixed order.

use alloc::string::String;
use alloc::vec::Vec;

use super::constraints::{BasicConstraints, NameConstraints};
use super::key_usage::{ExtendedKeyUsage, KeyUsage};
use super::microsoft::{self, CertificateTemplate};
use super::pointers;
use super::policies::{self, CertificatePolicy, PolicyConstraints};
use super::transparency::{self, SignedTimestamp};
use crate::asn1::{self, Element};
use crate::error::{DecodeError, EncodeError};
use crate::extension::{self, Extension};
use crate::key::KeyIdentifier;
use crate::name::{GeneralName, NameError};
use crate::oid::Oid;
use crate::oids;

/// The extensions of a certificate that this crate writes. An empty list, `false` or `None` is an absent extension.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extensions {
    /// RFC 5280 §4.2.1.2.
    pub subject_key_identifier: Option<KeyIdentifier>,
    /// RFC 5280 §4.2.1.1, the key identifier only.
    pub authority_key_identifier: Option<KeyIdentifier>,
    /// RFC 5280 §4.2.1.9; critical when `ca`.
    pub basic_constraints: Option<BasicConstraints>,
    /// RFC 5280 §4.2.1.10; critical.
    pub name_constraints: Option<NameConstraints>,
    /// RFC 5280 §4.2.1.3; critical.
    pub key_usage: Option<KeyUsage>,
    /// RFC 5280 §4.2.1.12.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// Purposes that [`ExtendedKeyUsage`] does not name; they stand after those that it does.
    pub other_purposes: Vec<Oid>,
    /// Whether the purposes are critical, at the issuer's option (RFC 5280 §4.2.1.12); `false` without one.
    pub purposes_are_critical: bool,
    /// RFC 5280 §4.2.1.4; not critical.
    pub policies: Vec<CertificatePolicy>,
    /// RFC 5280 §4.2.1.11; critical.
    pub policy_constraints: Option<PolicyConstraints>,
    /// RFC 5280 §4.2.1.14; critical: after how many further certificates anyPolicy stands for no policy.
    pub inhibit_any_policy: Option<u8>,
    /// RFC 5280 §4.2.1.6; critical if and only if the subject is empty.
    pub subject_alt_names: Vec<GeneralName>,
    /// RFC 5280 §4.2.1.13: one distribution point with one URI each; that of the shard, where there are shards.
    pub crl_distribution_points: Vec<String>,
    /// RFC 5280 §4.2.1.15: URIs of the delta list; not critical.
    pub freshest_crl: Vec<String>,
    /// RFC 5280 §4.2.2.1: URIs of OCSP responders.
    pub ocsp_urls: Vec<String>,
    /// RFC 5280 §4.2.2.1: URIs of the issuer's certificate.
    pub ca_issuers_urls: Vec<String>,
    /// RFC 7633 §4: what a TLS server with this certificate does, if asked; not critical.
    pub tls_features: Vec<TlsFeature>,
    /// [MS-WCCE] §2.2.2.7.7.1: the name of a template of version 1; not critical.
    pub template_name: Option<String>,
    /// [MS-WCCE] §2.2.2.7.7.2; not critical.
    pub template: Option<CertificateTemplate>,
    /// RFC 6960 §4.2.2.2.1: a delegated responder's certificate is not itself to be checked.
    pub ocsp_no_check: bool,
    /// RFC 6962 §3.1: this is a precertificate; critical, so that nobody relies on it.
    pub ct_poison: bool,
    /// RFC 6962 §3.3; not critical. Never together with the poison.
    pub timestamps: Vec<SignedTimestamp>,
}

/// A TLS extension by its number at IANA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsFeature(pub u16);

impl TlsFeature {
    /// `status_request` (RFC 6066 §8): "must staple".
    pub const STATUS_REQUEST: Self = Self(5);
    /// `status_request_v2` (RFC 6961 §2.2).
    pub const STATUS_REQUEST_V2: Self = Self(17);
}

/// What to do with what is not in [`Extensions`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    Refuse,
    Skip,
}

impl Extensions {
    /// Whether they can be written: each holds what its standard asks of its form.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), EncodeError> {
        self.encode(false).map(drop)
    }

    /// `[3] EXPLICIT SEQUENCE OF Extension`, or nothing if there are none.
    pub(super) fn encode(&self, subject_is_empty: bool) -> Result<Vec<u8>, EncodeError> {
        let mut list = Vec::new();
        self.push_identity(&mut list)?;
        self.push_use(&mut list)?;
        if !self.subject_alt_names.is_empty() {
            let value = general_names(&self.subject_alt_names)?;
            let write = if subject_is_empty { extension::critical } else { extension::optional };
            list.extend(write(oids::SUBJECT_ALT_NAME, &value));
        }
        self.push_pointers(&mut list)?;
        self.push_marks(&mut list)?;
        // RFC 5280 §4.1.2.9: SIZE (1..MAX), so none at all is an absent field.
        Ok(if list.is_empty() { list } else { asn1::explicit(3, &[&asn1::sequence(&[&list])]) })
    }

    /// Whose keys, and whether it is a CA's.
    fn push_identity(&self, list: &mut Vec<u8>) -> Result<(), EncodeError> {
        if let Some(key) = &self.subject_key_identifier {
            list.extend(extension::optional(oids::SUBJECT_KEY_IDENTIFIER, &asn1::octet_string(&key.0)));
        }
        if let Some(key) = &self.authority_key_identifier {
            let value = extension::authority_key_identifier(key);
            list.extend(extension::optional(oids::AUTHORITY_KEY_IDENTIFIER, &value));
        }
        if let Some(constraints) = self.basic_constraints {
            let write = if constraints.ca { extension::critical } else { extension::optional };
            list.extend(write(oids::BASIC_CONSTRAINTS, &constraints.to_der()?));
        }
        if let Some(constraints) = &self.name_constraints {
            list.extend(extension::critical(oids::NAME_CONSTRAINTS, &constraints.to_der()?));
        }
        Ok(())
    }

    /// What the key is for, and under which policies.
    fn push_use(&self, list: &mut Vec<u8>) -> Result<(), EncodeError> {
        if let Some(usage) = self.key_usage {
            if usage.is_empty() {
                return Err(EncodeError::Rule { what: KEY_USAGE, rule: "a bit is set (RFC 5280 §4.2.1.3)" });
            }
            list.extend(extension::critical(oids::KEY_USAGE, &usage.to_der()));
        }
        let named = self.extended_key_usage.iter().flat_map(|purpose| asn1::oid(purpose.oid()));
        let purposes: Vec<u8> =
            named.chain(self.other_purposes.iter().flat_map(|purpose| purpose.to_der())).collect();
        if !purposes.is_empty() {
            let write = if self.purposes_are_critical { extension::critical } else { extension::optional };
            list.extend(write(oids::EXTENDED_KEY_USAGE, &asn1::sequence(&[&purposes])));
        }
        if !self.policies.is_empty() {
            let value = policies::encode(&self.policies)?;
            list.extend(extension::optional(oids::CERTIFICATE_POLICIES, &value));
        }
        if let Some(constraints) = self.policy_constraints {
            list.extend(extension::critical(oids::POLICY_CONSTRAINTS, &constraints.to_der()?));
        }
        if let Some(count) = self.inhibit_any_policy {
            list.extend(extension::critical(oids::INHIBIT_ANY_POLICY, &asn1::unsigned(&[count])));
        }
        Ok(())
    }

    fn push_pointers(&self, list: &mut Vec<u8>) -> Result<(), EncodeError> {
        for (oid, urls) in [
            (oids::CRL_DISTRIBUTION_POINTS, &self.crl_distribution_points),
            (oids::FRESHEST_CRL, &self.freshest_crl),
        ] {
            if !urls.is_empty() {
                list.extend(extension::optional(oid, &pointers::encode_distribution_points(urls)?));
            }
        }
        if !self.ocsp_urls.is_empty() || !self.ca_issuers_urls.is_empty() {
            let value = pointers::encode_access(&self.ocsp_urls, &self.ca_issuers_urls)?;
            list.extend(extension::optional(oids::AUTHORITY_INFO_ACCESS, &value));
        }
        Ok(())
    }

    fn push_marks(&self, list: &mut Vec<u8>) -> Result<(), EncodeError> {
        if !self.tls_features.is_empty() {
            let features: Vec<u8> = self
                .tls_features
                .iter()
                .flat_map(|feature| asn1::unsigned(&feature.0.to_be_bytes()))
                .collect();
            list.extend(extension::optional(oids::TLS_FEATURE, &asn1::sequence(&[&features])));
        }
        if let Some(name) = &self.template_name {
            list.extend(extension::optional(oids::MS_TEMPLATE_NAME, &microsoft::encode_name(name)?));
        }
        if let Some(template) = self.template {
            list.extend(extension::optional(oids::MS_TEMPLATE, &template.to_der()));
        }
        if self.ocsp_no_check {
            list.extend(extension::optional(oids::OCSP_NO_CHECK, &asn1::null()));
        }
        if self.ct_poison && !self.timestamps.is_empty() {
            let rule = "a precertificate bears no timestamps (RFC 6962 §3.1)";
            return Err(EncodeError::Rule { what: "certificate transparency", rule });
        }
        if self.ct_poison {
            list.extend(extension::critical(oids::CT_POISON, &asn1::null()));
        }
        if !self.timestamps.is_empty() {
            list.extend(extension::optional(oids::SCT_LIST, &transparency::encode(&self.timestamps)?));
        }
        Ok(())
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
            self.basic_constraints = Some(BasicConstraints::read(element("basic constraints")?)?);
        } else if extension.is(oids::NAME_CONSTRAINTS) {
            self.name_constraints = read_name_constraints(element("name constraints")?, unknown)?;
        } else if extension.is(oids::KEY_USAGE) {
            self.key_usage = Some(KeyUsage::read(element(KEY_USAGE)?)?);
        } else if extension.is(oids::EXTENDED_KEY_USAGE) {
            self.read_purposes(element("extended key usage")?)?;
            self.purposes_are_critical = extension.is_critical;
        } else if extension.is(oids::CERTIFICATE_POLICIES) {
            self.policies = policies::read(element("certificate policies")?)?;
        } else if extension.is(oids::POLICY_CONSTRAINTS) {
            self.policy_constraints = Some(PolicyConstraints::read(element("policy constraints")?)?);
        } else if extension.is(oids::INHIBIT_ANY_POLICY) {
            self.inhibit_any_policy = Some(element("inhibit any policy")?.small(asn1::INTEGER)?);
        } else if extension.is(oids::SUBJECT_ALT_NAME) {
            self.subject_alt_names = read_general_names(element("subject alternative names")?, unknown)?;
        } else {
            return self.read_further(extension, unknown);
        }
        Ok(())
    }

    /// Pointers and marks: the second half of [`Self::read`].
    fn read_further(&mut self, extension: &Extension<'_>, unknown: Unknown) -> Result<(), DecodeError> {
        let element = |what| extension.element(what);
        if extension.is(oids::CRL_DISTRIBUTION_POINTS) {
            let points = element("crl distribution points")?;
            self.crl_distribution_points = pointers::read_distribution_points(points)?;
        } else if extension.is(oids::FRESHEST_CRL) {
            self.freshest_crl = pointers::read_distribution_points(element("freshest crl")?)?;
        } else if extension.is(oids::AUTHORITY_INFO_ACCESS) {
            let access = pointers::read_access(element("authority information access")?)?;
            (self.ocsp_urls, self.ca_issuers_urls) = (access.ocsp, access.issuers);
        } else if extension.is(oids::TLS_FEATURE) {
            self.tls_features = read_features(element("tls feature")?)?;
        } else if extension.is(oids::MS_TEMPLATE_NAME) {
            self.template_name = Some(microsoft::read_name(element("certificate template")?)?);
        } else if extension.is(oids::MS_TEMPLATE) {
            self.template = CertificateTemplate::read(element("certificate template")?)?;
        } else if extension.is(oids::OCSP_NO_CHECK) {
            element("ocsp no check")?.null()?;
            self.ocsp_no_check = true;
        } else if extension.is(oids::CT_POISON) {
            element("precertificate poison")?.null()?;
            self.ct_poison = true;
        } else if extension.is(oids::SCT_LIST) {
            self.timestamps = transparency::read(element("signed certificate timestamps")?)?;
        } else if unknown == Unknown::Refuse {
            return Err(extension.unknown());
        }
        Ok(())
    }

    fn read_purposes(&mut self, element: Element<'_>) -> Result<(), DecodeError> {
        let mut list = element.open(asn1::SEQUENCE)?;
        if list.is_finished() {
            return Err(element.rule("a list of purposes has one (RFC 5280 §4.2.1.12)"));
        }
        while !list.is_finished() {
            let oid = list.any()?.oid()?;
            match ExtendedKeyUsage::ALL.into_iter().find(|purpose| purpose.oid().as_bytes() == oid) {
                Some(purpose) => self.extended_key_usage.push(purpose),
                None => self.other_purposes.extend(Oid::from_content(oid)),
            }
        }
        Ok(())
    }
}

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
    if list.is_finished() {
        return Err(element.rule("a list of names has one (RFC 5280 §4.2.1.6)"));
    }
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

/// A base of a form that is not known makes the whole extension an unknown one: skipping the base alone would
/// permit what it forbids.
fn read_name_constraints(
    element: Element<'_>,
    unknown: Unknown,
) -> Result<Option<NameConstraints>, DecodeError> {
    match NameConstraints::read(element) {
        Err(DecodeError::Name(NameError::UnsupportedForm { .. })) if unknown == Unknown::Skip => Ok(None),
        read => read.map(Some),
    }
}

/// SEQUENCE OF INTEGER (RFC 7633 §4.1).
fn read_features(element: Element<'_>) -> Result<Vec<TlsFeature>, DecodeError> {
    let mut list = element.open(asn1::SEQUENCE)?;
    if list.is_finished() {
        return Err(element.rule("a list of features has one (RFC 7633 §4.1)"));
    }
    let mut features = Vec::new();
    while !list.is_finished() {
        let number = list.any()?;
        features.push(TlsFeature(match number.unsigned()? {
            [low] => u16::from(*low),
            [high, low] => u16::from_be_bytes([*high, *low]),
            _ => return Err(number.rule("the number of a TLS extension is below 65536 (RFC 8446 §4.2)")),
        }));
    }
    Ok(features)
}
