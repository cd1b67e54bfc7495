//! The one source of chance in a run: a seed decides everything.

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). Not for secrets.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// The dice of this seed, for one purpose: what is thrown for one purpose does not change what comes for another.
    #[must_use]
    pub fn of(seed: u64, purpose: &str) -> Self {
        let mut dice = Self { state: seed };
        for octet in purpose.bytes() {
            dice.state = dice.next().wrapping_add(u64::from(octet));
        }
        dice
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of 0 to `count` − 1; 0 if there is nothing to choose from.
    pub fn below(&mut self, count: u64) -> u64 {
        self.next().checked_rem(count).unwrap_or_default()
    }

    /// As [`Self::below`], for places in a list.
    pub fn place(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        usize::try_from(self.below(count)).unwrap_or_default()
    }

    /// Between the two, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least.saturating_add(self.below(most.saturating_sub(least).saturating_add(1)))
    }

    /// Once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of.get(self.place(of.len())).expect("there is something to choose from").clone()
    }

    /// Puts a list into another order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for place in (1..list.len()).rev() {
            list.swap(place, self.place(place.saturating_add(1)));
        }
    }
}
