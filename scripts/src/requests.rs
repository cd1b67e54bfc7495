//! Certificate requests by openssl: the good ones of every kind, and the bad ones.

use anyhow::Result;

use crate::shell::Shell;

/// One kind of request.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// For file names and lines.
    pub name: &'static str,
    /// What follows `-newkey`.
    pub key: &'static [&'static str],
    /// The names in it.
    pub names: Names,
}

/// Which names are in a request.
#[derive(Clone, Copy, Debug)]
pub enum Names {
    /// One.
    One,
    /// So many.
    Many(usize),
    /// `*.` and one below it.
    Wildcard,
}

/// Every kind of key that `tls-server` takes, and the shapes of names.
pub const KINDS: [Kind; 6] = [
    Kind { name: "p256", key: &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], names: Names::One },
    Kind { name: "p384", key: &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], names: Names::One },
    Kind { name: "rsa2048", key: &["rsa:2048"], names: Names::One },
    Kind { name: "rsa3072", key: &["rsa:3072"], names: Names::One },
    Kind { name: "many", key: &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], names: Names::Many(50) },
    Kind { name: "wildcard", key: &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], names: Names::Wildcard },
];

impl Kind {
    /// Makes `NAME.key` and `NAME.csr`.
    ///
    /// # Errors
    /// openssl's.
    pub fn make(&self, shell: &Shell, name: &str) -> Result<()> {
        let (common, names) = self.names.of(self.name);
        let mut arguments = vec!["req".to_owned(), "-new".to_owned(), "-newkey".to_owned()];
        arguments.extend(self.key.iter().map(|part| (*part).to_owned()));
        arguments.extend(["-nodes".to_owned(), "-keyout".to_owned(), format!("{name}.key")]);
        arguments.extend(["-subj".to_owned(), format!("/CN={common}")]);
        arguments.extend(["-addext".to_owned(), format!("subjectAltName={names}")]);
        arguments.extend(["-out".to_owned(), format!("{name}.csr")]);
        shell.run("openssl", &arguments).map(|_| ())
    }
}

impl Names {
    /// The common name, and the value of subjectAltName.
    fn of(self, kind: &str) -> (String, String) {
        let first = format!("{kind}.web.test");
        match self {
            Self::One => (first.clone(), format!("DNS:{first}")),
            Self::Many(count) => {
                let names: Vec<String> = (0..count).map(|at| format!("DNS:h{at}.{first}")).collect();
                (format!("h0.{first}"), names.join(","))
            }
            Self::Wildcard => (format!("*.{first}"), format!("DNS:*.{first},DNS:{first}")),
        }
    }
}

/// The JSON for a CSR in PEM, into `NAME.json`.
///
/// # Errors
/// The CSR cannot be read, or the file not written.
pub fn write_json(shell: &Shell, name: &str) -> Result<()> {
    let csr = String::from_utf8(shell.read(&format!("{name}.csr"))?)?;
    write_body(shell, name, &serde_json::json!({ "profile": "tls-server", "csr": csr }))
}

/// Any body, into `NAME.json`.
///
/// # Errors
/// The file cannot be written.
pub fn write_body(shell: &Shell, name: &str, body: &serde_json::Value) -> Result<()> {
    shell.write(&format!("{name}.json"), body.to_string())
}
