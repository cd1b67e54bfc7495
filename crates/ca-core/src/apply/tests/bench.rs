//! A register and a hand that applies commands to it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::crl::CrlNumber;
use ca_x509::crl::RevocationReason::{self};
use ca_x509::key::PublicKey;
use ca_x509::name::{DistinguishedName, GeneralName};
use ca_x509::serial::SerialNumber;

use crate::apply::*;
use crate::command::{Idempotency, Intent};
use crate::draft::draft;
use crate::ids::{BootId, CaId, ClusterId, Digest, NodeId};
use crate::limits::COMMAND_LIFE_MS;
use crate::mandate::CaLimits;
use crate::plan::{CertificateRequest, NamesFrom, plan};
use crate::profile::{Allow, DnsRule, KeyRule, Profile, built_in};
use crate::register::{IssuerPurpose, MemoryRegister, OwnCertificate, PublicUrls, StatusChange};
use crate::roles::{Grant, Identity, Role, Scope};
use crate::shards::{ListId, ListKind, Shards};

pub(super) const START: UnixMillis = UnixMillis(1_800_000_000_000);
pub(super) const CLIENT: Identity = Identity::Client(Digest([1; 32]));
pub(super) const OTHER_CLIENT: Identity = Identity::Client(Digest([2; 32]));

/// A register and a hand that applies commands to it.
pub(super) struct Bench {
    pub(super) register: MemoryRegister,
    pub(super) index: u64,
    pub(super) now: UnixMillis,
    counter: u64,
    pub(super) boot: BootId,
}

impl Bench {
    pub(super) fn empty() -> Self {
        Self { register: MemoryRegister::default(), index: 0, now: START, counter: 0, boot: BootId(1) }
    }

    /// Two nodes, of which the first has proven all keys; `root` and `issuing` are active, `peers` is not.
    pub(super) fn ready() -> Self {
        let mut bench = Self::empty();
        let urls = PublicUrls::all_at("http://pki.test");
        bench.done(Command::InitCluster { id: ClusterId([7; 16]), name: "test".into(), urls });
        assert_eq!(bench.apply(1, admit(None, "one")), Outcome::Admitted(NodeId(1)));
        let secret = Digest([5; 32]);
        bench.done(Command::MintJoinToken {
            secret,
            expires_at: START.plus(1_000),
            requester: Identity::Ceremony,
        });
        assert_eq!(bench.apply(2, admit(Some(secret), "two")), Outcome::Admitted(NodeId(2)));
        for (octet, name, parent) in [(10, "root", "root"), (11, "issuing", "root"), (12, "peers", "peers")] {
            bench.done(define(name, parent, octet));
        }
        for octet in [10, 11, 12] {
            bench.done(prove(octet));
        }
        for mut profile in built_in(&DnsRule::Any).unwrap() {
            // Keys here are Ed25519, any octets of which are one.
            profile.keys = KeyRule::all();
            bench.done(Command::DefineProfile { profile: Box::new(profile), requester: Identity::Ceremony });
        }
        bench.grant(1, &[Role::Requester, Role::Officer], Scope::default());
        for (name, parent, profile, octet) in
            [("root", "root", "root", 10), ("issuing", "root", "sub-ca", 11)]
        {
            let request = CertificateRequest {
                profile: profile.parse().unwrap(),
                ca: Some(ca(parent)),
                public_key: key(octet),
                subject: subject(name),
                names: vec![],
                names_from: NamesFrom::Caller,
                ttl_s: None,
                certifies: Some(ca(name)),
                limits: Some(CaLimits::default()),
                responder: None,
            };
            let intent = bench.draft(Identity::Ceremony, request, octet);
            let serial = bench.commit(intent);
            bench.record(name, parent, serial);
        }
        bench
    }

    /// What a CA issues under.
    pub(super) fn own(&self, of: &str) -> OwnCertificate {
        self.register().issuer(&ca(of)).unwrap().unwrap().certificate.clone().unwrap()
    }

