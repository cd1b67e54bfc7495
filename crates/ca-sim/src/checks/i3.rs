//! I3: released is recorded.

use ca_core::register::Register;

use super::History;
use crate::world::World;

impl World {
    pub(super) fn i3_released_is_recorded(&self, history: &History) {
        for released in self.all_released() {
            let issued = &released.issued;
            let index = history.records.get(&(issued.ca.clone(), issued.serial));
            assert_eq!(index, Some(&issued.index), "I3: {} was released without a record", issued.serial);
            assert!(issued.index.0 <= released.committed, "I3: {} was released too early", issued.serial);
            let register: &dyn Register = &history.register;
            let der = ca_core::certificate::der(register, &issued.ca, issued.serial);
            assert_eq!(
                der,
                Ok(Some(issued.certificate.clone())),
                "I3: what was released is what is recorded"
            );
        }
    }
}
