//! Tests of names.

use super::*;
use crate::oids;
use core::net::IpAddr;
use proptest::prelude::*;

pub(crate) fn arbitrary_name() -> impl Strategy<Value = DistinguishedName> {
    proptest::collection::vec(("[a-zA-Z0-9 .,é+-]{1,20}", 0..6_u8), 0..5).prop_map(|attributes| {
        attributes
            .into_iter()
            .fold(DistinguishedName::new(), |builder, (text, kind)| match kind {
                0 => builder.common_name(text),
                1 => builder.organization(text),
                2 => builder.organizational_unit(text),
                3 => builder.locality(text),
                4 => builder.country("CH"),
                _ => builder.domain_component("example"),
            })
            .build()
            .unwrap()
    })
}

pub(crate) fn arbitrary_general_name() -> impl Strategy<Value = GeneralName> {
    prop_oneof![
        "[a-z0-9.*-]{1,60}".prop_map(GeneralName::Dns),
        "[a-z0-9.]{1,20}@[a-z0-9.]{1,20}".prop_map(GeneralName::Email),
        "https://[a-z0-9./]{1,40}".prop_map(GeneralName::Uri),
        any::<[u8; 4]>().prop_map(|octets| GeneralName::Ip(IpAddr::from(octets))),
        any::<[u8; 16]>().prop_map(|octets| GeneralName::Ip(IpAddr::from(octets))),
        arbitrary_name().prop_map(|name| GeneralName::Directory(name.into())),
        "[a-zäあ]{1,20}@[a-z]{1,20}".prop_map(GeneralName::SmtpUtf8Mailbox),
        "[a-zäあ]{1,20}@[a-zä]{1,20}".prop_map(GeneralName::UserPrincipalName),
    ]
}

fn read(der: &[u8]) -> Result<GeneralName, DecodeError> {
    GeneralName::read(asn1::read_one("test", der)?)
}

#[test]
fn rfc5280_4_1_2_4_country_is_printable_and_text_is_utf8() {
    let name = DistinguishedName::new().country("CH").common_name("Zürich").build().unwrap();
    let der = name.as_der();
    assert!(der.windows(4).any(|window| window == [0x13, 2, b'C', b'H']));
    assert!(der.windows(4).any(|window| window == [0x0c, 7, b'Z', 0xc3]));
    assert_eq!(name.common_name().as_deref(), Some("Zürich"));
}

#[test]
fn rfc5280_a_1_upper_bounds() {
    let chars = |count| "é".repeat(count);
    assert!(DistinguishedName::new().common_name(chars(64)).build().is_ok());
    let refused = NameError::AttributeLength { attribute: "CN", got: 65, max: 64 };
    assert_eq!(DistinguishedName::new().common_name(chars(65)).build(), Err(refused));
    assert!(DistinguishedName::new().country("CHE").build().is_err());
    assert!(DistinguishedName::new().country("C").build().is_err());
    assert!(DistinguishedName::new().country("É1").build().is_err());
    assert_eq!(DistinguishedName::new().organization("").build(), Err(NameError::Empty { attribute: "O" }));
    assert!(DistinguishedName::new().organization("a\nb").build().is_err());
}

#[test]
fn rfc4514_2_1_most_specific_first() {
    let name = DistinguishedName::new().country("CH").organization("A").common_name("b").build().unwrap();
    assert_eq!(name.to_string(), "CN=b,O=A,C=CH");
    assert_eq!(DistinguishedName::empty().to_string(), "");
    assert!(DistinguishedName::empty().is_empty() && !name.is_empty());
}

#[test]
fn rfc4514_2_2_attributes_of_one_set_are_joined_by_plus() {
    let pair = |oid, text: &[u8]| asn1::sequence(&[&asn1::oid(oid), &asn1::tlv(asn1::UTF8_STRING, &[text])]);
    let set = asn1::tlv(asn1::SET, &[&pair(oids::COMMON_NAME, b"a"), &pair(oids::USER_ID, b"b")]);
    let name = DistinguishedName::from_der(&asn1::sequence(&[&set])).unwrap();
    assert_eq!(name.to_string(), "CN=a+UID=b");
}

#[test]
fn rfc4514_2_4_special_characters_are_escaped() {
    let name = DistinguishedName::new().common_name(" #a,b+\"c\\<>; ").build().unwrap();
    assert_eq!(name.to_string(), r#"CN=\ #a\,b\+\"c\\\<\>\;\ "#);
    let name = DistinguishedName::new().common_name("#a").serial_number("1").build().unwrap();
    assert_eq!(name.to_string(), r"2.5.4.5=#130131,CN=\#a");
}

#[test]
fn x501_9_3_empty_set_is_refused() {
    assert!(DistinguishedName::from_der(&[0x30, 2, 0x31, 0]).is_err());
    assert!(DistinguishedName::from_der(&[0x30, 0, 0]).is_err());
}

#[test]
fn rfc5280_4_2_1_6_unsupported_form_is_named() {
    let refused = NameError::UnsupportedForm { tag: 8, form: "registeredID" };
    assert_eq!(read(&[0x88, 1, 42]), Err(refused.into()));
    let refused = NameError::UnsupportedForm { tag: 0, form: "otherName" };
    assert_eq!(read(&[0xa0, 7, 6, 1, 42, 0xa0, 2, 5, 0]), Err(refused.into()));
    assert!(read(&[0xa0, 0]).is_err());
}

#[test]
fn rfc5280_4_2_1_6_address_has_4_or_16_octets() {
    assert_eq!(read(&[0x87, 5, 1, 2, 3, 4, 5]), Err(NameError::AddressLength { got: 5 }.into()));
    assert_eq!(read(&[0x87, 4, 192, 0, 2, 1]).unwrap().to_string(), "IP:192.0.2.1");
}

#[test]
fn no_nul_or_space_hides_in_a_name() {
    for refused in [&[0x82, 0][..], &[0x82, 3, b'a', 0, b'b'], &[0x82, 2, b'a', b' '], &[0x82, 1, 0xe9]] {
        assert!(matches!(read(refused), Err(DecodeError::Name(NameError::Text { .. }))));
    }
    assert!(GeneralName::Dns("a\0b".into()).to_der().is_err());
}

proptest! {
    #[test]
    fn every_name_round_trips(name in arbitrary_name()) {
        prop_assert_eq!(DistinguishedName::from_der(name.as_der()), Ok(name));
    }

    #[test]
    fn every_general_name_round_trips(name in arbitrary_general_name()) {
        prop_assert_eq!(read(&name.to_der().unwrap()), Ok(name));
    }

    #[test]
    fn no_mutation_panics(name in arbitrary_name(), at: prop::sample::Index, octet: u8) {
        let mut der = name.as_der().to_vec();
        let at = at.index(der.len());
        der[at] = octet;
        if let Ok(name) = DistinguishedName::from_der(&der) {
            let _ = (name.to_string(), name.common_name());
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = (DistinguishedName::from_der(&bytes), read(&bytes));
    }
}
