//! One connection, from its handshake to its end.
//!
//! # Theory of operation
//!
//! A session is one future on the connection's home worker.
//! It owns the futures of the methods that the client called: they run inside its task, so a call needs no lock, no channel and no `Send`.
//!
//! ```text
//!              handshake          on_connected         the end begins
//!   connection ─────────▶ connect ───────────▶ converse ────────────▶ part ──▶ gone
//!                  │                 │            ▲  │                  running calls finish,
//!                  ▼                 ▼            └──┘                  then on_disconnected
//!               refused           refused    events and calls
//! ```
//!
//! Calls of one client run one after another unless the options say otherwise.
//! A call that waits for its turn counts against the inbox, so a client that sends faster than it is served is not read any further; pings, answers and the end are heard as long as there is room.

use std::any::Any;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use hubwire_protocol::{Close, HubMessage, Invocation, MessageReader};
use hubwire_transport::{Connection, DisconnectReason, Event, Intake, Message};
use tracing::Instrument;

use crate::call::{Call, CallHead};
use crate::context::CallerContext;
use crate::definition::{HubDefinition, Method, MethodKind};
use crate::error::{HubError, HubResult, with_sources};
use crate::handshake::{Shaken, shake_hands, too_big};
use crate::hub::Hub;
use crate::keep_alive::{Due, KeepAlive};
use crate::member::Member;
use crate::registry::Presence;
use crate::texts::{self, Detail};

/// Runs one connection of a hub to its end.
pub(crate) async fn run<H: HubDefinition>(hub: Hub<H>, connection: Connection) {
    let transport = connection.request().transport.as_str();
    let span =
        tracing::info_span!("connection", hub = hub.name(), id = %connection.id(), transport);
    async {
        let reason = match shake_hands(&connection, &hub.core().options).await {
            Ok(shaken) => Session::new(hub.clone(), connection.clone(), shaken).run().await,
            Err(reason) => reason,
        };
        tracing::info!(
            hub = hub.name(),
            id = %connection.id(),
            transport,
            age_seconds = connection.ticks(),
            %reason,
            "connection closed"
        );
    }
    .instrument(span)
    .await;
}

struct Session<H: HubDefinition> {
    context: CallerContext<H>,
    reader: MessageReader,
    keep_alive: KeepAlive,
    ping: Message,
    running: FuturesUnordered<Running<H>>,
    waiting: VecDeque<Waiting>,
}

/// A method that runs for the client.
struct Running<H: HubDefinition> {
    future: LocalBoxFuture<'static, ()>,
    context: CallerContext<H>,
    method: &'static Method<H>,
    head: Rc<CallHead>,
}

/// A call that waits for its turn.
struct Waiting {
    invocation: Invocation,
    kind: MethodKind,
    /// What it counts for in the inbox.
    bytes: usize,
}

/// What a session waits for.
enum Step {
    Event(Event),
    /// A method has ended.
    Finished,
}

impl<H: HubDefinition> Session<H> {
    fn new(hub: Hub<H>, connection: Connection, shaken: Shaken) -> Self {
        let keep_alive = KeepAlive::new(&hub.core().options, connection.ticks());
        let member = Arc::new(Member::new(connection, shaken.protocol));
        let ping = member.message(|protocol, out| protocol.write_ping(out));
        Self {
            context: CallerContext::new(hub, member),
            reader: shaken.reader,
            keep_alive,
            ping,
            running: FuturesUnordered::new(),
            waiting: VecDeque::new(),
        }
    }

    fn connection(&self) -> &Connection {
        &self.context.member().connection
    }

    async fn run(mut self) -> DisconnectReason {
        let core = self.context.hub().core().clone();
        let _presence = Presence::enter(&core.registry, self.context.member());
        self.connection().wake_at(self.keep_alive.deadline());
        match self.connect().await {
            Ok(None) => {
                let reason = self.converse().await;
                self.part(reason).await
            }
            Ok(Some(reason)) => self.part(reason).await,
            Err(error) => self.refuse(&error),
        }
    }

    /// Runs `on_connected`; payloads wait until it returns. An end that comes meanwhile is returned.
    async fn connect(&mut self) -> HubResult<Option<DisconnectReason>> {
        let context = self.context.clone();
        let mut on_connected =
            pin!(shielded(context.hub().definition().on_connected(&context), "on_connected"));
        let mut ending = None;
        poll_fn(|cx| {
            while let Poll::Ready(event) = self.connection().poll_event(cx, Intake::Urgent) {
                match event {
                    Event::Closing(reason) => ending = Some(reason),
                    Event::Payload(_) => {}
                    Event::Tick => self.tick(),
                }
            }
            on_connected.as_mut().poll(cx)
        })
        .await?;
        Ok(ending)
    }

