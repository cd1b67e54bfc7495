//! What of a request nobody has read when it is answered.
//!
//! A connection that is closed while octets of the client are unread is reset (RFC 9112 §9.6), an HTTP/2 stream likewise
//! (RFC 9113 §8.1), and clients that were still sending tell of that and not of the answer. So what is left is read,
//! within bounds, and thrown away, whoever has answered: a handler, the guard, or the router that knows no such path.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::EXPECT;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::limits::{SURPLUS_MS_MAX, SURPLUS_OCTETS_MAX};

/// A body that was lent to whoever answers.
pub(crate) struct Surplus {
    lent: Arc<Mutex<Lent>>,
    /// Whether the client sends nothing before it is told to go on (RFC 9110 §10.1.1): the first look tells it.
    waits: bool,
}

struct Lent {
    body: Body,
    touched: bool,
}

/// The request as it is handed on, and what will be left of its body.
pub(crate) fn lend(request: Request) -> (Request, Surplus) {
    let waits = request.headers().contains_key(EXPECT);
    let (head, body) = request.into_parts();
    let lent = Arc::new(Mutex::new(Lent { body, touched: false }));
    let request = Request::from_parts(head, Body::new(Borrowed(Arc::clone(&lent))));
    (request, Surplus { lent, waits })
}

impl Surplus {
    /// Reads what is left and keeps nothing of it.
    pub(crate) async fn read(self) {
        let (mut body, touched) = {
            let mut lent = locked(&self.lent);
            (std::mem::take(&mut lent.body), lent.touched)
        };
        if body.is_end_stream() || self.waits && !touched {
            return;
        }
        let reading = async {
            let mut left = SURPLUS_OCTETS_MAX;
            while let Some(Ok(frame)) = body.frame().await {
                left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
                if left == 0 {
                    break;
                }
            }
        };
        // Whoever sends more, or not at all, has had his chance.
        let _ = timeout(Duration::from_millis(SURPLUS_MS_MAX), reading).await;
    }
}

/// What whoever answers sees of the body.
struct Borrowed(Arc<Mutex<Lent>>);

impl HttpBody for Borrowed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut lent = locked(&self.0);
        lent.touched = true;
        Pin::new(&mut lent.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        locked(&self.0).body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        locked(&self.0).body.size_hint()
    }
}

fn locked(lent: &Mutex<Lent>) -> MutexGuard<'_, Lent> {
    lent.lock().unwrap_or_else(PoisonError::into_inner)
}
