//! The configuration of one node: facts about this machine only. Whatever must be equal on all nodes is in the log.
//!
//! Defaults < `ca-node.toml` < environment (`CA_NODE__LISTEN__API`) < `--set listen.api=…`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The file as it is written. Unknown keys are refused, with line and caret.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigFile {
    /// Who this node is.
    pub(crate) node: NodeSection,
    /// Where it listens.
    pub(crate) listen: ListenSection,
    /// Where its keys are.
    #[serde(default)]
    pub(crate) token: TokenSection,
    /// What it tells.
    #[serde(default)]
    pub(crate) telemetry: TelemetrySection,
}

/// Who this node is.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeSection {
    /// Its name in the cluster; never used twice.
    pub(crate) name: String,
    /// Its log, its register, its TLS keys and the embedded token.
    pub(crate) data_dir: PathBuf,
}

/// Where it listens, and what it tells others to dial.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListenSection {
    /// The API: TLS.
    pub(crate) api: SocketAddr,
    /// The status service: plain HTTP on purpose.
    pub(crate) va: SocketAddr,
    /// The other members: mutual TLS under the cluster's own CA.
    pub(crate) peer: SocketAddr,
    /// The host that others dial, if it is not the address of `listen`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) advertise: Option<String>,
}

/// What others dial, each `host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) api: String,
    pub(crate) va: String,
    pub(crate) peer: String,
}

/// Where the keys are.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TokenSection {
    /// A PKCS#11 library; the embedded token if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) module: Option<PathBuf>,
    /// The token's label.
    pub(crate) label: String,
    /// Where the PIN is.
    pub(crate) pin: PinPlace,
    /// Signatures at a time.
    pub(crate) sessions: usize,
}

impl Default for TokenSection {
    fn default() -> Self {
        Self { module: None, label: "ca-node".to_owned(), pin: PinPlace::Default {}, sessions: 4 }
    }
}

/// Where the PIN is. Read again at each log-in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, untagged)]
pub(crate) enum PinPlace {
    /// `{ file = "/run/secrets/pin" }`
    File {
        /// The file, mode 0600.
        file: PathBuf,
    },
    /// `{ credential = "token-pin" }`: systemd's LoadCredential.
    Credential {
        /// The credential's name.
        credential: String,
    },
    /// `{ env = "TOKEN_PIN" }`
    Env {
        /// The variable's name.
        env: String,
    },
    /// `{}`: `token.pin` in the data directory, as `init --quick` writes it.
    Default {},
}

/// What the node tells.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TelemetrySection {
    /// A filter as `tracing` knows it.
    pub(crate) log: String,
}

impl Default for TelemetrySection {
    fn default() -> Self {
        Self { log: "info,openraft=warn,cryptoki=off".to_owned() }
    }
}

impl ConfigFile {
    /// Reads the file, then the environment, then `--set`.
    pub(crate) fn load(path: &Path, sets: &[String]) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            Failure::new("config-invalid", format!("{} cannot be read: {e}", path.display()))
                .next("ca-node init cluster, or ca-node join TOKEN, writes one")
        })?;
        let overrides = overrides(std::env::vars(), sets)?;
        let parsed: Self = toml::from_str(&text).map_err(|e| refused(path, &e))?;
        if overrides.is_empty() {
            return Ok(parsed);
        }
        let mut table: toml::Table = toml::from_str(&text).map_err(|e| refused(path, &e))?;
        for (key, value) in &overrides {
            place(&mut table, key, value);
        }
        let given = Path::new("environment and --set");
        table.try_into().map_err(|e| refused(given, &e))
    }

    /// What other members and clients dial.
    pub(crate) fn addresses(&self) -> Addresses {
        let dialled = |listen: SocketAddr| match &self.listen.advertise {
            Some(host) => format!("{host}:{}", listen.port()),
            None => listen.to_string(),
        };
        let ListenSection { api, va, peer, .. } = self.listen;
        Addresses { api: dialled(api), va: dialled(va), peer: dialled(peer) }
    }

    /// Writes the file, so that `ca-node server -c` needs nothing else.
    pub(crate) fn store(&self, path: &Path) -> Result<(), Failure> {
        let text = toml::to_string_pretty(self)
            .map_err(|e| Failure::new("internal", format!("the configuration cannot be written: {e}")))?;
        crate::files::write(path, text.as_bytes())
    }
}

