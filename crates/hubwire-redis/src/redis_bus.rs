//! The connection to Redis of a process, and each hub's end of it.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use hubwire_hub::{
    AttachError, Backplane, BackplaneError, Bus, Listener, Notice, Reach, ServerId, Topic,
};
use hubwire_transport::OptionsError;
use thiserror::Error;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::channel::Channels;
use crate::listening;
use crate::names::Claim;
use crate::options::{RedisOptions, SameNames};
use crate::publishing;
use crate::queue::Entry;
use crate::shared::{Shared, Status};
use crate::subscriptions::Subscriber;
use crate::wire;

/// The connection to Redis of all hubs of a process: two sockets, and one thread that serves them.
///
/// It is a cheap handle: clones are the same connection. It ends when the last hub and the last handle are gone.
///
/// Two hubs of one name cannot be built in one process, unless each is on a connection of its own with [`SameNames::OtherServers`](crate::SameNames::OtherServers); then they are two servers of one hub.
#[derive(Clone)]
pub struct Redis(Arc<Connection>);

/// Keeps the thread.
struct Connection(Arc<Shared>);

/// Why there is no connection to Redis.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is none, or there are certificates that do not go with it or cannot be read.
    #[error("the address of Redis cannot be understood, or its certificates")]
    Address(#[source] Box<dyn Error + Send + Sync>),
    /// An option makes no sense.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The thread that serves it cannot be started.
    #[error("the thread for Redis cannot be started")]
    Thread(#[from] io::Error),
    /// Redis cannot be reached.
    #[error("Redis cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
}

impl Redis {
    /// Connects to Redis, which must be there.
    ///
    /// Later it may go away and come back: the hubs of this server work on without it, and together again with it.
    ///
    /// # Errors
    ///
    /// When an option makes no sense, or Redis is not there.
    pub async fn connect(options: impl Into<RedisOptions>) -> Result<Self, ConnectError> {
        let (first, connected) = oneshot::channel();
        let redis = Self::open(options.into(), Some(first))?;
        match connected.await {
            Ok(Ok(())) => Ok(redis),
            Ok(Err(error)) => Err(ConnectError::Unreachable(error.into())),
            Err(_) => Err(ConnectError::Thread(io::ErrorKind::Other.into())),
        }
    }

    /// Connects to Redis as soon as it is there. Until then each server is alone.
    ///
    /// # Errors
    ///
    /// When an option makes no sense.
    pub fn connect_later(options: impl Into<RedisOptions>) -> Result<Self, ConnectError> {
        Self::open(options.into(), None)
    }

    fn open(
        options: RedisOptions,
        first: Option<oneshot::Sender<Result<(), redis::RedisError>>>,
    ) -> Result<Self, ConnectError> {
        options.validate()?;
        let client = options.client();
        let client = client.map_err(|error| ConnectError::Address(error.into()))?;
        let shared = Arc::new(Shared::new(options, client));
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let serve = serve(shared.clone(), first);
        thread::Builder::new()
            .name("hubwire-redis".to_owned())
            .spawn(move || runtime.block_on(serve))?;
        Ok(Self(Arc::new(Connection(shared))))
    }

    /// How the connection is.
    pub fn status(&self) -> Status {
        self.0.0.status()
    }

    /// Waits until everything that was sent so far has gone to Redis, or cannot.
    pub async fn flush(&self) {
        self.0.0.queue.flushed().await;
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redis").field(&self.status()).finish()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.stop.notify_one();
    }
}

/// Everything that the thread does.
async fn serve(shared: Arc<Shared>, first: Option<oneshot::Sender<Result<(), redis::RedisError>>>) {
    if let Some(first) = first {
        if let Err(error) = publishing::connect(&shared).await {
            // Whoever connects may have stopped waiting in this moment.
            drop(first.send(Err(error)));
            return;
        }
        let shared = shared.clone();
        tokio::spawn(async move {
            shared.queue.opened().await;
            shared.subscriptions.up().await;
            drop(first.send(Ok(())));
        });
    }
    tokio::spawn(publishing::publish(shared.clone()));
    tokio::spawn(listening::listen(shared.clone()));
    let ticking = shared.clone();
    tokio::spawn(async move {
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            seconds.tick().await;
            ticking.tick();
        }
    });
    shared.stop.notified().await;
    /// How long the last words may take: that servers go away is better said than found out.
    const LAST_WORDS: Duration = Duration::from_secs(1);
    drop(timeout(LAST_WORDS, shared.queue.flushed()).await);
}

