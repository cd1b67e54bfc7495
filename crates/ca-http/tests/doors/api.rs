use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use ca_core::roles::Role;
use ca_x509::certificate::Certificate;
use serde_json::json;

use crate::openssl::Bench;
use crate::world::{World, csr, get, post};

const CERTIFICATES: &str = "/api/v1/certificates";

#[tokio::test]
async fn issues_and_shows() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let body = json!({ "profile": "tls-server", "csr": csr(&["web.test"]), "ttl": "24h" });
    let answer = world.api(Some(&caller), post(CERTIFICATES, &body)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let issued = answer.json();
    let serial = issued["serial"].as_str().unwrap();
    assert_eq!(answer.header("location"), format!("{CERTIFICATES}/{serial}?ca=issuing"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("ca-index").parse::<u64>().unwrap() >= issued["log"]["index"].as_u64().unwrap());
    assert_eq!(issued["ca"], "issuing");
    assert_eq!(issued["chain"].as_array().unwrap().len(), 2);

    let bench = Bench::new();
    bench.write("leaf.pem", issued["certificate"].as_str().unwrap());
    bench.write("issuing.pem", issued["chain"][0].as_str().unwrap());
    bench.write("root.pem", issued["chain"][1].as_str().unwrap());
    let verified = bench.run("verify -x509_strict -CAfile root.pem -untrusted issuing.pem leaf.pem");
    assert!(verified.contains("leaf.pem: OK"), "{verified}");

    for path in [answer.header("location").to_owned(), format!("{CERTIFICATES}/{}", serial.to_uppercase())] {
        let shown = world.api(Some(&caller), get(&path)).await;
        assert_eq!(shown.status, 200, "{path}: {}", shown.text());
        assert_eq!(shown.json()["status"], "good");
        assert_eq!(shown.json()["certificate"], issued["certificate"]);
        assert_eq!(shown.json()["profile"], "tls-server");
    }
    let der = world.api(Some(&caller), get(&format!("{CERTIFICATES}/{serial}.der"))).await;
    assert_eq!(der.header("content-type"), "application/pkix-cert");
    assert_eq!(Certificate::parse(&der.body).unwrap().serial().to_string(), serial);
    let pem = world.api(Some(&caller), get(&format!("{CERTIFICATES}/{serial}.pem"))).await;
    assert_eq!(pem.header("content-type"), "application/pem-certificate-chain");
    assert!(pem.text().starts_with(issued["certificate"].as_str().unwrap()));
}

#[tokio::test]
async fn bare_pem_is_what_a_server_sends() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let der = ca_x509::pem::decode(ca_x509::pem::REQUEST, csr(&["web.test"]).as_bytes()).unwrap();
    use base64::Engine as _;
    let csr = base64::engine::general_purpose::STANDARD.encode(der);
    let body = json!({ "profile": "tls-server", "ca": "issuing", "csr": csr, "names": ["a.test", "10.0.0.1", "*.x.test"] });
    let mut request = post(CERTIFICATES, &body);
    request.headers_mut().insert("accept", "application/pem-certificate-chain".parse().unwrap());
    let answer = world.api(Some(&caller), request).await;
    assert_eq!((answer.status, answer.header("content-type")), (201, "application/pem-certificate-chain"));
    let chain = Certificate::parse_chain(&answer.body).unwrap();
    assert_eq!(chain.len(), 2, "leaf and issuing CA, no root");
    let names: Vec<String> =
        chain[0].extensions().subject_alt_names.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["DNS:a.test", "IP:10.0.0.1", "DNS:*.x.test"]);
    assert_eq!(chain[0].issuer(), chain[1].subject());
}

#[tokio::test]
async fn i7_one_idempotency_key_one_certificate() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let csr_text = csr(&["web.test"]);
    let with_key = |csr: &str, key: &str| {
        let mut request = post(CERTIFICATES, &json!({ "profile": "tls-server", "csr": csr }));
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        request
    };
    let first = world.api(Some(&caller), with_key(&csr_text, "k")).await;
    let again = world.api(Some(&caller), with_key(&csr_text, "k")).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json()["certificate"], again.json()["certificate"]);
    let other_body = world.api(Some(&caller), with_key(&csr(&["web.test"]), "k")).await;
    assert_eq!((other_body.status, other_body.slug().as_str()), (422, "idempotency-mismatch"));
    let other_key = world.api(Some(&caller), with_key(&csr_text, "k2")).await;
    assert_ne!(first.json()["serial"], other_key.json()["serial"]);
    let stranger = world.caller(&[Role::Requester]).await;
    let strangers = world.api(Some(&stranger), with_key(&csr_text, "k")).await;
    assert_ne!(first.json()["serial"], strangers.json()["serial"], "two callers' equal keys differ");
    let blank = world.api(Some(&caller), with_key(&csr_text, "a b")).await;
    assert_eq!((blank.status, blank.slug().as_str()), (400, "bad-request"));
}

