//! The compression of permessage-deflate (RFC 7692 section 7.2).

use std::cell::RefCell;
use std::sync::OnceLock;

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

use super::extension::{ClientContext, Deflate};
use super::{FrameError, HEADER_MAX, RSV1, Room, write_header};
use crate::{Message, TransferFormat};

/// Whether the feature `deflate` is on.
pub(super) const IS_AVAILABLE: bool = true;

/// What a compressor leaves out at the end of a message, and a decompressor needs there.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// zlib's own default is 6; 3 takes half the time for JSON of a kilobyte that is hardly longer.
const LEVEL: u32 = 3;

/// What is inflated in one go.
const STEP: usize = 16 * 1024;

/// Decompressors that a worker keeps for the next message.
const SPARE: usize = 8;

const SMALLEST_WINDOW: u8 = 9;
const WINDOWS: usize = 7;

thread_local! {
    /// One per window size: a compressor costs up to 312 KiB, and a message takes it for microseconds.
    static COMPRESSORS: RefCell<[Option<Compress>; WINDOWS]> = const { RefCell::new([const { None }; WINDOWS]) };
    static DECOMPRESSORS: RefCell<Vec<Decompress>> = const { RefCell::new(Vec::new()) };
}

/// Frames of one message, compressed for each window size that one of its receivers has; most messages never are.
#[derive(Default)]
pub(crate) struct Deflated(OnceLock<Box<[Compressed; WINDOWS]>>);

/// A compressed frame, or `None` where it would be no smaller.
type Compressed = OnceLock<Option<Box<[u8]>>>;

impl Deflated {
    /// The compressed frame of `message`, or `None` where it would be no smaller. Made once, whoever asks first.
    pub(crate) fn frame(&self, message: &Message, bits: u8) -> Option<&[u8]> {
        let index = usize::from(bits.saturating_sub(SMALLEST_WINDOW)).min(WINDOWS - 1);
        let frames = self.0.get_or_init(Box::default);
        let frame =
            frames[index].get_or_init(|| compress(message.payload(), message.format(), index));
        frame.as_deref()
    }
}

fn compress(payload: &[u8], format: TransferFormat, index: usize) -> Option<Box<[u8]>> {
    COMPRESSORS.with_borrow_mut(|compressors| {
        let bits = SMALLEST_WINDOW + index as u8;
        let level = flate2::Compression::new(LEVEL);
        let compressor = compressors[index]
            .get_or_insert_with(|| Compress::new_with_window_bits(level, false, bits));
        compressor.reset();
        // No more than the payload is of any use, but for the tail that goes.
        let mut frame = Vec::with_capacity(HEADER_MAX + payload.len() + TAIL.len());
        frame.resize(HEADER_MAX, 0);
        compressor.compress_vec(payload, &mut frame, FlushCompress::Sync).ok()?;
        let is_complete = compressor.total_in() == payload.len() as u64 && frame.ends_with(&TAIL);
        if !is_complete || frame.len() == frame.capacity() {
            return None;
        }
        frame.truncate(frame.len() - TAIL.len());
        let length = frame.len() - HEADER_MAX;
        let start = write_header(&mut frame, length, format);
        frame[start] |= RSV1;
        Some(frame.split_off(start).into_boxed_slice())
    })
}

/// Inflates what a client sends.
#[derive(Debug)]
pub(super) struct Inflater {
    context: ClientContext,
    bits: u8,
    /// The one of this client, or of the message that is arriving.
    decompressor: Option<Decompress>,
}

impl Inflater {
    pub(super) fn new(agreed: Deflate) -> Option<Self> {
        let Deflate { client_context: context, client_bits: bits, .. } = agreed;
        Some(Self { context, bits, decompressor: None })
    }

    /// Inflates a piece of a message, or its last one, to no more than `room` bytes. What comes before an error is there all the same.
    pub(super) fn inflate(
        &mut self,
        piece: &[u8],
        is_last: bool,
        room: Room,
        inflated: &mut Vec<u8>,
    ) -> Result<(), FrameError> {
        let decompressor = self.decompressor.get_or_insert_with(|| match self.context {
            ClientContext::Forgotten => spare(),
            ClientContext::TakenOver => Decompress::new_with_window_bits(false, self.bits),
        });
        run(decompressor, piece, room, inflated)?;
        if is_last {
            run(decompressor, &TAIL, room, inflated)?;
            if self.context == ClientContext::Forgotten
                && let Some(decompressor) = self.decompressor.take()
            {
                keep(decompressor);
            }
        }
        Ok(())
    }
}

fn run(
    decompressor: &mut Decompress,
    mut input: &[u8],
    room: Room,
    inflated: &mut Vec<u8>,
) -> Result<(), FrameError> {
    loop {
        room.check(inflated.len())?;
        if inflated.len() == inflated.capacity() {
            // Doubles, and goes one byte past the limit: what is said of a message over it must not depend on how its bytes came.
            let step = inflated.len().max(STEP).min(room.left(inflated.len()).saturating_add(1));
            inflated.reserve_exact(step);
        }
        let before = decompressor.total_in();
        let Ok(status) = decompressor.decompress_vec(input, inflated, FlushDecompress::Sync) else {
            room.check(inflated.len())?;
            return Err(FrameError::BadDeflate);
        };
        let taken = usize::try_from(decompressor.total_in() - before).unwrap_or(input.len());
        input = &input[taken..];
        if status == Status::StreamEnd {
            // A block that calls itself the last is not the end of the message (section 7.2.3.5).
            decompressor.reset(false);
        } else if inflated.len() < inflated.capacity() {
            // There was room, so nothing more comes of this input.
            return match input {
                [] => room.check(inflated.len()),
                [..] => Err(FrameError::BadDeflate),
            };
        }
        if input.is_empty() && status == Status::StreamEnd {
            return room.check(inflated.len());
        }
    }
}

fn spare() -> Decompress {
    let spare = DECOMPRESSORS.with_borrow_mut(Vec::pop);
    // The largest window reads what any smaller one wrote.
    spare.unwrap_or_else(|| Decompress::new_with_window_bits(false, 15))
}

fn keep(mut decompressor: Decompress) {
    decompressor.reset(false);
    DECOMPRESSORS.with_borrow_mut(|spares| {
        if spares.len() < SPARE {
            spares.push(decompressor);
        }
    });
}

#[cfg(test)]
#[path = "deflate_tests.rs"]
mod tests;
