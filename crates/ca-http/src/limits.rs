//! Every bound of the doors, with its reason.

use ca_core::profile::PerMinute;

/// A certificate request with its names: the longest CSR that is read, and room (`ca_x509::limits`).
pub const CERTIFICATE_BODY_OCTETS_MAX: usize = 64 * 1024;

/// What an authenticated caller sends to any other route.
pub const ADMIN_BODY_OCTETS_MAX: usize = 1024 * 1024;

/// What somebody sends who has only a join token to show: two CSRs and four addresses.
pub const JOIN_BODY_OCTETS_MAX: usize = 64 * 1024;

/// How deep JSON may nest: our own shapes nest to 3.
pub const JSON_DEPTH_MAX: usize = 32;

/// Commas outside of texts, and so values less one, in a body: a grant or a profile with a thousand domains, and room.
/// A megabyte of them would become thirty before the first is looked at.
pub const JSON_COMMAS_MAX: usize = 4096;

/// How long a body may take to arrive: 64 KiB at 17 kbit/s.
pub const BODY_MS_MAX: u64 = 30_000;

/// Octets beyond a body's bound that are read, and thrown away, so that a client which sends before it reads learns
/// why it is refused: a file by mistake, not a flood.
pub const SURPLUS_OCTETS_MAX: usize = 16 * 1024 * 1024;

/// How long they may take.
pub const SURPLUS_MS_MAX: u64 = 5_000;

/// How long a caller waits for an act. Longer than a command can live, so that what is not known after it will
/// be known to the next attempt.
pub const ACT_MS_MAX: u64 = 30_000;

/// When any request gets an answer, whatever its handler does: a body, an act, and what lies between.
pub const REQUEST_MS_MAX: u64 = 65_000;

/// Acts under way at one time. They outlive their callers' connections, so they need a bound of their own; the
/// token's queue is shorter, and refuses first.
pub const ACTS_MAX: usize = 1024;

/// Requests that a caller may make of one node in a minute if its grant says nothing: 2,000 a second, twice what two
/// cores issue. It stops a client that loops; whom to trust with less is for grants to say.
pub const REQUESTS_PER_MINUTE_DEFAULT: PerMinute = PerMinute(120_000);

/// Callers and profiles whose rates a node remembers: about 150 octets each. Beyond it the fullest bucket is
/// forgotten.
pub const BUCKETS_MAX: usize = 10_000;

/// How old what a node has may be before it asks a quorum for a reader: I9 promises one second where there is a quorum,
/// and a node without one learns of it within ten.
pub const STALENESS_MS_MAX: u64 = 10_000;

/// Characters of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// Characters of each text in a problem: the longest of our own sentences, a host name or two in it, and room.
pub const PROBLEM_TEXT_CHARS_MAX: usize = 1000;

/// Fields that one problem names: nobody mends more than that at a time.
pub const PROBLEM_FIELDS_MAX: usize = 50;

/// An OCSP request in a POST: ten CertIDs with SHA-256 are about 1.2 KiB (`ca_x509::limits`).
pub const OCSP_POST_OCTETS_MAX: usize = 4 * 1024;

/// An OCSP request in a path: RFC 5019 §5 sets 255 octets for what is cached, some clients go beyond.
pub const OCSP_GET_CHARS_MAX: usize = 2 * 1024;

/// How long a cache may keep a status object. Not until its refresh after 3 days: a revocation should not hide
/// behind a cache for longer than an hour.
pub const STATUS_MAX_AGE_S: u64 = 3600;

/// How long a call that makes a CA waits for the other members to prove its key: wrapping and proving take a second
/// or two on a busy machine. Then it answers that the CA waits, and the same call goes on.
pub const CA_WAIT_MS: u64 = 10_000;

/// How often it looks.
pub const CA_POLL_MS: u64 = 50;

const _: () = assert!(CA_WAIT_MS < ACT_MS_MAX);
/// How long an enrolment token is good if nothing is said: for a device that is set up today.
pub const ENROLMENT_LIFE_DEFAULT_MS: u64 = 24 * 3600 * 1000;

/// Wrong enrolment tokens from one address within [`WRONG_TOKENS_WITHIN_MS`]: mistyped a few times, not tried one by one.
pub const WRONG_TOKENS_MAX: u32 = 10;
/// See [`WRONG_TOKENS_MAX`].
pub const WRONG_TOKENS_WITHIN_MS: u64 = 60_000;

/// Addresses whose wrong tokens are counted: about 50 octets each.
pub const WRONG_TOKEN_ADDRESSES_MAX: usize = 4096;

const _: () = assert!(ENROLMENT_LIFE_DEFAULT_MS <= ca_core::limits::ENROLMENT_LIFE_MAX_MS);
const _: () = assert!(ACT_MS_MAX > ca_core::limits::COMMAND_LIFE_MS, "not-known becomes known");
const _: () = assert!(BODY_MS_MAX + ACT_MS_MAX < REQUEST_MS_MAX);
const _: () = assert!(CERTIFICATE_BODY_OCTETS_MAX >= ca_x509::limits::REQUEST_BYTES_MAX);
const _: () = assert!(OCSP_POST_OCTETS_MAX >= ca_x509::limits::OCSP_REQUEST_BYTES_MAX);
const _: () =
    assert!(STATUS_MAX_AGE_S < ca_core::limits::DELTA_REFRESH_S, "I12: nothing cached is past half");

/// Finds on one page when nothing is asked for.
pub const PAGE_ITEMS_DEFAULT: usize = 100;

/// Finds on one page: about 500 octets of JSON each.
pub const PAGE_ITEMS_MAX: usize = 1000;

/// Rows that one call of a search looks at: some 50 ms, after which others have their turn.
pub const SEARCH_ROWS_MAX: usize = 10_000;

/// Certificates that one call of a bulk revocation revokes: well within a request's deadline.
pub const BULK_PER_CALL: usize = 1000;

/// Revocations of one call that are under way at once: enough to fill a log entry, and a small part of the bound on
/// acts.
pub const BULK_AT_ONCE: usize = 64;
