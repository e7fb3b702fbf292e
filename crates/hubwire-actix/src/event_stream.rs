//! Server-Sent Events on actix-web: a response that never ends carries what the client receives.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, rt};
use bytes::Bytes;
use hubwire_transport::event_stream::{COMMENT, write_event};
use hubwire_transport::{Attachment, Connection, Message, Taken, TransferFormat, Transport};

use crate::admission::{Admission, Admitted, Mounted, Shown};
use crate::body::{CHUNK, Chunks, Lasting};
use crate::home::{Home, Link};
use crate::meter::Traffic;

/// Whether a request asks for an event stream.
pub(crate) fn is_wanted(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

/// Answers with the event stream of a new connection, and gives it a home on this worker.
pub(crate) async fn accept(
    mounted: &Mounted,
    request: &HttpRequest,
    token: &Shown,
) -> actix_web::Result<HttpResponse> {
    let admitted = match mounted.admit(request, Some(token), Transport::ServerSentEvents).await? {
        Admission::Admitted(admitted) => admitted,
        Admission::Late(connection) => return Ok(mounted.refuse_late(&connection)),
        Admission::Refused(response) => return Ok(response),
    };
    let Admitted { id, request, expires, seat, .. } = *admitted;
    let (connection, attachment) = Connection::open(id, request, mounted.options.clone());
    let Some(registration) = mounted.enter(&connection, expires) else {
        return Ok(mounted.refuse_late(&connection));
    };
    let traffic = mounted.meter.traffic(Transport::ServerSentEvents);
    let body = Lasting::new(Body::new(attachment, traffic));
    let link = Link::Stream(body.hold());
    rt::spawn(Home::new(connection, link, registration, seat, mounted));
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-cache, no-store, no-transform"))
        .insert_header((header::PRAGMA, "no-cache"))
        // Whoever compresses would hold back what should arrive at once.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        // The same for nginx, which buffers answers unless told otherwise.
        .insert_header(("x-accel-buffering", "no"))
        .body(body))
}

/// The stream: frames what waits in the outbox, and ends with the connection.
struct Body {
    attachment: Attachment,
    taken: VecDeque<Message>,
    /// What is framed, how much of it was handed on, and how many bytes of messages the rest stands for.
    framed: Bytes,
    position: usize,
    cost: usize,
    /// Bytes of messages handed on since the outbox was last told.
    passed: usize,
    traffic: Traffic,
    /// What a client can cause again and again is logged once.
    has_warned: bool,
}

impl Body {
    fn new(attachment: Attachment, traffic: Traffic) -> Self {
        Self {
            attachment,
            taken: VecDeque::new(),
            framed: Bytes::from_static(COMMENT),
            position: 0,
            cost: 0,
            passed: 0,
            traffic,
            has_warned: false,
        }
    }

    fn frame(&mut self) {
        let mut framed = Vec::new();
        for message in self.taken.drain(..) {
            self.cost += message.cost();
            let is_text = message.format() == TransferFormat::Text;
            if is_text || std::str::from_utf8(message.payload()).is_ok() {
                write_event(&mut framed, message.payload());
            } else if !std::mem::replace(&mut self.has_warned, true) {
                tracing::warn!(
                    id = %self.attachment.connection().id(),
                    "a message was dropped, and others like it will be: an event stream carries text only, see Transport::carries"
                );
            }
        }
        self.framed = framed.into();
        self.position = 0;
    }

    fn slice(&mut self) -> Bytes {
        let end = self.framed.len().min(self.position + CHUNK);
        // A long event is copied piece by piece: over HTTP/2 a piece may wait for long, and a slice would keep the whole event.
        let slice = match self.framed.len() {
            ..=CHUNK => self.framed.clone(),
            _ => Bytes::copy_from_slice(&self.framed[self.position..end]),
        };
        self.position = end;
        self.traffic.sent(slice.len());
        // Framing adds a little, so the last slice settles what is left.
        let passed = if self.is_handed_on() { self.cost } else { slice.len().min(self.cost) };
        self.cost -= passed;
        self.passed += passed;
        slice
    }

    fn is_handed_on(&self) -> bool {
        self.position == self.framed.len()
    }
}

impl Chunks for Body {
    fn poll_chunk(&mut self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        let taken = loop {
            // Asked for every chunk, also in the middle of a long event: what was passed on is told, and the end is seen.
            let budget = if self.is_handed_on() { CHUNK } else { 0 };
            let passed = std::mem::take(&mut self.passed);
            let taken = self.attachment.poll_take(cx, passed, budget, &mut self.taken);
            if taken == Poll::Ready(Taken::Cut) {
                return Poll::Ready(None);
            }
            if self.is_handed_on() {
                self.frame();
            }
            if !self.is_handed_on() {
                return Poll::Ready(Some(self.slice()));
            }
            if self.cost == 0 {
                break taken;
            }
            // Nothing of what was taken can be sent here.
            self.passed += std::mem::take(&mut self.cost);
        };
        match taken {
            Poll::Ready(Taken::Finished | Taken::Superseded) => Poll::Ready(None),
            Poll::Ready(Taken::Heartbeat) => Poll::Ready(Some(Bytes::from_static(COMMENT))),
            Poll::Pending | Poll::Ready(Taken::Cut | Taken::Messages) => Poll::Pending,
        }
    }
}