#[tokio::test]
async fn bad_issue_requests_are_refused_with_a_reason() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let good = csr(&["web.test"]);
    let forged = forged(&good);
    let bench = Bench::new();
    bench.run(
        "req -newkey rsa:1024 -nodes -keyout k.pem -subj / -addext subjectAltName=DNS:web.test -out weak.pem",
    );
    let weak = String::from_utf8(bench.read("weak.pem")).unwrap();
    let nested = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let issue = |csr: &str| json!({ "profile": "tls-server", "csr": csr });
    for (body, status, slug, words) in [
        (String::new(), 400, "bad-json", "EOF"),
        ("{".to_owned(), 400, "bad-json", "line 1"),
        (nested, 400, "bad-json", "deeper than 32"),
        (json!({ "csr": good }).to_string(), 400, "bad-json", "missing field `profile`"),
        (json!({ "profile": "p", "csr": good, "x": 1 }).to_string(), 400, "bad-json", "unknown field `x`"),
        (r#"{"profile":"a","profile":"b","csr":"c"}"#.to_owned(), 400, "bad-json", "duplicate field"),
        (issue("no csr").to_string(), 400, "csr-malformed", "neither PEM nor base64"),
        (issue("MAA=").to_string(), 400, "csr-malformed", ""),
        (issue(&good.replace("M", "N")).to_string(), 400, "csr-malformed", ""),
        (issue(&forged).to_string(), 422, "csr-signature", "not signed by the key"),
        (issue(&weak).to_string(), 422, "outside-profile", "public_key: an RSA key of 1024 bits"),
        (issue(&csr(&[])).to_string(), 422, "outside-profile", "names"),
        (issue(&csr(&["bad_name.test"])).to_string(), 422, "outside-profile", "bad_name.test"),
        (json!({ "profile": "nosuch", "csr": good }).to_string(), 422, "unknown-profile", "nosuch"),
        (json!({ "profile": "No Such", "csr": good }).to_string(), 400, "bad-request", "profile: `No Such`"),
        (json!({ "profile": "sub-ca", "csr": good }).to_string(), 403, "forbidden", "admin"),
        (
            json!({ "profile": "tls-server", "ca": "root", "csr": good }).to_string(),
            422,
            "outside-profile",
            "ca:",
        ),
        (
            json!({ "profile": "tls-server", "csr": good, "ttl": "9999d" }).to_string(),
            422,
            "outside-profile",
            "ttl",
        ),
        (
            json!({ "profile": "tls-server", "csr": good, "ttl": "soon" }).to_string(),
            400,
            "bad-request",
            "ttl",
        ),
        (
            json!({ "profile": "tls-server", "csr": good, "names": ["IP:x"] }).to_string(),
            400,
            "bad-request",
            "names",
        ),
        (issue(&"x".repeat(70_000)).to_string(), 413, "body-too-large", "65536"),
    ] {
        let request = Request::post(CERTIFICATES).body(Body::from(body.clone())).unwrap();
        let answer = world.api(Some(&caller), request).await;
        let shown = &body[..body.len().min(80)];
        assert_eq!((answer.status, answer.slug().as_str()), (status, slug), "{shown}\n{}", answer.text());
        assert_eq!(answer.json()["outcome"], "not_applied", "{shown}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(words), "{shown}\n{}", answer.text());
    }
}

/// The same request with the last octet of its signature changed.
fn forged(pem: &str) -> String {
    let mut der = ca_x509::pem::decode(ca_x509::pem::REQUEST, pem.as_bytes()).unwrap();
    *der.last_mut().unwrap() ^= 1;
    ca_x509::pem::encode("CERTIFICATE REQUEST", &der)
}

/// Every route, with whom it is open to: deny by default.
#[tokio::test]
async fn every_route_is_closed_to_those_whom_its_rule_does_not_name() {
    let world = World::new().await;
    let issued = world.issued(&world.caller(&[Role::Requester]).await).await;
    let one = format!("{CERTIFICATES}/{}", issued["serial"].as_str().unwrap());
    let nobody = world.caller(&[]).await;
    let auditor = world.caller(&[Role::Auditor]).await;
    let all = [Role::Requester, Role::Officer, Role::Operator];
    // Path, method, and the roles that do; an empty list means any.
    for (path, method, needs) in [
        (CERTIFICATES, Method::POST, Some(vec![Role::Requester])),
        (&*one, Method::GET, Some(vec![])),
        (&*format!("{one}.pem"), Method::GET, Some(vec![])),
        (&*format!("{one}/revoke"), Method::POST, Some(vec![Role::Officer])),
        ("/api/v1/cas", Method::GET, None),
        ("/api/v1/cas/issuing", Method::GET, None),
        ("/api/v1/cas/issuing/chain", Method::GET, None),
        ("/api/v1/profiles", Method::GET, Some(vec![])),
        ("/api/v1/cluster", Method::GET, Some(vec![])),
        ("/api/v1/cluster/members", Method::GET, Some(vec![])),
        ("/api/v1/join-tokens", Method::POST, Some(vec![Role::Operator])),
        ("/livez", Method::GET, None),
        ("/readyz", Method::GET, None),
    ] {
        let ask = || Request::builder().method(method.clone()).uri(path).body(Body::empty()).unwrap();
        let anonymous = world.api(None, ask()).await;
        let Some(needs) = needs else {
            assert_eq!(anonymous.status, 200, "{path}");
            continue;
        };
        assert_eq!((anonymous.status, anonymous.slug().as_str()), (401, "no-client-certificate"), "{path}");
        let stranger = world.api(Some(&nobody), ask()).await;
        assert_eq!((stranger.status, stranger.slug().as_str()), (403, "forbidden"), "{path}");
        let audited = world.api(Some(&auditor), ask()).await;
        assert_eq!(audited.status == 403, !needs.is_empty(), "{path}: {}", audited.text());
        for role in all {
            let caller = world.caller(&[role]).await;
            let answer = world.api(Some(&caller), ask()).await;
            let open = needs.is_empty() || needs.contains(&role);
            assert_eq!(answer.status != 403, open, "{path} for {role:?}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn without_the_accept_loops_word_nobody_is_let_in() {
    use tower::ServiceExt as _;
    let world = World::new().await;
    let answer = world.doors.api().oneshot(get("/api/v1/whoami")).await.unwrap();
    assert_eq!(answer.status(), 401);
    let garbage = world.api(Some(b"garbage"), get("/api/v1/whoami")).await;
    assert_eq!((garbage.status, garbage.slug().as_str()), (401, "client-certificate-invalid"));
}

#[tokio::test]
async fn what_the_cluster_revoked_opens_no_door_of_it() {
    let world = World::new().await;
    let operator = world.caller(&[Role::Requester, Role::Officer]).await;
    let issued = world.issued(&operator).await;
    let pem = issued["certificate"].as_str().unwrap();
    let der = ca_x509::pem::decode(&["CERTIFICATE"], pem.as_bytes()).unwrap();
    assert_eq!(world.api(Some(&der), get("/api/v1/whoami")).await.status, 200);
    let path = format!("{CERTIFICATES}/{}/revoke", issued["serial"].as_str().unwrap());
    assert_eq!(world.api(Some(&operator), post(&path, &json!({}))).await.status, 200);
    let answer = world.api(Some(&der), get("/api/v1/whoami")).await;
    assert_eq!((answer.status, answer.slug().as_str()), (401, "client-certificate-invalid"));
}

#[tokio::test]
async fn revokes_once_and_tells_the_first_date() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester, Role::Officer]).await;
    let serial = world.issued(&caller).await["serial"].as_str().unwrap().to_owned();
    let octets: Vec<&str> = (0..serial.len()).step_by(2).map(|i| &serial[i..i + 2]).collect();
    let spelled = format!("{CERTIFICATES}/{}/revoke", octets.join(":").to_uppercase());
    let answer = world.api(Some(&caller), post(&spelled, &json!({ "reason": "superseded" }))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["serial"], serial.as_str());
    let path = format!("{CERTIFICATES}/0x{serial}/revoke");
    let again = world.api(Some(&caller), Request::post(&path).body(Body::empty()).unwrap()).await;
    assert_eq!(again.json()["revoked_at"], answer.json()["revoked_at"]);
    let shown = world.api(Some(&caller), get(&format!("{CERTIFICATES}/{serial}"))).await.json();
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("revoked"), &json!("superseded")));
    assert_eq!(shown["revoked_at"], answer.json()["revoked_at"]);

    for (path, body, status, slug) in [
        (path.clone(), json!({ "reason": "boredom" }), 400, "bad-request"),
        (path.clone(), json!({ "why": "x" }), 400, "bad-json"),
        (path.clone(), json!({ "ca": "root" }), 404, "unknown-serial"),
        (path.clone(), json!({ "ca": "nosuch" }), 404, "unknown-ca"),
        (path, json!({ "ca": "No" }), 400, "bad-request"),
        (format!("{CERTIFICATES}/xyz/revoke"), json!({}), 400, "bad-request"),
        (format!("{CERTIFICATES}/0123/revoke"), json!({}), 404, "unknown-serial"),
    ] {
        let answer = world.api(Some(&caller), post(&path, &body)).await;
        assert_eq!(
            (answer.status, answer.slug().as_str()),
            (status, slug),
            "{path} {body}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn i17_no_quorum_is_said_and_not_hidden() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester, Role::Officer]).await;
    let serial = world.issued(&caller).await["serial"].as_str().unwrap().to_owned();
    world.switches.no_quorum.store(true, Ordering::SeqCst);
    let body = json!({ "profile": "tls-server", "csr": csr(&["web.test"]) });
    for request in [
        post(CERTIFICATES, &body),
        post(&format!("{CERTIFICATES}/{serial}/revoke"), &json!({})),
        get(&format!("{CERTIFICATES}/0123")),
    ] {
        let answer = world.api(Some(&caller), request).await;
        assert_eq!((answer.status, answer.slug().as_str()), (503, "no-quorum"), "{}", answer.text());
        let problem = answer.json();
        assert_eq!(problem["outcome"], "not_applied");
        assert_eq!(problem["leader"], "ca1:8443");
        assert!(problem["detail"].as_str().unwrap().contains("2 of 3 voters are needed"), "{problem}");
    }
    let shown = async |how: &str| {
        world.api(Some(&caller), get(&format!("{CERTIFICATES}/{serial}{how}"))).await.status
    };
    assert_eq!(shown("").await, 200, "what is recorded is shown without a quorum, for a while");
    world.pass(ca_http::limits::STALENESS_MS_MAX + 1);
    assert_eq!(shown("").await, 503);
    assert_eq!(shown("?consistency=local").await, 200);
}

#[tokio::test]
async fn a_token_that_is_away_is_said() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    world.switches.token_down.store(true, Ordering::SeqCst);
    let body = json!({ "profile": "tls-server", "csr": csr(&["web.test"]) });
    let answer = world.api(Some(&caller), post(CERTIFICATES, &body)).await;
    assert_eq!((answer.status, answer.slug().as_str()), (503, "token-down"), "{}", answer.text());
}

