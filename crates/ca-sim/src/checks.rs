//! The checkers: each reads what the world recorded and ends the run if a promise is broken.
//!
//! One promise, one file; those about lists stand together. [`History`] is the oracle that they compare with.

mod acts;
mod history;
mod i1;
mod i10;
mod i11;
mod i16;
mod i23;
mod i28;
mod i3;
mod i4;
mod i6;
mod i7;
mod i8;
mod i9;
mod lists;
mod rows;

use ca_core::ids::{CaId, NodeId};
use ca_core::limits::INTENT_OPEN_MAX_MS;
use ca_core::register::{Key, Register};
use ca_x509::serial::SerialNumber;

pub use self::history::{History, Logged};
pub use self::lists::CutList;
pub use self::rows::rows_agree;
use crate::log::Link;
use crate::token::TokenMode;
use crate::world::World;

impl World {
    /// Ends every fault, lets the cluster settle, and checks all promises over all that was recorded.
    ///
    /// # Panics
    /// If one is broken.
    pub fn settle_and_check(&self) {
        for node in self.nodes() {
            self.token_mode(node, TokenMode::Works);
            self.storm().set_faults(NodeId(node), &[]);
            self.link(node, Link::Up);
        }
        self.storm().release_held();
        self.wait_ms(INTENT_OPEN_MAX_MS.saturating_add(1_000));
        self.tick();
        let leader = self.storm().leader().0;
        let authority = self.node(leader);
        self.drive(leader, async move { authority.settle_old().await }).expect("a quorum is there");
        let history = self.check();
        nothing_is_open(&history);
    }

    /// Checks all promises over all that was recorded so far.
    ///
    /// # Panics
    /// If one is broken.
    pub fn check(&self) -> History {
        let log = self.logged();
        let history = History::of(&log);
        self.i1_one_serial_one_certificate(&history);
        self.i16_released_is_in_the_log(&history);
        self.i3_released_is_recorded(&history);
        self.i4_signed_is_committed(&history);
        self.i6_acknowledged_is_kept(&history);
        self.i7_one_key_one_certificate(&history);
        self.i8_good_is_recorded(&history);
        self.i9_unknown_is_unknown(&history);
        self.i10_good_to_revoked(&history);
        self.i11_this_update(&history);
        history.i13_numbers_rise();
        history.i14_revoked_stays_revoked();
        history.i14_lists_are_complete();
        history.i14_deltas_tell_the_same();
        history.i15_place_and_issuer();
        self.i15_one_number_one_list(&history);
        history.i20_each_act_has_one_row(&log);
        self.i23_registers_are_equal(&history);
        self.i28_by_the_registers_key();
        history
    }
}

/// I5: every intent ends.
///
/// # Panics
/// If one is open.
pub fn nothing_is_open(history: &History) {
    let register: &dyn Register = &history.register;
    let open = register.scan(&Key::OpenIntent(CaId::first(), SerialNumber::MIN), 1);
    assert_eq!(open, Ok(vec![]), "I5: every intent ends");
}