    /// A profile, to be changed.
    pub(super) fn profile(&self, name: &str) -> Profile {
        (*self.register().profile(&name.parse().unwrap()).unwrap().unwrap()).clone()
    }

    pub(super) fn register(&self) -> &dyn Register {
        &self.register
    }

    pub(super) fn envelope(&mut self, node: u64, command: Command) -> Envelope {
        self.counter = self.counter.saturating_add(1);
        let id = RequestId { node: NodeId(node), boot: self.boot, counter: self.counter };
        Envelope { id, expires_at: self.now.plus(COMMAND_LIFE_MS), command }
    }

    pub(super) fn log(&mut self, envelope: Envelope) -> Applied {
        self.index = self.index.saturating_add(1);
        let at = Moment { index: LogIndex(self.index), time: self.now };
        let Application { mut applied, changes } = apply(&self.register, at, [envelope]).unwrap();
        let applied = applied.remove(0);
        if matches!(applied.outcome(), Outcome::Refused(_)) {
            // What is refused sets nothing but the memory of the refusal, its expiry and the time.
            let memory = |key: &Key| matches!(key, Key::Outcomes(_) | Key::Expiry(..) | Key::Time);
            assert!(
                changes.iter().all(|change| change.value.is_none() || memory(&change.key)),
                "{changes:?}"
            );
        }
        self.register.write(changes);
        applied
    }

    pub(super) fn apply(&mut self, node: u64, command: Command) -> Outcome {
        let envelope = self.envelope(node, command);
        self.log(envelope).into_outcome()
    }

    pub(super) fn grant(&mut self, key: u8, roles: &[Role], scope: Scope) {
        let grant =
            Grant { key: Digest([key; 32]), roles: roles.to_vec(), scope, rate: None, label: String::new() };
        self.done(Command::SetGrant { grant, requester: Identity::Ceremony });
    }

    pub(super) fn done(&mut self, command: Command) {
        assert_eq!(self.apply(1, command), Outcome::Done);
    }

    pub(super) fn wait(&mut self, millis: u64) {
        self.now = self.now.plus(millis);
    }

    pub(super) fn draft(&self, requester: Identity, request: CertificateRequest, serial: u8) -> Intent {
        let plan = plan(self.register(), requester, request, self.now).unwrap();
        draft(&plan, SerialNumber::from_random([serial; 16]), None, None).unwrap()
    }

    /// An intent for a server certificate under `issuing`.
    pub(super) fn intent(&self, serial: u8) -> Intent {
        self.draft(CLIENT, server(), serial)
    }

    pub(super) fn keyed(&self, serial: u8, body: u8, supersedes: Option<SerialNumber>) -> Intent {
        let idempotency = Some(Idempotency { key: Digest([3; 32]), body: Digest([body; 32]) });
        Intent { idempotency, supersedes, ..self.intent(serial) }
    }

    pub(super) fn commit(&mut self, intent: Intent) -> SerialNumber {
        let serial = intent.serial;
        let outcome = self.apply(1, Command::Intent(intent));
        assert!(matches!(outcome, Outcome::IntentCommitted { .. }), "{outcome:?}");
        serial
    }

    pub(super) fn record(&mut self, what: &str, by: &str, serial: SerialNumber) {
        let record = Command::Record { ca: ca(by), serial, signature: vec![1; 64] };
        let outcome = self.apply(1, record);
        assert!(matches!(outcome, Outcome::Recorded { .. }), "{what}: {outcome:?}");
    }

    pub(super) fn issued(&mut self, serial: u8) -> SerialNumber {
        let serial = self.commit(self.intent(serial));
        self.record("a server", "issuing", serial);
        serial
    }

    pub(super) fn revoke(&mut self, serial: SerialNumber, reason: RevocationReason) -> Outcome {
        self.revoke_as(1, serial, reason)
    }

