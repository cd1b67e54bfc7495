//! The workers: OS threads, each with its own session, fed by one bounded queue and watched by one more thread.
//!
//! Threads of our own, not the runtime's blocking pool: a call into a token can hang for ever, and cannot be
//! cancelled. A worker that is over time is given up and replaced; should its call ever return, it ends.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cryptoki::mechanism::MechanismType;
use tokio::sync::oneshot;

use crate::error::TokenError;
use crate::heal::{Failures, LogIn, Seat};
use crate::library::Library;
use crate::limits::{ABANDONED_MAX, CLOSE_MAX, PROBE_PERIOD, WATCH_PERIOD};
use crate::probe::{Watch, ask_for_probes};
use crate::queue::{Bell, Queue, Rejected};
use crate::token::{PinSource, TokenConfig, TokenInfo};

/// What the workers, the watchdog and the handles of one token share.
pub(crate) struct Shared {
    pub(crate) config: TokenConfig,
    pub(crate) library: Library,
    pub(crate) pin: Box<dyn PinSource>,
    pub(crate) queue: Queue<Job>,
    pub(crate) watch: Watch,
    pub(crate) log_in: Mutex<LogIn>,
    pub(crate) failures: Mutex<Failures>,
    /// Set once the token was open: from then on it may go away and come back.
    pub(crate) described: OnceLock<Description>,
    desks: Mutex<Vec<Arc<Desk>>>,
    hanging: AtomicUsize,
    working: AtomicUsize,
    closing: Bell,
    idle: Bell,
}

/// What was learnt about the token when it was opened.
pub(crate) struct Description {
    pub(crate) info: TokenInfo,
    pub(crate) mechanisms: Vec<MechanismType>,
}

/// What a worker is to do, and how long that may take.
pub(crate) struct Job {
    pub(crate) limit: Duration,
    pub(crate) run: Box<dyn FnOnce(&mut Seat) + Send>,
}

/// What the watchdog sees of one worker.
#[derive(Default)]
struct Desk {
    /// When the job at hand is over time.
    due: Mutex<Option<Instant>>,
    given_up: AtomicBool,
}

impl Shared {
    pub(crate) fn new(config: TokenConfig, library: Library, pin: Box<dyn PinSource>) -> Self {
        Self {
            queue: Queue::new(config.queue),
            config,
            library,
            pin,
            watch: Watch::default(),
            log_in: Mutex::default(),
            failures: Mutex::default(),
            described: OnceLock::new(),
            desks: Mutex::default(),
            hanging: AtomicUsize::new(0),
            working: AtomicUsize::new(0),
            closing: Bell::new(),
            idle: Bell::new(),
        }
    }

    pub(crate) fn was_open(&self) -> bool {
        self.described.get().is_some()
    }

    /// What the token offers; empty before it was open.
    pub(crate) fn mechanisms(&self) -> &[MechanismType] {
        self.described.get().map_or(&[], |description| &description.mechanisms)
    }

    pub(crate) fn hanging(&self) -> usize {
        self.hanging.load(Ordering::SeqCst)
    }

    /// Has a worker do something, and waits for it; `limit` counts from now, so that the time in the queue is in it.
    ///
    /// A caller that goes away while its job waits takes it with it; one that goes away later changes nothing.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        limit: Duration,
        what: impl FnOnce(&mut Seat) -> Result<T, TokenError> + Send + 'static,
    ) -> Result<T, TokenError> {
        let (reply, answer) = oneshot::channel();
        let run = Box::new(move |seat: &mut Seat| {
            if !reply.is_closed() {
                // Nobody may be there any more: the answer to a signature that nobody waits for is dropped unseen.
                let _ = reply.send(what(seat));
            }
        });
        self.queue.put(Job { limit, run }).map_err(|rejected| match rejected {
            Rejected::Full { queued } => TokenError::Busy { queued },
            Rejected::Closed => TokenError::Closed,
        })?;
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(TokenError::Closed),
            Err(_) => {
                let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
                Err(TokenError::TimedOut { limit_ms })
            }
        }
    }

    fn desks(&self) -> MutexGuard<'_, Vec<Arc<Desk>>> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the workers and the use of the library; waits for those at work, but not for those that hang.
    pub(crate) fn close(&self) {
        self.stop();
        let all_gone = self.working.load(Ordering::SeqCst) == 0 || self.idle.wait(CLOSE_MAX);
        if all_gone && self.hanging() == 0 {
            self.log_in().leave();
            self.library.finalize();
        }
    }

    /// Takes nothing more; the threads end by themselves.
    pub(crate) fn stop(&self) {
        self.queue.close();
        self.closing.ring();
    }
}

