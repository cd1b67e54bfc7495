//! Markdown: one sentence a line, links that lead somewhere.

use std::path::Path;

use crate::files::{TextFile, all, none, root};

#[test]
fn markdown_has_one_sentence_a_line() {
    let mut faults = Vec::new();
    for file in markdown() {
        for (number, line) in prose(&file.text) {
            if !is_item(&line) && ends_inside(&line) {
                faults.push(format!("{}:{number}: {line}", file.path));
            }
        }
    }
    none("one sentence a line", &faults);
}

#[test]
fn markdown_links_lead_somewhere() {
    let mut faults = Vec::new();
    for file in markdown() {
        let folder = root().join(Path::new(&file.path).parent().unwrap());
        for (number, line) in prose(&file.text) {
            for target in links(&line) {
                let path = target.split('#').next().unwrap_or_default();
                let elsewhere = target.contains("://") || target.starts_with("mailto:") || path.is_empty();
                if !elsewhere && !folder.join(path).exists() {
                    faults.push(format!("{}:{number}: {target}", file.path));
                }
            }
        }
    }
    none("links to nowhere", &faults);
}

fn markdown() -> Vec<TextFile> {
    all().into_iter().filter(|file| file.is("md")).collect()
}

/// The lines that are neither code nor tables, numbered from 1; code within a line is blanked.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced && !line.trim_start().starts_with('|') && !line.starts_with("    ") {
            lines.push((number, without_code(line)));
        }
    }
    lines
}

fn without_code(line: &str) -> String {
    let parts = line.split('`').enumerate().map(|(at, part)| if at % 2 == 0 { part } else { "code" });
    parts.collect()
}

/// An item of a list may hold its reason, as a cell of a table does.
fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let numbered = line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    numbered || line.starts_with("- ") || line.starts_with("* ")
}

/// A full stop, and after it a word with a capital: roughly, for `e.g. Debian` is no end.
fn ends_inside(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.windows(2).any(|pair| {
        let (last, next) = (pair[0], pair[1]);
        let stop = last.trim_end_matches([')', '"', '*']);
        let ends = stop.ends_with(['.', '?', '!']) && !abbreviation(stop);
        ends && next.trim_start_matches(['(', '"', '*', '[']).starts_with(char::is_uppercase)
    })
}

fn abbreviation(word: &str) -> bool {
    let known = ["e.g.", "i.e.", "etc.", "vs.", "cf.", "St.", "No."];
    // `1.` is the number of a list item.
    let number = word.trim_end_matches('.').chars().all(|c| c.is_ascii_digit());
    known.contains(&word.trim_start_matches('(')) || number
}

/// What stands in `](…)`.
fn links(line: &str) -> Vec<&str> {
    let after = line.split("](").skip(1);
    after
        .filter_map(|rest| rest.split(')').next())
        .filter_map(|target| target.split_whitespace().next())
        .collect()
}

#[test]
fn sentences_and_links_are_found() {
    assert!(ends_inside("One thing. Another thing."));
    for one in ["One thing.", "1. First one", "See e.g. Debian for it.", "In 0.10. Not", "a.b C"] {
        assert!(!ends_inside(one) || one.starts_with("In"), "{one}");
    }
    assert_eq!(links("a [b](c.md) and [d](e.md#f \"title\")"), ["c.md", "e.md#f"]);
    assert_eq!(prose("a `b. C` d\n```\nx\n```\n| t |\n"), [(1, "a code d".to_owned())]);
}
