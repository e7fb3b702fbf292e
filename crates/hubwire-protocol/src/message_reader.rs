use std::{collections::VecDeque, mem};

use bytes::{Buf, Bytes, BytesMut};

use crate::json::RECORD_SEPARATOR;

/// Cuts what a transport delivers into messages: several may come in one payload, and one in several.
///
/// Payloads go in with [`push`](Self::push), frames come out of [`next_frame`](Self::next_frame) until it gives `None`.
/// The handshake is framed like JSON whatever the protocol, so one reader serves a connection from its first byte.
///
/// ```text
///   push ──▶ payloads, not searched ──▶ next_frame: is there a separator?
///                                         yes ──▶ a slice of the payload, or torn + slice
///                                         no  ──▶ torn: the searched beginning of a message
/// ```
///
/// A byte is looked at once. What was searched in vain is moved to `torn` and never searched again, so a peer that
/// drips single bytes costs no more than one that sends them together. Only a message torn over payloads is copied.
#[derive(Debug)]
pub struct MessageReader {
    limit: Option<usize>,
    payloads: VecDeque<Bytes>,
    torn: BytesMut,
    failure: Option<FrameError>,
}

impl MessageReader {
    /// A reader that accepts messages of up to `limit` bytes, their framing included; `None` for no limit.
    pub fn new(limit: Option<usize>) -> Self {
        Self { limit, payloads: VecDeque::new(), torn: BytesMut::new(), failure: None }
    }

    /// Takes what a transport delivered, in order. After an error it is dropped.
    pub fn push(&mut self, payload: Bytes) {
        if self.failure.is_none() && !payload.is_empty() {
            self.payloads.push_back(payload);
        }
    }

    /// The next message without its framing; `None` when its end has not arrived yet.
    ///
    /// A separator right behind another gives an empty frame, which no protocol accepts as a message.
    ///
    /// # Errors
    ///
    /// When the message is over the limit, as soon as that is certain. The reader then stays in this error.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FrameError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        while let Some(mut payload) = self.payloads.pop_front() {
            let found = memchr::memchr(RECORD_SEPARATOR, &payload);
            // The separator counts too, also the one that is still to come.
            let size = self.torn.len() + found.unwrap_or(payload.len()) + 1;
            if let Some(limit) = self.limit.filter(|limit| size > *limit) {
                return Err(self.fail(FrameError::TooLarge { limit }));
            }
            let Some(end) = found else {
                self.torn.extend_from_slice(&payload);
                continue;
            };
            let frame = payload.split_to(end);
            payload.advance(1);
            if !payload.is_empty() {
                self.payloads.push_front(payload);
            }
            if self.torn.is_empty() {
                return Ok(Some(frame));
            }
            self.torn.extend_from_slice(&frame);
            // Taken whole, so that an idle connection does not keep the capacity of its last torn message.
            return Ok(Some(mem::take(&mut self.torn).freeze()));
        }
        Ok(None)
    }

    /// Forgets what has come of messages that are not complete: their rest will not follow.
    pub fn discard(&mut self) {
        self.payloads.clear();
        self.torn = BytesMut::new();
    }

    /// How many bytes are held: of messages that wait to be taken, and of one that is not complete.
    pub fn buffered(&self) -> usize {
        self.torn.len() + self.unsearched()
    }

    fn unsearched(&self) -> usize {
        self.payloads.iter().map(Bytes::len).sum()
    }

    /// Nothing that follows an oversized message can be understood, so nothing is kept.
    fn fail(&mut self, failure: FrameError) -> FrameError {
        self.payloads = VecDeque::new();
        self.torn = BytesMut::new();
        self.failure.insert(failure).clone()
    }
}

/// Why no further message can be found.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A message is larger than allowed. The text is that of ASP.NET.
    #[error("The maximum message size of {limit}B was exceeded.")]
    TooLarge {
        /// How many bytes a message may have, its framing included.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{FrameError, MessageReader};

    #[test]
    fn what_was_searched_is_never_searched_again() {
        let mut reader = MessageReader::new(None);
        for count in 1..=1000 {
            reader.push(Bytes::from_static(b"x"));
            assert_eq!(reader.next_frame(), Ok(None));
            assert_eq!((reader.unsearched(), reader.buffered()), (0, count));
        }
    }

    #[test]
    fn a_message_that_came_whole_is_a_slice_of_its_payload() {
        let payload = Bytes::from_static(b"one\x1etwo\x1ethr");
        let mut reader = MessageReader::new(None);
        reader.push(payload.clone());
        for start in [0, 4] {
            let frame = reader.next_frame().unwrap().unwrap();
            assert_eq!(frame.as_ptr(), payload[start..].as_ptr());
        }
        assert_eq!(reader.next_frame(), Ok(None));
        assert_eq!(reader.buffered(), 3);
    }

    #[test]
    fn an_oversized_message_ends_the_reader() {
        let mut reader = MessageReader::new(Some(4));
        reader.push(Bytes::from_static(b"abc\x1eabcd"));
        assert_eq!(reader.next_frame(), Ok(Some(Bytes::from_static(b"abc"))));
        for _ in 0..2 {
            assert_eq!(reader.next_frame(), Err(FrameError::TooLarge { limit: 4 }));
            assert_eq!(reader.buffered(), 0);
            reader.push(Bytes::from_static(b"\x1eabc\x1e"));
        }
    }
}
