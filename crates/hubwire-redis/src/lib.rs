//! A backplane for [Hubwire](https://docs.rs/hubwire) over Redis: several servers as one hub.
//!
//! # When to use it
//!
//! When the clients of a hub are connected to more than one server, and a message to a group should reach all of it.
//! Nothing changes in the hub itself:
//!
//! ```no_run
//! # use hubwire_hub::{Hub, HubDefinition};
//! # async fn example<H: HubDefinition>(chat: H) -> Result<(), Box<dyn std::error::Error>> {
//! let redis = hubwire_redis::Redis::connect("redis://127.0.0.1/").await?;
//! let hub = Hub::new(chat).backplane(&redis).build();
//! # Ok(())
//! # }
//! ```
//!
//! A process without connections sends through a [`Publisher`].
//!
//! # What it does
//!
//! Servers publish to channels of Redis and subscribe to those that concern their own connections.
//! Whoever is connected to the server that sends is served without Redis, whether it is there or not.
//! Redis delivers at most once: what is sent while a server has lost its connection to Redis does not reach that server.
//! It is then logged and counted ([`Redis::status`]), and subscriptions return by themselves.
//!
//! With the feature `metrics`, what [`Redis::status`] says is counted through the [`metrics`](https://docs.rs/metrics) facade too, brought up to date every second. All names begin with `hubwire.backplane.`, and the tag `prefix` is [`RedisOptions::prefix`]:
//!
//! | name | kind | |
//! |---|---|---|
//! | `connected` | gauge | 1 while this server hears others and is heard, else 0 |
//! | `waiting`, `waiting_bytes` | gauges | what waits for Redis |
//! | `published`, `received` | counters | messages that went to Redis and came from it |
//! | `dropped` | counter | messages that did not go to Redis, or may not have |
//! | `gaps`, `reconnects` | counters | how often one of the two sockets was lost, and connected again |
//! | `unreadable` | counter | messages of others that could not be read |
//!
//! What is in the channels is documented in `docs/backplane.md`, for publishers in other languages.
//!
//! # What it does not do
//!
//! It stores nothing in Redis. It does not use Redis Cluster, where a server of a cluster knows only its own subscribers.
//!
//! # Map
//!
//! [`Redis`], [`RedisOptions`]: the connection, for all hubs of a process. [`Publisher`]: hubs of other processes.

mod channel;
mod listening;
#[cfg_attr(not(feature = "metrics"), path = "meter_off.rs")]
mod meter;
mod names;
mod options;
mod publisher;
mod publishing;
mod queue;
mod redis_bus;
mod shared;
mod subscriptions;
mod wire;

#[cfg(feature = "rustls")]
pub use self::options::ClientCertificate;
pub use self::options::{Overflow, RedisOptions, SameNames};
pub use self::publisher::{Outside, Publisher};
pub use self::redis_bus::{ConnectError, Redis};
pub use self::shared::Status;
