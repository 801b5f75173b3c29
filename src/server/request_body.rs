//! The body of a request, with an end to waiting for it.
//!
//! Whoever reads it gets an error when nothing has come for too long, answers it as any broken upload, and the connection
//! is closed behind the answer. Bounds progress, not totals: an image may take hours as long as it comes. Nothing is
//! counted while nobody reads: an import that is slower than its client is no fault of the client's.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::{Sleep, sleep};

/// Has the body of `request`, if it has one, end in an error once nothing has come of it for `time_out`.
pub fn bound(request: &mut ServiceRequest, time_out: Duration) {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return;
    }
    let timed = TimedBody {
        payload,
        time_out,
        timer: None,
    };
    request.set_payload(Payload::Stream {
        payload: Box::pin(timed),
    });
}

struct TimedBody {
    payload: Payload,
    time_out: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Stream for TimedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Poll::Ready(chunk) = this.payload.poll_next_unpin(cx) {
            this.timer = None;
            return Poll::Ready(chunk);
        }
        let timer = this
            .timer
            .get_or_insert_with(|| Box::pin(sleep(this.time_out)));
        timer.as_mut().poll(cx).map(|()| {
            let error = io::Error::new(io::ErrorKind::TimedOut, "the body stopped coming");
            Some(Err(PayloadError::Io(error)))
        })
    }
}
