//! What follows a broken frame: only whether the peer has said goodbye.

use bytes::{Buf, BytesMut};

use super::Opcode;

/// Goes from header to header without believing any of them, until one is that of a Close frame.
///
/// A peer that is told what it did wrong answers with a Close frame, behind whatever was under way.
/// Until then its socket is better read than closed: closing one with something unread in it resets it, and the reset overtakes what the peer was told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Skim {
    /// Bytes of a payload that have not come.
    skipped: u64,
    pub(crate) is_closed: bool,
}

impl Skim {
    /// Begins with so many bytes of payload before the next header.
    pub(crate) fn behind(skipped: u64) -> Self {
        Self { skipped, is_closed: false }
    }

    /// Begins with a broken Close frame, which is a goodbye all the same.
    pub(crate) fn closed() -> Self {
        Self { skipped: 0, is_closed: true }
    }

    /// Uses up `buffer` but for a header whose end has not come.
    pub(crate) fn advance(&mut self, buffer: &mut BytesMut) {
        while !self.is_closed {
            let skipped = usize::try_from(self.skipped).unwrap_or(usize::MAX).min(buffer.len());
            buffer.advance(skipped);
            self.skipped -= skipped as u64;
            let Some(&[first, second]) = buffer.first_chunk() else { break };
            let rest = &buffer[2..];
            let (extended, length) = match (second & 0x7f, rest) {
                (126, &[a, b, ..]) => (2, u64::from(u16::from_be_bytes([a, b]))),
                (127, &[a, b, c, d, e, f, g, h, ..]) => {
                    (8, u64::from_be_bytes([a, b, c, d, e, f, g, h]))
                }
                (126 | 127, _) => break,
                (short, _) => (0, u64::from(short)),
            };
            let mask = if second & 0x80 == 0 { 0 } else { 4 };
            self.is_closed = first & 0x0f == Opcode::Close as u8;
            self.skipped = length.saturating_add(mask);
            buffer.advance(2 + extended);
        }
        if self.is_closed || buffer.is_empty() {
            *buffer = BytesMut::new();
        }
    }
}
