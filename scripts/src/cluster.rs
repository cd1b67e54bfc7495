//! A throw-away cluster of real processes: started by `ca-node dev`, killed and started again from here.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};
use serde::Deserialize;

use crate::limits::{START_MAX, STOP_MAX, TAIL_LINES};
use crate::poll::{Look, until};

/// Three nodes and where their files are.
#[derive(Debug)]
pub struct Cluster {
    form: Form,
    binary: PathBuf,
    home: PathBuf,
    /// From the start of `ca-node dev` until it said that all nodes are ready.
    pub ready_after: Duration,
    /// The nodes, in the order of their names.
    pub nodes: Vec<Node>,
    /// The root certificate, relative to the home directory.
    pub root: String,
    /// A certificate that may issue and revoke, relative to the home directory.
    pub client_cert: String,
    /// Its key.
    pub client_key: String,
    processes: Arc<Mutex<Processes>>,
}

/// What a cluster is made of.
#[derive(Clone, Debug)]
pub struct Form {
    /// How many nodes: 1, 3 or 5.
    pub nodes: usize,
    /// A PKCS#11 library instead of the embedded token.
    pub module: Option<PathBuf>,
    /// Variables of the environment, for `ca-node dev` and for each node.
    pub environment: Vec<(&'static str, String)>,
}

impl Default for Form {
    fn default() -> Self {
        Self { nodes: 3, module: None, environment: Vec::new() }
    }
}

/// One node.
#[derive(Clone, Debug, Deserialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its process now.
    pub pid: i32,
    /// `https://127.0.0.1:…`
    pub api: String,
    /// `http://127.0.0.1:…`
    pub va: String,
    /// Its configuration file.
    pub config: PathBuf,
    /// What it prints.
    pub log: PathBuf,
    /// Its network namespace, if it is not that of this process.
    #[serde(default)]
    pub network: Option<String>,
}

/// What `ca-node dev` writes once all nodes are ready for writing.
#[derive(Debug, Deserialize)]
struct DevFile {
    nodes: Vec<Node>,
    root: PathBuf,
    client_cert: PathBuf,
    client_key: PathBuf,
}

/// Everything that must not outlive this process.
#[derive(Debug)]
pub struct Processes {
    home: PathBuf,
    dev: Option<Child>,
    /// Nodes that were started again.
    nodes: Vec<Child>,
}

impl Processes {
    /// Stops all, waits for them and removes their directory. Does nothing the second time.
    pub fn stop(&mut self) {
        let anything = self.dev.is_some() || !self.nodes.is_empty();
        // All are told before any is waited for.
        self.nodes.iter_mut().for_each(|node| tell(node, Signal::TERM));
        for mut node in self.nodes.drain(..) {
            end(&mut node);
        }
        if let Some(mut dev) = self.dev.take() {
            tell(&mut dev, Signal::TERM);
            end(&mut dev);
        }
        if anything {
            // The directory is ours, and gone already if `dev` has cleaned up.
            let _ = std::fs::remove_dir_all(&self.home);
        }
    }

    /// Ends all at once and leaves their directory for who wants to know why.
    fn abandon(&mut self, pids: &[i32]) {
        if let Some(mut dev) = self.dev.take() {
            // Before its children, or it would clean up after them.
            tell(&mut dev, Signal::KILL);
            end(&mut dev);
            pids.iter().for_each(|pid| {
                let _ = send(*pid, Signal::KILL);
            });
        }
        for mut node in self.nodes.drain(..) {
            tell(&mut node, Signal::KILL);
            end(&mut node);
        }
    }
}

impl Cluster {
    /// Starts three nodes in a directory below `home` and waits until they are ready for writing.
    ///
    /// # Errors
    /// They are not, with what `ca-node dev` printed.
    pub fn start(
        binary: &Path,
        home: &Path,
        started: impl FnOnce(Arc<Mutex<Processes>>) -> Result<()>,
    ) -> Result<Self> {
        Self::start_as(Form::default(), binary, home, started)
    }

