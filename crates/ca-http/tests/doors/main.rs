//! Every route through the router, over a real authority in memory; what it serves is checked by openssl.
#![cfg_attr(
    test,
    expect(clippy::arithmetic_side_effects, reason = "a test that cannot go on fails where it stands")
)]

#[cfg(test)]
mod api;
#[cfg(test)]
mod authorities;
#[cfg(test)]
mod bad_bodies;
#[cfg(test)]
mod bad_ocsp;
#[cfg(test)]
mod bad_requests;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod enrolment;
#[cfg(test)]
mod history;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod linted;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod ocsp;
#[cfg(test)]
mod openssl;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod search;
#[cfg(test)]
mod starters;
#[cfg(test)]
mod unasked;
#[cfg(test)]
mod va;
#[cfg(test)]
mod world;
/// DER as a stranger writes it: the same writer as the readers' own tables have.
#[cfg(test)]
#[path = "../../../ca-x509/tests/refusals/write.rs"]
#[expect(dead_code, reason = "other tables need other shapes")]
mod write;
