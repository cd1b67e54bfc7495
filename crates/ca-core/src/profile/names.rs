//! Which alternative names a profile certifies, and where they may come from.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::Allow;

/// Which subject alternative names may be certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameRules {
    /// Where they are taken from.
    pub source: NameSource,
    /// DNS names.
    pub dns: DnsRule,
    /// Whether `*.` may stand in front of a DNS name.
    pub wildcard: Allow,
    /// Mail addresses at hosts of these domains, also those whose local part is not ASCII (RFC 9598).
    pub email: DnsRule,
    /// User principal names of Windows, by the domain after the `@`.
    pub upn: DnsRule,
    /// IP addresses.
    pub ip: IpRule,
    /// URIs.
    pub uri: UriRule,
    /// Directory names.
    pub directory: Allow,
    /// The fewest names.
    pub count_min: usize,
}

impl NameRules {
    /// No names at all, from wherever.
    pub const NONE: Self = Self {
        source: NameSource::Either,
        dns: DnsRule::No,
        wildcard: Allow::No,
        email: DnsRule::No,
        upn: DnsRule::No,
        ip: IpRule::No,
        uri: UriRule::No,
        directory: Allow::No,
        count_min: 0,
    };
}

/// Where the names of a certificate are taken from. Never from both: what the caller lists replaces the CSR's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameSource {
    /// From the caller's list if there is one, else from the CSR.
    Either,
    /// From the CSR: who has the key has named itself.
    Csr,
    /// From the caller's list: what the CSR says counts for nothing.
    Caller,
}

/// Which DNS names may be certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsRule {
    /// None.
    No,
    /// All that are well formed.
    Any,
    /// These, and whatever lies below them.
    Under(Vec<String>),
}

/// Which IP addresses may be certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IpRule {
    /// None.
    No,
    /// All.
    Any,
    /// Those in one of these blocks.
    Within(Vec<IpBlock>),
}

/// The addresses that begin with the first `prefix` bits of `address` (RFC 4632 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpBlock {
    /// The block's first address: its bits beyond the prefix are zero.
    pub address: IpAddr,
    /// At most 32, or 128 for IPv6.
    pub prefix: u8,
}

impl IpBlock {
    /// Whether the prefix fits the address, and the address has no bits beyond it.
    #[must_use]
    pub fn is_well_formed(self) -> bool {
        let bits = if self.address.is_ipv4() { 32 } else { 128 };
        self.prefix <= bits && self.first_bits(self.address) == Some(left_aligned(self.address))
    }

    /// Whether an address lies in it. An IPv4 address lies in no block of IPv6.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && self.first_bits(address) == Some(left_aligned(self.address))
    }

    /// The address with its bits beyond the prefix zero; `None` if the prefix is longer than any address.
    fn first_bits(self, address: IpAddr) -> Option<u128> {
        // A shift by all bits overflows: nothing is kept of an address under the prefix 0.
        let mask = u128::MAX.checked_shl(128_u32.checked_sub(self.prefix.into())?).unwrap_or(0);
        Some(left_aligned(address) & mask)
    }
}

/// The octets of an address as the highest bits of one number.
fn left_aligned(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Which URIs may be certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UriRule {
    /// None.
    No,
    /// All that are well formed.
    Any,
    /// Those that begin with one of these and go on: `spiffe://corp.example/`, `urn:dev:`. Each ends with `/` or `:`,
    /// so that no host and no segment is cut in two.
    Under(Vec<String>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str, prefix: u8) -> IpBlock {
        IpBlock { address: text.parse().unwrap(), prefix }
    }

    #[test]
    fn rfc4632_3_1_a_block_is_the_addresses_with_its_first_bits() {
        for (block, address, inside) in [
            (block("10.0.0.0", 8), "10.255.0.1", true),
            (block("10.0.0.0", 8), "11.0.0.0", false),
            (block("192.0.2.1", 32), "192.0.2.1", true),
            (block("192.0.2.1", 32), "192.0.2.0", false),
            (block("0.0.0.0", 0), "203.0.113.9", true),
            (block("0.0.0.0", 0), "::1", false),
            (block("::", 0), "10.0.0.1", false),
            (block("2001:db8::", 32), "2001:db8:ffff::1", true),
            (block("2001:db8::", 32), "2001:db9::", false),
        ] {
            assert!(block.is_well_formed(), "{block:?}");
            assert_eq!(block.contains(address.parse().unwrap()), inside, "{block:?} {address}");
        }
        for wrong in [block("10.0.0.1", 8), block("10.0.0.0", 33), block("2001:db8::1", 64), block("::", 129)]
        {
            assert!(!wrong.is_well_formed(), "{wrong:?}");
        }
    }
}
