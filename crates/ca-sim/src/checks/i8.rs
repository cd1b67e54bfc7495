//! I8: never good for the unissued.

use super::History;
use crate::world::{Said, World};

impl World {
    pub(super) fn i8_good_is_recorded(&self, history: &History) {
        for answer in self.captured() {
            if answer.said == Said::Good {
                let recorded = history.records.contains_key(&(answer.ca.clone(), answer.serial));
                assert!(recorded, "I8: good for {} of {}", answer.serial, answer.ca);
            }
        }
    }
}
