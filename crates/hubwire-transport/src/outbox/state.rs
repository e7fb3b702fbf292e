//! What an outbox holds, under its lock.

use std::collections::VecDeque;
use std::task::{Poll, Waker};

use smallvec::SmallVec;

use super::Waiting;
use crate::connection::Room;
use crate::inbox::Wakes;
use crate::unacked::Unacked;
use crate::{Message, Receipt, ReceiptError, Taken};

#[derive(Debug)]
pub(super) struct State {
    /// What goes in front of everything else.
    pub(super) ahead: Waiting,
    /// What was taken before and goes out again: it does not wait behind what is under way, so the cap is not for it.
    pub(super) again: Waiting,
    /// What nobody has taken yet.
    pub(super) queue: Waiting,
    /// Messages that were taken and not passed on yet, oldest first; and how much of the oldest was.
    pub(super) under_way: VecDeque<Message>,
    pub(super) under_way_bytes: usize,
    pub(super) partly: usize,
    /// What was passed on and counts, where another socket may take over.
    pub(super) unacked: Option<Box<Unacked>>,
    /// Answers that the client has acknowledged.
    pub(super) acknowledged: u64,
    /// How many messages, at the front of those that go out again, were in an answer that has to be given again: what the client acknowledges is always the same.
    pub(super) replay: usize,
    /// Which attachment may take: another one has the next number.
    pub(super) generation: u64,
    pub(super) high: usize,
    pub(super) cap: usize,
    pub(super) end: End,
    /// Whether anything was passed on since the last look, and for how many looks nothing was.
    pub(super) moved: bool,
    pub(super) idle_ticks: u64,
    /// For how many ticks nothing was there to be taken, and whether a sign of life is due.
    pub(super) quiet_ticks: u64,
    pub(super) is_beat_due: bool,
    pub(super) drain: Option<Waker>,
    pub(super) producers: SmallVec<[Waker; 1]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing but last words is accepted: a message after a gap would be worse than none.
    Cleared,
    /// Messages are accepted.
    Open,
    /// No more messages; what waits still goes out.
    Finished,
    /// Nothing goes out any more.
    Cut,
}

