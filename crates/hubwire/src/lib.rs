//! A [SignalR](https://learn.microsoft.com/aspnet/core/signalr/introduction) server for [actix-web](https://docs.rs/actix-web): define *hubs* whose methods browsers call, and which call methods in browsers.
//!
//! A hub is a plain `impl` block.
//! The official clients (JavaScript, .NET, Java, Swift, Python) work unchanged, because Hubwire speaks SignalR's wire protocol.
//!
//! # When to use it
//!
//! When pages should change while people look at them, and you would rather write methods than frames: chats, dashboards, games, progress bars, collaboration.
//! When you move a SignalR backend to Rust and keep its clients.
//! For plain messages without calls, see [below](#without-a-hub).
//!
//! # The smallest program
//!
//! ```no_run
//! use actix_web::{App, HttpServer};
//! use hubwire::prelude::*;
//!
//! #[hub_client]
//! trait ChatClient {
//!     fn receive_message(user: &str, text: &str);
//! }
//!
//! struct Chat;
//!
//! #[hub(client = ChatClient)]
//! impl Chat {
//!     async fn send_message(&self, cx: &CallerContext<Self>, user: String, text: String) -> HubResult<()> {
//!         if text.is_empty() {
//!             return Err(HubError::new("say something"));
//!         }
//!         cx.clients().all().receive_message(&user, &text);
//!         Ok(())
//!     }
//! }
//!
//! #[actix_web::main]
//! async fn main() -> std::io::Result<()> {
//!     let chat = Hub::new(Chat).build();
//!     let hub = chat.clone();
//!     HttpServer::new(move || App::new().service(hub.at("/chat")))
//!         .hubwire(&[&chat])
//!         .bind(("127.0.0.1", 8080))?
//!         .run()
//!         .await
//! }
//! ```
//!
//! # A tour
//!
//! ## Methods that clients call
//!
//! [`#[hub]`](macro@hub) on an `impl` block makes every function in it a method that strangers may call: parameters are what serde deserializes, results what it serializes.
//! A method may be `async` or not, and its future need not be `Send`.
//! On the wire names are PascalCase: `send_message` is called as `SendMessage`, without regard to case.
//! One value of the type serves all connections; what they share goes into its fields, behind a lock.
//!
//! ```
//! use hubwire::prelude::*;
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! #[derive(Default)]
//! struct Counter {
//!     clicks: AtomicU64,
//! }
//!
//! #[hub]
//! impl Counter {
//!     fn click(&self) -> u64 {
//!         self.clicks.fetch_add(1, Ordering::Relaxed) + 1
//!     }
//! }
//! ```
//!
//! ## Methods of the client
//!
//! [`#[hub_client]`](macro@hub_client) on a trait declares what clients offer.
//! A method without a value is a send: it never waits, and its [`Delivery`] may be ignored, or awaited by whoever sends a lot.
//! A method with a value is a client result: awaited, and only for a single client.
//!
//! ```
//! use hubwire::prelude::*;
//!
//! #[hub_client]
//! trait Player {
//!     fn round_started(number: u32);
//!     fn choose(options: &[String]) -> usize;
//! }
//!
//! struct Game;
//!
//! #[hub(client = Player)]
//! impl Game {
//!     async fn start(&self, cx: &CallerContext<Self>) -> HubResult<String> {
//!         cx.clients().others().round_started(1);
//!         let options = ["left".to_owned(), "right".to_owned()];
//!         let choice = cx.clients().caller().choose(&options).await?;
//!         options.get(choice).cloned().ok_or_else(|| HubError::new("choose one of the options"))
//!     }
//! }
//! ```
//!
//! ## Whom to call
//!
//! [`CallerContext::clients`] chooses: the caller, others, all, single connections, groups, users, each with exclusions.
//! [`Hub::clients`] does the same from anywhere: handlers, tasks, plain threads.
//!
//! ```
//! use hubwire::prelude::*;
//!
//! struct News;
//!
//! #[hub]
//! impl News {
//!     async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> {
//!         let topic = cx.request().query("topic").unwrap_or("all".into()).into_owned();
//!         cx.join_group(&topic).await?;
//!         Ok(())
//!     }
//! }
//!
//! let news = Hub::new(News).build();
//! std::thread::spawn(move || {
//!     news.clients().group("sports").send("Headline", &("It is raining.",));
//! });
//! ```
//!
//! Whoever can be called can be sent away: [`disconnect`](Disconnect::disconnect) ends all the connections of an address.
//!
//! ```
//! # use hubwire::prelude::*;
//! # struct News;
//! # #[hub]
//! # impl News {}
//! # let news = Hub::new(News).build();
//! let ended: usize = news.clients().user("ada").disconnect();
//! ```
//!
//! [`disconnect_with`](Disconnect::disconnect_with) gives them a reason, and lets them come back.
//!
//! And anyone may ask who is there: [`Hub::groups`] tells the members of a group, [`Hub::users`] the connections of a user.
//!
//! ```
//! # use hubwire::prelude::*;
//! # struct News;
//! # #[hub]
//! # impl News {}
//! # async fn example(news: Hub<News>) -> Result<(), hubwire::BackplaneError> {
//! let readers: usize = news.groups().count("sports").await?;
//! let is_there: bool = news.users().is_online("ada").await?;
//! # Ok(())
//! # }
//! ```
//!
//! ## When something fails
//!
//! [`HubError::new`] is for the client to read. Every other error converts with `?`, goes to the log with its sources, and the client gets a fixed sentence.
//! A method that panics is an error for its caller only.
//!
//! ## Who connects
//!
//! [`Endpoint::identity`] takes an async function of actix-web extractors that returns an [`Identity`], which makes [`Clients::user`] work.
//! [`AccessToken`] is an extractor for bearer tokens, and [`HideTokens`] keeps those out of logs.
//! [Authentication](authentication) has more: tokens, cookies and sessions, middleware that guards.
//!
//! ## Which pages
//!
//! A browser sends a server's cookies along whatever page asks, so only pages of the endpoint's own host pass, until [`EndpointOptions::allowed_origins`] says otherwise.
//!
//! ```
//! use hubwire::AllowedOrigins;
//! use hubwire::prelude::*;
//!
//! # struct Chat;
//! # #[hub]
//! # impl Chat {}
//! # let chat = Hub::new(Chat).build();
//! let pages = AllowedOrigins::list(["https://app.example.com"]);
//! let endpoint = chat.at("/chat").options(EndpointOptions::default().allowed_origins(pages));
//! ```
//!
//! ## Without a hub
//!
//! An [`Application`] exchanges plain messages with its clients, bare browser `WebSocket`s among them. [`Connections`] mounts it like a hub and sends from anywhere.
//!
//! ```
//! use hubwire::prelude::*;
//! use hubwire::{Application, Connection, Connections, Payload};
//!
//! struct Echo;
//!
//! impl Application for Echo {
//!     async fn payload(&self, connection: &Connection, payload: Payload) {
//!         connection.send(payload.into());
//!     }
//! }
//!
//! let echo = Connections::new(Echo).build();
//! let endpoint = echo.at("/echo");
//! ```
//!
//! ## The server
//!
//! [`ServerExt::hubwire`] gives an `HttpServer` settings for connections that last, and a graceful close, whose times [`ShutdownOptions`] set.
//! [`MountExt::readiness`] is a route for load balancers.
//! Limits and times are in [`HubOptions`] and [`EndpointOptions`].
//! Hubs log through [`tracing`](https://docs.rs/tracing), and so through `log` too.
//!
//! ## Protocols
//!
//! Clients choose between the hub protocols that there are: JSON, and with the feature `messagepack` MessagePack, which is shorter and in which bytes stay bytes.
//! The hub is the same; [`HubOptions::supported_protocols`] limits the choice.
//! [`Binary`] and [`Timestamp`] are values that the two write differently, and [`Raw`] takes anything and hands it on.
//!
//! ```
//! use hubwire::prelude::*;
//! use hubwire::{Binary, Raw};
//!
//! #[hub_client]
//! trait Viewer {
//!     fn frame(image: &Binary);
//!     fn event(content: &Raw);
//! }
//!
//! struct Camera;
//!
//! #[hub(client = Viewer)]
//! impl Camera {
//!     fn publish(&self, cx: &CallerContext<Self>, image: Binary) {
//!         cx.clients().others().frame(&image);
//!     }
//!
//!     fn relay(&self, cx: &CallerContext<Self>, content: Raw) {
//!         cx.clients().others().event(&content);
//!     }
//! }
//! ```
//!
//! ## Who may
//!
//! `authorize` on the block says what somebody must be to connect, and on a method to call it: a user, with one of some roles, with claims, or whatever a function decides that is shown the call.
//!
//! ```
//! use hubwire::prelude::*;
//! use hubwire::HubInvocation;
//!
//! struct Wiki;
//!
//! #[hub(authorize)] // users only: others are answered 401
//! impl Wiki {
//!     fn read(&self, page: String) -> String {
//!         format!("the text of {page}")
//!     }
//!
//!     #[hub(authorize(roles = "editor, admin", policy = Self::is_not_locked))]
//!     fn write(&self, page: String, text: String) {}
//! }
//!
//! impl Wiki {
//!     async fn is_not_locked(&self, call: &HubInvocation<Self>) -> bool {
//!         call.argument::<String>(0).is_ok_and(|page| page != "Home")
//!     }
//! }
//!
//! let wiki = Hub::new(Wiki).build();
//! let endpoint = wiki.at("/wiki").identity(async || Identity::user("ada").role("editor"));
//! ```
//!
//! Whoever may not call a method is told "Failed to invoke 'Write' because user is unauthorized". What an [`Identity`] holds comes from the endpoint's identity hook, and stays what it was when the connection was opened: [authentication] says what to do when a user's rights change.
//!
//! ## Around every call
//!
//! A [`HubFilter`] runs around calls, connects and disconnects of one hub or of all: it logs, refuses, changes what comes of them.
//! [`items`](CallerContext::items) keep what belongs to one connection.
//!
//! ## Compression
//!
//! With the feature `deflate`, WebSockets are compressed (permessage-deflate) where [`EndpointOptions::compression`] says so and a client offers it.
//! It is off by default: the length of what is compressed tells of its content, and where a message holds a secret beside something that an attacker chose, that can give the secret away (CRIME, BREACH).
//! `#[hub(uncompressed)]` on a method of the hub or of the client exempts its messages.
//!
//! ## Tests
//!
//! With the feature `testing`, `hubwire::testing` is a kit for unit tests of hubs: clients in memory, without a network, in virtual time.
//!
//! ## What is counted
//!
//! With the feature `metrics`, through the [`metrics`](https://docs.rs/metrics) facade, for whatever recorder the application installs:
//!
//! | name | kind | tags |
//! |---|---|---|
//! | `signalr.server.active_connections` | gauge | `hub`, `signalr.transport` |
//! | `signalr.server.connection.duration` | histogram, seconds | `hub`, `signalr.transport`, `signalr.connection.status` |
//! | `hubwire.disconnects` | counter | `hub`, `signalr.transport`, `reason`: [`DisconnectReason::label`] |
//! | `hubwire.fallbacks`: connections over another transport than the best that is offered | counter | `hub`, `signalr.transport` |
//! | `hubwire.refusals`: requests that did not come in | counter | `hub`, `reason` |
//! | `hubwire.received_bytes`, `hubwire.sent_bytes` | counters | `hub`, `signalr.transport` |
//! | `hubwire.backlog_bytes`: what waits for clients | gauge | `worker` |
//! | `hubwire.invocations`, `hubwire.invocation_errors` | counters | `hub`, `method`; calls of what is no method share one |
//!
//! # Several servers
//!
//! [`HubBuilder::backplane`] makes hubs of one name one hub. The crate `hubwire-redis` does it over a Redis; [`InProcess`] does it within a process.

