//! The shared vectors (tests/vectors at the root of the repository), each through one `check`.

use std::{fmt::Debug, fs, path::Path};

use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use hubwire_protocol::{
    Headers, HubMessage, HubProtocol, Invocation, InvocationId, MessageReader, Outcome, Raw,
    handshake::{HandshakeRequest, HandshakeResponse, write_response},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

#[test]
fn json_messages() {
    check_messages("json-messages.json", HubProtocol::Json);
}

#[test]
fn json_errors() {
    check_messages("json-errors.json", HubProtocol::Json);
}

#[cfg(feature = "messagepack")]
#[test]
fn messagepack_messages() {
    check_messages("messagepack-messages.json", HubProtocol::MessagePack);
}

#[cfg(feature = "messagepack")]
#[test]
fn messagepack_errors() {
    check_messages("messagepack-errors.json", HubProtocol::MessagePack);
}

#[test]
fn handshakes() {
    for case in read_vectors::<Case>("handshake.json") {
        match case.direction {
            Direction::ToServer => check(
                &case,
                HubProtocol::Json,
                |frame| HandshakeRequest::parse(frame).map_err(|error| error.to_string()),
                |request, out| request.write(out),
            ),
            Direction::ToClient => check(
                &case,
                HubProtocol::Json,
                |frame| HandshakeResponse::parse(frame).map_err(|error| error.to_string()),
                |response, out| write_response(out, response.error.as_deref()),
            ),
            Direction::Both => panic!("{}: a handshake goes one way", case.name),
        }
    }
}

#[test]
fn framing() {
    for case in read_vectors::<FramingCase>("framing.json") {
        check_framing(&case, HubProtocol::Json, String::into_bytes);
    }
}

#[cfg(feature = "messagepack")]
#[test]
fn messagepack_framing() {
    for case in read_vectors::<FramingCase>("messagepack-framing.json") {
        check_framing(&case, HubProtocol::MessagePack, |text| from_base64(&text));
    }
}

/// All at once and one after another, taking frames in between: the result is the same.
fn check_framing(case: &FramingCase, protocol: HubProtocol, bytes: impl Fn(String) -> Vec<u8>) {
    let about = format!("{}: {}", case.name, case.why);
    let expected: Vec<_> = case.frames.iter().cloned().map(&bytes).collect();
    let reader = || {
        let mut reader = MessageReader::new(case.limit);
        reader.frame_by(protocol);
        reader
    };
    let (mut together, mut apart) = (reader(), reader());
    let mut frames = Vec::new();
    let mut end = Ok(());
    for payload in &case.payloads {
        let payload = Bytes::from(bytes(payload.clone()));
        together.push(payload.clone());
        apart.push(payload);
        end = drain(&mut apart, &mut frames);
    }
    assert_eq!(frames, expected, "{about}");
    assert_eq!(end.err(), case.error, "{about}");
    assert_eq!(apart.buffered(), case.buffered, "{about}");

    let mut frames = Vec::new();
    let end = drain(&mut together, &mut frames);
    assert_eq!(frames, expected, "{about}");
    assert_eq!(end.err(), case.error, "{about}");
    assert_eq!(together.buffered(), case.buffered, "{about}");
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    why: String,
    direction: Direction,
    bytes: Option<String>,
    base64: Option<String>,
    #[serde(alias = "request", alias = "response")]
    message: Option<Value>,
    error: Option<String>,
    #[serde(default)]
    canonical: bool,
    /// For the test in Node, which has the official package.
    #[serde(default, rename = "official")]
    _official: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Direction {
    Both,
    ToClient,
    ToServer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FramingCase {
    name: String,
    why: String,
    limit: Option<usize>,
    payloads: Vec<String>,
    frames: Vec<String>,
    error: Option<String>,
    #[serde(default)]
    buffered: usize,
}

fn read_vectors<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(file);
    let text = fs::read(&path).expect("the vectors lie in the repository");
    let cases: Vec<T> = serde_json::from_slice(&text).expect("the vectors are well formed");
    assert!(!cases.is_empty(), "{file} holds cases");
    cases
}

fn check_messages(file: &str, protocol: HubProtocol) {
    let parse = |frame: &Bytes| protocol.parse(frame).map_err(|error| error.to_string());
    let write = |message: &HubMessage, out: &mut Vec<u8>| {
        let written = protocol.write(out, message);
        assert_eq!(written.is_err(), matches!(message, HubMessage::Unknown(_)));
    };
    for case in read_vectors::<Case>(file) {
        check(&case, protocol, parse, write);
    }
}

/// Parses the case whole, then torn at every byte, and writes it back.
fn check<T: Notation + Debug>(
    case: &Case,
    protocol: HubProtocol,
    parse: impl Fn(&Bytes) -> Result<T, String>,
    write: impl Fn(&T, &mut Vec<u8>),
) {
    let about = format!("{}: {}", case.name, case.why);
    let bytes = match (&case.bytes, &case.base64) {
        (Some(text), None) => Bytes::from(text.clone()),
        (None, Some(text)) => from_base64(text).into(),
        _ => panic!("{about}: either bytes or base64"),
    };
    let frame = one_frame(protocol, [bytes.clone()]);
    let parsed = parse(&frame);
    match (&case.message, &case.error) {
        (Some(message), None) => {
            assert_eq!(parsed.as_ref().map(Notation::notation), Ok(message.clone()), "{about}");
        }
        (None, Some(error)) => assert_eq!(parsed.as_ref().err(), Some(error), "{about}"),
        _ => panic!("{about}: either message or error"),
    }

    for at in 0..=bytes.len() {
        assert_eq!(
            one_frame(protocol, [bytes.slice(..at), bytes.slice(at..)]),
            frame,
            "{about}, at {at}"
        );
    }
    assert_eq!(
        one_frame(protocol, (0..bytes.len()).map(|at| bytes.slice(at..=at))),
        frame,
        "{about}"
    );

    let Ok(message) = parsed else { return };
    let mut written = Vec::new();
    write(&message, &mut written);
    if written.is_empty() {
        // A message of an unknown type is never sent.
        return;
    }
    assert_eq!(written == bytes, case.canonical, "{about}, wrote {written:?}");
    let again = parse(&one_frame(protocol, [written.into()]));
    assert_eq!(again.map(|message| message.notation()), Ok(message.notation()), "{about}");
}

/// The only frame of these payloads.
fn one_frame(protocol: HubProtocol, payloads: impl IntoIterator<Item = Bytes>) -> Bytes {
    let mut reader = MessageReader::new(None);
    reader.frame_by(protocol);
    payloads.into_iter().for_each(|payload| reader.push(payload));
    let frame = reader.next_frame().expect("there is no limit").expect("a case is one frame");
    assert_eq!(reader.next_frame(), Ok(None));
    assert_eq!(reader.buffered(), 0);
    frame
}

fn drain(reader: &mut MessageReader, frames: &mut Vec<Vec<u8>>) -> Result<(), String> {
    while let Some(frame) = reader.next_frame().map_err(|error| error.to_string())? {
        frames.push(frame.to_vec());
    }
    Ok(())
}

fn from_base64(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).expect("base64 is well formed")
}

/// What a vector says about a message: SignalR's own JSON, with nothing in it that is empty or unknown.
trait Notation {
    fn notation(&self) -> Value;
}

impl Notation for HandshakeRequest {
    fn notation(&self) -> Value {
        json!({ "protocol": self.protocol, "version": self.version })
    }
}

impl Notation for HandshakeResponse {
    fn notation(&self) -> Value {
        match &self.error {
            Some(error) => json!({ "error": error }),
            None => json!({}),
        }
    }
}

impl Notation for HubMessage {
    fn notation(&self) -> Value {
        match self {
            Self::Invocation(invocation) => call(1, invocation),
            Self::StreamItem(item) => {
                let mut fields = about(2, &item.headers, Some(&item.invocation_id));
                fields.insert("item".into(), value(&item.item));
                fields.into()
            }
            Self::Completion(completion) => {
                let mut fields = about(3, &completion.headers, Some(&completion.invocation_id));
                match &completion.outcome {
                    Outcome::Error(error) => fields.insert("error".into(), json!(error)),
                    Outcome::Value(result) => fields.insert("result".into(), value(result)),
                    Outcome::Void => None,
                };
                fields.into()
            }
            Self::StreamInvocation(invocation) => call(4, invocation),
            Self::CancelInvocation(cancel) => {
                about(5, &cancel.headers, Some(&cancel.invocation_id)).into()
            }
            Self::Ping => json!({ "type": 6 }),
            Self::Close(close) => {
                let mut fields = about(7, &Headers::new(), None);
                if let Some(error) = &close.error {
                    fields.insert("error".into(), json!(error));
                }
                if close.allow_reconnect {
                    fields.insert("allowReconnect".into(), json!(true));
                }
                fields.into()
            }
            Self::Ack(sequence_id) => json!({ "type": 8, "sequenceId": sequence_id }),
            Self::Sequence(sequence_id) => json!({ "type": 9, "sequenceId": sequence_id }),
            Self::Unknown(number) => json!({ "type": number }),
        }
    }
}

fn call(number: u8, invocation: &Invocation) -> Value {
    let arguments = &invocation.arguments;
    let values = (0..arguments.len()).map(|index| value(&arguments.get(index).expect("in range")));
    let mut fields = about(number, &invocation.headers, invocation.invocation_id.as_ref());
    fields.insert("target".into(), json!(&*invocation.target));
    fields.insert("arguments".into(), values.collect());
    if !invocation.stream_ids.is_empty() {
        let ids = invocation.stream_ids.iter().map(|id| json!(id.as_str()));
        fields.insert("streamIds".into(), ids.collect());
    }
    fields.into()
}

fn about(number: u8, headers: &Headers, id: Option<&InvocationId>) -> Map<String, Value> {
    let mut fields = Map::from_iter([("type".into(), json!(number))]);
    if !headers.is_empty() {
        let pairs = headers.iter().map(|(name, value)| (name.to_owned(), json!(value)));
        fields.insert("headers".into(), pairs.collect());
    }
    if let Some(id) = id {
        fields.insert("invocationId".into(), json!(id.as_str()));
    }
    fields
}

/// The value as JSON has it, which is also how it is translated.
fn value(raw: &Raw) -> Value {
    let json = Raw::new(HubProtocol::Json, raw).expect("the values of vectors have a form in JSON");
    json.decode().expect("the values of vectors are JSON that everybody can read")
}
