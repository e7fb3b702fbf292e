//! Polling on actix-web: requests that take what the client receives.
//!
//! The first poll of a connection opens it and is answered at once, so that the client can go on; each further one takes all that there is.
//! A long poll waits until there is something. A short one does not: the client asks again in a rhythm of its own.
//! What an answer carries counts as delivered when its last byte was handed on; an answer that breaks off before leaves everything to the next poll.
//! A client that acknowledges answers (`ack`) leaves nothing to such guesses.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::error::ErrorBadRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, rt};
use bytes::Bytes;
use futures_util::FutureExt;
use hubwire_transport::{
    Attachment, Connection, DisconnectReason, Found, Message, Receipt, ReceiptError, Taken,
    TransferFormat, Transport, query_value,
};

use crate::admission::{Admission, Admitted, Mounted, Shown, no_connection};
use crate::body::CHUNK;
use crate::home::{Home, Link};
use crate::meter::Traffic;
use crate::negotiate::text;

/// About how much one answer carries where messages need no boundaries; what is left comes with the next.
const ANSWER: usize = 256 * 1024;

/// The budget for a single message, whatever its length.
const ONE_MESSAGE: usize = 1;

/// When an answer to a poll goes stale.
const LONG_AGO: &str = "Thu, 01 Jan 1970 00:00:00 GMT";

/// Which kind of poll a GET is.
pub(crate) fn kind(request: &HttpRequest) -> Transport {
    let wish = query_value(request.query_string(), "transport");
    match wish.is_some_and(|wish| wish.eq_ignore_ascii_case("shortPolling")) {
        true => Transport::ShortPolling,
        false => Transport::LongPolling,
    }
}

/// Answers a poll.
pub(crate) async fn answer(
    mounted: &Mounted,
    request: &HttpRequest,
    token: &Shown,
    found: Found,
    transport: Transport,
) -> actix_web::Result<HttpResponse> {
    let receipt = number(request, "ack")?.map_or(Receipt::None, Receipt::Acknowledged);
    let connection = match found {
        Found::Live(connection) => {
            if let Some(refusal) = mounted.refuse_other_user(request, &connection).await? {
                return Ok(refusal);
            }
            connection
        }
        _ => match open(mounted, request, token, transport).await? {
            Opening::Opened(_) => return Ok(greeting()),
            Opening::Late(connection) => connection,
            Opening::Refused(answer) => return Ok(answer),
        },
    };
    if connection.request().transport != transport {
        return Ok(mounted.refuse_change(transport));
    }
    let attachment = match connection.attach_poll(receipt) {
        Ok(attachment) => attachment,
        // Whoever sent it has given it up.
        Err(ReceiptError::Overtaken) => return Ok(response(StatusCode::OK).finish()),
        Err(error) => return Ok(text(StatusCode::BAD_REQUEST, error.to_string())),
    };
    let mut taken = VecDeque::new();
    // Only who acknowledges makes polls again; official clients with a binary protocol take an empty answer for the one
    // to their handshake.
    let is_greeting = matches!(receipt, Receipt::Acknowledged(_)) && connection.is_greeting();
    let budget = if mounted.keeps_boundaries() { ONE_MESSAGE } else { ANSWER };
    let take = poll_fn(|cx| attachment.poll_take(cx, 0, budget, &mut taken));
    let outcome = if transport == Transport::ShortPolling || is_greeting {
        take.now_or_never()
    } else {
        // The one kind of timer that a connection has: a parked request must be answered in time.
        tokio::time::timeout(mounted.options.poll_timeout, take).await.ok()
    };
    Ok(match outcome {
        // Polls have no heartbeats.
        None | Some(Taken::Heartbeat) => response(StatusCode::OK).finish(),
        Some(Taken::Messages) => response(StatusCode::OK)
            .insert_header((
                header::CONTENT_TYPE,
                HeaderValue::from_static(content_type(mounted, &taken)),
            ))
            // Whoever compresses takes the last byte long before it is on its way, and with that the messages would count as delivered.
            .insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("identity")))
            .body(Body::new(attachment, &taken, mounted.meter.traffic(transport))),
        Some(Taken::Finished | Taken::Cut) => {
            connection.told();
            response(StatusCode::NO_CONTENT).finish()
        }
        // To official clients this is the end, to others a reason to poll again.
        Some(Taken::Superseded) => match receipt {
            Receipt::Acknowledged(_) => response(StatusCode::OK).finish(),
            Receipt::None => response(StatusCode::NO_CONTENT).finish(),
        },
    })
}

