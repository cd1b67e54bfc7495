//! Reads the parts of a request that its address holds. What cannot be read is a problem like any other.

use axum::extract::FromRequestParts;
use axum::extract::rejection::PathRejection;
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::DoorError;
use crate::guard::Consistency;
use crate::problem::Problem;

/// What stands in the braces of the route's path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<T>(pub(crate) T);

/// What follows the `?`, but for what the guard reads: unknown and repeated names are refused by the type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        let bad =
            |rejection: PathRejection| DoorError::BadRequest { field: "path", why: rejection.body_text() };
        Ok(read.map(|path| Self(path.0)).map_err(bad)?)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let of_the_guard = |pair: &&str| pair.split('=').next() == Some(Consistency::PARAMETER);
        let query = parts.uri.query().unwrap_or_default();
        let own: Vec<&str> = query.split('&').filter(|pair| !of_the_guard(pair)).collect();
        let bad = |why: String| DoorError::BadRequest { field: "query", why };
        let uri = Uri::try_from(format!("/?{}", own.join("&"))).map_err(|error| bad(error.to_string()))?;
        let read = axum::extract::Query::<T>::try_from_uri(&uri);
        Ok(read.map(|query| Self(query.0)).map_err(|rejection| bad(rejection.body_text()))?)
    }
}
