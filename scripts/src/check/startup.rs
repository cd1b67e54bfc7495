//! What a node says that cannot start: a slug, the fault, and the next step.

use anyhow::{Context as _, Result, ensure};

use super::{Scene, SceneParts};
use crate::cluster::Node;

/// Each fault, tried on a node that is down; none of them is to harm it.
pub(super) fn faults(scene: &mut Scene<'_>, down: usize) -> Result<()> {
    scene.step("start-up faults: unknown key, bad value, port in use, wrong PIN", |at| {
        let taken = running(at, down)?.api.trim_start_matches("https://").to_owned();
        at.shell.write("wrong.pin", "0000-wrong\n")?;
        let wrong_pin = format!("token.pin={{ file = \"{}\" }}", at.shell.path("wrong.pin").display());
        let rows = [
            ("node.colour=red".to_owned(), "config-unknown-key"),
            ("listen.api=nowhere".to_owned(), "config-invalid"),
            (format!("listen.api={taken}"), "port-in-use"),
            (wrong_pin, "wrong-pin"),
        ];
        let node = at.cluster.node(down)?;
        rows.iter().try_for_each(|(set, slug)| refuses_to_start(at, node, &[set], slug))
    })?;
    scene.step("a data directory that a running node holds is refused (data-dir-locked)", |at| {
        // Its own configuration, on other ports: as a second start by mistake, past the ports.
        let any_port = ["listen.api", "listen.va", "listen.peer"].map(|key| format!("{key}=127.0.0.1:0"));
        let sets: Vec<&str> = any_port.iter().map(String::as_str).collect();
        refuses_to_start(at, running(at, down)?, &sets, "data-dir-locked")
    })?;
    scene.step("a data directory of another cluster is refused (foreign-data-dir)", |at| {
        let node = at.cluster.node(down)?;
        let home = node.config.parent().context("a node's configuration lies in its directory")?.display();
        let binary = at.cluster.binary().display();
        // Another cluster's first node, until it is set up.
        at.shell.line(&format!(
            "{binary} init cluster --quick --name other --url http://pki.test --tokens 0 --data-dir other \
             --api-port 0 --va-port 0 --peer-port 0 2> other.log & node=$!; \
             until [ -f other/node.toml ]; do kill -0 $node || exit 1; sleep 0.1; done; kill $node; wait $node || [ $? -eq 143 ]"
        ))?;
        // Its log in the place of ours, as from the wrong backup; then its identity.
        for (theirs, mixed) in [("log log.horizon", "mixed-log"), ("node.toml", "mixed-identity")] {
            at.shell.line(&format!(
                "cp -a {home} {mixed} && for theirs in {theirs}; do \
                 rm -rf {mixed}/$theirs && cp -a other/$theirs {mixed}/; done"
            ))?;
            let set = format!("node.data_dir={}", at.shell.path(mixed).display());
            refuses_to_start(at, node, &[&set], "foreign-data-dir")?;
        }
        Ok(())
    })
}

fn running<'a>(at: &'a SceneParts<'_>, down: usize) -> Result<&'a Node> {
    at.cluster.others(down).into_iter().next().context("the others run")
}

/// Starts a node with these `--set` and wants it to end with this slug and a next step.
fn refuses_to_start(at: &SceneParts<'_>, node: &Node, sets: &[&str], slug: &str) -> Result<()> {
    let (binary, config) = (at.cluster.binary().display().to_string(), node.config.display().to_string());
    let mut arguments = vec!["server", "-c", &config];
    sets.iter().for_each(|set| arguments.extend(["--set", set]));
    let said = at.shell.try_run(&binary, &arguments)?;
    ensure!(said.code.is_some_and(|code| code != 0), "a node started with {sets:?}\n{said}");
    ensure!(said.stderr.contains(&format!("[{slug}]")), "wanted the slug {slug}\n{said}");
    ensure!(said.stderr.contains("next: "), "no word of how to go on\n{said}");
    Ok(())
}
