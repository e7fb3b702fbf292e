//! SignalR's JSON protocol.

use std::borrow::Cow;
use std::io::Write as _;

use serde::Deserialize;

use super::negotiate::{self, OPENED, SHAKEN};
use super::{Aside, Dialect, DialectError, Hear, Heard, SEPARATOR, Say, Step};
use crate::error::SwarmError;
use crate::frame::Opcode;
use crate::http::Exchange;
use crate::link::Link;

/// The protocol of a hub at a path.
#[derive(Debug)]
pub(crate) struct Json {
    pub(crate) path: Cow<'static, str>,
}

/// The fields of the hub messages that come here; texts of ours need no escapes, so they are slices.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    r#type: u8,
    #[serde(borrow)]
    invocation_id: Option<&'a str>,
    #[serde(borrow)]
    target: Option<&'a str>,
    #[serde(borrow)]
    arguments: Option<[&'a str; 1]>,
    #[serde(borrow)]
    result: Option<&'a str>,
    item: Option<u64>,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
}

impl Dialect for Json {
    fn opcode(&self) -> Opcode {
        Opcode::Text
    }

    fn path(&self, link: Link, exchange: &mut Exchange) -> Result<String, SwarmError> {
        negotiate::path(&self.path, link, exchange)
    }

    fn opening(&self, link: Link) -> &'static [Step] {
        const HANDSHAKE: Step = Step::Say(b"{\"protocol\":\"json\",\"version\":1}\x1e");
        if link.polls() { &[OPENED, HANDSHAKE, SHAKEN] } else { &[HANDSHAKE, SHAKEN] }
    }

    fn aside(&self) -> Aside {
        Aside { heard: b"{\"type\":6}\x1e", answer: None }
    }

    fn keep_alive(&self) -> Option<&'static [u8]> {
        Some(b"{\"type\":6}\x1e")
    }

    fn write(&self, say: Say<'_>, out: &mut Vec<u8>) {
        // The order of fields is that of the official JavaScript client. A Vec takes all that is written.
        let _ = match say {
            Say::Call { number, text } => write!(
                out,
                "{{\"arguments\":[\"{text}\"],\"invocationId\":\"{number}\",\"target\":\"Echo\",\"type\":1}}\x1e"
            ),
            Say::Broadcast { text } => {
                write!(
                    out,
                    "{{\"arguments\":[\"{text}\"],\"target\":\"Broadcast\",\"type\":1}}\x1e"
                )
            }
            Say::Join { number, group } => write!(
                out,
                "{{\"arguments\":[\"{group}\"],\"invocationId\":\"{number}\",\"target\":\"Join\",\"type\":1}}\x1e"
            ),
            Say::ToGroup { group, text } => write!(
                out,
                "{{\"arguments\":[\"{group}\",\"{text}\"],\"target\":\"ToGroup\",\"type\":1}}\x1e"
            ),
            Say::Stream { number, items } => write!(
                out,
                "{{\"arguments\":[{items}],\"invocationId\":\"{number}\",\"target\":\"Ticks\",\"type\":4}}\x1e"
            ),
            Say::Pong => unreachable!("a hub's pings are not answered"),
        };
    }

    fn read<'a>(&self, payload: &'a [u8], hear: Hear<'_, 'a>) -> Result<(), SwarmError> {
        let messages = payload.strip_suffix(&[SEPARATOR]).ok_or(DialectError::Unfinished)?;
        for message in messages.split(|byte| *byte == SEPARATOR) {
            if let Some(heard) = read(message)? {
                hear(heard)?;
            }
        }
        Ok(())
    }
}

/// `None` for a ping.
fn read(message: &[u8]) -> Result<Option<Heard<'_>>, DialectError> {
    let unexpected = || DialectError::unexpected(message);
    Ok(Some(match serde_json::from_slice(message)? {
        Message { error: Some(_), .. } => return Err(unexpected()),
        Message { r#type: 1, target: Some("message"), arguments: Some([text]), .. } => {
            Heard::Told { text }
        }
        Message { r#type: 2, item: Some(value), .. } => Heard::Item { value },
        Message { r#type: 3, invocation_id: Some(id), result: Some(text), .. } => {
            let number = id.parse().map_err(|_| unexpected())?;
            Heard::Answer { number: Some(number), text }
        }
        Message { r#type: 3, invocation_id: Some(_), result: None, .. } => Heard::End,
        Message { r#type: 6, .. } => return Ok(None),
        _ => return Err(unexpected()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{heard, written};

    const HUB: Json = Json { path: Cow::Borrowed("/hub") };

    #[test]
    fn speaks_to_a_hub() {
        for (say, expected) in [
            (
                Say::Call { number: 7, text: "a" },
                r#"{"arguments":["a"],"invocationId":"7","target":"Echo","type":1}"#,
            ),
            (Say::Broadcast { text: "b" }, r#"{"arguments":["b"],"target":"Broadcast","type":1}"#),
            (
                Say::ToGroup { group: "g", text: "c" },
                r#"{"arguments":["g","c"],"target":"ToGroup","type":1}"#,
            ),
            (
                Say::Stream { number: 8, items: 3 },
                r#"{"arguments":[3],"invocationId":"8","target":"Ticks","type":4}"#,
            ),
        ] {
            let text = String::from_utf8(written(&HUB, say)).unwrap();
            assert_eq!(text, format!("{expected}\x1e"));
        }
    }

    #[test]
    fn hears_a_hub_whatever_the_order_of_fields() {
        let payload = b"{\"type\":3,\"invocationId\":\"7\",\"result\":\"a\"}\x1e{\"type\":6}\x1e\
            {\"arguments\":[\"b\"],\"target\":\"message\",\"type\":1}\x1e\
            {\"type\":2,\"invocationId\":\"8\",\"item\":5}\x1e{\"type\":3,\"invocationId\":\"8\"}\x1e";
        let expected = [
            Heard::Answer { number: Some(7), text: "a" },
            Heard::Told { text: "b" },
            Heard::Item { value: 5 },
            Heard::End,
        ];
        assert_eq!(heard(&HUB, payload).unwrap(), expected);
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
            assert!(heard(&HUB, payload.as_bytes()).is_err(), "{payload}");
        }
    }
}
