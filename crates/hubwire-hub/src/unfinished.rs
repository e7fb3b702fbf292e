//! Futures that wait for something, each polled only when it was woken.

use std::future::{Future, Pending, pending};
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::future::Either;
use futures_util::stream::FuturesUnordered;

/// A set of futures, which come out in the order in which they end.
///
/// A `FuturesUnordered` has its task woken once more whenever it has polled as many times as there are futures in it, so
/// that others have their turn: with one future, behind each of its polls, and the whole session is polled twice. One
/// that never ends and is never woken makes them one too many for that.
pub(crate) struct Unfinished<F: Future>(FuturesUnordered<Either<F, Pending<F::Output>>>);

impl<F: Future + Unpin> Unfinished<F> {
    pub(crate) fn new() -> Self {
        Self(FuturesUnordered::from_iter([Either::Right(pending())]))
    }

    pub(crate) fn push(&self, future: F) {
        self.0.push(Either::Left(future));
    }

    /// How many have not ended.
    pub(crate) fn len(&self) -> usize {
        self.0.len() - 1
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &F> {
        self.0.iter().filter_map(|future| match future {
            Either::Left(future) => Some(future),
            Either::Right(_) => None,
        })
    }

    /// What the next one that ends comes to.
    pub(crate) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.0.poll_next_unpin(cx) {
            Poll::Ready(Some(ended)) => Poll::Ready(ended),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    use tokio::sync::oneshot;

    use super::Unfinished;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn one_that_goes_on_waiting_wakes_its_task_no_further() {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        let mut cx = Context::from_waker(&waker);
        let count = || wakes.0.load(Ordering::Relaxed);
        let ((first, one), (second, other)) = (oneshot::channel(), oneshot::channel());
        let mut set = Unfinished::new();
        set.push(Box::pin(async { (one.await, other.await) }));
        // A set that is new may have its task woken once.
        for _ in 0..2 {
            assert_eq!((set.poll_ended(&mut cx), set.len()), (Poll::Pending, 1));
        }
        let before = count();
        first.send(1).unwrap();
        assert_eq!((set.poll_ended(&mut cx), count()), (Poll::Pending, before + 1));
        second.send(2).unwrap();
        assert_eq!(set.poll_ended(&mut cx), Poll::Ready((Ok(1), Ok(2))));
        assert_eq!((set.len(), set.iter().count(), count()), (0, 0, before + 2));
        assert_eq!((set.poll_ended(&mut cx), count()), (Poll::Pending, before + 2));
    }
}
