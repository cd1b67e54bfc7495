//! The extensions (RFC 5280 §4.2, RFC 6960, RFC 6962, RFC 7633): which stand there, how marked, of what form.

use alloc::string::String;
use alloc::vec::Vec;

use ca_x509::certificate::KeyUsage;
use sha1::{Digest as _, Sha1};

use super::der::{IA5_STRING, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, UTF8_STRING, Value};
use super::names::{IP, URI};
use super::reading::Reading;
use super::{Rule, ensure, oids};

/// RFC 6818 §3: the most characters of a policy's explicit text.
const EXPLICIT_TEXT_CHARS_MAX: usize = 200;

pub(super) const RULES: &[Rule] = &[
    ("RFC 5280 §4.2", "no extension stands twice", |tbs| {
        let oids: Vec<&[u8]> = tbs.extensions.iter().map(|extension| extension.oid).collect();
        no_repetition("extension", &oids)
    }),
    ("RFC 5280 §4.2", "an extension holds one value in DER", |tbs| {
        match tbs.extensions.iter().find(|extension| extension.value.is_none()) {
            Some(extension) => Err(alloc::format!("{} does not", oids::dotted(extension.oid))),
            None => Ok(()),
        }
    }),
    ("RFC 5280 §4.2.1.1", "the issuer's key has its identifier", |tbs| {
        let key = tbs.list(oids::AUTHORITY_KEY_IDENTIFIER).iter().find(|field| field.tag == 0x80);
        ensure(key.is_some_and(|key| !key.content.is_empty()), "the authority key identifier is missing")
    }),
    ("RFC 5280 §4.2.1.1", "the authority key identifier is not critical", |tbs| {
        not_critical(tbs, oids::AUTHORITY_KEY_IDENTIFIER)
    }),
    ("RFC 5280 §4.2.1.1", "the authority's issuer and serial stand together or not at all", |tbs| {
        let fields = tbs.list(oids::AUTHORITY_KEY_IDENTIFIER);
        let has = |tag| fields.iter().any(|field| field.tag == tag);
        ensure(has(0xa1) == has(0x82), "one of them stands alone")
    }),
    ("RFC 5280 §4.2.1.2 (1)", "the subject key identifier is the SHA-1 of the key", |tbs| {
        let stands = tbs.value(oids::SUBJECT_KEY_IDENTIFIER).filter(|value| value.tag == OCTET_STRING);
        let digest = tbs.key.map(|key| Sha1::digest(key.bits));
        let equal = match (&digest, stands) {
            (Some(digest), Some(stands)) => stands.content == digest.as_slice(),
            _ => false,
        };
        ensure(equal, format_args!("it is {:02x?}", stands.map(|value| value.content)))
    }),
    ("RFC 5280 §4.2.1.2", "the subject key identifier is not critical", |tbs| {
        not_critical(tbs, oids::SUBJECT_KEY_IDENTIFIER)
    }),
    ("RFC 5280 §4.2.1.3", "key usage is critical", |tbs| critical(tbs, oids::KEY_USAGE)),
    ("RFC 5280 §4.2.1.3", "a key usage is set", |tbs| ensure(!tbs.key_usage().is_empty(), "there is none")),
    ("RFC 5280 §4.2.1.3", "a CA's key, and no other, signs certificates", |tbs| {
        let (usage, ca) = (tbs.key_usage(), tbs.is_ca());
        let signs = usage.contains(KeyUsage::KEY_CERT_SIGN);
        ensure(usage.is_empty() || signs == ca, format_args!("cA is {ca} and keyCertSign is {signs}"))
    }),
    ("RFC 5280 §4.2.1.3", "encipherOnly and decipherOnly go with keyAgreement", |tbs| {
        let usage = tbs.key_usage();
        let only = usage.contains(KeyUsage::ENCIPHER_ONLY) || usage.contains(KeyUsage::DECIPHER_ONLY);
        ensure(!only || usage.contains(KeyUsage::KEY_AGREEMENT), format_args!("key usage is {usage:?}"))
    }),
    ("RFC 5280 §4.2.1.4", "no policy stands twice", |tbs| {
        let oids: Vec<&[u8]> = tbs.policies().map(|(oid, _)| oid).collect();
        no_repetition("policy", &oids)
    }),
    ("RFC 5280 §4.2.1.4", "a policy is qualified by a CPS pointer or a user notice", |tbs| {
        let fine = |qualifier: &[Value<'_>]| match qualifier {
            [oid, pointer] if oid.content == oids::QUALIFIER_CPS => pointer.tag == IA5_STRING,
            [oid, _] => oid.content == oids::QUALIFIER_USER_NOTICE,
            _ => false,
        };
        match qualifiers(tbs).into_iter().find(|qualifier| !fine(qualifier)) {
            Some(other) => Err(alloc::format!("there is {:02x?}", other.first().map(|oid| oid.content))),
            None => Ok(()),
        }
    }),
    ("RFC 6818 §3", "explicit text is UTF-8 of 1 to 200 characters", |tbs| {
        let notices = qualifiers(tbs).into_iter().filter(|qualifier| {
            qualifier.first().is_some_and(|oid| oid.content == oids::QUALIFIER_USER_NOTICE)
        });
        // A notice reference is a SEQUENCE, explicit text a string.
        let texts =
            notices.flat_map(|qualifier| qualifier.get(1).map(|notice| notice.parts()).unwrap_or_default());
        for text in texts.filter(|field| field.tag != super::der::SEQUENCE) {
            let chars =
                core::str::from_utf8(text.content).map(|text| text.chars().count()).unwrap_or_default();
            let fine = text.tag == UTF8_STRING && (1..=EXPLICIT_TEXT_CHARS_MAX).contains(&chars);
            ensure(fine, format_args!("there is one of type {} and {chars} characters", text.tag))?;
        }
        Ok(())
    }),
    ("RFC 5280 §4.2.1.6", "alternative names are critical if and only if the subject is empty", |tbs| {
        let Some(names) = tbs.extension(oids::SUBJECT_ALT_NAME) else { return Ok(()) };
        let (critical, empty) = (names.is_critical(), tbs.subject.content.is_empty());
        ensure(critical == empty, format_args!("critical is {critical}, an empty subject {empty}"))
    }),
    ("RFC 5280 §4.2.1.6", "alternative names are at least one", |tbs| {
        not_empty(tbs, oids::SUBJECT_ALT_NAME)
    }),
    ("RFC 5280 §4.2.1.9", "a CA's basic constraints are critical", |tbs| {
        if tbs.is_ca() { critical(tbs, oids::BASIC_CONSTRAINTS) } else { Ok(()) }
    }),
    ("RFC 5280 §4.2.1.9", "a path length is a CA's", |tbs| {
        let length = tbs.list(oids::BASIC_CONSTRAINTS).iter().find(|field| field.tag == INTEGER);
        ensure(length.is_none() || tbs.is_ca(), "it stands without cA")
    }),
    ("RFC 5280 §4.2.1.10", "name constraints are a CA's", |tbs| only_in_a_ca(tbs, oids::NAME_CONSTRAINTS)),
    ("RFC 5280 §4.2.1.10", "name constraints are critical", |tbs| critical(tbs, oids::NAME_CONSTRAINTS)),
    ("RFC 5280 §4.2.1.10", "name constraints constrain a name", |tbs| {
        not_empty(tbs, oids::NAME_CONSTRAINTS)?;
        let empty = tbs.list(oids::NAME_CONSTRAINTS).iter().any(|trees| trees.content.is_empty());
        ensure(!empty, "a list of subtrees is empty")
    }),
    ("RFC 5280 §4.2.1.10", "a subtree has neither minimum nor maximum", |tbs| {
        let bounded = subtrees(tbs).into_iter().any(|tree| tree.len() > 1);
        ensure(!bounded, "one has")
    }),
    ("RFC 5280 §4.2.1.10", "a constraint of addresses is an address and a mask", |tbs| {
        let bases = subtrees(tbs).into_iter().filter_map(|tree| tree.first().copied());
        match bases.filter(|base| base.tag == IP).find(|base| !matches!(base.content.len(), 8 | 32)) {
            Some(base) => Err(alloc::format!("there is one of {} octets", base.content.len())),
            None => Ok(()),
        }
    }),
    ("RFC 5280 §4.2.1.11", "policy constraints are critical", |tbs| critical(tbs, oids::POLICY_CONSTRAINTS)),
    ("RFC 5280 §4.2.1.11", "policy constraints constrain a policy", |tbs| {
        not_empty(tbs, oids::POLICY_CONSTRAINTS)
    }),
    ("RFC 5280 §4.2.1.11", "policy constraints are a CA's", |tbs| {
        only_in_a_ca(tbs, oids::POLICY_CONSTRAINTS)
    }),
    ("RFC 5280 §4.2.1.12", "a purpose stands once, and one at least", |tbs| {
        not_empty(tbs, oids::EXTENDED_KEY_USAGE)?;
        no_repetition("purpose", &tbs.purposes().collect::<Vec<_>>())
    }),
    ("RFC 5280 §4.2.1.12", "any purpose is not critical", |tbs| {
        if tbs.has_purpose(oids::ANY_PURPOSE) { not_critical(tbs, oids::EXTENDED_KEY_USAGE) } else { Ok(()) }
    }),
    ("RFC 5280 §4.2.1.13", "CRL distribution points are not critical", |tbs| {
        not_critical(tbs, oids::CRL_DISTRIBUTION_POINTS)
    }),
    ("RFC 5280 §4.2.1.13", "a distribution point says where or by whom", |tbs| {
        not_empty(tbs, oids::CRL_DISTRIBUTION_POINTS)?;
        let says = |point: &Value<'_>| point.parts().iter().any(|field| matches!(field.tag, 0xa0 | 0xa2));
        let points = [oids::CRL_DISTRIBUTION_POINTS, oids::FRESHEST_CRL].map(|oid| tbs.list(oid));
        ensure(points.into_iter().flatten().all(says), "one does not")
    }),
    ("RFC 5280 §4.2.1.14", "inhibitAnyPolicy is critical", |tbs| critical(tbs, oids::INHIBIT_ANY_POLICY)),
    ("RFC 5280 §4.2.1.14", "inhibitAnyPolicy is a CA's", |tbs| only_in_a_ca(tbs, oids::INHIBIT_ANY_POLICY)),
    ("RFC 5280 §4.2.1.15", "freshest CRL is not critical", |tbs| not_critical(tbs, oids::FRESHEST_CRL)),
    ("RFC 5280 §4.2.2.1", "authority information access is not critical", |tbs| {
        not_critical(tbs, oids::AUTHORITY_INFO_ACCESS)
    }),
    ("RFC 5280 §4.2.2.1", "an access description has a method and a place", |tbs| {
        not_empty(tbs, oids::AUTHORITY_INFO_ACCESS)?;
        let fine = |parts: Vec<Value<'_>>| {
            parts.len() == 2 && parts.first().is_some_and(|method| method.tag == OBJECT_IDENTIFIER)
        };
        let mut descriptions = tbs.list(oids::AUTHORITY_INFO_ACCESS).iter();
        ensure(descriptions.all(|description| fine(description.parts())), "one has not")
    }),
    // TLS to fetch what TLS is to be checked with: a circle.
    ("RFC 5280 §8", "CRLs, status and issuers are fetched by plain http or ldap", |tbs| {
        let places = [oids::CRL_DISTRIBUTION_POINTS, oids::FRESHEST_CRL, oids::AUTHORITY_INFO_ACCESS];
        let values = places.into_iter().filter_map(|oid| tbs.value(oid)).flat_map(Value::within);
        let plain = |uri: &[u8]| {
            let uri = uri.to_ascii_lowercase();
            uri.starts_with(b"http://") || uri.starts_with(b"ldap://")
        };
        match values.filter(|value| value.tag == URI).find(|uri| !plain(uri.content)) {
            Some(uri) => Err(alloc::format!("there is `{}`", uri.content.escape_ascii())),
            None => Ok(()),
        }
    }),
    ("RFC 6960 §4.2.2.2.1", "ocsp-nocheck is null and not critical", |tbs| {
        not_critical(tbs, oids::OCSP_NO_CHECK)?;
        ensure(tbs.value(oids::OCSP_NO_CHECK).is_none_or(|value| value.tag == NULL), "it is something else")
    }),
    ("RFC 7633 §4.1", "the TLS features are not critical", |tbs| not_critical(tbs, oids::TLS_FEATURE)),
    ("RFC 7633 §4.1", "the TLS features are numbers of TLS extensions", |tbs| {
        not_empty(tbs, oids::TLS_FEATURE)?;
        let fine = |feature: &Value<'_>| {
            let positive = feature.content.first().is_some_and(|first| *first < 0x80);
            feature.tag == INTEGER && positive && feature.magnitude().len() <= 2
        };
        ensure(tbs.list(oids::TLS_FEATURE).iter().all(fine), "one is no number of 16 bits")
    }),
    ("RFC 6962 §3.1", "the poison is null and critical", |tbs| {
        critical(tbs, oids::CT_POISON)?;
        ensure(tbs.value(oids::CT_POISON).is_none_or(|value| value.tag == NULL), "it is something else")
    }),
    ("RFC 6962 §3.3", "signed certificate timestamps are an octet string", |tbs| {
        let timestamps = tbs.value(oids::SCT_LIST);
        ensure(timestamps.is_none_or(|value| value.tag == OCTET_STRING), "they are something else")
    }),
    ("RFC 6962 §3.1", "a poisoned certificate has no timestamps", |tbs| {
        let both = tbs.extension(oids::CT_POISON).is_some() && tbs.extension(oids::SCT_LIST).is_some();
        ensure(!both, "it has both")
    }),
];

