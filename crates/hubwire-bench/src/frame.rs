//! WebSocket frames as a client writes and reads them (RFC 6455, section 5).
//!
//! Only what the servers measured here send to us is understood; the rest is an error and never a guess, because a
//! load generator that skips what it does not know measures something else.

use thiserror::Error;

/// Longer than any answer that is asked for; a header that says more is a broken server.
const LONGEST: u64 = 1 << 20;

/// Masks protect intermediaries from chosen bytes (RFC 6455, section 10.3); between two processes there are none, and a
/// constant costs nothing. No byte of it is zero, so that each is really masked.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const FINAL: u8 = 0x80;
/// RFC 7692, section 7.
const COMPRESSED: u8 = 0x40;
const MASKED: u8 = 0x80;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// A frame of a server, as a slice of what was received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: Opcode,
    pub(crate) is_final: bool,
    pub(crate) is_compressed: bool,
    pub(crate) payload: &'a [u8],
}

/// What a server must not send, or not to this client.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum FrameError {
    #[error("the middle of a message without its beginning, or a beginning in the middle")]
    Fragment,
    #[error("a reserved bit, though no extension was agreed on")]
    Reserved,
    #[error("a masked frame from a server")]
    Masked,
    #[error("opcode {0}")]
    Opcode(u8),
    #[error("a frame of {0} bytes")]
    TooLong(u64),
}

/// Appends one frame to `out`.
pub(crate) fn write(opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
    out.push(FINAL | opcode as u8);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length), _) if length < LENGTH_16 => out.push(MASKED | length),
        (_, Ok(length)) => {
            out.push(MASKED | LENGTH_16);
            out.extend(length.to_be_bytes());
        }
        (_, Err(_)) => {
            out.push(MASKED | LENGTH_64);
            out.extend((payload.len() as u64).to_be_bytes());
        }
    }
    out.extend(MASK);
    let start = out.len();
    out.extend_from_slice(payload);
    // Four at a time, which compiles to vector instructions: a byte at a time is what shows in the generator's profile.
    let mut words = out[start..].chunks_exact_mut(4);
    for word in &mut words {
        let word: &mut [u8; 4] = word.try_into().expect("chunks of four");
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(MASK)).to_ne_bytes();
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(MASK) {
        *byte ^= key;
    }
}

/// The first frame of `received` and how many bytes it took, or `None` while its end has not come.
pub(crate) fn read(received: &[u8]) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let [first, second, rest @ ..] = received else { return Ok(None) };
    if first & 0x30 != 0 {
        return Err(FrameError::Reserved);
    }
    if second & MASKED != 0 {
        return Err(FrameError::Masked);
    }
    let opcode = match first & 0x0f {
        0 => Opcode::Continuation,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        other => return Err(FrameError::Opcode(other)),
    };
    let (length, rest) = match *second {
        LENGTH_16 => match rest.split_first_chunk() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
            None => return Ok(None),
        },
        LENGTH_64 => match rest.split_first_chunk() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest),
            None => return Ok(None),
        },
        length => (u64::from(length), rest),
    };
    let payload = match usize::try_from(length) {
        Ok(short) if length <= LONGEST => rest.get(..short),
        Ok(_) | Err(_) => return Err(FrameError::TooLong(length)),
    };
    let header = received.len() - rest.len();
    let (is_final, is_compressed) = (first & FINAL != 0, first & COMPRESSED != 0);
    Ok(payload.map(|payload| {
        (Frame { opcode, is_final, is_compressed, payload }, header + payload.len())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write(Opcode::Text, payload, &mut out);
        out
    }

    /// What a server would send: the same frame without its mask.
    fn from_server(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![FINAL | opcode];
        match payload.len() {
            short @ 0..126 => frame.push(short as u8),
            middle @ 126..65536 => {
                frame.push(LENGTH_16);
                frame.extend((middle as u16).to_be_bytes());
            }
            long => {
                frame.push(LENGTH_64);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend(payload);
        frame
    }

    fn plain(opcode: Opcode, payload: &[u8]) -> Frame<'_> {
        Frame { opcode, is_final: true, is_compressed: false, payload }
    }

    #[test]
    fn writes_the_example_of_the_specification() {
        // RFC 6455, section 5.7: a single-frame masked text message.
        let hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        assert_eq!(written(b"Hello"), hello);
    }

    #[test]
    fn masks_every_byte_whatever_the_length() {
        for length in [0, 1, 3, 4, 5, 125, 126, 1024, 65535, 65536] {
            let payload: Vec<u8> = (0..length).map(|index| index as u8).collect();
            let mut frame = written(&payload);
            let start = frame.len() - payload.len();
            assert_eq!(frame[start - 4..start], MASK);
            for (index, byte) in frame[start..].iter_mut().enumerate() {
                *byte ^= MASK[index % 4];
            }
            assert_eq!(frame[start..], payload);
            // Without the mask it is the frame of a server.
            frame.drain(start - 4..start);
            frame[1] &= !MASKED;
            assert_eq!(frame, from_server(1, &payload));
        }
    }

    #[test]
    fn reads_one_frame_and_leaves_the_next() {
        for length in [0, 1, 125, 126, 1024, 65535, 65536] {
            let payload = vec![7; length];
            let mut received = from_server(1, &payload);
            let end = received.len();
            received.extend(from_server(9, b"ping"));
            let (frame, taken) = read(&received).unwrap().unwrap();
            assert_eq!((frame, taken), (plain(Opcode::Text, &payload), end));
            let (frame, _) = read(&received[taken..]).unwrap().unwrap();
            assert_eq!(frame, plain(Opcode::Ping, b"ping"));
        }
    }

    #[test]
    fn waits_for_the_end_of_a_frame() {
        for length in [0, 5, 200, 65536] {
            let whole = from_server(1, &vec![7; length]);
            for end in (0..whole.len().min(20)).chain([whole.len() - 1]) {
                assert_eq!(read(&whole[..end]), Ok(None), "{end} bytes of {}", whole.len());
            }
        }
    }

    #[test]
    fn refuses_what_no_server_here_sends() {
        assert_eq!(read(&[0xa1, 0]), Err(FrameError::Reserved));
        assert_eq!(read(&[0x81, 0x80, 1, 2, 3, 4]), Err(FrameError::Masked));
        assert_eq!(read(&[0x83, 0]), Err(FrameError::Opcode(3)));
        let endless = [0x81, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(read(&endless), Err(FrameError::TooLong(u64::MAX)));
        let long = [0x81, 127, 0, 0, 0, 0, 0, 0x10, 0, 1];
        assert_eq!(read(&long), Err(FrameError::TooLong(LONGEST + 1)));
    }
}
