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
use crate::call::Call;
use crate::client_result::poll_call;
use crate::definition::{HubDefinition, Method};
use crate::error::{HubError, HubResult};
use crate::filter::HubInvocation;
use crate::progress::Progress;
use crate::streams::Streaming;
use crate::texts;
use crate::work::Counted;

/// A method that runs for the client.
pub(crate) struct Running<H: HubDefinition> {
    future: LocalBoxFuture<'static, ()>,
    method: Option<&'static Method<H>>,
    progress: Arc<Progress>,
    load: Rc<Load>,
    share: Share,
    /// Closes its streams when it ends.
    _streaming: Option<Streaming>,
    _counted: Counted,
}

/// How a call came to its end.
pub(crate) enum Ended<H: HubDefinition> {
    /// Answered, as far as its client wants an answer.
    ByItself,
    /// Nobody has answered it.
    Panicked { method: Option<&'static Method<H>>, progress: Arc<Progress>, panic: String },
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
    type Output = Ended<H>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended<H>> {
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
        match polled {
            Ok(polled) => polled.map(|()| Ended::ByItself),
            Err(panic) => Poll::Ready(Ended::Panicked {
                method: self.method,
                progress: self.progress.clone(),
                panic: panic_text(&*panic).to_owned(),
            }),
        }
    }
}

impl<H: HubDefinition> Running<H> {
    /// Starts `call`, which is counted in the `load` of its session.
    pub(crate) fn new(call: Call<H>, load: Rc<Load>, streaming: Option<Streaming>) -> Self {
        let (method, progress) = (call.method, call.progress.clone());
        let filters = &call.context.hub().inner().filters;
        let is_looked_at = method.has_policies() || !filters.is_empty();
        let future = if is_looked_at { Box::pin(guarded(call)) } else { (method.call)(call) };
        let share = Share::Turn;
        let is_streaming = method.is_streaming();
        let _counted = if is_streaming { Counted::stream() } else { Counted::call() };
        let (method, _streaming) = (Some(method), streaming);
        let mut running = Self { future, method, progress, load, share, _streaming, _counted };
        if is_streaming {
            running.count_as(Share::Streaming);
        }
        running
    }

    /// Shows filters a call of a method that there is not.
    pub(crate) fn unknown(
        invocation: HubInvocation<H>,
        progress: Arc<Progress>,
        load: Rc<Load>,
        streaming: Option<Streaming>,
    ) -> Self {
        let context = invocation.context().clone();
        let refusal = texts::unknown_method(&progress.head.target);
        let future = {
            let progress = progress.clone();
            async move {
                // A filter may have an answer, which is no more for everybody than a method of the hub.
                if !agree(H::authorization(), &invocation).await {
                    return context.answer_unauthorized(&progress.head, None);
                }
                let filters = &context.hub().inner().filters;
                let refused = async { Err(HubError::refusal(refusal, None)) };
                let outcome = filters.invoke(&invocation, || Box::pin(refused)).await;
                context.answer(&progress.head, None, outcome);
            }
        };
        let (future, method, share) = (Box::pin(future), None, Share::Turn);
        let (_streaming, _counted) = (streaming, Counted::call());
        Self { future, method, progress, load, share, _streaming, _counted }
    }

    /// Whether it answers the call with this id.
    pub(crate) fn answers(&self, id: &InvocationId) -> bool {
        self.progress.head.invocation_id.as_ref() == Some(id)
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
async fn guarded<H: HubDefinition>(mut call: Call<H>) {
    let (context, method, progress) = (call.context.clone(), call.method, call.progress.clone());
    // Filters and policies may take their time, and may look at them before and behind.
    call.arguments = call.arguments.detached();
    let arguments = call.arguments.clone();
    let invocation = HubInvocation::new(context.clone(), Some(method), progress.clone(), arguments);
    let authorizations = H::authorization().iter().chain(method.authorization);
    if !agree(authorizations, &invocation).await {
        return context.answer_unauthorized(&progress.head, Some(method));
    }
    let filters = &context.hub().inner().filters;
    if filters.is_empty() {
        return (method.call)(call).await;
    }
    let outcome = filters.invoke(&invocation, move || Box::pin(call.run_kept())).await;
    context.answer(&progress.head, Some(method), outcome);
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
