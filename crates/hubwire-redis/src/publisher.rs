//! Sending to the clients of a hub from a process that has none.

use futures_util::future::LocalBoxFuture;
use hubwire_hub::{
    Address, BuildError, CallerContext, ClientProxy, Clients, Groups, Hub, HubDefinition,
    HubResult, Method, Users,
};

use crate::redis_bus::Redis;

/// A hub whose clients are all on other servers: for workers, scheduled jobs and admin tools.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use hubwire_redis::{Publisher, Redis};
///
/// let redis = Redis::connect("redis://127.0.0.1/").await?;
/// let chat = Publisher::new(&redis, "Chat")?;
/// chat.clients().user("ada").send("ReceiveMessage", &("the server", "your parcel is here"));
/// redis.flush().await; // before the process ends
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Publisher(Hub<Outside>);

/// What a [`Publisher`] is instead of a hub: it has no methods, and knows clients by the names of theirs.
#[derive(Debug)]
pub struct Outside;

impl Publisher {
    /// Speaks to the clients of the hub with this name: that of its type, unless it was built with another.
    ///
    /// # Errors
    ///
    /// When this process has that hub itself, or another publisher to it: then use that one; clones are cheap.
    pub fn new(redis: &Redis, hub: &str) -> Result<Self, BuildError> {
        Hub::new(Outside).name(hub).backplane(redis).try_build().map(Self)
    }

    /// Chooses clients to call.
    pub fn clients(&self) -> Clients<Outside> {
        self.0.clients()
    }

    /// The groups of the hub.
    pub fn groups(&self) -> Groups {
        self.0.groups()
    }

    /// The users of the hub.
    pub fn users(&self) -> Users {
        self.0.users()
    }
}

impl HubDefinition for Outside {
    const NAME: &'static str = "Outside";

    type Client<A: Address> = ClientProxy<A>;

    fn client<A: Address>(address: A) -> ClientProxy<A> {
        address.into()
    }

    fn methods() -> &'static [Method<Self>] {
        &[]
    }

    fn on_connected<'a>(&'a self, _: &'a CallerContext<Self>) -> LocalBoxFuture<'a, HubResult<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
