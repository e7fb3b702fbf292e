//! A method that runs inside its session, where it can neither take others down with it nor keep them from their turn.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use hubwire_transport::panic_text;

use crate::call::{Call, CallHead};
use crate::client_result::{OpenQuestions, poll_call};
use crate::context::CallerContext;
use crate::definition::{HubDefinition, Method};
use crate::error::HubResult;
use crate::texts::{self, Detail};

/// A method that runs for the client.
pub(crate) struct Running<H: HubDefinition> {
    future: LocalBoxFuture<'static, ()>,
    context: CallerContext<H>,
    method: &'static Method<H>,
    head: Rc<CallHead>,
    questions: OpenQuestions,
    is_awaiting: bool,
    awaiting: Rc<Cell<usize>>,
}

impl<H: HubDefinition> Future for Running<H> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // A method that panics is an error for its caller only. Its own state is dropped here and now; what it shared with
        // others is as it would be after a panic in a task of its own.
        let Self { future, questions, .. } = &mut *self;
        let future = future.as_mut();
        let polled = poll_call(questions, || catch_unwind(AssertUnwindSafe(|| future.poll(cx))));
        let is_pending = matches!(polled, Ok(Poll::Pending));
        let is_asking = self.questions.load(Ordering::Relaxed) > 0;
        self.set_awaiting(is_pending && is_asking);
        polled.unwrap_or_else(|panic| {
            let panic = panic_text(&*panic);
            let method = self.method;
            tracing::error!(
                hub = self.context.hub().name(),
                method = method.rust_name,
                panic,
                "method panicked"
            );
            let sentence = texts::invocation_failed(&self.head.target);
            let detail = Detail::internal("Panic", panic);
            self.context.answer_error(&self.head, &sentence, Some(&detail));
            Poll::Ready(())
        })
    }
}

impl<H: HubDefinition> Running<H> {
    /// Starts `call`; `awaiting` counts those of its session that wait for a client.
    pub(crate) fn new(call: Call<H>, awaiting: Rc<Cell<usize>>) -> Self {
        let (context, method, head) = (call.context.clone(), call.method, call.head.clone());
        Self {
            future: (method.call)(call),
            context,
            method,
            head,
            questions: OpenQuestions::default(),
            is_awaiting: false,
            awaiting,
        }
    }

    fn set_awaiting(&mut self, is_awaiting: bool) {
        let others = self.awaiting.get() - usize::from(self.is_awaiting);
        self.awaiting.set(others + usize::from(is_awaiting));
        self.is_awaiting = is_awaiting;
    }
}

/// A lifecycle method whose panic is an error like any other.
pub(crate) async fn shielded(
    future: LocalBoxFuture<'_, HubResult<()>>,
    method: &'static str,
) -> HubResult<()> {
    match AssertUnwindSafe(future).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => Err(Panicked { method, panic: panic_text(&*panic).to_owned() }.into()),
    }
}

/// A lifecycle method panicked.
#[derive(Debug, thiserror::Error)]
#[error("{method} panicked: {panic}")]
struct Panicked {
    method: &'static str,
    panic: String,
}
