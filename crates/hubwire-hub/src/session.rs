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
//! Calls of one client run one after another unless the options say otherwise; one that waits for a client's result lets the next one run.
//! A call that waits for its turn counts against the inbox, so a client that sends faster than it is served is not read any further; pings, answers and the end are heard as long as there is room.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hubwire_protocol::{Close, HubMessage, Invocation, MessageReader};
use hubwire_transport::{Connection, DisconnectReason, Event, Intake, Message};
use tracing::Instrument;

use crate::call::{Call, CallHead};
use crate::context::CallerContext;
use crate::definition::{HubDefinition, MethodKind};
use crate::ending::{closed_with, dismisses, last_words};
use crate::error::{HubError, HubResult, with_sources};
use crate::handshake::{Shaken, shake_hands, too_big};
use crate::hub::Hub;
use crate::keep_alive::{Due, KeepAlive};
use crate::member::Member;
use crate::meter;
use crate::registry::Presence;
use crate::running::{Running, shielded};
use crate::texts::{self, Detail};

/// Runs one connection of a hub to its end.
pub(crate) async fn run<H: HubDefinition>(hub: Hub<H>, connection: Connection) {
    let transport = connection.request().transport.as_str();
    let span =
        tracing::info_span!("connection", hub = hub.name(), id = %connection.id(), transport);
    async {
        match shake_hands(&connection, &hub.core().options).await {
            Ok(shaken) => Session::new(hub.clone(), connection.clone(), shaken).run().await,
            Err(reason) => connection.log_end(hub.name(), &reason),
        }
    }
    .instrument(span)
    .await;
}

/// How many ticks `on_disconnected` waits for calls that still run.
///
/// Long enough for what a call usually has left to do, so that it is over when its client is reported gone; shorter than the five seconds that a server that goes down waits, so that `on_disconnected` has time too.
const CALLS_GRACE: u64 = 3;

/// How many calls may wait for a client's result beside those that have their turn: a client that calls and never answers must not pile them up.
const AWAITING_MAX: usize = 16;

/// How many turns a session takes before others have theirs: whatever it sends, sockets must get to write.
const TURNS_AT_ONCE: usize = 16;

/// Messages up to this size are copied, so that a small one does not keep the large buffer that it was read into.
const COPIED: usize = 512;

struct Session<H: HubDefinition> {
    context: CallerContext<H>,
    reader: MessageReader,
    keep_alive: KeepAlive,
    ping: Message,
    running: FuturesUnordered<Running<H>>,
    /// How many of those that run wait for a client's result.
    awaiting: Rc<Cell<usize>>,
    waiting: VecDeque<Waiting>,
    /// Turns since others had theirs.
    turns: usize,
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
    /// A method has ended, or waits for a client: another one may have its turn.
    Turn,
}

impl<H: HubDefinition> Session<H> {
    fn new(hub: Hub<H>, connection: Connection, shaken: Shaken) -> Self {
        let transport = connection.request().transport;
        let keep_alive = KeepAlive::new(&hub.core().options, transport, connection.ticks());
        let member = Arc::new(Member::new(connection, shaken.protocol));
        let ping = member.message(|protocol, out| protocol.write_ping(out));
        Self {
            context: CallerContext::new(hub, member),
            reader: shaken.reader,
            keep_alive,
            ping,
            running: FuturesUnordered::new(),
            awaiting: Rc::default(),
            waiting: VecDeque::new(),
            turns: 0,
        }
    }

    fn connection(&self) -> &Connection {
        &self.context.member().connection
    }

