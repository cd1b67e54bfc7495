//! The API's answers: JSON, PEM, DER. None may be kept by a cache.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ca_x509::certificate::Certificate;
use ca_x509::pem;
use serde::Serialize;

use crate::cache::no_store;
use crate::error::DoorError;
use crate::problem::Problem;

/// The media type of certificates in DER (RFC 2585 §4.1).
pub(crate) const PKIX_CERT: &str = "application/pkix-cert";
/// The media type of a row of certificates in PEM (RFC 8555 §9.1).
pub(crate) const PEM_CHAIN: &str = "application/pem-certificate-chain";

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_vec(body).map_err(|error| DoorError::Internal { why: error.to_string() })?;
    Ok(typed(status, "application/json", text))
}

/// An answer of another type.
pub(crate) fn typed(status: StatusCode, media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = (status, body.into()).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    no_store(response)
}

/// One certificate in PEM.
pub(crate) fn certificate_pem(der: &[u8]) -> String {
    pem::encode(pem::CERTIFICATE, der)
}

/// What a server sends in its handshake: the leaf and what leads to the root, without the root itself, which
/// who verifies must have already (RFC 8446 §4.4.2).
pub(crate) fn handshake_chain(leaf: &[u8], chain: &[Vec<u8>]) -> String {
    let is_root = |der: &[u8]| Certificate::parse(der).is_ok_and(|own| own.issuer() == own.subject());
    let above = chain.iter().filter(|der| !is_root(der)).map(|der| certificate_pem(der));
    std::iter::once(certificate_pem(leaf)).chain(above).collect()
}
