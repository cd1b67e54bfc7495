//! Every bad request: its status, its slug, a sentence and a next step.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Scene, SceneParts};
use crate::api::Answer;
use crate::cluster::Node;
use crate::requests::{KINDS, Kind, Names, write_body};
use crate::shell::Shell;

/// A body for `POST /api/v1/certificates` that is refused.
struct Bad {
    what: &'static str,
    body: Value,
    status: u16,
    slug: &'static str,
}

pub(super) fn every_bad_request(scene: &mut Scene<'_>) -> Result<()> {
    let good = good_csr(scene.shell)?;
    for (at_node, bad) in (0_usize..).zip(bad_bodies(scene.shell, &good)?) {
        let what = format!("refused: {} ({} {})", bad.what, bad.status, bad.slug);
        scene.step(&what, |at| {
            let node = at.cluster.node(at_node.checked_rem(at.cluster.nodes.len()).unwrap_or(0))?;
            write_body(at.shell, "bad", &bad.body)?;
            let problem = post(at, node, "@bad.json")?.problem(bad.status, &[bad.slug])?;
            ensure!(problem.outcome == "not_applied", "the outcome is {}", problem.outcome);
            Ok(())
        })?;
    }
    by_path(scene)?;
    oversized(scene)?;
    by_caller(scene)
}

fn post(at: &SceneParts<'_>, node: &Node, data: &str) -> Result<Answer> {
    at.caller.call(node, "/api/v1/certificates", &["--data-binary", data])
}

fn good_csr(shell: &Shell) -> Result<String> {
    let [kind, ..] = KINDS;
    kind.make(shell, "plain")?;
    Ok(String::from_utf8(shell.read("plain.csr")?)?)
}

fn bad_bodies(shell: &Shell, good: &str) -> Result<Vec<Bad>> {
    let csr = |csr: &str| json!({ "profile": "tls-server", "csr": csr });
    let garbage =
        "-----BEGIN CERTIFICATE REQUEST-----\nbm90IGEgcmVxdWVzdA==\n-----END CERTIFICATE REQUEST-----\n";
    let der = {
        shell.run("openssl", &["req", "-in", "plain.csr", "-outform", "DER", "-out", "plain.der"])?;
        shell.read("plain.der")?
    };
    let half = der.get(..der.len().checked_div(2).unwrap_or(0)).unwrap_or_default();
    let mut forged = der.clone();
    // The last octet belongs to the signature.
    forged.last_mut().into_iter().for_each(|octet| *octet ^= 1);
    let small = Kind { name: "small", key: &["rsa:1024"], names: Names::One };
    small.make(shell, "small")?;
    let uri =
        "openssl req -new -key plain.key -subj / -addext subjectAltName=URI:spiffe://web.test/a -out uri.csr";
    shell.line(uri)?;
    let read = |name: &str| -> Result<String> { Ok(String::from_utf8(shell.read(name)?)?) };
    let bad = |what, body, status, slug| Bad { what, body, status, slug };
    Ok(vec![
        bad("a garbage CSR", csr(garbage), 400, "csr-malformed"),
        bad("a CSR that is no base64", csr("not a request!"), 400, "csr-malformed"),
        bad("a truncated CSR", csr(&base64(shell, half)?), 400, "csr-malformed"),
        bad("a CSR with a wrong signature", csr(&base64(shell, &forged)?), 422, "csr-signature"),
        bad("an RSA key of 1024 bits", csr(&read("small.csr")?), 422, "outside-profile"),
        bad("a name outside the profile", csr(&read("uri.csr")?), 422, "outside-profile"),
        bad(
            "a name that is none",
            json!({ "profile": "tls-server", "csr": good, "names": ["a..test"] }),
            422,
            "outside-profile",
        ),
        bad(
            "a life beyond the profile",
            json!({ "profile": "tls-server", "csr": good, "ttl": "9999d" }),
            422,
            "outside-profile",
        ),
        bad("an unknown profile", json!({ "profile": "nonesuch", "csr": good }), 422, "unknown-profile"),
        bad(
            "an unknown CA to issue",
            json!({ "profile": "tls-server", "csr": good, "ca": "nonesuch" }),
            404,
            "unknown-ca",
        ),
        bad(
            "a profile for the cluster alone",
            json!({ "profile": "node-tls", "csr": good }),
            403,
            "forbidden",
        ),
        bad(
            "a CA outside the profile",
            json!({ "profile": "tls-server", "csr": good, "ca": "root" }),
            422,
            "outside-profile",
        ),
        bad(
            "an unknown field",
            json!({ "profile": "tls-server", "csr": good, "colour": "red" }),
            400,
            "bad-json",
        ),
        bad("JSON of another shape", json!([1, 2, 3]), 400, "bad-json"),
    ])
}

