//! Answers to requests whose body has not been read to its end.
//!
//! Whoever closes a socket with something unread in it resets it, and a reset overtakes the answer in the client's own buffers.
//! So the answer goes out at once, and what the client still sends is read and dropped for a while.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::{Method, Version};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt;
use tokio::time::{Sleep, sleep, timeout};

/// How long a client that has its answer may go on sending before its socket is closed: what actix-web waits by default, see `ServerExt::hubwire`.
const LINGER: Duration = Duration::from_secs(1);

/// Lets the client of an early answer take it; only one with a body can wait, since a server looks no further where there is none.
pub(crate) async fn answer(
    request: &HttpRequest,
    mut payload: web::Payload,
    answer: actix_web::Result<HttpResponse>,
) -> actix_web::Result<HttpResponse> {
    // A request of HTTP/2 has no socket of its own to be closed.
    if request.method() != Method::POST || request.version() >= Version::HTTP_2 {
        return answer;
    }
    match answer {
        Ok(response) => Ok(response.map_body(|_, body| match body.size() {
            BodySize::None | BodySize::Sized(0) => body,
            BodySize::Sized(_) | BodySize::Stream => {
                BoxBody::new(Lingering { body, payload, linger: None })
            }
        })),
        // What an error is answered with is made elsewhere, behind this.
        Err(error) => {
            let rest = async { while let Some(Ok(_)) = payload.next().await {} };
            // Whether it was read in time or not: now it is answered.
            let _ = timeout(LINGER, rest).await;
            Err(error)
        }
    }
}

/// A body that ends when the request's has, or when that has taken too long.
struct Lingering {
    body: BoxBody,
    payload: web::Payload,
    /// Runs once there is something to wait for.
    linger: Option<Pin<Box<Sleep>>>,
}

impl MessageBody for Lingering {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if let Some(chunk) = ready!(Pin::new(&mut self.body).poll_next(cx)) {
            return Poll::Ready(Some(chunk));
        }
        while let Poll::Ready(rest) = Pin::new(&mut self.payload).poll_next(cx) {
            match rest {
                Some(Ok(_)) => {}
                None | Some(Err(_)) => return Poll::Ready(None),
            }
        }
        let linger = self.linger.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        linger.as_mut().poll(cx).map(|()| None)
    }
}
