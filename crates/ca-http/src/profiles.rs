//! `/api/v1/profiles`: what certificates of each kind are like.

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use ca_authority::Ports;
use ca_core::ids::ProfileName;
use ca_core::outcome::Refusal;
use ca_core::profile::{Audience, Profile, ProfileFault};
use ca_core::register::{IssuerPurpose, StorageFault};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::json;
use crate::body;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::extract::{Path, Query};
use crate::guard::Caller;
use crate::limits::ADMIN_BODY_OCTETS_MAX;
use crate::problem::Problem;
use crate::wire::{ProfileChanged, ProfileDocument};

/// `GET /api/v1/profiles`
pub(crate) async fn list<P: Ports>(State(doors): State<Doors<P>>) -> Result<Response, Problem> {
    let all: Vec<ProfileDocument> =
        doors.register().profiles()?.iter().map(|profile| profile.as_ref().into()).collect();
    json(StatusCode::OK, &all)
}

/// `GET /api/v1/profiles/{name}`, with its version as the entity tag.
pub(crate) async fn show<P: Ports>(
    State(doors): State<Doors<P>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let name = profile_name(&name)?;
    let profile = doors.register().profile(&name)?.ok_or(Refusal::UnknownProfile { profile: name })?;
    tagged(json(StatusCode::OK, &ProfileDocument::from(profile.as_ref()))?, profile.version)
}

/// What may follow the `?` of a change.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Manner {
    /// Checks everything and writes nothing.
    #[serde(default)]
    dry_run: bool,
}

/// `PUT /api/v1/profiles/{name}`: makes it, or replaces it by its next version. `If-Match` names the version that the
/// caller has seen; without it the last writer wins.
pub(crate) async fn put<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(caller)): Extension<Caller>,
    Path(name): Path<String>,
    Query(manner): Query<Manner>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let name = profile_name(&name)?;
    let seen = version_seen(&headers)?;
    let document: ProfileDocument = body::json(&body::read(body, ADMIN_BODY_OCTETS_MAX).await?)?;
    if document.name != name.as_str() {
        let why = format!("the document is of `{}`, the path of `{name}`", document.name);
        return Err(DoorError::BadRequest { field: "name", why }.into());
    }
    let current = doors.register().profile(&name)?;
    let version = current.as_ref().map_or(0, |profile| profile.version);
    if let Some(seen) = seen
        && seen != version
    {
        return Err(DoorError::Changed { what: format!("profile `{name}`"), seen, current: version }.into());
    }
    let profile = checked(&doors, &document, version.saturating_add(1))?;
    // Applying the same file again changes nothing, and makes no draft stale.
    let same =
        current.is_some_and(|current| Profile { version: profile.version, ..(*current).clone() } == profile);
    let (next, version) = (profile.version, if same { version } else { profile.version });
    if !same && !manner.dry_run {
        let authority = doors.authority.clone();
        doors.act(async move { authority.define_profile(caller, profile).await }).await?;
    }
    let status = if next == 1 && !manner.dry_run { StatusCode::CREATED } else { StatusCode::OK };
    let changed = ProfileChanged { name: name.to_string(), version, changed: !same, dry_run: manner.dry_run };
    tagged(json(status, &changed)?, version)
}

/// The profile that a document describes, if nothing is wrong with it.
fn checked<P: Ports>(doors: &Doors<P>, document: &ProfileDocument, version: u32) -> Result<Profile, Problem> {
    let profile = document.profile(version).map_err(|faults| DoorError::ProfileInvalid { faults })?;
    let mut faults = profile.faults();
    faults.extend(unfit_cas(doors, &profile)?);
    if faults.is_empty() { Ok(profile) } else { Err(DoorError::ProfileInvalid { faults }.into()) }
}

fn unfit_cas<P: Ports>(doors: &Doors<P>, profile: &Profile) -> Result<Vec<ProfileFault>, StorageFault> {
    let mut faults = Vec::new();
    for (place, ca) in profile.issuers.iter().enumerate() {
        let why = match doors.register().issuer(ca)?.map(|issuer| issuer.purpose) {
            None => format!("there is no CA `{ca}`"),
            Some(IssuerPurpose::Peers) if profile.audience != Audience::Cluster => {
                format!("`{ca}` certifies the cluster's own nodes and nobody else")
            }
            Some(_) => continue,
        };
        faults.push(ProfileFault { field: format!("issuers[{place}]"), why });
    }
    Ok(faults)
}

fn profile_name(text: &str) -> Result<ProfileName, DoorError> {
    text.parse().map_err(|error: ca_core::ids::InvalidName| DoorError::BadRequest {
        field: "name",
        why: error.to_string(),
    })
}

/// `"3"`, as an answer's ETag had it; `0` for one that must not be there yet.
fn version_seen(headers: &HeaderMap) -> Result<Option<u32>, DoorError> {
    let Some(tag) = headers.get(IF_MATCH) else { return Ok(None) };
    let number = tag.to_str().ok().and_then(|tag| tag.trim_matches('"').parse().ok());
    let wrong = || DoorError::BadRequest { field: "If-Match", why: "not the ETag of a profile".to_owned() };
    number.map(Some).ok_or_else(wrong)
}

fn tagged(mut response: Response, version: u32) -> Result<Response, Problem> {
    let tag = HeaderValue::try_from(format!("\"{version}\""))
        .map_err(|error| DoorError::Internal { why: error.to_string() })?;
    response.headers_mut().insert(ETAG, tag);
    Ok(response)
}
