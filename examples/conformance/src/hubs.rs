//! Which hubs there are, at which paths and with which options.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::ServiceConfig;
use hubwire::prelude::*;
use hubwire::{
    AllowedOrigins, BackplaneError, ClientProxy, Cors, HubDefinition, HubProtocol, Mount, One,
    TokenKey, Transport,
};
use hubwire_redis::Redis;

use crate::accept_hub::AcceptHub;
use crate::authorized_hub::AuthorizedHub;
use crate::identity::identify;
use crate::memory::Memory;
use crate::test_hub::TestHub;
use crate::uncreatable_hub::UncreatableHub;

pub struct Hubs {
    test: Hub<TestHub>,
    authorized: Hub<AuthorizedHub>,
    uncreatable: Hub<UncreatableHub>,
    /// The one that is heard of from outside.
    accept: Hub<AcceptHub>,
    /// Each below its name, with the options of its endpoint; `accept` is the first.
    variants: Vec<(Hub<AcceptHub>, EndpointOptions)>,
}

/// Where a client is.
pub enum Place {
    Here(ClientProxy<One>),
    Elsewhere(ClientProxy<One>),
    Nowhere,
}

impl Hubs {
    /// Hubs of this server alone, or of all on one Redis.
    pub fn new(memory: &Arc<Memory>, key: &TokenKey, redis: Option<&Redis>) -> Self {
        let detailed = || HubOptions::default().enable_detailed_errors(true);
        let build = |name: &str, options: HubOptions| {
            launch(AcceptHub::new(memory.clone()), name, options, key, redis)
        };
        let only = |name: &str, transport: Transport| {
            (build(name, HubOptions::default()), endpoint().transports([transport]))
        };
        let accept = build(
            "accept",
            HubOptions::default().maximum_receive_message_size(Some(ACCEPT_MESSAGE_MAX)),
        );
        let fast = detailed()
            .keep_alive_interval(Duration::from_secs(1))
            .client_timeout_interval(Duration::from_secs(3))
            .handshake_timeout(Duration::from_secs(2));
        let json_only = HubOptions::default().supported_protocols([HubProtocol::Json]);
        let parallel = HubOptions::default().maximum_parallel_invocations_per_client(8);
        Self {
            test: launch(TestHub, "testhub", detailed(), key, redis),
            authorized: launch(AuthorizedHub, "authorizedhub", detailed(), key, redis),
            uncreatable: launch(UncreatableHub, "uncreatable", detailed(), key, redis),
            variants: vec![
                (accept.clone(), endpoint().max_backlog(4 * ACCEPT_MESSAGE_MAX)),
                (build("accept-fast", fast), endpoint().poll_timeout(Duration::from_secs(2))),
                (build("accept-parallel", parallel), endpoint()),
                (build("accept-jsononly", json_only), endpoint()),
                (build("accept-stateful", detailed()), endpoint().allow_stateful_reconnects(true)),
                only("accept-wsonly", Transport::WebSockets),
                only("accept-sseonly", Transport::ServerSentEvents),
                only("accept-lponly", Transport::LongPolling),
            ],
            accept,
        }
    }

    pub fn mount(&self, app: &mut ServiceConfig) {
        let no_web_sockets = [Transport::ServerSentEvents, Transport::LongPolling];
        app.service(self.test.at("/testhub").options(endpoint()).identity(identify))
            .service(
                self.test
                    .at("/testhub-nowebsockets")
                    .options(endpoint().transports(no_web_sockets))
                    .identity(identify),
            )
            .service(self.authorized.at("/authorizedhub").options(endpoint()).identity(identify))
            .service(self.uncreatable.at("/uncreatable").options(endpoint()).identity(identify));
        for (hub, options) in &self.variants {
            app.service(hub.at(hub.name()).options(options.clone()).identity(identify));
        }
    }

    pub fn all(&self) -> Vec<&dyn Mount> {
        let mut all: Vec<&dyn Mount> = vec![&self.test, &self.authorized, &self.uncreatable];
        all.extend(self.variants.iter().map(|(hub, _)| hub as &dyn Mount));
        all
    }

    /// The hub at `/accept`.
    pub fn accept(&self) -> &Hub<AcceptHub> {
        &self.accept
    }

    /// How many connections the hub of this name has, on all servers.
    pub async fn count(&self, name: &str) -> Result<Option<usize>, BackplaneError> {
        if name == self.test.name() {
            return self.test.total_connection_count().await.map(Some);
        }
        let variant = self.variants.iter().find(|(hub, _)| hub.name() == name);
        let Some((hub, _)) = variant else { return Ok(None) };
        hub.total_connection_count().await.map(Some)
    }

    /// The client with this connection, of whichever hub it is, on whichever server.
    pub async fn client(&self, id: &ConnectionId) -> Result<Place, BackplaneError> {
        let is_here = |hub: &dyn Mount| hub.runner().connections().get(id).is_some();
        let test = || self.test.clients().client(id).into();
        if is_here(&self.test) {
            return Ok(Place::Here(test()));
        }
        if is_here(&self.authorized) {
            return Ok(Place::Here(self.authorized.clients().client(id)));
        }
        if let Some((hub, _)) = self.variants.iter().find(|(hub, _)| is_here(hub)) {
            return Ok(Place::Here(hub.clients().client(id).into()));
        }
        if self.test.is_connected(id).await? {
            return Ok(Place::Elsewhere(test()));
        }
        if self.authorized.is_connected(id).await? {
            return Ok(Place::Elsewhere(self.authorized.clients().client(id)));
        }
        for (hub, _) in &self.variants {
            if hub.is_connected(id).await? {
                return Ok(Place::Elsewhere(hub.clients().client(id).into()));
            }
        }
        Ok(Place::Nowhere)
    }
}

fn launch<H: HubDefinition>(
    definition: H,
    name: &str,
    options: HubOptions,
    key: &TokenKey,
    redis: Option<&Redis>,
) -> Hub<H> {
    let hub = Hub::new(definition).name(name).options(options).token_key(key.clone());
    match redis {
        Some(redis) => hub.backplane(redis).build(),
        None => hub.build(),
    }
}

/// The longest message to `/accept`.
const ACCEPT_MESSAGE_MAX: usize = 4 << 20;

/// What all endpoints have in common: pages from everywhere, whose headers `pages.rs` writes, and what ASP.NET Core has by default.
pub fn endpoint() -> EndpointOptions {
    EndpointOptions::default()
        .allowed_origins(AllowedOrigins::Any)
        .cors(Cors::Off)
        .poll_timeout(Duration::from_secs(90))
}