    /// As [`Cluster::start`], of another form.
    ///
    /// # Errors
    /// They are not ready in time, with what `ca-node dev` printed.
    pub fn start_as(
        form: Form,
        binary: &Path,
        home: &Path,
        started: impl FnOnce(Arc<Mutex<Processes>>) -> Result<()>,
    ) -> Result<Self> {
        let begun = Instant::now();
        let output = home.join("dev.out");
        let mut command = Command::new(binary);
        command.args(["dev", "--any-port", "--nodes", &form.nodes.to_string(), "--dir"]).arg(home.join("ca"));
        if let Some(module) = &form.module {
            command.arg("--module").arg(module);
        }
        command.envs(form.environment.iter().map(|(name, value)| (name, value))).current_dir(home);
        let dev = spawn(command, &output)?;
        let processes = Processes { home: home.to_owned(), dev: Some(dev), nodes: Vec::new() };
        let processes = Arc::new(Mutex::new(processes));
        if let Err(error) = started(Arc::clone(&processes)) {
            lock(&processes).stop();
            return Err(error);
        }
        let said = || std::fs::read_to_string(&output).unwrap_or_default();
        let file = until("three nodes ready", START_MAX, || {
            match read_dev_file(&home.join("ca/dev.json")) {
                Ok(file) => return Look::Done(file),
                Err(error) if alive(&processes) => return Look::NotYet(error),
                Err(_) => {}
            }
            Look::Never(anyhow!("`ca-node dev` has ended; it said:\n{}", said()))
        });
        let file = match file {
            Ok(file) => file,
            Err(error) => {
                lock(&processes).abandon(&[]);
                return Err(error.context(format!("{}\nkept: {}", said(), home.display())));
            }
        };
        let relative = |path: &Path| path.strip_prefix(home).unwrap_or(path).display().to_string();
        Ok(Self {
            form,
            binary: binary.to_owned(),
            home: home.to_owned(),
            ready_after: begun.elapsed(),
            nodes: file.nodes,
            root: relative(&file.root),
            client_cert: relative(&file.client_cert),
            client_key: relative(&file.client_key),
            processes,
        })
    }

    /// No node yet; the files of the first client will be in the directory `first`, below `home`.
    pub(crate) fn empty(binary: &Path, home: &Path, first: &str) -> Self {
        let processes = Processes { home: home.to_owned(), dev: None, nodes: Vec::new() };
        Self {
            form: Form::default(),
            binary: binary.to_owned(),
            home: home.to_owned(),
            ready_after: Duration::ZERO,
            nodes: Vec::new(),
            root: format!("{first}/root.pem"),
            client_cert: format!("{first}/client.pem"),
            client_key: format!("{first}/client.key"),
            processes: Arc::new(Mutex::new(processes)),
        }
    }

    /// One more node and its process.
    pub(crate) fn add(&mut self, node: Node, process: Child) {
        self.nodes.push(node);
        lock(&self.processes).nodes.push(process);
    }

    /// All that must end with this process.
    pub(crate) fn processes(&self) -> Arc<Mutex<Processes>> {
        Arc::clone(&self.processes)
    }

    /// The node of this position.
    ///
    /// # Errors
    /// There is none.
    pub fn node(&self, position: usize) -> Result<&Node> {
        self.nodes.get(position).with_context(|| format!("there is no node at position {position}"))
    }

    /// The nodes other than that of this position.
    #[must_use]
    pub fn others(&self, position: usize) -> Vec<&Node> {
        self.nodes.iter().enumerate().filter(|(at, _)| *at != position).map(|(_, node)| node).collect()
    }

    /// kill -9, and the process has let go of its files and ports.
    ///
    /// # Errors
    /// There is no such process.
    pub fn kill(&self, position: usize) -> Result<()> {
        let node = self.node(position)?;
        send(node.pid, Signal::KILL).with_context(|| format!("kill -9 {} ({})", node.pid, node.name))?;
        self.ended(position, STOP_MAX)
    }

    /// Waits until a node's process has let go of its files and ports.
    ///
    /// # Errors
    /// It has not within `limit`.
    pub fn ended(&self, position: usize, limit: Duration) -> Result<()> {
        let pid = self.node(position)?.pid;
        until("end of a process", limit, || {
            if has_ended(pid) { Look::Done(()) } else { Look::NotYet(anyhow!("{pid} still runs")) }
        })
    }

