//! Notices as bytes: MessagePack, as `docs/backplane.md` describes it.

use std::collections::BTreeMap;

use bytes::Bytes;
use hubwire_hub::{Compressed, Content, Encodings, Finding, Notice, Refusal, Scope, ServerId};
use hubwire_protocol::{
    Close, Completion, FrameError, Headers, HubMessage, HubProtocol, InvocationId, MessageReader,
    Outcome, ParseError,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What this build writes, and all that it reads.
const VERSION: u8 = 1;

/// A call must not be compressed.
const UNCOMPRESSED: u8 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Envelope<'a>(u8, &'a str, #[serde(borrow)] Body<'a>);

/// Each variant is a map of one entry: its name, and its values as an array.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Body<'a> {
    Alive,
    Asked(u64),
    Count(u64),
    Counted(u64, usize),
    /// Except, groups, number, error, whether the client may come back.
    Disconnect(Vec<&'a str>, Vec<&'a str>, u64, Option<&'a str>, bool),
    Done(u64),
    Forget(&'a str),
    Invoke(u64, &'a str, u8, #[serde(borrow)] Calls<'a>),
    Join(u64, &'a str),
    Leave(u64, &'a str),
    Leaving,
    Listed(u64, Vec<&'a str>),
    Members(u64),
    /// A connection, and when its token opens none any more.
    Opened(&'a str, u32),
    Refused(u64, RefusalName),
    /// The hub protocol, and a completion in it.
    Result(u64, &'a str, #[serde(with = "serde_bytes")] &'a [u8]),
    /// Except, groups, number, flags, calls.
    Send(Vec<&'a str>, Vec<&'a str>, u64, u8, #[serde(borrow)] Calls<'a>),
    Unknown(u64),
}

/// The name of a hub protocol, and a call in it.
type Calls<'a> = BTreeMap<&'a str, &'a serde_bytes::Bytes>;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum RefusalName {
    Connecting,
    Disconnected,
    NotFound,
}

/// Why a message of another server cannot be read.
#[derive(Debug, Error)]
pub(crate) enum WireError {
    #[error("a result has no end")]
    Incomplete,
    #[error("a result is no message of its protocol")]
    Framing(#[from] FrameError),
    #[error("it is not written as it should be")]
    Malformed(#[from] rmp_serde::decode::Error),
    #[error("a result cannot be read")]
    Parse(#[from] ParseError),
    #[error("a result is in the protocol {0:?}, which this server does not speak")]
    Protocol(String),
    #[error("it is of version {0}, and this server reads {VERSION}")]
    Version(u8),
}

/// Writes a notice.
pub(crate) fn encode(notice: &Notice) -> Bytes {
    // A result is written in its own protocol, into this.
    let mut result = Vec::new();
    let body = body(&notice.content, &mut result);
    let envelope = Envelope(VERSION, notice.from.as_str(), body);
    // Nothing in an envelope is of a kind that cannot be written, and memory does not fail.
    rmp_serde::to_vec(&envelope).unwrap_or_default().into()
}

fn body<'a>(content: &'a Content, result: &'a mut Vec<u8>) -> Body<'a> {
    match content {
        Content::Alive => Body::Alive,
        Content::Answer { question, answer } => match answer {
            Finding::Count(count) => Body::Counted(*question, *count),
            Finding::Done => Body::Done(*question),
            Finding::Members(ids) => {
                Body::Listed(*question, ids.iter().map(|id| id.as_str()).collect())
            }
            Finding::Unknown => Body::Unknown(*question),
        },
        Content::Asked { question } => Body::Asked(*question),
        Content::Count { question } => Body::Count(*question),
        Content::Disconnect { scope, close } => {
            let (except, groups, number) = parts(scope);
            let Close { error, allow_reconnect } = close;
            Body::Disconnect(except, groups, number, error.as_deref(), *allow_reconnect)
        }
        Content::Forget { invocation_id } => Body::Forget(invocation_id),
        Content::Invoke { question, invocation_id, call } => {
            Body::Invoke(*question, invocation_id, flags(call), calls(call))
        }
        Content::Join { question, group } => Body::Join(*question, group),
        Content::Leave { question, group } => Body::Leave(*question, group),
        Content::Leaving => Body::Leaving,
        Content::Members { question } => Body::Members(*question),
        Content::Opened { connection_id, expires } => {
            Body::Opened(connection_id.as_str(), *expires)
        }
        Content::Result { question, result: Ok(outcome) } => {
            match write_outcome(outcome, result) {
                Some(protocol) => Body::Result(*question, protocol.name(), result),
                // It was read from this protocol; should it not be writable, the client gave nothing of use.
                None => Body::Refused(*question, RefusalName::Disconnected),
            }
        }
        Content::Result { question, result: Err(refusal) } => Body::Refused(
            *question,
            match refusal {
                Refusal::Connecting => RefusalName::Connecting,
                Refusal::Disconnected => RefusalName::Disconnected,
                Refusal::NotFound => RefusalName::NotFound,
            },
        ),
        Content::Send { scope, call } => {
            let (except, groups, number) = parts(scope);
            Body::Send(except, groups, number, flags(call), calls(call))
        }
    }
}

fn parts(scope: &Scope) -> (Vec<&str>, Vec<&str>, u64) {
    match scope {
        Scope::Topic { except } => (except.iter().map(|id| id.as_str()).collect(), Vec::new(), 0),
        Scope::Groups { names, except, number } => (
            except.iter().map(|id| id.as_str()).collect(),
            names.iter().map(String::as_str).collect(),
            *number,
        ),
    }
}

fn flags(call: &Encodings) -> u8 {
    match call.compression() {
        Compressed::Allowed => 0,
        Compressed::Never => UNCOMPRESSED,
    }
}

fn calls(call: &Encodings) -> Calls<'_> {
    let payloads = call.payloads();
    payloads
        .map(|(protocol, payload)| (protocol.name(), serde_bytes::Bytes::new(payload)))
        .collect()
}

/// Writes a result in the protocol that it came in.
fn write_outcome(outcome: &Outcome, out: &mut Vec<u8>) -> Option<HubProtocol> {
    let protocol = match outcome {
        Outcome::Value(value) => value.protocol(),
        Outcome::Error(_) | Outcome::Void => HubProtocol::Json,
    };
    let completion = Completion {
        headers: Headers::new(),
        invocation_id: InvocationId::from("s"),
        outcome: outcome.clone(),
    };
    protocol.write(out, &HubMessage::Completion(completion)).ok()?;
    Some(protocol)
}

/// Reads a notice; `None` for what this server has told others itself and done for its own connections.
pub(crate) fn decode(payload: &[u8], own: &ServerId) -> Result<Option<Notice>, WireError> {
    let Envelope(version, from, body) = match rmp_serde::from_slice(payload) {
        Ok(envelope) => envelope,
        // Other versions may be written in another way.
        Err(error) => return Err(version(payload).map_or_else(|| error.into(), WireError::Version)),
    };
    if version != VERSION {
        return Err(WireError::Version(version));
    }
    if from == own.as_str() && matches!(body, Body::Send(..) | Body::Disconnect(..)) {
        return Ok(None);
    }
    Ok(Some(Notice { from: ServerId::from(from), content: content(body)? }))
}

/// The version of a message that is not of ours.
fn version(payload: &[u8]) -> Option<u8> {
    // An array of few elements, and a small number.
    let &[0x90..=0x9f, version @ 0..=0x7f, ..] = payload else { return None };
    (version != VERSION).then_some(version)
}

fn content(body: Body<'_>) -> Result<Content, WireError> {
    let answer = |question, answer| Content::Answer { question, answer };
    Ok(match body {
        Body::Alive => Content::Alive,
        Body::Asked(question) => Content::Asked { question },
        Body::Count(question) => Content::Count { question },
        Body::Counted(question, count) => answer(question, Finding::Count(count)),
        Body::Disconnect(except, groups, number, error, allow_reconnect) => {
            let close = Close { error: error.map(str::to_owned), allow_reconnect };
            Content::Disconnect { scope: scope(&except, &groups, number), close }
        }
        Body::Done(question) => answer(question, Finding::Done),
        Body::Forget(id) => Content::Forget { invocation_id: id.to_owned() },
        Body::Invoke(question, id, flags, calls) => {
            let invocation_id = id.to_owned();
            Content::Invoke { question, invocation_id, call: encodings(flags, &calls) }
        }
        Body::Join(question, group) => Content::Join { question, group: group.to_owned() },
        Body::Leave(question, group) => Content::Leave { question, group: group.to_owned() },
        Body::Leaving => Content::Leaving,
        Body::Listed(question, ids) => {
            answer(question, Finding::Members(ids.into_iter().map(Into::into).collect()))
        }
        Body::Members(question) => Content::Members { question },
        Body::Opened(id, expires) => Content::Opened { connection_id: id.into(), expires },
        Body::Refused(question, refusal) => {
            let refusal = match refusal {
                RefusalName::Connecting => Refusal::Connecting,
                RefusalName::Disconnected => Refusal::Disconnected,
                RefusalName::NotFound => Refusal::NotFound,
            };
            Content::Result { question, result: Err(refusal) }
        }
        Body::Result(question, protocol, completion) => {
            Content::Result { question, result: Ok(read_outcome(protocol, completion)?) }
        }
        Body::Send(except, groups, number, flags, calls) => {
            Content::Send { scope: scope(&except, &groups, number), call: encodings(flags, &calls) }
        }
        Body::Unknown(question) => answer(question, Finding::Unknown),
    })
}

fn scope(except: &[&str], groups: &[&str], number: u64) -> Scope {
    let except = except.iter().copied().map(Into::into).collect();
    if groups.is_empty() {
        return Scope::Topic { except };
    }
    Scope::Groups { names: groups.iter().map(|&name| name.to_owned()).collect(), except, number }
}

/// The calls in protocols that this build knows.
fn encodings(flags: u8, calls: &Calls<'_>) -> Encodings {
    let compression =
        if flags & UNCOMPRESSED == 0 { Compressed::Allowed } else { Compressed::Never };
    let known = calls
        .iter()
        .filter_map(|(name, payload)| Some((HubProtocol::from_name(name)?, payload.as_ref())));
    Encodings::from_payloads(compression, known)
}

fn read_outcome(protocol: &str, completion: &[u8]) -> Result<Outcome, WireError> {
    let protocol =
        HubProtocol::from_name(protocol).ok_or_else(|| WireError::Protocol(protocol.to_owned()))?;
    let mut reader = MessageReader::new(None);
    reader.frame_by(protocol);
    reader.push(Bytes::copy_from_slice(completion));
    let frame = reader.next_frame()?.ok_or(WireError::Incomplete)?;
    match protocol.parse(&frame)? {
        HubMessage::Completion(Completion { outcome, .. }) => Ok(outcome),
        _ => Err(WireError::Incomplete),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(content: Content) -> Notice {
        Notice { from: "x".into(), content }
    }

    fn call(payload: &[u8]) -> Encodings {
        Encodings::from_payloads(Compressed::Never, [(HubProtocol::Json, payload)])
    }

    /// It comes as it goes.
    #[track_caller]
    fn round_trip(content: Content) -> Vec<u8> {
        let notice = notice(content);
        let bytes = encode(&notice);
        let read = decode(&bytes, &"y".into()).unwrap().unwrap();
        assert_eq!(format!("{read:?}"), format!("{notice:?}"));
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length], &"y".into()).is_err(), "cut after {length} bytes");
        }
        bytes.to_vec()
    }

    #[test]
    fn calls_are_written_as_they_are_documented() {
        let scope = Scope::Topic { except: vec!["c".into()] };
        let bytes = round_trip(Content::Send { scope, call: call(b"{}\x1e") });
        let expected =
            b"\x93\x01\xa1x\x81\xa4send\x95\x91\xa1c\x90\x00\x01\x81\xa4json\xc4\x03{}\x1e";
        assert_eq!(bytes, expected);
        let read = decode(expected, &"y".into()).unwrap().unwrap();
        let Content::Send { call, .. } = read.content else { panic!("it is a send") };
        assert_eq!(call.payloads().collect::<Vec<_>>(), [(HubProtocol::Json, &b"{}\x1e"[..])]);
        assert!(decode(expected, &"x".into()).unwrap().is_none(), "its own");
    }

    #[test]
    fn everything_comes_as_it_goes() {
        let names = vec!["a".to_owned(), "b".to_owned()];
        let groups = Scope::Groups { names, except: vec!["c".into()], number: 7 };
        let close = Close { error: Some("bye".to_owned()), allow_reconnect: true };
        round_trip(Content::Disconnect { scope: groups.clone(), close });
        round_trip(Content::Send { scope: groups, call: call(b"x") });
        let (question, group) = (3, "tea".to_owned());
        round_trip(Content::Alive);
        round_trip(Content::Leaving);
        round_trip(Content::Asked { question });
        round_trip(Content::Count { question });
        round_trip(Content::Members { question });
        round_trip(Content::Opened { connection_id: "c".into(), expires: 1_900_000_000 });
        round_trip(Content::Join { question, group: group.clone() });
        round_trip(Content::Leave { question, group });
        let invocation_id = "sx.1".to_owned();
        round_trip(Content::Forget { invocation_id: invocation_id.clone() });
        round_trip(Content::Invoke { question, invocation_id, call: call(b"x") });
        for answer in [
            Finding::Count(300),
            Finding::Done,
            Finding::Members(vec!["a".into()]),
            Finding::Unknown,
        ] {
            round_trip(Content::Answer { question, answer });
        }
        for refusal in [Refusal::Connecting, Refusal::Disconnected, Refusal::NotFound] {
            round_trip(Content::Result { question, result: Err(refusal) });
        }
        let value = hubwire_protocol::Raw::new(HubProtocol::Json, &("hi", 1.5)).unwrap();
        for outcome in [Outcome::Value(value), Outcome::Error("no".to_owned()), Outcome::Void] {
            round_trip(Content::Result { question, result: Ok(outcome) });
        }
    }

    #[test]
    fn what_nobody_wrote_is_an_error() {
        let own = "y".into();
        assert!(matches!(decode(b"\x93\x02\xa1x\xa5alive", &own), Err(WireError::Version(2))));
        assert!(matches!(decode(b"\x92\x02\xc0", &own), Err(WireError::Version(2))));
        let unreadable: [&[u8]; 6] = [
            b"",
            b"hello",
            b"\x93\x01\xa1x\xa7unheard",
            b"\x93\x01\xa1x\x81\xa6result\x93\x01\xa4json\xc4\x02{}",
            b"\x93\x01\xa1x\x81\xa6result\x93\x01\xa4json\xc4\x03{}\x1e",
            b"\x93\x01\xa1x\x81\xa6result\x93\x01\xa4none\xc4\x03{}\x1e",
        ];
        for payload in unreadable {
            assert!(decode(payload, &own).is_err(), "{payload:?}");
        }
    }
}
