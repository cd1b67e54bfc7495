//! How long and how much each measurement takes, with its reason.

use std::time::Duration;

/// Before a measurement counts: connections are made, caches filled, allocators warm.
pub const WARM_UP: Duration = Duration::from_secs(2);

/// For what the machine itself can do: enough for two digits.
pub const MACHINE_MEASURE: Duration = Duration::from_secs(2);

/// One append: the least that a log writes.
pub const FSYNC_OCTETS: usize = 4096;

/// One request. Longer than a node may take without a quorum, so that its answer is seen.
pub const REQUEST_MAX: Duration = Duration::from_secs(5);

/// Requests made beforehand for each connection, each with a key of its own, sent in turn.
pub const REQUESTS_PER_CONNECTION: usize = 32;

/// Between two tries while there is no leader: well below what is measured.
pub const RETRY_EVERY: Duration = Duration::from_millis(5);

/// A killed node until it is ready for writing again.
pub const RESTART_MAX: Duration = Duration::from_secs(60);

/// Refused requests of each class before any counts: connections are made, buffers have grown.
pub const INPUT_WARM_UPS: usize = 5;

/// Refused requests of each class that count.
pub const INPUT_REPEATS: usize = 20;

/// Ticks of /proc a second (proc(5): USER_HZ, 100 on every Linux that runs this).
pub const TICK_US: u64 = 10_000;

/// Connections that fill a store: enough to keep every core busy.
pub const FILL_CONNECTIONS: usize = 64;

/// Different certificates that status is asked of: more than one, few enough that all answers are kept at once.
pub const OCSP_CERTIFICATES: usize = 100;

/// Requests with a nonce of their own for each connection, sent in turn: so many that no answer to one of them is at hand
/// when it comes again, should a node keep any.
pub const NONCES_PER_CONNECTION: usize = 1_000;

/// The static file that stands for an OCSP answer, whose size it has.
pub const STATIC_OCTETS: usize = 1_300;

/// Revocations for one ratio: some seconds.
pub const REVOKED_FOR_A_RATIO: usize = 5_000;

/// By how many hundredths a ratio may fall before it is named.
pub const FALL_HUNDREDTHS: u8 = 20;

/// A signature of a token that takes its time.
pub const SLOW_SIGNATURE: Duration = Duration::from_millis(20);

/// Sessions of each node with such a token.
pub const SLOW_SESSIONS: usize = 8;

/// Connections to nodes with such tokens: more than all their sessions, so that none waits for a client.
pub const SLOW_CONNECTIONS: usize = 96;