    /// Starts a node that was killed, as its operator would; does not wait until it is ready.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn restart(&mut self, position: usize) -> Result<()> {
        let mut processes = lock(&self.processes);
        let (binary, environment) = (&self.binary, &self.form.environment);
        let node = self.nodes.get_mut(position).with_context(|| format!("no node at {position}"))?;
        let mut command = match &node.network {
            None => Command::new(binary),
            Some(network) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", network]).arg(binary);
                command
            }
        };
        command.args(["server", "-c"]).arg(&node.config).current_dir(&self.home);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let child = spawn(command, &node.log)?;
        node.pid = i32::try_from(child.id())?;
        processes.nodes.push(child);
        Ok(())
    }

    /// The program under test.
    #[must_use]
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// The directory with everything in it.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The last lines of every node's log.
    #[must_use]
    pub fn tails(&self) -> String {
        self.nodes
            .iter()
            .map(|node| format!("--- {} ({})\n{}", node.name, node.log.display(), tail(&node.log)))
            .collect()
    }

    /// Stops the nodes as Ctrl-C would.
    pub fn stop(&self) {
        lock(&self.processes).stop();
    }

    /// Ends the nodes at once and keeps their directory.
    pub fn abandon(&self) {
        let pids: Vec<i32> = self.nodes.iter().map(|node| node.pid).collect();
        lock(&self.processes).abandon(&pids);
    }
}

/// Whoever forgets a cluster does not leave it running.
impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The program beside this one: both come out of one build.
///
/// # Errors
/// It is not there.
pub fn find_binary() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let binary = own.parent().context("this program has no directory")?.join("ca-node");
    if !binary.is_file() {
        bail!("{} is not built; run: cargo build --package ca-node", binary.display());
    }
    Ok(binary)
}

/// A new directory for one cluster, among the temporary ones.
///
/// # Errors
/// It cannot be made.
pub fn new_home() -> Result<PathBuf> {
    new_home_in(&std::env::temp_dir())
}

/// A new directory for one cluster. Its name is short: the paths are read by people.
///
/// # Errors
/// It cannot be made.
pub fn new_home_in(directory: &Path) -> Result<PathBuf> {
    Ok(tempfile::Builder::new().prefix("ca-node-").tempdir_in(std::path::absolute(directory)?)?.keep())
}

fn lock(processes: &Mutex<Processes>) -> MutexGuard<'_, Processes> {
    processes.lock().unwrap_or_else(PoisonError::into_inner)
}

fn alive(processes: &Mutex<Processes>) -> bool {
    lock(processes).dev.as_mut().is_some_and(|dev| matches!(dev.try_wait(), Ok(None)))
}

fn read_dev_file(path: &Path) -> Result<DevFile> {
    let text = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

/// Both outputs go to the end of one file.
pub(crate) fn spawn(mut command: Command, output: &Path) -> Result<Child> {
    let open = || -> Result<File> { Ok(OpenOptions::new().create(true).append(true).open(output)?) };
    command.stdin(Stdio::null()).stdout(open()?).stderr(open()?);
    command.spawn().with_context(|| format!("start {command:?}"))
}

/// Sends a process a signal.
///
/// # Errors
/// There is no such process.
pub fn send(pid: i32, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(pid).with_context(|| format!("{pid} is no process"))?;
    Ok(kill_process(pid, signal)?)
}

/// Whether a process is gone, or waits only for its parent to notice (proc(5), `stat`: state Z).
///
/// A killed process is in that state as soon as its first thread has ended: files and ports are let go of by the last.
fn has_ended(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before the state is in brackets and may hold anything.
    let first_ended =
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z') || rest.starts_with('X'));
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    first_ended && threads <= 1
}

/// Signals a child, unless it has ended: its number may be another's by then.
fn tell(child: &mut Child, signal: Signal) {
    if let Ok(pid) = i32::try_from(child.id())
        && matches!(child.try_wait(), Ok(None))
    {
        let _ = send(pid, signal);
    }
}

/// Waits for a child's end; SIGKILL if it takes too long.
fn end(child: &mut Child) {
    let gone = until("end of a process", STOP_MAX, || match child.try_wait() {
        Ok(None) => Look::NotYet(anyhow!("still running")),
        _ => Look::Done(()),
    });
    if gone.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn tail(path: &Path) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    lines.iter().skip(from).map(|line| format!("{line}\n")).collect()
}
