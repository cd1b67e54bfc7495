//! Lines with tabs between their fields, as people see them: under each other.
//!
//! Programs get the tabs. On a terminal such lines wait for those that follow, for the widest says where the next
//! column begins.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is held at most: a page of a search.
const LINES_MAX: usize = 1000;

/// Between two columns.
const GAP: usize = 2;

/// Lines of one table, in their order.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    held: Mutex<Vec<String>>,
}

impl Columns {
    pub(crate) const fn new() -> Self {
        Self { held: Mutex::new(Vec::new()) }
    }

    /// Holds a line; answers what is ready to be shown.
    pub(crate) fn hold(&self, line: &str) -> Vec<String> {
        let mut held = self.lock();
        held.push(line.to_owned());
        if held.len() < LINES_MAX { Vec::new() } else { aligned(&std::mem::take(&mut *held)) }
    }

    /// Everything that is held.
    pub(crate) fn release(&self) -> Vec<String> {
        aligned(&std::mem::take(&mut *self.lock()))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn aligned(lines: &[String]) -> Vec<String> {
    let mut widths: Vec<usize> = Vec::new();
    for line in lines {
        for (at, field) in line.split('\t').enumerate() {
            let width = field.chars().count();
            match widths.get_mut(at) {
                Some(widest) => *widest = width.max(*widest),
                None => widths.push(width),
            }
        }
    }
    let padded = |line: &String| {
        let fields = line.split('\t').zip(&widths);
        let line: String =
            fields.map(|(field, width)| format!("{field:<0$}", width.saturating_add(GAP))).collect();
        line.trim_end().to_owned()
    };
    lines.iter().map(padded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let columns = Columns::new();
        for line in ["NODE\tROLE\tSTATE", "ca1\tleader\tready", "löwe\t-\tsilent: refused", "a\tb"] {
            assert_eq!(columns.hold(line), Vec::<String>::new());
        }
        let shown =
            ["NODE  ROLE    STATE", "ca1   leader  ready", "löwe  -       silent: refused", "a     b"];
        assert_eq!(columns.release(), shown);
        assert_eq!(columns.release(), Vec::<String>::new());
    }

    #[test]
    fn a_long_table_is_shown_page_by_page() {
        let columns = Columns::new();
        for _ in 1..LINES_MAX {
            assert_eq!(columns.hold("a\tb").len(), 0);
        }
        assert_eq!(columns.hold("a\tb").len(), LINES_MAX);
        assert_eq!(columns.release().len(), 0);
    }
}
