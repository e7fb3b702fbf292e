//! A client that is about to connect.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;

use http::header::{HeaderName, HeaderValue};
use hubwire_hub::Work;
use hubwire_protocol::HubProtocol;
use hubwire_transport::{ConnectRequest, Connection, Identity, Transport};
use serde_json::Value;

use super::client::{Disconnected, TestClient, ended};
use super::line::Line;
use super::wait::{Patience, Wait};
use super::world::World;

/// A client that is about to connect: awaiting it connects it.
#[must_use = "nobody connects until it is awaited"]
pub struct Connect {
    world: Rc<World>,
    request: ConnectRequest,
    protocol: HubProtocol,
}

impl Connect {
    pub(super) fn new(world: Rc<World>) -> Self {
        let request = ConnectRequest::local("/hub", Transport::WebSockets);
        Self { world, request, protocol: HubProtocol::Json }
    }

    /// Connects as this user; an identity that was set before is replaced.
    pub fn user(self, id: &str) -> Self {
        self.identity(Identity::user(id))
    }

    /// Connects as what an identity hook would say of the client: a user with claims and values of the application's own.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.request.identity = identity;
        self
    }

    /// Adds a claim to the identity that was set before.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.request.identity = self.request.identity.claim(name, value);
        self
    }

    /// Adds a header to the request that opens the connection.
    ///
    /// # Panics
    ///
    /// When it is no header.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let parsed = (HeaderName::try_from(name), HeaderValue::try_from(value));
        let (Ok(name), Ok(value)) = parsed else { panic!("{name:?}: {value:?} is no header") };
        self.request.headers.append(name, value);
        self
    }

    /// Sets the query of the request that opens the connection: `room=tea&page=2`, encoded as in a URL.
    pub fn query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.request.query);
        self
    }

    /// Connects over this transport, as far as methods see it; default: WebSockets.
    ///
    /// Nothing of the transport itself runs: that is what tests over a network are for.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.request.transport = transport;
        self
    }

    /// Speaks this hub protocol; default: JSON.
    pub fn protocol(mut self, protocol: HubProtocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Waits until the client is refused, by the handshake or by `on_connected`.
    ///
    /// # Panics
    ///
    /// When it is let in.
    pub fn expect_refusal<'a>(self) -> Wait<'a, Disconnected> {
        let others = Patience::CallsBeside(Work::here().calls);
        let client = self.dial();
        let line = client.line.clone();
        let world = client.world.clone();
        let look = move |_: &mut Context<'_>| ended(&client.line).map(Ok);
        Wait::until(&world, others, look, move |_| {
            Err(format!("{} was expected to be refused, and is connected", line.name))
        })
    }

    fn dial(self) -> TestClient {
        let Self { world, request, protocol } = self;
        let number = world.number();
        let id = format!("client-{number}");
        let name = request.user_id().map_or_else(|| id.clone(), ToString::to_string);
        let options = Arc::clone(&world.endpoint.borrow());
        let opened = Connection::open(id.into(), request, options);
        let line = Rc::new(Line::new(&world, opened, name, protocol));
        world.add(line.clone());
        TestClient { world, line }
    }
}

/// Awaiting it gives the client, once `on_connected` has ended.
///
/// # Panics
///
/// When the client is refused.
impl IntoFuture for Connect {
    type Output = TestClient;
    type IntoFuture = Wait<'static, TestClient>;

    fn into_future(self) -> Self::IntoFuture {
        let others = Patience::CallsBeside(Work::here().calls);
        let client = self.dial();
        Wait::settled(&client.world.clone(), others, move || match ended(&client.line) {
            None => Ok(client),
            Some(ended) => {
                let told = ended.error().unwrap_or("nothing");
                let name = &client.line.name;
                Err(format!("{name} was refused: {}; it was told: {told}", ended.reason))
            }
        })
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect").field("request", &self.request).finish_non_exhaustive()
    }
}
