//! What is known of a call while it runs: what it waits for, and whether its client still wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::call::CallHead;

/// One call while it runs, seen from the call, from its session and from whatever the call has spawned.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) head: CallHead,
    /// How many client results it waits for.
    questions: AtomicUsize,
    is_cancelled: AtomicBool,
    cancel: Notify,
}

/// A place among the open questions of a call.
#[derive(Debug)]
pub(crate) struct OpenQuestion(Arc<Progress>);

impl Progress {
    /// Of a call that begins now; its client may have cancelled it while it waited.
    pub(crate) fn new(head: CallHead, is_cancelled: bool) -> Arc<Self> {
        let is_cancelled = AtomicBool::new(is_cancelled);
        Arc::new(Self { head, questions: AtomicUsize::new(0), is_cancelled, cancel: Notify::new() })
    }

    pub(crate) fn ask(self: Arc<Self>) -> OpenQuestion {
        self.questions.fetch_add(1, Ordering::Relaxed);
        OpenQuestion(self)
    }

    /// Whether it waits for a client.
    pub(crate) fn is_asking(&self) -> bool {
        self.questions.load(Ordering::Relaxed) > 0
    }

    /// Its client wants no answer any more, or is gone.
    pub(crate) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Release);
        self.cancel.notify_waiters();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire)
    }

    /// Waits for [`cancel`](Self::cancel).
    pub(crate) async fn cancelled(&self) {
        let mut notified = std::pin::pin!(self.cancel.notified());
        notified.as_mut().enable();
        if !self.is_cancelled() {
            notified.await;
        }
    }
}

impl Drop for OpenQuestion {
    fn drop(&mut self) {
        self.0.questions.fetch_sub(1, Ordering::Relaxed);
    }
}
