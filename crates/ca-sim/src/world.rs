//! A cluster: its nodes, its time, its log, and what its clients see of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ca_authority::authority::{Authority, Ports};
use ca_authority::issue::Issued;
use ca_authority::ports::{Clock as _, Log as _, Verifier as _};
use ca_authority::revoke::Revoked;
use ca_authority::{ActError, crl::Crl};
use ca_core::apply::Moment;
use ca_core::command::{Command, Idempotency};
use ca_core::ids::{CaId, Digest, LogIndex, NodeId, ProfileName, UnixMillis};
use ca_core::outcome::Outcome;
use ca_core::plan::{CertificateRequest, NamesFrom};
use ca_core::register::{CrlCut, Issuer};
use ca_core::roles::Identity;
use ca_core::shards::{ListId, ListKind};
use ca_hsm::SignatureVerifier;
use ca_x509::certificate::Certificate;
use ca_x509::crl::{CertificateList, CrlNumber, RevocationReason};
use ca_x509::name::{DistinguishedName, GeneralName};
use ca_x509::ocsp::{CertId, CertStatus, OcspError, OcspRequest, OcspResponse};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use crate::checks::Logged;
use crate::clock::{SimClock, Time};
use crate::cluster::{Applied, Cluster, Host};
use crate::consensus::{Consensus, Ordered};
use crate::drive::{Act, drive};
use crate::entropy::SimEntropy;
use crate::log::{Kept, Link, Storm, index_of};
use crate::token::{Committed, SimToken, SoftKey, Tape, TokenMode, locked};

/// 2027-01-15: where time begins.
const BEGINNING_MS: u64 = 1_800_000_000_000;

/// The outside of one simulated authority.
#[derive(Debug)]
pub struct SimPorts {
    pub(crate) log: Ordered,
    pub(crate) token: SimToken,
    pub(crate) clock: SimClock,
    pub(crate) entropy: Arc<SimEntropy>,
}

impl Ports for SimPorts {
    type Log = Ordered;
    type Signer = SimToken;
    type Verifier = SignatureVerifier;
    type Clock = SimClock;
    type Entropy = SimEntropy;

    fn log(&self) -> &Ordered {
        &self.log
    }

    fn signer(&self) -> &SimToken {
        &self.token
    }

    fn verifier(&self) -> &SignatureVerifier {
        &SignatureVerifier
    }

    fn clock(&self) -> &SimClock {
        &self.clock
    }

    fn entropy(&self) -> &SimEntropy {
        &self.entropy
    }
}

/// The authority of one run of one node.
pub type Node = Arc<Authority<SimPorts>>;

/// The authority of the run of a node that is under way, if one is.
pub(crate) type Running = Arc<Mutex<Option<Node>>>;

/// A cluster and everything around it.
#[derive(Debug)]
pub struct World {
    pub(crate) time: Arc<Time>,
    worst_clock_ms: AtomicU64,
    pub(crate) consensus: Consensus,
    tape: Tape,
    members: BTreeMap<NodeId, MemberOf>,
    /// The one caller: requester and officer.
    pub(crate) client: SoftKey,
    captured: Arc<Mutex<Vec<Captured>>>,
    released: Arc<Mutex<Vec<Released>>>,
    acknowledged: Arc<Mutex<Vec<Acknowledged>>>,
    served: Mutex<Vec<Served>>,
}

#[derive(Debug)]
struct MemberOf {
    /// None while it does not run.
    authority: Running,
    token: SimToken,
    clock: SimClock,
    entropy: Arc<SimEntropy>,
}

/// What an OCSP answer said, after its signature was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// `good`.
    Good,
    /// `revoked`, since when and why.
    Revoked(UnixSeconds, Option<RevocationReason>),
    /// `unknown`.
    Unknown,
    /// No status.
    Error(OcspError),
}

/// One OCSP answer as a client keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// Who answered.
    pub node: NodeId,
    /// When, by the world's time.
    pub at: UnixMillis,
    /// How many entries were committed when it was asked.
    pub asked: u64,
    /// What that node's as_of was then.
    pub as_of: Option<UnixMillis>,
    /// About whom.
    pub ca: CaId,
    /// About what.
    pub serial: SerialNumber,
    /// What it said.
    pub said: Said,
    /// As signed; `None` for errors.
    pub this_update: Option<UnixSeconds>,
    /// As signed; `None` for errors.
    pub next_update: Option<UnixSeconds>,
    /// The octets.
    pub der: Arc<[u8]>,
}

