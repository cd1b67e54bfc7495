//! The issuance cycle as a model: every interleaving within bounds, where the simulator looks at some.
//!
//! The model is small and not the real code: it has the rules alone, and each of them can be taken out to see which
//! promise falls. What it says of the real code is what the simulator then checks on the real code.
//!
//! ```text
//!  client ─▶ node: draft ─▶ in flight ─▶ log (committed) ─▶ applied by each node in its own time
//!               ▲                                                │
//!               └── permit ─▶ signature ─▶ record in flight ◀────┘ to whoever waits, in this boot
//! ```
//!
//! A moment is a length of the log: time adds nothing to what an ordered log decides. An intent may be found too
//! old at any moment, which covers every clock.

mod actions;
mod properties;
mod register;

use stateright::{Checker as _, HasDiscoveries, Model as _};

pub use self::actions::Action;
pub use self::register::{Command, Entry, Id};
use self::register::{Events, Register};

/// Nodes of the model.
pub const NODES: usize = 3;

/// A rule of the cycle. A model without one is there to break a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// `apply` refuses an intent whose serial is taken (I1).
    SerialTaken,
    /// What is released was recorded before, as applied here (I3).
    ReleaseAfterRecord,
    /// What is signed was committed before, as applied here (I4).
    SignAfterIntent,
    /// `apply` refuses the record of an abandoned intent (I5).
    AbandonedStays,
    /// `apply` refuses to abandon what is recorded (I5).
    RecordedStays,
    /// `apply` answers a retry with the certificate that its key already has (R6, I7).
    KeyIsRemembered,
    /// `apply` refuses a second intent under a key while the first is open (R6, I7).
    OpenAttemptHolds,
    /// A permit is born for a waiter only (R7).
    PermitForWaiter,
    /// as_of counts once the node has applied what the quorum had committed (R9, I10).
    AsOfIsApplied,
    /// A node that makes its register from its log again answers nothing before it is there (I24, I10).
    AnswersAfterReplay,
}

impl Rule {
    /// Every rule, with the property that falls without it.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::SerialTaken, properties::I1),
        (Self::ReleaseAfterRecord, properties::I3),
        (Self::SignAfterIntent, properties::I4),
        (Self::AbandonedStays, properties::I5),
        (Self::RecordedStays, properties::I5),
        (Self::KeyIsRemembered, properties::I7),
        (Self::OpenAttemptHolds, properties::I7),
        (Self::PermitForWaiter, properties::R7),
        (Self::AsOfIsApplied, properties::I10),
        (Self::AnswersAfterReplay, properties::I10),
    ];
}

/// How often each thing may happen: what makes the number of states finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Requests under the one idempotency key, each on any node.
    pub keyed: u8,
    /// Requests without a key.
    pub unkeyed: u8,
    /// Drafts that draw a serial which was drawn before.
    pub repeats: u8,
    /// Attempts that replace an open one.
    pub supersessions: u8,
    /// Nodes that stop and start.
    pub restarts: u8,
    /// Changes of leader.
    pub elections: u8,
    /// Commands that never reach the log.
    pub losses: u8,
    /// Commands that are logged and stay in flight.
    pub duplicates: u8,
    /// Callers that stop waiting.
    pub resignations: u8,
    /// Proposals to abandon.
    pub abandons: u8,
    /// Proposals to revoke.
    pub revocations: u8,
    /// Questions to a quorum: how current is this node?
    pub refreshes: u8,
}

/// The model that is explored.
#[derive(Clone, Debug)]
pub struct Cycle {
    bounds: Bounds,
    without: Option<Rule>,
}

/// One state of the whole cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// What is committed.
    log: Vec<Entry>,
    /// Given to a leader and not committed; sorted, for the order is decided by the log.
    flight: Vec<Entry>,
    nodes: [Node; NODES],
    leader: u8,
    /// Serials drawn so far: they are counted.
    drawn: u8,
    /// Every signature: the serial, and the intent that was signed.
    signed: Vec<(u8, Id)>,
    /// Every certificate that a client has: its key and serial.
    released: Vec<(Option<u8>, u8)>,
    left: Bounds,
}

/// One node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Node {
    boot: u8,
    counter: u8,
    applied: u8,
    /// How far its own log goes that it applies again after a start.
    replays_to: u8,
    /// The length of the log that this node knows to have applied, when a quorum was asked.
    as_of: u8,
    act: Option<Act>,
}

/// An issuance under way on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Act {
    key: Option<u8>,
    stage: Stage,
}

/// How far an issuance came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// Its intent is on the way.
    Intent(Id, u8),
    /// Another attempt under its key is open: this serial.
    Waits(u8),
    /// It may sign this intent.
    Permit(Id, u8),
    /// It has signed.
    Signature(u8),
    /// Its record is on the way.
    Record(Id, u8),
}

impl State {
    fn first(bounds: Bounds) -> Self {
        let node = Node { boot: 0, counter: 0, applied: 0, replays_to: 0, as_of: 0, act: None };
        Self {
            log: Vec::new(),
            flight: Vec::new(),
            nodes: [node; NODES],
            leader: 0,
            drawn: 0,
            signed: Vec::new(),
            released: Vec::new(),
            left: bounds,
        }
    }
}

impl Cycle {
    /// The cycle with all its rules.
    #[must_use]
    pub fn within(bounds: Bounds) -> Self {
        Self { bounds, without: None }
    }

    /// The cycle without one of its rules.
    #[must_use]
    pub fn without(rule: Rule, bounds: Bounds) -> Self {
        Self { bounds, without: Some(rule) }
    }

    fn keeps(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// The register after the first `count` entries, and what came to pass on the way.
    fn register(&self, state: &State, count: usize) -> (Register, Events) {
        let (mut register, mut events) = (Register::default(), Events::default());
        for (place, entry) in state.log.iter().take(count).enumerate() {
            register.apply(self, place, *entry, &mut events);
        }
        (register, events)
    }
}

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Explored {
    /// Distinct states.
    pub states: usize,
    /// The longest history, in steps.
    pub depth: usize,
    /// Promises that are broken, each with the shortest history that was found.
    pub broken: Vec<(&'static str, Vec<Action>)>,
    /// Situations that never arose: then the bounds are too narrow to mean anything.
    pub never: Vec<&'static str>,
}

/// Explores the model on this many threads: to its end, or until a promise breaks.
#[must_use]
pub fn explore(model: Cycle, threads: usize) -> Explored {
    let checker =
        model.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let found = checker.discoveries();
    let mut explored = Explored {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        broken: Vec::new(),
        never: Vec::new(),
    };
    for property in checker.model().properties() {
        match (found.get(property.name), property.expectation) {
            (Some(path), stateright::Expectation::Always) => {
                explored.broken.push((property.name, path.clone().into_actions()));
            }
            (None, stateright::Expectation::Sometimes) => explored.never.push(property.name),
            _ => {}
        }
    }
    explored
}

#[cfg(test)]
mod tests;
