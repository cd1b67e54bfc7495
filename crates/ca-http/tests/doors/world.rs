//! One node in memory: the real register, `apply`, authority and doors over keys in software. No token, no disk, no
//! network.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA256_ASN1, ECDSA_P521_SHA256_ASN1,
    ED25519, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use axum::body::Body;
use axum::http::{Request, Response};
use ca_authority::ports::{
    AppendError, BadSignature, Clock, Entropy, EntropyFault, Log, NoQuorum, SignError, Signer, Standing,
    Verifier,
};
use ca_authority::{Authority, Ports};
use ca_core::apply::{Moment, apply};
use ca_core::command::{Command, Envelope};
use ca_core::ids::{BootId, CaId, ClusterId, Digest, LogIndex, NodeId, RequestId, UnixMillis};
use ca_core::mandate::CaLimits;
use ca_core::outcome::Outcome;
use ca_core::permit::{Applied, SigningOrder};
use ca_core::plan::{CertificateRequest, NamesFrom};
use ca_core::profile::{DnsRule, built_in};
use ca_core::register::{IssuerPurpose, Key, MemoryRegister, PublicUrls, Register, StorageFault, Value};
use ca_core::roles::{Grant, Identity, Role, Scope};
use ca_core::shards::Shards;
use ca_http::{
    BoxFuture, CaKeys, DeskError, Doors, Health, JoinAnswer, JoinDesk, JoinRequest, MintedToken,
    PeerCertificate, ReadyRole, Secret,
};
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::{KeyIdentifier, KeyKind, PublicKey};
use ca_x509::name::DistinguishedName;
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::contract::keeps_to_it;

const NODE: NodeId = NodeId(1);

pub(crate) struct World {
    pub(crate) authority: Arc<Authority<TestPorts>>,
    pub(crate) doors: Doors<TestPorts>,
    pub(crate) switches: Arc<Switches>,
}

/// What a test turns off.
#[derive(Debug, Default)]
pub(crate) struct Switches {
    pub(crate) no_quorum: AtomicBool,
    pub(crate) token_down: AtomicBool,
    pub(crate) not_ready: AtomicBool,
    /// Reads are answered, writes are not.
    pub(crate) no_quorum_for_writes: AtomicBool,
    /// The token holds new keys, but their proofs do not come.
    pub(crate) no_proof: AtomicBool,
    /// What goes wrong with the next acts.
    pub(crate) fault: Mutex<Option<Fault>>,
    /// How long an append takes, in milliseconds of tokio's clock.
    pub(crate) append_ms: AtomicU64,
    /// How long the desk takes for an invitation.
    pub(crate) mint_ms: AtomicU64,
}

/// Something inside that goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The token does not sign.
    Token(SignError),
    /// The token signs with another key.
    OtherKey,
    /// The log has ended.
    Stopped,
    /// There are no random octets.
    NoEntropy,
}

impl Switches {
    fn fault(&self) -> Option<Fault> {
        self.fault.lock().unwrap().clone()
    }
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The slug of a problem; checks that it is a whole one.
    pub(crate) fn slug(&self) -> String {
        let problem: ca_http::problem::ProblemBody =
            serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()));
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(problem.status, self.status);
        assert_eq!(problem.instance, self.header("x-request-id"));
        assert!(!problem.detail.is_empty() && !problem.title.is_empty() && problem.next.is_some());
        if self.status == 503 {
            assert_eq!(problem.retry_after_s.unwrap().to_string(), self.header("retry-after"));
        }
        problem.slug().unwrap().to_owned()
    }
}

impl World {
    /// A cluster of one, with its CAs `root`, `issuing` and a responder for `issuing`.
    pub(crate) async fn new() -> Self {
        // An event that is reached while nobody listens is switched off for all threads, and so for the test that
        // listens next: somebody who hears everything and keeps nothing always does.
        static HEARD: Once = Once::new();
        HEARD.call_once(|| {
            tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
        });
        let ports = TestPorts::new();
        let switches = Arc::clone(&ports.switches);
        let authority = Arc::new(Authority::new(ports));
        let health = Arc::new(TestHealth(Arc::clone(&switches)));
        let desk = Arc::new(TestDesk(Arc::clone(&switches)));
        let keys = Arc::new(TestKeys(Arc::clone(&authority)));
        let doors = Doors::new(Arc::clone(&authority), health, desk, keys);
        let world = Self { authority, doors, switches };
        world.found().await;
        world
    }

