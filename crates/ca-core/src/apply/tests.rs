use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::crl::CrlNumber;
use ca_x509::crl::RevocationReason::{self, CertificateHold, KeyCompromise, Superseded};
use ca_x509::key::{KeyIdentifier, PublicKey};
use ca_x509::name::{DistinguishedName, GeneralName};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use super::*;
use crate::command::{Idempotency, Intent};
use crate::draft::draft;
use crate::ids::{BootId, CaId, ClusterId, Digest, NodeId};
use crate::limits::{
    COMMAND_LIFE_MS, CUT_OPEN_MAX_MS, IDEMPOTENCY_KEPT_MS, INTENT_OPEN_MAX_MS, STATUS_LIFE_S, TBS_OCTETS_MAX,
};
use crate::plan::{CertificateRequest, plan};
use crate::profile::{DnsRule, built_in};
use crate::register::{IssuerPurpose, MemberState, MemoryRegister, PublicUrls, StatusChange};
use crate::roles::{Grant, Identity, Role};

const START: UnixMillis = UnixMillis(1_800_000_000_000);
const CLIENT: Identity = Identity::Client(Digest([1; 32]));
const OTHER_CLIENT: Identity = Identity::Client(Digest([2; 32]));

/// A register and a hand that applies commands to it.
struct Bench {
    register: MemoryRegister,
    index: u64,
    now: UnixMillis,
    counter: u64,
    boot: BootId,
}

impl Bench {
    fn empty() -> Self {
        Self { register: MemoryRegister::default(), index: 0, now: START, counter: 0, boot: BootId(1) }
    }

    /// Two nodes, of which the first has proven all keys; `root` and `issuing` are active, `peers` is not.
    fn ready() -> Self {
        let mut bench = Self::empty();
        let urls = PublicUrls { base: "http://pki.test".into() };
        bench.done(Command::InitCluster { id: ClusterId([7; 16]), name: "test".into(), urls });
        assert_eq!(bench.apply(1, admit(None, "one")), Outcome::Admitted(NodeId(1)));
        let secret = Digest([5; 32]);
        bench.done(Command::MintJoinToken { secret, expires_at: START.plus(1_000) });
        assert_eq!(bench.apply(2, admit(Some(secret), "two")), Outcome::Admitted(NodeId(2)));
        for (octet, name, parent) in [(10, "root", "root"), (11, "issuing", "root"), (12, "peers", "peers")] {
            bench.done(define(name, parent, octet));
        }
        for octet in [10, 11, 12] {
            bench.done(prove(octet));
        }
        for profile in built_in(DnsRule::Any).unwrap() {
            bench.done(Command::DefineProfile(profile));
        }
        let roles = vec![Role::Requester, Role::Officer];
        bench.done(Command::SetGrant(Grant { key: Digest([1; 32]), roles, label: "client".into() }));
        for (name, parent, profile, octet) in
            [("root", "root", "root", 10), ("issuing", "root", "sub-ca", 11)]
        {
            let request = CertificateRequest {
                profile: profile.parse().unwrap(),
                ca: Some(ca(parent)),
                public_key: key(octet),
                subject: subject(name),
                names: vec![],
                ttl_s: None,
                certifies: Some(ca(name)),
                responder: None,
            };
            let intent = bench.draft(Identity::Ceremony, request, octet);
            let serial = bench.commit(intent);
            bench.record(name, parent, serial);
        }
        bench
    }

    fn register(&self) -> &dyn Register {
        &self.register
    }

    fn envelope(&mut self, node: u64, command: Command) -> Envelope {
        self.counter = self.counter.saturating_add(1);
        let id = RequestId { node: NodeId(node), boot: self.boot, counter: self.counter };
        Envelope { id, expires_at: self.now.plus(COMMAND_LIFE_MS), command }
    }

