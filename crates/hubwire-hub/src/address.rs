//! Whom a call on clients is for, and what becomes of it.

use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use hubwire_protocol::{ArgumentList, Close, EncodeError};
use hubwire_transport::{Connection, ConnectionId};
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::client_result::ClientResult;
use crate::encode::Encodings;
use crate::error::with_sources;
use crate::hub::Core;
use crate::registry::{Selection, Sent};
use crate::target::Target;

/// Clients that can be called: [`One`] or [`Many`].
///
/// The trait is sealed; `#[hub_client]` puts typed methods on top of it.
pub trait Address:
    Disconnect + Clone + fmt::Debug + Send + Sync + sealed::Sealed + 'static
{
    /// Calls `target` on every client of the address, without waiting and without an answer.
    fn send<'a, A: ArgumentList + ?Sized>(
        &self,
        target: impl Into<Target<'a>>,
        arguments: &A,
    ) -> Delivery;
}

/// Ends the connections of clients, from anywhere: `hub.clients().user("ada").disconnect()`.
///
/// It is a trait, so that where the client has a `disconnect` of its own, that is the one that is called; then write `Disconnect::disconnect(&clients)`.
/// (A client result is there for a single client only: on several, this is what `disconnect` means.)
pub trait Disconnect {
    /// Ends every connection of the address, and says how many of this server it ended; those that were ending already do not count.
    ///
    /// What was sent to a client before still reaches it, then a Close message without an error, after which it does not reconnect by itself.
    /// Calls that it made and that did not start yet are dropped; those that run go on to their end, and `on_disconnected` is told [`Kicked`](hubwire_transport::DisconnectReason::Kicked).
    ///
    /// Like a call, it reaches those who have shaken hands.
    /// A client that was let in a moment ago and has not yet is not reached: a hub that takes away somebody's access looks once more in `on_connected`, which runs when its client can be reached.
    fn disconnect(&self) -> usize {
        self.disconnect_with(Close::default())
    }

    /// The same with this Close message: the reason that the client is given, and whether it may come back.
    ///
    /// The error reaches the client as it is, whatever [`enable_detailed_errors`](crate::HubOptions::enable_detailed_errors) says.
    /// SignalR's clients hand it to `onclose`, and reconnect by themselves where they were built to and `allow_reconnect` lets them.
    /// Of several calls that end the same connection the first one's message counts.
    ///
    /// ```
    /// use hubwire_hub::{Close, Disconnect};
    /// # fn example(players: impl Disconnect) {
    /// let error = Some("the game moves to another server".to_owned());
    /// players.disconnect_with(Close { error, allow_reconnect: true });
    /// # }
    /// ```
    fn disconnect_with(&self, close: Close) -> usize;
}

/// A single connection, which can also be asked for results.
#[derive(Clone)]
pub struct One {
    core: Arc<Core>,
    connection_id: ConnectionId,
}

/// Any number of connections.
#[derive(Clone)]
pub struct Many {
    core: Arc<Core>,
    selection: Selection,
}

/// Calls on clients by name, for hubs that declare no client trait.
///
/// ```
/// # use hubwire_hub::{ClientProxy, Many};
/// # fn example(everyone: ClientProxy<Many>) {
/// everyone.send("ReceiveMessage", &("ada", "hello"));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ClientProxy<A>(A);

impl One {
    pub(crate) fn new(core: Arc<Core>, connection_id: ConnectionId) -> Self {
        Self { core, connection_id }
    }

    /// Asks the client for the value of its method `target`.
    pub fn invoke<'a, R: DeserializeOwned, A: ArgumentList + ?Sized>(
        &self,
        target: impl Into<Target<'a>>,
        arguments: &A,
    ) -> ClientResult<R> {
        ClientResult::ask(&self.core, &self.connection_id, target.into(), arguments)
    }

    fn selection(&self) -> Selection {
        Selection::Connections(vec![self.connection_id.clone()])
    }
}

impl Many {
    pub(crate) fn new(core: Arc<Core>, selection: Selection) -> Self {
        Self { core, selection }
    }
}

impl Address for One {
    fn send<'a, A: ArgumentList + ?Sized>(
        &self,
        target: impl Into<Target<'a>>,
        arguments: &A,
    ) -> Delivery {
        Delivery::send(&self.core, &self.selection(), target.into(), arguments)
    }
}

impl Address for Many {
    fn send<'a, A: ArgumentList + ?Sized>(
        &self,
        target: impl Into<Target<'a>>,
        arguments: &A,
    ) -> Delivery {
        Delivery::send(&self.core, &self.selection, target.into(), arguments)
    }
}

