//! What goes out: one encoded message, shared by all who receive it.

use std::cell::Cell;
use std::convert::Infallible;
use std::fmt;

use bytes::Bytes;
use triomphe::ThinArc;

use crate::websocket::{self, Deflated, HEADER_MAX};

/// One encoded message on its way out, cheap to clone: a broadcast is encoded once and every
/// receiver's outbox holds a reference.
///
/// It is a message and not a frame: WebSocket framing is a matter of the socket that takes it.
/// A WebSocket header stands before the payload, so that both the frame and the bare payload are
/// slices of one buffer.
#[derive(Clone)]
pub struct Message(ThinArc<Head, u8>);

/// What stands before the frame, in one allocation with it.
struct Head {
    payload_start: u8,
    format: TransferFormat,
    is_counted: bool,
    /// Its frame once more for those who agreed on compression, unless it must not be compressed.
    deflated: Option<Deflated>,
}

/// A longer buffer is not kept for the next message.
const SCRATCH_MAX: usize = 16 * 1024;

thread_local! {
    /// Where messages are written, before their length is known.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
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
        // Taken, since what `write` runs may build a message too; and threads that end have none.
        let mut buffer = SCRATCH.try_with(Cell::take).unwrap_or_default();
        buffer.clear();
        buffer.resize(HEADER_MAX, 0);
        write(&mut buffer)?;
        let payload = buffer.len().saturating_sub(HEADER_MAX);
        let frame_start = websocket::write_header(&mut buffer, payload, format);
        let head = Head {
            payload_start: (HEADER_MAX - frame_start) as u8,
            format,
            is_counted: false,
            deflated: Some(Deflated::default()),
        };
        let message = Self(ThinArc::from_header_and_slice(head, &buffer[frame_start..]));
        if buffer.capacity() <= SCRATCH_MAX {
            // Where there is no place for it any more, it goes.
            let _ = SCRATCH.try_with(|scratch| scratch.set(buffer));
        }
        Ok(message)
    }

    fn head(&self) -> &Head {
        &self.0.header.header
    }

    /// Changes its head, unless somebody else has it too.
    fn change(&mut self, change: impl FnOnce(&mut Head)) -> bool {
        self.0.with_arc_mut(|shared| {
            let alone = triomphe::Arc::get_mut(shared);
            alone.map(|alone| change(alone.header_mut())).is_some()
        })
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
        self.head().format
    }

    /// The encoded message.
    pub fn payload(&self) -> &[u8] {
        &self.frame()[usize::from(self.head().payload_start)..]
    }

    /// The encoded message as one unmasked, unfragmented WebSocket frame.
    pub fn frame(&self) -> &[u8] {
        &self.0.slice
    }

    /// Keeps the message from being compressed, whoever receives it.
    ///
    /// For what is secret and stands beside what an attacker chooses: its compressed length would give it away (CRIME, BREACH).
    #[must_use]
    pub fn uncompressed(mut self) -> Self {
        if self.change(|head| head.deflated = None) {
            return self;
        }
        let head = Head { deflated: None, ..*self.head() };
        Self(ThinArc::from_header_and_slice(head, self.frame()))
    }

    /// Counts the message where a connection [can be resumed](crate::Connection::keep_unacknowledged): it goes out again until it is acknowledged.
    ///
    /// # Panics
    ///
    /// When the message is shared already.
    #[must_use]
    pub fn counted(mut self) -> Self {
        let is_alone = self.change(|head| head.is_counted = true);
        assert!(is_alone, "a message is counted before it is shared");
        self
    }

    /// Whether it counts.
    pub fn is_counted(&self) -> bool {
        self.head().is_counted
    }

    /// The message as it goes out to a socket: compressed where that was agreed on, is allowed and makes it smaller.
    pub fn frame_for(&self, encoding: Option<FrameEncoding>) -> &[u8] {
        encoding
            .filter(|encoding| self.payload().len() >= encoding.threshold)
            .and_then(|encoding| self.head().deflated.as_ref()?.frame(self, encoding.window_bits))
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
        /// Its allocation, what stands before the frame, and its places in queues; rounded.
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
