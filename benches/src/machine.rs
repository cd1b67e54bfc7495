//! What the machine itself can do, in the same run: without it no rate of ours means anything.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use ca_core::ids::{ClusterId, Digest, NodeId};
use ca_hsm::{Module, ProofStatement, Token, TokenConfig};
use ca_x509::key::KeyKind;
use secrecy::SecretString;
use tokio::task::JoinSet;

use crate::limits::{FSYNC_OCTETS, MACHINE_MEASURE, TICK_US};
use crate::row::{Row, rate, rounded};

const LABEL: &str = "bench";
const SESSIONS: [usize; 3] = [1, 2, 4];

/// Appends with fdatasync on the disk that the nodes use.
///
/// # Errors
/// The disk's.
pub fn fsync(directory: &Path) -> Result<Row> {
    Ok(Row::Fsync { per_s: fsync_rate(directory)? })
}

/// The same, as a bare figure.
///
/// # Errors
/// The disk's.
pub fn fsync_rate(directory: &Path) -> Result<f64> {
    let path = directory.join("fsync");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    let block = [0x5a; FSYNC_OCTETS];
    let (begun, mut count) = (Instant::now(), 0_u64);
    while begun.elapsed() < MACHINE_MEASURE {
        file.write_all(&block)?;
        file.sync_data()?;
        count = count.saturating_add(1);
    }
    let per_s = rate(count, begun.elapsed());
    std::fs::remove_file(&path)?;
    Ok(per_s)
}

/// The embedded token by itself, with one, two and four sessions. What is signed is a key proof, the one thing that
/// needs no commit; a certificate's signature takes the same way.
///
/// # Errors
/// The token's.
pub async fn signatures(directory: &Path) -> Result<Vec<Row>> {
    let store = directory.join("token");
    std::fs::create_dir(&store)?;
    ca_token::install(&store)?;
    let (officer, user) = (SecretString::from("bench-officer"), SecretString::from("bench-user"));
    Token::provision(&Module::Embedded, LABEL, &officer, &user)?;
    let mut rows = Vec::new();
    for sessions in SESSIONS {
        rows.push(Row::Sign { sessions, per_s: token_rate(&user, sessions).await? });
    }
    Ok(rows)
}

/// The best of these rates of the token.
#[must_use]
pub fn best(rates: &[Row]) -> f64 {
    rates.iter().fold(0.0, |best, row| match row {
        Row::Sign { per_s, .. } => best.max(*per_s),
        _ => best,
    })
}

async fn token_rate(pin: &SecretString, sessions: usize) -> Result<f64> {
    let config = TokenConfig { sessions, ..TokenConfig::new(Module::Embedded, LABEL) };
    let token = Token::open(config, pin.clone())?;
    let key = match token.public_keys().await?.into_iter().next() {
        Some(key) => key,
        None => token.generate(KeyKind::EcP256, LABEL).await?,
    };
    let statement =
        ProofStatement { cluster: ClusterId([0; 16]), node: NodeId(0), asking: Digest::of(b"bench") };
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    // Two callers a session: the next request waits when a signature is done.
    for _ in 0..sessions.saturating_mul(2) {
        let (token, key) = (token.clone(), key.clone());
        callers.spawn(async move {
            let mut count = 0_u64;
            while begun.elapsed() < MACHINE_MEASURE {
                token.prove(&key, &statement).await?;
                count = count.saturating_add(1);
            }
            anyhow::Ok(count)
        });
    }
    let mut count = 0_u64;
    while let Some(caller) = callers.join_next().await {
        count = count.saturating_add(caller??);
    }
    let per_s = rate(count, begun.elapsed());
    token.close();
    Ok(per_s)
}

/// Processor time of a process so far, user and system, in microseconds.
///
/// # Errors
/// There is no such process.
pub fn cpu_us(pid: i32) -> Result<u64> {
    let path = format!("/proc/{pid}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    // The name stands in brackets and may hold anything: the numbers begin behind the last one (proc(5)).
    let (_, numbers) = stat.rsplit_once(") ").with_context(|| path.clone())?;
    let ticks = numbers.split(' ').skip(11).take(2).map(str::parse::<u64>);
    let ticks = ticks.sum::<Result<u64, _>>().with_context(|| path.clone())?;
    Ok(ticks.saturating_mul(TICK_US))
}

/// Processor time of all threads of a process so far, in nanoseconds: finer than the ticks of [`cpu_us`], without those
/// of threads that have ended.
///
/// # Errors
/// There is no such process, or the kernel keeps no such count.
pub fn cpu_ns(pid: i32) -> Result<u64> {
    let mut total = 0_u64;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let path = task?.path().join("schedstat");
        let stat = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let spent: u64 = stat.split(' ').next().unwrap_or_default().parse()?;
        total = total.saturating_add(spent);
    }
    Ok(total)
}

/// Forgets the greatest resident memory so far: `VmHWM` begins again with what is resident now (proc(5)).
///
/// # Errors
/// There is no such process, or it is somebody else's.
pub fn reset_memory_peak(pid: i32) -> Result<()> {
    let path = format!("/proc/{pid}/clear_refs");
    std::fs::write(&path, "5").with_context(|| path.clone())
}

/// A line of a process's status in KiB: `VmRSS`, or `VmHWM`, its greatest value.
///
/// # Errors
/// There is no such process.
pub fn memory_kib(pid: i32, line: &str) -> Result<u32> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    let found = status.lines().find_map(|row| row.strip_prefix(line)).with_context(|| path.clone())?;
    Ok(found.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse()?)
}

/// Resident memory of a process, in megabytes of 10^6 octets.
///
/// # Errors
/// There is no such process.
pub fn rss_mb(pid: i32) -> Result<f64> {
    Ok(rounded(f64::from(memory_kib(pid, "VmRSS")?) * 1024.0 / 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_time_and_memory() {
        let own = i32::try_from(std::process::id()).unwrap();
        let begun = Instant::now();
        while cpu_us(own).unwrap() == 0 {
            assert!(begun.elapsed().as_secs() < 60, "a loop that never uses the processor");
        }
        assert!(rss_mb(own).unwrap() > 0.5);
        assert!(cpu_ns(own).unwrap() > 0);
        assert!(memory_kib(own, "VmHWM").unwrap() >= memory_kib(own, "VmRSS").unwrap());
        assert!(cpu_us(-1).is_err());
    }
}
