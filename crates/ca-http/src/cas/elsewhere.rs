//! CAs whose root is elsewhere: their request goes out, their certificate comes in.

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ca_authority::Ports;
use ca_x509::certificate::Certificate;
use ca_x509::pem;

use super::{answer, as_seen, named};
use crate::answer::json;
use crate::body;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::extract::Path;
use crate::guard::Caller;
use crate::issue::idempotency_key;
use crate::limits::ADMIN_BODY_OCTETS_MAX;
use crate::problem::Problem;
use crate::wire::{CaCsrAnswer, ImportCaRequest};

/// `POST /api/v1/cas/{ca}/csr`: has the CA's key sign its request, once; after that the same octets.
pub(crate) async fn csr<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(identity)): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    idempotency_key(&headers)?;
    let (ca, _) = named(&doors, &name)?;
    let authority = doors.authority.clone();
    let der = doors.act(async move { authority.request_ca_certificate(identity, &ca).await }).await?;
    json(StatusCode::OK, &CaCsrAnswer { name, csr: pem::encode(CSR_LABEL, &der) })
}

/// `PUT /api/v1/cas/{ca}/certificate`: once it is taken, the CA issues under it.
pub(crate) async fn import<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(identity)): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (ca, issuer) = named(&doors, &name)?;
    as_seen(&headers, &ca, &issuer)?;
    let asked: ImportCaRequest = body::json(&body::read(body, ADMIN_BODY_OCTETS_MAX).await?)?;
    let certificates = Certificate::parse_chain(asked.certificates.as_bytes())
        .map_err(|error| DoorError::BadRequest { field: "certificates", why: error.to_string() })?;
    let (authority, of) = (doors.authority.clone(), ca.clone());
    doors.act(async move { authority.import_ca_certificate(identity, &of, certificates).await }).await?;
    answer(&doors, StatusCode::OK, &ca)
}

/// RFC 7468 §7.
const CSR_LABEL: &str = "CERTIFICATE REQUEST";
