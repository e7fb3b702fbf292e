//! Opening a client: asked, answered and shaken hands, one step after another.

use std::net::SocketAddr;

use super::events::{self, Events};
use super::polls::{Polls, Rhythm};
use super::web_socket::WebSocket;
use super::{Line, Link, Socket};
use crate::dialect::{Aside, Dialect, Step};
use crate::error::SwarmError;
use crate::frame::{self, Opcode};
use crate::http::{self, Exchange};

/// The key and the answer to it from RFC 6455, section 1.3: nothing here has to be unpredictable.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// Nothing is remembered between messages, so that servers may send the same bytes to everyone.
const DEFLATE: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// A client that may say and hear whatever comes behind the opening.
pub(crate) fn open(
    client: usize,
    address: SocketAddr,
    link: Link,
    dialect: &dyn Dialect,
    registry: &mio::Registry,
) -> Result<Line, SwarmError> {
    let mut up = Exchange::new(address);
    let path = dialect.path(link, &mut up)?;
    let opening = dialect.opening(link);
    let aside = dialect.aside();
    let mut line = match link {
        Link::WebSocket | Link::Negotiated | Link::Deflate => {
            // What was asked before, was asked on a connection of its own.
            drop(up);
            Line::WebSocket(web_socket(address, &path, link == Link::Deflate, opening, aside)?)
        }
        Link::EventStream => Line::Events(event_stream(address, path, up, opening)?),
        Link::LongPolling => Line::Polls(long_polls(address, path, up, dialect, opening)?),
        Link::ShortPolling => Line::Polls(short_polls(address, path, up, opening)?),
    };
    line.register(client, registry)?;
    Ok(line)
}

fn web_socket(
    address: SocketAddr,
    path: &str,
    compresses: bool,
    opening: &[Step],
    aside: Aside,
) -> Result<WebSocket, SwarmError> {
    let mut exchange = Exchange::new(address);
    let extensions =
        if compresses { format!("Sec-WebSocket-Extensions: {DEFLATE}\r\n") } else { String::new() };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{extensions}\r\n"
    );
    exchange.send(request.as_bytes())?;
    let head = receive_head(&mut exchange)?;
    let agreed = head.contains("permessage-deflate");
    if !head.starts_with("HTTP/1.1 101 ") || !head.contains(ACCEPT) || agreed != compresses {
        return Err(SwarmError::Upgrade(head));
    }
    for step in opening {
        match step {
            Step::Say(text) => {
                let mut frame = Vec::new();
                frame::write(Opcode::Text, text, &mut frame);
                exchange.send(&frame)?;
            }
            Step::Hear(expected) => loop {
                let Some((frame, taken)) = frame::read(exchange.received())? else {
                    exchange.receive()?;
                    continue;
                };
                let is_aside = frame.payload == aside.heard;
                if !is_aside {
                    check(expected, frame.payload)?;
                }
                exchange.received().drain(..taken);
                if let Some(answer) = aside.answer.filter(|_| is_aside) {
                    let mut frame = Vec::new();
                    frame::write(Opcode::Text, answer, &mut frame);
                    exchange.send(&frame)?;
                }
                if !is_aside {
                    break;
                }
            },
        }
    }
    Ok(WebSocket::new(Socket::new(exchange.into_parts()?)))
}

fn event_stream(
    address: SocketAddr,
    path: String,
    mut up: Exchange,
    opening: &[Step],
) -> Result<Events, SwarmError> {
    let mut down = Exchange::new(address);
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\r\n");
    down.send(request.as_bytes())?;
    let head = receive_head(&mut down)?;
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(SwarmError::Upgrade(head));
    }
    let mut text = Vec::new();
    for step in opening {
        match step {
            Step::Say(body) => drop(up.request("POST", &path, body)?),
            Step::Hear(expected) => loop {
                let taken = events::unchunk(down.received(), &mut text)?;
                down.received().drain(..taken);
                match events::read_event(&text) {
                    Some((data, length)) => {
                        // Comments and empty events come before anything is said.
                        let is_it = !data.is_empty();
                        if is_it {
                            check(expected, data)?;
                        }
                        text.drain(..length);
                        if is_it {
                            break;
                        }
                    }
                    None => down.receive()?,
                }
            },
        }
    }
    Ok(Events::new(Socket::new(down.into_parts()?), path, text))
}

fn long_polls(
    address: SocketAddr,
    path: String,
    mut up: Exchange,
    dialect: &dyn Dialect,
    opening: &[Step],
) -> Result<Polls, SwarmError> {
    let (aside, between) = (dialect.aside(), dialect.between());
    let mut down = Exchange::new(address);
    for step in opening {
        match step {
            Step::Say(body) => drop(up.request("POST", &path, body)?),
            Step::Hear(expected) => loop {
                let body = down.request("GET", &path, b"")?;
                let mut is_heard = false;
                for part in split(&body, between) {
                    if part == aside.heard {
                        if let Some(answer) = aside.answer {
                            up.request("POST", &path, answer)?;
                        }
                    } else {
                        check(expected, part)?;
                        is_heard = true;
                    }
                }
                if is_heard {
                    break;
                }
            },
        }
    }
    let mut request = Vec::new();
    http::write("GET", &path, address, b"", &mut request);
    down.send(&request)?;
    Ok(Polls::new(Socket::new(down.into_parts()?), path, Rhythm::Long, 0, 0))
}

fn short_polls(
    address: SocketAddr,
    path: String,
    mut up: Exchange,
    opening: &[Step],
) -> Result<Polls, SwarmError> {
    let mut down = Exchange::new(address);
    let (mut acks, mut posts) = (0, 0);
    for step in opening {
        match step {
            Step::Say(body) => {
                posts += 1;
                up.request("POST", &format!("{path}&seq={posts}"), body)?;
            }
            Step::Hear(expected) => loop {
                let body = down.request("GET", &format!("{path}&ack={acks}"), b"")?;
                acks += u64::from(!body.is_empty());
                // What is said first may not be there at once; the poll that opens carries nothing.
                if expected.is_empty() || !body.is_empty() {
                    check(expected, &body)?;
                    break;
                }
            },
        }
    }
    Ok(Polls::new(Socket::new(down.into_parts()?), path, Rhythm::Short, acks, posts))
}

/// The messages of a body, where something stands between them.
fn split<'a>(body: &'a [u8], between: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    body.split(move |byte| between == [*byte])
}

/// Takes the head of an answer from what is received.
fn receive_head(exchange: &mut Exchange) -> Result<String, SwarmError> {
    loop {
        if let Some(head) = http::read_head(exchange.received())? {
            let head = exchange.received().drain(..head.length).collect::<Vec<_>>();
            return Ok(String::from_utf8_lossy(&head).into_owned());
        }
        exchange.receive()?;
    }
}

fn check(expected: &[u8], heard: &[u8]) -> Result<(), SwarmError> {
    if heard.starts_with(expected) {
        return Ok(());
    }
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Err(SwarmError::Opening { expected: text(expected), heard: text(heard) })
}
