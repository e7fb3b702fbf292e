//! Many clients on one thread.
//!
//! The generator shares the machine with the server, so it does little: sockets by readiness, one buffer to read into,
//! frames parsed where they were received, and one write for all that a client has to say.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use thiserror::Error;

use crate::dialect::{Dialect, DialectError, Heard};
use crate::frame::{self, FrameError, Opcode};

/// How long nothing may come while something is awaited. Far longer than any answer takes, on a loaded machine too.
const SILENCE: Duration = Duration::from_secs(20);
/// More than the kernel hands out for one socket at once under these loads.
const READ_AT_ONCE: usize = 256 * 1024;

/// The key and the answer to it from RFC 6455, section 1.3: nothing here has to be unpredictable.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// Masks protect intermediaries from chosen bytes (RFC 6455, section 10.3); between two processes there are none, and a
/// constant costs nothing. No byte of it is zero, so that each is really masked.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Why a run is worth nothing.
#[derive(Debug, Error)]
pub(crate) enum SwarmError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("no upgrade: {0:?}")]
    Upgrade(String),
    #[error("no handshake: {0:?}")]
    Handshake(String),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Dialect(#[from] DialectError),
    #[error("the server closed client {client}: {said:?}")]
    Closed { client: usize, said: String },
    #[error("client {client} was to hear {expected} and heard {heard}")]
    Wrong { client: usize, expected: String, heard: String },
    #[error("nothing came for {SILENCE:?}, and the conversation is not over")]
    Silence,
}

impl SwarmError {
    pub(crate) fn wrong(client: usize, expected: &str, heard: &Heard<'_>) -> Self {
        Self::Wrong { client, expected: expected.to_owned(), heard: format!("{heard:?}") }
    }
}

/// Decides what clients say, and judges what they hear.
pub(crate) trait Conversation {
    /// Says what comes first.
    fn begin(&mut self, say: &mut Outgoing);

    /// Judges one message, and says what follows from it.
    fn hear(
        &mut self,
        client: usize,
        heard: &Heard<'_>,
        say: &mut Outgoing,
    ) -> Result<(), SwarmError>;

    /// Whether everything was heard that had to be.
    fn is_over(&self) -> bool;
}

/// Connected clients of one server.
#[derive(Debug)]
pub(crate) struct Swarm {
    poll: Poll,
    clients: Vec<Client>,
    outgoing: Outgoing,
    dialect: Dialect,
    scratch: Box<[u8]>,
}

#[derive(Debug)]
struct Client {
    socket: mio::net::TcpStream,
    /// The beginning of a frame whose end has not come.
    received: Vec<u8>,
}

/// What clients are about to send.
#[derive(Debug)]
pub(crate) struct Outgoing {
    dialect: Dialect,
    /// Frames, by client.
    frames: Vec<Vec<u8>>,
    /// Who has something that was not tried to be sent yet.
    waiting: Vec<usize>,
    message: Vec<u8>,
}

impl Outgoing {
    pub(crate) fn new(dialect: Dialect, clients: usize) -> Self {
        let frames = vec![Vec::new(); clients];
        Self { dialect, frames, waiting: Vec::new(), message: Vec::new() }
    }

    /// Calls for an answer with the same text.
    pub(crate) fn call(&mut self, client: usize, number: u64, text: &str) {
        self.message.clear();
        self.dialect.write_call(number, text, &mut self.message);
        self.frame_message(client);
    }

    /// Has everyone told a text.
    pub(crate) fn broadcast(&mut self, client: usize, text: &str) {
        self.message.clear();
        self.dialect.write_broadcast(text, &mut self.message);
        self.frame_message(client);
    }

    fn frame_message(&mut self, client: usize) {
        frame::write(Opcode::Text, &self.message, MASK, &mut self.frames[client]);
        self.waiting.push(client);
    }

    fn pong(&mut self, client: usize, payload: &[u8]) {
        frame::write(Opcode::Pong, payload, MASK, &mut self.frames[client]);
        self.waiting.push(client);
    }
}