impl State {
    pub(super) fn new(high: usize, cap: usize) -> Self {
        Self {
            ahead: Waiting::default(),
            again: Waiting::default(),
            queue: Waiting::default(),
            under_way: VecDeque::new(),
            under_way_bytes: 0,
            partly: 0,
            unacked: None,
            acknowledged: 0,
            replay: 0,
            generation: 0,
            high,
            cap,
            end: End::Open,
            moved: false,
            idle_ticks: 0,
            quiet_ticks: 0,
            is_beat_due: false,
            drain: None,
            producers: SmallVec::new(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.waiting() + self.again.bytes() + self.under_way_bytes
    }

    /// What waits behind that which is under way, or was, in bytes.
    pub(super) fn waiting(&self) -> usize {
        self.ahead.bytes() + self.queue.bytes()
    }

    /// Whether nothing is left to be taken.
    pub(super) fn is_empty(&self) -> bool {
        self.ahead.is_empty() && self.again.is_empty() && self.queue.is_empty()
    }

    /// Whether whoever takes has nothing to do: sockets are polled for their own reasons too.
    pub(super) fn is_quiet(&self) -> bool {
        self.end == End::Open && self.is_empty() && !self.is_beat_due
    }

    pub(super) fn room(&self) -> Room {
        if self.bytes() < self.high { Room::Available } else { Room::Exhausted }
    }

    /// Moves messages worth about `budget` bytes, at least one unless it is 0, to `taken`.
    pub(super) fn take_up_to(
        &mut self,
        budget: usize,
        taken: &mut VecDeque<Message>,
    ) -> Poll<Taken> {
        let mut sum = 0;
        let replay = if budget > 0 { std::mem::take(&mut self.replay) } else { 0 };
        while (if replay > 0 { taken.len() < replay } else { sum < budget })
            && let Some(message) = self.take()
        {
            sum += message.len();
            taken.push_back(message);
        }
        if sum > 0 {
            self.quiet_ticks = 0;
        }
        self.again.shrink();
        self.queue.shrink();
        match self.end {
            End::Cut => Poll::Ready(Taken::Cut),
            _ if sum > 0 => Poll::Ready(Taken::Messages),
            End::Finished if self.is_empty() => Poll::Ready(Taken::Finished),
            End::Cleared | End::Open if std::mem::take(&mut self.is_beat_due) => {
                Poll::Ready(Taken::Heartbeat)
            }
            End::Cleared | End::Finished | End::Open => Poll::Pending,
        }
    }

    /// Moves the next message that may be taken under way.
    pub(super) fn take(&mut self) -> Option<Message> {
        let message = match self.ahead.pop().or_else(|| self.again.pop()) {
            Some(message) => message,
            None if self.is_held_back() => return None,
            None => self.queue.pop()?,
        };
        if let Some(unacked) = &mut self.unacked {
            unacked.take(&message);
        }
        self.under_way_bytes += message.cost();
        self.under_way.push_back(message.clone());
        Some(message)
    }

    fn is_held_back(&self) -> bool {
        // Behind the end nobody takes over any more.
        let unacked = self.unacked.as_ref().filter(|_| self.end == End::Open);
        unacked.zip(self.queue.front()).is_some_and(|(unacked, next)| unacked.holds_back(next))
    }

    /// Decides what became of what is under way.
    pub(super) fn settle(&mut self, receipt: Receipt) -> Result<Wakes, ReceiptError> {
        if self.end == End::Cut {
            // What was under way is forgotten, so a client that counts right can no longer be told from one that does not.
            return Ok(Wakes::default());
        }
        let acknowledged = match receipt {
            Receipt::Acknowledged(answers) => {
                answers.checked_sub(self.acknowledged).ok_or(ReceiptError::Overtaken)?
            }
            Receipt::None => 0,
        };
        match acknowledged {
            0 => {
                if matches!(receipt, Receipt::Acknowledged(_)) && !self.under_way.is_empty() {
                    self.replay = self.under_way.len();
                }
                self.rewind();
                Ok(Wakes::default())
            }
            1 if !self.under_way.is_empty() || self.replay > 0 => {
                self.acknowledged += 1;
                // A late copy of the last poll may have had its answer put back already.
                for _ in 0..std::mem::take(&mut self.replay) {
                    let Some(message) = self.again.pop() else { break };
                    self.under_way_bytes += message.cost();
                    self.under_way.push_back(message);
                }
                Ok(self.pass(self.under_way_bytes))
            }
            _ => Err(ReceiptError::NotGiven),
        }
    }

    /// Puts back what is under way; a message that was passed on in part goes out again whole.
    pub(super) fn rewind(&mut self) {
        let under_way = std::mem::take(&mut self.under_way);
        match &mut self.unacked {
            Some(unacked) => {
                self.again = unacked.rewind(under_way, std::mem::take(&mut self.again));
                // What does not count was for the old socket.
                self.ahead = Waiting::default();
                let queue = std::mem::take(&mut self.queue);
                self.queue = queue.into_iter().filter(Message::is_counted).collect();
            }
            None => self.again.put_back(under_way),
        }
        self.under_way_bytes = 0;
        self.partly = 0;
    }

    /// Nobody takes any more until another socket does.
    pub(super) fn release(&mut self) -> Wakes {
        self.rewind();
        self.generation += 1;
        self.idle_ticks = 0;
        if let Some(unacked) = &mut self.unacked {
            unacked.is_away = true;
            unacked.is_unread = false;
        }
        // Those who produce for many need not wait while nobody takes; the others look again and do.
        self.wakes()
    }

    /// Forgets all that nobody has taken, or somebody has to take again; for the caller to free outside the lock.
    pub(super) fn clear(&mut self) -> [Waiting; 3] {
        [&mut self.ahead, &mut self.again, &mut self.queue].map(std::mem::take)
    }

    /// Everyone who waits for this outbox.
    pub(super) fn wakes(&mut self) -> Wakes {
        let mut wakers = std::mem::take(&mut self.producers);
        wakers.extend(self.drain.take());
        Wakes::new(wakers)
    }

    pub(super) fn pass(&mut self, bytes: usize) -> Wakes {
        if bytes == 0 {
            return Wakes::default();
        }
        self.moved = true;
        self.under_way_bytes = self.under_way_bytes.saturating_sub(bytes);
        self.partly += bytes;
        while let Some(message) = self.under_way.front()
            && message.cost() <= self.partly
        {
            self.partly -= message.cost();
            let passed = self.under_way.pop_front();
            if let (Some(unacked), Some(message)) = (&mut self.unacked, passed) {
                unacked.pass(message);
            }
        }
        if self.bytes() >= self.high {
            return Wakes::default();
        }
        Wakes::new(std::mem::take(&mut self.producers))
    }
}
