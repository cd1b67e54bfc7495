//! Normative sentences of RFC 5280 §4.1 to §5, RFC 2986 and RFC 6960 §4 about what this crate writes and reads, one test
//! each, as strangers see it: through the public functions, over octets. The others stand beside the code.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::arithmetic_side_effects, reason = "sizes of test input are small")]

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::certificate::{Certificate, Extensions, TbsCertificate, assemble};
use ca_x509::crl::{self, CertificateList, CrlEntry, CrlNumber, CrlScope, RevocationReason, TbsCrl};
use ca_x509::key::{KeyIdentifier, PublicKey};
use ca_x509::name::{DistinguishedName, GeneralName};
use ca_x509::ocsp::{
    CertId, CertStatus, OcspRequest, OcspResponse, ResponseData, SingleResponse, assemble_response,
};
use ca_x509::request::CertificationRequest;
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

/// The writer of the tables of bad input.
#[path = "refusals/write.rs"]
mod write;
use write::{
    ECDSA, common_name, extension, int, null, octets, oid, p256, printable, seq, set, signed, tlv, utf8,
};

/// 2026-11-22T00:00:00Z
const NOW: UnixSeconds = UnixSeconds(1_795_305_600);
/// 2051-11-22T00:00:00Z
const LATE: UnixSeconds = UnixSeconds(2_584_224_000);

/// The children of one value, each whole: as little of a parser as these tests need.
fn children(der: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = content(der);
    let mut found = Vec::new();
    while !rest.is_empty() {
        let length = whole(rest);
        found.push(rest[..length].to_vec());
        rest = &rest[length..];
    }
    found
}

fn content(der: &[u8]) -> &[u8] {
    &der[header(der)..whole(der)]
}

fn header(der: &[u8]) -> usize {
    if der[1] < 0x80 { 2 } else { 2 + usize::from(der[1] & 0x7f) }
}

fn whole(der: &[u8]) -> usize {
    let long = &der[2..header(der)];
    let length = if long.is_empty() {
        usize::from(der[1])
    } else {
        long.iter().fold(0, |n, octet| n << 8 | usize::from(*octet))
    };
    header(der) + length
}

fn certificate() -> TbsCertificate {
    TbsCertificate {
        serial: SerialNumber::from_random([7; 16]),
        signature_algorithm: SignatureAlgorithm::EcdsaSha256,
        issuer: DistinguishedName::new().common_name("issuer").build().unwrap(),
        not_before: NOW,
        not_after: LATE,
        subject: DistinguishedName::empty(),
        public_key: PublicKey::from_spki_der(&p256()).unwrap(),
        extensions: Extensions {
            subject_key_identifier: Some(KeyIdentifier([1; 20])),
            authority_key_identifier: Some(KeyIdentifier([2; 20])),
            subject_alt_names: vec![GeneralName::Dns("a.example".into())],
            ..Extensions::default()
        },
    }
}

/// The extensions of a certificate or list, by identifier: (critical, value).
fn extensions_of(tagged: &[u8]) -> Vec<(Vec<u8>, bool, Vec<u8>)> {
    let one = |extension: Vec<u8>| {
        let fields = children(&extension);
        let critical = fields.len() == 3;
        (fields[0].clone(), critical, content(fields.last().unwrap()).to_vec())
    };
    children(&children(tagged)[0]).into_iter().map(one).collect()
}

#[test]
fn rfc5280_4_1_1_a_certificate_is_three_fields() {
    let tbs = certificate().encode().unwrap();
    let der = assemble(&tbs, SignatureAlgorithm::EcdsaSha256, b"signature");
    let fields = children(&der);
    assert_eq!(fields.len(), 3);
    assert_eq!(fields[0], tbs, "the tbsCertificate is what was signed");
    assert_eq!(fields[1], ECDSA.to_der());
    assert_eq!(content(&fields[2]), [&[0], &b"signature"[..]].concat(), "the signature is a BIT STRING");
}

/// "Both the signature fields MUST contain the same algorithm identifier": also that written in another way.
#[test]
fn rfc5280_4_1_2_3_the_algorithm_inside_has_the_same_octets() {
    let tbs = certificate().encode().unwrap();
    assert_eq!(children(&tbs)[2], ECDSA.to_der());
    let other = assemble(&tbs, SignatureAlgorithm::EcdsaSha384, b"signature");
    assert!(Certificate::parse(&other).is_err());
}

