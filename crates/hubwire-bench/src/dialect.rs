//! What is said between clients and servers, and how each protocol writes it.

mod any;
mod json;
mod messagepack;
mod negotiate;
mod plain;
mod socket_io;

use std::fmt::Debug;
use std::str;

use thiserror::Error;

pub(crate) use self::any::Any;
pub(crate) use self::json::Json;
pub(crate) use self::messagepack::MessagePack;
pub(crate) use self::plain::{Plain, TO_ALL};
pub(crate) use self::socket_io::SocketIo;
use crate::error::SwarmError;
use crate::frame::Opcode;
use crate::http::Exchange;
use crate::link::Link;

/// Ends a message of SignalR's JSON protocol, and stands between the packets of one Engine.IO payload.
const SEPARATOR: u8 = 0x1e;

/// How a server is spoken to.
pub(crate) trait Dialect: Debug + Sync {
    /// What the frames that carry it are called.
    fn opcode(&self) -> Opcode;

    /// Where a client connects, after whatever has to be asked for before that.
    fn path(&self, link: Link, exchange: &mut Exchange) -> Result<String, SwarmError>;

    /// What is said and heard before anything else.
    fn opening(&self, link: Link) -> &'static [Step];

    /// What may be said at any time, also in an opening, and how it is answered.
    fn aside(&self) -> Aside;

    /// What a client that has nothing to say says so that it is not given up.
    fn keep_alive(&self) -> Option<&'static [u8]> {
        None
    }

    /// What stands between two messages in the body of one POST.
    fn between(&self) -> &'static [u8] {
        b""
    }

    /// Appends a message to `out`. Texts must need no escapes. Peers are asked only for what they
    /// [offer](crate::peers::Offer).
    fn write(&self, say: Say<'_>, out: &mut Vec<u8>);

    /// Hands each thing that a payload says to `hear`.
    fn read<'a>(&self, payload: &'a [u8], hear: Hear<'_, 'a>) -> Result<(), SwarmError>;
}

/// Takes what was heard.
pub(crate) type Hear<'f, 'a> = &'f mut dyn FnMut(Heard<'a>) -> Result<(), SwarmError>;

/// A part of an opening.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Say(&'static [u8]),
    /// How the next payload begins.
    Hear(&'static [u8]),
}

/// A ping as a dialect has it, and what is said to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aside {
    pub(crate) heard: &'static [u8],
    pub(crate) answer: Option<&'static [u8]>,
}

/// One thing that a client says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Say<'a> {
    /// A call that is answered with its text.
    Call { number: u64, text: &'a str },
    /// Everyone shall be told a text.
    Broadcast { text: &'a str },
    /// A call that is answered with the name of the group, when the client is in it.
    Join { number: u64, group: &'a str },
    /// Everyone in a group shall be told a text.
    ToGroup { group: &'a str, text: &'a str },
    /// So many items shall be sent, ten a second.
    Stream { number: u64, items: u64 },
    /// The answer to [`Heard::Ping`].
    Pong,
}

/// One thing that a server said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard<'a> {
    /// The answer to a call, with the call's number where the protocol has one.
    Answer { number: Option<u64>, text: &'a str },
    /// What everyone was told.
    Told { text: &'a str },
    /// An item of a stream.
    Item { value: u64 },
    /// A stream is over.
    End,
    /// A ping that is to be answered.
    Ping,
}

/// What no server should have said.
#[derive(Debug, Error)]
pub(crate) enum DialectError {
    #[error("text that is no UTF-8")]
    Utf8(#[from] str::Utf8Error),
    #[error("no hub message: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a message without its end")]
    Unfinished,
    #[error("unexpected message: {0}")]
    Unexpected(String),
}

impl DialectError {
    fn unexpected(message: &[u8]) -> Self {
        Self::Unexpected(String::from_utf8_lossy(message).into_owned())
    }
}

/// What tests of dialects hear.
#[cfg(test)]
fn heard<'a>(dialect: &dyn Dialect, payload: &'a [u8]) -> Result<Vec<Heard<'a>>, SwarmError> {
    let mut all = Vec::new();
    dialect.read(payload, &mut |heard| {
        all.push(heard);
        Ok(())
    })?;
    Ok(all)
}

/// What tests of dialects say.
#[cfg(test)]
fn written(dialect: &dyn Dialect, say: Say<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    dialect.write(say, &mut out);
    out
}
