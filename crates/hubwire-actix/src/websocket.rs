//! WebSockets on actix-web: the upgrade, and the body that writes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Once;
use std::task::{Context, Poll};

use actix_http::ResponseBuilder;
use actix_http::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, rt, web};
use bytes::{Bytes, BytesMut};
use hubwire_transport::websocket::{Deflate, write_close, write_ping};
use hubwire_transport::{
    Attachment, Connection, ContextSeat, Found, FrameEncoding, Message, Taken, Transport,
};

use crate::admission::{Admission, Admitted, Mounted};
use crate::body::{CHUNK, Chunks, Lasting};
use crate::handshake;
use crate::home::{Home, Link, Reader};
use crate::meter::Traffic;
use crate::server::Tuned;
use crate::socket::{Peer, Socket};

/// A longer message goes out as a slice of itself, and is not copied.
const SHORT: usize = 1024;

thread_local! {
    /// Where small frames are put together. The server copies what it is given before it asks for more, so the same memory
    /// serves all sockets of a worker.
    static PAGE: RefCell<BytesMut> = RefCell::default();
}

/// Upgrades a request and gives its connection a home on this worker.
pub(crate) async fn accept(
    mounted: &Mounted,
    request: &HttpRequest,
    payload: web::Payload,
) -> actix_web::Result<HttpResponse> {
    warn_if_not_tuned(mounted, request);
    if let Some(refusal) = handshake::refusal(mounted, request) {
        return Ok(refusal);
    }
    let token = mounted.shown(request);
    if let Some(Found::Live(connection)) = token.as_ref().map(|token| mounted.find(token))
        && connection.is_resumable()
    {
        return resume(mounted, request, payload, &connection).await;
    }
    let mut response = handshake::response(mounted, request);
    let admitted = match mounted.admit(request, token.as_ref(), Transport::WebSockets).await? {
        Admission::Admitted(admitted) => admitted,
        Admission::Late(connection) => return Ok(mounted.refuse_late(&connection)),
        Admission::Refused(response) => return Ok(response),
    };
    let agreed = Agreed::negotiate(mounted, request, &mut response);
    let Admitted { id, request, is_stateful, expires, seat } = *admitted;
    let open = if is_stateful { Connection::open_resumable } else { Connection::open };
    let (connection, attachment) = open(id, request, mounted.options.clone());
    let Some(registration) = mounted.enter(&connection, expires) else {
        return Ok(mounted.refuse_late(&connection));
    };
    let (reader, body) = halves(mounted, attachment, payload, agreed);
    let link = Link::Socket(Box::new(reader), body.hold());
    rt::spawn(Home::new(connection, link, registration, seat, mounted));
    Ok(response.message_body(BoxBody::new(body))?.into())
}

/// Lets another socket carry a connection, on whatever worker it has arrived; its home stays where it is.
async fn resume(
    mounted: &Mounted,
    request: &HttpRequest,
    payload: web::Payload,
    connection: &Connection,
) -> actix_web::Result<HttpResponse> {
    if let Some(refusal) = mounted.refuse_other_user(request, connection).await? {
        return Ok(refusal);
    }
    let mut response = handshake::response(mounted, request);
    let Some(attachment) = connection.resume() else {
        return Ok(HttpResponse::NoContent().finish());
    };
    tracing::debug!(hub = mounted.runner.name(), id = %connection.id(), "connection resumed");
    let receiver = attachment.receiver();
    let agreed = Agreed::negotiate(mounted, request, &mut response);
    let (reader, body) = halves(mounted, attachment, payload, agreed);
    rt::spawn(reader.run(body.hold(), receiver));
    Ok(response.message_body(BoxBody::new(body))?.into())
}

/// What reads a socket, and what writes to it.
fn halves(
    mounted: &Mounted,
    attachment: Attachment,
    payload: web::Payload,
    agreed: Option<Agreed>,
) -> (Reader, Lasting<Body>) {
    let encoding = agreed.as_ref().zip(mounted.options.compression);
    let encoding = encoding.map(|(agreed, compression)| FrameEncoding {
        window_bits: agreed.deflate.server_bits,
        threshold: compression.threshold,
    });
    let socket = Rc::new(Socket::default());
    let traffic = mounted.meter.traffic(Transport::WebSockets);
    let reader = Reader::new(attachment.receiver(), socket.clone(), payload, mounted, agreed);
    (reader, Lasting::new(Body::new(attachment, socket, encoding, traffic)))
}

/// The compression that a socket agreed on.
pub(crate) struct Agreed {
    pub(crate) deflate: Deflate,
    /// Memory for the context of a client that keeps one.
    pub(crate) context: Option<ContextSeat>,
}

impl Agreed {
    /// Picks one of the client's offers, and answers it.
    fn negotiate(
        mounted: &Mounted,
        request: &HttpRequest,
        response: &mut ResponseBuilder,
    ) -> Option<Self> {
        let compression = mounted.options.compression?;
        let mut offers = request.headers().get_all(header::SEC_WEBSOCKET_EXTENSIONS);
        let mut context = None;
        let deflate = offers.find_map(|offers| {
            Deflate::negotiate(offers.to_str().ok()?, &compression, |bytes| {
                context = mounted.census.take_context(bytes, compression.context_memory);
                context.is_some()
            })
        })?;
        response.insert_header((header::SEC_WEBSOCKET_EXTENSIONS, deflate.header()));
        Some(Self { deflate, context })
    }
}

/// Says once that the server lacks what connections that last need.
fn warn_if_not_tuned(mounted: &Mounted, request: &HttpRequest) {
    static SAID: Once = Once::new();
    if request.conn_data::<Tuned>().is_none() {
        SAID.call_once(|| {
            tracing::warn!(
                hub = mounted.runner.name(),
                "the server lacks settings for connections that last: call .hubwire(&[...]) on it, before bind"
            );
        });
    }
}

