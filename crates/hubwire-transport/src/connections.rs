//! The connections of an application without the hub protocol: the handle, and what runs on each.

use std::any::{Any, type_name};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::thread::ThreadId;

use tracing::Instrument;

use crate::token::TokenKey;
use crate::{
    Application, Boundaries, Connection, ConnectionId, ConnectionTable, DisconnectReason, Event,
    Intake, Message, MessageLimit, Mount, Room, Runner, UserId,
};

/// The connections of an [`Application`]: build it once, mount it on a server, and send from anywhere.
///
/// It is a cheap handle: clones are the same. It is `Send` and `Sync`, and before the server starts and after it stops there is simply nobody.
///
/// Build it *outside* the closure of `HttpServer::new`, which runs once per worker.
///
/// ```
/// use hubwire_transport::{Application, Connection, Connections, Message, Payload};
///
/// struct Clock;
///
/// impl Application for Clock {
///     async fn payload(&self, _: &Connection, _: Payload) {}
/// }
///
/// let clock = Connections::new(Clock).build();
/// assert_eq!(clock.send(&Message::text("12:00")), 0); // nobody is there yet
/// ```
pub struct Connections<A>(Arc<Inner<A>>);

struct Inner<A> {
    application: A,
    name: Box<str>,
    table: ConnectionTable,
    built_on: ThreadId,
}

/// Options of an application on its way to be built.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ConnectionsBuilder<A> {
    application: A,
    name: Box<str>,
    token_key: Option<TokenKey>,
}

impl<A: Application> Connections<A> {
    /// Begins to build the connections of an application.
    #[expect(clippy::new_ret_no_self, reason = "as `Hub::new`, it reads as the beginning")]
    pub fn new(application: A) -> ConnectionsBuilder<A> {
        let path = type_name::<A>().split('<').next().unwrap_or_default();
        let name = path.rsplit("::").next().unwrap_or_default().into();
        ConnectionsBuilder { application, name, token_key: None }
    }

    /// The application.
    pub fn application(&self) -> &A {
        &self.0.application
    }

    /// Its name in logs and metrics.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How many clients are connected to this server.
    pub fn len(&self) -> usize {
        self.0.table.len()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The connection with this id, if it lives on this server.
    pub fn get(&self, id: &ConnectionId) -> Option<Connection> {
        self.0.table.get(id)
    }

    /// All connections of this server, as they are now.
    pub fn all(&self) -> Vec<Connection> {
        self.0.table.all()
    }

    /// The connections of a user.
    pub fn of_user(&self, user: &UserId) -> Vec<Connection> {
        let mut connections = self.all();
        connections.retain(|connection| connection.user_id() == Some(user));
        connections
    }

    /// Sends a message to everyone, without waiting; returns how many got it.
    pub fn send(&self, message: &Message) -> usize {
        let send = |connection: &Connection| connection.send(message.clone());
        self.all().iter().filter(|connection| send(connection) != Room::Closed).count()
    }
}

impl<A: Application> ConnectionsBuilder<A> {
    /// Sets the name that logs and metrics use; default: the name of the type.
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the key that signs connection tokens; default: random, so that tokens die with the process.
    pub fn token_key(mut self, key: TokenKey) -> Self {
        self.token_key = Some(key);
        self
    }

    /// The handle.
    pub fn build(self) -> Connections<A> {
        Connections(Arc::new(Inner {
            application: self.application,
            name: self.name,
            table: ConnectionTable::new(self.token_key.unwrap_or_else(TokenKey::random)),
            built_on: std::thread::current().id(),
        }))
    }
}

impl<A: Application> Mount for Connections<A> {
    fn runner(&self) -> Arc<dyn Runner> {
        self.0.clone()
    }
}

impl<A: Application> Runner for Inner<A> {
    fn name(&self) -> &str {
        &self.name
    }

    fn connections(&self) -> &ConnectionTable {
        &self.table
    }

    fn run(self: Arc<Self>, connection: Connection) -> Pin<Box<dyn Future<Output = ()>>> {
        let transport = connection.request().transport.as_str();
        let span =
            tracing::info_span!("connection", hub = &*self.name, id = %connection.id(), transport);
        Box::pin(async move { self.converse(&connection).await }.instrument(span))
    }

    fn boundaries(&self) -> Boundaries {
        Boundaries::Kept
    }

    fn message_limit(&self) -> MessageLimit {
        MessageLimit::Endpoint
    }

    fn built_on(&self) -> ThreadId {
        self.built_on
    }

    fn summary(&self) -> String {
        "plain messages".to_owned()
    }
}

/// How many messages are handed on before others have their turn: whatever comes of them, sockets must get to write.
const MESSAGES_AT_ONCE: usize = 16;

impl<A: Application> Inner<A> {
    async fn converse(&self, connection: &Connection) {
        let application = &self.application;
        self.shielded("connected", connection, application.connected(connection)).await;
        let mut turns = 0;
        let reason = loop {
            match poll_fn(|cx| connection.poll_event(cx, Intake::Everything)).await {
                Event::Closing(reason) => break reason,
                Event::Payload(payload) => {
                    let handled = application.payload(connection, payload);
                    self.shielded("payload", connection, handled).await;
                    turns += 1;
                    if turns == MESSAGES_AT_ONCE {
                        turns = 0;
                        yield_now().await;
                    }
                }
                Event::Drained | Event::Resumed | Event::Tick => {}
            }
        };
        connection.finish(None);
        self.shielded("closed", connection, application.closed(connection, &reason)).await;
        connection.log_end(&self.name, &reason);
    }

    /// Runs a method whose panic ends its connection and nothing else.
    async fn shielded(
        &self,
        method: &'static str,
        connection: &Connection,
        future: impl Future<Output = ()>,
    ) {
        let mut future = pin!(future);
        let polled =
            poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
                Ok(poll) => poll.map(Ok),
                Err(panic) => Poll::Ready(Err(panic)),
            });
        if let Err(panic) = polled.await {
            let panic = panic_text(&*panic);
            tracing::error!(hub = &*self.name, method, panic, "method panicked");
            connection.close(DisconnectReason::Kicked);
        }
    }
}

/// Lets the other tasks of the worker run once.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What a panic said.
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panicked")
}

impl<A> Clone for Connections<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A> fmt::Debug for Connections<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("name", &self.0.name)
            .field("connections", &self.0.table.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "connections_tests.rs"]
mod tests;
