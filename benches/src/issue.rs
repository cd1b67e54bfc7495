//! Certificates a second.

use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use scripts::cluster::{Cluster, Node};

use crate::closed_loop::{Client, for_a_while};
use crate::connection::{Issuing, tls};
use crate::failover::leader;
use crate::row::{Load, Row};

/// Which nodes are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Through {
    /// Every node alike.
    All,
    /// The leader alone.
    Leader,
    /// Only those that do not lead.
    Followers,
}

impl Client for Issuing {
    async fn ask(&mut self) -> Result<()> {
        self.issue().await.map(drop)
    }
}

/// Measures with so many connections, spread over the nodes; the first error is told to `said`.
///
/// # Errors
/// The cluster's files, or a node that is gone.
pub async fn issue(
    cluster: &Cluster,
    through: Through,
    connection_count: usize,
    time: Duration,
    said: &mut dyn FnMut(&str),
) -> Result<Row> {
    let load = measure(cluster, through, connection_count, time, said).await?;
    let word = through.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    Ok(Row::Issue { through: word, load })
}

/// The same, as bare figures.
///
/// # Errors
/// The cluster's files, or a node that is gone.
pub async fn measure(
    cluster: &Cluster,
    through: Through,
    connection_count: usize,
    time: Duration,
    said: &mut dyn FnMut(&str),
) -> Result<Load> {
    let tls = tls(cluster)?;
    let nodes: Vec<&Node> = match through {
        Through::All => cluster.nodes.iter().collect(),
        Through::Leader => vec![cluster.node(leader(cluster)?)?],
        Through::Followers => cluster.others(leader(cluster)?),
    };
    let connections = nodes.into_iter().cycle().take(connection_count).map(|node| Issuing::new(node, &tls));
    for_a_while(cluster, connections.collect::<Result<_>>()?, time, said).await
}