#[tokio::test(start_paused = true)]
async fn an_act_outlives_its_callers_patience() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let body = json!({ "profile": "tls-server", "csr": csr(&["web.test"]) });
    let with_key = || {
        let mut request = post(CERTIFICATES, &body);
        request.headers_mut().insert("idempotency-key", "k".parse().unwrap());
        request
    };
    // Two appends: intent and record.
    world.switches.append_ms.store(20_000, Ordering::SeqCst);
    let answer = world.api(Some(&caller), with_key()).await;
    assert_eq!((answer.status, answer.slug().as_str()), (503, "deadline"), "{}", answer.text());
    assert_eq!(answer.json()["outcome"], "unknown");
    tokio::time::sleep(Duration::from_secs(11)).await;
    world.switches.append_ms.store(0, Ordering::SeqCst);
    let before = answer.header("ca-index").parse::<u64>().unwrap();
    let answer = world.api(Some(&caller), with_key()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["log"]["index"], before + 1, "the record of the first attempt");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_leaves_no_open_intent() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    world.switches.append_ms.store(1_000, Ordering::SeqCst);
    let body = json!({ "profile": "tls-server", "csr": csr(&["web.test"]) });
    let asked = world.api(Some(&caller), post(CERTIFICATES, &body));
    assert!(
        tokio::time::timeout(Duration::from_millis(1_500), asked).await.is_err(),
        "between intent and record"
    );
    assert_eq!(world.open_intents(), 1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.open_intents(), 0);
}

