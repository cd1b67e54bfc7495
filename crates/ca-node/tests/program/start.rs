//! What the program says when it cannot start, or is asked for nonsense: the fault, the next step, nothing half done.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use crate::cluster::PROGRAM;

fn run(args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).output().unwrap()
}

/// The first line of what it said, and its exit code.
fn refused(output: &Output) -> (String, i32) {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("error: "), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    (stderr, output.status.code().unwrap())
}

fn config(dir: &Path, extra: &str) -> String {
    let path = dir.join("ca-node.toml");
    let data_dir = dir.join("data");
    let text = format!(
        "[node]\nname = \"n\"\ndata_dir = {:?}\n[listen]\napi = \"127.0.0.1:0\"\nva = \"127.0.0.1:0\"\npeer = \"127.0.0.1:0\"\n{extra}",
        data_dir.display().to_string()
    );
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn an_unknown_configuration_key_is_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let (said, code) = refused(&run(&["server", "-c", &config(dir.path(), "colour = 1\n")]));
    assert!(
        said.contains("[config-unknown-key]") && said.contains("colour") && said.contains("line 8"),
        "{said}"
    );
    assert_eq!(code, 1);
}

#[test]
fn a_directory_that_is_no_nodes_says_how_to_make_one() {
    let dir = tempfile::tempdir().unwrap();
    let (said, code) = refused(&run(&["server", "-c", &config(dir.path(), "")]));
    assert!(said.contains("[not-initialised]") && said.contains("ca-node init cluster"), "{said}");
    assert_eq!(code, 3);
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let data = dir.path().join("data");
    let said = refused(&run(&[
        "init",
        "cluster",
        "--quick",
        "--name",
        "x",
        "--url",
        "http://pki.test",
        "--data-dir",
        data.to_str().unwrap(),
        "--api-port",
        &port,
        "--va-port",
        "0",
        "--peer-port",
        "0",
    ]));
    assert!(said.0.contains("[port-in-use]") && said.0.contains(&port), "{}", said.0);
    assert!(!data.exists(), "nothing half done");
}

#[test]
fn without_public_addresses_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let init = ["init", "cluster", "--quick", "--name", "x", "--data-dir", data.to_str().unwrap()];
    let (said, _) = refused(&run(&init));
    assert!(said.contains("[urls-missing]") && said.contains("--url http://HOST"), "{said}");
    let (said, _) = refused(&run(&[&init[..], &["--url", "https://pki.test"]].concat()));
    assert!(said.contains("[bad-url]") && said.contains("circular"), "{said}");
    assert!(!data.exists(), "nothing half done");
}

#[test]
fn garbage_is_no_join_token() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (said, _) = refused(&run(&["join", "nonsense", "--data-dir", data.to_str().unwrap()]));
    assert!(said.contains("[join-token-unknown]"), "{said}");
    assert!(!data.exists(), "nothing half done");
}

#[test]
fn a_wrong_pin_is_tried_once_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    // A node that was set up: its first process ends at the port that is taken from it on purpose.
    let mut init = Command::new(PROGRAM);
    init.args(["init", "cluster", "--quick", "--name", "x", "--url", "http://pki.test", "--tokens", "0"])
        .arg("--data-dir")
        .arg(&data);
    init.args(["--api-port", "0", "--va-port", "0", "--peer-port", "0"]);
    let mut node = init.stderr(std::process::Stdio::null()).spawn().unwrap();
    crate::cluster::until("the node is set up", || data.join("node.toml").exists());
    node.kill().unwrap();
    node.wait().unwrap();
    std::fs::write(data.join("token.pin"), "not the pin").unwrap();
    let config = data.join("ca-node.toml").display().to_string();
    let (said, code) = refused(&run(&["server", "-c", &config]));
    assert!(said.contains("[wrong-pin]"), "{said}");
    assert_eq!(code, 1);
    // Another cluster's directory: the certificate and node.toml disagree.
    let node_toml = data.join("node.toml");
    let text = std::fs::read_to_string(&node_toml).unwrap();
    std::fs::write(&node_toml, text.replace("node = 1", "node = 2")).unwrap();
    let (said, _) = refused(&run(&["server", "-c", &config]));
    assert!(said.contains("[foreign-data-dir]"), "{said}");
}

#[test]
fn every_error_is_explained_offline() {
    let list = run(&["explain"]);
    assert!(list.status.success());
    for line in String::from_utf8(list.stdout).unwrap().lines() {
        let slug = line.split('\t').next().unwrap();
        assert!(run(&["explain", slug]).status.success(), "{slug}");
    }
    let (said, _) = refused(&run(&["explain", "no-such-slug"]));
    assert!(said.contains("[not-found]"), "{said}");
}

#[test]
fn an_unreachable_node_is_exit_code_4() {
    let dir = tempfile::tempdir().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let missing = dir.path().join("none.pem").display().to_string();
    let (said, _) = refused(&run(&["status", "--cacert", &missing, "--addr", &format!("https://{closed}")]));
    assert!(said.contains("--cacert"), "{said}");
}
