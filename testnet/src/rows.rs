//! What is broken, one row each, and what must still hold.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use benches::failover::{all_ready, leader};
use scripts::apart;
use scripts::cluster::{Cluster, Signal, send};
use scripts::limits::STOP_MAX;
use scripts::poll::{Look, until};

use crate::audit::audit;
use crate::checks::broken;
use crate::dice::Dice;
use crate::disks;
use crate::history::{Asked, Operation, Said};
use crate::limits::{
    FAULT_HOLDS, FLAP_HOLDS, FLAPS, GIVEN_UP_AFTER, HEALED_WITHIN, ISOLATION_HOLDS, REFUSED_WITHIN,
};
use crate::workload::Workload;

/// One kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name, which everybody uses.
    pub name: &'static str,
    /// What is broken.
    pub about: &'static str,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    KillLeader,
    KillFollower,
    KillAll,
    PauseLeader,
    PauseMajority,
    IsolateLeader,
    HalfIsolateLeader,
    FlapLeader,
    HideLeader,
    FailSync,
    WipeDisk,
    Restart,
    Any,
}

/// Every row.
pub const ROWS: [Row; 13] = [
    Row { name: "P1", about: "kill -9 of the leader", fault: Fault::KillLeader },
    Row { name: "P2", about: "kill -9 of a follower", fault: Fault::KillFollower },
    Row { name: "P3", about: "kill -9 of all at one instant", fault: Fault::KillAll },
    Row {
        name: "P4",
        about: "the leader stands still (SIGSTOP) for ten election time-outs",
        fault: Fault::PauseLeader,
    },
    Row { name: "P5", about: "two of three stand still", fault: Fault::PauseMajority },
    Row {
        name: "N1",
        about: "the leader is cut off from its peers for 20 s; clients reach it",
        fault: Fault::IsolateLeader,
    },
    Row {
        name: "N4",
        about: "one direction between the leader and its peers is cut, as the seed says which",
        fault: Fault::HalfIsolateLeader,
    },
    Row {
        name: "N7",
        about: "the leader's links are cut for 1 s and whole for 1 s, ten times",
        fault: Fault::FlapLeader,
    },
    Row { name: "N9", about: "no client reaches the leader; its peers do", fault: Fault::HideLeader },
    Row { name: "D5", about: "fsync fails once with EIO (strace)", fault: Fault::FailSync },
    Row { name: "D9", about: "a wiped disk under its old id", fault: Fault::WipeDisk },
    Row {
        name: "U1",
        about: "SIGTERM and start again, the leader or a follower as the seed says",
        fault: Fault::Restart,
    },
    Row { name: "X1", about: "any of P1 to P5, as the seed says", fault: Fault::Any },
];

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// Operations that were acknowledged, and all.
    pub acknowledged: usize,
    /// See [`Ended::acknowledged`].
    pub asked: usize,
    /// From each fault to the end of the first certificate after it.
    pub gaps: Vec<Duration>,
    /// From the mending of each fault until all nodes took writes again.
    pub healed: Vec<Duration>,
    /// What was broken.
    pub broken: Vec<String>,
}

/// When a fault was there.
#[derive(Clone, Debug)]
struct Window {
    fault: Fault,
    from: Duration,
    to: Duration,
    /// Who stood still, was gone, or cut off.
    nodes: Vec<usize>,
    /// What the fault itself has shown to be wrong.
    broken: Vec<String>,
}

impl Row {
    /// Whether every node needs a network of its own ([`scripts::apart`]).
    #[must_use]
    pub fn is_apart(&self) -> bool {
        matches!(self.fault, Fault::IsolateLeader | Fault::HalfIsolateLeader | Fault::FlapLeader)
    }

