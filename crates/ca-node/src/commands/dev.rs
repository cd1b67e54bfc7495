//! dev: a throw-away cluster of this very program, as real processes with tokens, stores and ports of their own.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::json;
use tokio::process::{Child, Command};

use super::serving::told_to_stop;
use crate::cli::Dev;
use crate::client::call;
use crate::config::ConfigFile;
use crate::failure::Failure;
use crate::output::{data, made, talk};
use crate::{files, tls};

/// One node's process.
struct Process {
    name: String,
    dir: PathBuf,
    log: PathBuf,
    child: Child,
}

/// How long the whole cluster may take to be ready: fifteen times the aim, for a machine that does other things.
const READY_MAX: Duration = Duration::from_secs(75);

/// How soon the end of a node is told.
const WATCH_EVERY: Duration = Duration::from_millis(200);

const POLL: Duration = Duration::from_millis(25);

pub(super) async fn run(command: Dev) -> Result<(), Failure> {
    if !matches!(command.nodes, 1 | 3 | 5) {
        let what = format!("--nodes {}: a quorum wants 1, 3 or 5", command.nodes);
        return Err(Failure::new("bad-node-count", what));
    }
    let dir = command
        .dir
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("ca-node-dev-{}", std::process::id())));
    let dir = std::path::absolute(dir).map_err(Failure::internal)?;
    files::claim(&dir)?;
    // Waited for from the first moment: a Ctrl-C during the start must delete what is there.
    let mut processes = Vec::new();
    let done = tokio::select! {
        done = cluster(&command, &dir, &mut processes) => done,
        told = told_to_stop() => told,
    };
    stop(&mut processes).await;
    if command.keep {
        made("Kept", &dir.display().to_string());
    } else {
        std::fs::remove_dir_all(&dir).map_err(Failure::internal)?;
        made("Deleted", &dir.display().to_string());
    }
    done
}

/// Starts, tells, and then waits for ever: a node that dies is told of and can be started again by hand.
async fn cluster(command: &Dev, dir: &Path, processes: &mut Vec<Process>) -> Result<(), Failure> {
    let begun = Instant::now();
    let tokens = dir.join("join-tokens");
    processes.push(spawn_first(command, dir, &tokens)?);
    wait(processes, begun, "the first node", async || tokens.exists()).await?;
    let tokens = std::fs::read_to_string(&tokens).map_err(Failure::internal)?;
    for (token, number) in tokens.lines().zip(2..) {
        let joiner = spawn_joiner(command, dir, number, token)?;
        let admitted = joiner.dir.join("node.toml");
        processes.push(joiner);
        // One after another, so that node2 is node 2 in every message; they bring their keys side by side.
        wait(processes, begun, "the next node", async || admitted.exists()).await?;
    }
    for name in ["root.pem", "client.pem", "client.key"] {
        files::write(&dir.join(name), &files::read(&dir.join("node1").join(name))?)?;
    }
    for number in 0..processes.len() {
        wait_until_ready(processes, number, begun, &dir.join("root.pem")).await?;
    }
    tell(dir, processes, begun.elapsed())?;
    watch(processes).await
}

