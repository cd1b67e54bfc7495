//! Runs commands as a user would type them, and keeps what they said.
#![expect(clippy::print_stdout, reason = "a demonstration shows what it types")]

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::limits::COMMAND_MAX;

/// Where commands run, and whether a person looks on.
#[derive(Clone, Debug)]
pub struct Shell {
    directory: PathBuf,
    audience: Audience,
}

/// Who looks on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every command is shown with what it prints.
    Person,
    /// Nothing is shown.
    Nobody,
}

/// What a command said.
#[derive(Clone, Debug)]
pub struct Said {
    /// As it was typed.
    pub line: String,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: String,
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// How long it took.
    pub took: Duration,
}

impl Shell {
    /// A shell in this directory.
    #[must_use]
    pub fn new(directory: &Path, audience: Audience) -> Self {
        Self { directory: directory.to_owned(), audience }
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A file of the directory.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Runs a command, whatever its end.
    ///
    /// # Errors
    /// It cannot be started, or does not end in time.
    pub fn try_run<S: AsRef<OsStr>>(&self, program: &str, arguments: &[S]) -> Result<Said> {
        let line = typed(program, arguments);
        if self.audience == Audience::Person {
            println!("$ {line}");
        }
        let said = self.run_within(COMMAND_MAX, line, program, arguments)?;
        if self.audience == Audience::Person {
            let text = format!("{}{}", said.text(), said.stderr);
            if !text.trim().is_empty() {
                println!("{}\n", text.trim_end());
            }
        }
        Ok(said)
    }

    /// Runs a command that must succeed.
    ///
    /// # Errors
    /// As [`Shell::try_run`], and an exit code other than 0, with all that it printed.
    pub fn run<S: AsRef<OsStr>>(&self, program: &str, arguments: &[S]) -> Result<Said> {
        let said = self.try_run(program, arguments)?;
        if said.code != Some(0) {
            bail!("{said}");
        }
        Ok(said)
    }

    /// Runs one line of sh that must succeed.
    ///
    /// # Errors
    /// As [`Shell::run`].
    pub fn line(&self, line: &str) -> Result<Said> {
        self.run("sh", &["-c", line])
    }

    /// Writes a file into the directory.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<()> {
        std::fs::write(self.path(name), content).with_context(|| format!("write {name}"))
    }

    /// Reads a file of the directory.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        std::fs::read(self.path(name)).with_context(|| format!("read {name}"))
    }

    fn run_within<S: AsRef<OsStr>>(
        &self,
        limit: Duration,
        line: String,
        program: &str,
        arguments: &[S],
    ) -> Result<Said> {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.directory).stdin(std::process::Stdio::null());
        let (send, receive) = mpsc::channel();
        let begun = Instant::now();
        // A thread, for std cannot wait for a process and its output within a time.
        thread::spawn(move || send.send(command.output()));
        let Ok(output) = receive.recv_timeout(limit) else {
            bail!("no end within {} s: $ {line}", limit.as_secs());
        };
        let output = output.with_context(|| format!("cannot run: $ {line}"))?;
        Ok(Said {
            line,
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
            took: begun.elapsed(),
        })
    }
}

impl Said {
    /// Its standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        writeln!(f, "$ {}", self.line)?;
        writeln!(f, "ended with {code} after {:.2} s", self.took.as_secs_f32())?;
        write!(f, "{}{}", self.text(), self.stderr)
    }
}

/// What a user would type for this.
fn typed<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> String {
    let mut arguments = arguments.iter().map(|argument| argument.as_ref().to_string_lossy());
    if program == "sh"
        && let Some(line) = arguments.nth(1)
    {
        return line.into_owned();
    }
    let mut line = program.to_owned();
    for argument in arguments {
        line.push(' ');
        line.push_str(&quoted(&argument));
    }
    line
}

fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:=,@%+-".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_they_would_be_typed() {
        assert_eq!(typed("curl", &["-H", "Accept: a/b", "it's", ""]), r"curl -H 'Accept: a/b' 'it'\''s' ''");
        assert_eq!(typed("sh", &["-c", "echo $HOME > x"]), "echo $HOME > x");
    }

    #[test]
    fn a_command_that_fails_is_told_with_its_words() {
        let directory = tempfile::tempdir().unwrap();
        let shell = Shell::new(directory.path(), Audience::Nobody);
        assert_eq!(shell.line("echo out").unwrap().text(), "out\n");
        let error = shell.line("echo out; echo err >&2; exit 3").unwrap_err().to_string();
        assert!(error.contains("ended with 3") && error.ends_with("out\nerr\n"), "{error}");
    }
}
