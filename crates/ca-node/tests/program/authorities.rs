//! CAs on real processes: made on one node, issued by on another, checked by openssl, retired.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::cluster::{Cluster, PROGRAM, patiently, read, until};

impl Cluster {
    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.file(name), text).unwrap();
        self.file(name).display().to_string()
    }

    fn openssl(&self, arguments: &str) -> Output {
        Command::new("openssl").args(arguments.split(' ')).current_dir(self.dir.path()).output().unwrap()
    }

    fn refusal(&self, node: usize, args: &[&str]) -> String {
        let output = patiently(|| self.ask(node, args));
        assert!(!output.status.success(), "{args:?} was not refused");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// `tls-server` is issued by these CAs, the first of them by default.
    fn tls_server_by(&self, cas: &str) {
        let profile = self.must(0, &["profile", "show", "tls-server"]);
        let issuers = profile.lines().find(|line| line.starts_with("issuers = ")).unwrap();
        let file = self.write("tls-server.toml", &profile.replace(issuers, &format!("issuers = {cas}")));
        self.must(0, &["profile", "apply", &file]);
    }
}

const TEAM: [&str; 11] = [
    "create",
    "team",
    "--parent",
    "root",
    "--subject",
    "CN=Team CA,O=Corp",
    "--life",
    "2y",
    "--permit-dns",
    "team.test",
    "--exclude-ip=0.0.0.0/0",
];

/// A sub CA is made through one node while another is down, so that it waits (R11); the node that made it is killed,
/// and the same command at the third goes on with the same key. It issues through a node that never saw the command;
/// openssl agrees on what it may certify. Retired, it issues no more.
///
/// Mechanism: `proven_by_all` in `ca-core/src/apply/authorities.rs`; without it the first command makes the CA at once.
#[test]
fn r11_a_sub_ca_is_made_interrupted_and_issues_by_every_node() {
    let mut cluster = Cluster::start();
    let team = [&["ca"], &TEAM[..]].concat();
    let body = serde_json::json!({
        "name": "team", "parent": "root", "subject": "CN=Team CA,O=Corp", "life": "2y",
        "permit": { "dns": ["team.test"] }, "exclude": { "ip": ["0.0.0.0/0"] }
    });
    cluster.kill_9(2);
    let waiting = cluster.curl(0, "/api/v1/cas", &body);
    assert!(waiting["state"] == "waiting" && waiting["waiting_for"][0] == "node3", "{waiting}");
    cluster.kill_9(0);
    cluster.start_again(0);
    cluster.start_again(2);
    cluster.until_healthy();
    cluster.must(1, &team);
    cluster.must(0, &team);
    let shown = |node| -> serde_json::Value {
        serde_json::from_str(&cluster.must(node, &["ca", "show", "team", "-o", "json"])).unwrap()
    };
    let about = shown(0);
    assert!(about["state"] == "active" && about["key"] == waiting["key"], "one name, one key: {about}");

    cluster.tls_server_by("[\"team\", \"issuing\"]");
    let inside = cluster.csr("web.team.test");
    let chain = cluster.must(2, &["issue", "--csr", &inside]);
    cluster.write("leaf.pem", &chain);
    cluster.write("chain.pem", &cluster.must(2, &["ca", "chain", "team"]));
    let root = cluster.home().join("root.pem").display().to_string();
    let verify = |leaf: &str| cluster.openssl(&format!("verify -CAfile {root} -untrusted chain.pem {leaf}"));
    assert!(verify("leaf.pem").status.success(), "{:?}", verify("leaf.pem"));
    // What the CA may not certify is refused by us; forced upon its key by nobody, openssl has the last word on the CA.
    let outside = cluster.csr("web.other.test");
    assert!(cluster.refusal(1, &["issue", "--csr", &outside]).contains("[outside-ca]"));
    let below = ["ca", "create", "low", "--parent", "team", "--subject", "CN=Low"];
    assert!(cluster.refusal(1, &below).contains("[outside-ca]"));
    let text = cluster.openssl("x509 -in chain.pem -noout -text").stdout;
    let text = String::from_utf8_lossy(&text);
    for line in ["pathlen:0", "Name Constraints: critical", "DNS:team.test"] {
        assert!(text.contains(line), "{line}: {text}");
    }

    let serial = about["serial"].as_str().unwrap().to_owned();
    let dry = cluster.must(1, &["ca", "retire", "team", "--dry-run"]);
    assert!(dry.is_empty(), "data is not talk: {dry}");
    cluster.must(1, &["ca", "retire", "team"]);
    until("every node has heard of it", || (0..3).all(|node| shown(node)["state"] == "retired"));
    assert!(cluster.refusal(2, &["issue", "--csr", &inside]).contains("[ca-retired]"));
    // Its status goes on, and so does what issues beside it.
    assert!(cluster.must(0, &["crl", "get", "team"]).contains("BEGIN X509 CRL"));
    cluster.tls_server_by("[\"issuing\"]");
    cluster.must(2, &["issue", "--csr", &outside]);

    // A CA whose certificate is revoked issues no more, through any node.
    let about: serde_json::Value =
        serde_json::from_str(&cluster.must(0, &["ca", "show", "issuing", "-o", "json"])).unwrap();
    assert_ne!(about["serial"], serial);
    cluster.must(0, &["revoke", about["serial"].as_str().unwrap(), "--ca", "root", "-r", "superseded"]);
    assert!(cluster.refusal(1, &["issue", "--csr", &outside]).contains("[ca-revoked]"));
    cluster.must(1, &["ca", "renew", "issuing", "--life", "1y"]);
    cluster.must(2, &["issue", "--csr", &outside]);
}