    fn log(&mut self, envelope: Envelope) -> Applied {
        self.index = self.index.saturating_add(1);
        let at = Moment { index: LogIndex(self.index), time: self.now };
        let Application { applied, changes } = apply(&self.register, at, envelope).unwrap();
        if matches!(applied.outcome(), Outcome::Refused(_)) {
            // What is refused sets nothing but the memory of the refusal, its expiry and the time.
            let memory = |key: &Key| matches!(key, Key::Outcome(_) | Key::Expiry(..) | Key::Time);
            assert!(
                changes.iter().all(|change| change.value.is_none() || memory(&change.key)),
                "{changes:?}"
            );
        }
        self.register.write(changes);
        applied
    }

    fn apply(&mut self, node: u64, command: Command) -> Outcome {
        let envelope = self.envelope(node, command);
        self.log(envelope).into_outcome()
    }

    fn done(&mut self, command: Command) {
        assert_eq!(self.apply(1, command), Outcome::Done);
    }

    fn wait(&mut self, millis: u64) {
        self.now = self.now.plus(millis);
    }

    fn draft(&self, requester: Identity, request: CertificateRequest, serial: u8) -> Intent {
        let plan = plan(self.register(), requester, request, self.now).unwrap();
        draft(&plan, SerialNumber::from_random([serial; 16]), None, None).unwrap()
    }

    /// An intent for a server certificate under `issuing`.
    fn intent(&self, serial: u8) -> Intent {
        self.draft(CLIENT, server(), serial)
    }

    fn keyed(&self, serial: u8, body: u8, supersedes: Option<SerialNumber>) -> Intent {
        let idempotency = Some(Idempotency { key: Digest([3; 32]), body: Digest([body; 32]) });
        Intent { idempotency, supersedes, ..self.intent(serial) }
    }

    fn commit(&mut self, intent: Intent) -> SerialNumber {
        let serial = intent.serial;
        let outcome = self.apply(1, Command::Intent(intent));
        assert!(matches!(outcome, Outcome::IntentCommitted { .. }), "{outcome:?}");
        serial
    }

    fn record(&mut self, what: &str, by: &str, serial: SerialNumber) {
        let record = Command::Record { ca: ca(by), serial, signature: vec![1; 64] };
        let outcome = self.apply(1, record);
        assert!(matches!(outcome, Outcome::Recorded { .. }), "{what}: {outcome:?}");
    }

    fn issued(&mut self, serial: u8) -> SerialNumber {
        let serial = self.commit(self.intent(serial));
        self.record("a server", "issuing", serial);
        serial
    }

    fn revoke(&mut self, serial: SerialNumber, reason: RevocationReason) -> Outcome {
        self.apply(1, Command::Revoke { ca: ca("issuing"), serial, reason, requester: CLIENT })
    }

    fn reason(&self, serial: SerialNumber) -> Option<StatusChange> {
        let revocation = self.register().revocation(&ca("issuing"), serial).unwrap();
        revocation.and_then(|revocation| revocation.latest().map(|event| event.change))
    }

    fn rows(&self, from: &Key) -> usize {
        self.register.scan(from, usize::MAX).unwrap().len()
    }
}

fn ca(name: &str) -> CaId {
    name.parse().unwrap()
}

fn key(octet: u8) -> PublicKey {
    PublicKey::from_ed25519([octet; 32])
}

fn subject(name: &str) -> DistinguishedName {
    DistinguishedName::new().common_name(name).build().unwrap()
}

fn server() -> CertificateRequest {
    CertificateRequest {
        profile: "tls-server".parse().unwrap(),
        ca: None,
        public_key: key(99),
        subject: DistinguishedName::empty(),
        names: vec![GeneralName::Dns("web.test".into())],
        ttl_s: None,
        certifies: None,
        responder: None,
    }
}

fn define(name: &str, parent: &str, octet: u8) -> Command {
    Command::DefineIssuer {
        ca: ca(name),
        subject: subject(name),
        public_key: key(octet),
        algorithm: SignatureAlgorithm::Ed25519,
        parent: ca(parent),
        purpose: IssuerPurpose::Public,
    }
}

