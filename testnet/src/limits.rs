//! How much and how long, with the reason.

use std::time::Duration;

/// Clients at once: more than nodes, few enough that a short run has a long history for each serial.
pub const CLIENTS: usize = 8;

/// Requests made beforehand for each client, each with a key of its own.
pub const REQUESTS: usize = 16;

/// Between two tries of a client that was refused or got no answer.
pub const RETRY_AFTER: Duration = Duration::from_millis(25);

/// A client gives an operation up, and the run has failed: longer than any fault and its mending.
pub const GIVEN_UP_AFTER: Duration = Duration::from_secs(90);

/// How long a fault holds that has a length: ten times the longest election time-out.
pub const FAULT_HOLDS: Duration = Duration::from_secs(5);

/// How long a leader is cut off from its peers: as long as in the matrix of faults.
pub const ISOLATION_HOLDS: Duration = Duration::from_secs(20);

/// A link that flaps is cut for so long, then whole for as long.
pub const FLAP_HOLDS: Duration = Duration::from_secs(1);

/// How often it does.
pub const FLAPS: usize = 10;

/// From a failed fsync to the end of the process, by the stamps of strace.
pub const STOPPED_WITHIN: Duration = Duration::from_secs(1);

/// The fsync that fails, counted from where strace begins to look: some that succeed come before it.
pub const SYNCS_BEFORE: usize = 20;

/// From the mending of the last fault until every node takes writes (`faults`: healed within 30 s).
pub const HEALED_WITHIN: Duration = Duration::from_secs(30);

/// The lag that a status answer may have behind a revocation (I11).
pub const STATUS_LAG_S: u64 = 5;

/// A node without a quorum refuses a write within this (I17): two seconds, and one for a machine that does other things.
pub const REFUSED_WITHIN: Duration = Duration::from_secs(3);

/// The newest serials, from which a read chooses mostly: there a stale answer is likeliest.
pub const NEWEST: usize = 8;

/// Operations on one serial that the checker of histories takes.
pub const CALLS_MAX: usize = 128;
