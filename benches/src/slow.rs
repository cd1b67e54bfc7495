//! Tokens that take their time, as network HSMs do: with many of them a cluster issues more than one node could.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use scripts::cluster::{Cluster, Form, Processes};

use crate::failover::all_ready;
use crate::issue::{Through, measure};
use crate::limits::{SLOW_CONNECTIONS, SLOW_SESSIONS, SLOW_SIGNATURE};
use crate::row::Row;

/// Where Debian puts it.
const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// Certificates a second of so many nodes, each with a SoftHSM token whose signatures take [`SLOW_SIGNATURE`]. `shim` is
/// the module that waits.
///
/// # Errors
/// The shim is not built, or the cluster does not start.
pub async fn slow(
    nodes: usize,
    shim: &Path,
    binary: &Path,
    home: &Path,
    time: Duration,
    started: impl FnOnce(Arc<Mutex<Processes>>) -> Result<()>,
    said: &mut dyn FnMut(&str),
) -> Result<Row> {
    ensure!(
        shim.is_file(),
        "{} is not built; run: cargo build --release --package pkcs11-shim",
        shim.display()
    );
    let (tokens, configuration) = (home.join("tokens"), home.join("softhsm2.conf"));
    std::fs::create_dir(&tokens)?;
    std::fs::write(
        &configuration,
        format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display()),
    )?;
    let environment = vec![
        ("SOFTHSM2_CONF", configuration.display().to_string()),
        ("PKCS11_SHIM_MODULE", SOFTHSM.to_owned()),
        ("PKCS11_SHIM_SIGN_MS", SLOW_SIGNATURE.as_millis().to_string()),
    ];
    let form = Form { nodes, module: Some(shim.to_owned()), environment };
    let mut cluster = Cluster::start_as(form, binary, home, started)?;
    for position in 0..nodes {
        more_sessions(&cluster.node(position)?.config)?;
        cluster.kill(position)?;
        cluster.restart(position)?;
        all_ready(&cluster)?;
    }
    let load = measure(&cluster, Through::All, SLOW_CONNECTIONS, time, said).await?;
    let signature_ms = u64::try_from(SLOW_SIGNATURE.as_millis())?;
    Ok(Row::SlowTokens { nodes, sessions: SLOW_SESSIONS, signature_ms, load })
}

fn more_sessions(config: &Path) -> Result<()> {
    let text = std::fs::read_to_string(config)?;
    let kept: String =
        text.lines().filter(|line| !line.starts_with("sessions")).map(|line| format!("{line}\n")).collect();
    let (before, after) = kept.split_once("[token]").context("no [token] in the configuration")?;
    Ok(std::fs::write(config, format!("{before}[token]\nsessions = {SLOW_SESSIONS}{after}"))?)
}
