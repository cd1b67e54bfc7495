//! `/api/v1/enrolment-tokens`: one certificate for somebody who has none yet.

use std::ops::ControlFlow;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ca_authority::ports::Entropy;
use ca_authority::{ActError, Ports};
use ca_core::enrolment::{EnrolmentNames, EnrolmentRequest};
use ca_core::ids::Digest;
use ca_core::limits::{ENROLMENT_LIFE_MAX_MS, NAMES_MAX};
use ca_core::register::{Key, Value};
use ca_core::roles::Role;
use zeroize::Zeroizing;

use crate::answer::json;
use crate::body;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::extract::Path;
use crate::guard::Caller;
use crate::issue::{general_name, idempotency_key};
use crate::limits::{ADMIN_BODY_OCTETS_MAX, ENROLMENT_LIFE_DEFAULT_MS};
use crate::problem::Problem;
use crate::wire::{EnrolmentAnswer, EnrolmentMintRequest, EnrolmentMinted, Life, Secret, domain};

/// What a token begins with, so that people and scanners for secrets know it.
const PREFIX: &str = "ca-node-enrol-1.";

/// What stands in the log instead of the token.
pub(crate) fn digest(token: &str) -> Digest {
    Digest::over(&[b"ca-node enrolment token", token.as_bytes()])
}

/// `POST /api/v1/enrolment-tokens`
pub(crate) async fn mint<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(caller)): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    // A retry makes one more token, which expires unused: the key needs no memory here.
    idempotency_key(&headers)?;
    let asked: EnrolmentMintRequest = body::json(&body::read(body, ADMIN_BODY_OCTETS_MAX).await?)?;
    let life_ms = life_ms(asked.ttl.as_deref())?;
    let request = request(asked)?;
    let token = drawn(&doors)?;
    let id = digest(token.expose());
    let authority = doors.authority.clone();
    let minted =
        doors.act(async move { authority.mint_enrolment(caller, id, request, life_ms).await }).await?;
    let answer = EnrolmentMinted { token, enrolment: EnrolmentAnswer::of(id, &minted) };
    json(StatusCode::CREATED, &answer)
}

/// `GET /api/v1/enrolment-tokens`: a registration authority sees its own.
pub(crate) async fn list<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(caller)): Extension<Caller>,
) -> Result<Response, Problem> {
    let granted = doors.register().grant_of(caller)?;
    let roles = granted.as_ref().map(|granted| granted.grant.roles.as_slice()).unwrap_or_default();
    let sees_all = roles.contains(&Role::Admin) || roles.contains(&Role::Auditor);
    let mut all = Vec::new();
    doors.register().each(Key::Enrolment(Digest([0; 32])), |key, value| {
        if let (Key::Enrolment(token), Value::Enrolment(enrolment)) = (key, value)
            && (sees_all || enrolment.minted_by == caller)
        {
            all.push(EnrolmentAnswer::of(*token, &enrolment));
        }
        ControlFlow::Continue(())
    })?;
    json(StatusCode::OK, &all)
}

/// `DELETE /api/v1/enrolment-tokens/{id}`
pub(crate) async fn delete<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(caller)): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let token: Digest = id.parse().map_err(|error: ca_core::ids::InvalidDigest| DoorError::BadRequest {
        field: "id",
        why: error.to_string(),
    })?;
    let row = doors.register().enrolment(token)?.ok_or(DoorError::NotFound)?;
    let authority = doors.authority.clone();
    doors.act(async move { authority.revoke_enrolment(caller, token).await }).await?;
    json(StatusCode::OK, &EnrolmentAnswer::of(token, &row))
}

fn life_ms(ttl: Option<&str>) -> Result<u64, DoorError> {
    let bad = |why: String| DoorError::BadRequest { field: "ttl", why };
    let Some(ttl) = ttl else { return Ok(ENROLMENT_LIFE_DEFAULT_MS) };
    let Life(seconds) = ttl.parse().map_err(|error: crate::wire::NotALife| bad(error.to_string()))?;
    match seconds.checked_mul(1000) {
        Some(millis) if (1..=ENROLMENT_LIFE_MAX_MS).contains(&millis) => Ok(millis),
        _ => Err(bad(format!("{ttl}, where 1s to {} may be", Life(ENROLMENT_LIFE_MAX_MS / 1000)))),
    }
}

fn request(asked: EnrolmentMintRequest) -> Result<EnrolmentRequest, DoorError> {
    let bad = |field, why: String| DoorError::BadRequest { field, why };
    let names = match (asked.names, asked.dns) {
        (Some(names), None) if (1..=NAMES_MAX).contains(&names.len()) => {
            let names = names.iter().map(|name| general_name(name)).collect::<Result<_, _>>()?;
            EnrolmentNames::Among(names)
        }
        (None, Some(domains)) if (1..=NAMES_MAX).contains(&domains.len()) => {
            let domains = domains.iter().map(|text| domain(text)).collect::<Result<_, _>>();
            EnrolmentNames::Below(domains.map_err(|why| bad("dns", why))?)
        }
        _ => return Err(bad("names", format!("1 to {NAMES_MAX} of `names`, or of `dns`, not both"))),
    };
    Ok(EnrolmentRequest {
        ca: asked.ca.map(|ca| ca.parse()).transpose().map_err(|e| bad("ca", format!("{e}")))?,
        profile: asked.profile.parse().map_err(|e| bad("profile", format!("{e}")))?,
        names,
    })
}

fn drawn<P: Ports>(doors: &Doors<P>) -> Result<Secret, Problem> {
    let mut secret = Zeroizing::new([0; 32]);
    doors.authority.ports().entropy().fill(secret.as_mut_slice()).map_err(ActError::from)?;
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.as_slice()));
    Ok(Secret::new(format!("{PREFIX}{}", text.as_str())))
}
