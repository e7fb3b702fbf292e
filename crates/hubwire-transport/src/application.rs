//! What runs on connections.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::ThreadId;

use crate::{Connection, ConnectionTable};

/// What runs on the connections of an endpoint: a hub, or an application without the hub protocol.
///
/// It says what becomes of a connection; which transport carries it, it need not know.
pub trait Application: Send + Sync + 'static {
    /// Its name, for logs and metrics.
    fn name(&self) -> &str;

    /// The connections that it runs on now, over all endpoints.
    fn connections(&self) -> &ConnectionTable;

    /// Runs one connection from its first attachment to its end.
    ///
    /// The future stays on the worker where that attachment arrived and need not be `Send`.
    /// It ends with [`Connection::finish`]; what it sent before still goes out.
    fn run(self: Arc<Self>, connection: Connection) -> Pin<Box<dyn Future<Output = ()>>>;

    /// The longest payload that the application takes in one message; `None` for any length.
    fn max_message_size(&self) -> Option<usize> {
        None
    }

    /// The thread that it was built on: one of the server's workers means one application per worker, which is a mistake.
    fn built_on(&self) -> ThreadId;

    /// A few words on what it offers, for the line that is logged when it is mounted.
    fn summary(&self) -> String {
        String::new()
    }
}

/// What can be mounted on a server: the handle of an [`Application`].
pub trait Mount {
    /// The application behind the handle.
    fn application(&self) -> Arc<dyn Application>;
}
