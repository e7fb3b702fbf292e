//! What must hold for any bytes that a peer may send.
//!
//! Each module is one fuzz target: a `check` that panics where a rule is broken.
//! libFuzzer runs it on what it makes up (`targets`), and `cargo test` on what it has found before (`seeds`).

pub mod compressed_message;
pub mod frame_decoder;
pub mod handshake;
pub mod json_protocol;
pub mod messagepack;
pub mod polls;

use cap::Cap;
use std::alloc::System;

/// Panics where an input shows that a rule is broken.
pub type Check = fn(&[u8]);

/// Every target: its name, which is that of its directory of seeds, and its check.
pub const TARGETS: [(&str, Check); 6] = [
    ("compressed_message", compressed_message::check),
    ("frame_decoder", frame_decoder::check),
    ("handshake", handshake::check),
    ("json_protocol", json_protocol::check),
    ("messagepack", messagepack::check),
    ("polls", polls::check),
];

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// The limits that targets let an input choose from, in bytes.
const LIMITS: [Option<usize>; 4] = [Some(16), Some(1000), Some(100_000), None];

/// Where an input is torn: the lengths of its pieces less one, over and over.
type Cuts = [u8; 4];

/// The first byte of an input, which chooses settings, the four that say where to tear, and the rest.
fn parts(input: &[u8]) -> Option<(u8, &Cuts, &[u8])> {
    let (settings, input) = input.split_first()?;
    let (cuts, bytes) = input.split_first_chunk()?;
    Some((*settings, cuts, bytes))
}

fn limit(settings: u8) -> Option<usize> {
    LIMITS[usize::from(settings & 3)]
}

fn torn<'a>(mut bytes: &'a [u8], cuts: &Cuts) -> Vec<&'a [u8]> {
    let mut lengths = cuts.iter().map(|cut| usize::from(*cut) + 1).cycle();
    let mut pieces = Vec::new();
    while let Some(length) = lengths.next()
        && !bytes.is_empty()
    {
        let (piece, rest) = bytes.split_at(length.min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}
