//! `scripts/demo --check`: everything a user can do, checked without a person, on real processes.

mod faults;
mod issuing;
mod refusals;
mod startup;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::api::Caller;
use crate::cluster::{Cluster, Node, new_home};
use crate::interrupt::stop_on_interrupt;
use crate::limits::{EQUAL_MAX, RESTART_MAX, SEEN_MAX};
use crate::poll::{Look, until, until_ok};
use crate::shell::{Audience, Shell};
use crate::status::{RelyingParty, Way};
use crate::steps::{Note, Steps};

/// Checks the program at this path.
///
/// # Errors
/// The first thing that is wrong, with what was printed and the tails of the nodes' logs.
pub fn check(binary: &Path) -> Result<()> {
    let mut steps = Steps::default();
    let home = new_home()?;
    let shell = Shell::new(&home, Audience::Nobody);
    let mut cluster = None;
    steps.step("three nodes started and ready for writing", || {
        cluster = Some(Cluster::start(binary, &home, stop_on_interrupt)?);
        Ok(())
    })?;
    let mut cluster = cluster.context("the cluster has started")?;
    let ended = all(&mut steps, &shell, &mut cluster);
    let ended = ended.and_then(|()| {
        steps.step("stopped by SIGTERM, and nothing left behind", || {
            cluster.stop();
            ensure!(!home.exists(), "{} is still there", home.display());
            Ok(())
        })
    });
    if let Err(error) = ended {
        let tails = cluster.tails();
        cluster.abandon();
        return Err(error.context(format!("{tails}kept: {}", home.display())));
    }
    steps.finish();
    Ok(())
}

fn all(steps: &mut Steps, shell: &Shell, cluster: &mut Cluster) -> Result<()> {
    let caller = Caller::client(shell, cluster);
    let party = RelyingParty::new(shell, cluster.node(0)?, &cluster.root)?;
    let ids = cluster.nodes.iter().map(|node| Ok(caller.standing(node)?.node)).collect::<Result<Vec<_>>>()?;
    let mut scene =
        Scene { steps, shell, cluster, caller, party, ids, good: Vec::new(), revoked: Vec::new() };
    issuing::every_kind_through_every_node(&mut scene)?;
    issuing::one_key_one_certificate(&mut scene)?;
    issuing::status_of_the_good(&mut scene)?;
    issuing::revoking(&mut scene)?;
    refusals::every_bad_request(&mut scene)?;
    faults::leader_killed(&mut scene)?;
    faults::no_quorum(&mut scene)?;
    faults::all_killed(&mut scene)
}

/// What the steps share.
struct Scene<'a> {
    steps: &'a mut Steps,
    shell: &'a Shell,
    cluster: &'a mut Cluster,
    caller: Caller<'a>,
    party: RelyingParty<'a>,
    /// The nodes' numbers, in the order of their names.
    ids: Vec<u64>,
    /// Certificates that are good, by the names of their files.
    good: Vec<String>,
    /// Certificates that are revoked.
    revoked: Vec<String>,
}

impl Scene<'_> {
    fn step<N: Note>(&mut self, what: &str, act: impl FnOnce(&mut SceneParts<'_>) -> Result<N>) -> Result<N> {
        let mut parts = SceneParts {
            shell: self.shell,
            cluster: self.cluster,
            caller: &self.caller,
            party: &self.party,
            ids: &self.ids,
            good: &mut self.good,
            revoked: &mut self.revoked,
        };
        self.steps.step(what, || act(&mut parts))
    }
}

/// A scene while one of its steps is being done.
struct SceneParts<'a> {
    shell: &'a Shell,
    cluster: &'a mut Cluster,
    caller: &'a Caller<'a>,
    party: &'a RelyingParty<'a>,
    ids: &'a [u64],
    good: &'a mut Vec<String>,
    revoked: &'a mut Vec<String>,
}