    /// Starts nothing but the load: breaks so many times, lets so many operations through, and looks at everything.
    ///
    /// # Errors
    /// The harness itself: then nothing is known of the promises.
    pub fn run(
        &self,
        cluster: &mut Cluster,
        seed: u64,
        faults: usize,
        wanted: usize,
        said: &mut dyn FnMut(&str),
    ) -> Result<Ended> {
        let mut dice = Dice::new(seed, u64::MAX);
        let load = Workload::start(cluster, seed)?;
        let (mut windows, mut healed) = (Vec::new(), Vec::new());
        for number in 1..=faults {
            let due = wanted.saturating_mul(number).checked_div(faults.saturating_add(1)).unwrap_or(wanted);
            acknowledged(&load, due)?;
            let window = self.fault.happen(cluster, &load, &mut dice)?;
            if !window.broken.is_empty() {
                // A cluster with such a node in it may never heal, and that would be told in the place of this.
                let acknowledged = load.acknowledged();
                load.abandon();
                return Ok(Ended { acknowledged, broken: window.broken, ..Ended::default() });
            }
            let mended = load.now();
            all_ready(cluster)?;
            let took = load.now().saturating_sub(mended);
            ensure!(took <= HEALED_WITHIN, "not healed within {HEALED_WITHIN:?}: {took:?}");
            said(&format!("fault {number}: {window:?}, healed after {took:?}"));
            windows.push(window);
            healed.push(took);
        }
        acknowledged(&load, wanted)?;
        let history = load.stop()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut found = broken(&history)?;
        found.extend(runtime.block_on(audit(cluster, &history))?);
        found.extend(windows.iter().flat_map(|window| window.minority(&history, cluster.nodes.len())));
        Ok(Ended {
            acknowledged: history.iter().filter(|operation| operation.is_acknowledged()).count(),
            asked: history.len(),
            gaps: windows.iter().filter_map(|window| window.gap(&history)).collect(),
            healed,
            broken: found,
        })
    }
}

impl Fault {
    /// Breaks and mends.
    fn happen(self, cluster: &mut Cluster, load: &Workload, dice: &mut Dice) -> Result<Window> {
        let leads = leader(cluster)?;
        let all: Vec<usize> = (0..cluster.nodes.len()).collect();
        let others: Vec<usize> = all.iter().copied().filter(|node| *node != leads).collect();
        let follower = *others.get(dice.below(others.len())).context("no follower")?;
        let from = load.now();
        let nodes = match self {
            Self::Any => {
                let kinds = [
                    Self::KillLeader,
                    Self::KillFollower,
                    Self::KillAll,
                    Self::PauseLeader,
                    Self::PauseMajority,
                ];
                let kind = *kinds.get(dice.below(kinds.len())).context("no fault")?;
                return kind.happen(cluster, load, dice);
            }
            Self::KillLeader
            | Self::IsolateLeader
            | Self::HalfIsolateLeader
            | Self::FlapLeader
            | Self::HideLeader => vec![leads],
            Self::KillFollower | Self::WipeDisk => vec![follower],
            Self::FailSync | Self::Restart => vec![if dice.below(2) == 0 { leads } else { follower }],
            Self::KillAll => all,
            Self::PauseLeader => vec![leads],
            Self::PauseMajority => vec![leads, follower],
        };
        let from_leader: Vec<_> = others.iter().map(|other| (leads, *other)).collect();
        let to_leader: Vec<_> = others.iter().map(|other| (*other, leads)).collect();
        let both = [from_leader.as_slice(), to_leader.as_slice()].concat();
        let one = *nodes.first().context("no node")?;
        let mut broken = Vec::new();
        match self {
            Self::PauseLeader | Self::PauseMajority => pause(cluster, &nodes)?,
            Self::IsolateLeader => lose(cluster, &both, ISOLATION_HOLDS)?,
            Self::HalfIsolateLeader if dice.below(2) == 0 => lose(cluster, &from_leader, FAULT_HOLDS)?,
            Self::HalfIsolateLeader => lose(cluster, &to_leader, FAULT_HOLDS)?,
            Self::FlapLeader => {
                for _ in 0..FLAPS {
                    lose(cluster, &both, FLAP_HOLDS)?;
                    std::thread::sleep(FLAP_HOLDS);
                }
            }
            Self::HideLeader => {
                load.hide(&nodes);
                std::thread::sleep(FAULT_HOLDS);
                load.hide(&[]);
            }
            Self::FailSync => broken.extend(disks::fail_sync(cluster, one)?),
            Self::WipeDisk => broken.extend(disks::wipe(cluster, one)?),
            Self::Restart => {
                send(cluster.node(one)?.pid, Signal::TERM)?;
                cluster.ended(one, STOP_MAX)?;
                cluster.restart(one)?;
            }
            Self::Any | Self::KillLeader | Self::KillFollower | Self::KillAll => kill(cluster, &nodes)?,
        }
        Ok(Window { fault: self, from, to: load.now(), nodes, broken })
    }
}

