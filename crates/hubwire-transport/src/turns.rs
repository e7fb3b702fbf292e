//! Whose turn it is to hand something in, where several requests may want to at once.

use std::cmp::Ordering;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::{Mutex, MutexGuard};

/// One sender at a time, in the order in which they came, and only so many that wait.
#[derive(Debug)]
pub(crate) struct Turns {
    /// How much that was numbered has been handed in.
    counted: Mutex<u64>,
    senders: AtomicUsize,
    limit: usize,
}

/// A sender's turn, which ends when it is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    counted: MutexGuard<'a, u64>,
    _sender: Sender<'a>,
}

/// Where something that its sender numbered belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Something before it is missing: the number that is expected.
    Ahead {
        /// The next number.
        expected: u64,
    },
    /// It is next.
    Next,
    /// It was handed in before.
    Repeated,
}

/// A sender that waits or has its turn.
#[derive(Debug)]
struct Sender<'a>(&'a AtomicUsize);

impl Turns {
    pub(crate) fn new(limit: usize) -> Self {
        Self { counted: Mutex::new(0), senders: AtomicUsize::new(0), limit }
    }

    /// Waits for a turn; `None` at once when too many wait already.
    pub(crate) async fn take(&self) -> Option<Turn<'_>> {
        let others = self.senders.fetch_add(1, Relaxed);
        // Given back also when this future is dropped while it waits.
        let sender = Sender(&self.senders);
        if others > self.limit {
            return None;
        }
        Some(Turn { counted: self.counted.lock().await, _sender: sender })
    }
}

impl Turn<'_> {
    /// Where what its sender numbered `number` belongs; numbers start at 1.
    pub fn place(&self, number: u64) -> Place {
        let expected = *self.counted + 1;
        match number.cmp(&expected) {
            Ordering::Less => Place::Repeated,
            Ordering::Equal => Place::Next,
            Ordering::Greater => Place::Ahead { expected },
        }
    }

    /// Counts something numbered that was handed in.
    pub fn count(&mut self) {
        *self.counted += 1;
    }
}

impl Drop for Sender<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn turns_come_in_order_and_too_many_are_sent_away() {
        let turns = Turns::new(1);
        let cx = &mut Context::from_waker(Waker::noop());
        let mut first = Box::pin(turns.take());
        let Poll::Ready(Some(turn)) = first.as_mut().poll(cx) else {
            panic!("nobody else is there")
        };
        let mut second = Box::pin(turns.take());
        assert!(second.as_mut().poll(cx).is_pending());
        assert!(matches!(pin!(turns.take()).poll(cx), Poll::Ready(None)));
        drop(turn);
        let Poll::Ready(Some(turn)) = second.as_mut().poll(cx) else { panic!("it is next") };
        drop(turn);
        assert_eq!(turns.senders.load(Relaxed), 0);
    }

    #[test]
    fn a_sender_that_gives_up_makes_room() {
        let turns = Turns::new(1);
        let cx = &mut Context::from_waker(Waker::noop());
        let mut first = Box::pin(turns.take());
        let turn = first.as_mut().poll(cx);
        let mut second = Box::pin(turns.take());
        assert!(second.as_mut().poll(cx).is_pending());
        drop(second);
        assert!(pin!(turns.take()).poll(cx).is_pending());
        drop(turn);
    }

    #[test]
    fn what_is_numbered_is_handed_in_once_and_in_order() {
        let turns = Turns::new(1);
        let cx = &mut Context::from_waker(Waker::noop());
        let Poll::Ready(Some(mut turn)) = pin!(turns.take()).poll(cx) else {
            panic!("nobody else is there")
        };
        assert_eq!(turn.place(1), Place::Next);
        assert_eq!(turn.place(2), Place::Ahead { expected: 1 });
        turn.count();
        assert_eq!(turn.place(1), Place::Repeated);
        assert_eq!(turn.place(0), Place::Repeated);
        assert_eq!(turn.place(2), Place::Next);
    }
}
