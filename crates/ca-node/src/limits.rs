//! Every bound of the program, with its reason.

use std::time::Duration;

/// Connections to one listener: a node has 10,000 file descriptors to spare.
pub(crate) const CONNECTIONS_MAX: usize = 10_000;

/// A TLS handshake: a slow client on a bad line, not one that holds a place for ever.
pub(crate) const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// The head of a request.
pub(crate) const HEAD_MAX: Duration = Duration::from_secs(10);
/// The head of a request, in octets.
pub(crate) const HEAD_OCTETS_MAX: usize = 16 * 1024;

/// Requests at a time on one h2 connection.
pub(crate) const STREAMS_MAX: u32 = 100;

/// How long the last requests may take when the node stops.
pub(crate) const DRAIN_MAX: Duration = Duration::from_secs(10);

/// as_of is refreshed so often: a released certificate is `good` everywhere within 1 s (I9), and `max_staleness`
/// is 10 s.
pub(crate) const REFRESH_EVERY: Duration = Duration::from_millis(500);

/// How often the leader looks whether a list, an old intent or a member needs it.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How often the leader commits a digest for all nodes to compare (I23), and moves register time.
pub(crate) const TICK_EVERY: Duration = Duration::from_secs(1);

/// No contact with a quorum for longer: readiness of the status service goes off.
pub(crate) const STALENESS_MAX_MS: u64 = 10_000;

/// A leaf certificate of the cluster itself: the most that its profile allows.
pub(crate) const LEAF_LIFE_S: u64 = 397 * 24 * 3600;

/// A join token's life.
pub(crate) const JOIN_TOKEN_LIFE_MS: u64 = 15 * 60 * 1000;

/// One request of the command line.
pub(crate) const CLIENT_MAX: Duration = Duration::from_secs(15);
