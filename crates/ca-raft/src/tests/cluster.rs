//! Three nodes in one process, over TLS on loopback.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use ca_authority::ports::{AppendError, Log as _};
use ca_core::command::Command;
use ca_core::ids::{BootId, ClusterId, Digest, Epoch, LogIndex, NodeId, UnixMillis};
use ca_core::outcome::Outcome;
use ca_core::register::PublicUrls;
use ca_core::roles::{Grant, Identity, Role, Scope};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::wire::peer as wire;
use crate::{
    Compaction, ExchangeHandler, IssuanceLog, PeerIdentity, PeerTls, StartError, StartOptions, StopReason,
    WallClock, exchange_nothing, limits,
};

const CLUSTER: ClusterId = ClusterId([0xc1; 16]);
/// Far more than anything here takes; a test that waits so long has failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The peers' CA.
struct Authority {
    certificate: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).unwrap().der().to_vec();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn tls(&self, identity: PeerIdentity) -> PeerTls {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = vec![SanType::URI(identity.to_string().try_into().unwrap())];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        PeerTls::new(std::slice::from_ref(&self.certificate), &[leaf.der().to_vec()], &key.serialize_der())
            .unwrap()
    }
}

/// A cluster whose nodes come and go.
pub(super) struct Cluster {
    authority: Authority,
    directory: TempDir,
    compaction: Compaction,
    nodes: Vec<Option<Arc<IssuanceLog>>>,
    boots: u64,
    /// How far the wall clocks of nodes 1, 2 and 3 are wrong, in milliseconds.
    wrong_ms: [Arc<AtomicI64>; 3],
}

fn identity(node: u64) -> PeerIdentity {
    PeerIdentity { cluster: CLUSTER, epoch: Epoch(0), node: NodeId(node) }
}

