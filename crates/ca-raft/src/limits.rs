//! Every bound of the log, with its reason.

use std::time::Duration;

/// Commands in one Raft entry: 256 intents of 1.2 KB are a third of a megabyte, one group commit.
pub const BATCH_COMMANDS_MAX: usize = 256;

/// Octets of commands in one Raft entry. One command may be as large as this.
pub const BATCH_OCTETS_MAX: usize = 1 << 20;

/// Commands that wait to be forwarded. At 1,000 a second this is four seconds: whoever waits longer is answered
/// by a deadline anyway.
pub const QUEUE_COMMANDS_MAX: usize = 4096;

/// The largest message between peers; above tonic's own 4 MiB.
pub const MESSAGE_OCTETS_MAX: usize = 8 << 20;

/// Octets of entries in one append request; the one entry that crosses it still travels.
pub const APPEND_OCTETS_MAX: usize = 4 << 20;

/// Entries in one append request.
pub const APPEND_ENTRIES_MAX: u64 = 256;

/// Octets of one part of a snapshot.
pub const SNAPSHOT_PART_OCTETS: usize = 256 << 10;

/// Files in one snapshot, and octets of a file's name: RocksDB's are `000123.sst`, one per some megabytes.
pub const SNAPSHOT_FILES_MAX: u64 = 100_000;
/// See [`SNAPSHOT_FILES_MAX`].
pub const SNAPSHOT_NAME_OCTETS_MAX: usize = 64;

/// Octets of an exchange between peers: wrapped keys are some kilobytes.
pub const EXCHANGE_OCTETS_MAX: usize = 1 << 20;

/// The leader's sign of life.
pub const HEARTBEAT: Duration = Duration::from_millis(100);

/// An election begins at last contact + the greater + a random part between the two (R18): 1.0 to 1.2 s.
/// Spread disks have fsync tails of tens of milliseconds and lossy links round trips of 200 ms.
pub const ELECTION_MIN: Duration = Duration::from_millis(400);
/// See [`ELECTION_MIN`].
pub const ELECTION_MAX: Duration = Duration::from_millis(600);

/// How long a command or a read waits while nothing is committed: I17 wants the refusal within 2 s, the rest is
/// for the way to the client. An election is over by then ([`ELECTION_MIN`]).
pub const NO_QUORUM_AFTER: Duration = Duration::from_millis(1_600);

/// How long a command that was given to a leader is waited for while the log moves on. Its expiry
/// ([`ca_core::limits::COMMAND_LIFE_MS`]) is later: the answer is "not known", never "failed".
pub const APPLIED_WITHIN: Duration = Duration::from_secs(10);

/// Something was applied here so lately: there is a quorum.
pub const LOG_MOVES_WITHIN: Duration = Duration::from_millis(1_000);

/// Between two tries to reach a leader.
pub const RETRY_AFTER: Duration = Duration::from_millis(50);

/// TCP and TLS set-up with a peer, each.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// One call to a peer, unless openraft says less.
pub const CALL_WITHIN: Duration = Duration::from_millis(1_500);

/// An exchange between peers: a token may have to wrap a key first.
pub const EXCHANGE_WITHIN: Duration = Duration::from_secs(30);

/// A membership change: the new member may have to receive a snapshot first.
pub const MEMBERSHIP_WITHIN: Duration = Duration::from_secs(60);

/// A snapshot's whole transfer.
pub const SNAPSHOT_WITHIN: Duration = Duration::from_secs(3_600);

/// A connection on which nothing comes back for so long is dead (a pulled cable sends no reset).
pub const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(1);
/// See [`KEEP_ALIVE_EVERY`].
pub const KEEP_ALIVE_WITHIN: Duration = Duration::from_secs(2);

/// HTTP/2 flow control: the default of 64 KB would stop every larger batch for a round trip.
pub const STREAM_WINDOW_OCTETS: u32 = 2 << 20;
/// See [`STREAM_WINDOW_OCTETS`].
pub const CONNECTION_WINDOW_OCTETS: u32 = 8 << 20;

