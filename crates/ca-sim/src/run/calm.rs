//! After the storm: everything works again, and so must the cluster.

use ca_core::limits::{CUT_OPEN_MAX_MS, INTENT_OPEN_MAX_MS};
use ca_x509::crl::RevocationReason;

use super::{Errand, Running};
use crate::world::{Said, ca, idempotency};

/// Rounds after which whatever still waits waits for ever: a minute.
const ROUNDS_MAX: u64 = 4_000;

/// Rounds in which every chore has come up.
const ROUNDS_OF_CHORES: u64 = 250;

impl Running {
    /// Turns until this holds.
    ///
    /// # Panics
    /// If it never does: then something waits for ever.
    fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let last = self.round.saturating_add(ROUNDS_MAX);
        while !holds(self) {
            assert!(self.round < last, "liveness: {what}");
            self.turn();
        }
    }

    /// Ends every fault and lets the cluster come to rest.
    pub(super) fn heal(&mut self) {
        self.end_all_faults();
        self.tell("healed");
        self.until("every client is answered", |running| running.clients.are_done());
        // Whoever died while it signed left an intent, which becomes old (R5), or a cut, which gives way (R10).
        self.world.step(INTENT_OPEN_MAX_MS.max(CUT_OPEN_MAX_MS).saturating_add(1_000));
        let enough = self.round.saturating_add(ROUNDS_OF_CHORES);
        self.until("the log comes to rest", |running| running.round > enough && running.world.is_calm());
    }

    /// Every node issues, another one revokes it, and all know.
    pub(super) fn liveness(&mut self) {
        let nodes: Vec<u64> = self.world.nodes().collect();
        for (node, next) in nodes.iter().copied().zip(nodes.iter().copied().cycle().skip(1)) {
            let host = format!("last{node}.example.test");
            let issuing = self.world.issuing(node, &host, Some(idempotency(&host, &host)));
            let before = self.world.all_released().len();
            self.finish(node, async move { format!("{:?}", issuing.await.map(|issued| issued.serial)) });
            let issued = self.world.all_released().get(before).map(|released| released.issued.clone());
            let issued = issued.unwrap_or_else(|| panic!("liveness: node {node} does not issue"));
            let revoking = self.world.revoking(next, &issued, RevocationReason::Superseded);
            self.finish(next, async move { format!("{:?}", revoking.await) });
            let told = self.world.all_acknowledged();
            assert!(
                told.iter().any(|told| told.serial == issued.serial),
                "liveness: node {next} does not revoke"
            );
            self.until("every node applies it", |running| running.world.is_calm());
            for node in nodes.iter().copied() {
                let asking = self.world.asking(node, issued.ca.as_str(), issued.serial);
                self.finish(node, async move { format!("{:?}", asking.await) });
                let said = self.world.captured().last().map(|answer| answer.said);
                let revoked = matches!(said, Some(Said::Revoked(..)));
                assert!(revoked, "liveness: node {node} says {said:?} of what was revoked");
            }
        }
        for node in nodes {
            let (served, list) = self.world.crl(node, "issuing").expect("a CA that issued has a list");
            let entries = list.entries().len();
            self.tell(&format!(
                "node {node} serves {:?} of {:?}, {entries} entries",
                served.cut.number,
                ca("issuing")
            ));
        }
    }

    fn finish(&mut self, node: u64, act: impl Future<Output = String> + 'static) {
        self.begin(node, Errand::Nobodys, act);
        self.until("an act of a healthy cluster ends", |running| {
            running.acts.iter().all(|task| task.errand != Errand::Nobodys)
        });
    }
}
