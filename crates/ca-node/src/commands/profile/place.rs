//! Where in a file a field stands: faults of a profile are shown at their lines.

use std::fmt::Write as _;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with the fields of a file, each at its line with a caret; a field that the file leaves out is shown
/// at the heading or the field that it would stand in.
pub(super) fn shown(name: &str, text: &str, faults: &[(String, String)]) -> String {
    let Ok(document) = DeTable::parse(text) else { return String::new() };
    let mut places: Vec<(Range<usize>, String)> = faults
        .iter()
        .map(|(field, why)| (place(document.get_ref(), field), format!("{field}: {why}")))
        .collect();
    places.sort_by_key(|(place, _)| place.start);
    let mut shown = String::new();
    for (place, why) in places {
        // Writing to a String does not fail.
        let _ = write!(shown, "\n{}", Line::of(text, &place).with_caret(name, &why));
    }
    shown
}

/// The octets of the field, or of the nearest thing around it that is there; the beginning if nothing is.
fn place(document: &DeTable<'_>, field: &str) -> Range<usize> {
    let mut found = 0..0;
    let mut table = Some(document);
    let mut value: Option<&Spanned<DeValue<'_>>> = None;
    for step in field.split(['.', '[']) {
        let next = match step.strip_suffix(']').map(str::parse::<usize>) {
            Some(Ok(number)) => value.and_then(|value| value.get_ref().as_array()?.get(number)),
            _ => table.and_then(|table| table.get(step)),
        };
        let Some(next) = next else { break };
        (found, table, value) = (next.span(), next.get_ref().as_table(), Some(next));
    }
    found
}

/// One line of a file.
struct Line<'a> {
    number: usize,
    text: &'a str,
    /// The characters before the place, and in it as far as it goes on in this line.
    before: usize,
    within: usize,
}

impl<'a> Line<'a> {
    fn of(file: &'a str, place: &Range<usize>) -> Self {
        let before = file.get(..place.start).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |end| end.saturating_add(1));
        let text = file.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let chars = |range: Range<usize>| file.get(range).unwrap_or_default().chars().count();
        let end = place.end.min(start.saturating_add(text.len()));
        Self {
            number: before.matches('\n').count().saturating_add(1),
            text,
            before: chars(start..place.start),
            within: chars(place.start..end).max(1),
        }
    }

    fn with_caret(&self, name: &str, why: &str) -> String {
        let Self { number, text, before, within } = self;
        let (column, number) = (before.saturating_add(1), number.to_string());
        let (margin, blank, carets) = (" ".repeat(number.len()), " ".repeat(*before), "^".repeat(*within));
        format!(
            "{name}:{number}:{column}: {why}\n {margin} |\n {number} | {text}\n {margin} | {blank}{carets}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"name = "web"
issuers = ["issuing", "?"]
[names]
dns = "some"
[usage]
key = ["digitalSignature", "sign"]
[[policies]]
id = "1.2.3"
[[policies]]
id = "policy"
"#;

    fn first(field: &str) -> String {
        shown("web.toml", FILE, &[(field.to_owned(), "why".to_owned())])
    }

    #[test]
    fn a_fault_stands_at_its_line_with_a_caret() {
        assert_eq!(
            first("usage.key[1]"),
            "\nweb.toml:6:28: usage.key[1]: why\n   |\n 6 | key = [\"digitalSignature\", \"sign\"]\n   | \
             \x20                          ^^^^^^"
        );
        for (field, line) in [
            ("name", "1:8"),
            ("issuers[1]", "2:23"),
            ("names.dns", "4:7"),
            ("policies[1].id", "10:6"),
            // Left out: the heading that it would stand under, else the file.
            ("names.min", "3:1"),
            ("usage.extended", "5:1"),
            ("usage.key[7]", "6:7"),
            ("validity.max", "1:1"),
        ] {
            assert!(first(field).starts_with(&format!("\nweb.toml:{line}: ")), "{}", first(field));
        }
    }

    #[test]
    fn faults_are_in_the_order_of_the_file() {
        let faults = ["usage.key", "name", "names.dns"].map(|field| (field.to_owned(), String::new()));
        let shown = shown("f", FILE, &faults);
        let fields: Vec<&str> = shown
            .lines()
            .filter(|line| line.starts_with("f:"))
            .filter_map(|line| line.split(": ").nth(1))
            .collect();
        assert_eq!(fields.join(" "), "name: names.dns: usage.key:".replace(": ", " ").trim_end_matches(':'));
    }

    #[test]
    fn no_file_and_no_field_panics() {
        for text in ["", "a", "ü = \"ü\"", "a = [[1], [2]]", "\n\n"] {
            for field in ["", ".", "a[0][1]", "a[99999999999999999999]", "ü", "[", "a.b.c"] {
                let _ = shown("f", text, &[(field.to_owned(), String::new())]);
            }
        }
    }
}
