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

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hubwire_protocol::{
    Close, Completion, FrameError, HubMessage, MessageReader, Outcome, StreamItem,
};
use hubwire_transport::{Connection, DisconnectReason, Event, Intake, Message, ticks};
use tracing::Instrument;

use crate::authorization::admit;
use crate::calls::Calls;
use crate::context::CallerContext;
use crate::definition::{HubDefinition, MethodKind};
use crate::encode::ping;
use crate::ending::{closed_with, last_words};
use crate::error::{HubError, HubResult, with_sources};
use crate::handshake::{Shaken, shake_hands, too_big};
use crate::hub::Hub;
use crate::keep_alive::{Due, KeepAlive};
use crate::member::Member;
use crate::reception::Reception;
use crate::registry::Presence;
use crate::running::shielded;

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

/// How many turns a session takes before others have theirs: whatever it sends, sockets must get to write.
const TURNS_AT_ONCE: usize = 32;

struct Session<H: HubDefinition> {
    context: CallerContext<H>,
    reader: MessageReader,
    /// Where the connection outlives its sockets.
    reception: Option<Reception>,
    keep_alive: KeepAlive,
    calls: Calls<H>,
    /// Turns since others had theirs.
    turns: usize,
}

/// What a session waits for.
enum Step {
    /// The client sends what is no message.
    Broken(FrameError),
    Event(Event),
    /// A whole message has arrived.
    Message(Bytes),
    /// A method has ended, or waits for a client: another one may have its turn.
    Turn,
}

impl<H: HubDefinition> Session<H> {
    fn new(hub: Hub<H>, connection: Connection, shaken: Shaken) -> Self {
        let transport = connection.request().transport;
        let keep_alive = KeepAlive::new(&hub.core().options, transport, connection.ticks());
        let Shaken { protocol, reader, reception } = shaken;
        let member = Arc::new(Member::new(connection, protocol));
        let context = CallerContext::new(hub, member);
        let calls = Calls::new(context.clone());
        Self { context, reader, reception, keep_alive, calls, turns: 0 }
    }

    fn connection(&self) -> &Connection {
        &self.context.member().connection
    }

    async fn run(mut self) {
        let core = self.context.hub().core().clone();
        let presence = Presence::enter(&core.registry, self.context.member());
        core.settled().await;
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
        self.calls.run_out().await;
    }

