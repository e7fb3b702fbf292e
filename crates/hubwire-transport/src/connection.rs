//! A connection and its two ends.

use std::borrow::Borrow;
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::inbox::{Inbox, Payload, Received};
use crate::lifecycle::{Ending, LastWords, Lifecycle, Limits, NORMAL, Overdue};
use crate::outbox::Outbox;
use crate::pulse::{Beat, Heard, Pulse};
use crate::turns::{Turn, Turns};
use crate::websocket::FrameError;
use crate::{
    Attachment, ConnectRequest, DisconnectReason, EndpointOptions, Message, PushError, Receipt,
    ReceiptError, Transport, UserId, ticks,
};

/// A logical connection to one client, whatever carries it at the moment; cheap to clone.
///
/// It has two sides.
/// The application's side [waits for events](Self::poll_event), [sends](Self::send) and [closes](Self::close).
/// The network's side holds the [`Attachment`], which takes what is sent, and hands in what was [received](Self::receive).
/// Between them are the inbox and the outbox, each behind one short lock, so the sides may be on different threads.
///
/// Time enters through [`tick`](Self::tick), once a second.
#[derive(Clone)]
pub struct Connection(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    id: ConnectionId,
    request: ConnectRequest,
    options: Arc<EndpointOptions>,
    pub(crate) inbox: Inbox,
    pub(crate) outbox: Outbox,
    turns: Turns,
    life: Mutex<Lifecycle>,
    /// Whether anything came from the client's socket since the last tick, and the Pings that ask for it.
    is_heard: AtomicBool,
    pulse: Mutex<Pulse>,
    ticks: AtomicU64,
    wake_at: AtomicU64,
    /// The tick at which the client's identity has expired.
    expires_at: AtomicU64,
}

/// The public id of a connection: what applications and logs call it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(Arc<str>);

/// What the application waits for: a closed set, so that a loop over it is complete.
#[derive(Debug)]
pub enum Event {
    /// The connection ends. What waits for the client still goes out until [`Connection::finish`], unless the reason forbids it.
    Closing(DisconnectReason),
    /// Bytes arrived.
    Payload(Payload),
    /// The tick came that was asked for with [`Connection::wake_at`].
    Tick,
}

/// Which events an application is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// All of them.
    Everything,
    /// No payloads, and no end that comes behind payloads: the application is not ready to read.
    Urgent,
}

/// Whether more may be produced for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Yes.
    Available,
    /// The client is gone; what is produced is lost.
    Closed,
    /// Better wait for [`Connection::poll_room`].
    Exhausted,
}

impl Connection {
    /// A new connection that is carried by a socket or a stream: by the attachment that is returned with it.
    pub fn open(
        id: ConnectionId,
        request: ConnectRequest,
        options: Arc<EndpointOptions>,
    ) -> (Self, Attachment) {
        let connection = Self::new(id, request, options, Lifecycle::carried());
        let attachment = Attachment::new(connection.clone(), 0, Receipt::None);
        (connection, attachment)
    }

    /// A new connection that is carried by [polls](Self::attach_poll).
    pub fn open_polled(
        id: ConnectionId,
        request: ConnectRequest,
        options: Arc<EndpointOptions>,
    ) -> Self {
        Self::new(id, request, options, Lifecycle::polled())
    }

    fn new(
        id: ConnectionId,
        request: ConnectRequest,
        options: Arc<EndpointOptions>,
        life: Lifecycle,
    ) -> Self {
        Self(Arc::new(Shared {
            id,
            request,
            inbox: Inbox::new(options.application_max_buffer_size),
            outbox: Outbox::new(options.transport_max_buffer_size, options.max_backlog),
            turns: Turns::new(options.max_waiting_posts),
            options,
            life: Mutex::new(life),
            is_heard: AtomicBool::new(false),
            pulse: Mutex::default(),
            ticks: AtomicU64::new(0),
            wake_at: AtomicU64::new(u64::MAX),
            expires_at: AtomicU64::new(u64::MAX),
        }))
    }

    /// Its public id.
    pub fn id(&self) -> &ConnectionId {
        &self.0.id
    }

