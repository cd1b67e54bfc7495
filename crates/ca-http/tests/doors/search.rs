//! Finding certificates, and revoking all that a filter finds.

use std::collections::BTreeSet;

use axum::http::Uri;
use ca_core::roles::Role;
use serde_json::{Value, json};

use crate::world::{World, csr, get, post};

const CERTIFICATES: &str = "/api/v1/certificates";
const REVOCATIONS: &str = "/api/v1/revocations";

/// A world with an officer, two requesters, and six certificates: `h0.test` to `h3.test` of the first, the others of
/// the second.
struct Issued {
    world: World,
    officer: Vec<u8>,
    one: Vec<u8>,
    other: Vec<u8>,
}

impl Issued {
    async fn new() -> Self {
        let world = World::new().await;
        let officer = world.caller(&[Role::Officer]).await;
        let (one, other) = (world.caller(&[Role::Requester]).await, world.caller(&[Role::Requester]).await);
        for number in 0..6 {
            let caller = if number < 4 { &one } else { &other };
            let body = json!({ "profile": "tls-server", "csr": csr(&[&format!("h{number}.test")]) });
            let answer = world.api(Some(caller), post(CERTIFICATES, &body)).await;
            assert_eq!(answer.status, 201, "{}", answer.text());
        }
        Self { world, officer, one, other }
    }

    async fn officer_and_requester(&self) -> Vec<u8> {
        self.world.caller(&[Role::Officer, Role::Requester]).await
    }

    /// Every page of a search: the certificates, and how many pages there were.
    async fn found(&self, caller: &[u8], filter: &str, limit: usize) -> (Vec<Value>, usize) {
        let (mut all, mut sizes, mut cursor) = (Vec::new(), Vec::new(), String::new());
        loop {
            let filter: String = filter.replace(' ', "%20").replace('<', "%3C").replace('>', "%3E");
            let path = format!("{CERTIFICATES}?filter={filter}&limit={limit}{cursor}");
            let answer = self.world.api(Some(caller), get(&path)).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let page = answer.json();
            let certificates = page["certificates"].as_array().unwrap();
            assert!(certificates.len() <= limit);
            sizes.push(certificates.len());
            all.extend(certificates.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return (all, sizes.len()),
            }
        }
    }

    async fn names(&self, caller: &[u8], filter: &str) -> BTreeSet<String> {
        let (found, _) = self.found(caller, filter, 100).await;
        found.iter().map(|one| one["names"][0].as_str().unwrap_or_default().to_owned()).collect()
    }

