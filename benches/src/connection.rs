//! One client: a connection that is kept, and the requests it sends in turn.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use ca_x509::certificate::Certificate;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use scripts::cluster::{Cluster, Node};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::limits::{REQUEST_MAX, REQUESTS_PER_CONNECTION};

/// One client of one listener of a node.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    /// None for the status service, which speaks plain HTTP.
    tls: Option<Arc<ClientConfig>>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// The path, and what follows it.
    pub path: String,
    /// The body.
    pub body: Bytes,
    /// Under which idempotency key, if under one.
    pub idempotency_key: Option<String>,
}

impl Asked {
    /// Without an idempotency key.
    #[must_use]
    pub fn new(method: Method, path: String, body: Bytes) -> Self {
        Self { method, path, body, idempotency_key: None }
    }
}

/// A connection that asks for certificates, with requests that were made beforehand.
#[derive(Debug)]
pub struct Issuing {
    connection: Connection,
    bodies: Vec<Bytes>,
    sent_count: usize,
}

impl Issuing {
    /// Not connected yet; its requests are made now.
    ///
    /// # Errors
    /// The node's address cannot be read, or no key be made.
    pub fn new(node: &Node, tls: &Arc<ClientConfig>) -> Result<Self> {
        let bodies = (0..REQUESTS_PER_CONNECTION).map(body).collect::<Result<_>>()?;
        Ok(Self { connection: Connection::api(node, tls)?, bodies, sent_count: 0 })
    }

    /// Asks for a certificate and reads it whole.
    ///
    /// # Errors
    /// Anything but a certificate; the connection is made anew next time.
    pub async fn issue(&mut self) -> Result<Issued> {
        let at = self.sent_count.checked_rem(self.bodies.len()).unwrap_or(0);
        self.sent_count = self.sent_count.saturating_add(1);
        let body = self.bodies.get(at).cloned().unwrap_or_default();
        let asked = Asked::new(Method::POST, "/api/v1/certificates".to_owned(), body);
        let (status, answer) = self.connection.ask(&asked).await?;
        let text = || String::from_utf8_lossy(&answer).into_owned();
        ensure!(status == StatusCode::CREATED, "{status}: {}", text());
        ensure!(answer.windows(17).any(|part| part == b"BEGIN CERTIFICATE"), "no certificate: {}", text());
        Ok(Issued(answer))
    }
}

/// The answer to a request for a certificate, not looked into yet.
#[derive(Debug)]
pub struct Issued(Bytes);

impl Issued {
    /// The certificate, and that of the CA that issued it.
    ///
    /// # Errors
    /// Something else was answered.
    pub fn certificates(&self) -> Result<(Certificate, Certificate)> {
        let answer: serde_json::Value = serde_json::from_slice(&self.0)?;
        let read = |pem: Option<&serde_json::Value>| {
            let der = CertificateDer::from_pem_slice(
                pem.and_then(|pem| pem.as_str()).unwrap_or_default().as_bytes(),
            )?;
            anyhow::Ok(Certificate::parse(&der)?)
        };
        Ok((read(answer.get("certificate"))?, read(answer.pointer("/chain/0"))?))
    }
}

impl Connection {
    /// To a node's API, not connected yet.
    ///
    /// # Errors
    /// The node's address cannot be read.
    pub fn api(node: &Node, tls: &Arc<ClientConfig>) -> Result<Self> {
        let address = node.api.strip_prefix("https://").unwrap_or(&node.api).parse()?;
        Ok(Self { address, tls: Some(Arc::clone(tls)), sender: None })
    }

    /// To a node's status service, not connected yet.
    ///
    /// # Errors
    /// The node's address cannot be read.
    pub fn status(node: &Node) -> Result<Self> {
        let address = node.va.strip_prefix("http://").unwrap_or(&node.va).parse()?;
        Ok(Self { address, tls: None, sender: None })
    }

    /// Asks, and reads the answer whole; connects first where there is no connection.
    ///
    /// # Errors
    /// No answer; the connection is made anew next time.
    pub async fn ask(&mut self, asked: &Asked) -> Result<(StatusCode, Bytes)> {
        let answer = timeout(REQUEST_MAX, self.try_ask(asked)).await.context("no answer in time");
        let answer = answer.and_then(|answer| answer);
        if answer.is_err() {
            self.sender = None;
        }
        answer
    }

    async fn try_ask(&mut self, asked: &Asked) -> Result<(StatusCode, Bytes)> {
        let mut sender = match self.sender.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => self.connect().await?,
        };
        sender.ready().await?;
        let mut request = Request::builder()
            .method(asked.method.clone())
            .uri(&asked.path)
            .header("host", self.address.to_string())
            .header("content-type", "application/json");
        if let Some(key) = &asked.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let response = sender.send_request(request.body(Full::new(asked.body.clone()))?).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        self.sender = Some(sender);
        Ok((status, answer))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            return Ok(sender);
        };
        let name = ServerName::IpAddress(self.address.ip().into());
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// TLS as the cluster's first client.
///
/// # Errors
/// Its files.
pub fn tls(cluster: &Cluster) -> Result<Arc<ClientConfig>> {
    let read = |name: &str| std::fs::read(cluster.home().join(name)).with_context(|| name.to_owned());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&read(&cluster.root)?) {
        roots.add(certificate?)?;
    }
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&read(&cluster.client_cert)?).collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(&read(&cluster.client_key)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_client_auth_cert(chain, key)?))
}

/// A request with a P-256 key of its own.
///
/// # Errors
/// No key can be made.
pub fn body(number: usize) -> Result<Bytes> {
    let key = KeyPair::generate()?;
    let mut asked = CertificateParams::new(vec![format!("h{number}.bench.test")])?;
    // Without one it would be rcgen's own name.
    asked.distinguished_name = DistinguishedName::new();
    let csr = asked.serialize_request(&key)?.pem()?;
    let body = serde_json::json!({ "profile": "tls-server", "csr": csr });
    Ok(Bytes::from(serde_json::to_vec(&body)?))
}