    async fn run(mut self) {
        let core = self.context.hub().core().clone();
        let presence = Presence::enter(&core.registry, self.context.member());
        self.connection().wake_at(self.keep_alive.deadline());
        let reason = match self.connect().await {
            Ok(None) => {
                let reason = self.converse().await;
                self.part(reason).await
            }
            Ok(Some(reason)) => self.part(reason).await,
            Err(error) => self.refuse(&error),
        };
        drop(presence);
        self.connection().log_end(&core.name, &reason);
        // Calls that outlived their client are not stopped halfway.
        while self.running.next().await.is_some() {}
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
            if self.connection().is_closing() {
                // Also where the end itself waits behind payloads: `on_connected` may be waiting for just that.
                self.context.member().abort();
            }
            on_connected.as_mut().poll(cx)
        })
        .await?;
        self.context.member().connected();
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
        let error = closed_with(&error.into(), &self.context.hub().core().options);
        let close = Close { error: Some(error), allow_reconnect: false };
        connection.finish(Some(self.close_message(&close)));
        self.context.member().abort();
        reason
    }

    /// The life of the connection: events, and the calls that they start.
    async fn converse(&mut self) -> DisconnectReason {
        // Messages may have come right behind the handshake; nobody listened until now.
        self.keep_alive.received(self.connection().ticks());
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
                Step::Turn => self.start_waiting(),
            }
        }
    }

    async fn next_step(&mut self) -> Step {
        poll_fn(|cx| {
            if self.turns == TURNS_AT_ONCE {
                self.turns = 0;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let step = self.poll_step(cx);
            self.turns = if step.is_ready() { self.turns + 1 } else { 0 };
            step
        })
        .await
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if let Poll::Ready(Some(())) = self.running.poll_next_unpin(cx) {
            return Poll::Ready(Step::Turn);
        }
        if !self.waiting.is_empty() && self.has_turn() {
            return Poll::Ready(Step::Turn);
        }
        self.connection().poll_event(cx, Intake::Everything).map(Step::Event)
    }

    /// Handles every whole message that has arrived.
    fn receive(&mut self) -> Result<(), DisconnectReason> {
        loop {
            let frame = match self.reader.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(()),
                Err(error) => return Err(too_big(&error, self.reader.buffered())),
            };
            // A call that has to wait keeps no larger buffer either, whatever its size.
            let is_copied = frame.len() <= COPIED || self.is_busy();
            let frame = if is_copied { Bytes::copy_from_slice(&frame) } else { frame };
            let message = self
                .context
                .member()
                .protocol
                .parse(&frame)
                .map_err(|error| DisconnectReason::BadMessage { detail: error.to_string() })?;
            tracing::trace!(?message, "received");
            self.handle(message, frame.len() + size_of::<Waiting>())?;
        }
    }

    /// Whether a call that comes now has to wait.
    fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.has_turn()
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
        if connection.is_unread() {
            // It was not heard, so its silence means nothing.
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
        if self.is_busy() {
            self.connection().hold(call.bytes);
            self.waiting.push_back(call);
        } else {
            self.start(call);
        }
    }

    /// Whether another call may start. Those that wait for a client's result do not count: the client may have to call first.
    fn has_turn(&self) -> bool {
        let parallel = self.context.hub().core().options.maximum_parallel_invocations_per_client;
        let (running, awaiting) = (self.running.len(), self.awaiting.get());
        running - awaiting < parallel
            && running < parallel.saturating_add(AWAITING_MAX)
            && !self.is_dismissed()
    }

    /// Whether the connection ends by the will of the server, which wants no call of the client any more.
    fn is_dismissed(&self) -> bool {
        let connection = self.connection();
        connection.is_closing() && connection.disconnect_reason().as_ref().is_some_and(dismisses)
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
        let method = self.context.hub().inner().methods.find(&head.target);
        meter::called(self.context.hub().name(), method.map(|method| method.name));
        let Some(method) = method else { return self.answer_unknown(&head) };
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
                return self.running.push(Running::new(call, self.awaiting.clone()));
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
        let options = &self.context.hub().core().options;
        let last = last_words(&reason, options).map(|close| self.close_message(&close));
        self.connection().finish(last);
        self.context.member().abort();
        self.finish_calls().await;
        let context = self.context.clone();
        let on_disconnected = context.hub().definition().on_disconnected(&context, &reason);
        if let Err(error) = shielded(on_disconnected, "on_disconnected").await {
            let error = error.as_internal().map_or_else(|| error.to_string(), |e| with_sources(e));
            tracing::error!(hub = self.context.hub().name(), error, "on_disconnected failed");
        }
        reason
    }

    /// Lets calls that were received end, but not for ever.
    async fn finish_calls(&mut self) {
        let deadline = self.connection().ticks() + CALLS_GRACE;
        self.connection().wake_at(deadline);
        self.start_waiting();
        loop {
            if self.running.is_empty() && (self.waiting.is_empty() || self.is_dismissed()) {
                return;
            }
            match self.next_step().await {
                Step::Turn => self.start_waiting(),
                Step::Event(Event::Tick) if self.connection().ticks() >= deadline => break,
                Step::Event(_) => {}
            }
        }
        tracing::warn!(
            hub = self.context.hub().name(),
            running = self.running.len(),
            waiting = self.waiting.len(),
            "calls outlive their connection; those that wait are dropped"
        );
        // What they hold of the inbox is not released: a connection that ends receives nothing.
        self.waiting.clear();
    }

    fn close_message(&self, close: &Close) -> Message {
        self.context.member().message(|protocol, out| protocol.write_close(out, close))
    }
}
