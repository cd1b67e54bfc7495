//! issue, revoke, release, cert show.

use std::path::Path;

use ca_x509::certificate::Certificate;
use hyper::Method;
use serde_json::{Value, json};

use crate::cli::{Format, Issue, Release, Revoke};
use crate::client::Connection;
use crate::failure::Failure;
use crate::output::{data, made, talk};

const JSON: (&str, &str) = ("content-type", "application/json");

pub(super) async fn issue(connection: &Connection, output: Format, command: Issue) -> Result<(), Failure> {
    let csr = String::from_utf8_lossy(&crate::files::read(&command.csr)?).into_owned();
    let mut body = json!({ "profile": command.profile, "csr": csr });
    if let Value::Object(body) = &mut body {
        if !command.names.is_empty() {
            body.insert("names".to_owned(), json!(command.names));
        }
        if let Some(ttl) = &command.ttl {
            body.insert("ttl".to_owned(), json!(ttl));
        }
    }
    let key = match command.idempotency_key {
        Some(key) => key,
        None => drawn_key()?,
    };
    let mut headers = vec![JSON, ("idempotency-key", key.as_str())];
    let body = serde_json::to_vec(&body).map_err(Failure::internal)?;
    let bearer = command.token.as_deref().map(bearer).transpose()?;
    let connection = &match &bearer {
        Some(bearer) => {
            headers.push(("authorization", bearer));
            connection.anonymous()
        }
        None => connection.clone(),
    };
    let answer = connection.call(Method::POST, "/api/v1/certificates", &headers, Some(body)).await;
    // So that the same command can be given again without issuing twice.
    let answer = answer.inspect_err(|_| talk(&format!("idempotency key: {key}")))?;
    let issued: Value = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    match output {
        Format::Json => data(&String::from_utf8_lossy(&answer.body)),
        Format::Pem | Format::Table => {
            made("Serial", text(&issued, "serial"));
            made("Valid until", text(&issued, "not_after"));
            data(text(&issued, "certificate").trim_end());
            let chain = issued.get("chain").and_then(Value::as_array).cloned().unwrap_or_default();
            for certificate in chain.iter().filter_map(Value::as_str) {
                data(certificate.trim_end());
            }
        }
    }
    Ok(())
}

pub(super) async fn revoke(connection: &Connection, command: Revoke) -> Result<(), Failure> {
    if let Some(filter) = &command.filter {
        return super::search::revoke(connection, filter, &command.reason, command.dry_run).await;
    }
    for named in &command.serials {
        let file = Path::new(named);
        let (path, body) = if file.is_file() {
            let certificate = ca_x509::pem::encode(ca_x509::pem::CERTIFICATE, certificate_in(file)?.as_der());
            let body = json!({ "reason": command.reason, "certificate": certificate });
            ("/api/v1/revocations".to_owned(), body)
        } else {
            let body = json!({ "reason": command.reason, "ca": command.ca });
            (format!("/api/v1/certificates/{named}/revoke"), body)
        };
        let body = serde_json::to_vec(&body).map_err(Failure::internal)?;
        let answer = connection.call(Method::POST, &path, &[JSON], Some(body)).await?;
        let answer: Value = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
        let revoked = answer.pointer("/revoked/0").unwrap_or(&answer);
        made("Revoked", &format!("{} since {}", text(revoked, "serial"), text(revoked, "revoked_at")));
    }
    Ok(())
}

pub(super) async fn release(connection: &Connection, command: Release) -> Result<(), Failure> {
    for named in &command.serials {
        let serial = &serial_of(named)?;
        let body = serde_json::to_vec(&json!({ "ca": command.ca })).map_err(Failure::internal)?;
        let path = format!("/api/v1/certificates/{serial}/release");
        let answer = connection.call(Method::POST, &path, &[JSON], Some(body)).await?;
        let released: Value = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
        made("Released", text(&released, "serial"));
    }
    Ok(())
}

pub(super) async fn show(
    connection: &Connection,
    output: Format,
    serial: &str,
    ca: &str,
) -> Result<(), Failure> {
    let found = connection.get(&format!("/api/v1/certificates/{serial}?ca={ca}")).await?;
    match output {
        Format::Json => data(&found.to_string()),
        Format::Pem => data(text(&found, "certificate").trim_end()),
        Format::Table => {
            let fields = found.as_object().into_iter().flatten();
            for (key, value) in fields.filter(|(key, _)| *key != "certificate" && *key != "chain") {
                data(&format!("{key}\t{}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
            }
        }
    }
    Ok(())
}

/// A serial as it is, or that of a certificate in a file.
fn serial_of(named: &str) -> Result<String, Failure> {
    let path = Path::new(named);
    if !path.is_file() {
        return Ok(named.to_owned());
    }
    Ok(certificate_in(path)?.serial().to_string())
}

/// The certificate in a file, DER or PEM; of a chain the first one, which is the leaf.
pub(super) fn certificate_in(path: &Path) -> Result<Certificate, Failure> {
    let octets = crate::files::read(path)?;
    let certificate = Certificate::parse(&octets).or_else(|alone| {
        let chain = Certificate::parse_chain(&octets).unwrap_or_default();
        chain.into_iter().next().ok_or(alone)
    });
    certificate.map_err(|error| {
        Failure::new("bad-request", format!("{} holds no certificate: {error}", path.display()))
    })
}

/// What shows an enrolment token, given as it is or in a file.
fn bearer(token: &str) -> Result<String, Failure> {
    let text = match token.strip_prefix('@') {
        Some(file) => String::from_utf8_lossy(&crate::files::read(Path::new(file))?).into_owned(),
        None => token.to_owned(),
    };
    Ok(format!("Bearer {}", text.trim()))
}

fn drawn_key() -> Result<String, Failure> {
    use ca_authority::ports::Entropy as _;
    let mut key = [0; 16];
    ca_hsm::SystemEntropy.fill(&mut key).map_err(Failure::internal)?;
    Ok(hex::encode(key))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