fn base64(shell: &Shell, octets: &[u8]) -> Result<String> {
    shell.write("plain.bin", octets)?;
    Ok(shell.run("openssl", &["base64", "-A", "-in", "plain.bin"])?.text())
}

/// What does not exist.
fn by_path(scene: &mut Scene<'_>) -> Result<()> {
    let serial = "/api/v1/certificates/4d0f00d4d0f00d4d0f00d4d0f00d4d0f";
    let revoke = format!("{serial}/revoke");
    let rows: [(&str, &str, &[&str], u16, &str); 5] = [
        ("an unknown serial, asked for", serial, &[], 404, "unknown-serial"),
        ("an unknown serial, revoked", &revoke, &["--data", "{}"], 404, "unknown-serial"),
        ("an unknown CA, asked for", "/api/v1/cas/nonesuch", &[], 404, "unknown-ca"),
        ("an unknown path", "/api/v1/nonesuch", &[], 404, "not-found"),
        (
            "a method that the path does not take",
            "/api/v1/certificates",
            &["--request", "DELETE"],
            405,
            "method-not-allowed",
        ),
    ];
    for (what, path, more, status, slug) in rows {
        scene.step(&format!("refused: {what} ({status} {slug})"), |at| {
            at.nodes()
                .into_iter()
                .try_for_each(|node| at.caller.call(node, path, more)?.problem(status, &[slug]).map(|_| ()))
        })?;
    }
    Ok(())
}

fn oversized(scene: &mut Scene<'_>) -> Result<()> {
    scene.step("refused: an oversized body (413 body-too-large)", |at| {
        write_body(at.shell, "bad", &json!({ "profile": "tls-server", "csr": "A".repeat(100_000) }))?;
        post(at, at.cluster.node(0)?, "@bad.json")?.problem(413, &["body-too-large"])?;
        Ok(())
    })
}

/// Who shows no certificate, or one of another CA, or one for another purpose.
fn by_caller(scene: &mut Scene<'_>) -> Result<()> {
    scene.step("refused: no client certificate (401 no-client-certificate)", |at| {
        let nobody = at.caller.with_identity(None);
        let answer =
            nobody.call(at.cluster.node(0)?, "/api/v1/certificates", &["--data-binary", "@plain.csr"])?;
        answer.problem(401, &["no-client-certificate"])?;
        Ok(())
    })?;
    scene.step("refused: a client certificate of another CA (TLS alert unknown_ca)", |at| {
        let key = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1";
        at.shell.line(&format!(
            "{key} -subj '/CN=another CA' -keyout another.key -out another.pem && \
             {key} -CA another.pem -CAkey another.key -subj /CN=stranger -keyout stranger.key -out stranger.pem \
             -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=clientAuth"
        ))?;
        let stranger = at.caller.with_identity(Some(("stranger.pem".to_owned(), "stranger.key".to_owned())));
        stranger.call(at.cluster.node(1)?, "/api/v1/cluster", &[])?.alert("unknown ca")
    })?;
    scene.step("refused: a server's certificate as a client's (TLS alert unsupported_certificate)", |at| {
        let name = at.good.first().cloned().unwrap_or_default();
        let server = at.caller.with_identity(Some((format!("{name}.pem"), format!("{name}.key"))));
        server.call(at.cluster.node(2)?, "/api/v1/cluster", &[])?.alert("unsupported certificate")
    })
}
