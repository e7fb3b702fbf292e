//! The handle of a hub, and how one is built.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::ThreadId;

use hubwire_protocol::HubProtocol;
use hubwire_transport::token::TokenKey;
use hubwire_transport::{
    Access, Boundaries, Connection, ConnectionTable, Identity, MessageLimit, Mount, OptionsError,
    Runner,
};
use thiserror::Error;

use crate::authorization::admit;
use crate::backplane::{AttachError, Backplane, Topic};
use crate::clients::Clients;
use crate::cluster::Cluster;
use crate::definition::{HubDefinition, Methods};
use crate::filter::{Filters, HubFilter};
use crate::groups::Groups;
use crate::listener::Listener;
use crate::notice::Content;
use crate::options::HubOptions;
use crate::registry::Registry;
use crate::session;
use crate::users::Users;

/// A hub that runs: build it once, mount it on a server, and use it from anywhere to call clients.
///
/// It is a cheap handle: clones are the same hub. It is `Send` and `Sync`, works from handlers, tasks and plain threads, and before the server starts and after it stops it simply reaches nobody.
///
/// Build it *outside* the closure of `HttpServer::new`, which runs once per worker: a hub built inside would be another hub on every worker, and a broadcast would reach only the clients of one.
pub struct Hub<H: HubDefinition>(Arc<Inner<H>>);

pub(crate) struct Inner<H: HubDefinition> {
    definition: H,
    core: Arc<Core>,
    pub(crate) methods: Methods<H>,
    pub(crate) filters: Filters<H>,
}

/// What does not depend on the type of the hub.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) name: Box<str>,
    pub(crate) options: HubOptions,
    pub(crate) registry: Registry,
    /// Its other servers, if it may have any.
    pub(crate) cluster: Option<Cluster>,
    pub(crate) connections: ConnectionTable,
    built_on: ThreadId,
}

/// Options of a hub on its way to be built.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct HubBuilder<H> {
    definition: H,
    filters: Filters<H>,
    name: Box<str>,
    options: HubOptions,
    token_key: Option<TokenKey>,
    backplane: Option<Arc<dyn Backplane>>,
}

