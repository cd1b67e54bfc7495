//! Public keys whose private half others can compute, or that prove nothing: refused when a certificate is planned.
//!
//! All of it is public, so nothing here needs constant time. Not looked at: that a point lies on its curve, which
//! whoever verifies the proof of possession with it finds out.
// KNOWN: keys of Debian's broken generator (CVE-2008-0166) are not recognised: docs/decisions/0010-weak-keys.md.

use ca_x509::key::{KeyKind, PublicKey};
use num_bigint::BigUint;

use crate::limits::{
    FERMAT_ROUNDS, RSA_BITS_MAX, RSA_BITS_MIN, RSA_EXPONENT_BITS_MAX, RSA_EXPONENT_BITS_MIN, RSA_FACTOR_MIN,
};

/// Why a key is weak.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakKey {
    /// Too short to resist, or too long to verify with.
    #[error("the rsa modulus has {got} bits, where {RSA_BITS_MIN} to {RSA_BITS_MAX} may be")]
    ModulusSize {
        /// Bits of the modulus.
        got: usize,
    },
    /// One that signs by doing nothing, that has no inverse, or that attacks on small or odd ones need.
    #[error("the rsa exponent is {parity} and has {bits} bits, where an odd one of 17 to 256 may be")]
    Exponent {
        /// `odd` or `even`.
        parity: &'static str,
        /// Bits of the exponent.
        bits: usize,
    },
    /// The modulus has a factor that anybody finds by trying; an even one has 2.
    #[error("the rsa modulus has the factor {factor}, where none below {RSA_FACTOR_MIN} may be")]
    SmallFactor {
        /// The least of them.
        factor: u32,
    },
    /// The two primes are so close that Fermat's method finds them at once.
    #[error("the primes of the rsa modulus are close: fermat's method finds them in {FERMAT_ROUNDS} rounds")]
    CloseFactors,
    /// The modulus has the form that Infineon's library gave it (CVE-2017-15361): a day or so factors it.
    #[error("the rsa modulus has the form of the ROCA generator (CVE-2017-15361)")]
    Roca,
    /// An Ed25519 point of order 8 or less: signatures of everything are easily made.
    #[error("the ed25519 key is a point of small order")]
    SmallOrder,
}

/// Looks for what makes a public key weak; at most about a millisecond for RSA-4096.
///
/// # Errors
/// The first weakness that is found.
pub fn check(key: &PublicKey) -> Result<(), WeakKey> {
    if let Some((modulus, exponent)) = key.rsa_parts() {
        return check_rsa(modulus, exponent);
    }
    if key.kind() == KeyKind::Ed25519 && has_small_order(key.key_bits()) {
        return Err(WeakKey::SmallOrder);
    }
    Ok(())
}

/// Bits of a big-endian number, without leading zeros.
pub(crate) fn bit_length(octets: &[u8]) -> usize {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let significant = octets.get(zeros..).unwrap_or_default();
    let unused = significant.first().map_or(0, |first| first.leading_zeros());
    significant.len().saturating_mul(8).saturating_sub(usize::try_from(unused).unwrap_or_default())
}

#[expect(clippy::arithmetic_side_effects, reason = "no prime is zero")]
fn check_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), WeakKey> {
    let bits = bit_length(modulus);
    if !(usize::from(RSA_BITS_MIN)..=usize::from(RSA_BITS_MAX)).contains(&bits) {
        return Err(WeakKey::ModulusSize { got: bits });
    }
    let parity = if exponent.last().is_some_and(|last| last & 1 == 1) { "odd" } else { "even" };
    let bits = bit_length(exponent);
    if parity != "odd" || !(RSA_EXPONENT_BITS_MIN..=RSA_EXPONENT_BITS_MAX).contains(&bits) {
        return Err(WeakKey::Exponent { parity, bits });
    }
    let modulus = BigUint::from_bytes_be(modulus);
    // Has the same residues as the modulus, and a quarter of the digits.
    let remainder = &modulus % primes().product::<BigUint>();
    if let Some(factor) = primes().find(|prime| residue(&remainder, *prime) == 0) {
        return Err(WeakKey::SmallFactor { factor });
    }
    if is_roca(&remainder) {
        return Err(WeakKey::Roca);
    }
    if has_close_factors(&modulus) {
        return Err(WeakKey::CloseFactors);
    }
    Ok(())
}

/// The primes below [`RSA_FACTOR_MIN`], ascending.
fn primes() -> impl Iterator<Item = u32> {
    (2..RSA_FACTOR_MIN).filter(|number| (2_u32..28).all(|low| low >= *number || !number.is_multiple_of(low)))
}

