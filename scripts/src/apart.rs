//! A cluster whose nodes have a network each, so that every direction between two of them can be cut: network
//! namespaces on one bridge (ip-netns(8)), inside a [`seclusion`](crate::seclusion).

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::cluster::{Cluster, Node, Processes, spawn};
use crate::limits::START_MAX;
use crate::poll::until_ok;
use crate::shell::{Audience, Shell};

/// Starts three nodes and waits until they are ready for writing.
///
/// # Errors
/// The machine has no such networks, or a node does not start: with what it printed.
pub fn start(
    binary: &Path,
    home: &Path,
    started: impl FnOnce(Arc<Mutex<Processes>>) -> Result<()>,
) -> Result<Cluster> {
    let begun = Instant::now();
    let shell = Shell::new(home, Audience::Nobody);
    shell.line(NETWORK).context("networks of their own for the nodes")?;
    let mut cluster = Cluster::empty(binary, home, "node1");
    started(cluster.processes())?;
    let tokens = home.join("tokens");
    for number in 1..=NODES {
        let mut command = inside(number, binary);
        if number == 1 {
            command.args(["init", "cluster", "--quick", "--name", "chaos", "--node-url", "--tokens", "2"]);
            command.arg("--tokens-to").arg(&tokens);
        } else {
            let all = std::fs::read_to_string(&tokens)?;
            let token = all.lines().nth(number.saturating_sub(2)).context("a join token")?;
            std::fs::write(home.join("token"), token)?;
            command.args(["join", "@token"]);
        }
        let (name, data) = (format!("node{number}"), home.join(format!("node{number}")));
        command.args(["--node-name", &name, "--bind", &address(number), "--data-dir"]).arg(&data);
        command.current_dir(home);
        let log = home.join(format!("{name}.log"));
        let child = spawn(command, &log)?;
        cluster.add(
            Node {
                name,
                pid: i32::try_from(child.id())?,
                api: format!("https://{}:8443", address(number)),
                va: format!("http://{}:8080", address(number)),
                config: data.join("ca-node.toml"),
                log,
                network: Some(network(number)),
            },
            child,
        );
        let set_up = if number == 1 { tokens.clone() } else { data.join("node.toml") };
        until_ok("a node that is set up", START_MAX, || {
            ensure!(set_up.exists(), "no {}\n{}", set_up.display(), cluster.tails());
            Ok(())
        })?;
    }
    for node in &cluster.nodes {
        let url = format!("{}/readyz?role=write", node.va);
        until_ok("ready for writing", START_MAX, || {
            shell.run("curl", &["--silent", "--show-error", "--fail-with-body", "--max-time", "5", &url])
        })
        .with_context(|| cluster.tails())?;
    }
    cluster.ready_after = begun.elapsed();
    Ok(cluster)
}

/// What a node sends to another one is lost from here on; what it gets from it is not.
///
/// # Errors
/// `ip` cannot do it.
pub fn cut(cluster: &Cluster, from: usize, to: usize) -> Result<()> {
    route(cluster, "add", from, to)
}

/// Takes a [`cut`] back.
///
/// # Errors
/// `ip` cannot do it, as when there is none.
pub fn mend(cluster: &Cluster, from: usize, to: usize) -> Result<()> {
    route(cluster, "del", from, to)
}

/// A blackhole route discards silently what is sent along a connection that stands (ip-route(8)).
fn route(cluster: &Cluster, act: &str, from: usize, to: usize) -> Result<()> {
    let shell = Shell::new(cluster.home(), Audience::Nobody);
    let network = cluster.node(from)?.network.clone().context("a node with a network of its own")?;
    let to = format!("{}/32", address(to.saturating_add(1)));
    shell.run("ip", &["-n", &network, "route", act, "blackhole", &to]).map(|_| ())
}

/// A program in a node's network.
fn inside(number: usize, binary: &Path) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &network(number)]).arg(binary);
    command
}

fn network(number: usize) -> String {
    format!("ca{number}")
}

fn address(number: usize) -> String {
    format!("10.77.0.{number}")
}

const NODES: usize = 3;

/// The names of networks are files below /run: nobody else's /run from here on.
const NETWORK: &str = r"set -e
mountpoint -q /run/netns || { mount -t tmpfs tmpfs /run; mkdir /run/netns; }
# What an earlier cluster has left: a network lives as long as anything in it, a link can be taken at once.
for n in 1 2 3; do
    ip netns del ca$n 2>/dev/null || true
    ip link del to$n 2>/dev/null || true
done
ip link del bridge 2>/dev/null || true
ip link add bridge type bridge
ip addr add 10.77.0.254/24 dev bridge
ip link set bridge up
for n in 1 2 3; do
    ip netns add ca$n
    ip link add to$n type veth peer name eth0 netns ca$n
    ip link set to$n master bridge up
    ip -n ca$n addr add 10.77.0.$n/24 dev eth0
    ip -n ca$n link set eth0 up
    ip -n ca$n link set lo up
done";
