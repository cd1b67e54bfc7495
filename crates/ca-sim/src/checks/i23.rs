//! I23: one index, one state.

use super::History;
use crate::world::World;

impl World {
    /// Every node that has applied the whole log has the oracle's register.
    pub(super) fn i23_registers_are_equal(&self, history: &History) {
        for (node, register) in self.storm().registers() {
            if self.storm().applied(node) == self.storm().committed() {
                assert!(register == history.register, "I23: the register of node {node} differs");
            }
        }
    }
}
