//! The frame decoder that meets the network.
//!
//! # Theory of operation
//!
//! Bytes go in as they arrive ([`push`](FrameDecoder::push)), frames come out ([`next_frame`](FrameDecoder::next_frame)).
//! A frame is judged by its header, before a byte of its payload is kept: a header that announces more than the limit ends the connection at once.
//! The payload of a data frame is handed on in pieces as it arrives, because hub messages are a byte stream that frames only carry; so a frame costs no memory however long it is.
//! The text in it is judged in the same pieces, so that the first byte that is not UTF-8 ends the connection, whatever was announced.
//! Control frames are at most 125 bytes and come out whole.
//!
//! ```text
//!            header complete                    payload complete
//! Header ───────────────────────▶ Payload ─────────────────────────▶ Header
//!    │ illegal or over the limit     │ a piece of data: out at once
//!    ▼                               ▼
//!  Failed                          (stays)
//! ```
//!
//! After an error the decoder stays failed: nothing behind a broken frame can be trusted, but that a Close frame is looked for ([`is_closed`](FrameDecoder::is_closed)).

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;

use super::deflate::Inflater;
use super::extension::Deflate;
use super::skim::Skim;
use super::utf8::{NotUtf8, Utf8Validator};
use super::{CONTROL_MAX, FIN, Opcode, RESERVED, RSV1, Room};
use crate::TransferFormat;

/// Splits the bytes of a client into WebSocket frames (RFC 6455), unmasked.
///
/// ```
/// use hubwire_transport::{TransferFormat, websocket::{Frame, FrameDecoder}};
///
/// let mut decoder = FrameDecoder::new(None);
/// decoder.push(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
/// let Ok(Some(Frame::Data { bytes, format, last })) = decoder.next_frame() else { panic!() };
/// assert_eq!((&bytes[..], format, last), (&b"hi"[..], TransferFormat::Text, true));
/// ```
#[derive(Debug)]
pub struct FrameDecoder {
    buffer: BytesMut,
    state: State,
    /// The format of the message whose last fragment has not come, and its bytes announced so far.
    message: Option<(TransferFormat, u64)>,
    inflation: Option<Box<Inflation>>,
    text: Utf8Validator,
    limit: Option<usize>,
}

/// Where compression was agreed on.
#[derive(Debug)]
struct Inflation {
    inflater: Inflater,
    /// How many bytes came of the compressed message that is arriving, if one is.
    message: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Between frames.
    Header,
    /// Inside a frame whose header was accepted.
    Payload { header: Header, remaining: u64 },
    /// Broken for good.
    Failed(FrameError, Skim),
}

#[derive(Clone, Copy, Debug)]
struct Header {
    opcode: Opcode,
    last: bool,
    mask: [u8; 4],
}

/// Bytes of a message.
struct Piece {
    bytes: Bytes,
    /// Whether they are known to be ASCII and nothing else.
    is_ascii: bool,
}

/// One frame, or a piece of one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// The peer closes.
    Close(Option<Close>),
    /// A piece of a data message.
    Data {
        /// The unmasked bytes; empty only for an empty message or fragment.
        bytes: Bytes,
        /// The type of the message, also in its later fragments.
        format: TransferFormat,
        /// Whether the message ends with this piece.
        last: bool,
    },
    /// The peer asks for a Pong with this payload.
    Ping(Bytes),
    /// An answer to a Ping, or an unsolicited sign of life.
    Pong(Bytes),
}

/// What a Close frame says (RFC 6455 section 7.1.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The status code.
    pub code: u16,
    /// The reason, often empty.
    pub reason: String,
}

/// Why a frame was refused: the peer's fault, and the end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A Close frame with one byte, an illegal code or a reason that is not UTF-8.
    #[error("malformed close frame")]
    BadClose,
    /// A message whose compression is broken.
    #[error("compressed message is not DEFLATE")]
    BadDeflate,
    /// A continuation without a message to continue, or a new message inside another.
    #[error("fragment out of order")]
    BadFragment,
    /// A reserved opcode.
    #[error("reserved opcode {0:#x}")]
    BadOpcode(u8),
    /// A text message that is not UTF-8, found with the first byte that is wrong.
    #[error("text message is not UTF-8")]
    BadText,
    /// A fragmented control frame, or one over 125 bytes.
    #[error("control frame is fragmented or longer than 125 bytes")]
    ControlTooLarge,
    /// A length in more bytes than it needs, or with its highest bit set.
    #[error("length is not encoded minimally")]
    NonMinimalLength,
    /// A reserved bit without an extension that gives it a meaning.
    #[error("reserved bit without a negotiated extension")]
    ReservedBits,
    /// More than the limit, announced by a header or summed over fragments.
    #[error("message of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// What was announced, in bytes.
        size: u64,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A client must mask (RFC 6455 section 5.1).
    #[error("frame of a client is not masked")]
    Unmasked,
}

