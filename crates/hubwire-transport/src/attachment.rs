//! What holds on to a connection for the network.

use std::cell::Cell;
use std::collections::VecDeque;
use std::task::{Context, Poll};

use crate::websocket::FrameError;
use crate::{Connection, DisconnectReason, Message, Payload};

/// What an attachment got from [`Attachment::poll_take`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The connection is over: say no goodbye, end.
    Cut,
    /// Everything was taken and nothing more comes: say goodbye.
    Finished,
    /// The other end should see a sign of life: a comment in an event stream, a Ping over a WebSocket.
    Heartbeat,
    /// Messages.
    Messages,
    /// Another poll or socket has taken over: end without a word.
    Superseded,
}

/// How a poll settles what became of the answers before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// By this number of answers that carried something and that its client has received, over the whole connection.
    ///
    /// Only such an answer counts as delivered, so that nothing is lost with one that the network took and did not bring.
    Acknowledged(u64),
    /// Not at all: what was handed on to the last byte counts as delivered, as in SignalR.
    None,
}

/// Why a poll with a [`Receipt`] cannot carry a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// It acknowledges an answer that was not given.
    #[error("an answer is acknowledged that was not given")]
    NotGiven,
    /// It comes late, behind one that acknowledged more.
    #[error("a later poll has come before")]
    Overtaken,
}

/// The network's hold on a connection: one socket, stream or poll. Dropping it detaches.
#[derive(Debug)]
pub struct Attachment {
    connection: Connection,
    generation: u64,
    receipt: Receipt,
}

impl Attachment {
    pub(crate) fn new(connection: Connection, generation: u64, receipt: Receipt) -> Self {
        Self { connection, generation, receipt }
    }

    /// The connection that it carries.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Moves messages worth about `budget` bytes to the end of `taken`: at least one, unless the budget is 0.
    ///
    /// `passed` tells how many bytes of those taken before were passed on since the last call: only then they no longer count as waiting.
    pub fn poll_take(
        &self,
        cx: &Context<'_>,
        passed: usize,
        budget: usize,
        taken: &mut VecDeque<Message>,
    ) -> Poll<Taken> {
        self.connection.0.outbox.poll_take(cx, self.generation, passed, budget, taken)
    }

    /// Says that `bytes` of the last answer were handed on, and whether they were the last of it.
    ///
    /// A client that takes a long answer slowly is not idle. Whether the answer is delivered with its last byte is a matter of the receipt.
    pub fn handed_on(&self, bytes: usize, is_last: bool) {
        let outbox = &self.connection.0.outbox;
        match self.receipt {
            Receipt::None if is_last => outbox.settle(self.generation),
            Receipt::Acknowledged(_) | Receipt::None if bytes > 0 => outbox.moved(self.generation),
            Receipt::Acknowledged(_) | Receipt::None => {}
        }
    }

    /// The receiving half, for a carrier that has both.
    pub fn receiver(&self) -> Receiver {
        Receiver {
            connection: self.connection.clone(),
            generation: self.generation,
            waits: Cell::new(false),
        }
    }

    /// The next message, if one waits; it counts as passed on.
    pub fn take_now(&self) -> Option<Message> {
        self.connection.0.outbox.take_now(self.generation)
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        match self.receipt {
            // Its client may have the answer all the same; the next poll says.
            Receipt::Acknowledged(_) => {
                self.connection.life().detach(self.generation);
            }
            Receipt::None => self.connection.lose(self.generation),
        }
        // What is sent between two polls, and the next poll, would wake the task of this one for nothing.
        self.connection.0.outbox.forget(self.generation);
    }
}

/// The receiving half of a socket: what it says counts as long as the socket carries the connection.
#[derive(Debug)]
pub struct Receiver {
    connection: Connection,
    generation: u64,
    /// Whether it was told to wait.
    waits: Cell<bool>,
}

impl Receiver {
    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Ready when more may be received; at once when the connection ends or another socket has taken over, so that this one is read to its end.
    pub fn poll_intake(&self, cx: &Context<'_>) -> Poll<()> {
        if self.connection.is_closing() {
            return Poll::Ready(());
        }
        let room = self.connection.0.inbox.poll_room_from(self.generation, cx);
        let waits = room.is_pending();
        if self.waits.replace(waits) != waits {
            self.connection.0.outbox.leave_unread(self.generation, waits);
        }
        room
    }

    /// Whether nothing goes out over this socket any more, since the connection is cut or another socket has taken over, so that its sending half may be let go of.
    pub fn is_released(&self) -> bool {
        self.connection.is_cut() || !self.connection.life().is_carried_by(self.generation)
    }

    /// Hands in what was received. Ask [`poll_intake`](Self::poll_intake) before.
    ///
    /// `cx` is that of the caller's task, which is not woken where it runs the application too: then it is about to look anyway.
    /// What waits inside it with a waker of its own is woken all the same.
    pub fn receive(&self, cx: &Context<'_>, payload: Payload) {
        let waker = self.connection.0.inbox.push_from(self.generation, payload);
        if let Some(waker) = waker.filter(|waker| !waker.will_wake(cx.waker())) {
            waker.wake();
        }
        self.connection.note_unheard();
    }

    /// Ends the connection because the client has said goodbye.
    pub fn closed_by_client(&self) {
        self.connection.closed_by_client(self.generation);
    }

    /// Ends the connection because a frame broke the rules of WebSocket; what came before it counts where the application is ready for it.
    pub fn refuse_frame(&self, error: FrameError) {
        self.connection.refuse_frame(self.generation, error);
    }

    /// The socket is gone, and with it the connection unless another socket may follow.
    pub fn lost(&self) {
        if self.connection.is_resumable() {
            self.connection.lose(self.generation);
        } else {
            // The sending half still holds on to the connection.
            self.connection.close(DisconnectReason::NetworkLost);
        }
    }
}
