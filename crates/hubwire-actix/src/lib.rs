//! Hubwire's transports on [actix-web](https://docs.rs/actix-web): routes, negotiation, sockets, time and the end.
//!
//! # When to use it
//!
//! Not directly: use `hubwire`, which re-exports what an application needs.
//!
//! # Map
//!
//! - [`MountExt::at`] gives an [`Endpoint`], which is an actix-web service.
//! - [`MountExt::readiness`] tells a load balancer when a server goes down.
//! - [`ServerExt::hubwire`] gives an `HttpServer` good settings and a graceful close.
//! - [`IntoHookResult`] is what a hook of an endpoint may return, [`AccessToken`] an extractor that it may take.
//! - [`HideTokens`] keeps the tokens of clients out of logs.
//!
//! # How it works
//!
//! Each connection has a *home*: a local task on the worker that served its first request, which owns the application's future and reads the socket.
//! A socket's response body only writes.
//! One [actor](actix::Actor) per worker, the supervisor, ticks the connections of its worker once a second: there is no timer per connection.
//!
//! # What it does not do
//!
//! It knows no hub message: what arrives is handed to the [`Runner`](hubwire_transport::Runner) of its application.

mod access_token;
mod admission;
mod batch;
mod body;
mod clock;
mod endpoint;
mod event_stream;
mod handshake;
mod hide_tokens;
mod home;
mod hook;
mod linger;
#[cfg_attr(not(feature = "metrics"), path = "meter_off.rs")]
mod meter;
mod misuse;
mod negotiate;
mod origin;
mod poll;
mod post;
mod request;
mod server;
mod shutdown;
mod socket;
mod supervisor;
mod websocket;

pub use self::access_token::{AccessToken, MissingAccessToken};
pub use self::endpoint::{Endpoint, MountExt};
pub use self::hide_tokens::HideTokens;
pub use self::hook::IntoHookResult;
pub use self::server::ServerExt;
pub use self::shutdown::ShutdownOptions;
