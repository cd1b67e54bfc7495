//! I4: signed is committed; R7: one signature a permit.

use std::collections::{BTreeMap, BTreeSet};

use ca_core::ids::Digest;
use ca_x509::key::KeyIdentifier;

use super::History;
use crate::ceremony::AUTHORITIES;
use crate::token::SoftKey;
use crate::world::World;

impl World {
    pub(super) fn i4_signed_is_committed(&self, history: &History) {
        let ca_keys: BTreeSet<KeyIdentifier> =
            AUTHORITIES.map(|(name, ..)| SoftKey::named(name).public().key_identifier()).into();
        let mut seen = BTreeSet::new();
        let mut may: BTreeMap<Digest, u64> = BTreeMap::new();
        for (index, tbs) in history.intents.values() {
            may.insert(Digest::of(tbs), index.0);
        }
        for cut in &history.cuts {
            may.insert(cut.digest, cut.cut.index.0);
        }
        for signed in self.tape().signed().into_iter().filter(|signed| ca_keys.contains(&signed.key)) {
            // A key proof begins with 64 spaces, which nothing else does (R11).
            if signed.message.starts_with(&[0x20; 64]) {
                continue;
            }
            let index = may.get(&Digest::of(&signed.message));
            let index =
                index.unwrap_or_else(|| panic!("I4: node {} signed what nobody committed", signed.node));
            assert!(*index <= signed.committed, "I4: node {} signed before the commit", signed.node);
            let again = !seen.insert(Digest::of(&signed.message));
            assert!(!again, "R7: node {} signed twice what it had one permit for", signed.node);
        }
    }
}
