use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::certificate::Extensions;
use ca_x509::crl::RevocationReason;
use ca_x509::key::PublicKey;
use ca_x509::name::DistinguishedName;

use super::*;
use crate::ids::{BootId, LogIndex, NodeId, RequestId};
use crate::register::{Change, MemoryRegister, Revocation, StatusChange, StatusEvent};

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
const DAY_S: u64 = 24 * 3600;

fn ca(name: &str) -> CaId {
    name.parse().unwrap()
}

fn serial(octet: u8) -> SerialNumber {
    SerialNumber::from_random([octet; 16])
}

/// Ten certificates under `issuing`, of which each third is revoked and the last two are over; one under `root`; one
/// open and one abandoned intent.
fn register() -> MemoryRegister {
    let mut register = MemoryRegister::default();
    for octet in 1..=10_u8 {
        let days = if octet > 8 { 0 } else { u64::from(octet) * 10 };
        let recorded =
            CertificateState::Recorded { signature: vec![1], index: LogIndex(1), at: UnixMillis(0) };
        register.write(vec![row("issuing", octet, days, recorded)]);
        if octet.is_multiple_of(3) {
            register.write(vec![revoked(
                "issuing",
                octet,
                StatusChange::Revoked(RevocationReason::Superseded),
            )]);
        }
    }
    let recorded = CertificateState::Recorded { signature: vec![1], index: LogIndex(1), at: UnixMillis(0) };
    register.write(vec![row("root", 20, 3650, recorded)]);
    register.write(vec![row("issuing", 30, 10, CertificateState::Open)]);
    register.write(vec![
        row("issuing", 31, 10, CertificateState::Abandoned { index: LogIndex(1) }),
        revoked("issuing", 31, StatusChange::Abandoned),
    ]);
    register
}

fn row(of: &str, octet: u8, days: u64, state: CertificateState) -> Change {
    let name = alloc::format!("h{octet}.team{}.test", octet % 2);
    let public_key = PublicKey::from_ed25519([octet; 32]);
    // A second short: on day 0 it is over.
    let not_after = UnixSeconds(NOW.seconds().saturating_add(days.saturating_mul(DAY_S)).0.saturating_sub(1));
    let tbs = TbsCertificate {
        serial: serial(octet),
        signature_algorithm: SignatureAlgorithm::Ed25519,
        issuer: DistinguishedName::new().common_name("issuer").build().unwrap(),
        not_before: UnixSeconds(1),
        not_after,
        subject: DistinguishedName::new().organization("Acme").common_name(&name).build().unwrap(),
        public_key,
        extensions: Extensions {
            subject_alt_names: vec![GeneralName::Dns(name), GeneralName::Ip([10, 0, 0, octet].into())],
            ..Extensions::default()
        },
    };
    let owner = RequestId { node: NodeId(1), boot: BootId(1), counter: 1 };
    let entry = CertificateEntry {
        tbs: tbs.encode().unwrap(),
        profile: if of == "root" { "sub-ca" } else { "tls-server" }.parse().unwrap(),
        profile_version: 1,
        requester: Identity::Client(Digest([octet % 2; 32])),
        owner,
        intent_index: LogIndex(1),
        not_after,
        certifies: None,
        responder: None,
        state,
    };
    Change { key: Key::Certificate(ca(of), serial(octet)), value: Some(Value::Certificate(Arc::new(entry))) }
}

fn revoked(of: &str, octet: u8, change: StatusChange) -> Change {
    let event =
        StatusEvent { index: LogIndex(2), since: UnixSeconds(1), change, by: Identity::Node(NodeId(1)) };
    let revocation = Revocation { not_after: UnixSeconds(2), events: vec![event] };
    Change { key: Key::Revocation(ca(of), serial(octet)), value: Some(Value::Revocation(revocation)) }
}

/// The octets of the serials that are found.
fn found(filter: &str, (limit, rows_max): (usize, usize)) -> Vec<u8> {
    let (register, filter) = (register(), filter.parse::<Filter>().unwrap());
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = search(&register, &filter, NOW, after.as_ref(), (limit, rows_max)).unwrap();
        assert!(page.found.len() <= limit);
        all.extend(page.found.iter().map(|found| *found.serial.as_be_bytes().last().unwrap()));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

#[test]
fn each_term_finds_what_it_says() {
    let key = Digest::of(PublicKey::from_ed25519([4; 32]).spki_der());
    let requester = Identity::Client(Digest([0; 32]));
    let serial = serial(5);
    for (filter, expected) in [
        ("", vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 31, 20]),
        ("ca=root", vec![20]),
        ("ca=nobody", vec![]),
        ("profile=tls-server ca=issuing status=good", vec![1, 2, 4, 5, 7, 8]),
        ("status=revoked", vec![3, 6, 9]),
        ("status=expired", vec![9, 10]),
        ("status=abandoned", vec![31]),
        (&alloc::format!("requester={requester}"), vec![2, 4, 6, 8, 10, 20]),
        (&alloc::format!("serial={serial}"), vec![5]),
        (&alloc::format!("key={key}"), vec![4]),
        ("name=H7.team1.test", vec![7]),
        ("name=10.0.0.8", vec![8]),
        ("name=*.team0.test status=good", vec![2, 4, 8, 20]),
        ("name=team0.test", vec![]),
        ("subject~acme subject~h3.", vec![3]),
        ("expires<2027-02-10T00:00:00Z status=good", vec![1, 2]),
        ("expires>2027-03-30 status=good ca=issuing", vec![8]),
    ] {
        assert_eq!(found(filter, (100, 1000)), expected, "{filter}");
    }
}

#[test]
fn pages_of_any_size_bring_the_same() {
    let all = found("profile=tls-server", (100, 1000));
    for limit in 1..6 {
        for rows_max in 1..6 {
            assert_eq!(found("profile=tls-server", (limit, rows_max)), all, "{limit} of {rows_max}");
        }
    }
}

/// Mechanism: `ca_core::search::Filter::find` passes over open intents.
#[test]
fn i3_an_open_intent_is_not_shown() {
    assert!(!found("", (100, 1000)).contains(&30));
}

#[test]
fn what_is_no_filter_is_said() {
    for (text, part) in [
        ("web.test", "is none of"),
        ("colour=red", "is none of"),
        ("ca~issuing", "is none of"),
        ("name=", "is none of"),
        ("ca=Not A Name", "is not a name"),
        ("status=fine", "good, revoked, expired or abandoned"),
        ("serial=xyz", "serial"),
        ("key=00", "64 hexadecimal digits"),
        ("requester=me", "not an identity"),
        ("expires<tomorrow", "a time like"),
    ] {
        let error = text.parse::<Filter>().unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    let many = alloc::vec!["ca=root"; TERMS_MAX + 1].join(" ");
    assert_eq!(many.parse::<Filter>(), Err(FilterError::TooMany { got: TERMS_MAX + 1 }));
}
