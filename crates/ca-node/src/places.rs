//! Places for connections: so many in all, and so many for one client address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places of one listener.
#[derive(Clone, Debug)]
pub(crate) struct Places(Arc<Taken>);

#[derive(Debug)]
struct Taken {
    in_all_max: usize,
    for_one_max: usize,
    /// Only of clients that have any.
    by_client: Mutex<HashMap<Client, usize>>,
}

/// Whom a place counts for: an address, of IPv6 its /64, which is what one subscriber has (RFC 6177 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Client(IpAddr);

/// A place, until it is dropped.
#[derive(Debug)]
#[must_use = "the place is free again when this is dropped"]
pub(crate) struct Place {
    taken: Arc<Taken>,
    client: Client,
}

impl Places {
    pub(crate) fn new(in_all_max: usize, for_one_max: usize) -> Self {
        Self(Arc::new(Taken { in_all_max, for_one_max, by_client: Mutex::default() }))
    }

    /// A place for a client; none if it has its share, or all are taken.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Place> {
        let client = Client::of(address);
        let mut by_client = self.0.by_client();
        let held = by_client.get(&client).copied().unwrap_or_default();
        // At most ten thousand clients have a place, so this sum is short beside a handshake.
        let in_all: usize = by_client.values().sum();
        if held >= self.0.for_one_max || in_all >= self.0.in_all_max {
            return None;
        }
        by_client.insert(client, held.saturating_add(1));
        Some(Place { taken: Arc::clone(&self.0), client })
    }
}

impl Taken {
    fn by_client(&self) -> MutexGuard<'_, HashMap<Client, usize>> {
        // Counts are whole between any two statements.
        self.by_client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_client = self.taken.by_client();
        let left = by_client.remove(&self.client).unwrap_or_default().saturating_sub(1);
        if left > 0 {
            by_client.insert(self.client, left);
        }
    }
}

impl Client {
    fn of(address: IpAddr) -> Self {
        const NETWORK: u128 = 0xffff_ffff_ffff_ffff_0000_0000_0000_0000;
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK)),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{CONNECTIONS_EACH_MAX, CONNECTIONS_MAX};

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Mechanism: `for_one_max` in `Places::take`.
    #[test]
    fn one_client_has_its_share_and_no_more() {
        let places = Places::new(CONNECTIONS_MAX, CONNECTIONS_EACH_MAX);
        let client = address("192.0.2.1");
        let mut held: Vec<Place> = (0..CONNECTIONS_EACH_MAX).map(|_| places.take(client).unwrap()).collect();
        assert!(places.take(client).is_none());
        assert!(places.take(address("192.0.2.2")).is_some(), "others have theirs");
        assert!(places.take(address("::ffff:192.0.2.1")).is_none(), "the same client by another spelling");
        held.pop();
        held.push(places.take(client).unwrap());
        drop(held);
        assert!(places.0.by_client().is_empty(), "who has no place is not remembered");
    }

    #[test]
    fn rfc6177_2_a_network_of_ipv6_is_one_client() {
        let places = Places::new(10, 1);
        let _first = places.take(address("2001:db8:0:1::1")).unwrap();
        assert!(places.take(address("2001:db8:0:1:ffff::2")).is_none());
        assert!(places.take(address("2001:db8:0:2::1")).is_some());
    }

    /// Mechanism: `in_all_max` in `Places::take`.
    #[test]
    fn there_are_so_many_places_in_all() {
        let places = Places::new(CONNECTIONS_MAX, CONNECTIONS_EACH_MAX);
        let client = |number: usize| IpAddr::from(u32::try_from(number).unwrap().to_be_bytes());
        let held: Vec<Place> =
            (0..CONNECTIONS_MAX).map(|number| places.take(client(number)).unwrap()).collect();
        assert!(places.take(client(CONNECTIONS_MAX)).is_none());
        drop(held);
        assert!(places.take(client(CONNECTIONS_MAX)).is_some());
    }
}
