//! Rules of the sources that no lint has.

use std::path::Path;

use crate::files::{TextFile, all, none, root, rust};
use crate::packages::members;

const LINES_MAX: usize = 1000;

/// Where the compiler's guarantees may be set aside, with a reason at each use.
const MAY_BE_UNSAFE: [&str; 3] = ["crates/ca-token/src/", "crates/ca-hsm/src/raw.rs", "testnet/shim/src/"];

/// Crates that cannot forbid it as a whole, for they hold one of those places.
const CANNOT_FORBID: [&str; 3] = ["ca-token", "ca-hsm", "pkcs11-shim"];

/// Names of places on one particular machine. In pieces, or this file would hold them.
const PLACES: [[&str; 2]; 6] =
    [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/t", "mp/"], ["/Use", "rs/"], ["../sha", "red"]];

#[test]
fn no_file_is_too_long() {
    let long = |file: &TextFile| file.is("rs") || file.is("sh") || file.is("proto") || file.is("md");
    let faults: Vec<String> = all()
        .iter()
        .filter(|file| long(file) && file.text.lines().count() > LINES_MAX)
        .map(|file| format!("{}: {} lines", file.path, file.text.lines().count()))
        .collect();
    none("files have at most 1000 lines", &faults);
}

#[test]
fn unsafe_code_is_where_it_may_be() {
    let word = ["uns", "afe"].concat();
    let mut faults = Vec::new();
    for file in rust() {
        if MAY_BE_UNSAFE.iter().any(|place| file.path.starts_with(place)) {
            continue;
        }
        for (number, line) in (1..).zip(file.text.lines()) {
            let code = line.split("//").next().unwrap();
            let uses = ["{", "fn", "impl", "extern", "trait"].map(|next| format!("{word} {next}"));
            if uses.iter().any(|used| code.contains(used.as_str())) || code.contains(&format!("{word}(")) {
                faults.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    none("outside MAY_BE_UNSAFE", &faults);
}

#[test]
fn crates_forbid_it_where_they_can() {
    let forbids = ["#![forbid(uns", "afe_code)]"].concat();
    let mut faults = Vec::new();
    for package in members() {
        let shipped = |kind: &String| matches!(kind.as_str(), "lib" | "bin");
        for target in package.targets.iter().filter(|target| target.kind.iter().any(shipped)) {
            if CANNOT_FORBID.contains(&package.name.as_str()) {
                continue;
            }
            let text = std::fs::read_to_string(&target.src_path).unwrap();
            if !text.contains(&forbids) {
                faults.push(format!("{}: {}", package.name, target.src_path));
            }
        }
    }
    none("a crate root without the forbidding line", &faults);
}

#[test]
fn no_file_names_a_place_of_one_machine() {
    let mut faults = Vec::new();
    for file in all() {
        if file.path.ends_with("Cargo.lock") {
            continue;
        }
        for (number, line) in (1..).zip(file.text.lines()) {
            let found = PLACES.iter().map(|place| place.concat()).filter(|place| named(line, place));
            faults.extend(found.map(|place| format!("{}:{number}: {place}", file.path)));
        }
    }
    none("paths of one machine", &faults);
}

/// At the end of a longer path the same letters are a folder of anybody's.
fn named(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "_-}.*".contains(c))
    })
}

#[test]
fn nothing_is_left_for_later() {
    let words = [
        ["to", "do!("],
        ["unimpl", "emented!("],
        ["#[ign", "ore"],
        ["#[should_", "panic"],
        ["TO", "DO"],
        ["FIX", "ME"],
    ];
    let mut faults = Vec::new();
    for file in rust() {
        for (number, line) in (1..).zip(file.text.lines()) {
            let found = words.iter().map(|word| word.concat()).filter(|word| line.contains(word.as_str()));
            faults.extend(found.map(|word| format!("{}:{number}: {word}", file.path)));
        }
    }
    none("nothing unfinished, no test that does not run", &faults);
}

#[test]
fn folders_and_files_are_nouns_of_the_domain() {
    let banned = ["util", "utils", "helper", "helpers", "manager", "common", "misc"];
    let faults: Vec<String> = rust()
        .into_iter()
        .map(|file| file.path)
        .filter(|path| {
            Path::new(path).with_extension("").iter().any(|part| banned.iter().any(|word| part == *word))
        })
        .collect();
    none("names that say nothing", &faults);
}

#[test]
fn exceptions_are_expected_and_have_reasons() {
    let mut faults = Vec::new();
    for file in rust().into_iter().filter(|file| !file.path.contains("tests")) {
        for (number, line) in (1..).zip(file.text.lines()) {
            let line = line.trim_start();
            if line.starts_with(&["#[al", "low("].concat()) || line.starts_with(&["#![al", "low("].concat()) {
                faults.push(format!("{}:{number}: {line}", file.path));
            }
        }
    }
    none("`expect` with a reason, never `allow`", &faults);
}

#[test]
fn every_package_takes_the_lints_of_the_workspace() {
    // Workspaces of their own: the one is built with other flags, the other with another openraft.
    let manifests = all().into_iter().filter(|file| file.path.ends_with("/Cargo.toml"));
    let manifests = manifests
        .filter(|file| !["fuzz/Cargo.toml", "openraft-1802/Cargo.toml"].contains(&file.path.as_str()));
    let faults: Vec<String> = manifests
        .filter(|file| !file.text.contains("[lints]\nworkspace = true"))
        .map(|file| file.path)
        .collect();
    none("no `[lints] workspace = true`", &faults);
    assert!(root().join("Cargo.toml").is_file());
}
