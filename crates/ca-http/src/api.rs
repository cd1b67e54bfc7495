//! The API's routes, each with the rule of whom it is open to.

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};
use ca_authority::Ports;
use ca_core::roles::Role;

use crate::doors::Doors;
use crate::error::DoorError;
use crate::guard::{Rule, guard};
use crate::problem::Problem;
use crate::watch::watch;
use crate::{certificates, cluster, grants, health, issue, join, profiles, revocations, search};

pub(crate) fn router<P: Ports>(doors: Doors<P>) -> Router {
    let mut router = Router::new();
    for (path, rule, methods) in table::<P>() {
        let guarded = methods.route_layer(from_fn_with_state((doors.clone(), rule), guard::<P>));
        router = router.route(path, guarded);
    }
    surrounded(router, doors)
}

/// Every route and its rule.
fn table<P: Ports>() -> [(&'static str, Rule, MethodRouter<Doors<P>>); 20] {
    use Rule::{AnyCertificate, AnyRole, Anyone, Has};
    [
        ("/api/v1/certificates", Has(&[Role::Requester, Role::Ra]), post(issue::issue::<P>)),
        ("/api/v1/certificates", AnyRole, get(search::list::<P>)),
        ("/api/v1/certificates/{serial}", AnyRole, get(certificates::show::<P>)),
        (
            "/api/v1/certificates/{serial}/revoke",
            Has(&[Role::Officer, Role::Ra, Role::Requester]),
            post(certificates::revoke::<P>),
        ),
        (
            "/api/v1/revocations",
            Has(&[Role::Officer, Role::Ra, Role::Requester]),
            post(revocations::revoke::<P>),
        ),
        // What CAs say of themselves is public: it stands in the certificates that they issue.
        ("/api/v1/cas", Anyone, get(cluster::cas::<P>)),
        ("/api/v1/cas/{ca}", Anyone, get(cluster::ca::<P>)),
        ("/api/v1/cas/{ca}/chain", Anyone, get(cluster::chain::<P>)),
        ("/api/v1/profiles", AnyRole, get(profiles::list::<P>)),
        ("/api/v1/profiles/{name}", AnyRole, get(profiles::show::<P>)),
        ("/api/v1/profiles/{name}", Has(&[Role::Admin]), put(profiles::put::<P>)),
        ("/api/v1/grants", Has(&[Role::Admin, Role::Auditor]), get(grants::list::<P>)),
        ("/api/v1/grants/{key}", Has(&[Role::Admin]), put(grants::put::<P>).delete(grants::delete::<P>)),
        ("/api/v1/cluster", AnyRole, get(cluster::cluster::<P>)),
        ("/api/v1/cluster/members", AnyRole, get(cluster::members::<P>)),
        ("/api/v1/whoami", AnyCertificate, get(cluster::whoami::<P>)),
        // A node without a certificate yet: the secret in the body is its proof.
        ("/api/v1/join", Anyone, post(join::join::<P>)),
        ("/api/v1/join-tokens", Has(&[Role::Operator]), post(join::mint::<P>)),
        ("/livez", Anyone, get(health::live)),
        ("/readyz", Anyone, get(health::ready::<P>)),
    ]
}

/// What both doors have around their routes.
pub(crate) fn surrounded<P: Ports>(router: Router<Doors<P>>, doors: Doors<P>) -> Router {
    router
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_this_method)
        .layer(from_fn_with_state(doors.clone(), watch::<P>))
        .with_state(doors)
}

async fn nothing_here() -> Result<Response, Problem> {
    Err(DoorError::NotFound.into())
}

async fn not_this_method(method: Method) -> Result<Response, Problem> {
    Err(DoorError::MethodNotAllowed { method: method.to_string() }.into())
}
