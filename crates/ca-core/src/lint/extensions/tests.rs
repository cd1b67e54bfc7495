//! What breaks each rule about extensions, and no other rule.

use alloc::vec::Vec;

use crate::lint::oids::{
    ANY_PURPOSE, AUTHORITY_INFO_ACCESS, AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, CERTIFICATE_POLICIES,
    CLIENT_AUTH, CRL_DISTRIBUTION_POINTS, CT_POISON, EXTENDED_KEY_USAGE, FRESHEST_CRL, INHIBIT_ANY_POLICY,
    KEY_USAGE, NAME_CONSTRAINTS, OCSP_NO_CHECK, POLICY_CONSTRAINTS, QUALIFIER_CPS, QUALIFIER_USER_NOTICE,
    SCT_LIST, SUBJECT_ALT_NAME, SUBJECT_KEY_IDENTIFIER, TLS_FEATURE,
};
use crate::lint::sample::{Case, Parts, ca, check, client, pass, responder, sequence, server, tlv};

const POLICY: &[u8] = &[0x2a, 3];

/// A policy with one qualifier.
fn policies(qualifier: &[u8], value: &[u8]) -> Vec<u8> {
    let info = sequence(&[&tlv(6, qualifier), value]);
    sequence(&[&sequence(&[&tlv(6, POLICY), &sequence(&[&info])])])
}

fn notice(text: &[u8]) -> Parts {
    client().append(CERTIFICATE_POLICIES, false, &policies(QUALIFIER_USER_NOTICE, &sequence(&[text])))
}

/// Name constraints that permit what lies below one base.
fn permitted(tree: &[&[u8]]) -> Vec<u8> {
    sequence(&[&tlv(0xa0, &sequence(tree))])
}

fn dns() -> Vec<u8> {
    tlv(0x82, b"test")
}

/// One distribution point, or access description, at an address.
fn point(uri: &[u8]) -> Vec<u8> {
    sequence(&[&sequence(&[&tlv(0xa0, &tlv(0xa0, &tlv(0x86, uri)))])])
}

fn access(uri: &[u8]) -> Vec<u8> {
    sequence(&[&sequence(&[&tlv(6, &[0x2b, 6, 1, 5, 5, 7, 48, 2]), &tlv(0x86, uri)])])
}

const ALONE: &str = "the authority's issuer and serial stand together or not at all";
const NAMES_MARK: &str = "alternative names are critical if and only if the subject is empty";
const PLAIN: &str = "CRLs, status and issuers are fetched by plain http or ldap";
const TEXT: &str = "explicit text is UTF-8 of 1 to 200 characters";
const FEATURES: &str = "the TLS features are numbers of TLS extensions";