/// One certificate that reached a client, and how many entries were committed by then.
#[derive(Clone, Debug)]
pub struct Released {
    /// The certificate.
    pub issued: Issued,
    /// The length of the log.
    pub committed: u64,
    /// By whom.
    pub node: NodeId,
    /// How that node was connected.
    pub link: Link,
    /// Under which idempotency key.
    pub key: Option<Digest>,
}

/// One list that a client fetched.
#[derive(Clone, Debug)]
pub struct Served {
    /// Which.
    pub of: ListId,
    /// By itself, or on top of one.
    pub kind: ListKind,
    /// When, by the world's time.
    pub at: UnixMillis,
    /// What it was made from.
    pub cut: CrlCut,
    /// What it says.
    pub list: CertificateList,
}

/// One revocation that a client was told of.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// The CA.
    pub ca: CaId,
    /// The serial.
    pub serial: SerialNumber,
    /// When, by the world's time.
    pub at: UnixMillis,
    /// What was answered.
    pub revoked: Revoked,
}

impl World {
    /// `count` nodes that have heard of nothing: no cluster yet.
    #[must_use]
    pub fn empty(count: u64) -> Self {
        let storm = Storm::default();
        let committed: Arc<dyn Committed> = Arc::new(storm.clone());
        let world = Self::around(count, &committed, Consensus::Simulated(storm.clone()));
        for (node, member) in &world.members {
            let log = Ordered::Simulated(storm.join(*node, member.clock.clone()));
            *locked(&member.authority) = Some(Arc::new(Authority::new(member.ports(log))));
        }
        world
    }

    /// The same over openraft; what chance decides in it follows from the seed.
    #[must_use]
    pub fn empty_over_raft(count: u64, seed: u64) -> Self {
        let applied = Applied::default();
        let committed: Arc<dyn Committed> = Arc::new(applied.clone());
        let mut world = Self::around(count, &committed, Consensus::Simulated(Storm::default()));
        let hosts = world.members.iter().map(|(node, member)| member.hosted(*node)).collect();
        world.consensus = Consensus::Raft(Box::new(Cluster::new(seed, world.time.clone(), applied, hosts)));
        world
    }

    fn around(count: u64, committed: &Arc<dyn Committed>, consensus: Consensus) -> Self {
        let (time, tape) = (Time::beginning_at(BEGINNING_MS), Tape::default());
        let member = |node| MemberOf {
            authority: Running::default(),
            token: SimToken::new(node, tape.clone(), Arc::clone(committed)),
            clock: SimClock::new(time.clone()),
            entropy: Arc::new(SimEntropy::new(node)),
        };
        let members = (1..=count).map(NodeId).map(|node| (node, member(node))).collect();
        Self {
            time,
            worst_clock_ms: AtomicU64::new(0),
            consensus,
            tape,
            members,
            client: SoftKey::named("client"),
            captured: Arc::default(),
            released: Arc::default(),
            acknowledged: Arc::default(),
            served: Mutex::default(),
        }
    }

    /// The nodes' numbers.
    pub fn nodes(&self) -> impl Iterator<Item = u64> + use<> {
        let nodes: Vec<u64> = self.members.keys().map(|node| node.0).collect();
        nodes.into_iter()
    }

    fn member(&self, node: u64) -> &MemberOf {
        self.members.get(&NodeId(node)).expect("the node is in this world")
    }

    /// A node's authority, as it runs now.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn node(&self, node: u64) -> Node {
        self.running(node).expect("the node runs")
    }

    /// A node's authority, if it runs.
    pub(crate) fn running(&self, node: u64) -> Option<Node> {
        locked(&self.member(node).authority).clone()
    }

    /// The simulated log.
    ///
    /// # Panics
    /// In a world over openraft, which has none.
    #[must_use]
    pub fn storm(&self) -> &Storm {
        let Consensus::Simulated(storm) = &self.consensus else { panic!("this world's log is openraft's") };
        storm
    }

    /// What all tokens signed.
    #[must_use]
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// A node's token.
    #[must_use]
    pub fn token(&self, node: u64) -> &SimToken {
        &self.member(node).token
    }

    /// A node's clock.
    #[must_use]
    pub fn clock(&self, node: u64) -> &SimClock {
        &self.member(node).clock
    }

    /// The caller that may request and revoke.
    #[must_use]
    pub fn client(&self) -> Identity {
        Identity::Client(Digest::of(self.client.public().spki_der()))
    }

    /// True time.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.time.now()
    }
}

