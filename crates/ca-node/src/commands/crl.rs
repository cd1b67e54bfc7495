//! crl list, now, get, verify: the lists of revocations, as a relying party sees them.

use ca_authority::ports::{Clock as _, Verifier as _};
use ca_core::limits::{DELTA_REFRESH_S, STATUS_REFRESH_S};
use ca_core::shards::DELTA;
use ca_hsm::SignatureVerifier;
use ca_http::wire::ListAnswer;
use ca_x509::certificate::Certificate;
use ca_x509::crl::CertificateList;
use hyper::Method;
use serde_json::Value;

use super::ocsp::{first_node, nodes};
use crate::cli::Format;
use crate::client::{Connection, plain};
use crate::failure::Failure;
use crate::limits::{CRL_TRIES, LOOK_EVERY};
use crate::output::{data, made};
use crate::ports::SystemClock;

/// Every list of a CA, or of all.
pub(super) async fn list(connection: &Connection, output: Format, ca: Option<&str>) -> Result<(), Failure> {
    let mut all = Vec::new();
    for ca in cas(connection, ca).await? {
        all.extend(served(connection, &ca).await?);
    }
    show(output, &all)
}

/// Cuts and signs every list of a CA at once.
pub(super) async fn now(connection: &Connection, output: Format, ca: &str) -> Result<(), Failure> {
    let path = format!("/api/v1/cas/{ca}/crl");
    let answer = connection.call(Method::POST, &path, &[], None).await?;
    let lists: Vec<ListAnswer> = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    made("Signed", &format!("{} lists of {ca}", lists.len()));
    show(output, &lists)
}

/// The list of this name from the first node, PEM.
pub(super) async fn get(connection: &Connection, name: &str) -> Result<(), Failure> {
    let (_, va) = first_node(connection).await?;
    let der = plain(&va, Method::GET, &format!("/crl/{name}.crl"), None).await?;
    data(ca_x509::pem::encode(ca_x509::pem::CRL, &der).trim_end());
    Ok(())
}

/// Fetches every list of a CA, or of all, from every node, and says whether it is what it ought to be.
pub(super) async fn verify(connection: &Connection, ca: Option<&str>) -> Result<(), Failure> {
    let nodes = nodes(connection).await?;
    let mut wrong = 0_usize;
    for ca in cas(connection, ca).await? {
        let (_, va) = first_node(connection).await?;
        let issuer = plain(&va, Method::GET, &format!("/ca/{ca}.cer"), None).await?;
        let issuer = Certificate::parse(&issuer).map_err(Failure::internal)?;
        for list in served(connection, &ca).await? {
            match everywhere_alike(connection, &nodes, &ca, list).await {
                Ok((list, der)) => match faults(&list, &der, &issuer) {
                    faults if faults.is_empty() => {
                        let of = format!("{} nodes serve the same {} octets", nodes.len(), der.len());
                        data(&format!("ok\t{}\tnumber {}\t{of}", name_of(&list), list.number));
                    }
                    faults => {
                        wrong = wrong.saturating_add(1);
                        data(&format!(
                            "wrong\t{}\tnumber {}\t{}",
                            name_of(&list),
                            list.number,
                            faults.join("; ")
                        ));
                    }
                },
                Err((list, why)) => {
                    wrong = wrong.saturating_add(1);
                    data(&format!("wrong\t{}\tnumber {}\t{why}", name_of(&list), list.number));
                }
            }
        }
    }
    if wrong == 0 {
        return Ok(());
    }
    let what = format!("{wrong} lists are not what they ought to be");
    Err(Failure::new("crl-wrong", what).next("ca-node status, and the log of the node that is named"))
}

/// The names of all CAs, or the one that is asked for.
async fn cas(connection: &Connection, ca: Option<&str>) -> Result<Vec<String>, Failure> {
    if let Some(ca) = ca {
        return Ok(vec![ca.to_owned()]);
    }
    let cas = connection.get("/api/v1/cas").await?;
    let cas = cas.as_array().into_iter().flatten();
    Ok(cas.filter_map(|ca| ca.get("name").and_then(Value::as_str)).map(str::to_owned).collect())
}

