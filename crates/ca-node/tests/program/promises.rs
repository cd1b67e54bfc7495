//! Promises that only real processes can show.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use testnet::rows::ROWS;

use crate::cluster::{Cluster, PROGRAM, until};
use crate::status::{Said, asked, issuer};

/// What was acknowledged is there after kill -9 of all three nodes at once: certificates, revocations, and the answer
/// to a retry under its idempotency key. The nodes come back by themselves and hold the same register.
///
/// Twice: the second time every register also loses its write-ahead log, as a power loss takes what was never synced.
/// Without that the register alone brings everything back, for kill -9 leaves the kernel's pages as they are.
///
/// Mechanism: `append` in `ca-raft/src/store/log.rs` writes each entry to the write-ahead log before it counts. With
/// that switched off there (`WriteOptions::disable_wal`) the second time fails. Not shown here is the sync that follows
/// it: no process can take the kernel's pages away.
#[test]
fn i6_kill_9_of_all_three_loses_nothing() {
    let mut cluster = Cluster::start();
    let csr = cluster.csr("web.test");
    let mut serials = Vec::new();
    for round in 0..4 {
        for node in 0..3 {
            let key = format!("round-{round}-{node}");
            let issued =
                cluster.must(node, &["issue", "--csr", &csr, "--idempotency-key", &key, "-o", "json"]);
            serials.push((node, key, crate::cluster::serial(&issued)));
        }
    }
    let revoked: Vec<String> = serials.iter().step_by(3).map(|(_, _, serial)| serial.clone()).collect();
    for serial in &revoked {
        cluster.must(1, &["revoke", serial, "-r", "superseded"]);
    }
    for unsynced in [Unsynced::Kept, Unsynced::Lost] {
        for node in 0..3 {
            cluster.kill_9(node);
        }
        if unsynced == Unsynced::Lost {
            for node in 1..=3 {
                lose_what_the_register_never_synced(&cluster.home().join(format!("node{node}")));
            }
        }
        for node in 0..3 {
            cluster.start_again(node);
        }
        cluster.until_healthy();
        for (node, key, serial) in &serials {
            let shown = cluster.must((node + 1) % 3, &["cert", "show", serial]);
            let expected = if revoked.contains(serial) { "status\trevoked" } else { "status\tgood" };
            assert!(shown.contains(expected), "{unsynced:?}: {serial}: {shown}");
            let args = ["issue", "--csr", &csr, "--idempotency-key", key, "-o", "json"];
            let again = cluster.must((node + 2) % 3, &args);
            // The same requester, key and body: the same certificate (I7).
            assert_eq!(crate::cluster::serial(&again), *serial, "{unsynced:?}");
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unsynced {
    Kept,
    Lost,
}

/// Removes the write-ahead log of a register: RocksDB's `<number>.log`.
fn lose_what_the_register_never_synced(data_dir: &Path) {
    let inside = |path: &Path| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let is_register = |path: &PathBuf| {
        path.file_name().unwrap().to_string_lossy().starts_with("register-") && path.is_dir()
    };
    let register = inside(data_dir).find(is_register).unwrap();
    let logs: Vec<PathBuf> =
        inside(&register).filter(|file| file.extension().is_some_and(|is| is == "log")).collect();
    assert!(!logs.is_empty(), "{} has a write-ahead log", register.display());
    logs.iter().for_each(|log| std::fs::remove_file(log).unwrap());
}

/// Two of three nodes are gone: the third refuses to issue and to revoke within 2 s, says who is silent and that
/// nothing was done, and goes on answering OCSP. When one comes back, so does issuing.
///
/// Mechanism: the patience of `outcome` in `ca-raft/src/log.rs` (`NO_QUORUM_AFTER`); with a minute there the call
/// hangs. `usable_as_of` in `ca-authority/src/ocsp.rs` keeps status alive; with 2 s in the place of its grace the last
/// answer is `tryLater`.
#[test]
fn i17_a_minority_refuses_to_write_and_goes_on_answering() {
    let mut cluster = Cluster::start();
    let csr = cluster.csr("web.test");
    let serial = cluster.issue(0, &csr);
    until("node 2 answers", || {
        String::from_utf8_lossy(&cluster.ask(2, &["ocsp", "ask", &serial, "--all-nodes"]).stdout)
            .matches("good")
            .count()
            == 3
    });
    cluster.kill_9(0);
    cluster.kill_9(1);
    for args in [&["issue", "--csr", &csr][..], &["revoke", &serial][..]] {
        let begun = Instant::now();
        let refused = cluster.ask(2, args);
        let stderr = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("[no-quorum]") || stderr.contains("[not-known]"), "{stderr}");
        assert!(stderr.contains("node 1") && stderr.contains("node 2"), "who is silent: {stderr}");
        // 2 s, and the process's own start on a busy machine; the command line itself would give up after 15 s.
        assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    }
    let asked = cluster.ask(2, &["cert", "show", &serial]);
    assert!(asked.status.success(), "reads go on");
    let answer = openssl_ocsp(&cluster, &cluster.va(2), &serial);
    assert!(answer.contains(": good"), "{answer}");
    cluster.start_again(0);
    until("issuing goes on", || cluster.ask(2, &["issue", "--csr", &csr]).status.success());
}

/// Eight clients issue, revoke and read on all nodes while a follower is killed with -9, twice: for each serial there is one
/// order of all that they saw, and nothing else that `testnet/src/checks.rs` looks at is broken.
///
/// Mechanism: ReadIndex (`ca-raft/src/read.rs`), which a linearizable read waits for. With `committed` there answering 0
/// at once this fails.
#[test]
fn i22_what_clients_saw_under_kill_9_is_linearizable() {
    let home = tempfile::tempdir().unwrap();
    let mut cluster = scripts::cluster::Cluster::start(Path::new(PROGRAM), home.path(), |_| Ok(())).unwrap();
    let row = ROWS.iter().find(|row| row.name == "P2").unwrap();
    let ended = row.run(&mut cluster, 22, 2, 500, &mut |_| {}).unwrap();
    cluster.stop();
    assert!(ended.broken.is_empty(), "{:#?}", ended.broken);
    assert!(ended.acknowledged >= 500 && ended.gaps.len() == 2, "{ended:?}");
}

/// A node whose register has lost what was never synced, alone: until its own log is replayed as far as it knew it to be
/// committed it answers `tryLater`, and from then on what is true. Its term is no lower than before.
///
/// Mechanism: `read_committed` in `ca-raft/src/store/log.rs`, as far as which openraft replays before the doors open, and
/// `replay_to` in `ca-raft/src/log.rs` behind it. With `None` there and 0 here the node answers from the register that it
/// found; with one of them it does not. `save_vote`: without the row the term begins again.
#[test]
fn i24_a_node_that_starts_alone_answers_nothing_before_its_log_is_replayed() {
    let mut cluster = Cluster::start();
    let issuer = issuer(&cluster);
    let csr = cluster.csr("web.test");
    let serial = cluster.issue(0, &csr);
    cluster.must(1, &["revoke", &serial, "-r", "superseded"]);
    let parsed = serial.parse().unwrap();
    until("all know of it", || (0..3).all(|node| asked(&cluster, node, &issuer, &parsed) == Said::Revoked));
    // The moment that node 0 can vouch for is on its disk, with how far the log is committed; it must lie after the
    // revocation, or without a quorum nothing can be said of it.
    for _ in 0..2 {
        let earlier = standing(&cluster, 0).unwrap()["as_of"].clone();
        until("a second passes", || standing(&cluster, 0).unwrap()["as_of"] != earlier);
    }
    let before = standing(&cluster, 0).unwrap()["term"].as_u64().unwrap();
    for node in 0..3 {
        cluster.kill_9(node);
    }
    lose_what_the_register_never_synced(&cluster.home().join("node1"));
    cluster.start_again(0);
    let mut seen = None;
    until("it tells of the revocation", || {
        seen = seen.take().or_else(|| standing(&cluster, 0));
        let said = asked(&cluster, 0, &issuer, &parsed);
        assert!(matches!(said, Said::Later | Said::Revoked), "{said:?}");
        said == Said::Revoked
    });
    let seen = seen.or_else(|| standing(&cluster, 0)).unwrap();
    assert!(seen["term"].as_u64().unwrap() >= before, "{seen} after term {before}");
}

/// What a node says of itself, if it answers.
pub(crate) fn standing(cluster: &Cluster, node: usize) -> Option<serde_json::Value> {
    let home = cluster.home();
    let answer = std::process::Command::new("curl")
        .args(["-sS", "--fail", "--cacert"])
        .arg(home.join("root.pem"))
        .arg("--cert")
        .arg(home.join("client.pem"))
        .arg("--key")
        .arg(home.join("client.key"))
        .arg(format!("{}/api/v1/cluster?consistency=local", cluster.nodes[node].api))
        .output()
        .unwrap();
    let mut answer: serde_json::Value = serde_json::from_slice(&answer.stdout).ok()?;
    Some(answer["standing"].take())
}

fn openssl_ocsp(cluster: &Cluster, va: &str, serial: &str) -> String {
    let dir = cluster.dir.path();
    let fetch = |name: &str| {
        let der = std::process::Command::new("curl")
            .args(["-sS", "--fail", &format!("http://{va}/ca/{name}.cer")])
            .output()
            .unwrap();
        assert!(der.status.success(), "{}", String::from_utf8_lossy(&der.stderr));
        let path = dir.join(format!("{name}.cer"));
        std::fs::write(&path, der.stdout).unwrap();
        let pem = dir.join(format!("{name}.pem"));
        let made = std::process::Command::new("openssl")
            .args(["x509", "-inform", "DER", "-in"])
            .arg(&path)
            .arg("-out")
            .arg(&pem)
            .status()
            .unwrap();
        assert!(made.success());
        pem
    };
    let issuing = fetch("issuing");
    let output = std::process::Command::new("openssl")
        .args(["ocsp", "-no_nonce", "-url", &format!("http://{va}/ocsp"), "-issuer"])
        .arg(&issuing)
        .args(["-serial", &format!("0x{serial}")])
        .arg("-CAfile")
        .arg(cluster.home().join("root.pem"))
        .arg("-verify_other")
        .arg(&issuing)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("Response verify OK"), "{stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
