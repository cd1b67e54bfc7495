//! Every bound of the register, with its reason.

/// An intent that is open for longer than this may be abandoned by anyone (R5): a healthy issuance takes
/// milliseconds, a token's deadline is 5 s, and I5 allows 60 s in all.
pub const INTENT_OPEN_MAX_MS: u64 = 30_000;

/// A CRL cut that is open for longer than this gives way to the next one (R10).
pub const CUT_OPEN_MAX_MS: u64 = 60_000;

/// How long an idempotency key is remembered (I7).
pub const IDEMPOTENCY_KEPT_MS: u64 = 7 * 24 * 3600 * 1000;

/// How long an enrolment token is good for at most: long enough for a device on a shelf, short enough that a forgotten one
/// is worth nothing.
pub const ENROLMENT_LIFE_MAX_MS: u64 = 30 * 24 * 3600 * 1000;

/// How long an enrolment token is shown after its end: as long as the idempotency key of its last request may ask again.
pub const ENROLMENT_SHOWN_MS: u64 = IDEMPOTENCY_KEPT_MS;

/// How long an outcome is remembered after its command has expired. No waiter waits longer; a later duplicate
/// of the command is refused by its expiry instead.
pub const OUTCOME_KEPT_MS: u64 = 60_000;

/// How long an act stays in the history: seven years after the end of what it was about (ETSI EN 319 411-1 §6.4.6;
/// the CA/B Forum wants two, BR 5.4.3), for certificates of up to three years. What lives longer, a CA's own certificate,
/// has its row in the register all the same.
pub const HISTORY_KEPT_MS: u64 = 10 * 366 * 24 * 3600 * 1000;

/// How many acts one tick takes out of the history. A second's issuance may add more, but no cluster is at its peak
/// all day, and a backlog does no harm.
pub const HISTORY_ROWS_PER_TICK: usize = 1024;

/// A command's life from the moment it was made (R8). Longer than any request's deadline and short enough that
/// what is not known becomes known within I5's 60 s.
pub const COMMAND_LIFE_MS: u64 = 20_000;

/// From how many expired rows on a sweep takes no more: more than an entry adds, so that the backlog shrinks. An entry
/// has at most 256 commands, each of which adds one row that expires, and one row for their outcomes.
pub const EXPIRIES_PER_ENTRY: usize = 512;

/// Complete CRLs and OCSP answers live for 7 days: the CA/B Forum's strictest for CRLs, within 8 h to 10 days for
/// OCSP.
pub const STATUS_LIFE_S: u64 = 7 * 24 * 3600;

/// Status objects are made anew at 45 % of their life: before half (I12), with room for a failed try. A complete list
/// of that age is a scheduled one (I14).
pub const STATUS_REFRESH_S: u64 = STATUS_LIFE_S / 100 * 45;

/// Delta CRLs live for a day: who fetches them wants to know more than once a week.
pub const DELTA_LIFE_S: u64 = 24 * 3600;

/// When a delta is made anew although nothing changed: at 45 % of its life.
pub const DELTA_REFRESH_S: u64 = DELTA_LIFE_S / 100 * 45;

/// The largest TBSCertificate that an intent may carry, in octets: 100 names of 253 octets, and room.
pub const TBS_OCTETS_MAX: usize = 64 * 1024;

/// The longest life of a certificate: a root's 30 years, and room. Keeps all dates far from the year 9999.
pub const LIFE_MAX_S: u64 = 40 * 366 * 24 * 3600;

/// How far notBefore may lie in the past: the CA/B Forum's 48 hours (BR 7.1.2.7).
pub const BACKDATE_MAX_S: u64 = 48 * 3600;

/// Certificates of one CA beside the one that it issues under: renewals and cross-certificates of decades.
pub const CA_CERTIFICATES_MAX: usize = 32;

/// Certificates above an imported one: hierarchies of use have one or two.
pub const IMPORTED_CHAIN_MAX: usize = 8;

/// Ways to a root that are shown for one CA.
pub const CHAINS_MAX: usize = 16;

/// Names in one certificate.
pub const NAMES_MAX: usize = 100;

/// Rules of one kind in a profile: domains, blocks, prefixes, policies. As many as a certificate has names.
pub const PROFILE_RULES_MAX: usize = NAMES_MAX;

/// The highest rate that a profile can set, in certificates a minute: far above what one token signs, and a number
/// that buckets count without overflow.
pub const RATE_PER_MINUTE_MAX: u32 = 1_000_000;

/// RSA modulus, in bits: the CA/B Forum's minimum, and the most that the verifier takes in reasonable time.
pub const RSA_BITS_MIN: u16 = 2048;
/// See [`RSA_BITS_MIN`].
pub const RSA_BITS_MAX: u16 = 8192;

/// RSA exponent, in bits: above 2^16 (an odd one of 17 bits is at least 65537) and below 2^256.
/// Origin: NIST FIPS 186-5 A.1.1; CA/B Forum BR §6.1.6.
pub const RSA_EXPONENT_BITS_MIN: usize = 17;
/// See [`RSA_EXPONENT_BITS_MIN`].
pub const RSA_EXPONENT_BITS_MAX: usize = 256;

/// An RSA modulus has no prime factor below this. Origin: NIST SP 800-89 §5.3.3; CA/B Forum BR §6.1.6.
pub const RSA_FACTOR_MIN: u32 = 752;

/// Rounds of Fermat's factorization that an RSA modulus withstands. Origin: CA/B Forum BR §6.1.1.3 (5.3).
pub const FERMAT_ROUNDS: usize = 100;

const _: () = assert!(STATUS_REFRESH_S * 2 < STATUS_LIFE_S && DELTA_REFRESH_S * 2 < DELTA_LIFE_S, "I12");
const _: () = assert!(DELTA_LIFE_S < STATUS_REFRESH_S, "a delta does not outlive its base");
const _: () = assert!(COMMAND_LIFE_MS < INTENT_OPEN_MAX_MS);
const _: () = assert!(INTENT_OPEN_MAX_MS + COMMAND_LIFE_MS < 60_000, "I5: settled within 60 s");
const _: () = assert!(OUTCOME_KEPT_MS >= COMMAND_LIFE_MS);

/// Rows read from the register at a time.
pub const SCAN_ROWS: usize = 1024;
