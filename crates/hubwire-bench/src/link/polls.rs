//! Polls, long or short, and the POSTs beside them.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use mio::event::Event;

use super::{Came, Net, Socket, Take, token_of};
use crate::error::SwarmError;
use crate::http::{self, Answer, Exchange, HttpError};

/// For how long a socket may be unused: both actix-web and Node close it after 5 s.
const REUSED: Duration = Duration::from_secs(3);

/// When a client polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rhythm {
    /// Always: an answer waits until there is something.
    Long,
    /// While it waits for something: an answer comes at once.
    Short,
}

#[derive(Debug)]
pub(crate) struct Polls {
    down: Socket,
    up: Posts,
    rhythm: Rhythm,
    path: String,
    /// How many answers carried something; said by short polls only.
    acks: u64,
    /// Whether a poll waits for its answer.
    is_polling: bool,
    /// Whether something was said that nothing was heard to.
    is_owed: bool,
}

impl Polls {
    /// `down` has a long poll that waits, and no short one.
    pub(super) fn new(down: Socket, path: String, rhythm: Rhythm, acks: u64, posts: u64) -> Self {
        let up = Posts::new(posts, rhythm);
        let is_polling = rhythm == Rhythm::Long;
        Self { down, up, rhythm, path, acks, is_polling, is_owed: false }
    }

    pub(super) fn socket(&mut self) -> &mut Socket {
        &mut self.down
    }

    pub(super) fn receive(
        &mut self,
        event: &Event,
        net: &mut Net<'_>,
        take: Take<'_>,
    ) -> Result<(), SwarmError> {
        if event.token().0 % 2 == 1 {
            self.up.receive(event, net, take)?;
            return self.poll(net);
        }
        let Self { down, acks, is_polling, is_owed, .. } = self;
        down.read(event.is_read_closed(), net.scratch, &mut |arrived| {
            let mut taken = 0;
            while let Some((answer, length)) = http::read(&arrived[taken..])? {
                taken += length;
                *is_polling = false;
                let Answer { status, body } = answer;
                if status != 200 {
                    return Err(refused("poll", status, &body));
                }
                if !body.is_empty() {
                    *acks += 1;
                    *is_owed = false;
                    take(Came::Payload(&body))?;
                }
            }
            Ok(taken)
        })?;
        self.poll(net)
    }

    /// Polls where it is time to. A request fits into any socket that has room for nothing else.
    fn poll(&mut self, net: &Net<'_>) -> Result<(), SwarmError> {
        let mut request = Vec::new();
        match self.rhythm {
            Rhythm::Long if !self.is_polling => {
                http::write("GET", &self.path, net.address, b"", &mut request);
            }
            Rhythm::Short if !self.is_polling && self.is_owed && !self.up.is_busy => {
                let path = format!("{}&ack={}", self.path, self.acks);
                http::write("GET", &path, net.address, b"", &mut request);
            }
            Rhythm::Long | Rhythm::Short => return Ok(()),
        }
        self.is_polling = true;
        Ok(self.down.write(&mut request)?)
    }

    pub(super) fn send(
        &mut self,
        client: usize,
        waiting: &mut Vec<u8>,
        net: &Net<'_>,
    ) -> Result<(), SwarmError> {
        self.is_owed |= !waiting.is_empty();
        self.up.send(client, &self.path, waiting, net)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.up.is_busy
    }

    pub(super) fn rest(&mut self) {
        self.up.rest();
    }
}

/// POSTs, one after another, with all that waits in each.
#[derive(Debug)]
pub(super) struct Posts {
    /// Connected when something is said.
    socket: Option<Socket>,
    /// When it was last used.
    since: Instant,
    /// Of a request that is on its way.
    unsent: Vec<u8>,
    pub(super) is_busy: bool,
    count: u64,
    rhythm: Rhythm,
}

impl Posts {
    pub(super) fn new(count: u64, rhythm: Rhythm) -> Self {
        let since = Instant::now();
        Self { socket: None, since, unsent: Vec::new(), is_busy: false, count, rhythm }
    }

    pub(super) fn receive(
        &mut self,
        event: &Event,
        net: &mut Net<'_>,
        take: Take<'_>,
    ) -> Result<(), SwarmError> {
        // One of a socket that rests.
        let Some(socket) = &mut self.socket else { return Ok(()) };
        let is_busy = &mut self.is_busy;
        let read = socket.read(event.is_read_closed(), net.scratch, &mut |arrived| {
            let Some((answer, taken)) = http::read(arrived)? else { return Ok(0) };
            if !matches!(answer.status, 200 | 202 | 204) {
                return Err(refused("POST", answer.status, &answer.body));
            }
            *is_busy = false;
            take(Came::Ready)?;
            Ok(taken)
        });
        match read {
            // Servers close what is not used for some seconds.
            Err(SwarmError::Io(error))
                if error.kind() == ErrorKind::UnexpectedEof && !self.is_busy =>
            {
                self.socket = None;
                Ok(())
            }
            other => other,
        }
    }

    pub(super) fn send(
        &mut self,
        client: usize,
        path: &str,
        waiting: &mut Vec<u8>,
        net: &Net<'_>,
    ) -> Result<(), SwarmError> {
        if !self.is_busy && !waiting.is_empty() {
            self.count += 1;
            self.is_busy = true;
            // A server may be about to close one that nobody has used for long, and would not read the request.
            if self.since.elapsed() > REUSED {
                self.socket = None;
            }
            self.since = Instant::now();
            match self.rhythm {
                Rhythm::Long => http::write("POST", path, net.address, waiting, &mut self.unsent),
                Rhythm::Short => {
                    let path = format!("{path}&seq={}", self.count);
                    http::write("POST", &path, net.address, waiting, &mut self.unsent);
                }
            }
            waiting.clear();
        }
        if self.unsent.is_empty() {
            return Ok(());
        }
        let socket = match &mut self.socket {
            Some(socket) => socket,
            none => {
                let mut exchange = Exchange::new(net.address);
                exchange.send(b"")?;
                let socket = none.insert(Socket::new(exchange.into_parts()?));
                socket.register(token_of(client, true), net.registry)?;
                socket
            }
        };
        Ok(socket.write(&mut self.unsent)?)
    }

    pub(super) fn rest(&mut self) {
        self.socket = None;
    }
}

fn refused(request: &str, status: u16, body: &[u8]) -> SwarmError {
    let body = String::from_utf8_lossy(body).into_owned();
    HttpError::Status { status, request: request.to_owned(), body }.into()
}
