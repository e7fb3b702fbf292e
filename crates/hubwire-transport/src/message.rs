//! What goes out: one encoded message, shared by all who receive it.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::websocket::{self, Deflated, HEADER_MAX};

/// One encoded message on its way out, cheap to clone: a broadcast is encoded once and every
/// receiver's outbox holds a reference.
///
/// It is a message and not a frame: WebSocket framing is a matter of the socket that takes it.
/// The buffer has room for a WebSocket header before the payload, so that both the frame and the
/// bare payload are slices of it.
#[derive(Clone)]
pub struct Message(Arc<Encoded>);

struct Encoded {
    /// [`HEADER_MAX`] bytes of headroom, whose end holds the WebSocket header, then the payload.
    buffer: Vec<u8>,
    frame_start: usize,
    format: TransferFormat,
    is_counted: bool,
    /// Its frame once more for those who agreed on compression, unless it must not be compressed.
    deflated: Option<Deflated>,
}

/// Whether payloads are text or arbitrary bytes: SignalR's transfer formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransferFormat {
    /// Arbitrary bytes (MessagePack): binary WebSocket frames, not for Server-Sent Events.
    Binary,
    /// UTF-8 (JSON): text WebSocket frames, and the only format of Server-Sent Events.
    Text,
}

impl TransferFormat {
    /// The name that `negotiate` lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Binary => "Binary",
            Self::Text => "Text",
        }
    }
}

impl Message {
    /// A message whose payload `write` appends to the buffer that it is handed.
    ///
    /// # Errors
    ///
    /// Whatever `write` returns.
    pub fn build<E>(
        format: TransferFormat,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Self, E> {
        // Most hub messages fit without growing: a header and a short envelope.
        let mut buffer = Vec::with_capacity(HEADER_MAX + 118);
        buffer.resize(HEADER_MAX, 0);
        write(&mut buffer)?;
        let payload = buffer.len().saturating_sub(HEADER_MAX);
        let frame_start = websocket::write_header(&mut buffer, payload, format);
        let deflated = Some(Deflated::default());
        Ok(Self(Arc::new(Encoded { buffer, frame_start, format, is_counted: false, deflated })))
    }

    /// A message with a copy of `payload`.
    pub fn copy_from(format: TransferFormat, payload: &[u8]) -> Self {
        let Ok(message) = Self::build(format, |buffer| {
            buffer.extend_from_slice(payload);
            Ok::<_, Infallible>(())
        });
        message
    }

    /// A text message.
    pub fn text(payload: &str) -> Self {
        Self::copy_from(TransferFormat::Text, payload.as_bytes())
    }

    /// A binary message.
    pub fn binary(payload: &[u8]) -> Self {
        Self::copy_from(TransferFormat::Binary, payload)
    }

    /// Text or binary.
    pub fn format(&self) -> TransferFormat {
        self.0.format
    }

    /// The encoded message.
    pub fn payload(&self) -> &[u8] {
        &self.0.buffer[HEADER_MAX..]
    }

    /// The encoded message as one unmasked, unfragmented WebSocket frame.
    pub fn frame(&self) -> &[u8] {
        &self.0.buffer[self.0.frame_start..]
    }

    /// Keeps the message from being compressed, whoever receives it.
    ///
    /// For what is secret and stands beside what an attacker chooses: its compressed length would give it away (CRIME, BREACH).
    #[must_use]
    pub fn uncompressed(mut self) -> Self {
        if let Some(alone) = Arc::get_mut(&mut self.0) {
            alone.deflated = None;
            return self;
        }
        let Encoded { ref buffer, frame_start, format, is_counted, .. } = *self.0;
        let buffer = buffer.clone();
        Self(Arc::new(Encoded { buffer, frame_start, format, is_counted, deflated: None }))
    }

    /// Counts the message where a connection [can be resumed](crate::Connection::keep_unacknowledged): it goes out again until it is acknowledged.
    ///
    /// # Panics
    ///
    /// When the message is shared already.
    #[must_use]
    pub fn counted(mut self) -> Self {
        Arc::get_mut(&mut self.0).expect("a message is counted before it is shared").is_counted =
            true;
        self
    }

    /// Whether it counts.
    pub fn is_counted(&self) -> bool {
        self.0.is_counted
    }

    /// The message as it goes out to a socket: compressed where that was agreed on, is allowed and makes it smaller.
    pub fn frame_for(&self, encoding: Option<FrameEncoding>) -> &[u8] {
        encoding
            .filter(|encoding| self.payload().len() >= encoding.threshold)
            .and_then(|encoding| self.0.deflated.as_ref()?.frame(self, encoding.window_bits))
            .unwrap_or_else(|| self.frame())
    }

    /// [`frame_for`](Self::frame_for) as shared bytes, without a copy.
    pub fn into_frame(self, encoding: Option<FrameEncoding>) -> Bytes {
        Bytes::from_owner(Frame { message: self, encoding })
    }

    /// Its payload and its header, in bytes.
    pub fn len(&self) -> usize {
        self.frame().len()
    }

    /// What the message counts for in an outbox: a message of one byte is far from free.
    pub fn cost(&self) -> usize {
        /// The buffer's spare room, its allocation, and what is shared beside it; rounded.
        const KEEPING: usize = 128;
        self.len() + KEEPING
    }

    /// Whether the payload is empty.
    pub fn is_empty(&self) -> bool {
        self.payload().is_empty()
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("format", &self.format())
            .field("bytes", &self.payload().len())
            .finish()
    }
}

/// How the frames of a socket are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameEncoding {
    /// The window that was agreed on, in bits.
    pub window_bits: u8,
    /// Shorter messages, in bytes, go as they are.
    pub threshold: usize,
}

struct Frame {
    message: Message,
    encoding: Option<FrameEncoding>,
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        self.message.frame_for(self.encoding)
    }
}
