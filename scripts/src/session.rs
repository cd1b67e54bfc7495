//! One bash for one document: it types the blocks in their order and says where it is.
//!
//! The shell's standard output carries nothing but `begin N`, `end N` and `left N`; after `left N` it waits for a line
//! on its standard input. What block N prints is in the file N beside the script.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::documents::{Block, Document, Kind};
use crate::limits::{BLOCK_MAX, STOP_MAX};
use crate::poll::{Look, until};

/// A document that is being executed.
#[derive(Debug)]
pub struct Session {
    bash: Child,
    answers: ChildStdin,
    told: Receiver<String>,
    printed: PathBuf,
}

impl Session {
    /// Starts the shell in this directory; it waits before the first block. What the blocks print goes into files of
    /// the directory `printed`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(document: &Document, directory: &Path, printed: &Path) -> Result<Self> {
        std::fs::create_dir_all(printed)?;
        let script = printed.join("script");
        std::fs::write(&script, script_of(document, printed))?;
        let mut command = Command::new("bash");
        command.arg("--norc").arg(&script).current_dir(directory);
        // A group of its own: what the blocks leave running ends with it.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(std::fs::File::create(printed.join("bash"))?);
        // Whichever cluster its person speaks to, the document has said nothing of it.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CA_")) {
            command.env_remove(name);
        }
        let mut bash = command.spawn().context("start bash")?;
        let (answers, said) = (bash.stdin.take().context("stdin")?, bash.stdout.take().context("stdout")?);
        let (send, told) = mpsc::channel();
        // A thread, for std cannot read from a pipe within a time. It ends with the shell, or with us.
        thread::spawn(move || {
            BufReader::new(said).lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        Ok(Self { bash, answers, told, printed: printed.to_owned() })
    }

    /// Goes on to the end of this block, the `number`th of the document; answers what it printed.
    ///
    /// # Errors
    /// It fails or takes too long, or prints something else than the document shows.
    pub fn execute(&mut self, number: usize, block: &Block) -> Result<String> {
        self.expect("begin", number)?;
        writeln!(self.answers)?;
        if block.kind == Kind::Background {
            self.expect("left", number)?;
            until("the output that the document shows", BLOCK_MAX, || {
                let printed = self.printed(number);
                match block.has_printed(&printed) {
                    Ok(()) => Look::Done(()),
                    Err(why) if printed.lines().any(|line| line.starts_with(ENDED)) => Look::Never(why),
                    Err(why) => Look::NotYet(why),
                }
            })
            .with_context(|| self.printed(number))?;
        } else {
            self.expect("end", number)?;
            block.has_printed(&self.printed(number)).with_context(|| self.printed(number))?;
        }
        Ok(self.printed(number))
    }

    /// Ends the shell and what it left running.
    pub fn stop(&mut self) {
        // It waits for its next block, or has ended: its group is there as long as one of it is.
        if let Some(group) = i32::try_from(self.bash.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::TERM);
            let gone = until("end of the processes", STOP_MAX, || {
                let _ = self.bash.try_wait();
                match rustix::process::test_kill_process_group(group) {
                    Ok(()) => Look::NotYet(anyhow!("still running")),
                    Err(_) => Look::Done(()),
                }
            });
            if gone.is_err() {
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
        let _ = self.bash.wait();
    }

    fn expect(&mut self, word: &str, number: usize) -> Result<()> {
        match self.told.recv_timeout(BLOCK_MAX) {
            Ok(line) => {
                ensure!(line == format!("{word} {number}"), "bash is at `{line}`, not at `{word} {number}`");
                Ok(())
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                bail!("{}\nno end within {} s", self.printed(number), BLOCK_MAX.as_secs())
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let said = std::fs::read_to_string(self.printed.join("bash")).unwrap_or_default();
                bail!("{}{said}", self.printed(number))
            }
        }
    }

    fn printed(&self, number: usize) -> String {
        let octets = std::fs::read(self.printed.join(number.to_string())).unwrap_or_default();
        String::from_utf8_lossy(&octets).into_owned()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop();
    }
}

/// How a block that is left running says that it has ended.
const ENDED: &str = "ended with ";

/// Everything that the shell is told.
fn script_of(document: &Document, printed: &Path) -> String {
    let mut script = String::from(
        "set -eEo pipefail\n\
         trap 'printf \"failed with %s: %s\\n\" \"$?\" \"$BASH_COMMAND\" >&2' ERR\n",
    );
    for (number, block) in document.blocks().enumerate() {
        let (text, output) = (&block.text, printed.join(number.to_string()));
        let into = format!("> '{}' 2>&1 < /dev/null", output.display());
        let _ = writeln!(script, "echo begin {number}; read -r");
        // A group, not a subshell: what a block sets, the next one has.
        let _ = match block.kind {
            Kind::Typed => writeln!(script, "{{\n{text}\n}} {into}\necho end {number}"),
            Kind::Fails => writeln!(
                script,
                "if {{\n{text}\n}} {into}; then echo 'it succeeds' >> '{}'; exit 1; fi\necho end {number}",
                output.display()
            ),
            Kind::Background => writeln!(
                script,
                "{{ set +e; trap - ERR; (\n{text}\n); echo \"{ENDED}$?\"; }} {into} &\necho left {number}"
            ),
            Kind::Ci => writeln!(script, "echo end {number}"),
        };
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executed(text: &str) -> Result<Vec<String>> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("d.md");
        std::fs::write(&path, text).unwrap();
        let document = Document::read(&path).unwrap();
        let mut session =
            Session::start(&document, directory.path(), &directory.path().join("printed")).unwrap();
        document.blocks().enumerate().map(|(number, block)| session.execute(number, block)).collect()
    }

    #[test]
    fn blocks_share_one_shell() {
        let printed =
            executed("```sh\nmkdir a; cd a; x=1\n```\n```sh\necho $x; basename \"$PWD\" >&2\n```\n").unwrap();
        assert_eq!(printed, ["", "1\na\n"]);
    }

    #[test]
    fn the_first_command_that_fails_is_told() {
        let error = format!("{:#}", executed("```sh\necho out\nfalse | cat\necho never\n```\n").unwrap_err());
        assert!(error.contains("out\nfailed with 1: "), "{error}");
        assert!(!error.contains("never"), "{error}");
        let error = format!("{:#}", executed("```sh\nif\n```\n").unwrap_err());
        assert!(error.contains("syntax error"), "{error}");
    }

    #[test]
    fn an_error_that_is_shown_must_come() {
        executed("```sh fails\necho why; false\n```\n```output\nwhy\n```\n").unwrap();
        let error = format!("{:#}", executed("```sh fails\ntrue\n```\n").unwrap_err());
        assert!(error.contains("it succeeds"), "{error}");
    }

    #[test]
    fn another_output_than_shown_is_an_error() {
        let error = format!("{:#}", executed("```sh\necho a\n```\n```output\nb\n```\n").unwrap_err());
        assert!(error.contains("does not print this line: b"), "{error}");
    }

    #[test]
    fn what_is_left_running_is_waited_for_and_ended() {
        let text = "```sh background\necho ready; sleep 1000\n```\n```output\nready\n```\n```sh\njobs -p | wc -l\n```\n";
        assert_eq!(executed(text).unwrap()[1].trim(), "1");
        let error = executed("```sh background\necho no; exit 3\n```\n```output\nready\n```\n").unwrap_err();
        assert!(format!("{error:#}").contains("ready"), "{error:#}");
    }
}
