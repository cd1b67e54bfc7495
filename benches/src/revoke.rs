//! Revocations a second, and how soon lists of many are served.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use ca_x509::crl::CertificateList;
use ca_x509::serial::SerialNumber;
use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use rustls::ClientConfig;
use scripts::cluster::{Cluster, Node};

use crate::closed_loop::{Client, so_many};
use crate::connection::{Asked, Connection, Issuing, tls};
use crate::limits::{FILL_CONNECTIONS, RESTART_MAX, RETRY_EVERY};
use crate::row::{Row, rounded};

/// Serials that somebody has still to do something with.
type Serials = Rc<RefCell<Vec<SerialNumber>>>;

/// Issues so many certificates, as fast as they come.
///
/// # Errors
/// A node that is gone.
pub async fn fill(cluster: &Cluster, count: usize, said: &mut dyn FnMut(&str)) -> Result<Vec<SerialNumber>> {
    let tls = tls(cluster)?;
    let serials = Serials::default();
    let fillers =
        cluster.nodes.iter().cycle().take(FILL_CONNECTIONS).map(|node| {
            anyhow::Ok(Filling { issuing: Issuing::new(node, &tls)?, serials: Rc::clone(&serials) })
        });
    so_many(cluster, fillers.collect::<Result<_>>()?, count, said).await?;
    Ok(serials.take())
}

/// Revokes these, one request each, with so many clients.
///
/// # Errors
/// A node that is gone.
pub async fn revoke(
    cluster: &Cluster,
    serials: Vec<SerialNumber>,
    connection_count: usize,
    said: &mut dyn FnMut(&str),
) -> Result<Row> {
    let tls = tls(cluster)?;
    let count = serials.len();
    let left: Serials = Rc::new(RefCell::new(serials));
    let revokers =
        cluster.nodes.iter().cycle().take(connection_count).map(|node| Revoking::new(node, &tls, &left));
    let (load, took) = so_many(cluster, revokers.collect::<Result<_>>()?, count, said).await?;
    Ok(Row::Revoke { count, took_s: rounded(took.as_secs_f64()), load })
}

/// Makes every list of `issuing` anew on one node, and waits until each node serves the whole list that came of it.
///
/// # Errors
/// Refused, or a node does not follow in time.
pub async fn crl(cluster: &Cluster) -> Result<Row> {
    let tls = tls(cluster)?;
    let mut api = Connection::api(cluster.node(0)?, &tls)?;
    let begun = Instant::now();
    let renew = Asked::new(Method::POST, "/api/v1/cas/issuing/crl".to_owned(), Bytes::new());
    let (status, answer) = api.ask(&renew).await?;
    ensure!(status == StatusCode::OK, "{status}: {}", String::from_utf8_lossy(&answer));
    let lists: Vec<serde_json::Value> = serde_json::from_slice(&answer)?;
    let whole = lists.iter().find(|list| list["list"] == "issuing" && list["kind"] == "complete");
    let number = whole.and_then(|list| list["number"].as_str()).context("no whole list among the answers")?;
    let number = u128::from_str_radix(number, 16)?;
    let mut largest = (0, 0);
    for node in &cluster.nodes {
        largest = served(node, number).await?;
    }
    let (entries, octets) = largest;
    Ok(Row::Crl { entries, octets, served_s: rounded(begun.elapsed().as_secs_f64()) })
}

/// Entries and octets of the whole list, once this node serves this number or a later one.
async fn served(node: &Node, number: u128) -> Result<(usize, usize)> {
    let mut status = Connection::status(node)?;
    let asked = Asked::new(Method::GET, "/crl/issuing.crl".to_owned(), Bytes::new());
    let begun = Instant::now();
    while begun.elapsed() < RESTART_MAX {
        let (code, der) = status.ask(&asked).await?;
        if code == StatusCode::OK {
            let list = CertificateList::parse(&der)?;
            if list.tbs().number.0 >= number {
                return Ok((list.entries().len(), der.len()));
            }
        }
        tokio::time::sleep(RETRY_EVERY).await;
    }
    bail!("{} does not serve list {number:x}", node.name)
}

/// Issues, and keeps the serials.
struct Filling {
    issuing: Issuing,
    serials: Serials,
}

impl Client for Filling {
    async fn ask(&mut self) -> Result<()> {
        let (certificate, _) = self.issuing.issue().await?.certificates()?;
        self.serials.borrow_mut().push(certificate.serial());
        Ok(())
    }
}

/// Revokes what is left.
struct Revoking {
    connection: Connection,
    left: Serials,
}

impl Revoking {
    fn new(node: &Node, tls: &Arc<ClientConfig>, left: &Serials) -> Result<Self> {
        Ok(Self { connection: Connection::api(node, tls)?, left: Rc::clone(left) })
    }
}

impl Client for Revoking {
    async fn ask(&mut self) -> Result<()> {
        let serial = self.left.borrow_mut().pop().context("nothing left to revoke")?;
        let asked = Asked::new(
            Method::POST,
            format!("/api/v1/certificates/{serial}/revoke"),
            Bytes::from_static(b"{\"ca\":\"issuing\",\"reason\":\"superseded\"}"),
        );
        let done = self.connection.ask(&asked).await;
        if !matches!(done, Ok((StatusCode::OK, _))) {
            // Perhaps it was, perhaps not: revoking again says the same.
            self.left.borrow_mut().push(serial);
        }
        let (status, answer) = done?;
        ensure!(status == StatusCode::OK, "{status}: {}", String::from_utf8_lossy(&answer));
        Ok(())
    }
}
