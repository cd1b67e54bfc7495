//! Lists of revocations: shards, deltas, holds, and what the API says of them.

use axum::body::Body;
use axum::http::Request;
use ca_core::command::Command;
use ca_core::profile::Allow;
use ca_core::roles::{Identity, Role};
use ca_x509::certificate::Certificate;
use serde_json::{Value, json};

use crate::openssl::Bench;
use crate::va::with_leaf;
use crate::world::{World, get, id, post};

const REVOKE_ALL: &[Role] = &[Role::Requester, Role::Officer];

/// From now on `tls-server` permits holds.
async fn permit_holds(world: &World) {
    let name = "tls-server".parse().unwrap();
    let mut profile = (*world.authority.register().profile(&name).unwrap().unwrap()).clone();
    (profile.hold, profile.version) = (Allow::Yes, profile.version.saturating_add(1));
    world.command(Command::DefineProfile { profile: Box::new(profile), requester: Identity::Ceremony }).await;
}

/// What openssl says against these arguments.
fn refused_by(bench: &Bench, arguments: &str) -> String {
    let (ok, text) = bench.try_run(arguments);
    assert!(!ok, "openssl {arguments}\n{text}");
    text
}

/// The file name of the list that a certificate names.
fn list_named_in(bench: &Bench) -> String {
    let pem = bench.read("leaf.pem");
    let certificate =
        Certificate::parse(&pem).or_else(|_| Certificate::parse_chain(&pem).map(|mut all| all.remove(0)));
    let points = certificate.unwrap().extensions().crl_distribution_points.clone();
    let [point] = points.as_slice() else { panic!("one list: {points:?}") };
    point.rsplit_once('/').unwrap().1.to_owned()
}

/// Fetches a list from the status service, in PEM, into the file of its name.
async fn fetch(world: &World, bench: &Bench, file: &str) {
    let answer = world.va(get(&format!("/crl/{file}"))).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/pkix-crl"), "{file}");
    bench.write("list.der", &answer.body);
    bench.run(&format!("crl -inform DER -in list.der -out {file}"));
}

