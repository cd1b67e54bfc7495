//! The issuance log without disks and networks: one list of entries, applied by each node on its own register.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, RwLock};
use std::task::Poll;

use ca_authority::ports::{AppendError, Clock as _, Log, NoQuorum, Standing};
use ca_core::apply::{Moment, apply};
use ca_core::command::{Command, Envelope};
use ca_core::ids::{BootId, Digest, LogIndex, NodeId, RequestId, UnixMillis};
use ca_core::limits::COMMAND_LIFE_MS;
use ca_core::permit::Applied;
use ca_core::planted::{Bug, planted};
use ca_core::register::{Key, MemoryRegister, Overlay, Register, StorageFault, Value};

use crate::clock::SimClock;
use crate::token::{Committed, locked};

mod flight;

use self::flight::{Flight, Waiter};

/// How a node is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It hears and is heard.
    Up,
    /// No quorum: nothing that it says is logged, and it knows that.
    CutOff,
    /// It leads a minority and does not know: what it appends is never committed, and it learns no more than that.
    Deposed,
    /// What it says is logged, but it applies nothing.
    Lagging,
}

/// What becomes of one append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is logged and answered.
    None,
    /// It is not logged, and the caller knows.
    NotAppended,
    /// It is not logged, and the caller does not know.
    Lost,
    /// It is logged and applied; the caller does not know.
    ReplyLost,
    /// It is logged twice.
    Duplicate,
    /// It is on its way for long: the caller does not know, and it is logged when the test says so.
    Held,
}

/// One entry: a command and the leader's stamp.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The command.
    pub envelope: Envelope,
    /// By the leader's clock.
    pub stamp: UnixMillis,
}

/// The cluster's log and all that can happen to it. Clones are the same log.
#[derive(Clone, Debug, Default)]
pub struct Storm(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    entries: Vec<Entry>,
    held: Vec<Envelope>,
    /// Where commands are on their way for some time; empty where all is done at once.
    flight: Option<Flight>,
    replicas: BTreeMap<NodeId, Replica>,
    leader: NodeId,
    term: u64,
}

/// What one node has of the log.
#[derive(Debug)]
struct Replica {
    boot: BootId,
    counter: u64,
    clock: SimClock,
    link: Link,
    faults: VecDeque<Fault>,
    register: SharedRegister,
    applied: usize,
    waiters: BTreeMap<RequestId, Waiter>,
    as_of: Option<UnixMillis>,
}

impl Storm {
    /// Adds a voter and gives its view of the log.
    pub(crate) fn join(&self, node: NodeId, clock: SimClock) -> SimLog {
        let register = SharedRegister::default();
        let replica = Replica {
            boot: BootId(1),
            counter: 0,
            clock,
            link: Link::Up,
            faults: VecDeque::new(),
            register: register.clone(),
            applied: 0,
            waiters: BTreeMap::new(),
            as_of: None,
        };
        let mut inside = locked(&self.0);
        inside.replicas.insert(node, replica);
        inside.elect();
        SimLog { storm: self.clone(), node, boot: BootId(1), register }
    }

    /// Changes a node's link. A leader that is not heard is followed by another.
    pub fn set_link(&self, node: NodeId, link: Link) {
        let mut inside = locked(&self.0);
        inside.replica(node).link = link;
        inside.elect();
        inside.spread();
    }

    /// How a node is connected.
    #[must_use]
    pub fn link(&self, node: NodeId) -> Link {
        locked(&self.0).replica(node).link
    }

    /// What becomes of the node's next appends, in order. After these all is well.
    pub fn set_faults(&self, node: NodeId, faults: &[Fault]) {
        locked(&self.0).replica(node).faults = faults.iter().copied().collect();
    }

    /// Logs what was on its way for long.
    pub fn release_held(&self) {
        let mut inside = locked(&self.0);
        for envelope in std::mem::take(&mut inside.held) {
            inside.log(envelope);
        }
        inside.spread();
    }