    /// The connection was not accepted: `on_disconnected` does not run.
    fn refuse(&self, error: &HubError) -> DisconnectReason {
        let detail = error.to_string();
        match error.as_internal() {
            Some(internal) => {
                tracing::error!(
                    hub = self.context.hub().name(),
                    error = with_sources(internal),
                    "on_connected failed"
                );
            }
            None => tracing::debug!(
                hub = self.context.hub().name(),
                error = detail,
                "on_connected refused"
            ),
        }
        let connection = self.connection();
        connection.close(DisconnectReason::Refused { detail });
        let reason = connection.disconnect_reason().unwrap_or(DisconnectReason::Kicked);
        let close = Close { error: Some(self.closed_with(&error.into())), allow_reconnect: false };
        connection.finish(Some(self.close_message(&close)));
        self.context.member().abort();
        reason
    }

    /// The life of the connection: events, and the calls that they start.
    async fn converse(&mut self) -> DisconnectReason {
        // Messages may have come right behind the handshake.
        let mut received = self.receive();
        loop {
            if let Err(reason) = received {
                self.connection().close(reason.clone());
                return self.connection().disconnect_reason().unwrap_or(reason);
            }
            match self.next_step().await {
                Step::Event(Event::Closing(reason)) => return reason,
                Step::Event(Event::Payload(payload)) => {
                    self.keep_alive.received(self.connection().ticks());
                    self.reader.push(payload.bytes);
                    received = self.receive();
                }
                Step::Event(Event::Tick) => self.tick(),
                Step::Finished => self.start_waiting(),
            }
        }
    }

    async fn next_step(&mut self) -> Step {
        poll_fn(|cx| {
            if let Poll::Ready(Some(())) = self.running.poll_next_unpin(cx) {
                return Poll::Ready(Step::Finished);
            }
            self.connection().poll_event(cx, Intake::Everything).map(Step::Event)
        })
        .await
    }

