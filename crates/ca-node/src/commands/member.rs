//! member token.

use ca_http::wire::JoinTokenAnswer;
use hyper::Method;

use crate::client::Connection;
use crate::failure::Failure;
use crate::output::{data, made};

pub(super) async fn token(connection: &Connection) -> Result<(), Failure> {
    let answer = connection.call(Method::POST, "/api/v1/join-tokens", &[], None).await?;
    let minted: JoinTokenAnswer = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    made("Good until", &minted.expires_at);
    data(&format!("ca-node join {}", minted.token.expose()));
    Ok(())
}
