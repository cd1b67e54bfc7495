//! Bad input, as tables: each row is what comes in and the verdict on it, `Ok` or words of the error.
//! Beside the bad stand the good neighbours, so that a reader who refuses everything fails too.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::arithmetic_side_effects, reason = "sizes of test input are small")]

mod certificates;
mod der;
mod distinguished;
mod keys;
mod lists;
mod names;
mod ocsp;
mod requests;
mod write;

use std::error::Error;

/// What becomes of an input: taken, or refused with these words in the error or its causes.
type Verdict = Result<(), &'static str>;

const TAKEN: Verdict = Ok(());

/// Compares each row's verdict with what `read` says; all that differ are told at once.
fn check<T: ?Sized, E: Error + 'static>(
    rows: &[(&str, Box<T>, Verdict)],
    read: impl Fn(&T) -> Result<(), E>,
) {
    let mut faults = Vec::new();
    for (what, input, expected) in rows {
        let got = read(input).map_err(|error| told(&error));
        let is_as_expected = match (&got, expected) {
            (Ok(()), Ok(())) => true,
            (Err(got), Err(expected)) => got.contains(expected),
            _ => false,
        };
        if !is_as_expected {
            faults.push(format!("{what}: got {got:?}, expected {expected:?}"));
        }
    }
    assert!(faults.is_empty(), "{} of {} rows:\n{}", faults.len(), rows.len(), faults.join("\n"));
}

/// The error and its causes.
fn told(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", told(source)),
        None => error.to_string(),
    }
}
