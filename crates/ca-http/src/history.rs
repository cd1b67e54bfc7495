//! `GET /api/v1/history`: who did what to what, a page at a time.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ca_authority::Ports;
use ca_core::history::{HistoryFilter, HistoryFilterError, HistoryPlace, look};
use ca_core::ids::LogIndex;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::json;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::extract::Query;
use crate::limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX, SEARCH_ROWS_MAX};
use crate::problem::Problem;
use crate::wire::{ActAnswer, HistoryAnswer};

/// What may follow the `?`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Terms that must all hold, as `act=certificate-revoked ca=issuing at>2027-01-01`; empty for everything. `act=`,
    /// `by=`, `node=`, `ca=`, `serial=`, `at<`, `at>`.
    #[serde(default)]
    filter: String,
    /// The first log entry to look at, where there is no cursor.
    #[serde(default)]
    from: u64,
    /// The most that one page holds; 100 if left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Answers with at most `limit` acts. A page may be short, even empty, before the end: the node looks at a bounded
/// number of rows a call.
pub(crate) async fn list<P: Ports>(
    State(doors): State<Doors<P>>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let limit = asked.limit.unwrap_or(PAGE_ITEMS_DEFAULT);
    if !(1..=PAGE_ITEMS_MAX).contains(&limit) {
        let why = format!("{limit}, where 1 to {PAGE_ITEMS_MAX} may be");
        return Err(DoorError::BadRequest { field: "limit", why }.into());
    }
    let filter: HistoryFilter = asked.filter.parse().map_err(|error: HistoryFilterError| {
        DoorError::BadRequest { field: "filter", why: error.to_string() }
    })?;
    let from = match &asked.cursor {
        Some(cursor) => place_of(cursor)?,
        None => HistoryPlace { index: LogIndex(asked.from), ordinal: 0 },
    };
    // Not on the threads that Raft's heartbeats wait for.
    let looking =
        tokio::task::spawn_blocking(move || look(doors.register(), &filter, from, (limit, SEARCH_ROWS_MAX)));
    let page = looking.await.map_err(|lost| DoorError::Internal { why: lost.to_string() })??;
    let answer = HistoryAnswer {
        acts: page.found.into_iter().map(ActAnswer::from).collect(),
        next_cursor: cursor_of(page.next),
        ended: page.ended,
    };
    json(StatusCode::OK, &answer)
}

/// Opaque to clients.
fn cursor_of(place: HistoryPlace) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{}", place.index, place.ordinal))
}

fn place_of(cursor: &str) -> Result<HistoryPlace, DoorError> {
    let place = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (index, ordinal) = text.split_once('.')?;
        Some(HistoryPlace { index: LogIndex(index.parse().ok()?), ordinal: ordinal.parse().ok()? })
    };
    place().ok_or_else(|| DoorError::BadRequest {
        field: "cursor",
        why: "not one that an earlier page gave".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_names_its_place() {
        let place = HistoryPlace { index: LogIndex(u64::MAX), ordinal: 7 };
        assert_eq!(place_of(&cursor_of(place)), Ok(place));
        for bad in ["", "?", "MQ", "LjE", "MS4tMQ", &"A".repeat(5000)] {
            assert!(place_of(bad).is_err(), "{bad}");
        }
    }
}
