//! I6: acknowledged is kept.

use ca_core::register::Register;

use super::History;
use crate::world::World;

impl World {
    pub(super) fn i6_acknowledged_is_kept(&self, history: &History) {
        let register: &dyn Register = &history.register;
        for released in self.all_released() {
            let (ca, serial) = (&released.issued.ca, released.issued.serial);
            let kept = ca_core::certificate::der(register, ca, serial).expect("memory has no faults");
            assert_eq!(
                kept.as_ref(),
                Some(&released.issued.certificate),
                "I6: {serial} was released and is gone"
            );
        }
        for told in self.all_acknowledged() {
            let revocation = register.revocation(&told.ca, told.serial).expect("memory has no faults");
            let mut events = revocation.into_iter().flat_map(|revocation| revocation.events);
            // It may have been released from a hold since, and revoked again: what was told stays in its history.
            let kept = events.any(|event| event.since == told.revoked.revoked_at);
            assert!(kept, "I6: {} was revoked, and nothing of that is left", told.serial);
        }
    }
}
