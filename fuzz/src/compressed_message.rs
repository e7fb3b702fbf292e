//! Any bytes as what a client calls compressed.
//!
//! Here the framing is right, so that it is the decompressor that meets what the fuzzer makes up.
//! The first byte of an input chooses the limit and the context; four more cut the rest into fragments, and the frames into pieces.
//! The message comes twice, because the second one meets what the first has left behind.

use hubwire_transport::websocket::ClientContext;

use crate::frame_decoder::check_frames;
use crate::{limit, parts, torn};

/// Reads an input as two compressed messages.
pub fn check(input: &[u8]) {
    let Some((settings, cuts, payload)) = parts(input) else { return };
    let limit = limit(settings);
    let context = match settings & 4 {
        0 => ClientContext::Forgotten,
        _ => ClientContext::TakenOver,
    };
    let message = frames(&torn(payload, cuts));
    let [a, b, c, d] = *cuts;
    // Other cuts than those of the fragments, which would always fall together.
    check_frames(&message.repeat(2), &[d / 2, c, b / 3, a], limit, Some(context));
}

/// The fragments of one compressed text, masked with zeros.
fn frames(fragments: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, fragment) in fragments.iter().enumerate() {
        let opcode = if index == 0 { 0x41 } else { 0x00 };
        let end = if index + 1 == fragments.len() { 0x80 } else { 0 };
        bytes.push(opcode | end);
        match u8::try_from(fragment.len()) {
            Ok(short @ 0..=125) => bytes.push(0x80 | short),
            _ => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(fragment.len() as u16).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(fragment);
    }
    bytes
}
