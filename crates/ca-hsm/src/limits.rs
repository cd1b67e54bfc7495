//! Every limit of this crate, with its reason.

use std::time::Duration;

/// Sessions, and so threads, a token may be given. Soft tokens gain nothing beyond the cores, network HSMs little
/// beyond 32; many tokens allow 64 sessions or more to one application.
pub const SESSION_COUNT_MAX: usize = 64;

/// Sessions where nothing is configured: enough to keep two cores signing while one session heals.
pub const SESSION_COUNT_DEFAULT: usize = 4;

/// Requests that may wait for a session: at the slowest measured rate (RSA-3072, 335 a second) half of it is served
/// within the deadline; whoever would wait longer is better off on another node.
pub const QUEUE_MAX: usize = 1024;

/// How long a signature may take, waiting included. The log's own limits are 2 s (I17) and 60 s (I5): a node that
/// needs longer than this is of no use to its client, and the intent must still be settled in time.
pub const SIGN_MAX: Duration = Duration::from_secs(5);

/// How long a generated, wrapped or unwrapped key may take: smart cards need up to a minute for an RSA-3072 key.
pub const ACT_MAX: Duration = Duration::from_secs(120);

/// How often one signature is tried: once on the session at hand, once after healing, once after the library was
/// initialised again.
pub const SIGN_TRY_COUNT: u32 = 3;

/// Threads that may be stuck in the library at one time. Each costs a stack and a session; beyond this the token is
/// as good as dead and no replacement is started.
pub const ABANDONED_MAX: usize = 16;

/// How often the watchdog looks for workers that are over time.
pub const WATCH_PERIOD: Duration = Duration::from_millis(200);

/// How often a key signs at least (R11).
pub const PROBE_PERIOD: Duration = Duration::from_secs(1);

/// For how long a signature shows that the token holds a key: two probes may be lost before the node says no.
pub const HELD_MAX: Duration = Duration::from_secs(3);

/// Keys that are probed. Fifty issuers, each with a predecessor, and a responder key for each.
pub const KEY_COUNT_MAX: usize = 256;

/// The first pause after a token failed to come back, doubled each time.
pub const BACK_OFF_FIRST: Duration = Duration::from_millis(100);

/// The longest pause: a token that is plugged in again serves after this at the latest.
pub const BACK_OFF_MAX: Duration = Duration::from_secs(5);

/// Failures to open a session after which the library is finalised and initialised again.
pub const FAILURE_COUNT_BEFORE_RESTART: u32 = 3;

/// How long a log-in waits for the other workers to leave the library: longer than any signature takes that is not
/// hanging, and short enough to leave time for the signature that waits for it.
pub const ALONE_MAX: Duration = Duration::from_secs(1);

/// How often it looks whether they have: about one signature's time.
pub const ALONE_STEP: Duration = Duration::from_micros(200);

/// How long closing waits for the workers: one signature's time.
pub const CLOSE_MAX: Duration = SIGN_MAX;

/// Octets of a wrapped key or transport key that is looked at: an RSA-8192 key in PKCS #8 is under 5 KiB.
pub const WRAPPED_LENGTH_MAX: usize = 16 * 1024;

/// Octets of a token's label (PKCS#11 pads them to 32, and the binding cuts off the rest in silence).
pub const LABEL_LENGTH_MAX: usize = 32;

/// Octets of a key's label: room for the longest CA id, and for what is said about it.
pub const KEY_LABEL_LENGTH_MAX: usize = 128;

const _: () = assert!(PROBE_PERIOD.as_millis() * 2 < HELD_MAX.as_millis());
const _: () = assert!(SIGN_MAX.as_millis() <= ACT_MAX.as_millis());
const _: () = assert!(ALONE_MAX.as_millis() < SIGN_MAX.as_millis());
const _: () = assert!(BACK_OFF_MAX.as_millis() <= SIGN_MAX.as_millis());
