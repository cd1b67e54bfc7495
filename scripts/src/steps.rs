//! One line a step with its time; the first that is wrong ends the run.
#![expect(clippy::print_stdout, reason = "the lines are what the command is for")]

use std::time::Instant;

use anyhow::{Context as _, Result};

/// Counts what went well.
#[derive(Debug)]
pub struct Steps {
    started: Instant,
    done_count: usize,
}

impl Default for Steps {
    fn default() -> Self {
        Self { started: Instant::now(), done_count: 0 }
    }
}

impl Steps {
    /// Does one step and prints `ok   0.31 s  what`, followed by what the step has to say.
    ///
    /// # Errors
    /// Those of the step, with its name.
    pub fn step<N: Note>(&mut self, what: &str, act: impl FnOnce() -> Result<N>) -> Result<N> {
        let begun = Instant::now();
        let end = act();
        let seconds = begun.elapsed().as_secs_f32();
        match end {
            Ok(value) => {
                self.done_count = self.done_count.saturating_add(1);
                match value.note() {
                    Some(note) => println!("ok   {seconds:6.2} s  {what}: {note}"),
                    None => println!("ok   {seconds:6.2} s  {what}"),
                }
                Ok(value)
            }
            Err(error) => {
                println!("FAIL {seconds:6.2} s  {what}");
                Err(error).with_context(|| what.to_owned())
            }
        }
    }

    /// The last line.
    pub fn finish(&self) {
        println!(
            "all {} steps are right after {:.1} s",
            self.done_count,
            self.started.elapsed().as_secs_f32()
        );
    }
}

/// What a step has to say beside that it went well.
pub trait Note {
    /// Printed after the step's name.
    fn note(&self) -> Option<String> {
        None
    }
}

impl Note for () {}

impl Note for String {
    fn note(&self) -> Option<String> {
        Some(self.clone())
    }
}

impl<T> Note for Vec<T> {}
