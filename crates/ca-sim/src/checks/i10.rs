//! I10: status goes one way.

use ca_x509::crl::RevocationReason;
use ca_x509::time::UnixSeconds;

use super::History;
use crate::world::{Said, World};

impl World {
    /// From good to revoked and never back, but by a release that came between.
    pub(super) fn i10_good_to_revoked(&self, history: &History) {
        let captured = self.captured();
        // Two clocks date the answers, each of which may be off.
        let off_s = self.worst_clock_ms().saturating_mul(2).div_ceil(1_000);
        for revoked in &captured {
            let Said::Revoked(at, reason) = revoked.said else { continue };
            let releases = history.releases(&revoked.ca, revoked.serial);
            let is_released_by = |good: Option<UnixSeconds>| {
                reason == Some(RevocationReason::CertificateHold)
                    && releases.iter().any(|release| at <= *release && Some(*release) <= good)
            };
            let later_good = captured.iter().find(|other| {
                other.said == Said::Good
                    && (&other.ca, other.serial) == (&revoked.ca, revoked.serial)
                    && other.this_update.map(|at| at.0)
                        > revoked.this_update.map(|at| at.0.saturating_add(off_s))
                    && !is_released_by(other.this_update)
            });
            assert_eq!(later_good, None, "I10: good after {revoked:?}");
        }
    }
}
