//! The register's keys as octets that sort exactly as [`Key`] does.
//!
//! One octet for the table, then the fields: numbers big-endian, texts ended by a zero octet (no name contains
//! one), serials by length first, everything else of fixed length. Table 0 holds what is ours, not the register's.

use ca_core::history::HistoryPlace;
use ca_core::ids::{CaId, Digest, LogIndex, NodeId, ProfileName, UnixMillis};
use ca_core::register::Key;
use ca_core::shards::{ListId, Part};
use ca_x509::key::KeyIdentifier;
use ca_x509::serial::SerialNumber;

/// Octets that are no key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the register holds a key of {0} octets that this version does not know")]
pub(crate) struct UnknownKey(usize);

/// A key's octets.
pub(crate) fn encode(key: &Key) -> Vec<u8> {
    let to = Writer(Vec::with_capacity(64)).number(&[table(key)]);
    match key {
        Key::Cluster | Key::Time => to,
        Key::Issuer(ca) | Key::CaRequest(ca) => to.text(ca.as_str()),
        Key::CrlScope(list) => match list.part {
            Part::Whole => to.text(list.ca.as_str()).number(&[0]),
            Part::Shard(shard) => to.text(list.ca.as_str()).number(&[1, shard]),
        },
        Key::Profile(name) => to.text(name.as_str()),
        Key::Member(node) => to.number(&node.0.to_be_bytes()),
        Key::Grant(digest)
        | Key::JoinToken(digest)
        | Key::Attempt(digest)
        | Key::Enrolment(digest)
        | Key::Imported(digest)
        | Key::ClusterKey(digest) => to.number(&digest.0),
        Key::KeyProof(key, node) => to.number(&key.0).number(&node.0.to_be_bytes()),
        Key::Responder(ca, node) => to.text(ca.as_str()).number(&node.0.to_be_bytes()),
        Key::Certificate(ca, serial) | Key::OpenIntent(ca, serial) | Key::Revocation(ca, serial) => {
            to.text(ca.as_str()).serial(*serial)
        }
        Key::Outcomes(index) => to.number(&index.0.to_be_bytes()),
        Key::Expiry(at, index) => to.number(&at.0.to_be_bytes()).number(&index.0.to_be_bytes()),
        Key::History(HistoryPlace { index, ordinal }) => {
            to.number(&index.0.to_be_bytes()).number(&ordinal.to_be_bytes())
        }
    }
    .0
}

/// Reads a key's octets.
///
/// # Errors
/// [`UnknownKey`]: the node stops.
pub(crate) fn decode(octets: &[u8]) -> Result<Key, UnknownKey> {
    let mut from = Reader(octets);
    from.key().filter(|_| from.0.is_empty()).ok_or(UnknownKey(octets.len()))
}

/// The octet that all keys of a table begin with: it rises with the place of the variant in [`Key`].
pub(crate) fn table(key: &Key) -> u8 {
    match key {
        Key::Cluster => 1,
        Key::Time => 2,
        Key::Grant(_) => 3,
        Key::Issuer(_) => 4,
        Key::Profile(_) => 5,
        Key::Member(_) => 6,
        Key::JoinToken(_) => 7,
        Key::KeyProof(..) => 8,
        Key::Responder(..) => 9,
        Key::Certificate(..) => 10,
        Key::OpenIntent(..) => 11,
        Key::Revocation(..) => 12,
        Key::CrlScope(_) => 13,
        Key::Attempt(_) => 14,
        Key::History(_) => 25,
        Key::Enrolment(_) => 26,
        Key::Imported(_) => 17,
        Key::CaRequest(_) => 18,
        Key::ClusterKey(_) => 35,
        Key::Outcomes(_) => 36,
        Key::Expiry(..) => 37,
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(mut self, octets: &[u8]) -> Self {
        self.0.extend_from_slice(octets);
        self
    }

    fn text(self, text: &str) -> Self {
        self.number(text.as_bytes()).number(&[0])
    }

    fn serial(self, serial: SerialNumber) -> Self {
        let octets = serial.as_be_bytes();
        self.number(&[u8::try_from(octets.len()).unwrap_or(u8::MAX)]).number(octets)
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn key(&mut self) -> Option<Key> {
        Some(match self.octet()? {
            1 => Key::Cluster,
            2 => Key::Time,
            3 => Key::Grant(self.digest()?),
            4 => Key::Issuer(self.ca()?),
            5 => Key::Profile(self.profile()?),
            6 => Key::Member(self.node()?),
            7 => Key::JoinToken(self.digest()?),
            8 => Key::KeyProof(KeyIdentifier(self.fixed()?), self.node()?),
            9 => Key::Responder(self.ca()?, self.node()?),
            10 => Key::Certificate(self.ca()?, self.serial()?),
            11 => Key::OpenIntent(self.ca()?, self.serial()?),
            12 => Key::Revocation(self.ca()?, self.serial()?),
            13 => Key::CrlScope(ListId { ca: self.ca()?, part: self.part()? }),
            14 => Key::Attempt(self.digest()?),
            25 => Key::History(HistoryPlace {
                index: self.index()?,
                ordinal: self.fixed().map(u32::from_be_bytes)?,
            }),
            26 => Key::Enrolment(self.digest()?),
            17 => Key::Imported(self.digest()?),
            18 => Key::CaRequest(self.ca()?),
            35 => Key::ClusterKey(self.digest()?),
            36 => Key::Outcomes(self.index()?),
            37 => Key::Expiry(UnixMillis(self.number()?), self.index()?),
            _ => return None,
        })
    }

    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn octet(&mut self) -> Option<u8> {
        self.fixed::<1>().map(|[octet]| octet)
    }

    fn number(&mut self) -> Option<u64> {
        self.fixed().map(u64::from_be_bytes)
    }

    fn text(&mut self) -> Option<&str> {
        let end = self.0.iter().position(|octet| *octet == 0)?;
        let (text, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.get(1..)?;
        core::str::from_utf8(text).ok()
    }

    fn ca(&mut self) -> Option<CaId> {
        self.text()?.parse().ok()
    }

    fn part(&mut self) -> Option<Part> {
        match self.octet()? {
            0 => Some(Part::Whole),
            1 => self.octet().map(Part::Shard),
            _ => None,
        }
    }

    fn profile(&mut self) -> Option<ProfileName> {
        self.text()?.parse().ok()
    }

    fn node(&mut self) -> Option<NodeId> {
        self.number().map(NodeId)
    }

    fn digest(&mut self) -> Option<Digest> {
        self.fixed().map(Digest)
    }

    fn serial(&mut self) -> Option<SerialNumber> {
        let length = usize::from(self.octet()?);
        SerialNumber::from_be_bytes(self.take(length)?).ok()
    }

    fn index(&mut self) -> Option<LogIndex> {
        self.number().map(LogIndex)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::generate;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn keys_survive_a_round_trip(key in generate::key()) {
            prop_assert_eq!(decode(&encode(&key)), Ok(key));
        }

        #[test]
        fn octets_sort_as_keys_do(one in generate::key(), other in generate::key()) {
            prop_assert_eq!(encode(&one).cmp(&encode(&other)), one.cmp(&other));
        }
    }

    /// Where scans over all of them begin: it is never stored, but sorts before what is.
    #[test]
    fn the_first_ca_sorts_first() {
        let first = encode(&Key::Issuer(CaId::first()));
        let some = encode(&Key::Issuer("a".parse().unwrap()));
        assert!(first < some);
    }
}
