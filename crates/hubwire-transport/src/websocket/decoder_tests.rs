use super::*;

const MASK: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        medium @ 126..=65_535 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// What a decoder makes of `bytes`, with adjacent pieces of one message joined.
fn decode(limit: Option<usize>, chunks: &[&[u8]]) -> (Vec<Frame>, Option<FrameError>) {
    let mut decoder = FrameDecoder::new(limit);
    let mut frames = Vec::new();
    let mut open: Option<(Vec<u8>, TransferFormat)> = None;
    for chunk in chunks {
        decoder.push(chunk);
        loop {
            match decoder.next_frame() {
                Ok(Some(Frame::Data { bytes, format, last })) => {
                    let (mut whole, _) = open.take().unwrap_or((Vec::new(), format));
                    whole.extend_from_slice(&bytes);
                    if last {
                        frames.push(Frame::Data { bytes: whole.into(), format, last });
                    } else {
                        open = Some((whole, format));
                    }
                }
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next_frame(), Err(error), "a failed decoder stays failed");
                    return (frames, Some(error));
                }
            }
        }
    }
    (frames, None)
}

/// Whole, and torn at every byte.
#[track_caller]
fn check(limit: Option<usize>, bytes: &[u8], frames: &[Frame], error: Option<FrameError>) {
    let expected = (frames.to_vec(), error);
    assert_eq!(decode(limit, &[bytes]), expected);
    for at in 0..bytes.len() {
        assert_eq!(decode(limit, &[&bytes[..at], &bytes[at..]]), expected, "torn at {at}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(decode(limit, &single), expected, "byte by byte");
}

fn data(payload: &[u8], format: TransferFormat) -> Frame {
    Frame::Data { bytes: Bytes::copy_from_slice(payload), format, last: true }
}

#[test]
fn frames_of_every_length_form_are_read() {
    for length in [0, 1, 125, 126, 300] {
        let payload: Vec<u8> = (0..length).map(|i| i as u8).collect();
        check(None, &frame(0x82, &payload), &[data(&payload, TransferFormat::Binary)], None);
    }
    let long = vec![7; 70_000];
    let bytes = frame(0x81, &long);
    assert_eq!(decode(None, &[&bytes]).0, [data(&long, TransferFormat::Text)]);
}

#[test]
fn fragments_join_and_control_frames_pass_between_them() {
    let bytes = [frame(0x01, b"he"), frame(0x89, b"?"), frame(0x00, b""), frame(0x80, b"llo")];
    check(
        None,
        &bytes.concat(),
        &[Frame::Ping(Bytes::from_static(b"?")), data(b"hello", TransferFormat::Text)],
        None,
    );
}

#[test]
fn the_limit_acts_on_the_header() {
    let mut header = vec![0x82, 0xff];
    header.extend_from_slice(&(1_u64 << 40).to_be_bytes());
    let error = FrameError::TooLarge { size: 1 << 40, limit: 1024 };
    // Not even the mask has come.
    check(Some(1024), &header, &[], Some(error));
}

#[test]
fn the_limit_acts_on_the_sum_of_fragments() {
    let bytes = [frame(0x02, &[0; 8]), frame(0x00, &[0; 8]), frame(0x80, &[0; 1])].concat();
    let (frames, error) = decode(Some(16), &[&bytes]);
    assert_eq!(frames, []);
    assert_eq!(error, Some(FrameError::TooLarge { size: 17, limit: 16 }));
}

#[test]
fn a_long_frame_is_not_kept() {
    let mut decoder = FrameDecoder::new(None);
    let mut header = vec![0x82, 0xff];
    header.extend_from_slice(&(1_u64 << 30).to_be_bytes());
    header.extend_from_slice(&MASK);
    decoder.push(&header);
    for _ in 0..1000 {
        decoder.push(&[0; 1000]);
        assert!(matches!(decoder.next_frame(), Ok(Some(Frame::Data { last: false, .. }))));
        assert_eq!(decoder.next_frame(), Ok(None));
        assert_eq!(decoder.buffer.capacity(), 0);
    }
}

#[test]
fn close_frames_carry_code_and_reason() {
    check(None, &frame(0x88, b""), &[Frame::Close(None)], None);
    let close = Close { code: 1000, reason: "bye".to_owned() };
    check(None, &frame(0x88, b"\x03\xe8bye"), &[Frame::Close(Some(close))], None);
}

#[test]
fn broken_rules_are_named() {
    let cases: &[(&[u8], FrameError)] = &[
        (&[0x81, 0x02, b'h', b'i'], FrameError::Unmasked),
        (&frame(0xc1, b"x"), FrameError::ReservedBits),
        (&frame(0x83, b"x"), FrameError::BadOpcode(3)),
        (&frame(0x8b, b"x"), FrameError::BadOpcode(11)),
        (&frame(0x80, b"x"), FrameError::BadFragment),
        (&frame(0x09, b"x"), FrameError::ControlTooLarge),
        (&frame(0x89, &[0; 126]), FrameError::ControlTooLarge),
        (&frame(0x88, b"x"), FrameError::BadClose),
        (&frame(0x88, b"\x03\xed"), FrameError::BadClose),
        (&frame(0x88, b"\x03\xe8\xff"), FrameError::BadClose),
        (&[0x82, 0xfe, 0, 5, 0, 0, 0, 0], FrameError::NonMinimalLength),
        (&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0], FrameError::NonMinimalLength),
        (&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], FrameError::NonMinimalLength),
    ];
    for (bytes, error) in cases {
        check(None, bytes, &[], Some(*error));
    }
    let nested = [frame(0x01, b"a"), frame(0x81, b"b")].concat();
    check(None, &nested, &[], Some(FrameError::BadFragment));
}

