//! What the command line refuses before it talks to anybody: each slug, its next step and its explanation.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use crate::cluster::PROGRAM;

/// Runs the program; answers its exit code and what it said to people.
fn said(args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM).args(args).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn every_refusal_has_its_slug_a_next_step_and_an_explanation() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    fs::create_dir(at("used")).unwrap();
    fs::write(at("used/something"), "x").unwrap();
    fs::write(at("garbage.pem"), "garbage").unwrap();
    fs::write(at("bad.toml"), "[node\n").unwrap();
    fs::write(at("unknown.toml"), "[node]\ncolour = \"red\"\n").unwrap();
    let identity = rcgen::generate_simple_self_signed(["client.test".to_owned()]).unwrap();
    fs::write(at("client.pem"), identity.cert.pem()).unwrap();
    fs::write(at("client.key"), identity.signing_key.serialize_pem()).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = taken.local_addr().unwrap();
    drop(taken);
    let nobody = format!("https://{nobody}");
    let (client, key) = (at("client.pem"), at("client.key"));
    let me = ["--addr", &nobody, "--cacert", &client, "--cert", &client, "--key", &key];
    let words = |words: &[&str]| -> Vec<String> { words.iter().map(|word| (*word).to_owned()).collect() };
    let init = |more: &[&str]| -> Vec<String> {
        let fixed = ["init", "cluster", "--quick", "--tokens", "0", "--api-port", "0", "--va-port", "0"];
        fixed.iter().chain(&["--peer-port", "0"]).chain(more).map(|word| (*word).to_owned()).collect()
    };
    let url = ["--url", "http://pki.test"];
    let pin = at("pin");
    fs::write(&pin, "1234").unwrap();
    let token = ["--module", "/nonexistent.so", "--token-label", "x", "--pin-file", &pin];
    let elsewhere = ["--root", "elsewhere", "--root-life", "5y"];
    let named =
        |dir: &str| -> Vec<String> { words(&["--name", "x", "--data-dir", &at(dir), url[0], url[1]]) };
    let with = |dir: &str, more: &[&str]| {
        let named = named(dir);
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        init(&[&named[..], more].concat())
    };
    let rows: [(Vec<String>, &str, i32); 13] = [
        (with("d", &token), "token-not-found", 1),
        (with("e", &elsewhere), "bad-choice", 1),
        (words(&["dev", "--nodes", "2"]), "bad-node-count", 1),
        (with("used", &[]), "data-dir-used", 1),
        (init(&["--name", "x", "--data-dir", &at("a"), "--url", "nonsense"]), "bad-url", 1),
        (init(&["--name", "x", "--data-dir", &at("b")]), "urls-missing", 1),
        (init(&[&["--name", &"x".repeat(200), "--data-dir", &at("c")], &url[..]].concat()), "bad-name", 1),
        (words(&[&["whoami"], &me[..]].concat()), "unreachable", 4),
        (words(&["whoami", "--cert", &at("nowhere.pem"), "--cacert", &client]), "file-unreadable", 1),
        (words(&["grant", "remove", &at("garbage.pem")]), "bad-request", 1),
        (words(&["server", "-c", &at("bad.toml")]), "config-invalid", 1),
        (words(&["server", "-c", &at("unknown.toml")]), "config-unknown-key", 1),
        (words(&["explain", "nonsense"]), "not-found", 1),
    ];
    for (args, slug, code) in &rows {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (ended, talk) = said(&args);
        assert_eq!(ended, Some(*code), "{args:?}: {talk}");
        let lines: Vec<&str> = talk.lines().rev().take(3).collect();
        let [docs, next, error] = lines[..] else { panic!("{args:?}: {talk}") };
        // A fault in a file is shown with its line, so the error may have several.
        assert!(talk.contains("error: ") && error.ends_with(&format!("  [{slug}]")), "{args:?}: {talk}");
        assert!(next.starts_with("  next: ") && next.len() > 12, "{args:?}: {talk}");
        assert_eq!(docs, format!("  docs: ca-node explain {slug}"), "{args:?}: {talk}");
        assert!(said(&["explain", slug]).0 == Some(0), "{slug}");
    }
}
