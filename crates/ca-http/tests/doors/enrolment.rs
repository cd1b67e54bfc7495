//! Devices without a certificate get their first one by a token.

use axum::body::Body;
use axum::http::Request;
use ca_core::limits::ENROLMENT_LIFE_MAX_MS;
use ca_core::roles::Role;
use serde_json::{Value, json};

use crate::world::{Answer, World, csr, delete, get, post};

const TOKENS: &str = "/api/v1/enrolment-tokens";
const CERTIFICATES: &str = "/api/v1/certificates";

async fn minted(world: &World, ra: &[u8], names: &[&str]) -> Value {
    let body = json!({ "profile": "tls-server", "names": names, "ttl": "1h" });
    let answer = world.api(Some(ra), post(TOKENS, &body)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn bearing(token: &Value, request: Request<Body>) -> Request<Body> {
    let mut request = request;
    let value = format!("Bearer {}", token.as_str().unwrap());
    request.headers_mut().insert("authorization", value.parse().unwrap());
    request
}

fn asking(token: &Value, csr: &str) -> Request<Body> {
    bearing(token, post(CERTIFICATES, &json!({ "profile": "tls-server", "csr": csr })))
}

fn verdict(answer: &Answer) -> (u16, String) {
    (answer.status, if answer.status < 300 { String::new() } else { answer.slug() })
}

/// Mechanism: `Step::spend_enrolment`; the answer to the retry: `own_key` in `ca_http::issue`.
#[tokio::test]
async fn a_token_is_one_certificate_and_its_retry_the_same() {
    let world = World::new().await;
    let ra = world.caller(&[Role::Ra]).await;
    let minted = minted(&world, &ra, &["dev42.test"]).await;
    let request = csr(&["dev42.test"]);
    let issued = world.api(None, asking(&minted["token"], &request)).await;
    assert_eq!(issued.status, 201, "{}", issued.text());
    let again = world.api(None, asking(&minted["token"], &request)).await;
    assert_eq!((again.status, again.json()), (201, issued.json()));
    let other = world.api(None, asking(&minted["token"], &csr(&["dev42.test"]))).await;
    assert_eq!(verdict(&other), (422, "idempotency-mismatch".to_owned()));
    let mut keyed = asking(&minted["token"], &csr(&["dev42.test"]));
    keyed.headers_mut().insert("idempotency-key", "another".parse().unwrap());
    assert_eq!(verdict(&world.api(None, keyed).await), (403, "enrolment-token-spent".to_owned()));

    let listed = world.api(Some(&ra), get(TOKENS)).await.json();
    assert_eq!(listed[0]["serial"], issued.json()["serial"]);
    assert_eq!(listed[0]["names"], json!(["DNS:dev42.test"]));
    assert_eq!(listed[0].get("token"), None, "it is shown once");
    let auditor = world.caller(&[Role::Auditor]).await;
    let filter = format!("/api/v1/history?filter=by%3Denrolment:{}", minted["id"].as_str().unwrap());
    let acts = world.api(Some(&auditor), get(&filter)).await.json();
    assert_eq!(acts["acts"][0]["act"], "certificate-issued");
    assert_eq!(acts["acts"][0]["serial"], issued.json()["serial"]);
}

/// Mechanism: as above; the log decides, whatever both requests saw before.
#[tokio::test]
async fn two_requests_at_once_with_one_token_are_one_certificate() {
    let world = World::new().await;
    let ra = world.caller(&[Role::Ra]).await;
    let minted = minted(&world, &ra, &["dev42.test"]).await;
    let keyed = |key: &str| {
        let mut request = asking(&minted["token"], &csr(&["dev42.test"]));
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        world.api(None, request)
    };
    let (one, other) = tokio::join!(keyed("a"), keyed("b"));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 403], "{} {}", one.text(), other.text());
}

/// Mechanism: `ca_http::guard`, `Rule::HasOrEnrols`: elsewhere nobody looks at a token.
#[tokio::test]
async fn a_token_opens_one_route() {
    let world = World::new().await;
    let ra = world.caller(&[Role::Ra]).await;
    let token = minted(&world, &ra, &["dev42.test"]).await["token"].clone();
    for path in [CERTIFICATES, TOKENS, "/api/v1/history", "/api/v1/whoami", "/api/v1/grants"] {
        let answer = world.api(None, bearing(&token, get(path))).await;
        assert_eq!(verdict(&answer), (401, "no-client-certificate".to_owned()), "{path}");
    }
    let answer = world.api(None, bearing(&token, post(TOKENS, &json!({})))).await;
    assert_eq!(verdict(&answer), (401, "no-client-certificate".to_owned()));
    let named = world.api(None, asking(&token, &csr(&["dev43.test"]))).await;
    assert_eq!(verdict(&named), (422, "outside-profile".to_owned()));
}