    /// What it was opened with.
    pub fn request(&self) -> &ConnectRequest {
        &self.0.request
    }

    /// The user that it belongs to, if any.
    pub fn user_id(&self) -> Option<&UserId> {
        self.0.request.user_id()
    }

    /// Its endpoint's options.
    pub fn options(&self) -> &EndpointOptions {
        &self.0.options
    }

    /// Ticks since it opened, which are its age in seconds.
    pub fn ticks(&self) -> u64 {
        self.0.ticks.load(Ordering::Relaxed)
    }

    /// Whether it has begun to end.
    pub fn is_closing(&self) -> bool {
        self.life().ending().is_some()
    }

    /// Why it ends, once it does.
    pub fn disconnect_reason(&self) -> Option<DisconnectReason> {
        self.life().ending().map(|ending| ending.reason.clone())
    }

    pub(crate) fn life(&self) -> MutexGuard<'_, Lifecycle> {
        // No code that can panic runs under this lock.
        self.0.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The application's side.
impl Connection {
    /// Sends a message, without ever waiting.
    ///
    /// A client that has `max_backlog` bytes waiting already is closed as a slow consumer instead.
    pub fn send(&self, message: Message) -> Room {
        // An empty answer to a poll says that nothing has come, so an empty message cannot be one.
        if message.is_empty() && !self.request().transport.is_lasting() {
            return self.0.outbox.room();
        }
        match self.0.outbox.push(message) {
            Ok(room) => room,
            Err(PushError::Closed) => Room::Closed,
            Err(PushError::Full { bytes, cap }) => {
                self.close(DisconnectReason::SlowConsumer { bytes, cap });
                Room::Closed
            }
        }
    }

    /// Ready when less than `transport_max_buffer_size` bytes wait for the client, or none ever will again.
    pub fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        self.0.outbox.poll_room(cx)
    }

    /// Waits until less than `transport_max_buffer_size` bytes wait for the client, or none ever will again.
    pub async fn room(&self) {
        poll_fn(|cx| self.poll_room(cx)).await;
    }

    /// Bytes that wait for the client.
    pub fn backlog(&self) -> usize {
        self.0.outbox.bytes()
    }

    /// Waits for the next event that `intake` lets through.
    pub fn poll_event(&self, cx: &Context<'_>, intake: Intake) -> Poll<Event> {
        self.0.inbox.poll_event(cx, intake)
    }

    /// Counts `bytes` of what was received as not consumed yet: reading from the client pauses while there are too many.
    pub fn hold(&self, bytes: usize) {
        self.0.inbox.hold(bytes);
    }

    /// Takes back a [`hold`](Self::hold).
    pub fn release(&self, bytes: usize) {
        self.0.inbox.release(bytes);
    }

    /// Whether something that the client sent has not been looked at: its silence then means nothing.
    pub fn is_unread(&self) -> bool {
        self.0.inbox.is_unread()
    }

    /// Asks for [`Event::Tick`] at the tick with this number; replaces an earlier wish.
    pub fn wake_at(&self, tick: u64) {
        self.0.wake_at.store(tick, Ordering::Relaxed);
    }

    /// As [`wake_at`](Self::wake_at), but an earlier wish stays; from any thread.
    pub fn wake_by(&self, tick: u64) {
        self.0.wake_at.fetch_min(tick, Ordering::Relaxed);
    }

    /// Begins the end, from any thread; only the first reason counts.
    pub fn close(&self, reason: DisconnectReason) {
        // Whatever the reason, the application has its own last words for it; to the WebSocket it is an ordinary end.
        let received = match reason.delivers_received() {
            true => Received::Delivered,
            false => Received::Dropped,
        };
        self.end(Ending { reason, close_code: NORMAL }, received);
    }

    /// Ends what is sent with `last`, which goes out behind everything else whatever waits already.
    ///
    /// An application that finishes without having been told of an end has ended the connection itself.
    /// Where the server goes down and there is no `last`, the close frame of a WebSocket says it.
    pub fn finish(&self, last: Option<Message>) {
        self.close(DisconnectReason::Kicked);
        let last_words = if last.is_some() { LastWords::Said } else { LastWords::None };
        self.life().finish(last_words);
        self.0.outbox.finish(last);
    }

