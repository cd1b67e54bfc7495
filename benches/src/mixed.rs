//! A day of a CA in small: 60 % of the requests issue, 20 % revoke, 15 % ask for a status, 5 % fetch the whole list.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use ca_x509::ocsp::CertId;
use ca_x509::serial::SerialNumber;
use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use rustls::ClientConfig;
use scripts::cluster::{Cluster, Node};

use crate::closed_loop::{Client, for_a_while};
use crate::connection::{Asked, Connection, Issuing, tls};
use crate::ocsp;
use crate::row::Row;

/// What the requests of a client are, in turn; every client begins at another place.
const TURN: [What; 20] = {
    use What::{Fetch, Issue, Revoke, Status};
    [
        Issue, Issue, Issue, Revoke, Status, Issue, Issue, Issue, Revoke, Status, Issue, Issue, Issue,
        Revoke, Status, Issue, Issue, Issue, Revoke, Fetch,
    ]
};

#[derive(Clone, Copy, Debug)]
enum What {
    Issue,
    Revoke,
    Status,
    Fetch,
}

/// Measures with so many clients, spread over the nodes.
///
/// # Errors
/// The cluster's files, or a node that is gone.
pub async fn mixed(
    cluster: &Cluster,
    clients: usize,
    time: Duration,
    said: &mut dyn FnMut(&str),
) -> Result<Row> {
    let tls = tls(cluster)?;
    let clients = cluster.nodes.iter().cycle().take(clients).zip(0..);
    let clients = clients.map(|(node, number)| Mixed::new(node, &tls, number));
    Ok(Row::Mixed { load: for_a_while(cluster, clients.collect::<Result<_>>()?, time, said).await? })
}

struct Mixed {
    api: Connection,
    va: Connection,
    issuing: Issuing,
    turn: usize,
    /// What this client has issued last.
    last: Option<(SerialNumber, CertId)>,
}

impl Mixed {
    fn new(node: &Node, tls: &Arc<ClientConfig>, turn: usize) -> Result<Self> {
        let (api, va) = (Connection::api(node, tls)?, Connection::status(node)?);
        Ok(Self { api, va, issuing: Issuing::new(node, tls)?, turn, last: None })
    }
}

impl Client for Mixed {
    async fn ask(&mut self) -> Result<()> {
        let what = TURN.get(self.turn.checked_rem(TURN.len()).unwrap_or(0)).copied();
        self.turn = self.turn.saturating_add(1);
        let (status, answer) = match (what.unwrap_or(What::Issue), &self.last) {
            (What::Issue, _) | (_, None) => {
                let (certificate, issuer) = self.issuing.issue().await?.certificates()?;
                let id = CertId::sha1(issuer.subject(), issuer.public_key(), &certificate.serial());
                self.last = Some((certificate.serial(), id));
                return Ok(());
            }
            (What::Revoke, Some((serial, _))) => {
                let path = format!("/api/v1/certificates/{serial}/revoke");
                let body = Bytes::from_static(b"{\"ca\":\"issuing\",\"reason\":\"superseded\"}");
                self.api.ask(&Asked::new(Method::POST, path, body)).await?
            }
            (What::Status, Some((_, id))) => {
                let path = ocsp::path(id.clone())?;
                self.va.ask(&Asked::new(Method::GET, path, Bytes::new())).await?
            }
            (What::Fetch, Some(_)) => {
                let list = Asked::new(Method::GET, "/crl/issuing.crl".to_owned(), Bytes::new());
                self.va.ask(&list).await?
            }
        };
        let text = || String::from_utf8_lossy(&answer).into_owned();
        ensure!(status == StatusCode::OK && !answer.is_empty(), "{status}: {}", text());
        Ok(())
    }
}
