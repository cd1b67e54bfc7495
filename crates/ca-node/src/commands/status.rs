//! status: asks every member, compares what they hold.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};

use crate::cli::Format;
use crate::client::Connection;
use crate::failure::Failure;
use crate::limits::HEALTHY_WITHIN;
use crate::output::{data, talk};

/// How often the members are asked until their digests stand at one index.
const TRIES: usize = 20;

/// Between two rounds of `--wait`.
const WAIT_EVERY: Duration = Duration::from_millis(250);

/// One member's answers.
struct Asked {
    node: u64,
    name: String,
    api: String,
    told: Result<Value, Failure>,
    /// Why it is not ready to issue, if it answers.
    unready: Option<String>,
}

pub(super) async fn run(connection: &Connection, output: Format, wait: bool) -> Result<ExitCode, Failure> {
    let begun = Instant::now();
    let (asked, verdict) = loop {
        let looked = look(connection).await;
        let healthy = looked.as_ref().is_ok_and(|(_, verdict)| verdict.code == 0);
        if healthy || !wait || begun.elapsed() > HEALTHY_WITHIN {
            break looked?;
        }
        tokio::time::sleep(WAIT_EVERY).await;
    };
    match output {
        Format::Json => {
            let nodes: Vec<Value> = asked.iter().map(Asked::json).collect();
            data(&json!({ "verdict": verdict.word, "nodes": nodes }).to_string());
        }
        Format::Table | Format::Pem => table(&asked, &verdict),
    }
    Ok(ExitCode::from(verdict.code))
}

async fn look(connection: &Connection) -> Result<(Vec<Asked>, Verdict), Failure> {
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
    Ok((asked, verdict))
}

struct Verdict {
    word: &'static str,
    code: u8,
}

fn verdict(asked: &[Asked], equal: Option<bool>) -> Verdict {
    let answering = asked.iter().filter(|asked| asked.told.is_ok()).count();
    let ready = asked.iter().filter(|asked| asked.told.is_ok() && asked.unready.is_none()).count();
    let led = asked.iter().any(|asked| asked.number("leader").is_some());
    let (word, code) = match equal {
        Some(false) => ("NODES DIFFER", 5),
        _ if !led || answering.saturating_mul(2) <= asked.len() => ("NO QUORUM", 2),
        _ if ready < asked.len() => ("DEGRADED", 1),
        _ => ("HEALTHY", 0),
    };
    Verdict { word, code }
}

fn table(asked: &[Asked], verdict: &Verdict) {
    talk(verdict.word);
    data("NODE\tROLE\tTERM\tAPPLIED\tDIGEST\tAPI\tSTATE");
    for member in asked {
        let leader = member.number("leader") == Some(member.node);
        match &member.told {
            Ok(_) => data(&format!(
                "{}\t{}\t{}\t{}\t{}\t{}\t{}",
                member.name,
                if leader { "leader" } else { "member" },
                member.number("term").unwrap_or_default(),
                member.number("applied").unwrap_or_default(),
                member.text("digest").chars().take(12).collect::<String>(),
                member.api,
                member.unready.as_deref().unwrap_or("ready"),
            )),
            Err(failure) => {
                data(&format!("{}\t-\t-\t-\t-\t{}\tsilent: {}", member.name, member.api, failure.what));
            }
        }
    }
    for silent in asked.iter().filter(|asked| asked.told.is_err()) {
        talk(&format!("  next: on the machine of {}: ca-node server -c FILE", silent.name));
    }
}

async fn ask_all(connection: &Connection) -> Result<Vec<Asked>, Failure> {
    let cluster = connection.get("/api/v1/cluster?consistency=local").await?;
    let members = cluster.get("members").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut asked = Vec::with_capacity(members.len());
    for member in members {
        let text = |key: &str| member.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let api = text("api_address");
        let one = Connection { addr: vec![format!("https://{api}")], ..connection.clone() };
        let told = one.get("/api/v1/cluster?consistency=local").await;
        let node = member.get("node").and_then(Value::as_u64).unwrap_or_default();
        let unready = if told.is_ok() { unready(&one).await } else { None };
        asked.push(Asked { node, name: text("name"), api, told, unready });
    }
    Ok(asked)
}

/// What a balancer would hear.
async fn unready(one: &Connection) -> Option<String> {
    match one.ask(Method::GET, "/readyz?role=write", &[], None).await {
        Ok(answer) if answer.status.is_success() => None,
        Ok(answer) => Some(String::from_utf8_lossy(&answer.body).trim().to_owned()),
        Err(failure) => Some(failure.what),
    }
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
        json!({ "node": self.node, "name": self.name, "api": self.api, "told": told, "unready": self.unready })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn node(applied: u64, digest: &str) -> Asked {
        let told = json!({ "standing": { "leader": 1, "applied": applied, "digest": digest } });
        Asked { node: 1, name: String::new(), api: String::new(), told: Ok(told), unready: None }
    }

    fn silent() -> Asked {
        Asked { told: Err(Failure::internal("refused")), ..node(0, "") }
    }

    fn unready() -> Asked {
        Asked { unready: Some("the key of `issuing` is not proven here yet".to_owned()), ..node(7, "a") }
    }

    #[test]
    fn healthy_is_said_of_nodes_that_all_answer_are_ready_and_equal() {
        for (asked, word) in [
            (vec![node(7, "a"), node(7, "a"), node(7, "a")], "HEALTHY"),
            (vec![node(7, "a"), node(7, "a"), unready()], "DEGRADED"),
            (vec![node(7, "a"), node(7, "a"), silent()], "DEGRADED"),
            (vec![node(7, "a"), silent(), silent()], "NO QUORUM"),
            (vec![node(7, "a"), node(7, "b"), node(7, "a")], "NODES DIFFER"),
            (vec![node(7, "a"), node(8, "b"), node(7, "a")], "HEALTHY"),
        ] {
            let equal = equal_at_one_index(&asked);
            assert_eq!(verdict(&asked, equal).word, word);
        }
    }
}
