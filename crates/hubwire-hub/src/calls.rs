//! The calls of one client: those that run, and those that wait for their turn.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use hubwire_protocol::{Arguments, Invocation, InvocationId};

use crate::authorization::admit;
use crate::call::{Call, CallHead};
use crate::context::CallerContext;
use crate::definition::{HubDefinition, Method, MethodKind, ParameterKind};
use crate::ending::dismisses;
use crate::filter::HubInvocation;
use crate::meter;
use crate::progress::Progress;
use crate::running::{Ended, Load, Running};
use crate::streams::{StreamError, Streaming, Streams};
use crate::texts::{self, Detail};
use crate::unfinished::Unfinished;

/// How many calls may wait for a client's result beside those that have their turn: a client that calls and never answers must not pile them up.
const AWAITING_MAX: usize = 16;

/// The calls of a session.
pub(crate) struct Calls<H: HubDefinition> {
    context: CallerContext<H>,
    /// Calls that have begun and were not polled yet, in their order. Most end when they first are, and never need a place
    /// among those that wait.
    begun: VecDeque<Running<H>>,
    /// Those that wait for something; made when the first one does, since most clients never have any.
    running: Option<Unfinished<Running<H>>>,
    load: Rc<Load>,
    waiting: VecDeque<Waiting>,
    pub(crate) streams: Rc<Streams>,
}

/// A call that waits for its turn.
struct Waiting {
    invocation: Invocation,
    kind: MethodKind,
    /// What it counts for in the inbox.
    bytes: usize,
    /// Its client has cancelled it already.
    is_cancelled: bool,
    streaming: Option<Streaming>,
}

impl<H: HubDefinition> Calls<H> {
    pub(crate) fn new(context: CallerContext<H>) -> Self {
        let limit = context.hub().core().options.maximum_open_streams_per_client;
        let streams = Rc::new(Streams::new(context.member().connection.clone(), limit));
        Self {
            context,
            begun: VecDeque::new(),
            running: None,
            load: Rc::default(),
            waiting: VecDeque::new(),
            streams,
        }
    }

    /// Takes a call of `bytes` from the client.
    pub(crate) fn receive(&mut self, invocation: Invocation, kind: MethodKind, bytes: usize) {
        let streaming = match self.streams.open(&invocation, kind) {
            Ok(streaming) => streaming,
            Err(error) => return self.refuse_streams(invocation, error),
        };
        let bytes = bytes + size_of::<Waiting>();
        let call = Waiting { invocation, kind, bytes, is_cancelled: false, streaming };
        if self.is_busy() {
            self.context.member().connection.hold(call.bytes);
            self.waiting.push_back(call);
        } else {
            self.start(call);
        }
    }

    /// Whether what comes now may have to wait.
    pub(crate) fn keeps_what_comes(&self) -> bool {
        self.is_busy() || self.streams.is_receiving()
    }