impl Backplane for Redis {
    fn attach(&self, hub: &str, listener: Listener) -> Result<Arc<dyn Bus>, AttachError> {
        let shared = &self.0.0;
        let mut hubs = shared.hubs();
        if hubs.contains_key(hub) {
            return Err(AttachError::NameTaken { hub: hub.to_owned() });
        }
        let claim = match shared.options.same_names {
            SameNames::OtherServers => None,
            SameNames::Refused => {
                let address = shared.client.get_connection_info().addr().to_string();
                let claim = Claim::take(&address, &shared.options.prefix, hub);
                Some(claim.ok_or_else(|| AttachError::NameTaken { hub: hub.to_owned() })?)
            }
        };
        hubs.insert(hub.into(), listener.clone());
        let channels = Channels::new(&shared.options.prefix, hub);
        let (redis, id, hub) = (self.clone(), ServerId::random(), hub.into());
        Ok(Arc::new(RedisBus { redis, hub, id, channels, listener, _claim: claim }))
    }
}

/// A hub's end of the connection.
#[derive(Debug)]
struct RedisBus {
    redis: Redis,
    hub: Box<str>,
    id: ServerId,
    channels: Channels,
    listener: Listener,
    /// Kept for as long as the hub has its name.
    _claim: Option<Claim>,
}

impl RedisBus {
    fn shared(&self) -> &Arc<Shared> {
        &self.redis.0.0
    }
}

impl Bus for RedisBus {
    fn server_id(&self) -> &ServerId {
        &self.id
    }

    fn subscribe(&self, topic: &Topic) {
        let (listener, server) = (self.listener.clone(), self.id.clone());
        let subscriber = Subscriber { listener, server, topic: topic.clone() };
        self.shared().subscriptions.subscribe(self.channels.of(topic), subscriber);
    }

    fn unsubscribe(&self, topic: &Topic) {
        self.shared().subscriptions.unsubscribe(&self.channels.of(topic));
    }

    fn settled(&self) -> Option<BoxFuture<'static, ()>> {
        let asked = self.shared().subscriptions.unsettled()?;
        let shared = self.shared().clone();
        Some(async move { shared.subscriptions.settled(asked).await }.boxed())
    }

    fn publish(&self, topics: &[Topic], notice: &Notice) {
        let payload = wire::encode(notice);
        let entries = topics.iter().map(|topic| {
            let (channel, payload) = (self.channels.of(topic), payload.clone());
            Entry { channel, payload, reply: None }
        });
        self.shared().queue.push(entries);
    }

    fn request(&self, topic: &Topic, notice: &Notice) -> BoxFuture<'static, Reach> {
        let (reply, reach) = oneshot::channel();
        let (channel, payload) = (self.channels.of(topic), wire::encode(notice));
        self.shared().queue.push([Entry { channel, payload, reply: Some(reply) }]);
        // Dropped where Redis cannot be reached, or there is no room.
        reach.map(|reach| reach.unwrap_or(Err(BackplaneError::Unavailable))).boxed()
    }

    fn room(&self) -> Option<BoxFuture<'static, ()>> {
        if self.shared().queue.has_room() {
            return None;
        }
        let shared = self.shared().clone();
        Some(async move { shared.queue.room().await }.boxed())
    }
}

impl Drop for RedisBus {
    fn drop(&mut self) {
        self.shared().subscriptions.forget(&self.id);
        self.shared().hubs().remove(&self.hub);
    }
}
