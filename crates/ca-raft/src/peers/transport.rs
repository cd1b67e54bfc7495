//! What carries the octets between two nodes: TLS over TCP, or what a simulation puts in its place.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use ca_core::ids::NodeId;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::identity::PeerIdentity;
use super::tls::PeerTls;
use crate::limits;

/// A connection's two directions.
pub trait Octets: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Octets for T {}

/// What comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A network in which every address is whose it is said to be: there are no certificates in it.
pub trait SimulatedNetwork: Send + Sync {
    /// Connects to `host:port`.
    fn connect(&self, address: String) -> Later<'static, io::Result<Box<dyn Octets>>>;

    /// Waits for the next connection, and says whose it is.
    fn accept(&self) -> Later<'_, io::Result<(Box<dyn Octets>, NodeId)>>;
}

/// How a node reaches others.
#[derive(Clone)]
pub(crate) enum Transport {
    Tls(Arc<ArcSwap<PeerTls>>),
    Simulated(Arc<dyn SimulatedNetwork>),
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tls(_) => "Tls",
            Self::Simulated(_) => "Simulated",
        })
    }
}

impl Transport {
    /// Connects, and makes sure who is there.
    pub(super) async fn connect(&self, address: &str, expected: PeerIdentity) -> io::Result<Box<dyn Octets>> {
        let tls = match self {
            Self::Simulated(network) => return network.connect(address.to_owned()).await,
            Self::Tls(tls) => tls.load_full(),
        };
        let tcp = TcpStream::connect(address).await?;
        // Without it a call takes 44 ms instead of one.
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from("peer.invalid").map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::clone(&tls.client)).connect(name, tcp).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let certificate = certificate.ok_or_else(|| io::Error::other("the peer showed no certificate"))?;
        let got = PeerIdentity::in_certificate(certificate).map_err(io::Error::other)?;
        if got == expected {
            Ok(Box::new(stream))
        } else {
            Err(io::Error::other(format!("{address} is {got}, not {expected}")))
        }
    }
}

/// Where others come in.
pub(crate) enum Entrance {
    Tls(TcpListener, Arc<ArcSwap<PeerTls>>),
    Simulated(Arc<dyn SimulatedNetwork>, PeerIdentity),
}

/// Somebody at the entrance, who may still have to say who it is.
pub(super) enum Caller {
    Tls(TcpStream, SocketAddr, Arc<PeerTls>),
    Simulated(Box<dyn Octets>, PeerIdentity),
}

impl Entrance {
    pub(super) async fn accept(&self) -> io::Result<Caller> {
        match self {
            Self::Tls(listener, tls) => {
                let (tcp, from) = listener.accept().await?;
                Ok(Caller::Tls(tcp, from, tls.load_full()))
            }
            Self::Simulated(network, ours) => {
                let (octets, node) = network.accept().await?;
                Ok(Caller::Simulated(octets, PeerIdentity { node, ..*ours }))
            }
        }
    }
}

impl Caller {
    /// From where, for the log.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Tls(_, from, _) => from.to_string(),
            Self::Simulated(_, peer) => peer.to_string(),
        }
    }

    /// The connection, and whom its certificate names.
    pub(super) async fn identified(
        self,
    ) -> Result<(Box<dyn Octets>, PeerIdentity), Box<dyn std::error::Error + Send + Sync>> {
        let (tcp, tls) = match self {
            Self::Simulated(octets, peer) => return Ok((octets, peer)),
            Self::Tls(tcp, _, tls) => (tcp, tls),
        };
        tcp.set_nodelay(true)?;
        let accepting = TlsAcceptor::from(Arc::clone(&tls.server)).accept(tcp);
        let stream = timeout(limits::CONNECT_WITHIN, accepting).await??;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let peer = PeerIdentity::in_certificate(certificate.ok_or("the peer showed no certificate")?)?;
        Ok((Box::new(stream), peer))
    }
}