    /// Whether a call that comes now has to wait.
    fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.has_turn()
    }

    /// Whether another call may start. Those that wait for a client's result do not count: the client may have to call
    /// first. Nor do those with streams, which have a limit of their own.
    fn has_turn(&self) -> bool {
        let parallel = self.context.hub().core().options.maximum_parallel_invocations_per_client;
        let running = self.count() - self.load.streaming.get();
        running - self.load.awaiting.get() < parallel
            && running < parallel.saturating_add(AWAITING_MAX)
            && !self.is_dismissed()
    }

    /// How many run.
    fn count(&self) -> usize {
        self.begun.len() + self.running.as_ref().map_or(0, Unfinished::len)
    }

    /// Whether the connection ends by the will of the server, which wants no call of the client any more.
    fn is_dismissed(&self) -> bool {
        let connection = &self.context.member().connection;
        connection.is_closing() && connection.disconnect_reason().as_ref().is_some_and(dismisses)
    }

    /// Runs the calls; ready when one that waits may start.
    pub(crate) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(mut call) = self.begun.pop_front() {
            match call.poll_unpin(cx) {
                Poll::Ready(ended) => self.end(ended),
                Poll::Pending => self.running.get_or_insert_with(Unfinished::new).push(call),
            }
        }
        while let Some(running) = &mut self.running
            && let Poll::Ready(ended) = running.poll_ended(cx)
        {
            self.end(ended);
        }
        let may_start = !self.waiting.is_empty() && self.has_turn();
        if may_start { Poll::Ready(()) } else { Poll::Pending }
    }

    /// A call has ended by itself, or by a panic, of which its caller has not heard yet.
    fn end(&self, ended: Ended<H>) {
        let Ended::Panicked { method, progress, panic } = ended else { return };
        tracing::error!(
            hub = self.context.hub().name(),
            method = method.map(|method| method.rust_name),
            panic,
            "method panicked"
        );
        let sentence = texts::invocation_failed(&progress.head.target);
        let detail = Detail::internal("Panic", panic);
        self.context.answer_error(&progress.head, &sentence, Some(&detail));
    }

    pub(crate) fn start_waiting(&mut self) {
        while !self.waiting.is_empty()
            && self.has_turn()
            && let Some(call) = self.waiting.pop_front()
        {
            self.context.member().connection.release(call.bytes);
            self.start(call);
        }
    }

    /// Starts a call, or answers why it cannot be started.
    fn start(&mut self, call: Waiting) {
        let Waiting { invocation, kind, is_cancelled, streaming, .. } = call;
        let Invocation { headers, invocation_id, target, arguments, .. } = invocation;
        let method = self.context.hub().inner().methods.find(&target);
        let name = method.map(|method| method.name);
        let head = CallHead::new(invocation_id, &target, &headers, name);
        meter::called(self.context.hub().name(), name);
        let Some(method) = method else {
            return self.start_unknown(head, &arguments, is_cancelled, streaming);
        };
        if !admit(method.authorization, &self.context.request().identity) {
            return self.context.answer_unauthorized(&head, Some(method));
        }
        let uploads: Vec<_> = streaming
            .iter()
            .flat_map(|streaming| &streaming.uploads)
            .map(|(_, upload)| upload.clone())
            .collect();
        if let Some(refusal) = mismatch(method, kind, &head) {
            return self.refuse(method, &head, &refusal, None);
        }
        let sent = uploads.len();
        let progress = Progress::new(head, is_cancelled);
        let context = self.context.in_call(progress.clone());
        let call = Call::new(context, method, progress, arguments, uploads);
        if let Err(error) = call.check_count() {
            return call.refuse(error);
        }
        let expected = method.parameters(ParameterKind::Stream).count();
        if sent != expected {
            let detail = texts::wrong_stream_count(sent, expected);
            let sentence = texts::invocation_failed(&call.head().target);
            return self.refuse(method, call.head(), &sentence, Some(detail));
        }
        self.begun.push_back(Running::new(call, self.load.clone(), streaming));
    }

    /// The client wants no answer to a call any more; the call is told, and still answered.
    pub(crate) fn cancel(&mut self, id: &InvocationId) {
        let running = self.all().find(|running| running.answers(id));
        if let Some(running) = running {
            return running.cancel();
        }
        let waits = |call: &&mut Waiting| call.invocation.invocation_id.as_ref() == Some(id);
        if let Some(call) = self.waiting.iter_mut().find(waits) {
            call.is_cancelled = true;
        }
    }

    /// The client is gone: what is for it alone ends.
    pub(crate) fn disconnect(&self) {
        for running in self.all() {
            running.cancel();
        }
        self.streams.disconnect();
    }

    fn all(&self) -> impl Iterator<Item = &Running<H>> {
        self.begun.iter().chain(self.running.iter().flat_map(Unfinished::iter))
    }

    /// Whether nothing runs, nor will.
    pub(crate) fn are_over(&self) -> bool {
        self.count() == 0 && (self.waiting.is_empty() || self.is_dismissed())
    }

    /// Gives up waiting for calls: those that run go on by themselves.
    pub(crate) fn outlive(&mut self) {
        tracing::warn!(
            hub = self.context.hub().name(),
            running = self.count(),
            waiting = self.waiting.len(),
            "calls outlive their connection; those that wait are dropped"
        );
        // What they hold of the inbox is not released: a connection that ends receives nothing.
        self.waiting.clear();
    }

    /// Runs what still runs to its end.
    pub(crate) async fn run_out(&mut self) {
        poll_fn(|cx| {
            // None waits any more, so there is no turn to be had.
            let _ = self.poll_turn(cx);
            if self.count() == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// There is no such method; a filter may have an answer all the same.
    fn start_unknown(
        &mut self,
        head: CallHead,
        arguments: &Arguments,
        is_cancelled: bool,
        streaming: Option<Streaming>,
    ) {
        let hub = self.context.hub();
        let nearest = hub.inner().methods.nearest(&head.target);
        tracing::warn!(hub = hub.name(), target = %shown(&head), nearest, "call of an unknown method");
        if hub.inner().filters.is_empty() {
            let text = texts::unknown_method(&head.target);
            return self.context.answer_error(&head, &text, None);
        }
        let progress = Progress::new(head, is_cancelled);
        let context = self.context.in_call(progress.clone());
        let invocation = HubInvocation::new(context, None, progress.clone(), arguments.detached());
        self.begun.push_back(Running::unknown(invocation, progress, self.load.clone(), streaming));
    }

    fn refuse_streams(&self, invocation: Invocation, error: StreamError) {
        let Invocation { headers, invocation_id, target, .. } = invocation;
        let head = CallHead::new(invocation_id, &target, &headers, None);
        tracing::warn!(
            hub = self.context.hub().name(),
            target = %shown(&head),
            refusal = ?error,
            "call refused"
        );
        match error {
            StreamError::Sentence(sentence) => self.context.answer_error(&head, &sentence, None),
            StreamError::Detail(text) => {
                let sentence = texts::invocation_failed(&head.target);
                self.context.answer_error(&head, &sentence, Some(&Detail::public(text)));
            }
        }
    }

    fn refuse(&self, method: &Method<H>, head: &CallHead, sentence: &str, detail: Option<String>) {
        tracing::warn!(
            hub = self.context.hub().name(),
            method = method.rust_name,
            refusal = detail.as_deref().unwrap_or(sentence),
            "call refused"
        );
        self.context.answer_error(head, sentence, detail.map(Detail::public).as_ref());
    }
}

/// What is wrong with a call of `kind`, if the method answers in another way.
fn mismatch<H: HubDefinition>(
    method: &Method<H>,
    kind: MethodKind,
    head: &CallHead,
) -> Option<String> {
    match (method.kind, kind) {
        (MethodKind::Stream, MethodKind::Invocation) => {
            Some(texts::streaming_expected(&head.target))
        }
        (MethodKind::Invocation, MethodKind::Stream) => {
            Some(texts::no_streaming_expected(&head.target))
        }
        (MethodKind::Stream, MethodKind::Stream)
        | (MethodKind::Invocation, MethodKind::Invocation) => None,
    }
}

/// As much of a method's name as a log should bear.
fn shown(head: &CallHead) -> String {
    head.target.chars().take(100).collect()
}