// What the macros write says `::hubwire`, also in the tests of this crate.
extern crate self as hubwire;

pub mod assets;
#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/authentication.md")]
pub mod authentication {}
pub mod prelude;
#[cfg(feature = "testing")]
pub mod testing;

pub use hubwire_actix::{
    AccessToken, Endpoint, HideTokens, IntoHookResult, MissingAccessToken, MountExt, ServerExt,
    ShutdownOptions,
};
pub use hubwire_hub::{
    AttachError, Authorization, Backplane, BackplaneError, BuildError, CallerClients,
    CallerContext, ClientProxy, ClientResult, ClientStream, ClientStreamError, Clients, Close,
    Delivery, DeliveryError, Disconnect, GroupError, Groups, Hub, HubBuilder, HubDefinition,
    HubError, HubFilter, HubInvocation, HubOptions, HubResult, InProcess, InvokeError, Items, Many,
    Next, One, Reply, Target, Users,
};
pub use hubwire_macros::{hub, hub_client};
pub use hubwire_protocol::{
    Binary, DecodeError, EncodeError, HubProtocol, Raw, Timestamp, TimestampError, binary,
};
pub use hubwire_transport::negotiate::Negotiation;
pub use hubwire_transport::token::TokenKey;
pub use hubwire_transport::{
    AllowedOrigins, Application, Authentication, ClientAddress, Compression, ConnectRequest,
    Connection, ConnectionId, Connections, ConnectionsBuilder, Cors, DisconnectReason,
    EndpointOptions, Identity, Message, Mount, OptionsError, Payload, Room, TransferFormat,
    Transport, Transports, UserId,
};

/// What the macros write against; not for people, and not covered by any promise.
#[doc(hidden)]
pub mod __private {
    pub use futures_util::future::LocalBoxFuture;
    pub use hubwire_hub::{
        Address, Answer, Authorization, Call, CallerContext, ClientProxy, ClientResult, Close,
        Compressed, Delivery, Disconnect, Fallible, FromCall, HubDefinition, HubResult,
        IntoOutcome, IntoReply, IntoStream, ItemProbe, Method, MethodKind, One, Parameter,
        ParameterKind, Probe, Target, Value,
    };
    pub use hubwire_transport::DisconnectReason;
}
