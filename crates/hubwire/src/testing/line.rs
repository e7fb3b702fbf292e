//! What is between a client of a test and its hub: a connection without a network.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use hubwire_protocol::handshake::{HandshakeRequest, HandshakeResponse};
use hubwire_protocol::{Close, Completion, HubMessage, HubProtocol, MessageReader};
use hubwire_transport::{Attachment, Connection, DisconnectReason, Payload, Taken, TransferFormat};

use super::mailbox::Mailbox;
use super::wait::Wakers;
use super::world::World;

/// How often clients ping, in seconds; what the official ones have as their default.
const PING_INTERVAL: u64 = 15;

/// A connection, the session that runs on it, and what its client has received.
pub(super) struct Line {
    pub(super) connection: Connection,
    pub(super) protocol: HubProtocol,
    /// How messages about the client call it.
    pub(super) name: String,
    attachment: RefCell<Option<Attachment>>,
    session: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>,
    woken: Arc<Woken>,
    outgoing: RefCell<VecDeque<Vec<u8>>>,
    reader: RefCell<MessageReader>,
    has_greeted: Cell<bool>,
    is_silent: Cell<bool>,
    mailbox: RefCell<Mailbox>,
    calls: Cell<u64>,
}

impl Line {
    pub(super) fn new(
        world: &World,
        (connection, attachment): (Connection, Attachment),
        name: String,
        protocol: HubProtocol,
    ) -> Self {
        let woken = Arc::new(Woken { is: AtomicBool::new(true), wakers: world.wakers.clone() });
        let session = world.runner.clone().run(connection.clone());
        let mut greeting = Vec::new();
        HandshakeRequest { protocol: protocol.name().to_owned(), version: 1 }.write(&mut greeting);
        Self {
            connection,
            protocol,
            name,
            attachment: RefCell::new(Some(attachment)),
            session: RefCell::new(Some(session)),
            woken,
            outgoing: RefCell::new(VecDeque::from([greeting])),
            reader: RefCell::new(MessageReader::new(None)),
            has_greeted: Cell::new(false),
            is_silent: Cell::new(false),
            mailbox: RefCell::default(),
            calls: Cell::new(0),
        }
    }

