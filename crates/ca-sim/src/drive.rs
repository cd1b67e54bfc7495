//! Runs acts, one poll at a time, in the order that the test wants.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// A retry waits a second in steps of 20 ms: no act needs more than a few hundred polls.
const POLLS_MAX: usize = 10_000;

/// Runs an act to its end.
///
/// # Panics
/// If it waits for something that nobody will do.
pub fn drive<F: Future>(act: F) -> F::Output {
    let mut act = pin!(act);
    for _ in 0..POLLS_MAX {
        if let Poll::Ready(output) = act.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
    panic!("the act waits for something that nobody will do")
}

/// An act under way. Dropping it is a crash at the point that it has come to.
pub struct Act<T>(Pin<Box<dyn Future<Output = T>>>);

impl<T> std::fmt::Debug for Act<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Act").finish_non_exhaustive()
    }
}

impl<T> Act<T> {
    /// An act that has not begun.
    pub fn new(act: impl Future<Output = T> + 'static) -> Self {
        Self(Box::pin(act))
    }

    /// Begins the act and runs it until it waits.
    ///
    /// # Panics
    /// If it does not wait: then [`drive`] is meant.
    pub fn until_it_waits(act: impl Future<Output = T> + 'static) -> Self {
        let mut act = Self::new(act);
        assert!(act.step().is_none(), "the act does not wait");
        act
    }

    /// Goes on until it waits again; what it came to, if it has ended.
    pub fn step(&mut self) -> Option<T> {
        match self.0.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    /// Goes on to the end.
    ///
    /// # Panics
    /// As [`drive`].
    pub fn finish(self) -> T {
        drive(self.0)
    }
}
