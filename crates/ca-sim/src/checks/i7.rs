//! I7: one idempotency key, one certificate for 7 days.

use std::collections::BTreeMap;

use ca_core::ids::{Digest, UnixMillis};
use ca_core::limits::IDEMPOTENCY_KEPT_MS;
use ca_x509::serial::SerialNumber;

use super::History;
use crate::world::World;

impl World {
    pub(super) fn i7_one_key_one_certificate(&self, history: &History) {
        // A key lives from its first attempt on, whatever became of that.
        let mut lives: BTreeMap<Digest, (UnixMillis, Option<SerialNumber>)> = BTreeMap::new();
        for (key, at, certificate) in &history.attempts {
            let life = lives.entry(*key).or_insert((*at, None));
            if at.since(life.0) > IDEMPOTENCY_KEPT_MS {
                *life = (*at, None);
            }
            if history.records.contains_key(certificate) {
                let earlier = life.1.replace(certificate.1);
                assert_eq!(earlier, None, "I7: {} is the second certificate of its key", certificate.1);
            }
        }
    }
}
