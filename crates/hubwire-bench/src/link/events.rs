//! An event stream, and the POSTs beside it.

use mio::event::Event;

use super::polls::{Posts, Rhythm};
use super::{Came, Net, Socket, Take};
use crate::error::SwarmError;
use crate::http;

#[derive(Debug)]
pub(crate) struct Events {
    down: Socket,
    up: Posts,
    path: String,
    /// What came in chunks, and is no whole event.
    text: Vec<u8>,
}

impl Events {
    /// `down` has received the head of the stream, and `text` of its events.
    pub(super) fn new(down: Socket, path: String, text: Vec<u8>) -> Self {
        Self { down, up: Posts::new(0, Rhythm::Long), path, text }
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
            return self.up.receive(event, net, take);
        }
        let Self { down, text, .. } = self;
        down.read(event.is_read_closed(), net.scratch, &mut |arrived| {
            let taken = unchunk(arrived, text)?;
            while let Some((data, length)) = read_event(text) {
                if !data.is_empty() {
                    take(Came::Payload(data))?;
                }
                text.drain(..length);
            }
            Ok(taken)
        })
    }

    pub(super) fn send(
        &mut self,
        client: usize,
        waiting: &mut Vec<u8>,
        net: &Net<'_>,
    ) -> Result<(), SwarmError> {
        self.up.send(client, &self.path, waiting, net)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.up.is_busy
    }

    pub(super) fn rest(&mut self) {
        self.up.rest();
    }
}

/// Appends what whole chunks carry to `text`, and says how many bytes they took.
pub(super) fn unchunk(arrived: &[u8], text: &mut Vec<u8>) -> Result<usize, SwarmError> {
    let mut taken = 0;
    while let Some((chunk, length)) = http::read_chunk(&arrived[taken..])? {
        if chunk.is_empty() {
            return Err(SwarmError::Closed("the end of an event stream".to_owned()));
        }
        text.extend(chunk);
        taken += length;
    }
    Ok(taken)
}

/// The data of the first event, which has one line of it or none, and how many bytes it took.
pub(super) fn read_event(text: &[u8]) -> Option<(&[u8], usize)> {
    let end = text.windows(2).position(|two| two == b"\n\n" || two == b"\n\r")?;
    let length = if text[end + 1] == b'\r' { end + 3 } else { end + 2 };
    if text.len() < length {
        return None;
    }
    let lines = text[..end].split(|byte| *byte == b'\n');
    let data = lines.filter_map(|line| line.strip_prefix(b"data:")).next().unwrap_or_default();
    let data = data.strip_prefix(b" ").unwrap_or(data);
    let data = data.strip_suffix(b"\r").unwrap_or(data);
    Some((data, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_events_whose_end_has_come() {
        for (text, expected) in [
            (&b"data: a\x1e\r\n\r\n"[..], &b"a\x1e"[..]),
            (b"data: b\n\n", b"b"),
            (b":\r\n\r\n", b""),
            (b":\r\ndata: c\r\n\r\n", b"c"),
        ] {
            for end in 0..text.len() {
                assert_eq!(read_event(&text[..end]), None, "{end} bytes");
            }
            let mut more = text.to_vec();
            more.extend(b"data: next");
            assert_eq!(read_event(&more), Some((expected, text.len())));
        }
    }

    #[test]
    fn unchunks_what_is_whole() {
        let mut text = Vec::new();
        assert_eq!(unchunk(b"3\r\ndat\r\n2\r\na:\r\n4\r\n", &mut text).unwrap(), 15);
        assert_eq!(text, b"data:");
        assert!(unchunk(b"0\r\n\r\n", &mut text).is_err());
    }
}