    pub(super) fn mailbox(&self) -> RefMut<'_, Mailbox> {
        self.mailbox.borrow_mut()
    }

    /// What has come instead of `wanted`, for a failure.
    pub(super) fn report(&self, wanted: &str) -> String {
        let mailbox = self.mailbox();
        let mut report = mailbox.report(wanted);
        if let Some(reason) = self.connection.disconnect_reason() {
            report += &format!("\nThe connection has ended: {reason}");
        }
        if let Some(error) = mailbox.last_words().and_then(|close| close.error) {
            report += &format!("\nThe client was told: {error}");
        }
        report
    }

    /// An id for the client's next call.
    pub(super) fn call_id(&self) -> String {
        self.calls.set(self.calls.get() + 1);
        self.calls.get().to_string()
    }

    /// Sends a message, as soon as the hub reads.
    pub(super) fn send(&self, message: Vec<u8>) {
        self.outgoing.borrow_mut().push_back(message);
    }

    /// Sends what a write method of the protocol writes.
    pub(super) fn write(&self, write: impl FnOnce(HubProtocol, &mut Vec<u8>)) {
        let mut message = Vec::new();
        write(self.protocol, &mut message);
        self.send(message);
    }

    /// Takes and sends nothing any more.
    pub(super) fn fall_silent(&self) {
        self.is_silent.set(true);
    }

    /// The network goes away.
    pub(super) fn hang_up(&self) {
        self.attachment.take();
    }

    /// Whether the session has come to its end, `on_disconnected` included.
    pub(super) fn is_served(&self) -> bool {
        self.session.borrow().is_none()
    }

    /// Whether nothing of it will ever run again.
    pub(super) fn is_over(&self) -> bool {
        self.is_served() && self.attachment.borrow().is_none()
    }

    /// Runs what can run; whether anything did. What the test did wrong is put into `misuse`.
    pub(super) fn run(&self, misuse: &Cell<Option<String>>) -> bool {
        let has_sent = self.feed();
        let has_run = self.woken.is.swap(false, Ordering::AcqRel) && self.poll_session();
        let has_taken = self.take(misuse);
        has_sent || has_run || has_taken
    }

    /// A second passes.
    pub(super) fn tick(&self) {
        self.connection.tick();
        if self.connection.ticks().is_multiple_of(PING_INTERVAL) && !self.is_silent.get() {
            self.write(|protocol, out| protocol.write_ping(out));
        }
    }

    /// Hands in what the client sends, as fast as it is read.
    fn feed(&self) -> bool {
        if self.is_silent.get() || self.attachment.borrow().is_none() {
            return false;
        }
        let waker = Waker::from(self.woken.clone());
        let cx = Context::from_waker(&waker);
        let mut has_sent = false;
        while !self.outgoing.borrow().is_empty() && self.connection.poll_intake(&cx).is_ready() {
            if let Some(message) = self.outgoing.borrow_mut().pop_front() {
                self.connection.receive(Payload::new(message.into(), self.format()));
                has_sent = true;
            }
        }
        has_sent
    }

    fn format(&self) -> TransferFormat {
        match self.protocol.transfer_format() {
            hubwire_protocol::TransferFormat::Text => TransferFormat::Text,
            hubwire_protocol::TransferFormat::Binary => TransferFormat::Binary,
        }
    }

    fn poll_session(&self) -> bool {
        let Some(mut session) = self.session.take() else { return false };
        let waker = Waker::from(self.woken.clone());
        if session.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.session.replace(Some(session));
        }
        true
    }

    /// Takes what was sent to the client, and hangs up behind the last of it.
    fn take(&self, misuse: &Cell<Option<String>>) -> bool {
        if self.is_silent.get() {
            return false;
        }
        // Looked at before anything is taken: what is sent from elsewhere meanwhile wakes.
        let state = self.attachment.borrow().as_ref().map(|attachment| {
            let waker = Waker::from(self.woken.clone());
            attachment.poll_take(&Context::from_waker(&waker), 0, 0, &mut VecDeque::new())
        });
        let mut has_taken = false;
        loop {
            let message = self.attachment.borrow().as_ref().and_then(Attachment::take_now);
            let Some(message) = message else { break };
            has_taken = true;
            self.reader.borrow_mut().push(message.payload().to_vec().into());
            self.read(misuse);
        }
        match state {
            Some(Poll::Ready(Taken::Cut | Taken::Finished | Taken::Superseded)) => {
                self.attachment.take().is_some() || has_taken
            }
            Some(Poll::Ready(Taken::Heartbeat | Taken::Messages) | Poll::Pending) | None => {
                has_taken
            }
        }
    }

    fn read(&self, misuse: &Cell<Option<String>>) {
        loop {
            let frame = self.reader.borrow_mut().next_frame();
            let Ok(Some(frame)) = frame else { return };
            if !self.has_greeted.replace(true) {
                self.reader.borrow_mut().frame_by(self.protocol);
                let error = HandshakeResponse::parse(&frame).ok().and_then(|answer| answer.error);
                if error.is_some() {
                    self.mailbox().close(Close { error, allow_reconnect: false });
                }
                continue;
            }
            match self.protocol.parse(&frame) {
                Ok(message) => self.receive(message, misuse),
                Err(error) => misuse.set(Some(format!("the hub sent no hub message: {error}"))),
            }
        }
    }

    fn receive(&self, message: HubMessage, misuse: &Cell<Option<String>>) {
        match message {
            HubMessage::Invocation(invocation) => {
                let due = self.mailbox().call(invocation);
                let Some(mut due) = due else { return };
                // Without a hold on the mailbox: it is the test's code.
                let answer = (due.respond)(self.protocol, due.id.as_str(), &due.arguments);
                self.mailbox().answer_with(&due.target, due.respond);
                match answer {
                    Ok(message) => self.send(message),
                    Err(failure) => misuse.set(Some(format!("{}: {failure}", self.name))),
                }
            }
            HubMessage::StreamItem(item) => self.mailbox().item(item),
            HubMessage::Completion(Completion { invocation_id, outcome, .. }) => {
                self.mailbox().complete(invocation_id.as_str(), outcome);
            }
            HubMessage::Close(close) => self.mailbox().close(close),
            // Pings, and what concerns servers only.
            HubMessage::StreamInvocation(_)
            | HubMessage::CancelInvocation(_)
            | HubMessage::Ping
            | HubMessage::Ack(_)
            | HubMessage::Sequence(_)
            | HubMessage::Unknown(_) => {}
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // As a server that goes down: whoever still knows the connection learns that it is over.
        self.connection.close(DisconnectReason::Shutdown);
        self.connection.finish(None);
    }
}

/// Whether a session is to be polled, and who waits for it.
struct Woken {
    is: AtomicBool,
    wakers: Arc<Wakers>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.is.store(true, Ordering::Release);
        self.wakers.wake();
    }
}
