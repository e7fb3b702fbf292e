//! What a client sends where no socket carries it: a POST.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use actix_web::error::{ErrorBadRequest, PayloadError};
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use futures_core::Stream;
use futures_util::{FutureExt, StreamExt};
use hubwire_transport::{
    Connection, DisconnectReason, EndpointOptions, Payload, Place, TransferFormat, Transport,
};
use tokio::time::timeout;

use crate::admission::{Mounted, Shown, no_connection};
use crate::negotiate::text;
use crate::poll::{self, Opening, number};

/// Hands the body of a POST to its connection once there is room for it.
///
/// A body counts whole or not at all: one that broke off leaves nothing behind.
/// One that its client numbered (`seq`) counts once, however often it is sent.
pub(crate) async fn receive(
    mounted: &Mounted,
    request: &HttpRequest,
    payload: &mut web::Payload,
    connection: &Connection,
) -> actix_web::Result<HttpResponse> {
    let seq = sequence(request)?;
    if let Some(refusal) = mounted.refuse_other_user(request, connection).await? {
        return Ok(refusal);
    }
    hand_in(mounted, request, payload, connection, seq).await
}

/// The same for a client that says something before it polls, as in ASP.NET Core it may: it is the first to come with its token.
pub(crate) async fn open(
    mounted: &Mounted,
    request: &HttpRequest,
    payload: &mut web::Payload,
    token: &Shown,
) -> actix_web::Result<HttpResponse> {
    let seq = sequence(request)?;
    match poll::open(mounted, request, token, poll::kind(request)).await? {
        Opening::Opened(connection) | Opening::Late(connection) => {
            hand_in(mounted, request, payload, &connection, seq).await
        }
        Opening::Refused(answer) => Ok(answer),
    }
}

/// The number of a POST, if its client counts them; looked at first, so that a bad one opens nothing.
fn sequence(request: &HttpRequest) -> actix_web::Result<Option<u64>> {
    match number(request, "seq")? {
        Some(0) => Err(ErrorBadRequest("seq counts from 1")),
        seq => Ok(seq),
    }
}

async fn hand_in(
    mounted: &Mounted,
    request: &HttpRequest,
    payload: &mut web::Payload,
    connection: &Connection,
    seq: Option<u64>,
) -> actix_web::Result<HttpResponse> {
    if connection.request().transport == Transport::WebSockets {
        return Ok(text(
            StatusCode::METHOD_NOT_ALLOWED,
            "POST requests are not allowed for WebSocket connections.",
        ));
    }
    // Room comes before the body, or every POST that waits would hold one.
    let Some(mut turn) = connection.turn().await else {
        mounted.meter.refused("waiting_posts");
        return Ok(text(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many requests wait for this connection",
        ));
    };
    poll_fn(|cx| connection.poll_intake(cx)).await;
    let body = tokio::select! {
        body = read(payload, mounted) => body,
        // What is still on its way would be handed to nobody.
        () = poll_fn(|cx| connection.poll_closing(cx)) => return Ok(no_connection()),
    };
    let body = match body {
        Ok(body) => body,
        Err(ReadError::TooSlow) => {
            mounted.meter.refused("post_timeout");
            return Ok(text(StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive"));
        }
        Err(ReadError::BrokeOff) => return Ok(text(StatusCode::BAD_REQUEST, "")),
        Err(ReadError::TooLarge { size, limit }) => {
            mounted.meter.refused("message_too_big");
            connection.close(DisconnectReason::MessageTooBig { size, limit });
            return Ok(text(StatusCode::PAYLOAD_TOO_LARGE, "The body is over the limit"));
        }
    };
    // Looked at behind the body, which has to be read anyway for the next request of its socket.
    match seq.map(|seq| turn.place(seq)) {
        Some(Place::Repeated) => return Ok(text(StatusCode::OK, "")),
        Some(Place::Ahead { expected }) => {
            let missing = format!("seq {expected} is expected next");
            return Ok(text(StatusCode::CONFLICT, missing));
        }
        Some(Place::Next) => turn.count(),
        None => {}
    }
    mounted.meter.traffic(connection.request().transport).received(body.len());
    let format = format(request, &body);
    let body = body.freeze();
    if connection.is_closing() {
        return Ok(no_connection());
    }
    if !body.is_empty() || mounted.keeps_boundaries() {
        connection.receive(Payload::new(body, format));
    }
    Ok(text(StatusCode::OK, ""))
}

/// What kind of message a body is: clients say it by a content type, or nothing at all.
fn format(request: &HttpRequest, body: &[u8]) -> TransferFormat {
    let is_binary = request.content_type().eq_ignore_ascii_case("application/octet-stream");
    match is_binary || std::str::from_utf8(body).is_err() {
        true => TransferFormat::Binary,
        false => TransferFormat::Text,
    }
}

/// What a body brings; `None` at its end.
type Chunk = Option<Result<Bytes, PayloadError>>;

/// Why a body did not arrive.
enum ReadError {
    BrokeOff,
    TooLarge { size: u64, limit: usize },
    TooSlow,
}

/// Reads a body in the time that it may take, and gives up one that brings nothing for as long as a connection may be silent.
async fn read(payload: &mut web::Payload, mounted: &Mounted) -> Result<BytesMut, ReadError> {
    let EndpointOptions { disconnect_timeout, post_timeout, .. } = *mounted.options;
    let limit = mounted.max_frame_size();
    let mut body = BytesMut::new();
    let mut next = early(payload).await;
    while let Some(chunk) = next {
        let Some(chunk) = chunk else { return Ok(body) };
        append(&mut body, chunk, limit)?;
        next = payload.next().now_or_never();
    }
    let rest = read_rest(&mut body, payload, limit, disconnect_timeout);
    // Boxed, or the future of every request, of polls that wait too, would have room for its timers.
    Box::pin(timeout(post_timeout, rest)).await.unwrap_or(Err(ReadError::TooSlow))?;
    Ok(body)
}

async fn read_rest(
    body: &mut BytesMut,
    payload: &mut web::Payload,
    limit: Option<usize>,
    silence: Duration,
) -> Result<(), ReadError> {
    let late = |_| ReadError::TooSlow;
    while let Some(chunk) = timeout(silence, payload.next()).await.map_err(late)? {
        append(body, chunk, limit)?;
    }
    Ok(())
}

fn append(
    body: &mut BytesMut,
    chunk: Result<Bytes, PayloadError>,
    limit: Option<usize>,
) -> Result<(), ReadError> {
    let chunk = chunk.map_err(|_| ReadError::BrokeOff)?;
    let size = body.len() + chunk.len();
    if let Some(limit) = limit.filter(|limit| size > *limit) {
        return Err(ReadError::TooLarge { size: size as u64, limit });
    }
    body.extend_from_slice(&chunk);
    Ok(())
}

/// The first of a body that has come with the request's head, as nearly all do: the server hands it on once it has been asked for, and no timer is worth setting until then.
async fn early(payload: &mut web::Payload) -> Option<Chunk> {
    let mut was_asked = false;
    poll_fn(|cx| match Pin::new(&mut *payload).poll_next(cx) {
        Poll::Ready(chunk) => Poll::Ready(Some(chunk)),
        Poll::Pending if was_asked => Poll::Ready(None),
        Poll::Pending => {
            was_asked = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}
