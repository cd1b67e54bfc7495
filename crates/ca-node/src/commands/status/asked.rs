//! What every member is asked, all at once.

use std::collections::BTreeMap;
use std::time::Duration;

use ca_http::wire::{ClusterAnswer, MemberAnswer, ProofAnswer, StandingAnswer};
use ca_x509::certificate::Certificate;
use ca_x509::time::UnixSeconds;
use hyper::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::Connection;
use crate::commands::ocsp;
use crate::failure::Failure;
use crate::tls;

/// How often the members are asked until their digests stand at one index.
const TRIES: usize = 20;

/// Between two of these.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

const CLUSTER: &str = "/api/v1/cluster?consistency=local";

/// The whole cluster at one look.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) members: Vec<Asked>,
    /// Whether all that answer hold the same register; `None` if they never stood at one index.
    pub(super) equal: Option<bool>,
}

/// One member's answers.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) member: MemberAnswer,
    /// How it stands, if it answers.
    pub(super) told: Result<StandingAnswer, Failure>,
    /// Why it is not ready to issue, if it answers.
    pub(super) unready: Option<String>,
    /// What it could do.
    pub(super) proof: Result<ProofAnswer, Failure>,
    /// What its status service says of the caller's own certificate: since when, by a signature that verifies.
    pub(super) status: Result<UnixSeconds, Failure>,
}

pub(super) async fn look(connection: &Connection) -> Result<Looked, Failure> {
    let ClusterAnswer { name, id, members, .. } = get(connection, CLUSTER).await?;
    let mut standings = stand(connection, &members).await;
    let mut equal = equal_at_one_index(standings.values());
    for _ in 0..TRIES {
        if equal.is_some() {
            break;
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
        standings = stand(connection, &members).await;
        equal = equal_at_one_index(standings.values());
    }
    let own = Own::read(connection);
    let mut asking = JoinSet::new();
    for member in members {
        let told = standings.remove(&member.node).unwrap_or_else(|| Err(Failure::internal("not asked")));
        let (connection, own) = (connection.clone(), own.clone());
        asking.spawn(async move { ask(&connection, member, told, own).await });
    }
    let mut members = asking.join_all().await;
    members.sort_by_key(|asked| asked.member.node);
    Ok(Looked { name, id, members, equal })
}

type Standings = BTreeMap<u64, Result<StandingAnswer, Failure>>;

async fn stand(connection: &Connection, members: &[MemberAnswer]) -> Standings {
    let mut asking = JoinSet::new();
    for member in members {
        let (node, one) = (member.node, at(connection, member));
        asking.spawn(async move {
            (node, get::<ClusterAnswer>(&one, CLUSTER).await.map(|cluster| cluster.standing))
        });
    }
    asking.join_all().await.into_iter().collect()
}

async fn ask(
    connection: &Connection,
    member: MemberAnswer,
    told: Result<StandingAnswer, Failure>,
    own: Result<Own, Failure>,
) -> Asked {
    if let Err(silent) = &told {
        let (proof, status) = (Err(silent.clone()), Err(silent.clone()));
        return Asked { member, told, unready: None, proof, status };
    }
    let one = at(connection, &member);
    let status = async {
        let own = own?;
        ocsp::good_since(&member.va_address, &own.issuer, &own.certificate).await
    };
    let (unready, proof, status) = tokio::join!(unready(&one), prove(&one), status);
    Asked { member, told, unready, proof, status }
}

/// The same caller at one member.
fn at(connection: &Connection, member: &MemberAnswer) -> Connection {
    Connection { addr: vec![format!("https://{}", member.api_address)], ..connection.clone() }
}

async fn get<T: DeserializeOwned>(connection: &Connection, path: &str) -> Result<T, Failure> {
    serde_json::from_value(connection.get(path).await?).map_err(|e| Failure::internal(format!("{path}: {e}")))
}

/// What a balancer would hear.
async fn unready(one: &Connection) -> Option<String> {
    match one.ask(Method::GET, "/readyz?role=write", &[], None).await {
        Ok(answer) if answer.status.is_success() => None,
        Ok(answer) => Some(String::from_utf8_lossy(&answer.body).trim().to_owned()),
        Err(failure) => Some(failure.what),
    }
}

async fn prove(one: &Connection) -> Result<ProofAnswer, Failure> {
    let answer = one.call(Method::POST, "/api/v1/cluster/proof", &[], None).await?;
    serde_json::from_slice(&answer.body).map_err(Failure::internal)
}

/// The caller's certificate and its issuer's, which every status service is asked about.
#[derive(Clone, Debug)]
struct Own {
    certificate: Certificate,
    issuer: Certificate,
}

impl Own {
    fn read(connection: &Connection) -> Result<Self, Failure> {
        let chain = tls::certificates(&crate::files::read(&connection.cert)?)?;
        let mut chain = chain.iter().map(|der| Certificate::parse(der).map_err(Failure::internal));
        let whose =
            |what: &str| Failure::new("file-unreadable", format!("{}: {what}", connection.cert.display()));
        let certificate = chain.next().ok_or_else(|| whose("no certificate"))??;
        let issuer = chain.next().ok_or_else(|| whose("no issuer after the certificate"))??;
        Ok(Self { certificate, issuer })
    }
}

impl Asked {
    /// It says that it leads.
    pub(super) fn leads(&self) -> bool {
        self.told.as_ref().is_ok_and(|told| told.leader == Some(self.member.node))
    }

    /// For programs: the answers as they came.
    pub(super) fn json(&self) -> Value {
        let failed = |failure: &Failure| json!({ "slug": failure.slug, "detail": failure.what });
        json!({
            "node": self.member.node,
            "name": self.member.name,
            "api": self.member.api_address,
            "standing": self.told.as_ref().map_or_else(failed, |told| json!(told)),
            "unready": self.unready,
            "proof": self.proof.as_ref().map_or_else(failed, |proof| json!(proof)),
            "status_since": self.status.as_ref().map_or_else(failed, |since| json!(since.to_string())),
        })
    }
}

/// Whether all that answer hold the same register; `None` while they stand at different indexes.
pub(super) fn equal_at_one_index<'a>(
    standings: impl Iterator<Item = &'a Result<StandingAnswer, Failure>>,
) -> Option<bool> {
    let mut answering = standings.filter_map(|told| told.as_ref().ok());
    let first = answering.next()?;
    let mut equal = true;
    for other in answering {
        if other.applied != first.applied {
            return None;
        }
        equal = equal && other.digest == first.digest;
    }
    Some(equal)
}
