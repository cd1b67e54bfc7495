//! I1: one serial, one certificate.

use std::collections::BTreeMap;

use ca_x509::certificate::TbsCertificate;
use ca_x509::serial::SerialNumber;

use super::History;
use crate::world::World;

impl World {
    pub(super) fn i1_one_serial_one_certificate(&self, history: &History) {
        let mut seen: BTreeMap<(Vec<u8>, SerialNumber), Vec<u8>> = BTreeMap::new();
        let on_tape = self.tape().signed().into_iter().map(|signed| signed.message);
        let in_log = history.intents.values().map(|(_, tbs)| tbs.clone());
        for octets in on_tape.chain(in_log) {
            let Ok(tbs) = TbsCertificate::decode(&octets) else { continue };
            let earlier = seen.insert((tbs.issuer.as_der().to_vec(), tbs.serial), octets.clone());
            assert!(earlier.is_none_or(|earlier| earlier == octets), "I1: {} twice", tbs.serial);
        }
    }
}
