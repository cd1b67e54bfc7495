//! Reads the parts of a request that its address holds. What cannot be read is a problem like any other.

use axum::extract::FromRequestParts;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::DoorError;
use crate::problem::Problem;

/// What stands in the braces of the route's path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<T>(pub(crate) T);

/// What follows the `?`: unknown and repeated names are refused by the type.
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

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        let bad =
            |rejection: QueryRejection| DoorError::BadRequest { field: "query", why: rejection.body_text() };
        Ok(read.map(|query| Self(query.0)).map_err(bad)?)
    }
}
