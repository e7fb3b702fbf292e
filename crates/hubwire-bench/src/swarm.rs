//! Many clients on one thread.
//!
//! The generator shares the machine with the server, so it does little: sockets by readiness, one buffer to read into,
//! messages parsed where they were received, and one write for all that a client has to say.

use std::collections::VecDeque;
use std::mem;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::dialect::{Dialect, Heard, Say};
use crate::error::{SILENCE, SwarmError};
use crate::inflate::Inflate;
use crate::link::{self, Came, Line, Link, Net};

/// More than the kernel hands out for one socket at once under these loads.
const READ_AT_ONCE: usize = 256 * 1024;

/// So many clients send between two looks at what has come: servers close what nobody uses.
const SEND_AT_ONCE: usize = 256;
/// So many clients are connected between two looks at the others.
const ATTEND: usize = 64;
/// Servers of SignalR wait 30 s, and one round of this may take long.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Decides what clients say, and judges what they hear.
pub(crate) trait Conversation {
    /// Says what comes first.
    fn begin(&mut self, out: &mut Outgoing);

    /// Judges one message, and says what follows from it.
    fn hear(
        &mut self,
        client: usize,
        heard: &Heard<'_>,
        out: &mut Outgoing,
    ) -> Result<(), SwarmError>;

    /// Says what is due, and for how long nothing else is.
    fn wake(&mut self, _: &mut Outgoing) -> Option<Duration> {
        None
    }

    /// Whether everything was heard that had to be.
    fn is_over(&self) -> bool;
}

/// Connected clients of one server.
#[derive(Debug)]
pub(crate) struct Swarm {
    poll: Poll,
    address: SocketAddr,
    lines: Vec<Line>,
    outgoing: Outgoing,
    scratch: Box<[u8]>,
    inflate: Inflate,
    /// Messages that came compressed.
    compressed: u64,
}

/// What clients are about to send.
#[derive(Debug)]
pub(crate) struct Outgoing {
    dialect: &'static dyn Dialect,
    link: Link,
    /// What waits, by client, as its link carries it.
    waiting: Vec<Vec<u8>>,
    /// Who has something that was not tried to be sent yet.
    ready: VecDeque<usize>,
    message: Vec<u8>,
}

impl Outgoing {
    pub(crate) fn new(dialect: &'static dyn Dialect, link: Link) -> Self {
        Self { dialect, link, waiting: Vec::new(), ready: VecDeque::new(), message: Vec::new() }
    }

    pub(crate) fn say(&mut self, client: usize, say: Say<'_>) {
        let mut message = mem::take(&mut self.message);
        message.clear();
        self.dialect.write(say, &mut message);
        self.say_bytes(client, &message);
        self.message = message;
    }

    fn say_bytes(&mut self, client: usize, message: &[u8]) {
        let waiting = of(&mut self.waiting, client);
        link::append(self.link, self.dialect, message, waiting);
        self.ready.push_back(client);
    }
}

/// What waits for a client.
fn of(waiting: &mut Vec<Vec<u8>>, client: usize) -> &mut Vec<u8> {
    if waiting.len() <= client {
        waiting.resize(client + 1, Vec::new());
    }
    &mut waiting[client]
}

impl Swarm {
    pub(crate) fn new(
        address: SocketAddr,
        link: Link,
        dialect: &'static dyn Dialect,
    ) -> Result<Self, SwarmError> {
        Ok(Self {
            poll: Poll::new()?,
            address,
            lines: Vec::new(),
            outgoing: Outgoing::new(dialect, link),
            scratch: vec![0; READ_AT_ONCE].into_boxed_slice(),
            inflate: Inflate::new(),
            compressed: 0,
        })
    }

    /// Connects so many more clients, one after another: servers are not measured by how they take a rush.
    pub(crate) fn connect(&mut self, count: usize) -> Result<(), SwarmError> {
        let Outgoing { dialect, link, .. } = self.outgoing;
        let mut events = Events::with_capacity(1024);
        let mut since = Instant::now();
        for index in 1..=count {
            let client = self.lines.len();
            let line = link::open(client, self.address, link, dialect, self.poll.registry());
            self.lines.push(line.map_err(|error| of_client(client, error))?);
            if index % ATTEND == 0 {
                // On a busy machine those who came first would be given up meanwhile.
                self.turn(&mut events, &mut Connecting)?;
                if since.elapsed() > KEEP_ALIVE {
                    self.keep_alive()?;
                    since = Instant::now();
                }
            }
        }
        Ok(())
    }

