//! `/api/v1/grants`: who may do what.

use std::ops::ControlFlow;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use ca_authority::Ports;
use ca_core::ids::Digest;
use ca_core::register::{Key, Value};
use ca_core::roles::{Grant, Identity, Scope};

use crate::answer::json;
use crate::body;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::extract::Path;
use crate::guard::Caller;
use crate::limits::ADMIN_BODY_OCTETS_MAX;
use crate::problem::Problem;
use crate::wire::GrantDocument;

/// `GET /api/v1/grants`
pub(crate) async fn list<P: Ports>(State(doors): State<Doors<P>>) -> Result<Response, Problem> {
    let mut all = Vec::new();
    doors.register().each(Key::Grant(Digest([0; 32])), |_, value| {
        if let Value::Grant(granted) = value {
            all.push(GrantDocument::from(&granted.grant));
        }
        ControlFlow::Continue(())
    })?;
    json(StatusCode::OK, &all)
}

/// `PUT /api/v1/grants/{key}`: exactly this from now on.
pub(crate) async fn put<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(caller)): Extension<Caller>,
    Path(key): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    let key = key_digest(&key)?;
    let asked: GrantDocument = body::json(&body::read(body, ADMIN_BODY_OCTETS_MAX).await?)?;
    if asked.key.as_ref().is_some_and(|named| key_digest(named) != Ok(key)) {
        let why = "the document is of another key than the path".to_owned();
        return Err(DoorError::BadRequest { field: "key", why }.into());
    }
    let grant = asked.grant(key).map_err(|(field, why)| DoorError::BadRequest { field, why })?;
    if grant.roles.is_empty() {
        let why = "none: DELETE takes a grant away".to_owned();
        return Err(DoorError::BadRequest { field: "roles", why }.into());
    }
    not_ones_own(caller, key)?;
    let document = GrantDocument::from(&grant);
    set(&doors, caller, grant).await?;
    json(StatusCode::OK, &document)
}

/// `DELETE /api/v1/grants/{key}`: nothing from now on, also on connections that are open.
pub(crate) async fn delete<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(caller)): Extension<Caller>,
    Path(key): Path<String>,
) -> Result<Response, Problem> {
    let key = key_digest(&key)?;
    not_ones_own(caller, key)?;
    let grant = Grant { key, roles: Vec::new(), scope: Scope::default(), rate: None, label: String::new() };
    let document = GrantDocument::from(&grant);
    set(&doors, caller, grant).await?;
    json(StatusCode::OK, &document)
}

async fn set<P: Ports>(doors: &Doors<P>, caller: Identity, grant: Grant) -> Result<(), Problem> {
    let authority = doors.authority.clone();
    doors.act(async move { authority.set_grant(caller, grant).await }).await.map(drop)
}

/// The last admin could lock everybody out by one slip: somebody else does it.
fn not_ones_own(caller: Identity, key: Digest) -> Result<(), DoorError> {
    if caller == Identity::Client(key) {
        let why = "your own grant: let another admin change it".to_owned();
        return Err(DoorError::BadRequest { field: "key", why });
    }
    Ok(())
}

/// 64 hexadecimal digits, or as `whoami` shows it, with `spki:` in front.
fn key_digest(text: &str) -> Result<Digest, DoorError> {
    let digits = text.strip_prefix("spki:").unwrap_or(text);
    digits.parse().map_err(|_| DoorError::BadRequest {
        field: "key",
        why: "not the SHA-256 of a public key (SubjectPublicKeyInfo) in hex; whoami shows a caller its own"
            .to_owned(),
    })
}
