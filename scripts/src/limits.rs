//! How long each thing may take here, with its reason. All are for a machine of two cores under load, and far above
//! what is measured: a check fails for what is wrong, not for a slow disk.

use std::time::Duration;

/// `ca-node dev` from its start until all three nodes are ready for writing: the promise to users is 15 s once
/// built; a debug build on a busy machine takes longer.
pub const START_MAX: Duration = Duration::from_secs(90);

/// A node that was killed, until it is ready for writing again.
pub const RESTART_MAX: Duration = Duration::from_secs(60);

/// One block of a document: it may start a cluster, which is the longest of all that stands in one.
pub const BLOCK_MAX: Duration = START_MAX;

/// One request of curl, one run of openssl.
pub const COMMAND_MAX: Duration = Duration::from_secs(30);

/// kill -9 of the leader until the next certificate (the project's floor is 4 s; a release build is held to it by
/// `scripts/bench failover`).
pub const FAILOVER_MAX: Duration = Duration::from_secs(10);

/// An answer without a quorum: I17.
pub const REFUSAL_MAX: Duration = Duration::from_secs(2);

/// What was acknowledged is seen on every node that has a quorum: I9.
pub const SEEN_MAX: Duration = Duration::from_secs(1);

/// A node that was started again has caught up with what it missed.
pub const CAUGHT_UP_MAX: Duration = Duration::from_secs(5);

/// A new CRL on all nodes after a revocation.
pub const CRL_MAX: Duration = Duration::from_secs(15);

/// All nodes at one index with one digest.
pub const EQUAL_MAX: Duration = Duration::from_secs(30);

/// Between two looks of a poll.
pub const LOOK_EVERY: Duration = Duration::from_millis(25);

/// From SIGTERM until a cluster is gone.
pub const STOP_MAX: Duration = Duration::from_secs(20);

/// Lines of each node's log shown after a failure.
pub const TAIL_LINES: usize = 12;
