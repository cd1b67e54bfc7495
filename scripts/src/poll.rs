//! Waits for something to become so, by looking; never by sleeping and hoping.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, bail};

use crate::limits::LOOK_EVERY;

/// What one look saw.
#[derive(Debug)]
pub enum Look<T> {
    /// It is so.
    Done(T),
    /// Not yet, and why not.
    NotYet(Error),
    /// It will never be so: no need to wait.
    Never(Error),
}

/// Looks until it is so.
///
/// # Errors
/// [`Look::Never`] at once; after `limit`, what the last look saw.
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Look<T>) -> Result<T> {
    let start = Instant::now();
    loop {
        match look() {
            Look::Done(value) => return Ok(value),
            Look::Never(error) => return Err(error),
            Look::NotYet(error) if start.elapsed() > limit => {
                bail!("{what}: not within {} s\nlast: {error:#}", limit.as_secs_f32());
            }
            Look::NotYet(_) => sleep(LOOK_EVERY),
        }
    }
}

/// As [`until`] for a look that fails until it is so.
///
/// # Errors
/// After `limit`, the last error.
pub fn until_ok<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<T>) -> Result<T> {
    until(what, limit, || match look() {
        Ok(value) => Look::Done(value),
        Err(error) => Look::NotYet(error),
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_poll_ends_with_what_it_saw_last() {
        let error =
            until::<()>("the moon", Duration::ZERO, || Look::NotYet(anyhow!("still day"))).unwrap_err();
        assert_eq!(error.to_string(), "the moon: not within 0 s\nlast: still day");
        let mut looks = 0_u8;
        let seen = until_ok("the moon", Duration::from_secs(60), || {
            looks = looks.saturating_add(1);
            if looks < 3 { Err(anyhow!("cloudy")) } else { Ok(looks) }
        });
        assert_eq!(seen.unwrap(), 3);
    }
}
