//! Executes documents: told line by line for who checks them, or read aloud for who wants to follow.
#![expect(clippy::print_stdout, reason = "what is executed is told")]

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::documents::{Block, Document, Kind, Part};
use crate::session::Session;
use crate::steps::Steps;

/// Where documents are executed.
#[derive(Clone, Debug)]
pub struct Place {
    /// The checkout.
    pub root: PathBuf,
    /// A directory for this run alone.
    pub home: PathBuf,
}

impl Place {
    /// Executes every block, and prints one line for each.
    ///
    /// # Errors
    /// The first that fails, with its line in the document and what it printed.
    pub fn check(&self, documents: &[PathBuf]) -> Result<()> {
        let mut steps = Steps::default();
        for path in documents {
            let document = Document::read(path)?;
            let mut session = self.session(&document)?;
            for (number, block) in document.blocks().enumerate() {
                let what = format!("{}:{} {}", document.name, block.line, short(block.title()));
                steps.step(&what, || self.execute(&mut session, number, block).map(|_| ()))?;
            }
        }
        steps.finish();
        Ok(())
    }

    /// Executes a document as a person would: what it says, what is typed, what comes of it.
    ///
    /// # Errors
    /// As [`Place::check`].
    pub fn read_aloud(&self, path: &Path) -> Result<()> {
        let document = Document::read(path)?;
        let mut session = self.session(&document)?;
        let mut number = 0_usize;
        for part in &document.parts {
            match part {
                Part::Prose(prose) => println!("{prose}"),
                Part::Block(block) => {
                    println!("{}\n", typed(&block.text));
                    let printed = self
                        .execute(&mut session, number, block)
                        .with_context(|| format!("{}:{}", document.name, block.line))?;
                    if !printed.trim().is_empty() {
                        println!("{}\n", printed.trim_end());
                    }
                    number = number.saturating_add(1);
                }
            }
        }
        Ok(())
    }

    /// A shell in a new directory that looks like a clone as far as documents name it.
    fn session(&self, document: &Document) -> Result<Session> {
        let name = Path::new(&document.name).file_stem().context("a document has a name")?;
        let here = self.home.join(name);
        std::fs::create_dir(&here)?;
        std::os::unix::fs::symlink(self.root.join("scripts"), here.join("scripts"))?;
        let mut printed = name.to_owned();
        printed.push(".printed");
        Session::start(document, &here, &self.home.join(printed))
    }

    fn execute(&self, session: &mut Session, number: usize, block: &Block) -> Result<String> {
        if block.kind == Kind::Ci {
            is_given_by_ci(&self.root, block)?;
        }
        session.execute(number, block)
    }
}

/// Each command of the block is one of those that `.ci/run` gives.
fn is_given_by_ci(root: &Path, block: &Block) -> Result<()> {
    let ci = std::fs::read_to_string(root.join(".ci/run")).context(".ci/run")?;
    for line in block.text.lines() {
        let command = line.split(" #").next().unwrap_or_default().trim();
        ensure!(ci.contains(command), ".ci/run does not run `{command}`");
    }
    Ok(())
}

/// A block as it looks on a terminal.
fn typed(text: &str) -> String {
    format!("$ {}", text.replace('\n', "\n  "))
}

/// At most so many characters, for a line on a terminal.
fn short(title: &str) -> String {
    const CHARS: usize = 60;
    if title.chars().count() <= CHARS {
        return title.to_owned();
    }
    let start: String = title.chars().take(CHARS).collect();
    format!("{start}…")
}