fn prove(octet: u8) -> Command {
    Command::ProveKey { key: key(octet).key_identifier(), signature: vec![octet; 64] }
}

fn admit(token: Option<Digest>, name: &str) -> Command {
    let address = String::new;
    let (peer_address, api_address, va_address) = (address(), address(), address());
    Command::AdmitMember { token, name: name.into(), peer_address, api_address, va_address }
}

fn abandon(serial: SerialNumber) -> Command {
    Command::Abandon { ca: ca("issuing"), serial }
}

fn record(of: &str, serial: SerialNumber) -> Command {
    Command::Record { ca: ca(of), serial, signature: vec![1; 64] }
}

fn cut(of: &str) -> Command {
    Command::CutCrl { ca: ca(of) }
}

fn sign_cut(number: u128) -> Command {
    let tbs_digest = Digest([0; 32]);
    Command::RecordCrl { ca: ca("issuing"), number: CrlNumber(number), tbs_digest, signature: vec![1; 64] }
}

const UNUSED: SerialNumber = SerialNumber::MIN;

/// Every refusal that apply can give: what leads to it, and its slug. `UnknownProfile` and `Lint` are the plan's and
/// the draft's: a profile that is gone makes an intent stale.
type Case = (&'static str, fn(&mut Bench) -> Outcome);

const REFUSALS: &[Case] = &[
    ("command-expired", |bench| {
        let late = bench.envelope(1, Command::Tick { digest: None });
        bench.wait(COMMAND_LIFE_MS + 1);
        bench.log(late).into_outcome()
    }),
    ("already-initialised", |bench| {
        let urls = PublicUrls { base: String::new() };
        bench.apply(1, Command::InitCluster { id: ClusterId([8; 16]), name: String::new(), urls })
    }),
    ("not-initialised", |bench| {
        *bench = Bench::empty();
        bench.apply(1, Command::Tick { digest: None })
    }),
    ("unknown-ca", |bench| bench.apply(1, define("new", "nobody", 50))),
    ("unknown-ca", |bench| bench.apply(1, cut("nobody"))),
    ("unknown-ca", |bench| bench.apply(1, record("nobody", UNUSED))),
    ("unknown-ca", |bench| {
        let intent = Intent { ca: ca("nobody"), ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("unknown-ca", |bench| {
        let intent = Intent { certifies: Some(ca("nobody")), ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("ca-exists", |bench| bench.apply(1, define("root", "root", 50))),
    ("ca-exists", |bench| bench.apply(1, define("another", "root", 10))),
    ("ca-exists", |bench| {
        let Command::DefineIssuer { ca: _, subject: _, public_key, algorithm, parent, purpose } =
            define("another", "root", 50)
        else {
            panic!("it defines")
        };
        let subject = subject("root");
        bench.apply(
            1,
            Command::DefineIssuer { ca: ca("another"), subject, public_key, algorithm, parent, purpose },
        )
    }),
    ("ca-exists", |bench| {
        // A second certificate for a CA that has one.
        let mut intent = bench.intent(60);
        let root = bench.register().certificate(&ca("root"), SerialNumber::from_random([10; 16])).unwrap();
        (intent.ca, intent.issuer_key) = (ca("root"), key(10).key_identifier());
        (intent.tbs, intent.requester, intent.certifies) =
            (root.unwrap().tbs, Identity::Ceremony, Some(ca("root")));
        bench.apply(1, Command::Intent(intent))
    }),
    ("ca-inactive", |bench| bench.apply(1, cut("peers"))),
    ("ca-inactive", |bench| {
        let intent = Intent { ca: ca("peers"), issuer_key: key(12).key_identifier(), ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("profile-version", |bench| {
        let profile = bench.register().profile(&"client".parse().unwrap()).unwrap().unwrap();
        bench.apply(1, Command::DefineProfile(profile))
    }),
    ("forbidden", |bench| {
        let serial = bench.issued(60);
        let (ca, reason, requester) = (ca("issuing"), Superseded, OTHER_CLIENT);
        bench.apply(1, Command::Revoke { ca, serial, reason, requester })
    }),
    ("forbidden", |bench| {
        // R12 for revocations: the grant was taken away after the node had looked.
        let serial = bench.issued(60);
        bench.done(Command::SetGrant(Grant { key: Digest([1; 32]), roles: vec![], label: String::new() }));
        bench.revoke(serial, Superseded)
    }),
    ("stale-draft", |bench| {
        let intent = Intent { issuer_key: KeyIdentifier([0; 20]), ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("stale-draft", |bench| {
        let intent = bench.intent(60);
        let mut profile = bench.register().profile(&intent.profile).unwrap().unwrap();
        profile.version += 1;
        bench.done(Command::DefineProfile(profile));
        bench.apply(1, Command::Intent(intent))
    }),
    ("stale-draft", |bench| {
        let intent = bench.intent(60);
        bench.done(Command::SetGrant(Grant { key: Digest([9; 32]), roles: vec![], label: String::new() }));
        bench.apply(1, Command::Intent(intent))
    }),
    ("stale-draft", |bench| {
        let intent = Intent { profile: "nobodys".parse().unwrap(), ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("outside-profile", |bench| {
        let intent = Intent { tbs: vec![0; TBS_OCTETS_MAX + 1], ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("outside-profile", |bench| {
        // Another key than the CA's.
        let intent = Intent { certifies: Some(ca("issuing")), ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("outside-profile", |bench| {
        let serial = bench.issued(60);
        bench.revoke(serial, CertificateHold)
    }),
    ("outside-profile", |bench| {
        let mut command = define("another", "root", 50);
        if let Command::DefineIssuer { algorithm, .. } = &mut command {
            *algorithm = SignatureAlgorithm::EcdsaSha256;
        }
        bench.apply(1, command)
    }),
    ("serial-taken", |bench| {
        bench.issued(60);
        let intent = bench.intent(60);
        bench.apply(1, Command::Intent(intent))
    }),
    ("unknown-serial", |bench| bench.apply(1, record("issuing", UNUSED))),
    ("unknown-serial", |bench| bench.apply(1, abandon(UNUSED))),
    ("unknown-serial", |bench| bench.revoke(UNUSED, Superseded)),
    ("intent-abandoned", |bench| {
        let serial = bench.commit(bench.intent(60));
        bench.wait(INTENT_OPEN_MAX_MS + 1);
        assert_eq!(bench.apply(2, abandon(serial)), Outcome::Done);
        bench.apply(1, record("issuing", serial))
    }),
    ("already-recorded", |bench| {
        let serial = bench.issued(60);
        bench.apply(1, record("issuing", serial))
    }),
    ("already-recorded", |bench| {
        let serial = bench.issued(60);
        bench.wait(INTENT_OPEN_MAX_MS + 1);
        bench.apply(1, abandon(serial))
    }),
    ("not-recorded", |bench| {
        let serial = bench.commit(bench.intent(60));
        bench.revoke(serial, Superseded)
    }),
    ("still-open", |bench| {
        let serial = bench.commit(bench.intent(60));
        bench.wait(INTENT_OPEN_MAX_MS);
        bench.apply(2, abandon(serial))
    }),
    ("still-open", |bench| {
        // Its own node, in the same boot: the permit may still be in use.
        let serial = bench.commit(bench.intent(60));
        bench.apply(1, abandon(serial))
    }),
    ("not-owner", |bench| {
        let serial = bench.commit(bench.intent(60));
        bench.apply(2, record("issuing", serial))
    }),
    ("not-owner", |bench| {
        let serial = bench.commit(bench.intent(60));
        bench.boot = BootId(2);
        bench.apply(1, record("issuing", serial))
    }),
    ("idempotency-mismatch", |bench| {
        bench.commit(bench.keyed(60, 1, None));
        let intent = bench.keyed(61, 2, None);
        bench.apply(1, Command::Intent(intent))
    }),
    ("attempt-open", |bench| {
        bench.commit(bench.keyed(60, 1, None));
        let intent = bench.keyed(61, 1, Some(UNUSED));
        bench.apply(1, Command::Intent(intent))
    }),
    ("cut-open", |bench| {
        bench.apply(1, cut("issuing"));
        bench.wait(CUT_OPEN_MAX_MS);
        bench.apply(1, cut("issuing"))
    }),
    ("cut-closed", |bench| bench.apply(1, sign_cut(1))),
    ("cut-closed", |bench| {
        bench.apply(1, cut("issuing"));
        bench.apply(2, sign_cut(1))
    }),
    ("cut-closed", |bench| {
        bench.apply(1, cut("issuing"));
        bench.boot = BootId(2);
        bench.apply(1, sign_cut(1))
    }),
    ("cut-closed", |bench| {
        bench.apply(1, cut("issuing"));
        bench.wait(CUT_OPEN_MAX_MS + 1);
        bench.apply(1, cut("issuing"));
        bench.apply(1, sign_cut(1))
    }),
    ("join-token-unknown", |bench| bench.apply(3, admit(None, "three"))),
    ("join-token-unknown", |bench| bench.apply(3, admit(Some(Digest([6; 32])), "three"))),
    ("join-token-spent", |bench| bench.apply(3, admit(Some(Digest([5; 32])), "three"))),
    ("join-token-expired", |bench| {
        let secret = Digest([6; 32]);
        bench.done(Command::MintJoinToken { secret, expires_at: bench.now });
        bench.wait(1);
        bench.apply(3, admit(Some(secret), "three"))
    }),
    ("name-taken", |bench| {
        let secret = Digest([6; 32]);
        bench.done(Command::MintJoinToken { secret, expires_at: bench.now });
        bench.apply(3, admit(Some(secret), "two"))
    }),
    ("not-signing", |bench| {
        let intent = bench.intent(60);
        bench.apply(2, Command::Intent(intent))
    }),
    ("not-signing", |bench| bench.apply(2, cut("issuing"))),
    ("not-signing", |bench| bench.apply(3, prove(10))),
    ("unknown-key", |bench| bench.apply(2, prove(50))),
];

#[test]
fn every_refusal_has_its_cause_and_changes_nothing() {
    for (place, (slug, case)) in REFUSALS.iter().enumerate() {
        let mut bench = Bench::ready();
        let Outcome::Refused(refusal) = case(&mut bench) else { panic!("case {place}, {slug}: not refused") };
        assert_eq!(refusal.slug(), *slug, "case {place}: {refusal}");
    }
}

#[test]
fn a_spent_name_does_not_spend_the_token() {
    let mut bench = Bench::ready();
    let secret = Digest([6; 32]);
    bench.done(Command::MintJoinToken { secret, expires_at: bench.now });
    assert!(matches!(bench.apply(3, admit(Some(secret), "two")), Outcome::Refused(_)));
    assert_eq!(bench.apply(3, admit(Some(secret), "three")), Outcome::Admitted(NodeId(3)));
}

#[test]
fn r11_a_member_signs_once_all_keys_are_proven() {
    let mut bench = Bench::ready();
    let state = |bench: &Bench| bench.register().member(NodeId(2)).unwrap().unwrap().state;
    for octet in [10, 12, 12, 11] {
        assert_eq!(state(&bench), MemberState::Joining);
        assert_eq!(bench.apply(2, prove(octet)), Outcome::Done);
    }
    assert_eq!(state(&bench), MemberState::Signing);
}

#[test]
fn r7_a_duplicate_has_the_first_outcome_and_no_permit() {
    let mut bench = Bench::ready();
    let command = Command::Intent(bench.intent(60));
    let envelope = bench.envelope(1, command);
    let first = bench.log(envelope.clone());
    let before = bench.register.clone();
    let again = bench.log(envelope.clone());
    assert_eq!(again.outcome(), first.outcome());
    assert!(bench.register == before, "it changes nothing");
    assert!(again.into_permit().is_err());
    let recalled = Applied::recalled(envelope.id, LogIndex(1), first.outcome().clone());
    assert!(recalled.into_permit().is_err());
    assert!(first.into_permit().is_ok());

    let envelope = bench.envelope(1, cut("issuing"));
    let first = bench.log(envelope.clone());
    assert!(bench.log(envelope).into_crl_permit(&ca("issuing")).is_err());
    assert!(first.into_crl_permit(&ca("issuing")).is_ok());
}

#[test]
fn r8_what_expired_leaves_in_bounded_sweeps_and_its_duplicate_is_refused() {
    let mut bench = Bench::ready();
    let tick = |bench: &mut Bench| bench.apply(1, Command::Tick { digest: None });
    let early = bench.envelope(1, Command::Tick { digest: None });
    assert_eq!(bench.log(early.clone()).into_outcome(), Outcome::Done);
    for _ in 0..2 * EXPIRIES_PER_BATCH {
        tick(&mut bench);
    }
    let outcomes = Key::Outcome(RequestId::FIRST);
    let expiries = Key::Expiry(UnixMillis(0), Expiring::Outcome(RequestId::FIRST));
    let old = bench.rows(&outcomes);
    bench.wait(COMMAND_LIFE_MS + OUTCOME_KEPT_MS);
    tick(&mut bench);
    assert_eq!(bench.rows(&outcomes), old + 1, "at their last moment they are still kept");
    bench.wait(1);
    tick(&mut bench);
    let left = bench.rows(&outcomes);
    let swept = old + 2 - left;
    assert!((EXPIRIES_PER_BATCH..2 * EXPIRIES_PER_BATCH).contains(&swept), "a bounded sweep: {swept}");
    tick(&mut bench);
    assert_eq!(bench.rows(&outcomes), left + 1, "the same moment: nothing more is swept");
    bench.wait(1);
    tick(&mut bench);
    assert_eq!(bench.rows(&outcomes), 4, "the rest goes with the next moment: these four ticks are left");
    assert_eq!(bench.rows(&expiries), 4);
    let refused = bench.log(early).into_outcome();
    assert!(matches!(refused, Outcome::Refused(Refusal::Expired { .. })), "{refused:?}");
}

#[test]
fn r8_register_time_never_goes_back() {
    let mut bench = Bench::ready();
    bench.wait(10_000);
    bench.done(Command::Tick { digest: None });
    bench.now = START;
    bench.done(Command::Tick { digest: None });
    assert_eq!(bench.register().time(), Ok(Some(START.plus(10_000))));
}

#[test]
fn r6_an_idempotency_key_has_one_attempt_at_a_time() {
    let mut bench = Bench::ready();
    let first = bench.commit(bench.keyed(60, 1, None));
    let second = bench.commit(bench.keyed(61, 1, Some(first)));
    assert_eq!(bench.reason(first), Some(StatusChange::Abandoned), "superseded in the same entry");
    assert!(matches!(
        bench.apply(1, record("issuing", first)),
        Outcome::Refused(Refusal::IntentAbandoned { .. })
    ));
    bench.record("the second attempt", "issuing", second);
    for supersedes in [None, Some(second), Some(first)] {
        let intent = bench.keyed(62, 1, supersedes);
        let expected = Outcome::AlreadyIssued { ca: ca("issuing"), serial: second };
        assert_eq!(bench.apply(1, Command::Intent(intent)), expected);
    }
    assert_eq!(bench.rows(&Key::OpenIntent(ca("issuing"), SerialNumber::MIN)), 0);
}

#[test]
fn r6_a_superseding_attempt_that_is_refused_abandons_nothing() {
    let mut bench = Bench::ready();
    let first = bench.commit(bench.keyed(60, 1, None));
    let taken = bench.issued(61);
    let intent = Intent { serial: taken, ..bench.keyed(62, 1, Some(first)) };
    assert_eq!(
        bench.apply(1, Command::Intent(intent)),
        Outcome::Refused(Refusal::SerialTaken { serial: taken })
    );
    assert_eq!(bench.reason(first), None);
    bench.record("the first attempt", "issuing", first);
}

#[test]
fn i7_a_key_is_free_after_its_days_and_its_successor_has_its_own() {
    // With and without a sweep between: the row may still be there, and its expiry is older than its successor.
    for ticks in [0, 20] {
        let mut bench = Bench::ready();
        let first = bench.commit(bench.keyed(60, 1, None));
        bench.record("the first", "issuing", first);
        bench.wait(IDEMPOTENCY_KEPT_MS);
        let intent = bench.keyed(61, 2, None);
        let outcome = bench.apply(1, Command::Intent(intent));
        assert_eq!(outcome, Outcome::Refused(Refusal::IdempotencyMismatch), "its last moment");
        bench.wait(1);
        for _ in 0..ticks {
            bench.done(Command::Tick { digest: None });
        }
        let second = bench.commit(bench.keyed(61, 2, None));
        for _ in 0..60 {
            bench.done(Command::Tick { digest: None });
        }
        let attempt = bench.register().attempt(Digest([3; 32])).unwrap().unwrap();
        assert_eq!((attempt.serial, attempt.since), (second, bench.now));
        bench.wait(IDEMPOTENCY_KEPT_MS + 1);
        for _ in 0..60 {
            bench.done(Command::Tick { digest: None });
        }
        assert_eq!(bench.register().attempt(Digest([3; 32])), Ok(None), "it does not stay for ever");
    }
}

#[test]
fn r5_three_may_abandon_and_the_first_in_the_log_wins() {
    // Its own node after a restart, at once.
    let mut bench = Bench::ready();
    let serial = bench.commit(bench.intent(60));
    bench.boot = BootId(2);
    assert_eq!(bench.apply(1, abandon(serial)), Outcome::Done);
    assert_eq!(bench.apply(2, abandon(serial)), Outcome::Done, "again is done already");
    let revocation = bench.register().revocation(&ca("issuing"), serial).unwrap().unwrap();
    assert_eq!(revocation.events.len(), 1);
    assert_eq!(revocation.events[0].revoked_at, bench.now.seconds());
    assert_eq!(
        bench.register().crl_scope(&ca("issuing")).unwrap().unwrap().changed,
        revocation.events[0].index
    );
    // Anybody after 30 s of register time.
    let mut bench = Bench::ready();
    let serial = bench.commit(bench.intent(60));
    bench.wait(INTENT_OPEN_MAX_MS + 1);
    assert_eq!(bench.apply(2, abandon(serial)), Outcome::Done);
    // A record that comes first wins.
    let mut bench = Bench::ready();
    let serial = bench.issued(60);
    bench.boot = BootId(2);
    assert!(matches!(bench.apply(1, abandon(serial)), Outcome::Refused(Refusal::AlreadyRecorded { .. })));
    assert_eq!(bench.reason(serial), None);
}

#[test]
fn i14_date_and_reason_change_towards_key_compromise_only() {
    use RevocationReason::{CessationOfOperation, Unspecified};
    let table = [
        (vec![Superseded], Superseded),
        (vec![Superseded, Unspecified, CessationOfOperation], Superseded),
        (vec![Superseded, KeyCompromise], KeyCompromise),
        (vec![KeyCompromise, Superseded], KeyCompromise),
        (vec![Unspecified, KeyCompromise, KeyCompromise], KeyCompromise),
    ];
    for (asked, told) in table {
        let mut bench = Bench::ready();
        let serial = bench.issued(60);
        let first = bench.now.seconds();
        for reason in &asked {
            assert_eq!(bench.revoke(serial, *reason), Outcome::Revoked { revoked_at: first });
            bench.wait(5_000);
        }
        assert_eq!(bench.reason(serial), Some(StatusChange::Revoked(told)), "{asked:?}");
    }
    // What was abandoned has been revoked already, for ever.
    let mut bench = Bench::ready();
    let serial = bench.commit(bench.intent(60));
    bench.boot = BootId(2);
    let abandoned_at = bench.now.seconds();
    bench.apply(1, abandon(serial));
    bench.wait(5_000);
    assert_eq!(bench.revoke(serial, KeyCompromise), Outcome::Revoked { revoked_at: abandoned_at });
    assert_eq!(bench.reason(serial), Some(StatusChange::Abandoned));
}

#[test]
fn r10_a_cut_fixes_number_index_and_times() {
    let mut bench = Bench::ready();
    let take = |bench: &mut Bench| match bench.apply(1, cut("issuing")) {
        Outcome::CrlCut(cut) => cut,
        other => panic!("{other:?}"),
    };
    let first = take(&mut bench);
    assert_eq!((first.number, first.index, first.cut_at), (CrlNumber(1), LogIndex(bench.index), bench.now));
    assert_eq!(first.this_update, bench.now.seconds());
    assert_eq!(first.next_update, UnixSeconds(first.this_update.0 + STATUS_LIFE_S));
    bench.wait(CUT_OPEN_MAX_MS + 1);
    let second = take(&mut bench);
    assert_eq!(second.number, CrlNumber(2), "the number of a cut that was never signed stays a gap");
    bench.done(sign_cut(2));
    let scope = bench.register().crl_scope(&ca("issuing")).unwrap().unwrap();
    assert_eq!((scope.open, scope.current.map(|current| current.cut)), (None, Some(second)));
    assert_eq!(take(&mut bench).number, CrlNumber(3), "at once, for none is open");
}

#[test]
fn of_two_open_intents_for_one_ca_the_first_record_is_its_certificate() {
    let mut bench = Bench::ready();
    let request = || CertificateRequest {
        profile: "root".parse().unwrap(),
        ca: Some(ca("peers")),
        public_key: key(12),
        subject: subject("peers"),
        names: vec![],
        ttl_s: None,
        certifies: Some(ca("peers")),
        responder: None,
    };
    let intents: Vec<_> = [70, 71].map(|serial| bench.draft(Identity::Ceremony, request(), serial)).into();
    let serials: Vec<_> = intents.into_iter().map(|intent| bench.commit(intent)).collect();
    for serial in &serials {
        bench.record("peers", "peers", *serial);
    }
    assert_eq!(bench.register().issuer(&ca("peers")).unwrap().unwrap().certificate, Some(serials[0]));
}

#[test]
fn what_the_register_hangs_on_a_certificate_follows_from_its_profile() {
    let bench = Bench::ready();
    let refusal = |requester, request| match plan(bench.register(), requester, request, bench.now) {
        Err(crate::plan::PlanError::Refused(refusal)) => refusal.to_string(),
        other => panic!("{other:?}"),
    };
    let client = |request| refusal(CLIENT, request);
    assert!(
        client(CertificateRequest { certifies: Some(ca("issuing")), ..server() }).starts_with("certifies: ")
    );
    assert!(client(CertificateRequest { responder: Some(NodeId(1)), ..server() }).starts_with("responder: "));
    let responder = |node| CertificateRequest {
        profile: "ocsp-responder".parse().unwrap(),
        subject: subject("responder"),
        names: vec![],
        responder: node,
        ..server()
    };
    let node = |request| refusal(Identity::Node(NodeId(1)), request);
    assert!(node(responder(None)).starts_with("responder: "));
    assert!(node(responder(Some(NodeId(2)))).contains("node 1 asks for the responder of node 2"));
    let inactive = CertificateRequest { ca: Some(ca("peers")), ..responder(Some(NodeId(1))) };
    assert!(node(inactive).contains("the CA `peers` is not active"));
    assert!(plan(bench.register(), Identity::Node(NodeId(1)), responder(Some(NodeId(1))), bench.now).is_ok());
}
