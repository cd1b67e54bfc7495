//! The command line's side of the API: HTTPS with the user's certificate, one connection a call.

use std::net::ToSocketAddrs as _;
use std::path::PathBuf;
use std::sync::Arc;

use ca_core::ids::Digest;
use clap::Args;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::failure::Failure;
use crate::limits::CLIENT_MAX;
use crate::tls;

/// Which cluster, and as whom.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Which cluster, and as whom")]
pub(crate) struct Connection {
    /// API addresses, `https://host:port`, tried in their order
    #[arg(
        long,
        global = true,
        env = "CA_ADDR",
        value_delimiter = ',',
        default_value = "https://127.0.0.1:8443"
    )]
    pub(crate) addr: Vec<String>,
    /// The cluster's root certificate
    #[arg(long, global = true, env = "CA_CACERT", default_value = "root.pem")]
    pub(crate) cacert: PathBuf,
    /// Your client certificate
    #[arg(long, global = true, env = "CA_CERT", default_value = "client.pem")]
    pub(crate) cert: PathBuf,
    /// Its key
    #[arg(long, global = true, env = "CA_KEY", default_value = "client.key")]
    pub(crate) key: PathBuf,
    /// Whether the certificate is shown.
    #[arg(skip)]
    pub(crate) who: Who,
}

/// As whom a command comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Who {
    /// The holder of the client certificate.
    #[default]
    Client,
    /// Nobody: an enrolment token says the rest.
    Nobody,
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Connection {
    /// The same cluster, without a client certificate.
    pub(crate) fn anonymous(&self) -> Self {
        Self { who: Who::Nobody, ..self.clone() }
    }

    /// One call. A refusal of the API is a failure with its own words.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<Answer, Failure> {
        refusal(self.ask(method, path, headers, body).await?)
    }

    /// One call, whatever the API answers.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<Answer, Failure> {
        let config = Arc::new(self.tls()?);
        let mut last = Failure::new("unreachable", "no address to call: --addr is empty").code(4);
        for addr in &self.addr {
            let host = addr.trim_start_matches("https://").trim_end_matches('/');
            let called = call(&config, host, method.clone(), path, headers, body.clone());
            match tokio::time::timeout(CLIENT_MAX, called).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(why)) => last = unreachable(addr, &why),
                Err(_) => last = unreachable(addr, &format!("no answer within {CLIENT_MAX:?}")),
            }
        }
        Err(last)
    }

    /// `GET` and JSON.
    pub(crate) async fn get(&self, path: &str) -> Result<serde_json::Value, Failure> {
        let answer = self.call(Method::GET, path, &[], None).await?;
        serde_json::from_slice(&answer.body).map_err(|e| Failure::internal(format!("{path}: {e}")))
    }

    fn tls(&self) -> Result<ClientConfig, Failure> {
        let missing = |failure: Failure| {
            failure.next("name them with --cacert, --cert and --key, or CA_CACERT, CA_CERT and CA_KEY")
        };
        let roots = tls::roots(&self.cacert).map_err(missing)?;
        if self.who == Who::Nobody {
            return Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
        }
        let chain = tls::certificates(&crate::files::read(&self.cert).map_err(missing)?)?;
        let key = crate::files::read(&self.key).map_err(missing)?;
        use rustls::pki_types::pem::PemObject as _;
        let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(&key).map_err(Failure::internal)?;
        let builder = ClientConfig::builder().with_root_certificates(roots);
        builder.with_client_auth_cert(chain, key).map_err(Failure::internal)
    }
}

fn unreachable(addr: &str, why: &str) -> Failure {
    Failure::new("unreachable", format!("{addr}: {why}"))
        .next("name a node that runs with --addr, or start one: ca-node server -c FILE")
        .code(4)
}

