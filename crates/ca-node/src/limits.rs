//! Every bound of the program, with its reason.

use std::time::Duration;

/// Connections to one listener: a node has 10,000 file descriptors to spare.
pub(crate) const CONNECTIONS_MAX: usize = 10_000;

/// Connections of one client address to one listener: what a busy client or a small network behind one address has, and
/// a fortieth of all. A balancer that hides its clients' addresses is one client.
pub(crate) const CONNECTIONS_EACH_MAX: usize = 256;

/// A TLS handshake: a slow client on a bad line, not one that holds a place for ever.
pub(crate) const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// How long a client whose handshake failed is listened to, so that it reads why: some round trips.
pub(crate) const LINGER_MAX: Duration = Duration::from_secs(1);

/// The head of a request, and how long a connection may wait for one: a few hundred octets on any line.
pub(crate) const HEAD_MAX: Duration = Duration::from_secs(10);
/// The head of a request, in octets: paths of 2 KiB (OCSP by GET) and what browsers add.
pub(crate) const HEAD_OCTETS_MAX: usize = 16 * 1024;

/// The same of h2, where it is counted in another type.
pub(crate) const HEAD_LIST_OCTETS_MAX: u32 = 16 * 1024;

/// How often an h2 connection is asked whether its client is still there, and how long that may take: h2 has no limit
/// for a connection without requests.
pub(crate) const PING_EVERY: Duration = Duration::from_secs(20);
/// The answer to it.
pub(crate) const PING_MAX: Duration = Duration::from_secs(10);

/// Requests at a time on one h2 connection.
pub(crate) const STREAMS_MAX: u32 = 100;

/// How long the last requests may take when the node stops.
pub(crate) const DRAIN_MAX: Duration = Duration::from_secs(10);

/// How long a stopping node waits for another voter to lead: it takes 10 to 190 ms among connected nodes, and for ever
/// when the others stop too.
pub(crate) const HAND_OVER_MAX: Duration = Duration::from_millis(500);

/// How long a stopping node's own tasks go on with what they are at: an issuance takes tens of milliseconds with a
/// quorum, and without one it comes to nothing.
pub(crate) const WIND_UP_MAX: Duration = Duration::from_millis(250);

/// as_of is refreshed so often: a released certificate is `good` everywhere within 1 s (I9), and `max_staleness`
/// is 10 s.
pub(crate) const REFRESH_EVERY: Duration = Duration::from_millis(500);

/// How often `log tail -f` asks for more: soon enough for a person, and a page that is mostly empty.
pub(crate) const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// How often the leader looks whether a list, an old intent or a member needs it.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How often the leader commits a digest for all nodes to compare (I23), and moves register time.
pub(crate) const TICK_EVERY: Duration = Duration::from_secs(1);

/// No contact with a quorum for longer: readiness of the status service goes off.
pub(crate) const STALENESS_MAX_MS: u64 = 10_000;

/// A leaf certificate of the cluster itself: the most that its profile allows.
pub(crate) const LEAF_LIFE_S: u64 = 397 * 24 * 3600;

/// How often a node looks whether its own TLS certificates are due, and tries again: months are left then, and each
/// try that fails after its intent costs an abandoned serial.
pub(crate) const RENEWAL_EVERY: Duration = Duration::from_secs(60);

/// A join token's life.
pub(crate) const JOIN_TOKEN_LIFE_MS: u64 = 15 * 60 * 1000;

/// One request of the command line.
pub(crate) const CLIENT_MAX: Duration = Duration::from_secs(15);

/// How long `status --wait` goes on: a new node has its keys and its responder within seconds; minutes are for one
/// that catches up with a long log.
pub(crate) const HEALTHY_WITHIN: Duration = Duration::from_secs(120);

/// Between two looks of `status --wait`: each is some requests and one small entry for every node.
pub(crate) const LOOK_AGAIN_EVERY: Duration = Duration::from_millis(500);

/// Between two looks of `status --watch`.
pub(crate) const WATCH_EVERY: Duration = Duration::from_secs(2);

/// How often a list is fetched again where nodes serve different ones: a new one is with all of them in a moment.
pub(crate) const CRL_TRIES: usize = 10;
