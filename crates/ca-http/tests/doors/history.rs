//! The history at the door (I20).

use ca_authority::limits::REFUSALS_EVERY_MS;
use ca_core::roles::Role;
use serde_json::{Value, json};

use crate::world::{World, csr, get, post};

const HISTORY: &str = "/api/v1/history";

async fn acts(world: &World, auditor: &[u8], query: &str) -> Vec<Value> {
    let answer = world.api(Some(auditor), get(&format!("{HISTORY}?{query}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["acts"].as_array().unwrap().clone()
}

#[tokio::test]
async fn i20_what_was_done_stands_there_with_who_wanted_it() {
    let world = World::new().await;
    let (auditor, officer) = (world.caller(&[Role::Auditor]).await, world.caller(&[Role::Officer]).await);
    let requester = world.caller(&[Role::Requester]).await;
    let issued = world.issued(&requester).await;
    let serial = issued["serial"].as_str().unwrap();
    let path = format!("/api/v1/certificates/{serial}/revoke");
    let revoked = world.api(Some(&officer), post(&path, &json!({ "reason": "superseded" }))).await;
    assert_eq!(revoked.status, 200, "{}", revoked.text());
    let told = acts(&world, &auditor, &format!("filter=serial%3D{serial}")).await;
    let words: Vec<&str> = told.iter().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(words, ["certificate-issued", "certificate-revoked"]);
    assert_eq!(told[0]["index"], issued["log"]["index"]);
    assert_eq!(told[1]["reason"], "superseded");
    assert_ne!(told[0]["by"], told[1]["by"]);
    let who = world.api(Some(&officer), get("/api/v1/whoami")).await.json();
    assert_eq!(told[1]["by"], who["identity"]);
    let officers = format!("filter=by%3D{}", who["identity"].as_str().unwrap());
    assert_eq!(acts(&world, &auditor, &officers).await, told[1..]);
}

#[tokio::test]
async fn pages_hold_all_of_it_once_and_the_cursor_goes_on_later() {
    let world = World::new().await;
    let auditor = world.caller(&[Role::Auditor]).await;
    let all = acts(&world, &auditor, "limit=1000").await;
    let (mut seen, mut query) = (Vec::new(), "limit=3".to_owned());
    let cursor = loop {
        let answer = world.api(Some(&auditor), get(&format!("{HISTORY}?{query}"))).await.json();
        seen.extend(answer["acts"].as_array().unwrap().clone());
        let cursor = answer["next_cursor"].as_str().unwrap().to_owned();
        if answer["ended"] == true {
            break cursor;
        }
        query = format!("limit=3&cursor={cursor}");
    };
    assert_eq!(seen, all);
    assert_eq!(acts(&world, &auditor, &format!("cursor={cursor}")).await, Vec::<Value>::new());
    world.caller(&[Role::Officer]).await;
    let later = acts(&world, &auditor, &format!("cursor={cursor}")).await;
    assert_eq!((later.len(), later[0]["act"].as_str()), (1, Some("grant-set")));
    let from = later[0]["index"].as_u64().unwrap();
    assert_eq!(acts(&world, &auditor, &format!("from={from}")).await, later);
}

/// Mechanism: `ca_http::watch`, where a refusal of a known caller is counted.
#[tokio::test]
async fn i20_refusals_of_known_callers_stand_there_and_of_others_not() {
    let world = World::new().await;
    let auditor = world.caller(&[Role::Auditor]).await;
    let requester = world.caller(&[Role::Requester]).await;
    for _ in 0..7 {
        assert_eq!(world.api(Some(&requester), get("/api/v1/grants")).await.status, 403);
        assert_eq!(world.api(None, get("/api/v1/grants")).await.status, 401);
    }
    let stranger = world.stranger();
    assert_eq!(world.api(Some(&stranger), get("/api/v1/cluster")).await.status, 403);
    let body = json!({ "profile": "tls-server", "csr": csr(&["under_score.test"]) });
    let refused = world.api(Some(&requester), post("/api/v1/certificates", &body)).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    world.switches.token_down.store(true, std::sync::atomic::Ordering::SeqCst);
    let body = json!({ "profile": "tls-server", "csr": csr(&["web.test"]) });
    assert_eq!(world.api(Some(&requester), post("/api/v1/certificates", &body)).await.status, 503);
    world.pass(REFUSALS_EVERY_MS);
    assert_eq!(world.authority.record_refusals().await.unwrap().rows, 3);
    let told = acts(&world, &auditor, "filter=act%3Drefused").await;
    let mut counts: Vec<(&str, u64)> =
        told.iter().map(|act| (act["slug"].as_str().unwrap(), act["count"].as_u64().unwrap())).collect();
    counts.sort_unstable();
    assert_eq!(counts, [("forbidden", 1), ("forbidden", 7), ("outside-profile", 1)]);
}

#[tokio::test]
async fn bad_questions_are_refused() {
    let world = World::new().await;
    let auditor = world.caller(&[Role::Auditor]).await;
    for query in ["limit=0", "limit=1001", "filter=act%3Dx", "filter=x", "cursor=!", "from=-1", "who=me"] {
        let answer = world.api(Some(&auditor), get(&format!("{HISTORY}?{query}"))).await;
        assert_eq!((answer.status, answer.slug().as_str()), (400, "bad-request"), "{query}");
    }
}
