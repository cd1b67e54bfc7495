//! Random octets.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use ca_authority::ports::{Entropy, EntropyFault};

/// The generator of aws-lc, seeded by the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, octets: &mut [u8]) -> Result<(), EntropyFault> {
        SystemRandom::new().fill(octets).map_err(|_| EntropyFault)
    }
}

#[cfg(test)]
mod tests {
    use ca_x509::serial::SerialNumber;

    use super::*;

    #[test]
    fn two_draws_differ() {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        SystemEntropy.fill(&mut first).unwrap();
        SystemEntropy.fill(&mut second).unwrap();
        assert_ne!(first, second);
    }

    /// A million serials as the authority draws them: each of the 126 bits is set about half of the time, none repeats,
    /// and all have 16 octets, so one length in DER. Half a million ones of a fair bit deviate by 500 on average; that one
    /// of 126 deviates by 3,500 has a probability of about 10^-10.
    ///
    /// Mechanism: `SystemEntropy::fill`. With the last octet left as it was, or with a generator that starts over after
    /// 2^16 draws, it fails.
    #[test]
    fn i2_a_million_serials_have_no_stuck_bit_and_no_repeat() {
        const COUNT: u32 = 1_000_000;
        let mut drawn = Vec::new();
        let mut seen = [[0_u32; 256]; 16];
        for _ in 0..COUNT {
            let mut random = [0; 16];
            SystemEntropy.fill(&mut random).unwrap();
            let serial = SerialNumber::from_random(random);
            let octets: [u8; 16] = serial.as_be_bytes().try_into().unwrap();
            for (place, octet) in octets.into_iter().enumerate() {
                seen[place][usize::from(octet)] += 1;
            }
            drawn.push(u128::from_be_bytes(octets));
        }
        for (place, values) in seen.iter().enumerate() {
            for bit in 0..8 {
                let ones: u32 =
                    (0..256).filter(|value| value >> bit & 1 == 1).map(|value| values[value]).sum();
                let fixed = match (place, bit) {
                    (0, 7) => Some(0),
                    (0, 6) => Some(COUNT),
                    _ => None,
                };
                match fixed {
                    Some(expected) => assert_eq!(ones, expected, "octet {place}, bit {bit}"),
                    None => assert!(
                        ones.abs_diff(COUNT / 2) < 3_500,
                        "octet {place}, bit {bit}: {ones} of {COUNT}"
                    ),
                }
            }
        }
        drawn.sort_unstable();
        assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]), "a serial repeats");
    }
}