    /// Writes the one line of log that every connection ends with.
    pub fn log_end(&self, application: &str, reason: &DisconnectReason) {
        tracing::info!(
            hub = application,
            id = %self.id(),
            transport = self.request().transport.as_str(),
            age_seconds = self.ticks(),
            %reason,
            "connection closed"
        );
    }

    /// Lets nothing go out any more: nobody takes it, or nobody shall. Whoever waits for room, or for the end, need not.
    pub fn cut(&self) {
        self.0.outbox.cut();
        self.0.inbox.wake();
    }

    fn end(&self, ending: Ending, received: Received) {
        let reason = ending.reason.clone();
        if !self.life().close(ending) {
            return;
        }
        if reason.discards_unsent() {
            self.0.outbox.clear();
        }
        self.0.inbox.close(reason, received);
    }
}

/// The network's side.
impl Connection {
    /// Hands in what was received. Ask [`poll_intake`](Self::poll_intake) before.
    pub fn receive(&self, payload: Payload) {
        if let Some(waker) = self.0.inbox.push(payload) {
            waker.wake();
        }
    }

    /// As [`receive`](Self::receive), from the task that runs the application right after: it is about to look anyway and need not be woken.
    ///
    /// `cx` is that task's. What waits inside it with a waker of its own is woken all the same.
    pub fn receive_at_home(&self, cx: &Context<'_>, payload: Payload) {
        let waker = self.0.inbox.push(payload);
        if let Some(waker) = waker.filter(|waker| !waker.will_wake(cx.waker())) {
            waker.wake();
        }
    }

    /// Says that something came from the client, if only a Pong.
    pub fn heard(&self) {
        self.0.is_heard.store(true, Ordering::Relaxed);
    }

    /// Ready when more may be received; at once when the connection ends, so that its socket is read to its end.
    pub fn poll_intake(&self, cx: &Context<'_>) -> Poll<()> {
        if self.is_closing() { Poll::Ready(()) } else { self.0.inbox.poll_room(cx) }
    }

    /// Lets a poll carry the connection; one that is still open is superseded, and what was not delivered goes out with this one.
    ///
    /// # Errors
    ///
    /// When the receipt does not fit; then nothing has changed.
    pub fn attach_poll(&self, receipt: Receipt) -> Result<Attachment, ReceiptError> {
        let mut life = self.life();
        let generation = self.0.outbox.attach(receipt)?;
        life.attach_poll(generation);
        drop(life);
        Ok(Attachment::new(self.clone(), generation, receipt))
    }

    /// Whether a poll should be answered at once, though there is nothing to answer with: nothing has been received yet, so its client may still wait for the answer to its first poll, which got lost.
    pub fn is_greeting(&self) -> bool {
        /// So many answers in a row are hardly lost, and a client that only listens must not be answered for ever.
        const GREETINGS: u64 = 4;
        self.0.outbox.attachments() <= GREETINGS && !self.0.inbox.has_received()
    }

    /// Says that the client knows of the end, so that no poll needs to be awaited.
    pub fn told(&self) {
        self.life().told();
        self.cut();
    }

    /// Ends the connection in so much time because its client's identity expires then; `None` for never.
    pub fn expire_in(&self, time: Option<Duration>) {
        let at = time.map_or(u64::MAX, |time| self.ticks().saturating_add(ticks(time)));
        self.0.expires_at.store(at, Ordering::Relaxed);
    }

    /// Ready when the connection has begun to end; for the one receiver that waits for something else.
    pub fn poll_closing(&self, cx: &Context<'_>) -> Poll<()> {
        self.0.inbox.poll_closed(cx)
    }

