//! Which hubs there are, at which paths and with which options.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::ServiceConfig;
use hubwire::prelude::*;
use hubwire::{AllowedOrigins, ClientProxy, Cors, HubProtocol, Mount, One, Transport};

use crate::accept_hub::AcceptHub;
use crate::authorized_hub::AuthorizedHub;
use crate::identity::identify;
use crate::journal::Journal;
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

impl Hubs {
    pub fn new(journal: &Arc<Journal>) -> Self {
        let detailed = || HubOptions::default().enable_detailed_errors(true);
        let build = |name: &str, options: HubOptions| {
            Hub::new(AcceptHub::new(journal.clone())).name(name).options(options).build()
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
            test: Hub::new(TestHub).name("testhub").options(detailed()).build(),
            authorized: Hub::new(AuthorizedHub).name("authorizedhub").options(detailed()).build(),
            uncreatable: Hub::new(UncreatableHub).name("uncreatable").options(detailed()).build(),
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

    /// How many connections the hub of this name has.
    pub fn count(&self, name: &str) -> Option<usize> {
        if name == self.test.name() {
            return Some(self.test.connection_count());
        }
        let (hub, _) = self.variants.iter().find(|(hub, _)| hub.name() == name)?;
        Some(hub.connection_count())
    }

    /// The client with this connection, of whichever hub it is.
    pub fn client(&self, id: &ConnectionId) -> Option<ClientProxy<One>> {
        let connected = |hub: &dyn Mount| hub.runner().connections().get(id).is_some();
        if connected(&self.test) {
            return Some(self.test.clients().client(id).into());
        }
        if connected(&self.authorized) {
            return Some(self.authorized.clients().client(id));
        }
        let (hub, _) = self.variants.iter().find(|(hub, _)| connected(hub))?;
        Some(hub.clients().client(id).into())
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
