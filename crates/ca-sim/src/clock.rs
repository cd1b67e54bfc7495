//! Time that moves when the test says so.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::Poll;

use ca_authority::ports::Clock;
use ca_core::ids::UnixMillis;

/// One node's clock: the world's time and its own error.
#[derive(Clone, Debug)]
pub struct SimClock {
    world_ms: Arc<AtomicU64>,
    error_ms: Arc<AtomicI64>,
}

impl SimClock {
    pub(crate) fn new(world_ms: Arc<AtomicU64>) -> Self {
        Self { world_ms, error_ms: Arc::default() }
    }

    /// How far it goes wrong, in milliseconds; negative is behind.
    pub fn set_error(&self, error_ms: i64) {
        self.error_ms.store(error_ms, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> UnixMillis {
        let world = self.world_ms.load(Ordering::SeqCst);
        UnixMillis(world.saturating_add_signed(self.error_ms.load(Ordering::SeqCst)))
    }

    /// Moves the world's time and lets the other acts go on once.
    async fn sleep(&self, millis: u64) {
        self.world_ms.fetch_add(millis, Ordering::SeqCst);
        let mut waited = false;
        poll_fn(|_| {
            let first = !std::mem::replace(&mut waited, true);
            if first { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }
}