impl Swarm {
    /// Connects clients, one after another: servers are not measured by how they take a rush.
    pub(crate) fn connect(
        address: SocketAddr,
        path: &str,
        dialect: Dialect,
        count: usize,
    ) -> Result<Self, SwarmError> {
        let poll = Poll::new()?;
        let mut clients = Vec::with_capacity(count);
        for index in 0..count {
            let (socket, received) = connect(address, path, dialect)?;
            let mut socket = mio::net::TcpStream::from_std(socket);
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut socket, Token(index), interest)?;
            clients.push(Client { socket, received });
        }
        let outgoing = Outgoing::new(dialect, count);
        let scratch = vec![0; READ_AT_ONCE].into_boxed_slice();
        Ok(Self { poll, clients, outgoing, dialect, scratch })
    }

    pub(crate) fn len(&self) -> usize {
        self.clients.len()
    }

    /// Runs a conversation to its end. Whatever is heard that does not belong there is an error.
    pub(crate) fn converse(
        &mut self,
        conversation: &mut impl Conversation,
    ) -> Result<(), SwarmError> {
        let mut events = Events::with_capacity(1024);
        conversation.begin(&mut self.outgoing);
        self.send()?;
        while !conversation.is_over() {
            self.poll.poll(&mut events, Some(SILENCE))?;
            if events.is_empty() {
                return Err(SwarmError::Silence);
            }
            for event in &events {
                let Token(client) = event.token();
                if event.is_writable() {
                    self.outgoing.waiting.push(client);
                }
                if event.is_readable() {
                    self.receive(client, event.is_read_closed(), conversation)?;
                }
                self.send()?;
            }
        }
        Ok(())
    }

    /// Reads all that has come for one client.
    fn receive(
        &mut self,
        client: usize,
        is_closed: bool,
        conversation: &mut impl Conversation,
    ) -> Result<(), SwarmError> {
        loop {
            let Client { socket, received } = &mut self.clients[client];
            let length = match socket.read(&mut self.scratch) {
                Ok(0) => return Err(SwarmError::Closed { client, said: String::new() }),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let mut arrived = &self.scratch[..length];
            if !received.is_empty() {
                received.extend_from_slice(arrived);
                arrived = received;
            }
            let mut rest = arrived;
            while let Some((frame, taken)) = frame::read(rest)? {
                rest = &rest[taken..];
                match frame.opcode {
                    Opcode::Text => self.dialect.read(frame.payload, |heard| {
                        conversation.hear(client, &heard, &mut self.outgoing)
                    })?,
                    Opcode::Ping => self.outgoing.pong(client, frame.payload),
                    Opcode::Pong => {}
                    Opcode::Close => {
                        let said = String::from_utf8_lossy(frame.payload).into_owned();
                        return Err(SwarmError::Closed { client, said });
                    }
                }
            }
            let left = rest.len();
            if received.is_empty() {
                received.extend_from_slice(&self.scratch[length - left..length]);
            } else {
                received.drain(..received.len() - left);
            }
            // A read that was not full has emptied the socket, and what comes later is announced anew (epoll(7), Q9);
            // an end that came with it is not.
            if length < self.scratch.len() && !is_closed {
                return Ok(());
            }
        }
    }

    /// Writes what waits; what a socket does not take is written when it says that it can.
    fn send(&mut self) -> Result<(), SwarmError> {
        while let Some(client) = self.outgoing.waiting.pop() {
            let frames = &mut self.outgoing.frames[client];
            while !frames.is_empty() {
                match self.clients[client].socket.write(frames) {
                    Ok(written) => drop(frames.drain(..written)),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}

/// A socket that was upgraded and has shaken hands, and what came behind that.
fn connect(
    address: SocketAddr,
    path: &str,
    dialect: Dialect,
) -> Result<(TcpStream, Vec<u8>), SwarmError> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(SILENCE))?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    );
    socket.write_all(request.as_bytes())?;

    let mut received = Vec::new();
    let end = loop {
        if let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        receive_some(&mut socket, &mut received)?;
    };
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    if !head.starts_with("HTTP/1.1 101 ") || !head.contains(ACCEPT) {
        return Err(SwarmError::Upgrade(head));
    }
    received.drain(..end);
    if let Some((hello, answer)) = dialect.handshake() {
        let mut frame = Vec::new();
        frame::write(Opcode::Text, hello, MASK, &mut frame);
        socket.write_all(&frame)?;
        let taken = loop {
            if let Some((frame, taken)) = frame::read(&received)? {
                if frame.opcode != Opcode::Text || frame.payload != answer {
                    let said = String::from_utf8_lossy(frame.payload).into_owned();
                    return Err(SwarmError::Handshake(said));
                }
                break taken;
            }
            receive_some(&mut socket, &mut received)?;
        };
        received.drain(..taken);
    }
    socket.set_nonblocking(true)?;
    Ok((socket, received))
}

fn receive_some(socket: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<()> {
    let mut some = [0; 1024];
    match socket.read(&mut some)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        length => {
            received.extend_from_slice(&some[..length]);
            Ok(())
        }
    }
}
