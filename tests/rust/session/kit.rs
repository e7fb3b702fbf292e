//! A client in memory: it speaks text unless it is told otherwise, owns the clock, and polls nothing that was not woken.
//!
//! `hubwire::testing` has clients for people, who call and are called. This one is below them: single bytes, messages that break rules, sockets that take over, and what goes out when.

use std::collections::HashMap;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::sync::Semaphore;

use hubwire::prelude::*;
use hubwire::{ConnectRequest, HubDefinition, Mount, Transport};
use hubwire_transport::{
    Attachment, Connection, Message, Payload, Receiver, Runner, TransferFormat,
};

pub const PING: &str = r#"{"type":6}"#;
pub const HANDSHAKE: &str = r#"{"protocol":"json","version":1}"#;
pub const STATEFUL_HANDSHAKE: &str = r#"{"protocol":"json","version":2}"#;

/// What the pages of these tests offer.
#[hub_client]
pub trait Page {
    fn notify(text: &str);
    fn count(counts: &HashMap<Vec<u8>, u32>);
    fn confirm(question: &str) -> bool;
}

/// A client and its connection to a hub.
pub struct Link {
    pub connection: Connection,
    attachment: Option<Attachment>,
    session: Option<Task<()>>,
}

/// Something that happens to a link.
pub type Act = fn(&mut Link);

/// A connection that is about to be opened.
pub struct Dial {
    runner: Arc<dyn Runner>,
    id: ConnectionId,
    request: ConnectRequest,
    options: EndpointOptions,
    open: fn(ConnectionId, ConnectRequest, Arc<EndpointOptions>) -> (Connection, Attachment),
}

impl Link {
    /// A connection called "a" that has not shaken hands.
    pub fn open<H: HubDefinition>(hub: &Hub<H>) -> Self {
        Self::dial(hub).open()
    }

    /// A connection called "a" that has shaken hands; the answer is taken.
    pub fn connect<H: HubDefinition>(hub: &Hub<H>) -> Self {
        Self::dial(hub).connect()
    }

    pub fn dial<H: HubDefinition>(hub: &Hub<H>) -> Dial {
        Dial {
            runner: hub.runner(),
            id: "a".into(),
            request: ConnectRequest::local("/hub", Transport::WebSockets),
            options: EndpointOptions::default(),
            open: Connection::open,
        }
    }

    /// Sends whole messages, in one payload.
    pub fn say_all<S: Display>(&mut self, messages: &[S]) {
        let payload: String = messages.iter().map(|message| format!("{message}\u{1e}")).collect();
        self.deliver(&payload);
    }

    /// Sends one message.
    pub fn say(&mut self, message: impl Display) {
        self.say_all(&[message]);
    }

    /// Hands in a payload as it is.
    pub fn deliver(&mut self, payload: &str) {
        self.connection.receive(Payload::text(payload));
        self.run();
    }

    /// Hands in a payload that is no text.
    pub fn deliver_bytes(&mut self, payload: &[u8]) {
        self.connection.receive(Payload::new(payload.to_vec().into(), TransferFormat::Binary));
        self.run();
    }

    /// Everything that was sent to the client and not heard yet.
    pub fn heard(&mut self) -> Vec<String> {
        self.run();
        let mut heard = Vec::new();
        // What is taken may be what the session waits for.
        while let Some(message) = self.hear_one() {
            heard.push(message);
            self.run();
        }
        heard
    }

    /// The next message alone; the session does not run before others are heard.
    pub fn hear_one(&mut self) -> Option<String> {
        let message = self.take()?;
        let text = String::from_utf8_lossy(message.payload()).into_owned();
        let message = text.strip_suffix('\u{1e}');
        Some(message.unwrap_or_else(|| panic!("a message without an end: {text}")).to_owned())
    }

    /// The next message as it goes to the client.
    pub fn take(&mut self) -> Option<Message> {
        self.attachment.as_ref()?.take_now()
    }