/// Connections that peers may hold open at once: each has three (log, heartbeat, snapshot), and some to spare for
/// those that were not yet noticed as dead.
pub const CONNECTIONS_MAX: usize = 256;

/// How wrong a clock may be (R8): a stamp runs at most so far ahead of the one before it plus the time that has
/// passed, and a leader whose clock is further from the voters' median hands over.
pub const CLOCK_OFF_MS_MAX: u64 = 5_000;

/// Between two looks of a leader at the voters' clocks.
pub const CLOCK_EVERY: Duration = Duration::from_secs(1);

/// A clock that is read over a link is known to half of the round trip. A longer one would say too little.
pub const CLOCK_WITHIN: Duration = Duration::from_secs(1);

/// Between two complaints about a wrong clock that nobody can replace.
pub const CLOCK_COMPLAINT_EVERY: Duration = Duration::from_secs(60);

/// Digests that are remembered for comparison (I23): a digest is compared within seconds.
pub const DIGESTS_KEPT: usize = 4096;

/// Entries between two snapshots. Each is a hard-linked checkpoint; in between the log database holds the entries.
pub const SNAPSHOT_EVERY_ENTRIES: u64 = 10_000;

/// Entries kept behind a snapshot, for followers that were away for a short time.
pub const ENTRIES_KEPT: u64 = 5_000;

/// Octets of the newest entries that are kept in memory: what is replicated and applied next is there.
pub const ENTRY_CACHE_OCTETS: usize = 8 << 20;

/// RocksDB's block cache, shared by both databases. An idle node stays below 150 MB in all.
pub const BLOCK_CACHE_OCTETS: usize = 16 << 20;

/// Rows that are kept in memory as values, in all: a certificate's is 1.3 KB. At 1,000 certificates a second it is
/// some seconds; whatever is asked for more often than that stays.
pub const RECENT_ROWS: usize = 8192;

/// Parts of them, each with a lock of its own.
pub const RECENT_SHARDS: usize = 16;

/// RocksDB's write buffer, in each database.
pub const WRITE_BUFFER_OCTETS: usize = 32 << 20;

/// RocksDB's write buffer in a simulation: more than a run of minutes writes.
pub const SIMULATED_BUFFER_OCTETS: usize = 2 << 20;

/// Files that RocksDB holds open, in each database.
pub const OPEN_FILES_MAX: i32 = 256;

/// Callers that wait for one ReadIndex.
pub const READERS_MAX: usize = 8192;

const _: () = assert!(BATCH_OCTETS_MAX + APPEND_OCTETS_MAX + (1 << 20) <= MESSAGE_OCTETS_MAX);
const _: () = assert!(EXCHANGE_OCTETS_MAX < MESSAGE_OCTETS_MAX);
const _: () = assert!(NO_QUORUM_AFTER.as_millis() < 2_000, "I17");
const _: () = assert!(CLOCK_WITHIN.as_secs() * 1_000 / 2 < CLOCK_OFF_MS_MAX, "a slow link is no wrong clock");

/// How far behind a learner may be when it becomes a voter.
pub const PROMOTE_LAG_ENTRIES: u64 = 1_000;

/// A transfer of leadership takes 10 to 190 ms among connected nodes; what comes later came by an election
/// ([`ELECTION_MIN`]). A node that stops waits no longer for others, which may be stopping too.
pub const TRANSFER_WITHIN: Duration = Duration::from_millis(1_500);

/// A peer that was heard so lately counts as reachable: more than ten heartbeats.
pub const REACHABLE_WITHIN: Duration = Duration::from_millis(1_500);

/// The pause before a peer that could not be reached is dialled again: short enough that a node that comes back is
/// heard within one election time-out.
pub const REDIAL_AFTER: Duration = Duration::from_millis(100);
