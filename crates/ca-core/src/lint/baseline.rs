//! The CA/B Forum's Baseline Requirements for TLS servers (version 2.2.6), for certificates that claim them: end
//! entities' with a policy that the Forum reserves (§7.1.6.1). Private ones need not know them.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use ca_x509::certificate::KeyUsage;
use ca_x509::time::UnixSeconds;

use super::names::{DNS, IP};
use super::reading::{Extension, Key, Reading};
use super::{Rule, ensure, oids};
use crate::weak_key::bit_length;

const DAY_S: u64 = 24 * 3600;

/// §6.3.2: from this day on, at most so many days. Before the first one: 398.
const DAYS_MAX: [(UnixSeconds, u64); 3] = [
    // 2026-03-15, 2027-03-15, 2029-03-15.
    (UnixSeconds(1_773_532_800), 200),
    (UnixSeconds(1_805_068_800), 100),
    (UnixSeconds(1_868_227_200), 47),
];

pub(super) const RULES: &[Rule] = &[
    ("CA/B BR §7.1.2.7.6", "signed certificate timestamps are not critical", |tbs| {
        applied(tbs, || {
            let critical = tbs.extension(oids::SCT_LIST).is_some_and(Extension::is_critical);
            ensure(!critical, "they are")
        })
    }),
    ("CA/B BR §7.1.2.7.9", "one reserved policy is claimed, and not any policy", |tbs| {
        applied(tbs, || {
            let policies: Vec<&[u8]> = tbs.policies().map(|(oid, _)| oid).collect();
            let reserved = policies.iter().filter(|oid| is_reserved(oid)).count();
            let any = policies.contains(&oids::ANY_POLICY);
            ensure(reserved == 1 && !any, format_args!("{reserved} are reserved, and any policy is {any}"))
        })
    }),
    ("CA/B BR §6.3.2", "it lives as long as one issued on its first day may", |tbs| {
        applied(tbs, || {
            let Some((from, to)) = tbs.times() else { return Ok(()) };
            let days =
                DAYS_MAX.into_iter().rev().find(|(since, _)| from >= *since).map_or(398, |(_, days)| days);
            // Both ends are inclusive (RFC 5280 §4.1.2.5).
            let life = to.0.saturating_sub(from.0).saturating_add(1);
            ensure(life <= days.saturating_mul(DAY_S), format_args!("it lives {life} s, and may {days} days"))
        })
    }),
    ("CA/B BR §7.1.2.7.10", "it is for servers, and at most for clients too", |tbs| {
        applied(tbs, || {
            let other = |oid: &&[u8]| !matches!(*oid, oids::SERVER_AUTH | oids::CLIENT_AUTH);
            let others = tbs.purposes().filter(other).count();
            let server = tbs.has_purpose(oids::SERVER_AUTH);
            ensure(server && others == 0, format_args!("servers are {server}, and there are {others} others"))
        })
    }),
    ("CA/B BR §7.1.2.7.11", "the key signs, or an RSA key transports keys", |tbs| {
        applied(tbs, || {
            let (usage, rsa) = (tbs.key_usage(), tbs.key.and_then(Key::rsa).is_some());
            let may = if rsa {
                KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT | KeyUsage::DATA_ENCIPHERMENT
            } else {
                KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_AGREEMENT
            };
            let signs = rsa || usage.contains(KeyUsage::DIGITAL_SIGNATURE);
            ensure(signs && may.contains(usage), format_args!("its usage is {usage:?}"))
        })
    }),
    ("CA/B BR §7.1.2.7.12", "its names are DNS names and addresses", |tbs| {
        applied(tbs, || {
            let other = tbs.names().iter().find(|name| !matches!(name.tag, DNS | IP));
            ensure(
                other.is_none(),
                format_args!("there is one of form {:?}", other.map(|name| name.tag & 0x1f)),
            )
        })
    }),
    ("CA/B BR §7.1.2.7.12", "two hyphens after two characters mean an A-label", |tbs| {
        applied(tbs, || {
            let labels = tbs.texts(DNS).flat_map(|name| name.split('.'));
            let reserved =
                |label: &&str| label.get(2..4) == Some("--") && !label.to_ascii_lowercase().starts_with("xn");
            match labels.into_iter().find(reserved) {
                Some(label) => Err(alloc::format!("there is `{}`", label.escape_debug())),
                None => Ok(()),
            }
        })
    }),
    ("CA/B BR §7.1.4.3", "a common name is one, and one of the alternative names", |tbs| {
        applied(tbs, || {
            let subject = tbs.attributes.iter();
            let common: Vec<_> = subject.filter(|attribute| attribute.oid == oids::COMMON_NAME).collect();
            match common.as_slice() {
                [] => Ok(()),
                [one] => {
                    let name = String::from_utf8_lossy(one.value.content);
                    let among = texts(tbs).iter().any(|text| *text == name);
                    ensure(among, format_args!("`{}` is not among them", name.escape_debug()))
                }
                several => Err(alloc::format!("there are {}", several.len())),
            }
        })
    }),
    ("CA/B BR §6.1.5", "the key is RSA of whole octets, or on a NIST curve", |tbs| {
        applied(tbs, || {
            let Some(key) = tbs.key else { return Ok(()) };
            let fits = match key.rsa() {
                Some((modulus, _)) => bit_length(modulus).is_multiple_of(8),
                None => key.algorithm == oids::EC_PUBLIC_KEY,
            };
            ensure(fits, format_args!("it is {}", oids::dotted(key.algorithm)))
        })
    }),
];

