//! Finds acts in the history: a filter, a bounded look at a time, and where to go on.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::str::FromStr;

use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use super::{Act, HistoryRow};
use crate::ids::{CaId, LogIndex, NodeId};
use crate::limits::SCAN_ROWS;
use crate::register::{Key, Register, StorageFault, Value};
use crate::roles::Identity;
use crate::search::{TERMS_MAX, time};

/// Which acts are meant: those for which every term holds. Without terms, all.
///
/// As text, terms are separated by white space: `act=certificate-revoked ca=issuing at>2027-01-01`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    terms: Vec<Term>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Act(Act),
    By(Identity),
    Node(NodeId),
    Ca(CaId),
    Serial(SerialNumber),
    Before(UnixSeconds),
    After(UnixSeconds),
}

/// A text that is no filter of the history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryFilterError {
    /// There is no such field, or not with this sign.
    #[error("`{term}` is none of act=, by=, node=, ca=, serial=, at<, at>")]
    UnknownTerm {
        /// As it was written.
        term: String,
    },
    /// The value does not fit its field.
    #[error("`{term}`: {why}")]
    BadValue {
        /// As it was written.
        term: String,
        /// What may stand there.
        why: String,
    },
    /// More terms than anybody means.
    #[error("{got} terms, at most {TERMS_MAX} are read")]
    TooMany {
        /// Terms given.
        got: usize,
    },
}

/// Where an act stands: its log entry, and its command's place in that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HistoryPlace {
    /// The log entry.
    pub index: LogIndex,
    /// From 0.
    pub ordinal: u32,
}

/// What one look brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryPage {
    /// In the order of the log.
    pub found: Vec<(HistoryPlace, HistoryRow)>,
    /// Where the next look begins.
    pub next: HistoryPlace,
    /// Whether there was nothing more to look at.
    pub ended: bool,
}

/// Looks at no more than `rows_max` rows from `from` on, itself included, and stops at `limit` finds.
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn look(
    register: &dyn Register,
    filter: &HistoryFilter,
    from: HistoryPlace,
    (limit, rows_max): (usize, usize),
) -> Result<HistoryPage, StorageFault> {
    let (mut found, mut next, mut left) = (Vec::new(), from, rows_max);
    loop {
        let ask = left.min(SCAN_ROWS);
        let rows = register.scan(&Key::History(next), ask)?;
        let ended = rows.len() < ask;
        left = left.saturating_sub(ask);
        for (key, value) in rows {
            let (Key::History(place), Value::History(row)) = (key, value) else { continue };
            next = HistoryPlace { ordinal: place.ordinal.saturating_add(1), ..place };
            if filter.terms.iter().all(|term| term.holds(&row)) {
                found.push((place, row));
            }
            if found.len() >= limit {
                return Ok(HistoryPage { found, next, ended: false });
            }
        }
        if ended || left == 0 {
            return Ok(HistoryPage { found, next, ended });
        }
    }
}

impl Term {
    fn holds(&self, row: &HistoryRow) -> bool {
        match self {
            Self::Act(act) => row.act == *act,
            Self::By(identity) => row.by == *identity,
            Self::Node(node) => row.node == *node,
            Self::Ca(ca) => row.about.ca() == Some(ca),
            Self::Serial(serial) => row.about.serial() == Some(*serial),
            Self::Before(time) => row.at.seconds() < *time,
            Self::After(time) => row.at.seconds() > *time,
        }
    }
}

impl FromStr for HistoryFilter {
    type Err = HistoryFilterError;

    fn from_str(text: &str) -> Result<Self, HistoryFilterError> {
        let got = text.split_whitespace().count();
        if got > TERMS_MAX {
            return Err(HistoryFilterError::TooMany { got });
        }
        let terms = text.split_whitespace().map(term).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }
}

fn term(text: &str) -> Result<Term, HistoryFilterError> {
    let unknown = || HistoryFilterError::UnknownTerm { term: text.to_owned() };
    let bad = |why: String| HistoryFilterError::BadValue { term: text.to_owned(), why };
    let sign = text.find(['=', '<', '>']).ok_or_else(unknown)?;
    let (field, rest) = text.split_at_checked(sign).ok_or_else(unknown)?;
    let (sign, value) = rest.split_at_checked(1).ok_or_else(unknown)?;
    Ok(match (field, sign) {
        ("act", "=") => Term::Act(value.parse().map_err(|e: super::UnknownAct| bad(e.to_string()))?),
        ("by", "=") => Term::By(value.parse().map_err(|e: crate::roles::NotAnIdentity| bad(e.to_string()))?),
        ("node", "=") => Term::Node(NodeId(value.parse().map_err(|_| bad("a node's number".to_owned()))?)),
        ("ca", "=") => Term::Ca(value.parse().map_err(|e: crate::ids::InvalidName| bad(e.to_string()))?),
        ("serial", "=") => {
            Term::Serial(value.parse().map_err(|e: ca_x509::serial::SerialError| bad(e.to_string()))?)
        }
        ("at", "<") => Term::Before(time(value).map_err(bad)?),
        ("at", ">") => Term::After(time(value).map_err(bad)?),
        _ => return Err(unknown()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_and_what_is_none_is_named() {
        let all = "act=certificate-revoked by=node:3 node=3 ca=issuing serial=0a at<2027-01-31 at>2027-01-01T00:00:00Z";
        assert_eq!(all.parse::<HistoryFilter>().unwrap().terms.len(), 7);
        assert_eq!("".parse(), Ok(HistoryFilter::default()));
        for (text, word) in [
            ("act=revoked", "is no act"),
            ("act~refused", "none of"),
            ("act", "none of"),
            ("who=x", "none of"),
            ("by=me", "not an identity"),
            ("node=one", "number"),
            ("ca=Root", "not a name"),
            ("serial=xyz", "serial"),
            ("at=2027-01-01", "none of"),
            ("at>yesterday", "a time like"),
            (&"node=1 ".repeat(TERMS_MAX + 1), "at most"),
        ] {
            let error = text.parse::<HistoryFilter>().unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
