//! What a connection that can be resumed has sent, until its client says that it has it.
//!
//! Messages that count have numbers, from 1, which are not sent: both ends count (HubProtocol.md, "Stateful reconnect").
//!
//! ```text
//!   queue ── taken by a socket ──▶ under way ── passed on ──▶ kept ── acknowledged ──▶ gone
//!                                      │                       │
//!   again ◀── another socket takes over: all that is not gone goes out once more
//! ```
//!
//! A client that receives messages again counts them from the number that the new socket began with, and takes it for an error when the next socket begins beyond its count.
//! It may acknowledge what it had from the old socket before it has counted so far, so until it acknowledges a message that is new on this socket nothing is gone: the next socket begins where this one did.
//!
//! # What may be sent
//!
//! New messages wait once `buffer` bytes are not acknowledged, or what is kept costs `most` bytes, with two exceptions:
//!
//! - The first one behind those that go out again. Where the client's word was lost with the old socket, it may speak only of what is new to it.
//!   With `most` bytes, in more than a [`FEW`] messages, it has to speak of all of these first, and they are let go of for the new one.
//! - While what the client sends is not read, or not heard: its word may be in there, and what it sent may wait for room to answer, so that both ends would wait for ever.
//!
//! What was let go of unacknowledged cannot go out again. So no socket may follow until the client has acknowledged that, which also shows that it has counted so far.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use crate::Message;
use crate::outbox::Waiting;

/// Writes the message that opens a socket which takes over: it carries the number of the first message that follows.
pub type Opening = Arc<dyn Fn(u64) -> Message + Send + Sync>;

/// So many messages may be kept whatever their size.
const FEW: usize = 8;

pub(crate) struct Unacked {
    /// Passed on and not gone: the messages behind number `gone`, up to `sent`.
    kept: VecDeque<Message>,
    /// What keeping all that was ever taken and is not gone costs, in bytes, and how much that may be.
    cost: usize,
    most: usize,
    /// Payload bytes of what this socket took and the client has not acknowledged, and from where on new messages wait.
    outstanding: usize,
    buffer: usize,
    /// The numbers of the last messages that the client has acknowledged, that are gone, and that this socket has passed on and taken.
    acked: u64,
    gone: u64,
    sent: u64,
    taken: u64,
    /// The last one that an earlier socket took.
    repeated: u64,
    /// The last one that was let go of unacknowledged, and the last one that the client really has spoken of.
    forgotten: u64,
    said: u64,
    opening: Opening,
    /// Whether no socket carries the connection at the moment.
    pub(crate) is_away: bool,
    /// Whether what the client sends is not read at the moment, or was read and is not heard.
    pub(crate) is_unread: bool,
    pub(crate) is_unheard: bool,
    /// Whether the last socket was given up because the client took nothing, and it has acknowledged nothing since.
    pub(crate) is_suspect: bool,
}

impl Unacked {
    pub(crate) fn new(buffer: usize, most: usize, opening: Opening) -> Self {
        Self {
            kept: VecDeque::new(),
            cost: 0,
            most,
            outstanding: 0,
            buffer,
            acked: 0,
            gone: 0,
            sent: 0,
            taken: 0,
            repeated: 0,
            forgotten: 0,
            said: 0,
            opening,
            is_away: false,
            is_unread: false,
            is_unheard: false,
            is_suspect: false,
        }
    }

    /// Whether this message, which no socket has taken yet, has to wait until the client has acknowledged others.
    pub(crate) fn holds_back(&self, message: &Message) -> bool {
        message.is_counted() && self.is_full() && !self.forgets()
    }

    fn is_full(&self) -> bool {
        if self.taken > self.repeated {
            self.outstanding >= self.buffer || self.cost >= self.most
        } else {
            self.is_crowded() && self.acked < self.taken
        }
    }

    /// Whether so much is kept of what goes out again that no more may be.
    fn is_crowded(&self) -> bool {
        self.cost >= self.most && count(self.gone, self.taken) > FEW
    }

    fn forgets(&self) -> bool {
        (self.is_unread || self.is_unheard) && self.taken > self.repeated
    }

    /// Whether another socket may take over.
    pub(crate) fn is_whole(&self) -> bool {
        self.said >= self.forgotten
    }

    /// Counts what a socket took.
    pub(crate) fn take(&mut self, message: &Message) {
        if !message.is_counted() {
            return;
        }
        if self.is_full() && self.forgets() {
            self.forgotten = self.taken;
            self.release(self.taken);
        } else if self.taken == self.repeated && self.is_crowded() {
            // Only the acknowledgement of the new one shows that the client has counted these.
            self.forgotten = self.taken + 1;
            self.let_go(self.taken);
        }
        self.taken += 1;
        self.outstanding += message.payload().len();
        if self.taken > self.repeated {
            self.cost += message.cost();
        }
    }

    /// Keeps what was passed on.
    pub(crate) fn pass(&mut self, message: Message) {
        if !message.is_counted() {
            return;
        }
        self.sent += 1;
        // The client may be faster than the news of our own writing.
        if self.sent <= self.acked {
            self.outstanding -= message.payload().len();
        }
        if self.sent > self.gone {
            self.kept.push_back(message);
        } else {
            self.cost -= message.cost();
        }
    }

    /// The client has everything up to this number, unless none of that number was ever taken; whether that is news.
    pub(crate) fn acknowledge(&mut self, number: u64) -> bool {
        let number = number.min(self.taken.max(self.repeated));
        if number < self.said {
            return false;
        }
        // Also where it repeats itself, having received everything again.
        self.is_suspect = false;
        if number == self.said {
            return false;
        }
        self.said = number;
        if number > self.acked {
            self.release(number);
        }
        true
    }

    fn release(&mut self, number: u64) {
        let news = self.kept.iter().skip(count(self.gone, self.acked));
        let news = news.take(count(self.acked, number));
        self.outstanding -= news.map(|message| message.payload().len()).sum::<usize>();
        self.acked = number;
        if number > self.repeated {
            self.let_go(number);
        }
    }

    fn let_go(&mut self, number: u64) {
        let passed = count(self.gone, number).min(self.kept.len());
        self.cost -= self.kept.drain(..passed).map(|message| message.cost()).sum::<usize>();
        self.gone = number;
    }

    /// All that is not gone, in order, for another socket: what this one passed on, what was under way, and what it had not come to of what goes `again`.
    pub(crate) fn rewind(&mut self, under_way: VecDeque<Message>, again: Waiting) -> Waiting {
        let gone = count(self.sent, self.gone);
        let under_way = under_way.into_iter().filter(Message::is_counted).skip(gone);
        let again: Waiting =
            std::mem::take(&mut self.kept).into_iter().chain(under_way).chain(again).collect();
        self.repeated = self.repeated.max(self.taken);
        self.taken = self.gone;
        self.sent = self.gone;
        self.outstanding = 0;
        self.cost = again.bytes();
        again
    }

    /// What a socket that takes over begins with.
    pub(crate) fn opening(&self) -> Message {
        (self.opening)(self.gone + 1)
    }
}

/// How many numbers lie behind the first one, up to the last.
fn count(first: u64, last: u64) -> usize {
    usize::try_from(last.saturating_sub(first)).unwrap_or(usize::MAX)
}

impl fmt::Debug for Unacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unacked")
            .field("kept", &self.kept.len())
            .field("cost", &self.cost)
            .field("outstanding", &self.outstanding)
            .field("acked", &self.acked)
            .field("gone", &self.gone)
            .field("sent", &self.sent)
            .field("taken", &self.taken)
            .field("repeated", &self.repeated)
            .finish_non_exhaustive()
    }
}
