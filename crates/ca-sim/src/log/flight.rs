//! Commands that take their time: on the way to a leader, with a leader, committed, applied here and not yet there.

use std::collections::BTreeSet;

use ca_authority::ports::AppendError;
use ca_core::command::Envelope;
use ca_core::ids::{NodeId, RequestId, UnixMillis};
use ca_core::permit::Applied;
use ca_core::planted::{Bug, planted};
use ca_core::register::Register;

use super::{Entry, Inside, Link, Storm};
use crate::dice::Dice;
use crate::token::locked;

/// As in the real log: how long a command is waited for. Its expiry is later.
pub(super) const APPLIED_WITHIN_MS: u64 = 10_000;

/// As in the real log: how long a quorum is waited for (I17).
pub(super) const NO_QUORUM_AFTER_MS: u64 = 1_600;

/// What is not committed, and the dice that decide what becomes of it.
#[derive(Debug)]
pub(super) struct Flight {
    dice: Dice,
    /// On the way to whoever leads.
    under_way: Vec<Envelope>,
    /// With the leader, stamped, on no majority's disks: another leader may not have it.
    tail: Vec<Entry>,
    /// Whatever a leader was ever given: it may take effect.
    given: BTreeSet<RequestId>,
}

/// A caller that waits for its command.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) applied: Option<Applied>,
    /// By true time.
    pub(super) until: UnixMillis,
}

impl Flight {
    pub(super) fn take_off(&mut self, envelope: Envelope) {
        self.under_way.push(envelope);
    }

    /// A new leader has a part of what the old one had not committed. Who sent the rest sends it again, or is gone.
    pub(super) fn lose_tail(&mut self) {
        let kept = self.dice.place(self.tail.len().saturating_add(1));
        for lost in self.tail.split_off(kept) {
            if self.dice.once_in(2) {
                self.under_way.push(lost.envelope);
            }
        }
    }
}

impl Storm {
    /// From now on commands take their time, and [`Self::step`] moves them.
    pub fn take_time(&self, dice: Dice) {
        let flight = Flight { dice, under_way: Vec::new(), tail: Vec::new(), given: BTreeSet::new() };
        locked(&self.0).flight = Some(flight);
    }

    /// Moves everything a little: some commands reach the leader, some are committed, each node applies some.
    pub fn step(&self) {
        locked(&self.0).step();
    }

    /// Whether nothing is under way and every connected node has applied everything.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        let inside = locked(&self.0);
        let landed =
            inside.flight.as_ref().is_none_or(|flight| flight.under_way.is_empty() && flight.tail.is_empty());
        let up = inside.replicas.values().filter(|replica| replica.link == Link::Up);
        landed && up.into_iter().all(|replica| replica.applied == inside.entries.len())
    }

    /// The leader hands over, or is taken for dead.
    pub fn change_leader(&self) {
        let mut inside = locked(&self.0);
        let others: Vec<NodeId> = inside.up().into_iter().filter(|node| *node != inside.leader).collect();
        if let Some(flight) = &mut inside.flight
            && !others.is_empty()
        {
            let next = flight.dice.pick(&others);
            inside.lead(next);
        }
    }

    /// The node gets the register of the most advanced other one instead of the entries that it misses. Whether it
    /// missed any.
    pub fn install_snapshot(&self, node: NodeId) -> bool {
        let mut inside = locked(&self.0);
        let others = inside.replicas.iter().filter(|(other, _)| **other != node);
        let Some(ahead) = others.max_by_key(|(_, replica)| replica.applied).map(|(other, _)| *other) else {
            return false;
        };
        let (applied, register) = (inside.replica(ahead).applied, inside.replica(ahead).register.copy());
        let replica = inside.replica(node);
        if replica.applied >= applied || replica.link != Link::Up {
            return false;
        }
        // What somebody waits for may be among the skipped entries: its outcome is in the register, no permit is.
        for (id, waiter) in replica.waiters.iter_mut().filter(|(_, waiter)| waiter.applied.is_none()) {
            let seen: &dyn Register = &register;
            let outcome = seen.outcome(*id).expect("memory has no faults");
            waiter.applied = outcome.map(|outcome| Applied::recalled(*id, super::index_of(applied), outcome));
        }
        replica.register.replace(register);
        replica.applied = applied;
        true
    }

    /// Every node loses power at once: what was not on a majority's disks is gone. What was committed is not.
    pub(crate) fn lose_power(&self) {
        let mut inside = locked(&self.0);
        if let Some(flight) = &mut inside.flight {
            flight.under_way.clear();
            flight.tail.clear();
        }
        if planted(Bug::DroppedAtCrash) {
            inside.entries.pop();
        }
        let count = inside.entries.len();
        inside.replicas.values_mut().for_each(|replica| replica.applied = replica.applied.min(count));
    }
}

impl Inside {
    fn step(&mut self) {
        let Some(mut flight) = self.flight.take() else { return };
        let heard = |inside: &mut Self, envelope: &Envelope| {
            matches!(inside.replica(envelope.id.node).link, Link::Up | Link::Lagging)
        };
        flight.dice.shuffle(&mut flight.under_way);
        for envelope in std::mem::take(&mut flight.under_way) {
            if heard(self, &envelope) && flight.dice.once_in(2) {
                flight.given.insert(envelope.id);
                flight.tail.push(self.stamped(envelope));
            } else {
                flight.under_way.push(envelope);
            }
        }
        if self.has_quorum() {
            let count = flight.dice.place(flight.tail.len().saturating_add(1));
            self.entries.extend(flight.tail.drain(..count));
        }
        let count = self.entries.len();
        for replica in self.replicas.values_mut().filter(|replica| replica.link == Link::Up) {
            let missing = count.saturating_sub(replica.applied);
            let more = flight
                .dice
                .place(missing.saturating_add(1))
                .max(flight.dice.place(missing.saturating_add(1)));
            let up_to = replica.applied.saturating_add(more);
            if let Some(entries) = self.entries.get(..up_to)
                && more > 0
            {
                replica.catch_up(entries);
            }
        }
        self.flight = Some(flight);
    }

    /// A caller gives up. Whoever knows that no leader was given the command says so; else nobody knows.
    pub(super) fn given_up(&mut self, id: RequestId) -> AppendError {
        let no_quorum = self.no_quorum(id.node);
        let Some(flight) = &mut self.flight else { return AppendError::NotKnown(no_quorum) };
        if flight.given.contains(&id) {
            return AppendError::NotKnown(no_quorum);
        }
        flight.under_way.retain(|envelope| envelope.id != id);
        AppendError::NotAppended(no_quorum)
    }
}
