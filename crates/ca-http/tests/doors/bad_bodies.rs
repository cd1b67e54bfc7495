//! Bodies that are no JSON, or not this JSON: the same verdicts at every door that reads one. Limits come first.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use ca_core::roles::Role;
use ca_http::PeerCertificate;

use crate::world::World;

/// Every route that reads JSON, and one whose body may be left out.
const ROUTES: [(&str, &str, Empty); 6] = [
    ("POST", "/api/v1/certificates", Empty::Refused),
    ("POST", "/api/v1/certificates/0123/revoke", Empty::Taken),
    ("POST", "/api/v1/revocations", Empty::Refused),
    ("PUT", "/api/v1/profiles/web", Empty::Refused),
    (
        "PUT",
        "/api/v1/grants/0000000000000000000000000000000000000000000000000000000000000000",
        Empty::Refused,
    ),
    ("POST", "/api/v1/join", Empty::Refused),
];

/// Whether a body may be empty.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Empty {
    Taken,
    Refused,
}

const ALL_ROLES: [Role; 4] = [Role::Requester, Role::Officer, Role::Operator, Role::Admin];

fn nested(depth: usize) -> Vec<u8> {
    [b"[".repeat(depth), b"]".repeat(depth)].concat()
}

/// A body and words of the refusal.
fn rows() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = |body: &str| body.as_bytes().to_vec();
    let long = |octet: &[u8], count| octet.repeat(count);
    vec![
        ("one bracket", text("{"), "EOF"),
        ("a field that no request has", text(r#"{"nosuch":1}"#), "unknown field `nosuch`"),
        ("a field of another case", text(r#"{"Profile":"a","CSR":"b"}"#), "unknown field"),
        ("a prototype", text(r#"{"__proto__":{"profile":"a"}}"#), "unknown field"),
        ("depth 33", nested(33), "deeper than 32"),
        ("depth 10,000", nested(10_000), "deeper than 32"),
        ("depth 10,000 of objects", long(br#"{"a":"#, 10_000), "deeper than 32"),
        ("depth 33 that is never closed", long(b"[", 33), "deeper than 32"),
        ("depth 32", nested(32), "it is no object"),
        (
            "4,096 commas",
            [b"{\"nosuch\":[1".to_vec(), long(b",1", 4096), b"]}".to_vec()].concat(),
            "unknown field",
        ),
        (
            "4,097 commas",
            [b"{\"nosuch\":[1".to_vec(), long(b",1", 4097), b"]}".to_vec()].concat(),
            "4096 commas",
        ),
        ("30,000 commas", long(b",", 30_000), "4096 commas"),
        ("a list", text("[]"), "it is no object"),
        ("a list of values in their order", text(r#"["tls-server",null,"csr"]"#), "it is no object"),
        ("null", text("null"), "it is no object"),
        ("true", text("true"), "it is no object"),
        ("a number", text("1"), "it is no object"),
        ("a text", text(r#""profile""#), "it is no object"),
        ("a number of 60,000 digits", long(b"7", 60_000), "it is no object"),
        ("1e999999999", text("1e999999999"), "it is no object"),
        ("NaN", text("NaN"), "it is no object"),
        (
            "a huge number in a field",
            [b"{\"nosuch\":".to_vec(), long(b"7", 60_000), b"}".to_vec()].concat(),
            "unknown field",
        ),
        (
            "a text of 60,000 letters",
            [b"\"".to_vec(), long(b"x", 60_000), b"\"".to_vec()].concat(),
            "it is no object",
        ),
        (
            "a name of 60,000 letters",
            [b"{\"".to_vec(), long(b"x", 60_000), b"\":1}".to_vec()].concat(),
            "unknown field",
        ),
        ("UTF-8 that is none, in a name", b"{\"\xff\xfe\":1}".to_vec(), "unicode"),
        ("an overlong slash", b"{\"\xc0\xaf\":1}".to_vec(), "unicode"),
        ("half a surrogate pair", text(r#"{"\ud800":1}"#), "hex escape"),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec(), "it is no object"),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec(), "it is no object"),
        ("a NUL before it", b"\0{}".to_vec(), "it is no object"),
        ("a control character in a name", b"{\"a\x01\":1}".to_vec(), "control character"),
        ("a comma too many", text(r#"{"nosuch":1,}"#), "unknown field"),
        ("a name without quotes", text("{nosuch:1}"), "key must be a string"),
        ("single quotes", text("{'nosuch':1}"), "key must be a string"),
        ("a comment", text("/* */{}"), "it is no object"),
        ("a form, as curl claims by default", text("profile=a&csr=b"), "it is no object"),
        ("XML", text("<profile>a</profile>"), "it is no object"),
        ("DER", vec![0x30, 0x82, 1, 0], "it is no object"),
        ("a PEM block", text("-----BEGIN CERTIFICATE REQUEST-----"), "it is no object"),
    ]
}

fn ask(method: &str, path: &str, body: Vec<u8>) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn what_is_no_request_is_refused_at_every_door() {
    let world = World::new().await;
    let caller = world.caller(&ALL_ROLES).await;
    let mut faults = Vec::new();
    for (method, path, empty) in ROUTES {
        let none = [("nothing", vec![], "EOF"), ("nothing but blanks", b" \n\t ".to_vec(), "EOF")];
        let none = none.into_iter().filter(|_| empty == Empty::Refused);
        for (what, body, words) in rows().into_iter().chain(none) {
            let answer = world.api(Some(&caller), ask(method, path, body)).await;
            let told = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
            let is_refused = (answer.status, answer.slug().as_str()) == (400, "bad-json");
            if !is_refused || !told.contains(words) || told.len() > 100_000 {
                faults.push(format!(
                    "{method} {path}, {what}: {} {}",
                    answer.status,
                    &told[..told.len().min(200)]
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// A caller gets no megabyte back for a megabyte.
///
/// Mechanism: `shortened` in `ca-http/src/problem.rs`.
#[tokio::test]
async fn a_refusal_is_short_whatever_was_sent() {
    let world = World::new().await;
    let caller = world.caller(&ALL_ROLES).await;
    for (method, path, _) in ROUTES {
        for (what, body, _) in rows() {
            let answer = world.api(Some(&caller), ask(method, path, body)).await;
            assert!(answer.body.len() < 4096, "{method} {path}, {what}: {} octets", answer.body.len());
        }
    }
}

#[tokio::test]
async fn trailing_octets_and_repeated_fields_are_refused() {
    let world = World::new().await;
    let caller = world.caller(&ALL_ROLES).await;
    let issue = r#"{"profile":"tls-server","csr":"x"}"#;
    let revoke = r#"{"reason":"superseded"}"#;
    for (path, body, words) in [
        (ROUTES[0].1, format!("{issue}x"), "trailing characters"),
        (ROUTES[0].1, format!("{issue}{issue}"), "trailing characters"),
        (ROUTES[0].1, format!("{issue}\0"), "trailing characters"),
        (ROUTES[0].1, issue.replace("csr", "profile"), "duplicate field `profile`"),
        (ROUTES[0].1, issue.replace("csr", "pro\\u0066ile"), "duplicate field `profile`"),
        (ROUTES[0].1, issue.replace("\"x\"", "1"), "invalid type: integer `1`, expected a string"),
        (ROUTES[0].1, issue.replace("\"x\"", "null"), "invalid type: null"),
        (ROUTES[0].1, issue.replace("\"x\"", "\"x\",\"names\":\"a.test\""), "expected a sequence"),
        (ROUTES[0].1, issue.replace("\"x\"", "\"x\",\"names\":[1]"), "expected a string"),
        (ROUTES[0].1, issue.replace("\"x\"", "\"x\",\"names\":{\"0\":\"a\"}"), "expected a sequence"),
        (ROUTES[0].1, issue.replace("\"x\"", "\"x\",\"ttl\":3600"), "expected a string"),
        (ROUTES[0].1, issue.replace("\"x\"", "\"x\",\"ca\":[\"issuing\"]"), "expected a string"),
        (ROUTES[1].1, format!("{revoke}{{}}"), "trailing characters"),
        (ROUTES[1].1, r#"{"reason":1}"#.to_owned(), "expected a string"),
        (
            ROUTES[1].1,
            r#"{"reason":"superseded","reason":"unspecified"}"#.to_owned(),
            "duplicate field `reason`",
        ),
    ] {
        let answer = world.api(Some(&caller), ask("POST", path, body.clone().into_bytes())).await;
        assert_eq!((answer.status, answer.slug().as_str()), (400, "bad-json"), "{body}");
        assert!(answer.text().replace('\\', "").contains(words), "{body}: {}", answer.text());
    }
}

/// A limit holds before anything is parsed: what is over it is too large, whatever it is.
///
/// Mechanism: the bound of `body::read`. With none there the verdict is `bad-json`.
#[tokio::test]
async fn limits_come_before_parsing() {
    let world = World::new().await;
    let caller = world.caller(&ALL_ROLES).await;
    for (method, path, _) in ROUTES {
        let small = path == "/api/v1/certificates" || path.ends_with("/join");
        let max = if small { 64 * 1024 } else { 1024 * 1024 };
        for (what, octet) in [("garbage", b"?"), ("an open bracket", b"["), ("NULs", b"\0")] {
            let answer = world.api(Some(&caller), ask(method, path, octet.repeat(max + 1))).await;
            assert_eq!((answer.status, answer.slug().as_str()), (413, "body-too-large"), "{path}: {what}");
            let answer = world.api(Some(&caller), ask(method, path, octet.repeat(max))).await;
            assert_eq!(
                (answer.status, answer.slug().as_str()),
                (400, "bad-json"),
                "{path}: {what}, at the limit"
            );
        }
    }
}

/// Whoever has no business here is told so before a single octet of the body is read.
#[tokio::test]
async fn strangers_are_refused_before_their_body_is_read() {
    let world = World::new().await;
    let stranger = world.stranger();
    for (method, path, _) in ROUTES.into_iter().filter(|(_, path, _)| !path.ends_with("/join")) {
        let answer = world.api(Some(&stranger), ask(method, path, vec![b'['; 2 * 1024 * 1024])).await;
        assert_eq!((answer.status, answer.slug().as_str()), (403, "forbidden"), "{path}");
        let answer = world.api(None, ask(method, path, vec![b'['; 2 * 1024 * 1024])).await;
        assert_eq!((answer.status, answer.slug().as_str()), (401, "no-client-certificate"), "{path}");
    }
}

/// Other methods than a path has, and paths that are nearly ones.
#[tokio::test]
async fn paths_and_methods_that_are_none() {
    let world = World::new().await;
    let caller = world.caller(&ALL_ROLES).await;
    for (method, path, status) in [
        (Method::DELETE, "/api/v1/certificates", 405),
        (Method::PUT, "/api/v1/certificates", 405),
        (Method::PATCH, "/api/v1/certificates/0123", 405),
        (Method::TRACE, "/api/v1/certificates", 405),
        (Method::GET, "/api/v1/certificates/", 404),
        (Method::GET, "/api/v1//certificates", 404),
        (Method::GET, "/api/v1/certificates/../certificates", 404),
        (Method::GET, "/api/v1/certificates/%2e%2e/certificates", 404),
        (Method::GET, "/API/V1/certificates", 404),
        (Method::GET, "/api/v1/certificates/0123%00", 400),
        (Method::GET, "/api/v1/certificates/%ff", 400),
        (Method::GET, "/api/v1/certificates/0123.exe", 400),
        (Method::GET, "/api/v1/certificates/g", 400),
        (Method::GET, "/api/v1/profiles/No%20Such", 400),
        (Method::GET, "/api/v1/profiles/%2e%2e%2fetc", 400),
        (Method::GET, "/api/v1/certificates?limit=-1", 400),
        (Method::GET, "/api/v1/certificates?limit=99999999999999999999", 400),
        (Method::GET, "/api/v1/certificates?limit=0", 400),
        (Method::GET, "/api/v1/certificates?nosuch=1", 400),
        (Method::GET, "/api/v1/certificates?cursor=%00", 400),
        (Method::GET, "/api/v1/certificates?filter=%ff", 400),
        (Method::GET, "/api/v1/certificates?filter=colour%3Dblue", 400),
        (Method::GET, "/api/v1/certificates?filter=serial%3D-1", 400),
        (Method::GET, "/api/v1/certificates?filter=expires%3C2027-02-30", 400),
    ] {
        let answer = world.api(Some(&caller), ask(method.as_str(), path, vec![])).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert!(!answer.slug().is_empty(), "{method} {path}");
    }
}

/// Real connections, for what only octets on a wire can say: a body that is longer or shorter than announced, in
/// chunks, or in chunks that are none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_on_the_wire() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let known = axum::middleware::from_fn(move |mut request: Request, next: axum::middleware::Next| {
        request.extensions_mut().insert(PeerCertificate::of(&caller));
        next.run(request)
    });
    let server = tokio::spawn(axum::serve(listener, world.doors.api().layer(known)).into_future());
    let rows: [(&str, &str, Vec<u8>, &str, &str); 8] = [
        ("announced rightly", "content-length: 2", b"{}".to_vec(), "400", "missing field"),
        ("more than announced", "content-length: 2", b"{}{\"x\":1}".to_vec(), "400", "missing field"),
        (
            "in chunks",
            "transfer-encoding: chunked",
            b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n".to_vec(),
            "400",
            "missing field",
        ),
        (
            "more chunks than are read",
            "transfer-encoding: chunked",
            [b"1000\r\n".to_vec(), vec![b'['; 0x1000], b"\r\n".to_vec()].concat().repeat(17),
            "413",
            "body-too-large",
        ),
        ("chunks that are none", "transfer-encoding: chunked", b"zz\r\n{}\r\n".to_vec(), "400", ""),
        ("a chunk of 2^64", "transfer-encoding: chunked", b"10000000000000000\r\n{}\r\n".to_vec(), "400", ""),
        ("a length that is none", "content-length: -2", b"{}".to_vec(), "400", ""),
        ("two lengths", "content-length: 2\r\ncontent-length: 3", b"{}x".to_vec(), "400", ""),
    ];
    for (what, head, body, status, words) in rows {
        let text =
            tokio::task::spawn_blocking(move || exchange(address, head, &body, End::Waits)).await.unwrap();
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {text}");
        assert!(text.contains(words), "{what}: {text}");
    }
    // Less than announced, and then the end: nobody is answered, and nothing is left behind.
    let cut = move || exchange(address, "content-length: 100", b"{}", End::Cut);
    let text = tokio::task::spawn_blocking(cut).await.unwrap();
    assert!(text.is_empty() || text.contains("bad-request"), "{text}");
    assert_eq!(world.open_intents(), 0);
    server.abort();
}

/// What the client does once it has sent everything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Waits,
    Cut,
}

/// Sends one request as these octets, and reads until the other side ends.
fn exchange(address: std::net::SocketAddr, head: &str, body: &[u8], end: End) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head =
        format!("POST /api/v1/certificates HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{head}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    // The other side may have answered and gone before all of it is sent.
    let _ = stream.write_all(body);
    if end == End::Cut {
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}
