//! Our rates beside what the machine can do in the same run: the machines differ, and so do their hours; a ratio stays.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use scripts::cluster::Cluster;

use crate::closed_loop::for_a_while;
use crate::issue::{Through, measure};
use crate::limits::{FALL_HUNDREDTHS, FILL_CONNECTIONS, REQUESTS_PER_CONNECTION, REVOKED_FOR_A_RATIO};
use crate::mixed::mixed;
use crate::row::{Row, rounded};
use crate::{beside, machine, ocsp, revoke};

/// One rate of ours and what it is held against.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// What is measured: also its name in the record.
    pub what: &'static str,
    /// Ours, a second.
    pub ours: f64,
    /// What it is held against.
    pub limit: &'static str,
    /// That, a second.
    pub limit_per_s: f64,
}

impl Ratio {
    fn value(&self) -> f64 {
        self.ours / self.limit_per_s
    }
}

/// Measures all of them.
///
/// # Errors
/// A node that is gone, or something of the machine that cannot be measured.
pub async fn measure_all(cluster: &Cluster, seconds: u64, said: &mut dyn FnMut(&str)) -> Result<Vec<Ratio>> {
    const TOKEN: &str = "signatures of the token by itself";
    const FSYNC: &str = "fdatasync of 4 KiB, one thread";
    const VERIFY: &str = "`openssl speed`, P-256 verifications, one thread";
    const BESIDE_CFSSL: &str = "issue, 64 connections, beside another CA";
    const STATIC: &str = "nginx, a static file of that size";
    let time = Duration::from_secs(seconds);
    let fsync = machine::fsync_rate(cluster.home())?;
    let token = machine::best(&machine::signatures(cluster.home()).await?);
    let verify = openssl_verifications()?;
    let cfssl = cfssl(cluster, time).await;
    if let Err(why) = &cfssl {
        said(&format!("no cfssl to compare with: {why:#}"));
    }
    let mut ratios = Vec::new();
    let mut add = |what, ours, limit, limit_per_s| {
        said(&format!("{what}: {ours:.0} a second"));
        ratios.push(Ratio { what, ours, limit, limit_per_s });
    };
    for (what, connections, limit, limit_per_s) in [
        ("issue, 64 connections", 64, VERIFY, verify),
        ("issue, 16 connections", 16, VERIFY, verify),
        ("issue, 1 connection", 1, FSYNC, fsync),
    ] {
        let load = measure(cluster, Through::All, connections, time, &mut |_| {}).await?;
        add(what, load.per_s, limit, limit_per_s);
        if let (FILL_CONNECTIONS, Ok(per_s)) = (connections, &cfssl) {
            add(BESIDE_CFSSL, load.per_s, "cfssl: one node, no TLS, nothing stored", *per_s);
        }
    }
    if let Row::Mixed { load } = mixed(cluster, FILL_CONNECTIONS, time, &mut |_| {}).await? {
        add("mixed load, 64 connections", load.per_s, VERIFY, verify);
    }
    let leader = measure(cluster, Through::Leader, FILL_CONNECTIONS, time, &mut |_| {}).await?;
    let followers = measure(cluster, Through::Followers, FILL_CONNECTIONS, time, &mut |_| {}).await?;
    add("issue through the followers", followers.per_s, "issue through the leader", leader.per_s);
    for row in ocsp::cached(cluster, FILL_CONNECTIONS, time, &mut |_| {}).await? {
        if let Row::OcspCached { load, of_static: Some(of_static), .. } = row {
            add("OCSP by GET, kept answers", load.per_s, STATIC, load.per_s / of_static);
        }
    }
    if let Row::OcspLive { load, .. } =
        ocsp::live(cluster, FILL_CONNECTIONS, time, token, &mut |_| {}).await?
    {
        add("OCSP with a nonce, signed each", load.per_s, TOKEN, token);
    }
    let serials = revoke::fill(cluster, REVOKED_FOR_A_RATIO, &mut |_| {}).await?;
    if let Row::Revoke { load, .. } = revoke::revoke(cluster, serials, 16, &mut |_| {}).await? {
        add("revoke, 16 clients", load.per_s, FSYNC, fsync);
    }
    Ok(ratios)
}