impl FrameError {
    /// The close code that tells the peer (RFC 6455 section 7.4.1).
    pub const fn close_code(self) -> u16 {
        match self {
            Self::TooLarge { .. } => 1009,
            Self::BadDeflate | Self::BadText => 1007,
            Self::BadClose
            | Self::BadFragment
            | Self::BadOpcode(_)
            | Self::ControlTooLarge
            | Self::NonMinimalLength
            | Self::ReservedBits
            | Self::Unmasked => 1002,
        }
    }
}

impl FrameDecoder {
    /// A decoder that accepts messages of at most `limit` bytes, summed over their fragments.
    pub fn new(limit: Option<usize>) -> Self {
        Self {
            buffer: BytesMut::new(),
            state: State::Header,
            message: None,
            inflation: None,
            text: Utf8Validator::default(),
            limit,
        }
    }

    /// The same for a socket that agreed on compression; the limit acts on what is sent and on what it inflates to.
    #[must_use]
    pub fn inflating(mut self, agreed: Deflate) -> Self {
        self.inflation =
            Inflater::new(agreed).map(|inflater| Box::new(Inflation { inflater, message: None }));
        self
    }

    /// Takes bytes from the network.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        if let State::Failed(_, skim) = &mut self.state {
            skim.advance(&mut self.buffer);
        }
    }

    /// Whether a Close frame came, whole or broken, with or behind the frame that broke the rules.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Failed(_, Skim { is_closed: true, .. }))
    }

    /// The next frame or piece of one, or `None` until more bytes come.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke; the same again on every later call.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        loop {
            match self.state {
                State::Failed(error, _) => return Err(error),
                State::Header => match self.read_header() {
                    Ok(Some((header, length))) => {
                        self.state = State::Payload { header, remaining: length };
                    }
                    Ok(None) => {
                        self.release();
                        return Ok(None);
                    }
                    Err(error) => return self.fail(error),
                },
                State::Payload { header, remaining } => {
                    return match self.read_payload(header, remaining) {
                        Ok(frame) => Ok(frame),
                        Err(error) => self.fail(error),
                    };
                }
            }
        }
    }

    fn fail(&mut self, error: FrameError) -> Result<Option<Frame>, FrameError> {
        let mut skim = match self.state {
            State::Failed(_, skim) => skim,
            State::Header => Skim::default(),
            State::Payload { header: Header { opcode: Opcode::Close, .. }, .. } => Skim::closed(),
            State::Payload { remaining, .. } => Skim::behind(remaining),
        };
        skim.advance(&mut self.buffer);
        self.state = State::Failed(error, skim);
        Err(error)
    }

    /// An idle connection keeps no buffer.
    fn release(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    fn read_header(&mut self) -> Result<Option<(Header, u64)>, FrameError> {
        let &[first, second, ref rest @ ..] = &self.buffer[..] else { return Ok(None) };
        let is_compressed = first & RSV1 != 0;
        if first & RESERVED != 0 || (is_compressed && self.inflation.is_none()) {
            return Err(FrameError::ReservedBits);
        }
        let opcode = match first & 0x0f {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            reserved => return Err(FrameError::BadOpcode(reserved)),
        };
        if is_compressed && !matches!(opcode, Opcode::Text | Opcode::Binary) {
            return Err(FrameError::ReservedBits);
        }
        let last = first & FIN != 0;
        if second & 0x80 == 0 {
            return Err(FrameError::Unmasked);
        }
        let control = matches!(opcode, Opcode::Close | Opcode::Ping | Opcode::Pong);
        let short = second & 0x7f;
        if control && (!last || usize::from(short) > CONTROL_MAX) {
            return Err(FrameError::ControlTooLarge);
        }
        let (length, extended) = match (short, rest) {
            (126, &[a, b, ..]) => (u64::from(u16::from_be_bytes([a, b])), 2),
            (127, &[a, b, c, d, e, f, g, h, ..]) => {
                (u64::from_be_bytes([a, b, c, d, e, f, g, h]), 8)
            }
            (126 | 127, _) => return Ok(None),
            (short, _) => (u64::from(short), 0),
        };
        let minimal = match short {
            126 => length > 125,
            127 => length > u64::from(u16::MAX) && length >> 63 == 0,
            _ => true,
        };
        if !minimal {
            return Err(FrameError::NonMinimalLength);
        }
        if !control {
            self.check_message(opcode, length)?;
        }
        let Some(&[a, b, c, d]) = rest.get(extended..).and_then(|rest| rest.first_chunk()) else {
            return Ok(None);
        };
        if !control {
            self.begin_fragment(opcode, length, is_compressed);
        }
        self.buffer.advance(2 + extended + 4);
        Ok(Some((Header { opcode, last, mask: [a, b, c, d] }, length)))
    }

    /// Judges a data frame on its header alone.
    fn check_message(&self, opcode: Opcode, length: u64) -> Result<(), FrameError> {
        let before = match (opcode, self.message) {
            (Opcode::Continuation, Some((_, announced))) => announced,
            (Opcode::Text | Opcode::Binary, None) => 0,
            _ => return Err(FrameError::BadFragment),
        };
        let size = before.saturating_add(length);
        match self.limit {
            Some(limit) if size > limit as u64 => Err(FrameError::TooLarge { size, limit }),
            _ => Ok(()),
        }
    }

    fn begin_fragment(&mut self, opcode: Opcode, length: u64, is_compressed: bool) {
        if let Some(inflation) = &mut self.inflation
            && opcode != Opcode::Continuation
        {
            inflation.message = is_compressed.then_some(0);
        }
        let (format, before) = self.message.unwrap_or(match opcode {
            Opcode::Text => (TransferFormat::Text, 0),
            _ => (TransferFormat::Binary, 0),
        });
        self.message = Some((format, before.saturating_add(length)));
    }

    fn read_payload(
        &mut self,
        header: Header,
        remaining: u64,
    ) -> Result<Option<Frame>, FrameError> {
        let whole =
            usize::try_from(remaining).is_ok_and(|remaining| remaining <= self.buffer.len());
        let format = match (header.opcode, self.message) {
            (Opcode::Continuation | Opcode::Text | Opcode::Binary, Some((format, _))) => format,
            _ if !whole => return Ok(None),
            _ => return self.read_control(header, remaining).map(Some),
        };
        if self.buffer.is_empty() && remaining > 0 {
            self.release();
            return Ok(None);
        }
        let length = if whole { remaining as usize } else { self.buffer.len() };
        let piece = self.take_unmasked(header.mask, length);
        let last = whole && header.last;
        if whole {
            self.state = State::Header;
        } else {
            let mut header = header;
            header.mask.rotate_left(length % 4);
            self.state = State::Payload { header, remaining: remaining - length as u64 };
        }
        let (piece, inflated) = self.inflate(piece, last);
        // Text comes first: what is said of a message must not depend on how much of it came at once.
        let is_plain = piece.is_ascii && self.text.is_between_characters();
        if format == TransferFormat::Text && !is_plain {
            self.text.push(&piece.bytes).map_err(|NotUtf8| FrameError::BadText)?;
        }
        inflated?;
        if format == TransferFormat::Text && last {
            self.text.finish().map_err(|NotUtf8| FrameError::BadText)?;
        }
        if last {
            self.message = None;
        }
        Ok(Some(Frame::Data { bytes: piece.bytes, format, last }))
    }

    /// What a piece of a message was before it was compressed, if it was, up to where that broke.
    fn inflate(&mut self, piece: Piece, is_last: bool) -> (Piece, Result<(), FrameError>) {
        let Some(Inflation { inflater, message }) = self.inflation.as_deref_mut() else {
            return (piece, Ok(()));
        };
        let Some(inflated) = message else { return (piece, Ok(())) };
        let room = Room { before: *inflated, limit: self.limit };
        let mut bytes = Vec::new();
        let result = inflater.inflate(&piece.bytes, is_last, room, &mut bytes);
        *inflated += bytes.len();
        if is_last {
            *message = None;
        }
        (Piece { bytes: bytes.into(), is_ascii: false }, result)
    }

    fn read_control(&mut self, header: Header, length: u64) -> Result<Frame, FrameError> {
        let payload = self.take_unmasked(header.mask, length as usize).bytes;
        let frame = match header.opcode {
            Opcode::Ping => Frame::Ping(payload),
            Opcode::Pong => Frame::Pong(payload),
            Opcode::Close | Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                Frame::Close(read_close(&payload)?)
            }
        };
        self.state = State::Header;
        Ok(frame)
    }

    fn take_unmasked(&mut self, mask: [u8; 4], length: usize) -> Piece {
        let mut bytes = self.buffer.split_to(length);
        let is_ascii = unmask(&mut bytes, mask);
        Piece { bytes: bytes.freeze(), is_ascii }
    }
}

/// Eight bytes at a time; the compiler makes SIMD of it. Whether they are ASCII is seen on the way, since most text is.
fn unmask(bytes: &mut [u8], mask: [u8; 4]) -> bool {
    const BEYOND_ASCII: u64 = u64::from_ne_bytes([0x80; 8]);
    let mut seen = 0;
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (chunks, rest) = bytes.as_chunks_mut::<8>();
    for chunk in chunks {
        let word = u64::from_ne_bytes(*chunk) ^ wide;
        seen |= word;
        *chunk = word.to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
        seen |= u64::from(*byte);
    }
    seen & BEYOND_ASCII == 0
}

fn read_close(payload: &[u8]) -> Result<Option<Close>, FrameError> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(FrameError::BadClose),
        [a, b, reason @ ..] => (u16::from_be_bytes([*a, *b]), reason),
    };
    // Codes that may stand in a frame (RFC 6455 section 7.4 and the IANA registry).
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(FrameError::BadClose);
    }
    let reason = std::str::from_utf8(reason).map_err(|_| FrameError::BadClose)?;
    Ok(Some(Close { code, reason: reason.to_owned() }))
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