    async fn found(&self) {
        let ports = self.authority.ports();
        let urls = PublicUrls::all_at("http://pki.test");
        self.command(Command::InitCluster { id: ClusterId([9; 16]), name: "corp".to_owned(), urls }).await;
        let text = str::to_owned;
        self.command(Command::AdmitMember {
            token: None,
            name: text("ca1"),
            peer_address: text("ca1:8444"),
            api_address: text("ca1:8443"),
            va_address: text("ca1:8080"),
        })
        .await;
        for profile in built_in(&DnsRule::Any).unwrap() {
            self.command(Command::DefineProfile {
                profile: Box::new(profile),
                requester: Identity::Ceremony,
            })
            .await;
        }
        for (ca, parent, profile) in [("root", "root", "root"), ("issuing", "root", "sub-ca")] {
            let public_key = ports.signer.generate();
            let key = public_key.key_identifier();
            let subject = DistinguishedName::new().organization("Corp").common_name(ca).build().unwrap();
            self.command(Command::DefineIssuer {
                ca: id(ca),
                subject: subject.clone(),
                public_key: public_key.clone(),
                algorithm: SignatureAlgorithm::default_for(KeyKind::EcP256),
                parent: Some(id(parent)),
                purpose: IssuerPurpose::Public,
                requester: Identity::Ceremony,
                shards: if ca == "issuing" { Shards::new(4).unwrap() } else { Shards::ONE },
            })
            .await;
            self.command(Command::ProveKey { key, signature: vec![1] }).await;
            let request = CertificateRequest {
                profile: profile.parse().unwrap(),
                ca: Some(id(parent)),
                public_key,
                subject,
                names: vec![],
                names_from: NamesFrom::Caller,
                ttl_s: None,
                certifies: Some(id(ca)),
                limits: Some(CaLimits::default()),
                responder: None,
            };
            self.authority.issue(Identity::Ceremony, request, None).await.unwrap();
        }
        let responder = ports.signer.generate();
        let request = self.authority.responder_request(&id("issuing"), &responder).unwrap().unwrap();
        self.authority.issue(Identity::Node(NODE), request, None).await.unwrap();
    }