    /// Has every client say that it lives, where servers wait for that.
    fn keep_alive(&mut self) -> Result<(), SwarmError> {
        if let Some(ping) = self.outgoing.dialect.keep_alive() {
            for client in 0..self.lines.len() {
                self.outgoing.say_bytes(client, ping);
            }
        }
        self.send()
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// How many messages came compressed.
    pub(crate) fn compressed(&self) -> u64 {
        self.compressed
    }

    /// Closes what is not needed while nothing is said, when nothing is on its way there.
    pub(crate) fn rest(&mut self) -> Result<(), SwarmError> {
        let mut events = Events::with_capacity(1024);
        while self.lines.iter().any(Line::is_busy) {
            self.turn(&mut events, &mut Nothing)?;
        }
        self.lines.iter_mut().for_each(Line::rest);
        Ok(())
    }

    /// Runs a conversation to its end. Whatever is heard that does not belong there is an error.
    pub(crate) fn converse(
        &mut self,
        conversation: &mut dyn Conversation,
    ) -> Result<(), SwarmError> {
        let mut events = Events::with_capacity(1024);
        conversation.begin(&mut self.outgoing);
        self.send()?;
        while !conversation.is_over() {
            self.turn(&mut events, conversation)?;
        }
        Ok(())
    }

    /// Waits for sockets that can be read or written.
    fn turn(
        &mut self,
        events: &mut Events,
        conversation: &mut dyn Conversation,
    ) -> Result<(), SwarmError> {
        let idle = conversation.wake(&mut self.outgoing);
        self.send()?;
        if conversation.is_over() {
            return Ok(());
        }
        let idle = if self.outgoing.ready.is_empty() { idle } else { Some(Duration::ZERO) };
        self.poll.poll(events, Some(idle.map_or(SILENCE, |idle| idle.min(SILENCE))))?;
        if events.is_empty() && idle.is_none() {
            return Err(SwarmError::Silence);
        }
        for event in &*events {
            let Token(token) = event.token();
            let client = token / 2;
            if event.is_writable() {
                self.outgoing.ready.push_back(client);
            }
            if event.is_readable() {
                self.receive(client, event, conversation)
                    .map_err(|error| of_client(client, error))?;
            }
            self.send()?;
        }
        Ok(())
    }

    /// Reads all that has come for one client.
    fn receive(
        &mut self,
        client: usize,
        event: &mio::event::Event,
        conversation: &mut dyn Conversation,
    ) -> Result<(), SwarmError> {
        let Self { poll, address, lines, outgoing, scratch, inflate, compressed } = self;
        let mut net = Net { registry: poll.registry(), address: *address, scratch };
        let dialect = outgoing.dialect;
        lines[client].receive(event, &mut net, &mut |came| {
            let payload = match came {
                Came::Payload(payload) => payload,
                Came::Compressed(payload) => {
                    *compressed += 1;
                    inflate.message(payload)?
                }
                Came::Ping(payload) => {
                    link::append_pong(payload, of(&mut outgoing.waiting, client));
                    outgoing.ready.push_back(client);
                    return Ok(());
                }
                Came::Ready => {
                    outgoing.ready.push_back(client);
                    return Ok(());
                }
            };
            dialect.read(payload, &mut |heard| {
                if heard == Heard::Ping {
                    outgoing.say(client, Say::Pong);
                    return Ok(());
                }
                conversation.hear(client, &heard, outgoing)
            })
        })
    }

    /// Writes what waits for some clients; what a socket does not take is written when it says that it can.
    fn send(&mut self) -> Result<(), SwarmError> {
        let Self { poll, address, lines, outgoing, scratch, .. } = self;
        let net = Net { registry: poll.registry(), address: *address, scratch };
        for _ in 0..SEND_AT_ONCE {
            let Some(client) = outgoing.ready.pop_front() else { break };
            lines[client]
                .send(client, of(&mut outgoing.waiting, client), &net)
                .map_err(|error| of_client(client, error))?;
        }
        Ok(())
    }
}

/// Nothing is said nor heard, and nothing waited for.
#[derive(Debug)]
struct Connecting;

impl Conversation for Connecting {
    fn begin(&mut self, _: &mut Outgoing) {}

    fn hear(
        &mut self,
        client: usize,
        heard: &Heard<'_>,
        out: &mut Outgoing,
    ) -> Result<(), SwarmError> {
        Nothing.hear(client, heard, out)
    }

    fn wake(&mut self, _: &mut Outgoing) -> Option<Duration> {
        Some(Duration::ZERO)
    }

    fn is_over(&self) -> bool {
        false
    }
}

/// Nothing is said, and nothing may be heard.
#[derive(Debug)]
struct Nothing;

impl Conversation for Nothing {
    fn begin(&mut self, _: &mut Outgoing) {}

    fn hear(
        &mut self,
        client: usize,
        heard: &Heard<'_>,
        _: &mut Outgoing,
    ) -> Result<(), SwarmError> {
        Err(SwarmError::wrong(client, "nothing", heard))
    }

    fn is_over(&self) -> bool {
        false
    }
}

fn of_client(client: usize, source: SwarmError) -> SwarmError {
    SwarmError::Client { client, source: Box::new(source) }
}
