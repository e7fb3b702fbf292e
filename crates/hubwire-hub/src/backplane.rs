//! Several servers as one hub: what carries its sends and questions between them.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use hubwire_transport::{ConnectionId, UserId};
use thiserror::Error;

use crate::listener::Listener;
use crate::notice::Notice;

/// Connects a hub to its other servers: those with a hub of the same name on the same backplane.
///
/// A hub without one is a hub of one server, which costs nothing of this.
/// With one, whoever is connected here is still served without it: a backplane carries only what concerns others.
///
/// Given to [`HubBuilder::backplane`](crate::HubBuilder::backplane); implemented by `hubwire-redis`, and by [`InProcess`](crate::InProcess) for several hubs in one process.
pub trait Backplane: fmt::Debug + Send + Sync + 'static {
    /// Lets a hub take part under its name, until the bus is dropped.
    ///
    /// What comes for the hub is handed to the listener, which wants a [`tick`](Listener::tick) once a second, too.
    ///
    /// # Errors
    ///
    /// When the hub cannot take part at all. That others cannot be reached now is no error.
    fn attach(&self, hub: &str, listener: Listener) -> Result<Arc<dyn Bus>, AttachError>;
}

/// What a hub says to its other servers, and what it wants to hear.
///
/// Hubs call this from any thread, within methods and under their locks: nothing here may wait, nor call the hub back before it returns; only `publish` and `request` are never called under a lock that the [`Listener`] takes.
pub trait Bus: fmt::Debug + Send + Sync + 'static {
    /// The name of this server among the others, another one for each bus.
    fn server_id(&self) -> &ServerId;

    /// Begins to listen to a topic. Listening twice is listening once.
    fn subscribe(&self, topic: &Topic);

    /// Stops listening to a topic.
    fn unsubscribe(&self, topic: &Topic);

    /// Waits until everything that was subscribed until now is listened to; `None` if it is.
    ///
    /// It ends soon, also when the others cannot be reached.
    fn settled(&self) -> Option<BoxFuture<'static, ()>>;

    /// Tells something to all who listen to one of these topics, in the order of the calls.
    ///
    /// Once for each topic: who listens to two of them hears it twice.
    fn publish(&self, topics: &[Topic], notice: &Notice);

    /// The same to one topic; the future, which need not be polled for it to be told, gives how many servers were reached, this one included.
    ///
    /// It ends soon, also when the others cannot be reached.
    fn request(&self, topic: &Topic, notice: &Notice) -> BoxFuture<'static, Reach>;

    /// Waits until more can be published without anything being dropped; `None` if it can.
    ///
    /// It does not wait for others that cannot be reached.
    fn room(&self) -> Option<BoxFuture<'static, ()>>;
}

/// How many servers a request reached.
pub type Reach = Result<usize, BackplaneError>;

/// The name of a server among those of a hub.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerId(Arc<str>);

/// What a server listens to, and others speak about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Everyone. Servers that have connections listen.
    All,
    /// One connection. The server that it lives on listens.
    Connection(ConnectionId),
    /// A group. Servers that have members of it listen.
    Group(String),
    /// One server, which listens: answers.
    Server(ServerId),
    /// The servers themselves. All listen.
    Servers,
    /// A user. Servers that the user is connected to listen.
    User(UserId),
}

/// Why the other servers of a hub could not be asked, or did not answer.
///
/// A hub of one server has none to ask and never fails so.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BackplaneError {
    /// A server did not answer in time.
    #[error("a server did not answer in time")]
    TimedOut,
    /// The other servers cannot be reached.
    #[error("the other servers cannot be reached")]
    Unavailable,
}

/// Why a hub cannot take part in a backplane.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AttachError {
    /// Two hubs of one process would take each other for other servers.
    #[error(
        "this process has a hub {hub:?} on this backplane already: give one of them another name"
    )]
    NameTaken {
        /// The name of both.
        hub: String,
    },
}

impl ServerId {
    /// A new random id.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness to give.
    pub fn random() -> Self {
        ConnectionId::random().as_str().into()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Arc<str>>> From<T> for ServerId {
    fn from(id: T) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