    pub(super) fn revoke_as(&mut self, key: u8, serial: SerialNumber, reason: RevocationReason) -> Outcome {
        let requester = Identity::Client(Digest([key; 32]));
        self.apply(1, Command::Revoke { ca: ca("issuing"), serial, reason, requester })
    }

    pub(super) fn release(&mut self, serial: SerialNumber) -> Outcome {
        self.apply(1, Command::Release { ca: ca("issuing"), serial, requester: CLIENT })
    }

    /// A certificate on hold, of a profile that permits it.
    pub(super) fn held(&mut self, serial: u8) -> SerialNumber {
        let mut profile = self.profile("tls-server");
        profile.hold = Allow::Yes;
        profile.version = profile.version.saturating_add(1);
        self.done(Command::DefineProfile { profile: Box::new(profile), requester: CLIENT });
        let serial = self.issued(serial);
        let held = self.revoke(serial, RevocationReason::CertificateHold);
        assert_eq!(held, Outcome::Revoked { revoked_at: self.now.seconds() });
        serial
    }

    pub(super) fn reason(&self, serial: SerialNumber) -> Option<StatusChange> {
        let revocation = self.register().revocation(&ca("issuing"), serial).unwrap();
        revocation.and_then(|revocation| revocation.latest().map(|event| event.change))
    }

    pub(super) fn rows(&self, from: &Key) -> usize {
        self.register.scan(from, usize::MAX).unwrap().len()
    }
}

pub(super) fn ca(name: &str) -> CaId {
    name.parse().unwrap()
}

/// The list of everything that a CA issued.
pub(super) fn whole(of: &str) -> ListId {
    ListId::whole(&ca(of))
}

pub(super) fn key(octet: u8) -> PublicKey {
    PublicKey::from_ed25519([octet; 32])
}

pub(super) fn subject(name: &str) -> DistinguishedName {
    DistinguishedName::new().common_name(name).build().unwrap()
}

pub(super) fn server() -> CertificateRequest {
    CertificateRequest {
        profile: "tls-server".parse().unwrap(),
        ca: None,
        public_key: key(99),
        subject: DistinguishedName::empty(),
        names: vec![GeneralName::Dns("web.test".into())],
        names_from: NamesFrom::Caller,
        ttl_s: None,
        certifies: None,
        limits: None,
        responder: None,
    }
}

pub(super) fn define(name: &str, parent: &str, octet: u8) -> Command {
    Command::DefineIssuer {
        ca: ca(name),
        subject: subject(name),
        public_key: key(octet),
        algorithm: SignatureAlgorithm::Ed25519,
        parent: Some(ca(parent)),
        purpose: if name == "peers" { IssuerPurpose::Peers } else { IssuerPurpose::Public },
        requester: Identity::Ceremony,
        shards: if name == "issuing" { Shards::DEFAULT } else { Shards::ONE },
    }
}

pub(super) fn prove(octet: u8) -> Command {
    Command::ProveKey { key: key(octet).key_identifier(), signature: vec![octet; 64] }
}

pub(super) fn admit(token: Option<Digest>, name: &str) -> Command {
    let address = String::new;
    let (peer_address, api_address, va_address) = (address(), address(), address());
    Command::AdmitMember { token, name: name.into(), peer_address, api_address, va_address }
}

pub(super) fn abandon(serial: SerialNumber) -> Command {
    Command::Abandon { ca: ca("issuing"), serial }
}

pub(super) fn record(of: &str, serial: SerialNumber) -> Command {
    Command::Record { ca: ca(of), serial, signature: vec![1; 64] }
}

pub(super) fn cut(of: &str) -> Command {
    Command::CutCrl { list: whole(of), kind: ListKind::Complete }
}

pub(super) fn sign_cut(number: u128) -> Command {
    let tbs_digest = Digest([0; 32]);
    Command::RecordCrl {
        list: whole("issuing"),
        number: CrlNumber(number),
        tbs_digest,
        signature: vec![1; 64],
    }
}
