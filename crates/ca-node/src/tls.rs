//! The TLS of the doors: leaf keys are files, their certificates come from the register's CAs.

use std::path::Path;
use std::sync::Arc;

use ca_raft::{PeerIdentity, PeerTls};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::failure::Failure;
use crate::files;

/// A new leaf key and the request for its certificate.
#[derive(Debug)]
pub(crate) struct LeafKey {
    /// PKCS#8, for a file of mode 0600.
    pub(crate) key_pem: String,
    /// Proves possession; everything else in it is ignored.
    pub(crate) csr_pem: String,
}

impl LeafKey {
    /// A P-256 key.
    pub(crate) fn generate() -> Result<Self, Failure> {
        let key = KeyPair::generate().map_err(Failure::internal)?;
        let csr = CertificateParams::default().serialize_request(&key).map_err(Failure::internal)?;
        Ok(Self { key_pem: key.serialize_pem(), csr_pem: csr.pem().map_err(Failure::internal)? })
    }
}

/// Certificates in PEM, one after another.
pub(crate) fn pem_chain<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> String {
    certificates.into_iter().map(|der| ca_x509::pem::encode("CERTIFICATE", der)).collect()
}

/// The API's TLS: a client certificate is asked for and checked, but its absence is answered by the doors.
pub(crate) fn api_server(data_dir: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let roots = Arc::new(roots(&files::root(data_dir))?);
    let verifier =
        WebPkiClientVerifier::builder(roots).allow_unauthenticated().build().map_err(Failure::internal)?;
    let (chain, key) = leaf(data_dir, "api")?;
    let mut config = ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(Failure::internal)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The peer TLS that lies in the data directory.
pub(crate) fn peer(data_dir: &Path) -> Result<PeerTls, Failure> {
    let (chain, key) = leaf(data_dir, "peer")?;
    let roots = octets(&certificates(&files::read(&files::tls(data_dir, "peer-ca.pem"))?)?);
    PeerTls::new(&roots, &octets(&chain), key.secret_der())
        .map_err(|e| Failure::new("peer-tls", e.to_string()))
}

/// Peer TLS for a first node that has no peers yet: a certificate that nobody trusts, replaced before anybody is
/// invited.
pub(crate) fn lonely_peer(identity: PeerIdentity) -> Result<PeerTls, Failure> {
    let key = KeyPair::generate().map_err(Failure::internal)?;
    let mut params = CertificateParams::default();
    let uri = identity.to_string().try_into().map_err(Failure::internal)?;
    params.subject_alt_names = vec![rcgen::SanType::URI(uri)];
    let certificate = params.self_signed(&key).map_err(Failure::internal)?;
    let chain = [certificate.der().to_vec()];
    PeerTls::new(&chain, &chain, &key.serialize_der()).map_err(|e| Failure::new("peer-tls", e.to_string()))
}

fn octets(certificates: &[CertificateDer<'_>]) -> Vec<Vec<u8>> {
    certificates.iter().map(|certificate| certificate.to_vec()).collect()
}

/// A leaf's chain and key from its files.
pub(crate) fn leaf(
    data_dir: &Path,
    name: &str,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Failure> {
    let chain = files::read(&files::tls(data_dir, &format!("{name}.pem")))?;
    let key = files::read(&files::tls(data_dir, &format!("{name}.key")))?;
    Ok((certificates(&chain)?, PrivateKeyDer::from_pem_slice(&key).map_err(Failure::internal)?))
}

pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Failure> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(Failure::internal)
}

pub(crate) fn roots(path: &Path) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&files::read(path)?)? {
        roots.add(certificate).map_err(Failure::internal)?;
    }
    Ok(roots)
}

/// The key of a request, whose signature is checked, so that who sent it holds the private half.
pub(crate) fn requested_key(csr: &str) -> Result<ca_x509::key::PublicKey, Failure> {
    use ca_authority::ports::Verifier as _;
    let bad = |why: String| Failure::new("csr-malformed", why);
    let request =
        ca_x509::request::CertificationRequest::parse(csr.as_bytes()).map_err(|e| bad(e.to_string()))?;
    let key = request.public_key().clone();
    ca_hsm::SignatureVerifier
        .verify(&key, request.signature_algorithm(), request.info_der(), request.signature())
        .map_err(|_| {
            Failure::new("csr-signature", "the request's signature does not verify with its own key")
        })?;
    Ok(key)
}
