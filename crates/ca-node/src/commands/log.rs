//! log head, list, entry, tail: the history.

use std::collections::VecDeque;

use ca_http::wire::{ActAnswer, ClusterAnswer, HistoryAnswer};
use hyper::Method;

use super::search::escaped;
use crate::cli::Format;
use crate::client::Connection;
use crate::failure::Failure;
use crate::limits::FOLLOW_EVERY;
use crate::output::data;

/// Acts asked for at a time: the most that a page holds.
const PAGE: usize = 1000;

/// Entries that `tail` looks back at first; four times as many each time that they hold too few acts.
const LOOK_BACK: u64 = 256;

pub(super) async fn head(connection: &Connection, output: Format) -> Result<(), Failure> {
    let answer = connection.call(Method::GET, "/api/v1/cluster", &[], None).await?;
    let cluster: ClusterAnswer = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    let standing = cluster.standing;
    if output == Format::Json {
        data(&serde_json::to_string(&standing).map_err(Failure::internal)?);
        return Ok(());
    }
    data(&format!("index\t{}", standing.applied));
    data(&format!("digest\t{}", standing.digest));
    data(&format!("node\t{}", standing.node));
    Ok(())
}

pub(super) async fn list(
    connection: &Connection,
    output: Format,
    filter: &str,
    from: u64,
) -> Result<(), Failure> {
    title(output);
    each(connection, filter, &format!("&from={from}"), |act| shown(output, &act)).await.map(drop)
}

pub(super) async fn entry(connection: &Connection, output: Format, index: u64) -> Result<(), Failure> {
    let page = page(connection, "", &format!("&from={index}")).await?;
    title(output);
    page.acts.iter().filter(|act| act.index == index).try_for_each(|act| shown(output, act))
}

pub(super) async fn tail(
    connection: &Connection,
    output: Format,
    filter: &str,
    lines: usize,
    follow: bool,
) -> Result<(), Failure> {
    let (latest, mut cursor) = latest(connection, filter, lines).await?;
    title(output);
    latest.iter().try_for_each(|act| shown(output, act))?;
    if !follow {
        return Ok(());
    }
    loop {
        tokio::time::sleep(FOLLOW_EVERY).await;
        cursor = each(connection, filter, &format!("&cursor={cursor}"), |act| shown(output, &act)).await?;
    }
}

/// The last acts that a filter finds, and the cursor behind them. The history is read forwards only, so this looks from
/// further and further back.
async fn latest(
    connection: &Connection,
    filter: &str,
    lines: usize,
) -> Result<(Vec<ActAnswer>, String), Failure> {
    let answer = connection.call(Method::GET, "/api/v1/cluster", &[], None).await?;
    let cluster: ClusterAnswer = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    let mut back = LOOK_BACK;
    loop {
        let from = cluster.standing.applied.saturating_sub(back);
        let mut acts = VecDeque::new();
        let cursor = each(connection, filter, &format!("&from={from}"), |act| {
            acts.push_back(act);
            if acts.len() > lines {
                acts.pop_front();
            }
            Ok(())
        })
        .await?;
        if from == 0 || acts.len() >= lines {
            return Ok((acts.into(), cursor));
        }
        back = back.saturating_mul(4);
    }
}

/// Every act from a place on, to the end as it is now. Answers the cursor behind it.
async fn each(
    connection: &Connection,
    filter: &str,
    place: &str,
    mut one: impl FnMut(ActAnswer) -> Result<(), Failure>,
) -> Result<String, Failure> {
    let mut place = place.to_owned();
    loop {
        let page = page(connection, filter, &place).await?;
        page.acts.into_iter().try_for_each(&mut one)?;
        if page.ended {
            return Ok(page.next_cursor);
        }
        place = format!("&cursor={}", page.next_cursor);
    }
}

async fn page(connection: &Connection, filter: &str, place: &str) -> Result<HistoryAnswer, Failure> {
    let path = format!("/api/v1/history?limit={PAGE}&filter={}{place}", escaped(filter));
    let answer = connection.call(Method::GET, &path, &[], None).await?;
    serde_json::from_slice(&answer.body).map_err(Failure::internal)
}

fn title(output: Format) {
    if output == Format::Table {
        data("INDEX\tTIME\tNODE\tACT\tABOUT\tBY");
    }
}

fn shown(output: Format, act: &ActAnswer) -> Result<(), Failure> {
    match output {
        Format::Table => {
            let ActAnswer { index, at, node, act: word, by, .. } = act;
            data(&format!("{index}\t{at}\t{node}\t{word}\t{}\t{by}", about(act)));
        }
        // One object a line: the history may be too much for one array.
        Format::Json | Format::Pem => data(&serde_json::to_string(act).map_err(Failure::internal)?),
    }
    Ok(())
}

/// What the act was about, in one column.
fn about(act: &ActAnswer) -> String {
    let number = |number: &Option<u64>| number.map(|number| number.to_string());
    let parts = [
        act.ca.clone(),
        act.serial.clone(),
        act.reason.clone(),
        act.crl_number.as_ref().map(|crl| format!("CRL {crl}")),
        act.profile.clone(),
        act.version.map(|version| format!("version {version}")),
        act.caller.as_ref().map(|key| format!("spki:{key}")),
        act.token.clone(),
        number(&act.member).map(|member| format!("node {member}")),
        act.key.as_ref().map(|key| format!("key {key}")),
        act.slug.clone(),
        number(&act.count).map(|count| format!("{count} times")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