#[tokio::test(start_paused = true)]
async fn acts_under_way_are_bounded() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Operator]).await;
    world.switches.mint_ms.store(1_000, Ordering::SeqCst);
    let mint = || world.api(Some(&caller), post("/api/v1/join-tokens", &json!({})));
    let mut first: Vec<_> = (0..ca_http::limits::ACTS_MAX).map(|_| Box::pin(mint())).collect();
    for asked in &mut first {
        assert!(tokio::time::timeout(Duration::ZERO, asked).await.is_err());
    }
    let answer = mint().await;
    assert_eq!((answer.status, answer.slug().as_str()), (503, "too-busy"));
    for asked in first {
        assert_eq!(asked.await.status, 201);
    }
    assert_eq!(mint().await.status, 201);
}

#[tokio::test]
async fn an_expired_client_certificate_is_refused_on_an_old_connection() {
    let world = World::new().await;
    let operator = world.caller(&[Role::Requester]).await;
    let issued = world.issued(&operator).await;
    let pem = issued["certificate"].as_str().unwrap();
    let der = ca_x509::pem::decode(&["CERTIFICATE"], pem.as_bytes()).unwrap();
    assert_eq!(world.api(Some(&der), get("/api/v1/whoami")).await.status, 200);
    world.pass(91 * 24 * 3600 * 1000);
    let answer = world.api(Some(&der), get("/api/v1/whoami")).await;
    assert_eq!((answer.status, answer.slug().as_str()), (401, "client-certificate-invalid"));
}

