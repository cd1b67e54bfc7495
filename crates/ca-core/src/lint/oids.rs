//! Object identifiers that rules are about: their content octets (X.690 §8.19).

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

// Extensions: id-ce is 2.5.29, id-pe is 1.3.6.1.5.5.7.1 (RFC 5280 §4.2).
pub(super) const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 14];
pub(super) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
pub(super) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 17];
pub(super) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
pub(super) const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
pub(super) const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 31];
pub(super) const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 32];
pub(super) const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 35];
pub(super) const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 36];
pub(super) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
pub(super) const FRESHEST_CRL: &[u8] = &[0x55, 0x1d, 46];
pub(super) const INHIBIT_ANY_POLICY: &[u8] = &[0x55, 0x1d, 54];
pub(super) const AUTHORITY_INFO_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
/// RFC 7633 §4.1.
pub(super) const TLS_FEATURE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 24];
/// RFC 6960 §4.2.2.2.1.
pub(super) const OCSP_NO_CHECK: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1, 5];
/// RFC 6962 §3.3.
pub(super) const SCT_LIST: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2];
/// RFC 6962 §3.1.
pub(super) const CT_POISON: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 3];

/// [MS-WCCE] §2.2.2.7.7.1.
pub(super) const MS_TEMPLATE_NAME: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2];
/// [MS-WCCE] §2.2.2.7.7.2.
pub(super) const MS_TEMPLATE: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 21, 7];

// Forms of otherName (RFC 9598 §3; [MS-WCCE] §2.2.2.7.7), and an access method (RFC 5280 §4.2.2.1).
pub(super) const SMTP_UTF8_MAILBOX: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 8, 9];
pub(super) const USER_PRINCIPAL_NAME: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3];
pub(super) const ACCESS_OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1];

// Purposes: id-kp is 1.3.6.1.5.5.7.3 (RFC 5280 §4.2.1.12).
pub(super) const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
pub(super) const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
pub(super) const CODE_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];
pub(super) const EMAIL_PROTECTION: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 4];
pub(super) const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];
pub(super) const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];
pub(super) const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 37, 0];

// Policies and their qualifiers (RFC 5280 §4.2.1.4).
pub(super) const ANY_POLICY: &[u8] = &[0x55, 0x1d, 32, 0];
pub(super) const QUALIFIER_CPS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 2, 1];
pub(super) const QUALIFIER_USER_NOTICE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 2, 2];

/// What the CA/B Forum reserves for certificates of TLS servers (BR §7.1.6.1): EV, DV, OV, IV.
pub(super) const RESERVED_SERVER_POLICIES: [&[u8]; 4] = [
    &[0x67, 0x81, 0x0c, 1, 1],
    &[0x67, 0x81, 0x0c, 1, 2, 1],
    &[0x67, 0x81, 0x0c, 1, 2, 2],
    &[0x67, 0x81, 0x0c, 1, 2, 3],
];

// Attributes of names: id-at is 2.5.4 (RFC 5280 appendix A.1).
pub(super) const ID_AT: &[u8] = &[0x55, 4];
pub(super) const COMMON_NAME: &[u8] = &[0x55, 4, 3];
pub(super) const SERIAL_NUMBER: &[u8] = &[0x55, 4, 5];
pub(super) const COUNTRY: &[u8] = &[0x55, 4, 6];
pub(super) const LOCALITY: &[u8] = &[0x55, 4, 7];
pub(super) const STATE: &[u8] = &[0x55, 4, 8];
pub(super) const ORGANIZATION: &[u8] = &[0x55, 4, 10];
pub(super) const ORGANIZATIONAL_UNIT: &[u8] = &[0x55, 4, 11];
pub(super) const TITLE: &[u8] = &[0x55, 4, 12];
pub(super) const DN_QUALIFIER: &[u8] = &[0x55, 4, 46];
pub(super) const DOMAIN_COMPONENT: &[u8] = &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25];
pub(super) const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];

// Keys (RFC 3279 §2.3.1, RFC 5480 §2.1.1, RFC 8410 §3).
pub(super) const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
pub(super) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
pub(super) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// The curves and the octets of one coordinate.
pub(super) const CURVES: [(&[u8], usize); 3] = [
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], 32),
    (&[0x2b, 0x81, 4, 0, 0x22], 48),
    (&[0x2b, 0x81, 4, 0, 0x23], 66),
];

// Signatures (RFC 4055 §5 and §3.1, RFC 5758 §3.2).
pub(super) const RSA_SHA2: [&[u8]; 3] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13],
];
pub(super) const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
pub(super) const ECDSA_SHA2: [&[u8]; 3] = [
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4],
];

/// Dotted decimal, for messages.
pub(super) fn dotted(oid: &[u8]) -> String {
    let mut numbers: Vec<u64> = Vec::new();
    let mut number = 0_u64;
    for octet in oid {
        number = (number << 7) | u64::from(octet & 0x7f);
        if *octet < 0x80 {
            // X.690 §8.19.4: the first two numbers share one.
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first);
                number = number.saturating_sub(first.saturating_mul(40));
            }
            numbers.push(number);
            number = 0;
        }
    }
    let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
    texts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_what_their_names_say() {
        for (oid, text) in [
            (KEY_USAGE, "2.5.29.15"),
            (TLS_FEATURE, "1.3.6.1.5.5.7.1.24"),
            (MS_TEMPLATE, "1.3.6.1.4.1.311.21.7"),
            (USER_PRINCIPAL_NAME, "1.3.6.1.4.1.311.20.2.3"),
            (SMTP_UTF8_MAILBOX, "1.3.6.1.5.5.7.8.9"),
            (SCT_LIST, "1.3.6.1.4.1.11129.2.4.2"),
            (RESERVED_SERVER_POLICIES[1], "2.23.140.1.2.1"),
            (DOMAIN_COMPONENT, "0.9.2342.19200300.100.1.25"),
            (EMAIL_ADDRESS, "1.2.840.113549.1.9.1"),
            (CURVES[0].0, "1.2.840.10045.3.1.7"),
            (CURVES[1].0, "1.3.132.0.34"),
            (ED25519, "1.3.101.112"),
        ] {
            assert_eq!(dotted(oid), text);
        }
    }
}
