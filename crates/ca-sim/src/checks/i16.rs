//! I16: who does not lead releases nothing.

use super::History;
use crate::world::World;

impl World {
    /// What was released has a record somewhere in the log: a leader that was deposed may have taken one that its
    /// successor never had. That the record came first is I3's affair.
    pub(super) fn i16_released_is_in_the_log(&self, history: &History) {
        for released in self.all_released() {
            let issued = &released.issued;
            let recorded = history.records.contains_key(&(issued.ca.clone(), issued.serial));
            let (node, link) = (released.node, released.link);
            assert!(
                recorded,
                "I16: node {node} ({link:?}) released {}, which nobody recorded",
                issued.serial
            );
        }
    }
}
