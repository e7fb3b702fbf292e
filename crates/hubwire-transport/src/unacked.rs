//! What a connection that can be resumed has sent, until its client says that it has it.
//!
//! Messages that count have numbers, from 1, which are not sent: both ends count (HubProtocol.md, "Stateful reconnect").
//!
//! ```text
//!   queue ── taken by a socket ──▶ under way ── passed on ──▶ kept ── acknowledged ──▶ gone
//!     ▲                                │                       │
//!     └──── another socket takes over: all that is not acknowledged goes out again ────┘
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use crate::Message;

/// Writes the message that opens a socket which takes over: it carries the number of the first message that follows.
pub type Opening = Arc<dyn Fn(u64) -> Message + Send + Sync>;

pub(crate) struct Unacked {
    /// Passed on and not acknowledged: the messages behind number `acked`, up to `sent`.
    kept: VecDeque<Message>,
    /// Payload bytes of what was taken and is not acknowledged, and how many of them there may be before a socket takes no more.
    bytes: usize,
    buffer: usize,
    /// The numbers of the last messages that were taken, passed on and acknowledged.
    taken: u64,
    sent: u64,
    acked: u64,
    opening: Opening,
    /// Whether no socket carries the connection at the moment.
    pub(crate) is_away: bool,
}

impl Unacked {
    pub(crate) fn new(buffer: usize, opening: Opening) -> Self {
        Self {
            kept: VecDeque::new(),
            bytes: 0,
            buffer,
            taken: 0,
            sent: 0,
            acked: 0,
            opening,
            is_away: false,
        }
    }

    /// Whether this message has to wait until the client has acknowledged others.
    pub(crate) fn holds_back(&self, message: &Message) -> bool {
        message.is_counted() && self.bytes >= self.buffer
    }

    pub(crate) fn take(&mut self, message: &Message) {
        if message.is_counted() {
            self.taken += 1;
            self.bytes += message.payload().len();
        }
    }

    /// Keeps what was passed on.
    pub(crate) fn pass(&mut self, message: Message) {
        if !message.is_counted() {
            return;
        }
        self.sent += 1;
        if self.sent > self.acked {
            self.kept.push_back(message);
        } else {
            // The client was faster than the news of our own writing.
            self.bytes -= message.payload().len();
        }
    }

    /// The client has everything up to this number; what was not even taken it cannot have.
    pub(crate) fn acknowledge(&mut self, number: u64) {
        let number = number.min(self.taken);
        while self.acked < number {
            self.acked += 1;
            if let Some(message) = self.kept.pop_front() {
                self.bytes -= message.payload().len();
            }
        }
    }

    /// Puts all that counts and is not acknowledged in front of the queue; what does not count was for the old socket.
    pub(crate) fn rewind(&mut self, under_way: VecDeque<Message>, queue: &mut VecDeque<Message>) {
        let counts = |message: &Message| message.is_counted();
        let known = usize::try_from(self.acked.saturating_sub(self.sent)).unwrap_or(usize::MAX);
        let under_way = under_way.into_iter().filter(counts).skip(known);
        let waiting = std::mem::take(queue).into_iter().filter(counts);
        *queue =
            std::mem::take(&mut self.kept).into_iter().chain(under_way).chain(waiting).collect();
        self.bytes = 0;
        self.taken = self.acked;
        self.sent = self.acked;
    }

    /// What a socket that takes over begins with.
    pub(crate) fn opening(&self) -> Message {
        (self.opening)(self.acked + 1)
    }
}

impl fmt::Debug for Unacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unacked")
            .field("kept", &self.kept.len())
            .field("bytes", &self.bytes)
            .field("acked", &self.acked)
            .field("sent", &self.sent)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