    /// Lets seconds pass in which the client takes nothing.
    pub fn tick(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.connection.tick();
            self.run();
        }
    }

    /// Lets seconds pass in which the client takes everything: what came, with the age of the connection.
    pub fn listen(&mut self, seconds: u64) -> Vec<(u64, String)> {
        let mut heard = Vec::new();
        for _ in 0..seconds {
            self.tick(1);
            let now = self.connection.ticks();
            heard.extend(self.heard().into_iter().map(|message| (now, message)));
        }
        heard
    }

    /// The network goes away.
    pub fn hang_up(&mut self) {
        self.attachment = None;
        self.run();
    }

    /// What the client's socket receives with.
    pub fn receiver(&self) -> Receiver {
        self.attachment.as_ref().expect("the client has a socket").receiver()
    }

    /// Another socket takes over; whatever held the old one drops it later.
    pub fn reconnect(&mut self) -> Option<Attachment> {
        let attachment = self.connection.resume()?;
        self.run();
        self.attachment.replace(attachment)
    }

    /// Whether another socket may take over, which then does.
    pub fn is_resumed(&mut self) -> bool {
        self.hang_up();
        self.attachment = self.connection.resume();
        self.run();
        self.attachment.is_some()
    }

    /// The worker stops and drops the session wherever it is; as `hubwire-actix` does it.
    pub fn abandon(&mut self) {
        self.connection.close(DisconnectReason::Shutdown);
        self.connection.finish(None);
        self.session = None;
    }

    pub fn close(&mut self, reason: DisconnectReason) {
        self.connection.close(reason);
        self.run();
    }

    /// Why the connection ends, once it does.
    pub fn reason(&self) -> Option<DisconnectReason> {
        self.connection.disconnect_reason()
    }

    /// Whether the session has come to its end.
    pub fn is_over(&self) -> bool {
        self.session.is_none()
    }

    /// Runs the session as far as it was woken.
    pub fn run(&mut self) {
        if self.session.as_mut().is_some_and(|session| session.run().is_some()) {
            self.session = None;
        }
    }
}

impl Dial {
    pub fn id(mut self, id: &str) -> Self {
        self.id = id.into();
        self
    }

    pub fn over(mut self, transport: Transport) -> Self {
        self.request.transport = transport;
        self
    }

    pub fn user(self, user: &str) -> Self {
        self.identity(Identity::user(user))
    }

    pub fn identity(mut self, identity: Identity) -> Self {
        self.request.identity = identity;
        self
    }

    /// The client has negotiated stateful reconnect.
    pub fn stateful(mut self) -> Self {
        self.open = Connection::open_resumable;
        self
    }

    pub fn options(mut self, options: EndpointOptions) -> Self {
        self.options = options;
        self
    }

    pub fn open(self) -> Link {
        let options = Arc::new(self.options);
        let (connection, attachment) = (self.open)(self.id, self.request, options);
        let session = Task::new(self.runner.run(connection.clone()));
        let mut link = Link { connection, attachment: Some(attachment), session: Some(session) };
        link.run();
        link
    }

    #[track_caller]
    pub fn connect(self) -> Link {
        self.connect_with(HANDSHAKE)
    }

    #[track_caller]
    pub fn connect_with(self, handshake: &str) -> Link {
        let mut link = self.open();
        link.say(handshake);
        let answer = link.hear_one();
        assert_eq!(answer.as_deref(), Some("{}"));
        link.run();
        link
    }
}

/// A future that is polled only when it was woken, so that a lost wake-up is a test that fails.
pub struct Task<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<T> Task<T> {
    pub fn new(future: impl IntoFuture<Output = T, IntoFuture: 'static>) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self { future: Box::pin(future.into_future()), woken }
    }

    /// Polls as long as it is woken; the output, when it ends in this.
    pub fn run(&mut self) -> Option<T> {
        /// Far over what any test needs.
        const POLLS: usize = 10_000;
        let waker = Waker::from(self.woken.clone());
        let mut cx = Context::from_waker(&waker);
        for _ in 0..POLLS {
            if !self.woken.0.swap(false, Ordering::Relaxed) {
                return None;
            }
            if let Poll::Ready(output) = self.future.as_mut().poll(&mut cx) {
                return Some(output);
            }
        }
        panic!("a task woke itself {POLLS} times and came to no end");
    }
}

/// What hubs write down for their tests.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn add(&self, entry: impl Display) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry.to_string());
    }

    /// Everything that was written since the last look.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Gates by name, at which methods wait until a test opens them.
#[derive(Clone, Default)]
pub struct Gates(Arc<Mutex<HashMap<String, Arc<Semaphore>>>>);

impl Gates {
    fn gate(&self, name: &str) -> Arc<Semaphore> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0))).clone()
    }

    pub async fn pass(&self, name: &str) {
        let gate = self.gate(name);
        gate.acquire().await.expect("gates are never torn down").forget();
    }

    /// Lets one pass, now or later.
    pub fn open(&self, name: &str) {
        self.gate(name).add_permits(1);
    }
}

/// A call that wants an answer.
pub fn invoke(id: &str, target: &str, arguments: impl Display) -> String {
    format!(r#"{{"type":1,"invocationId":"{id}","target":"{target}","arguments":{arguments}}}"#)
}

/// A call that wants none; also what the hub sends to the client.
pub fn send(target: &str, arguments: impl Display) -> String {
    format!(r#"{{"type":1,"target":"{target}","arguments":{arguments}}}"#)
}

pub fn notification(text: &str) -> String {
    send("Notify", format_args!(r#"["{text}"]"#))
}

/// The answer with a value.
pub fn result(id: &str, value: impl Display) -> String {
    format!(r#"{{"type":3,"invocationId":"{id}","result":{value}}}"#)
}

/// The answer with an error.
pub fn failure(id: &str, text: &str) -> String {
    format!(r#"{{"type":3,"invocationId":"{id}","error":"{text}"}}"#)
}