impl MemberOf {
    fn ports(&self, log: Ordered) -> SimPorts {
        let (token, clock, entropy) = (self.token.clone(), self.clock.clone(), self.entropy.clone());
        SimPorts { log, token, clock, entropy }
    }

    fn hosted(&self, node: NodeId) -> Host {
        let (token, clock, entropy) = (self.token.clone(), self.clock.clone(), self.entropy.clone());
        Host { node, running: self.authority.clone(), token, clock, entropy }
    }
}

/// What is below the authorities.
impl World {
    /// Runs an act of a node to its end.
    ///
    /// # Panics
    /// If it waits for something that nobody will do.
    pub fn drive<T: 'static>(&self, node: u64, act: impl Future<Output = T> + 'static) -> T {
        match &self.consensus {
            Consensus::Simulated(_) => drive(act),
            Consensus::Raft(cluster) => cluster.drive(NodeId(node), act),
        }
    }

    /// Begins an act of a node. Whoever polls it sees how far it is.
    pub fn begin<T: 'static>(&self, node: u64, act: impl Future<Output = T> + 'static) -> Act<T> {
        match &self.consensus {
            Consensus::Simulated(_) => Act::new(act),
            Consensus::Raft(cluster) => cluster.begin(NodeId(node), act),
        }
    }

    /// The real nodes, on level 2.
    pub(crate) fn cluster(&self) -> Option<&Cluster> {
        match &self.consensus {
            Consensus::Simulated(_) => None,
            Consensus::Raft(cluster) => Some(cluster),
        }
    }

    /// Everything moves a little: so much time passes.
    pub fn step(&self, millis: u64) {
        match &self.consensus {
            Consensus::Simulated(_) => self.wait_ms(millis),
            Consensus::Raft(cluster) => cluster.run_for(millis),
        }
    }

    /// The length of the log, as far as any node has applied it.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.consensus.view().committed()
    }

    /// Whether nothing is under way and every connected node has applied everything.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        match &self.consensus {
            Consensus::Simulated(storm) => storm.is_calm(),
            Consensus::Raft(cluster) => cluster.is_calm(),
        }
    }

    /// Whether a node leads, as far as it knows.
    #[must_use]
    pub fn leads(&self, node: u64) -> bool {
        match &self.consensus {
            Consensus::Simulated(storm) => storm.leader() == NodeId(node),
            Consensus::Raft(cluster) => cluster.leads(NodeId(node)),
        }
    }

    /// Every command that was committed, in order.
    #[must_use]
    pub fn logged(&self) -> Vec<Logged> {
        match &self.consensus {
            Consensus::Simulated(storm) => {
                let entries = storm.entries().into_iter().enumerate();
                let at = |place, time| Moment { index: index_of(place), time };
                entries
                    .map(|(place, entry)| Logged {
                        at: at(place, entry.stamp),
                        envelopes: vec![entry.envelope],
                    })
                    .collect()
            }
            Consensus::Raft(cluster) => cluster.logged(),
        }
    }

    /// Who has applied the whole log.
    #[must_use]
    pub fn up_to_date(&self) -> Vec<Node> {
        let committed = self.committed();
        let is_there = |node: &u64| match &self.consensus {
            Consensus::Simulated(storm) => storm.applied(NodeId(*node)) == committed,
            Consensus::Raft(cluster) => cluster.applied(NodeId(*node)) >= committed,
        };
        self.nodes().filter(is_there).filter_map(|node| self.running(node)).collect()
    }
}

/// What happens to the cluster.
impl World {
    /// Time goes by.
    pub fn wait_ms(&self, millis: u64) {
        self.time.pass(millis);
    }

    /// From now on an act that sleeps waits until somebody else moves the time.
    pub(crate) fn make_sleepers_wait(&self) {
        self.time.make_sleepers_wait();
    }

    /// A node's clock goes so wrong. The checks allow answers to be off by as much.
    pub fn set_clock_error(&self, node: u64, error_ms: i64) {
        self.worst_clock_ms.fetch_max(error_ms.unsigned_abs(), Ordering::SeqCst);
        self.clock(node).set_error(error_ms);
    }

    /// How wrong any clock ever was.
    #[must_use]
    pub fn worst_clock_ms(&self) -> u64 {
        self.worst_clock_ms.load(Ordering::SeqCst)
    }

