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
    use super::*;

    #[test]
    fn two_draws_differ() {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        SystemEntropy.fill(&mut first).unwrap();
        SystemEntropy.fill(&mut second).unwrap();
        assert_ne!(first, second);
    }
}
