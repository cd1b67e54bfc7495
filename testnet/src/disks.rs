//! Disks that fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use scripts::cluster::Cluster;
use scripts::limits::{RESTART_MAX, STOP_MAX};
use scripts::poll::until_ok;

use crate::limits::{STOPPED_WITHIN, SYNCS_BEFORE};

/// One fsync of a node fails (strace(1), fault injection); then the node is started again. What was wrong: the process
/// must end, for what the kernel holds after a failed fsync nobody knows.
///
/// # Errors
/// No fsync failed, or the node cannot be started.
pub fn fail_sync(cluster: &mut Cluster, node: usize) -> Result<Option<String>> {
    let pid = cluster.node(node)?.pid.to_string();
    let told = cluster.home().join("strace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-ttt", "-e", "trace=fdatasync,fsync,exit_group", "-e"]);
    strace.arg(format!("inject=fdatasync,fsync:error=EIO:when={SYNCS_BEFORE}"));
    strace.args(["-p", &pid, "-o"]).arg(&told);
    let strace = strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut strace = Ends(strace.context("strace cannot be run")?);
    let ended = cluster.ended(node, STOP_MAX);
    strace.end();
    let text = fs::read_to_string(&told).unwrap_or_default();
    let failed = text.lines().find(|line| line.contains("(INJECTED)"));
    let failed = failed.context("no fsync failed: is ptrace forbidden here?")?;
    fs::remove_file(&told)?;
    let wrong = if ended.is_err() {
        cluster.kill(node)?;
        Some(format!("D5: node {node} goes on after a failed fsync"))
    } else {
        let last = text.lines().rev().find_map(stamp).context("no time in what strace said")?;
        let took = last.saturating_sub(stamp(failed).context("no time in what strace said")?);
        (took > STOPPED_WITHIN).then(|| format!("D5: node {node} ended only {took:?} after a failed fsync"))
    };
    cluster.restart(node)?;
    Ok(wrong)
}

/// A node starts with its name, its keys and its certificates, and nothing in its stores; then it gets them back. What
/// was wrong: it must refuse to start, for it would forget votes that it has given.
///
/// # Errors
/// Its files cannot be moved, or the node not be started.
pub fn wipe(cluster: &mut Cluster, node: usize) -> Result<Option<String>> {
    cluster.kill(node)?;
    let config = cluster.node(node)?.config.clone();
    let data = config.parent().context("a directory")?;
    let aside = data.with_extension("aside");
    fs::create_dir(&aside)?;
    let stores = stores(data)?;
    ensure!(!stores.is_empty(), "no stores in {}", data.display());
    let kept = |store: &Path| Ok::<_, anyhow::Error>(aside.join(store.file_name().context("a name")?));
    for store in &stores {
        fs::rename(store, kept(store)?)?;
    }
    let said = data.with_extension("wiped");
    let mut wiped = Command::new(cluster.binary());
    wiped.args(["server", "-c"]).arg(&config).stdin(Stdio::null()).stdout(Stdio::null());
    let mut wiped = Ends(wiped.stderr(fs::File::create(&said)?).spawn()?);
    let status = until_ok("refusal", RESTART_MAX, || wiped.0.try_wait()?.context("it still runs"));
    wiped.end();
    let text = fs::read_to_string(&said)?;
    let wrong = match status {
        Ok(status) if !status.success() && text.contains(LOST) => None,
        Ok(status) => Some(format!("D9: node {node} with a wiped disk ended with {status}: {text}")),
        Err(_) => Some(format!("D9: node {node} goes on with a wiped disk under its old id")),
    };
    for store in &stores {
        if store.exists() {
            fs::remove_dir_all(store)?;
        }
        fs::rename(kept(store)?, store)?;
    }
    fs::remove_dir(&aside)?;
    cluster.restart(node)?;
    Ok(wrong)
}

/// What a node says of itself that lost what it had synced.
const LOST: &str = "acknowledged entries are lost";

/// A process that does not outlive its value.
struct Ends(Child);

impl Ends {
    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.end();
    }
}

/// Unix time at the beginning of a line of strace, behind the number of the thread.
fn stamp(line: &str) -> Option<Duration> {
    let seconds = line.split_whitespace().nth(1)?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Log and register.
fn stores(data: &Path) -> Result<Vec<PathBuf>> {
    let mut stores = Vec::new();
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && (name == "log" || name.starts_with("register")) {
            stores.push(path);
        }
    }
    Ok(stores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_strace_has_its_time() {
        let line = "4711  1795715511.250000 fdatasync(7) = -1 EIO (Input/output error) (INJECTED)";
        assert_eq!(stamp(line), Some(Duration::from_millis(1_795_715_511_250)));
        assert_eq!(stamp("strace: attached"), None);
    }
}
