//! Every bound of the acts, with its reason.

use ca_core::limits::{STATUS_LIFE_S, STATUS_REFRESH_S};

/// How often a draft is made again because a serial was taken or the profile changed: the first is a matter of
/// 2^-126, the second of an operator's keystroke.
pub const DRAFTS_MAX: usize = 4;

/// How long a retry waits for another node's open attempt under its key before it supersedes it (R6).
pub const ATTEMPT_WAIT_MS: u64 = 1_000;

/// How often it looks meanwhile.
pub const ATTEMPT_POLL_MS: u64 = 20;

/// How long a node without a quorum goes on answering for (I17): then `tryLater`.
pub const VA_GRACE_MS: u64 = 72 * 3600 * 1000;

/// Signed OCSP answers kept in memory: about 1 KB each.
pub const ANSWERS_MAX: usize = 16_384;

/// A complete list stands for one second for each so many of its octets before a revocation has it made anew: to make
/// one of 50 kB (a thousand entries) takes each node about a hundredth of that. Whoever wants to know sooner reads the
/// delta, or asks OCSP.
pub const CRL_OCTETS_PER_S: u64 = 50_000;

/// A list of any size, and a delta, stand at least so long: ten thousand revocations in a minute make a dozen lists.
pub const CRL_PACE_MIN_S: u64 = 5;

/// A list of any size tells of a revocation after an hour at the latest, where the CA/B Forum (BR 4.9.7) wants a day.
pub const CRL_PACE_MAX_S: u64 = 3600;

/// How often who wants a list now looks whether another node's cut is signed.
pub const CUT_POLL_MS: u64 = 50;

/// And how many times: 5 s, a token's deadline.
pub const CUT_TURNS: usize = 100;

/// How many open intents one sweep looks at.
pub const SETTLE_ROWS: usize = 256;

/// How often the refusals of one caller with one slug enter the log (R16): a caller in a loop costs six entries a minute.
pub const REFUSALS_EVERY_MS: u64 = 10_000;

/// Callers and slugs whose refusals are counted at one time: about 100 octets each. Every caller among them holds a
/// certificate of this cluster, and meets a handful of slugs.
pub const REFUSALS_MAX: usize = 1024;

const _: () =
    assert!(VA_GRACE_MS / 1000 < STATUS_LIFE_S - STATUS_REFRESH_S, "I12: graced answers are not expired");
