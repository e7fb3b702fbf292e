//! The MessagePack encoding of hub messages (HubProtocol.md, "MessagePack (MsgPack) encoding").
//!
//! ```text
//!   length prefix, cut off by the MessageReader
//!     └─ array: type, headers, id, …     read.rs, write.rs
//!          └─ arguments, item, result    found by input.rs, decoded by deserializer.rs, written by serializer.rs
//! ```
//!
//! The values have a serde format of our own and not that of `rmp-serde`, for what that one cannot do: tell a value which
//! form it is written in (a [`Timestamp`](crate::Timestamp) is text in JSON), give a value out undecoded
//! ([`Raw`](crate::Raw)), write collections of unknown length without a buffer of their own, and read whole
//! floats as integers, which is what JavaScript sends beyond 2⁵³. The tests compare the two where they must agree.

mod deserializer;
mod error;
mod input;
mod output;
mod read;
mod serializer;
mod write;

pub use self::error::MessagePackError;
pub(crate) use self::{
    deserializer::{Deserializer, from_slice},
    read::{encode_arguments, parse},
    serializer::{VERBATIM, to_writer, transcode_json},
    write::{
        write, write_ack, write_cancel, write_close, write_completed, write_error,
        write_invocation, write_ping, write_result, write_sequence, write_stream_invocation,
        write_stream_item,
    },
};

/// The extension type that MessagePack itself defines: a point in time.
pub(crate) const TIMESTAMP: i8 = -1;
