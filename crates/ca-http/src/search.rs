//! `GET /api/v1/certificates`: finds certificates, a page at a time.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ca_authority::Ports;
use ca_authority::ports::Clock;
use ca_core::ids::CaId;
use ca_core::register::CertificateState;
use ca_core::roles::{Identity, Role};
use ca_core::search::{Filter, Found, Page, Term, search};
use ca_core::status::Status;
use ca_x509::certificate::TbsCertificate;
use ca_x509::serial::SerialNumber;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::json;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::extract::Query;
use crate::guard::Caller;
use crate::limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX, SEARCH_ROWS_MAX};
use crate::problem::Problem;
use crate::wire::{CertificateSummary, CertificatesAnswer};

/// What may follow the `?`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Terms that must all hold, as `name=*.web.test status=good expires<2027-01-01`; empty for everything.
    #[serde(default)]
    filter: String,
    /// The most that one page holds; 100 if left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Answers with at most `limit` finds. A page may be short, even empty, and have a cursor all the same: the node
/// looks at a bounded number of rows a call, so that no search holds it up.
pub(crate) async fn list<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(identity)): Extension<Caller>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let limit = asked.limit.unwrap_or(PAGE_ITEMS_DEFAULT);
    if !(1..=PAGE_ITEMS_MAX).contains(&limit) {
        let why = format!("{limit}, where 1 to {PAGE_ITEMS_MAX} may be");
        return Err(DoorError::BadRequest { field: "limit", why }.into());
    }
    let filter = visible(&doors, identity, read_filter(&asked.filter)?)?;
    let page = look(&doors, filter, asked.cursor.as_deref(), limit).await?;
    let answer = CertificatesAnswer {
        certificates: page.found.into_iter().map(summary).collect::<Result<_, _>>()?,
        next_cursor: page.next.as_ref().map(cursor_of),
    };
    json(StatusCode::OK, &answer)
}

pub(crate) fn read_filter(text: &str) -> Result<Filter, DoorError> {
    text.parse().map_err(|error: ca_core::search::FilterError| DoorError::BadRequest {
        field: "filter",
        why: error.to_string(),
    })
}

/// Who only asks for certificates sees its own.
pub(crate) fn visible<P: Ports>(
    doors: &Doors<P>,
    identity: Identity,
    mut filter: Filter,
) -> Result<Filter, Problem> {
    let granted = doors.register().grant_of(identity)?;
    let roles = granted.as_ref().map(|granted| granted.grant.roles.as_slice()).unwrap_or_default();
    if roles.iter().all(|role| *role == Role::Requester) {
        filter.terms.push(Term::Requester(identity));
    }
    Ok(filter)
}

/// One page after a cursor.
pub(crate) async fn look<P: Ports>(
    doors: &Doors<P>,
    filter: Filter,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page, Problem> {
    let after = cursor.map(place_of).transpose()?;
    let now = doors.authority.ports().clock().now();
    // Thousands of rows are read and decoded: not on the threads that Raft's heartbeats wait for.
    let doors = doors.clone();
    let looking = tokio::task::spawn_blocking(move || {
        search(doors.register(), &filter, now, after.as_ref(), (limit, SEARCH_ROWS_MAX))
    });
    Ok(looking.await.map_err(|lost| DoorError::Internal { why: lost.to_string() })??)
}

/// Opaque to clients; stable, for it names the last row and not a number of rows.
pub(crate) fn cursor_of((ca, serial): &(CaId, SerialNumber)) -> String {
    URL_SAFE_NO_PAD.encode(format!("{ca}/{serial}"))
}

fn place_of(cursor: &str) -> Result<(CaId, SerialNumber), DoorError> {
    let place = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (ca, serial) = text.split_once('/')?;
        Some((ca.parse().ok()?, serial.parse().ok()?))
    };
    place().ok_or_else(|| DoorError::BadRequest {
        field: "cursor",
        why: "not one that an earlier page gave".to_owned(),
    })
}

fn summary(found: Found) -> Result<CertificateSummary, Problem> {
    let Found { ca, serial, entry, status } = found;
    let tbs = TbsCertificate::decode(&entry.tbs)
        .map_err(|error| DoorError::Internal { why: format!("certificate {serial}: {error}") })?;
    let (revoked_at, reason) = match status {
        Status::Revoked { at, reason, .. } => (Some(at), reason),
        Status::Good | Status::Open | Status::Unassigned => (None, None),
    };
    let word = match (&entry.state, revoked_at) {
        (CertificateState::Abandoned { .. }, _) => "abandoned",
        (_, Some(_)) => "revoked",
        (_, None) => "good",
    };
    Ok(CertificateSummary {
        serial: serial.to_string(),
        ca: ca.to_string(),
        profile: entry.profile.to_string(),
        status: word.to_owned(),
        revoked_at: revoked_at.map(|at| at.to_string()),
        reason: reason.map(|reason| reason.to_string()),
        subject: tbs.subject.to_string(),
        names: tbs.extensions.subject_alt_names.iter().map(ToString::to_string).collect(),
        requester: entry.requester.to_string(),
        not_before: tbs.not_before.to_string(),
        not_after: entry.not_after.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_names_its_row() {
        let place: (CaId, SerialNumber) = ("issuing".parse().unwrap(), SerialNumber::from_random([9; 16]));
        assert_eq!(place_of(&cursor_of(&place)), Ok(place));
        for bad in ["", "?", "aXNzdWluZw", "YQ", &"A".repeat(5000)] {
            assert!(place_of(bad).is_err(), "{bad}");
        }
    }
}
