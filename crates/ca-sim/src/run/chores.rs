//! What nodes do by themselves, as the program's tasks do it.

use ca_authority::authority::{Authority, Ports as _};
use ca_authority::ports::Log as _;
use ca_core::command::Command;
use ca_core::roles::Identity;
use ca_core::shards::ListId;

use super::{Errand, Running};
use crate::ceremony::AUTHORITIES;
use crate::token::SoftKey;
use crate::world::{SimPorts, ca};

/// One kind of task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Chore {
    Refresh,
    SettleOwn,
    SettleOld,
    Lists,
    Responders,
    Tick,
}

impl Chore {
    const ALL: [Self; 6] =
        [Self::Refresh, Self::SettleOwn, Self::SettleOld, Self::Lists, Self::Responders, Self::Tick];

    /// The leader alone does it.
    fn is_leaders(self) -> bool {
        matches!(self, Self::SettleOld | Self::Lists | Self::Tick)
    }
}

/// Between two turns of one task lie at least so many rounds: with a round of 15 ms, a good second at most.
const ROUNDS_BETWEEN: (u64, u64) = (30, 90);

impl Running {
    /// Begins what is due on each node, unless it is still at it.
    pub(super) fn begin_chores(&mut self) {
        for node in self.world.nodes() {
            for chore in Chore::ALL {
                let due = self.is_due(node, chore);
                let at_it = |task: &super::Task| task.node == node && task.errand == Errand::Chore(chore);
                let mine = !chore.is_leaders() || self.world.leads(node);
                if due && mine && self.is_up(node) && !self.acts.iter().any(at_it) {
                    self.begin_chore(node, chore);
                }
            }
        }
    }

    fn is_due(&mut self, node: u64, chore: Chore) -> bool {
        let next = self.round.saturating_add(self.dice.between(ROUNDS_BETWEEN.0, ROUNDS_BETWEEN.1));
        let due = self.chores_due.entry((node, chore)).or_insert(next);
        let is_due = *due <= self.round;
        if is_due {
            *due = next;
        }
        is_due
    }

    fn begin_chore(&mut self, node: u64, chore: Chore) {
        let authority = self.world.node(node);
        let errand = Errand::Chore(chore);
        // The simulated log chains no digests.
        let standing = self.world.cluster().map(|_| authority.ports().log().standing());
        match chore {
            Chore::Refresh => {
                self.begin(node, errand, async move { told(authority.refresh().await.map(drop)) });
            }
            Chore::SettleOwn => {
                self.begin(node, errand, async move { told(authority.settle_own().await) });
            }
            Chore::SettleOld => {
                self.begin(node, errand, async move { told(authority.settle_old().await) });
            }
            Chore::Tick => self.begin(node, errand, async move {
                let digest = standing.map(|standing| (standing.applied, standing.digest));
                let tick = Command::Tick { digest };
                told(authority.ports().log().append(tick).await.map(|applied| applied.index()))
            }),
            Chore::Lists => {
                self.begin(node, errand, async move { told(authority.publish_due().await) });
            }
            Chore::Responders => self.begin_responder(node),
        }
    }

    fn begin_responder(&mut self, node: u64) {
        let (authority, identity) = (self.world.node(node), Identity::Node(ca_core::ids::NodeId(node)));
        let due = AUTHORITIES.iter().find_map(|(name, ..)| {
            let key = SoftKey::named(&format!("responder of {node} for {name}"));
            authority.responder_request(&ca(name), key.public()).expect("memory has no faults")
        });
        if let Some(request) = due {
            let issuing = self.world.issuing_for(node, identity, request, None);
            let errand = Errand::Chore(Chore::Responders);
            self.begin(node, errand, async move { told(issuing.await.map(|issued| issued.serial)) });
        }
    }
}

fn told<T: std::fmt::Debug, E: std::fmt::Debug>(result: Result<T, E>) -> String {
    match result {
        Ok(done) => format!("{done:?}"),
        Err(error) => format!("{error:?}"),
    }
}

/// Every list of every CA, as this node knows them.
pub(super) fn all_lists(authority: &Authority<SimPorts>) -> Vec<ListId> {
    let issuers = authority.register().issuers().expect("memory has no faults");
    issuers.iter().flat_map(|(ca, issuer)| issuer.lists(ca).collect::<Vec<_>>()).collect()
}
