//! Faults of key usages and purposes, and of what goes with a purpose.

use alloc::vec::Vec;

use ca_x509::certificate::{ExtendedKeyUsage, KeyUsage};
use ca_x509::key::KeyKind;
use ca_x509::oid::Oid;

use super::{Rule, found};
use crate::limits::{PROFILE_RULES_MAX, RSA_BITS_MIN};
use crate::profile::{Criticality, KeyRule, Profile, Stapling, StatusRule};

pub(super) const RULES: &[Rule] = &[
    ("usage.key", |p| {
        let idle = kinds(p).any(|kind| p.key_usage_of(kind).is_empty());
        found(idle, "at least one usage for each key that is taken (RFC 5280 §4.2.1.3)")
    }),
    ("usage.key", |p| {
        let signs = [p.key_usage, p.rsa_key_usage, p.ec_key_usage];
        let signs = signs.into_iter().any(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN));
        found(p.basic_constraints.ca != signs, "keyCertSign and [ca] go together (RFC 5280 §4.2.1.9)")
    }),
    ("usage.key", |p| {
        let lists = !p.basic_constraints.ca && p.key_usage.contains(KeyUsage::CRL_SIGN);
        found(lists, "cRLSign is a CA's here: no other list than the issuer's own is made")
    }),
    ("usage.key", |p| {
        let only = KeyUsage::ENCIPHER_ONLY | KeyUsage::DECIPHER_ONLY;
        let wrong = |usage: KeyUsage| usage.intersects(only) && !usage.contains(KeyUsage::KEY_AGREEMENT);
        let wrong = kinds(p).any(|kind| wrong(p.key_usage_of(kind)));
        found(wrong, "encipherOnly and decipherOnly go with keyAgreement (RFC 5280 §4.2.1.3)")
    }),
    ("usage.key", |p| {
        let (kind, unfit) = kinds(p)
            .map(|kind| (kind, unfit(kind)))
            .find(|(kind, unfit)| p.key_usage_of(*kind).intersects(*unfit))?;
        let which = KeyUsage::ALL.into_iter().map(|(usage, _)| usage);
        let which: KeyUsage =
            which.filter(|one| unfit.contains(*one) && p.key_usage_of(kind).contains(*one)).collect();
        Some(alloc::format!(
            "{which:?} is nothing that a {kind} key does: see usage.rsa and usage.ec (RFC 3279 §2.3.1, RFC 8813 §3, \
             RFC 8410 §5)"
        ))
    }),
    ("usage.extended", |p| {
        let purpose = p
            .extended_key_usage
            .iter()
            .find(|purpose| kinds(p).any(|kind| !p.key_usage_of(kind).intersects(needed(**purpose))))?;
        Some(alloc::format!(
            "{purpose} needs one of {:?} for each key that is taken (RFC 5280 §4.2.1.12)",
            needed(*purpose)
        ))
    }),
    ("usage.extended", |p| {
        let repeated = has_twice(&p.extended_key_usage) || has_twice(&p.other_purposes);
        found(repeated, "a purpose stands twice")
    }),
    ("usage.extended", |p| {
        let count = p.other_purposes.len();
        found(count > PROFILE_RULES_MAX, alloc::format!("{count} are more than {PROFILE_RULES_MAX}"))
    }),
    ("usage.extended", |p| {
        let responder = p.extended_key_usage.contains(&ExtendedKeyUsage::OcspSigning);
        let wrong = responder != (p.status == StatusRule::NoCheck) || responder && count(p) > 1;
        found(wrong, "OCSPSigning stands alone, with status no-check (RFC 6960 §4.2.2.2)")
    }),
    ("usage.extended", |p| {
        let stamps = p.extended_key_usage.contains(&ExtendedKeyUsage::TimeStamping);
        let alone = count(p) == 1 && p.purposes_marked == Criticality::Critical;
        found(stamps && !alone, "timeStamping stands alone, with critical = true (RFC 3161 §2.3)")
    }),
    ("usage.critical", |p| {
        let critical = p.purposes_marked == Criticality::Critical;
        found(critical && count(p) == 0, "there are no purposes that could be critical")
    }),
    ("usage.critical", |p| {
        let any = p.other_purposes.contains(&Oid::ANY_PURPOSE);
        let critical = p.purposes_marked == Criticality::Critical;
        found(any && critical, "any purpose is not critical (RFC 5280 §4.2.1.12)")
    }),
    ("staple", |p| {
        let server = p.extended_key_usage.contains(&ExtendedKeyUsage::ServerAuth);
        let can = server && p.status == StatusRule::Pointers;
        let must = p.stapling == Stapling::Required;
        found(must && !can, "what a server staples is asked of the OCSP pointer (RFC 7633 §4.2.3)")
    }),
];

/// One of each kind of key that is taken.
fn kinds(p: &Profile) -> impl Iterator<Item = KeyKind> {
    p.keys.iter().map(|rule| match rule {
        KeyRule::EcP256 => KeyKind::EcP256,
        KeyRule::EcP384 => KeyKind::EcP384,
        KeyRule::EcP521 => KeyKind::EcP521,
        KeyRule::Ed25519 => KeyKind::Ed25519,
        KeyRule::Rsa { .. } => KeyKind::Rsa { bits: RSA_BITS_MIN },
    })
}

/// What a key of this kind cannot do.
fn unfit(kind: KeyKind) -> KeyUsage {
    let enciphers = KeyUsage::KEY_ENCIPHERMENT | KeyUsage::DATA_ENCIPHERMENT;
    let agrees = KeyUsage::KEY_AGREEMENT | KeyUsage::ENCIPHER_ONLY | KeyUsage::DECIPHER_ONLY;
    match kind {
        KeyKind::Rsa { .. } => agrees,
        KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => enciphers,
        KeyKind::Ed25519 => enciphers | agrees,
    }
}

/// The usages that RFC 5280 §4.2.1.12 finds consistent with a purpose: one of them is there.
fn needed(purpose: ExtendedKeyUsage) -> KeyUsage {
    let signs = KeyUsage::DIGITAL_SIGNATURE;
    match purpose {
        ExtendedKeyUsage::ServerAuth => signs | KeyUsage::KEY_ENCIPHERMENT | KeyUsage::KEY_AGREEMENT,
        ExtendedKeyUsage::ClientAuth => signs | KeyUsage::KEY_AGREEMENT,
        ExtendedKeyUsage::CodeSigning => signs,
        ExtendedKeyUsage::EmailProtection => {
            signs | KeyUsage::NON_REPUDIATION | KeyUsage::KEY_ENCIPHERMENT | KeyUsage::KEY_AGREEMENT
        }
        ExtendedKeyUsage::TimeStamping | ExtendedKeyUsage::OcspSigning => signs | KeyUsage::NON_REPUDIATION,
    }
}

fn count(p: &Profile) -> usize {
    p.extended_key_usage.len().saturating_add(p.other_purposes.len())
}

fn has_twice<T: PartialEq>(all: &[T]) -> bool {
    let repeated: Vec<&T> = all
        .iter()
        .enumerate()
        .filter(|(place, one)| all.iter().take(*place).any(|e| e == *one))
        .map(|(_, one)| one)
        .collect();
    !repeated.is_empty()
}