/// Mechanism: `WrongTokens::are_too_many`.
#[tokio::test]
async fn wrong_tokens_are_few_a_minute() {
    let world = World::new().await;
    let ra = world.caller(&[Role::Ra]).await;
    let right = minted(&world, &ra, &["dev42.test"]).await["token"].clone();
    let request = csr(&["dev42.test"]);
    for _ in 0..10 {
        let wrong = world.api(None, asking(&json!("ca-node-enrol-1.wrong"), &request)).await;
        assert_eq!(verdict(&wrong), (401, "enrolment-token-unknown".to_owned()));
    }
    let blocked = world.api(None, asking(&right, &request)).await;
    assert_eq!(verdict(&blocked), (429, "too-many-wrong-tokens".to_owned()));
    assert_eq!(blocked.header("retry-after"), "60");
    world.pass(60_000);
    assert_eq!(world.api(None, asking(&right, &request)).await.status, 201);
}

#[tokio::test]
async fn tokens_are_taken_back_by_who_may() {
    let world = World::new().await;
    let ra = world.caller(&[Role::Ra]).await;
    let (other, admin) = (world.caller(&[Role::Ra]).await, world.caller(&[Role::Admin]).await);
    let first = minted(&world, &ra, &["dev1.test"]).await;
    let second = minted(&world, &ra, &["dev2.test"]).await;
    let path = |minted: &Value| format!("{TOKENS}/{}", minted["id"].as_str().unwrap());
    assert_eq!(world.api(Some(&other), get(TOKENS)).await.json(), json!([]), "not its own");
    assert_eq!(world.api(Some(&admin), get(TOKENS)).await.json().as_array().unwrap().len(), 2);
    let refused = world.api(Some(&other), delete(&path(&first))).await;
    assert_eq!(verdict(&refused), (403, "forbidden".to_owned()));
    for (caller, minted) in [(&ra, &first), (&admin, &second)] {
        let answer = world.api(Some(caller), delete(&path(minted))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let used = world.api(None, asking(&minted["token"], &csr(&["dev1.test"]))).await;
        assert_eq!(verdict(&used), (401, "enrolment-token-unknown".to_owned()));
    }
}

#[tokio::test]
async fn bad_mints_are_refused_with_a_reason() {
    let world = World::new().await;
    let ra = world.caller(&[Role::Ra]).await;
    let beyond = format!("{}s", ENROLMENT_LIFE_MAX_MS / 1000 + 1);
    let many: Vec<String> = (0..101).map(|number| format!("d{number}.test")).collect();
    for (body, status, slug, words) in [
        (json!({ "names": ["a.test"] }), 400, "bad-json", "missing field `profile`"),
        (json!({ "profile": "tls-server" }), 400, "bad-request", "1 to 100"),
        (json!({ "profile": "tls-server", "names": [] }), 400, "bad-request", "1 to 100"),
        (json!({ "profile": "tls-server", "names": many }), 400, "bad-request", "1 to 100"),
        (
            json!({ "profile": "tls-server", "names": ["a.test"], "dns": ["b.test"] }),
            400,
            "bad-request",
            "not both",
        ),
        (json!({ "profile": "tls-server", "dns": ["*.test"] }), 400, "bad-request", "dns"),
        (json!({ "profile": "tls-server", "names": ["IP:x"] }), 400, "bad-request", "no IP address"),
        (json!({ "profile": "tls-server", "names": ["under_score.test"] }), 422, "outside-profile", "names"),
        (json!({ "profile": "tls-server", "names": ["a.test"], "ttl": "0s" }), 400, "bad-request", "30d"),
        (json!({ "profile": "tls-server", "names": ["a.test"], "ttl": beyond }), 400, "bad-request", "30d"),
        (json!({ "profile": "tls-server", "names": ["a.test"], "ttl": "soon" }), 400, "bad-request", "ttl"),
        (json!({ "profile": "tls-server", "names": ["a.test"], "ca": "root" }), 422, "outside-profile", "ca"),
        (json!({ "profile": "none", "names": ["a.test"] }), 422, "unknown-profile", "none"),
        (json!({ "profile": "sub-ca", "names": ["a.test"] }), 403, "forbidden", "sub-ca"),
        (
            json!({ "profile": "tls-server", "names": ["a.test"], "x": 1 }),
            400,
            "bad-json",
            "unknown field `x`",
        ),
    ] {
        let answer = world.api(Some(&ra), post(TOKENS, &body)).await;
        assert_eq!(verdict(&answer), (status, slug.to_owned()), "{body}: {}", answer.text());
        assert!(answer.text().contains(words), "{body}: {}", answer.text());
    }
    for id in ["", "xyz", &"0".repeat(63)] {
        let answer = world.api(Some(&ra), delete(&format!("{TOKENS}/{id}"))).await;
        assert!((400..500).contains(&answer.status), "{id}: {}", answer.status);
    }
    let unknown = world.api(Some(&ra), delete(&format!("{TOKENS}/{}", "0".repeat(64)))).await;
    assert_eq!(verdict(&unknown), (404, "not-found".to_owned()));
}
