//! Whose turn it is to hand something in, where several requests may want to at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, MutexGuard};

/// One sender at a time, in the order in which they came, and only so many that wait.
#[derive(Debug)]
pub(crate) struct Turns {
    turn: Mutex<()>,
    senders: AtomicUsize,
    limit: usize,
}

/// A sender's turn, which ends when it is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    _turn: MutexGuard<'a, ()>,
    _place: Place<'a>,
}

/// A sender that waits or has its turn.
#[derive(Debug)]
struct Place<'a>(&'a AtomicUsize);

impl Turns {
    pub(crate) fn new(limit: usize) -> Self {
        Self { turn: Mutex::new(()), senders: AtomicUsize::new(0), limit }
    }

    /// Waits for a turn; `None` at once when too many wait already.
    pub(crate) async fn take(&self) -> Option<Turn<'_>> {
        let others = self.senders.fetch_add(1, Ordering::Relaxed);
        // Given back also when this future is dropped while it waits.
        let place = Place(&self.senders);
        if others > self.limit {
            return None;
        }
        Some(Turn { _turn: self.turn.lock().await, _place: place })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
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
        assert_eq!(turns.senders.load(Ordering::Relaxed), 0);
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
}
