//! What `docs/bad-input.md` says is tested, is.

use crate::files::{all, none};

/// Rows of its tables: | what | verdict | `file` | `test`, `test` |
#[test]
fn every_test_of_bad_input_exists() {
    let files = all();
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let table = text("docs/bad-input.md").unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.contains("| `crates/")).collect();
    assert!(rows.len() > 30, "there are more rows than {}", rows.len());
    let mut faults = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [.., file, tests] = cells[..] else { panic!("{row}") };
        let file = file.trim().trim_matches('`');
        let Some(code) = text(file) else {
            faults.push(format!("there is no {file}"));
            continue;
        };
        let named = tests.split('`').skip(1).step_by(2);
        faults.extend(
            named
                .filter(|test| !code.contains(&format!("fn {test}(")))
                .map(|test| format!("{file}: no `fn {test}`")),
        );
    }
    none("tests of bad input that are none", &faults);
}