    /// The node's process ends and starts again: whoever waited is gone, permits with them (R7).
    pub(crate) fn restart(&self, node: NodeId, kept: Kept) -> SimLog {
        let mut inside = locked(&self.0);
        let replica = inside.replica(node);
        replica.boot = BootId(replica.boot.0.saturating_add(1));
        replica.waiters.clear();
        replica.faults.clear();
        let had = replica.applied;
        if kept != Kept::All {
            replica.register.replace(MemoryRegister::default());
            replica.applied = 0;
        }
        if kept == Kept::Nothing {
            replica.as_of = None;
        }
        let (boot, register) = (replica.boot, replica.register.clone());
        if kept == Kept::LogOnly {
            let own_log: Vec<Entry> = inside.entries.iter().take(had).cloned().collect();
            inside.replica(node).catch_up(&own_log);
        }
        inside.spread();
        SimLog { storm: self.clone(), node, boot, register }
    }

    /// Every entry so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        locked(&self.0).entries.clone()
    }

    /// How many entries there are.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.count()
    }

    /// How many of them a node has applied.
    #[must_use]
    pub fn applied(&self, node: NodeId) -> u64 {
        u64::try_from(locked(&self.0).replica(node).applied).unwrap_or(u64::MAX)
    }

    /// Who leads.
    #[must_use]
    pub fn leader(&self) -> NodeId {
        locked(&self.0).leader
    }

    /// Each node's register.
    #[must_use]
    pub fn registers(&self) -> BTreeMap<NodeId, MemoryRegister> {
        let inside = locked(&self.0);
        inside.replicas.iter().map(|(node, replica)| (*node, replica.register.copy())).collect()
    }
}

/// What a restart finds on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Log and register.
    All,
    /// The log; the register is made from it again.
    LogOnly,
    /// Nothing: the others give it their log.
    Nothing,
}

impl Committed for Storm {
    fn count(&self) -> u64 {
        u64::try_from(locked(&self.0).entries.len()).unwrap_or(u64::MAX)
    }
}

impl Inside {
    fn replica(&mut self, node: NodeId) -> &mut Replica {
        self.replicas.get_mut(&node).expect("the node is in this world")
    }

    fn up(&self) -> Vec<NodeId> {
        let heard = |link| matches!(link, Link::Up | Link::Lagging);
        self.replicas.iter().filter(|(_, replica)| heard(replica.link)).map(|(node, _)| *node).collect()
    }

    fn has_quorum(&self) -> bool {
        self.up().len() > self.replicas.len() / 2
    }

    fn elect(&mut self) {
        let up = self.up();
        if !up.contains(&self.leader)
            && let Some(next) = up.first()
        {
            self.lead(*next);
        }
    }

    /// Another node leads. What the last one had not committed may be gone.
    fn lead(&mut self, next: NodeId) {
        self.leader = next;
        self.term = self.term.saturating_add(1);
        if let Some(flight) = &mut self.flight {
            flight.lose_tail();
        }
    }

    /// The leader's stamp on a command.
    fn stamped(&mut self, envelope: Envelope) -> Entry {
        let leader = self.leader;
        let stamp = self.replica(leader).clock.now();
        Entry { envelope, stamp }
    }

    fn log(&mut self, envelope: Envelope) {
        if let Some(flight) = &mut self.flight {
            flight.take_off(envelope);
        } else {
            let entry = self.stamped(envelope);
            self.entries.push(entry);
        }
    }

    /// Every node that hears applies what it has not applied yet; in flight all takes its time.
    fn spread(&mut self) {
        if self.flight.is_none() && self.has_quorum() {
            for replica in self.replicas.values_mut().filter(|replica| replica.link == Link::Up) {
                replica.catch_up(&self.entries);
            }
        }
    }

    fn no_quorum(&self, node: NodeId) -> NoQuorum {
        let voters = self.replicas.keys().copied().collect();
        NoQuorum { voters, reachable: vec![node], cause: "the test has cut it off".into() }
    }

