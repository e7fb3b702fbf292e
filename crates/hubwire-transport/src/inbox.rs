//! What came in and was not yet consumed, bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use smallvec::SmallVec;

use crate::connection::{Event, Intake};
use crate::{DisconnectReason, Message, TransferFormat};

/// Bytes that arrived together; not necessarily whole messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Payload {
    /// The bytes.
    pub bytes: Bytes,
    /// How the client marked them, or what they look like where it did not; hubs do not look at it.
    pub format: TransferFormat,
}

impl Payload {
    /// A payload of these bytes.
    pub fn new(bytes: Bytes, format: TransferFormat) -> Self {
        Self { bytes, format }
    }

    /// A text payload with a copy of `text`.
    pub fn text(text: &str) -> Self {
        Self::new(Bytes::copy_from_slice(text.as_bytes()), TransferFormat::Text)
    }

    /// The payload as text, where it is UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// What it costs to keep: a payload of one byte is far from free.
    fn cost(&self) -> usize {
        /// What an allocator adds to a small allocation, and `Bytes` to a shared one.
        const ALLOCATION: usize = 32;
        self.bytes.len() + size_of::<Self>() + ALLOCATION
    }
}

impl From<Payload> for Message {
    fn from(payload: Payload) -> Self {
        Self::copy_from(payload.format, &payload.bytes)
    }
}

/// A queue that has emptied keeps room for this many entries.
pub(crate) const KEPT_CAPACITY: usize = 32;

/// The application's end of what attachments receive.
///
/// Everything that the application waits for is behind one lock and one waker: payloads, ticks and the end.
#[derive(Debug)]
pub(crate) struct Inbox(Mutex<State>);

#[derive(Debug)]
struct State {
    queue: VecDeque<Entry>,
    /// The socket that is listened to.
    carrier: u64,
    /// Bytes in `queue`, and bytes that the application took and still holds.
    queued: usize,
    held: usize,
    cap: usize,
    /// Set when the cap is reached, unset at half of it, so that reading does not stutter.
    paused: bool,
    /// How many bytes are read all the same from a client that sends so many until it is told what has arrived; and how many came since.
    ahead: usize,
    untold: usize,
    tick: bool,
    /// Whether the application was not told yet that it may tell the client what has arrived.
    is_drained: bool,
    /// Once the end has begun nothing more is taken.
    is_closed: bool,
    /// The end that the application was not told yet, and whether it comes behind what was received.
    closing: Option<DisconnectReason>,
    received: Received,
    application: Option<Waker>,
    /// Who reads from the network: one at a time, the socket or whoever has the turn to POST. Kept when it gave up, so there is only the latest.
    receiver: Option<Waker>,
    has_received: bool,
}

#[derive(Debug)]
enum Entry {
    Payload(Payload),
    /// From here on another socket carries the connection.
    Resumed,
}

/// What an end does to what was received before it and not consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// The application hears of the end behind it.
    Delivered,
    /// The application hears of the end, and of nothing else.
    Dropped,
    /// The same as the first while the application is ready for it, and as the second once it is not: the end must not wait for what may last.
    Offered,
}

/// Wakers to be woken once the lock is released.
#[must_use]
#[derive(Debug, Default)]
pub(crate) struct Wakes(SmallVec<[Waker; 1]>);

impl Wakes {
    pub(crate) fn new(wakers: SmallVec<[Waker; 1]>) -> Self {
        Self(wakers)
    }

    pub(crate) fn wake(self) {
        for waker in self.0 {
            waker.wake();
        }
    }
}

