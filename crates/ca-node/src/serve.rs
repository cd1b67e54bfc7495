//! The accept loops: one TCP connection, perhaps TLS, then HTTP/1.1 or h2, then the doors.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use ca_http::PeerCertificate;
use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::{Service, ServiceExt as _};

use crate::failure::Failure;
use crate::limits::{CONNECTIONS_MAX, DRAIN_MAX, HANDSHAKE_MAX, HEAD_MAX, HEAD_OCTETS_MAX, STREAMS_MAX};

/// Binds a listener.
pub(crate) async fn bind(what: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|e| {
        Failure::new("port-in-use", format!("the {what} listener cannot bind {address}: {e}"))
            .next(format!("stop what listens there, or set listen.{what} to another address"))
    })
}

/// Serves `door` until `stop` is true and the last request is answered, or the drain has lasted too long.
pub(crate) async fn serve<D, B>(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    door: D,
    mut stop: watch::Receiver<bool>,
) where
    D: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    D::Future: Send,
    B: Body<Error: std::error::Error + Send + Sync, Data: Send> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let acceptor = tls.map(TlsAcceptor::from);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        // Out of file descriptors, or reset in the queue: the next one may do better.
        let Ok((stream, _)) = accepted else { continue };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let (acceptor, door, watcher) = (acceptor.clone(), door.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            // Without it small answers wait for the client's delayed acknowledgement.
            let _ = stream.set_nodelay(true);
            match acceptor {
                None => connection(stream, door, PeerCertificate(None), watcher).await,
                Some(acceptor) => secured(stream, acceptor, door, watcher).await,
            }
        });
    }
    // A request that outlives the drain is cut off with the process; its outcome is in the log or not at all.
    let _ = tokio::time::timeout(DRAIN_MAX, graceful.shutdown()).await;
}

async fn secured<D, B>(stream: TcpStream, acceptor: TlsAcceptor, door: D, watcher: Watcher)
where
    D: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    D::Future: Send,
    B: Body<Error: std::error::Error + Send + Sync, Data: Send> + Send + 'static,
{
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await else { return };
    let peer = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let peer = PeerCertificate(peer.map(|certificate| certificate.to_vec()));
    connection(stream, door, peer, watcher).await;
}

async fn connection<S, D, B>(stream: S, door: D, peer: PeerCertificate, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    D: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    D::Future: Send,
    B: Body<Error: std::error::Error + Send + Sync, Data: Send> + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_MAX).max_buf_size(HEAD_OCTETS_MAX);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS_MAX);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        door.clone().oneshot(request)
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    // Whatever ends a connection is the client's affair; the request has its own log line.
    let _ = watcher.watch(connection).await;
}
