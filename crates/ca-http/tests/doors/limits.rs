//! Bounds that a caller meets at the door.

use ca_authority::ports::SignError;
use ca_core::roles::Role;
use serde_json::json;

use crate::world::{Fault, World, csr, get, post, put};

/// Mechanism: `rates.take` in `guard::admit`.
#[tokio::test]
async fn a_caller_that_loops_is_bid_wait_and_leaves_nothing_in_the_log() {
    let world = World::new().await;
    let (admin, caller) = (world.caller(&[Role::Admin]).await, world.stranger());
    let path = format!("/api/v1/grants/{}", crate::configuration::key_of(&caller));
    let grant = json!({ "roles": ["requester"], "rate_per_minute": 3 });
    assert_eq!(world.api(Some(&admin), put(&path, &grant)).await.status, 200);
    let who = || world.api(Some(&caller), get("/api/v1/whoami"));
    for _ in 0..3 {
        assert_eq!(who().await.status, 200);
    }
    let before = world.applied();
    let body = json!({ "profile": "tls-server", "csr": csr(&["web.test"]) });
    let refused = world.api(Some(&caller), post("/api/v1/certificates", &body)).await;
    assert_eq!((refused.status, refused.slug().as_str()), (429, "rate-limited"), "{}", refused.text());
    assert_eq!((refused.header("retry-after"), &refused.json()["outcome"]), ("20", &json!("not_applied")));
    world.pass(60_000);
    world.authority.record_refusals().await.unwrap();
    assert_eq!(world.applied(), before, "not even as a refusal");
    assert_eq!(
        world.api(Some(&admin), get("/api/v1/whoami")).await.status,
        200,
        "others are not in its bucket"
    );
    assert_eq!(who().await.status, 200, "after the wait");
}

/// What goes wrong inside has its slug outside, and says nothing of the inside.
#[tokio::test]
async fn every_fault_of_an_act_has_its_slug() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let key = ca_x509::key::KeyIdentifier([7; 20]);
    for (fault, status, slug, outcome) in [
        (Fault::Token(SignError::Busy { queued: 64 }), 503, "token-busy", "not_applied"),
        (Fault::Token(SignError::TimedOut { limit_ms: 1 }), 503, "token-timeout", "not_applied"),
        (Fault::Token(SignError::NoKey { key }), 503, "key-missing", "not_applied"),
        (Fault::Token(SignError::Down { why: "unplugged".to_owned() }), 503, "token-down", "not_applied"),
        (Fault::OtherKey, 503, "wrong-signature", "not_applied"),
        (Fault::Stopped, 503, "stopping", "unknown"),
        (Fault::NoEntropy, 500, "internal", "not_applied"),
    ] {
        *world.switches.fault.lock().unwrap() = Some(fault);
        let body = json!({ "profile": "tls-server", "csr": csr(&["web.test"]) });
        let answer = world.api(Some(&caller), post("/api/v1/certificates", &body)).await;
        assert_eq!((answer.status, answer.slug().as_str()), (status, slug), "{}", answer.text());
        assert_eq!(answer.json()["outcome"], outcome, "{slug}");
        let internal = answer.json()["detail"].as_str().unwrap().starts_with("see request ");
        assert_eq!(internal, slug == "internal", "{}", answer.text());
    }
}

