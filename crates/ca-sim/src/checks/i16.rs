//! I16: who does not lead releases nothing.

use super::History;
use crate::log::Link;
use crate::world::World;

impl World {
    pub(super) fn i16_released_in_contact(&self, history: &History) {
        for released in self.all_released() {
            let issued = &released.issued;
            let recorded = history.records.contains_key(&(issued.ca.clone(), issued.serial));
            let alone = matches!(released.link, Link::CutOff | Link::Deposed);
            assert!(recorded || !alone, "I16: node {} released {} alone", released.node, issued.serial);
        }
    }
}