    /// A node's random source gives its last octets again.
    pub fn repeat_entropy(&self, node: u64) {
        self.member(node).entropy.repeat();
    }

    /// Changes a node's link.
    pub fn link(&self, node: u64, link: Link) {
        self.storm().set_link(NodeId(node), link);
    }

    /// Changes how a node's token behaves.
    pub fn token_mode(&self, node: u64, mode: TokenMode) {
        self.token(node).set_mode(mode);
    }

    /// Ends a node's process and starts it again. Acts of the old process that are still held by the test are of a
    /// boot that the log no longer knows.
    pub fn restart(&self, node: u64, kept: Kept) {
        let log = Ordered::Simulated(self.storm().restart(NodeId(node), kept));
        let member = self.member(node);
        *locked(&member.authority) = Some(Arc::new(Authority::new(member.ports(log))));
    }

    /// Puts a command into the log by way of a node.
    ///
    /// # Panics
    /// If it does not come through.
    pub fn command(&self, node: u64, command: Command) -> Outcome {
        let authority = self.node(node);
        let applied = self.drive(node, async move { authority.ports().log().append(command).await });
        applied.expect("the command comes through").into_outcome()
    }

    /// The leader's heartbeat in the log: moves register time.
    pub fn tick(&self) {
        self.command(self.storm().leader().0, Command::Tick { digest: None });
    }

    /// What every node does each second: asks a quorum how current it is. Nodes that get no answer stay as they are.
    pub fn refresh_all(&self) {
        for node in self.nodes() {
            let authority = self.node(node);
            let standing = self.drive(node, async move { authority.refresh().await });
            assert!(matches!(standing, Ok(_) | Err(ActError::NoQuorum(_))), "{standing:?}");
        }
    }
}

/// What clients do.
impl World {
    /// A request for a server certificate.
    ///
    /// # Panics
    /// Never: the profile's name is a literal.
    #[must_use]
    pub fn server_request(&self, host: &str) -> CertificateRequest {
        CertificateRequest {
            profile: profile("tls-server"),
            ca: None,
            public_key: SoftKey::named(host).public().clone(),
            subject: DistinguishedName::empty(),
            names: vec![GeneralName::Dns(host.to_owned())],
            names_from: NamesFrom::Caller,
            ttl_s: None,
            certifies: None,
            limits: None,
            responder: None,
        }
    }

    /// Asks a node for a server certificate and waits.
    ///
    /// # Errors
    /// As the node answers.
    pub fn issue(&self, node: u64, host: &str) -> Result<Issued, ActError> {
        self.drive(node, self.issuing(node, host, None))
    }

    /// Asks with an idempotency key and waits.
    ///
    /// # Errors
    /// As the node answers.
    pub fn issue_keyed(&self, node: u64, host: &str, key: &str) -> Result<Issued, ActError> {
        self.drive(node, self.issuing(node, host, Some(idempotency(key, host))))
    }

