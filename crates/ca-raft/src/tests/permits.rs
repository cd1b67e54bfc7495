//! R7 on the real stores: who gets a permit, and who does not.
//!
//! Mechanism: `Waiters::resolve` in `machine.rs`, `self.lock().remove(&applied.request())`: an outcome goes to the
//! one waiter that is registered under the whole id (node, boot, counter) when the entry is applied, or to nobody.
//! The first test leans on `ca_core::apply` too, whose outcome of a duplicate bears no permit.

use std::fs;
use std::sync::Arc;

use ca_core::command::{Command, Envelope};
use ca_core::draft::draft;
use ca_core::ids::{BootId, CaId, ClusterId, Epoch, NodeId, RequestId, UnixMillis};
use ca_core::limits::COMMAND_LIFE_MS;
use ca_core::mandate::CaLimits;
use ca_core::outcome::Outcome;
use ca_core::permit::{Applied, Permit};
use ca_core::plan::{CertificateRequest, NamesFrom, plan};
use ca_core::profile::{DnsRule, built_in};
use ca_core::register::{IssuerPurpose, PublicUrls, Register};
use ca_core::roles::Identity;
use ca_core::shards::Shards;
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::PublicKey;
use ca_x509::name::DistinguishedName;
use ca_x509::serial::SerialNumber;
use openraft::EntryPayload;
use openraft::entry::RaftEntry as _;
use openraft::storage::{IOFlushed, RaftLogReader as _, RaftLogStorage as _, RaftStateMachine as _};
use openraft::testing::log_id;
use openraft::type_config::TypeConfigExt as _;
use tempfile::TempDir;
use tokio::sync::oneshot::Receiver;

use super::stores::open;
use crate::clock::WallClock;
use crate::codec;
use crate::consensus::{Entry, Proposal, Types};
use crate::machine::{Machine, Progress, Snapshots};
use crate::store::{LogStore, RegisterStore};

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

/// One run of a node: its stores and its apply task. What is logged here is taken as committed.
struct Run {
    logs: LogStore,
    register: RegisterStore,
    machine: Machine,
    progress: Arc<Progress>,
    boot: BootId,
    entries: u64,
    commands: u64,
}

impl Run {
    fn start(directory: &TempDir) -> Self {
        let (logs, register, applied, stop) = open(directory).unwrap();
        let progress = Arc::new(Progress::new(&applied, WallClock::system()));
        let snapshots = Snapshots::new(directory.path().join("snapshots"));
        let machine = Machine::new(register.clone(), applied, Arc::clone(&progress), snapshots, stop, None);
        let boot = BootId(logs.boots());
        Self { logs, register, machine, progress, boot, entries: 0, commands: 0 }
    }

    /// A node whose CA `root` can issue its own certificate.
    async fn with_a_ca(directory: &TempDir) -> Self {
        let mut run = Self::start(directory);
        let urls = PublicUrls::all_at("http://pki.test");
        let mut commands = vec![
            Command::InitCluster { id: ClusterId([7; 16]), name: "test".into(), urls },
            Command::AdmitMember {
                token: None,
                name: "one".into(),
                peer_address: String::new(),
                api_address: String::new(),
                va_address: String::new(),
            },
            Command::DefineIssuer {
                ca: root(),
                subject: subject(),
                public_key: key(),
                algorithm: SignatureAlgorithm::Ed25519,
                parent: Some(root()),
                purpose: IssuerPurpose::Public,
                requester: Identity::Ceremony,
                shards: Shards::ONE,
            },
            Command::ProveKey { key: key().key_identifier(), signature: vec![1; 64] },
        ];
        let profiles = built_in(&DnsRule::Any).unwrap().into_iter();
        let requester = Identity::Ceremony;
        commands
            .extend(profiles.map(|profile| Command::DefineProfile { profile: Box::new(profile), requester }));
        for command in commands {
            let envelope = run.envelope(command);
            run.log(std::slice::from_ref(&envelope)).await;
            let outcome = run.outcome(envelope.id);
            assert!(!matches!(outcome, None | Some(Outcome::Refused(_))), "{outcome:?}");
        }
        run
    }

    fn envelope(&mut self, command: Command) -> Envelope {
        self.commands += 1;
        let id = RequestId { node: NodeId(1), boot: self.boot, counter: self.commands };
        Envelope { id, expires_at: NOW.plus(COMMAND_LIFE_MS), command }
    }

    fn intent(&mut self, serial: u8) -> Envelope {
        let request = CertificateRequest {
            profile: "root".parse().unwrap(),
            ca: Some(root()),
            public_key: key(),
            subject: subject(),
            names: vec![],
            names_from: NamesFrom::Caller,
            ttl_s: None,
            certifies: Some(root()),
            limits: Some(CaLimits::default()),
            responder: None,
        };
        let plan = plan(&self.register, Identity::Ceremony, request, NOW).unwrap();
        let serial = SerialNumber::from_random([serial; 16]);
        self.envelope(Command::Intent(draft(&plan, serial, None, None).unwrap()))
    }

    fn wait_for(&self, id: RequestId) -> Receiver<Applied> {
        self.progress.waiters.register(id)
    }

    /// What the register remembers of a command.
    fn outcome(&self, id: RequestId) -> Option<Outcome> {
        let register: &dyn Register = &self.register;
        register.outcome(id).unwrap()
    }