/// "CAs conforming to this profile MUST always encode certificate validity dates through the year 2049 as UTCTime;
/// certificate validity dates in 2050 or later MUST be encoded as GeneralizedTime."
#[test]
fn rfc5280_4_1_2_5_each_date_has_the_type_of_its_year() {
    let tbs = certificate().encode().unwrap();
    let dates = children(&children(&tbs)[4]);
    assert_eq!(dates[0], tlv(0x17, &[b"261122000000Z"]));
    assert_eq!(dates[1], tlv(0x18, &[b"20511122000000Z"]));
}

/// "The issuer field MUST contain a non-empty distinguished name": what this crate writes is what it is given, and the
/// lint refuses an empty one; a subject may be empty, and then the alternative names are critical (§4.1.2.6).
#[test]
fn rfc5280_4_1_2_6_an_empty_subject_makes_the_names_critical() {
    let criticality = |subject: DistinguishedName| {
        let tbs = TbsCertificate { subject, ..certificate() }.encode().unwrap();
        let names = extensions_of(children(&tbs).last().unwrap());
        names.into_iter().find(|(kind, _, _)| *kind == oid("2.5.29.17")).unwrap().1
    };
    assert!(criticality(DistinguishedName::empty()));
    assert!(!criticality(DistinguishedName::new().common_name("a").build().unwrap()));
}

/// "The subject public key MUST be carried in a SubjectPublicKeyInfo": octet for octet as it was asked for.
#[test]
fn rfc5280_4_1_2_7_the_key_stands_as_it_was_given() {
    let tbs = certificate().encode().unwrap();
    assert_eq!(children(&tbs)[6], p256());
    assert_eq!(ca_x509::certificate::subject_public_key_info(&tbs), Ok(&p256()[..]));
}

/// "CAs conforming to this profile MUST NOT generate certificates with unique identifiers."
#[test]
fn rfc5280_4_1_2_8_no_unique_identifiers_are_written_or_signed() {
    let mut fields = children(&certificate().encode().unwrap());
    assert!(fields.iter().all(|field| field[0] != 0x81 && field[0] != 0x82));
    fields.insert(7, tlv(0x81, &[&[0, 1]]));
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    assert!(TbsCertificate::decode(&seq(&fields)).is_err(), "what is to be signed has none");
    assert!(Certificate::parse(&signed(&seq(&fields), ECDSA)).is_ok(), "strangers may");
}

/// "Conforming CAs MUST mark this extension as non-critical" (§4.2.1.1, §4.2.1.2).
#[test]
fn rfc5280_4_2_1_1_and_4_2_1_2_key_identifiers_are_not_critical() {
    let tbs = certificate().encode().unwrap();
    let extensions = extensions_of(children(&tbs).last().unwrap());
    for (kind, value) in [
        ("2.5.29.14", octets(&[1; 20])),
        // keyIdentifier [0], without issuer and serial: both or neither MUST be there.
        ("2.5.29.35", seq(&[&tlv(0x80, &[&[2; 20]])])),
    ] {
        let found = extensions.iter().find(|(oid_of, _, _)| *oid_of == oid(kind)).unwrap();
        assert_eq!((found.1, &found.2), (false, &value), "{kind}");
    }
}

/// "If the issuer name and serial number are given, both MUST be": strangers' identifiers are read for the key alone.
#[test]
fn rfc5280_4_2_1_1_an_authority_key_identifier_of_a_stranger_may_name_issuer_and_serial() {
    let issuer = tlv(0xa1, &[&tlv(0xa4, &[&common_name("root")])]);
    let value = seq(&[&tlv(0x80, &[&[2; 20]]), &issuer, &tlv(0x82, &[&[5]])]);
    let mut fields = children(&certificate().encode().unwrap());
    *fields.last_mut().unwrap() = tlv(0xa3, &[&seq(&[&extension("2.5.29.35", &value)])]);
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    let read = Certificate::parse(&signed(&seq(&fields), ECDSA)).unwrap();
    assert_eq!(read.extensions().authority_key_identifier, Some(KeyIdentifier([2; 20])));
}

