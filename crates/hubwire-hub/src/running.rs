//! A method that runs inside its session, where it can neither take others down with it nor keep them from their turn.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use hubwire_protocol::InvocationId;
use hubwire_transport::panic_text;

use crate::authorization::agree;
use crate::call::{Call, CallHead};
use crate::client_result::poll_call;
use crate::context::CallerContext;
use crate::definition::{HubDefinition, Method};
use crate::error::{HubError, HubResult};
use crate::filter::HubInvocation;
use crate::progress::Progress;
use crate::streams::Streaming;
use crate::texts::{self, Detail};
use crate::work::Counted;

/// A method that runs for the client.
pub(crate) struct Running<H: HubDefinition> {
    future: LocalBoxFuture<'static, ()>,
    context: CallerContext<H>,
    method: Option<&'static Method<H>>,
    head: Rc<CallHead>,
    progress: Arc<Progress>,
    load: Rc<Load>,
    share: Share,
    /// Closes its streams when it ends.
    _streaming: Option<Streaming>,
    _counted: Counted,
}

/// The running calls of a session that keep no other from its turn.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Those that wait for a client's result.
    pub(crate) awaiting: Cell<usize>,
    /// Those that carry a stream.
    pub(crate) streaming: Cell<usize>,
}

/// What a call counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    Awaiting,
    Streaming,
    Turn,
}

impl<H: HubDefinition> Future for Running<H> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // A method that panics is an error for its caller only. Its own state is dropped here and now; what it shared with
        // others is as it would be after a panic in a task of its own.
        let Self { future, progress, .. } = &mut *self;
        let future = future.as_mut();
        let polled = poll_call(progress, || catch_unwind(AssertUnwindSafe(|| future.poll(cx))));
        if self.share != Share::Streaming {
            let is_pending = matches!(polled, Ok(Poll::Pending));
            let is_awaiting = is_pending && self.progress.is_asking();
            self.count_as(if is_awaiting { Share::Awaiting } else { Share::Turn });
        }
        polled.unwrap_or_else(|panic| {
            let panic = panic_text(&*panic);
            let method = self.method;
            tracing::error!(
                hub = self.context.hub().name(),
                method = method.map(|method| method.rust_name),
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
    /// Starts `call`, which is counted in the `load` of its session.
    pub(crate) fn new(
        call: Call<H>,
        progress: Arc<Progress>,
        load: Rc<Load>,
        streaming: Option<Streaming>,
    ) -> Self {
        let (context, method, head) = (call.context.clone(), call.method, call.head.clone());
        let is_looked_at = method.has_policies() || !context.hub().inner().filters.is_empty();
        let future = if is_looked_at { Box::pin(guarded(call)) } else { (method.call)(call) };
        let share = Share::Turn;
        let is_streaming = method.is_streaming();
        let _counted = if is_streaming { Counted::stream() } else { Counted::call() };
        let (method, _streaming) = (Some(method), streaming);
        let mut running =
            Self { future, context, method, head, progress, load, share, _streaming, _counted };
        if is_streaming {
            running.count_as(Share::Streaming);
        }
        running
    }

    /// Shows filters a call of a method that there is not.
    pub(crate) fn unknown(
        invocation: HubInvocation<H>,
        head: Rc<CallHead>,
        progress: Arc<Progress>,
        load: Rc<Load>,
        streaming: Option<Streaming>,
    ) -> Self {
        let context = invocation.context().clone();
        let refusal = texts::unknown_method(&head.target);
        let future = {
            let (context, head) = (context.clone(), head.clone());
            async move {
                // A filter may have an answer, which is no more for everybody than a method of the hub.
                if !agree(H::authorization(), &invocation).await {
                    return context.answer_unauthorized(&head, None);
                }
                let filters = &context.hub().inner().filters;
                let refused = async { Err(HubError::refusal(refusal, None)) };
                let outcome = filters.invoke(&invocation, || Box::pin(refused)).await;
                context.answer(&head, None, outcome);
            }
        };
        let (future, method, share) = (Box::pin(future), None, Share::Turn);
        let (_streaming, _counted) = (streaming, Counted::call());
        Self { future, context, method, head, progress, load, share, _streaming, _counted }
    }

    /// Whether it answers the call with this id.
    pub(crate) fn answers(&self, id: &InvocationId) -> bool {
        self.head.invocation_id.as_ref() == Some(id)
    }

    /// Tells it that its client wants no answer any more.
    pub(crate) fn cancel(&self) {
        self.progress.cancel();
    }

    fn count_as(&mut self, share: Share) {
        let counter = |share| match share {
            Share::Awaiting => Some(&self.load.awaiting),
            Share::Streaming => Some(&self.load.streaming),
            Share::Turn => None,
        };
        if let Some(counter) = counter(self.share) {
            counter.set(counter.get() - 1);
        }
        if let Some(counter) = counter(share) {
            counter.set(counter.get() + 1);
        }
        self.share = share;
    }
}

/// Runs a call through the policies and the filters that it meets.
async fn guarded<H: HubDefinition>(call: Call<H>) {
    let (context, method, head) = (call.context.clone(), call.method, call.head.clone());
    let arguments = call.arguments.clone();
    let invocation = HubInvocation::new(context.clone(), Some(method), head.clone(), arguments);
    let authorizations = H::authorization().iter().chain(method.authorization);
    if !agree(authorizations, &invocation).await {
        return context.answer_unauthorized(&head, Some(method));
    }
    let filters = &context.hub().inner().filters;
    if filters.is_empty() {
        return (method.call)(call).await;
    }
    let outcome = filters.invoke(&invocation, move || Box::pin(call.run_kept())).await;
    context.answer(&head, Some(method), outcome);
}

impl<H: HubDefinition> Drop for Running<H> {
    fn drop(&mut self) {
        self.count_as(Share::Turn);
    }
}

/// A lifecycle method whose panic is an error like any other.
pub(crate) async fn shielded(
    future: LocalBoxFuture<'_, HubResult<()>>,
    method: &'static str,
) -> HubResult<()> {
    let _counted = Counted::call();
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