    async fn bulk(&self, caller: &[u8], body: &Value) -> Value {
        let answer = self.world.api(Some(caller), post(REVOCATIONS, body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| format!("DNS:{name}.test")).collect()
}

#[tokio::test]
async fn a_filter_finds_and_pages_hold_all_of_it_once() {
    let issued = Issued::new().await;
    let filter = "ca=issuing profile=tls-server";
    assert_eq!(issued.names(&issued.officer, filter).await, set(&["h0", "h1", "h2", "h3", "h4", "h5"]));
    assert_eq!(issued.names(&issued.officer, &format!("{filter} name=h2.test")).await, set(&["h2"]));
    let (found, pages) = issued.found(&issued.officer, filter, 2).await;
    let serials: BTreeSet<&str> = found.iter().map(|one| one["serial"].as_str().unwrap()).collect();
    assert_eq!((found.len(), serials.len()), (6, 6));
    assert!(pages >= 3, "{pages}");
    assert_eq!(found[0]["status"], "good");
    assert_eq!(found[0]["profile"], "tls-server");
}

/// Mechanism: `ca_http::search::visible`.
#[tokio::test]
async fn i18_a_requester_sees_its_own_certificates_only() {
    let issued = Issued::new().await;
    assert_eq!(issued.names(&issued.one, "").await, set(&["h0", "h1", "h2", "h3"]));
    assert_eq!(issued.names(&issued.other, "name=h1.test").await, set(&[]));
    let dry = issued.bulk(&issued.other, &json!({ "filter": "profile=tls-server", "dry_run": true })).await;
    assert_eq!(dry["revoked"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_bulk_revocation_says_first_and_does_then_and_does_it_once() {
    let issued = Issued::new().await;
    let (who, _) = issued.found(&issued.one, "", 1).await;
    let filter = format!("requester={}", who[0]["requester"].as_str().unwrap());
    let dry = issued.bulk(&issued.officer, &json!({ "filter": filter, "dry_run": true })).await;
    assert_eq!((dry["revoked"].as_array().unwrap().len(), dry["dry_run"].as_bool()), (4, Some(true)));
    assert_eq!(issued.names(&issued.officer, "status=revoked").await, set(&[]), "nothing was done");

    let body = json!({ "filter": filter, "reason": "cessationOfOperation" });
    let done = issued.bulk(&issued.officer, &body).await;
    assert_eq!(done["revoked"].as_array().unwrap().len(), 4);
    assert_eq!(issued.names(&issued.officer, "status=revoked").await, set(&["h0", "h1", "h2", "h3"]));
    let (found, _) = issued.found(&issued.officer, "name=h0.test", 1).await;
    assert_eq!(found[0]["reason"], "cessationOfOperation");

    let rest = issued.bulk(&issued.officer, &json!({ "filter": "ca=issuing", "dry_run": true })).await;
    assert_eq!(
        rest["revoked"].as_array().unwrap().len(),
        2,
        "the responder's own certificate is not among them"
    );
    let again = issued.bulk(&issued.officer, &body).await;
    assert_eq!(again["revoked"].as_array().unwrap().len(), 0, "what is revoked stays as it is");
}

/// Mechanism: the comparison of octets in `issued_here`.
#[tokio::test]
async fn a_certificate_is_revoked_by_being_shown() {
    let issued = Issued::new().await;
    let mine = issued.world.issued(&issued.officer_and_requester().await).await;
    let pem = mine["certificate"].as_str().unwrap();
    let der = ca_x509::pem::decode(&["CERTIFICATE"], pem.as_bytes()).unwrap();
    let base64 = |der: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
    let show = |certificate: String| json!({ "certificate": certificate, "reason": "keyCompromise" });
    let mut other = der.clone();
    *other.last_mut().unwrap() ^= 1;
    for (body, status, slug) in [
        (show(base64(&other)), 404, "unknown-serial"),
        (show("no certificate".to_owned()), 400, "bad-request"),
        (show(base64(b"no certificate")), 400, "bad-request"),
        (json!({ "certificate": pem, "filter": "ca=issuing" }), 400, "bad-request"),
        (json!({}), 400, "bad-request"),
    ] {
        let answer = issued.world.api(Some(&issued.officer), post(REVOCATIONS, &body)).await;
        assert_eq!((answer.status, answer.slug().as_str()), (status, slug), "{body}: {}", answer.text());
    }
    let done = issued.bulk(&issued.officer, &show(base64(&der))).await;
    assert_eq!((&done["revoked"][0]["serial"], done["next_cursor"].as_str()), (&mine["serial"], None));
    let again = issued.bulk(&issued.officer, &show(pem.to_owned())).await;
    assert_eq!(again["revoked"], done["revoked"], "the first date stays");
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let issued = Issued::new().await;
    for path in ["?filter=colour%3Dred", "?limit=0", "?limit=1001", "?cursor=x", "?colour=red"] {
        let path: Uri = format!("{CERTIFICATES}{path}").parse().unwrap();
        let answer = issued.world.api(Some(&issued.officer), get(&path.to_string())).await;
        assert_eq!((answer.status, answer.slug()), (400, "bad-request".to_owned()), "{path}");
    }
    for body in [json!({ "filter": "" }), json!({ "filter": "ca=issuing", "reason": "dislike" })] {
        let answer = issued.world.api(Some(&issued.officer), post(REVOCATIONS, &body)).await;
        assert_eq!(answer.slug(), "bad-request", "{body}");
    }
    let auditor = issued.world.caller(&[Role::Auditor]).await;
    let body = json!({ "filter": "ca=issuing" });
    assert_eq!(issued.world.api(Some(&auditor), post(REVOCATIONS, &body)).await.slug(), "forbidden");
}
