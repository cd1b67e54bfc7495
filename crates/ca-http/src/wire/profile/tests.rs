//! Documents and profiles, there and back.

use ca_core::profile::{DnsRule, IpBlock, IpRule, built_in};

use super::*;

#[test]
fn every_built_in_profile_survives_a_round_trip() {
    for profile in built_in(&DnsRule::Under(vec!["example.com".to_owned()])).unwrap() {
        let text = serde_json::to_string(&ProfileDocument::from(&profile)).unwrap();
        let read: ProfileDocument = serde_json::from_str(&text).unwrap();
        assert_eq!(read.profile(profile.version), Ok(profile), "{text}");
    }
}

#[test]
fn one_try_names_every_fault() {
    let text = r#"{"name":"Bad Name","issuers":["issuing","?"],"keys":["dsa"],"subject":"x","status":"y",
        "audience":"z","validity":{"default":"90d","max":"90d"},"names":{"dns":"some","email":"few"},
        "usage":{"key":["sign"],"extended":["webAuth"]}}"#;
    let document: ProfileDocument = serde_json::from_str(text).unwrap();
    let faults = document.profile(1).unwrap_err();
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "name",
            "issuers[1]",
            "keys[0]",
            "audience",
            "subject",
            "status",
            "names.dns",
            "names.email",
            "usage.key[0]",
            "usage.extended[0]"
        ]
    );
}

#[test]
fn unknown_fields_are_refused() {
    let text = r#"{"name":"a","issuers":[],"keys":[],"validity":{"default":"1d","max":"1d"},
        "usage":{"key":[]},"nmaes":{}}"#;
    let error = serde_json::from_str::<ProfileDocument>(text).unwrap_err();
    assert!(error.to_string().contains("unknown field `nmaes`"), "{error}");
}

/// Every field is there, none at its default.
const FULL: &str = r#"{"name":"full","issuers":["root"],"keys":["rsa-3072"],"audience":"cluster",
    "subject":["C=DE","O=a = b, required","OU optional","serialNumber required","CN from names"],
    "status":"root","staple":true,"hold":true,"rate_per_minute":60,
    "validity":{"default":"1d","max":"2d","backdate":"1h"},
    "names":{"source":"csr","dns":["example.com"],"wildcard":true,"email":"any","upn":["corp.example"],
        "ip":["10.0.0.0/8","2001:db8::/32"],"uri":["spiffe://corp.example/"],"directory":true,"min":1},
    "usage":{"key":["digitalSignature"],"rsa":["keyEncipherment"],"ec":["keyAgreement"],
        "extended":["serverAuth","1.3.6.1.4.1.311.20.2.2"],"critical":true},
    "policies":[{"id":"1.3.6.1.4.1.1.1","cps":["http://cps.test/"]}],
    "template":{"name":"WebServer","id":"1.3.6.1.4.1.311.21.8.1","major":7,"minor":3},
    "ca":{"path_len":0,"require_explicit_policy":1,"inhibit_policy_mapping":2,"inhibit_any_policy":3,
        "permit":{"dns":["example.com"],"email":[".example.com"],"uri":["example.com"],"ip":["10.0.0.0/8"]},
        "exclude":{"dns":["evil.example.com"]}}}"#;

#[test]
fn every_field_survives_a_round_trip() {
    let document: ProfileDocument = serde_json::from_str(FULL).unwrap();
    let profile = document.profile(7).unwrap();
    assert_eq!(ProfileDocument::from(&profile), ProfileDocument { version: Some(7), ..document.clone() });
    let text = serde_json::to_value(&document).unwrap();
    assert_eq!(text, serde_json::from_str::<serde_json::Value>(FULL).unwrap());
    assert_eq!(
        profile.names.ip,
        IpRule::Within(vec![
            IpBlock { address: [10, 0, 0, 0].into(), prefix: 8 },
            IpBlock { address: "2001:db8::".parse().unwrap(), prefix: 32 },
        ])
    );
    assert_eq!(profile.rate, Some(PerMinute(60)));
}

#[test]
fn a_purpose_is_known_by_name_and_by_number() {
    let text = FULL.replace("\"serverAuth\"", "\"1.3.6.1.5.5.7.3.1\"");
    let by_number: ProfileDocument = serde_json::from_str(&text).unwrap();
    let by_name: ProfileDocument = serde_json::from_str(FULL).unwrap();
    assert_eq!(by_number.profile(1), by_name.profile(1));
}

#[test]
fn what_has_its_default_is_left_out() {
    let text = r#"{"name":"a","issuers":["issuing"],"keys":["ec-p256"],"subject":["CN from names"],
        "validity":{"default":"1d","max":"2d"},"names":{"dns":"any"},"usage":{"key":["digitalSignature"]}}"#;
    let document: ProfileDocument = serde_json::from_str(text).unwrap();
    let written =
        serde_json::to_value(ProfileDocument { version: None, ..(&document.profile(1).unwrap()).into() });
    assert_eq!(written.unwrap(), serde_json::from_str::<serde_json::Value>(text).unwrap());
}

#[test]
fn words_that_say_nothing_are_faults_of_their_fields() {
    for (field, from, to) in [
        ("subject[1]", "O=a = b, required", "O"),
        ("subject[2]", "OU optional", "OU sometimes"),
        ("subject[3]", "serialNumber required", "serial required"),
        ("names.source", "\"csr\"", "\"both\""),
        ("names.ip[0]", "10.0.0.0/8\",\"2001", "10.0.0.0\",\"2001"),
        ("usage.rsa[0]", "keyEncipherment", "encipher"),
        ("usage.extended[1]", "1.3.6.1.4.1.311.20.2.2", "1..3"),
        ("policies[0].id", "1.3.6.1.4.1.1.1", "policy"),
        ("template.id", "1.3.6.1.4.1.311.21.8.1", "WebServer"),
        ("ca.permit.ip[0]", "[\"10.0.0.0/8\"]}", "[\"10.0.0.0/x\"]}"),
    ] {
        let text = FULL.replace(from, to);
        assert_ne!(text, FULL, "{field}");
        let document: ProfileDocument = serde_json::from_str(&text).unwrap();
        let faults = document.profile(1).unwrap_err();
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, [field]);
    }
}
