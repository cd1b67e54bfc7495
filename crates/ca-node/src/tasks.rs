//! What a node does by itself: stays fresh, brings and proves keys, keeps its responder and its TLS keys certified, records
//! what it refused;
//! and as a leader cuts lists, settles old intents, takes members in, moves register time.

use std::sync::Arc;
use std::time::Duration;

use ca_authority::Ports as _;
use ca_authority::ports::{Clock as _, Log as _, Standing};
use ca_core::command::Command;
use ca_core::ids::NodeId;
use ca_core::register::{Issuer, Member, MemberState};
use ca_core::roles::Identity;
use ca_x509::key::PublicKey;
use tokio::sync::{OnceCell, watch};
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::leaves::OwnLeaves;
use crate::limits::{LOOK_EVERY, REFRESH_EVERY, RENEWAL_EVERY, TICK_EVERY, WIND_UP_MAX};
use crate::ports::NodeAuthority;
use crate::serve::stopped;
use crate::{keys, log};

/// Starts every task; they end with `stop`.
pub(crate) fn start(
    authority: &NodeAuthority,
    leaves: &OwnLeaves,
    stop: &watch::Receiver<bool>,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(repeat("freshness", REFRESH_EVERY, stop.clone(), authority.clone(), freshness));
    tasks.spawn(repeat("settling", LOOK_EVERY, stop.clone(), authority.clone(), settling));
    let responder = Arc::new(OnceCell::new());
    let keys = move |authority| own_keys(authority, Arc::clone(&responder));
    tasks.spawn(repeat("keys", LOOK_EVERY, stop.clone(), authority.clone(), keys));
    let leaves = leaves.clone();
    let renewal = move |authority| own_leaves(authority, leaves.clone());
    tasks.spawn(repeat("leaves", RENEWAL_EVERY, stop.clone(), authority.clone(), renewal));
    tasks.spawn(repeat("lists", LOOK_EVERY, stop.clone(), authority.clone(), lists));
    tasks.spawn(repeat("members", LOOK_EVERY, stop.clone(), authority.clone(), members));
    tasks.spawn(repeat("refusals", LOOK_EVERY, stop.clone(), authority.clone(), refusals));
    tasks.spawn(repeat("tick", TICK_EVERY, stop.clone(), authority.clone(), tick));
    tasks
}

/// Does `act` again and again. A failure is said once and tried again: every act here can be repeated.
///
/// When the node stops, an act at work is given [`WIND_UP_MAX`]. One that is cut off then has found no quorum: what it
/// began is settled as after a crash (R5).
async fn repeat<F>(
    name: &'static str,
    every: Duration,
    stop: watch::Receiver<bool>,
    authority: NodeAuthority,
    act: impl Fn(NodeAuthority) -> F + Send,
) where
    F: Future<Output = Result<(), Failure>> + Send,
{
    let mut failing: Option<String> = None;
    // The first time soon, whatever the period: the node may have been down for long.
    let mut pause = every.min(LOOK_EVERY);
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = every,
            () = stopped(stop.clone()) => return,
        }
        let done = tokio::select! {
            done = act(authority.clone()) => done,
            () = wound_up(stop.clone()) => return,
        };
        match done {
            Ok(()) => failing = None,
            Err(failure) if failing.as_ref() == Some(&failure.slug) => {}
            Err(failure) => {
                tracing::warn!(task = name, slug = failure.slug, "{}", failure.what);
                failing = Some(failure.slug);
            }
        }
    }
}

async fn wound_up(stop: watch::Receiver<bool>) {
    stopped(stop).await;
    tokio::time::sleep(WIND_UP_MAX).await;
}

async fn freshness(authority: NodeAuthority) -> Result<(), Failure> {
    authority.refresh().await?;
    Ok(())
}

/// The intents of this node's earlier boots, and as a leader everybody's old ones (R5).
async fn settling(authority: NodeAuthority) -> Result<(), Failure> {
    let mut settled = authority.settle_own().await?;
    if leads(&authority).is_some() {
        settled = settled.saturating_add(authority.settle_old().await?);
    }
    if settled > 0 {
        tracing::info!(settled, "intents without a record abandoned");
    }
    Ok(())
}