/// Certificates a second of cfssl at as many connections.
async fn cfssl(cluster: &Cluster, time: Duration) -> Result<f64> {
    let server = beside::cfssl(cluster.home()).await?;
    let clients = (0..FILL_CONNECTIONS).map(|_| beside::cfssl_client(&server, REQUESTS_PER_CONNECTION));
    let load = for_a_while(cluster, clients.collect::<Result<_>>()?, time, &mut |_| {}).await?;
    Ok(load.per_s)
}

/// As a table in Markdown.
#[must_use]
pub fn table(ratios: &[Ratio]) -> String {
    let mut table =
        "| what | ours, a second | beside it | a second | ratio |\n|---|---|---|---|---|\n".to_owned();
    for ratio in ratios {
        let Ratio { what, ours, limit, limit_per_s } = ratio;
        // A String takes all.
        let _ = writeln!(table, "| {what} | {ours:.0} | {limit} | {limit_per_s:.0} | {:.2} |", ratio.value());
    }
    table
}

/// Each ratio beside the recorded one, and whether none fell by more than [`FALL_HUNDREDTHS`].
#[must_use]
pub fn compared(ratios: &[Ratio], recorded: &BTreeMap<String, f64>) -> (String, bool) {
    let mut table = "| what | recorded | now | |\n|---|---|---|---|\n".to_owned();
    let mut holds = true;
    for ratio in ratios {
        let now = ratio.value();
        let (before, word) = match recorded.get(ratio.what) {
            None => ("none".to_owned(), "new"),
            Some(before) if now * 100.0 < before * f64::from(100 - FALL_HUNDREDTHS) => {
                holds = false;
                (format!("{before:.3}"), "FELL")
            }
            Some(before) => (format!("{before:.3}"), "holds"),
        };
        let _ = writeln!(table, "| {} | {before} | {now:.3} | {word} |", ratio.what);
    }
    (table, holds)
}

/// What was recorded.
///
/// # Errors
/// The file's.
pub fn read(path: &Path) -> Result<BTreeMap<String, f64>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// Records these.
///
/// # Errors
/// The file's.
pub fn record(path: &Path, ratios: &[Ratio]) -> Result<()> {
    let values: BTreeMap<_, _> =
        ratios.iter().map(|ratio| (ratio.what, rounded(ratio.value() * 10.0) / 10.0)).collect();
    std::fs::write(path, serde_json::to_string_pretty(&values)? + "\n")
        .with_context(|| path.display().to_string())
}

/// The last number of the line that `openssl speed` ends with.
fn openssl_verifications() -> Result<f64> {
    let said = Command::new("openssl").args(["speed", "-seconds", "2", "ecdsap256"]).output()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let last = said.lines().rfind(|line| line.contains("ecdsa (nistp256)")).map(str::to_owned);
    let number = last.as_deref().and_then(|line| line.split_whitespace().last());
    number.and_then(|number| number.parse().ok()).with_context(|| format!("openssl speed said: {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(what: &'static str, ours: f64) -> Ratio {
        Ratio { what, ours, limit: "x", limit_per_s: 100.0 }
    }

    #[test]
    fn what_fell_by_more_than_a_fifth_is_named() {
        let recorded = BTreeMap::from([("a".to_owned(), 1.0), ("b".to_owned(), 1.0)]);
        let (table, holds) = compared(&[ratio("a", 79.0), ratio("b", 81.0), ratio("c", 1.0)], &recorded);
        assert!(!holds);
        assert!(table.contains("| a | 1.000 | 0.790 | FELL |"), "{table}");
        assert!(table.contains("| b | 1.000 | 0.810 | holds |"), "{table}");
        assert!(table.contains("| c | none | 0.010 | new |"), "{table}");
        assert!(compared(&[ratio("b", 500.0)], &recorded).1);
    }
}
