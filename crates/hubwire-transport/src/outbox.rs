//! What waits to go out, bounded in bytes.
//!
//! # Theory of operation
//!
//! Senders [`push`](Outbox::push) whole messages and never wait; the attachment takes them in order, frames them and reports how many of their bytes it could pass on.
//! A message counts for its bytes and for what keeping it costs, until its last byte was passed on, so whoever awaits room after an 8 MiB message waits until the client has taken nearly all of it.
//! The cap is for what waits *behind* the messages that are under way: a broadcast must not end a client that is busy taking a large reply.
//!
//! ```text
//!   all that is not passed on    0 ──────── transport_max_buffer_size ───────────────▶
//!   whoever awaits room            goes on                     waits
//!
//!   what waits behind that       0 ─────────────── max_backlog ───────────────▶
//!   push                           accepted              refused: a slow consumer
//! ```
//!
//! What was taken stays here until it was passed on: when a poll is lost halfway, the next one begins where it began.
//! A client that acknowledges answers says itself what it has; then passing on means nothing, and what was taken stays until the next poll.
//!
//! Whether there is room is asked before a message is pushed, so that one message of any size passes to a client that reads.

mod state;
mod waiting;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use thiserror::Error;

use self::state::{End, State};
pub(crate) use self::waiting::Waiting;
use crate::connection::Room;
use crate::inbox::Wakes;
use crate::unacked::{Opening, Unacked};
use crate::{Message, Receipt, ReceiptError, Taken};

/// Why a message was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PushError {
    /// Nothing is sent any more: the connection ends.
    #[error("connection is closing")]
    Closed,
    /// Too much waits already.
    #[error("{bytes} bytes wait for the client, the cap is {cap}")]
    Full {
        /// What waits, in bytes.
        bytes: usize,
        /// `max_backlog`.
        cap: usize,
    },
}

#[derive(Debug)]
pub(crate) struct Outbox(Mutex<State>);

/// Who waits for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Producer {
    OfMany,
    OfOne,
}