impl Inbox {
    pub(crate) fn new(cap: usize) -> Self {
        Self(Mutex::new(State {
            queue: VecDeque::new(),
            carrier: 0,
            queued: 0,
            held: 0,
            cap,
            paused: false,
            ahead: 0,
            untold: 0,
            tick: false,
            is_drained: false,
            is_closed: false,
            closing: None,
            received: Received::Delivered,
            application: None,
            receiver: None,
            has_received: false,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a payload from the network; the caller asked for room before.
    pub(crate) fn push(&self, payload: Payload) -> Option<Waker> {
        self.lock().push(payload)
    }

    /// Takes a payload from the socket with this number, unless another one has taken over.
    pub(crate) fn push_from(&self, carrier: u64, payload: Payload) -> Option<Waker> {
        let mut state = self.lock();
        if state.carrier == carrier { state.push(payload) } else { None }
    }

    /// Lets reading go on for this many bytes behind the cap: the client sends no more until it is told what has arrived.
    pub(crate) fn read_ahead(&self, bytes: usize) {
        let receiver = {
            let mut state = self.lock();
            state.ahead = bytes;
            state.receiver.take()
        };
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }

    /// Whether what was received has to be worked off before more of it is welcome.
    pub(crate) fn is_paused(&self) -> bool {
        self.lock().paused
    }

    /// The client was told what has arrived.
    pub(crate) fn told(&self) {
        self.lock().untold = 0;
    }

    /// Listens to nobody until another socket carries the connection, which gets a number behind this one.
    pub(crate) fn suspend(&self, carrier: u64) -> Wakes {
        let mut state = self.lock();
        state.carrier = carrier;
        // The old one need not wait for room any more, and whoever runs the application may hold it.
        let mut wakers: SmallVec<[Waker; 1]> = state.receiver.take().into_iter().collect();
        wakers.extend(state.application.take());
        Wakes::new(wakers)
    }

    /// Listens to another socket from here on.
    pub(crate) fn resume(&self, carrier: u64) -> Wakes {
        let mut state = self.lock();
        state.carrier = carrier;
        // The old one need not wait for room any more.
        let mut wakers: SmallVec<[Waker; 1]> = state.receiver.take().into_iter().collect();
        if !state.is_closed && !matches!(state.queue.back(), Some(Entry::Resumed)) {
            state.queue.push_back(Entry::Resumed);
            wakers.extend(state.application.take());
        }
        Wakes::new(wakers)
    }

    /// Ready when another payload may be pushed.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        self.lock().poll_room(cx)
    }

    /// The same for the socket with this number; one that is not listened to any more need not wait.
    pub(crate) fn poll_room_from(&self, carrier: u64, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.carrier == carrier { state.poll_room(cx) } else { Poll::Ready(()) }
    }

    /// Ready when the end has begun.
    pub(crate) fn poll_closed(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.is_closed {
            return Poll::Ready(());
        }
        state.receiver = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(crate) fn has_received(&self) -> bool {
        self.lock().has_received
    }

    /// Whether something that the client sent has not been looked at: it waits here, or in its socket because reading is paused.
    pub(crate) fn is_unread(&self) -> bool {
        let state = self.lock();
        state.paused || !state.queue.is_empty()
    }

    /// Counts bytes that the application took and did not consume yet.
    pub(crate) fn hold(&self, bytes: usize) {
        let mut state = self.lock();
        state.held += bytes;
        state.pause_when_full();
    }

    pub(crate) fn release(&self, bytes: usize) {
        let wakes = {
            let mut state = self.lock();
            state.held = state.held.saturating_sub(bytes);
            state.resume_at_half()
        };
        wakes.wake();
    }

    pub(crate) fn tick(&self) {
        let waker = {
            let mut state = self.lock();
            state.tick = true;
            state.application.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Tells the application that the connection ends.
    pub(crate) fn close(&self, reason: DisconnectReason, received: Received) {
        let wakes = {
            let mut state = self.lock();
            if received == Received::Dropped {
                state.queue = VecDeque::new();
                state.queued = 0;
            }
            state.received = received;
            state.is_closed = true;
            state.closing = Some(reason);
            // A receiver that waits for room must learn that there will be none.
            let mut wakers: SmallVec<[Waker; 1]> = state.receiver.take().into_iter().collect();
            wakers.extend(state.application.take());
            Wakes::new(wakers)
        };
        wakes.wake();
    }

    /// Wakes the application's task without an event.
    pub(crate) fn wake(&self) {
        let waker = self.lock().application.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn register(&self, cx: &Context<'_>) {
        let mut state = self.lock();
        state.register(cx);
    }

    /// The next event: an end that discards what was received, then a tick, then payloads, then any other end.
    pub(crate) fn poll_event(&self, cx: &Context<'_>, intake: Intake) -> Poll<Event> {
        let mut state = self.lock();
        let is_urgent = match (state.received, intake) {
            (Received::Dropped, _) | (Received::Offered, Intake::Urgent) => true,
            (Received::Delivered, _) | (Received::Offered, Intake::Everything) => false,
        };
        if is_urgent && let Some(reason) = state.closing.take() {
            return Poll::Ready(Event::Closing(reason));
        }
        if std::mem::take(&mut state.tick) {
            return Poll::Ready(Event::Tick);
        }
        if std::mem::take(&mut state.is_drained) {
            return Poll::Ready(Event::Drained);
        }
        if intake == Intake::Everything {
            if let Some(entry) = state.queue.pop_front() {
                let Entry::Payload(payload) = entry else { return Poll::Ready(Event::Resumed) };
                state.queued -= payload.cost();
                if state.queue.is_empty() && state.queue.capacity() > KEPT_CAPACITY {
                    state.queue = VecDeque::new();
                }
                let wakes = state.resume_at_half();
                drop(state);
                wakes.wake();
                return Poll::Ready(Event::Payload(payload));
            }
            if let Some(reason) = state.closing.take() {
                return Poll::Ready(Event::Closing(reason));
            }
        }
        state.register(cx);
        Poll::Pending
    }
}

impl State {
    fn push(&mut self, mut payload: Payload) -> Option<Waker> {
        if self.is_closed {
            return None;
        }
        if !self.queue.is_empty() {
            // It has to wait, and must not keep the whole buffer that it was read into.
            payload.bytes = Bytes::copy_from_slice(&payload.bytes);
        }
        self.has_received = true;
        self.queued += payload.cost();
        self.untold = self.untold.saturating_add(payload.bytes.len());
        self.queue.push_back(Entry::Payload(payload));
        self.pause_when_full();
        self.application.take()
    }

    fn register(&mut self, cx: &Context<'_>) {
        match &mut self.application {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    fn poll_room(&mut self, cx: &Context<'_>) -> Poll<()> {
        if !self.paused || self.untold < self.ahead {
            return Poll::Ready(());
        }
        self.receiver = Some(cx.waker().clone());
        Poll::Pending
    }

    fn pause_when_full(&mut self) {
        self.paused |= self.queued + self.held >= self.cap;
    }

    fn resume_at_half(&mut self) -> Wakes {
        if !self.paused || self.queued + self.held > self.cap / 2 {
            return Wakes::default();
        }
        self.paused = false;
        let mut wakers: SmallVec<[Waker; 1]> = self.receiver.take().into_iter().collect();
        if self.ahead > 0 {
            self.is_drained = true;
            wakers.extend(self.application.take());
        }
        Wakes::new(wakers)
    }
}
