//! Any bytes, torn anywhere, as the frames of a client.
//!
//! The first byte of an input chooses the limit and what was agreed on, four more tear the rest.

use hubwire_transport::websocket::{ClientContext, Deflate, Frame, FrameDecoder, FrameError};
use hubwire_transport::{Compression, TransferFormat};

use crate::{Cuts, HEAP, limit, parts, torn};

/// What a decoder may cost beyond what was pushed: an inflater with its window, and spare ones that a worker keeps.
const STATE: usize = 512 * 1024;

/// What is sent along with the first byte of an input.
const AGREED: [Option<ClientContext>; 3] =
    [None, Some(ClientContext::Forgotten), Some(ClientContext::TakenOver)];

/// Reads an input whole and torn.
pub fn check(input: &[u8]) {
    let Some((settings, cuts, bytes)) = parts(input) else { return };
    let limit = limit(settings);
    let context = AGREED[usize::from(settings >> 2) % AGREED.len()];
    check_frames(bytes, cuts, limit, context);
}

/// What is read does not depend on where it was torn, nor does it cost more than it may.
pub(crate) fn check_frames(
    bytes: &[u8],
    cuts: &Cuts,
    limit: Option<usize>,
    context: Option<ClientContext>,
) {
    let pieces = torn(bytes, cuts);
    let whole = read(decoder(limit, context), &[bytes], limit);
    assert_eq!(read(decoder(limit, context), &pieces, limit), whole, "torn");
    let handed_out: usize = whole.messages.iter().map(Message::len).sum();
    assert!(context.is_some() || handed_out <= bytes.len(), "out of nothing");
    check_footprint(decoder(limit, context), &pieces);
}

fn decoder(limit: Option<usize>, context: Option<ClientContext>) -> FrameDecoder {
    let decoder = FrameDecoder::new(limit);
    let Some(context) = context else { return decoder };
    let keeps = context == ClientContext::TakenOver;
    let agreed = Deflate::negotiate("permessage-deflate", &Compression::default(), |_| keeps)
        .expect("it can be granted");
    assert_eq!(agreed.client_context, context);
    decoder.inflating(agreed)
}

/// What came out of a decoder.
#[derive(Debug, Default, PartialEq)]
struct Read {
    messages: Vec<Message>,
    /// The beginning of a message; of one that is broken nobody looks at it.
    open: Option<(TransferFormat, Vec<u8>)>,
    error: Option<FrameError>,
}

#[derive(Debug, PartialEq)]
enum Message {
    Control(Frame),
    Data(TransferFormat, Vec<u8>),
}

impl Message {
    fn len(&self) -> usize {
        match self {
            Self::Control(_) => 0,
            Self::Data(_, bytes) => bytes.len(),
        }
    }
}

fn read(mut decoder: FrameDecoder, pieces: &[&[u8]], limit: Option<usize>) -> Read {
    let mut read = Read::default();
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(Frame::Data { bytes, format, last })) => {
                    let (begun_as, mut message) = read.open.take().unwrap_or((format, Vec::new()));
                    assert_eq!(format, begun_as, "a message has one format");
                    message.extend_from_slice(&bytes);
                    assert!(limit.is_none_or(|limit| message.len() <= limit), "over the limit");
                    if last {
                        read.messages.push(Message::Data(format, message));
                    } else {
                        read.open = Some((format, message));
                    }
                }
                Ok(Some(control)) => read.messages.push(Message::Control(control)),
                Ok(None) => break,
                Err(error) => {
                    decoder.push(&[0x81, 0x80, 0, 0, 0, 0]);
                    assert_eq!(decoder.next_frame(), Err(error), "a failed decoder stays failed");
                    read.open = None;
                    read.error = Some(error);
                    return read;
                }
            }
        }
    }
    read
}

/// However long a frame calls itself, and however much comes of it, the decoder keeps no more than was pushed.
fn check_footprint(mut decoder: FrameDecoder, pieces: &[&[u8]]) {
    let before = HEAP.allocated();
    let mut pushed = 0;
    for piece in pieces {
        decoder.push(piece);
        pushed += piece.len();
        while let Ok(Some(_)) = decoder.next_frame() {}
        let cost = HEAP.allocated().saturating_sub(before);
        // A buffer that grows has room for twice as much.
        assert!(cost <= STATE + 2 * pushed, "{cost} bytes are kept of {pushed}");
    }
}
