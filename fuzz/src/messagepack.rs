//! Any bytes, torn anywhere, as hub messages in MessagePack.
//!
//! The first byte of an input chooses the limit, four more tear the rest.

use std::collections::BTreeMap;

use hubwire_protocol::{
    Binary, Completion, FrameError, HubMessage, HubProtocol, MessageReader, Outcome, Raw, Timestamp,
};

use crate::{limit, parts, torn};

const MESSAGEPACK: HubProtocol = HubProtocol::MessagePack;

/// The longest text of an error: it goes into logs and to the peer.
const LONGEST_ERROR: usize = 400;

/// Cuts an input into frames, whole and torn, and reads each.
pub fn check(input: &[u8]) {
    let Some((settings, cuts, bytes)) = parts(input) else { return };
    let limit = limit(settings);
    let (frames, error) = split(&[bytes], limit);
    assert_eq!(split(&torn(bytes, cuts), limit), (frames.clone(), error), "torn");
    for frame in frames {
        assert!(limit.is_none_or(|limit| frame.len() < limit), "over the limit");
        check_message(frame);
    }
}

fn split(pieces: &[&[u8]], limit: Option<usize>) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut reader = MessageReader::new(limit);
    reader.frame_by(MESSAGEPACK);
    let mut frames = Vec::new();
    for piece in pieces {
        reader.push(piece.to_vec().into());
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => frames.push(frame.to_vec()),
                Ok(None) => break,
                Err(error) => {
                    reader.push(vec![2, 0x91, 6].into());
                    assert_eq!(reader.next_frame(), Err(error.clone()), "it stays failed");
                    assert_eq!(reader.buffered(), 0);
                    return (frames, Some(error));
                }
            }
        }
        assert!(limit.is_none_or(|limit| reader.buffered() < limit), "too much is kept");
    }
    let wire = pieces.concat();
    let mut rest = &wire[..];
    for frame in &frames {
        rest = behind_prefix(rest);
        rest = rest.strip_prefix(&frame[..]).expect("frames are what was pushed, in order");
    }
    assert_eq!(rest.len(), reader.buffered(), "every byte is somewhere");
    (frames, None)
}

/// What follows the length of a message: it ends with its first byte that is below 128.
fn behind_prefix(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte < 0x80).expect("a frame had a length");
    &bytes[end + 1..]
}

/// What is a message comes back when it is written, and is written the same again.
fn check_message(frame: Vec<u8>) {
    let message = match MESSAGEPACK.parse(&frame.into()) {
        Ok(message) => message,
        Err(error) => {
            assert!(error.to_string().len() < LONGEST_ERROR, "{error}");
            return;
        }
    };
    match &message {
        HubMessage::Invocation(call) | HubMessage::StreamInvocation(call) => {
            let arguments = &call.arguments;
            (0..arguments.len()).filter_map(|at| arguments.get(at)).for_each(|a| check_value(&a));
        }
        HubMessage::StreamItem(item) => check_value(&item.item),
        HubMessage::Completion(Completion { outcome: Outcome::Value(value), .. }) => {
            check_value(value);
        }
        _ => {}
    }
    let mut out = Vec::new();
    let written = MESSAGEPACK.write(&mut out, &message);
    if let HubMessage::Unknown(_) = message {
        assert!(written.is_err() && out.is_empty(), "what is unknown cannot be written");
        return;
    }
    written.expect("what was read can be written");
    let again = behind_prefix(&out).to_vec();
    let again = MESSAGEPACK.parse(&again.into()).expect("what was written can be read");
    assert_eq!(again, message);
    let mut twice = Vec::new();
    MESSAGEPACK.write(&mut twice, &again).expect("what was written once can be written again");
    assert_eq!(twice, out);
}

/// Whatever a value is taken for, it becomes that or an error; undecoded it stays what it is.
fn check_value(value: &Raw) {
    let _ = value.decode::<bool>();
    let _ = value.decode::<f64>();
    let _ = value.decode::<Option<i64>>();
    let _ = value.decode::<String>();
    let _ = value.decode::<Vec<Vec<u8>>>();
    let _ = value.decode::<BTreeMap<i64, Raw>>();
    let _ = value.decode::<Binary>();
    if let Ok(time) = value.decode::<Timestamp>() {
        let again = Raw::new(MESSAGEPACK, &time).expect("a time can be written");
        assert_eq!(again.decode::<Timestamp>().ok(), Some(time));
    }
    assert_eq!(value.decode::<Raw>().as_ref().ok(), Some(value));
    let Ok(json) = Raw::new(HubProtocol::Json, value) else { return };
    assert_eq!(json.decode::<Raw>().as_ref().ok(), Some(&json), "what is written is JSON");
    // Once there and back it is what both can express (a float of 32 bits is none of it), and stays as it is.
    let json = there_and_back(&json);
    assert_eq!(there_and_back(&json), json);
}

fn there_and_back(json: &Raw) -> Raw {
    let there = Raw::new(MESSAGEPACK, json).expect("all of JSON has a form");
    Raw::new(HubProtocol::Json, &there).expect("it had one before")
}
