//! The log as a whole: the stores under openraft's own suite and against the register in memory, and clusters of
//! three in one process over TLS on loopback.

mod clock;
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]
mod cluster;
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]
mod permits;
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]
mod stores;
