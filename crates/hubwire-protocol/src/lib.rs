//! SignalR's hub protocol as pure data: messages, their encodings, the handshake and the framing.
//!
//! Nothing here reads a socket, asks a clock or waits. Bytes go in, messages come out, and the other way round; a session,
//! a client, a proxy and a fuzzer can all be built on it.
//!
//! # When to use it
//!
//! When you speak SignalR without wanting a server: a client, a load generator, a test that looks at the wire.
//! To offer a hub, use the crate `hubwire`, which stands on this one.
//!
//! # The smallest program
//!
//! ```
//! use bytes::Bytes;
//! use hubwire_protocol::{HubMessage, HubProtocol, MessageReader};
//!
//! let mut reader = MessageReader::new(Some(32 * 1024));
//! reader.push(Bytes::from_static(b"{\"type\":1,\"invocationId\":\"7\",\"target\":\"Add\",\"argu"));
//! assert_eq!(reader.next_frame()?, None);
//! reader.push(Bytes::from_static(b"ments\":[1,2]}\x1e"));
//!
//! let frame = reader.next_frame()?.expect("the end has arrived");
//! let HubMessage::Invocation(call) = HubProtocol::Json.parse(&frame)? else { panic!() };
//! let sum = call.arguments.decode::<i64>(0)? + call.arguments.decode::<i64>(1)?;
//!
//! let mut out = Vec::new();
//! if let Some(id) = &call.invocation_id {
//!     HubProtocol::Json.write_result(&mut out, id.as_str(), &sum)?;
//! }
//! assert_eq!(out, b"{\"type\":3,\"invocationId\":\"7\",\"result\":3}\x1e");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Map
//!
//! * [`MessageReader`] cuts what a transport delivers into frames.
//! * [`handshake`] reads and writes the first frame of each side.
//! * [`HubProtocol`] reads the frames after it as [`HubMessage`]s, and writes messages.
//! * [`Arguments`] and [`Raw`] are values that nobody has decoded yet; [`ArgumentList`] is what can be sent as
//!   arguments.
//! * [`Binary`] and [`Timestamp`] are values that JSON and MessagePack write differently.
//! * [`ParseError`], [`FrameError`] and [`HandshakeError`](handshake::HandshakeError) are the peer's fault,
//!   [`EncodeError`] is ours, and a [`DecodeError`] is for whoever knows what the value was for.
//!
//! # Features
//!
//! `messagepack`, off by default, adds the protocol of that name. Code that matches on [`HubProtocol`] or on errors needs
//! a wildcard, so that it compiles with the feature and without.
//!
//! # What it does not do
//!
//! It keeps no state of a connection: which calls are open, what was acknowledged and when to ping is the session's.
//! It does not look for methods, and it knows neither transports nor `negotiate`.

mod argument_list;
mod arguments;
pub mod binary;
mod encode_error;
mod forms;
pub mod handshake;
mod headers;
mod invocation_id;
mod json;
#[cfg(feature = "messagepack")]
mod length_prefix;
mod limits;
mod message;
mod message_reader;
#[cfg(feature = "messagepack")]
mod messagepack;
mod parse_error;
mod protocol;
mod raw;
mod timestamp;
#[cfg(feature = "messagepack")]
mod transcode;

pub use bytestring::ByteString;

pub use self::{
    argument_list::ArgumentList,
    arguments::Arguments,
    binary::Binary,
    encode_error::EncodeError,
    headers::Headers,
    invocation_id::InvocationId,
    message::{
        CancelInvocation, Close, Completion, HubMessage, Invocation, InvocationHead, Outcome,
        StreamItem,
    },
    message_reader::{FrameError, MessageReader},
    parse_error::ParseError,
    protocol::{HubProtocol, TransferFormat},
    raw::{DecodeError, Raw},
    timestamp::{Timestamp, TimestampError},
};

#[cfg(feature = "messagepack")]
pub use self::messagepack::MessagePackError;
