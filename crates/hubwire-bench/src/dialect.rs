//! What is said in the frames: SignalR's hub protocol, or the bare text of the raw peer.

use std::io::Write as _;
use std::str;

use serde::Deserialize;
use thiserror::Error;

/// Ends every message of the hub protocol.
const SEPARATOR: u8 = 0x1e;
/// Begins a text that the raw peer sends to everyone.
pub(crate) const TO_ALL: u8 = b'*';

/// How a server is spoken to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dialect {
    /// SignalR's JSON protocol.
    Hub,
    /// A message is a text; one that begins with [`TO_ALL`] is for everyone.
    Plain,
}

/// One thing that a server said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard<'a> {
    /// The answer to a call, with the call's number where the protocol has one.
    Answer { number: Option<u64>, text: &'a str },
    /// What everyone was told.
    Told { text: &'a str },
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

/// The fields of the hub messages that come here; texts of ours need no escapes, so they are slices.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HubMessage<'a> {
    r#type: u8,
    #[serde(borrow)]
    invocation_id: Option<&'a str>,
    #[serde(borrow)]
    target: Option<&'a str>,
    #[serde(borrow)]
    arguments: Option<[&'a str; 1]>,
    #[serde(borrow)]
    result: Option<&'a str>,
}

impl Dialect {
    /// What is sent first, and what must be answered to it before anything else.
    pub(crate) fn handshake(self) -> Option<(&'static [u8], &'static [u8])> {
        match self {
            Self::Hub => Some((b"{\"protocol\":\"json\",\"version\":1}\x1e", b"{}\x1e")),
            Self::Plain => None,
        }
    }

    /// Writes a call that is answered with its text. `text` must need no escapes.
    pub(crate) fn write_call(self, number: u64, text: &str, out: &mut Vec<u8>) {
        match self {
            // The order of fields is that of the official JavaScript client.
            Self::Hub => {
                out.extend(b"{\"target\":\"Echo\",\"arguments\":[\"");
                out.extend(text.as_bytes());
                // A Vec takes all that is written.
                let _ = write!(out, "\"],\"invocationId\":\"{number}\",\"type\":1}}\x1e");
            }
            Self::Plain => out.extend(text.as_bytes()),
        }
    }

    /// Writes what everyone shall be told and nobody answers. `text` must need no escapes.
    pub(crate) fn write_broadcast(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::Hub => {
                out.extend(b"{\"target\":\"Broadcast\",\"arguments\":[\"");
                out.extend(text.as_bytes());
                out.extend(b"\"],\"type\":1}\x1e");
            }
            Self::Plain => {
                out.push(TO_ALL);
                out.extend(text.as_bytes());
            }
        }
    }

    /// Hands each thing that a text frame says to `hear`.
    pub(crate) fn read<'a, E: From<DialectError>>(
        self,
        payload: &'a [u8],
        mut hear: impl FnMut(Heard<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Hub => {
                let messages =
                    payload.strip_suffix(&[SEPARATOR]).ok_or(DialectError::Unfinished)?;
                for message in messages.split(|byte| *byte == SEPARATOR) {
                    if let Some(heard) = read_hub_message(message)? {
                        hear(heard)?;
                    }
                }
                Ok(())
            }
            Self::Plain => {
                let text = str::from_utf8(payload).map_err(DialectError::from)?;
                hear(match text.strip_prefix(char::from(TO_ALL)) {
                    Some(text) => Heard::Told { text },
                    None => Heard::Answer { number: None, text },
                })
            }
        }
    }
}

/// `None` for a ping.
fn read_hub_message(message: &[u8]) -> Result<Option<Heard<'_>>, DialectError> {
    let unexpected = || DialectError::Unexpected(String::from_utf8_lossy(message).into_owned());
    let read: HubMessage<'_> = serde_json::from_slice(message)?;
    match read {
        HubMessage { r#type: 1, target: Some("message"), arguments: Some([text]), .. } => {
            Ok(Some(Heard::Told { text }))
        }
        HubMessage { r#type: 3, invocation_id: Some(id), result: Some(text), .. } => {
            let number = id.parse().map_err(|_| unexpected())?;
            Ok(Some(Heard::Answer { number: Some(number), text }))
        }
        HubMessage { r#type: 6, .. } => Ok(None),
        _ => Err(unexpected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(dialect: Dialect, payload: &str) -> Result<Vec<Heard<'_>>, DialectError> {
        let mut all = Vec::new();
        dialect.read(payload.as_bytes(), |heard| {
            all.push(heard);
            Ok::<_, DialectError>(())
        })?;
        Ok(all)
    }

    #[test]
    fn speaks_to_a_hub() {
        let mut out = Vec::new();
        Dialect::Hub.write_call(7, "a", &mut out);
        Dialect::Hub.write_broadcast("b", &mut out);
        let call =
            "{\"target\":\"Echo\",\"arguments\":[\"a\"],\"invocationId\":\"7\",\"type\":1}\x1e";
        let broadcast = "{\"target\":\"Broadcast\",\"arguments\":[\"b\"],\"type\":1}\x1e";
        assert_eq!(String::from_utf8(out).unwrap(), format!("{call}{broadcast}"));
    }

    #[test]
    fn hears_a_hub_whatever_the_order_of_fields() {
        let payload = "{\"type\":3,\"invocationId\":\"7\",\"result\":\"a\"}\x1e{\"type\":6}\x1e\
            {\"arguments\":[\"b\"],\"target\":\"message\",\"type\":1}\x1e";
        let expected = [Heard::Answer { number: Some(7), text: "a" }, Heard::Told { text: "b" }];
        assert_eq!(heard(Dialect::Hub, payload).unwrap(), expected);
    }

    #[test]
    fn hears_nothing_else_from_a_hub() {
        for payload in [
            "",
            "{\"type\":6}",
            "{\"type\":7}\x1e",
            "{\"type\":3,\"invocationId\":\"7\",\"error\":\"no\"}\x1e",
            "{\"type\":3,\"invocationId\":\"x\",\"result\":\"a\"}\x1e",
            "{\"type\":1,\"target\":\"other\",\"arguments\":[\"b\"]}\x1e",
            "{\"type\":1,\"target\":\"message\",\"arguments\":[\"b\",\"c\"]}\x1e",
        ] {
            assert!(heard(Dialect::Hub, payload).is_err(), "{payload}");
        }
    }

    #[test]
    fn hears_the_raw_peer() {
        let mut out = Vec::new();
        Dialect::Plain.write_broadcast("b", &mut out);
        assert_eq!(out, b"*b");
        assert_eq!(heard(Dialect::Plain, "*b").unwrap(), [Heard::Told { text: "b" }]);
        let answer = Heard::Answer { number: None, text: "a" };
        assert_eq!(heard(Dialect::Plain, "a").unwrap(), [answer]);
    }
}
