//! What relying parties ask: OCSP and CRLs, by openssl and curl.

use anyhow::{Context as _, Result, bail, ensure};

use crate::cluster::Node;
use crate::shell::Shell;

/// How OCSP is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// POST without a nonce.
    Post,
    /// POST with a nonce.
    PostNonce,
    /// GET without a nonce: what caches see.
    Get,
    /// GET with a nonce.
    GetNonce,
}

impl Way {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Post, Self::PostNonce, Self::Get, Self::GetNonce];

    fn has_nonce(self) -> bool {
        matches!(self, Self::PostNonce | Self::GetNonce)
    }
}

/// A relying party: it has fetched the chain of the issuing CA.
#[derive(Clone, Debug)]
pub struct RelyingParty<'a> {
    shell: &'a Shell,
}

/// The issuing CA's certificate.
const ISSUER: &str = "issuing.pem";
/// The same and the root's.
const CHAIN: &str = "chain.pem";

impl<'a> RelyingParty<'a> {
    /// Fetches the issuing CA's certificate where the certificates point to, and puts it before the root.
    ///
    /// # Errors
    /// curl's and openssl's.
    pub fn new(shell: &'a Shell, node: &Node, root: &str) -> Result<Self> {
        let url = format!("{}/ca/issuing.cer", node.va);
        shell.run("curl", &["--silent", "--show-error", "--fail", "--output", "issuing.cer", &url])?;
        shell.run("openssl", &["x509", "-inform", "DER", "-in", "issuing.cer", "-out", ISSUER])?;
        shell.write(CHAIN, [shell.read(ISSUER)?, shell.read(root)?].concat())?;
        Ok(Self { shell })
    }

    /// Verifies the certificate in `NAME.pem` with its chain.
    ///
    /// # Errors
    /// openssl's.
    pub fn verify(&self, name: &str, root: &str) -> Result<()> {
        let pem = format!("{name}.pem");
        let said = self
            .shell
            .run("openssl", &["verify", "-x509_strict", "-CAfile", root, "-untrusted", &pem, &pem])?;
        ensure!(said.text().trim() == format!("{pem}: OK"), "{said}");
        Ok(())
    }

    /// The status of the certificate in `NAME.pem` from this node: `good`, `revoked`, `unknown`. The answer is
    /// verified, its nonce compared.
    ///
    /// # Errors
    /// openssl's and curl's; an answer that does not verify, or has another nonce or none.
    pub fn ask(&self, node: &Node, name: &str, way: Way) -> Result<String> {
        match way {
            Way::Post | Way::PostNonce => self.post(node, name, way),
            Way::Get | Way::GetNonce => self.get(node, name, way),
        }
    }

    /// As [`RelyingParty::ask`], for a serial of which there may be no certificate.
    ///
    /// # Errors
    /// As there.
    pub fn ask_serial(&self, node: &Node, serial: &str) -> Result<String> {
        let (url, serial) = (format!("{}/ocsp", node.va), format!("0x{serial}"));
        let arguments =
            ["ocsp", "-issuer", ISSUER, "-serial", &serial, "-CAfile", CHAIN, "-no_nonce", "-url", &url];
        let said = self.shell.run("openssl", &arguments)?;
        status_of(&said.text(), &format!("{serial}: ")).with_context(|| said.to_string())
    }

    fn post(&self, node: &Node, name: &str, way: Way) -> Result<String> {
        let (pem, url) = (format!("{name}.pem"), format!("{}/ocsp", node.va));
        let mut arguments = vec!["ocsp", "-issuer", ISSUER, "-cert", &pem, "-CAfile", CHAIN, "-url", &url];
        if way == Way::Post {
            arguments.push("-no_nonce");
        }
        let said = self.shell.run("openssl", &arguments)?;
        ensure!(said.stderr.contains("Response verify OK"), "the answer does not verify\n{said}");
        ensure!(!(way.has_nonce() && said.stderr.contains("no nonce")), "no nonce came back\n{said}");
        status_of(&said.text(), &format!("{pem}: ")).with_context(|| said.to_string())
    }

