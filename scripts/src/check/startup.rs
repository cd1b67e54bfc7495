//! What a node says that cannot start: a slug, the fault, and the next step.

use anyhow::{Result, ensure};

use super::SceneParts;

/// Each fault of a configuration, tried on a node that is down.
pub(super) fn faults(at: &SceneParts<'_>, down: usize) -> Result<()> {
    let config = at.cluster.node(down)?.config.display().to_string();
    let other = at.cluster.others(down);
    let taken =
        other.first().map(|node| node.api.trim_start_matches("https://").to_owned()).unwrap_or_default();
    at.shell.write("wrong.pin", "0000-wrong\n")?;
    let wrong_pin = format!("token.pin={{ file = \"{}\" }}", at.shell.path("wrong.pin").display());
    let rows = [
        ("node.colour=red".to_owned(), "config-unknown-key"),
        ("listen.api=nowhere".to_owned(), "config-invalid"),
        (format!("listen.api={taken}"), "port-in-use"),
        (wrong_pin, "wrong-pin"),
    ];
    let binary = at.cluster.binary().display().to_string();
    for (set, slug) in rows {
        let said = at.shell.try_run(&binary, &["server", "-c", &config, "--set", &set])?;
        ensure!(said.code.is_some_and(|code| code != 0), "a node started with --set {set}\n{said}");
        ensure!(said.stderr.contains(&format!("[{slug}]")), "wanted the slug {slug}\n{said}");
        ensure!(said.stderr.contains("next: "), "no word of how to go on\n{said}");
    }
    Ok(())
}
