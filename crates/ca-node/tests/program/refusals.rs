//! What the command line refuses before it talks to anybody: each slug, its next step and its explanation.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use crate::cluster::{Cluster, PROGRAM, patiently};

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

/// On real connections, also to a client that sends all before it reads.
///
/// Mechanism: `ca_http::surplus`. Without it the connection is reset while the client still sends.
#[test]
fn a_body_beyond_its_bound_is_answered_with_413() {
    let cluster = Cluster::start();
    for octets in [5_000, 12_000_000] {
        let mut plain = TcpStream::connect(cluster.va(0)).unwrap();
        let head = "POST /ocsp/issuing HTTP/1.1\r\nHost: node\r\nConnection: close\r\nContent-Length:";
        write!(plain, "{head} {octets}\r\n\r\n").unwrap();
        plain.write_all(&vec![b' '; octets]).unwrap();
        let mut answer = String::new();
        plain.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{octets} octets: {answer}");
    }
    // And over TLS, by a client that we did not write.
    let (home, big) = (cluster.home(), cluster.dir.path().join("big.json"));
    fs::write(&big, vec![b' '; 3_000_000]).unwrap();
    for (node, method, path) in
        [(1, "POST", "certificates".to_owned()), (2, "PUT", format!("grants/{}", "0".repeat(64)))]
    {
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "-H",
            "Expect:",
            "--http1.1",
            "-X",
            method,
        ]);
        curl.arg("--cert").arg(home.join("client.pem")).arg("--key").arg(home.join("client.key"));
        curl.arg("--cacert")
            .arg(home.join("root.pem"))
            .arg("--data-binary")
            .arg(format!("@{}", big.display()));
        let output = curl.arg(format!("{}/api/v1/{path}", cluster.nodes[node].api)).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "413", "{path}: {:?}", output.stderr);
    }
}

/// What a node refuses is said in the same words by its API and by the command line: slug, detail, next step; and
/// `explain` begins with the same title.
///
/// Mechanism: `ca-node/src/client.rs` `refusal` prints what the problem document says.
#[test]
fn the_command_line_says_what_the_api_says() {
    let cluster = Cluster::start();
    let csr = cluster.csr("web.test");
    let pem = fs::read_to_string(&csr).unwrap();
    let wanted = |profile: &str| serde_json::json!({ "profile": profile, "csr": pem }).to_string();
    let rows: [(&[&str], &str, &str, String); 4] = [
        (&["cert", "show", "12ab34"], "GET", "certificates/12ab34?ca=issuing", String::new()),
        (&["profile", "show", "nothing"], "GET", "profiles/nothing", String::new()),
        (&["ca", "show", "nothing"], "GET", "cas/nothing", String::new()),
        (&["issue", "--csr", &csr, "-p", "nothing"], "POST", "certificates", wanted("nothing")),
    ];
    for (node, (args, method, path, body)) in rows.iter().enumerate() {
        let home = cluster.home();
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-X", method, "--data-raw", body, "--cacert"]).arg(home.join("root.pem"));
        curl.arg("--cert").arg(home.join("client.pem")).arg("--key").arg(home.join("client.key"));
        let url = format!("{}/api/v1/{path}", cluster.nodes[node % 3].api);
        curl.arg(&url);
        let answer = patiently(|| curl.output().unwrap()).stdout;
        let problem: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        let text = |key: &str| problem[key].as_str().unwrap_or_else(|| panic!("{key} in {problem}"));
        let slug = text("type").strip_prefix("urn:ca-node:problem:").unwrap();

        let refused = patiently(|| cluster.ask(node % 3, args));
        let talk = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{args:?}: {talk}");
        let expected = format!(
            "error: {}  [{slug}]\n  next: {}\n  docs: ca-node explain {slug}\n",
            text("detail"),
            text("next")
        );
        assert!(talk.ends_with(&expected), "{args:?}: {talk}\n{expected}");
        let (_, title) = said(&["explain", slug]);
        assert_eq!(title, format!("{slug}: {}\n", text("title")));
    }
}
