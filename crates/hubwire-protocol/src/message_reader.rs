use std::{collections::VecDeque, mem};

use bytes::{Buf, Bytes, BytesMut};

use crate::{HubProtocol, json::RECORD_SEPARATOR};

#[cfg(feature = "messagepack")]
use crate::length_prefix::LengthPrefix;

/// Cuts what a transport delivers into messages: several may come in one payload, and one in several.
///
/// Payloads go in with [`push`](Self::push), frames come out of [`next_frame`](Self::next_frame) until it gives `None`.
/// The handshake is framed like JSON whatever the protocol, so one reader serves a connection from its first byte;
/// [`frame_by`](Self::frame_by) tells it what comes behind the handshake.
///
/// ```text
///   push ──▶ payloads, not searched ──▶ next_frame: is there an end?
///                                         yes ──▶ a slice of the payload, or torn + slice
///                                         no  ──▶ torn: the searched beginning of a message
/// ```
///
/// A byte is looked at once. What was searched in vain is moved to `torn` and never searched again, so a peer that
/// drips single bytes costs no more than one that sends them together. Only a message torn over payloads is copied.
#[derive(Debug)]
pub struct MessageReader {
    limit: Option<usize>,
    framing: Framing,
    /// What is searched now, and what came behind it.
    payload: Bytes,
    payloads: VecDeque<Bytes>,
    torn: BytesMut,
    failure: Option<FrameError>,
}

/// How a message says where it ends.
#[derive(Debug)]
enum Framing {
    /// A record separator behind it.
    Separator,
    /// Its length before it; what was read of the prefix is no longer among the bytes.
    #[cfg(feature = "messagepack")]
    Length(LengthPrefix),
}

/// What a payload had of a message.
enum Found {
    /// This many bytes up to its end, and this many more that end it.
    End { bytes: usize, separator: usize },
    /// Some bytes, and the end is not among them.
    Part,
}

impl MessageReader {
    /// A reader that accepts messages of up to `limit` bytes, their framing included; `None` for no limit.
    ///
    /// It begins as a connection does, with the framing of the handshake, which is that of JSON.
    pub fn new(limit: Option<usize>) -> Self {
        Self {
            limit,
            framing: Framing::of(HubProtocol::Json),
            payload: Bytes::new(),
            payloads: VecDeque::new(),
            torn: BytesMut::new(),
            failure: None,
        }
    }

    /// Frames all that has not been taken yet as `protocol` does.
    ///
    /// For the moment in which the handshake has been taken: messages may have come right behind it.
    pub fn frame_by(&mut self, protocol: HubProtocol) {
        if !self.torn.is_empty() {
            let torn = mem::take(&mut self.torn).freeze();
            let rest = mem::replace(&mut self.payload, torn);
            if !rest.is_empty() {
                self.payloads.push_front(rest);
            }
        }
        self.framing = Framing::of(protocol);
    }

    /// Takes what a transport delivered, in order. After an error it is dropped.
    pub fn push(&mut self, payload: Bytes) {
        if self.failure.is_some() || payload.is_empty() {
            return;
        }
        if self.payload.is_empty() && self.payloads.is_empty() {
            self.payload = payload;
        } else {
            self.payloads.push_back(payload);
        }
    }

    /// The next message without its framing; `None` when its end has not arrived yet.
    ///
    /// A separator right behind another, or a length of 0, gives an empty frame, which no protocol accepts as a message.
    ///
    /// # Errors
    ///
    /// When the message is over the limit, as soon as that is certain, or when its length cannot be read.
    /// The reader then stays in this error.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FrameError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        while self.advance() {
            match self.framing.search(&mut self.payload, self.torn.len(), self.limit) {
                Err(failure) => return Err(self.fail(failure)),
                Ok(Found::Part) => {
                    self.torn.extend_from_slice(&self.payload);
                    self.payload = Bytes::new();
                }
                Ok(Found::End { bytes, separator }) => {
                    let frame = if bytes + separator < self.payload.len() {
                        let frame = self.payload.split_to(bytes);
                        self.payload.advance(separator);
                        frame
                    } else {
                        let mut last = mem::take(&mut self.payload);
                        last.truncate(bytes);
                        last
                    };
                    if self.torn.is_empty() {
                        return Ok(Some(frame));
                    }
                    self.torn.extend_from_slice(&frame);
                    // Taken whole, so that an idle connection does not keep the capacity of its last torn message.
                    return Ok(Some(mem::take(&mut self.torn).freeze()));
                }
            }
        }
        Ok(None)
    }

    /// Forgets what has come of messages that are not complete: their rest will not follow.
    pub fn discard(&mut self) {
        self.framing = self.framing.anew();
        self.payload = Bytes::new();
        self.payloads.clear();
        self.torn = BytesMut::new();
    }

    /// How many bytes are held: of messages that wait to be taken, and of one that is not complete.
    pub fn buffered(&self) -> usize {
        self.framing.len() + self.torn.len() + self.unsearched()
    }

    /// Goes on to the next payload where one is at its end; whether there is anything to be searched.
    fn advance(&mut self) -> bool {
        if self.payload.is_empty()
            && let Some(next) = self.payloads.pop_front()
        {
            self.payload = next;
        }
        !self.payload.is_empty()
    }

    fn unsearched(&self) -> usize {
        self.payload.len() + self.payloads.iter().map(Bytes::len).sum::<usize>()
    }

    /// Nothing that follows an oversized message can be understood, so nothing is kept.
    fn fail(&mut self, failure: FrameError) -> FrameError {
        self.framing = Framing::of(HubProtocol::Json);
        self.payload = Bytes::new();
        self.payloads = VecDeque::new();
        self.torn = BytesMut::new();
        self.failure.insert(failure).clone()
    }
}

