//! Profiles and grants: what is equal on all nodes and changed by an admin.

use ca_core::ids::Digest;
use ca_core::roles::Role;
use ca_x509::certificate::Certificate;
use serde_json::{Value, json};

use crate::world::{World, csr, delete, get, post, put};

const PROFILES: &str = "/api/v1/profiles";
const GRANTS: &str = "/api/v1/grants";

fn web() -> Value {
    json!({
        "name": "web", "issuers": ["issuing"], "keys": ["ec-p256"],
        "validity": { "default": "30d", "max": "90d" },
        "names": { "dns": ["team.test"], "min": 1 },
        "usage": { "key": ["digitalSignature"], "extended": ["serverAuth"] }
    })
}

pub(crate) fn key_of(certificate: &[u8]) -> String {
    Digest::of(Certificate::parse(certificate).unwrap().public_key().spki_der()).to_string()
}

#[tokio::test]
async fn a_profile_is_made_read_back_and_issued_from() {
    let world = World::new().await;
    let admin = world.caller(&[Role::Admin, Role::Requester]).await;
    let path = format!("{PROFILES}/web");
    let made = world.api(Some(&admin), put(&path, &web())).await;
    assert_eq!((made.status, made.header("etag")), (201, "\"1\""), "{}", made.text());
    let shown = world.api(Some(&admin), get(&path)).await;
    assert_eq!((shown.status, shown.header("etag")), (200, "\"1\""));
    assert_eq!(shown.json()["names"]["dns"], json!(["team.test"]));
    assert!(shown.json()["validity"].get("backdate").is_none(), "what has its default is left out");

    let again = world.api(Some(&admin), put(&path, &shown.json())).await;
    assert_eq!(
        (again.status, again.json()["changed"].as_bool()),
        (200, Some(false)),
        "what is read can be written"
    );

    for (name, status) in [("web.team.test", 201), ("web.other.test", 422)] {
        let body = json!({ "profile": "web", "csr": csr(&[name]) });
        let answer = world.api(Some(&admin), post("/api/v1/certificates", &body)).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    let list = world.api(Some(&admin), get(PROFILES)).await.json();
    assert!(list.as_array().unwrap().iter().any(|profile| profile["name"] == "web"));
}

#[tokio::test]
async fn a_change_that_somebody_else_overtook_is_refused() {
    let world = World::new().await;
    let admin = world.caller(&[Role::Admin]).await;
    let path = format!("{PROFILES}/web");
    let with = |seen: &str, body: &Value| {
        let mut request = put(&path, body);
        request.headers_mut().insert("if-match", seen.parse().unwrap());
        request
    };
    assert_eq!(world.api(Some(&admin), with("\"0\"", &web())).await.status, 201, "0: there is none yet");
    let mut changed = web();
    changed["validity"]["max"] = json!("60d");
    let taken = world.api(Some(&admin), with("\"0\"", &changed)).await;
    assert_eq!((taken.status, taken.slug()), (412, "changed-meanwhile".to_owned()));
    assert_eq!(world.api(Some(&admin), with("\"1\"", &changed)).await.header("etag"), "\"2\"");
    assert_eq!(world.api(Some(&admin), with("no number", &web())).await.status, 400);
}

#[tokio::test]
async fn a_profile_with_faults_is_refused_with_all_of_them() {
    let world = World::new().await;
    let admin = world.caller(&[Role::Admin]).await;
    let mut bad = web();
    bad["issuers"] = json!(["nobody", "peers"]);
    bad["validity"]["default"] = json!("91d");
    bad["names"]["min"] = json!(0);
    let answer = world.api(Some(&admin), put(&format!("{PROFILES}/web"), &bad)).await;
    assert_eq!((answer.status, answer.slug()), (422, "profile-invalid".to_owned()));
    let errors = answer.json()["errors"].clone();
    let pointers: Vec<&str> =
        errors.as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["validity.default", "names.min", "issuers[0]", "issuers[1]"]);
    let other = world.api(Some(&admin), put(&format!("{PROFILES}/other"), &web())).await;
    assert_eq!(other.status, 400, "the path is of another profile");
    assert_eq!(world.api(Some(&admin), get(&format!("{PROFILES}/web"))).await.slug(), "unknown-profile");
    let dry = world.api(Some(&admin), put(&format!("{PROFILES}/web?dry_run=true"), &web())).await;
    assert_eq!((dry.status, dry.json()["version"].as_u64()), (200, Some(1)), "{}", dry.text());
    assert_eq!(world.api(Some(&admin), get(&format!("{PROFILES}/web"))).await.slug(), "unknown-profile");
}