#[tokio::test]
async fn i26_one_event_a_request_without_names() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let events = Events::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(events.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let issued = world.issued(&caller).await;
    let refused = world.api(None, post(CERTIFICATES, &json!({ "secret": "canary" }))).await;
    drop(guard);
    let text = events.text();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{text}");
    let [done, not_done] = [&lines[0]["fields"], &lines[1]["fields"]];
    assert_eq!((&done["route"], &done["status"]), (&json!(CERTIFICATES), &json!(201)));
    assert_eq!((&done["serial"], &done["index"]), (&issued["serial"], &issued["log"]["index"]));
    assert!(done["identity"].as_str().unwrap().starts_with("spki:"), "{text}");
    assert_eq!((&not_done["slug"], &not_done["status"]), (&json!("no-client-certificate"), &json!(401)));
    assert_eq!(not_done["request_id"], refused.json()["instance"]);
    assert!(!text.contains("web.test") && !text.contains("canary"), "{text}");
}

/// What was logged.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<u8>>>);

impl Events {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Events {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Events {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn read_your_writes_by_index() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Auditor]).await;
    for (index, status, slug) in
        [("1", 200, None), ("999999", 412, Some("behind")), ("x", 400, Some("bad-request"))]
    {
        let mut request = get("/api/v1/cluster");
        request.headers_mut().insert("ca-min-index", index.parse().unwrap());
        let answer = world.api(Some(&caller), request).await;
        assert_eq!(answer.status, status, "{index}");
        assert_eq!((answer.status != 200).then(|| answer.slug()).as_deref(), slug);
    }
}

/// Mechanism: `Authority::tick`, whose entry is applied before it returns; `CaKeys::try_sign`.
#[tokio::test]
async fn a_node_proves_what_it_can_do_and_says_what_it_cannot() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Operator]).await;
    let prove = async || {
        let answer = world.api(Some(&caller), post("/api/v1/cluster/proof", &json!({}))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let applied = async || {
        let cluster = world.api(Some(&caller), get("/api/v1/cluster")).await.json();
        cluster["standing"]["applied"].as_u64().unwrap()
    };
    let before = applied().await;
    let proof = prove().await;
    assert_eq!(proof["write"]["index"], before + 1, "{proof}");
    assert_eq!(applied().await, before + 1, "nothing but the one entry");
    let signed: Vec<_> = proof["signatures"].as_array().unwrap().iter().map(|one| &one["ca"]).collect();
    assert_eq!(signed, ["issuing", "root"]);
    assert!(proof["signatures"].as_array().unwrap().iter().all(|one| one["took_us"].is_u64()), "{proof}");

    world.switches.no_quorum_for_writes.store(true, Ordering::SeqCst);
    let proof = prove().await;
    assert!(proof["write"].is_null(), "{proof}");
    assert_eq!(proof["no_write"]["slug"], "no-quorum", "{proof}");
    assert!(proof["signatures"][0]["took_us"].is_u64(), "the token signs all the same: {proof}");
}

#[tokio::test]
async fn tells_of_the_cluster_its_cas_and_the_caller() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Auditor]).await;
    let ask = async |path: &str| {
        let answer = world.api(Some(&caller), get(path)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer
    };
    let cluster = ask("/api/v1/cluster").await.json();
    assert_eq!((&cluster["name"], &cluster["epoch"]), (&json!("corp"), &json!(0)));
    assert_eq!(cluster["id"], "09".repeat(16));
    assert_eq!(cluster["standing"]["leader"], 1);
    assert_eq!(cluster["members"][0]["state"], "signing");
    assert_eq!(ask("/api/v1/cluster/members").await.json(), cluster["members"]);
    let profiles = ask("/api/v1/profiles").await.json();
    let names: Vec<&str> = profiles.as_array().unwrap().iter().filter_map(|p| p["name"].as_str()).collect();
    assert!(names.contains(&"tls-server") && names.contains(&"sub-ca"), "{names:?}");
    let cas = ask("/api/v1/cas").await.json();
    assert_eq!((&cas[0]["name"], &cas[1]["name"]), (&json!("issuing"), &json!("root")));
    assert_eq!(ask("/api/v1/cas/issuing").await.json(), cas[0]);
    let chain = Certificate::parse_chain(&ask("/api/v1/cas/issuing/chain").await.body).unwrap();
    assert_eq!(chain.len(), 2, "the root included");
    let me = ask("/api/v1/whoami").await.json();
    assert!(me["identity"].as_str().unwrap().starts_with("spki:"), "{me}");
    assert_eq!((&me["roles"], &me["label"]), (&json!(["auditor"]), &json!("test")));
    for (path, slug) in [
        ("/api/v1/cas/nosuch", "unknown-ca"),
        ("/api/v1/cas/nosuch/chain", "unknown-ca"),
        ("/api/v1/cas/No%20Such", "not-found"),
    ] {
        let answer = world.api(Some(&caller), get(path)).await;
        assert_eq!((answer.status, answer.slug().as_str()), (404, slug), "{path}");
    }
}