    fn submit(&mut self, node: NodeId, boot: BootId, command: Command) -> Result<RequestId, AppendError> {
        let quorum = self.has_quorum();
        let no_quorum = self.no_quorum(node);
        let replica = self.replica(node);
        if replica.boot != boot {
            return Err(AppendError::Stopped);
        }
        replica.counter = replica.counter.saturating_add(1);
        let id = RequestId { node, boot, counter: replica.counter };
        let register_time = replica.register.time();
        let expires_at = replica.clock.now().max(register_time).plus(COMMAND_LIFE_MS);
        let envelope = Envelope { id, expires_at, command };
        let fault = replica.faults.pop_front().unwrap_or(Fault::None);
        match (replica.link, fault) {
            (Link::Deposed, _) | (Link::Up | Link::Lagging, Fault::Lost) => {
                return Err(AppendError::NotKnown(no_quorum));
            }
            (Link::Up | Link::Lagging, Fault::Held) => {
                self.held.push(envelope);
                return Err(AppendError::NotKnown(no_quorum));
            }
            (Link::CutOff, _) | (_, Fault::NotAppended) => return Err(AppendError::NotAppended(no_quorum)),
            _ if !quorum => return Err(AppendError::NotAppended(no_quorum)),
            _ => {}
        }
        if fault != Fault::ReplyLost {
            let until = replica.clock.true_now().plus(flight::APPLIED_WITHIN_MS);
            replica.waiters.insert(id, Waiter { applied: None, until });
        }
        if fault == Fault::Duplicate {
            self.log(envelope.clone());
        }
        self.log(envelope);
        self.spread();
        if fault == Fault::ReplyLost { Err(AppendError::NotKnown(no_quorum)) } else { Ok(id) }
    }

    fn take(&mut self, id: RequestId) -> Poll<Result<Applied, AppendError>> {
        let in_flight = self.flight.is_some();
        let replica = self.replica(id.node);
        let now = replica.clock.true_now();
        match replica.waiters.remove(&id) {
            None => Poll::Ready(Err(AppendError::Stopped)),
            Some(Waiter { applied: Some(applied), .. }) => Poll::Ready(Ok(applied)),
            Some(waiter) if in_flight && now > waiter.until => Poll::Ready(Err(self.given_up(id))),
            Some(waiter) => {
                replica.waiters.insert(id, waiter);
                Poll::Pending
            }
        }
    }
}

impl Replica {
    /// Applies all that is missing as one batch, written at once, and only then tells the waiters. A node that
    /// lagged has a larger batch than the others: the registers must be equal all the same.
    fn catch_up(&mut self, entries: &[Entry]) {
        let missing = entries.iter().enumerate().skip(self.applied);
        let mut told = Vec::new();
        let changes = {
            let below = self.register.copy();
            let mut batch = Overlay::over(&below);
            for (place, entry) in missing {
                // R8: the leader's stamp, never a clock of this node.
                let time = if planted(Bug::ApplyDependsOnNode) { self.clock.now() } else { entry.stamp };
                let at = Moment { index: index_of(place), time };
                let application = apply(&batch, at, [entry.envelope.clone()]).expect("memory has no faults");
                batch.absorb(application.changes);
                told.extend(application.applied);
            }
            batch.into_changes()
        };
        self.register.write(changes);
        self.applied = entries.len();
        for applied in told {
            // R7: without a waiter of this boot the permit is dropped here. A duplicate finds its waiter served.
            if let Some(Waiter { applied: waits @ None, .. }) = self.waiters.get_mut(&applied.request()) {
                *waits = Some(applied);
            }
        }
    }
}

/// The index of the entry at this place: the first is 1.
#[must_use]
pub fn index_of(place: usize) -> LogIndex {
    LogIndex(u64::try_from(place).unwrap_or(u64::MAX).saturating_add(1))
}

