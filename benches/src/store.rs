//! What a store of many certificates costs: starting on it, issuing into it, keeping it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rocksdb::{DB, DBCompressionType, Direction, IteratorMode, Options};
use scripts::cluster::Cluster;

use crate::connection::{Issuing, tls};
use crate::failover::all_ready;
use crate::row::{Row, rounded};

/// The table of certificates in the register: the first octet of its keys (`ca-raft`, `store/key.rs`).
const CERTIFICATES: u8 = 10;

/// Kills each node in turn and starts it again; the slowest counts.
///
/// # Errors
/// A node that does not come back in time.
pub fn restart(cluster: &mut Cluster, certificates: usize) -> Result<Row> {
    let mut slowest = Duration::ZERO;
    for position in 0..cluster.nodes.len() {
        cluster.kill(position)?;
        let begun = Instant::now();
        cluster.restart(position)?;
        all_ready(cluster)?;
        slowest = slowest.max(begun.elapsed());
    }
    Ok(Row::Restart { certificates, ready_s: rounded(slowest.as_secs_f64()) })
}

/// The size of one node's register, compacted in a copy, beside the DER of what is in it.
///
/// # Errors
/// The disk's, or no register is found.
pub async fn disk(cluster: &mut Cluster) -> Result<Row> {
    let mut issuing = Issuing::new(cluster.node(0)?, &tls(cluster)?)?;
    let (certificate, _) = issuing.issue().await?.certificates()?;
    let last = cluster.nodes.len().saturating_sub(1);
    let config = cluster.node(last)?.config.clone();
    let directory = config.parent().context("a configuration without a directory")?;
    cluster.kill(last)?;
    let copy = cluster.home().join("register-copy");
    copy_files(&register_below(directory)?.context("no register below the node's directory")?, &copy)?;
    cluster.restart(last)?;
    let certificates = compacted(&copy)?;
    let octets = octets_in(&copy)?;
    fs::remove_dir_all(&copy)?;
    let der_octets = certificate.as_der().len();
    let octets_each = f64::from(u32::try_from(octets)?) / f64::from(u32::try_from(certificates)?);
    let of_der = rounded(octets_each / f64::from(u32::try_from(der_octets)?));
    Ok(Row::Disk { certificates, octets_each: rounded(octets_each), der_octets, of_der })
}

fn register_below(directory: &Path) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if !path.is_dir() {
            continue;
        }
        let is_register = path.join("CURRENT").is_file()
            && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("register-"));
        if is_register {
            return Ok(Some(path));
        }
        if let Some(found) = register_below(&path)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Compacts, as the node compresses it. How many certificates there are.
fn compacted(directory: &Path) -> Result<usize> {
    let mut options = Options::default();
    options.set_compression_type(DBCompressionType::Lz4);
    let db = DB::open(&options, directory)?;
    db.compact_range(None::<&[u8]>, None::<&[u8]>);
    let rows = db.iterator(IteratorMode::From(&[CERTIFICATES], Direction::Forward));
    Ok(rows.map_while(Result::ok).take_while(|(key, _)| key.first() == Some(&CERTIFICATES)).count())
}

/// Of the tables, in which everything is after compaction.
fn octets_in(directory: &Path) -> Result<u64> {
    let mut octets = 0_u64;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "sst") {
            octets = octets.saturating_add(entry.metadata()?.len());
        }
    }
    Ok(octets)
}
