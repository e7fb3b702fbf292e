//! How a client is connected, and what that makes of its messages.

mod events;
mod open;
mod polls;
mod web_socket;

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;

use mio::event::Event;
use mio::{Interest, Registry, Token};

use self::events::Events;
pub(crate) use self::open::open;
use self::polls::Polls;
use self::web_socket::WebSocket;
use crate::dialect::Dialect;
use crate::error::SwarmError;
use crate::frame::{self, Opcode};

/// A transport, and how it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// A WebSocket without anything before it.
    WebSocket,
    /// A WebSocket behind a negotiation.
    Negotiated,
    /// A WebSocket whose server may compress.
    Deflate,
    /// An event stream, and POSTs.
    EventStream,
    /// Polls that wait for something to answer with, and POSTs.
    LongPolling,
    /// Polls that are answered at once, and POSTs.
    ShortPolling,
}

impl Link {
    /// Whether what comes down is asked for again and again.
    pub(crate) fn polls(self) -> bool {
        matches!(self, Self::LongPolling | Self::ShortPolling)
    }
}

/// A client that is connected.
#[derive(Debug)]
pub(crate) enum Line {
    WebSocket(WebSocket),
    Events(Events),
    Polls(Polls),
}

/// What came for a client.
#[derive(Debug)]
pub(crate) enum Came<'a> {
    /// Messages of the dialect.
    Payload(&'a [u8]),
    /// The same, compressed.
    Compressed(&'a [u8]),
    /// A ping of the transport, to be answered with the same.
    Ping(&'a [u8]),
    /// What waits can be sent now.
    Ready,
}

impl<'a> Came<'a> {
    fn message(payload: &'a [u8], is_compressed: bool) -> Self {
        if is_compressed { Self::Compressed(payload) } else { Self::Payload(payload) }
    }
}

/// Takes what came.
pub(crate) type Take<'f> = &'f mut dyn FnMut(Came<'_>) -> Result<(), SwarmError>;

/// What sockets that are opened on the way need.
#[derive(Debug)]
pub(crate) struct Net<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) address: SocketAddr,
    /// More than the kernel hands out for one socket at once under these loads.
    pub(crate) scratch: &'a mut [u8],
}

/// The sockets of a client: what comes down on the first, and where that only reads, another for what goes up.
pub(crate) fn token_of(client: usize, is_up: bool) -> Token {
    Token(client * 2 + usize::from(is_up))
}

impl Line {
    /// Reads all that has come.
    pub(crate) fn receive(
        &mut self,
        event: &Event,
        net: &mut Net<'_>,
        take: Take<'_>,
    ) -> Result<(), SwarmError> {
        match self {
            Self::WebSocket(line) => line.receive(event, net, take),
            Self::Events(line) => line.receive(event, net, take),
            Self::Polls(line) => line.receive(event, net, take),
        }
    }

    /// Sends what it can of `waiting`, which [`append`] has filled.
    pub(crate) fn send(
        &mut self,
        client: usize,
        waiting: &mut Vec<u8>,
        net: &Net<'_>,
    ) -> Result<(), SwarmError> {
        match self {
            Self::WebSocket(line) => Ok(line.send(waiting)?),
            Self::Events(line) => line.send(client, waiting, net),
            Self::Polls(line) => line.send(client, waiting, net),
        }
    }

    /// Whether something that was said is not answered by HTTP yet.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            Self::WebSocket(_) => false,
            Self::Events(line) => line.is_busy(),
            Self::Polls(line) => line.is_busy(),
        }
    }

    /// Closes what is not needed while nothing is said, as browsers do after a while.
    pub(crate) fn rest(&mut self) {
        match self {
            Self::WebSocket(_) => {}
            Self::Events(line) => line.rest(),
            Self::Polls(line) => line.rest(),
        }
    }

    fn register(&mut self, client: usize, registry: &Registry) -> io::Result<()> {
        let socket = match self {
            Self::WebSocket(line) => line.socket(),
            Self::Events(line) => line.socket(),
            Self::Polls(line) => line.socket(),
        };
        socket.register(token_of(client, false), registry)
    }
}

/// Puts a message behind what waits to be sent.
pub(crate) fn append(link: Link, dialect: &dyn Dialect, message: &[u8], waiting: &mut Vec<u8>) {
    match link {
        Link::WebSocket | Link::Negotiated | Link::Deflate => {
            frame::write(dialect.opcode(), message, waiting);
        }
        Link::EventStream | Link::LongPolling | Link::ShortPolling => {
            if !waiting.is_empty() {
                waiting.extend(dialect.between());
            }
            waiting.extend(message);
        }
    }
}

/// Puts the answer to a ping of the transport behind what waits.
pub(crate) fn append_pong(payload: &[u8], waiting: &mut Vec<u8>) {
    frame::write(Opcode::Pong, payload, waiting);
}

/// A socket by readiness.
#[derive(Debug)]
struct Socket {
    stream: mio::net::TcpStream,
    /// The beginning of something whose end has not come.
    received: Vec<u8>,
}

impl Socket {
    fn new((stream, received): (std::net::TcpStream, Vec<u8>)) -> Self {
        Self { stream: mio::net::TcpStream::from_std(stream), received }
    }

    fn register(&mut self, token: Token, registry: &Registry) -> io::Result<()> {
        registry.register(&mut self.stream, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Reads all that has come. `take` says how much of what there is it has consumed.
    fn read(
        &mut self,
        is_closed: bool,
        scratch: &mut [u8],
        take: &mut dyn FnMut(&[u8]) -> Result<usize, SwarmError>,
    ) -> Result<(), SwarmError> {
        loop {
            let length = match self.stream.read(scratch) {
                Ok(0) => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if self.received.is_empty() {
                let taken = take(&scratch[..length])?;
                self.received.extend_from_slice(&scratch[taken..length]);
            } else {
                self.received.extend_from_slice(&scratch[..length]);
                let taken = take(&self.received)?;
                self.received.drain(..taken);
            }
            // A read that was not full has emptied the socket, and what comes later is announced anew (epoll(7), Q9);
            // an end that came with it is not.
            if length < scratch.len() && !is_closed {
                return Ok(());
            }
        }
    }

    /// Writes what it takes now; the rest is written when it says that it can.
    fn write(&mut self, waiting: &mut Vec<u8>) -> io::Result<()> {
        while !waiting.is_empty() {
            match self.stream.write(waiting) {
                Ok(written) => drop(waiting.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
