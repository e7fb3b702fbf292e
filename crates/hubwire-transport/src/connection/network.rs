//! The network's side of a connection.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Connection;
use crate::inbox::{Payload, Received};
use crate::lifecycle::{Detached, Ending, Limits, NORMAL, Overdue};
use crate::pulse::{Beat, Heard};
use crate::turns::Turn;
use crate::websocket::FrameError;
use crate::{Attachment, DisconnectReason, Receipt, ReceiptError, Transport, ticks};

impl Connection {
    /// Hands in what was received. Ask [`poll_intake`](Self::poll_intake) before.
    pub fn receive(&self, payload: Payload) {
        if let Some(waker) = self.0.inbox.push(payload) {
            waker.wake();
        }
        self.note_unheard();
    }

    /// Something was received; the application may not be ready for it.
    pub(crate) fn note_unheard(&self) {
        let is_unheard = || !self.0.hears.load(Ordering::Relaxed);
        if is_unheard() {
            // Asked again under the lock: it may have become ready meanwhile.
            self.0.outbox.leave_unheard(is_unheard);
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

    /// Lets another socket carry the connection; one that still does is superseded, and what was not acknowledged goes out again.
    ///
    /// `None` where the ends [did not agree](Self::keep_unacknowledged) on that, and behind the end.
    pub fn resume(&self) -> Option<Attachment> {
        let mut life = self.life();
        if !life.is_resumable() || life.ending().is_some() {
            return None;
        }
        let (generation, old) = self.0.outbox.resume()?;
        life.attach_socket(generation);
        let new = self.0.inbox.resume(generation);
        drop(life);
        // What the old socket was silent about is no debt of this one.
        self.heard();
        old.wake();
        new.wake();
        Some(Attachment::new(self.clone(), generation, Receipt::None))
    }

    /// Gives up the socket that carries the connection, so that another one may follow in time; whether there is one, and the ends agreed on that.
    fn suspend(&self, carrier: u64) -> bool {
        let mut life = self.life();
        if !life.may_suspend() {
            return false;
        }
        let Some((generation, takers)) = self.0.outbox.suspend(carrier) else { return false };
        life.suspend();
        let others = self.0.inbox.suspend(generation);
        drop(life);
        takers.wake();
        others.wake();
        tracing::info!(id = %self.id(), "socket given up, since its client is silent");
        true
    }

    /// Nothing of what waits has been taken for too long.
    fn stall(&self, carrier: u64) {
        // A link that was lost without a word looks like a slow client. One that comes back and acknowledges something was none.
        if self.0.outbox.suspect() && self.suspend(carrier) {
            return;
        }
        let (bytes, cap) = (self.0.outbox.bytes(), self.0.options.max_backlog);
        self.close(DisconnectReason::SlowConsumer { bytes, cap });
        self.cut();
    }

    /// Whether other sockets may follow the first one.
    pub fn is_resumable(&self) -> bool {
        self.life().is_resumable()
    }

    /// Whether a poll of a client that makes lost polls again should be answered at once, though there is nothing to answer with: nothing has been received yet, so the client may still wait for the answer to its first poll.
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

    /// Ends the connection because its carrier received a frame that broke the rules of WebSocket; what came before it counts where the application is ready for it.
    pub(crate) fn refuse_frame(&self, carrier: u64, error: FrameError) {
        let reason = match error {
            FrameError::TooLarge { size, limit } => DisconnectReason::MessageTooBig { size, limit },
            broken => DisconnectReason::BadMessage { detail: broken.to_string() },
        };
        let ending = Ending { reason, close_code: error.close_code() };
        self.end(Some(carrier), ending, Received::Offered);
    }

    /// Ends the connection because its client has said goodbye to the carrier.
    pub(crate) fn closed_by_client(&self, carrier: u64) {
        let reason = DisconnectReason::ClientClosed { error: None };
        self.end(Some(carrier), Ending { reason, close_code: NORMAL }, Received::Delivered);
    }

    /// A carrier is gone.
    pub(crate) fn lose(&self, carrier: u64) {
        let (detached, wakes) = {
            let mut life = self.life();
            let wakes = self.0.outbox.detach(carrier);
            if wakes.is_none() {
                life.be_last();
            }
            (life.detach(carrier), wakes.unwrap_or_default())
        };
        wakes.wake();
        match detached {
            Detached::Lost => self.close(DisconnectReason::NetworkLost),
            Detached::AfterEnd => self.0.inbox.wake(),
            Detached::Replaceable => return,
        }
        // Nobody takes anything any more.
        self.0.outbox.cut();
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
        if is_attached {
            let (idle, carrier) = shared.outbox.tick();
            if idle > ticks(shared.options.transport_send_timeout) {
                self.stall(carrier);
            }
        }
        if tick >= shared.wake_at.load(Ordering::Relaxed) {
            shared.inbox.tick();
        }
    }

    fn tick_pulse(&self) {
        let shared = &self.0;
        let Some(interval) = shared.options.web_socket_ping_interval else { return };
        let timeout = shared.options.web_socket_ping_timeout.map(ticks);
        // While something of the client's has not been read, or no socket is there to say anything, silence means nothing.
        let is_excused = self.is_unread() || !self.life().is_attached();
        let is_heard = shared.is_heard.swap(false, Ordering::Relaxed) || is_excused;
        let heard = if is_heard { Heard::Something } else { Heard::Nothing };
        let beat = {
            let mut pulse = shared.pulse.lock().unwrap_or_else(PoisonError::into_inner);
            pulse.tick(heard, ticks(interval), timeout)
        };
        match beat {
            Beat::Due => shared.outbox.beat(),
            Beat::Missed => {
                if !self.suspend(shared.outbox.attachments()) {
                    self.close(DisconnectReason::ClientTimeout);
                }
            }
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
