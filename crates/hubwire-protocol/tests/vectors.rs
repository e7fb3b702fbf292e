//! The shared vectors (tests/vectors at the root of the repository), each through one `check`.

use std::{fmt::Debug, fs, path::Path};

use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use hubwire_protocol::{
    Encoded, Headers, HubMessage, HubProtocol, Invocation, InvocationId, MessageReader, Outcome,
    handshake::{HandshakeRequest, HandshakeResponse, write_response},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

#[test]
fn json_messages() {
    for case in read_vectors::<Case>("json-messages.json") {
        check(&case, parse_message, write_message);
    }
}

#[test]
fn json_errors() {
    for case in read_vectors::<Case>("json-errors.json") {
        check(&case, parse_message, write_message);
    }
}

#[test]
fn handshakes() {
    for case in read_vectors::<Case>("handshake.json") {
        match case.direction {
            Direction::ToServer => check(
                &case,
                |frame| HandshakeRequest::parse(frame).map_err(|error| error.to_string()),
                |request, out| request.write(out),
            ),
            Direction::ToClient => check(
                &case,
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
        // All at once and one after another, taking frames in between: the result is the same.
        let mut together = MessageReader::new(case.limit);
        let mut apart = MessageReader::new(case.limit);
        let mut frames = Vec::new();
        let mut end = Ok(());
        for payload in &case.payloads {
            together.push(Bytes::from(payload.clone()));
            apart.push(Bytes::from(payload.clone()));
            end = drain(&mut apart, &mut frames);
        }
        assert_eq!(frames, case.frames, "{}: {}", case.name, case.why);
        assert_eq!(end.err(), case.error, "{}: {}", case.name, case.why);
        assert_eq!(apart.buffered(), case.buffered, "{}: {}", case.name, case.why);

        let mut frames = Vec::new();
        let end = drain(&mut together, &mut frames);
        assert_eq!(frames, case.frames, "{}: {}", case.name, case.why);
        assert_eq!(end.err(), case.error, "{}: {}", case.name, case.why);
        assert_eq!(together.buffered(), case.buffered, "{}: {}", case.name, case.why);
    }
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

/// Parses the case whole, then torn at every byte, and writes it back.
fn check<T: Notation + Debug>(
    case: &Case,
    parse: impl Fn(&Bytes) -> Result<T, String>,
    write: impl Fn(&T, &mut Vec<u8>),
) {
    let about = format!("{}: {}", case.name, case.why);
    let bytes = match (&case.bytes, &case.base64) {
        (Some(text), None) => Bytes::from(text.clone()),
        (None, Some(text)) => BASE64_STANDARD.decode(text).expect("base64 is well formed").into(),
        _ => panic!("{about}: either bytes or base64"),
    };
    let frame = one_frame([bytes.clone()]);
    let parsed = parse(&frame);
    match (&case.message, &case.error) {
        (Some(message), None) => {
            assert_eq!(parsed.as_ref().map(Notation::notation), Ok(message.clone()), "{about}");
        }
        (None, Some(error)) => assert_eq!(parsed.as_ref().err(), Some(error), "{about}"),
        _ => panic!("{about}: either message or error"),
    }

    for at in 0..=bytes.len() {
        assert_eq!(one_frame([bytes.slice(..at), bytes.slice(at..)]), frame, "{about}, at {at}");
    }
    assert_eq!(one_frame((0..bytes.len()).map(|at| bytes.slice(at..=at))), frame, "{about}");

    let Ok(message) = parsed else { return };
    let mut written = Vec::new();
    write(&message, &mut written);
    if written.is_empty() {
        // A message of an unknown type is never sent.
        return;
    }
    assert_eq!(written == bytes, case.canonical, "{about}, wrote {written:?}");
    let again = parse(&one_frame([written.into()]));
    assert_eq!(again.map(|message| message.notation()), Ok(message.notation()), "{about}");
}

/// The only frame of these payloads.
fn one_frame(payloads: impl IntoIterator<Item = Bytes>) -> Bytes {
    let mut reader = MessageReader::new(None);
    payloads.into_iter().for_each(|payload| reader.push(payload));
    let frame = reader.next_frame().expect("there is no limit").expect("a case is one frame");
    assert_eq!(reader.next_frame(), Ok(None));
    assert_eq!(reader.buffered(), 0);
    frame
}

fn drain(reader: &mut MessageReader, frames: &mut Vec<String>) -> Result<(), String> {
    while let Some(frame) = reader.next_frame().map_err(|error| error.to_string())? {
        frames.push(String::from_utf8_lossy(&frame).into_owned());
    }
    Ok(())
}

fn parse_message(frame: &Bytes) -> Result<HubMessage, String> {
    HubProtocol::Json.parse(frame).map_err(|error| error.to_string())
}

fn write_message(message: &HubMessage, out: &mut Vec<u8>) {
    let written = HubProtocol::Json.write(out, message);
    assert_eq!(written.is_err(), matches!(message, HubMessage::Unknown(_)));
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

fn value(encoded: &Encoded) -> Value {
    encoded.decode().expect("the values of vectors are JSON that everybody can read")
}
