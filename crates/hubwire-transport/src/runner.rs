//! What runs an application on connections.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::ThreadId;

use crate::{Connection, ConnectionTable, Identity};

/// What runs an application on the connections of an endpoint: a hub, or [`Connections`](crate::Connections).
///
/// It says what becomes of a connection; which transport carries it, it need not know.
pub trait Runner: Send + Sync + 'static {
    /// The application's name, for logs and metrics.
    fn name(&self) -> &str;

    /// The connections that it runs on now, over all endpoints.
    fn connections(&self) -> &ConnectionTable;

    /// Runs one connection from its first attachment to its end.
    ///
    /// The future stays on the worker where that attachment arrived and need not be `Send`.
    /// It ends with [`Connection::finish`]; what it sent before still goes out.
    fn run(self: Arc<Self>, connection: Connection) -> Pin<Box<dyn Future<Output = ()>>>;

    /// Says that a connection was opened with a token that would open another one until `expires` (seconds since 1970), were it not known that it has.
    ///
    /// For whoever shares its token key with other servers: they do not know.
    fn opened(&self, connection: &Connection, expires: u32) {
        let _ = (connection, expires);
    }

    /// Whether somebody may come in; asked for every request of a client.
    fn access(&self, identity: &Identity) -> Access {
        let _ = identity;
        Access::Granted
    }

    /// Whether payloads are to be whole messages.
    fn boundaries(&self) -> Boundaries;

    /// How long a message the application wants to receive at least.
    fn message_limit(&self) -> MessageLimit;

    /// The thread that it was built on: one of the server's workers means one application per worker, which is a mistake.
    fn built_on(&self) -> ThreadId;

    /// A few words on what it offers, for the line that is logged when it is mounted.
    fn summary(&self) -> String;
}

/// Whether somebody may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Yes.
    Granted,
    /// No, whoever they say they are: 403.
    Forbidden,
    /// Not unless they say who they are: 401.
    Unauthorized,
}

/// What a payload is to an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundaries {
    /// A piece of a stream of bytes: it is handed on as it arrives, and answers to polls hold as much as there is.
    Ignored,
    /// A whole message, as its sender meant it: a WebSocket message, the body of a POST, an event, the answer to a poll.
    Kept,
}

/// How long messages an application wants to receive; whatever it says, [`max_frame_size`](crate::EndpointOptions::max_frame_size) passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageLimit {
    /// At least so many bytes.
    AtLeast(usize),
    /// As many as the endpoint allows.
    Endpoint,
    /// Any number.
    Unlimited,
}

/// What can be mounted on a server: the handle of an application.
pub trait Mount {
    /// What runs the application.
    fn runner(&self) -> Arc<dyn Runner>;
}