async fn now(world: &World, caller: &[u8], ca: &str) -> Vec<Value> {
    let path = format!("/api/v1/cas/{ca}/crl");
    let answer = world.api(Some(caller), Request::post(path).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json().as_array().unwrap().clone()
}

/// Each list verifies with the CA's key, and openssl believes it for the certificates that name it, and for no others.
#[tokio::test]
async fn i15_openssl_believes_the_list_that_a_certificate_names() {
    let world = World::new().await;
    let caller = world.caller(REVOKE_ALL).await;
    let (bench, serial) = with_leaf(&world, &caller, "-no_nonce").await;
    now(&world, &caller, "issuing").await;
    now(&world, &caller, "root").await;
    let named = list_named_in(&bench);
    assert!(named.starts_with("issuing-"), "{named}");
    for file in
        ["root.crl", "issuing.crl", "issuing-0.crl", "issuing-1.crl", "issuing-2.crl", "issuing-3.crl"]
    {
        fetch(&world, &bench, file).await;
    }
    let issuing = bench.run(&format!("crl -in {named} -CAfile issuing.pem -noout -text"));
    assert!(issuing.contains("verify OK") && issuing.contains(&format!("/crl/{named}")), "{issuing}");
    let chain = "-CAfile root.pem -untrusted issuing.pem -CRLfile root.crl";
    bench.run(&format!("verify -crl_check_all {chain} -CRLfile {named} leaf.pem"));
    bench.run(&format!("verify -crl_check_all {chain} -CRLfile issuing.crl leaf.pem"));
    let other = if named == "issuing-0.crl" { "issuing-1.crl" } else { "issuing-0.crl" };
    let refused = refused_by(&bench, &format!("verify -crl_check_all {chain} -CRLfile {other} leaf.pem"));
    assert!(refused.to_lowercase().contains("different crl scope"), "{refused}");

    let path = format!("/api/v1/certificates/{serial}/revoke");
    assert_eq!(world.api(Some(&caller), post(&path, &json!({ "reason": "superseded" }))).await.status, 200);
    now(&world, &caller, "issuing").await;
    for file in [&*named, "issuing.crl"] {
        fetch(&world, &bench, file).await;
        let refused = refused_by(&bench, &format!("verify -crl_check_all {chain} -CRLfile {file} leaf.pem"));
        assert!(refused.contains("certificate revoked"), "{refused}");
    }
}

/// A delta on top of its base tells openssl of a hold, and then of its end.
#[tokio::test]
async fn i14_openssl_reads_deltas_on_top_of_their_base() {
    use ca_core::shards::{ListId, ListKind};
    let world = World::new().await;
    permit_holds(&world).await;
    let caller = world.caller(REVOKE_ALL).await;
    let (bench, serial) = with_leaf(&world, &caller, "-no_nonce").await;
    let named = list_named_in(&bench);
    let shard = named.trim_start_matches("issuing-").trim_end_matches(".crl").parse().unwrap();
    let list = ListId { ca: id("issuing"), part: ca_core::shards::Part::Shard(shard) };
    let delta = named.replace(".crl", "-delta.crl");
    let status = |action: &str| format!("/api/v1/certificates/{serial}/{action}");
    let check = format!(
        "verify -crl_check -use_deltas -CAfile root.pem -untrusted issuing.pem -CRLfile {named} -CRLfile {delta} leaf.pem"
    );
    world.authority.publish_crl(&list, ListKind::Complete).await.unwrap();
    fetch(&world, &bench, &named).await;

    let held =
        world.api(Some(&caller), post(&status("revoke"), &json!({ "reason": "certificateHold" }))).await;
    assert_eq!(held.status, 200, "{}", held.text());
    world.authority.publish_crl(&list, ListKind::Delta).await.unwrap();
    fetch(&world, &bench, &delta).await;
    let text = bench.run(&format!("crl -in {delta} -CAfile issuing.pem -noout -text"));
    assert!(text.contains("Delta CRL Indicator: critical") && text.contains("Certificate Hold"), "{text}");
    assert!(refused_by(&bench, &check).contains("certificate revoked"));
    bench.run(&check.replace("-use_deltas ", ""));

    let released = world.api(Some(&caller), post(&status("release"), &json!({}))).await;
    assert_eq!(released.status, 200, "{}", released.text());
    assert_eq!(released.json()["serial"], serial.as_str());
    world.authority.publish_crl(&list, ListKind::Delta).await.unwrap();
    fetch(&world, &bench, &delta).await;
    let text = bench.run(&format!("crl -in {delta} -noout -text"));
    assert!(text.contains("Remove From CRL"), "{text}");
    bench.run(&check);
    let shown = world.api(Some(&caller), get(&format!("/api/v1/certificates/{serial}"))).await.json();
    assert_eq!(shown["status"], "good");
}

#[tokio::test]
async fn i10_a_hold_needs_a_profile_that_permits_it_and_only_a_hold_is_released() {
    let world = World::new().await;
    let caller = world.caller(REVOKE_ALL).await;
    let serial = world.issued(&caller).await["serial"].as_str().unwrap().to_owned();
    let at = |action: &str| format!("/api/v1/certificates/{serial}/{action}");
    let hold = json!({ "reason": "certificateHold" });
    let answer = world.api(Some(&caller), post(&at("revoke"), &hold)).await;
    assert_eq!((answer.status, answer.slug().as_str()), (422, "outside-profile"), "{}", answer.text());
    let answer = world.api(Some(&caller), post(&at("release"), &json!({}))).await;
    assert_eq!((answer.status, answer.slug().as_str()), (409, "not-on-hold"));
    permit_holds(&world).await;
    assert_eq!(world.api(Some(&caller), post(&at("revoke"), &hold)).await.status, 200);
    let stranger = world.caller(&[Role::Auditor]).await;
    assert_eq!(world.api(Some(&stranger), post(&at("release"), &json!({}))).await.status, 403);
    let superseded = world.api(Some(&caller), post(&at("revoke"), &json!({ "reason": "superseded" }))).await;
    assert_eq!(superseded.status, 200);
    let answer = world.api(Some(&caller), post(&at("release"), &json!({}))).await;
    assert_eq!((answer.status, answer.slug().as_str()), (409, "not-on-hold"), "a hold no longer");
    for (body, status, slug) in [
        (json!({ "ca": "nosuch" }), 404, "unknown-ca"),
        (json!({ "ca": "root" }), 404, "unknown-serial"),
        (json!({ "reason": "x" }), 400, "bad-json"),
    ] {
        let answer = world.api(Some(&caller), post(&at("release"), &body)).await;
        assert_eq!((answer.status, answer.slug().as_str()), (status, slug), "{body}");
    }
}

#[tokio::test]
async fn the_lists_of_a_ca_are_shown_and_made_anew_by_operators_and_officers() {
    let world = World::new().await;
    let shown = async || world.api(None, get("/api/v1/cas/issuing/crl")).await;
    assert_eq!(shown().await.json(), json!([]), "there is none yet");
    let requester = world.caller(&[Role::Requester]).await;
    let path = "/api/v1/cas/issuing/crl";
    let refused = world.api(Some(&requester), Request::post(path).body(Body::empty()).unwrap()).await;
    assert_eq!((refused.status, refused.slug().as_str()), (403, "forbidden"));
    let operator = world.caller(&[Role::Operator]).await;
    let made = now(&world, &operator, "issuing").await;
    assert_eq!(Value::Array(made.clone()), shown().await.json());
    let names: Vec<_> = made.iter().map(|list| format!("{} {}", list["list"], list["kind"])).collect();
    let expected = ["issuing", "issuing-0", "issuing-1", "issuing-2", "issuing-3"]
        .map(|list| ["complete", "delta"].map(|kind| format!("\"{list}\" \"{kind}\"")));
    assert_eq!(names, expected.concat());
    for list in &made {
        let url = list["url"].as_str().unwrap();
        let file = url.rsplit_once('/').unwrap().1;
        let served = world.va(get(&format!("/crl/{file}"))).await;
        assert_eq!(served.body.len(), usize::try_from(list["octets"].as_u64().unwrap()).unwrap(), "{file}");
        assert_eq!(ca_core::ids::Digest::of(&served.body).to_string(), list["sha256"].as_str().unwrap());
        assert_eq!(list["base"].is_string(), list["kind"] == "delta");
    }
    let again = now(&world, &operator, "issuing").await;
    assert!(again.iter().zip(&made).all(|(new, old)| new["number"] != old["number"]), "each is a new one");
    for (ca, slug) in [("nosuch", "unknown-ca"), ("No", "not-found")] {
        let answer = world.api(None, get(&format!("/api/v1/cas/{ca}/crl"))).await;
        assert_eq!((answer.status, answer.slug().as_str()), (404, slug));
    }
    for (file, slug) in [
        ("issuing-4.crl", "unknown-ca"),
        ("issuing-01.crl", "unknown-ca"),
        ("root-0.crl", "unknown-ca"),
        ("issuing-delta-delta.crl", "unknown-ca"),
        ("issuing-0-delta.pem", "not-found"),
    ] {
        let answer = world.va(get(&format!("/crl/{file}"))).await;
        assert_eq!((answer.status, answer.slug().as_str()), (404, slug), "{file}");
    }
    let delta = world.va(get("/crl/issuing-0-delta.crl")).await;
    assert_eq!(delta.status, 200);
    world.pass(24 * 3600 * 1000);
    let ended = world.va(get("/crl/issuing-0-delta.crl")).await;
    assert_eq!((ended.status, ended.slug().as_str()), (503, "crl-none"), "I12: a delta lives for a day");
    assert_eq!(world.va(get("/crl/issuing-0.crl")).await.status, 200);
}
