//! The peers' TLS: both ends show a certificate of the peers' CA, which names a node.
//!
//! TLS 1.3 only. No resumption: a resumed session would show the old certificate and verify none.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme, version};

use super::identity::{InvalidPeerIdentity, PeerIdentity};

/// This node's certificate and key, and the CA that all peers' certificates come from. Replaced as a whole when the
/// certificate is renewed.
#[derive(Clone)]
pub struct PeerTls {
    identity: PeerIdentity,
    pub(super) client: Arc<ClientConfig>,
    pub(super) server: Arc<ServerConfig>,
}

impl std::fmt::Debug for PeerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PeerTls").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// Why certificate and key do not serve.
#[derive(Debug, thiserror::Error)]
pub enum PeerTlsError {
    /// rustls refused them.
    #[error("peer certificate or key: {0}")]
    Rustls(#[from] rustls::Error),
    /// The roots cannot be used.
    #[error("the peers' CA: {0}")]
    Roots(String),
    /// There is no certificate.
    #[error("no peer certificate")]
    NoCertificate,
    /// The certificate names no peer.
    #[error(transparent)]
    Identity(#[from] InvalidPeerIdentity),
}

impl PeerTls {
    /// `roots` are the peers' CAs, `chain` is this node's certificate followed by what leads to a root, all in
    /// DER; `key` is its private key in PKCS#8 DER.
    ///
    /// # Errors
    /// [`PeerTlsError`]: what is given does not fit together.
    pub fn new(roots: &[Vec<u8>], chain: &[Vec<u8>], key: &[u8]) -> Result<Self, PeerTlsError> {
        let identity = PeerIdentity::in_certificate(chain.first().ok_or(PeerTlsError::NoCertificate)?)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let key = || PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_vec()));
        let mut store = RootCertStore::empty();
        for root in roots {
            store.add(CertificateDer::from(root.clone()))?;
        }
        let store = Arc::new(store);
        let client = client(&provider, &store, chain.clone(), key())?;
        let server = server(&provider, &store, chain, key())?;
        Ok(Self { identity, client: Arc::new(client), server: Arc::new(server) })
    }

    /// Whom the certificate names.
    #[must_use]
    pub fn identity(&self) -> PeerIdentity {
        self.identity
    }
}

fn client(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ClientConfig, PeerTlsError> {
    let algorithms = provider.signature_verification_algorithms;
    let verifier = Arc::new(PeerVerifier { roots: Arc::clone(roots), algorithms });
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(chain, key)?;
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn server(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, PeerTlsError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider))
        .build()
        .map_err(|e| PeerTlsError::Roots(e.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Checks the chain to the peers' CA. Not the host name, which says nothing here: after the handshake the caller
/// compares the certificate's [`PeerIdentity`] with the node that it dialled.
#[derive(Debug)]
struct PeerVerifier {
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