/// A number in a request's query, if there is one.
pub(crate) fn number(request: &HttpRequest, name: &str) -> actix_web::Result<Option<u64>> {
    let Some(value) = query_value(request.query_string(), name) else { return Ok(None) };
    let error = |_| ErrorBadRequest(format!("{name} is no number"));
    value.parse().map(Some).map_err(error)
}

/// SignalR's answers are bytes to clients, which know their protocol; a single message says what it is.
fn content_type(mounted: &Mounted, taken: &VecDeque<Message>) -> &'static str {
    let is_text = |message: &Message| message.format() == TransferFormat::Text;
    match mounted.keeps_boundaries() && taken.iter().all(is_text) {
        true => "text/plain; charset=utf-8",
        false => "application/octet-stream",
    }
}

/// The answer to a poll that has opened its connection.
fn greeting() -> HttpResponse {
    response(StatusCode::OK)
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("text/plain")))
        .finish()
}

/// What became of a request that opens a connection for polls.
pub(crate) enum Opening {
    Opened(Connection),
    /// Another request was faster with its token, and has opened this one.
    Late(Connection),
    Refused(HttpResponse),
}

/// Opens a connection that polls will carry.
pub(crate) async fn open(
    mounted: &Mounted,
    request: &HttpRequest,
    token: &Shown,
    transport: Transport,
) -> actix_web::Result<Opening> {
    let admitted = match mounted.admit(request, Some(token), transport).await? {
        Admission::Admitted(admitted) => admitted,
        Admission::Late(connection) => return Ok(Opening::Late(connection)),
        Admission::Refused(response) => return Ok(Opening::Refused(response)),
    };
    let Admitted { id, request, expires, seat, .. } = *admitted;
    let connection = Connection::open_polled(id, request, mounted.options.clone());
    let Some(registration) = mounted.enter(&connection, expires) else {
        let Found::Live(earlier) = mounted.find(token) else {
            return Ok(Opening::Refused(no_connection()));
        };
        let identity = &connection.request().identity;
        return Ok(match mounted.refuse_other_identity(identity, &earlier) {
            Some(refusal) => Opening::Refused(refusal),
            None => Opening::Late(earlier),
        });
    };
    rt::spawn(Home::new(connection.clone(), Link::Polls, registration, seat, mounted));
    Ok(Opening::Opened(connection))
}

/// Ends a connection because its client asks for it.
pub(crate) async fn delete(
    mounted: &Mounted,
    request: &HttpRequest,
    connection: &Connection,
) -> actix_web::Result<HttpResponse> {
    if connection.request().transport.is_lasting() {
        return Ok(text(
            StatusCode::BAD_REQUEST,
            "Cannot terminate this connection using the DELETE endpoint.",
        ));
    }
    if let Some(refusal) = mounted.refuse_other_user(request, connection).await? {
        return Ok(refusal);
    }
    connection.close(DisconnectReason::ClientClosed { error: None });
    connection.told();
    Ok(text(StatusCode::ACCEPTED, ""))
}

/// An answer that nobody keeps: old browsers cache what they get.
fn response(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store")))
        .insert_header((header::PRAGMA, HeaderValue::from_static("no-cache")))
        .insert_header((header::EXPIRES, HeaderValue::from_static(LONG_AGO)));
    response
}

/// The answer to a poll; its messages are delivered when it was handed on to the last byte, or when the client says so.
struct Body {
    attachment: Attachment,
    rest: Bytes,
    length: u64,
    traffic: Traffic,
}

impl Body {
    fn new(attachment: Attachment, messages: &VecDeque<Message>, traffic: Traffic) -> Self {
        let mut payloads = Vec::with_capacity(messages.iter().map(|m| m.payload().len()).sum());
        for message in messages {
            payloads.extend_from_slice(message.payload());
        }
        Self { attachment, length: payloads.len() as u64, rest: payloads.into(), traffic }
    }
}

impl MessageBody for Body {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let end = self.rest.len().min(CHUNK);
        let chunk = self.rest.split_to(end);
        self.traffic.sent(chunk.len());
        self.attachment.handed_on(chunk.len(), self.rest.is_empty());
        Poll::Ready(if chunk.is_empty() { None } else { Some(Ok(chunk)) })
    }
}
