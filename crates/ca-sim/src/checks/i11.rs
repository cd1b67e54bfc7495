//! I11: thisUpdate is honest.

use super::History;
use crate::world::{Said, World};

impl World {
    pub(super) fn i11_this_update(&self, history: &History) {
        for answer in self.captured() {
            let Some(this_update) = answer.this_update else { continue };
            let as_of = answer.as_of.map(|as_of| as_of.seconds());
            assert!(as_of.is_some_and(|as_of| this_update <= as_of), "I11: {answer:?}");
            for told in self.all_acknowledged() {
                let late = this_update.0.saturating_mul(1000) >= told.at.0.saturating_add(5_000);
                let same = (&told.ca, told.serial) == (&answer.ca, answer.serial);
                let holds = !history.is_over(&told.ca, told.serial, told.revoked.revoked_at);
                let says_good = answer.said == Said::Good;
                assert!(!(late && same && holds && says_good), "I11: good after {told:?}: {answer:?}");
            }
        }
    }
}