    /// One entry: into the log, synced, and applied.
    async fn log(&mut self, envelopes: &[Envelope]) {
        self.entries += 1;
        let envelopes = envelopes.iter().map(codec::encode_envelope).collect();
        let batch = codec::encode_batch(codec::Batch { stamp: NOW, epoch: Epoch(0), envelopes });
        let id = log_id::<Types>(1, 1, self.entries);
        let entry = Entry::new(id, EntryPayload::Normal(Proposal(batch)));
        let (sender, synced) = Types::oneshot();
        self.logs.append([entry.clone()], IOFlushed::signal(sender)).await.unwrap();
        synced.await.unwrap().unwrap();
        self.apply(vec![entry]).await;
    }

    /// Applies everything that the log holds, as after a start.
    async fn replay(&mut self) {
        let entries = self.logs.try_get_log_entries(..).await.unwrap();
        assert!(!entries.is_empty());
        self.entries = entries.last().unwrap().index();
        self.apply(entries).await;
    }

    async fn apply(&mut self, entries: Vec<Entry>) {
        let committed = futures_util::stream::iter(entries.into_iter().map(|entry| Ok((entry, None))));
        self.machine.apply(committed).await.unwrap();
    }

    /// The process ends; of the register, which is not synced, nothing is left on the disk.
    fn crash(self, directory: &TempDir) {
        self.close();
        for entry in fs::read_dir(directory.path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name == "register.current" {
                fs::remove_file(path).unwrap();
            } else if name.starts_with("register-") {
                fs::remove_dir_all(path).unwrap();
            }
        }
    }

    fn close(self) {
        self.logs.close();
        self.register.close();
    }
}

fn root() -> CaId {
    "root".parse().unwrap()
}

fn key() -> PublicKey {
    PublicKey::from_ed25519([10; 32])
}

fn subject() -> DistinguishedName {
    DistinguishedName::new().common_name("root").build().unwrap()
}

/// What a caller got: the permit, or the outcome without one.
fn permit(mut caller: Receiver<Applied>) -> Result<Permit, Outcome> {
    caller.try_recv().expect("an outcome").into_permit()
}

fn got_nothing(caller: &mut Receiver<Applied>) -> bool {
    matches!(caller.try_recv(), Err(tokio::sync::oneshot::error::TryRecvError::Empty))
}

#[tokio::test]
async fn r7_a_command_that_is_logged_twice_gives_one_permit() {
    let directory = tempfile::tempdir().unwrap();
    let mut run = Run::with_a_ca(&directory).await;
    let intent = run.intent(1);
    let caller = run.wait_for(intent.id);
    // Twice in one entry, and once more in the next.
    run.log(&[intent.clone(), intent.clone()]).await;
    let first = permit(caller).expect("the first apply of a command that is waited for");
    let again = run.wait_for(intent.id);
    run.log(std::slice::from_ref(&intent)).await;
    let outcome = permit(again).expect_err("a second permit");
    assert_eq!(run.outcome(intent.id), Some(outcome), "the first outcome");
    // The one permit is a good one.
    let order = first.order(&run.register).unwrap();
    assert_eq!(order.key(), key().key_identifier());
    run.close();
}

#[tokio::test]
async fn r7_entries_that_are_replayed_give_no_permit() {
    let directory = tempfile::tempdir().unwrap();
    let mut run = Run::with_a_ca(&directory).await;
    let intent = run.intent(1);
    let caller = run.wait_for(intent.id);
    run.log(std::slice::from_ref(&intent)).await;
    assert!(permit(caller).is_ok());
    run.crash(&directory);
    let mut run = Run::start(&directory);
    assert_ne!(run.boot, intent.id.boot);
    assert_eq!(run.outcome(intent.id), None, "the register begins anew");
    // This boot counts from the beginning too, and waits for as many.
    let mut callers: Vec<_> = (0..=intent.id.counter)
        .map(|counter| run.wait_for(RequestId { boot: run.boot, counter, ..intent.id }))
        .collect();
    run.replay().await;
    let outcome = run.outcome(intent.id);
    assert!(matches!(outcome, Some(Outcome::IntentCommitted { .. })), "{outcome:?}");
    assert!(callers.iter_mut().all(got_nothing), "another boot's outcome");
    run.close();
}

#[tokio::test]
async fn r7_a_command_that_nobody_waits_for_gives_no_permit() {
    let directory = tempfile::tempdir().unwrap();
    let mut run = Run::with_a_ca(&directory).await;
    let (intent, other) = (run.intent(1), run.intent(2));
    let mut another = run.wait_for(other.id);
    run.log(std::slice::from_ref(&intent)).await;
    assert!(got_nothing(&mut another), "another command's outcome");
    // Who asks when it is applied comes too late.
    let mut late = run.wait_for(intent.id);
    run.log(std::slice::from_ref(&other)).await;
    assert!(got_nothing(&mut late), "an outcome that was kept for later");
    run.log(std::slice::from_ref(&intent)).await;
    assert!(permit(late).is_err(), "a permit from a second apply");
    assert!(permit(another).is_ok());
    // A caller that gave up has no permit either, although its command is applied for the first time.
    let given_up = run.intent(3);
    let mut gone = run.wait_for(given_up.id);
    run.progress.waiters.forget(given_up.id);
    run.log(std::slice::from_ref(&given_up)).await;
    assert!(gone.try_recv().is_err());
    run.close();
}
