//! status: asks every member, compares what they hold.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::Format;
use crate::client::Connection;
use crate::failure::Failure;
use crate::output::{data, talk};

/// How often the members are asked until their digests stand at one index.
const TRIES: usize = 20;

/// One member's answer; `None` where it did not answer.
struct Asked {
    node: u64,
    name: String,
    api: String,
    told: Result<Value, Failure>,
}

pub(super) async fn run(connection: &Connection, output: Format) -> Result<ExitCode, Failure> {
    let mut asked = ask_all(connection).await?;
    let mut equal = equal_at_one_index(&asked);
    for _ in 0..TRIES {
        if equal.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        asked = ask_all(connection).await?;
        equal = equal_at_one_index(&asked);
    }
    let verdict = verdict(&asked, equal);
    match output {
        Format::Json => {
            let nodes: Vec<Value> = asked.iter().map(Asked::json).collect();
            data(&json!({ "verdict": verdict.word, "nodes": nodes }).to_string());
        }
        Format::Table | Format::Pem => table(&asked, &verdict),
    }
    Ok(ExitCode::from(verdict.code))
}

struct Verdict {
    word: &'static str,
    code: u8,
}

fn verdict(asked: &[Asked], equal: Option<bool>) -> Verdict {
    let answering = asked.iter().filter(|asked| asked.told.is_ok()).count();
    let led = asked.iter().any(|asked| asked.number("leader").is_some());
    let (word, code) = match equal {
        Some(false) => ("NODES DIFFER", 5),
        _ if !led || answering.saturating_mul(2) <= asked.len() => ("NO QUORUM", 2),
        _ if answering < asked.len() => ("DEGRADED", 1),
        _ => ("HEALTHY", 0),
    };
    Verdict { word, code }
}

fn table(asked: &[Asked], verdict: &Verdict) {
    talk(verdict.word);
    data("NODE\tROLE\tTERM\tAPPLIED\tDIGEST\tAPI");
    for member in asked {
        let leader = member.number("leader") == Some(member.node);
        match &member.told {
            Ok(_) => data(&format!(
                "{}\t{}\t{}\t{}\t{}\t{}",
                member.name,
                if leader { "leader" } else { "member" },
                member.number("term").unwrap_or_default(),
                member.number("applied").unwrap_or_default(),
                member.text("digest").chars().take(12).collect::<String>(),
                member.api,
            )),
            Err(failure) => data(&format!("{}\tsilent\t\t\t\t{}\t{}", member.name, member.api, failure.what)),
        }
    }
}

async fn ask_all(connection: &Connection) -> Result<Vec<Asked>, Failure> {
    let cluster = connection.get("/api/v1/cluster").await?;
    let members = cluster.get("members").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut asked = Vec::with_capacity(members.len());
    for member in members {
        let text = |key: &str| member.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let api = text("api_address");
        let one = Connection { addr: vec![format!("https://{api}")], ..connection.clone() };
        let told = one.get("/api/v1/cluster").await;
        let node = member.get("node").and_then(Value::as_u64).unwrap_or_default();
        asked.push(Asked { node, name: text("name"), api, told });
    }
    Ok(asked)
}

impl Asked {
    fn standing(&self, key: &str) -> Option<&Value> {
        self.told.as_ref().ok()?.get("standing")?.get(key)
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.standing(key)?.as_u64()
    }

    fn text(&self, key: &str) -> &str {
        self.standing(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn json(&self) -> Value {
        let told = self.told.as_ref().map_or_else(|failure| json!({ "slug": failure.slug }), Value::clone);
        json!({ "node": self.node, "name": self.name, "api": self.api, "told": told })
    }
}

/// Whether all that answer hold the same register; `None` while they stand at different indexes.
fn equal_at_one_index(asked: &[Asked]) -> Option<bool> {
    let mut answering = asked.iter().filter(|asked| asked.told.is_ok());
    let first = answering.next()?;
    let (index, digest) = (first.number("applied")?, first.text("digest"));
    let mut equal = true;
    for other in answering {
        if other.number("applied")? != index {
            return None;
        }
        equal = equal && other.text("digest") == digest;
    }
    Some(equal)
}
