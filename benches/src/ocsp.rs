//! OCSP answers a second: those that are kept, and those that are signed for the one who asks.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ca_x509::ocsp::{CertId, OcspRequest};
use scripts::cluster::{Cluster, Node};

use crate::beside;
use crate::closed_loop::for_a_while;
use crate::connection::{Issuing, tls};
use crate::lean::Lean;
use crate::limits::{NONCES_PER_CONNECTION, OCSP_CERTIFICATES, STATIC_OCTETS};
use crate::row::{Load, Row, rounded};

/// Answers that are kept, at so many connections, beside a static file of nginx, if there is one.
///
/// # Errors
/// The cluster's files, a node that is gone, or nginx does not start.
pub async fn cached(
    cluster: &Cluster,
    connection_count: usize,
    time: Duration,
    said: &mut dyn FnMut(&str),
) -> Result<Vec<Row>> {
    let limit = match beside::nginx(cluster.home()).await {
        Ok(nginx) => {
            let request = b"GET /r HTTP/1.1\r\nhost: x\r\n\r\n".to_vec();
            let clients = (0..connection_count)
                .map(|_| Lean::new(nginx.address, vec![request.clone()], |body| body.len() == STATIC_OCTETS));
            Some(for_a_while(cluster, clients.collect(), time, said).await?)
        }
        Err(why) => {
            said(&format!("no static file to compare with: {why:#}"));
            None
        }
    };
    let requests: Vec<Vec<u8>> = ids(cluster).await?.into_iter().map(get).collect::<Result<_>>()?;
    let certificates = requests.len();
    let load = ask(cluster, connection_count, time, said, |_| Ok(requests.clone())).await?;
    let of_static = limit.as_ref().map(|limit| rounded(load.per_s / limit.per_s));
    let limit = limit.map(|load| Row::Static { load });
    Ok(limit.into_iter().chain([Row::OcspCached { certificates, of_static, load }]).collect())
}

/// Answers with a nonce each, so that each is signed.
///
/// # Errors
/// The cluster's files, or a node that is gone.
pub async fn live(
    cluster: &Cluster,
    connection_count: usize,
    time: Duration,
    token_per_s: f64,
    said: &mut dyn FnMut(&str),
) -> Result<Row> {
    let ids = ids(cluster).await?;
    let requests = |client: usize| {
        let nonces = (0..NONCES_PER_CONNECTION).map(|number| {
            let id = ids.get(number.checked_rem(ids.len()).unwrap_or(0)).context("no certificate")?;
            post(id.clone(), &[client.to_be_bytes(), number.to_be_bytes()].concat())
        });
        nonces.collect()
    };
    let load = ask(cluster, connection_count, time, said, requests).await?;
    Ok(Row::OcspLive { of_token: rounded(load.per_s / token_per_s), load })
}

async fn ask(
    cluster: &Cluster,
    connection_count: usize,
    time: Duration,
    said: &mut dyn FnMut(&str),
    requests: impl Fn(usize) -> Result<Vec<Vec<u8>>>,
) -> Result<Load> {
    let addresses = cluster.nodes.iter().map(address).collect::<Result<Vec<_>>>()?;
    let clients = addresses.into_iter().cycle().take(connection_count).zip(0..);
    let clients = clients.map(|(address, client)| Ok(Lean::new(address, requests(client)?, is_successful)));
    for_a_while(cluster, clients.collect::<Result<_>>()?, time, said).await
}

/// New certificates, each to be asked about.
async fn ids(cluster: &Cluster) -> Result<Vec<CertId>> {
    let mut issuing = Issuing::new(cluster.node(0)?, &tls(cluster)?)?;
    let mut ids = Vec::new();
    for _ in 0..OCSP_CERTIFICATES {
        let (certificate, issuer) = issuing.issue().await?.certificates()?;
        ids.push(CertId::sha1(issuer.subject(), issuer.public_key(), &certificate.serial()));
    }
    Ok(ids)
}

/// Where the answer to a question without a nonce stands (RFC 6960 §A.1).
///
/// # Errors
/// The request cannot be encoded.
pub fn path(id: CertId) -> Result<String> {
    let request = STANDARD.encode(OcspRequest { cert_ids: vec![id], nonce: None }.encode()?);
    Ok(format!("/ocsp/{}", request.replace('/', "%2F").replace('+', "%2B")))
}

fn get(id: CertId) -> Result<Vec<u8>> {
    Ok(format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", path(id)?).into_bytes())
}

fn post(id: CertId, nonce: &[u8]) -> Result<Vec<u8>> {
    let body = OcspRequest { cert_ids: vec![id], nonce: Some(nonce.to_vec()) }.encode()?;
    let head = format!(
        "POST /ocsp HTTP/1.1\r\nhost: x\r\ncontent-type: application/ocsp-request\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Ok([head.into_bytes(), body].concat())
}

/// `OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED 0, …` of 256 octets and more (RFC 6960 §4.2.1).
fn is_successful(body: &[u8]) -> bool {
    body.starts_with(&[0x30, 0x82]) && body.get(4..7) == Some(&[0x0a, 1, 0])
}

fn address(node: &Node) -> Result<SocketAddr> {
    Ok(node.va.strip_prefix("http://").unwrap_or(&node.va).parse()?)
}
