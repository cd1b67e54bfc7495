//! Servers of others, beside which a rate of ours is held: each if it is installed, on this machine, in the same run.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose};
use scripts::cluster::{Signal, send};
use tokio::net::{TcpListener, TcpStream};

use crate::lean::Lean;
use crate::limits::{RESTART_MAX, RETRY_EVERY, STATIC_OCTETS};

/// A server of somebody else's, until it is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens, in plain HTTP.
    pub address: SocketAddr,
    process: Child,
}

impl Server {
    async fn start(mut command: Command, address: SocketAddr) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        let server = Self { address, process };
        let begun = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            ensure!(begun.elapsed() < RESTART_MAX, "{name} does not listen");
            tokio::time::sleep(RETRY_EVERY).await;
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // TERM, so that workers end with it.
        if let Ok(pid) = i32::try_from(self.process.id()) {
            let _ = send(pid, Signal::TERM);
        }
        let _ = self.process.wait();
    }
}

/// nginx with two workers and one static file, `/r`, of [`STATIC_OCTETS`].
///
/// # Errors
/// It is not installed, or does not start.
pub async fn nginx(home: &Path) -> Result<Server> {
    let (address, directory) = (free_address().await?, place(home, "nginx")?);
    std::fs::write(directory.join("r"), vec![b'x'; STATIC_OCTETS])?;
    let own = directory.display();
    let configuration = format!(
        "daemon off; worker_processes 2; pid {own}/pid; error_log {own}/error; events {{ worker_connections 1024; }} \
         http {{ access_log off; keepalive_requests 100000000; sendfile on; open_file_cache max=100; \
         default_type application/ocsp-response; server {{ listen {address}; root {own}; }} }}"
    );
    std::fs::write(directory.join("conf"), configuration)?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(directory.join("conf"));
    Server::start(command, address).await
}

/// cfssl with a P-256 CA whose key is in a file: one node without a database, which signs and forgets.
///
/// # Errors
/// It is not installed, or does not start.
pub async fn cfssl(home: &Path) -> Result<Server> {
    let (address, directory) = (free_address().await?, place(home, "cfssl")?);
    let key = KeyPair::generate()?;
    let mut root = CertificateParams::default();
    root.distinguished_name.push(DnType::CommonName, "bench root");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let write = |name: &str, text: String| -> Result<PathBuf> {
        let path = directory.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    };
    let certificate = write("root.crt", root.self_signed(&key)?.pem())?;
    let key = write("root.key", key.serialize_pem())?;
    let usages = r#"{"signing":{"default":{"expiry":"24h","usages":["digital signature","server auth"]}}}"#;
    let configuration = write("config.json", usages.to_owned())?;
    let mut command = Command::new("cfssl");
    command.args(["serve", "-loglevel", "3", "-address", &address.ip().to_string()]);
    command.args(["-port", &address.port().to_string()]);
    command.arg("-ca").arg(certificate).arg("-ca-key").arg(key).arg("-config").arg(configuration);
    Server::start(command, address).await
}

/// A client of [`cfssl`] that asks for certificates, each request with a key of its own.
///
/// # Errors
/// No key can be made.
pub fn cfssl_client(server: &Server, requests: usize) -> Result<Lean> {
    let requests = (0..requests).map(|number| {
        let (key, name) = (KeyPair::generate()?, format!("h{number}.bench.test"));
        let csr = CertificateParams::new(vec![name.clone()])?.serialize_request(&key)?.pem()?;
        let body = serde_json::json!({ "certificate_request": csr, "hosts": [name] }).to_string();
        let head = format!(
            "POST /api/v1/cfssl/sign HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        anyhow::Ok([head, body].concat().into_bytes())
    });
    let signed: fn(&[u8]) -> bool = |body| body.windows(17).any(|part| part == b"BEGIN CERTIFICATE");
    Ok(Lean::new(server.address, requests.collect::<Result<_>>()?, signed))
}

async fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}

fn place(home: &Path, name: &str) -> Result<PathBuf> {
    let directory = home.join(name);
    std::fs::create_dir_all(&directory)?;
    Ok(directory)
}
