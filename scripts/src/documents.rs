//! A Markdown document as something to be executed: prose for people, and blocks that a shell can run.
//!
//! ```text
//!  ```sh              typed in the document's shell; each command must succeed
//!  ```sh background   left running: the next block begins once this one has printed what is shown under it
//!  ```sh fails        ends with an error, and that is what it shows
//!  ```sh ci           too large for here: the lines are commands that `.ci/run` gives itself
//!  ```output          what the block above prints, line for line as far as shown; `…` stands for anything
//! ```
//!
//! Blocks of other kinds (`toml`, `text`) are for reading.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

/// One document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its path as it was given.
    pub name: String,
    /// From top to bottom.
    pub parts: Vec<Part>,
}

/// A piece of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Lines for people, blocks for reading among them.
    Prose(String),
    /// Something to be executed.
    Block(Block),
}

/// Something to be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The line of its fence, from 1.
    pub line: usize,
    /// How it is executed.
    pub kind: Kind,
    /// The commands.
    pub text: String,
    /// What they print, as far as the document shows it.
    pub output: Option<String>,
}

/// How a block is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To its end, which is success.
    Typed,
    /// Until the end of the document.
    Background,
    /// To its end, which is an error.
    Fails,
    /// By `.ci/run`.
    Ci,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// It cannot be read; a block has an unknown kind, or an output without a block; a fence is not closed.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| name.clone())?;
        Self::parse(&name, &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut lines = (1..).zip(text.lines());
        while let Some((line, text)) = lines.next() {
            let Some(info) = text.strip_prefix("```") else {
                add_prose(&mut parts, text);
                continue;
            };
            let inside: Vec<&str> =
                lines.by_ref().map(|(_, text)| text).take_while(|text| *text != "```").collect();
            let place = || format!("{name}:{line}");
            match info {
                "output" => {
                    let Some(block) = last_block(&mut parts) else {
                        bail!("{}: an output stands right under its block", place());
                    };
                    block.output = Some(inside.join("\n"));
                }
                _ if info == "sh" || info.starts_with("sh ") => {
                    let kind = Kind::of(info).with_context(place)?;
                    parts.push(Part::Block(Block { line, kind, text: inside.join("\n"), output: None }));
                }
                // Another name for a shell would be a block that nobody executes.
                "bash" | "shell" | "console" | "" => {
                    bail!("{}: ```{info} is not executed: use sh or text", place())
                }
                _ => inside.iter().for_each(|text| add_prose(&mut parts, &format!("    {text}"))),
            }
        }
        let document = Self { name: name.to_owned(), parts };
        for block in document.blocks() {
            let told = block.kind != Kind::Background || block.output.is_some();
            ensure!(told, "{name}:{}: what does it print when it is ready? An output says so", block.line);
        }
        Ok(document)
    }

    /// Its blocks, in their order.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.parts.iter().filter_map(|part| match part {
            Part::Block(block) => Some(block),
            Part::Prose(_) => None,
        })
    }
}

impl Kind {
    fn of(info: &str) -> Result<Self> {
        match info {
            "sh" => Ok(Self::Typed),
            "sh background" => Ok(Self::Background),
            "sh fails" => Ok(Self::Fails),
            "sh ci" => Ok(Self::Ci),
            _ => bail!("```{info} is no kind of block: sh, sh background, sh fails, sh ci"),
        }
    }
}

impl Block {
    /// Its first command, for a line that tells of it.
    #[must_use]
    pub fn title(&self) -> &str {
        self.text.lines().find(|line| !line.trim_start().starts_with('#')).unwrap_or_default()
    }

    /// Whether it has printed what the document shows: these lines, in this order, with others between them.
    ///
    /// # Errors
    /// The first line that it has not printed.
    pub fn has_printed(&self, printed: &str) -> Result<()> {
        let mut printed = printed.lines();
        for wanted in self.output.iter().flat_map(|output| output.lines()).filter(|line| *line != "…") {
            ensure!(printed.any(|line| is_like(line, wanted)), "it does not print this line: {wanted}");
        }
        Ok(())
    }
}

/// Whether a line is as it is shown, where `…` stands for anything.
fn is_like(line: &str, shown: &str) -> bool {
    let mut pieces = shown.trim_end().split('…');
    let Some(mut rest) = pieces.next().and_then(|first| line.trim_end().strip_prefix(first)) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.is_empty()
}

fn add_prose(parts: &mut Vec<Part>, line: &str) {
    if let Some(Part::Prose(prose)) = parts.last_mut() {
        prose.push('\n');
        prose.push_str(line);
    } else {
        parts.push(Part::Prose(line.to_owned()));
    }
}

/// The block that nothing but empty lines follow.
fn last_block(parts: &mut Vec<Part>) -> Option<&mut Block> {
    parts.pop_if(|part| matches!(part, Part::Prose(prose) if prose.trim().is_empty()));
    match parts.last_mut() {
        Some(Part::Block(block)) if block.output.is_none() => Some(block),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_prose_and_blocks() {
        let text = "# Title\n\n```sh\n# why\ntrue\n```\n\n```output\na …\n```\nProse.\n```toml\nx = 1\n```\n";
        let document = Document::parse("d.md", text).unwrap();
        let blocks: Vec<&Block> = document.blocks().collect();
        assert_eq!(blocks.len(), 1);
        assert_eq!((blocks[0].line, blocks[0].kind, blocks[0].title()), (3, Kind::Typed, "true"));
        assert_eq!(blocks[0].output.as_deref(), Some("a …"));
        assert_eq!(document.parts.last(), Some(&Part::Prose("Prose.\n    x = 1".to_owned())));
    }

    #[test]
    fn what_nobody_would_execute_is_refused() {
        for (text, why) in [
            ("```bash\ntrue\n```", "is not executed"),
            ("```\ntrue\n```", "is not executed"),
            ("```sh sometimes\ntrue\n```", "d.md:1"),
            ("```output\na\n```", "right under its block"),
            ("```sh\ntrue\n```\nProse.\n```output\na\n```", "right under its block"),
            ("```sh background\nsleep 1\n```", "when it is ready"),
        ] {
            let error = format!("{:#}", Document::parse("d.md", text).unwrap_err());
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn output_is_compared_as_far_as_it_is_shown() {
        let shown = |output: &str| Block {
            line: 1,
            kind: Kind::Typed,
            text: String::new(),
            output: Some(output.to_owned()),
        };
        let printed = "first\nserial 12ab until 2027\nlast\n";
        for output in ["first", "first\nlast", "serial … until …", "…\nserial …\n…", "…", "s…l …2027"]
        {
            shown(output).has_printed(printed).unwrap();
        }
        for output in ["last\nfirst", "serial", "serial … since …", "ast", "serial … 2028"] {
            assert!(shown(output).has_printed(printed).is_err(), "{output}");
        }
    }
}