/// Checks a certificate that claims the requirements.
fn applied(tbs: &Reading<'_>, check: impl Fn() -> Result<(), String>) -> Result<(), String> {
    let claims = !tbs.is_ca() && tbs.policies().any(|(oid, _)| is_reserved(oid));
    if claims { check() } else { Ok(()) }
}

fn is_reserved(policy: &[u8]) -> bool {
    oids::RESERVED_SERVER_POLICIES.contains(&policy)
}

/// The alternative names as a common name would write them: addresses as RFC 5952 §4 does.
fn texts(tbs: &Reading<'_>) -> Vec<String> {
    let address = |octets: &[u8]| {
        let short = <[u8; 4]>::try_from(octets).map(|octets| Ipv4Addr::from(octets).to_string());
        short.or_else(|_| <[u8; 16]>::try_from(octets).map(|octets| Ipv6Addr::from(octets).to_string())).ok()
    };
    let addresses = tbs.names().iter().filter(|name| name.tag == IP).filter_map(|name| address(name.content));
    tbs.texts(DNS).map(String::from).chain(addresses).collect()
}

#[cfg(test)]
mod tests {
    use ca_x509::time::UnixSeconds;

    use crate::lint::oids::{
        ANY_POLICY, CERTIFICATE_POLICIES, CODE_SIGNING, COMMON_NAME, EXTENDED_KEY_USAGE, KEY_USAGE,
        RESERVED_SERVER_POLICIES, SCT_LIST, SERVER_AUTH, SUBJECT_ALT_NAME,
    };
    use crate::lint::sample::{
        Case, Parts, attribute, check, client, ed25519, name, pass, rsa_of, sequence, server, tlv,
    };

    use super::*;

    fn policies(oids: &[&[u8]]) -> Vec<u8> {
        let list: Vec<u8> = oids.iter().flat_map(|oid| sequence(&[&tlv(6, oid)])).collect();
        sequence(&[&list])
    }

    fn claiming(parts: Parts) -> Parts {
        parts.append(CERTIFICATE_POLICIES, false, &policies(&[RESERVED_SERVER_POLICIES[1]]))
    }

    /// A server of the Web, domain validated, alive for the seconds given.
    fn public() -> Parts {
        living(1_800_000_000, 90 * DAY_S)
    }

    fn living(from: u64, life_s: u64) -> Parts {
        let not_before = UnixSeconds(from).to_time_der().unwrap();
        let not_after = UnixSeconds(from).saturating_add(life_s).saturating_sub(1).to_time_der().unwrap();
        claiming(Parts { not_before, not_after, ..server() })
    }

