//! What waits to be published: bounded, and never a reason to wait.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hubwire_hub::Reach;
use tokio::sync::{Notify, oneshot};

use crate::options::Overflow;

/// How many messages go to Redis at once at most, and how many bytes begin a next batch: enough that the way to Redis and back does not count, few enough that an answer comes soon.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 1 << 20;

/// A message on its way to Redis.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) channel: String,
    pub(crate) payload: Bytes,
    /// Who wants to know how many servers it reached. Dropped, it says that Redis cannot be reached.
    pub(crate) reply: Option<oneshot::Sender<Reach>>,
}

#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    messages_max: usize,
    bytes_max: usize,
    overflow: Overflow,
    filled: Notify,
    drained: Notify,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// How many are being published.
    flying: usize,
    /// Nothing is taken while Redis cannot be reached: what comes late may be wrong by then.
    is_open: bool,
    dropped: u64,
    published: u64,
}

/// How it is.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) is_open: bool,
    pub(crate) waiting: usize,
    pub(crate) waiting_bytes: usize,
    pub(crate) published: u64,
    pub(crate) dropped: u64,
}

impl Queue {
    pub(crate) fn new(messages_max: usize, bytes_max: usize, overflow: Overflow) -> Self {
        let (filled, drained) = (Notify::new(), Notify::new());
        Self { state: Mutex::default(), messages_max, bytes_max, overflow, filled, drained }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts messages behind those that wait, or drops what there is no room for.
    pub(crate) fn push(&self, entries: impl IntoIterator<Item = Entry>) {
        let mut state = self.state();
        for entry in entries {
            if !state.is_open {
                state.dropped += 1;
                continue;
            }
            let is_full = |state: &State| {
                state.entries.len() >= self.messages_max
                    || (!state.entries.is_empty()
                        && state.bytes + entry.payload.len() > self.bytes_max)
            };
            if is_full(&state) && self.overflow == Overflow::DropNewest {
                state.dropped += 1;
                continue;
            }
            while is_full(&state) {
                state.drop_oldest();
            }
            state.bytes += entry.payload.len();
            state.entries.push_back(entry);
        }
        drop(state);
        self.filled.notify_one();
    }

    /// Waits for messages and takes as many as go at once.
    pub(crate) async fn take(&self) -> Vec<Entry> {
        loop {
            let batch = self.take_now();
            if !batch.is_empty() {
                return batch;
            }
            self.filled.notified().await;
        }
    }

    fn take_now(&self) -> Vec<Entry> {
        let mut state = self.state();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH
            && bytes < BATCH_BYTES
            && let Some(entry) = state.entries.pop_front()
        {
            bytes += entry.payload.len();
            batch.push(entry);
        }
        state.bytes -= bytes;
        state.flying = batch.len();
        drop(state);
        self.drained.notify_waiters();
        batch
    }

    /// What was taken last is published, or lost.
    pub(crate) fn landed(&self, lost: usize) {
        {
            let mut state = self.state();
            let flown = std::mem::take(&mut state.flying);
            state.published += flown.saturating_sub(lost) as u64;
            state.dropped += lost as u64;
        }
        self.drained.notify_waiters();
    }

    /// Redis can be reached.
    pub(crate) fn open(&self) {
        self.state().is_open = true;
        self.drained.notify_waiters();
    }

    /// Redis cannot be reached: what waits is dropped.
    pub(crate) fn close(&self) {
        {
            let mut state = self.state();
            state.is_open = false;
            while !state.entries.is_empty() {
                state.drop_oldest();
            }
        }
        self.drained.notify_waiters();
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state().is_open
    }

    pub(crate) fn tally(&self) -> Tally {
        let state = self.state();
        Tally {
            is_open: state.is_open,
            waiting: state.entries.len(),
            waiting_bytes: state.bytes,
            published: state.published,
            dropped: state.dropped,
        }
    }

    /// Whether it is less than half full, or it makes no sense to wait.
    pub(crate) fn has_room(&self) -> bool {
        let state = self.state();
        let is_low =
            state.entries.len() < self.messages_max.div_ceil(2) && state.bytes < self.bytes_max / 2;
        is_low || !state.is_open
    }

    /// Waits for that.
    pub(crate) async fn room(&self) {
        self.until(Self::has_room).await;
    }

    /// Waits until nothing waits any more.
    pub(crate) async fn flushed(&self) {
        let is_flushed = |queue: &Self| {
            let state = queue.state();
            state.entries.is_empty() && state.flying == 0
        };
        self.until(is_flushed).await;
    }

    /// Waits until Redis can be reached.
    pub(crate) async fn opened(&self) {
        self.until(Self::is_open).await;
    }

    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        loop {
            let mut drained = pin!(self.drained.notified());
            drained.as_mut().enable();
            if is_so(self) {
                return;
            }
            drained.await;
        }
    }
}

impl State {
    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.entries.pop_front() {
            self.bytes -= oldest.payload.len();
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(channel: &str) -> Entry {
        let payload = Bytes::from_static(b"0123456789");
        Entry { channel: channel.to_owned(), payload, reply: None }
    }

    /// What is left of "a", "b" and "c" where two have room, and how many were dropped.
    #[track_caller]
    fn check(queue: &Queue, left: &str, dropped: u64) {
        queue.open();
        queue.push(["a", "b", "c"].map(entry));
        assert_eq!(queue.tally().dropped, dropped);
        let batch = queue.take_now();
        assert_eq!(batch.iter().map(|entry| &*entry.channel).collect::<String>(), left);
    }

    #[test]
    fn what_has_no_room_is_dropped_and_counted() {
        check(&Queue::new(2, 1000, Overflow::DropNewest), "ab", 1);
        check(&Queue::new(2, 1000, Overflow::DropOldest), "bc", 1);
        check(&Queue::new(9, 20, Overflow::DropNewest), "ab", 1);
        check(&Queue::new(9, 20, Overflow::DropOldest), "bc", 1);
        check(&Queue::new(9, 5, Overflow::DropNewest), "a", 2);
        check(&Queue::new(9, 5, Overflow::DropOldest), "c", 2);
    }

    #[test]
    fn nothing_waits_for_a_redis_that_is_gone() {
        let queue = Queue::new(9, 1000, Overflow::DropNewest);
        queue.push([entry("early")]);
        assert_eq!(queue.tally().dropped, 1);
        queue.open();
        queue.push([entry("a")]);
        assert!(queue.has_room());
        queue.close();
        assert_eq!(queue.tally().dropped, 2);
        assert!(queue.take_now().is_empty());
    }
}
