//! A kit for unit tests of hubs: clients in memory, without a network, in virtual time.
//!
//! With the feature `testing`, which belongs into `[dev-dependencies]`:
//!
//! ```toml
//! [dev-dependencies]
//! hubwire = { version = "0.1", features = ["testing"] }
//! ```
//!
//! ```test_harness
//! use hubwire::prelude::*;
//! use hubwire::testing::TestHub;
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
//!     fn send_message(&self, cx: &CallerContext<Self>, text: String) -> HubResult<()> {
//!         let user = cx.user_id().ok_or_else(|| HubError::new("sign in first"))?;
//!         cx.clients().others().receive_message(user.as_str(), &text);
//!         Ok(())
//!     }
//! }
//!
//! #[actix_web::test]
//! async fn what_is_said_reaches_the_others() {
//!     let chat = TestHub::new(Chat);
//!     let ada = chat.connect().user("ada").await;
//!     let bob = chat.connect().await;
//!
//!     ada.invoke::<()>("SendMessage", ("hello",)).await.unwrap();
//!     let heard: (String, String) = bob.expect("ReceiveMessage").await;
//!     assert_eq!(heard, ("ada".to_owned(), "hello".to_owned()));
//!     ada.expect_nothing().await;
//!
//!     let error = bob.invoke::<()>("SendMessage", ("hello",)).await.unwrap_err();
//!     assert_eq!(error.message(), Some("sign in first"));
//! }
//! ```
//!
//! # What runs, and when
//!
//! The hub is the real one: handshakes, calls, turns, groups, client results, streams, keep-alive and timeouts are those of a server.
//! Only the network is missing: between client and hub there is memory, which loses nothing and takes no time.
//!
//! Everything runs on the task of the test, and only while it awaits something of the kit. So a test is as deterministic as its hub, needs no particular runtime (`#[actix_web::test]`, `#[tokio::test]`, a plain block-on), and as many run beside each other as there are threads.
//! To await something else while the hub runs, use [`TestHub::run_until`].
//!
//! # When something does not come
//!
//! An expectation fails at once when nothing of the hub is left to run, and says what has come instead.
//! Where a method waits for something outside, a database or a timer of the runtime, it is given [`TestHub::io_timeout`], in real time.
//!
//! # Time
//!
//! The hub's clock stands still until [`TestHub::advance`]: keep-alive, timeouts, `client_result_timeout`.
//! Timers of the runtime are another clock. `#[tokio::test(start_paused = true)]` makes those virtual too: whenever the hub waits for a timer only, it fires.
//!
//! # What it is not for
//!
//! What an endpoint does before there is a connection: identity hooks, required users, origins, limits, negotiation; and the transports themselves. Tests over a real server have those.

mod arguments;
mod call;
mod call_error;
mod client;
mod connect;
mod hub;
mod line;
mod mailbox;
mod question;
mod stream;
mod upload;
mod wait;
mod world;

pub use hubwire_protocol::ArgumentList;

pub use self::arguments::Expected;
pub use self::call::Call;
pub use self::call_error::CallError;
pub use self::client::{Disconnected, TestClient};
pub use self::connect::Connect;
pub use self::hub::TestHub;
pub use self::question::Question;
pub use self::stream::TestStream;
pub use self::upload::Upload;
pub use self::wait::Wait;
