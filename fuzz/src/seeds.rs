//! What each target begins with: real objects, made as the tests of the readers make them.

use std::path::Path;

use crate::write::{
    self, ECDSA, attribute, bits, common_name, extension, int, null, octets, oid, p256, seq, set, signed,
    tlv, utf8,
};

/// Writes the seeds of a target into the directory that `FUZZ_CORPUS` names; without it, none.
pub fn plant(target: &str) {
    let Some(directory) = std::env::var_os("FUZZ_CORPUS") else { return };
    let directory = Path::new(&directory).join(target);
    std::fs::create_dir_all(&directory).expect("a directory for the corpus");
    for (number, (_, octets)) in all().iter().enumerate().filter(|(_, (of, _))| *of == target) {
        std::fs::write(directory.join(format!("seed-{number}")), octets).expect("room for a seed");
    }
}

fn all() -> Seeds {
    let mut seeds = Vec::new();
    requests(&mut seeds);
    certificates(&mut seeds);
    ocsp(&mut seeds);
    documents(&mut seeds);
    #[cfg(feature = "raft")]
    log::seeds(&mut seeds);
    seeds
}

type Seeds = Vec<(&'static str, Vec<u8>)>;

fn rsa() -> Vec<u8> {
    let key = seq(&[&int(&[&[0][..], &[0xc5; 256]].concat()), &int(&[1, 0, 1])]);
    seq(&[&seq(&[&oid("1.2.840.113549.1.1.1"), &null()]), &bits(&key)])
}

fn requests(seeds: &mut Seeds) {
    let ed25519 = seq(&[&seq(&[&oid("1.3.101.112")]), &bits(&[9; 32])]);
    let name = |tag, text: &[u8]| tlv(tag, &[text]);
    let names = seq(&[
        &name(0x82, b"*.xn--mnchen-3ya.example"),
        &name(0x87, &[192, 0, 2, 1]),
        &name(0x81, b"a@b.example"),
        &name(0x86, b"spiffe://a.example/b"),
        &tlv(0xa4, &[&common_name("a")]),
        &tlv(0xa0, &[&oid("1.3.6.1.4.1.311.20.2.3"), &tlv(0xa0, &[&utf8("a@b")])]),
    ]);
    let wanted = seq(&[&oid("1.2.840.113549.1.9.14"), &set(&[&seq(&[&extension("2.5.29.17", &names)])])]);
    let password = seq(&[&oid("1.2.840.113549.1.9.7"), &set(&[&utf8("secret")])]);
    for key in [p256(), rsa(), ed25519] {
        let info = seq(&[&int(&[0]), &common_name("a.example"), &key, &tlv(0xa0, &[&wanted, &password])]);
        let der = signed(&info, ECDSA);
        seeds.push(("text", ca_x509::pem::encode("CERTIFICATE REQUEST", &der).into_bytes()));
        seeds.push(("request", ca_x509::pem::encode("CERTIFICATE REQUEST", &der).into_bytes()));
        seeds.push(("request", der));
        seeds.push(("request", key));
    }
    seeds.push((
        "request",
        seq(&[&attribute("2.5.4.6", &write::printable("CH")), &attribute("2.5.4.3", &utf8("Zürich"))]),
    ));
}

fn certificates(seeds: &mut Seeds) {
    let time = |text: &[u8]| tlv(0x17, &[text]);
    let url = tlv(0x86, &[b"http://a.example/"]);
    let point = seq(&[&tlv(0xa0, &[&tlv(0xa0, &[&url])])]);
    let critical = |kind: &str, value: &[u8]| seq(&[&oid(kind), &[1, 1, 0xff], &octets(value)]);
    let extensions = [
        extension("2.5.29.14", &octets(&[1; 20])),
        extension("2.5.29.35", &seq(&[&tlv(0x80, &[&[2; 20]])])),
        critical("2.5.29.19", &seq(&[&[1, 1, 0xff], &int(&[0])])),
        critical("2.5.29.30", &seq(&[&tlv(0xa0, &[&seq(&[&tlv(0x82, &[b"a.example"])])])])),
        critical("2.5.29.15", &[3, 2, 1, 6]),
        extension("2.5.29.37", &seq(&[&oid("1.3.6.1.5.5.7.3.1")])),
        extension("2.5.29.32", &seq(&[&seq(&[&oid("1.2.3")])])),
        extension("2.5.29.17", &seq(&[&tlv(0x82, &[b"a.example"])])),
        extension("2.5.29.31", &seq(&[&point])),
        extension("1.3.6.1.5.5.7.1.1", &seq(&[&seq(&[&oid("1.3.6.1.5.5.7.48.1"), &url])])),
    ];
    for key in [p256(), rsa()] {
        let tbs = seq(&[
            &tlv(0xa0, &[&int(&[2])]),
            &int(&[5]),
            &ECDSA.to_der(),
            &common_name("issuer"),
            &seq(&[&time(b"261122000000Z"), &tlv(0x18, &[b"20511122000000Z"])]),
            &common_name("a"),
            &key,
            &tlv(0xa3, &[&seq(&[&extensions.concat()])]),
        ]);
        seeds.push(("certificate", ca_x509::pem::encode("CERTIFICATE", &signed(&tbs, ECDSA)).into_bytes()));
        seeds.push(("certificate", signed(&tbs, ECDSA)));
        seeds.push(("certificate", tbs));
    }
    let reason = extension("2.5.29.21", &[0x0a, 1, 1]);
    let entry = seq(&[&int(&[1]), &time(b"261122000000Z"), &seq(&[&reason])]);
    let scope = critical("2.5.29.28", &seq(&[&tlv(0xa0, &[&tlv(0xa0, &[&url])])]));
    let of_list =
        [extension("2.5.29.35", &seq(&[&tlv(0x80, &[&[3; 20]])])), extension("2.5.29.20", &int(&[7])), scope];
    let list = seq(&[
        &int(&[1]),
        &ECDSA.to_der(),
        &common_name("issuer"),
        &time(b"261122000000Z"),
        &time(b"261129000000Z"),
        &seq(&[&entry]),
        &tlv(0xa0, &[&seq(&[&of_list.concat()])]),
    ]);
    seeds.push(("list", signed(&list, ECDSA)));
}

fn ocsp(seeds: &mut Seeds) {
    let sha1 = seq(&[&oid("1.3.14.3.2.26"), &null()]);
    let id = seq(&[&sha1, &octets(&[1; 20]), &octets(&[2; 20]), &int(&[5])]);
    let nonce = tlv(0xa2, &[&seq(&[&extension("1.3.6.1.5.5.7.48.1.2", &octets(&[7; 32]))])]);
    seeds.push(("ocsp", seq(&[&seq(&[&seq(&[&seq(&[&id]), &seq(&[&id])]), &nonce])])));
    let time = tlv(0x18, &[b"20261122000000Z"]);
    let revoked = tlv(0xa1, &[&time, &tlv(0xa0, &[&[0x0a, 1, 1]])]);
    for status in [tlv(0x80, &[]), revoked, tlv(0x82, &[])] {
        let single = seq(&[&id, &status, &time, &tlv(0xa0, &[&time])]);
        let data = seq(&[&tlv(0xa2, &[&octets(&[3; 20])]), &time, &seq(&[&single])]);
        let algorithm = ca_x509::algorithm::SignatureAlgorithm::Ed25519;
        seeds.push(("ocsp", ca_x509::ocsp::assemble_response(&data, algorithm, b"signature", &[])));
    }
    seeds.push(("ocsp", seq(&[&[0x0a, 1, 3]])));
}

fn documents(seeds: &mut Seeds) {
    for text in [
        r#"{"profile":"tls-server","ca":"issuing","csr":"MAA=","names":["a.test","10.0.0.1"],"ttl":"90d"}"#,
        r#"{"reason":"keyCompromise","ca":"issuing"}"#,
        r#"{"filter":"profile=tls-server expires<2027-01-31","reason":"superseded","dry_run":true}"#,
        r#"{"roles":["ra"],"cas":["issuing"],"profiles":["web"],"dns":["a.test"],"label":"x"}"#,
    ] {
        seeds.push(("json", text.as_bytes().to_vec()));
    }
    for profile in ca_core::profile::built_in(&ca_core::profile::DnsRule::Any).expect("literals") {
        let document = ca_http::wire::ProfileDocument::from(&profile);
        seeds.push(("json", serde_json::to_vec(&document).expect("a document")));
    }
    for text in [
        "profile=tls-server name=*.example.com expires<2027-01-01T00:00:00Z subject~corp status=good ca=issuing",
        "requester=spki:0101010101010101010101010101010101010101010101010101010101010101",
        "90d",
        "0a:1b:2c",
        "münchen.example",
        "*.xn--mnchen-3ya.example",
        "a.b+c@b.example",
        "https://user@a.example:8443/b?c=d#e",
    ] {
        seeds.push(("text", text.as_bytes().to_vec()));
    }
}

#[cfg(feature = "raft")]
mod log {
    use ca_core::command::{Command, Envelope};
    use ca_core::ids::{BootId, ClusterId, Digest, NodeId, RequestId, UnixMillis};
    use ca_core::register::{Key, KeyUse, PublicUrls, Value};
    use ca_core::roles::{Grant, Identity, Role, Scope};
    use ca_core::shards::{ListId, ListKind};
    use ca_x509::crl::RevocationReason;
    use ca_x509::key::{KeyIdentifier, PublicKey};
    use ca_x509::serial::SerialNumber;

    use super::Seeds;

    pub(super) fn seeds(seeds: &mut Seeds) {
        let ca: ca_core::ids::CaId = "issuing".parse().expect("a name");
        let serial = SerialNumber::from_random([7; 16]);
        let requester = Identity::Client(Digest([3; 32]));
        let mut commands = vec![
            Command::InitCluster {
                id: ClusterId([1; 16]),
                name: "corp".into(),
                urls: PublicUrls::all_at("http://pki.test"),
            },
            Command::SetGrant {
                grant: Grant {
                    key: Digest([2; 32]),
                    roles: Role::ALL.to_vec(),
                    scope: Scope::default(),
                    rate: None,
                    label: "x".into(),
                },
                requester,
            },
            Command::Record { ca: ca.clone(), serial, signature: vec![1; 70] },
            Command::Abandon { ca: ca.clone(), serial },
            Command::Revoke {
                ca: ca.clone(),
                serial,
                reason: RevocationReason::KeyCompromise,
                requester,
            },
            Command::CutCrl { list: ListId::whole(&ca), kind: ListKind::Complete },
            Command::MintJoinToken { secret: Digest([4; 32]), expires_at: UnixMillis(9), requester },
            Command::ProveKey { key: KeyIdentifier([5; 20]), signature: vec![1; 64] },
            Command::Tick { digest: None },
        ];
        let built_in = ca_core::profile::built_in(&ca_core::profile::DnsRule::Any).expect("literals");
        commands.extend(
            built_in
                .into_iter()
                .map(|profile| Command::DefineProfile { profile: Box::new(profile), requester }),
        );
        for command in commands {
            let id = RequestId { node: NodeId(1), boot: BootId(2), counter: 3 };
            let octets = ca_raft::fuzz::encode(&Envelope { id, expires_at: UnixMillis(4), command });
            // As a message of a peer: ForwardRequest { envelopes = 2 }.
            let length = u8::try_from(octets.len().min(127)).expect("at most 127");
            seeds.push(("peer", [&[4, 0x12, length], &octets[..usize::from(length)]].concat()));
            seeds.push(("log", octets));
        }
        let key = Digest::of(PublicKey::from_ed25519([6; 32]).spki_der());
        for (key, value) in [
            (Key::Time, Value::Time(UnixMillis(7))),
            (Key::ClusterKey(key), Value::ClusterKey(KeyUse::Authority(ca.clone()))),
            (Key::Responder(ca, NodeId(1)), Value::Responder(serial)),
        ] {
            seeds.push(("log", ca_raft::fuzz::row(&key, &value)));
        }
        // VoteRequest, AppendRequest with a blank entry, TransferRequest, StoredMembership.
        for octets in [
            &[0, 0x12, 4, 8, 1, 0x10, 2][..],
            &[1, 0x12, 4, 8, 1, 0x10, 2, 0x22, 8, 0x0a, 4, 8, 1, 0x10, 1, 0x12, 0],
            &[3, 0x12, 4, 8, 1, 0x10, 2, 0x18, 2],
            &[5, 0x0a, 4, 8, 1, 0x10, 1, 0x12, 9, 0x0a, 2, 0x0a, 0, 0x12, 3, 8, 1, 0x12],
        ] {
            seeds.push(("peer", octets.to_vec()));
        }
    }
}
