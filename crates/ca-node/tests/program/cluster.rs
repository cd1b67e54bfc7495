//! A dev cluster of real processes, for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_ca-node");

/// Longer than anything here should take on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(90);

/// One node of the cluster.
pub(crate) struct Node {
    pub(crate) api: String,
    pub(crate) pid: String,
    pub(crate) config: PathBuf,
    /// The process, once the test has started it again.
    again: Option<Child>,
}

/// Three nodes; they end with the value.
pub(crate) struct Cluster {
    dev: Child,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) nodes: Vec<Node>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("dev");
        let mut dev = Command::new(PROGRAM);
        dev.args(["dev", "--nodes", "3", "--any-port", "--keep", "--dir"]).arg(&home);
        let output = fs::File::create(dir.path().join("dev.out")).unwrap();
        dev.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let mut dev = dev.spawn().unwrap();
        let told = home.join("dev.json");
        until("the cluster is ready", || {
            assert!(dev.try_wait().unwrap().is_none(), "dev ended: {}", read(&dir.path().join("dev.out")));
            told.exists()
        });
        let told: serde_json::Value = serde_json::from_str(&read(&told)).unwrap();
        let nodes = told["nodes"].as_array().unwrap().iter().map(|node| Node {
            api: node["api"].as_str().unwrap().to_owned(),
            pid: node["pid"].to_string(),
            config: node["config"].as_str().unwrap().into(),
            again: None,
        });
        let nodes = nodes.collect();
        Self { dev, dir, nodes }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("dev")
    }

    /// Tells all nodes to stop, as Ctrl-C at `dev` does, and waits until they have.
    pub(crate) fn stop(&mut self) {
        assert!(Command::new("kill").arg(self.dev.id().to_string()).status().unwrap().success());
        assert!(self.dev.wait().unwrap().success(), "{}", read(&self.dir.path().join("dev.out")));
    }

    /// `host:port` of a node's status service.
    pub(crate) fn va(&self, node: usize) -> String {
        let config = read(&self.nodes[node].config);
        let va = config.lines().find_map(|line| line.strip_prefix("va = "));
        va.unwrap().trim_matches('"').to_owned()
    }

    /// A command of the command line, to one node.
    pub(crate) fn ask(&self, node: usize, args: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.args(args).env("CA_ADDR", &self.nodes[node].api);
        for (variable, file) in
            [("CA_CACERT", "root.pem"), ("CA_CERT", "client.pem"), ("CA_KEY", "client.key")]
        {
            command.env(variable, self.home().join(file));
        }
        command.output().unwrap()
    }

    /// As [`Cluster::ask`], which must succeed, with the patience of [`patiently`]; answers what it printed.
    pub(crate) fn must(&self, node: usize, args: &[&str]) -> String {
        let output = patiently(|| self.ask(node, args));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?} at node {node}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A CSR of openssl's making.
    pub(crate) fn csr(&self, name: &str) -> String {
        let (key, csr) =
            (self.dir.path().join(format!("{name}.key")), self.dir.path().join(format!("{name}.csr")));
        let made = Command::new("openssl")
            .args(["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
            .args(["-subj", &format!("/CN={name}"), "-addext", &format!("subjectAltName=DNS:{name}")])
            .arg("-keyout")
            .arg(key)
            .arg("-out")
            .arg(&csr)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        csr.display().to_string()
    }

    /// Issues; answers the serial.
    pub(crate) fn issue(&self, node: usize, csr: &str) -> String {
        serial(&self.must(node, &["issue", "--csr", csr, "-o", "json"]))
    }

    pub(crate) fn kill_9(&mut self, node: usize) {
        match &mut self.nodes[node].again {
            Some(process) => {
                process.kill().unwrap();
                process.wait().unwrap();
            }
            None => {
                let killed = Command::new("kill").args(["-9", &self.nodes[node].pid]).status().unwrap();
                assert!(killed.success());
                // Its last thread lets go of its files and ports; then its parent reaps it.
                let process = PathBuf::from(format!("/proc/{}", self.nodes[node].pid));
                until("the process is gone", || !process.exists());
            }
        }
    }

    pub(crate) fn start_again(&mut self, node: usize) {
        self.start_again_with(node, &[]);
    }

    /// With these in its environment; its log is then `again-<node>.log`.
    pub(crate) fn start_again_with(&mut self, node: usize, environment: &[(&str, &str)]) {
        let output = fs::File::create(self.dir.path().join(format!("again-{node}.log"))).unwrap();
        let process = Command::new(PROGRAM)
            .args(["server", "-c"])
            .arg(&self.nodes[node].config)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        self.nodes[node].again = Some(process);
    }

    /// `status` exits with 0 when all nodes answer and hold the same register.
    pub(crate) fn until_healthy(&self) {
        until("the cluster is healthy", || self.ask(0, &["status"]).status.success());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Some(process) = &mut node.again {
                let _ = process.kill();
                let _ = process.wait();
            }
        }
        // Waited for, its number is another process's by now.
        if matches!(self.dev.try_wait(), Ok(None)) {
            let _ = Command::new("kill").arg(self.dev.id().to_string()).status();
            let _ = self.dev.wait();
        }
    }
}

pub(crate) fn serial(issued: &str) -> String {
    let issued: serde_json::Value = serde_json::from_str(issued).unwrap();
    issued["serial"].as_str().unwrap().to_owned()
}

/// Polls until `is_so`; a test that waits in vain fails with what it waited for.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Asks as a client of a cluster does: again, while there is no leader. A node that is killed may have led, and on a busy
/// machine a leader's lease runs out between two heartbeats: the answer is right, and the question stands.
pub(crate) fn patiently(mut ask: impl FnMut() -> Output) -> Output {
    let mut answer = None;
    until("there is a quorum to ask", || {
        let told = ask();
        let text = [&told.stdout[..], &told.stderr[..]].map(String::from_utf8_lossy).concat();
        answer = Some(told);
        !["no-quorum", "not-known"].iter().any(|slug| {
            text.contains(&format!("[{slug}]")) || text.contains(&format!("urn:ca-node:problem:{slug}\""))
        })
    });
    answer.unwrap()
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
