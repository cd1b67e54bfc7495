//! The status service's routes: what relying parties fetch, over plain HTTP.

use axum::Router;
use axum::routing::get;
use ca_authority::Ports;

use crate::api::surrounded;
use crate::doors::Doors;
use crate::{crl, health, ocsp};

pub(crate) fn router<P: Ports>(doors: Doors<P>) -> Router {
    let router = Router::new()
        .route("/ocsp", get(ocsp::by_get::<P>).post(ocsp::by_post::<P>))
        .route("/ocsp/", get(ocsp::by_get::<P>).post(ocsp::by_post::<P>))
        // One route: where the name of a CA ends and base64 begins is found out in `ocsp`.
        .route("/ocsp/{*rest}", get(ocsp::by_get::<P>).post(ocsp::by_post::<P>))
        .route("/crl/{file}", get(crl::crl::<P>))
        .route("/ca/{file}", get(crl::ca_certificate::<P>))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready::<P>));
    surrounded(router, doors)
}
