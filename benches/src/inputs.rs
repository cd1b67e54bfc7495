//! What refused input costs a node: the worst of each class, at the doors of a real cluster, one request at a time.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use scripts::cluster::{Cluster, Node};

use crate::connection::{Asked, Connection, tls};
use crate::limits::{INPUT_REPEATS, INPUT_WARM_UPS};
use crate::machine::{cpu_ns, memory_kib, reset_memory_peak};
use crate::row::{Row, millis, percentile, rounded};
use crate::write::{ECDSA, bits, common_name, extension, int, null, octets, oid, seq, set, tlv};

/// One input and the status that refuses it.
#[derive(Debug)]
pub struct Input {
    class: &'static str,
    door: Door,
    asked: Asked,
    status: StatusCode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Api,
    Status,
}

/// Measures every class at the first node.
///
/// # Errors
/// The cluster's files, or an answer with another status than the class has.
pub async fn inputs(cluster: &Cluster) -> Result<Vec<Row>> {
    let tls = tls(cluster)?;
    let node = cluster.nodes.first().context("a node")?;
    let (mut api, mut status) = (Connection::api(node, &tls)?, Connection::status(node)?);
    let mut rows = Vec::new();
    for input in worst()? {
        let connection = match input.door {
            Door::Api => &mut api,
            Door::Status => &mut status,
        };
        rows.push(cost(node, connection, &input).await.with_context(|| input.class)?);
    }
    Ok(rows)
}

async fn cost(node: &Node, connection: &mut Connection, input: &Input) -> Result<Row> {
    reset_memory_peak(node.pid)?;
    let memory_kib_before = memory_kib(node.pid, "VmRSS")?;
    for _ in 0..INPUT_WARM_UPS {
        refused(connection, input).await?;
    }
    let cpu_before = cpu_ns(node.pid)?;
    let mut times = Vec::new();
    for _ in 0..INPUT_REPEATS {
        let begun = Instant::now();
        refused(connection, input).await?;
        times.push(begun.elapsed());
    }
    let cpu = cpu_ns(node.pid)?.saturating_sub(cpu_before);
    let extra_kib = memory_kib(node.pid, "VmHWM")?.saturating_sub(memory_kib_before);
    let repeats = u32::try_from(INPUT_REPEATS)?;
    Ok(Row::Input {
        class: input.class,
        octets: input.asked.body.len(),
        status: input.status.as_u16(),
        p50_ms: millis(percentile(&mut times, 50)),
        max_ms: millis(percentile(&mut times, 100)),
        cpu_ms: rounded(f64::from(u32::try_from(cpu / 1000)?) / 1000.0 / f64::from(repeats)),
        extra_mb: rounded(f64::from(extra_kib) * 1024.0 / 1e6),
    })
}

async fn refused(connection: &mut Connection, input: &Input) -> Result<()> {
    let (status, body) = connection.ask(&input.asked).await?;
    let text = String::from_utf8_lossy(&body);
    ensure!(status == input.status, "{status} where {} was expected: {text}", input.status);
    Ok(())
}

const CERTIFICATES: &str = "/api/v1/certificates";
const GRANT: &str = "/api/v1/grants/0101010101010101010101010101010101010101010101010101010101010101";

