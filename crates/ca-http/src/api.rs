//! The API: the table's routes behind the guard, and what surrounds both doors.

use axum::Router;
use axum::extract::Extension;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use ca_authority::Ports;

use crate::cache::conditional;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::guard::guard;
use crate::openapi::Document;
use crate::problem::Problem;
use crate::route::Tagged;
use crate::table::table;
use crate::watch::watch;

pub(crate) fn router<P: Ports>(doors: Doors<P>) -> Router {
    let routes = table::<P>();
    let document = Document::of(routes.iter().map(|route| &route.about));
    let mut router = Router::new();
    for route in routes {
        let rule = (doors.clone(), route.about.rule);
        let handler = match route.about.tagged {
            Tagged::Yes => route.handler.route_layer(from_fn(conditional)),
            Tagged::No => route.handler,
        };
        let guarded = handler.route_layer(from_fn_with_state(rule, guard::<P>));
        router = router.route(route.about.path, guarded);
    }
    surrounded(router.layer(Extension(document)), doors)
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
