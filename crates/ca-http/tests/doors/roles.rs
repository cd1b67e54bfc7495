//! Every route × every role × verdict.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request};
use ca_core::roles::Role;

use crate::contract::operations;
use crate::world::World;

/// Whom each route is open to: `anyone`, whoever has any `certificate`, any `role`, or these roles.
const TABLE: &[(&str, &str, &str)] = &[
    ("POST", "/api/v1/certificates", "requester ra"),
    ("GET", "/api/v1/certificates", "role"),
    ("GET", "/api/v1/certificates/{serial}", "role"),
    ("POST", "/api/v1/certificates/{serial}/revoke", "officer ra requester"),
    ("POST", "/api/v1/certificates/{serial}/release", "officer ra requester"),
    ("POST", "/api/v1/revocations", "officer ra requester"),
    ("GET", "/api/v1/cas", "anyone"),
    ("GET", "/api/v1/cas/{ca}", "anyone"),
    ("GET", "/api/v1/cas/{ca}/chain", "anyone"),
    ("GET", "/api/v1/cas/{ca}/crl", "anyone"),
    ("POST", "/api/v1/cas/{ca}/crl", "officer operator"),
    ("POST", "/api/v1/cas", "admin"),
    ("POST", "/api/v1/cas/{ca}/renew", "admin"),
    ("POST", "/api/v1/cas/{ca}/csr", "admin"),
    ("PUT", "/api/v1/cas/{ca}/certificate", "admin"),
    ("POST", "/api/v1/cas/{ca}/retire", "admin"),
    ("POST", "/api/v1/cross-certificates", "admin"),
    ("GET", "/api/v1/profiles", "role"),
    ("GET", "/api/v1/profiles/{name}", "role"),
    ("PUT", "/api/v1/profiles/{name}", "admin"),
    ("GET", "/api/v1/grants", "admin auditor"),
    ("PUT", "/api/v1/grants/{key}", "admin"),
    ("DELETE", "/api/v1/grants/{key}", "admin"),
    ("POST", "/api/v1/enrolment-tokens", "ra admin"),
    ("GET", "/api/v1/enrolment-tokens", "ra admin auditor"),
    ("DELETE", "/api/v1/enrolment-tokens/{id}", "ra admin"),
    ("GET", "/api/v1/history", "auditor admin"),
    ("GET", "/api/v1/cluster", "role"),
    ("GET", "/api/v1/cluster/members", "role"),
    ("POST", "/api/v1/cluster/proof", "operator admin officer auditor ra"),
    ("GET", "/api/v1/whoami", "certificate"),
    ("POST", "/api/v1/join", "anyone"),
    ("POST", "/api/v1/join-tokens", "operator"),
    ("GET", "/api/v1/openapi.json", "anyone"),
    ("GET", "/api/docs", "anyone"),
    ("GET", "/api/docs/{file}", "anyone"),
    ("GET", "/livez", "anyone"),
    ("GET", "/readyz", "anyone"),
];

/// Who comes: nobody, somebody without a grant, and one caller for each role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comes {
    Nobody,
    Stranger,
    With(Role),
}

fn is_let_in(open_to: &str, who: Comes) -> bool {
    match (open_to, who) {
        ("anyone", _) | ("certificate" | "role", Comes::With(_)) | ("certificate", Comes::Stranger) => true,
        (_, Comes::Nobody | Comes::Stranger) => false,
        (roles, Comes::With(role)) => roles.split(' ').any(|word| word == role.as_str()),
    }
}

/// A route that is new, or gone, or has lost its line here, is a difference of the two lists.
#[test]
fn every_route_is_in_the_table_of_roles() {
    let served: BTreeSet<(String, &str)> =
        operations().map(|(path, method, _)| (method.to_uppercase(), path)).collect();
    let told: BTreeSet<(String, &str)> =
        TABLE.iter().map(|(method, path, _)| ((*method).to_owned(), *path)).collect();
    assert_eq!(served, told);
}

/// Mechanism: `ca_http::guard`, `admit`; the rule of each route in `ca_http::table`.
#[tokio::test]
async fn every_route_lets_in_whom_it_is_open_to_and_nobody_else() {
    let world = World::new().await;
    let mut callers = vec![(Comes::Nobody, None), (Comes::Stranger, Some(world.stranger()))];
    for role in Role::ALL {
        callers.push((Comes::With(role), Some(world.caller(&[role]).await)));
    }
    for (method, path, open_to) in TABLE {
        for (who, certificate) in &callers {
            let place = path.replace("{ca}", "issuing").replace(['{', '}'], "");
            let request =
                Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(&place);
            let request = request.body(Body::empty()).unwrap();
            let answer = world.api(certificate.as_deref(), request).await;
            let at = format!("{method} {path} by {who:?}: {} {}", answer.status, answer.text());
            let turned_away = match who {
                Comes::Nobody => answer.status == 401 && answer.slug() == "no-client-certificate",
                Comes::Stranger | Comes::With(_) => answer.status == 403 && answer.slug() == "forbidden",
            };
            assert_eq!(turned_away, !is_let_in(open_to, *who), "{at}");
        }
    }
}