impl Disconnect for One {
    fn disconnect_with(&self, close: Close) -> usize {
        disconnect(&self.core, &self.selection(), close)
    }
}

impl Disconnect for Many {
    fn disconnect_with(&self, close: Close) -> usize {
        disconnect(&self.core, &self.selection, close)
    }
}

fn disconnect(core: &Core, selection: &Selection, close: Close) -> usize {
    let ended = core.registry.disconnect(selection, &close);
    if let Some(cluster) = &core.cluster {
        cluster.disconnect(&core.registry, selection, close);
    }
    ended
}

impl<A: Address> Disconnect for ClientProxy<A> {
    fn disconnect_with(&self, close: Close) -> usize {
        self.0.disconnect_with(close)
    }
}

impl<A: Address> ClientProxy<A> {
    /// Calls `target` on every client of the address, without waiting and without an answer.
    pub fn send<'a, L: ArgumentList + ?Sized>(
        &self,
        target: impl Into<Target<'a>>,
        arguments: &L,
    ) -> Delivery {
        self.0.send(target, arguments)
    }
}

impl ClientProxy<One> {
    /// Asks the client for the value of its method `target`.
    pub fn invoke<'a, R: DeserializeOwned, A: ArgumentList + ?Sized>(
        &self,
        target: impl Into<Target<'a>>,
        arguments: &A,
    ) -> ClientResult<R> {
        self.0.invoke(target, arguments)
    }
}

impl<A> From<A> for ClientProxy<A> {
    fn from(address: A) -> Self {
        Self(address)
    }
}

/// What became of a call on clients: ignore it, or await it to wait until its receivers have room for more.
///
/// The call has already gone into the outbox of every receiver; a receiver whose outbox is full is closed as a slow consumer.
/// Whoever sends a lot awaits each delivery, and so sends no faster than the slowest receiver takes.
#[derive(Debug)]
pub struct Delivery {
    receivers: usize,
    exhausted: Vec<Connection>,
    /// Until more can go to other servers.
    room: Option<Room>,
    error: Option<EncodeError>,
}

/// What waits until a bus takes more.
struct Room(BoxFuture<'static, ()>);

/// Why a call on clients was not sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// An argument cannot be written; nobody got the call.
    #[error("an argument cannot be written")]
    Encode(#[from] EncodeError),
}

impl Delivery {
    fn send<A: ArgumentList + ?Sized>(
        core: &Core,
        selection: &Selection,
        target: Target<'_>,
        arguments: &A,
    ) -> Self {
        // Which of those that live elsewhere speak what is not known here.
        let elsewhere = core.cluster.as_ref().filter(|_| core.registry.may_miss(selection));
        let encoded = match elsewhere {
            Some(_) => Encodings::new(core.protocols(), target, arguments),
            None => Encodings::new(core.registry.protocols(selection), target, arguments),
        };
        match encoded {
            Ok(encodings) => {
                let Sent { receivers, exhausted } = core.registry.send(selection, &encodings);
                let room = elsewhere.and_then(|cluster| {
                    cluster.send(&core.registry, selection, encodings);
                    cluster.room().map(Room)
                });
                Self { receivers, exhausted, room, error: None }
            }
            Err(error) => {
                tracing::error!(
                    hub = &*core.name,
                    target = target.name,
                    error = with_sources(&error),
                    "nothing was sent: an argument cannot be written"
                );
                Self { receivers: 0, exhausted: Vec::new(), room: None, error: Some(error) }
            }
        }
    }

    /// How many connections of this server got the call.
    pub fn receivers(&self) -> usize {
        self.receivers
    }
}

/// Waits until every receiver has less than `transport_max_buffer_size` bytes waiting, or is gone, or may be: one that comes back with another socket (stateful reconnect) holds nobody up meanwhile.
/// Where the hub has other servers, it also waits until more can be sent there without anything being dropped, as long as they can be reached.
///
/// # Errors
///
/// When an argument could not be written and nothing was sent.
impl IntoFuture for Delivery {
    type Output = Result<(), DeliveryError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            for connection in self.exhausted {
                poll_fn(|cx| connection.poll_room_or_away(cx)).await;
            }
            if let Some(Room(room)) = self.room {
                room.await;
            }
            self.error.map_or(Ok(()), |error| Err(error.into()))
        })
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").finish_non_exhaustive()
    }
}

impl fmt::Debug for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("One").field(&self.connection_id.as_str()).finish()
    }
}

impl fmt::Debug for Many {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Many").field(&self.selection).finish()
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "what seals the trait must not be within reach")]
    pub trait Sealed {}
    impl Sealed for super::One {}
    impl Sealed for super::Many {}
}