/// All at one instant: none of them acts between the death of another and its own.
fn kill(cluster: &mut Cluster, nodes: &[usize]) -> Result<()> {
    for node in nodes {
        send(cluster.node(*node)?.pid, Signal::STOP)?;
    }
    for node in nodes {
        cluster.kill(*node)?;
    }
    nodes.iter().try_for_each(|node| cluster.restart(*node))
}

fn pause(cluster: &Cluster, nodes: &[usize]) -> Result<()> {
    let tell = |signal: Signal| nodes.iter().try_for_each(|node| send(cluster.node(*node)?.pid, signal));
    tell(Signal::STOP)?;
    std::thread::sleep(FAULT_HOLDS);
    tell(Signal::CONT)
}

/// What goes these ways is lost, for that long.
fn lose(cluster: &Cluster, ways: &[(usize, usize)], time: Duration) -> Result<()> {
    ways.iter().try_for_each(|(from, to)| apart::cut(cluster, *from, *to))?;
    std::thread::sleep(time);
    ways.iter().try_for_each(|(from, to)| apart::mend(cluster, *from, *to))
}

fn acknowledged(load: &Workload, count: usize) -> Result<()> {
    until("acknowledged operations", GIVEN_UP_AFTER, || match load.acknowledged() {
        done if done >= count => Look::Done(()),
        _ if !load.goes_on() => Look::Never(anyhow::anyhow!("the clients have stopped")),
        done => Look::NotYet(anyhow::anyhow!("{done} of {count}")),
    })
}

impl Window {
    /// From the fault until the end of the first certificate that was asked for after it.
    fn gap(&self, history: &[Operation]) -> Option<Duration> {
        let after =
            history.iter().filter(|operation| operation.issued().is_some() && operation.begun > self.from);
        after.map(|operation| operation.ended.saturating_sub(self.from)).min()
    }

    /// I17: who is left without a quorum answers status, and refuses a write within two seconds.
    fn minority(&self, history: &[Operation], count: usize) -> Vec<String> {
        let alone: Vec<usize> = match self.fault {
            Fault::PauseMajority => (0..count).filter(|node| !self.nodes.contains(node)).collect(),
            Fault::IsolateLeader | Fault::HalfIsolateLeader => self.nodes.clone(),
            _ => return Vec::new(),
        };
        // It may take a while to see that the others are silent.
        let from = self.from.saturating_add(REFUSED_WITHIN);
        let at_it = history.iter().filter(|operation| {
            alone.contains(&operation.node) && operation.begun >= from && operation.ended <= self.to
        });
        let faults = at_it.filter_map(|operation| {
            let took = operation.ended.saturating_sub(operation.begun);
            let fits = match (operation.asked, &operation.said) {
                (Asked::Issue(_) | Asked::Revoke(_), Said::Refused(503, _)) => took <= REFUSED_WITHIN,
                (Asked::Ocsp(_), Said::Ocsp(..) | Said::OcspError(_)) | (Asked::Crl, Said::List(..)) => true,
                (Asked::Read(_), _) => true,
                _ => false,
            };
            (!fits).then(|| format!("I17: {:?} came to {:?} after {took:?}", operation.asked, operation.said))
        });
        faults.collect()
    }
}