/// JSON that could mean two things, or more than it may, is refused before anything is done.
#[tokio::test]
async fn json_is_taken_at_its_word_or_not_at_all() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester, Role::Admin]).await;
    let before = world.applied();
    let depth = |depth: usize| {
        format!("{{\"profile\":\"tls-server\",\"csr\":{}{}}}", "[".repeat(depth), "]".repeat(depth))
    };
    let long = format!("{{\"profile\":\"{}\"}}", "x".repeat(64 * 1024));
    for (body, status, slug) in [
        (r#"{"profile":"tls-server","profile":"sub-ca","csr":"x"}"#.to_owned(), 400, "bad-json"),
        (r#"{"profile":"tls-server","csr":"x","colour":"red"}"#.to_owned(), 400, "bad-json"),
        (r#"{"profile":"tls-server"}"#.to_owned(), 400, "bad-json"),
        (r#"{"profile":1e400,"csr":"x"}"#.to_owned(), 400, "bad-json"),
        (r#"{"profile":"tls-server","csr":"x"}}"#.to_owned(), 400, "bad-json"),
        (r#"{"profile":"tls-server","csr":"\ud800"}"#.to_owned(), 400, "bad-json"),
        (depth(ca_http::limits::JSON_DEPTH_MAX + 1), 400, "bad-json"),
        ("[".repeat(60_000), 400, "bad-json"),
        (String::new(), 400, "bad-json"),
        (long, 413, "body-too-large"),
    ] {
        let request = axum::http::Request::post("/api/v1/certificates").body(body.clone().into()).unwrap();
        let answer = world.api(Some(&caller), request).await;
        let shown: String = body.chars().take(80).collect();
        assert_eq!((answer.status, answer.slug().as_str()), (status, slug), "{shown}: {}", answer.text());
    }
    for rate in ["0", "-1", "1.5", "4294967296", "1e3", "1000001"] {
        let body = format!("{{\"roles\":[\"ra\"],\"rate_per_minute\":{rate}}}");
        let path = format!("/api/v1/grants/{}", "7".repeat(64));
        let request = axum::http::Request::put(path).body(body.into()).unwrap();
        assert_eq!(world.api(Some(&caller), request).await.status, 400, "{rate}");
    }
    assert_eq!(world.applied(), before);
}

/// Mechanism: `current` in `guard`. A reader chooses between what is current and what is here.
#[tokio::test]
async fn how_current_a_read_is_is_for_the_reader_to_say() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Auditor]).await;
    let ask = async |how: &str| {
        let answer = world.api(Some(&caller), get(&format!("/api/v1/profiles{how}"))).await;
        (answer.status, if answer.status == 200 { String::new() } else { answer.slug() })
    };
    let (ok, no_quorum) = ((200, String::new()), (503, "no-quorum".to_owned()));
    world.authority.refresh().await.unwrap();
    world.switches.no_quorum.store(true, std::sync::atomic::Ordering::SeqCst);
    for how in ["", "?consistency=bounded", "?consistency=local"] {
        assert_eq!(ask(how).await, ok, "{how}");
    }
    assert_eq!(ask("?consistency=linearizable").await, no_quorum);
    world.pass(ca_http::limits::STALENESS_MS_MAX);
    assert_eq!(ask("").await, ok, "just within the bound");
    world.pass(1);
    assert_eq!(ask("").await, no_quorum);
    assert_eq!(ask("?consistency=local").await, ok);
    for bad in ["?consistency=", "?consistency=eventual", "?consistency=local&consistency=local"] {
        assert_eq!(ask(bad).await, (400, "bad-request".to_owned()), "{bad}");
    }
    world.switches.no_quorum.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(ask("").await, ok, "a quorum was asked");
    let path = "/api/v1/certificates?limit=1&consistency=linearizable";
    assert_eq!(world.api(Some(&caller), get(path)).await.status, 200, "beside a route's own parameters");
}

/// Mechanism: `cache::conditional`.
#[tokio::test]
async fn rfc9110_13_1_2_who_has_it_already_is_told_so() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester, Role::Officer, Role::Admin]).await;
    let serial = world.issued(&caller).await["serial"].as_str().unwrap().to_owned();
    let certificate = format!("/api/v1/certificates/{serial}");
    let with = |method: &str, path: &str, tag: &str| {
        let request = axum::http::Request::builder().method(method).uri(path).header("if-none-match", tag);
        world.api(Some(&caller), request.body(axum::body::Body::empty()).unwrap())
    };
    for path in [
        "/api/v1/cas",
        "/api/v1/cas/issuing",
        "/api/v1/cas/issuing/chain",
        "/api/v1/profiles",
        "/api/v1/profiles/tls-server",
        "/api/v1/grants",
        "/api/v1/cluster/members",
        "/api/v1/openapi.json",
        &certificate,
    ] {
        let first = world.api(Some(&caller), get(path)).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.len() > 2 && first.status == 200, "{path}: {tag}");
        let again = with("GET", path, &tag).await;
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, tag.as_str()), "{path}");
        assert_eq!(with("GET", path, "\"other\"").await.status, 200, "{path}");
        let head = with("HEAD", path, "\"other\"").await;
        assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, tag.as_str()), "{path}");
    }
    let before = world.api(Some(&caller), get(&certificate)).await.header("etag").to_owned();
    assert_eq!(
        world.api(Some(&caller), post(&format!("{certificate}/revoke"), &json!({}))).await.status,
        200
    );
    assert_eq!(with("GET", &certificate, &before).await.status, 200, "its status has changed");
}

/// Mechanism: `within_rate` in `issue`.
#[tokio::test]
async fn a_profile_says_how_many_a_requester_gets() {
    let world = World::new().await;
    let admin = world.caller(&[Role::Admin]).await;
    let (one, other) = (world.caller(&[Role::Requester]).await, world.caller(&[Role::Requester]).await);
    let profile = json!({
        "name": "web", "issuers": ["issuing"], "keys": ["ec-p256"], "rate_per_minute": 2,
        "validity": { "default": "30d", "max": "90d" },
        "names": { "dns": "any", "min": 1 },
        "usage": { "key": ["digitalSignature"], "extended": ["serverAuth"] }
    });
    let made = world.api(Some(&admin), put("/api/v1/profiles/web", &profile)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let body = |profile: &str| json!({ "profile": profile, "csr": csr(&["web.test"]) });
    let issue = async |caller: &[u8], profile: &str| {
        world.api(Some(caller), post("/api/v1/certificates", &body(profile))).await
    };
    for _ in 0..2 {
        assert_eq!(issue(&one, "web").await.status, 201);
    }
    let refused = issue(&one, "web").await;
    assert_eq!((refused.status, refused.slug().as_str()), (429, "rate-limited"), "{}", refused.text());
    assert!(refused.json()["detail"].as_str().unwrap().contains("profile `web`"), "{}", refused.text());
    assert_eq!(issue(&one, "tls-server").await.status, 201, "another profile");
    assert_eq!(issue(&other, "web").await.status, 201, "another requester");
}
