//! The home of a connection: the local task that owns what runs on it.
//!
//! # Theory of operation
//!
//! A home runs on the worker where the connection's first transport arrived, and outlives every transport.
//! It polls the application's future, and it reads the socket, so that a payload reaches the application without a hop between tasks or threads.
//!
//! ```text
//!   socket ──▶ Reader ──▶ inbox ──▶ application ──▶ outbox ──▶ Body ──▶ socket
//!              └──────── this task ────────┘                └ the server's task of the socket
//! ```
//!
//! A socket that follows another one (stateful reconnect) may arrive on any worker, and is read by a task of its own there.
//!
//! A response body only writes: actix stops polling a body while much is unsent, and a body that also read would not hear a slow client's pings and goodbyes.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::web::{self, Bytes, BytesMut};
use futures_core::Stream;
use hubwire_transport::websocket::{Frame, FrameDecoder, FrameError};
use hubwire_transport::{
    Connection, ContextSeat, DisconnectReason, Payload, Receiver, Registration, Seat,
    TransferFormat, Transport,
};

use crate::admission::Mounted;
use crate::batch::Batch;
use crate::body::Hold;
use crate::meter::{Meter, Traffic};
use crate::socket::{Peer, Socket};
use crate::supervisor::{self, Watch};
use crate::websocket::Agreed;

/// Payload chunks that are read before the application has its turn.
const CHUNKS_AT_ONCE: usize = 16;

/// The task of one connection.
pub(crate) struct Home {
    connection: Connection,
    application: Option<Pin<Box<dyn Future<Output = ()>>>>,
    /// What reads the socket, where the connection has one that carries both directions.
    reader: Option<Box<Reader>>,
    /// What writes, where it lasts.
    body: Option<Hold>,
    _registration: Registration,
    seat: Option<Seat>,
    meter: Meter,
    _watch: Watch,
}

/// What a connection is carried by.
pub(crate) enum Link {
    Polls,
    Socket(Box<Reader>, Hold),
    Stream(Hold),
}

/// The reading half of a WebSocket.
pub(crate) struct Reader {
    receiver: Receiver,
    socket: Rc<Socket>,
    payload: web::Payload,
    decoder: FrameDecoder,
    _context: Option<ContextSeat>,
    /// The message that is arriving, where the application wants whole ones; the decoder bounds it.
    message: Option<BytesMut>,
    traffic: Traffic,
    /// Nothing that the peer sends means anything any more.
    is_deaf: bool,
    is_ended: bool,
}

impl Home {
    pub(crate) fn new(
        connection: Connection,
        link: Link,
        registration: Registration,
        seat: Seat,
        mounted: &Mounted,
    ) -> Self {
        mounted.meter.opened(connection.request().transport);
        let (reader, body) = match link {
            Link::Polls => (None, None),
            Link::Socket(reader, body) => (Some(reader), Some(body)),
            Link::Stream(body) => (None, Some(body)),
        };
        Self {
            meter: mounted.meter.clone(),
            application: Some(mounted.runner.clone().run(connection.clone())),
            _watch: supervisor::watch(connection.clone()),
            connection,
            reader,
            body,
            _registration: registration,
            seat: Some(seat),
        }
    }
}

impl Home {
    /// Whether nothing goes out any more over what has opened the connection.
    fn is_released(&self) -> bool {
        match &self.reader {
            Some(reader) => reader.receiver.is_released(),
            None => self.connection.is_cut(),
        }
    }

    /// Gives the client's place to others.
    fn client_left(&mut self) {
        if self.seat.take().is_some()
            && let Some(reason) = self.connection.disconnect_reason()
        {
            let transport = self.connection.request().transport;
            self.meter.closed(transport, &reason, self.connection.ticks());
        }
    }
}

impl Future for Home {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(reader) = &mut self.reader {
            reader.read(cx);
            if reader.is_ended {
                // Another socket may follow, and this one's memory is of no use to that.
                self.reader = None;
            }
        }
        if let Some(application) = &mut self.application
            && application.as_mut().poll(cx).is_ready()
        {
            self.application = None;
            self.connection.finish(None);
        }
        // A server does not poll the body of a client that takes nothing; over HTTP/2 it would keep it for as long as other streams live.
        if self.is_released()
            && let Some(body) = self.body.take()
        {
            body.empty();
        }
        // A socket may still have bytes to send and a goodbye to wait for, and a poll may still have to be told; until then it is read, ticked and, for polls, found.
        std::task::ready!(self.connection.poll_detached(cx));
        self.client_left();
        // A call that outlives its client runs to its end, without the client's place.
        if self.application.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }
}

