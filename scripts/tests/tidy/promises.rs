//! Each promise that this version makes has a test that bears its number.

use crate::files::{none, rust};

const PROMISES: [u32; 21] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 23, 26, 28];

#[test]
fn every_promise_has_its_test() {
    let files = rust();
    let faults: Vec<String> = PROMISES
        .iter()
        .filter(|number| !files.iter().any(|file| has_test(&file.text, **number)))
        .map(|number| format!("I{number}: no `fn i{number}_…`"))
        .collect();
    none("promises without a test", &faults);
}

/// A test function, or a case of a suite that makes one of each name.
fn has_test(text: &str, number: u32) -> bool {
    let head = format!("fn i{number}_");
    text.match_indices(&head).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        // Alone on its line but for `async`, right below an attribute; or listed in a `suite!`.
        let listed = text.contains("suite![") && text.contains(&format!("\n    i{number}_"));
        let attributed = before.trim_end().trim_end_matches("async").trim_end().ends_with(']');
        listed || attributed
    })
}
