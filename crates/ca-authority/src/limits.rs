//! Every bound of the acts, with its reason.

use ca_core::limits::STATUS_LIFE_S;

/// How often a draft is made again because a serial was taken or the profile changed: the first is a matter of
/// 2^-126, the second of an operator's keystroke.
pub const DRAFTS_MAX: usize = 4;

/// How long a retry waits for another node's open attempt under its key before it supersedes it (R6).
pub const ATTEMPT_WAIT_MS: u64 = 1_000;

/// How often it looks meanwhile.
pub const ATTEMPT_POLL_MS: u64 = 20;

/// Status objects are made anew at 45 % of their life: before half (I12), with room for a failed try.
pub const STATUS_REFRESH_S: u64 = STATUS_LIFE_S / 100 * 45;

/// How long a node without a quorum goes on answering for (I17): then `tryLater`.
pub const VA_GRACE_MS: u64 = 72 * 3600 * 1000;

/// Signed OCSP answers kept in memory: about 1 KB each.
pub const ANSWERS_MAX: usize = 16_384;

/// How many open intents one sweep looks at.
pub const SETTLE_ROWS: usize = 256;

/// How often the refusals of one caller with one slug enter the log (R16): a caller in a loop costs six entries a minute.
pub const REFUSALS_EVERY_MS: u64 = 10_000;

/// Callers and slugs whose refusals are counted at one time: about 100 octets each. Every caller among them holds a
/// certificate of this cluster, and meets a handful of slugs.
pub const REFUSALS_MAX: usize = 1024;

const _: () = assert!(STATUS_REFRESH_S * 2 < STATUS_LIFE_S, "I12");
const _: () =
    assert!(VA_GRACE_MS / 1000 < STATUS_LIFE_S - STATUS_REFRESH_S, "I12: graced answers are not expired");
