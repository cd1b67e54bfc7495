//! Reads bodies: bounded in size, time and depth.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::error::DoorError;
use crate::limits::{BODY_MS_MAX, JSON_COMMAS_MAX, JSON_DEPTH_MAX};

/// The whole body, of at most `max` octets.
///
/// # Errors
/// [`DoorError::BodyTooLarge`], [`DoorError::TooSlow`], [`DoorError::BadRequest`] if the connection breaks.
pub(crate) async fn read(body: Body, max: usize) -> Result<Bytes, DoorError> {
    let all = timeout(Duration::from_millis(BODY_MS_MAX), whole(body, max)).await;
    all.map_err(|_| DoorError::TooSlow { limit_ms: BODY_MS_MAX })?
}

async fn whole(mut body: Body, max: usize) -> Result<Bytes, DoorError> {
    // What was announced, at once: a buffer that grows holds most octets twice.
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut octets = Vec::with_capacity(announced.min(max));
    while let Some(frame) = body.frame().await {
        let broken = |error: axum::Error| DoorError::BadRequest { field: "body", why: error.to_string() };
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        if octets.len().saturating_add(data.len()) > max || announced > max {
            return Err(DoorError::BodyTooLarge { max });
        }
        octets.extend_from_slice(&data);
    }
    Ok(octets.into())
}

/// A JSON body, whatever its Content-Type: curl's default claims a form. It is an object: left to itself, serde takes a
/// list of values without their names as well.
///
/// # Errors
/// [`DoorError::BadJson`] with line and column, also for unknown and repeated fields.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DoorError> {
    let shape = Shape::of(bytes);
    if shape.depth > JSON_DEPTH_MAX {
        return Err(DoorError::BadJson { why: format!("it nests deeper than {JSON_DEPTH_MAX}") });
    }
    if shape.commas > JSON_COMMAS_MAX {
        return Err(DoorError::BadJson { why: format!("it has more than {JSON_COMMAS_MAX} commas") });
    }
    let first = bytes.iter().find(|octet| !octet.is_ascii_whitespace());
    if first.is_some_and(|octet| *octet != b'{') {
        return Err(DoorError::BadJson { why: "it is no object: it does not begin with `{`".to_owned() });
    }
    serde_json::from_slice(bytes).map_err(|error| DoorError::BadJson { why: error.to_string() })
}

/// How much a text would become, told without parsing it; what is in strings does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shape {
    /// How deep it nests.
    depth: usize,
    /// One less than its values, roughly.
    commas: usize,
}

impl Shape {
    fn of(text: &[u8]) -> Self {
        let mut shape = Self::default();
        let mut depth = 0_usize;
        let (mut quoted, mut escaped) = (false, false);
        for octet in text {
            match octet {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'[' | b'{' if !quoted => {
                    depth = depth.saturating_add(1);
                    shape.depth = shape.depth.max(depth);
                }
                b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
                b',' if !quoted => shape.commas = shape.commas.saturating_add(1),
                _ => {}
            }
        }
        shape
    }
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
    fn brackets_and_commas_count_outside_strings() {
        let shape = |text: &[u8]| {
            let Shape { depth, commas } = Shape::of(text);
            (depth, commas)
        };
        assert_eq!(shape(b"1"), (0, 0));
        assert_eq!(shape(br#"{"a":[{}],"b":[]}"#), (3, 1));
        assert_eq!(shape(br#"["[[[[,,","\"[["]"#), (1, 1));
        assert_eq!(shape(&[b'['; 40]), (40, 0));
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
