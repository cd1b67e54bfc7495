//! enrolment mint, list, revoke.

use ca_http::wire::{EnrolmentAnswer, EnrolmentMintRequest, EnrolmentMinted};
use hyper::Method;

use crate::cli::{Format, MintEnrolment};
use crate::client::Connection;
use crate::failure::Failure;
use crate::output::{data, made};

const TOKENS: &str = "/api/v1/enrolment-tokens";

pub(super) async fn mint(
    connection: &Connection,
    output: Format,
    command: MintEnrolment,
) -> Result<(), Failure> {
    let MintEnrolment { profile, names, dns, ttl, ca } = command;
    let request = EnrolmentMintRequest { profile, ca, names, dns, ttl: Some(ttl) };
    let body = serde_json::to_vec(&request).map_err(Failure::internal)?;
    let json = [("content-type", "application/json")];
    let answer = connection.call(Method::POST, TOKENS, &json, Some(body)).await?;
    if output == Format::Json {
        data(&String::from_utf8_lossy(&answer.body));
        return Ok(());
    }
    let minted: EnrolmentMinted = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    made("Enrolment token", &minted.enrolment.id);
    made(
        "For",
        &format!("{} of {}: {}", minted.enrolment.profile, minted.enrolment.ca, names_of(&minted.enrolment)),
    );
    made("Good until", &minted.enrolment.expires_at);
    data(minted.token.expose());
    Ok(())
}

pub(super) async fn list(connection: &Connection, output: Format) -> Result<(), Failure> {
    let answer = connection.call(Method::GET, TOKENS, &[], None).await?;
    if output == Format::Json {
        data(&String::from_utf8_lossy(&answer.body));
        return Ok(());
    }
    let tokens: Vec<EnrolmentAnswer> = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    data("ID\tPROFILE\tCA\tNAMES\tGOOD UNTIL\tCERTIFICATE\tMINTED BY");
    for token in tokens {
        let names = names_of(&token);
        let EnrolmentAnswer { id, profile, ca, expires_at, serial, minted_by, .. } = token;
        let serial = serial.as_deref().unwrap_or("none");
        data(&format!("{id}\t{profile}\t{ca}\t{names}\t{expires_at}\t{serial}\t{minted_by}"));
    }
    Ok(())
}

pub(super) async fn revoke(connection: &Connection, id: &str) -> Result<(), Failure> {
    connection.call(Method::DELETE, &format!("{TOKENS}/{id}"), &[], None).await?;
    made("Taken back", id);
    Ok(())
}

fn names_of(token: &EnrolmentAnswer) -> String {
    match (&token.names, &token.dns) {
        (Some(names), _) => names.join(","),
        (None, Some(domains)) => format!("below {}", domains.join(",")),
        (None, None) => String::new(),
    }
}
