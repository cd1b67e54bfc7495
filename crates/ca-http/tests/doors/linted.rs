//! I19 from outside: what the token was asked to sign, against what was linted and committed.

use std::ops::ControlFlow;

use ca_core::ids::CaId;
use ca_core::register::{CertificateState, Key, Value};
use ca_core::roles::Role;
use ca_x509::certificate::TbsCertificate;
use ca_x509::serial::SerialNumber;
use serde_json::json;

use crate::world::{World, csr, post, put};

/// A profile that lets through what the rules of the standards do not: a life that the requirements it claims forbid.
fn careless() -> serde_json::Value {
    json!({
        "name": "careless", "issuers": ["issuing"], "keys": ["ec-p256"],
        "validity": { "default": "365d", "max": "365d" },
        "names": { "dns": "any", "min": 1 },
        "usage": { "key": ["digitalSignature"], "extended": ["serverAuth"] },
        "policies": [{ "id": "2.23.140.1.2.1" }]
    })
}

/// What fails lint comes to no token: there is no intent of it, no serial, and not one signature more.
///
/// Mechanism: `lint(&tbs, &planned)?` in `ca-core/src/draft.rs`. Without it the certificate is issued.
#[tokio::test]
async fn i19_what_fails_lint_is_never_signed() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Admin, Role::Requester]).await;
    let made = world.api(Some(&caller), put("/api/v1/profiles/careless", &careless())).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let before = (world.signed().len(), tbs(&world).len());
    let body = json!({ "profile": "careless", "csr": csr(&["a.test"]) });
    let answer = world.api(Some(&caller), post("/api/v1/certificates", &body)).await;
    assert_eq!((answer.status, answer.slug().as_str()), (422, "lint"), "{}", answer.text());
    assert_eq!((world.signed().len(), tbs(&world).len()), before);
    let body = json!({ "profile": "careless", "csr": csr(&["a.test"]), "ttl": "30d" });
    let answer = world.api(Some(&caller), post("/api/v1/certificates", &body)).await;
    assert_eq!(answer.status, 201, "with a shorter life it is a certificate: {}", answer.text());
    assert_eq!((world.signed().len(), tbs(&world).len()), (before.0 + 1, before.1 + 1));
}

/// Every message that the token signed for a certificate is the TBSCertificate of a row, octet for octet, each once; and
/// it is in the one form that the lint reads.
///
/// Mechanism: `Permit::order` in `ca-core/src/permit.rs` hands out the committed octets. With an octet changed there
/// nothing that is signed is in the register.
#[tokio::test]
async fn i19_what_is_signed_is_what_was_linted_octet_for_octet() {
    let world = World::new().await;
    let caller = world.caller(&[Role::Requester]).await;
    for _ in 0..5 {
        world.issued(&caller).await;
    }
    let (mut signed, mut recorded) = (world.signed(), tbs(&world));
    for message in &signed {
        assert_eq!(TbsCertificate::decode(message).unwrap().encode().as_ref(), Ok(message));
    }
    signed.sort();
    recorded.sort();
    assert_eq!(signed, recorded);
}

/// The TBSCertificates of all rows, each of which must be a record.
fn tbs(world: &World) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let first = Key::Certificate(CaId::first(), SerialNumber::MIN);
    let look = |_: &Key, value: Value| {
        if let Value::Certificate(entry) = value {
            assert!(matches!(entry.state, CertificateState::Recorded { .. }));
            all.push(entry.tbs.clone());
        }
        ControlFlow::Continue(())
    };
    world.authority.register().each(first, look).unwrap();
    all
}