const CASES: &[Case] = &[
    ("no extension stands twice", || client().append(KEY_USAGE, true, &[3, 2, 7, 0x80])),
    ("no extension stands twice", || client().append(POLICY, false, &[5, 0]).append(POLICY, false, &[5, 0])),
    ("an extension holds one value in DER", || client().append(POLICY, false, b"anything")),
    ("an extension holds one value in DER", || client().append(POLICY, false, &[5, 0, 5, 0])),
    ("the issuer's key has its identifier", || client().remove(AUTHORITY_KEY_IDENTIFIER)),
    ("the issuer's key has its identifier", || client().replace(AUTHORITY_KEY_IDENTIFIER, false, &[0x30, 0])),
    ("the authority key identifier is not critical", || client().mark(AUTHORITY_KEY_IDENTIFIER, true)),
    (ALONE, || {
        let fields = sequence(&[&tlv(0x80, &[1; 20]), &tlv(0x82, &[1])]);
        client().replace(AUTHORITY_KEY_IDENTIFIER, false, &fields)
    }),
    (ALONE, || {
        let fields = sequence(&[&tlv(0x80, &[1; 20]), &tlv(0xa1, &tlv(0x86, b"urn:a"))]);
        client().replace(AUTHORITY_KEY_IDENTIFIER, false, &fields)
    }),
    ("the subject key identifier is the SHA-1 of the key", || {
        client().replace(SUBJECT_KEY_IDENTIFIER, false, &tlv(4, &[9; 20]))
    }),
    ("the subject key identifier is the SHA-1 of the key", || client().remove(SUBJECT_KEY_IDENTIFIER)),
    ("the subject key identifier is not critical", || client().mark(SUBJECT_KEY_IDENTIFIER, true)),
    ("key usage is critical", || client().mark(KEY_USAGE, false)),
    ("a key usage is set", || client().remove(EXTENDED_KEY_USAGE).remove(KEY_USAGE)),
    ("a key usage is set", || client().remove(EXTENDED_KEY_USAGE).replace(KEY_USAGE, true, &[3, 1, 0])),
    ("a CA's key, and no other, signs certificates", || ca().replace(KEY_USAGE, true, &[3, 2, 1, 2])),
    ("a CA's key, and no other, signs certificates", || ca().remove(BASIC_CONSTRAINTS)),
    ("encipherOnly and decipherOnly go with keyAgreement", || {
        client().replace(KEY_USAGE, true, &[3, 2, 0, 0x81])
    }),
    ("encipherOnly and decipherOnly go with keyAgreement", || {
        client().replace(KEY_USAGE, true, &[3, 3, 7, 0x80, 0x80])
    }),
    ("no policy stands twice", || {
        let policy = sequence(&[&tlv(6, POLICY)]);
        client().append(CERTIFICATE_POLICIES, false, &sequence(&[&policy, &policy]))
    }),
    ("a policy is qualified by a CPS pointer or a user notice", || {
        client().append(
            CERTIFICATE_POLICIES,
            false,
            &policies(QUALIFIER_CPS, &tlv(0x0c, b"http://cps.test/")),
        )
    }),
    ("a policy is qualified by a CPS pointer or a user notice", || {
        client().append(CERTIFICATE_POLICIES, false, &policies(POLICY, &[5, 0]))
    }),
    (TEXT, || notice(&tlv(0x16, b"in IA5String"))),
    (TEXT, || notice(&tlv(0x0c, &[b'a'; 201]))),
    (TEXT, || notice(&tlv(0x0c, b""))),
    (NAMES_MARK, || server().mark(SUBJECT_ALT_NAME, true)),
    (NAMES_MARK, || Parts { subject: sequence(&[]), ..server() }),
    ("alternative names are at least one", || client().append(SUBJECT_ALT_NAME, false, &[0x30, 0])),
    ("a CA's basic constraints are critical", || ca().mark(BASIC_CONSTRAINTS, false)),
    ("a path length is a CA's", || client().replace(BASIC_CONSTRAINTS, false, &[0x30, 3, 2, 1, 0])),
    ("name constraints are a CA's", || client().append(NAME_CONSTRAINTS, true, &permitted(&[&dns()]))),
    ("name constraints are critical", || ca().append(NAME_CONSTRAINTS, false, &permitted(&[&dns()]))),
    ("name constraints constrain a name", || ca().append(NAME_CONSTRAINTS, true, &[0x30, 0])),
    ("name constraints constrain a name", || ca().append(NAME_CONSTRAINTS, true, &[0x30, 2, 0xa1, 0])),
    ("a subtree has neither minimum nor maximum", || {
        ca().append(NAME_CONSTRAINTS, true, &permitted(&[&dns(), &tlv(0x81, &[2])]))
    }),
    ("a subtree has neither minimum nor maximum", || {
        ca().append(NAME_CONSTRAINTS, true, &permitted(&[&dns(), &tlv(0x80, &[0])]))
    }),
    ("a constraint of addresses is an address and a mask", || {
        ca().append(NAME_CONSTRAINTS, true, &permitted(&[&tlv(0x87, &[10, 0, 0, 0])]))
    }),
    ("policy constraints are critical", || ca().append(POLICY_CONSTRAINTS, false, &[0x30, 3, 0x80, 1, 0])),
    ("policy constraints constrain a policy", || ca().append(POLICY_CONSTRAINTS, true, &[0x30, 0])),
    ("policy constraints are a CA's", || client().append(POLICY_CONSTRAINTS, true, &[0x30, 3, 0x80, 1, 0])),
    ("a purpose stands once, and one at least", || client().replace(EXTENDED_KEY_USAGE, false, &[0x30, 0])),
    ("a purpose stands once, and one at least", || {
        let purpose = tlv(6, CLIENT_AUTH);
        client().replace(EXTENDED_KEY_USAGE, false, &sequence(&[&purpose, &purpose]))
    }),
    ("any purpose is not critical", || {
        client().replace(EXTENDED_KEY_USAGE, true, &sequence(&[&tlv(6, ANY_PURPOSE)]))
    }),
    ("CRL distribution points are not critical", || client().mark(CRL_DISTRIBUTION_POINTS, true)),
    ("a distribution point says where or by whom", || {
        let reasons = sequence(&[&sequence(&[&tlv(0x81, &[6, 0x40])])]);
        client().replace(CRL_DISTRIBUTION_POINTS, false, &reasons)
    }),
    ("a distribution point says where or by whom", || {
        client().append(FRESHEST_CRL, false, &[0x30, 2, 0x30, 0])
    }),
    ("inhibitAnyPolicy is critical", || ca().append(INHIBIT_ANY_POLICY, false, &[2, 1, 0])),
    ("inhibitAnyPolicy is a CA's", || client().append(INHIBIT_ANY_POLICY, true, &[2, 1, 0])),
    ("freshest CRL is not critical", || {
        client().append(FRESHEST_CRL, true, &point(b"http://pki.test/delta.crl"))
    }),
    ("authority information access is not critical", || client().mark(AUTHORITY_INFO_ACCESS, true)),
    ("an access description has a method and a place", || {
        client().replace(AUTHORITY_INFO_ACCESS, false, &[0x30, 0])
    }),
    ("an access description has a method and a place", || {
        client().replace(
            AUTHORITY_INFO_ACCESS,
            false,
            &sequence(&[&sequence(&[&tlv(0x86, b"http://a.test/")])]),
        )
    }),
    (PLAIN, || client().replace(AUTHORITY_INFO_ACCESS, false, &access(b"https://pki.test/ca.cer"))),
    (PLAIN, || client().replace(CRL_DISTRIBUTION_POINTS, false, &point(b"ftp://pki.test/ca.crl"))),
    (PLAIN, || client().append(FRESHEST_CRL, false, &point(b"ldaps://pki.test/"))),
    ("ocsp-nocheck is null and not critical", || responder().mark(OCSP_NO_CHECK, true)),
    ("ocsp-nocheck is null and not critical", || responder().replace(OCSP_NO_CHECK, false, &[4, 0])),
    ("the TLS features are not critical", || server().append(TLS_FEATURE, true, &[0x30, 3, 2, 1, 5])),
    (FEATURES, || server().append(TLS_FEATURE, false, &[0x30, 0])),
    (FEATURES, || server().append(TLS_FEATURE, false, &[0x30, 5, 2, 3, 1, 0, 0])),
    (FEATURES, || server().append(TLS_FEATURE, false, &[0x30, 3, 2, 1, 0x85])),
    ("the poison is null and critical", || server().append(CT_POISON, false, &[5, 0])),
    ("the poison is null and critical", || server().append(CT_POISON, true, &[4, 0])),
    ("signed certificate timestamps are an octet string", || server().append(SCT_LIST, false, &[0x30, 0])),
    ("a poisoned certificate has no timestamps", || {
        server().append(CT_POISON, true, &[5, 0]).append(SCT_LIST, false, &[4, 2, 0, 0])
    }),
];

#[test]
fn each_rule_is_broken_by_octets_that_break_no_other() {
    check(super::RULES, CASES);
}

#[test]
fn what_the_rules_ask_for_they_take() {
    let cps = policies(QUALIFIER_CPS, &tlv(0x16, b"http://cps.test/"));
    pass(&[
        client().append(CERTIFICATE_POLICIES, false, &cps),
        notice(&tlv(0x0c, "é".repeat(200).as_bytes())),
        client().append(FRESHEST_CRL, false, &point(b"LDAP://pki.test/")),
        ca().append(NAME_CONSTRAINTS, true, &permitted(&[&tlv(0x87, &[10, 0, 0, 0, 255, 0, 0, 0])])),
        ca().append(POLICY_CONSTRAINTS, true, &[0x30, 3, 0x80, 1, 0]),
        ca().append(INHIBIT_ANY_POLICY, true, &[2, 1, 0]),
        server().append(TLS_FEATURE, false, &[0x30, 6, 2, 1, 5, 2, 1, 17]),
        server().append(CT_POISON, true, &[5, 0]),
        server().append(SCT_LIST, false, &[4, 2, 0, 0]),
    ]);
}