    fn named(form: u8, text: &[u8]) -> Parts {
        let own = tlv(DNS, b"web.test");
        public().replace(SUBJECT_ALT_NAME, false, &sequence(&[&own, &tlv(form, text)]))
    }

    fn keyed(other: Parts) -> Parts {
        public().with_key(other.key)
    }

    const POLICY: &str = "one reserved policy is claimed, and not any policy";
    const LIFE: &str = "it lives as long as one issued on its first day may";
    const USAGE: &str = "the key signs, or an RSA key transports keys";
    const COMMON: &str = "a common name is one, and one of the alternative names";
    const KEY: &str = "the key is RSA of whole octets, or on a NIST curve";

    const CASES: &[Case] = &[
        ("signed certificate timestamps are not critical", || public().append(SCT_LIST, true, &[4, 2, 0, 0])),
        (POLICY, || {
            let two = policies(&RESERVED_SERVER_POLICIES[..2]);
            public().replace(CERTIFICATE_POLICIES, false, &two)
        }),
        (POLICY, || {
            let any = policies(&[RESERVED_SERVER_POLICIES[1], ANY_POLICY]);
            public().replace(CERTIFICATE_POLICIES, false, &any)
        }),
        (LIFE, || living(1_773_532_799, 398 * DAY_S + 1)),
        (LIFE, || living(1_773_532_800, 200 * DAY_S + 1)),
        (LIFE, || living(1_805_068_800, 100 * DAY_S + 1)),
        (LIFE, || living(1_868_227_200, 47 * DAY_S + 1)),
        ("it is for servers, and at most for clients too", || {
            let purposes = sequence(&[&tlv(6, SERVER_AUTH), &tlv(6, CODE_SIGNING)]);
            public().replace(EXTENDED_KEY_USAGE, false, &purposes)
        }),
        ("it is for servers, and at most for clients too", || public().remove(EXTENDED_KEY_USAGE)),
        (USAGE, || public().replace(KEY_USAGE, true, &[3, 2, 6, 0xc0])),
        (USAGE, || public().replace(KEY_USAGE, true, &[3, 2, 3, 8])),
        ("its names are DNS names and addresses", || named(0x81, b"a@web.test")),
        ("its names are DNS names and addresses", || named(0x86, b"https://web.test/")),
        ("two hyphens after two characters mean an A-label", || named(DNS, b"ab--c.web.test")),
        (COMMON, || Parts { subject: name(&[&attribute(COMMON_NAME, 0x0c, b"other.test")]), ..public() }),
        (COMMON, || {
            let web = attribute(COMMON_NAME, 0x0c, b"web.test");
            Parts { subject: name(&[&web, &web]), ..public() }
        }),
        (KEY, || keyed(ed25519())),
        (KEY, || keyed(rsa_of(&[&[1; 1][..], &[0xc5; 256]].concat(), &[1, 0, 1]))),
    ];

    #[test]
    fn each_rule_is_broken_by_octets_that_break_no_other() {
        check(RULES, CASES);
    }

    #[test]
    fn certificates_of_the_web_break_no_rule() {
        pass(&[
            public().append(SCT_LIST, false, &[4, 2, 0, 0]),
            living(1_773_532_799, 398 * DAY_S),
            living(1_773_532_800, 200 * DAY_S),
            living(1_805_068_800, 100 * DAY_S),
            living(1_868_227_200, 47 * DAY_S),
            named(DNS, b"XN--mnchen-3ya.test"),
            Parts {
                subject: name(&[&attribute(COMMON_NAME, 0x0c, b"2001:db8::1")]),
                ..named(IP, &[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
            },
            keyed(rsa_of(&[0xc5; 256], &[1, 0, 1])).replace(KEY_USAGE, true, &[3, 2, 5, 0xa0]),
        ]);
    }

    #[test]
    fn who_claims_nothing_is_not_held_to_it() {
        let years = Parts { not_after: UnixSeconds(2_500_000_000).to_time_der().unwrap(), ..client() };
        pass(&[years]);
    }
}
