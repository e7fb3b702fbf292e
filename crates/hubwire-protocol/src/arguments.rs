use std::{fmt, ops::Range};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use crate::{
    ArgumentList, DecodeError, EncodeError, HubProtocol, Raw,
    argument_list::{Elements, Sealed},
    json, raw,
};

#[cfg(feature = "messagepack")]
use crate::messagepack;

/// The arguments of an invocation, not decoded yet: one slice of the frame, and where in it each argument lies.
#[derive(Clone)]
pub struct Arguments {
    pub(crate) protocol: HubProtocol,
    pub(crate) bytes: Bytes,
    pub(crate) spans: Spans,
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
        Some(Raw { protocol: self.protocol, bytes: self.bytes.slice(span) })
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
        raw::decode(self.protocol, &self.bytes[span.clone()])
    }

    /// The same arguments in a buffer of their own. As they came in, they keep the whole one that they were received in.
    #[must_use]
    pub fn detached(&self) -> Self {
        let (start, end) = match &*self.spans {
            [] => (0, 0),
            [first, ..] => (first.start, self.spans.last().map_or(first.end, |last| last.end)),
        };
        let spans = self.spans.iter().map(|span| span.start - start..span.end - start).collect();
        let bytes = Bytes::copy_from_slice(&self.bytes[start..end]);
        Self { protocol: self.protocol, bytes, spans }
    }

    /// Gives up all of them, and the buffer that they came in.
    pub fn clear(&mut self) {
        self.spans.clear();
        self.bytes = Bytes::new();
    }

    fn raw(&self) -> impl Iterator<Item = &[u8]> {
        self.spans.iter().map(|span| &self.bytes[span.clone()])
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
        self.protocol == other.protocol && self.raw().eq(other.raw())
    }
}

impl Eq for Arguments {}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..self.len()).filter_map(|index| self.get(index))).finish()
    }
}
