//! A connection and its two ends.

mod network;

use std::borrow::Borrow;
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use crate::inbox::{Inbox, Payload, Received};
use crate::lifecycle::{Ending, LastWords, Lifecycle, NORMAL};
use crate::outbox::Outbox;
use crate::pulse::Pulse;
use crate::turns::Turns;
use crate::{
    Attachment, ConnectRequest, DisconnectReason, EndpointOptions, Message, Opening, PushError,
    Receipt, UserId,
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
    /// Whether that has begun to end: asked for each message, and of many at once.
    is_closing: AtomicBool,
    /// Whether anything came from the client's socket since the last tick, and the Pings that ask for it.
    is_heard: AtomicBool,
    /// Whether the application is ready for what was received.
    hears: AtomicBool,
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
    /// What was received has been worked off: where it [matters](Connection::wants_more), the client may be told now what has arrived.
    Drained,
    /// Bytes arrived.
    Payload(Payload),
    /// Another socket carries the connection from here on: what follows begins with a whole message.
    Resumed,
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

    /// As [`open`](Self::open), for a client that has asked for it that [other sockets](Self::resume) may follow this one.
    pub fn open_resumable(
        id: ConnectionId,
        request: ConnectRequest,
        options: Arc<EndpointOptions>,
    ) -> (Self, Attachment) {
        let connection = Self::new(id, request, options, Lifecycle::resumable());
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
            is_closing: AtomicBool::new(false),
            is_heard: AtomicBool::new(false),
            hears: AtomicBool::new(true),
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
        self.0.is_closing.load(Ordering::Acquire)
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
        self.pushed(self.0.outbox.push(message))
    }

    fn pushed(&self, pushed: Result<Room, PushError>) -> Room {
        match pushed {
            Ok(room) => room,
            Err(PushError::Closed) => Room::Closed,
            Err(PushError::Full { bytes, cap }) => {
                self.close(DisconnectReason::SlowConsumer { bytes, cap });
                Room::Closed
            }
        }
    }

    /// As [`send`](Self::send), in front of what waits and [counts](Message::counted): for what tells a client that it may go on, and must not wait until the client lets us.
    pub fn send_ahead(&self, message: Message) -> Room {
        self.pushed(self.0.outbox.push_ahead(message))
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

    /// As [`poll_room`](Self::poll_room), for who sends to many: ready as well while no socket carries the connection, since one that may be gone must not hold up the others.
    pub fn poll_room_or_away(&self, cx: &Context<'_>) -> Poll<()> {
        self.0.outbox.poll_room_or_away(cx)
    }

    /// Lets [other sockets](Self::resume) follow the one that carries the connection, if the client has asked for that; whether it is so.
    ///
    /// From here on messages that [count](Message::counted) are kept until they are [acknowledged](Self::acknowledge), up to `buffer` bytes; while there are more, no further one goes out.
    /// Only to a client that is not read, so that it may have acknowledged them, go further ones, and are not kept: then no socket may follow until they are acknowledged.
    /// A socket that takes over begins with what `opening` makes of the number of the first message that follows, and then gets all that is not acknowledged.
    pub fn keep_unacknowledged(&self, buffer: usize, opening: Opening) -> bool {
        let mut life = self.life();
        let agreed = life.agree_to_resume();
        if agreed {
            // What a client has sent beyond that which it was told of is as much as it keeps, and the message behind.
            self.0.inbox.read_ahead(buffer.saturating_mul(2));
            self.0.outbox.keep_unacked(buffer, opening);
        }
        agreed
    }

    /// Says that the client has all messages up to this number; a number that was never sent stands for the last one that was.
    pub fn acknowledge(&self, number: u64) {
        self.0.outbox.acknowledge(number);
    }

    /// Whether the client may be told what has arrived, so that it sends more: not while it has to be worked off.
    ///
    /// Where connections [outlive their sockets](Self::keep_unacknowledged), a client is slowed down by this and not by leaving it unread, because its own word about what it has must be read.
    /// [`Event::Drained`] comes once it may be told again.
    pub fn wants_more(&self) -> bool {
        !self.0.inbox.is_paused()
    }

    /// Says that the client was told what has arrived, or need not be.
    pub fn told_received(&self) {
        self.0.inbox.told();
    }

    /// Waits for the next event that `intake` lets through.
    pub fn poll_event(&self, cx: &Context<'_>, intake: Intake) -> Poll<Event> {
        let hears = intake == Intake::Everything;
        if self.0.hears.load(Ordering::Relaxed) != hears {
            self.0.hears.store(hears, Ordering::Relaxed);
            self.0.outbox.leave_unheard(|| !hears && self.0.inbox.is_unread());
        }
        self.0.inbox.poll_event(cx, intake)
    }

    /// Whether a socket is missing that may still come.
    pub fn is_away(&self) -> bool {
        self.0.outbox.is_away()
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

    /// Begins the end, from any thread; only the first reason counts, but a goodbye that is found behind the loss of the network.
    pub fn close(&self, reason: DisconnectReason) {
        // Whatever the reason, the application has its own last words for it; to the WebSocket it is an ordinary end.
        let received = match reason.delivers_received() {
            true => Received::Delivered,
            false => Received::Dropped,
        };
        self.end(None, Ending { reason, close_code: NORMAL }, received);
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

    /// Begins the end; at the word of a carrier, only where that is the one that counts.
    fn end(&self, carrier: Option<u64>, ending: Ending, received: Received) {
        let reason = ending.reason.clone();
        let is_carried = {
            let mut life = self.life();
            let is_heard = carrier.is_none_or(|carrier| life.is_carried_by(carrier));
            if !is_heard || !life.close(ending) {
                return;
            }
            self.0.is_closing.store(true, Ordering::Release);
            life.is_carried()
        };
        if !is_carried {
            self.0.outbox.cut();
        } else if reason.discards_unsent() {
            self.0.outbox.clear();
        }
        self.0.inbox.close(reason, received);
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
