use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ca_core::roles::Role;
use ca_core::shards::{ListId, ListKind};
use serde_json::json;

use crate::openssl::Bench;
use crate::world::{Answer, World, get, id, post};

/// A bench with `leaf.pem`, `issuing.pem`, `root.pem` and an OCSP request for the leaf in `ask.der`.
pub(crate) async fn with_leaf(world: &World, caller: &[u8], nonce: &str) -> (Bench, String) {
    let issued = world.issued(caller).await;
    let bench = Bench::new();
    bench.write("leaf.pem", issued["certificate"].as_str().unwrap());
    bench.write("issuing.pem", issued["chain"][0].as_str().unwrap());
    bench.write("root.pem", issued["chain"][1].as_str().unwrap());
    bench.run(&format!("ocsp {nonce} -issuer issuing.pem -cert leaf.pem -reqout ask.der"));
    (bench, issued["serial"].as_str().unwrap().to_owned())
}

/// What openssl makes of an answer: verified up to the root, delegated responder and all.
fn judged(bench: &Bench, answer: &Answer) -> String {
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/ocsp-response"));
    bench.write("answer.der", &answer.body);
    let text = bench.run("ocsp -respin answer.der -issuer issuing.pem -cert leaf.pem -CAfile root.pem");
    assert!(text.contains("Response verify OK"), "{text}");
    text
}

fn ocsp_post(path: &str, octets: Vec<u8>) -> Request<Body> {
    Request::post(path).header("content-type", "application/ocsp-request").body(Body::from(octets)).unwrap()
}

/// The text of an OCSP error response: its one octet.
fn ocsp_error(answer: &Answer) -> u8 {
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/ocsp-response"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.body[..4], [0x30, 3, 0x0a, 1], "only a status");
    answer.body[4]
}

#[tokio::test]
async fn ocsp_tells_good_and_then_revoked() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester, Role::Officer]).await;
    let (bench, serial) = with_leaf(&world, &caller, "-no_nonce").await;
    for path in ["/ocsp", "/ocsp/", "/ocsp/issuing"] {
        let answer = world.va(ocsp_post(path, bench.read("ask.der"))).await;
        assert!(judged(&bench, &answer).contains("leaf.pem: good"), "{path}");
    }
    let path = format!("/api/v1/certificates/{serial}/revoke");
    let revoked = world.api(Some(&caller), post(&path, &json!({ "reason": "keyCompromise" }))).await;
    assert_eq!(revoked.status, 200);
    let answer = world.va(ocsp_post("/ocsp", bench.read("ask.der"))).await;
    let text = judged(&bench, &answer);
    assert!(text.contains("leaf.pem: revoked") && text.contains("keyCompromise"), "{text}");
}

#[tokio::test]
async fn rfc5019_5_every_spelling_of_a_get_gets_one_answer() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let (bench, _) = with_leaf(&world, &caller, "-no_nonce").await;
    let plain = STANDARD.encode(bench.read("ask.der"));
    let escaped = plain.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let lower = plain.replace('+', "%2b").replace('/', "%2f").replace('=', "%3d");
    let unpadded = plain.trim_end_matches('=');
    let url_safe = plain.replace('+', "-").replace('/', "_");
    let spaced = plain.replace('+', "%20");
    let twice = escaped.replace('%', "%25");
    let mut first: Option<Vec<u8>> = None;
    for spelling in [&plain, &escaped, &lower, unpadded, &url_safe, &spaced, &twice, &format!("/{plain}")] {
        for path in [format!("/ocsp/{spelling}"), format!("/ocsp/issuing/{spelling}")] {
            let answer = world.va(get(&path)).await;
            judged(&bench, &answer);
            assert_eq!(
                first.get_or_insert_with(|| answer.body.clone()),
                &answer.body,
                "{path}: one cached answer"
            );
        }
    }
}

#[tokio::test]
async fn rfc5019_6_answers_can_be_cached() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let (bench, _) = with_leaf(&world, &caller, "-no_nonce").await;
    let path = format!("/ocsp/issuing/{}", STANDARD.encode(bench.read("ask.der")));
    let answer = world.va(get(&path)).await;
    assert_eq!(answer.header("cache-control"), "max-age=3600, public, no-transform, must-revalidate");
    assert!(!answer.header("expires").is_empty());
    for (name, value) in
        [("if-none-match", answer.header("etag")), ("if-modified-since", answer.header("last-modified"))]
    {
        let request = Request::get(&path).header(name, value).body(Body::empty()).unwrap();
        let again = world.va(request).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{name}: {value}");
        assert_eq!(again.header("etag"), answer.header("etag"));
    }
    let (bench, _) = with_leaf(&world, &caller, "-nonce").await;
    let answer = world.va(ocsp_post("/ocsp", bench.read("ask.der"))).await;
    bench.write("answer.der", &answer.body);
    bench.write("cas.pem", [bench.read("issuing.pem"), bench.read("root.pem")].concat());
    let text = bench.run("ocsp -reqin ask.der -respin answer.der -CAfile cas.pem");
    assert!(text.contains("Response verify OK") && !text.contains("onc"), "the same nonce: {text}");
    assert_eq!(
        (answer.header("cache-control"), answer.header("etag")),
        ("no-store", ""),
        "a nonce is for one asker"
    );
}