impl SceneParts<'_> {
    /// The position of the leader, once all of these nodes name the same one, which is one of them.
    fn leader(&self, asked: &[usize]) -> Result<usize> {
        until_ok("one leader that all name", RESTART_MAX, || {
            let mut named = Vec::new();
            for position in asked {
                named.push(self.caller.standing(self.cluster.node(*position)?)?.leader);
            }
            let first = named.first().copied().flatten().context("no leader")?;
            ensure!(named.iter().all(|leader| *leader == Some(first)), "different leaders: {named:?}");
            let position =
                self.ids.iter().position(|id| *id == first).context("the leader is no node of ours")?;
            ensure!(asked.contains(&position), "the leader, node {first}, is one that was killed");
            Ok(position)
        })
    }

    /// Waits until a node says that it is ready for writing.
    fn ready(&self, position: usize) -> Result<()> {
        let url = format!("{}/readyz?role=write", self.cluster.node(position)?.va);
        until_ok("ready for writing", RESTART_MAX, || {
            self.shell.run("curl", &["--silent", "--show-error", "--fail-with-body", &url]).map(|_| ())
        })
    }

    /// Waits until an index was seen on every node, and compares the digests there (I23).
    fn equal(&self) -> Result<String> {
        let mut seen: Vec<Vec<(u64, String)>> = vec![Vec::new(); self.cluster.nodes.len()];
        until("all nodes equal at one index", EQUAL_MAX, || {
            for (node, seen) in self.cluster.nodes.iter().zip(&mut seen) {
                match self.caller.standing(node) {
                    Ok(standing) => seen.push((standing.applied, standing.digest)),
                    Err(error) => return Look::NotYet(error),
                }
            }
            compare(&seen)
        })
    }

    /// Waits until every node answers this status; how long after the call the last one did, in seconds (I9).
    fn seen(&self, name: &str, wanted: &str) -> Result<f32> {
        let acknowledged = Instant::now();
        for node in &self.cluster.nodes {
            until_ok(wanted, SEEN_MAX.saturating_sub(acknowledged.elapsed()), || {
                let got = self.party.ask(node, name, Way::Post)?;
                ensure!(got == wanted, "{}: {name} is {got}, not {wanted}", node.name);
                Ok(())
            })?;
        }
        let took = acknowledged.elapsed();
        ensure!(took <= SEEN_MAX, "{name} is {wanted} on every node only after {:.2} s", took.as_secs_f32());
        Ok(took.as_secs_f32())
    }

    fn nodes(&self) -> Vec<&Node> {
        self.cluster.nodes.iter().collect()
    }
}

/// The latest index that every node was seen at.
fn compare(seen: &[Vec<(u64, String)>]) -> Look<String> {
    let Some((first, others)) = seen.split_first() else { return Look::NotYet(anyhow::anyhow!("no nodes")) };
    for (index, digest) in first.iter().rev() {
        let there: Vec<&String> =
            others.iter().filter_map(|node| Some(&node.iter().find(|(at, _)| at == index)?.1)).collect();
        if there.len() < others.len() {
            continue;
        }
        if there.iter().any(|other| *other != digest) {
            return Look::Never(anyhow::anyhow!("different digests at index {index}: {digest}, {there:?}"));
        }
        let short: String = digest.chars().take(16).collect();
        return Look::Done(format!("index {index}, digest {short}…"));
    }
    Look::NotYet(anyhow::anyhow!("no index was seen on all: {seen:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i23_digests_are_compared_at_one_index_only() {
        let at = |index, digest: &str| (index, digest.to_owned());
        let equal = compare(&[vec![at(1, "a"), at(2, "b")], vec![at(2, "b"), at(3, "c")]]);
        assert!(matches!(equal, Look::Done(note) if note.starts_with("index 2")));
        assert!(matches!(compare(&[vec![at(1, "a")], vec![at(2, "b")]]), Look::NotYet(_)));
        assert!(matches!(compare(&[vec![at(1, "a")], vec![at(1, "x")]]), Look::Never(_)));
    }
}