async fn served(connection: &Connection, ca: &str) -> Result<Vec<ListAnswer>, Failure> {
    let lists = connection.get(&format!("/api/v1/cas/{ca}/crl")).await?;
    serde_json::from_value(lists).map_err(Failure::internal)
}

/// The list as all nodes serve it. While a new one is on its way, some may have it and others not: then again.
async fn everywhere_alike(
    connection: &Connection,
    nodes: &[(String, String)],
    ca: &str,
    mut list: ListAnswer,
) -> Result<(ListAnswer, Vec<u8>), (ListAnswer, String)> {
    let mut why = String::new();
    for _ in 0..CRL_TRIES {
        match alike(nodes, &list).await {
            Ok(der) => return Ok((list, der)),
            Err(reason) => why = reason,
        }
        tokio::time::sleep(LOOK_EVERY).await;
        let newer = served(connection, ca).await.unwrap_or_default();
        if let Some(newer) = newer.into_iter().find(|newer| name_of(newer) == name_of(&list)) {
            list = newer;
        }
    }
    Err((list, why))
}

async fn alike(nodes: &[(String, String)], list: &ListAnswer) -> Result<Vec<u8>, String> {
    let path = format!("/crl/{}.crl", name_of(list));
    let mut first = None;
    for (name, va) in nodes {
        let der = plain(va, Method::GET, &path, None).await.map_err(|e| format!("{name}: {}", e.what))?;
        let digest = ca_core::ids::Digest::of(&der).to_string();
        if digest != list.sha256 {
            return Err(format!("{name} serves another one, of {} octets", der.len()));
        }
        first.get_or_insert(der);
    }
    first.ok_or_else(|| "no node serves it".to_owned())
}

/// What is wrong with a list (I12, I13, I15).
fn faults(list: &ListAnswer, der: &[u8], issuer: &Certificate) -> Vec<String> {
    let parsed = match CertificateList::parse(der) {
        Ok(parsed) => parsed,
        Err(error) => return vec![error.to_string()],
    };
    let (tbs, key, now) = (parsed.tbs(), issuer.public_key(), SystemClock.now().seconds());
    let signature =
        SignatureVerifier.verify(key, parsed.signature_algorithm(), parsed.tbs_der(), parsed.signature());
    let (refresh_s, place) = match tbs.delta_base {
        // A delta names the place of its base.
        Some(_) => (DELTA_REFRESH_S, list.url.replace(&format!("{DELTA}.crl"), ".crl")),
        None => (STATUS_REFRESH_S, list.url.clone()),
    };
    // Twice 45 % of its life, and a minute for who is at it.
    let half = tbs.this_update.saturating_add(refresh_s.saturating_add(60));
    let checks = [
        (signature.is_ok(), "its signature does not verify with the CA's key"),
        (tbs.issuer == *issuer.subject(), "its issuer is not the CA"),
        (
            tbs.authority_key_identifier == key.key_identifier(),
            "its authority key identifier is not the CA's",
        ),
        (format!("{:x}", tbs.number.0) == list.number, "its number is not the one in the log"),
        (tbs.distribution_point.as_ref().is_none_or(|named| *named == place), "it names another place"),
        (parsed.entries().len() == list.entries, "its entries are not those in the log"),
        (tbs.next_update > now, "it has expired"),
        (half > now, "it is in the second half of its life"),
    ];
    checks.into_iter().filter(|(holds, _)| !holds).map(|(_, fault)| fault.to_owned()).collect()
}

/// As in its address.
fn name_of(list: &ListAnswer) -> String {
    let delta = if list.kind == "delta" { DELTA } else { "" };
    format!("{}{delta}", list.list)
}

fn show(output: Format, lists: &[ListAnswer]) -> Result<(), Failure> {
    if output == Format::Json {
        data(&serde_json::to_string(lists).map_err(Failure::internal)?);
        return Ok(());
    }
    for list in lists {
        let ListAnswer { number, this_update, next_update, entries, octets, url, .. } = list;
        let name = name_of(list);
        data(&format!(
            "{name}\tnumber {number}\t{this_update}\tuntil {next_update}\t{entries} entries\t{octets} octets\t{url}"
        ));
    }
    Ok(())
}
