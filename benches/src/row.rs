//! What is measured, one line of JSON each.

use std::time::Duration;

use serde::Serialize;

/// One line.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Row {
    /// Appends of 4 KiB with fdatasync, one thread.
    Fsync {
        /// Appends a second.
        per_s: f64,
    },
    /// P-256 signatures of the embedded token through the signer, without anything else.
    Sign {
        /// Sessions, each a thread.
        sessions: usize,
        /// Signatures a second.
        per_s: f64,
    },
    /// From `ca-node dev` to three nodes ready for writing.
    Start {
        /// Seconds.
        ready_s: f64,
    },
    /// Resident memory of one node before any load.
    Memory {
        /// The node.
        node: String,
        /// Megabytes of 10^6 octets.
        rss_mb: f64,
    },
    /// Certificates, closed loop.
    Issue {
        /// Which nodes were asked: `all`, `leader`, `followers`.
        through: String,
        /// The certificates.
        #[serde(flatten)]
        load: Load,
    },
    /// Certificates of a cluster whose tokens take their time.
    SlowTokens {
        /// How many nodes, each with a token of its own.
        nodes: usize,
        /// Sessions of each.
        sessions: usize,
        /// How long a signature takes.
        signature_ms: u64,
        /// The certificates.
        #[serde(flatten)]
        load: Load,
    },
    /// A static file of the size of an OCSP answer, from nginx with two workers: the limit for a cached answer.
    Static {
        /// The answers.
        #[serde(flatten)]
        load: Load,
    },
    /// OCSP by GET without a nonce: answers that are kept.
    OcspCached {
        /// How many different certificates were asked about.
        certificates: usize,
        /// Of the rate of the static file, if there is one.
        of_static: Option<f64>,
        /// The answers.
        #[serde(flatten)]
        load: Load,
    },
    /// OCSP by POST, each with a nonce of its own: a signature each.
    OcspLive {
        /// Of the best rate of the embedded token by itself.
        of_token: f64,
        /// The answers.
        #[serde(flatten)]
        load: Load,
    },
    /// Revocations, each by its serial.
    Revoke {
        /// How many.
        count: usize,
        /// All of them.
        took_s: f64,
        /// The revocations.
        #[serde(flatten)]
        load: Load,
    },
    /// Of every twenty requests twelve issue, four revoke, three ask for a status, one fetches the whole list.
    Mixed {
        /// The requests.
        #[serde(flatten)]
        load: Load,
    },
    /// Every list of a CA made anew.
    Crl {
        /// Entries in the largest list, which has all.
        entries: usize,
        /// Octets of that list.
        octets: usize,
        /// From the request until every node serves lists of that number or a later one.
        served_s: f64,
    },
    /// A stopped node's start, until it is ready for writing.
    Restart {
        /// Certificates in its store.
        certificates: usize,
        /// The slowest of three nodes.
        ready_s: f64,
    },
    /// What a node's register takes on its disk, after compaction.
    Disk {
        /// Certificates in it.
        certificates: usize,
        /// Octets for one of them, everything counted.
        octets_each: f64,
        /// Octets of one certificate's DER.
        der_octets: usize,
        /// The first over the second.
        of_der: f64,
    },
    /// Refused requests of one class, one at a time.
    Input {
        /// What is wrong.
        class: &'static str,
        /// Octets of the body.
        octets: usize,
        /// The HTTP status of each answer.
        status: u16,
        /// The median time of one.
        p50_ms: f64,
        /// The longest time of one.
        max_ms: f64,
        /// Processor time of the node for one, with what the node does anyway meanwhile.
        cpu_ms: f64,
        /// Resident memory of the node at its greatest, above that before.
        extra_mb: f64,
    },
    /// kill -9 of the leader until the next certificate through another node.
    Failover {
        /// How often.
        kills: usize,
        /// The median gap.
        p50_ms: f64,
        /// What 99 of 100 stay below; the longest for fewer than 100.
        p99_ms: f64,
        /// The shortest gap.
        min_ms: f64,
        /// The longest gap.
        max_ms: f64,
    },
}

/// What a closed loop came to.
#[derive(Clone, Debug, Serialize)]
pub struct Load {
    /// Connections, each with one request at a time.
    pub c: usize,
    /// Answers a second.
    pub per_s: f64,
    /// The median time of one.
    pub p50_ms: f64,
    /// What 99 of 100 stay below.
    pub p99_ms: f64,
    /// Requests without the answer they were for.
    pub errors: u64,
    /// Processor time of all three nodes for one answer; of nginx not known.
    pub server_cpu_us: f64,
}

/// Milliseconds, to a hundredth.
#[must_use]
pub fn millis(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1000.0)
}

/// To a hundredth.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// How many a second.
#[must_use]
pub fn rate(count: u64, time: Duration) -> f64 {
    let count = u32::try_from(count).map_or(f64::INFINITY, f64::from);
    rounded(count / time.as_secs_f64())
}

/// The time that so many hundredths stay at or below (nearest rank); zero of none. Sorts.
pub fn percentile(times: &mut [Duration], hundredths: usize) -> Duration {
    times.sort_unstable();
    let rank = times.len().saturating_mul(hundredths).div_ceil(100);
    times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut times, 50), Duration::from_millis(100));
        assert_eq!(percentile(&mut times, 99), Duration::from_millis(198));
        assert_eq!(percentile(&mut times[..1], 99), Duration::from_millis(1));
        assert_eq!(percentile(&mut [], 50), Duration::ZERO);
    }

    #[test]
    fn a_row_is_one_line_with_its_name() {
        let row = Row::Sign { sessions: 2, per_s: rate(100, Duration::from_secs(3)) };
        assert_eq!(serde_json::to_string(&row).unwrap(), r#"{"what":"sign","sessions":2,"per_s":33.33}"#);
    }
}
