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
mod options;
mod publisher;
mod publishing;
mod queue;
mod redis_bus;
mod shared;
mod subscriptions;
mod wire;

pub use self::options::{Overflow, RedisOptions};
pub use self::publisher::{Outside, Publisher};
pub use self::redis_bus::{ConnectError, Redis};
pub use self::shared::Status;
