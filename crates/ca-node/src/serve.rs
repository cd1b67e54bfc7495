//! The accept loops: one TCP connection, perhaps TLS, then HTTP/1.1 or h2, then the doors.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use ca_http::{PeerAddress, PeerCertificate};
use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::{Service, ServiceExt as _};

use crate::failure::Failure;
use crate::limits::{
    CONNECTIONS_EACH_MAX, CONNECTIONS_MAX, DRAIN_MAX, HANDSHAKE_MAX, HEAD_LIST_OCTETS_MAX, HEAD_MAX,
    HEAD_OCTETS_MAX, LINGER_MAX, PING_EVERY, PING_MAX, STREAMS_MAX,
};
use crate::places::Places;

/// Binds a listener.
pub(crate) async fn bind(what: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|e| {
        Failure::new("port-in-use", format!("the {what} listener cannot bind {address}: {e}"))
            .next(format!("stop what listens there, or set listen.{what} to another address"))
    })
}

/// Waits until the node stops.
pub(crate) async fn stopped(mut stop: watch::Receiver<bool>) {
    // Whoever could say so is gone: that is an end too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Serves `door` until `stop` is true and the last request is answered, or the drain has lasted too long. Each new
/// connection gets the TLS of that moment; plain HTTP if there is none.
pub(crate) async fn serve<D, B>(
    listener: TcpListener,
    tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    door: D,
    stop: watch::Receiver<bool>,
) where
    D: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    D::Future: Send,
    B: Body<Error: std::error::Error + Send + Sync, Data: Send> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    let places = Places::new(CONNECTIONS_MAX, CONNECTIONS_EACH_MAX);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(stop.clone()) => break,
        };
        // Out of file descriptors, or reset in the queue: the next one may do better.
        let Ok((stream, from)) = accepted else { continue };
        let from = PeerAddress(from.ip());
        let Some(place) = places.take(from.0) else { continue };
        let acceptor = tls.as_ref().map(|tls| TlsAcceptor::from(Arc::clone(&tls.borrow())));
        let (door, watcher, stop) = (door.clone(), graceful.watcher(), stop.clone());
        tokio::spawn(async move {
            let _place = place;
            // Without it small answers wait for the client's delayed acknowledgement.
            let _ = stream.set_nodelay(true);
            match acceptor {
                None => connection(stream, door, (from, PeerCertificate::NONE), watcher).await,
                Some(acceptor) => {
                    // No request is in flight before the handshake is done: the drain does not wait for it.
                    let secured = tokio::select! {
                        secured = handshake(stream, acceptor) => secured,
                        () = stopped(stop) => None,
                    };
                    if let Some((stream, peer)) = secured {
                        connection(stream, door, (from, peer), watcher).await;
                    }
                }
            }
        });
    }
    // Whoever comes now is refused at once and goes to another node.
    drop(listener);
    // A request that outlives the drain is cut off with the process; its outcome is in the log or not at all.
    let _ = tokio::time::timeout(DRAIN_MAX, graceful.shutdown()).await;
}

/// The connection and whose it is; none if TLS refused the client, or it took too long.
async fn handshake(
    stream: TcpStream,
    acceptor: TlsAcceptor,
) -> Option<(TlsStream<TcpStream>, PeerCertificate)> {
    let accepting = acceptor.accept(stream).into_fallible();
    match tokio::time::timeout(HANDSHAKE_MAX, accepting).await {
        Ok(Ok(stream)) => {
            let peer = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
            let peer = peer.map_or(PeerCertificate::NONE, |certificate| PeerCertificate::of(certificate));
            Some((stream, peer))
        }
        Ok(Err((_, refused))) => {
            linger(refused).await;
            None
        }
        Err(_) => None,
    }
}

/// Lets a refused client read the alert that says why. To close while octets of its own are unread would reset the
/// connection, and the alert might be lost (RFC 1122 §4.2.2.13); a TLS 1.3 client sends its request before it can know.
async fn linger(mut refused: TcpStream) {
    let reading = async {
        refused.shutdown().await?;
        tokio::io::copy(&mut refused, &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(LINGER_MAX, reading).await;
}

async fn connection<S, D, B>(
    stream: S,
    door: D,
    (from, peer): (PeerAddress, PeerCertificate),
    watcher: Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    D: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    D::Future: Send,
    B: Body<Error: std::error::Error + Send + Sync, Data: Send> + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_MAX).max_buf_size(HEAD_OCTETS_MAX);
    let mut http2 = builder.http2();
    http2
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_LIST_OCTETS_MAX);
    http2.keep_alive_interval(PING_EVERY).keep_alive_timeout(PING_MAX);
    let asked = Arc::new(Notify::new());
    let first = Arc::clone(&asked);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        first.notify_one();
        request.extensions_mut().insert(from);
        request.extensions_mut().insert(peer.clone());
        door.clone().oneshot(request)
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let mut connection = pin!(watcher.watch(connection));
    // Whatever ends a connection is the client's affair; the request has its own log line.
    tokio::select! {
        _ = &mut connection => return,
        () = asked.notified() => {}
        // hyper's own limit begins with HTTP/1.1's first octet; who sends none, or speaks h2 and asks nothing, is here.
        () = tokio::time::sleep(HEAD_MAX) => return,
    }
    let _ = connection.await;
}

#[cfg(test)]
mod tests;