impl Framing {
    fn of(protocol: HubProtocol) -> Self {
        match protocol {
            HubProtocol::Json => Self::Separator,
            #[cfg(feature = "messagepack")]
            HubProtocol::MessagePack => Self::Length(LengthPrefix::default()),
        }
    }

    /// The same at the beginning of a message.
    fn anew(&self) -> Self {
        match self {
            Self::Separator => Self::Separator,
            #[cfg(feature = "messagepack")]
            Self::Length(_) => Self::Length(LengthPrefix::default()),
        }
    }

    /// How many bytes of the message's framing have been taken out of payloads.
    fn len(&self) -> usize {
        match self {
            Self::Separator => 0,
            #[cfg(feature = "messagepack")]
            Self::Length(prefix) => prefix.len(),
        }
    }

    /// Looks for the end of a message in `payload`, of which `torn` bytes came before.
    #[cfg_attr(
        not(feature = "messagepack"),
        expect(clippy::needless_pass_by_ref_mut, reason = "a prefix is taken off and remembered")
    )]
    fn search(
        &mut self,
        payload: &mut Bytes,
        torn: usize,
        limit: Option<usize>,
    ) -> Result<Found, FrameError> {
        let check = |size: usize| match limit.filter(|limit| size > *limit) {
            Some(limit) => Err(FrameError::TooLarge { limit }),
            None => Ok(()),
        };
        match self {
            Self::Separator => {
                let found = memchr::memchr(RECORD_SEPARATOR, payload);
                // The separator counts too, also the one that is still to come.
                check(torn + found.unwrap_or(payload.len()) + 1)?;
                Ok(found.map_or(Found::Part, |bytes| Found::End { bytes, separator: 1 }))
            }
            #[cfg(feature = "messagepack")]
            Self::Length(prefix) => {
                let (taken, length) = prefix.read(payload)?;
                payload.advance(taken);
                let Some(length) = length else {
                    check(prefix.len() + 1)?;
                    return Ok(Found::Part);
                };
                check(prefix.len() + length)?;
                let missing = length - torn;
                if payload.len() < missing {
                    return Ok(Found::Part);
                }
                *prefix = LengthPrefix::default();
                Ok(Found::End { bytes: missing, separator: 0 })
            }
        }
    }
}

/// Why no further message can be found.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The length before a message is no number of up to 31 bits in up to five bytes. The text is that of ASP.NET.
    #[error("Messages over 2GB in size are not supported.")]
    LengthPrefix,
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
    fn payloads_stay_in_order_whenever_they_come() {
        let mut reader = MessageReader::new(None);
        let next = |reader: &mut MessageReader| reader.next_frame().unwrap();
        reader.push(Bytes::from_static(b"a\x1e"));
        reader.push(Bytes::from_static(b"b"));
        assert_eq!(next(&mut reader).as_deref(), Some(&b"a"[..]));
        reader.push(Bytes::from_static(b"c\x1ed\x1e"));
        reader.push(Bytes::from_static(b"e\x1e"));
        for expected in [&b"bc"[..], b"d", b"e"] {
            assert_eq!(next(&mut reader).as_deref(), Some(expected));
        }
        assert_eq!(next(&mut reader), None);
    }

    #[cfg(feature = "messagepack")]
    #[test]
    fn messages_right_behind_the_handshake_are_framed_as_it_says() {
        use crate::HubProtocol;

        let wire = Bytes::from_static(b"{}\x1e\x03\x1e\x1e\x1e\x82\x00\x07\x08\x02\x09");
        let frames = [&b"\x1e\x1e\x1e"[..], b"\x07\x08"];
        for at in 0..=wire.len() {
            let mut reader = MessageReader::new(Some(8));
            reader.push(wire.slice(..at));
            let mut handshake = reader.next_frame().unwrap();
            if handshake.is_none() {
                reader.push(wire.slice(at..));
                handshake = reader.next_frame().unwrap();
            }
            assert_eq!(handshake.as_deref(), Some(&b"{}"[..]));
            reader.frame_by(HubProtocol::MessagePack);
            if at >= 3 {
                assert_eq!(reader.buffered(), at - 3, "what came behind it is there");
                reader.push(wire.slice(at..));
            }
            for expected in frames {
                assert_eq!(reader.next_frame().unwrap().as_deref(), Some(expected));
            }
            assert_eq!(reader.next_frame(), Ok(None));
            assert_eq!(reader.buffered(), 2, "a length and one byte of two");
        }
    }

    #[cfg(feature = "messagepack")]
    #[test]
    fn what_was_taken_for_json_is_framed_again() {
        use crate::HubProtocol;

        // Nobody should ask before the handshake is taken; if somebody does, nothing is lost.
        let mut reader = MessageReader::new(None);
        reader.push(Bytes::from_static(b"\x02\x91"));
        assert_eq!(reader.next_frame(), Ok(None));
        reader.frame_by(HubProtocol::MessagePack);
        reader.push(Bytes::from_static(b"\x06"));
        assert_eq!(reader.next_frame(), Ok(Some(Bytes::from_static(b"\x91\x06"))));
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