fn list() -> TbsCrl {
    TbsCrl {
        signature_algorithm: SignatureAlgorithm::EcdsaSha256,
        issuer: DistinguishedName::new().common_name("issuer").build().unwrap(),
        this_update: NOW,
        next_update: LATE,
        number: CrlNumber(7),
        authority_key_identifier: KeyIdentifier([3; 20]),
        distribution_point: Some("http://a.example/1.crl".into()),
        scope: CrlScope::All,
        delta_base: None,
        freshest_crl: vec![],
        expired_since: None,
    }
}

fn entry(serial: u8, reason: Option<RevocationReason>) -> CrlEntry {
    CrlEntry {
        serial: SerialNumber::from_be_bytes(&[serial]).unwrap(),
        revoked_at: NOW,
        reason,
        invalidity_date: None,
        event: crl::CrlEvent::Revoked,
    }
}

/// "This field MUST contain the same algorithm identifier as the signature field in the sequence tbsCertList."
#[test]
fn rfc5280_5_1_1_2_algorithm_is_the_same_inside_and_outside() {
    let tbs = list().encode([]).unwrap();
    assert_eq!(children(&tbs)[1], ECDSA.to_der());
    let of = |algorithm| CertificateList::parse(&crl::assemble(&tbs, algorithm, b"signature"));
    assert!(of(SignatureAlgorithm::EcdsaSha256).is_ok());
    assert!(of(SignatureAlgorithm::EcdsaSha384).is_err());
}

/// "When extensions are used, as required by this profile, this field MUST be present and MUST specify version 2."
#[test]
fn rfc5280_5_1_2_1_version_is_2() {
    let tbs = list().encode([]).unwrap();
    assert_eq!(children(&tbs)[0], int(&[1]));
    let without: Vec<Vec<u8>> = children(&tbs).into_iter().skip(1).collect();
    let without: Vec<&[u8]> = without.iter().map(Vec::as_slice).collect();
    assert!(CertificateList::parse(&signed(&seq(&without), ECDSA)).is_err());
}

/// "CRL issuers conforming to this profile MUST encode thisUpdate as UTCTime for dates through the year 2049", and
/// GeneralizedTime from 2050 on; "Conforming CRL issuers MUST include the nextUpdate field in all CRLs" (§5.1.2.5).
#[test]
fn rfc5280_5_1_2_4_and_5_1_2_5_both_updates_are_there_in_the_type_of_their_year() {
    let tbs = list().encode([]).unwrap();
    assert_eq!(children(&tbs)[3], tlv(0x17, &[b"261122000000Z"]));
    assert_eq!(children(&tbs)[4], tlv(0x18, &[b"20511122000000Z"]));
    let mut without = children(&tbs);
    without.remove(4);
    let without: Vec<&[u8]> = without.iter().map(Vec::as_slice).collect();
    assert!(CertificateList::parse(&signed(&seq(&without), ECDSA)).is_err());
}

/// "The time for revocationDate MUST be expressed as described in Section 5.1.2.4"; and the serial is the certificate's.
#[test]
fn rfc5280_5_1_2_6_an_entry_is_serial_and_date() {
    let late = CrlEntry { revoked_at: LATE, ..entry(6, None) };
    let tbs = list().encode([entry(5, None), late]).unwrap();
    let entries = children(&children(&tbs)[5]);
    assert_eq!(children(&entries[0]), [int(&[5]), tlv(0x17, &[b"261122000000Z"])]);
    assert_eq!(children(&entries[1]), [int(&[6]), tlv(0x18, &[b"20511122000000Z"])]);
}

/// "Conforming CRL issuers MUST use the key identifier method, and MUST include this extension in all CRLs issued"
/// (§5.2.1); "MUST include this extension in all CRLs and MUST mark this extension as non-critical" (§5.2.3).
#[test]
fn rfc5280_5_2_1_and_5_2_3_key_identifier_and_number_are_in_every_list() {
    let tbs = list().encode([]).unwrap();
    let extensions = extensions_of(children(&tbs).last().unwrap());
    let found = |kind| extensions.iter().find(|(oid_of, _, _)| *oid_of == oid(kind)).unwrap();
    assert_eq!((found("2.5.29.35").1, &found("2.5.29.35").2), (false, &seq(&[&tlv(0x80, &[&[3; 20]])])));
    assert_eq!((found("2.5.29.20").1, &found("2.5.29.20").2), (false, &int(&[7])));
    for missing in ["2.5.29.35", "2.5.29.20"] {
        let fields = children(&tbs);
        let kept: Vec<Vec<u8>> = children(&children(fields.last().unwrap())[0])
            .into_iter()
            .filter(|extension| children(extension)[0] != oid(missing))
            .collect();
        let mut fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        let last = tlv(0xa0, &[&seq(&[&kept.concat()])]);
        *fields.last_mut().unwrap() = &last;
        assert!(CertificateList::parse(&signed(&seq(&fields), ECDSA)).is_err(), "without {missing}");
    }
}