/// The writing half of a WebSocket: frames what waits in the outbox, and says goodbye.
struct Body {
    attachment: Attachment,
    socket: Rc<Socket>,
    /// Messages taken and not framed yet, and the rest of a frame that is longer than a chunk.
    taken: VecDeque<Message>,
    rest: Bytes,
    /// What that message still counts for in the outbox, compressed or not.
    cost: usize,
    encoding: Option<FrameEncoding>,
    /// Bytes of messages handed on since the outbox was last told.
    passed: usize,
    is_ping_due: bool,
    stage: Stage,
    traffic: Traffic,
}

#[derive(Clone, Copy)]
enum Stage {
    Open,
    /// Our close frame is out; the peer's is awaited.
    Goodbye,
    Ended,
}

impl Body {
    fn new(
        attachment: Attachment,
        socket: Rc<Socket>,
        encoding: Option<FrameEncoding>,
        traffic: Traffic,
    ) -> Self {
        Self {
            attachment,
            socket,
            taken: VecDeque::new(),
            rest: Bytes::new(),
            cost: 0,
            encoding,
            passed: 0,
            is_ping_due: false,
            stage: Stage::Open,
            traffic,
        }
    }

    /// At most [`CHUNK`] bytes of what is at hand: many small frames together, a long one in slices.
    fn next_chunk(&mut self) -> Option<Bytes> {
        if !self.rest.is_empty() {
            return Some(self.slice_rest());
        }
        let has_pongs = self.socket.has_pongs();
        if self.taken.is_empty() && !self.is_ping_due && !has_pongs {
            return None;
        }
        let mut chunk = Vec::new();
        if has_pongs {
            self.socket.write_pongs(&mut chunk);
        }
        if std::mem::take(&mut self.is_ping_due) {
            write_ping(&mut chunk);
        }
        let room = match (self.taken.front(), self.taken.len()) {
            (Some(alone), 1) if alone.len() > SHORT && chunk.is_empty() => {
                return self.slice_next();
            }
            (_, 0 | 1) => SHORT,
            _ => CHUNK,
        };
        let chunk = PAGE.with_borrow_mut(|page| {
            if page.capacity() < room {
                page.reserve(CHUNK);
            }
            page.extend_from_slice(&chunk);
            self.fill(page);
            page.split().freeze()
        });
        if chunk.is_empty() { self.slice_next() } else { Some(chunk) }
    }

    /// Appends the frames that fit.
    fn fill(&mut self, page: &mut BytesMut) {
        while let Some(message) = self.taken.front() {
            let frame = message.frame_for(self.encoding);
            if page.len() + frame.len() > CHUNK {
                break;
            }
            page.extend_from_slice(frame);
            self.passed += message.cost();
            self.taken.pop_front();
        }
    }

    fn slice_next(&mut self) -> Option<Bytes> {
        let message = self.taken.pop_front()?;
        self.cost = message.cost();
        self.rest = message.into_frame(self.encoding);
        Some(self.slice_rest())
    }

    fn slice_rest(&mut self) -> Bytes {
        let slice = self.rest.split_to(self.rest.len().min(CHUNK));
        // A compressed frame is shorter than what it counts for: its last slice settles the difference.
        let passed = if self.rest.is_empty() { self.cost } else { slice.len().min(self.cost) };
        self.cost -= passed;
        self.passed += passed;
        slice
    }
}

impl Chunks for Body {
    fn poll_chunk(&mut self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        self.socket.register(cx);
        match (self.stage, self.socket.peer()) {
            (Stage::Ended, _)
            | (_, Peer::Gone)
            | (Stage::Goodbye, Peer::Closed(_) | Peer::Mute) => {
                self.stage = Stage::Ended;
                return Poll::Ready(None);
            }
            // In the middle of a frame there is no place for a close frame.
            (Stage::Open, Peer::Closed(close)) if self.rest.is_empty() => {
                self.stage = Stage::Ended;
                // A browser's `close()` has no code, and a page takes any other answer than 1000 for a failure.
                let code = close
                    .map_or_else(|| self.attachment.connection().close_code(), |close| close.code);
                let mut frame = Vec::new();
                write_close(&mut frame, code, "");
                return Poll::Ready(Some(frame.into()));
            }
            (
                Stage::Open | Stage::Goodbye,
                Peer::Broken | Peer::Closed(_) | Peer::Mute | Peer::There,
            ) => {}
        }
        // Asked for every chunk, also in the middle of a long frame: what was passed on is told, and the end is seen.
        let is_empty = self.rest.is_empty() && self.taken.is_empty();
        let budget = if is_empty { CHUNK } else { 0 };
        let passed = std::mem::take(&mut self.passed);
        let taken = self.attachment.poll_take(cx, passed, budget, &mut self.taken);
        if let Poll::Ready(Taken::Cut | Taken::Superseded) = taken {
            self.stage = Stage::Ended;
            return Poll::Ready(None);
        }
        if let Stage::Goodbye | Stage::Ended = self.stage {
            return Poll::Pending;
        }
        if taken == Poll::Ready(Taken::Heartbeat) {
            self.is_ping_due = true;
        }
        if let Some(chunk) = self.next_chunk() {
            self.traffic.sent(chunk.len());
            return Poll::Ready(Some(chunk));
        }
        if taken == Poll::Ready(Taken::Finished) {
            self.stage = Stage::Goodbye;
            let mut frame = Vec::new();
            write_close(&mut frame, self.attachment.connection().close_code(), "");
            return Poll::Ready(Some(frame.into()));
        }
        Poll::Pending
    }
}
