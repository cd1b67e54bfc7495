//! A run: one seed, one history of a cluster with everything that goes wrong in it.
//!
//! ```text
//!  seed ─▶ plan (what clients do, what goes wrong, when) ─▶ storm ─▶ heal ─▶ liveness ─▶ checks
//!                                                             │
//!                            each round: time, log, faults, clients, chores, one poll of each act
//! ```
//!
//! Nothing but the seed and the list of faults decides what happens, and taking a fault out leaves the plan of the
//! others and of the clients as it is: that is what makes a failure small ([`crate::shrink`]).

mod calm;
mod chores;
mod clients;
mod faults;
mod over_raft;
mod plan;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use ca_core::ids::{Digest, NodeId};

pub use self::faults::Fault;
pub use self::plan::{FaultKind, Level, Plan, Planned};
use crate::dice::Dice;
use crate::drive::Act;
use crate::world::World;

/// Rounds in which things go wrong.
const STORM_ROUNDS: u64 = 500;

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What was below the authorities.
    pub level: Level,
    /// SHA-256 over everything that happened, in order.
    pub digest: Digest,
    /// The faults that were planned and came to something.
    pub fired: BTreeSet<FaultKind>,
    /// How many operations were acknowledged to clients.
    pub acknowledged: usize,
    /// What broke, if anything did.
    pub failure: Option<String>,
    /// Everything that happened, a line each.
    pub story: Vec<String>,
}

impl Report {
    /// The promise or rule that broke: `I7`, or the first words of what went wrong otherwise.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        let why = self.failure.as_deref()?;
        let number = why.split([':', ' ', '(', ')']).find(|part| is_number(part));
        number.or_else(|| why.split(':').next())
    }
}

/// Runs a seed with all its faults.
#[must_use]
pub fn run(seed: u64, level: Level) -> Report {
    run_with(seed, &Plan::of(seed, level))
}

/// Runs a seed with another list of faults than it planned. A promise that breaks ends the run.
#[must_use]
pub fn run_with(seed: u64, plan: &Plan) -> Report {
    let mut running = None;
    // The ceremony can fail too.
    let failure = failure_of(|| running = Some(Running::of(seed, plan)));
    let Some(mut running) = running else {
        let digest = Digest::of(&[]);
        let (fired, story) = (BTreeSet::new(), Vec::new());
        return Report { seed, level: plan.level, digest, fired, acknowledged: 0, failure, story };
    };
    let failure = failure_of(|| running.live_through(plan)).map(|why| {
        // What stops a run is often a consequence: the checks say which promise it began with.
        let checked = failure_of(|| drop(running.world.check()));
        checked.filter(|why| why.split([':', ' ', '(', ')']).any(is_number)).unwrap_or(why)
    });
    if let Some(why) = &failure {
        running.tell(&format!("BROKEN {why}"));
    }
    running.report(seed, plan.level, failure)
}

/// What an act that panics says.
fn failure_of(act: impl FnOnce()) -> Option<String> {
    let why = catch_unwind(AssertUnwindSafe(act)).err()?;
    Some(why_it_panicked(&*why))
}

/// The words of a panic.
pub(crate) fn why_it_panicked(why: &dyn Any) -> String {
    let text = why.downcast_ref::<String>().cloned();
    text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Whether this is the number of a promise or a rule: `I7`, `R12`.
fn is_number(part: &str) -> bool {
    let digits = part.strip_prefix(['I', 'R']).unwrap_or_default();
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
}

/// A cluster in its storm.
struct Running {
    world: World,
    dice: Dice,
    round: u64,
    acts: Vec<Task>,
    clients: clients::Clients,
    /// The round in which each node does each chore next.
    chores_due: BTreeMap<(u64, chores::Chore), u64>,
    faults: faults::Weather,
    story: Vec<String>,
}

/// An act of one run of one node.
struct Task {
    node: u64,
    errand: Errand,
    act: Act<String>,
}

/// Whose act it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Errand {
    /// A client's, by its number.
    Client(usize),
    /// A node's own.
    Chore(chores::Chore),
    /// Nobody's any more: the client hung up.
    Nobodys,
}