/// The worker stops: whoever still knows the connection learns that it is over.
impl Drop for Home {
    fn drop(&mut self) {
        self.connection.close(DisconnectReason::Shutdown);
        self.connection.finish(None);
        self.client_left();
        // Nobody reads any more, so no goodbye will be heard.
        if let Some(reader) = &self.reader {
            reader.socket.set_peer(Peer::Mute);
        }
    }
}

impl Reader {
    pub(crate) fn new(
        receiver: Receiver,
        socket: Rc<Socket>,
        payload: web::Payload,
        mounted: &Mounted,
        agreed: Option<Agreed>,
    ) -> Self {
        let decoder = FrameDecoder::new(mounted.max_frame_size());
        let (decoder, context) = match agreed {
            Some(Agreed { deflate, context }) => (decoder.inflating(deflate), context),
            None => (decoder, None),
        };
        let message = mounted.keeps_boundaries().then(BytesMut::new);
        Self {
            receiver,
            socket,
            payload,
            decoder,
            _context: context,
            message,
            traffic: mounted.meter.traffic(Transport::WebSockets),
            is_deaf: false,
            is_ended: false,
        }
    }

    /// Reads to the end, in a task of its own, and has `body` let go when the socket is released: for a socket that follows another one.
    pub(crate) async fn run(mut self, body: Hold, receiver: Receiver) {
        let _watch = supervisor::watch_socket(receiver, body);
        poll_fn(|cx| {
            self.read(cx);
            if self.is_ended { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Reads until there is no more, no room for more, or the application should have its turn.
    fn read(&mut self, cx: &mut Context<'_>) {
        if self.is_ended {
            return;
        }
        for _ in 0..CHUNKS_AT_ONCE {
            if self.receiver.poll_intake(cx).is_pending() {
                return;
            }
            match Pin::new(&mut self.payload).poll_next(cx) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(chunk))) => {
                    self.traffic.received(chunk.len());
                    self.receiver.connection().heard();
                    self.decode(cx, &chunk);
                }
                Poll::Ready(None | Some(Err(_))) => {
                    self.is_ended = true;
                    self.socket.set_peer(Peer::Gone);
                    return self.receiver.lost();
                }
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Hands on the frames in `chunk`. After a broken frame or a goodbye the rest is read and dropped.
    fn decode(&mut self, cx: &Context<'_>, chunk: &[u8]) {
        if self.is_deaf {
            return;
        }
        self.decoder.push(chunk);
        if self.socket.peer() == Peer::Broken {
            return self.listen_for_goodbye();
        }
        let mut batch = Batch::new(chunk.len());
        loop {
            let frame = self.decoder.next_frame();
            if !matches!(frame, Ok(Some(Frame::Data { .. })))
                && let Some(payloads) = batch.take()
            {
                self.receiver.receive(cx, payloads);
            }
            match frame {
                Ok(Some(Frame::Data { bytes, format, last })) => {
                    let Some(payload) = self.complete(bytes, format, last) else { continue };
                    let ready = match &self.message {
                        Some(_) => Some(payload),
                        None => batch.add(payload),
                    };
                    if let Some(payload) = ready {
                        self.receiver.receive(cx, payload);
                    }
                }
                Ok(Some(Frame::Ping(payload))) => self.socket.ping(payload),
                Ok(Some(Frame::Close(close))) => {
                    self.is_deaf = true;
                    self.socket.set_peer(Peer::Closed(close));
                    return self.receiver.closed_by_client();
                }
                // A Pong needs no answer, and of later kinds of frames the decoder makes no use yet.
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(error) => return self.refuse(error),
            }
        }
    }

    /// What a piece of data makes ready to be handed on.
    fn complete(&mut self, bytes: Bytes, format: TransferFormat, last: bool) -> Option<Payload> {
        let Some(message) = &mut self.message else {
            return (!bytes.is_empty()).then(|| Payload::new(bytes, format));
        };
        if last && message.is_empty() {
            return Some(Payload::new(bytes, format));
        }
        message.extend_from_slice(&bytes);
        last.then(|| Payload::new(std::mem::take(message).freeze(), format))
    }

    fn refuse(&mut self, error: FrameError) {
        self.socket.set_peer(Peer::Broken);
        self.receiver.refuse_frame(error);
        self.listen_for_goodbye();
    }

    fn listen_for_goodbye(&mut self) {
        if self.decoder.is_closed() {
            self.is_deaf = true;
            self.socket.set_peer(Peer::Mute);
        }
    }
}
