//! A hub, the server that it runs on, and how long something may take.

use std::error::Error;
use std::fmt::Display;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::rt;
use hubwire::prelude::*;

/// Far more than anything here takes.
const SOON: Duration = Duration::from_secs(10);

pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[hub_client]
pub trait Page {
    fn said(user: &str, text: &str);
}

/// A hub that tells who its callers are.
#[derive(Clone, Copy)]
pub struct Chat;

#[hub(client = Page)]
impl Chat {
    fn who_am_i(&self, cx: &CallerContext<Self>) -> Option<String> {
        cx.user_id().map(ToString::to_string)
    }

    fn say(&self, cx: &CallerContext<Self>, text: String) {
        let user = cx.user_id().map_or("somebody", UserId::as_str);
        cx.clients().others().said(user, &text);
    }
}

/// A server that ends with its test.
pub struct Running {
    pub address: SocketAddr,
    handle: ServerHandle,
}

impl Running {
    pub fn start(address: SocketAddr, server: Server) -> Self {
        let handle = server.handle();
        rt::spawn(server);
        Self { address, handle }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

/// Serves an `App` with a hub called `$hub` in it. The types of an app with middleware are too long to write.
macro_rules! serve {
    ($hub:ident, $app:expr) => {{
        use hubwire::ServerExt as _;
        let hubs: [&dyn hubwire::Mount; 1] = [&$hub.clone()];
        let http = actix_web::HttpServer::new(move || $app).workers(2).hubwire(&hubs);
        let http = http.bind(("127.0.0.1", 0))?;
        crate::kit::Running::start(http.addrs()[0], http.run())
    }};
}
pub(crate) use serve;

/// What comes soon, or an error that says what did not.
pub async fn within<T>(what: impl Display, soon: impl Future<Output = T>) -> Outcome<T> {
    let timeout = tokio::time::timeout(SOON, soon).await;
    timeout.map_err(|_| format!("waited in vain for {what}").into())
}

/// Waits until something is true that nobody tells.
pub async fn until(what: impl Display, is_true: impl Fn() -> bool) -> Outcome {
    within(what, async {
        while !is_true() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}
