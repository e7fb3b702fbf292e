//! WebSocket framing (RFC 6455) as data: a decoder that meets the network, and the headers of what goes out.

mod decoder;
#[cfg_attr(not(feature = "deflate"), path = "deflate_off.rs")]
mod deflate;
mod extension;
mod skim;
mod utf8;

pub use self::decoder::{Close, Frame, FrameDecoder, FrameError};
pub(crate) use self::deflate::Deflated;
pub use self::extension::{ClientContext, Deflate};

use crate::TransferFormat;

/// The longest header of a frame that a server sends: two bytes and a 64-bit length.
pub const HEADER_MAX: usize = 10;

/// The longest payload of a control frame (RFC 6455 section 5.5).
pub const CONTROL_MAX: usize = 125;

const FIN: u8 = 0x80;

/// The bits that no extension of ours gives a meaning.
const RESERVED: u8 = 0x30;

/// Marks a compressed message (RFC 7692 section 6).
const RSV1: u8 = 0x40;

/// How far a message may inflate.
#[derive(Clone, Copy, Debug)]
struct Room {
    /// What has come of it before.
    before: usize,
    limit: Option<usize>,
}

#[cfg_attr(not(feature = "deflate"), expect(dead_code, reason = "nothing is inflated"))]
impl Room {
    /// How many more than `inflated` bytes may come.
    fn left(self, inflated: usize) -> usize {
        self.limit.map_or(usize::MAX, |limit| limit.saturating_sub(self.before + inflated))
    }

    fn check(self, inflated: usize) -> Result<(), FrameError> {
        let size = self.before + inflated;
        match self.limit {
            Some(limit) if size > limit => Err(FrameError::TooLarge { size: size as u64, limit }),
            _ => Ok(()),
        }
    }
}

/// What a frame is (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// Writes the header of a whole data frame of `payload` bytes into the headroom of `buffer`, and
/// returns where the frame starts.
pub(crate) fn write_header(buffer: &mut [u8], payload: usize, format: TransferFormat) -> usize {
    let opcode = match format {
        TransferFormat::Binary => Opcode::Binary,
        TransferFormat::Text => Opcode::Text,
    };
    let first = FIN | opcode as u8;
    if let Ok(short @ 0..=125) = u8::try_from(payload) {
        buffer[8..10].copy_from_slice(&[first, short]);
        8
    } else if let Ok(medium) = u16::try_from(payload) {
        buffer[6..8].copy_from_slice(&[first, 126]);
        buffer[8..10].copy_from_slice(&medium.to_be_bytes());
        6
    } else {
        buffer[..2].copy_from_slice(&[first, 127]);
        buffer[2..10].copy_from_slice(&(payload as u64).to_be_bytes());
        0
    }
}

/// Appends a Ping without a payload.
pub fn write_ping(out: &mut Vec<u8>) {
    write_control(out, Opcode::Ping, &[]);
}

/// Appends a Pong with the payload of the Ping that it answers, cut at [`CONTROL_MAX`].
pub fn write_pong(out: &mut Vec<u8>, payload: &[u8]) {
    write_control(out, Opcode::Pong, payload);
}

/// Appends a Close frame with a status code and a reason, which is cut at a character boundary to
/// fit a control frame.
pub fn write_close(out: &mut Vec<u8>, code: u16, reason: &str) {
    let mut end = reason.len().min(CONTROL_MAX - 2);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let mut payload = Vec::with_capacity(CONTROL_MAX);
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(&reason.as_bytes()[..end]);
    write_control(out, Opcode::Close, &payload);
}

fn write_control(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    let payload = &payload[..payload.len().min(CONTROL_MAX)];
    out.push(FIN | opcode as u8);
    out.push(u8::try_from(payload.len()).unwrap_or(0));
    out.extend_from_slice(payload);
}