/// "CRLNumbers MUST NOT be longer than 20 octets": what is read of strangers neither.
#[test]
fn rfc5280_5_2_3_a_number_has_at_most_20_octets() {
    let number = |octets_of: &[u8]| {
        let tbs = list().encode([]).unwrap();
        let fields = children(&tbs);
        let swapped: Vec<Vec<u8>> = children(&children(fields.last().unwrap())[0])
            .into_iter()
            .map(|one| {
                if children(&one)[0] == oid("2.5.29.20") {
                    extension("2.5.29.20", &int(octets_of))
                } else {
                    one
                }
            })
            .collect();
        let mut fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        let last = tlv(0xa0, &[&seq(&[&swapped.concat()])]);
        *fields.last_mut().unwrap() = &last;
        CertificateList::parse(&signed(&seq(&fields), ECDSA)).map(drop)
    };
    assert!(number(&[7]).is_ok());
    assert!(number(&[0x7f; 21]).is_err());
    assert!(number(&[0xff]).is_err(), "negative");
}

/// "The reasonCode is a non-critical CRL entry extension": an ENUMERATED.
#[test]
fn rfc5280_5_3_1_the_reason_is_enumerated_and_not_critical() {
    let tbs = list().encode([entry(5, Some(RevocationReason::KeyCompromise))]).unwrap();
    let entry = &children(&children(&tbs)[5])[0];
    assert_eq!(children(entry)[2], seq(&[&extension("2.5.29.21", &[0x0a, 1, 1])]));
}

fn request(version: u8, attributes: &[u8]) -> Vec<u8> {
    signed(&seq(&[&int(&[version]), &common_name("a"), &p256(), attributes]), ECDSA)
}

/// "version is the version number […]. It shall be 0 for this version of the standard."
#[test]
fn rfc2986_4_1_version_is_0() {
    let none = tlv(0xa0, &[]);
    assert!(CertificationRequest::parse(&request(0, &none)).is_ok());
    assert!(CertificationRequest::parse(&request(1, &none)).is_err());
}

/// "attributes [0] Attributes": not optional, perhaps empty, and implicit.
#[test]
fn rfc2986_4_1_attributes_are_there_and_implicit() {
    let attribute = seq(&[&oid("1.2.3"), &set(&[&utf8("a")])]);
    assert!(CertificationRequest::parse(&request(0, &tlv(0xa0, &[&attribute]))).is_ok());
    assert!(
        CertificationRequest::parse(&request(0, &tlv(0xa0, &[&set(&[&attribute])]))).is_err(),
        "explicit"
    );
    assert!(CertificationRequest::parse(&request(0, &[])).is_err(), "absent");
}

/// "the value of the certificationRequestInfo component is DER encoded, yielding an octet string" that is signed: it is
/// handed out as it came.
#[test]
fn rfc2986_4_2_what_was_signed_is_handed_out_as_it_came() {
    let info =
        seq(&[&int(&[0]), &seq(&[&write::attribute("2.5.4.3", &printable("a"))]), &p256(), &tlv(0xa0, &[])]);
    let parsed = CertificationRequest::parse(&signed(&info, ECDSA)).unwrap();
    assert_eq!((parsed.info_der(), parsed.signature()), (&info[..], &b"signature"[..]));
}

fn asked_id() -> CertId {
    let issuer = DistinguishedName::new().common_name("issuer").build().unwrap();
    let key = PublicKey::from_spki_der(&p256()).unwrap();
    CertId::sha1(&issuer, &key, &SerialNumber::from_be_bytes(&[5]).unwrap())
}

