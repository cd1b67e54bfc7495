//! How the revocations of a CA are divided into lists, and what the lists are called.
//!
//! A certificate's shard is a range of the random bits of its serial: the rows of one shard stand together in the
//! register, and neither a column nor an index says where a serial belongs (decision 0014).

use core::fmt;

use ca_x509::serial::SerialNumber;

use crate::ids::CaId;

/// Into how many shards the revocations of a CA are divided: 1 to 256, fixed when the CA is made, for each
/// certificate names the list of its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shards(u16);

/// What one list of a CA is complete for. The whole comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Every certificate of the CA.
    Whole,
    /// The certificates of one shard, from 0. A CA with one shard has the whole list alone.
    Shard(u8),
}

/// One of a CA's lists: `issuing`, `issuing-3`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListId {
    /// Whose.
    pub ca: CaId,
    /// Of which certificates.
    pub part: Part,
}

/// A list that stands by itself, or one to be read on top of it (RFC 5280 §5.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListKind {
    /// Every revoked certificate of the list's part.
    Complete,
    /// What changed since the complete list before it.
    Delta,
}

impl Shards {
    /// One list of everything: for CAs with few certificates.
    pub const ONE: Self = Self(1);

    /// For a CA with subscribers. A million revocations in 16 lists are 2.6 MB each.
    pub const DEFAULT: Self = Self(16);

    /// The most.
    pub const MAX: u16 = 256;

    /// So many, from 1 to [`Self::MAX`].
    #[must_use]
    pub const fn new(count: u16) -> Option<Self> {
        if count == 0 || count > Self::MAX { None } else { Some(Self(count)) }
    }

    /// How many.
    #[must_use]
    pub const fn count(self) -> u16 {
        self.0
    }

    /// The part that a certificate's own distribution point is about.
    #[must_use]
    pub fn of(self, serial: SerialNumber) -> Part {
        if self == Self::ONE {
            return Part::Whole;
        }
        let shard = place_of(serial).saturating_mul(u64::from(self.0)) >> PLACE_BITS;
        Part::Shard(u8::try_from(shard).unwrap_or(u8::MAX))
    }

    /// Every part that has a list.
    pub fn parts(self) -> impl Iterator<Item = Part> {
        let shards = if self == Self::ONE { 0 } else { self.0 };
        let shards = (0..shards).filter_map(|shard| u8::try_from(shard).ok()).map(Part::Shard);
        core::iter::once(Part::Whole).chain(shards)
    }

    /// The part with this number among [`Self::parts`], if there is one.
    fn shard(self, number: u8) -> Option<Part> {
        (self != Self::ONE && u16::from(number) < self.0).then_some(Part::Shard(number))
    }

    /// The least serial of a part: where a scan over it begins.
    #[must_use]
    pub fn first_of(self, part: Part) -> SerialNumber {
        match part {
            Part::Whole | Part::Shard(0) => SerialNumber::MIN,
            Part::Shard(shard) => {
                // The least place that `of` puts into this shard.
                let place = (u64::from(shard) << PLACE_BITS).div_ceil(u64::from(self.0));
                let value = (1 << DRAWN_BITS) | (u128::from(place) << (DRAWN_BITS - PLACE_BITS));
                SerialNumber::from_be_bytes(&value.to_be_bytes()).unwrap_or(SerialNumber::MIN)
            }
        }
    }
}

/// The first 32 of the random bits. A serial that was not drawn here counts as the least or greatest that could have
/// been, so that places rise with serials, whatever they are.
fn place_of(serial: SerialNumber) -> u64 {
    let octets = serial.as_be_bytes();
    let mut wide = [0; 16];
    if octets.len() > wide.len() {
        return PLACE_MAX;
    }
    for (to, from) in wide.iter_mut().rev().zip(octets.iter().rev()) {
        *to = *from;
    }
    let place = (u128::from_be_bytes(wide) >> (DRAWN_BITS - PLACE_BITS)).checked_sub(1 << PLACE_BITS);
    place.map_or(0, |place| u64::try_from(place).unwrap_or(u64::MAX).min(PLACE_MAX))
}

/// Random bits of a serial that was drawn here (I2); the bit above them is set.
const DRAWN_BITS: u32 = 126;
const PLACE_BITS: u32 = 32;
const PLACE_MAX: u64 = (1 << PLACE_BITS) - 1;

impl ListId {
    /// The list of everything that `ca` issued.
    #[must_use]
    pub fn whole(ca: &CaId) -> Self {
        Self { ca: ca.clone(), part: Part::Whole }
    }