/// The worst input of each class that somebody thought of.
fn worst() -> Result<Vec<Input>> {
    let (bad, unfit, large) =
        (StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY, StatusCode::PAYLOAD_TOO_LARGE);
    let api = |class, status, path: &str, method, body: Vec<u8>| Input {
        class,
        door: Door::Api,
        asked: Asked::new(method, path.to_owned(), body.into()),
        status,
    };
    let post = |class, status, body: Vec<u8>| api(class, status, CERTIFICATES, Method::POST, body);
    let put =
        |class, status, path: &str, body: String| api(class, status, path, Method::PUT, body.into_bytes());
    let csr = |class, status, der: &[u8]| post(class, status, issue(&base64(der)));
    let ocsp = |class, status, body: Vec<u8>| Input {
        door: Door::Status,
        ..api(class, status, "/ocsp", Method::POST, body)
    };
    let many = |one: &str, count: usize| vec![one; count].join(",");
    Ok(vec![
        post("json-depth", bad, vec![b'['; 60_000]),
        post("json-escapes", bad, format!("{{\"{}\":1}}", "\\u0041".repeat(10_000)).into_bytes()),
        post("json-values", bad, format!("{{\"x\":[{}]}}", many("1", 30_000)).into_bytes()),
        post(
            "json-names",
            unfit,
            format!(
                "{{\"profile\":\"tls-server\",\"csr\":\"{}\",\"names\":[{}]}}",
                base64(&request(&[], &[])?),
                many("\"a.test\"", 4_000)
            )
            .into_bytes(),
        ),
        post("body-too-large", large, vec![b' '; 66_000]),
        csr("csr-garbage", bad, &[0xff; 45_000]),
        csr("csr-nested-10000", bad, &(0..10_000).fold(vec![], |inner, _| seq(&[&inner]))),
        csr("csr-attributes", unfit, &request(&[], &[&seq(&[&[6, 1, 42], &[0x31, 0]]).repeat(6_000)])?),
        csr("csr-100-names", unfit, &request(&[], &[&wanted(&names())])?),
        csr("csr-names-not-der", bad, &request(&[], &[&wanted(&[0x82, 1, b'a'].repeat(10_000))])?),
        csr("csr-subject", bad, &request(&set(&[&common_name("a")]).repeat(300), &[])?),
        csr("csr-rsa-8192", unfit, &rsa(8192)),
        csr("csr-rsa-65537", bad, &rsa(65_537)),
        post("csr-armour", bad, issue(&"-----BEGIN CERTIFICATE REQUEST-----\\n".repeat(1_500))),
        put("profile-keys", bad, "/api/v1/profiles/x", profile(&many("\"x\"", 200_000))),
        put("profile-faults", unfit, "/api/v1/profiles/x", profile(&many("\"x\"", 3_500))),
        put(
            "grant-domains",
            bad,
            GRANT,
            format!("{{\"roles\":[\"ra\"],\"dns\":[{}]}}", many("\"_\"", 200_000)),
        ),
        api(
            "filter",
            bad,
            "/api/v1/revocations",
            Method::POST,
            format!("{{\"filter\":\"{}\"}}", "ca=a ".repeat(200_000)).into_bytes(),
        ),
        ocsp("ocsp-garbage", StatusCode::OK, vec![0x30; 4096]),
        ocsp("ocsp-10-foreign-ids", StatusCode::OK, ids(10)),
        ocsp("ocsp-too-large", large, vec![0x30; 5_000]),
        Input {
            class: "ocsp-get",
            door: Door::Status,
            asked: Asked::new(Method::GET, format!("/ocsp/{}", "%252B".repeat(400)), Bytes::new()),
            status: StatusCode::OK,
        },
    ])
}

fn issue(csr: &str) -> Vec<u8> {
    format!("{{\"profile\":\"tls-server\",\"csr\":\"{csr}\"}}").into_bytes()
}

fn profile(keys: &str) -> String {
    format!(
        "{{\"name\":\"x\",\"issuers\":[\"issuing\"],\"keys\":[{keys}],\"validity\":{{\"default\":\"1d\",\"max\":\"1d\"}},\
         \"usage\":{{\"key\":[]}}}}"
    )
}

/// A request with this content of its subject, truly signed.
fn request(subject: &[u8], attributes: &[&[u8]]) -> Result<Vec<u8>> {
    let key = KeyPair::generate()?;
    let spki = key.subject_public_key_info();
    let info = seq(&[&int(&[0]), &seq(&[subject]), &spki, &tlv(0xa0, attributes)]);
    let signature = key.sign(&info)?;
    Ok(seq(&[&info, &ECDSA.to_der(), &bits(&signature)]))
}

/// An extensionRequest for these names.
fn wanted(names: &[u8]) -> Vec<u8> {
    let extension = extension("2.5.29.17", &seq(&[names]));
    seq(&[&oid("1.2.840.113549.1.9.14"), &set(&[&seq(&[&extension])])])
}

/// A hundred long international names, of which the last is none.
fn names() -> Vec<u8> {
    let label = "xn--mnchen-3ya.xn--fa-hia.";
    let good = tlv(0x82, &[format!("{}test", label.repeat(9)).as_bytes()]);
    [good.repeat(99), tlv(0x82, &[b"a_b.test"])].concat()
}

/// A request with an RSA key of so many bits, signed by nobody.
fn rsa(bits_count: usize) -> Vec<u8> {
    let mut modulus = vec![0xc5; bits_count.div_ceil(8)];
    if let Some(first) = modulus.first_mut()
        && !bits_count.is_multiple_of(8)
    {
        *first = 1;
    }
    let key = seq(&[&int(&[&[0], modulus.as_slice()].concat()), &int(&[1, 0, 1])]);
    let spki = seq(&[&seq(&[&oid("1.2.840.113549.1.1.1"), &null()]), &bits(&key)]);
    let info = seq(&[&int(&[0]), &seq(&[]), &spki, &tlv(0xa0, &[&wanted(&tlv(0x82, &[b"a.test"]))])]);
    let algorithm = seq(&[&oid("1.2.840.113549.1.1.11"), &null()]);
    seq(&[&info, &algorithm, &bits(&vec![0x42; modulus.len()])])
}

/// An OCSP request for so many certificates of somebody else.
fn ids(count: usize) -> Vec<u8> {
    let hash = seq(&[&oid("2.16.840.1.101.3.4.2.1"), &null()]);
    let id = seq(&[&hash, &octets(&[1; 32]), &octets(&[2; 32]), &int(&[5; 20])]);
    seq(&[&seq(&[&seq(&[&seq(&[&id]).repeat(count)])])])
}

fn base64(der: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(der)
}
