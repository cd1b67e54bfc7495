//! Cache headers, and answers to those who have the object already (RFC 9110 §13, RFC 9111, RFC 5019 §6).

use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ca_core::ids::Digest;
use ca_x509::time::UnixSeconds;

use crate::error::DoorError;
use crate::limits::STATUS_MAX_AGE_S;
use crate::problem::Problem;

/// Something signed that caches may keep for a while.
#[derive(Debug)]
pub(crate) struct Cacheable {
    /// Its media type.
    pub(crate) media_type: &'static str,
    /// Its octets.
    pub(crate) body: Bytes,
    /// Its strong entity tag, without quotes.
    pub(crate) tag: String,
    /// Since when it says what it says.
    pub(crate) since: UnixSeconds,
    /// When a newer one is due.
    pub(crate) refresh_at: UnixSeconds,
}

/// Forbids every cache to keep this.
pub(crate) fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Gives what a handler has read an entity tag, by its octets if the handler has given none, and answers 304 to who
/// has it (RFC 9110 §13.1.2). The client alone may keep it, and asks each time.
pub(crate) async fn conditional(request: Request, next: Next) -> Response {
    let mut asked = request.headers().clone();
    asked.remove(IF_MODIFIED_SINCE);
    let response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // Whole in memory already: a handler of ours made it.
    let octets = match to_bytes(body, usize::MAX).await {
        Ok(octets) => octets,
        Err(error) => return Problem::from(DoorError::Internal { why: error.to_string() }).into_response(),
    };
    let given = parts.headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    let tag = given.unwrap_or_else(|| format!("\"{}\"", Digest::of(&octets)));
    set(&mut parts.headers, ETAG, &tag);
    set(&mut parts.headers, CACHE_CONTROL, "private, no-cache");
    if has_already(&asked, &tag, UnixSeconds(0)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(octets))
}

impl Cacheable {
    /// The answer at `now`: 304 without a body for who has it already, by tag or else by date.
    pub(crate) fn into_answer(self, asked: &HeaderMap, now: UnixSeconds) -> Response {
        let quoted = format!("\"{}\"", self.tag);
        let left_s = self.refresh_at.0.saturating_sub(now.0).min(STATUS_MAX_AGE_S);
        let has_it = has_already(asked, &quoted, self.since);
        let mut response = if has_it {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            (StatusCode::OK, Body::from(self.body)).into_response()
        };
        let headers = response.headers_mut();
        if !has_it {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        }
        set(headers, CACHE_CONTROL, &format!("max-age={left_s}, public, no-transform, must-revalidate"));
        set(headers, EXPIRES, &http_date(now.saturating_add(left_s)));
        set(headers, LAST_MODIFIED, &http_date(self.since));
        set(headers, ETAG, &quoted);
        response
    }
}

/// RFC 9110 §13.2.2: a tag, if one is sent, decides alone.
fn has_already(asked: &HeaderMap, quoted: &str, since: UnixSeconds) -> bool {
    let mut tags = asked.get_all(IF_NONE_MATCH).iter().peekable();
    if tags.peek().is_some() {
        return tags.filter_map(|tags| tags.to_str().ok()).flat_map(|tags| tags.split(',')).any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == quoted
        });
    }
    let date = asked.get(IF_MODIFIED_SINCE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let date = date.and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok());
    date.is_some_and(|date| since.0 <= date.as_secs())
}

fn http_date(at: UnixSeconds) -> String {
    // The format ends with the year 9999, and so do certificates.
    let at = at.min(UnixSeconds::MAX);
    let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at.0));
    httpdate::fmt_http_date(at.unwrap_or(SystemTime::UNIX_EPOCH))
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Made of ASCII by our own hand; without the header the object is merely cached worse.
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::try_from(value).unwrap())])
    }

    fn answer(asked: &HeaderMap, now: u64) -> Response {
        let (since, refresh_at) = (UnixSeconds(1_000_000_000), UnixSeconds(1_000_010_000));
        let object = Cacheable {
            media_type: "application/ocsp-response",
            body: Bytes::from_static(b"x"),
            tag: "abc".to_owned(),
            since,
            refresh_at,
        };
        object.into_answer(asked, UnixSeconds(now))
    }

    #[test]
    fn rfc5019_6_2_headers_of_a_fresh_answer() {
        let response = answer(&HeaderMap::new(), 1_000_009_000);
        let header = |name| response.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(CACHE_CONTROL), "max-age=1000, public, no-transform, must-revalidate");
        assert_eq!(header(LAST_MODIFIED), "Sun, 09 Sep 2001 01:46:40 GMT");
        assert_eq!(header(EXPIRES), "Sun, 09 Sep 2001 04:33:20 GMT");
        assert_eq!(header(ETAG), "\"abc\"");
    }

    #[test]
    fn max_age_is_bounded_at_both_ends() {
        for (now, expected) in [(1_000_000_000, "max-age=3600,"), (1_000_020_000, "max-age=0,")] {
            let response = answer(&HeaderMap::new(), now);
            let header = response.headers().get(CACHE_CONTROL).unwrap().to_str().unwrap();
            assert!(header.starts_with(expected), "{header}");
        }
    }

    #[test]
    fn rfc9110_13_2_2_who_has_it_gets_304() {
        for (name, value, expected) in [
            (IF_NONE_MATCH, "\"abc\"", StatusCode::NOT_MODIFIED),
            (IF_NONE_MATCH, "\"x\", W/\"abc\"", StatusCode::NOT_MODIFIED),
            (IF_NONE_MATCH, "*", StatusCode::NOT_MODIFIED),
            (IF_NONE_MATCH, "\"abcd\"", StatusCode::OK),
            (IF_MODIFIED_SINCE, "Sun, 09 Sep 2001 01:46:40 GMT", StatusCode::NOT_MODIFIED),
            (IF_MODIFIED_SINCE, "Sun, 09 Sep 2001 01:46:39 GMT", StatusCode::OK),
            (IF_MODIFIED_SINCE, "yesterday", StatusCode::OK),
        ] {
            assert_eq!(
                answer(&asked(name.clone(), value), 1_000_000_000).status(),
                expected,
                "{name}: {value}"
            );
        }
        let mut both = asked(IF_NONE_MATCH, "\"other\"");
        both.extend(asked(IF_MODIFIED_SINCE, "Sun, 09 Sep 2001 01:46:40 GMT"));
        assert_eq!(answer(&both, 1_000_000_000).status(), StatusCode::OK, "the tag decides alone");
    }
}
