//! Who has no certificate yet shows an enrolment token: `Authorization: Bearer …` (RFC 6750 §2.1).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use ca_authority::Ports;
use ca_authority::ports::{Clock, Log};
use ca_core::ids::{Digest, UnixMillis};
use ca_core::outcome::Refusal;
use ca_core::roles::Identity;

use crate::doors::Doors;
use crate::enrolment::digest;
use crate::error::DoorError;
use crate::limits::{WRONG_TOKEN_ADDRESSES_MAX, WRONG_TOKENS_MAX, WRONG_TOKENS_WITHIN_MS};
use crate::problem::Problem;

/// Where a connection comes from. The accept loop puts it into the extensions of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// The digest of the token that a request shows.
pub(crate) fn shown(headers: &HeaderMap) -> Option<Digest> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| digest(token.trim()))
}

/// The holder of a token that this cluster minted; whether it is still good is decided with its request.
///
/// # Errors
/// [`Refusal::EnrolmentTokenUnknown`]; [`DoorError::TooManyWrongTokens`] before the token is looked at.
pub(crate) async fn enrolled<P: Ports>(
    doors: &Doors<P>,
    token: Digest,
    from: Option<PeerAddress>,
) -> Result<Identity, Problem> {
    let now = doors.authority.ports().clock().now();
    if doors.wrong_tokens.are_too_many(from, now) {
        return Err(DoorError::TooManyWrongTokens { max: WRONG_TOKENS_MAX }.into());
    }
    if doors.register().enrolment(token)?.is_none() {
        // It may have been minted on another node a moment ago.
        doors.log().read_index().await.map_err(ca_authority::ActError::from)?;
        if doors.register().enrolment(token)?.is_none() {
            doors.wrong_tokens.count(from, now);
            return Err(Refusal::EnrolmentTokenUnknown.into());
        }
    }
    Ok(Identity::Enrolment(token))
}

/// Wrong tokens of late, by where they came from: 256 bits are not guessed, but who tries costs a round to a quorum.
#[derive(Debug, Default)]
pub(crate) struct WrongTokens(Mutex<BTreeMap<[u8; 8], (u32, UnixMillis)>>);

impl WrongTokens {
    fn are_too_many(&self, from: Option<PeerAddress>, now: UnixMillis) -> bool {
        let counts = self.lock();
        let of_late = |(_, since): &&(u32, UnixMillis)| now.since(*since) < WRONG_TOKENS_WITHIN_MS;
        counts.get(&network(from)).filter(of_late).is_some_and(|(count, _)| *count >= WRONG_TOKENS_MAX)
    }

    fn count(&self, from: Option<PeerAddress>, now: UnixMillis) {
        let mut counts = self.lock();
        counts.retain(|_, (_, since)| now.since(*since) < WRONG_TOKENS_WITHIN_MS);
        // Who has so many addresses is not kept out by counting them.
        if counts.len() >= WRONG_TOKEN_ADDRESSES_MAX {
            counts.clear();
        }
        let (count, _) = counts.entry(network(from)).or_insert((0, now));
        *count = count.saturating_add(1);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<[u8; 8], (u32, UnixMillis)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An address of IPv4, or the 64 bits of IPv6 that one customer has.
fn network(from: Option<PeerAddress>) -> [u8; 8] {
    match from.map(|from| from.0.to_canonical()) {
        None => [0; 8],
        Some(IpAddr::V4(address)) => {
            let [a, b, c, d] = address.octets();
            [0, 0, 0, 4, a, b, c, d]
        }
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, e, f, g, h, ..] = address.octets();
            [a, b, c, d, e, f, g, h]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6750_2_1_the_scheme_is_bearer_in_any_case() {
        let headers = |value: &str| HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
        assert_eq!(shown(&headers("Bearer t")), Some(digest("t")));
        assert_eq!(shown(&headers("bearer  t")), Some(digest("t")));
        for other in ["Basic t", "t", "Bearer", ""] {
            assert_eq!(shown(&headers(other)), None, "{other}");
        }
    }

    #[test]
    fn wrong_tokens_are_counted_by_network_and_forgotten() {
        let wrong = WrongTokens::default();
        let from = |text: &str| Some(PeerAddress(text.parse().unwrap()));
        let (one, other, start) = (from("192.0.2.1"), from("192.0.2.2"), UnixMillis(1_000));
        for _ in 0..WRONG_TOKENS_MAX {
            assert!(!wrong.are_too_many(one, start));
            wrong.count(one, start);
        }
        assert!(wrong.are_too_many(one, start));
        assert!(!wrong.are_too_many(other, start));
        assert!(!wrong.are_too_many(one, start.plus(WRONG_TOKENS_WITHIN_MS)));
        assert_eq!(network(from("2001:db8::1")), network(from("2001:db8::2")));
        assert_ne!(network(from("2001:db8::1")), network(from("2001:db8:0:1::1")));
        assert_eq!(network(from("::ffff:192.0.2.1")), network(one));
    }
}
