//! Limits of connections, each reached. Time is tokio's, paused: it moves when nobody has anything to do.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
use tokio::time::Instant;

use super::*;

/// A client's end of a connection to a door that says `hello`.
fn connected() -> DuplexStream {
    let (client, server) = duplex(1024 * 1024);
    let door = tower::service_fn(|_: Request<Incoming>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello"))))
    });
    let from = PeerAddress(std::net::Ipv4Addr::LOCALHOST.into());
    let graceful = GracefulShutdown::new();
    let watcher = graceful.watcher();
    tokio::spawn(async move {
        connection(server, door, (from, PeerCertificate::NONE), watcher).await;
        // Once it is gone, connections are told to end.
        drop(graceful);
    });
    client
}

/// What comes until the connection ends, and how long that takes.
async fn until_its_end(client: &mut DuplexStream) -> (Vec<u8>, Duration) {
    let (begun, mut told) = (Instant::now(), Vec::new());
    let _ = client.read_to_end(&mut told).await;
    (told, begun.elapsed())
}

fn starts_with(told: &[u8], text: &str) {
    assert!(told.starts_with(text.as_bytes()), "{}", String::from_utf8_lossy(told));
}

/// Mechanism: the sleep in `connection`; without it this never ends.
#[tokio::test(start_paused = true)]
async fn a_connection_that_asks_nothing_ends() {
    for said in ["", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"] {
        let mut client = connected();
        client.write_all(said.as_bytes()).await.unwrap();
        let (_, took) = until_its_end(&mut client).await;
        assert_eq!(took.as_secs(), HEAD_MAX.as_secs(), "{said:?}");
    }
}

/// Mechanism: `header_read_timeout`.
#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_end_ends_the_connection() {
    let mut client = connected();
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n").await.unwrap();
    let (_, took) = until_its_end(&mut client).await;
    assert_eq!(took.as_secs(), HEAD_MAX.as_secs());
}

/// The next request on a connection has the same time as the first. Mechanism: `header_read_timeout`.
#[tokio::test(start_paused = true)]
async fn a_connection_that_asks_no_more_ends() {
    let mut client = connected();
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let (told, took) = until_its_end(&mut client).await;
    starts_with(&told, "HTTP/1.1 200");
    assert_eq!(took.as_secs(), HEAD_MAX.as_secs());
}

/// Mechanism: `max_buf_size`.
#[tokio::test]
async fn a_head_over_16_kib_is_refused() {
    for (octets, status) in [(HEAD_OCTETS_MAX - 1024, "HTTP/1.1 200"), (HEAD_OCTETS_MAX + 1, "HTTP/1.1 431")]
    {
        let mut client = connected();
        let head = format!("GET / HTTP/1.1\r\nconnection: close\r\nx: {}\r\n\r\n", "x".repeat(octets));
        client.write_all(head.as_bytes()).await.unwrap();
        let (told, _) = until_its_end(&mut client).await;
        starts_with(&told, status);
    }
}

/// RFC 9113 §6.5.2: what the server says of itself in its first frame. Mechanism: the settings of `http2`.
#[tokio::test]
async fn h2_is_told_its_limits() {
    let mut client = connected();
    client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut head = [0; 9];
    client.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "a SETTINGS frame");
    let mut settings = vec![0; usize::from(head[2])];
    client.read_exact(&mut settings).await.unwrap();
    let of = |id: u8| {
        let mut all = settings.chunks(6).filter(|one| one[..2] == [0, id]);
        all.next().map(|one| u32::from_be_bytes(one[2..6].try_into().unwrap()))
    };
    const MAX_CONCURRENT_STREAMS: u8 = 3;
    const MAX_HEADER_LIST_SIZE: u8 = 6;
    assert_eq!(of(MAX_CONCURRENT_STREAMS), Some(STREAMS_MAX));
    assert_eq!(of(MAX_HEADER_LIST_SIZE), Some(HEAD_LIST_OCTETS_MAX));
}

/// Mechanism: the timeout in `handshake`.
#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_end_ends_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let begun = Instant::now();
    assert!(handshake(server, TlsAcceptor::from(tls())).await.is_none());
    assert_eq!(begun.elapsed().as_secs(), HANDSHAKE_MAX.as_secs());
}

fn tls() -> Arc<ServerConfig> {
    let key = rcgen::generate_simple_self_signed(["ca.test".to_owned()]).unwrap();
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let builder =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(builder.with_single_cert(vec![key.cert.der().clone()], private).unwrap())
}
