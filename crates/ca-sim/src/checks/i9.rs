//! I9: a node that cannot know says tryLater, not unknown.

use super::History;
use crate::world::{Said, World};

impl World {
    pub(super) fn i9_unknown_is_unknown(&self, history: &History) {
        for answer in self.captured().into_iter().filter(|answer| answer.said == Said::Unknown) {
            let intent = history.intents.get(&(answer.ca.clone(), answer.serial));
            let known = intent.is_some_and(|(index, _)| index.0 <= answer.asked);
            assert!(!known, "I9: unknown for {}, which was committed before it was asked", answer.serial);
        }
    }
}