    /// The list of `ca`, divided into `shards`, that is called `text`.
    #[must_use]
    pub fn named(text: &str, ca: &CaId, shards: Shards) -> Option<Self> {
        let rest = text.strip_prefix(ca.as_str())?;
        if rest.is_empty() {
            return Some(Self::whole(ca));
        }
        let digits = rest.strip_prefix('-')?;
        // One spelling a list: no sign, no zeros in front.
        let number = digits.parse().ok().filter(|number: &u8| digits.len() == decimal_digits(*number))?;
        shards.shard(number).map(|part| Self { ca: ca.clone(), part })
    }

    /// Whether a CA called `text` would be taken for a list of `ca`.
    #[must_use]
    pub fn is_taken(text: &str, ca: &CaId, shards: Shards) -> bool {
        let list = text.strip_suffix(DELTA).unwrap_or(text);
        Self::named(list, ca, shards).is_some() && text != ca.as_str()
    }
}

/// What a delta's name ends with.
pub const DELTA: &str = "-delta";

fn decimal_digits(number: u8) -> usize {
    match number {
        0..=9 => 1,
        10..=99 => 2,
        100..=255 => 3,
    }
}

impl fmt::Display for ListId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Part::Whole => write!(f, "{}", self.ca),
            Part::Shard(shard) => write!(f, "{}-{shard}", self.ca),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::ids::Digest;

    fn ca() -> CaId {
        "issuing".parse().unwrap()
    }

    fn all_shards() -> impl Iterator<Item = Shards> {
        (1..=Shards::MAX).filter_map(Shards::new)
    }

    /// Drawn ones, and ones of every length, in the order of their values.
    fn serials() -> Vec<SerialNumber> {
        let random = |n: u32| Digest::of(&n.to_be_bytes()).0;
        let drawn = (0..400).map(|n| SerialNumber::from_random(random(n)[..16].try_into().unwrap()));
        let others = (0..200).filter_map(|n: u32| {
            let length = usize::try_from(n % 20).unwrap().saturating_add(1);
            SerialNumber::from_be_bytes(&random(n)[..length]).ok()
        });
        let edges =
            [SerialNumber::from_random([0; 16]), SerialNumber::from_random([0xff; 16]), SerialNumber::MIN];
        let mut serials: Vec<_> = drawn.chain(others).chain(edges).collect();
        serials.sort();
        serials
    }

    #[test]
    fn parts_are_ranges_in_the_order_of_serials() {
        let serials = serials();
        for shards in all_shards() {
            let parts: Vec<_> = serials.iter().map(|serial| shards.of(*serial)).collect();
            assert!(parts.is_sorted(), "{shards:?}");
            assert!(parts.iter().all(|part| shards.parts().any(|other| other == *part)), "{shards:?}");
        }
    }

    #[test]
    fn a_part_begins_with_its_first_serial() {
        for shards in all_shards().filter(|shards| *shards != Shards::ONE) {
            for part in shards.parts().skip(1) {
                let first = shards.first_of(part);
                assert_eq!(shards.of(first), part, "{shards:?}");
                let mut before = u128::from_be_bytes(first.as_be_bytes().try_into().unwrap_or([0; 16]));
                before = before.saturating_sub(1).max(1);
                let before = SerialNumber::from_be_bytes(&before.to_be_bytes()).unwrap();
                assert!(part == Part::Shard(0) || shards.of(before) < part, "{shards:?} {part:?}");
            }
        }
    }

    #[test]
    fn names_are_read_back() {
        for shards in all_shards() {
            for part in shards.parts() {
                let list = ListId { ca: ca(), part };
                assert_eq!(ListId::named(&alloc::format!("{list}"), &ca(), shards), Some(list));
            }
        }
    }

    #[test]
    fn random_serials_spread_evenly() {
        let shards = Shards::new(4).unwrap();
        let of = |top: u8| shards.of(SerialNumber::from_random([top; 16]));
        let parts: Vec<_> = [0x00, 0x0f, 0x10, 0x1f, 0x20, 0x2f, 0x30, 0x3f].map(of).into();
        let expected = [0, 0, 1, 1, 2, 2, 3, 3].map(Part::Shard);
        assert_eq!(parts, expected);
    }

    #[test]
    fn names_have_one_spelling_and_no_ca_takes_one() {
        let ca = ca();
        let shards = Shards::new(12).unwrap();
        for text in
            ["issuing-012", "issuing-+1", "issuing-12", "issuing-256", "issuing-", "issuing-x", "other-1"]
        {
            assert_eq!(ListId::named(text, &ca, shards), None, "{text}");
            assert!(!ListId::is_taken(text, &ca, shards), "{text}");
        }
        assert_eq!(ListId::named("issuing-0", &ca, Shards::ONE), None);
        for text in ["issuing-0", "issuing-11", "issuing-11-delta", "issuing-delta"] {
            assert!(ListId::is_taken(text, &ca, shards), "{text}");
        }
        assert!(!ListId::is_taken("issuing", &ca, shards), "its own name");
        assert!(!ListId::is_taken("issuing-2027", &ca, shards));
    }
}
