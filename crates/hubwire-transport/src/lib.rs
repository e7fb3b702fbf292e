//! Logical connections for [Hubwire](https://docs.rs/hubwire), whatever carries them.
//!
//! A browser reaches a server over a WebSocket, an event stream or polls.
//! To an application it is one [`Connection`]: payloads come in through its inbox, messages go out through its outbox, and sockets, streams and polls *attach* to it.
//! This crate holds that abstraction with everything that needs neither an HTTP server nor a runtime: tokens, negotiation, framing, options and the reasons why connections end.
//!
//! # When to use it
//!
//! Not directly: use `hubwire`, which re-exports what an application needs.
//! It is for those who bind Hubwire to another HTTP server, as `hubwire-actix` does for actix-web, or who write a [`Runner`] of their own.
//!
//! # Smallest program
//!
//! ```
//! use hubwire_transport::{Connection, ConnectRequest, EndpointOptions, Message, Payload, TransferFormat, Transport};
//! use std::sync::Arc;
//!
//! let options = Arc::new(EndpointOptions::default());
//! let request = ConnectRequest::local("/echo", Transport::WebSockets);
//! let (connection, attachment) = Connection::open("demo".into(), request, options);
//!
//! connection.receive(Payload::text("hello"));                                  // the socket's side
//! connection.send(Message::text("hello"));                                     // the application's side
//! assert_eq!(attachment.take_now().map(|message| message.payload().to_vec()), Some(b"hello".to_vec()));
//! ```
//!
//! # Map
//!
//! - [`Connection`], [`Attachment`], [`Event`]: the two ends of a connection, and its life.
//! - [`Message`], [`Payload`]: what goes out and what comes in.
//! - [`Application`], [`Connections`]: applications that exchange plain messages.
//! - [`Runner`], [`Mount`], [`ConnectionTable`]: what is run on connections, and where they are found.
//! - [`ConnectRequest`], [`Identity`]: who connects, and how.
//! - [`negotiate`], [`token`], [`websocket`], [`event_stream`]: the wire below the hub protocol.
//! - [`EndpointOptions`], [`DisconnectReason`]: limits, and what happens at them.
//!
//! # What it does not do
//!
//! It opens no socket, starts no task, reads no clock and knows no hub message.

mod application;
mod attachment;
mod census;
mod compression;
mod connection;
mod connections;
pub mod event_stream;
mod identity;
mod inbox;
mod lifecycle;
mod message;
pub mod negotiate;
mod options;
mod origin;
mod outbox;
#[cfg(test)]
mod poll_tests;
mod pulse;
mod reason;
mod request;
#[cfg(test)]
mod resume_tests;
mod runner;
mod table;
pub mod token;
mod transport;
mod turns;
mod unacked;
mod validation;
pub mod websocket;

pub use self::application::Application;
pub use self::attachment::{Attachment, Receipt, ReceiptError, Receiver, Taken};
pub use self::census::{Census, ContextSeat, Full, Seat};
pub use self::compression::Compression;
pub use self::connection::{Connection, ConnectionId, Event, Intake, Room};
pub use self::connections::{Connections, ConnectionsBuilder, panic_text};
pub use self::identity::{Identity, UserId};
pub use self::inbox::Payload;
pub use self::message::{FrameEncoding, Message, TransferFormat};
pub use self::options::{Authentication, ClientAddress, Cors, EndpointOptions};
pub use self::origin::{AllowedOrigins, is_own};
pub use self::outbox::PushError;
pub use self::reason::DisconnectReason;
pub use self::request::{ConnectRequest, query_value};
pub use self::runner::{Access, Boundaries, MessageLimit, Mount, Runner};
pub use self::table::{ConnectionTable, Found, Registration};
pub use self::transport::{Transport, Transports};
pub use self::turns::{Place, Turn};
pub use self::unacked::Opening;
pub use self::validation::{OptionsError, ticks};
