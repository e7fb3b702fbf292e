//! The bare texts of the raw peers.

use std::str;

use super::{Aside, Dialect, DialectError, Hear, Heard, Say, Step};
use crate::error::SwarmError;
use crate::frame::Opcode;
use crate::http::Exchange;
use crate::link::Link;

/// Begins a text that the raw peer sends to everyone.
pub(crate) const TO_ALL: u8 = b'*';

/// A message is a text; one that begins with [`TO_ALL`] is for everyone.
#[derive(Debug)]
pub(crate) struct Plain;

impl Dialect for Plain {
    fn opcode(&self) -> Opcode {
        Opcode::Text
    }

    fn path(&self, _: Link, _: &mut Exchange) -> Result<String, SwarmError> {
        Ok("/echo".to_owned())
    }

    fn opening(&self, _: Link) -> &'static [Step] {
        &[]
    }

    fn aside(&self) -> Aside {
        Aside { heard: &[TO_ALL], answer: None }
    }

    fn write(&self, say: Say<'_>, out: &mut Vec<u8>) {
        match say {
            Say::Call { text, .. } => out.extend(text.as_bytes()),
            Say::Broadcast { text } => {
                out.push(TO_ALL);
                out.extend(text.as_bytes());
            }
            Say::Join { .. } | Say::ToGroup { .. } | Say::Stream { .. } | Say::Pong => {
                unreachable!("raw peers offer echoes and broadcasts")
            }
        }
    }

    fn read<'a>(&self, payload: &'a [u8], hear: Hear<'_, 'a>) -> Result<(), SwarmError> {
        let text = str::from_utf8(payload).map_err(DialectError::from)?;
        hear(match text.strip_prefix(char::from(TO_ALL)) {
            Some(text) => Heard::Told { text },
            None => Heard::Answer { number: None, text },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{heard, written};

    #[test]
    fn is_bare_text() {
        assert_eq!(written(&Plain, Say::Broadcast { text: "b" }), b"*b");
        assert_eq!(heard(&Plain, b"*b").unwrap(), [Heard::Told { text: "b" }]);
        assert_eq!(written(&Plain, Say::Call { number: 7, text: "a" }), b"a");
        let answer = Heard::Answer { number: None, text: "a" };
        assert_eq!(heard(&Plain, b"a").unwrap(), [answer]);
        assert!(heard(&Plain, b"\xff").is_err());
    }
}
