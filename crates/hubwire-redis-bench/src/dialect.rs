//! How servers are spoken to: SignalR's JSON protocol, or Socket.IO's over a WebSocket.

use serde_json::Value;
use thiserror::Error;

use crate::servers::Kind;

/// Ends every message of SignalR.
const SEPARATOR: char = '\u{1e}';

/// What is received of a room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The server has put the client where it wanted to be.
    Ready,
    /// A message of this sender, with its number.
    Message { sender: usize, number: u64 },
    /// The server wants this to be said.
    Reply(&'static str),
}

/// What no server should have said.
#[derive(Debug, Error)]
#[error("unexpected: {0}")]
pub(crate) struct Unexpected(String);

impl Kind {
    /// Where a client connects, as one that hears the room or as one that speaks.
    pub(crate) fn path(self, role: &str) -> String {
        match self {
            Self::Hubwire => format!("/hub?role={role}"),
            Self::Socketioxide => format!("/socket.io/?EIO=4&transport=websocket&role={role}"),
        }
    }

    /// What is said first.
    pub(crate) fn hello(self) -> &'static str {
        match self {
            Self::Hubwire => "{\"protocol\":\"json\",\"version\":1}\u{1e}",
            Self::Socketioxide => "40",
        }
    }

    /// Asks for so many messages to the room, in the name of a sender.
    pub(crate) fn burst(self, sender: usize, first: u64, count: u64) -> String {
        match self {
            Self::Hubwire => format!(
                "{{\"type\":1,\"target\":\"Burst\",\"arguments\":[{sender},{first},{count}]}}\u{1e}"
            ),
            Self::Socketioxide => format!("42[\"burst\",{sender},{first},{count}]"),
        }
    }

    /// Hands on what a frame says.
    pub(crate) fn read(self, frame: &str, mut hear: impl FnMut(Heard)) -> Result<(), Unexpected> {
        match self {
            Self::Hubwire => {
                for message in frame.split_terminator(SEPARATOR) {
                    if let Some(heard) = read_signalr(message)? {
                        hear(heard);
                    }
                }
            }
            Self::Socketioxide => {
                if let Some(heard) = read_socket_io(frame)? {
                    hear(heard);
                }
            }
        }
        Ok(())
    }
}

/// `None` for what needs no answer: the end of the handshake, and pings.
fn read_signalr(message: &str) -> Result<Option<Heard>, Unexpected> {
    let unexpected = || Unexpected(message.to_owned());
    let value: Value = serde_json::from_str(message).map_err(|_| unexpected())?;
    match (value["type"].as_u64(), value["target"].as_str()) {
        (None, None) if message == "{}" => Ok(None),
        (Some(6), None) => Ok(None),
        (Some(1), Some(event)) => {
            event_of(event, &value["arguments"]).ok_or_else(unexpected).map(Some)
        }
        _ => Err(unexpected()),
    }
}

/// `None` for the ends of both handshakes.
fn read_socket_io(frame: &str) -> Result<Option<Heard>, Unexpected> {
    let unexpected = || Unexpected(frame.to_owned());
    if let Some(event) = frame.strip_prefix("42") {
        let mut arguments: Value = serde_json::from_str(event).map_err(|_| unexpected())?;
        let list = arguments.as_array_mut().filter(|list| !list.is_empty());
        let event = list.ok_or_else(unexpected)?.remove(0);
        let event = event.as_str().ok_or_else(unexpected)?;
        return event_of(event, &arguments).ok_or_else(unexpected).map(Some);
    }
    match frame {
        "2" => Ok(Some(Heard::Reply("3"))),
        _ if frame.starts_with("0{") || frame.starts_with("40{") => Ok(None),
        _ => Err(unexpected()),
    }
}

fn event_of(event: &str, arguments: &Value) -> Option<Heard> {
    match event {
        "ready" => Some(Heard::Ready),
        "message" => {
            let sender = usize::try_from(arguments[0].as_u64()?).ok()?;
            Some(Heard::Message { sender, number: arguments[1].as_u64()? })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(kind: Kind, frame: &str) -> Result<Vec<Heard>, Unexpected> {
        let mut all = Vec::new();
        kind.read(frame, |heard| all.push(heard))?;
        Ok(all)
    }

    #[test]
    fn both_say_the_same_in_their_own_way() {
        let message = || Heard::Message { sender: 2, number: 7 };
        let frame = "{}\u{1e}{\"type\":6}\u{1e}{\"type\":1,\"target\":\"ready\",\"arguments\":[]}\u{1e}\
            {\"type\":1,\"target\":\"message\",\"arguments\":[2,7,\"x\"]}\u{1e}";
        assert_eq!(heard(Kind::Hubwire, frame).unwrap(), [Heard::Ready, message()]);
        for (frame, expected) in [
            ("0{\"sid\":\"x\"}", None),
            ("40{\"sid\":\"x\"}", None),
            ("2", Some(Heard::Reply("3"))),
            ("42[\"ready\"]", Some(Heard::Ready)),
            ("42[\"message\",2,7,\"x\"]", Some(message())),
        ] {
            assert_eq!(
                heard(Kind::Socketioxide, frame).unwrap(),
                Vec::from_iter(expected),
                "{frame}"
            );
        }
    }

    #[test]
    fn nothing_else_is_understood() {
        for frame in [
            "x",
            "{\"type\":7}\u{1e}",
            "{\"type\":1,\"target\":\"message\",\"arguments\":[]}\u{1e}",
        ] {
            assert!(heard(Kind::Hubwire, frame).is_err(), "{frame}");
        }
        for frame in ["", "1", "41", "42[]", "42[\"other\"]", "44{}"] {
            assert!(heard(Kind::Socketioxide, frame).is_err(), "{frame}");
        }
    }
}