impl Cluster {
    /// A POST that is answered with JSON, whatever its status.
    fn curl(&self, node: usize, path: &str, body: &serde_json::Value) -> serde_json::Value {
        let home = self.home();
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "30", "--data", &body.to_string()])
            .arg("--cacert")
            .arg(home.join("root.pem"))
            .arg("--cert")
            .arg(home.join("client.pem"))
            .arg("--key")
            .arg(home.join("client.key"))
            .arg(format!("{}{path}", self.nodes[node].api));
        let output = patiently(|| curl.output().unwrap());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A cluster that has no root key: its issuing CA waits with a request, an openssl-made root signs it, and what it
/// issues leads to that root. The doors work from the first moment, by a CA of their own.
#[test]
fn a_root_elsewhere_signs_the_issuing_ca() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let data = dir.path().join("data");
    let mut init = Command::new(PROGRAM);
    init.args(["init", "cluster", "--quick", "--name", "x", "--url", "http://pki.test", "--tokens", "0"]);
    init.args(["--root", "elsewhere", "--issuing-subject", "CN=Ours,O=Corp", "--issuing-key", "ec-p384"]);
    init.arg("--data-dir").arg(&data).args(["--api-port", "0", "--va-port", "0", "--peer-port", "0"]);
    let mut node = init.stderr(std::process::Stdio::null()).spawn().unwrap();
    until("the node is set up", || data.join("node.toml").exists());
    let config = read(&data.join("ca-node.toml"));
    let api =
        config.lines().find_map(|line| line.strip_prefix("api = ")).unwrap().trim_matches('"').to_owned();
    let ask = |args: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(args).env("CA_ADDR", format!("https://{api}"));
        for (variable, file) in
            [("CA_CACERT", "root.pem"), ("CA_CERT", "client.pem"), ("CA_KEY", "client.key")]
        {
            command.env(variable, data.join(file));
        }
        let output = command.output().unwrap();
        (output.status.success(), [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()))
    };
    let openssl = |arguments: &str| {
        let output =
            Command::new("openssl").args(arguments.split(' ')).current_dir(dir.path()).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    };
    until("the door is open", || ask(&["whoami"]).0);
    openssl(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=w.test -addext \
             subjectAltName=DNS:w.test -keyout w.key -out w.csr",
    );
    let (done, [_, said]) = ask(&["issue", "--csr", &path("w.csr")]);
    assert!(!done && said.contains("[ca-inactive]"), "{said}");

    let (_, [csr, _]) = ask(&["ca", "csr", "issuing"]);
    assert_eq!(csr, read(&data.join("issuing.csr")), "the request that init wrote");
    std::fs::write(path("ours.csr"), &csr).unwrap();
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -days 900 -subj /CN=Top -sha384 -keyout \
             top.key -out top.pem",
    );
    std::fs::write(
        path("ca.ext"),
        "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n\
         subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    )
    .unwrap();
    openssl(
        "x509 -req -in ours.csr -CA top.pem -CAkey top.key -CAcreateserial -days 800 -sha384 -extfile ca.ext -out \
             ours.pem",
    );
    let (done, [_, said]) = ask(&["ca", "import", "issuing", &path("ours.pem")]);
    assert!(!done && said.contains("[import-unfit]"), "without the root: {said}");
    std::fs::write(path("both.pem"), read(&dir.path().join("ours.pem")) + &read(&dir.path().join("top.pem")))
        .unwrap();
    let (done, [_, said]) = ask(&["ca", "import", "issuing", &path("both.pem")]);
    assert!(done, "{said}");
    let (done, [issued, said]) = ask(&["issue", "--csr", &path("w.csr")]);
    assert!(done, "{said}");
    std::fs::write(path("w.pem"), issued).unwrap();
    openssl("verify -CAfile top.pem -untrusted ours.pem w.pem");
    assert!(Command::new("kill").arg(node.id().to_string()).status().unwrap().success());
    node.wait().unwrap();
}