/// Starts the workers and the watchdog. `first` is the seat that opened the token.
pub(crate) fn start(shared: &Arc<Shared>, first: Seat) -> Result<(), TokenError> {
    hire(shared, first)?;
    for _ in 1..shared.config.sessions {
        hire(shared, Seat::new(Arc::clone(shared)))?;
    }
    let watched = Arc::clone(shared);
    spawn("ca-hsm-watch", move || keep_watch(&watched))
}

fn hire(shared: &Arc<Shared>, seat: Seat) -> Result<(), TokenError> {
    let desk = Arc::new(Desk::default());
    shared.working.fetch_add(1, Ordering::SeqCst);
    shared.desks().push(Arc::clone(&desk));
    let employer = Arc::clone(shared);
    let hired = spawn("ca-hsm-sign", move || {
        work(&employer, &desk, seat);
        if !desk.given_up.load(Ordering::SeqCst) {
            leave(&employer, &desk);
        }
    });
    if hired.is_err()
        && let Some(desk) = shared.desks().pop()
    {
        leave(shared, &desk);
    }
    hired
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), TokenError> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(body);
    started.map(drop).map_err(|e| TokenError::Call { step: "start a thread", why: e.to_string() })
}

fn leave(shared: &Shared, desk: &Arc<Desk>) {
    shared.desks().retain(|other| !Arc::ptr_eq(other, desk));
    if shared.working.fetch_sub(1, Ordering::SeqCst) == 1 {
        shared.idle.ring();
    }
}

fn work(shared: &Arc<Shared>, desk: &Desk, mut seat: Seat) {
    while let Some(job) = shared.queue.take() {
        *desk.due.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now().checked_add(job.limit);
        (job.run)(&mut seat);
        *desk.due.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if desk.given_up.load(Ordering::SeqCst) {
            // Replaced meanwhile; the call did return after all.
            shared.hanging.fetch_sub(1, Ordering::SeqCst);
            return;
        }
    }
}

fn keep_watch(shared: &Arc<Shared>) {
    let mut probed: Option<Instant> = None;
    while !shared.closing.wait(WATCH_PERIOD) {
        replace_hanging(shared);
        if probed.is_none_or(|moment| moment.elapsed() >= PROBE_PERIOD) {
            probed = Some(Instant::now());
            ask_for_probes(shared);
        }
    }
}

fn replace_hanging(shared: &Arc<Shared>) {
    let now = Instant::now();
    let is_late = |desk: &Arc<Desk>| {
        desk.due.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|due| due < now)
    };
    let late: Vec<Arc<Desk>> = shared.desks().iter().filter(|desk| is_late(desk)).cloned().collect();
    for desk in late {
        if shared.hanging() >= ABANDONED_MAX {
            tracing::error!(
                hanging = shared.hanging(),
                "the token hangs; no more workers are started for it"
            );
            return;
        }
        {
            // Under the lock that the worker needs to finish: it is given up, or done, not both.
            let due = desk.due.lock().unwrap_or_else(PoisonError::into_inner);
            if due.is_none_or(|due| due >= now) {
                continue;
            }
            desk.given_up.store(true, Ordering::SeqCst);
            shared.hanging.fetch_add(1, Ordering::SeqCst);
        }
        tracing::error!("a call into the token hangs; its worker is replaced");
        if let Err(error) = hire(shared, Seat::new(Arc::clone(shared))) {
            tracing::error!(%error, "no replacement");
        }
        leave(shared, &desk);
    }
}
