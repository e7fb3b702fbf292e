//! The JSON encoding of hub messages.
//!
//! The envelope is read in one pass; arguments, items and results are only found, not decoded.

mod argument;
pub(crate) mod object;
mod read;
mod serializer;
mod text;
mod write;

pub(crate) use self::{
    argument::{from_slice, from_text},
    read::{encode_arguments, parse},
    serializer::to_writer,
    text::write_text,
    write::{
        write, write_ack, write_cancel, write_close, write_completed, write_error,
        write_invocation, write_ping, write_result, write_sequence, write_stream_invocation,
        write_stream_item,
    },
};

/// Ends every message, the handshake's included. It cannot stand inside one: JSON writes it as an escape.
pub(crate) const RECORD_SEPARATOR: u8 = 0x1e;
