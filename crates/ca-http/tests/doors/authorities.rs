//! CAs at the door: made, certified by each other and from elsewhere, retired.

use std::sync::atomic::Ordering;

use ca_core::command::Command;
use ca_core::roles::Role;
use serde_json::{Value, json};

use crate::openssl::Bench;
use crate::world::{Answer, World, csr, get, id, post, post_pem, put};

const CAS: &str = "/api/v1/cas";

fn team() -> Value {
    json!({
        "name": "team", "parent": "root", "subject": "CN=Team CA,O=Corp", "life": "5y", "path_len": 0,
        "permit": { "dns": ["team.test"] }, "exclude": { "ip": ["0.0.0.0/0", "::/0"] }
    })
}

impl World {
    async fn made(&self, admin: &[u8], body: &Value) -> Answer {
        let answer = self.api(Some(admin), post(CAS, body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer
    }

    /// `tls-server` is issued by this CA, and by `issuing`.
    async fn serves(&self, admin: &[u8], ca: &str) {
        let path = "/api/v1/profiles/tls-server";
        let mut profile = self.api(Some(admin), get(path)).await.json();
        profile["issuers"] = json!([ca, "issuing"]);
        let answer = self.api(Some(admin), put(path, &profile)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    async fn issue_by(&self, caller: &[u8], ca: &str, name: &str) -> Answer {
        let body = json!({ "profile": "tls-server", "ca": ca, "csr": csr(&[name]) });
        self.api(Some(caller), post_pem("/api/v1/certificates", &body)).await
    }
}

#[tokio::test]
async fn a_sub_ca_is_made_issues_and_verifies() {
    let world = World::new().await;
    let admin = world.caller(&[Role::Admin, Role::Requester]).await;
    let made = world.made(&admin, &team()).await;
    assert_eq!(made.header("location"), "/api/v1/cas/team");
    let about = made.json();
    assert_eq!((&about["state"], &about["path_len"]), (&json!("active"), &json!(0)), "{about}");
    assert_eq!(about["names"][0]["permit"]["dns"], json!(["team.test"]));
    // The same again is the same CA; what differs is another.
    let again = world.api(Some(&admin), post(CAS, &team())).await;
    assert_eq!((again.status, &again.json()["serial"]), (200, &about["serial"]));
    for (field, value) in [("subject", "CN=Other"), ("parent", "elsewhere"), ("key", "ec-p384")] {
        let mut other = team();
        other[field] = json!(value);
        let refused = world.api(Some(&admin), post(CAS, &other)).await;
        assert_eq!((refused.status, refused.slug()), (409, "ca-exists".to_owned()), "{field}");
    }

    world.serves(&admin, "team").await;
    let leaf = world.issue_by(&admin, "team", "web.team.test").await;
    assert_eq!(leaf.status, 201, "{}", leaf.text());
    let bench = Bench::new();
    bench.write("leaf.pem", &leaf.body);
    bench.write("chain.pem", world.api(None, get("/api/v1/cas/team/chain")).await.body);
    bench.write("root.pem", world.api(None, get("/api/v1/cas/root/chain")).await.body);
    bench.run("verify -x509_strict -CAfile root.pem -untrusted chain.pem leaf.pem");
    let text = bench.run("x509 -in chain.pem -noout -text");
    for line in
        ["CA:TRUE, pathlen:0", "X509v3 Name Constraints: critical", "DNS:team.test", "IP:0.0.0.0/0.0.0.0"]
    {
        assert!(text.contains(line), "{line}\n{text}");
    }
    for name in ["web.other.test", "team.test.org", "10.0.0.1"] {
        let refused = world.issue_by(&admin, "team", name).await;
        assert_eq!((refused.status, refused.slug()), (422, "outside-ca".to_owned()), "{name}");
    }
    let mut below = team();
    (below["name"], below["parent"], below["subject"]) = (json!("low"), json!("team"), json!("CN=Low"));
    let refused = world.api(Some(&admin), post(CAS, &below)).await;
    assert_eq!((refused.status, refused.slug()), (422, "outside-ca".to_owned()), "{}", refused.text());
    assert!(!world.authority.ports().signer_has(&id("low")), "no key was made for it");
}

/// Mechanism: `create::define` asks for the register's CA first, and `CaKeys::key_for` for the key under its name.
#[tokio::test]
async fn an_interrupted_creation_goes_on_and_makes_no_second_key() {
    let world = World::new().await;
    let admin = world.caller(&[Role::Admin]).await;
    // Interrupted after the key: the log takes nothing.
    world.switches.no_quorum_for_writes.store(true, Ordering::SeqCst);
    assert_eq!(world.api(Some(&admin), post(CAS, &team())).await.status, 503);
    world.switches.no_quorum_for_writes.store(false, Ordering::SeqCst);
    let key = world.authority.ports().signer_key(&id("team")).unwrap();
    // Interrupted after the definition: proofs are missing.
    world.switches.no_proof.store(true, Ordering::SeqCst);
    let waiting = world.api(Some(&admin), post(CAS, &team())).await;
    assert_eq!(waiting.status, 202, "{}", waiting.text());
    let about = waiting.json();
    assert_eq!((&about["state"], &about["waiting_for"]), (&json!("waiting"), &json!(["ca1"])));
    world.switches.no_proof.store(false, Ordering::SeqCst);
    world.command(Command::ProveKey { key: key.key_identifier(), signature: vec![1] }).await;
    let made = world.made(&admin, &team()).await.json();
    assert_eq!(made["key"], key.key_identifier().to_string());
}

#[tokio::test]
async fn what_is_no_ca_is_refused_with_its_field() {
    let world = World::new().await;
    let admin = world.caller(&[Role::Admin]).await;
    for (field, value, status, slug) in [
        ("name", json!("Team"), 400, "bad-request"),
        ("name", json!("elsewhere"), 400, "bad-request"),
        ("name", json!("root"), 409, "ca-exists"),
        ("parent", json!("nobody"), 404, "unknown-ca"),
        ("parent", json!("?"), 400, "bad-request"),
        ("subject", json!(""), 400, "bad-request"),
        ("subject", json!("Team"), 400, "bad-request"),
        ("subject", json!("CN=issuing,O=Corp"), 409, "ca-exists"),
        ("subject", json!("C=Germany"), 400, "bad-request"),
        ("key", json!("dsa"), 400, "bad-request"),
        ("key", json!("rsa-1024"), 400, "bad-request"),
        ("life", json!("5 years"), 400, "bad-json"),
        ("life", json!("40y"), 422, "outside-profile"),
        ("path_len", json!(-1), 400, "bad-json"),
        ("path_len", json!(256), 400, "bad-json"),
        ("permit", json!({ "dns": ["*.team.test"] }), 400, "bad-request"),
        ("permit", json!({ "ip": ["10.0.0.1/8"] }), 400, "bad-request"),
        ("permit", json!({ "host": ["team.test"] }), 400, "bad-json"),
        ("profile", json!("tls-server"), 422, "outside-profile"),
        ("profile", json!("nobodys"), 422, "unknown-profile"),
        ("colour", json!("red"), 400, "bad-json"),
    ] {
        let mut body = team();
        body[field] = value.clone();
        let refused = world.api(Some(&admin), post(CAS, &body)).await;
        assert_eq!(
            (refused.status, refused.slug().as_str()),
            (status, slug),
            "{field} {value}: {}",
            refused.text()
        );
    }
}

#[tokio::test]
async fn only_an_admin_changes_cas() {
    let world = World::new().await;
    for role in Role::ALL {
        let caller = world.caller(&[role]).await;
        for request in [
            post(CAS, &team()),
            post("/api/v1/cas/root/renew", &json!({})),
            post("/api/v1/cas/root/retire", &json!({ "dry_run": true })),
            post("/api/v1/cas/root/csr", &json!({})),
            put("/api/v1/cas/root/certificate", &json!({ "certificates": "" })),
            post("/api/v1/cross-certificates", &json!({ "by": "root" })),
        ] {
            let path = request.uri().to_string();
            let answer = world.api(Some(&caller), request).await;
            assert_eq!(answer.status == 403, role != Role::Admin, "{role:?} {path}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_ca_whose_root_is_elsewhere_is_certified_by_openssl() {
    let world = World::new().await;
    let admin = world.caller(&[Role::Admin, Role::Requester]).await;
    let body = json!({ "name": "ext", "parent": "elsewhere", "subject": "CN=Ext CA,O=Corp" });
    let waiting = world.api(Some(&admin), post(CAS, &body)).await;
    assert_eq!((waiting.status, &waiting.json()["state"]), (202, &json!("waiting")), "{}", waiting.text());
    let asked = world.api(Some(&admin), post("/api/v1/cas/ext/csr", &json!({}))).await.json();
    let again = world.api(Some(&admin), post("/api/v1/cas/ext/csr", &json!({}))).await.json();
    assert_eq!(asked, again, "signed once");

    let bench = Bench::new();
    bench.write("ext.csr", asked["csr"].as_str().unwrap());
    bench.run("req -in ext.csr -noout -verify");
    bench.write(
        "ca.ext",
        "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n\
                           subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    );
    bench.write("leaf.ext", "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n");
    for root in ["top", "other"] {
        bench.run(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 900 -subj /CN=Top -sha256 \
             -keyout {root}.key -out {root}.pem"
        ));
    }
    for (name, ext) in [("ext", "ca.ext"), ("leaf", "leaf.ext")] {
        bench.run(&format!(
            "x509 -req -in ext.csr -CA top.pem -CAkey top.key -CAcreateserial -days 800 -sha256 -extfile {ext} \
             -out {name}.pem"
        ));
    }
    let read = |name: &str| String::from_utf8(bench.read(name)).unwrap();
    let import =
        |certificates: String| put("/api/v1/cas/ext/certificate", &json!({ "certificates": certificates }));
    for (what, certificates, status, why) in [
        ("nothing", String::new(), 400, ""),
        ("no chain", read("ext.pem"), 422, "chain up to the root"),
        ("another root of that name", read("ext.pem") + &read("other.pem"), 422, "not signed with the key"),
        ("a leaf's", read("leaf.pem") + &read("top.pem"), 422, "cRLSign"),
        ("the root's own", read("top.pem"), 422, ""),
    ] {
        let refused = world.api(Some(&admin), import(certificates)).await;
        assert_eq!(refused.status, status, "{what}: {}", refused.text());
        assert!(refused.text().contains(why), "{what}: {}", refused.text());
    }
    // openssl's clock went on while the world's stood still.
    world.pass(60_000);
    let taken = world.api(Some(&admin), import(read("ext.pem") + &read("top.pem"))).await;
    assert_eq!((taken.status, &taken.json()["state"]), (200, &json!("active")), "{}", taken.text());

    world.serves(&admin, "ext").await;
    let leaf = world.issue_by(&admin, "ext", "web.test").await;
    assert_eq!(leaf.status, 201, "{}", leaf.text());
    bench.write("web.pem", &leaf.body);
    bench.write("chain.pem", world.api(None, get("/api/v1/cas/ext/chain")).await.body);
    bench.run("verify -CAfile top.pem -untrusted chain.pem web.pem");
    let served = world.va(get("/ca/ext.cer")).await;
    bench.write("served.der", served.body);
    assert_eq!(bench.run("x509 -in served.der -inform DER -outform PEM"), read("ext.pem"));
}

#[tokio::test]
async fn roots_certify_each_other_and_strangers() {
    let world = World::new().await;
    let admin = world.caller(&[Role::Admin]).await;
    let second = json!({ "name": "second", "parent": "second", "subject": "CN=Second Root,O=Corp" });
    assert_eq!(world.made(&admin, &second).await.json()["parent"], "second");
    let cross = |body: &Value| post_pem("/api/v1/cross-certificates", body);
    let crossed =
        world.api(Some(&admin), cross(&json!({ "by": "second", "ca": "root", "path_len": 1 }))).await;
    assert_eq!(crossed.status, 201, "{}", crossed.text());
    let about = world.api(None, get("/api/v1/cas/root")).await.json();
    assert_eq!(about["others"][0]["by"], "second", "{about}");

    let bench = Bench::new();
    bench.write("issuing.pem", world.api(None, get("/api/v1/cas/issuing/chain")).await.body);
    bench.write("over.pem", world.api(None, get("/api/v1/cas/issuing/chain?alternative=1")).await.body);
    bench.write("second.pem", world.api(None, get("/api/v1/cas/second/chain")).await.body);
    bench.run("verify -CAfile second.pem -untrusted over.pem issuing.pem");
    assert_eq!(world.api(None, get("/api/v1/cas/issuing/chain?alternative=2")).await.status, 400);

    bench.run(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Foreign -keyout f.key -out f.csr",
    );
    let csr = String::from_utf8(bench.read("f.csr")).unwrap();
    let body =
        json!({ "by": "root", "csr": csr, "path_len": 0, "life": "1y", "permit": { "dns": ["f.test"] } });
    let foreign = world.api(Some(&admin), cross(&body)).await;
    assert_eq!(foreign.status, 201, "{}", foreign.text());
    bench.write("f.pem", &foreign.body);
    bench.write("root.pem", world.api(None, get("/api/v1/cas/root/chain")).await.body);
    bench.run("verify -CAfile root.pem f.pem");
    for body in [json!({ "by": "root" }), json!({ "by": "root", "ca": "issuing", "csr": csr })] {
        assert_eq!(world.api(Some(&admin), cross(&body)).await.slug(), "bad-request");
    }
    // A key of the cluster's own, as a stranger's: refused, whoever asks.
    let own = world.api(Some(&admin), post("/api/v1/cas/issuing/csr", &json!({}))).await.json();
    let body = json!({ "by": "second", "csr": own["csr"] });
    assert_eq!(world.api(Some(&admin), cross(&body)).await.slug(), "cluster-key");
}

#[tokio::test]
async fn a_retired_ca_says_what_depends_on_it_and_stops() {
    let world = World::new().await;
    let admin = world.caller(&[Role::Admin, Role::Requester]).await;
    world.made(&admin, &team()).await;
    world.serves(&admin, "team").await;
    assert_eq!(world.issue_by(&admin, "team", "a.team.test").await.status, 201);
    let retire = |body: &Value| post("/api/v1/cas/team/retire", body);
    let dry = world.api(Some(&admin), retire(&json!({ "dry_run": true }))).await.json();
    assert_eq!((&dry["profiles"], &dry["live_certificates"]), (&json!(["tls-server"]), &json!(1)), "{dry}");
    let shown = world.api(None, get("/api/v1/cas/team")).await;
    assert_eq!(shown.json()["state"], "active");
    // Somebody else changed it meanwhile.
    let renewed = world.api(Some(&admin), post("/api/v1/cas/team/renew", &json!({ "life": "2y" }))).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text());
    assert_eq!(renewed.json()["others"].as_array().map(Vec::len), Some(1));
    let mut seen = retire(&json!({}));
    seen.headers_mut().insert("if-match", shown.header("etag").parse().unwrap());
    assert_eq!(world.api(Some(&admin), seen).await.slug(), "changed-meanwhile");
    let done = world.api(Some(&admin), retire(&json!({}))).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.json()["retired_at"].is_string(), "{}", done.text());
    assert_eq!(world.api(None, get("/api/v1/cas/team")).await.json()["state"], "retired");
    let refused = world.issue_by(&admin, "team", "b.team.test").await;
    assert_eq!((refused.status, refused.slug()), (409, "ca-retired".to_owned()));
    let needed = world.api(Some(&admin), post("/api/v1/cas/issuing/retire", &json!({}))).await;
    assert_eq!((needed.status, needed.slug()), (409, "ca-needed".to_owned()));
}

/// Mechanism: `mandate::may_not_issue` at plan and intent; before it a revoked CA went on to issue.
#[tokio::test]
async fn a_ca_whose_certificate_is_revoked_issues_no_more() {
    let world = World::new().await;
    let admin = world.caller(&[Role::Admin, Role::Requester, Role::Officer]).await;
    let serial = world.api(None, get("/api/v1/cas/issuing")).await.json()["serial"].clone();
    let path = format!("/api/v1/certificates/{}/revoke", serial.as_str().unwrap());
    // Not by a pattern, and not by who asks for certificates only.
    let body = json!({ "ca": "root", "reason": "cessationOfOperation" });
    assert_eq!(world.api(Some(&admin), post(&path, &body)).await.status, 200);
    let refused = world.issue_by(&admin, "issuing", "web.test").await;
    assert_eq!((refused.status, refused.slug()), (409, "ca-revoked".to_owned()));
    assert_eq!(world.api(None, get("/api/v1/cas/issuing")).await.json()["state"], "revoked");
    let renewed = world.api(Some(&admin), post("/api/v1/cas/issuing/renew", &json!({}))).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text());
    assert_eq!(world.issue_by(&admin, "issuing", "web.test").await.status, 201);
}
