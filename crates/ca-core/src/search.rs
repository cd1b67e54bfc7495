//! Finds certificates in the register: a filter, a bounded look at a time, and where to go on.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::str::FromStr;

use ca_x509::certificate::TbsCertificate;
use ca_x509::name::GeneralName;
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use crate::ids::{CaId, Digest, ProfileName, UnixMillis};
use crate::limits::SCAN_ROWS;
use crate::register::{CertificateEntry, CertificateState, Key, Register, StorageFault, Value};
use crate::roles::Identity;
use crate::status::{Status, status};

/// Which certificates are meant: those for which every term holds. Without terms, all.
///
/// As text, terms are separated by white space: `profile=tls-server name=*.example.com expires<2027-01-01T00:00:00Z`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In any order.
    pub terms: Vec<Term>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// `ca=issuing`
    Ca(CaId),
    /// `serial=0a1b…`
    Serial(SerialNumber),
    /// `profile=tls-server`
    Profile(ProfileName),
    /// `status=good`, `revoked`, `expired` (its end is past, whatever else became of it), `abandoned`.
    Status(StatusWord),
    /// `requester=spki:…`, as `whoami` shows it
    Requester(Identity),
    /// `key=…`: SHA-256 of the SubjectPublicKeyInfo, in hex
    Key(Digest),
    /// `name=web.example.com`: among the alternative names; `name=*.example.com`: one that lies below, or the wildcard
    Name(String),
    /// `subject~text`: the distinguished name contains it, in any case
    Subject(String),
    /// `expires<2027-01-01T00:00:00Z`
    ExpiresBefore(UnixSeconds),
    /// `expires>2027-01-01T00:00:00Z`
    ExpiresAfter(UnixSeconds),
}

/// What became of a certificate, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusWord {
    /// Neither revoked nor over.
    Good,
    /// Revoked.
    Revoked,
    /// Its end is past.
    Expired,
    /// It was never released.
    Abandoned,
}

/// A text that is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// There is no such field, or not with this sign.
    #[error(
        "`{term}` is none of ca=, serial=, profile=, status=, requester=, key=, name=, subject~, expires<, expires>"
    )]
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

/// Terms in one filter: there are ten kinds.
pub const TERMS_MAX: usize = 32;

/// A certificate that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Who issued it.
    pub ca: CaId,
    /// Its serial.
    pub serial: SerialNumber,
    /// Its row.
    pub entry: Arc<CertificateEntry>,
    /// What became of it.
    pub status: Status,
}

/// What one look brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// By CA and serial, so that what is issued meanwhile moves nothing.
    pub found: Vec<Found>,
    /// The last row that was looked at, if there may be more: the next look begins after it.
    pub next: Option<(CaId, SerialNumber)>,
}

/// Looks at no more than `rows_max` rows after `after`, and stops at `limit` finds. Intents that are still open are
/// not shown (I3).
///
/// # Errors
/// [`StorageFault`]: the node must stop.
pub fn search(
    register: &dyn Register,
    filter: &Filter,
    now: UnixMillis,
    after: Option<&(CaId, SerialNumber)>,
    (limit, rows_max): (usize, usize),
) -> Result<Page, StorageFault> {
    let only = filter.ca();
    let mut last = after.cloned();
    let (mut found, mut looked) = (Vec::new(), 0_usize);
    loop {
        let first = || (only.map_or_else(CaId::first, Clone::clone), SerialNumber::MIN);
        let (ca, serial) = last.clone().unwrap_or_else(first);
        let ask = rows_max.saturating_sub(looked).saturating_add(1).min(SCAN_ROWS);
        let rows = register.scan(&Key::Certificate(ca, serial), ask)?;
        let last_page = rows.len() < ask;
        for (key, value) in rows {
            let (Key::Certificate(ca, serial), Value::Certificate(entry)) = (key, value) else { continue };
            // A scan begins with the row that the one before ended with.
            if last.as_ref().is_some_and(|(last_ca, last)| (&ca, &serial) <= (last_ca, last)) {
                continue;
            }
            if only.is_some_and(|only| *only != ca) {
                return Ok(Page { found, next: None });
            }
            looked = looked.saturating_add(1);
            found.extend(filter.find(register, &ca, serial, entry, now)?);
            last = Some((ca, serial));
            if found.len() >= limit || looked >= rows_max {
                return Ok(Page { found, next: last });
            }
        }
        if last_page {
            return Ok(Page { found, next: None });
        }
    }
}

impl Filter {
    fn ca(&self) -> Option<&CaId> {
        self.terms.iter().find_map(|term| if let Term::Ca(ca) = term { Some(ca) } else { None })
    }

    fn find(
        &self,
        register: &dyn Register,
        ca: &CaId,
        serial: SerialNumber,
        entry: Arc<CertificateEntry>,
        now: UnixMillis,
    ) -> Result<Option<Found>, StorageFault> {
        if entry.state == CertificateState::Open
            || !self.terms.iter().all(|term| term.fits_row(ca, serial, &entry))
        {
            return Ok(None);
        }
        let status = status(register, ca, serial)?;
        if !self.terms.iter().all(|term| term.fits_status(status, &entry, now)) {
            return Ok(None);
        }
        if self.terms.iter().any(Term::is_about_contents) {
            let tbs = TbsCertificate::decode(&entry.tbs)
                .map_err(|e| StorageFault(alloc::format!("the TBSCertificate of {serial}: {e}")))?;
            if !self.terms.iter().all(|term| term.fits_contents(&tbs)) {
                return Ok(None);
            }
        }
        Ok(Some(Found { ca: ca.clone(), serial, entry, status }))
    }
}

