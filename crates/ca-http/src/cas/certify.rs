//! Further certificates of CAs: renewed ones, and cross-certificates, for CAs of this cluster and for others.

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ca_authority::Ports;
use ca_core::ids::{CaId, ProfileName};
use ca_core::mandate::CaLimits;
use ca_core::outcome::Refusal;
use ca_core::plan::{CertificateRequest, NamesFrom};
use ca_core::register::{Issuer, OwnCertificate};
use ca_core::roles::Identity;

use super::{answer, as_seen, named};
use crate::body;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::extract::Path;
use crate::guard::Caller;
use crate::issue::{self, idempotency, idempotency_key, proven};
use crate::limits::{ADMIN_BODY_OCTETS_MAX, CERTIFICATE_BODY_OCTETS_MAX};
use crate::problem::Problem;
use crate::wire::{CrossCertificateRequest, Life, RenewCaRequest, ca_limits};

/// `POST /api/v1/cas/{ca}/renew`
pub(crate) async fn renew<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(identity)): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (ca, issuer) = named(&doors, &name)?;
    as_seen(&headers, &ca, &issuer)?;
    let body = body::read(body, ADMIN_BODY_OCTETS_MAX).await?;
    let asked: RenewCaRequest = if body.is_empty() { RenewCaRequest::default() } else { body::json(&body)? };
    let Some(current) = issuer.certificate.clone() else {
        return Err(Refusal::CaInactive { ca }.into());
    };
    let Some(parent) = issuer.parent.clone() else {
        let why = format!("`{ca}` is certified elsewhere: ask for its request, and import what comes back");
        return Err(DoorError::BadRequest { field: "ca", why }.into());
    };
    let profile = if parent == ca { "root" } else { "sub-ca" };
    let request = request(profile, &parent, &ca, &issuer, asked.life, as_before(current))?;
    certify(&doors, identity, &headers, request).await?;
    answer(&doors, StatusCode::OK, &ca)
}

/// `POST /api/v1/cross-certificates`: 201 with the certificate.
pub(crate) async fn cross_certify<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(identity)): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let asked: CrossCertificateRequest = body::json(&body::read(body, CERTIFICATE_BODY_OCTETS_MAX).await?)?;
    let bad = |field, why: &str| DoorError::BadRequest { field, why: why.to_owned() };
    let by: CaId = asked.by.parse().map_err(|_| bad("by", "not the name of a CA"))?;
    let limits = ca_limits(asked.path_len, asked.permit.as_ref(), asked.exclude.as_ref())
        .map_err(|(field, why)| DoorError::BadRequest { field, why })?;
    let profile = asked.profile.as_deref().unwrap_or("sub-ca");
    let request = match (&asked.ca, &asked.csr) {
        (Some(ca), None) => {
            let (ca, issuer) = named(&doors, ca)?;
            request(profile, &by, &ca, &issuer, asked.life, limits)?
        }
        (None, Some(csr)) => {
            let csr = proven(doors.authority.ports().verifier(), csr)?;
            CertificateRequest {
                profile: profile_name(profile)?,
                ca: Some(by),
                public_key: csr.public_key().clone(),
                subject: csr.subject().clone(),
                names: Vec::new(),
                names_from: NamesFrom::Caller,
                ttl_s: asked.life.map(|Life(seconds)| seconds),
                certifies: None,
                limits: Some(limits),
                responder: None,
            }
        }
        _ => return Err(bad("ca", "either `ca`, of this cluster, or the `csr` of another").into()),
    };
    let issued = certify(&doors, identity, &headers, request).await?;
    issue::answer(&issued, &headers)
}

fn request(
    profile: &str,
    by: &CaId,
    ca: &CaId,
    issuer: &Issuer,
    life: Option<Life>,
    limits: CaLimits,
) -> Result<CertificateRequest, DoorError> {
    Ok(CertificateRequest {
        profile: profile_name(profile)?,
        ca: Some(by.clone()),
        public_key: issuer.public_key.clone(),
        subject: issuer.subject.clone(),
        names: Vec::new(),
        names_from: NamesFrom::Caller,
        ttl_s: life.map(|Life(seconds)| seconds),
        certifies: Some(ca.clone()),
        limits: Some(limits),
        responder: None,
    })
}

/// What the certificate that is renewed lets the CA do.
fn as_before(current: OwnCertificate) -> CaLimits {
    let OwnCertificate { path_len, names, .. } = current;
    // A certificate of this cluster has one constraint at most.
    CaLimits { path_len, names: names.into_iter().next() }
}

async fn certify<P: Ports>(
    doors: &Doors<P>,
    identity: Identity,
    headers: &HeaderMap,
    request: CertificateRequest,
) -> Result<ca_authority::issue::Issued, Problem> {
    let key = idempotency_key(headers)?;
    let idempotency = key.map(|key| idempotency(identity, &key, &request));
    let authority = doors.authority.clone();
    doors.act(async move { authority.issue(identity, request, idempotency).await }).await
}

fn profile_name(text: &str) -> Result<ProfileName, DoorError> {
    text.parse().map_err(|error: ca_core::ids::InvalidName| DoorError::BadRequest {
        field: "profile",
        why: error.to_string(),
    })
}
