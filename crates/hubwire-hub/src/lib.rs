//! Hubs for [Hubwire](https://docs.rs/hubwire): sessions, dispatch, clients and groups, without an HTTP server.
//!
//! A hub is a value whose methods clients call, and from which clients are called.
//! This crate runs the SignalR hub protocol over the [`Connection`](hubwire_transport::Connection)s of `hubwire-transport`: handshake, calls and their answers, pings, timeouts, the end.
//!
//! # When to use it
//!
//! Not directly: use `hubwire`, which adds the macros and the server.
//!
//! # Map
//!
//! - [`Hub`], [`HubBuilder`], [`HubOptions`]: the handle, and how one is built.
//! - [`CallerContext`]: what a method knows about its caller.
//! - [`Clients`], [`CallerClients`], [`Groups`]: choosing whom to call. [`One`], [`Many`], [`Delivery`], [`ClientResult`]: calling them. [`Disconnect`]: ending them. [`Users`], [`Groups`]: who is there.
//! - [`Backplane`], [`Bus`], [`Listener`], [`Notice`]: several servers as one hub. [`InProcess`]: the same within one process.
//! - [`ClientStream`]: what a client sends as a stream.
//! - [`HubError`], [`HubResult`]: failing.
//! - [`HubFilter`], [`HubInvocation`], [`Reply`], [`Next`]: code around methods and connections. [`Authorization`]: who may call. [`Items`]: what is kept with a connection.
//! - [`HubDefinition`], [`Method`], [`Call`], [`FromCall`], [`IntoReply`], [`IntoStream`], [`Answer`], [`IntoOutcome`]: what `#[hub]` writes.
//!
//! # What it does not do
//!
//! It spawns nothing, listens to nothing and reads no clock: a session is a future, and its ticks come from outside.

mod address;
mod answers;
mod asking;
mod authorization;
mod backplane;
mod call;
mod calls;
mod client_result;
mod client_stream;
mod clients;
mod cluster;
mod context;
mod definition;
mod elsewhere;
mod encode;
mod ending;
mod error;
mod filter;
mod groups;
mod handshake;
mod hints;
mod hub;
mod in_process;
mod items;
mod keep_alive;
mod listener;
mod member;
#[cfg_attr(not(feature = "metrics"), path = "meter_off.rs")]
mod meter;
mod notice;
mod options;
mod peers;
mod presence;
mod progress;
mod reception;
mod registry;
mod reply;
mod running;
mod session;
mod streaming;
mod streams;
mod target;
mod texts;
mod unfinished;
mod users;
#[cfg_attr(not(feature = "testing"), path = "work_off.rs")]
mod work;

pub use hubwire_protocol::Close;

pub use self::address::{Address, ClientProxy, Delivery, DeliveryError, Disconnect, Many, One};
pub use self::authorization::{Authorization, Policy};
pub use self::backplane::{AttachError, Backplane, BackplaneError, Bus, Reach, ServerId, Topic};
pub use self::call::{BindError, Call, FromCall};
pub use self::client_result::{ClientResult, InvokeError};
pub use self::client_stream::{ClientStream, ClientStreamError};
pub use self::clients::{CallerClients, Clients};
pub use self::context::CallerContext;
pub use self::definition::{HubDefinition, Method, MethodKind, Parameter, ParameterKind};
pub use self::encode::Encodings;
pub use self::error::{HubError, HubResult};
pub use self::filter::{HubFilter, HubInvocation, Next, Reply};
pub use self::groups::{GroupError, Groups};
pub use self::hub::{BuildError, Hub, HubBuilder};
pub use self::in_process::InProcess;
pub use self::items::Items;
pub use self::listener::Listener;
pub use self::notice::{Content, Finding, Notice, Refusal, Scope};
pub use self::options::HubOptions;
pub use self::reply::{Fallible, IntoOutcome, IntoReply, Probe, Value};
pub use self::streaming::{Answer, IntoStream, ItemProbe};
pub use self::target::{Compressed, Target};
pub use self::users::Users;
#[cfg(feature = "testing")]
pub use self::work::Work;