    /// Handles every whole message that has arrived.
    fn receive(&mut self) -> Result<(), DisconnectReason> {
        loop {
            let frame = match self.reader.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(()),
                Err(error) => return Err(too_big(&error, self.reader.buffered())),
            };
            let message = self
                .context
                .member()
                .protocol
                .parse(&frame)
                .map_err(|error| DisconnectReason::BadMessage { detail: error.to_string() })?;
            tracing::trace!(?message, "received");
            self.handle(message, frame.len())?;
        }
    }

    fn handle(&mut self, message: HubMessage, bytes: usize) -> Result<(), DisconnectReason> {
        match message {
            HubMessage::Invocation(invocation) => {
                self.enqueue(Waiting { invocation, kind: MethodKind::Invocation, bytes });
            }
            HubMessage::StreamInvocation(invocation) => {
                self.enqueue(Waiting { invocation, kind: MethodKind::Stream, bytes });
            }
            HubMessage::Completion(completion) => {
                let id = completion.invocation_id.as_str();
                self.context.member().answer(id, completion.outcome);
            }
            HubMessage::Ping => self.watch(),
            HubMessage::Close(close) => {
                return Err(DisconnectReason::ClientClosed { error: close.error });
            }
            // Nothing of ours that these could be about: late messages of a stream that has ended, or of a version to come.
            HubMessage::StreamItem(_)
            | HubMessage::CancelInvocation(_)
            | HubMessage::Ack(_)
            | HubMessage::Sequence(_)
            | HubMessage::Unknown(_) => tracing::debug!("ignored a message that concerns nothing"),
        }
        Ok(())
    }

    fn watch(&mut self) {
        self.keep_alive.watch();
        self.connection().wake_at(self.keep_alive.deadline());
    }

    fn tick(&mut self) {
        let connection = self.context.member().connection.clone();
        let now = connection.ticks();
        if connection.is_paused() || !self.running.is_empty() {
            // It cannot be heard, or it may be waiting for an answer: its silence means nothing.
            self.keep_alive.received(now);
        }
        match self.keep_alive.tick(now) {
            Due::Nothing => {}
            // Whoever has not taken the last message will not hear this one sooner.
            Due::Ping if connection.backlog() > 0 => {}
            Due::Ping => {
                connection.send(self.ping.clone());
            }
            Due::Timeout => connection.close(DisconnectReason::ClientTimeout),
        }
        connection.wake_at(self.keep_alive.deadline());
    }

    fn enqueue(&mut self, call: Waiting) {
        if self.waiting.is_empty() && self.has_turn() {
            self.start(call);
        } else {
            self.connection().hold(call.bytes);
            self.waiting.push_back(call);
        }
    }

    fn has_turn(&self) -> bool {
        let options = &self.context.hub().core().options;
        self.running.len() < options.maximum_parallel_invocations_per_client
    }

    fn start_waiting(&mut self) {
        while self.has_turn()
            && let Some(call) = self.waiting.pop_front()
        {
            self.connection().release(call.bytes);
            self.start(call);
        }
    }

    /// Starts a call, or answers why it cannot be started.
    fn start(&self, call: Waiting) {
        let Waiting { invocation, kind, .. } = call;
        let Invocation { invocation_id, target, arguments, stream_ids, .. } = invocation;
        let head = Rc::new(CallHead { invocation_id, target });
        let Some(method) = self.context.hub().inner().methods.find(&head.target) else {
            return self.answer_unknown(&head);
        };
        let refusal = match (method.kind, kind) {
            (MethodKind::Stream, MethodKind::Invocation) => texts::streaming_expected(&head.target),
            (MethodKind::Invocation, MethodKind::Stream) => {
                texts::no_streaming_expected(&head.target)
            }
            _ if !stream_ids.is_empty() => {
                let detail = Detail {
                    kind: "HubException".to_owned(),
                    text: texts::wrong_stream_count(stream_ids.len(), 0),
                    is_public: true,
                };
                texts::with_detail(&texts::invocation_failed(&head.target), Some(&detail), true)
            }
            _ => {
                let call = Call::new(self.context.clone(), method, head.clone(), arguments);
                if let Err(error) = call.check_count() {
                    return call.refuse(error);
                }
                let future = (method.call)(call);
                let context = self.context.clone();
                return self.running.push(Running { future, context, method, head });
            }
        };
        tracing::warn!(
            hub = self.context.hub().name(),
            method = method.rust_name,
            refusal,
            "call refused"
        );
        self.context.answer_error(&head, &refusal, None);
    }

    fn answer_unknown(&self, head: &CallHead) {
        let nearest = self.context.hub().inner().methods.nearest(&head.target);
        tracing::warn!(
            hub = self.context.hub().name(),
            target = %head.target.chars().take(100).collect::<String>(),
            nearest,
            "call of an unknown method"
        );
        let text = format!("{} {}", texts::binding_failed(&head.target), texts::NO_SUCH_METHOD);
        self.context.answer_error(head, &text, None);
    }

    /// The end: last words, what still runs, `on_disconnected`.
    async fn part(&mut self, reason: DisconnectReason) -> DisconnectReason {
        let last = self.last_words(&reason).map(|close| self.close_message(&close));
        self.connection().finish(last);
        self.context.member().abort();
        if !reason.delivers_received() {
            self.waiting.clear();
        }
        self.start_waiting();
        while self.running.next().await.is_some() {
            self.start_waiting();
        }
        let context = self.context.clone();
        let on_disconnected = context.hub().definition().on_disconnected(&context, &reason);
        if let Err(error) = shielded(on_disconnected, "on_disconnected").await {
            let error = error.as_internal().map_or_else(|| error.to_string(), |e| with_sources(e));
            tracing::error!(hub = self.context.hub().name(), error, "on_disconnected failed");
        }
        reason
    }

    /// What the client is told at the end, if it can still be told.
    fn last_words(&self, reason: &DisconnectReason) -> Option<Close> {
        let failed = |kind: &str, text: String| Close {
            error: Some(self.closed_with(&Detail::internal(kind, text))),
            allow_reconnect: true,
        };
        match reason {
            DisconnectReason::ClientClosed { .. }
            | DisconnectReason::HandshakeTimeout
            | DisconnectReason::NetworkLost => None,
            DisconnectReason::Kicked | DisconnectReason::Refused { .. } => Some(Close::default()),
            DisconnectReason::Shutdown | DisconnectReason::TokenExpired => {
                Some(Close { error: None, allow_reconnect: true })
            }
            DisconnectReason::BadMessage { detail } => {
                Some(failed("InvalidDataException", detail.clone()))
            }
            DisconnectReason::MessageTooBig { limit, .. } => Some(failed(
                "InvalidDataException",
                format!("The maximum message size of {limit}B was exceeded."),
            )),
            DisconnectReason::ClientTimeout => {
                let interval = self.context.hub().core().options.client_timeout_interval;
                let text = format!(
                    "Client hasn't sent a message/ping within the configured ClientTimeoutInterval ({interval:?})."
                );
                Some(failed("OperationCanceledException", text))
            }
            DisconnectReason::SlowConsumer { .. } => {
                Some(failed("OperationCanceledException", reason.to_string()))
            }
        }
    }

    fn closed_with(&self, detail: &Detail) -> String {
        let detailed_errors = self.context.hub().core().options.enable_detailed_errors;
        texts::with_detail(texts::CLOSED_WITH_ERROR, Some(detail), detailed_errors)
    }

    fn close_message(&self, close: &Close) -> Message {
        self.context.member().message(|protocol, out| protocol.write_close(out, close))
    }
}

impl<H: HubDefinition> Future for Running<H> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // A method that panics is an error for its caller only. Its own state is dropped here and now; what it shared with
        // others is as it would be after a panic in a task of its own.
        let future = self.future.as_mut();
        catch_unwind(AssertUnwindSafe(|| future.poll(cx))).unwrap_or_else(|panic| {
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

/// A lifecycle method whose panic is an error like any other.
async fn shielded(
    future: LocalBoxFuture<'_, HubResult<()>>,
    method: &'static str,
) -> HubResult<()> {
    use futures_util::FutureExt;
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

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panicked")
}
