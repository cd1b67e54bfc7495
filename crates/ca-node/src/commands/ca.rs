//! ca list, show, chain, create, renew, cross-sign, csr, import, retire.

use std::path::Path;
use std::time::{Duration, Instant};

use ca_http::wire::{
    CaAnswer, CaCsrAnswer, CreateCaRequest, CrossCertificateRequest, ImportCaRequest, IssueAnswer, Life,
    NameSpaces, NamesLimit, RenewCaRequest, RetireCaAnswer, RetireCaRequest,
};
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cli::{CreateCa, CrossSign, Format, Names};
use crate::client::{Answer, Connection};
use crate::failure::Failure;
use crate::output::{data, made, talk};

const JSON: (&str, &str) = ("content-type", "application/json");

/// How long `ca create` gives the members to prove the key: a node that is restarted meanwhile comes back in seconds.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn list(connection: &Connection, output: Format) -> Result<(), Failure> {
    let answer = connection.call(Method::GET, "/api/v1/cas", &[], None).await?;
    if output == Format::Json {
        data(&String::from_utf8_lossy(&answer.body));
        return Ok(());
    }
    data("NAME\tSTATE\tPARENT\tALGORITHM\tNOT AFTER\tSUBJECT");
    for ca in read::<Vec<CaAnswer>>(&answer)? {
        let CaAnswer { name, state, parent, algorithm, not_after, subject, .. } = ca;
        data(&format!(
            "{name}\t{state}\t{parent}\t{algorithm}\t{}\t{subject}",
            not_after.unwrap_or_default()
        ));
    }
    Ok(())
}

pub(super) async fn show(connection: &Connection, output: Format, name: &str) -> Result<(), Failure> {
    let answer = connection.call(Method::GET, &path(name, ""), &[], None).await?;
    let ca: CaAnswer = read(&answer)?;
    match output {
        Format::Json => data(&String::from_utf8_lossy(&answer.body)),
        Format::Pem => {
            let others = ca.others.iter().map(|other| &other.certificate);
            ca.certificate.iter().chain(others).for_each(|certificate| data(certificate.trim_end()));
        }
        Format::Table => table(&ca),
    }
    Ok(())
}

fn table(ca: &CaAnswer) {
    let line = |key: &str, value: &str| data(&format!("{key}\t{value}"));
    line("name", &ca.name);
    line("state", &ca.state);
    if !ca.waiting_for.is_empty() {
        line("waiting for", &ca.waiting_for.join(", "));
    }
    line("subject", &ca.subject);
    line("parent", &ca.parent);
    line("key", &format!("{} ({})", ca.key, ca.algorithm));
    let optional = [
        ("serial", &ca.serial),
        ("not after", &ca.not_after),
        ("retired", &ca.retired_at),
        ("next CRL", &ca.crl_next_update),
    ];
    for (key, value) in optional {
        value.iter().for_each(|value| line(key, value));
    }
    line("path length", &ca.path_len.map_or_else(|| "any".to_owned(), |length| length.to_string()));
    for NamesLimit { permit, exclude } in &ca.names {
        shown(permit).into_iter().for_each(|name| line("permits", &name));
        shown(exclude).into_iter().for_each(|name| line("excludes", &name));
    }
    for other in &ca.others {
        let serial = other.serial.as_deref().unwrap_or_default();
        line("also certified by", &format!("{} {serial} until {}", other.by, other.not_after));
    }
}

fn shown(names: &NameSpaces) -> Vec<String> {
    let NameSpaces { dns, ip, email, uri, directory } = names;
    let forms = [("DNS", dns), ("IP", ip), ("email", email), ("URI", uri), ("dirName", directory)];
    forms
        .into_iter()
        .flat_map(|(form, names)| names.iter().map(move |name| format!("{form}:{name}")))
        .collect()
}

pub(super) async fn chain(connection: &Connection, name: &str, alternative: usize) -> Result<(), Failure> {
    let path = path(name, &format!("/chain?alternative={alternative}"));
    let answer = connection.call(Method::GET, &path, &[], None).await?;
    data(String::from_utf8_lossy(&answer.body).trim_end());
    Ok(())
}

