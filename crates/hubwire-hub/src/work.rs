//! How many methods of hubs run on a thread: a test that waits for a client's call wants to know whether any is left that could make it.

use std::cell::Cell;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static STREAMS: Cell<usize> = const { Cell::new(0) };
}

/// The methods that run on a thread, of all hubs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Work {
    /// Those that have begun and not ended, lifecycle methods among them.
    pub calls: usize,
    /// Those that answer with a stream or are sent one, which may last for as long as their connection.
    pub streams: usize,
}

impl Work {
    /// What runs on this thread now.
    pub fn here() -> Self {
        Self { calls: CALLS.get(), streams: STREAMS.get() }
    }
}

/// Counts one method for as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted(&'static std::thread::LocalKey<Cell<usize>>);

impl Counted {
    pub(crate) fn call() -> Self {
        Self::begin(&CALLS)
    }

    pub(crate) fn stream() -> Self {
        Self::begin(&STREAMS)
    }

    fn begin(count: &'static std::thread::LocalKey<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // A session that is dropped with its thread may outlive the counts.
        let _ = self.0.try_with(|count| count.set(count.get().saturating_sub(1)));
    }
}
