//! The program itself: real processes, really killed.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on fails where it stands"
)]

mod authorities;
mod cluster;
mod identity;
mod promises;
mod refusals;
mod released;
mod start;
mod status;
mod stop;