    /// Waits until it is this sender's turn to hand something in, in the order in which senders came.
    ///
    /// `None` at once when `max_waiting_posts` wait already.
    pub async fn turn(&self) -> Option<Turn<'_>> {
        self.0.turns.take().await
    }

    /// Ends the connection because a frame broke the rules of WebSocket; what came before it counts where the application is ready for it.
    pub fn refuse_frame(&self, error: FrameError) {
        let reason = match error {
            FrameError::TooLarge { size, limit } => DisconnectReason::MessageTooBig { size, limit },
            broken => DisconnectReason::BadMessage { detail: broken.to_string() },
        };
        self.end(Ending { reason, close_code: error.close_code() }, Received::Offered);
    }

    /// The code of the WebSocket close frame that ends the connection.
    pub fn close_code(&self) -> u16 {
        self.life().ending().map_or(NORMAL, |ending| ending.close_code)
    }

    /// Counts a second: looks at the times that the connection itself watches, and wakes the application if its tick has come.
    pub fn tick(&self) {
        let shared = &self.0;
        let tick = shared.ticks.fetch_add(1, Ordering::Relaxed) + 1;
        let limits = Limits {
            goodbye: ticks(shared.options.close_timeout),
            poll: ticks(match shared.request.transport {
                Transport::ShortPolling => shared.options.short_polling_timeout,
                Transport::LongPolling | Transport::ServerSentEvents | Transport::WebSockets => {
                    shared.options.disconnect_timeout
                }
            }),
        };
        if tick >= shared.expires_at.load(Ordering::Relaxed) {
            self.close(DisconnectReason::TokenExpired);
        }
        match shared.request.transport {
            Transport::ServerSentEvents => {
                shared.outbox.beat_when_quiet(ticks(shared.options.heartbeat_interval));
            }
            Transport::WebSockets => self.tick_pulse(),
            Transport::LongPolling | Transport::ShortPolling => {}
        }
        let unsent = shared.outbox.bytes();
        let (overdue, is_attached) = {
            let mut life = self.life();
            (life.tick(unsent, limits), life.is_attached())
        };
        match overdue {
            Overdue::Goodbye => self.cut(),
            Overdue::Nothing => {}
            Overdue::Poll => {
                self.close(DisconnectReason::NetworkLost);
                self.cut();
            }
        }
        // Between polls nobody could take anything.
        if is_attached && shared.outbox.tick() > ticks(shared.options.transport_send_timeout) {
            let (bytes, cap) = (shared.outbox.bytes(), shared.options.max_backlog);
            self.close(DisconnectReason::SlowConsumer { bytes, cap });
            self.cut();
        }
        if tick >= shared.wake_at.load(Ordering::Relaxed) {
            shared.inbox.tick();
        }
    }

    fn tick_pulse(&self) {
        let shared = &self.0;
        let Some(interval) = shared.options.web_socket_ping_interval else { return };
        let timeout = shared.options.web_socket_ping_timeout.map(ticks);
        // While something of the client's has not been read, its silence means nothing.
        let is_heard = shared.is_heard.swap(false, Ordering::Relaxed) || self.is_unread();
        let heard = if is_heard { Heard::Something } else { Heard::Nothing };
        let beat = {
            let mut pulse = shared.pulse.lock().unwrap_or_else(PoisonError::into_inner);
            pulse.tick(heard, ticks(interval), timeout)
        };
        match beat {
            Beat::Due => shared.outbox.beat(),
            Beat::Missed => self.close(DisconnectReason::ClientTimeout),
            Beat::Nothing => {}
        }
    }

    /// Whether nothing goes out any more, so that whatever still carries the connection may be let go of; for the task that ran the application.
    pub fn is_cut(&self) -> bool {
        self.0.outbox.is_cut()
    }

    /// Ready when nothing carries the connection any more, nor will; for the task that ran the application.
    pub fn poll_detached(&self, cx: &Context<'_>) -> Poll<()> {
        // Registered before looking, so that a detach in between wakes.
        self.0.inbox.register(cx);
        if self.life().is_carried() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id().as_str())
            .field("transport", &self.request().transport)
            .finish_non_exhaustive()
    }
}

impl ConnectionId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ConnectionId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T: Into<Arc<str>>> From<T> for ConnectionId {
    fn from(id: T) -> Self {
        Self(id.into())
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
