//! Time that moves when the test says so.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::task::Poll;

use ca_authority::ports::Clock;
use ca_core::ids::UnixMillis;

/// The world's time, which is the true one.
#[derive(Debug)]
pub(crate) struct Time {
    now_ms: AtomicU64,
    /// Whether an act that sleeps moves the time itself, or waits until somebody else has moved it.
    waits: AtomicBool,
}

impl Time {
    pub(crate) fn beginning_at(now_ms: u64) -> Arc<Self> {
        Arc::new(Self { now_ms: AtomicU64::new(now_ms), waits: AtomicBool::new(false) })
    }

    pub(crate) fn now(&self) -> UnixMillis {
        UnixMillis(self.now_ms.load(Ordering::SeqCst))
    }

    pub(crate) fn pass(&self, millis: u64) {
        self.now_ms.fetch_add(millis, Ordering::SeqCst);
    }

    /// From now on whoever sleeps waits.
    pub(crate) fn make_sleepers_wait(&self) {
        self.waits.store(true, Ordering::SeqCst);
    }
}

/// One node's clock: the world's time and its own error.
#[derive(Clone, Debug)]
pub struct SimClock {
    time: Arc<Time>,
    error_ms: Arc<AtomicI64>,
}

impl SimClock {
    pub(crate) fn new(time: Arc<Time>) -> Self {
        Self { time, error_ms: Arc::default() }
    }

    /// How far it goes wrong, in milliseconds; negative is behind.
    pub fn set_error(&self, error_ms: i64) {
        self.error_ms.store(error_ms, Ordering::SeqCst);
    }

    /// True time.
    pub(crate) fn true_now(&self) -> UnixMillis {
        self.time.now()
    }
}

impl Clock for SimClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.time.now().0.saturating_add_signed(self.error_ms.load(Ordering::SeqCst)))
    }

    /// Waits until the time has come; where nobody moves it, moves the world's time and lets the other acts go on
    /// once.
    async fn sleep(&self, millis: u64) {
        let until = self.time.now().plus(millis);
        if !self.time.waits.load(Ordering::SeqCst) {
            self.time.pass(millis);
        }
        let mut waited = false;
        poll_fn(|_| {
            let first = !std::mem::replace(&mut waited, true);
            if first || self.time.now() < until { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }
}