    /// Runs `on_connected`; payloads wait until it returns. An end that comes meanwhile is returned.
    async fn connect(&mut self) -> HubResult<Option<DisconnectReason>> {
        let context = self.context.clone();
        if !admit(H::authorization(), &context.request().identity) {
            // Whoever has let it in has not asked.
            return Err(HubError::new("unauthorized"));
        }
        let mut on_connected =
            pin!(shielded(context.hub().inner().filters.connected(&context), "on_connected"));
        let mut ending = None;
        poll_fn(|cx| {
            while let Poll::Ready(event) = self.connection().poll_event(cx, Intake::Urgent) {
                match event {
                    Event::Closing(reason) => ending = Some(reason),
                    Event::Drained => self.acknowledge(),
                    Event::Payload(_) | Event::Resumed => {}
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
        loop {
            let step = match self.next_step(Self::poll_step).await {
                Step::Broken(error) => Err(too_big(&error, self.reader.buffered())),
                Step::Event(Event::Closing(reason)) => return reason,
                Step::Event(Event::Payload(payload)) => {
                    self.keep_alive.received(self.connection().ticks());
                    self.reader.push(payload.bytes);
                    Ok(())
                }
                Step::Event(Event::Drained) => {
                    self.acknowledge();
                    Ok(())
                }
                Step::Event(Event::Resumed) => {
                    self.resume();
                    Ok(())
                }
                Step::Event(Event::Tick) => {
                    self.tick();
                    Ok(())
                }
                Step::Message(frame) => self.receive(frame),
                Step::Turn => {
                    self.calls.start_waiting();
                    Ok(())
                }
            };
            if let Err(reason) = step {
                self.connection().close(reason.clone());
                return self.connection().disconnect_reason().unwrap_or(reason);
            }
        }
    }

    /// The next step that `poll` comes to, unless it is the turn of others.
    async fn next_step(
        &mut self,
        mut poll: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<Step>,
    ) -> Step {
        poll_fn(|cx| {
            if self.turns == TURNS_AT_ONCE {
                self.turns = 0;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let step = poll(self, cx);
            self.turns = if step.is_ready() { self.turns + 1 } else { 0 };
            step
        })
        .await
    }

    /// Calls run before the next message is looked at: most end at once, and then the next one need not wait.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if self.calls.poll_turn(cx).is_ready() {
            return Poll::Ready(Step::Turn);
        }
        match self.reader.next_frame() {
            Ok(Some(frame)) => return Poll::Ready(Step::Message(frame)),
            Ok(None) => {}
            Err(error) => return Poll::Ready(Step::Broken(error)),
        }
        self.watch_reception();
        self.connection().poll_event(cx, Intake::Everything).map(Step::Event)
    }

    /// What is left to be done once no message is looked at any more.
    fn poll_last_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if self.calls.poll_turn(cx).is_ready() || self.calls.are_over() {
            return Poll::Ready(Step::Turn);
        }
        self.connection().poll_event(cx, Intake::Everything).map(Step::Event)
    }

    /// Another socket carries the connection: what the old one brought of a message has no rest.
    fn resume(&mut self) {
        self.reader.discard();
        self.keep_alive.received(self.connection().ticks());
        if let Some(reception) = &mut self.reception {
            reception.resume();
        }
        self.wake_in_time();
    }

    /// Handles a message.
    fn receive(&mut self, frame: Bytes) -> Result<(), DisconnectReason> {
        // What has to wait must not keep the buffer that it was read into, which may be far larger.
        let is_copied = self.calls.keeps_what_comes();
        let frame = if is_copied { Bytes::copy_from_slice(&frame) } else { frame };
        let message = self
            .context
            .member()
            .protocol
            .parse(&frame)
            .map_err(|error| DisconnectReason::BadMessage { detail: error.to_string() })?;
        tracing::trace!(?message, "received");
        let reception = self.reception.as_mut();
        if reception.is_none_or(|reception| reception.accept(&message, frame.len())) {
            self.handle(message, frame.len())?;
        }
        Ok(())
    }

    fn handle(&mut self, message: HubMessage, bytes: usize) -> Result<(), DisconnectReason> {
        match message {
            HubMessage::Invocation(invocation) => {
                self.calls.receive(invocation, MethodKind::Invocation, bytes);
            }
            HubMessage::StreamInvocation(invocation) => {
                self.calls.receive(invocation, MethodKind::Stream, bytes);
            }
            HubMessage::Completion(Completion { invocation_id, outcome, .. }) => {
                if let Some(outcome) = self.calls.streams.complete(&invocation_id, outcome) {
                    // Whoever waits for it may take it up late.
                    let outcome = match outcome {
                        Outcome::Value(value) => Outcome::Value(value.detached()),
                        Outcome::Error(_) | Outcome::Void => outcome,
                    };
                    self.context.member().answer(invocation_id.as_str(), outcome);
                }
            }
            HubMessage::StreamItem(StreamItem { invocation_id, item, .. }) => {
                self.calls.streams.receive(&invocation_id, item);
                self.watch_uploads();
            }
            HubMessage::CancelInvocation(cancel) => self.calls.cancel(&cancel.invocation_id),
            HubMessage::Ping => self.watch(),
            HubMessage::Close(close) => {
                return Err(DisconnectReason::ClientClosed { error: close.error });
            }
            HubMessage::Ack(number) if self.reception.is_some() => {
                self.connection().acknowledge(number);
            }
            HubMessage::Sequence(number) if self.reception.is_some() => {
                let reception = self.reception.as_mut();
                reception.map_or(Ok(()), |reception| reception.begin_at(number))?;
            }
            // Nothing of ours that these could be about: stateful reconnect was not agreed on, or a version to come.
            HubMessage::Ack(_) | HubMessage::Sequence(_) | HubMessage::Unknown(_) => {
                tracing::debug!("ignored a message that concerns nothing");
            }
        }
        Ok(())
    }

    fn watch(&mut self) {
        self.keep_alive.watch();
        self.wake_in_time();
    }

    /// Where the connection outlives its sockets, the client is told in time what has arrived.
    fn watch_reception(&mut self) {
        let Some(reception) = &self.reception else { return };
        if reception.is_ack_urgent() {
            self.acknowledge();
        } else if reception.is_ack_due() {
            self.connection().wake_by(self.connection().ticks() + 1);
        } else {
            // Who only listens must be read on as well.
            self.connection().told_received();
        }
    }

    fn acknowledge(&mut self) {
        let member = self.context.member();
        let Some(reception) = &mut self.reception else { return };
        if reception.is_ack_due() && member.connection.wants_more() {
            let number = reception.ack();
            let ack = member.message(|protocol, out| protocol.write_ack(out, number));
            member.connection.send_ahead(ack);
            member.connection.told_received();
        }
    }

    /// While a client's stream holds up its connection, every second counts.
    fn watch_uploads(&self) {
        if self.connection().is_unread() {
            self.wake_in_time();
        }
    }

    /// Asks for the tick at which something is due.
    fn wake_in_time(&self) {
        self.connection().wake_at(self.next_tick());
        // Behind it: a question that is asked from now on brings the tick forward by itself.
        self.connection().wake_by(self.context.member().questions_deadline());
    }

    fn next_tick(&self) -> u64 {
        let deadline = self.keep_alive.deadline();
        let is_held_up = self.calls.streams.is_receiving() && self.connection().is_unread();
        let is_ack_due = self.reception.as_ref().is_some_and(Reception::is_ack_due);
        let is_soon = is_held_up || is_ack_due;
        if is_soon { deadline.min(self.connection().ticks() + 1) } else { deadline }
    }

    fn tick(&mut self) {
        let connection = self.context.member().connection.clone();
        let now = connection.ticks();
        if connection.is_away() {
            // For whoever may come back there is a clock of its own.
            self.keep_alive.received(now);
        } else if connection.is_unread() {
            // It was not heard, so its silence means nothing.
            self.keep_alive.received(now);
            self.calls.streams.stall(ticks(self.context.hub().core().options.upload_stall_timeout));
        } else {
            self.calls.streams.relieve();
        }
        match self.keep_alive.tick(now) {
            Due::Nothing => {}
            // Whoever has not taken the last message will not hear this one sooner.
            Due::Ping if connection.backlog() > 0 => {}
            Due::Ping => {
                connection.send(ping(self.context.member().protocol));
            }
            Due::Timeout => connection.close(DisconnectReason::ClientTimeout),
        }
        self.context.member().expire_questions(now);
        self.acknowledge();
        self.wake_in_time();
    }

    /// The end: last words, what still runs, `on_disconnected`.
    async fn part(&mut self, reason: DisconnectReason) -> DisconnectReason {
        let options = &self.context.hub().core().options;
        let last = last_words(&reason, self.context.member(), options)
            .map(|close| self.close_message(&close));
        self.connection().finish(last);
        self.context.member().abort();
        self.calls.disconnect();
        self.finish_calls().await;
        let context = self.context.clone();
        let on_disconnected = context.hub().inner().filters.disconnected(&context, &reason);
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
        self.calls.start_waiting();
        loop {
            if self.calls.are_over() {
                return;
            }
            match self.next_step(Self::poll_last_step).await {
                Step::Turn => self.calls.start_waiting(),
                Step::Event(Event::Tick) if self.connection().ticks() >= deadline => break,
                Step::Broken(_) | Step::Event(_) | Step::Message(_) => {}
            }
        }
        self.calls.outlive();
    }

    fn close_message(&self, close: &Close) -> Message {
        self.context.member().message(|protocol, out| protocol.write_close(out, close))
    }
}
