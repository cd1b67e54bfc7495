//! What goes wrong, for how long, and how it ends.

use std::collections::{BTreeMap, BTreeSet};

use ca_core::ids::NodeId;

use super::Running;
use super::over_raft::Links;
use super::plan::{FaultKind, Plan};
use crate::log::{Fault as OnTheWay, Kept, Link};
use crate::token::TokenMode;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A node's process ends, and begins again with what its disk kept.
    Crash {
        /// The node.
        node: u64,
        /// What it finds.
        kept: Kept,
    },
    /// All nodes lose power at once.
    PowerLoss,
    /// These nodes are cut off from the others, and know it.
    CutOff {
        /// Which.
        nodes: Vec<u64>,
    },
    /// The leader is cut off and does not know.
    Deposed,
    /// A node is heard but applies nothing.
    Lagging {
        /// The node.
        node: u64,
    },
    /// Another node leads.
    Election,
    /// What becomes of a node's next commands.
    Appends {
        /// The node.
        node: u64,
        /// In order.
        faults: Vec<OnTheWay>,
    },
    /// A node's token misbehaves.
    Token {
        /// The node.
        node: u64,
        /// How.
        mode: TokenMode,
    },
    /// A node's clock steps to another error, and back at the end.
    Clock {
        /// The node.
        node: u64,
        /// How far off.
        error_ms: i64,
    },
    /// A node applies nothing, and then gets a snapshot of what it missed.
    Snapshot {
        /// The node.
        node: u64,
    },
    /// A node's random source gives its last octets again.
    Entropy {
        /// The node.
        node: u64,
    },
    /// Time goes by.
    Pause {
        /// How much.
        ms: u64,
    },
    /// Links between two nodes are cut, each for itself: majorities overlap.
    Links {
        /// Which.
        cut: Vec<(u64, u64)>,
    },
    /// A node hears the others and is not heard, or the other way round.
    OneWay {
        /// The node.
        node: u64,
        /// Whether it hears.
        hears: bool,
    },
    /// What travels between these nodes and the others waits, and then comes all at once.
    HeldBack {
        /// Which.
        nodes: Vec<u64>,
    },
    /// All links are slow.
    SlowLinks {
        /// At most so slow.
        ms: u64,
    },
    /// A node's disk takes long to sync.
    SlowDisk {
        /// The node.
        node: u64,
        /// How long.
        ms: u64,
    },
}

/// The faults of the moment.
#[derive(Debug, Default)]
pub(super) struct Weather {
    /// Until which round each lasts.
    lasting: Vec<(u64, Fault)>,
    /// Nodes whose process does not run, and what they will find.
    pub(super) down: BTreeMap<u64, Kept>,
    /// Level 2: whom [`Fault::Deposed`] cut off.
    pub(super) deposed: Option<u64>,
    /// Level 2: the links as they are.
    pub(super) links: Links,
    pub(super) fired: BTreeSet<FaultKind>,
}

impl Weather {
    pub(super) fn is_down(&self, node: u64) -> bool {
        self.down.contains_key(&node)
    }

    pub(super) fn now(&self) -> impl Iterator<Item = &Fault> {
        self.lasting.iter().map(|(_, fault)| fault)
    }
}

impl Running {
    pub(super) fn begin_faults(&mut self, plan: &Plan) {
        let round = self.round;
        for planned in plan.faults.iter().filter(|planned| planned.round == round) {
            self.tell(&format!("{:?} until round {}", planned.fault, planned.until));
            self.begin_fault(&planned.fault);
            self.faults.lasting.push((planned.until, planned.fault.clone()));
        }
        self.relink();
    }

    pub(super) fn end_faults(&mut self) {
        let round = self.round;
        let lasting = std::mem::take(&mut self.faults.lasting);
        let (over, lasting) = lasting.into_iter().partition(|(until, _)| *until <= round);
        self.faults.lasting = lasting;
        let over: Vec<(u64, Fault)> = over;
        over.into_iter().for_each(|(_, fault)| self.end_fault(&fault));
        self.relink();
    }

    pub(super) fn end_all_faults(&mut self) {
        let lasting = std::mem::take(&mut self.faults.lasting);
        lasting.into_iter().for_each(|(_, fault)| self.end_fault(&fault));
        self.relink();
        if self.world.cluster().is_some() {
            return;
        }
        for node in self.world.nodes() {
            self.world.storm().set_faults(NodeId(node), &[]);
        }
        self.world.storm().release_held();
    }

    fn begin_fault(&mut self, fault: &Fault) {
        let fired = self.begin_on_a_node(fault).or_else(|| match self.world.cluster() {
            Some(_) => self.begin_around_raft(fault),
            None => self.begin_in_the_log(fault),
        });
        self.faults.fired.extend(fired);
    }

    /// What is the same on both levels.
    fn begin_on_a_node(&mut self, fault: &Fault) -> Option<FaultKind> {
        match *fault {
            Fault::Token { node, mode } => {
                self.world.token_mode(node, mode);
                of_token(mode)
            }
            Fault::Clock { node, error_ms } => {
                self.world.set_clock_error(node, error_ms);
                Some(FaultKind::Clock)
            }
            Fault::Entropy { node } => {
                self.world.repeat_entropy(node);
                Some(FaultKind::Entropy)
            }
            _ => None,
        }
    }

