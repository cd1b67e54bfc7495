//! What chance decides, from one seed.

/// SplitMix64 (Steele, Lea, Flood 2014): enough for choosing.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The same seed and number give the same throws.
    #[must_use]
    pub fn new(seed: u64, number: u64) -> Self {
        Self(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Any number.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `sides`; 0 if there are none.
    pub fn below(&mut self, sides: usize) -> usize {
        let sides = u64::try_from(sides).unwrap_or(u64::MAX);
        self.throw().checked_rem(sides).and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
    }
}