/// An absent extension is marked in no wrong way.
fn critical(tbs: &Reading<'_>, oid: &[u8]) -> Result<(), String> {
    ensure(tbs.extension(oid).is_none_or(|extension| extension.is_critical()), "it is not")
}

fn not_critical(tbs: &Reading<'_>, oid: &[u8]) -> Result<(), String> {
    ensure(tbs.extension(oid).is_none_or(|extension| !extension.is_critical()), "it is")
}

/// An absent extension is not empty.
fn not_empty(tbs: &Reading<'_>, oid: &[u8]) -> Result<(), String> {
    ensure(tbs.value(oid).is_none_or(|value| !value.content.is_empty()), "the list is empty")
}

fn only_in_a_ca(tbs: &Reading<'_>, oid: &[u8]) -> Result<(), String> {
    ensure(tbs.extension(oid).is_none() || tbs.is_ca(), "they stand in an end entity's certificate")
}

fn no_repetition(what: &str, items: &[&[u8]]) -> Result<(), String> {
    let repeated =
        items.iter().enumerate().find(|(place, item)| items.iter().take(*place).any(|one| one == *item));
    match repeated {
        Some((_, item)) => Err(alloc::format!("{what} {item:02x?} stands twice")),
        None => Ok(()),
    }
}

/// The fields of each PolicyQualifierInfo: identifier and qualifier.
fn qualifiers<'a>(tbs: &Reading<'a>) -> Vec<Vec<Value<'a>>> {
    tbs.policies().flat_map(|(_, qualifiers)| qualifiers).map(Value::parts).collect()
}

/// The fields of each GeneralSubtree, permitted and excluded: the base first.
fn subtrees<'a>(tbs: &Reading<'a>) -> Vec<Vec<Value<'a>>> {
    tbs.list(oids::NAME_CONSTRAINTS).iter().copied().flat_map(Value::parts).map(Value::parts).collect()
}

#[cfg(test)]
mod tests;