#[tokio::test]
async fn nodes_come_in_through_the_desk() {
    let world = World::new().await;
    let papers = |secret: &str, csr: &str| {
        json!({ "secret": secret, "name": "ca2", "peer_address": "a:1", "api_address": "a:2", "va_address": "a:3",
            "peer_csr": csr, "tls_csr": csr })
    };
    let answer = world.api(None, post("/api/v1/join", &papers("s3cret", "c"))).await;
    assert_eq!((answer.status, &answer.json()["node"]), (200, &json!(2)));
    for (body, status, slug) in [
        (papers("wrong", "c"), 403, "join-token-unknown"),
        (papers("s3cret", ""), 400, "bad-request"),
        (json!({}), 400, "bad-json"),
        (json!({ "secret": "s3cret", "x": "y".repeat(70_000) }), 413, "body-too-large"),
    ] {
        let answer = world.api(None, post("/api/v1/join", &body)).await;
        assert_eq!((answer.status, answer.slug().as_str()), (status, slug));
        assert!(!answer.text().contains("s3cret"), "I26");
    }
    let operator = world.caller(&[Role::Operator]).await;
    let minted = world.api(Some(&operator), post("/api/v1/join-tokens", &json!({}))).await;
    assert_eq!(minted.status, 201);
    assert_eq!(minted.json(), json!({ "token": "tok", "expires_at": "2026-11-22T15:04:05Z" }));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let world = World::new().await;
    for path in ["/", "/api/v1", "/api/v1/nosuch", "/ocsp", "/crl/issuing.crl"] {
        let answer = world.api(None, get(path)).await;
        assert_eq!((answer.status, answer.slug().as_str()), (404, "not-found"), "{path}");
    }
    let request = Request::delete("/api/v1/cas").body(Body::empty()).unwrap();
    let answer = world.api(None, request).await;
    assert_eq!((answer.status, answer.slug().as_str()), (405, "method-not-allowed"));
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
}

#[tokio::test]
async fn health_says_why_not() {
    let world = World::new().await;
    for path in ["/livez", "/readyz", "/readyz?role=write", "/readyz?role=va", "/readyz?role=va-stale"] {
        for answer in [world.api(None, get(path)).await, world.va(get(path)).await] {
            assert_eq!((answer.status, answer.text().as_str()), (200, "ok\n"), "{path}");
        }
    }
    world.switches.not_ready.store(true, Ordering::SeqCst);
    let answer = world.va(get("/readyz?role=va-stale")).await;
    assert_eq!((answer.status, answer.text().as_str()), (503, "not ready for va-stale\n"));
    assert_eq!(world.va(get("/livez")).await.status, 200);
    let answer = world.va(get("/readyz?role=king")).await;
    assert_eq!((answer.status, answer.slug().as_str()), (400, "bad-request"));
}
