//! What can happen next.

use stateright::{Model, Property};

use super::properties;
use super::register::{Command, Entry, Fate, Id, Outcome, Row};
use super::{Act, Bounds, Cycle, Node, Rule, Stage, State};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A client asks a node, which drafts with this serial.
    Ask {
        /// The node.
        node: u8,
        /// The idempotency key.
        key: Option<u8>,
        /// The serial that was drawn.
        serial: u8,
    },
    /// A node replaces the open attempt that its act waits for.
    Supersede {
        /// The node.
        node: u8,
        /// The serial that was drawn.
        serial: u8,
    },
    /// The log takes a command, which may stay in flight and come again.
    Commit(Entry, Stays),
    /// A command never reaches the log.
    Lose(Entry),
    /// Another node leads; what is in flight may still be logged, or not.
    Elect(u8),
    /// A node applies its next entry.
    Apply(u8),
    /// A node's token signs.
    Sign(u8),
    /// A node sends the record of what it signed.
    Record(u8),
    /// A node stops and starts, with its register or with its log alone.
    Restart(u8, Stays),
    /// The caller of a node's act goes away.
    Resign(u8),
    /// A node proposes to abandon an intent: its own of an earlier boot, or as leader an old one.
    Abandon(u8, u8),
    /// A node proposes a revocation.
    Revoke(u8, u8),
    /// A node asks a quorum how current it is.
    Refresh(u8),
}

/// Whether something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stays {
    /// It is.
    Yes,
    /// It is not.
    No,
}

