//! Closed loops: so many clients, each with one request at a time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use scripts::cluster::Cluster;
use tokio::task::LocalSet;

use crate::limits::WARM_UP;
use crate::machine::cpu_us;
use crate::row::{Load, millis, percentile, rate, rounded};

/// Somebody who asks the same kind of thing again and again.
#[expect(async_fn_in_trait, reason = "all clients live on one thread")]
pub trait Client {
    /// Asks once and reads the answer whole.
    ///
    /// # Errors
    /// Anything but what was asked for.
    async fn ask(&mut self) -> Result<()>;
}

/// What all clients have seen since the measurement began.
#[derive(Debug, Default)]
struct Seen {
    times: Vec<Duration>,
    error_count: u64,
    first_error: Option<String>,
}

impl Seen {
    fn failed(&mut self, error: &anyhow::Error) {
        self.error_count = self.error_count.saturating_add(1);
        self.first_error.get_or_insert_with(|| format!("{error:#}"));
    }

    fn load(
        mut self,
        clients: usize,
        time: Duration,
        used_us: u64,
        said: &mut dyn FnMut(&str),
    ) -> Result<Load> {
        if let Some(error) = &self.first_error {
            said(error);
        }
        let count = u64::try_from(self.times.len())?;
        ensure!(count > 0, "not one answer for {clients} clients");
        Ok(Load {
            c: clients,
            per_s: rate(count, time),
            p50_ms: millis(percentile(&mut self.times, 50)),
            p99_ms: millis(percentile(&mut self.times, 99)),
            errors: self.error_count,
            server_cpu_us: rounded(f64::from(u32::try_from(used_us)?) / f64::from(u32::try_from(count)?)),
        })
    }
}

/// Lets them ask for `time`, after a warm-up; what ends within it counts. The first error is told to `said`.
///
/// # Errors
/// Not one answer, or a node that is gone.
pub async fn for_a_while<C: Client + 'static>(
    cluster: &Cluster,
    clients: Vec<C>,
    time: Duration,
    said: &mut dyn FnMut(&str),
) -> Result<Load> {
    let count = clients.len();
    let seen = Rc::new(RefCell::new(Seen::default()));
    let begin = Instant::now().checked_add(WARM_UP).unwrap_or_else(Instant::now);
    let end = begin.checked_add(time).unwrap_or(begin);
    let local = LocalSet::new();
    for mut client in clients {
        let seen = Rc::clone(&seen);
        local.spawn_local(async move {
            while Instant::now() < end {
                let asked = Instant::now();
                let done = client.ask().await;
                let now = Instant::now();
                let mut seen = seen.borrow_mut();
                match done {
                    Ok(()) if now >= begin && now < end => seen.times.push(now.duration_since(asked)),
                    Ok(()) => {}
                    // Those of the warm-up count as well: there is no reason for any.
                    Err(error) => seen.failed(&error),
                }
            }
        });
    }
    let measured = local.run_until(async {
        tokio::time::sleep_until(begin.into()).await;
        let before = cluster_cpu_us(cluster)?;
        tokio::time::sleep_until(end.into()).await;
        anyhow::Ok(cluster_cpu_us(cluster)?.saturating_sub(before))
    });
    let used_us = measured.await?;
    local.await;
    seen.take().load(count, time, used_us, said)
}

/// Lets them ask so many times in all, without a warm-up, and says how long that took. What fails is asked again by the
/// same client.
///
/// # Errors
/// A node that is gone, or more errors than answers.
pub async fn so_many<C: Client + 'static>(
    cluster: &Cluster,
    clients: Vec<C>,
    times: usize,
    said: &mut dyn FnMut(&str),
) -> Result<(Load, Duration)> {
    let count = clients.len();
    let seen = Rc::new(RefCell::new(Seen::default()));
    let left = Rc::new(Cell::new(times));
    let before = cluster_cpu_us(cluster)?;
    let begun = Instant::now();
    let local = LocalSet::new();
    for mut client in clients {
        let (seen, left) = (Rc::clone(&seen), Rc::clone(&left));
        local.spawn_local(async move {
            while let Some(after) = left.get().checked_sub(1) {
                left.set(after);
                let asked = Instant::now();
                while let Err(error) = client.ask().await {
                    let mut seen = seen.borrow_mut();
                    seen.failed(&error);
                    if seen.error_count > u64::try_from(times).unwrap_or(u64::MAX) {
                        return;
                    }
                }
                seen.borrow_mut().times.push(asked.elapsed());
            }
        });
    }
    local.await;
    let took = begun.elapsed();
    let used_us = cluster_cpu_us(cluster)?.saturating_sub(before);
    let seen = seen.take();
    ensure!(seen.times.len() == times, "{} of {times}: {:?}", seen.times.len(), seen.first_error);
    Ok((seen.load(count, took, used_us, said)?, took))
}

fn cluster_cpu_us(cluster: &Cluster) -> Result<u64> {
    cluster.nodes.iter().map(|node| cpu_us(node.pid)).sum()
}