impl Outbox {
    pub(crate) fn new(high: usize, cap: usize) -> Self {
        Self(Mutex::new(State::new(high, cap)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, message: Message) -> Result<Room, PushError> {
        self.push_with(|state| state.queue.push(message))
    }

    /// In front of what waits.
    pub(crate) fn push_ahead(&self, message: Message) -> Result<Room, PushError> {
        self.push_with(|state| state.ahead.push(message))
    }

    fn push_with(&self, push: impl FnOnce(&mut State)) -> Result<Room, PushError> {
        let (waker, room) = {
            let mut state = self.lock();
            if state.end != End::Open {
                return Err(PushError::Closed);
            }
            if state.waiting() >= state.cap {
                return Err(PushError::Full { bytes: state.bytes(), cap: state.cap });
            }
            push(&mut state);
            (state.drain.take(), state.room())
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(room)
    }

    pub(crate) fn room(&self) -> Room {
        let state = self.lock();
        if state.end == End::Open { state.room() } else { Room::Closed }
    }

    /// Ready when a producer for this connection alone may go on.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_room_for(cx, Producer::OfOne)
    }

    /// Ready when a producer for many may go on, who does not wait for one that may be gone.
    pub(crate) fn poll_room_or_away(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_room_for(cx, Producer::OfMany)
    }

    fn poll_room_for(&self, cx: &Context<'_>, producer: Producer) -> Poll<()> {
        let mut state = self.lock();
        if state.end != End::Open || state.room() == Room::Available {
            return Poll::Ready(());
        }
        if producer == Producer::OfMany && state.unacked.as_ref().is_some_and(|sent| sent.is_away) {
            return Poll::Ready(());
        }
        if !state.producers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.producers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Lets another attachment take, from the first message that was not delivered.
    pub(crate) fn attach(&self, receipt: Receipt) -> Result<u64, ReceiptError> {
        let (drain, producers, generation) = {
            let mut state = self.lock();
            let producers = state.settle(receipt)?;
            state.generation += 1;
            (state.drain.take(), producers, state.generation)
        };
        if let Some(drain) = drain {
            drain.wake();
        }
        producers.wake();
        Ok(generation)
    }

    /// Puts back what this attachment took and did not pass on. `None` where that is not all that its client may lack, so that no other can follow it.
    pub(crate) fn detach(&self, generation: u64) -> Option<Wakes> {
        let mut state = self.lock();
        if state.generation != generation {
            return Some(Wakes::default());
        }
        match &state.unacked {
            Some(unacked) if !unacked.is_whole() => None,
            Some(_) => Some(state.release()),
            None => {
                state.rewind();
                Some(Wakes::default())
            }
        }
    }

    /// Wakes whoever waited for this attachment no more.
    pub(crate) fn forget(&self, generation: u64) {
        let drain = {
            let mut state = self.lock();
            if state.generation == generation { state.drain.take() } else { None }
        };
        // A waker may be the last that holds a task: dropped outside the lock.
        drop(drain);
    }

    /// Keeps what counts until it is acknowledged, so that another socket may take over; with `buffer` bytes of it new messages wait.
    pub(crate) fn keep_unacked(&self, buffer: usize, opening: Opening) {
        let mut state = self.lock();
        let most = buffer.saturating_add(state.cap);
        state.unacked = Some(Box::new(Unacked::new(buffer, most, opening)));
    }

    /// Lets another socket take, from the first message that is not acknowledged, unless that is not there any more.
    pub(crate) fn resume(&self) -> Option<(u64, Wakes)> {
        let mut state = self.lock();
        let unacked = state.unacked.as_ref()?;
        if !unacked.is_whole() {
            return None;
        }
        let opening = unacked.opening();
        let wakes = state.release();
        if let Some(unacked) = &mut state.unacked {
            unacked.is_away = false;
        }
        state.ahead.push(opening);
        Some((state.generation, wakes))
    }

    /// Gives up the socket with this number, if it still takes and another one may follow, whose number is behind the one that is returned.
    pub(crate) fn suspend(&self, generation: u64) -> Option<(u64, Wakes)> {
        let mut state = self.lock();
        let is_whole = state.unacked.as_ref().is_some_and(|unacked| unacked.is_whole());
        if state.generation != generation || !is_whole {
            return None;
        }
        let wakes = state.release();
        Some((state.generation, wakes))
    }

    /// Remembers, until the client acknowledges something, that it took nothing; whether that is news.
    pub(crate) fn suspect(&self) -> bool {
        let mut state = self.lock();
        let unacked = state.unacked.as_mut();
        unacked.is_some_and(|unacked| !std::mem::replace(&mut unacked.is_suspect, true))
    }

    /// Says whether what comes from the socket with this number is left unread.
    pub(crate) fn leave_unread(&self, generation: u64, is_unread: bool) {
        self.with_unacked(|state_generation, unacked| {
            if state_generation == generation {
                unacked.is_unread = is_unread;
            }
        });
    }

    /// Says whether what was received is left unheard, which is asked when nobody can change it.
    pub(crate) fn leave_unheard(&self, is_unheard: impl FnOnce() -> bool) {
        self.with_unacked(|_, unacked| unacked.is_unheard = is_unheard());
    }

    fn with_unacked(&self, change: impl FnOnce(u64, &mut Unacked)) {
        let drain = {
            let mut state = self.lock();
            let generation = state.generation;
            let Some(unacked) = &mut state.unacked else { return };
            change(generation, unacked);
            // What was held back may go now.
            if unacked.is_unread || unacked.is_unheard { state.drain.take() } else { None }
        };
        if let Some(drain) = drain {
            drain.wake();
        }
    }

    /// The client has what counts up to this number.
    pub(crate) fn acknowledge(&self, number: u64) {
        let drain = {
            let mut state = self.lock();
            let Some(unacked) = &mut state.unacked else { return };
            if !unacked.acknowledge(number) {
                return;
            }
            state.moved = true;
            state.drain.take()
        };
        if let Some(drain) = drain {
            drain.wake();
        }
    }

    /// Whether no socket takes at the moment, and another one may.
    pub(crate) fn is_away(&self) -> bool {
        self.lock().unacked.as_ref().is_some_and(|unacked| unacked.is_away)
    }

    /// How many attachments there have been.
    pub(crate) fn attachments(&self) -> u64 {
        self.lock().generation
    }

    /// Everything that this attachment took is delivered.
    pub(crate) fn settle(&self, generation: u64) {
        let wakes = {
            let mut state = self.lock();
            if state.generation != generation {
                return;
            }
            let bytes = state.under_way_bytes;
            state.pass(bytes)
        };
        wakes.wake();
    }

    /// The client takes what it is given, if slowly.
    pub(crate) fn moved(&self, generation: u64) {
        let mut state = self.lock();
        if state.generation == generation {
            state.moved = true;
        }
    }

    /// Moves messages worth about `budget` bytes, at least one unless it is 0, to `taken`; `passed` bytes of those taken before have gone on.
    pub(crate) fn poll_take(
        &self,
        cx: &Context<'_>,
        generation: u64,
        passed: usize,
        budget: usize,
        taken: &mut VecDeque<Message>,
    ) -> Poll<Taken> {
        let mut state = self.lock();
        if state.generation != generation {
            return Poll::Ready(Taken::Superseded);
        }
        let wakes = state.pass(passed);
        let poll = if state.is_quiet() { Poll::Pending } else { state.take_up_to(budget, taken) };
        // Also with messages in hand: whoever takes them may wait on something else next.
        match &mut state.drain {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        drop(state);
        wakes.wake();
        poll
    }

    /// Ends the outbox behind what waits in it and `last`, which is accepted over the cap too.
    pub(crate) fn finish(&self, last: Option<Message>) {
        let wakes = {
            let mut state = self.lock();
            if matches!(state.end, End::Cut | End::Finished) {
                return;
            }
            if let Some(last) = last {
                state.queue.push(last);
            }
            state.end = End::Finished;
            state.wakes()
        };
        wakes.wake();
    }

    /// Ends the outbox at once.
    pub(crate) fn cut(&self) {
        let (wakes, dropped) = {
            let mut state = self.lock();
            state.end = End::Cut;
            state.rewind();
            (state.wakes(), state.clear())
        };
        // Large messages are freed outside the lock.
        drop(dropped);
        wakes.wake();
    }

    /// Drops what waits and was not taken; only last words are accepted from here on.
    pub(crate) fn clear(&self) {
        let (wakes, dropped) = {
            let mut state = self.lock();
            if state.end == End::Open {
                state.end = End::Cleared;
            }
            (Wakes::new(std::mem::take(&mut state.producers)), state.clear())
        };
        drop(dropped);
        wakes.wake();
    }

    /// The next message, without a wish to be woken for more; it counts as passed on.
    pub(crate) fn take_now(&self, generation: u64) -> Option<Message> {
        let (message, wakes) = {
            let mut state = self.lock();
            if state.generation != generation {
                return None;
            }
            let message = state.take()?;
            let wakes = state.pass(message.cost());
            (message, wakes)
        };
        wakes.wake();
        Some(message)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes()
    }

    /// Counts a tick, and asks the attachment for a sign of life when more than `interval` of them have been quiet.
    pub(crate) fn beat_when_quiet(&self, interval: u64) {
        {
            let mut state = self.lock();
            state.quiet_ticks += 1;
            if state.quiet_ticks <= interval || state.bytes() > 0 {
                return;
            }
            state.quiet_ticks = 0;
        }
        self.beat();
    }

    /// Asks the attachment for a sign of life.
    pub(crate) fn beat(&self) {
        let drain = {
            let mut state = self.lock();
            state.is_beat_due = true;
            state.drain.take()
        };
        if let Some(drain) = drain {
            drain.wake();
        }
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.lock().end == End::Cut
    }

    /// Counts a tick; returns for how many ticks on end the client took nothing of what waits, and which attachment it has.
    pub(crate) fn tick(&self) -> (u64, u64) {
        let mut state = self.lock();
        if std::mem::take(&mut state.moved) || state.bytes() == 0 {
            state.idle_ticks = 0;
        } else {
            state.idle_ticks += 1;
        }
        (state.idle_ticks, state.generation)
    }
}