/// Asks until the CA is made. Interrupted, the same command goes on.
pub(super) async fn create(connection: &Connection, command: CreateCa) -> Result<(), Failure> {
    let (permit, exclude) = spaces(command.names);
    let body = CreateCaRequest {
        name: command.name,
        parent: command.parent,
        subject: command.subject,
        key: Some(command.key_type),
        life: life(command.life.as_deref())?,
        path_len: command.path_len,
        permit,
        exclude,
        crl_shards: command.crl_shards,
        profile: command.profile,
    };
    let begun = Instant::now();
    let mut told = Vec::new();
    loop {
        let answer = post(connection, "/api/v1/cas", &body).await?;
        let ca: CaAnswer = read(&answer)?;
        if answer.status != StatusCode::ACCEPTED {
            let ended = ca.not_after.unwrap_or_default();
            made("CA", &format!("{} ({}), valid until {ended}", ca.name, ca.subject));
            return Ok(());
        }
        if ca.waiting_for.is_empty() {
            made("CA", &format!("{} ({}) waits for its certificate", ca.name, ca.subject));
            talk(&format!("  next: ca-node ca csr {0} > {0}.csr", ca.name));
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            let what = format!("the key of `{}` is not yet proven by {}", ca.name, ca.waiting_for.join(", "));
            return Err(Failure::new("key-unproven", what));
        }
        if told != ca.waiting_for {
            talk(&format!("waiting for the tokens of {} to prove the key", ca.waiting_for.join(", ")));
            told = ca.waiting_for;
        }
    }
}

pub(super) async fn renew(connection: &Connection, name: &str, lives: Option<&str>) -> Result<(), Failure> {
    let body = RenewCaRequest { life: life(lives)? };
    let ca: CaAnswer = read(&post(connection, &path(name, "/renew"), &body).await?)?;
    made("Renewed", &format!("{name}, valid until {}", ca.not_after.unwrap_or_default()));
    Ok(())
}

pub(super) async fn cross_sign(connection: &Connection, command: CrossSign) -> Result<(), Failure> {
    let (permit, exclude) = spaces(command.names);
    let csr = match &command.csr {
        Some(file) => Some(text(file)?),
        None => None,
    };
    let body = CrossCertificateRequest {
        by: command.by,
        ca: command.name,
        csr,
        life: life(command.life.as_deref())?,
        path_len: command.path_len,
        permit,
        exclude,
        profile: command.profile,
    };
    let issued: IssueAnswer = read(&post(connection, "/api/v1/cross-certificates", &body).await?)?;
    made("Serial", &issued.serial);
    made("Valid until", &issued.not_after);
    data(issued.certificate.trim_end());
    Ok(())
}

pub(super) async fn csr(connection: &Connection, name: &str) -> Result<(), Failure> {
    let answer = connection.call(Method::POST, &path(name, "/csr"), &[], None).await?;
    let CaCsrAnswer { csr, .. } = read(&answer)?;
    data(csr.trim_end());
    talk(&format!("  next: have it signed, then: ca-node ca import {name} FILE"));
    Ok(())
}

pub(super) async fn import(connection: &Connection, name: &str, file: &Path) -> Result<(), Failure> {
    let body = ImportCaRequest { certificates: text(file)? };
    let body = serde_json::to_vec(&body).map_err(Failure::internal)?;
    let path = path(name, "/certificate");
    let ca: CaAnswer = read(&connection.call(Method::PUT, &path, &[JSON], Some(body)).await?)?;
    made("Imported", &format!("{name}, valid until {}", ca.not_after.unwrap_or_default()));
    Ok(())
}

pub(super) async fn retire(connection: &Connection, name: &str, dry_run: bool) -> Result<(), Failure> {
    let body = RetireCaRequest { dry_run };
    let told: RetireCaAnswer = read(&post(connection, &path(name, "/retire"), &body).await?)?;
    let all = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    made("Profiles that name it", &all(&told.profiles));
    made("CAs below it", &all(&told.below));
    made("Live certificates", &told.live_certificates.to_string());
    match told.retired_at {
        Some(at) => made("Retired", &format!("{name} since {at}; its CRLs and OCSP answers go on")),
        None => talk("nothing was changed; without --dry-run it is retired, and that is not undone"),
    }
    Ok(())
}

async fn post(connection: &Connection, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
    let body = serde_json::to_vec(body).map_err(Failure::internal)?;
    connection.call(Method::POST, path, &[JSON], Some(body)).await
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    serde_json::from_slice(&answer.body).map_err(Failure::internal)
}

fn path(name: &str, rest: &str) -> String {
    format!("/api/v1/cas/{name}{rest}")
}

fn text(file: &Path) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&crate::files::read(file)?).into_owned())
}

fn life(text: Option<&str>) -> Result<Option<Life>, Failure> {
    text.map(str::parse)
        .transpose()
        .map_err(|error: ca_http::wire::NotALife| Failure::new("bad-request", format!("--life: {error}")))
}

fn spaces(names: Names) -> (Option<NameSpaces>, Option<NameSpaces>) {
    let some = |spaces: NameSpaces| (spaces != NameSpaces::default()).then_some(spaces);
    let permit = NameSpaces {
        dns: names.permit_dns,
        ip: names.permit_ip,
        email: names.permit_email,
        ..NameSpaces::default()
    };
    let exclude = NameSpaces {
        dns: names.exclude_dns,
        ip: names.exclude_ip,
        email: names.exclude_email,
        ..NameSpaces::default()
    };
    (some(permit), some(exclude))
}
