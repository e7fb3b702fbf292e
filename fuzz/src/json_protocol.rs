//! Any bytes, torn anywhere, as hub messages in JSON.
//!
//! The first byte of an input chooses the limit, four more tear the rest.

use hubwire_protocol::{Arguments, FrameError, HubMessage, HubProtocol, MessageReader};

use crate::{limit, parts, torn};

const JSON: HubProtocol = HubProtocol::Json;

/// The longest text of an error: it goes into logs and to the peer.
const LONGEST_ERROR: usize = 400;

/// Cuts an input into frames, whole and torn, and reads each.
pub fn check(input: &[u8]) {
    let Some((settings, cuts, bytes)) = parts(input) else { return };
    let limit = limit(settings);
    let (frames, error) = split(&[bytes], limit);
    assert_eq!(split(&torn(bytes, cuts), limit), (frames.clone(), error), "torn");
    for frame in frames {
        assert!(!frame.contains(&0x1e), "a frame ends at its separator");
        assert!(limit.is_none_or(|limit| frame.len() < limit), "over the limit");
        check_message(frame);
    }
}

fn split(pieces: &[&[u8]], limit: Option<usize>) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut reader = MessageReader::new(limit);
    let mut frames = Vec::new();
    for piece in pieces {
        reader.push(piece.to_vec().into());
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => frames.push(frame.to_vec()),
                Ok(None) => break,
                Err(error) => {
                    reader.push(b"{}\x1e".to_vec().into());
                    assert_eq!(reader.next_frame(), Err(error.clone()), "it stays failed");
                    assert_eq!(reader.buffered(), 0);
                    return (frames, Some(error));
                }
            }
        }
        assert!(limit.is_none_or(|limit| reader.buffered() < limit), "too much is kept");
    }
    let total: usize = pieces.iter().map(|piece| piece.len()).sum();
    let found: usize = frames.iter().map(|frame| frame.len() + 1).sum();
    assert_eq!(found + reader.buffered(), total, "every byte is somewhere");
    (frames, None)
}

/// What is a message comes back when it is written, and is written the same again.
fn check_message(frame: Vec<u8>) {
    let message = match JSON.parse(&frame.into()) {
        Ok(message) => message,
        Err(error) => {
            assert!(error.to_string().len() < LONGEST_ERROR, "{error}");
            return;
        }
    };
    if let HubMessage::Invocation(call) | HubMessage::StreamInvocation(call) = &message {
        check_arguments(&call.arguments);
    }
    let mut out = Vec::new();
    let written = JSON.write(&mut out, &message);
    if let HubMessage::Unknown(_) = message {
        assert!(written.is_err() && out.is_empty(), "what is unknown cannot be written");
        return;
    }
    written.expect("what was read can be written");
    assert_eq!(out.pop(), Some(0x1e));
    assert!(!out.contains(&0x1e), "a message is one frame");
    let again = JSON.parse(&out.clone().into()).expect("what was written can be read");
    assert_eq!(again, message);
    let mut twice = Vec::new();
    JSON.write(&mut twice, &again).expect("what was written once can be written again");
    assert_eq!(twice.strip_suffix(&[0x1e]), Some(&out[..]));
}

/// Whatever an argument is taken for, it becomes that or an error.
fn check_arguments(arguments: &Arguments) {
    for index in 0..arguments.len() {
        assert!(arguments.get(index).is_some_and(|argument| !argument.as_bytes().is_empty()));
        let _ = arguments.decode::<bool>(index);
        let _ = arguments.decode::<f64>(index);
        let _ = arguments.decode::<Option<i64>>(index);
        let _ = arguments.decode::<String>(index);
        let _ = arguments.decode::<Vec<Vec<u8>>>(index);
    }
    assert!(arguments.get(arguments.len()).is_none());
}
