//! What lies where in a node's data directory, and how it is written.
//!
//! ```text
//! data_dir/
//!   ca-node.toml           the configuration that init and join write
//!   node.toml              cluster, epoch, number: written last, so that it is there only if all else is
//!   token.pin              0600, if init or join made the token
//!   token/                 the embedded token
//!   tls/{peer,api}.{key,pem}, peer-ca.pem, root.pem
//!   log/ register/         the issuance log and what it builds
//! ```

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use ca_core::ids::{ClusterId, Epoch, NodeId};
use ca_raft::PeerIdentity;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

pub(crate) fn config(data_dir: &Path) -> PathBuf {
    data_dir.join("ca-node.toml")
}

pub(crate) fn pin(data_dir: &Path) -> PathBuf {
    data_dir.join("token.pin")
}

pub(crate) fn token(data_dir: &Path) -> PathBuf {
    data_dir.join("token")
}

pub(crate) fn root(data_dir: &Path) -> PathBuf {
    data_dir.join("root.pem")
}

pub(crate) fn tls(data_dir: &Path, name: &str) -> PathBuf {
    data_dir.join("tls").join(name)
}

/// Who a node is, for ever: what `node.toml` says.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NodeFile {
    /// Hex.
    cluster: String,
    epoch: u64,
    node: u64,
}

/// Whose directory this is.
pub(crate) fn load_identity(data_dir: &Path) -> Result<PeerIdentity, Failure> {
    let path = data_dir.join("node.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| {
        Failure::new(
            "not-initialised",
            format!("{} is no node's data directory: {}: {e}", data_dir.display(), path.display()),
        )
        .next("ca-node init cluster for a new cluster, ca-node join TOKEN for an existing one")
        .code(3)
    })?;
    let wrong = |why: &dyn std::fmt::Display| Failure::internal(format!("{}: {why}", path.display()));
    let NodeFile { cluster, epoch, node } = toml::from_str(&text).map_err(|e| wrong(&e))?;
    let cluster = hex::decode(&cluster).ok().and_then(|octets| octets.try_into().ok());
    let cluster = ClusterId(cluster.ok_or_else(|| wrong(&"`cluster` is no cluster id"))?);
    Ok(PeerIdentity { cluster, epoch: Epoch(epoch), node: NodeId(node) })
}

/// COMMIT of init and join: after this the directory is a node's; a crash before leaves nothing that starts.
pub(crate) fn store_identity(data_dir: &Path, identity: PeerIdentity) -> Result<(), Failure> {
    let PeerIdentity { cluster, epoch, node } = identity;
    let file = NodeFile { cluster: cluster.to_string(), epoch: epoch.0, node: node.0 };
    let text = toml::to_string(&file).map_err(Failure::internal)?;
    write(&data_dir.join("node.toml"), text.as_bytes())
}

/// A directory for something new: made if it is missing, refused if it holds anything.
pub(crate) fn claim(data_dir: &Path) -> Result<(), Failure> {
    let used = std::fs::read_dir(data_dir).map(|mut entries| entries.next().is_some()).unwrap_or(false);
    if used {
        return Err(Failure::new("data-dir-used", format!("{} is not empty", data_dir.display()))
            .next("ca-node server to start the node that is there, or name another --data-dir"));
    }
    make(data_dir)
}

/// Makes a directory for its owner alone.
pub(crate) fn make(path: &Path) -> Result<(), Failure> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|e| Failure::new("data-dir-used", format!("{} cannot be made: {e}", path.display())))
}

/// Writes a file for its owner alone, whole or not at all.
pub(crate) fn write(path: &Path, octets: &[u8]) -> Result<(), Failure> {
    let aside = path.with_extension("new");
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&aside)
        .and_then(|mut file| file.write_all(octets).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&aside, path));
    written.map_err(|e| Failure::internal(format!("{} cannot be written: {e}", path.display())))
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|e| Failure::new("file-unreadable", format!("{} cannot be read: {e}", path.display())))
}