    fn begin_in_the_log(&mut self, fault: &Fault) -> Option<FaultKind> {
        match *fault {
            Fault::Crash { node, kept } => self.crash(node, kept),
            Fault::PowerLoss => self.lose_power(),
            Fault::CutOff { ref nodes } => {
                nodes.iter().for_each(|node| self.link(*node, Link::CutOff));
                Some(FaultKind::CutOff)
            }
            Fault::Deposed => {
                self.link(self.leader(), Link::Deposed);
                Some(FaultKind::Deposed)
            }
            Fault::Lagging { node } => {
                self.link(node, Link::Lagging);
                Some(FaultKind::Lagging)
            }
            Fault::Snapshot { node } => {
                self.link(node, Link::Lagging);
                None
            }
            Fault::Election => {
                self.world.storm().change_leader();
                Some(FaultKind::Election)
            }
            Fault::Appends { node, ref faults } => {
                self.world.storm().set_faults(NodeId(node), faults);
                self.faults.fired.extend(faults.iter().filter_map(|fault| on_the_way(*fault)));
                None
            }
            Fault::Pause { ms } => {
                self.world.wait_ms(ms);
                Some(FaultKind::Pause)
            }
            _ => None,
        }
    }

    fn end_fault(&mut self, fault: &Fault) {
        match *fault {
            Fault::Token { node, .. } => self.world.token_mode(node, TokenMode::Works),
            Fault::Clock { node, .. } => self.world.set_clock_error(node, 0),
            _ if self.world.cluster().is_some() => self.end_around_raft(fault),
            Fault::Crash { node, .. } => self.start(node),
            Fault::PowerLoss => self.world.nodes().for_each(|node| self.start(node)),
            Fault::CutOff { ref nodes } => nodes.iter().for_each(|node| self.link(*node, Link::Up)),
            Fault::Deposed => {
                let deposed = |node: &u64| self.world.storm().link(NodeId(*node)) == Link::Deposed;
                let nodes: Vec<u64> = self.world.nodes().filter(deposed).collect();
                nodes.into_iter().for_each(|node| self.link(node, Link::Up));
            }
            Fault::Lagging { node } => self.link(node, Link::Up),
            Fault::Appends { .. } => self.world.storm().release_held(),
            Fault::Snapshot { node } => {
                self.link(node, Link::Up);
                let installed = self.world.storm().install_snapshot(NodeId(node));
                self.faults.fired.extend(installed.then_some(FaultKind::Snapshot));
            }
            _ => {}
        }
    }

    /// A node that is down is not connected, whatever else is said of it.
    fn link(&mut self, node: u64, link: Link) {
        let link = if self.faults.is_down(node) { Link::CutOff } else { link };
        self.world.link(node, link);
    }

    fn crash(&mut self, node: u64, kept: Kept) -> Option<FaultKind> {
        // One disk at a time: a promise about a majority's disks says nothing once a majority lost theirs.
        let disk_lost = self.faults.down.values().any(|other| *other == Kept::Nothing);
        if self.faults.is_down(node) || (kept == Kept::Nothing && disk_lost) {
            return None;
        }
        self.faults.down.insert(node, kept);
        self.drop_acts_of(node);
        self.world.link(node, Link::CutOff);
        Some(if kept == Kept::Nothing { FaultKind::DiskLost } else { FaultKind::Crash })
    }

    fn lose_power(&mut self) -> Option<FaultKind> {
        for node in self.world.nodes() {
            self.crash(node, Kept::LogOnly);
        }
        self.world.storm().lose_power();
        Some(FaultKind::PowerLoss)
    }

    fn start(&mut self, node: u64) {
        if let Some(kept) = self.faults.down.remove(&node) {
            self.world.restart(node, kept);
            self.world.link(node, Link::Up);
            self.tell(&format!("node {node} starts"));
        }
    }
}

fn on_the_way(fault: OnTheWay) -> Option<FaultKind> {
    match fault {
        OnTheWay::None => None,
        OnTheWay::NotAppended => Some(FaultKind::NotAppended),
        OnTheWay::Lost => Some(FaultKind::Lost),
        OnTheWay::ReplyLost => Some(FaultKind::ReplyLost),
        OnTheWay::Duplicate => Some(FaultKind::Duplicate),
        OnTheWay::Held => Some(FaultKind::Held),
    }
}

fn of_token(mode: TokenMode) -> Option<FaultKind> {
    match mode {
        TokenMode::Works => None,
        TokenMode::Hangs => Some(FaultKind::TokenHangs),
        TokenMode::Gone => Some(FaultKind::TokenGone),
        TokenMode::FlipsBits => Some(FaultKind::TokenFlipsBits),
        TokenMode::SignsWithAnotherKey => Some(FaultKind::TokenConfusesKeys),
    }
}
