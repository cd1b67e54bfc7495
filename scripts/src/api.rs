//! The API, by curl.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::cluster::{Cluster, Node};
use crate::shell::{Said, Shell};

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller<'a> {
    /// Where curl runs.
    pub shell: &'a Shell,
    /// The root that the nodes' TLS leads to.
    pub root: String,
    /// Certificate and key, if the caller shows any.
    pub identity: Option<(String, String)>,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What curl said, and how it was typed.
    pub said: Said,
    /// The HTTP status; 0 if there was no answer.
    pub status: u16,
    /// From the start of the call until the last octet.
    pub took: Duration,
}

/// RFC 9457, as far as it is looked at here.
#[derive(Clone, Debug, Deserialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
    /// What is wrong, for people.
    pub detail: String,
    /// `not_applied`, `unknown`.
    pub outcome: String,
    /// The next step.
    #[serde(default)]
    pub next: String,
}

/// How one node stands.
#[derive(Clone, Debug, Deserialize)]
pub struct Standing {
    /// Its number.
    pub node: u64,
    /// The leader it knows.
    pub leader: Option<u64>,
    /// What it has applied.
    pub applied: u64,
    /// The digest at that index.
    pub digest: String,
    /// Who votes.
    pub voters: Vec<u64>,
}

/// `GET /api/v1/cluster`, as far as it is looked at here.
#[derive(Clone, Debug, Deserialize)]
struct ClusterAnswer {
    standing: Standing,
}

impl<'a> Caller<'a> {
    /// The client that may issue and revoke.
    #[must_use]
    pub fn client(shell: &'a Shell, cluster: &Cluster) -> Self {
        let identity = Some((cluster.client_cert.clone(), cluster.client_key.clone()));
        Self { shell, root: cluster.root.clone(), identity }
    }

    /// The same caller with another certificate, or none.
    #[must_use]
    pub fn with_identity(&self, identity: Option<(String, String)>) -> Self {
        Self { identity, ..self.clone() }
    }

    /// A call, whatever its end. `more` are further arguments of curl.
    ///
    /// # Errors
    /// curl cannot be run.
    pub fn call(&self, node: &Node, path: &str, more: &[&str]) -> Result<Answer> {
        let url = format!("{}{path}", node.api);
        let mut arguments = vec!["--silent", "--show-error", "--max-time", "20", "--cacert", &self.root];
        if let Some((certificate, key)) = &self.identity {
            arguments.extend(["--cert", certificate, "--key", key]);
        }
        arguments.extend_from_slice(more);
        arguments.extend(["--write-out", "%{stderr}%{http_code} %{time_total}", &url]);
        answered(self.shell.try_run("curl", &arguments)?)
    }

    /// Posts the request in `NAME.json` and keeps certificate and chain in `NAME.pem`.
    ///
    /// # Errors
    /// Anything but 201.
    pub fn issue(&self, node: &Node, name: &str, more: &[&str]) -> Result<Answer> {
        let data = format!("@{name}.json");
        let mut arguments =
            vec!["--header", "Accept: application/pem-certificate-chain", "--data-binary", &data];
        arguments.extend_from_slice(more);
        let answer = self.call(node, "/api/v1/certificates", &arguments)?;
        answer.expect(201)?;
        self.shell.write(&format!("{name}.pem"), &answer.said.stdout)?;
        Ok(answer)
    }

    /// Revokes.
    ///
    /// # Errors
    /// curl cannot be run.
    pub fn try_revoke(&self, node: &Node, serial: &str, reason: &str) -> Result<Answer> {
        let body = serde_json::json!({ "reason": reason }).to_string();
        self.call(node, &format!("/api/v1/certificates/{serial}/revoke"), &["--data-binary", &body])
    }

    /// Revokes.
    ///
    /// # Errors
    /// Anything but 200.
    pub fn revoke(&self, node: &Node, serial: &str, reason: &str) -> Result<()> {
        self.try_revoke(node, serial, reason)?.expect(200)
    }

    /// How a node stands.
    ///
    /// # Errors
    /// Anything but 200.
    pub fn standing(&self, node: &Node) -> Result<Standing> {
        let answer = self.call(node, "/api/v1/cluster", &[])?;
        answer.expect(200)?;
        Ok(serde_json::from_value::<ClusterAnswer>(answer.json()?)?.standing)
    }

    /// The serial of the certificate in `NAME.pem`, as openssl reads it.
    ///
    /// # Errors
    /// openssl's.
    pub fn serial(&self, name: &str) -> Result<String> {
        let pem = format!("{name}.pem");
        let said = self.shell.run("openssl", &["x509", "-in", &pem, "-noout", "-serial"])?;
        let text = said.text();
        let serial = text.trim().strip_prefix("serial=").with_context(|| said.to_string())?;
        Ok(serial.to_ascii_lowercase())
    }
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.said.stdout).with_context(|| self.said.to_string())
    }

    /// Wants this status.
    ///
    /// # Errors
    /// It is another one, with all that curl printed.
    pub fn expect(&self, status: u16) -> Result<()> {
        ensure!(self.status == status, "wanted {status}, got {}\n{}", self.status, self.said);
        Ok(())
    }

    /// Wants a problem of this status and slug that says what to do.
    ///
    /// # Errors
    /// It is something else, with all that curl printed.
    pub fn problem(&self, status: u16, slugs: &[&str]) -> Result<Problem> {
        self.expect(status)?;
        let problem: Problem = serde_json::from_value(self.json()?).with_context(|| self.said.to_string())?;
        let slug = problem.slug();
        ensure!(slugs.contains(&slug), "wanted the slug {slugs:?}, got {slug}\n{}", self.said);
        ensure!(
            !problem.detail.is_empty() && !problem.next.is_empty(),
            "no detail or no next\n{}",
            self.said
        );
        Ok(problem)
    }

    /// Wants no HTTP answer but this TLS alert, in openssl's words. It comes in the place of the answer: in TLS 1.3 a
    /// client has sent its request before it can know that its certificate was refused (RFC 8446 §4.6.2).
    ///
    /// # Errors
    /// There was an answer, or curl failed otherwise, with all that it printed.
    pub fn alert(&self, alert: &str) -> Result<()> {
        // curl(1), EXIT CODES: failure in receiving network data.
        let received = self.status == 0 && self.said.code == Some(56);
        let named = self.said.stderr.contains(&format!("alert {alert}"));
        ensure!(received && named, "wanted the TLS alert `{alert}`, got {}\n{}", self.status, self.said);
        Ok(())
    }
}

impl Problem {
    /// The stable word.
    #[must_use]
    pub fn slug(&self) -> &str {
        self.kind.strip_prefix("urn:ca-node:problem:").unwrap_or(&self.kind)
    }
}

/// Takes apart what `--write-out` wrote to the end of standard error.
fn answered(mut said: Said) -> Result<Answer> {
    let at = said.stderr.trim_end().rfind('\n').map_or(0, |at| at.saturating_add(1));
    let last = said.stderr.split_off(at.min(said.stderr.len()));
    let mut parts = last.split_whitespace();
    let (Some(status), Some(seconds), None) = (parts.next(), parts.next(), parts.next()) else {
        bail!("curl did not say its status: {last}\n{said}");
    };
    let took = Duration::try_from_secs_f64(seconds.parse()?)?;
    Ok(Answer { status: status.parse()?, took, said })
}