impl Cluster {
    fn empty(compaction: Compaction) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (authority, nodes, wrong_ms) = (Authority::new(), Vec::new(), Default::default());
        Self { authority, directory, compaction, nodes, boots: 0, wrong_ms }
    }

    /// Three voters; node 1 was the first.
    pub(super) async fn of_three(compaction: Compaction) -> Self {
        let mut cluster = Self::empty(compaction);
        cluster.start(1).await;
        cluster.node(1).initialise_single().await.unwrap();
        let init = Command::InitCluster {
            id: CLUSTER,
            name: "test".into(),
            urls: PublicUrls::all_at("http://pki.test"),
        };
        assert_eq!(cluster.node(1).append(init).await.unwrap().into_outcome(), Outcome::Done);
        for node in [2, 3] {
            cluster.start(node).await;
            cluster.admit(node).await;
            cluster.promote(node).await;
        }
        cluster
    }

    fn path(&self, node: u64) -> std::path::PathBuf {
        self.directory.path().join(node.to_string())
    }

    async fn start(&mut self, node: u64) {
        let tls = self.authority.tls(identity(node));
        let log = self.start_with(node, tls, exchange_nothing()).await.unwrap();
        let place = usize::try_from(node).unwrap() - 1;
        while self.nodes.len() <= place {
            self.nodes.push(None);
        }
        self.nodes[place] = Some(log);
    }

    async fn start_with(
        &mut self,
        node: u64,
        tls: PeerTls,
        exchange: ExchangeHandler,
    ) -> Result<Arc<IssuanceLog>, StartError> {
        self.boots += 1;
        // A node that comes back listens where it did: the membership says where that is.
        let port_file = self.directory.path().join(format!("{node}.port"));
        let address = std::fs::read_to_string(&port_file).unwrap_or_else(|_| "127.0.0.1:0".into());
        let peer_listener = bind(&address).await;
        std::fs::write(&port_file, peer_listener.local_addr().unwrap().to_string()).unwrap();
        IssuanceLog::start(StartOptions {
            data_dir: self.path(node),
            cluster: CLUSTER,
            epoch: Epoch(0),
            node: NodeId(node),
            boot: BootId(self.boots),
            peer_listener,
            tls,
            exchange,
            compaction: self.compaction,
            clock: self.clock(node),
        })
        .await
    }

    pub(super) fn node(&self, node: u64) -> &Arc<IssuanceLog> {
        self.nodes[usize::try_from(node).unwrap() - 1].as_ref().expect("a node that runs")
    }

    fn clock(&self, node: u64) -> WallClock {
        let system = WallClock::system();
        match self.wrong_ms.get(usize::try_from(node).unwrap() - 1).cloned() {
            None => system,
            Some(wrong_ms) => WallClock::new(move || {
                UnixMillis(system.now().0.saturating_add_signed(wrong_ms.load(Ordering::Relaxed)))
            }),
        }
    }

    /// Puts a node's wall clock forward, or back.
    pub(super) fn set_wrong(&self, node: u64, ms: i64) {
        self.wrong_ms[usize::try_from(node).unwrap() - 1].store(ms, Ordering::Relaxed);
    }

    async fn stop(&mut self, node: u64) {
        let log = self.nodes[usize::try_from(node).unwrap() - 1].take().expect("a node that runs");
        log.shutdown().await;
        let log = Arc::into_inner(log).expect("the last reference");
        drop(log);
        free(&self.path(node)).await;
    }

    pub(super) async fn stop_all(mut self) {
        for node in 1..=self.nodes.len() {
            if self.nodes[node - 1].is_some() {
                self.stop(u64::try_from(node).unwrap()).await;
            }
        }
    }

    /// The address of any node that runs, for one that joins.
    async fn admit(&self, node: u64) {
        let address = self.node(node).peer_address().unwrap().to_string();
        eventually("a learner", async || self.node(1).admit_learner(NodeId(node), &address).await).await;
    }

    async fn promote(&self, node: u64) {
        eventually("a voter", async || self.node(1).promote(NodeId(node)).await).await;
    }

    pub(super) async fn leader_among(&self, nodes: &[u64]) -> u64 {
        let begun = Instant::now();
        loop {
            for node in nodes {
                let leader = self.node(*node).standing().leader;
                if let Some(NodeId(leader)) = leader
                    && nodes.contains(&leader)
                    && self.node(leader).standing().leader == Some(NodeId(leader))
                {
                    return leader;
                }
            }
            assert!(begun.elapsed() < PATIENCE, "no leader among {nodes:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// All nodes that run have one digest at one index, which is at least `index`.
    async fn agree(&self, index: LogIndex) {
        let mut digests = Vec::new();
        for log in self.nodes.iter().flatten() {
            applied(log, index).await;
        }
        // The furthest index that all have applied.
        let running: Vec<_> = self.nodes.iter().flatten().collect();
        let common = running.iter().map(|log| log.standing().applied).min().unwrap();
        for log in &running {
            digests.push(log.digest_at(common).expect("a digest that is remembered"));
        }
        assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "at {common}: {digests:?}");
    }
}

async fn bind(address: &str) -> TcpListener {
    let begun = Instant::now();
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(e) => assert!(begun.elapsed() < PATIENCE, "{address}: {e}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the tasks that end in the background have let go of a directory.
async fn free(path: &Path) {
    let begun = Instant::now();
    while crate::store::DataDirectory::open(path).is_err() {
        assert!(begun.elapsed() < PATIENCE, "{} is held for ever", path.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn eventually<T, E: std::fmt::Debug>(what: &str, attempt: impl AsyncFn() -> Result<T, E>) -> T {
    let begun = Instant::now();
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(e) => assert!(begun.elapsed() < PATIENCE, "{what}: {e:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn applied(log: &IssuanceLog, index: LogIndex) {
    let mut watch = log.watch_applied();
    let reached = tokio::time::timeout(PATIENCE, watch.wait_for(|at| *at >= index)).await;
    drop(reached.expect("in time").expect("a log that runs"));
}

fn grant(number: u8) -> Command {
    let key = Digest([number; 32]);
    let grant = Grant {
        key,
        roles: vec![Role::Auditor],
        scope: Scope::default(),
        rate: None,
        label: format!("grant {number}"),
    };
    Command::SetGrant { grant, requester: Identity::Ceremony }
}

/// Appends until it is done: a change of leader may refuse once.
pub(super) async fn append(log: &IssuanceLog, number: u8) -> LogIndex {
    let applied = eventually("an append", async || log.append(grant(number)).await).await;
    assert_eq!(*applied.outcome(), Outcome::Done);
    applied.index()
}

fn has(log: &IssuanceLog, number: u8) -> bool {
    log.register().grant(Digest([number; 32])).unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_appends_and_reads_what_the_others_wrote() {
    let cluster = Cluster::of_three(Compaction::default()).await;
    for node in 1..=3 {
        let index = append(cluster.node(node), u8::try_from(node).unwrap()).await;
        assert!(has(cluster.node(node), u8::try_from(node).unwrap()), "a node reads its own writes");
        for other in 1..=3 {
            let read = eventually("a read", async || cluster.node(other).read_index().await).await;
            assert!(read >= index);
            assert!(has(cluster.node(other), u8::try_from(node).unwrap()), "{node} wrote, {other} reads");
        }
    }
    let standing = cluster.node(2).standing();
    assert_eq!(standing.voters, [1, 2, 3].map(NodeId));
    assert!(standing.votes);
    cluster.agree(standing.applied).await;
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_commands_at_once_are_each_decided_once() {
    let cluster = Cluster::of_three(Compaction::default()).await;
    append(cluster.node(2), 255).await;
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..200_u8 {
        let log = Arc::clone(cluster.node(u64::from(number % 3) + 1));
        callers.spawn(async move {
            let applied = log.append(grant(number)).await.unwrap();
            assert_eq!(*applied.outcome(), Outcome::Done);
            applied.index()
        });
    }
    let indexes = callers.join_all().await;
    let last = *indexes.iter().max().unwrap();
    cluster.agree(last).await;
    assert!((0..200).all(|number| has(cluster.node(1), number)), "each was applied");
    let entries = indexes.iter().collect::<std::collections::BTreeSet<_>>().len();
    assert!(entries < 150, "commands that arrive together travel together: {entries} entries");
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_others_go_on_without_the_leader_and_it_comes_back_equal() {
    let mut cluster = Cluster::of_three(Compaction::default()).await;
    append(cluster.node(2), 1).await;
    let old = cluster.leader_among(&[1, 2, 3]).await;
    cluster.stop(old).await;
    let left: Vec<u64> = [1, 2, 3].into_iter().filter(|node| *node != old).collect();
    for (node, number) in left.iter().zip(10_u8..) {
        append(cluster.node(*node), number).await;
    }
    cluster.leader_among(&left).await;
    cluster.start(old).await;
    let index = append(cluster.node(old), 20).await;
    cluster.agree(index).await;
    for number in [1, 10, 11, 20] {
        assert!(has(cluster.node(old), number));
    }
    assert_eq!(cluster.node(old).boot_count(), 2);
    cluster.stop_all().await;
}

/// The leader-restore trap: a leader that comes back at once must not resume its term.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_restarts_at_once_stays_equal() {
    let mut cluster = Cluster::of_three(Compaction::default()).await;
    for round in 0..3_u8 {
        let leader = cluster.leader_among(&[1, 2, 3]).await;
        let term = cluster.node(leader).standing().term;
        append(cluster.node(leader), round * 10).await;
        cluster.stop(leader).await;
        cluster.start(leader).await;
        let index = append(cluster.node(leader), round * 10 + 1).await;
        cluster.agree(index).await;
        assert!(cluster.node(leader).standing().term > term, "a new term for a new leadership");
    }
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_stop_and_start_again() {
    let mut cluster = Cluster::of_three(Compaction::default()).await;
    let index = append(cluster.node(3), 1).await;
    cluster.node(3).store_as_of(UnixMillis(123)).unwrap();
    for node in 1..=3 {
        applied(cluster.node(node), index).await;
        cluster.stop(node).await;
    }
    for node in 1..=3 {
        cluster.start(node).await;
    }
    assert_eq!(cluster.node(3).stored_as_of(), Some(UnixMillis(123)));
    assert_eq!(cluster.node(1).stored_as_of(), None, "each has its own");
    let index = append(cluster.node(1), 2).await;
    cluster.agree(index).await;
    assert!(has(cluster.node(2), 1));
    cluster.stop_all().await;
}

/// I17: within 2 s, and it says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i17_a_minority_node_refuses_within_two_seconds() {
    let mut cluster = Cluster::of_three(Compaction::default()).await;
    let index = append(cluster.node(1), 1).await;
    applied(cluster.node(1), index).await;
    cluster.stop(2).await;
    cluster.stop(3).await;
    for number in 2..4 {
        let begun = Instant::now();
        let refused = cluster.node(1).append(grant(number)).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert!(matches!(refused, AppendError::NotAppended(_) | AppendError::NotKnown(_)), "{refused}");
    }
    let begun = Instant::now();
    let refused = cluster.node(1).read_index().await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(refused.voters, [1, 2, 3].map(NodeId));
    assert_eq!(refused.reachable, [NodeId(1)]);
    assert!(has(cluster.node(1), 1), "it goes on reading");
    cluster.stop_all().await;
}

/// Mechanism: the bound of the queue in `log.rs`; whoever comes when it is full is told so at once, and its command is in
/// nobody's log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_of_commands_is_bounded() {
    let mut cluster = Cluster::empty(Compaction::default());
    cluster.start(1).await;
    let node = cluster.node(1);
    // Nobody leads, so nothing leaves the queue but the batch that waits for a leader.
    let many = limits::QUEUE_COMMANDS_MAX + limits::BATCH_COMMANDS_MAX + 100;
    let all = futures_util::future::join_all((0..many).map(|_| node.append(grant(1)))).await;
    let full = |refused: &AppendError| matches!(refused, AppendError::NotAppended(why) if why.cause.ends_with("commands are waiting"));
    let refused = all.iter().filter(|outcome| outcome.as_ref().is_err_and(full)).count();
    assert!((100..=100 + limits::BATCH_COMMANDS_MAX).contains(&refused), "{refused} of {many}");
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_far_behind_installs_a_snapshot() {
    let compaction = Compaction { snapshot_every: 20, entries_kept: 2 };
    let mut cluster = Cluster::of_three(compaction).await;
    append(cluster.node(1), 1).await;
    cluster.node(1).transfer_leader(Some(NodeId(1))).await.unwrap();
    cluster.stop(3).await;
    let mut last = LogIndex(0);
    for number in 10..90 {
        last = append(cluster.node(1), number).await;
    }
    let begun = Instant::now();
    while [1, 2].iter().any(|node| cluster.node(*node).purged().is_none_or(|purged| purged.0 < 30)) {
        assert!(begun.elapsed() < PATIENCE, "the log is never cut");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    cluster.start(3).await;
    applied(cluster.node(3), last).await;
    assert!(cluster.node(3).digest_at(LogIndex(20)).is_none(), "it skipped entries");
    assert!(has(cluster.node(3), 10) && has(cluster.node(3), 89));
    let last = append(cluster.node(3), 90).await;
    cluster.agree(last).await;
    // What was installed survives a restart.
    cluster.stop(3).await;
    cluster.start(3).await;
    assert!(has(cluster.node(3), 89));
    let last = append(cluster.node(3), 91).await;
    cluster.agree(last).await;
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_is_handed_over() {
    let cluster = Cluster::of_three(Compaction::default()).await;
    append(cluster.node(1), 1).await;
    let leader = cluster.leader_among(&[1, 2, 3]).await;
    eventually("a transfer", async || cluster.node(leader).transfer_leader(None).await).await;
    let next = cluster.leader_among(&[1, 2, 3]).await;
    assert_ne!(next, leader);
    // Any node can be asked.
    eventually("a transfer", async || cluster.node(next).transfer_leader(Some(NodeId(leader))).await).await;
    append(cluster.node(next), 2).await;
    cluster.stop_all().await;
}

/// A voter that is gone has matched all of an idle log, and would be as good as any.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_is_not_handed_to_a_voter_that_is_gone() {
    let mut cluster = Cluster::of_three(Compaction::default()).await;
    let index = append(cluster.node(1), 1).await;
    cluster.agree(index).await;
    let leader = cluster.leader_among(&[1, 2, 3]).await;
    let mut others: Vec<u64> = [1, 2, 3].into_iter().filter(|node| *node != leader).collect();
    let gone = others.pop().expect("two others");
    cluster.stop(gone).await;
    eventually("silence", async || {
        let reachable = cluster.node(leader).standing().reachable;
        if reachable.contains(&NodeId(gone)) { Err(reachable) } else { Ok(()) }
    })
    .await;
    assert_eq!(cluster.node(leader).furthest_voter(), Some(NodeId(others[0])));
    cluster.node(leader).transfer_leader(None).await.unwrap();
    assert_eq!(cluster.leader_among(&others).await, others[0]);
    cluster.stop_all().await;
}

/// I23: two nodes at one index have one digest, or the one that differs stops.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i23_a_node_that_differs_stops() {
    let cluster = Cluster::of_three(Compaction::default()).await;
    let index = append(cluster.node(1), 1).await;
    let digest = cluster.node(1).digest_at(index).unwrap();
    let tick = |digest| Command::Tick { digest: Some((index, digest)) };
    let applied = eventually("a tick", async || cluster.node(2).append(tick(digest)).await).await;
    assert_eq!(*applied.outcome(), Outcome::Done);
    // All three differ from a digest that nobody has.
    let refused = cluster.node(2).append(tick(Digest([9; 32]))).await.unwrap_err();
    assert!(!matches!(refused, AppendError::NotAppended(_)), "{refused}");
    let stopped = tokio::time::timeout(PATIENCE, cluster.node(2).stopped()).await.unwrap();
    assert!(matches!(stopped, StopReason::Diverged { .. }), "{stopped}");
    assert_eq!(cluster.node(2).append(grant(2)).await.unwrap_err(), AppendError::Stopped);
    cluster.stop_all().await;
}

/// R3: who is not of this cluster and epoch, or not the node that was dialled, is not heard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r3_strangers_are_not_heard() {
    let mut cluster = Cluster::empty(Compaction::default());
    cluster.start(1).await;
    cluster.node(1).initialise_single().await.unwrap();
    // Its certificate is another node's: it does not even start.
    let tls = cluster.authority.tls(identity(5));
    let refused = cluster.start_with(2, tls, exchange_nothing()).await.unwrap_err();
    assert!(matches!(refused, StartError::OtherIdentity { .. }), "{refused}");
    // Its certificate comes from another CA.
    let tls = Authority::new().tls(identity(2));
    let stranger = cluster.start_with(2, tls, exchange_nothing()).await.unwrap();
    let address = stranger.peer_address().unwrap().to_string();
    eventually("a learner", async || cluster.node(1).admit_learner(NodeId(2), &address).await).await;
    // Node 3 listens where node 4 is said to.
    cluster.start(3).await;
    let address = cluster.node(3).peer_address().unwrap().to_string();
    eventually("a learner", async || cluster.node(1).admit_learner(NodeId(4), &address).await).await;
    for node in [2, 4] {
        let refused = cluster.node(1).exchange(NodeId(node), "hello", vec![1]).await.unwrap_err();
        assert!(matches!(refused, crate::ExchangeError::NoAnswer(_)), "{refused}");
        assert!(cluster.node(1).promote(NodeId(node)).await.is_err());
    }
    assert_eq!(stranger.standing().term, 0, "it was told nothing");
    assert_eq!(cluster.node(3).standing().term, 0, "it was told nothing");
    stranger.shutdown().await;
    cluster.stop_all().await;
}

/// A member's program that sends more than a message may have is refused by who receives it, before the message is
/// read whole; the conversation of the log goes on.
///
/// Mechanism: `max_decoding_message_size` in `peers/server.rs`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_beyond_its_bound_is_refused_by_who_receives_it() {
    let cluster = Cluster::of_three(Compaction::default()).await;
    let peers = &cluster.node(1).ways.peers;
    let ask = async |octets: usize| {
        let mut client = peers.unbounded(NodeId(2));
        let (caller, octets) = (Some(peers.caller(NodeId(2))), vec![0; octets].into());
        client.exchange(wire::ExchangeRequest { caller, name: "x".to_owned(), octets }).await
    };
    ask(limits::MESSAGE_OCTETS_MAX - 100).await.unwrap();
    let refused = ask(limits::MESSAGE_OCTETS_MAX).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::OutOfRange, "{refused}");
    let leader = cluster.leader_among(&[1, 2, 3]).await;
    append(cluster.node(leader), 9).await;
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_exchange_octets_under_a_name() {
    let mut cluster = Cluster::empty(Compaction::default());
    cluster.start(1).await;
    cluster.node(1).initialise_single().await.unwrap();
    let tls = cluster.authority.tls(identity(2));
    let echo: ExchangeHandler = Arc::new(|from, name, octets| {
        Box::pin(async move {
            if name == "echo" {
                Ok([&[u8::try_from(from.0).unwrap()], &octets[..]].concat())
            } else {
                Err(name)
            }
        })
    });
    let log = cluster.start_with(2, tls, echo).await.unwrap();
    cluster.nodes.push(Some(log));
    cluster.admit(2).await;
    let answer =
        eventually("an answer", async || cluster.node(1).exchange(NodeId(2), "echo", vec![7, 8]).await).await;
    assert_eq!(answer, [1, 7, 8]);
    let refused = cluster.node(1).exchange(NodeId(2), "other", vec![]).await.unwrap_err();
    assert_eq!(refused, crate::ExchangeError::Refused { node: NodeId(2), why: "other".into() });
    let too_large = vec![0; limits::EXCHANGE_OCTETS_MAX + 1];
    let refused = cluster.node(1).exchange(NodeId(2), "echo", too_large).await.unwrap_err();
    assert!(matches!(refused, crate::ExchangeError::TooLarge { .. }), "{refused:?}");
    // A renewed certificate is used at once.
    let renewed = cluster.authority.tls(identity(1));
    cluster.node(1).renew_tls(renewed).unwrap();
    assert!(cluster.node(1).renew_tls(cluster.authority.tls(identity(2))).is_err());
    let answer = cluster.node(1).exchange(NodeId(2), "echo", vec![9]).await;
    assert_eq!(answer, Ok(vec![1, 9]));
    cluster.stop_all().await;
}