/// One request over a connection of its own.
pub(crate) async fn call(
    config: &Arc<ClientConfig>,
    host: &str,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Vec<u8>>,
) -> Result<Answer, String> {
    let address = host
        .to_socket_addrs()
        .map_err(|e| format!("{host}: {e}"))?
        .next()
        .ok_or_else(|| format!("{host} has no address"))?;
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    let name = ServerName::try_from(name.to_owned()).map_err(|e| e.to_string())?;
    let stream = TcpStream::connect(address).await.map_err(|e| e.to_string())?;
    stream.set_nodelay(true).map_err(|e| e.to_string())?;
    let connector = TlsConnector::from(Arc::clone(config));
    let stream = connector.connect(name, stream).await.map_err(|e| e.to_string())?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request =
        request.body(Full::new(Bytes::from(body.unwrap_or_default()))).map_err(|e| e.to_string())?;
    let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|e| e.to_string())?.to_bytes();
    Ok(Answer { status, body })
}

/// RFC 9457, in our words.
pub(crate) fn refusal(answer: Answer) -> Result<Answer, Failure> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |key: &str| problem.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    let slug = text("type").and_then(|uri| uri.strip_prefix("urn:ca-node:problem:").map(str::to_owned));
    let what = text("detail").unwrap_or_else(|| format!("the node answered {}", answer.status));
    let mut failure = Failure::new(&slug.unwrap_or_else(|| "internal".to_owned()), what);
    failure.next = text("next");
    failure.fields = field_errors(&problem);
    failure.code = match (failure.slug.as_str(), answer.status) {
        ("not-initialised", _) => 3,
        (_, StatusCode::SERVICE_UNAVAILABLE) => 2,
        _ => failure.code,
    };
    Err(failure)
}

/// The `errors` of a problem (RFC 9457 §3, "Extension Members").
fn field_errors(problem: &serde_json::Value) -> Vec<(String, String)> {
    let errors = problem.get("errors").and_then(serde_json::Value::as_array).map(Vec::as_slice);
    let text = |error: &serde_json::Value, key: &str| error.get(key)?.as_str().map(str::to_owned);
    let both = |error| Some((text(error, "pointer")?, text(error, "detail")?));
    errors.unwrap_or_default().iter().filter_map(both).collect()
}

/// TLS to a cluster of which only the digest of its root certificate is known: for `join`.
pub(crate) fn pinned(root_sha256: &str) -> ClientConfig {
    let verifier = Arc::new(PinnedRoot { digest: root_sha256.to_owned() });
    ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
}

/// Takes the certificate with the pinned digest out of what the server sends, and then verifies as always with it
/// as the only root.
#[derive(Debug)]
struct PinnedRoot {
    digest: String,
}

impl PinnedRoot {
    fn verifier(&self, sent: &[CertificateDer<'_>]) -> Result<Arc<WebPkiServerVerifier>, rustls::Error> {
        let pinned = |certificate: &&CertificateDer<'_>| Digest::of(certificate).to_string() == self.digest;
        let root = sent.iter().find(pinned).ok_or_else(|| {
            rustls::Error::General("this is another cluster: its root is not the join token's".to_owned())
        })?;
        let mut roots = RootCertStore::empty();
        roots.add(root.clone().into_owned())?;
        WebPkiServerVerifier::builder(Arc::new(roots))
            .build()
            .map_err(|e| rustls::Error::General(e.to_string()))
    }
}

impl ServerCertVerifier for PinnedRoot {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verifier = self.verifier(intermediates)?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// One request over plain HTTP, as a relying party asks. Answers the body of a 200.
pub(crate) async fn plain(
    host: &str,
    method: Method,
    path: &str,
    body: Option<Vec<u8>>,
) -> Result<Vec<u8>, Failure> {
    let failed = |e: &dyn std::fmt::Display| unreachable(host, &e.to_string());
    let stream = TcpStream::connect(host).await.map_err(|e| failed(&e))?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|e| failed(&e))?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", host)
        .header("content-type", "application/ocsp-request")
        .body(Full::new(Bytes::from(body.unwrap_or_default())))
        .map_err(|e| failed(&e))?;
    let response = sender.send_request(request).await.map_err(|e| failed(&e))?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|e| failed(&e))?.to_bytes();
    Ok(refusal(Answer { status, body })?.body.to_vec())
}