impl Running {
    fn of(seed: u64, plan: &Plan) -> Self {
        let world = match plan.level {
            Level::One => World::bootstrapped(plan.nodes),
            Level::Two => World::bootstrapped_over_raft(plan.nodes, seed),
        };
        if plan.level == Level::One {
            world.storm().take_time(Dice::of(seed, "log"));
        }
        world.make_sleepers_wait();
        Self {
            world,
            dice: Dice::of(seed, "run"),
            round: 0,
            acts: Vec::new(),
            clients: clients::Clients::default(),
            chores_due: BTreeMap::new(),
            faults: faults::Weather::default(),
            story: Vec::new(),
        }
    }

    fn tell(&mut self, what: &str) {
        self.story.push(format!("{:>5} {} {what}", self.round, self.world.now().0));
    }

    fn live_through(&mut self, plan: &Plan) {
        while self.round < STORM_ROUNDS {
            self.begin_faults(plan);
            self.begin_operations(plan);
            self.turn();
        }
        self.heal();
        self.liveness();
        let history = self.world.check();
        crate::checks::nothing_is_open(&history);
        self.tell(&format!("end {} entries", self.world.committed()));
    }

    /// One round: everything moves a little.
    fn turn(&mut self) {
        self.round = self.round.saturating_add(1);
        if self.world.cluster().is_none() {
            self.world.wait_ms(self.dice.between(1, 30));
        }
        self.end_faults();
        self.hang_up();
        self.ask_again();
        self.begin_chores();
        let before = self.world.committed();
        match self.world.cluster() {
            None => self.world.storm().step(),
            // An election takes a second and more: so many rounds that it can happen, and so few that time is short.
            Some(cluster) => cluster.run_for(self.dice.between(1, 80)),
        }
        let after = self.world.committed();
        if before != after {
            self.tell(&format!("committed {after}"));
        }
        self.poll();
    }

    /// Polls each act once, in an order that the dice decide.
    fn poll(&mut self) {
        let mut acts = std::mem::take(&mut self.acts);
        self.dice.shuffle(&mut acts);
        for mut task in acts {
            match task.act.step() {
                None => self.acts.push(task),
                Some(came_to) => self.end(task.node, task.errand, &came_to),
            }
        }
    }

    fn end(&mut self, node: u64, errand: Errand, came_to: &str) {
        self.tell(&format!("node {node} {errand:?}: {came_to}"));
        if let Errand::Client(number) = errand {
            self.answered(number, node, came_to);
        }
    }

    fn begin(&mut self, node: u64, errand: Errand, act: impl Future<Output = String> + 'static) {
        self.acts.push(Task { node, errand, act: self.world.begin(node, act) });
    }

    /// The process of this node ends: whatever it was at.
    fn drop_acts_of(&mut self, node: u64) {
        let (gone, left) = std::mem::take(&mut self.acts).into_iter().partition(|task| task.node == node);
        self.acts = left;
        let gone: Vec<Task> = gone;
        for Task { errand, .. } in gone {
            if let Errand::Client(number) = errand {
                self.answered(number, node, "the connection broke");
            }
        }
    }

    fn is_up(&self, node: u64) -> bool {
        !self.faults.is_down(node) && self.world.running(node).is_some()
    }

    fn report(self, seed: u64, level: Level, failure: Option<String>) -> Report {
        let mut story = self.story;
        let released = self.world.all_released();
        let acknowledged = released.len().saturating_add(self.world.all_acknowledged().len());
        for entry in released {
            let (serial, der) = (entry.issued.serial, Digest::of(&entry.issued.certificate));
            story.push(format!("released {serial} {der} by node {} at {}", entry.node, entry.committed));
        }
        let digest = Digest::of(story.join("\n").as_bytes());
        Report { seed, level, digest, fired: self.faults.fired, acknowledged, failure, story }
    }

    fn leader(&self) -> u64 {
        let NodeId(leader) = self.world.storm().leader();
        leader
    }
}
