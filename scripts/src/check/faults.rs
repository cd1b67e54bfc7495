//! kill -9: of the leader, of two of three, of all.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Scene, SceneParts, startup};
use crate::api::Answer;
use crate::cluster::Node;
use crate::limits::{CAUGHT_UP_MAX, CRL_MAX, FAILOVER_MAX, REFUSAL_MAX};
use crate::poll::until_ok;
use crate::requests::{KINDS, write_json};
use crate::status::Way;

/// The leader dies; the others go on; it comes back and is equal.
pub(super) fn leader_killed(scene: &mut Scene<'_>) -> Result<()> {
    let mut victim = 0;
    scene.step("leader killed with -9; the next certificate through the others", |at| {
        request(at, "after-kill")?;
        victim = at.leader(&[0, 1, 2])?;
        at.cluster.kill(victim)?;
        let killed = Instant::now();
        let others = at.cluster.others(victim);
        let mut turn = others.iter().cycle();
        until_ok("the next certificate", FAILOVER_MAX, || {
            let node = turn.next().map_or(at.cluster.node(0), |node| Ok(*node))?;
            // With a key: a try whose end is not known is not issued twice.
            at.caller.issue(node, "after-kill", &["--header", "Idempotency-Key: after-kill"]).map(|_| ())
        })?;
        let gap = killed.elapsed();
        at.party.verify("after-kill", &at.cluster.root)?;
        at.good.push("after-kill".to_owned());
        Ok(format!(
            "{} was down, {:.2} s from kill to certificate",
            at.cluster.node(victim)?.name,
            gap.as_secs_f32()
        ))
    })?;
    scene.step("issued and revoked through each of the other two", |at| {
        let others: Vec<Node> = at.cluster.others(victim).into_iter().cloned().collect();
        for node in &others {
            let name = format!("two-of-three-{}", node.name);
            issue(at, node, &name)?;
            at.caller.revoke(node, &at.caller.serial(&name)?, "superseded")?;
            at.revoked.push(name);
        }
        statuses(at, &others.iter().collect::<Vec<_>>())
    })?;
    startup::faults(scene, victim)?;
    scene.step("started again: ready, knows everything", |at| {
        at.cluster.restart(victim)?;
        at.ready(victim)?;
        let node = at.cluster.node(victim)?.clone();
        statuses(at, &[&node])?;
        issue(at, &node, "after-restart")
    })?;
    scene.step("all nodes equal by digest", |at| at.equal())?;
    Ok(())
}

/// Two of three die: no issuing, no revoking, said at once; status goes on.
pub(super) fn no_quorum(scene: &mut Scene<'_>) -> Result<()> {
    let (mut victims, mut survivor) = (Vec::new(), 0);
    scene.step(
        "two of three killed with -9, the leader among them: issue answers 503 and names them",
        |at| {
            request(at, "no-quorum")?;
            let leader = at.leader(&[0, 1, 2])?;
            survivor = [0, 1, 2].into_iter().find(|position| *position != leader).unwrap_or(0);
            victims = [0, 1, 2].into_iter().filter(|position| *position != survivor).collect();
            victims.iter().try_for_each(|position| at.cluster.kill(*position))?;
            let node = at.cluster.node(survivor)?;
            let mut slowest = 0.0_f32;
            for _ in 0..3 {
                let answer =
                    at.caller.call(node, "/api/v1/certificates", &["--data-binary", "@no-quorum.json"])?;
                slowest = slowest.max(refused(at, &answer, &victims)?);
            }
            Ok(format!("within {slowest:.2} s"))
        },
    )?;
    scene.step("revoke answers 503 and names them", |at| {
        let serial = at.caller.serial("after-restart")?;
        let answer = at.caller.try_revoke(at.cluster.node(survivor)?, &serial, "superseded")?;
        Ok(format!("within {:.2} s", refused(at, &answer, &victims)?))
    })?;
    scene.step("status goes on: OCSP and CRL from the one that is left", |at| {
        let node = at.cluster.node(survivor)?.clone();
        statuses(at, &[&node])?;
        at.party.crl(&node)?;
        at.shell.run("curl", &["--silent", "--fail", &format!("{}/livez", node.va)])?;
        at.shell.run("curl", &["--silent", "--fail", &format!("{}/readyz?role=va-stale", node.va)])?;
        Ok(())
    })?;
    scene.step("the two started again: issued through each node", |at| {
        victims.iter().try_for_each(|position| at.cluster.restart(*position))?;
        [0, 1, 2].into_iter().try_for_each(|position| at.ready(position))?;
        for node in at.cluster.nodes.clone() {
            let name = format!("healed-{}", node.name);
            issue(at, &node, &name)?;
            at.good.push(name);
        }
        Ok(())
    })?;
    scene.step("all nodes equal by digest", |at| at.equal())?;
    Ok(())
}

/// All die at once: what was acknowledged is there (I6).
pub(super) fn all_killed(scene: &mut Scene<'_>) -> Result<()> {
    scene.step(
        "all three killed with -9 and started again: every certificate and revocation is there",
        |at| {
            for position in [0, 1, 2] {
                at.cluster.kill(position)?;
            }
            for position in [0, 1, 2] {
                at.cluster.restart(position)?;
            }
            [0, 1, 2].into_iter().try_for_each(|position| at.ready(position))?;
            statuses(at, &at.nodes())?;
            Ok(format!("{} good, {} revoked", at.good.len(), at.revoked.len()))
        },
    )?;
    scene.step("one CRL on all nodes", |at| {
        let serials = at.revoked.iter().map(|name| at.caller.serial(name)).collect::<Result<Vec<_>>>()?;
        until_ok("one CRL with all revoked serials", CRL_MAX, || at.party.equal_crl(&at.nodes(), &serials))
    })?;
    scene.step("all nodes equal by digest", |at| at.equal())?;
    Ok(())
}

fn request(at: &SceneParts<'_>, name: &str) -> Result<()> {
    let [kind, ..] = KINDS;
    kind.make(at.shell, name)?;
    write_json(at.shell, name)
}

fn issue(at: &SceneParts<'_>, node: &Node, name: &str) -> Result<()> {
    request(at, name)?;
    at.caller.issue(node, name, &[])?;
    at.party.verify(name, &at.cluster.root)
}

/// Everything that was acknowledged, asked of these nodes.
fn statuses(at: &SceneParts<'_>, nodes: &[&Node]) -> Result<()> {
    let good = at.good.iter().map(|name| (name, "good"));
    for (name, wanted) in good.chain(at.revoked.iter().map(|name| (name, "revoked"))) {
        for node in nodes {
            until_ok(wanted, CAUGHT_UP_MAX, || {
                let got = at.party.ask(node, name, Way::Post)?;
                ensure!(got == wanted, "{}: {name} is {got}, not {wanted}", node.name);
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// A refusal for want of a quorum (I17); how long it took in seconds.
fn refused(at: &SceneParts<'_>, answer: &Answer, missing: &[usize]) -> Result<f32> {
    let problem = answer.problem(503, &["no-quorum", "not-known"])?;
    ensure!(answer.took <= REFUSAL_MAX, "it took {:.2} s\n{}", answer.took.as_secs_f32(), answer.said);
    for position in missing {
        let id = at.ids.get(*position).copied().unwrap_or_default();
        let named = problem.detail.contains(&format!("node {id}"));
        ensure!(named, "node {id} is not named as missing: {}\n{}", problem.detail, answer.said);
    }
    Ok(answer.took.as_secs_f32())
}
