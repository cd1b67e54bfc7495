//! SIGTERM: at once when nothing is in flight, and not before what is in flight is answered.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, PROGRAM, read, until};

/// Below the limit that a careless end runs into (10 s for a handshake that never ends), far above what it takes on a
/// busy machine: 0.8 s on a quiet one.
const AT_ONCE: Duration = Duration::from_secs(9);

/// Three nodes that are told together, so that no leader finds a successor and no task a quorum; and clients that hold
/// connections open and ask nothing.
///
/// Mechanism: `stopped` beside the handshake in `serve.rs`; without it it takes 10 s.
#[test]
fn all_nodes_stop_at_once_when_nothing_is_in_flight() {
    let mut cluster = Cluster::start();
    let mut idle = Vec::new();
    for number in 1..=3 {
        let config = read(&cluster.home().join(format!("node{number}/ca-node.toml")));
        // Neither a handshake nor a request ever comes on these two.
        for listener in ["api", "va"] {
            idle.push(TcpStream::connect(address(&config, listener)).unwrap());
        }
        // This one has been answered, and is kept.
        let mut kept = TcpStream::connect(address(&config, "va")).unwrap();
        kept.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        assert_ne!(kept.read(&mut [0; 1024]).unwrap(), 0);
        idle.push(kept);
    }
    let begun = Instant::now();
    cluster.stop();
    assert!(begun.elapsed() < AT_ONCE, "it took {:?}", begun.elapsed());
    drop(idle);
}

/// A request whose body is on its way when the node is told: it is answered, though nobody new is let in.
///
/// Mechanism: `graceful.shutdown()` in `serve.rs`, waited for up to `DRAIN_MAX`. Without it the connection is cut.
#[test]
fn what_is_in_flight_is_answered_before_a_node_stops() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut init = Command::new(PROGRAM);
    init.args(["init", "cluster", "--quick", "--name", "x", "--url", "http://pki.test", "--tokens", "0"])
        .arg("--data-dir")
        .arg(&data);
    init.args(["--api-port", "0", "--va-port", "0", "--peer-port", "0"]);
    let mut node = init.stderr(Stdio::null()).spawn().unwrap();
    until("the node is set up", || data.join("node.toml").exists());
    let va = address(&read(&data.join("ca-node.toml")), "va");

    let mut request = TcpStream::connect(&va).unwrap();
    let head = "POST /ocsp HTTP/1.1\r\nhost: a\r\ncontent-type: application/ocsp-request\r\n\
                content-length: 4\r\nexpect: 100-continue\r\n\r\n";
    request.write_all(head.as_bytes()).unwrap();
    // The node says so when it reads the body: from here on the request is in flight.
    let mut answer = [0; 4096];
    let got = request.read(&mut answer).unwrap();
    assert!(answer[..got].starts_with(b"HTTP/1.1 100"), "{:?}", String::from_utf8_lossy(&answer[..got]));

    assert!(Command::new("kill").arg(node.id().to_string()).status().unwrap().success());
    until("nobody new is let in", || TcpStream::connect(&va).is_err());
    assert!(node.try_wait().unwrap().is_none(), "it waits for the request");
    request.write_all(b"junk").unwrap();
    let got = request.read(&mut answer).unwrap();
    assert!(answer[..got].starts_with(b"HTTP/1.1 200"), "{:?}", String::from_utf8_lossy(&answer[..got]));
    assert!(node.wait().unwrap().success());
}

/// `host:port` of a listener in a node's configuration.
fn address(config: &str, listener: &str) -> String {
    let prefix = format!("{listener} = ");
    config.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap().trim_matches('"').to_owned()
}