const _: () =
    assert!(RSA_FACTOR_MIN <= 28 * 28, "trial division by the numbers below 28 finds primes below 784");

/// Nemec et al., "The Return of Coppersmith's Attack" (CCS 2017), §2: both primes are `k·M + (65537^a mod M)` where
/// M is the product of the first primes, so that the modulus too is a power of 65537 modulo each of those. `number`
/// is the modulus, or what has its residues.
fn is_roca(number: &BigUint) -> bool {
    primes()
        .take_while(|prime| *prime <= ROCA_PRIME_MAX)
        .all(|prime| is_power_of_65537(residue(number, prime), prime))
}

/// Moduli of 1984 bits and more have the first 126 primes in M, the longest 225 (ibid., table 1). A sound modulus
/// passes for one with a probability of 2^-167.
const ROCA_PRIME_MAX: u32 = 701;

const _: () = assert!(ROCA_PRIME_MAX < RSA_FACTOR_MIN);

/// Modulo the prime.
fn is_power_of_65537(number: u32, prime: u32) -> bool {
    let powers = core::iter::successors(Some(1_u32), |power| {
        let next = power.checked_mul(65_537)?.checked_rem(prime)?;
        (next != 1).then_some(next)
    });
    powers.into_iter().any(|power| power == number)
}

/// Fermat's method: an odd n is a² - b² = (a - b)(a + b); with factors that are close, a is just above √n.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "these numbers grow as they must; a² ≥ n, for a is √n rounded up"
)]
fn has_close_factors(n: &BigUint) -> bool {
    let mut a = n.sqrt();
    if &a * &a < *n {
        a += 1_u32;
    }
    let mut b_squared = &a * &a - n;
    for _ in 0..FERMAT_ROUNDS {
        if is_square(&b_squared) {
            return true;
        }
        // (a + 1)² - n
        b_squared += (&a << 1) + 1_u32;
        a += 1_u32;
    }
    false
}

/// The time goes into the roots, so most numbers are told by their remainders first.
#[expect(clippy::arithmetic_side_effects, reason = "a root's square is not above the number")]
fn is_square(number: &BigUint) -> bool {
    let may_be = SQUARE_MODULI.into_iter().all(|modulus| is_square_modulo(residue(number, modulus), modulus));
    may_be && {
        let root = number.sqrt();
        &root * &root == *number
    }
}

/// Squares have 12 of 64, 16 of 63, 21 of 65 and 6 of 11 remainders: one number in 120 is left (Cohen, "A Course in
/// Computational Algebraic Number Theory", algorithm 1.7.3).
const SQUARE_MODULI: [u32; 4] = [64, 63, 65, 11];

fn is_square_modulo(remainder: u32, modulus: u32) -> bool {
    (0..modulus)
        .any(|root| root.checked_mul(root).and_then(|square| square.checked_rem(modulus)) == Some(remainder))
}

#[expect(clippy::arithmetic_side_effects, reason = "no prime is zero")]
fn residue(number: &BigUint, prime: u32) -> u32 {
    u32::try_from(number % prime).unwrap_or_default()
}

/// Whether the point (RFC 8032 §5.1.5) has order 1, 2, 4 or 8: the eight of them, and other encodings of the same.
fn has_small_order(octets: &[u8]) -> bool {
    let Ok(mut y) = <[u8; 32]>::try_from(octets) else { return false };
    // The highest bit is the sign of x: points come in pairs.
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER_Y.contains(&y)
}

/// The y of those points, little-endian: 0 and p (order 4), 1 and p + 1 (order 1), p - 1 (order 2), and the two
/// pairs of roots of d·y⁴ + 2·y² = 1 (order 8), where p is 2^255 - 19 and d the constant of the curve (RFC 8032
/// §5.1).
const SMALL_ORDER_Y: [[u8; 32]; 7] = [
    with_ends(0x00, 0x00, 0x00),
    with_ends(0xed, 0xff, 0x7f),
    with_ends(0x01, 0x00, 0x00),
    with_ends(0xee, 0xff, 0x7f),
    with_ends(0xec, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// Octets that are all the same but for the first and the last.
const fn with_ends(first: u8, between: u8, last: u8) -> [u8; 32] {
    let mut octets = [between; 32];
    octets[0] = first;
    octets[31] = last;
    octets
}

#[cfg(test)]
pub(crate) mod tests;
