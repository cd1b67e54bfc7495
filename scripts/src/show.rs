//! `scripts/demo`: the same for a person to watch, with nothing but openssl and curl, left running at the end.
#![expect(clippy::print_stdout, reason = "a demonstration is printed")]

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::cluster::{Cluster, new_home};
use crate::interrupt::stop_on_interrupt;
use crate::limits::CRL_MAX;
use crate::poll::until_ok;
use crate::shell::{Audience, Shell};

/// Shows the program at this path; ends by Ctrl-C only.
///
/// # Errors
/// The first command that fails, with what it printed and the tails of the nodes' logs.
pub fn show(binary: &Path) -> Result<()> {
    let home = new_home()?;
    println!("Starting three nodes below {} …", home.display());
    let cluster = Cluster::start(binary, &home, stop_on_interrupt)?;
    println!(
        "… ready after {:.1} s. Everything from here on is typed in {}.\n",
        cluster.ready_after.as_secs_f32(),
        home.display()
    );
    let shell = Shell::new(&home, Audience::Person);
    if let Err(error) = scenes(&shell, &cluster) {
        let tails = cluster.tails();
        cluster.abandon();
        return Err(error.context(format!("{tails}kept: {}", home.display())));
    }
    println!("The cluster goes on until Ctrl-C. Try it: kill -9 one of them, and issue again.\n");
    for node in &cluster.nodes {
        println!("  {}  pid {:<7}  API {}  OCSP and CRL {}", node.name, node.pid, node.api, node.va);
        println!("       again: {} server -c {}", binary.display(), node.config.display());
    }
    // The thread that waits for Ctrl-C stops the cluster and ends the process.
    loop {
        std::thread::park();
    }
}

fn scenes(shell: &Shell, cluster: &Cluster) -> Result<()> {
    let (first, second, third) = (cluster.node(0)?, cluster.node(1)?, cluster.node(2)?);
    let curl = format!(
        "curl -sS --fail-with-body --cacert {} --cert {} --key {}",
        cluster.root, cluster.client_cert, cluster.client_key
    );
    println!("# A certificate, through {}.\n", first.name);
    shell.line(
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout s.key -subj /CN=web.test \
         -addext subjectAltName=DNS:web.test -out s.csr",
    )?;
    shell.line(
        r#"printf '{"profile":"tls-server","csr":"%s"}' "$(openssl req -in s.csr -outform DER | openssl base64 -A)" > req.json"#,
    )?;
    shell.line(&format!(
        "{curl} -H 'Accept: application/pem-certificate-chain' --data-binary @req.json {}/api/v1/certificates > s.pem",
        first.api
    ))?;
    shell.line(&format!("openssl verify -x509_strict -CAfile {} -untrusted s.pem s.pem", cluster.root))?;
    shell.line("openssl x509 -in s.pem -noout -subject -issuer -dates -serial -ext subjectAltName")?;
    println!("# Its status, from each of the three.\n");
    shell.line(&format!("curl -sS {}/ca/issuing.cer | openssl x509 -inform DER > issuing.pem", first.va))?;
    shell.line(&format!("cat issuing.pem {} > chain.pem", cluster.root))?;
    for node in &cluster.nodes {
        shell.line(&ocsp(&node.va))?;
    }
    println!("# Revoked through {}; seen at {}.\n", second.name, third.name);
    let serial = shell.line("openssl x509 -in s.pem -noout -serial")?.text();
    let serial = serial.trim().strip_prefix("serial=").context("a serial")?.to_owned();
    shell.line(&format!(
        "{curl} --data '{{\"reason\":\"superseded\"}}' {}/api/v1/certificates/{serial}/revoke",
        second.api
    ))?;
    shell.line(&ocsp(&third.va))?;
    println!("# And in the CRL, the same on all three.\n");
    wait_for_crl(shell, cluster, &serial)?;
    for node in &cluster.nodes {
        shell.line(&format!("curl -sS {}/crl/issuing.crl | sha256sum", node.va))?;
    }
    let crl = format!(
        "curl -sS {}/crl/issuing.crl | openssl crl -inform DER -CAfile chain.pem -noout -text",
        third.va
    );
    shell.line(&format!("{crl} | grep -A 3 -e 'CRL Number' -e '{serial}'"))?;
    println!("# How the cluster stands.\n");
    shell.line(&format!("{curl} {}/api/v1/cluster", third.api))?;
    Ok(())
}

fn ocsp(va: &str) -> String {
    format!("openssl ocsp -issuer issuing.pem -cert s.pem -CAfile chain.pem -url {va}/ocsp")
}

/// The list follows a revocation within moments; nobody wants to watch that.
fn wait_for_crl(shell: &Shell, cluster: &Cluster, serial: &str) -> Result<()> {
    let silent = Shell::new(shell.directory(), Audience::Nobody);
    until_ok("the CRL with the revoked serial", CRL_MAX, || {
        cluster.nodes.iter().try_for_each(|node| {
            let text = format!("curl -sS {}/crl/issuing.crl | openssl crl -inform DER -noout -text", node.va);
            silent.line(&format!("{text} | grep -q -i {serial}")).map(|_| ())
        })
    })
}