/// Why a hub cannot be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// It cannot take part in its backplane.
    #[error(transparent)]
    Backplane(#[from] AttachError),
    /// An option makes no sense.
    #[error(transparent)]
    Options(#[from] OptionsError),
}

impl Core {
    /// Waits until other servers can reach whoever has come.
    pub(crate) async fn settled(&self) {
        if let Some(cluster) = &self.cluster {
            cluster.settled().await;
        }
    }

    /// Keeps the token of a connection from opening another one elsewhere, should this server die: where requests one after another come with it, the next would.
    fn opened(&self, connection: &Connection, expires: u32) {
        let comes_again = !connection.request().transport.is_lasting() || connection.is_resumable();
        if let Some(cluster) = self.cluster.as_ref().filter(|_| comes_again) {
            let connection_id = connection.id().clone();
            cluster.publish(Topic::Servers, Content::Opened { connection_id, expires });
        }
    }

    /// The protocols that clients may speak.
    pub(crate) fn protocols(&self) -> impl Iterator<Item = HubProtocol> {
        self.options.supported_protocols.iter().copied()
    }
}

impl<H: HubDefinition> Hub<H> {
    /// Begins to build a hub around the value whose methods clients call.
    #[expect(clippy::new_ret_no_self, reason = "it reads as the beginning of a hub")]
    pub fn new(definition: H) -> HubBuilder<H> {
        HubBuilder {
            definition,
            filters: Filters::none(),
            name: H::NAME.into(),
            options: HubOptions::default(),
            token_key: None,
            backplane: None,
        }
    }

    /// The value that it was built around.
    pub fn definition(&self) -> &H {
        &self.0.definition
    }

    /// Its name in logs and metrics.
    pub fn name(&self) -> &str {
        &self.0.core.name
    }

    /// Chooses clients to call.
    pub fn clients(&self) -> Clients<H> {
        Clients::new(self.0.core.clone())
    }

    /// Its groups.
    pub fn groups(&self) -> Groups {
        Groups::new(self.0.core.clone())
    }

    /// Its users.
    pub fn users(&self) -> Users {
        Users::new(self.0.core.clone())
    }

    /// How many clients are connected to this server.
    pub fn connection_count(&self) -> usize {
        self.0.core.registry.len()
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.0.core
    }

    pub(crate) fn inner(&self) -> &Inner<H> {
        &self.0
    }
}

impl<H: HubDefinition> HubBuilder<H> {
    /// Sets the hub's options.
    pub fn options(mut self, options: HubOptions) -> Self {
        self.options = options;
        self
    }

    /// Adds a filter, inside of those that were added before: the first one sees a call first and its answer last.
    pub fn filter(mut self, filter: impl HubFilter<H>) -> Self {
        self.filters.add(filter);
        self
    }

    /// Sets the name that logs and metrics use, and servers among each other; default: the name of the type.
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the key that signs connection tokens; default: random, so that tokens die with the process.
    pub fn token_key(mut self, key: TokenKey) -> Self {
        self.token_key = Some(key);
        self
    }

    /// Sets what connects it to its other servers: those with a hub of the same name; default: it has none.
    ///
    /// All of them need the same options, and one [`token_key`](Self::token_key) unless a client's requests all go to one server.
    pub fn backplane<B: Backplane + Clone>(mut self, backplane: &B) -> Self {
        self.backplane = Some(Arc::new(backplane.clone()));
        self
    }

    /// The hub.
    ///
    /// # Panics
    ///
    /// When an option makes no sense, or it cannot take part in its backplane; [`try_build`](Self::try_build) says so with an error.
    pub fn build(self) -> Hub<H> {
        let name = self.name.clone();
        match self.try_build() {
            Ok(hub) => hub,
            Err(error) => panic!("hub {name} cannot be built: {error}"),
        }
    }

    /// The hub, or why it cannot be built.
    ///
    /// # Errors
    ///
    /// The first option that makes no sense, or that it cannot take part in its backplane.
    pub fn try_build(self) -> Result<Hub<H>, BuildError> {
        self.options.validate()?;
        let listener = Listener::default();
        let bus = self.backplane.map(|backplane| backplane.attach(&self.name, listener.clone()));
        let bus = bus.transpose()?;
        let core = Arc::new(Core {
            name: self.name,
            options: self.options,
            registry: Registry::new(bus.clone()),
            cluster: bus.map(Cluster::new),
            connections: ConnectionTable::new(self.token_key.unwrap_or_else(TokenKey::random)),
            built_on: std::thread::current().id(),
        });
        listener.bind(&core);
        let Self { definition, filters, .. } = self;
        Ok(Hub(Arc::new(Inner { definition, core, methods: Methods::new(), filters })))
    }
}

impl<H: HubDefinition> Mount for Hub<H> {
    fn runner(&self) -> Arc<dyn Runner> {
        self.0.clone()
    }
}

impl<H: HubDefinition> Runner for Inner<H> {
    fn name(&self) -> &str {
        &self.core.name
    }

    fn connections(&self) -> &ConnectionTable {
        &self.core.connections
    }

    fn run(self: Arc<Self>, connection: Connection) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(session::run(Hub(self), connection))
    }

    fn opened(&self, connection: &Connection, expires: u32) {
        self.core.opened(connection, expires);
    }

    fn access(&self, identity: &Identity) -> Access {
        match admit(H::authorization(), identity) {
            true => Access::Granted,
            false if identity.user_id().is_none() => Access::Unauthorized,
            false => Access::Forbidden,
        }
    }

    fn boundaries(&self) -> Boundaries {
        Boundaries::Ignored
    }

    fn message_limit(&self) -> MessageLimit {
        let limit = self.core.options.maximum_receive_message_size;
        limit.map_or(MessageLimit::Unlimited, MessageLimit::AtLeast)
    }

    fn built_on(&self) -> ThreadId {
        self.core.built_on
    }

    fn summary(&self) -> String {
        let protocols = self.core.options.supported_protocols.iter();
        let protocols: Vec<_> = protocols.map(|protocol| protocol.name()).collect();
        let methods = self.methods.len();
        let plural = if methods == 1 { "" } else { "s" };
        format!("{methods} method{plural} over {}", protocols.join(" and "))
    }
}

impl<H: HubDefinition> Clone for Hub<H> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<H: HubDefinition> fmt::Debug for Hub<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("name", &self.name())
            .field("connections", &self.connection_count())
            .finish_non_exhaustive()
    }
}