impl Model for Cycle {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(self.bounds)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for entry in &state.flight {
            actions.push(Action::Commit(*entry, Stays::No));
            actions.extend((state.left.duplicates > 0).then_some(Action::Commit(*entry, Stays::Yes)));
            actions.extend((state.left.losses > 0).then_some(Action::Lose(*entry)));
        }
        for (node, inside) in (0..).zip(&state.nodes) {
            self.of_node(state, node, inside, actions);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Ask { node, key, serial } => {
                let left = if key.is_some() { &mut state.left.keyed } else { &mut state.left.unkeyed };
                *left = left.checked_sub(1)?;
                state.draft(node, key, serial, None)?;
            }
            Action::Supersede { node, serial } => {
                state.left.supersessions = state.left.supersessions.checked_sub(1)?;
                let Act { key, stage: Stage::Waits(open) } = state.node(node)?.act? else { return None };
                state.draft(node, key, serial, Some(open))?;
            }
            Action::Commit(entry, stays) => state.commit(entry, stays)?,
            Action::Lose(entry) => {
                state.left.losses = state.left.losses.checked_sub(1)?;
                state.land(entry);
            }
            Action::Elect(node) => {
                state.left.elections = state.left.elections.checked_sub(1)?;
                state.leader = node;
            }
            Action::Apply(node) => self.apply(&mut state, node)?,
            Action::Sign(node) => self.sign(&mut state, node)?,
            Action::Record(node) => self.record(&mut state, node)?,
            Action::Restart(node, register) => {
                state.left.restarts = state.left.restarts.checked_sub(1)?;
                let inside = state.node(node)?;
                inside.boot = inside.boot.checked_add(1)?;
                inside.act = None;
                if register == Stays::No {
                    inside.replays_to = inside.replays_to.max(inside.applied);
                    inside.applied = 0;
                }
            }
            Action::Resign(node) => {
                state.left.resignations = state.left.resignations.checked_sub(1)?;
                state.node(node)?.act = None;
            }
            Action::Abandon(node, serial) => {
                state.left.abandons = state.left.abandons.checked_sub(1)?;
                state.propose(node, Command::Abandon(serial))?;
            }
            Action::Revoke(node, serial) => {
                state.left.revocations = state.left.revocations.checked_sub(1)?;
                state.propose(node, Command::Revoke(serial))?;
            }
            Action::Refresh(node) => {
                state.left.refreshes = state.left.refreshes.checked_sub(1)?;
                let committed = u8::try_from(state.log.len()).ok()?;
                state.node(node)?.as_of = committed;
            }
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

impl Cycle {
    fn of_node(&self, state: &State, node: u8, inside: &Node, actions: &mut Vec<Action>) {
        let left = &state.left;
        let behind = usize::from(inside.applied) < state.log.len();
        actions.extend(behind.then_some(Action::Apply(node)));
        actions.extend((left.elections > 0 && state.leader != node).then_some(Action::Elect(node)));
        if left.restarts > 0 {
            actions.extend([Stays::Yes, Stays::No].map(|register| Action::Restart(node, register)));
        }
        match inside.act.map(|act| act.stage) {
            None => {
                let keyed = (left.keyed > 0).then_some(Some(0));
                let unkeyed = (left.unkeyed > 0).then_some(None);
                for key in keyed.into_iter().chain(unkeyed) {
                    let asks = state.serials().map(|serial| Action::Ask { node, key, serial });
                    actions.extend(asks);
                }
            }
            Some(Stage::Intent(..)) => {
                let early = !self.keeps(Rule::SignAfterIntent);
                actions.extend(early.then_some(Action::Sign(node)));
            }
            Some(Stage::Waits(_)) if left.supersessions > 0 => {
                actions.extend(state.serials().map(|serial| Action::Supersede { node, serial }));
            }
            Some(Stage::Permit(..)) => actions.push(Action::Sign(node)),
            Some(Stage::Signature(_)) => actions.push(Action::Record(node)),
            Some(Stage::Waits(_) | Stage::Record(..)) => {}
        }
        actions.extend((inside.act.is_some() && left.resignations > 0).then_some(Action::Resign(node)));
        let current = !behind || !self.keeps(Rule::AsOfIsApplied);
        actions.extend((current && left.refreshes > 0).then_some(Action::Refresh(node)));
        let (register, _) = self.register(state, usize::from(inside.applied));
        for row in &register.rows {
            let own = row.tbs.node == node && row.tbs.boot != inside.boot;
            let may = row.fate == Fate::Open || !self.keeps(Rule::RecordedStays);
            if left.abandons > 0 && may && (own || state.leader == node) {
                actions.push(Action::Abandon(node, row.serial));
            }
            if left.revocations > 0 && row.fate == Fate::Recorded {
                actions.push(Action::Revoke(node, row.serial));
            }
        }
    }

    /// The next entry, and what it means for whoever waits for it here.
    fn apply(&self, state: &mut State, node: u8) -> Option<()> {
        let place = usize::from(state.node(node)?.applied);
        let entry = *state.log.get(place)?;
        let (mut register, mut events) = self.register(state, place);
        let (outcome, first) = register.apply(self, place, entry, &mut events);
        let inside = state.node(node)?;
        inside.applied = inside.applied.checked_add(1)?;
        let mine = (entry.id.node, entry.id.boot) == (node, inside.boot);
        match inside.act {
            Some(act) if act.stage.waits_for(entry.id) && mine => {
                let (next, released) = act.after(outcome);
                inside.act = next;
                if let Some(serial) = released {
                    state.release(act.key, serial);
                }
            }
            None if !self.keeps(Rule::PermitForWaiter) && first && entry.id.node == node => {
                if let (Command::Intent { serial, key, .. }, Outcome::Committed) = (entry.command, outcome) {
                    inside.act = Some(Act { key, stage: Stage::Permit(entry.id, serial) });
                }
            }
            _ => {}
        }
        Some(())
    }

    fn sign(&self, state: &mut State, node: u8) -> Option<()> {
        let act = state.node(node)?.act?;
        let (Stage::Permit(tbs, serial) | Stage::Intent(tbs, serial)) = act.stage else { return None };
        if matches!(act.stage, Stage::Permit(..)) {
            let applied = usize::from(state.node(node)?.applied);
            let (register, _) = self.register(state, applied);
            let open = |row: &Row| row.fate == Fate::Open && row.tbs == tbs;
            if !register.row(serial).is_some_and(|row| open(&row)) {
                // Abandoned or superseded meanwhile: the permit is used up.
                state.node(node)?.act = None;
                return Some(());
            }
        }
        state.signed.push((serial, tbs));
        state.signed.sort_unstable();
        state.node(node)?.act = Some(Act { stage: Stage::Signature(serial), ..act });
        Some(())
    }

    fn record(&self, state: &mut State, node: u8) -> Option<()> {
        let act = state.node(node)?.act?;
        let Stage::Signature(serial) = act.stage else { return None };
        let id = state.propose(node, Command::Record(serial))?;
        state.node(node)?.act = Some(Act { stage: Stage::Record(id, serial), ..act });
        if !self.keeps(Rule::ReleaseAfterRecord) {
            state.release(act.key, serial);
        }
        Some(())
    }
}

impl Stage {
    fn waits_for(self, id: Id) -> bool {
        matches!(self, Self::Intent(own, _) | Self::Record(own, _) if own == id)
    }
}

impl Act {
    /// What the act is after its command came to this, and the serial that its caller is given.
    fn after(self, outcome: Outcome) -> (Option<Self>, Option<u8>) {
        match (self.stage, outcome) {
            (Stage::Intent(id, serial), Outcome::Committed) => {
                (Some(Self { stage: Stage::Permit(id, serial), ..self }), None)
            }
            (Stage::Intent(..), Outcome::AttemptOpen(serial)) => {
                (Some(Self { stage: Stage::Waits(serial), ..self }), None)
            }
            (Stage::Intent(..), Outcome::AlreadyIssued(serial))
            | (Stage::Record(_, serial), Outcome::Done) => (None, Some(serial)),
            _ => (None, None),
        }
    }
}

impl State {
    fn node(&mut self, node: u8) -> Option<&mut Node> {
        self.nodes.get_mut(usize::from(node))
    }

    /// A serial that is new, and while that is allowed those that are not.
    fn serials(&self) -> impl Iterator<Item = u8> + use<> {
        let fresh = self.drawn;
        let repeats = if self.left.repeats > 0 { 0..fresh } else { 0..0 };
        repeats.chain([fresh])
    }

    fn draft(&mut self, node: u8, key: Option<u8>, serial: u8, supersedes: Option<u8>) -> Option<()> {
        if serial == self.drawn {
            self.drawn = self.drawn.checked_add(1)?;
        } else {
            self.left.repeats = self.left.repeats.checked_sub(1)?;
        }
        let id = self.propose(node, Command::Intent { serial, key, supersedes })?;
        self.node(node)?.act = Some(Act { key, stage: Stage::Intent(id, serial) });
        Some(())
    }

    fn propose(&mut self, node: u8, command: Command) -> Option<Id> {
        let inside = self.node(node)?;
        let id = Id { node, boot: inside.boot, counter: inside.counter };
        inside.counter = inside.counter.checked_add(1)?;
        self.flight.push(Entry { id, command });
        self.flight.sort_unstable();
        Some(id)
    }

    fn commit(&mut self, entry: Entry, stays: Stays) -> Option<()> {
        match stays {
            Stays::No => self.land(entry),
            Stays::Yes => self.left.duplicates = self.left.duplicates.checked_sub(1)?,
        }
        self.log.push(entry);
        Some(())
    }

    fn land(&mut self, entry: Entry) {
        if let Some(at) = self.flight.iter().position(|other| *other == entry) {
            self.flight.remove(at);
        }
    }

    fn release(&mut self, key: Option<u8>, serial: u8) {
        self.released.push((key, serial));
        self.released.sort_unstable();
    }
}

impl Bounds {
    const NOTHING: Self = Self {
        keyed: 0,
        unkeyed: 0,
        repeats: 0,
        supersessions: 0,
        restarts: 0,
        elections: 0,
        losses: 0,
        duplicates: 0,
        resignations: 0,
        abandons: 0,
        revocations: 0,
        refreshes: 0,
    };

    /// More than a million states, in less than two minutes on two cores: all of it at once would be too many, so
    /// each of these looks at some of it.
    pub const FULL: [Self; 5] = [
        // One key on two nodes, an attempt that replaces the other, entries that come twice, a revocation.
        Self { keyed: 2, supersessions: 1, duplicates: 1, revocations: 1, ..Self::NOTHING },
        // The same, and a node that stops and starts.
        Self { keyed: 2, supersessions: 1, restarts: 1, ..Self::NOTHING },
        // Everything that can happen to one certificate on its way.
        Self {
            keyed: 1,
            restarts: 1,
            elections: 1,
            losses: 1,
            resignations: 1,
            abandons: 1,
            ..Self::NOTHING
        },
        // Its status, on nodes that stop and start and are behind.
        Self { keyed: 1, restarts: 1, revocations: 1, refreshes: 2, ..Self::NOTHING },
        // A serial that is drawn twice.
        Self { unkeyed: 2, repeats: 1, abandons: 1, ..Self::NOTHING },
    ];

    /// For a test: some of it, in seconds without optimisation.
    pub const SMALL: Self = Self { keyed: 1, restarts: 1, abandons: 1, ..Self::NOTHING };

    /// What a rule needs to be missed: nothing else happens.
    #[must_use]
    pub fn to_miss(rule: Rule) -> Self {
        let none = Self::NOTHING;
        match rule {
            Rule::SerialTaken => Self { unkeyed: 2, repeats: 1, ..none },
            Rule::ReleaseAfterRecord | Rule::SignAfterIntent => Self { unkeyed: 1, ..none },
            Rule::AbandonedStays | Rule::RecordedStays => Self { unkeyed: 1, abandons: 1, ..none },
            Rule::KeyIsRemembered | Rule::OpenAttemptHolds => Self { keyed: 2, ..none },
            Rule::PermitForWaiter => Self { unkeyed: 1, restarts: 1, ..none },
            Rule::AsOfIsApplied => Self { unkeyed: 1, revocations: 1, refreshes: 2, ..none },
            Rule::AnswersAfterReplay => {
                Self { unkeyed: 1, restarts: 1, revocations: 1, refreshes: 2, ..none }
            }
        }
    }
}