    fn get(&self, node: &Node, name: &str, way: Way) -> Result<String> {
        let pem = format!("{name}.pem");
        let mut arguments = vec!["ocsp", "-issuer", ISSUER, "-cert", &pem, "-reqout", "ocsp.req"];
        arguments.push(if way.has_nonce() { "-nonce" } else { "-no_nonce" });
        self.shell.run("openssl", &arguments)?;
        let encoded = self.shell.run("openssl", &["base64", "-A", "-in", "ocsp.req"])?.text();
        let encoded = encoded.trim().replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let url = format!("{}/ocsp/{encoded}", node.va);
        let fetched = self.shell.run(
            "curl",
            &["--silent", "--show-error", "--fail", "--output", "ocsp.res", "--dump-header", "-", &url],
        )?;
        let head = fetched.text().to_ascii_lowercase();
        ensure!(
            head.contains("content-type: application/ocsp-response"),
            "the media type is missing\n{fetched}"
        );
        if way == Way::Get {
            ensure!(
                head.contains("max-age=") && head.contains("etag:"),
                "a cacheable answer has no cache headers\n{fetched}"
            );
        }
        let arguments = [
            "ocsp",
            "-reqin",
            "ocsp.req",
            "-respin",
            "ocsp.res",
            "-CAfile",
            CHAIN,
            "-verify_other",
            ISSUER,
            "-resp_text",
        ];
        let said = self.shell.run("openssl", &arguments)?;
        ensure!(said.stderr.contains("Response verify OK"), "the answer does not verify\n{said}");
        ensure!(!(way.has_nonce() && said.stderr.contains("no nonce")), "no nonce came back\n{said}");
        status_of(&said.text(), "Cert Status: ").with_context(|| said.to_string())
    }

    /// Fetches a CRL of the issuing CA into `NODE.crl` and has openssl verify it.
    ///
    /// # Errors
    /// curl's and openssl's.
    pub fn crl(&self, node: &Node) -> Result<Crl> {
        let (file, url) = (format!("{}.crl", node.name), format!("{}/crl/issuing.crl", node.va));
        self.shell.run("curl", &["--silent", "--show-error", "--fail", "--output", &file, &url])?;
        let arguments = ["crl", "-inform", "DER", "-in", &file, "-CAfile", CHAIN, "-noout", "-text"];
        let said = self.shell.run("openssl", &arguments)?;
        ensure!(said.stderr.contains("verify OK"), "the CRL does not verify\n{said}");
        Ok(Crl { octets: self.shell.read(&file)?, text: said.text().to_ascii_lowercase() })
    }

    /// The CRL that all these nodes serve, once they serve the same one and it lists these serials.
    ///
    /// # Errors
    /// They do not yet.
    pub fn equal_crl(&self, nodes: &[&Node], serials: &[String]) -> Result<String> {
        let mut lists = Vec::new();
        for node in nodes {
            lists.push((node.name.as_str(), self.crl(node)?));
        }
        let Some((_, first)) = lists.first() else { bail!("no nodes") };
        for (name, list) in &lists {
            ensure!(list.octets == first.octets, "the CRL of {name} differs from that of the first node");
        }
        for serial in serials {
            let line = format!("serial number: {}", serial.trim_start_matches('0'));
            ensure!(
                first.text.contains(&line) || first.text.contains(&format!("serial number: {serial}")),
                "the CRL does not list {serial}\n{}",
                first.text
            );
        }
        Ok(format!(
            "{} octets, {} entries",
            first.octets.len(),
            first.text.matches("serial number: ").count()
        ))
    }
}

/// One CRL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crl {
    /// As it was served.
    pub octets: Vec<u8>,
    /// As openssl shows it, in lower case.
    pub text: String,
}

/// The word after `label`.
fn status_of(text: &str, label: &str) -> Result<String> {
    let (_, rest) = text.split_once(label).with_context(|| format!("no `{label}`"))?;
    Ok(rest.split_whitespace().next().unwrap_or_default().to_owned())
}
