//! The hub under test.

use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hubwire_hub::{Hub, HubDefinition};
use hubwire_transport::{EndpointOptions, Mount};

use super::connect::Connect;
use super::wait::{Patience, Wait};
use super::world::World;

/// A hub under test, and its clock.
///
/// It stays on the thread of its test. When it is dropped with its clients, they end as with a server that goes down.
pub struct TestHub<H: HubDefinition> {
    hub: Hub<H>,
    world: Rc<World>,
}

impl<H: HubDefinition> TestHub<H> {
    /// A hub with default options around this value. For others, build the hub and say `TestHub::from(hub)`.
    pub fn new(definition: H) -> Self {
        Self::from(Hub::new(definition).build())
    }

    /// Sets the options of the endpoint, as far as they are about open connections: buffers, backlogs, timeouts.
    ///
    /// For clients that connect from here on.
    #[must_use]
    pub fn endpoint_options(self, options: EndpointOptions) -> Self {
        self.world.endpoint.replace(Arc::new(options));
        self
    }

    /// Sets how long expectations wait, in real time, while a method of the hub runs and waits for something outside, such as a database or a timer.
    ///
    /// Default 5 s. It passes only where a test fails, or where [`expect_nothing`](super::TestClient::expect_nothing) looks at a call that never ends.
    #[must_use]
    pub fn io_timeout(self, timeout: Duration) -> Self {
        self.world.io_timeout.set(timeout);
        self
    }

    /// Sets how long expectations wait, in real time, though no method of the hub runs: for hubs that are called from tasks and threads of your own.
    ///
    /// Default none, so that what will not come fails at once. That nothing comes is judged without it. Tasks of the test's own thread that are ready to run have their turn all the same.
    #[must_use]
    pub fn task_timeout(self, timeout: Duration) -> Self {
        self.world.task_timeout.set(timeout);
        self
    }

    /// The hub's handle, which applications call clients with.
    pub fn hub(&self) -> &Hub<H> {
        &self.hub
    }

    /// Begins to connect a client.
    pub fn connect(&self) -> Connect {
        Connect::new(self.world.clone())
    }

    /// Lets time pass for the hub and all its connections, in whole seconds, rounded up.
    ///
    /// Clients take what comes meanwhile, and ping every 15 seconds, unless they have [fallen silent](super::TestClient::fall_silent).
    pub fn advance<'a>(&self, time: Duration) -> Wait<'a, ()> {
        let world = self.world.clone();
        Wait::settled(&self.world, Patience::None, || Ok(())).after(move || world.advance(time))
    }

    /// Runs the hub until nothing is left to run, and calls that wait for something outside have ended.
    pub fn settle<'a>(&self) -> Wait<'a, ()> {
        Wait::settled(&self.world, Patience::Calls, || Ok(()))
    }

    /// Runs the hub while it awaits a future that is not of the kit.
    ///
    /// ```
    /// # use hubwire::prelude::*;
    /// # use hubwire::testing::TestHub;
    /// # #[hub_client]
    /// # trait Page { fn confirm(question: &str) -> bool; }
    /// # struct Board;
    /// # #[hub(client = Page)]
    /// # impl Board {}
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let board = TestHub::new(Board);
    /// let ada = board.connect().await;
    /// ada.answer("Confirm", |(_,): (String,)| true);
    /// let asked = board.hub().clients().client(ada.connection_id()).confirm("sure?");
    /// assert!(board.run_until(asked).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When the future has not ended [`io_timeout`](Self::io_timeout) after the hub has become quiet.
    pub fn run_until<'a, F: IntoFuture>(&self, future: F) -> Wait<'a, F::Output>
    where
        F::IntoFuture: 'a,
    {
        let mut future = Box::pin(future.into_future());
        let look = move |cx: &mut Context<'_>| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Some(Ok(output)),
            Poll::Pending => None,
        };
        Wait::until(&self.world, Patience::Foreign, look, |why| {
            Err(format!("the future that was awaited beside the hub has not ended\n{why}"))
        })
    }
}

impl<H: HubDefinition> From<Hub<H>> for TestHub<H> {
    fn from(hub: Hub<H>) -> Self {
        let world = Rc::new(World::new(hub.runner()));
        Self { hub, world }
    }
}

impl<H: HubDefinition> fmt::Debug for TestHub<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestHub").field("hub", &self.hub).finish_non_exhaustive()
    }
}
