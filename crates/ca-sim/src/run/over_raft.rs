//! What goes wrong around real nodes: links, processes, disks.

use std::collections::BTreeMap;

use ca_core::ids::NodeId;

use super::faults::Fault;
use super::plan::FaultKind;
use super::{Errand, Running};
use crate::cluster::{Power, Way};
use crate::log::Kept;

/// How each link that is not as it should be is now.
pub(super) type Links = BTreeMap<(u64, u64), Way>;

impl Running {
    pub(super) fn begin_around_raft(&mut self, fault: &Fault) -> Option<FaultKind> {
        match *fault {
            Fault::Crash { node, kept } => self.kill(node, kept),
            Fault::PowerLoss => {
                let killed: Vec<_> =
                    self.world.nodes().filter_map(|node| self.kill(node, Kept::LogOnly)).collect();
                (!killed.is_empty()).then_some(FaultKind::PowerLoss)
            }
            Fault::Election => {
                let leader = self.world.nodes().find(|node| self.is_up(*node) && self.world.leads(*node))?;
                let handing = self.world.cluster()?.hand_over(NodeId(leader))?;
                self.acts.push(super::Task { node: leader, errand: Errand::Nobodys, act: handing });
                Some(FaultKind::Election)
            }
            Fault::SlowDisk { node, ms } => {
                self.world.cluster()?.sync_takes(NodeId(node), ms);
                Some(FaultKind::SlowDisk)
            }
            Fault::CutOff { .. } => Some(FaultKind::CutOff),
            Fault::Deposed => {
                let leader = self.world.nodes().find(|node| self.is_up(*node) && self.world.leads(*node))?;
                self.faults.deposed = Some(leader);
                Some(FaultKind::Deposed)
            }
            Fault::Links { .. } => Some(FaultKind::Links),
            Fault::OneWay { .. } => Some(FaultKind::OneWay),
            Fault::HeldBack { .. } => Some(FaultKind::HeldBack),
            Fault::SlowLinks { .. } => Some(FaultKind::SlowLinks),
            _ => None,
        }
    }

    pub(super) fn end_around_raft(&mut self, fault: &Fault) {
        match *fault {
            Fault::Crash { node, .. } => self.revive(node),
            Fault::PowerLoss => self.world.nodes().for_each(|node| self.revive(node)),
            Fault::SlowDisk { node, .. } => {
                if let Some(cluster) = self.world.cluster() {
                    cluster.sync_takes(NodeId(node), 1);
                }
            }
            Fault::Deposed => self.faults.deposed = None,
            _ => {}
        }
    }

    /// Every link becomes what the faults of the moment make of it.
    pub(super) fn relink(&mut self) {
        let Some(cluster) = self.world.cluster() else { return };
        let mut wanted = Links::new();
        for fault in self.faults.now() {
            for (from, to, way) in self.ways(fault) {
                worsen(&mut wanted, from, to, way);
            }
        }
        let nodes: Vec<u64> = self.world.nodes().collect();
        for (place, a) in nodes.iter().enumerate() {
            for b in nodes.iter().skip(place.saturating_add(1)) {
                let state = |links: &Links| (links.get(&(*a, *b)).copied(), links.get(&(*b, *a)).copied());
                if state(&wanted) == state(&self.faults.links) {
                    continue;
                }
                let (a, b) = (NodeId(*a), NodeId(*b));
                cluster.set_link(a, b, Way::Good);
                match state(&wanted) {
                    (None, None) => {}
                    (Some(Way::HalfCut), Some(Way::HalfCut)) => cluster.set_link(a, b, Way::Cut),
                    (Some(Way::HalfCut), _) => cluster.set_link(a, b, Way::HalfCut),
                    (_, Some(Way::HalfCut)) => cluster.set_link(b, a, Way::HalfCut),
                    (Some(way), _) | (None, Some(way)) => cluster.set_link(a, b, way),
                }
            }
        }
        self.faults.links = wanted;
    }

    /// What a fault makes of which links; both directions, unless it is one-way.
    fn ways(&self, fault: &Fault) -> Vec<(u64, u64, Way)> {
        let nodes: Vec<u64> = self.world.nodes().collect();
        let across = |some: &[u64], way| {
            let inside = nodes.iter().filter(|node| some.contains(node));
            let pairs = inside.flat_map(|a| {
                nodes.iter().filter(|node| !some.contains(node)).flat_map(|b| [(*a, *b, way), (*b, *a, way)])
            });
            pairs.collect::<Vec<_>>()
        };
        match fault {
            Fault::CutOff { nodes } => across(nodes, Way::Cut),
            Fault::Deposed => self.faults.deposed.map(|node| across(&[node], Way::Cut)).unwrap_or_default(),
            Fault::HeldBack { nodes } => across(nodes, Way::Held),
            Fault::Links { cut } => {
                cut.iter().flat_map(|(a, b)| [(*a, *b, Way::Cut), (*b, *a, Way::Cut)]).collect()
            }
            Fault::OneWay { node, hears } => {
                let others = nodes.iter().filter(|other| *other != node);
                let way = |other: &u64| if *hears { (*node, *other) } else { (*other, *node) };
                others.map(way).map(|(from, to)| (from, to, Way::HalfCut)).collect()
            }
            Fault::SlowLinks { ms } => {
                let pairs = nodes.iter().flat_map(|a| nodes.iter().map(move |b| (*a, *b)));
                pairs.filter(|(a, b)| a != b).map(|(a, b)| (a, b, Way::Slow(*ms))).collect()
            }
            _ => Vec::new(),
        }
    }

    fn kill(&mut self, node: u64, kept: Kept) -> Option<FaultKind> {
        if self.faults.is_down(node) {
            return None;
        }
        self.faults.down.insert(node, kept);
        self.drop_acts_of(node);
        let power = if kept == Kept::All { Power::Kept } else { Power::Lost };
        self.world.cluster()?.crash(NodeId(node), power);
        Some(if power == Power::Kept { FaultKind::Crash } else { FaultKind::Unsynced })
    }

    fn revive(&mut self, node: u64) {
        if self.faults.down.remove(&node).is_some() {
            if let Some(cluster) = self.world.cluster() {
                cluster.start(NodeId(node));
            }
            self.tell(&format!("node {node} starts"));
        }
    }
}

/// Of two faults of one link the worse one counts.
fn worsen(links: &mut Links, from: u64, to: u64, way: Way) {
    let rank = |way: Way| match way {
        Way::Good => 0,
        Way::Slow(_) => 1,
        Way::Held => 2,
        Way::HalfCut => 3,
        Way::Cut => 4,
    };
    let now = links.entry((from, to)).or_insert(way);
    if rank(way) > rank(*now) {
        *now = way;
    }
}
