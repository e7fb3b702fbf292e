//! Applications without the hub protocol.

use std::future::Future;

use crate::{Connection, DisconnectReason, Payload};

/// An application that exchanges plain messages with its clients, over whatever transport carries them; SignalR's `ConnectionHandler`.
///
/// One value serves all connections. It is run by [`Connections`](crate::Connections), which is what an endpoint is made of.
///
/// A connection's methods run one after another on the worker that it lives on, so their futures need not be `Send`; while one runs, nothing further is read from that client.
/// One that panics is logged and ends its connection.
///
/// Text and binary messages keep their kind and their boundaries, except that an event stream carries text only, with line feeds for its line ends, and that polls carry no empty message.
///
/// ```
/// use hubwire_transport::{Application, Connection, Payload};
///
/// struct Echo;
///
/// impl Application for Echo {
///     async fn payload(&self, connection: &Connection, payload: Payload) {
///         connection.send(payload.into());
///     }
/// }
/// ```
pub trait Application: Send + Sync + 'static {
    /// A client has connected. Its messages wait until this returns.
    ///
    /// [`Connection::close`] refuses it. To reach it later from elsewhere, keep a clone of the connection, or ask [`Connections`](crate::Connections) for it by its id.
    fn connected(&self, connection: &Connection) -> impl Future<Output = ()> {
        let _ = connection;
        async {}
    }

    /// A message came from the client.
    fn payload(&self, connection: &Connection, payload: Payload) -> impl Future<Output = ()>;

    /// The connection is over, for `reason`; sends reach nobody any more. Called exactly once, also where `connected` failed.
    fn closed(
        &self,
        connection: &Connection,
        reason: &DisconnectReason,
    ) -> impl Future<Output = ()> {
        let _ = (connection, reason);
        async {}
    }
}