/// The cheap terms first: most rows fall here, before anything is decoded.
impl Term {
    fn fits_row(&self, ca: &CaId, serial: SerialNumber, entry: &CertificateEntry) -> bool {
        match self {
            Self::Ca(wanted) => wanted == ca,
            Self::Serial(wanted) => *wanted == serial,
            Self::Profile(wanted) => *wanted == entry.profile,
            Self::Requester(wanted) => *wanted == entry.requester,
            Self::ExpiresBefore(time) => entry.not_after < *time,
            Self::ExpiresAfter(time) => entry.not_after > *time,
            Self::Status(_) | Self::Key(_) | Self::Name(_) | Self::Subject(_) => true,
        }
    }

    fn fits_status(&self, status: Status, entry: &CertificateEntry, now: UnixMillis) -> bool {
        let Self::Status(word) = self else { return true };
        let abandoned = matches!(entry.state, CertificateState::Abandoned { .. });
        let expired = entry.not_after < now.seconds();
        match word {
            StatusWord::Good => status == Status::Good && !expired,
            StatusWord::Revoked => matches!(status, Status::Revoked { .. }) && !abandoned,
            StatusWord::Expired => expired && !abandoned,
            StatusWord::Abandoned => abandoned,
        }
    }

    fn is_about_contents(&self) -> bool {
        matches!(self, Self::Key(_) | Self::Name(_) | Self::Subject(_))
    }

    fn fits_contents(&self, tbs: &TbsCertificate) -> bool {
        match self {
            Self::Key(wanted) => Digest::of(tbs.public_key.spki_der()) == *wanted,
            Self::Name(wanted) => tbs.extensions.subject_alt_names.iter().any(|name| is_named(name, wanted)),
            Self::Subject(part) => tbs.subject.to_string().to_lowercase().contains(part.as_str()),
            _ => true,
        }
    }
}

/// `wanted` is in lower case, as certified names are.
fn is_named(name: &GeneralName, wanted: &str) -> bool {
    let text = name.to_string();
    let text = text.split_once(':').map_or(text.as_str(), |(_kind, text)| text);
    match wanted.strip_prefix('*') {
        Some(below) if below.starts_with('.') => text.ends_with(below),
        _ => text == wanted,
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let got = text.split_whitespace().count();
        if got > TERMS_MAX {
            return Err(FilterError::TooMany { got });
        }
        let terms = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }
}

impl FromStr for Term {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let unknown = || FilterError::UnknownTerm { term: text.to_owned() };
        let bad = |why: String| FilterError::BadValue { term: text.to_owned(), why };
        let sign = text.find(['=', '~', '<', '>']).ok_or_else(unknown)?;
        let (field, rest) = text.split_at_checked(sign).ok_or_else(unknown)?;
        let (sign, value) = rest.split_at_checked(1).ok_or_else(unknown)?;
        Ok(match (field, sign) {
            ("ca", "=") => Self::Ca(value.parse().map_err(|e: crate::ids::InvalidName| bad(e.to_string()))?),
            ("serial", "=") => {
                Self::Serial(value.parse().map_err(|e: ca_x509::serial::SerialError| bad(e.to_string()))?)
            }
            ("profile", "=") => {
                Self::Profile(value.parse().map_err(|e: crate::ids::InvalidName| bad(e.to_string()))?)
            }
            ("status", "=") => Self::Status(
                status_word(value).ok_or_else(|| bad("good, revoked, expired or abandoned".to_owned()))?,
            ),
            ("requester", "=") => {
                Self::Requester(value.parse().map_err(|e: crate::roles::NotAnIdentity| bad(e.to_string()))?)
            }
            ("key", "=") => {
                Self::Key(value.parse().map_err(|e: crate::ids::InvalidDigest| bad(e.to_string()))?)
            }
            ("name", "=") if !value.is_empty() => Self::Name(value.to_lowercase()),
            ("subject", "~") if !value.is_empty() => Self::Subject(value.to_lowercase()),
            ("expires", "<") => Self::ExpiresBefore(time(value).map_err(bad)?),
            ("expires", ">") => Self::ExpiresAfter(time(value).map_err(bad)?),
            _ => return Err(unknown()),
        })
    }
}

fn status_word(text: &str) -> Option<StatusWord> {
    Some(match text {
        "good" => StatusWord::Good,
        "revoked" => StatusWord::Revoked,
        "expired" => StatusWord::Expired,
        "abandoned" => StatusWord::Abandoned,
        _ => return None,
    })
}

/// A moment, or a day, which begins at midnight UTC.
pub(crate) fn time(text: &str) -> Result<UnixSeconds, String> {
    let whole = if text.len() == 10 { alloc::format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole.parse().map_err(|_| "a time like 2027-01-31T12:00:00Z, or a day like 2027-01-31".to_owned())
}

#[cfg(test)]
mod tests;