impl TokenSection {
    /// The PIN, read now.
    pub(crate) fn read_pin(&self, data_dir: &Path) -> Result<SecretString, String> {
        let file = |path: PathBuf| {
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            Ok(SecretString::from(text.trim_end().to_owned()))
        };
        match &self.pin {
            PinPlace::File { file: path } => file(path.clone()),
            PinPlace::Credential { credential } => {
                let dir = std::env::var("CREDENTIALS_DIRECTORY")
                    .map_err(|_| "systemd gave no CREDENTIALS_DIRECTORY".to_owned())?;
                file(Path::new(&dir).join(credential))
            }
            PinPlace::Env { env } => {
                std::env::var(env).map(SecretString::from).map_err(|_| format!("${env} is not set"))
            }
            PinPlace::Default {} => file(crate::files::pin(data_dir)),
        }
    }
}

fn refused(path: &Path, error: &toml::de::Error) -> Failure {
    let unknown = error.message().contains("unknown field");
    let slug = if unknown { "config-unknown-key" } else { "config-invalid" };
    Failure::new(slug, format!("{}: {}", path.display(), error.to_string().trim_end()))
        .next("mend the line and start again; ca-node explain config-unknown-key lists the sections")
}

/// `CA_NODE__LISTEN__API=…` and `listen.api=…` alike.
fn overrides(
    environment: impl Iterator<Item = (String, String)>,
    sets: &[String],
) -> Result<Vec<(Vec<String>, String)>, Failure> {
    let mut found: Vec<(Vec<String>, String)> = environment
        .filter_map(|(name, value)| {
            let rest = name.strip_prefix("CA_NODE__")?.to_ascii_lowercase();
            Some((rest.split("__").map(str::to_owned).collect(), value))
        })
        .collect();
    for set in sets {
        let (key, value) = set.split_once('=').ok_or_else(|| {
            Failure::new("config-invalid", format!("--set {set}: not of the form section.key=value"))
        })?;
        found.push((key.split('.').map(str::to_owned).collect(), value.to_owned()));
    }
    Ok(found)
}

fn place(table: &mut toml::Table, key: &[String], value: &str) {
    match key {
        [] => {}
        [last] => {
            // A number or a table where it reads as one, text otherwise.
            let parsed = toml::from_str::<toml::Table>(&format!("v = {value}")).ok();
            let value = parsed
                .and_then(|mut parsed| parsed.remove("v"))
                .unwrap_or_else(|| toml::Value::String(value.to_owned()));
            table.insert(last.clone(), value);
        }
        [section, rest @ ..] => {
            let inner =
                table.entry(section.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(inner) = inner {
                place(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[node]\nname = \"ca1\"\ndata_dir = \"/d\"\n[listen]\napi = \"127.0.0.1:1\"\nva = \"127.0.0.1:2\"\npeer = \"127.0.0.1:3\"\n";

    fn load(text: &str, sets: &[&str]) -> Result<ConfigFile, Failure> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca-node.toml");
        std::fs::write(&path, text).unwrap();
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        ConfigFile::load(&path, &sets)
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let failure = load(&format!("{GOOD}colour = \"red\"\n"), &[]).unwrap_err();
        assert_eq!(failure.slug, "config-unknown-key");
        assert!(failure.what.contains("colour") && failure.what.contains("line 8"), "{}", failure.what);
        let failure = load(GOOD, &["listen.colour=red"]).unwrap_err();
        assert_eq!(failure.slug, "config-unknown-key");
    }

    #[test]
    fn set_comes_after_the_file() {
        let config = load(GOOD, &["listen.api=127.0.0.1:9", "token.sessions=7"]).unwrap();
        assert_eq!(config.listen.api.port(), 9);
        assert_eq!(config.token.sessions, 7);
        assert_eq!(load(GOOD, &["nonsense"]).unwrap_err().slug, "config-invalid");
    }

    #[test]
    fn others_dial_what_is_advertised() {
        let mut config = load(GOOD, &["listen.va=[::1]:2"]).unwrap();
        let addresses = |api: &str, va: &str, peer: &str| Addresses {
            api: api.to_owned(),
            va: va.to_owned(),
            peer: peer.to_owned(),
        };
        assert_eq!(config.addresses(), addresses("127.0.0.1:1", "[::1]:2", "127.0.0.1:3"));
        config.listen.advertise = Some("ca1.test".to_owned());
        assert_eq!(config.addresses(), addresses("ca1.test:1", "ca1.test:2", "ca1.test:3"));
    }

    #[test]
    fn what_is_written_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("written.toml");
        load(GOOD, &[]).unwrap().store(&path).unwrap();
        let again = ConfigFile::load(&path, &[]).unwrap();
        assert_eq!(again.node.name, "ca1");
        assert!(matches!(again.token.pin, PinPlace::Default {}));
    }
}