#[test]
fn text_is_judged_while_it_arrives() {
    let fine =
        [frame(0x01, "a€".as_bytes().split_at(2).0), frame(0x80, &"a€".as_bytes()[2..])].concat();
    check(None, &fine, &[data("a€".as_bytes(), TransferFormat::Text)], None);
    let bad = Some(FrameError::BadText);
    check(None, &frame(0x81, b"a\xff"), &[], bad);
    check(None, &frame(0x81, b"cut \xe2\x82"), &[], bad);
    check(None, &[frame(0x01, b"\xe2"), frame(0x80, b"x")].concat(), &[], bad);
    // The message has not ended, nor has the frame.
    check(None, &frame(0x01, b"\xed\xa0"), &[], bad);
    check(None, &frame(0x81, &[b"\xed\xa0", &b"x"[..]].concat())[..8], &[], bad);
    // What is no text may be anything, also between the fragments of one.
    let bytes = [
        frame(0x82, b"\xff"),
        frame(0x01, b"\xe2"),
        frame(0x89, b"\xff"),
        frame(0x80, b"\x82\xac"),
    ];
    let frames = [
        data(b"\xff", TransferFormat::Binary),
        Frame::Ping(Bytes::from_static(b"\xff")),
        data("€".as_bytes(), TransferFormat::Text),
    ];
    check(None, &bytes.concat(), &frames, None);
}

#[test]
fn a_goodbye_is_found_behind_a_broken_frame() {
    let close = frame(0x88, b"\x03\xea");
    let broken: &[&[u8]] = &[
        &[0x81, 0x02, b'h', b'i'],
        &frame(0xc1, &[7; 300]),
        &frame(0x83, b"x"),
        &frame(0x81, &[0xff; 70_000]),
        &[frame(0x01, b"\xff"), frame(0x80, b"more"), frame(0x89, b"?")].concat(),
        &frame(0x82, &[0; 2000]),
    ];
    for bytes in broken {
        for size in [1, 7, usize::MAX] {
            let mut decoder = FrameDecoder::new(Some(1000));
            for chunk in bytes.chunks(size) {
                decoder.push(chunk);
                while let Ok(Some(_)) = decoder.next_frame() {}
                assert!(!decoder.is_closed());
            }
            for chunk in close.chunks(size) {
                decoder.push(chunk);
            }
            assert!(decoder.is_closed(), "{:x?} by {size}", &bytes[..bytes.len().min(20)]);
            assert_eq!(decoder.buffer.capacity(), 0);
        }
    }
    let mut decoder = FrameDecoder::new(None);
    decoder.push(&frame(0x88, b"x"));
    assert_eq!(decoder.next_frame(), Err(FrameError::BadClose));
    assert!(decoder.is_closed());
}

#[test]
fn unmasking_agrees_with_the_definition_at_every_length() {
    for length in 0..40 {
        let clear: Vec<u8> = (0..length).collect();
        let mut masked: Vec<u8> =
            clear.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        unmask(&mut masked, MASK);
        assert_eq!(masked, clear);
    }
}
