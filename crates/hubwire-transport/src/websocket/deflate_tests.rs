use super::*;
use crate::websocket::{Frame, FrameDecoder};
use crate::{Compression, FrameEncoding};

fn agree(offer: &str, keeps: bool) -> Deflate {
    Deflate::negotiate(offer, &Compression::default(), |_| keeps).unwrap()
}

fn json(length: usize) -> String {
    (0..).map(|i| format!("{{\"user\":\"u{i}\",\"text\":\"hello\"}}")).take(length / 30).collect()
}

/// A server's frame as a client would send it: with the mask 0, whose bytes change nothing.
fn masked(frame: &[u8]) -> Vec<u8> {
    let header = match frame[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let mut masked = frame[..header].to_vec();
    masked[1] |= 0x80;
    masked.extend_from_slice(&[0; 4]);
    masked.extend_from_slice(&frame[header..]);
    masked
}

/// What a decoder makes of `bytes` that arrive in pieces of `step`.
fn decode(decoder: &mut FrameDecoder, bytes: &[u8], step: usize) -> Result<Vec<u8>, FrameError> {
    let mut message = Vec::new();
    for piece in bytes.chunks(step) {
        decoder.push(piece);
        while let Some(frame) = decoder.next_frame()? {
            let Frame::Data { bytes, .. } = frame else { panic!("{frame:?}") };
            message.extend_from_slice(&bytes);
        }
    }
    Ok(message)
}

fn encoding(window_bits: u8) -> Option<FrameEncoding> {
    Some(FrameEncoding { window_bits, threshold: 0 })
}

#[test]
fn what_is_compressed_is_read_back_with_every_window_however_it_is_torn() {
    let text = json(100_000);
    let message = Message::text(&text);
    for bits in 9..=15 {
        let frame = message.frame_for(encoding(bits));
        assert!(frame.len() < text.len() / 2, "{} bytes at {bits}", frame.len());
        assert_eq!(frame[0], 0xc1, "a whole text message with RSV1");
        for step in [1, 7, 1000, usize::MAX] {
            let mut decoder = FrameDecoder::new(None).inflating(agree("permessage-deflate", false));
            assert_eq!(decode(&mut decoder, &masked(frame), step).as_deref(), Ok(text.as_bytes()));
        }
    }
}

#[test]
fn a_broadcast_is_compressed_once() {
    let message = Message::text(&json(2000));
    let first = message.frame_for(encoding(15)).as_ptr();
    assert_eq!(message.frame_for(encoding(15)).as_ptr(), first);
    assert_ne!(message.frame_for(encoding(12)).as_ptr(), first);
}

#[test]
fn what_would_not_get_smaller_is_short_or_must_not_goes_as_it_is() {
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(2000)
    .collect();
    let noise = Message::binary(&noise);
    assert_eq!(noise.frame_for(encoding(15)), noise.frame());
    let text = Message::text(&json(2000));
    let short = Some(FrameEncoding { window_bits: 15, threshold: 3000 });
    assert_eq!(text.frame_for(short), text.frame());
    assert_eq!(text.frame_for(None), text.frame());
    let secret = text.uncompressed();
    assert_eq!(secret.frame_for(encoding(15)), secret.frame());
}

/// Compresses as a client does that keeps its context.
struct Client(Compress);

impl Client {
    fn new() -> Self {
        Self(Compress::new_with_window_bits(flate2::Compression::new(6), false, 15))
    }

    fn frame(&mut self, text: &str) -> Vec<u8> {
        let mut compressed = Vec::with_capacity(text.len() + 100);
        self.0.compress_vec(text.as_bytes(), &mut compressed, FlushCompress::Sync).unwrap();
        compressed.truncate(compressed.len() - TAIL.len());
        let mut frame = vec![0; HEADER_MAX];
        frame.extend_from_slice(&compressed);
        let start = write_header(&mut frame, compressed.len(), TransferFormat::Text);
        frame[start] |= RSV1;
        masked(&frame[start..])
    }
}

#[test]
fn a_client_may_keep_its_context() {
    let (mut client, text) = (Client::new(), json(3000));
    let mut decoder = FrameDecoder::new(None).inflating(agree("permessage-deflate", true));
    let lengths: Vec<usize> = (0..3)
        .map(|_| {
            let frame = client.frame(&text);
            assert_eq!(decode(&mut decoder, &frame, 100).as_deref(), Ok(text.as_bytes()));
            frame.len()
        })
        .collect();
    assert!(lengths[1] < lengths[0] / 4, "{lengths:?}");
    // Messages may also come as they are in between.
    let plain = masked(Message::text("plain").frame());
    assert_eq!(decode(&mut decoder, &plain, 100).as_deref(), Ok(&b"plain"[..]));
    assert_eq!(decode(&mut decoder, &client.frame(&text), 1).as_deref(), Ok(text.as_bytes()));
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    let bomb = Client::new().frame(&"0".repeat(64 << 20));
    assert!(bomb.len() < 70_000, "{}", bomb.len());
    for step in [100, usize::MAX] {
        let limit = 100_000;
        let mut decoder =
            FrameDecoder::new(Some(limit)).inflating(agree("permessage-deflate", false));
        let Err(FrameError::TooLarge { size, limit: 100_000 }) = decode(&mut decoder, &bomb, step)
        else {
            panic!("it went off")
        };
        assert!(size < (limit + 4 * STEP) as u64, "{size} bytes were inflated");
    }
}

#[test]
fn what_is_said_of_a_message_over_the_limit_does_not_depend_on_how_it_came() {
    let large = Client::new().frame(&json(3000));
    for step in [1, 7, 100, usize::MAX] {
        let mut decoder =
            FrameDecoder::new(Some(500)).inflating(agree("permessage-deflate", false));
        let error = FrameError::TooLarge { size: 501, limit: 500 };
        assert_eq!(decode(&mut decoder, &large, step), Err(error), "in steps of {step}");
    }
}

#[test]
fn text_that_is_none_is_found_before_what_breaks_behind_it() {
    // A stored block of one byte that begins no character, and then a block of a kind that does not exist.
    let broken = [0xc1, 0x87, 0, 0, 0, 0, 0x00, 0x01, 0x00, 0xfe, 0xff, 0xff, 0x07];
    for step in [1, usize::MAX] {
        let mut decoder = FrameDecoder::new(None).inflating(agree("permessage-deflate", false));
        assert_eq!(decode(&mut decoder, &broken, step), Err(FrameError::BadText), "{step}");
    }
}

#[test]
fn what_is_not_deflate_or_not_agreed_on_is_refused() {
    let garbage = [0xc1, 0x83, 0, 0, 0, 0, 0xff, 0xff, 0xff];
    let mut decoder = FrameDecoder::new(None).inflating(agree("permessage-deflate", false));
    assert_eq!(decode(&mut decoder, &garbage, 9), Err(FrameError::BadDeflate));
    assert_eq!(decode(&mut FrameDecoder::new(None), &garbage, 9), Err(FrameError::ReservedBits));
    // A continuation and a control frame carry no RSV1, and other bits mean nothing at all.
    for first in [0x40, 0xc9, 0xa1, 0x91] {
        let mut decoder = FrameDecoder::new(None).inflating(agree("permessage-deflate", false));
        assert_eq!(
            decode(&mut decoder, &[first, 0x80, 0, 0, 0, 0], 9),
            Err(FrameError::ReservedBits)
        );
    }
}

#[test]
fn an_empty_message_and_a_last_block_are_read() {
    // RFC 7692, 7.2.3.6: an empty message is one byte; 7.2.3.5: "Hello" in a block with BFINAL set.
    let mut decoder = FrameDecoder::new(None).inflating(agree("permessage-deflate", false));
    assert_eq!(decode(&mut decoder, &[0xc1, 0x81, 0, 0, 0, 0, 0x00], 9).as_deref(), Ok(&b""[..]));
    let hello = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    let frame = [&[0xc1, 0x88, 0, 0, 0, 0][..], &hello].concat();
    for _ in 0..2 {
        assert_eq!(decode(&mut decoder, &frame, 20).as_deref(), Ok(&b"Hello"[..]));
    }
}