#[tokio::test]
async fn ocsp_errors_are_ocsp_and_not_cached() {
    let world = World::new().await;
    for request in [
        ocsp_post("/ocsp", vec![]),
        ocsp_post("/ocsp", b"nonsense".to_vec()),
        get("/ocsp"),
        get("/ocsp/"),
        get("/ocsp/issuing"),
        get("/ocsp/issuing/"),
        get("/ocsp/nosuch/MAA="),
        get("/ocsp/%zz"),
        get("/ocsp/%FF%FE"),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(ocsp_error(&world.va(request).await), 1, "malformedRequest: {shown}");
    }
    let long = world.va(ocsp_post("/ocsp", vec![0x30; 5000])).await;
    assert_eq!((long.status, long.slug().as_str()), (413, "body-too-large"));
    let long = world.va(get(&format!("/ocsp/{}", "M".repeat(3000)))).await;
    assert_eq!((long.status, long.slug().as_str()), (414, "uri-too-long"));
    let put = world.va(Request::put("/ocsp").body(Body::empty()).unwrap()).await;
    assert_eq!((put.status, put.slug().as_str()), (405, "method-not-allowed"));
}

#[tokio::test]
async fn i8_a_serial_that_was_never_issued_is_not_good() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let (bench, _) = with_leaf(&world, &caller, "-no_nonce").await;
    bench.run("ocsp -no_nonce -issuer issuing.pem -serial 0x0123456789 -reqout never.der");
    let answer = world.va(ocsp_post("/ocsp", bench.read("never.der"))).await;
    bench.write("answer.der", &answer.body);
    let text = bench.run("ocsp -respin answer.der -issuer issuing.pem -serial 0x0123456789 -CAfile root.pem");
    assert!(text.contains("0x0123456789: unknown"), "{text}");
    assert_eq!(answer.header("cache-control"), "no-store");
    world.switches.no_quorum.store(true, Ordering::SeqCst);
    let answer = world.va(ocsp_post("/ocsp", bench.read("never.der"))).await;
    assert_eq!(ocsp_error(&answer), 3, "tryLater: who cannot know does not say unknown (I9)");
}

#[tokio::test]
async fn a_crl_is_served_once_there_is_one() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester, Role::Officer]).await;
    let (bench, serial) = with_leaf(&world, &caller, "-no_nonce").await;
    let none = world.va(get("/crl/issuing.crl")).await;
    assert_eq!((none.status, none.slug().as_str()), (503, "crl-none"));
    let path = format!("/api/v1/certificates/{serial}/revoke");
    assert_eq!(world.api(Some(&caller), post(&path, &json!({}))).await.status, 200);
    world.authority.publish_crl(&ListId::whole(&id("issuing")), ListKind::Complete).await.unwrap();

    let answer = world.va(get("/crl/issuing.crl")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/pkix-crl"));
    assert_eq!(answer.header("cache-control"), "max-age=3600, public, no-transform, must-revalidate");
    bench.write("list.der", &answer.body);
    let text = bench.run("crl -inform DER -in list.der -CAfile issuing.pem -noout -text");
    assert!(text.contains("verify OK") && text.to_lowercase().contains(&serial), "{text}");
    let etag = answer.header("etag").to_owned();
    let request =
        Request::get("/crl/issuing.crl").header("if-none-match", &etag).body(Body::empty()).unwrap();
    assert_eq!(world.va(request).await.status, 304);
    world.authority.publish_crl(&ListId::whole(&id("issuing")), ListKind::Complete).await.unwrap();
    let next = world.va(get("/crl/issuing.crl")).await;
    assert_ne!(next.header("etag"), etag, "another number is another list");
}

#[tokio::test]
async fn i12_an_expired_crl_is_not_served() {
    let world = World::new().await;
    world.authority.publish_crl(&ListId::whole(&id("issuing")), ListKind::Complete).await.unwrap();
    let head = Request::head("/crl/issuing.crl").body(Body::empty()).unwrap();
    let answer = world.va(head).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    world.pass(7 * 24 * 3600 * 1000);
    let answer = world.va(get("/crl/issuing.crl")).await;
    assert_eq!((answer.status, answer.slug().as_str()), (503, "crl-none"));
}

#[tokio::test]
async fn ca_certificates_are_served_in_der() {
    let world = World::new().await;
    let answer = world.va(get("/ca/issuing.cer")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/pkix-cert"));
    assert!(answer.header("cache-control").starts_with("max-age="));
    let bench = Bench::new();
    bench.write("ca.der", &answer.body);
    assert!(bench.run("x509 -inform DER -in ca.der -noout -subject").contains("issuing"));
    for (path, slug) in [
        ("/ca/nosuch.cer", "unknown-ca"),
        ("/ca/issuing", "not-found"),
        ("/ca/No.cer", "not-found"),
        ("/crl/nosuch.crl", "unknown-ca"),
        ("/crl/issuing.pem", "not-found"),
        ("/api/v1/cas", "not-found"),
        ("/", "not-found"),
    ] {
        let answer = world.va(get(path)).await;
        assert_eq!((answer.status, answer.slug().as_str()), (404, slug), "{path}");
    }
}
