//! Socket.IO's protocol, version 5, over Engine.IO, version 4.

use std::io::Write as _;
use std::str;

use serde::Deserialize;

use super::{Aside, Dialect, DialectError, Hear, Heard, SEPARATOR, Say, Step};
use crate::error::SwarmError;
use crate::frame::Opcode;
use crate::http::Exchange;
use crate::link::Link;

/// Events `echo`, `broadcast`, `join`, `to-group` and `ticks` of the main namespace.
#[derive(Debug)]
pub(crate) struct SocketIo;

/// What a server says when a client has asked for a session.
#[derive(Debug, Deserialize)]
struct Open {
    sid: String,
}

impl Dialect for SocketIo {
    fn opcode(&self) -> Opcode {
        Opcode::Text
    }

    fn path(&self, link: Link, exchange: &mut Exchange) -> Result<String, SwarmError> {
        match link {
            Link::WebSocket | Link::Deflate => {
                Ok("/socket.io/?EIO=4&transport=websocket".to_owned())
            }
            Link::LongPolling => {
                let path = "/socket.io/?EIO=4&transport=polling";
                let answer = exchange.request("GET", path, b"")?;
                let open = answer.strip_prefix(b"0");
                let open = open.ok_or_else(|| DialectError::unexpected(&answer))?;
                let open: Open = serde_json::from_slice(open).map_err(DialectError::from)?;
                Ok(format!("{path}&sid={}", open.sid))
            }
            Link::Negotiated | Link::EventStream | Link::ShortPolling => {
                unreachable!("Socket.IO has no such transport")
            }
        }
    }

    fn opening(&self, link: Link) -> &'static [Step] {
        const CONNECT: [Step; 2] = [Step::Say(b"40"), Step::Hear(b"40")];
        match link {
            // The session is opened by the socket.
            Link::WebSocket | Link::Deflate => &[Step::Hear(b"0"), CONNECT[0], CONNECT[1]],
            Link::Negotiated | Link::EventStream | Link::LongPolling | Link::ShortPolling => {
                &CONNECT
            }
        }
    }

    fn between(&self) -> &'static [u8] {
        &[SEPARATOR]
    }

    fn aside(&self) -> Aside {
        Aside { heard: b"2", answer: Some(b"3") }
    }

    fn write(&self, say: Say<'_>, out: &mut Vec<u8>) {
        // A Vec takes all that is written.
        let _ = match say {
            Say::Call { number, text } => write!(out, "42{number}[\"echo\",\"{text}\"]"),
            Say::Broadcast { text } => write!(out, "42[\"broadcast\",\"{text}\"]"),
            Say::Join { number, group } => write!(out, "42{number}[\"join\",\"{group}\"]"),
            Say::ToGroup { group, text } => {
                write!(out, "42[\"to-group\",\"{group}\",\"{text}\"]")
            }
            Say::Stream { items, .. } => write!(out, "42[\"ticks\",{items}]"),
            Say::Pong => out.write_all(b"3"),
        };
    }

    fn read<'a>(&self, payload: &'a [u8], hear: Hear<'_, 'a>) -> Result<(), SwarmError> {
        payload.split(|byte| *byte == SEPARATOR).try_for_each(|packet| hear(read(packet)?))
    }
}

fn read(packet: &[u8]) -> Result<Heard<'_>, DialectError> {
    let unexpected = || DialectError::unexpected(packet);
    match packet {
        b"2" => Ok(Heard::Ping),
        [b'4', b'2', event @ ..] => read_event(event)?.ok_or_else(unexpected),
        [b'4', b'3', answer @ ..] => {
            let start = answer.iter().position(|byte| *byte == b'[').ok_or_else(unexpected)?;
            let (number, value) = answer.split_at(start);
            let number = str::from_utf8(number)?.parse().map_err(|_| unexpected())?;
            let [text] = serde_json::from_slice(value)?;
            Ok(Heard::Answer { number: Some(number), text })
        }
        _ => Err(unexpected()),
    }
}

/// A name and what it was emitted with; the most frequent kind comes first.
fn read_event(event: &[u8]) -> Result<Option<Heard<'_>>, DialectError> {
    if let Ok([name, text]) = serde_json::from_slice::<[&str; 2]>(event) {
        return Ok(match name {
            "message" => Some(Heard::Told { text }),
            "end" => Some(Heard::End),
            _ => None,
        });
    }
    let (name, value): (&str, u64) = serde_json::from_slice(event)?;
    Ok((name == "tick").then_some(Heard::Item { value }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{heard, written};

    #[test]
    fn speaks_in_events() {
        let call = Say::Call { number: 7, text: "a" };
        assert_eq!(written(&SocketIo, call), br#"427["echo","a"]"#);
        let group = Say::ToGroup { group: "g", text: "b" };
        assert_eq!(written(&SocketIo, group), br#"42["to-group","g","b"]"#);
        assert_eq!(written(&SocketIo, Say::Pong), b"3");
    }

    #[test]
    fn hears_events_and_acknowledgements() {
        let payload =
            b"437[\"a\"]\x1e2\x1e42[\"message\",\"b\"]\x1e42[\"tick\",5]\x1e42[\"end\",\"\"]";
        let expected = [
            Heard::Answer { number: Some(7), text: "a" },
            Heard::Ping,
            Heard::Told { text: "b" },
            Heard::Item { value: 5 },
            Heard::End,
        ];
        assert_eq!(heard(&SocketIo, payload).unwrap(), expected);
        for payload in ["", "1", "41", "43[\"a\"]", "437[]", "42[\"other\",\"b\"]", "42[\"tick\"]"]
        {
            assert!(heard(&SocketIo, payload.as_bytes()).is_err(), "{payload}");
        }
    }
}
