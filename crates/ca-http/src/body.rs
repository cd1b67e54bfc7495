//! Reads bodies: bounded in size, time and depth.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::error::DoorError;
use crate::limits::{BODY_MS_MAX, JSON_DEPTH_MAX};

/// The whole body, of at most `max` octets.
///
/// # Errors
/// [`DoorError::BodyTooLarge`], [`DoorError::TooSlow`], [`DoorError::BadRequest`] if the connection breaks.
pub(crate) async fn read(body: Body, max: usize) -> Result<Bytes, DoorError> {
    let all = timeout(Duration::from_millis(BODY_MS_MAX), to_bytes(body, max)).await;
    match all.map_err(|_| DoorError::TooSlow { limit_ms: BODY_MS_MAX })? {
        Ok(bytes) => Ok(bytes),
        Err(error) if is_too_long(&error) => Err(DoorError::BodyTooLarge { max }),
        Err(error) => Err(DoorError::BadRequest { field: "body", why: error.to_string() }),
    }
}

/// A JSON body, whatever its Content-Type: curl's default claims a form. It is an object: left to itself, serde takes a
/// list of values without their names as well.
///
/// # Errors
/// [`DoorError::BadJson`] with line and column, also for unknown and repeated fields.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DoorError> {
    if depth(bytes) > JSON_DEPTH_MAX {
        return Err(DoorError::BadJson { why: format!("it nests deeper than {JSON_DEPTH_MAX}") });
    }
    let first = bytes.iter().find(|octet| !octet.is_ascii_whitespace());
    if first.is_some_and(|octet| *octet != b'{') {
        return Err(DoorError::BadJson { why: "it is no object: it does not begin with `{`".to_owned() });
    }
    serde_json::from_slice(bytes).map_err(|error| DoorError::BadJson { why: error.to_string() })
}

fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// How deep the text nests; what is in strings does not count.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut quoted, mut escaped) = (false, false);
    for octet in text {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth = depth.saturating_add(1);
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::HttpBody;
    use http_body::Frame;

    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        assert_eq!(depth(b"1"), 0);
        assert_eq!(depth(br#"{"a":[{}],"b":[]}"#), 3);
        assert_eq!(depth(br#"["[[[[","\"[["]"#), 1);
        assert_eq!(depth(&[b'['; 40]), 40);
    }

    #[tokio::test]
    async fn a_body_over_its_limit_is_refused() {
        assert_eq!(read(Body::from("1234"), 4).await.unwrap(), "1234");
        assert_eq!(read(Body::from("12345"), 4).await, Err(DoorError::BodyTooLarge { max: 4 }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_too_slow() {
        assert_eq!(read(Body::new(Never), 4).await, Err(DoorError::TooSlow { limit_ms: BODY_MS_MAX }));
    }

    /// A body that sends nothing and does not end.
    struct Never;

    impl HttpBody for Never {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }
}
