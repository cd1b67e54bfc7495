//! What the starter profiles issue, as openssl reads it: each for each kind of key that it takes, and none for others.

use ca_core::roles::Role;
use serde_json::json;

use crate::openssl::Bench;
use crate::world::{World, post};

const KEYS: [(&str, &str); 5] = [
    ("p256", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256.key"),
    ("p384", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.key"),
    ("p521", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.key"),
    ("ed25519", "genpkey -algorithm ED25519 -out ed25519.key"),
    ("rsa", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out rsa.key"),
];

/// A profile; the subject of the CSR; the names; what openssl finds it good for, and not; words of its text; whether
/// it takes the keys that no client of use takes.
type Starter = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static [&'static str],
    bool,
);

const STARTERS: [Starter; 5] = [
    (
        "tls-server",
        "/CN=web.test/O=unasked",
        &["web.test", "*.web.test", "192.0.2.1"],
        "sslserver",
        "sslclient",
        &["DNS:*.web.test", "TLS Web Server Authentication", "Subject: CN = web.test"],
        false,
    ),
    (
        "tls-client",
        "/CN=ann@mail.test",
        &["ann@mail.test"],
        "sslclient",
        "sslserver",
        &["email:ann@mail.test", "TLS Web Client Authentication", "Subject: CN = ann@mail.test"],
        false,
    ),
    (
        "device",
        "/OU=unasked/serialNumber=0024BE-7",
        &["dev7.test"],
        "sslclient",
        "sslserver",
        &["DNS:dev7.test", "Subject: serialNumber = 0024BE-7"],
        true,
    ),
    (
        "code-signing",
        "/CN=Example",
        &[],
        "any",
        "sslserver",
        &["Code Signing", "Subject: CN = Example"],
        false,
    ),
    (
        "smime",
        "/CN=ann@mail.test",
        &["ann@mail.test"],
        "smimesign",
        "sslclient",
        &["E-mail Protection", "email:ann@mail.test"],
        false,
    ),
];

#[tokio::test]
async fn openssl_takes_what_each_starter_issues_for_its_purpose_and_no_other() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    let bench = Bench::new();
    for (_, generate) in KEYS {
        bench.run(generate);
    }
    for (profile, subject, names, purpose, other, words, every_key) in STARTERS {
        for (key, _) in KEYS {
            bench.run(&format!("req -new -key {key}.key -subj {subject} -out a.csr"));
            let csr = String::from_utf8(bench.read("a.csr")).unwrap();
            let body = json!({ "profile": profile, "csr": csr, "names": names });
            let answer = world.api(Some(&caller), post("/api/v1/certificates", &body)).await;
            let taken = every_key || !matches!(key, "ed25519" | "p521");
            assert_eq!(answer.status == 201, taken, "{profile} {key}: {}", answer.text());
            if !taken {
                assert_eq!(answer.slug(), "outside-profile");
                continue;
            }
            let issued = answer.json();
            bench.write("leaf.pem", issued["certificate"].as_str().unwrap());
            bench.write("issuing.pem", issued["chain"][0].as_str().unwrap());
            bench.write("root.pem", issued["chain"][1].as_str().unwrap());
            let verify = |purpose: &str| {
                format!(
                    "verify -x509_strict -purpose {purpose} -CAfile root.pem -untrusted issuing.pem leaf.pem"
                )
            };
            bench.run(&verify(purpose));
            let (fits, told) = bench.try_run(&verify(other));
            assert!(!fits, "{profile} {key} as {other}: {told}");
            let text = bench.run("x509 -in leaf.pem -noout -text");
            for word in words {
                assert!(text.contains(word), "{profile} {key}: no {word} in\n{text}");
            }
            assert!(!text.contains("unasked"), "{text}");
            let transports = key == "rsa" && matches!(profile, "tls-server" | "smime");
            assert_eq!(text.contains("Key Encipherment"), transports, "{profile} {key}");
        }
    }
}