    /// Asks a node for a server certificate; the answer is kept for the checks when it comes.
    pub fn issuing(
        &self,
        node: u64,
        host: &str,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Result<Issued, ActError>> + use<> {
        let request = self.server_request(host);
        self.issuing_for(node, self.client(), request, idempotency)
    }

    /// As [`Self::issuing`], for any caller and request.
    pub fn issuing_for(
        &self,
        node: u64,
        requester: Identity,
        request: CertificateRequest,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Result<Issued, ActError>> + use<> {
        let (authority, below, released) = (self.node(node), self.consensus.view(), self.released.clone());
        async move {
            let issued = authority.issue(requester, request, idempotency).await?;
            let (committed, node) = (below.committed(), NodeId(node));
            let (link, key) = (below.link(node), idempotency.map(|idempotency| idempotency.key));
            locked(&released).push(Released { issued: issued.clone(), committed, node, link, key });
            Ok(issued)
        }
    }

    /// Revokes and waits.
    ///
    /// # Errors
    /// As the node answers.
    pub fn revoke(&self, node: u64, issued: &Issued, reason: RevocationReason) -> Result<Revoked, ActError> {
        self.drive(node, self.revoking(node, issued, reason))
    }

    /// Asks a node to revoke; the answer is kept for the checks when it comes.
    pub fn revoking(
        &self,
        node: u64,
        issued: &Issued,
        reason: RevocationReason,
    ) -> impl Future<Output = Result<Revoked, ActError>> + use<> {
        let (authority, client, time) = (self.node(node), self.client(), self.time.clone());
        let (ca, serial, acknowledged) = (issued.ca.clone(), issued.serial, self.acknowledged.clone());
        async move {
            let revoked = authority.revoke(client, ca.clone(), serial, reason).await?;
            locked(&acknowledged).push(Acknowledged { ca, serial, at: time.now(), revoked });
            Ok(revoked)
        }
    }

    /// Takes a certificate from its hold and waits.
    ///
    /// # Errors
    /// As the node answers.
    pub fn release(&self, node: u64, issued: &Issued) -> Result<LogIndex, ActError> {
        self.drive(node, self.releasing(node, issued))
    }

    /// As [`Self::release`]; does not wait.
    pub fn releasing(
        &self,
        node: u64,
        issued: &Issued,
    ) -> impl Future<Output = Result<LogIndex, ActError>> + use<> {
        let (authority, client) = (self.node(node), self.client());
        let (ca, serial) = (issued.ca.clone(), issued.serial);
        async move { authority.release(client, ca, serial).await }
    }

    /// Publishes the complete list of everything that a CA issued.
    ///
    /// # Errors
    /// As the node answers.
    pub fn publish(&self, node: u64, of: &str) -> Result<CrlNumber, ActError> {
        self.publish_list(node, &whole(of), ListKind::Complete)
    }

    /// Publishes any list.
    ///
    /// # Errors
    /// As the node answers.
    pub fn publish_list(&self, node: u64, list: &ListId, kind: ListKind) -> Result<CrlNumber, ActError> {
        let (authority, list) = (self.node(node), list.clone());
        self.drive(node, async move { authority.publish_crl(&list, kind).await })
    }

    /// A node's current complete list of everything that a CA issued.
    #[must_use]
    pub fn crl(&self, node: u64, of: &str) -> Option<(Crl, CertificateList)> {
        self.list(node, &whole(of), ListKind::Complete)
    }

    /// A list as a node serves it now, its signature verified with the register's key; kept for the checks.
    ///
    /// # Panics
    /// If the node serves what is not that list.
    #[must_use]
    pub fn list(&self, node: u64, of: &ListId, kind: ListKind) -> Option<(Crl, CertificateList)> {
        let served = self.node(node).crl(of, kind).expect("memory has no faults")?;
        let list = CertificateList::parse(&served.der).expect("a list is served");
        let issuer = self.issuer(of.ca.as_str());
        let verdict =
            SignatureVerifier.verify(&issuer.public_key, issuer.algorithm, list.tbs_der(), list.signature());
        assert_eq!(verdict, Ok(()), "I28: the list {of} on node {node}");
        let at = self.now();
        locked(&self.served).push(Served {
            at,
            of: of.clone(),
            kind,
            cut: served.cut.clone(),
            list: list.clone(),
        });
        Some((served, list))
    }

    /// Asks a node for a certificate's status. The answer is verified and kept for the checks.
    pub fn status(&self, node: u64, issued: &Issued) -> Said {
        self.status_of(node, issued.ca.as_str(), issued.serial)
    }

    /// Asks a node for the status of any serial.
    ///
    /// # Panics
    /// If the answer is not what a client accepts.
    pub fn status_of(&self, node: u64, of: &str, serial: SerialNumber) -> Said {
        self.drive(node, self.asking(node, of, serial))
    }

    /// Asks a node for the status of any serial; the answer is verified and kept for the checks when it comes.
    ///
    /// # Panics
    /// If the answer is not what a client accepts.
    pub fn asking(&self, node: u64, of: &str, serial: SerialNumber) -> impl Future<Output = Said> + use<> {
        let (authority, issuer, request) =
            (self.node(node), self.issuer(of), self.status_request(of, serial));
        let (below, time, captured, ca) =
            (self.consensus.view(), self.time.clone(), self.captured.clone(), ca(of));
        async move {
            let asked = below.committed();
            let answer = authority.answer_ocsp(&request).await;
            let (said, life) = read_answer(&answer.der, &issuer.public_key, issuer.algorithm);
            locked(&captured).push(Captured {
                node: NodeId(node),
                at: time.now(),
                asked,
                as_of: authority.as_of(),
                ca,
                serial,
                said,
                this_update: life.map(|(this, _)| this),
                next_update: life.map(|(_, next)| next),
                der: answer.der,
            });
            said
        }
    }

    /// The OCSP request for a serial.
    ///
    /// # Panics
    /// Never: it has one CertID.
    #[must_use]
    pub fn status_request(&self, of: &str, serial: SerialNumber) -> Vec<u8> {
        let issuer = self.issuer(of);
        let id = CertId::sha1(&issuer.subject, &issuer.public_key, &serial);
        OcspRequest { cert_ids: vec![id], nonce: None }.encode().expect("it has one CertID")
    }

    /// A CA as the first node has it that knows it: a client has the CA's certificate anyhow.
    ///
    /// # Panics
    /// If no node knows it.
    #[must_use]
    pub fn issuer(&self, of: &str) -> Arc<Issuer> {
        let known = |node: Node| node.register().issuer(&ca(of)).expect("memory has no faults");
        let running = self.nodes().filter_map(|node| self.running(node));
        running.into_iter().find_map(known).expect("the CA is defined")
    }

    /// Every OCSP answer so far.
    #[must_use]
    pub fn captured(&self) -> Vec<Captured> {
        locked(&self.captured).clone()
    }

    /// Every list that a client fetched.
    #[must_use]
    pub fn all_served(&self) -> Vec<Served> {
        locked(&self.served).clone()
    }

    /// Every revocation that was acknowledged.
    #[must_use]
    pub fn all_acknowledged(&self) -> Vec<Acknowledged> {
        locked(&self.acknowledged).clone()
    }

    /// Every certificate that a client was given.
    #[must_use]
    pub fn all_released(&self) -> Vec<Released> {
        locked(&self.released).clone()
    }
}

/// Reads an answer as a client does: the responder's certificate is by the CA, valid, for this purpose, and its key
/// signed (RFC 6960 §3.2).
fn read_answer(
    der: &[u8],
    ca_key: &ca_x509::key::PublicKey,
    ca_algorithm: ca_x509::algorithm::SignatureAlgorithm,
) -> (Said, Option<(UnixSeconds, UnixSeconds)>) {
    let basic = match OcspResponse::parse(der).expect("an OCSP response") {
        OcspResponse::Error(error) => return (Said::Error(error), None),
        OcspResponse::Basic(basic) => basic,
    };
    let [responder] = basic.certificates() else { panic!("one certificate travels along") };
    let responder = Certificate::parse(responder).expect("a certificate");
    let by_ca = SignatureVerifier.verify(ca_key, ca_algorithm, responder.tbs_der(), responder.signature());
    assert_eq!(by_ca, Ok(()), "I28: the responder's certificate is by the CA");
    assert!(responder.extensions().ocsp_no_check, "RFC 6960 §4.2.2.2.1");
    let key = responder.public_key();
    assert_eq!(basic.data().responder, key.key_identifier());
    let by_responder =
        SignatureVerifier.verify(key, basic.signature_algorithm(), basic.tbs_der(), basic.signature());
    assert_eq!(by_responder, Ok(()), "I28: the answer is by the responder");
    let [single] = basic.data().responses.as_slice() else { panic!("one status was asked for") };
    assert!(basic.data().produced_at <= responder.not_after(), "the responder's certificate has expired");
    let said = match single.status {
        CertStatus::Good => Said::Good,
        CertStatus::Revoked { at, reason } => Said::Revoked(at, reason),
        CertStatus::Unknown => Said::Unknown,
    };
    (said, Some((single.this_update, single.next_update.expect("an answer has an end"))))
}

/// The CA of this name.
///
/// # Panics
/// If it is no name.
#[must_use]
pub fn ca(name: &str) -> CaId {
    name.parse().expect("a CA's name")
}

/// The list of everything that the CA of this name issued.
///
/// # Panics
/// If it is no name.
#[must_use]
pub fn whole(of: &str) -> ListId {
    ListId::whole(&ca(of))
}

/// The profile of this name.
///
/// # Panics
/// If it is no name.
#[must_use]
pub fn profile(name: &str) -> ProfileName {
    name.parse().expect("a profile's name")
}

/// What a client's `Idempotency-Key` and body come to.
#[must_use]
pub fn idempotency(key: &str, body: &str) -> Idempotency {
    Idempotency {
        key: Digest::over(&[b"client", key.as_bytes()]),
        body: Digest::over(&[b"body", body.as_bytes()]),
    }
}

impl World {
    /// The node's clock, as its authority reads it.
    #[must_use]
    pub fn clock_of(&self, node: u64) -> UnixMillis {
        self.clock(node).now()
    }
}