/// A register that is read while the log writes it.
#[derive(Clone, Debug, Default)]
pub struct SharedRegister(Arc<RwLock<MemoryRegister>>);

impl SharedRegister {
    fn copy(&self) -> MemoryRegister {
        self.0.read().expect("no writer panics").clone()
    }

    fn replace(&self, register: MemoryRegister) {
        *self.0.write().expect("no writer panics") = register;
    }

    fn write(&self, changes: Vec<ca_core::register::Change>) {
        self.0.write().expect("no writer panics").write(changes);
    }

    fn time(&self) -> UnixMillis {
        let register: &dyn Register = self;
        register.time().expect("memory has no faults").unwrap_or_default()
    }
}

impl Register for SharedRegister {
    fn get(&self, key: &Key) -> Result<Option<Value>, StorageFault> {
        self.0.read().expect("no writer panics").get(key)
    }

    fn scan(&self, from: &Key, limit: usize) -> Result<Vec<(Key, Value)>, StorageFault> {
        self.0.read().expect("no writer panics").scan(from, limit)
    }

    fn outcomes_with(&self, request: RequestId) -> Option<LogIndex> {
        self.0.read().expect("no writer panics").outcomes_with(request)
    }
}

/// The log as one run of one node has it.
#[derive(Clone, Debug)]
pub struct SimLog {
    storm: Storm,
    node: NodeId,
    boot: BootId,
    register: SharedRegister,
}

impl Log for SimLog {
    fn node(&self) -> NodeId {
        self.node
    }

    fn boot(&self) -> BootId {
        self.boot
    }

    async fn append(&self, command: Command) -> Result<Applied, AppendError> {
        let id = locked(&self.storm.0).submit(self.node, self.boot, command)?;
        poll_fn(|_| locked(&self.storm.0).take(id)).await
    }

    async fn read_index(&self) -> Result<LogIndex, NoQuorum> {
        let (asked, until) = {
            let mut inside = locked(&self.storm.0);
            let until = inside.replica(self.node).clock.true_now().plus(flight::NO_QUORUM_AFTER_MS);
            (inside.entries.len(), inside.flight.is_some().then_some(until))
        };
        poll_fn(|_| {
            let mut inside = locked(&self.storm.0);
            let no_quorum = inside.no_quorum(self.node);
            let quorum = inside.has_quorum();
            let replica = inside.replica(self.node);
            if replica.applied >= asked && quorum && matches!(replica.link, Link::Up | Link::Lagging) {
                return Poll::Ready(Ok(LogIndex(u64::try_from(asked).unwrap_or(u64::MAX))));
            }
            match replica.link {
                Link::CutOff | Link::Deposed => Poll::Ready(Err(no_quorum)),
                Link::Up | Link::Lagging if !quorum => Poll::Ready(Err(no_quorum)),
                Link::Up | Link::Lagging if until.is_some_and(|until| replica.clock.true_now() > until) => {
                    Poll::Ready(Err(no_quorum))
                }
                Link::Up | Link::Lagging => Poll::Pending,
            }
        })
        .await
    }

    fn register(&self) -> &dyn Register {
        &self.register
    }

    fn standing(&self) -> Standing {
        let mut inside = locked(&self.storm.0);
        let (term, leader, reachable) = (inside.term, inside.leader, inside.up());
        let voters = inside.replicas.keys().copied().collect();
        let replica = inside.replica(self.node);
        let applied = LogIndex(u64::try_from(replica.applied).unwrap_or(u64::MAX));
        let digest = Digest::of(format!("{:?}", replica.register.copy()).as_bytes());
        Standing { term, leader: Some(leader), applied, voters, reachable, votes: true, digest }
    }

    fn stored_as_of(&self) -> Option<UnixMillis> {
        locked(&self.storm.0).replica(self.node).as_of
    }

    fn store_as_of(&self, as_of: UnixMillis) -> Result<(), StorageFault> {
        locked(&self.storm.0).replica(self.node).as_of = Some(as_of);
        Ok(())
    }
}
