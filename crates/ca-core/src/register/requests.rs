//! Which entry a command was applied at.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Key, Value};
use crate::ids::{LogIndex, RequestId};

/// An index over the rows of [`Key::Outcomes`]: from a command's id to the row with its outcome.
///
/// The commands of one run of one node come to the log nearly in the order of their counters, so what is kept is one
/// entry for each stretch of them, not one for each command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    stretches: BTreeMap<RequestId, Stretch>,
    /// Where the stretches of a row begin.
    of_row: BTreeMap<LogIndex, Vec<RequestId>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    last: u64,
    row: LogIndex,
}

impl Requests {
    /// The row with the outcome of this command.
    #[must_use]
    pub fn row_of(&self, request: RequestId) -> Option<LogIndex> {
        let (first, stretch) = self.stretches.range(..=request).next_back()?;
        let holds =
            (first.node, first.boot) == (request.node, request.boot) && request.counter <= stretch.last;
        holds.then_some(stretch.row)
    }

    /// Follows a change of the register; only those of the rows that this is an index over concern it.
    pub fn follow(&mut self, key: &Key, value: Option<&Value>) {
        match (key, value) {
            (Key::Outcomes(row), Some(Value::Outcomes(outcomes))) => {
                self.set(*row, outcomes.iter().map(|(request, _)| *request));
            }
            (Key::Outcomes(row), _) => self.remove(*row),
            _ => {}
        }
    }

    /// A row was set. `requests` are those that it holds, in their order.
    fn set(&mut self, row: LogIndex, requests: impl IntoIterator<Item = RequestId>) {
        self.remove(row);
        let mut begun: Option<(RequestId, u64)> = None;
        for request in requests {
            match &mut begun {
                Some((first, last))
                    if (first.node, first.boot) == (request.node, request.boot)
                        && last.checked_add(1) == Some(request.counter) =>
                {
                    *last = request.counter;
                }
                _ => {
                    if let Some((first, last)) = begun.replace((request, request.counter)) {
                        self.stretch(first, last, row);
                    }
                }
            }
        }
        if let Some((first, last)) = begun {
            self.stretch(first, last, row);
        }
    }

    /// A row was removed.
    fn remove(&mut self, row: LogIndex) {
        for first in self.of_row.remove(&row).unwrap_or_default() {
            self.stretches.remove(&first);
        }
    }

    fn stretch(&mut self, first: RequestId, last: u64, row: LogIndex) {
        self.stretches.insert(first, Stretch { last, row });
        self.of_row.entry(row).or_default().push(first);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::ids::{BootId, NodeId};

    fn request(node: u64, boot: u64, counter: u64) -> RequestId {
        RequestId { node: NodeId(node), boot: BootId(boot), counter }
    }

    /// Also when rows leave, and when the counters of one run came to the log out of order.
    #[test]
    fn every_request_is_found_in_its_row_and_in_no_other() {
        let rows = [
            vec![request(1, 1, 1), request(1, 1, 2), request(1, 1, 4), request(2, 1, 1)],
            vec![request(1, 1, 3), request(1, 1, 5), request(2, 1, 2), request(2, 1, 3)],
            vec![],
            vec![request(1, 2, 1), request(1, 2, 2), request(2, 1, 5)],
            vec![request(1, 1, 6), request(2, 1, 4)],
        ];
        let mut requests = Requests::default();
        for (index, row) in (0..).zip(&rows) {
            requests.set(LogIndex(index), row.iter().copied());
        }
        let ids = || {
            (0..4).flat_map(|node| (0..4).flat_map(move |boot| (0..8).map(move |n| request(node, boot, n))))
        };
        for gone in 0..=rows.len() {
            for id in ids() {
                let held = (0..).zip(&rows).skip(gone).find(|(_, row)| row.contains(&id));
                assert_eq!(
                    requests.row_of(id),
                    held.map(|(index, _)| LogIndex(index)),
                    "{id:?}, {gone} rows gone"
                );
            }
            requests.remove(LogIndex(u64::try_from(gone).unwrap()));
        }
        assert_eq!(requests, Requests::default(), "nothing of what left is kept");
    }
}
