use std::{fmt, ops::Range};

use bytes::Bytes;
use bytestring::ByteString;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use crate::{
    ArgumentList, DecodeError, EncodeError, HubProtocol, Raw,
    argument_list::{Elements, Sealed},
    json,
};

#[cfg(feature = "messagepack")]
use crate::messagepack;

/// The arguments of an invocation, not decoded yet: one slice of the frame, and where in it each argument lies.
#[derive(Clone)]
pub struct Arguments {
    pub(crate) frame: Frame,
    pub(crate) spans: Spans,
}

/// What arguments are slices of. That JSON is UTF-8 was seen when the message was read, and is not looked at again for
/// each of them.
#[derive(Clone)]
pub(crate) enum Frame {
    Json(ByteString),
    #[cfg(feature = "messagepack")]
    MessagePack(Bytes),
}

/// Four inline, because few methods take more.
pub(crate) type Spans = SmallVec<[Range<usize>; 4]>;

impl Arguments {
    /// Encodes `arguments`, for messages that are built by hand.
    ///
    /// # Errors
    ///
    /// When one of them cannot be written in this protocol.
    pub fn new<A: ArgumentList + ?Sized>(
        protocol: HubProtocol,
        arguments: &A,
    ) -> Result<Self, EncodeError> {
        match protocol {
            HubProtocol::Json => json::encode_arguments(arguments),
            #[cfg(feature = "messagepack")]
            HubProtocol::MessagePack => messagepack::encode_arguments(arguments),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// The argument at `index`, from 0.
    pub fn get(&self, index: usize) -> Option<Raw> {
        let span = self.spans.get(index)?.clone();
        Some(Raw { protocol: self.frame.protocol(), bytes: self.frame.bytes().slice(span) })
    }

    /// The argument at `index`, from 0, as a `T`.
    ///
    /// # Errors
    ///
    /// When there is no such argument, or when it does not fit.
    pub fn decode<T: DeserializeOwned>(&self, index: usize) -> Result<T, DecodeError> {
        let Some(span) = self.spans.get(index) else {
            return Err(DecodeError::Absent { index, len: self.len() });
        };
        match &self.frame {
            Frame::Json(text) => json::from_text(&text[span.clone()]).map_err(DecodeError::Json),
            #[cfg(feature = "messagepack")]
            Frame::MessagePack(bytes) => {
                messagepack::from_slice(&bytes[span.clone()]).map_err(DecodeError::MessagePack)
            }
        }
    }

    /// The same arguments in a buffer of their own. As they came in, they keep the whole one that they were received in.
    #[must_use]
    pub fn detached(&self) -> Self {
        let (start, end) = match &*self.spans {
            [] => (0, 0),
            [first, ..] => (first.start, self.spans.last().map_or(first.end, |last| last.end)),
        };
        let spans = self.spans.iter().map(|span| span.start - start..span.end - start).collect();
        let frame = match &self.frame {
            Frame::Json(text) => Frame::Json((&text[start..end]).into()),
            #[cfg(feature = "messagepack")]
            Frame::MessagePack(bytes) => {
                Frame::MessagePack(Bytes::copy_from_slice(&bytes[start..end]))
            }
        };
        Self { frame, spans }
    }

    /// Gives up all of them, and the buffer that they came in.
    pub fn clear(&mut self) {
        self.spans.clear();
        match &mut self.frame {
            Frame::Json(text) => *text = ByteString::new(),
            #[cfg(feature = "messagepack")]
            Frame::MessagePack(bytes) => *bytes = Bytes::new(),
        }
    }

    fn raw(&self) -> impl Iterator<Item = &[u8]> {
        let bytes = self.frame.bytes();
        self.spans.iter().map(|span| &bytes[span.clone()])
    }
}

impl Frame {
    fn protocol(&self) -> HubProtocol {
        match self {
            Self::Json(_) => HubProtocol::Json,
            #[cfg(feature = "messagepack")]
            Self::MessagePack(_) => HubProtocol::MessagePack,
        }
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        match self {
            Self::Json(text) => text.as_bytes(),
            #[cfg(feature = "messagepack")]
            Self::MessagePack(bytes) => bytes,
        }
    }
}

/// Hands the arguments on as they came, without decoding them; in another protocol they are translated, as a [`Raw`]
/// is.
impl ArgumentList for Arguments {}

impl Sealed for Arguments {
    fn count(&self) -> u32 {
        u32::try_from(self.spans.len()).expect("no message has 2^32 arguments")
    }

    fn write(&self, elements: &mut Elements<'_>) -> Result<(), EncodeError> {
        (0..self.len())
            .filter_map(|index| self.get(index))
            .try_for_each(|argument| elements.raw(&argument))
    }
}

/// Two lists are equal when each argument is, byte for byte; what stands between the arguments does not count.
impl PartialEq for Arguments {
    fn eq(&self, other: &Self) -> bool {
        self.frame.protocol() == other.frame.protocol() && self.raw().eq(other.raw())
    }
}

impl Eq for Arguments {}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..self.len()).filter_map(|index| self.get(index))).finish()
    }
}
