//! SignalR's JSON protocol with whatever calls a hub has.

use std::borrow::Cow;
use std::io::Write as _;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::negotiate::{self, OPENED, SHAKEN};
use super::{Aside, Dialect, DialectError, Hear, Heard, SEPARATOR, Say, Step};
use crate::error::SwarmError;
use crate::frame::Opcode;
use crate::http::Exchange;
use crate::link::Link;

/// One call of a user's own hub: whatever it answers is right, but for an error.
#[derive(Debug)]
pub(crate) struct Any {
    pub(crate) path: String,
    pub(crate) target: String,
    /// An array as JSON.
    pub(crate) arguments: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    r#type: u8,
    #[serde(borrow)]
    invocation_id: Option<&'a str>,
    #[serde(borrow)]
    error: Option<Cow<'a, RawValue>>,
}

impl Dialect for Any {
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
        let Say::Call { number, .. } = say else {
            unreachable!("a user's hub is only called");
        };
        let Self { target, arguments, .. } = self;
        // A Vec takes all that is written.
        let _ = write!(
            out,
            "{{\"arguments\":{arguments},\"invocationId\":\"{number}\",\"target\":\"{target}\",\"type\":1}}\x1e"
        );
    }

    fn read<'a>(&self, payload: &'a [u8], hear: Hear<'_, 'a>) -> Result<(), SwarmError> {
        let messages = payload.strip_suffix(&[SEPARATOR]).ok_or(DialectError::Unfinished)?;
        for message in messages.split(|byte| *byte == SEPARATOR) {
            let unexpected = || DialectError::unexpected(message);
            let read: Message<'_> = serde_json::from_slice(message).map_err(DialectError::from)?;
            match read {
                Message { error: Some(_), .. } => return Err(unexpected().into()),
                Message { r#type: 1, .. } => hear(Heard::Told { text: "" })?,
                Message { r#type: 3, invocation_id: Some(id), .. } => {
                    let number = id.parse().map_err(|_| unexpected())?;
                    hear(Heard::Answer { number: Some(number), text: "" })?;
                }
                Message { r#type: 6, .. } => {}
                _ => return Err(unexpected().into()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{heard, written};

    #[test]
    fn calls_what_it_is_told_to_and_takes_any_answer() {
        let any = Any { path: "/chat".into(), target: "Add".into(), arguments: "[1,2]".into() };
        assert_eq!(
            written(&any, Say::Call { number: 7, text: "" }),
            b"{\"arguments\":[1,2],\"invocationId\":\"7\",\"target\":\"Add\",\"type\":1}\x1e"
        );
        let payload = b"{\"type\":3,\"invocationId\":\"7\",\"result\":{\"sum\":[3]}}\x1e\
            {\"type\":1,\"target\":\"x\",\"arguments\":[{}]}\x1e";
        let expected = [Heard::Answer { number: Some(7), text: "" }, Heard::Told { text: "" }];
        assert_eq!(heard(&any, payload).unwrap(), expected);
        let error = b"{\"type\":3,\"invocationId\":\"7\",\"error\":\"no\"}\x1e";
        assert!(heard(&any, error).is_err());
        assert!(heard(&any, b"{\"type\":7}\x1e").is_err());
    }
}