/// CA keys brought and proven; then a responder certificate from every active CA.
async fn own_keys(authority: NodeAuthority, responder: Arc<OnceCell<PublicKey>>) -> Result<(), Failure> {
    if !keys::complete(&authority).await? {
        return Ok(());
    }
    // Asked of the token once: it reads and decrypts all its objects to answer.
    let key = responder.get_or_try_init(|| keys::responder(&authority)).await?;
    let me = Identity::Node(authority.ports().log().node());
    let mut done = Ok(());
    for (ca, issuer) in authority.register().issuers()? {
        if !has_status(&authority, &issuer) {
            continue;
        }
        if let Some(request) = authority.responder_request(&ca, key)? {
            match authority.issue(me, request, None).await {
                Ok(issued) => tracing::info!(%ca, serial = %issued.serial, "responder certified"),
                // The other CAs need theirs all the same.
                Err(error) => done = Err(error.into()),
            }
        }
    }
    done
}

/// Whether a CA has certificates to tell the status of: it has one itself, which has not ended. Nothing that it
/// issued outlives that.
pub(crate) fn has_status(authority: &NodeAuthority, issuer: &Issuer) -> bool {
    let now = authority.ports().clock().now().seconds();
    issuer.certificate.as_ref().is_some_and(|own| own.not_after > now)
}

/// The node's own TLS certificates, in time.
async fn own_leaves(authority: NodeAuthority, leaves: OwnLeaves) -> Result<(), Failure> {
    leaves.renew(&authority).await
}

/// The leader cuts; everybody serves.
async fn lists(authority: NodeAuthority) -> Result<(), Failure> {
    if leads(&authority).is_none() {
        return Ok(());
    }
    let published = authority.publish_due().await?;
    for (list, kind, number) in published.lists {
        tracing::info!(%list, ?kind, number = %format!("{:x}", number.0), "CRL published");
    }
    published.failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Whoever the register admits follows the log; whoever has proven its keys votes.
async fn members(authority: NodeAuthority) -> Result<(), Failure> {
    let Some(standing) = leads(&authority) else { return Ok(()) };
    let log = &authority.ports().log;
    for (node, member) in authority.register().members()? {
        let step = next_step(&standing, node, &member, &log.learners());
        let done = match step {
            Step::None => continue,
            Step::Admit => log.admit_learner(node, &member.peer_address).await,
            Step::Promote => log.promote(node).await,
        };
        match done {
            Ok(()) => tracing::info!(node = node.0, name = member.name, ?step, "membership changed"),
            Err(error) => return Err(Failure::new("membership", error.to_string())),
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    None,
    Admit,
    Promote,
}

fn next_step(standing: &Standing, node: NodeId, member: &Member, learners: &[NodeId]) -> Step {
    if standing.voters.contains(&node) {
        Step::None
    } else if !learners.contains(&node) {
        Step::Admit
    } else if member.state == MemberState::Signing {
        Step::Promote
    } else {
        Step::None
    }
}

/// What this node refused to known callers enters the history (R16).
async fn refusals(authority: NodeAuthority) -> Result<(), Failure> {
    let recorded = authority.record_refusals().await?;
    if recorded.uncounted > 0 {
        tracing::warn!(
            uncounted = recorded.uncounted,
            "refusals of too many callers: these are not in the history"
        );
    }
    Ok(())
}

/// Moves register time, and has every node compare its digest with the leader's (I23).
async fn tick(authority: NodeAuthority) -> Result<(), Failure> {
    if let Some(standing) = leads(&authority) {
        let digest = Some((standing.applied, standing.digest));
        log::enact(&authority, Command::Tick { digest }).await?;
    }
    Ok(())
}

fn leads(authority: &NodeAuthority) -> Option<Standing> {
    let log = authority.ports().log();
    let standing = log.standing();
    (standing.leader == Some(log.node())).then_some(standing)
}