    /// Puts a command into the log.
    pub(crate) async fn command(&self, command: Command) -> Outcome {
        let outcome = self.authority.ports().log.append(command).await.unwrap().into_outcome();
        assert!(!matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
        outcome
    }

    /// A caller with these roles: the DER of its certificate.
    pub(crate) async fn caller(&self, roles: &[Role]) -> Vec<u8> {
        let certificate = client_certificate();
        let parsed = ca_x509::certificate::Certificate::parse(&certificate).unwrap();
        let key = Digest::of(parsed.public_key().spki_der());
        let grant = Grant {
            key,
            roles: roles.to_vec(),
            scope: Scope::default(),
            rate: None,
            label: "test".to_owned(),
        };
        self.command(Command::SetGrant { grant, requester: Identity::Ceremony }).await;
        certificate
    }

    /// A caller whom nobody has granted anything.
    pub(crate) fn stranger(&self) -> Vec<u8> {
        client_certificate()
    }

    /// An answer of the API, which keeps to what is documented.
    pub(crate) async fn api(&self, caller: Option<&[u8]>, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = self.undocumented(caller, request).await;
        keeps_to_it(&method, &path, &answer);
        answer
    }

    /// An answer of the API, whatever is documented.
    pub(crate) async fn undocumented(&self, caller: Option<&[u8]>, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(caller.map_or(PeerCertificate::NONE, PeerCertificate::of));
        read(self.doors.api().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn va(&self, request: Request<Body>) -> Answer {
        read(self.doors.va().oneshot(request).await.unwrap()).await
    }

    /// Certifies this node's TLS listener.
    pub(crate) async fn certify_listener(&self, key: &PublicKey) {
        let request = CertificateRequest {
            profile: "node-tls".parse().unwrap(),
            ca: Some(id("issuing")),
            public_key: key.clone(),
            subject: DistinguishedName::empty(),
            names: vec![ca_x509::name::GeneralName::Dns("ca1.test".to_owned())],
            names_from: NamesFrom::Caller,
            ttl_s: None,
            certifies: None,
            limits: None,
            responder: None,
        };
        self.authority.issue(Identity::Node(NODE), request, None).await.unwrap();
    }

    /// A signature by a key of this node, as whoever uses the token directly could make one.
    pub(crate) fn signed_with(&self, key: &PublicKey, message: &[u8]) -> Vec<u8> {
        let keys = self.authority.ports().signer.keys.lock().unwrap();
        keys[&key.key_identifier()].sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    /// Every message that this node's keys have signed for an act, in order.
    pub(crate) fn signed(&self) -> Vec<Vec<u8>> {
        self.authority.ports().signer.signed.lock().unwrap().clone()
    }

    pub(crate) fn open_intents(&self) -> usize {
        let first = Key::OpenIntent(CaId::first(), SerialNumber::MIN);
        self.authority.register().scan(&first, usize::MAX).unwrap().len()
    }

    /// The last entry of the log.
    pub(crate) fn applied(&self) -> LogIndex {
        self.authority.ports().log.standing().applied
    }

    /// Moves the authority's clock.
    pub(crate) fn pass(&self, millis: u64) {
        self.authority.ports().clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Issues `web.test` and answers with the JSON.
    pub(crate) async fn issued(&self, caller: &[u8]) -> serde_json::Value {
        let body = serde_json::json!({ "profile": "tls-server", "csr": csr(&["web.test"]) });
        let answer = self.api(Some(caller), post("/api/v1/certificates", &body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }
}

pub(crate) fn id(ca: &str) -> CaId {
    ca.parse().unwrap()
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub(crate) fn post(path: &str, body: &serde_json::Value) -> Request<Body> {
    // What curl claims by default.
    let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    request.body(Body::from(body.to_string())).unwrap()
}

pub(crate) fn delete(path: &str) -> Request<Body> {
    Request::delete(path).body(Body::empty()).unwrap()
}

pub(crate) fn post_pem(path: &str, body: &serde_json::Value) -> Request<Body> {
    let mut request = post(path, body);
    request.headers_mut().insert("accept", "application/pem-certificate-chain".parse().unwrap());
    request
}

pub(crate) fn put(path: &str, body: &serde_json::Value) -> Request<Body> {
    Request::put(path).body(Body::from(body.to_string())).unwrap()
}

/// A new key's request for these names, in PEM.
pub(crate) fn csr(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap().pem().unwrap()
}

/// A self-signed client certificate in DER: who verifies it is the accept loop, not the doors.
fn client_certificate() -> Vec<u8> {
    let params = rcgen::CertificateParams::new(vec!["client.test".to_owned()]).unwrap();
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

pub(crate) struct TestPorts {
    log: TestLog,
    signer: SoftwareSigner,
    clock: TestClock,
    verifier: SoftwareVerifier,
    entropy: SystemEntropy,
    switches: Arc<Switches>,
}

impl TestPorts {
    fn new() -> Self {
        let switches = Arc::new(Switches::default());
        // openssl compares with the real time; it stands still during a test.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let clock = TestClock(Arc::new(AtomicU64::new(u64::try_from(now).unwrap())));
        let log = TestLog {
            register: Shared::default(),
            counter: AtomicU64::new(0),
            clock: clock.clone(),
            switches: Arc::clone(&switches),
        };
        let (keys, labelled, signed) = (Mutex::default(), Mutex::default(), Mutex::default());
        let signer = SoftwareSigner { keys, labelled, signed, switches: Arc::clone(&switches) };
        let entropy = SystemEntropy(Arc::clone(&switches));
        Self { log, signer, clock, verifier: SoftwareVerifier, entropy, switches }
    }
}

impl TestPorts {
    /// The key that was made for a CA.
    pub(crate) fn signer_key(&self, ca: &CaId) -> Option<PublicKey> {
        self.signer.labelled.lock().unwrap().get(ca).cloned()
    }

    pub(crate) fn signer_has(&self, ca: &CaId) -> bool {
        self.signer_key(ca).is_some()
    }
}

impl Ports for TestPorts {
    type Log = TestLog;
    type Signer = SoftwareSigner;
    type Verifier = SoftwareVerifier;
    type Clock = TestClock;
    type Entropy = SystemEntropy;

    fn log(&self) -> &TestLog {
        &self.log
    }

    fn signer(&self) -> &SoftwareSigner {
        &self.signer
    }

    fn verifier(&self) -> &SoftwareVerifier {
        &self.verifier
    }

    fn clock(&self) -> &TestClock {
        &self.clock
    }

    fn entropy(&self) -> &SystemEntropy {
        &self.entropy
    }
}

/// A log of one node: an entry is committed when it is applied.
pub(crate) struct TestLog {
    register: Shared,
    counter: AtomicU64,
    clock: TestClock,
    switches: Arc<Switches>,
}

#[derive(Default)]
struct Shared(RwLock<MemoryRegister>);

impl Register for Shared {
    fn get(&self, key: &Key) -> Result<Option<Value>, StorageFault> {
        self.0.read().unwrap().get(key)
    }

    fn scan(&self, from: &Key, limit: usize) -> Result<Vec<(Key, Value)>, StorageFault> {
        self.0.read().unwrap().scan(from, limit)
    }

    fn outcomes_with(&self, request: RequestId) -> Option<LogIndex> {
        self.0.read().unwrap().outcomes_with(request)
    }
}

impl TestLog {
    fn quorum(&self) -> Result<(), NoQuorum> {
        if self.switches.no_quorum.load(Ordering::SeqCst) {
            let voters = vec![NODE, NodeId(2), NodeId(3)];
            return Err(NoQuorum { voters, reachable: vec![NODE], cause: "connection refused".to_owned() });
        }
        Ok(())
    }
}

impl Log for TestLog {
    fn node(&self) -> NodeId {
        NODE
    }

    fn boot(&self) -> BootId {
        BootId(0xb007)
    }

    async fn append(&self, command: Command) -> Result<Applied, AppendError> {
        if self.switches.no_quorum_for_writes.load(Ordering::SeqCst) {
            let cause = "the leader is gone".to_owned();
            let quorum = NoQuorum { voters: vec![NODE], reachable: vec![NODE], cause };
            return Err(AppendError::NotAppended(quorum));
        }
        self.quorum().map_err(AppendError::NotAppended)?;
        if matches!(self.switches.fault(), Some(Fault::Stopped)) {
            return Err(AppendError::Stopped);
        }
        let append_ms = self.switches.append_ms.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(append_ms)).await;
        let counter = self.counter.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        let id = RequestId { node: NODE, boot: self.boot(), counter };
        let time = self.clock.now();
        let envelope = Envelope { id, expires_at: time.plus(20_000), command };
        let mut register = self.register.0.write().unwrap();
        let mut application =
            apply(&*register, Moment { index: LogIndex(counter), time }, [envelope]).unwrap();
        register.write(application.changes);
        Ok(application.applied.remove(0))
    }

    async fn read_index(&self) -> Result<LogIndex, NoQuorum> {
        self.quorum()?;
        Ok(LogIndex(self.counter.load(Ordering::SeqCst)))
    }

    fn register(&self) -> &dyn Register {
        &self.register
    }

    fn standing(&self) -> Standing {
        Standing {
            term: 3,
            leader: Some(NODE),
            applied: LogIndex(self.counter.load(Ordering::SeqCst)),
            voters: vec![NODE],
            reachable: vec![NODE],
            votes: true,
            digest: Digest([0xd1; 32]),
        }
    }

    fn stored_as_of(&self) -> Option<UnixMillis> {
        None
    }

    fn store_as_of(&self, _: UnixMillis) -> Result<(), StorageFault> {
        Ok(())
    }
}

/// Keys in memory, by the same port as a token.
pub(crate) struct SoftwareSigner {
    keys: Mutex<BTreeMap<KeyIdentifier, EcdsaKeyPair>>,
    labelled: Mutex<BTreeMap<CaId, PublicKey>>,
    signed: Mutex<Vec<Vec<u8>>>,
    switches: Arc<Switches>,
}

impl SoftwareSigner {
    fn generate(&self) -> PublicKey {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let public = PublicKey::from_ec_point(KeyKind::EcP256, pair.public_key().as_ref()).unwrap();
        self.keys.lock().unwrap().insert(public.key_identifier(), pair);
        public
    }
}

impl Signer for SoftwareSigner {
    async fn sign(&self, order: SigningOrder) -> Result<Vec<u8>, SignError> {
        if self.switches.token_down.load(Ordering::SeqCst) {
            return Err(SignError::Down { why: "unplugged".to_owned() });
        }
        match self.switches.fault() {
            Some(Fault::Token(error)) => return Err(error),
            Some(Fault::OtherKey) => return Ok(vec![0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01]),
            _ => {}
        }
        let keys = self.keys.lock().unwrap();
        let pair = keys.get(&order.key()).ok_or(SignError::NoKey { key: order.key() })?;
        self.signed.lock().unwrap().push(order.message().to_vec());
        Ok(pair.sign(&SystemRandom::new(), order.message()).unwrap().as_ref().to_vec())
    }

    fn holds(&self, key: KeyIdentifier) -> bool {
        self.keys.lock().unwrap().contains_key(&key)
    }

    fn distrust(&self, _: &PublicKey) {}
}

pub(crate) struct SoftwareVerifier;

impl Verifier for SoftwareVerifier {
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        let scheme: &dyn VerificationAlgorithm = match (algorithm.as_str(), key.kind()) {
            ("ecdsa-with-SHA256", KeyKind::EcP384) => &ECDSA_P384_SHA256_ASN1,
            ("ecdsa-with-SHA256", KeyKind::EcP521) => &ECDSA_P521_SHA256_ASN1,
            ("ecdsa-with-SHA256", _) => &ECDSA_P256_SHA256_ASN1,
            ("sha256WithRSAEncryption", _) => &RSA_PKCS1_2048_8192_SHA256,
            ("Ed25519", _) => &ED25519,
            _ => return Err(BadSignature),
        };
        UnparsedPublicKey::new(scheme, key.key_bits()).verify(message, signature).map_err(|_| BadSignature)
    }
}

#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicU64>);

impl Clock for TestClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst))
    }

    async fn sleep(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

pub(crate) struct SystemEntropy(Arc<Switches>);

impl Entropy for SystemEntropy {
    fn fill(&self, octets: &mut [u8]) -> Result<(), EntropyFault> {
        if matches!(self.0.fault(), Some(Fault::NoEntropy)) {
            return Err(EntropyFault);
        }
        aws_lc_rs::rand::fill(octets).map_err(|_| EntropyFault)
    }
}

struct TestHealth(Arc<Switches>);

impl Health for TestHealth {
    fn ready(&self, role: ReadyRole) -> Result<(), String> {
        if self.0.not_ready.load(Ordering::SeqCst) {
            Err(format!("not ready for {}", role.as_str()))
        } else {
            Ok(())
        }
    }
}

/// Makes keys in software. Its name ties a CA to its key, as a token's label does.
struct TestKeys(Arc<Authority<TestPorts>>);

impl CaKeys for TestKeys {
    fn key_for<'a>(&'a self, ca: &'a CaId, kind: KeyKind) -> BoxFuture<'a, Result<PublicKey, DeskError>> {
        Box::pin(async move {
            if kind != KeyKind::EcP256 {
                return Err(DeskError::Refused { field: "key", why: format!("no {kind} keys here") });
            }
            let signer = &self.0.ports().signer;
            if let Some(key) = signer.labelled.lock().unwrap().get(ca) {
                return Ok(key.clone());
            }
            let key = signer.generate();
            signer.labelled.lock().unwrap().insert(ca.clone(), key.clone());
            Ok(key)
        })
    }

    fn prove<'a>(&'a self, key: &'a PublicKey) -> BoxFuture<'a, Result<(), DeskError>> {
        Box::pin(async move {
            if self.0.ports().switches.no_proof.load(Ordering::SeqCst) {
                return Ok(());
            }
            let prove = Command::ProveKey { key: key.key_identifier(), signature: vec![1] };
            let proven = self.0.ports().log.append(prove).await;
            proven.map(drop).map_err(|error| ca_authority::ActError::from(error).into())
        })
    }

    fn try_sign<'a>(&'a self, key: &'a PublicKey) -> BoxFuture<'a, Result<(), DeskError>> {
        Box::pin(async move {
            if self.0.ports().signer.holds(key.key_identifier()) {
                return Ok(());
            }
            Err(DeskError::Act(ca_authority::ports::SignError::NoKey { key: key.key_identifier() }.into()))
        })
    }
}

/// Knows one secret.
struct TestDesk(Arc<Switches>);

impl JoinDesk for TestDesk {
    fn join(&self, request: JoinRequest) -> BoxFuture<'_, Result<JoinAnswer, DeskError>> {
        Box::pin(async move {
            if request.secret.expose() != "s3cret" {
                return Err(DeskError::Act(ca_core::outcome::Refusal::JoinTokenUnknown.into()));
            }
            if request.peer_csr.is_empty() {
                return Err(DeskError::Refused { field: "peer_csr", why: "it is empty".to_owned() });
            }
            Ok(JoinAnswer {
                cluster: "09".repeat(16),
                epoch: 0,
                node: 2,
                peer_ca: String::new(),
                peer_certificate: String::new(),
                tls_certificate: String::new(),
                root: String::new(),
                members: vec![],
            })
        })
    }

    fn mint(&self, _: Identity) -> BoxFuture<'_, Result<MintedToken, DeskError>> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(self.0.mint_ms.load(Ordering::SeqCst))).await;
            Ok(MintedToken { token: Secret::new("tok".to_owned()), expires_at: UnixSeconds(1_795_359_845) })
        })
    }
}