#[tokio::test]
async fn only_an_admin_changes_profiles_and_grants() {
    let world = World::new().await;
    for role in Role::ALL {
        let caller = world.caller(&[role]).await;
        let other = format!("{GRANTS}/{}", "7".repeat(64));
        let admin = role == Role::Admin;
        let profile = world.api(Some(&caller), put(&format!("{PROFILES}/web"), &web())).await;
        assert_eq!(profile.status < 300, admin, "{role:?}: {}", profile.text());
        let grant = world.api(Some(&caller), put(&other, &json!({ "roles": ["auditor"] }))).await;
        assert_eq!(grant.status, if admin { 200 } else { 403 }, "{role:?}: {}", grant.text());
        let list = world.api(Some(&caller), get(GRANTS)).await;
        assert_eq!(list.status, if admin || role == Role::Auditor { 200 } else { 403 }, "{role:?}");
        let removed = world.api(Some(&caller), delete(&other)).await;
        assert_eq!(removed.status, if admin { 200 } else { 403 }, "{role:?}");
    }
}

/// Mechanism: `ca_http::guard::admit` asks the register at each request; nothing of a grant is kept with a connection.
#[tokio::test]
async fn a_grant_opens_narrows_and_closes_at_the_next_request() {
    let world = World::new().await;
    let admin = world.caller(&[Role::Admin]).await;
    let caller = world.stranger();
    let path = format!("{GRANTS}/{}", key_of(&caller));
    let issue =
        |name: &str| post("/api/v1/certificates", &json!({ "profile": "tls-server", "csr": csr(&[name]) }));
    assert_eq!(world.api(Some(&caller), issue("web.test")).await.status, 403);

    let grant = json!({ "roles": ["requester"], "dns": ["team.test"], "label": "the team" });
    assert_eq!(world.api(Some(&admin), put(&path, &grant)).await.status, 200);
    assert_eq!(world.api(Some(&caller), issue("a.team.test")).await.status, 201);
    assert_eq!(world.api(Some(&caller), issue("web.test")).await.slug(), "outside-profile");

    assert_eq!(world.api(Some(&admin), delete(&path)).await.status, 200);
    assert_eq!(world.api(Some(&caller), issue("a.team.test")).await.status, 403);
    let own = format!("{GRANTS}/{}", key_of(&admin));
    let slip = world.api(Some(&admin), delete(&own)).await;
    assert_eq!(slip.status, 400, "an admin does not lock itself out: {}", slip.text());
}

#[tokio::test]
async fn a_requester_revokes_its_own_certificates_only() {
    let world = World::new().await;
    let (one, other) = (world.caller(&[Role::Requester]).await, world.caller(&[Role::Requester]).await);
    let ra = world.caller(&[Role::Ra]).await;
    let serial = world.issued(&one).await["serial"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/certificates/{serial}/revoke");
    let body = json!({ "reason": "superseded" });
    assert_eq!(world.api(Some(&other), post(&path, &body)).await.slug(), "forbidden");
    assert_eq!(world.api(Some(&one), post(&path, &body)).await.status, 200);
    let serial = world.issued(&one).await["serial"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/certificates/{serial}/revoke");
    assert_eq!(
        world.api(Some(&ra), post(&path, &body)).await.status,
        200,
        "a registration authority revokes for others"
    );
}
