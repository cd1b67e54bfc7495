//! grant list, set, remove; whoami.

use std::path::Path;

use ca_core::ids::Digest;
use ca_http::wire::GrantDocument;
use hyper::Method;

use super::certificates::certificate_in;
use crate::cli::{Format, SetGrant};
use crate::client::Connection;
use crate::failure::Failure;
use crate::output::{data, made};

pub(super) async fn list(connection: &Connection, output: Format) -> Result<(), Failure> {
    let answer = connection.call(Method::GET, "/api/v1/grants", &[], None).await?;
    if output == Format::Json {
        data(&String::from_utf8_lossy(&answer.body));
        return Ok(());
    }
    let grants: Vec<GrantDocument> = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    data("KEY\tROLES\tCAS\tPROFILES\tDNS\tLABEL");
    let all_or = |some: &Option<Vec<String>>| some.as_ref().map_or("all".to_owned(), |some| some.join(","));
    for grant in grants {
        data(&format!(
            "{}\t{}\t{}\t{}\t{}\t{}",
            grant.key.as_deref().unwrap_or_default(),
            grant.roles.join(","),
            all_or(&grant.cas),
            all_or(&grant.profiles),
            all_or(&grant.dns),
            grant.label,
        ));
    }
    Ok(())
}

pub(super) async fn set(connection: &Connection, command: SetGrant) -> Result<(), Failure> {
    let key = key_of(&command.caller)?;
    let SetGrant { roles, cas, profiles, dns, rate, label, .. } = command;
    let document = GrantDocument { key: None, roles, cas, profiles, dns, rate_per_minute: rate, label };
    let body = serde_json::to_vec(&document).map_err(Failure::internal)?;
    let path = format!("/api/v1/grants/{key}");
    connection.call(Method::PUT, &path, &[("content-type", "application/json")], Some(body)).await?;
    made("Granted", &format!("{} to {key}", document.roles.join(", ")));
    Ok(())
}

pub(super) async fn remove(connection: &Connection, caller: &str) -> Result<(), Failure> {
    let key = key_of(caller)?;
    connection.call(Method::DELETE, &format!("/api/v1/grants/{key}"), &[], None).await?;
    made("Removed", &format!("every role of {key}"));
    Ok(())
}

pub(super) async fn whoami(connection: &Connection, output: Format) -> Result<(), Failure> {
    let who = connection.get("/api/v1/whoami").await?;
    if output == Format::Json {
        data(&who.to_string());
        return Ok(());
    }
    let text = |key: &str| who.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let roles = who.get("roles").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    let roles: Vec<&str> = roles.iter().filter_map(serde_json::Value::as_str).collect();
    data(&format!("identity\t{}", text("identity")));
    data(&format!("roles\t{}", if roles.is_empty() { "none".to_owned() } else { roles.join(",") }));
    data(&format!("label\t{}", text("label")));
    Ok(())
}

/// SHA-256 of the caller's SubjectPublicKeyInfo: given in hex, or read out of its certificate.
fn key_of(caller: &str) -> Result<Digest, Failure> {
    if let Ok(digest) = caller.strip_prefix("spki:").unwrap_or(caller).parse() {
        return Ok(digest);
    }
    let certificate = certificate_in(Path::new(caller)).map_err(|failure| {
        failure.next("name a certificate in PEM or DER, or the digest that `ca-node whoami` shows its holder")
    })?;
    Ok(Digest::of(certificate.public_key().spki_der()))
}