fn answer(nonce: Option<Vec<u8>>) -> ResponseData {
    let single = SingleResponse {
        cert_id: asked_id(),
        status: CertStatus::Good,
        this_update: NOW,
        next_update: Some(LATE),
        archive_cutoff: None,
    };
    ResponseData {
        responder: KeyIdentifier([4; 20]),
        produced_at: NOW,
        responses: vec![single],
        nonce,
        extended_revoke: false,
    }
}

/// "issuerNameHash is the hash of the issuer's distinguished name […] calculated over the DER encoding of the issuer's
/// name field"; "issuerKeyHash […] over the value (excluding tag and length) of the subject public key field".
#[test]
fn rfc6960_4_1_1_hashes_are_over_the_name_and_the_key_bits() {
    use sha1::Digest as _;
    let id = asked_id();
    let key = PublicKey::from_spki_der(&p256()).unwrap();
    assert_eq!(id.issuer_name_hash, sha1::Sha1::digest(common_name("issuer")).to_vec());
    assert_eq!(id.issuer_key_hash, sha1::Sha1::digest(key.key_bits()).to_vec());
    assert_eq!(children(id.as_der())[0], seq(&[&oid("1.3.14.3.2.26"), &null()]));
}

/// "version […] v1(0)" is the default, and so not encoded; neither is a list of no extensions.
#[test]
fn rfc6960_4_1_1_a_request_of_ours_has_no_defaults() {
    let der = OcspRequest { cert_ids: vec![asked_id()], nonce: None }.encode().unwrap();
    let tbs = &children(&der)[0];
    assert_eq!((children(&der).len(), children(tbs).len()), (1, 1));
    assert_eq!(children(&children(&children(tbs)[0])[0]), [asked_id().as_der().to_vec()]);
}

/// "the responseBytes […] id-pkix-ocsp-basic"; "the value for signature SHALL be computed on the hash of the DER encoding
/// of ResponseData".
#[test]
fn rfc6960_4_2_1_an_answer_is_a_basic_response_over_the_signed_octets() {
    let data = answer(None).encode().unwrap();
    let der = assemble_response(&data, SignatureAlgorithm::Ed25519, b"signature", &[]);
    assert_eq!(children(&der)[0], [0x0a, 1, 0]);
    let bytes = &children(&children(&der)[1])[0];
    assert_eq!(children(bytes)[0], oid("1.3.6.1.5.5.7.48.1.1"));
    let basic = content(&children(bytes)[1]).to_vec();
    assert_eq!(children(&basic)[0], data);
    let OcspResponse::Basic(read) = OcspResponse::parse(&der).unwrap() else { panic!("an answer") };
    assert_eq!(read.tbs_der(), data);
}

/// "ResponderID […] byKey [2]", and all times are GeneralizedTime (§4.2.2.1 and the module): also before 2050.
#[test]
fn rfc6960_4_2_1_responders_are_named_by_key_and_times_are_generalized() {
    let data = children(&answer(None).encode().unwrap());
    assert_eq!(data[0], tlv(0xa2, &[&octets(&[4; 20])]));
    assert_eq!(data[1], tlv(0x18, &[b"20261122000000Z"]));
    let single = children(&children(&data[2])[0]);
    assert_eq!(single[0], asked_id().as_der(), "the request's own octets");
    assert_eq!(single[1], [0x80, 0]);
    assert_eq!(single[2], tlv(0x18, &[b"20261122000000Z"]));
    assert_eq!(single[3], tlv(0xa0, &[&tlv(0x18, &[b"20511122000000Z"])]));
}

/// "The nonce […] in the requestExtensions […] and in the responseExtensions": the same octets, not critical.
#[test]
fn rfc6960_4_4_1_the_nonce_comes_back_in_the_answers_extensions() {
    let asked = OcspRequest { cert_ids: vec![asked_id()], nonce: Some(vec![9; 32]) }.encode().unwrap();
    let nonce = OcspRequest::parse(&asked).unwrap().nonce;
    let data = children(&answer(nonce).encode().unwrap());
    let expected = extension("1.3.6.1.5.5.7.48.1.2", &octets(&[9; 32]));
    assert_eq!(data.last().unwrap(), &tlv(0xa1, &[&seq(&[&expected])]));
}