/// Tells of each node that ends, and how to start it again.
async fn watch(processes: &mut [Process]) -> Result<(), Failure> {
    let mut told = vec![false; processes.len()];
    loop {
        for (process, told) in processes.iter_mut().zip(&mut told) {
            if let Ok(Some(status)) = process.child.try_wait()
                && !std::mem::replace(told, true)
            {
                talk(&format!("{} ended: {status}", process.name));
                talk(&format!("  next: ca-node server -c {}", files::config(&process.dir).display()));
            }
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

fn spawn_first(command: &Dev, dir: &Path, tokens: &Path) -> Result<Process, Failure> {
    let joiners = command.nodes.saturating_sub(1).to_string();
    let mut args = vec!["init", "cluster", "--quick", "--name", "dev", "--node-url"];
    args.extend(["--tokens", &joiners, "--tokens-to"]);
    let tokens = tokens.display().to_string();
    args.push(&tokens);
    spawn(command, dir, 1, &args)
}

fn spawn_joiner(command: &Dev, dir: &Path, number: u16, token: &str) -> Result<Process, Failure> {
    // Not on the command line, where every user of the machine could read it.
    let file = dir.join(format!("join-token-{number}"));
    files::write(&file, token.as_bytes())?;
    spawn(command, dir, number, &["join", &format!("@{}", file.display())])
}

fn spawn(command: &Dev, dir: &Path, number: u16, args: &[&str]) -> Result<Process, Failure> {
    let name = format!("node{number}");
    let home = dir.join(&name);
    let log = dir.join(format!("{name}.log"));
    let shift = number.saturating_sub(1).saturating_mul(10);
    let port = |base: u16| if command.any_port { 0 } else { base.saturating_add(shift) }.to_string();
    let address = if command.any_port { own_address(std::process::id()) } else { Ipv4Addr::LOCALHOST };
    let open = || std::fs::OpenOptions::new().create(true).append(true).open(&log).map_err(Failure::internal);
    let mut process = Command::new(std::env::current_exe().map_err(Failure::internal)?);
    process.args(args).arg("--node-name").arg(&name).arg("--data-dir").arg(&home);
    process
        .arg("--bind")
        .arg(address.to_string())
        .arg("--api-port")
        .arg(port(8443))
        .arg("--va-port")
        .arg(port(8080))
        .arg("--peer-port")
        .arg(port(8444));
    if let Some(module) = &command.module {
        process.arg("--module").arg(module).arg("--token-label").arg(&name);
    }
    // Its own process group: a Ctrl-C at the terminal is for us, who then stop the nodes in order.
    process.stdin(Stdio::null()).stdout(open()?).stderr(open()?).process_group(0).kill_on_drop(true);
    let child = process.spawn().map_err(Failure::internal)?;
    Ok(Process { name, dir: home, log, child })
}

/// A loopback address that no other process of this number has.
///
/// On 127.0.0.1 a port that the system gave may be gone when a node starts again: every connection that anybody opens
/// there takes one of the same range for its own end. Here nobody opens any, for whoever dials a loopback address comes
/// from 127.0.0.1.
fn own_address(process: u32) -> Ipv4Addr {
    // Linux has fewer than 2^22 processes (PID_MAX_LIMIT).
    let [_, high, middle, low] = process.to_be_bytes();
    Ipv4Addr::new(127, 64 | high & 63, middle, low)
}

async fn wait_until_ready(
    processes: &mut [Process],
    number: usize,
    begun: Instant,
    root: &Path,
) -> Result<(), Failure> {
    let Some(home) = processes.get(number).map(|process| process.dir.clone()) else { return Ok(()) };
    let config = files::config(&home);
    let roots = tls::roots(root)?;
    let client = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let client = std::sync::Arc::new(client);
    wait(processes, begun, &home.display().to_string(), async || {
        let Ok(config) = ConfigFile::load(&config, &[]) else { return false };
        let host = config.listen.api.to_string();
        let asked = call(&client, &host, Method::GET, "/readyz?role=write", &[], None).await;
        asked.is_ok_and(|answer| answer.status.is_success())
    })
    .await
}

/// Until `is_so`, or a process ends, or the time is up.
async fn wait(
    processes: &mut [Process],
    begun: Instant,
    what: &str,
    is_so: impl AsyncFn() -> bool,
) -> Result<(), Failure> {
    while !is_so().await {
        for process in processes.iter_mut() {
            if let Ok(Some(status)) = process.child.try_wait() {
                let log = std::fs::read_to_string(&process.log).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                let tail = lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join("\n  ");
                let what = format!("{} ended while starting: {status}\n  {tail}", process.name);
                return Err(Failure::new("node-stopped", what));
            }
        }
        if begun.elapsed() > READY_MAX {
            let what = format!("{what} is not ready after {READY_MAX:?}: see the logs beside it");
            return Err(Failure::new("node-stopped", what));
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// What was made, for people and (dev.json) for programs.
fn tell(dir: &Path, processes: &[Process], took: Duration) -> Result<(), Failure> {
    let mut nodes = Vec::new();
    for process in processes {
        let config = ConfigFile::load(&files::config(&process.dir), &[])?;
        let (api, va) = (format!("https://{}", config.listen.api), format!("http://{}", config.listen.va));
        data(&format!("{}\t{api}\t{va}", process.name));
        nodes.push(json!({
            "name": process.name,
            "pid": process.child.id(),
            "api": api,
            "va": va,
            "config": files::config(&process.dir),
            "log": process.log,
        }));
    }
    let file = |name: &str| dir.join(name);
    for name in ["root.pem", "client.pem", "client.key"] {
        made("Written", &file(name).display().to_string());
    }
    made("Ready", &format!("{} nodes in {:.1} s", processes.len(), took.as_secs_f64()));
    talk("Ctrl-C stops and deletes it.");
    let told = json!({
        "nodes": nodes,
        "root": file("root.pem"),
        "client_cert": file("client.pem"),
        "client_key": file("client.key"),
        "ready_s": took.as_secs_f64(),
    });
    files::write(&file("dev.json"), told.to_string().as_bytes())
}

async fn stop(processes: &mut [Process]) {
    for process in processes.iter() {
        let pid = process.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            // It may have ended already.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
    for process in processes.iter_mut() {
        if tokio::time::timeout(crate::limits::DRAIN_MAX, process.child.wait()).await.is_err() {
            let _ = process.child.kill().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_processes_have_one_address() {
        let last = (1 << 22) - 1;
        let addresses = [1, 2, 255, 256, 65_535, 65_536, 4_000_000, last].map(own_address);
        assert_eq!(own_address(last), Ipv4Addr::new(127, 127, 255, 255));
        for (place, address) in addresses.iter().enumerate() {
            assert!(address.is_loopback() && *address != Ipv4Addr::LOCALHOST);
            assert!(!addresses[..place].contains(address), "{address}");
        }
    }
}
