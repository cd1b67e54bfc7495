//! A machine of its own for one run: no network but an own loopback with every port free, own process numbers, and an
//! `/etc/hosts` that may be written to. Whatever is started there ends with it.
//!
//! Linux namespaces (namespaces(7)): of root, or of a user where the machine permits that.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::cluster::new_home;
use crate::interrupt::on_interrupt;
use crate::limits::STOP_MAX;
use crate::poll::until_ok;

/// Says to the program that it is the second one, and which directory is its own.
const INSIDE: &str = "CA_NODE_SECLUDED";

/// The first process in there: prepares, and waits for the program. Not replaced by it, for as number 1 it would get
/// no signals, and everybody's orphans.
const FIRST: &str = r#"
set -e
ip link set lo up
hosts=$(mktemp)
cat /etc/hosts > "$hosts"
mount --bind "$hosts" /etc/hosts
rm "$hosts"
status=0
"$@" || status=$?
exit "$status"
"#;

/// The directory of this run, if this is inside already.
#[must_use]
pub fn inside() -> Option<PathBuf> {
    std::env::var_os(INSIDE).map(PathBuf::from)
}

/// Runs this program with the same arguments inside, to its end. Its directory is removed, but for that of a run that
/// failed.
///
/// # Errors
/// The machine does not permit it, or the run failed.
pub fn again_inside() -> Result<()> {
    let (status, home) = enter()?;
    if status.success() {
        return remove(&home);
    }
    bail!("kept: {}", home.display());
}

/// Runs this program with the same arguments inside, to its end; how it ended. Its directory is removed in any case.
///
/// # Errors
/// The machine does not permit it.
pub fn status_inside() -> Result<ExitStatus> {
    let (status, home) = enter()?;
    remove(&home)?;
    Ok(status)
}

fn enter() -> Result<(ExitStatus, PathBuf)> {
    let unshare = permitted()?;
    let (program, flags) = unshare.split_first().context("a command")?;
    let home = new_home()?;
    let mut inside = Command::new(program);
    inside.args(flags).args(["bash", "-c", FIRST, "bash"]).arg(std::env::current_exe()?);
    inside.args(std::env::args_os().skip(1)).env(INSIDE, &home);
    let mut inside = inside.spawn().with_context(|| format!("{program} cannot be run"))?;
    let (pid, kept) = (i32::try_from(inside.id()).ok().and_then(Pid::from_raw), home.clone());
    on_interrupt(move || {
        // Everything in there ends with it (unshare(1), --kill-child).
        let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
        let _ = remove(&kept);
    })?;
    Ok((inside.wait()?, home))
}

/// Some process may be about to end and still write.
fn remove(home: &Path) -> Result<()> {
    until_ok("removal of the directory", STOP_MAX, || Ok(std::fs::remove_dir_all(home)?))
}

/// The first command that gives such a machine here.
fn permitted() -> Result<Vec<&'static str>> {
    let flags = ["--net", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"];
    let mut why = String::new();
    for user in [None, Some("--map-root-user")] {
        let command: Vec<&str> = ["unshare"].into_iter().chain(user).chain(flags).collect();
        let mut tried = Command::new("unshare");
        let tried =
            tried.args(command.iter().skip(1)).arg("true").output().context("unshare (util-linux)")?;
        if tried.status.success() {
            return Ok(command);
        }
        why = String::from_utf8_lossy(&tried.stderr).trim().to_owned();
    }
    bail!(
        "this needs namespaces of its own, and the machine does not permit them: {why}\n  next: run it as root"
    );
}
