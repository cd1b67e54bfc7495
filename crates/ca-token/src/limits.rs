//! The limits of the embedded token, each with its reason.

/// Slots of one token directory.
///
/// A node needs one; tests that run several nodes in one process give each its own.
/// Every slot is an open sqlite file: 64 keep well under the usual 1,024 descriptors of a process.
pub const SLOTS_MAX: u8 = 64;

/// Length of the token directory's path, in bytes: Linux's PATH_MAX less the names inside.
pub(crate) const DIRECTORY_BYTES_MAX: usize = 4096 - 64;
