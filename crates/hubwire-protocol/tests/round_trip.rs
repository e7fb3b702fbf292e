//! Whatever is written is read back the same, however it is torn; whatever is read, nothing panics.

use bytes::Bytes;
use hubwire_protocol::{
    Arguments, CancelInvocation, Close, Completion, Headers, HubMessage, HubProtocol, Invocation,
    InvocationHead, InvocationId, MessageReader, Outcome, Raw, StreamItem, Timestamp,
    handshake::{HandshakeRequest, HandshakeResponse, write_response},
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::Value;

proptest! {
    #[test]
    fn messages_come_back_as_they_were(
        (protocol, messages) in protocol().prop_flat_map(|p| (Just(p), vec(message(p), 0..8))),
        cuts in vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut wire = Vec::new();
        for message in &messages {
            protocol.write(&mut wire, message)?;
        }
        let frames = torn(protocol, &wire.into(), &cuts);
        prop_assert_eq!(frames.len(), messages.len());
        for (frame, message) in frames.iter().zip(&messages) {
            prop_assert_eq!(&protocol.parse(frame)?, message);
        }
    }

    #[test]
    fn what_is_translated_there_and_back_means_the_same(
        (protocol, values) in protocol().prop_flat_map(|p| (Just(p), (value(), value(), value()))),
    ) {
        let arguments = Arguments::new(protocol, &values)?;
        for other in HubProtocol::ALL {
            let there = Arguments::new(*other, &arguments)?;
            prop_assert_eq!(there.len(), 3);
            let back = Arguments::new(protocol, &there)?;
            for (index, value) in [&values.0, &values.1, &values.2].into_iter().enumerate() {
                prop_assert_eq!(&there.decode::<Value>(index)?, value);
                prop_assert_eq!(&back.decode::<Value>(index)?, value);
                // Undecoded inside of something else it is still the same.
                let kept: (Raw, ()) = Raw::new(protocol, &(back.get(index), ()))?.decode()?;
                prop_assert_eq!(Some(kept.0), back.get(index));
            }
        }
    }

    #[test]
    fn what_is_written_piece_by_piece_is_what_the_message_writes(
        protocol in protocol(),
        headers in headers(text),
        id in text(),
        target in text(),
        values in (value(), value(), value()),
        error in text(),
        stream_ids in vec(invocation_id(), 0..4),
    ) {
        let pieces = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut out = b"before".to_vec();
            write(&mut out);
            out
        };
        let whole = |message: &HubMessage| pieces(&|out| protocol.write(out, message).expect("a form"));
        let none = Headers::new();
        let invocation_id = InvocationId::from(&*id);
        let head = InvocationHead {
            headers: &headers,
            invocation_id: Some(&id),
            target: &target,
            stream_ids: &stream_ids,
        };
        let call = Invocation {
            headers: headers.clone(),
            invocation_id: Some(invocation_id.clone()),
            target: target.as_str().into(),
            arguments: Arguments::new(protocol, &values)?,
            stream_ids: stream_ids.clone(),
        };
        let item = Raw::new(protocol, &values.0)?;
        let completion = |outcome| HubMessage::Completion(Completion {
            headers: none.clone(),
            invocation_id: invocation_id.clone(),
            outcome,
        });

        prop_assert_eq!(
            pieces(&|out| protocol.write_invocation(out, &head, &values).expect("a form")),
            whole(&HubMessage::Invocation(call.clone()))
        );
        prop_assert_eq!(
            pieces(&|out| protocol.write_stream_invocation(out, &head, &call.arguments).expect("a form")),
            whole(&HubMessage::StreamInvocation(call))
        );
        prop_assert_eq!(
            pieces(&|out| protocol.write_stream_item(out, &id, &values.0).expect("a form")),
            whole(&HubMessage::StreamItem(StreamItem {
                headers: none.clone(),
                invocation_id: invocation_id.clone(),
                item: item.clone(),
            }))
        );
        prop_assert_eq!(
            pieces(&|out| protocol.write_result(out, &id, &values.0).expect("a form")),
            whole(&completion(Outcome::Value(item)))
        );
        prop_assert_eq!(
            pieces(&|out| protocol.write_completed(out, &id)),
            whole(&completion(Outcome::Void))
        );
        prop_assert_eq!(
            pieces(&|out| protocol.write_error(out, &id, &error)),
            whole(&completion(Outcome::Error(error)))
        );
        prop_assert_eq!(
            pieces(&|out| protocol.write_cancel(out, &id)),
            whole(&HubMessage::CancelInvocation(CancelInvocation {
                headers: none.clone(),
                invocation_id: invocation_id.clone(),
            }))
        );
    }

    #[test]
    fn handshakes_come_back_as_they_were(
        protocol in text(),
        version in any::<i64>(),
        error in option::of(text()),
        cuts in vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let request = HandshakeRequest { protocol, version };
        let mut wire = Vec::new();
        request.write(&mut wire);
        write_response(&mut wire, error.as_deref());
        let frames = torn(HubProtocol::Json, &wire.into(), &cuts);
        prop_assert_eq!(frames.len(), 2);
        prop_assert_eq!(HandshakeRequest::parse(&frames[0])?, request);
        prop_assert_eq!(HandshakeResponse::parse(&frames[1])?, HandshakeResponse { error });
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error(bytes in vec(any::<u8>(), 0..512)) {
        read_everything(&bytes.into())?;
    }

    #[test]
    fn any_near_miss_is_a_message_or_an_error(
        (protocol, message) in protocol().prop_flat_map(|p| (Just(p), message(p))),
        at in any::<prop::sample::Index>(),
        other in prop_oneof![any::<u8>(), prop::sample::select(&b"\"\\{}[],:0e-n \x80\x91\xc0\xdf"[..])],
    ) {
        let mut wire = Vec::new();
        protocol.write(&mut wire, &message)?;
        let mut frame = torn(protocol, &wire.into(), &[]).remove(0).to_vec();
        let at = at.index(frame.len());
        frame[at] = other;
        read_everything(&frame.into())?;
    }

    #[test]
    fn any_message_cut_short_is_an_error(
        (protocol, message) in protocol().prop_flat_map(|p| (Just(p), message(p))),
    ) {
        let mut wire = Vec::new();
        protocol.write(&mut wire, &message)?;
        let frame = torn(protocol, &wire.into(), &[]).remove(0);
        for end in 0..frame.len() {
            prop_assert!(protocol.parse(&frame.slice(..end)).is_err(), "{end} of {frame:?}");
        }
    }

    #[test]
    fn any_text_of_json_tokens_is_a_message_or_an_error(
        tokens in vec(prop::sample::select(&[
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "d800", "null", "true", "1", "-", ".5",
            "e9", " ", "\n", "\"type\":", "\"target\":\"a\"", "\"arguments\":[", "\"headers\":{",
            "\"streamIds\":[", "\"invocationId\":\"1\"", "\"item\":", "\"result\":", "\"error\":\"\"",
        ][..]), 0..200),
    ) {
        read_everything(&tokens.concat().into())?;
    }
}

/// Reads `frame` as whatever it could be; a message that is found in it comes back when it is written.
fn read_everything(frame: &Bytes) -> Result<(), TestCaseError> {
    let _ = HandshakeRequest::parse(frame);
    let response = HandshakeResponse::parse(frame);
    for protocol in HubProtocol::ALL {
        match protocol.parse(frame) {
            Ok(HubMessage::Unknown(_)) => {}
            Ok(message) => {
                prop_assert!(response.is_err(), "no message answers a handshake: {message:?}");
                let mut out = Vec::new();
                protocol.write(&mut out, &message)?;
                let written = torn(*protocol, &out.into(), &[]);
                prop_assert_eq!(written.len(), 1);
                prop_assert_eq!(&protocol.parse(&written[0])?, &message);
                read_arguments(&message)?;
            }
            Err(error) => prop_assert!(error.to_string().len() < 400, "{error}"),
        }
    }
    Ok(())
}

/// Whatever an argument is taken for, and whatever it is translated to, it becomes that or an error.
fn read_arguments(message: &HubMessage) -> Result<(), TestCaseError> {
    let (HubMessage::Invocation(call) | HubMessage::StreamInvocation(call)) = message else {
        return Ok(());
    };
    for argument in (0..call.arguments.len()).filter_map(|index| call.arguments.get(index)) {
        let _ = argument.decode::<Value>();
        let _ = argument.decode::<Vec<u8>>();
        let _ = argument.decode::<Timestamp>();
        prop_assert_eq!(&argument.decode::<Raw>()?, &argument);
        for protocol in HubProtocol::ALL {
            let _ = Raw::new(*protocol, &argument);
        }
    }
    Ok(())
}

/// Cuts `wire` into payloads and reads the frames as they come.
fn torn(protocol: HubProtocol, wire: &Bytes, cuts: &[prop::sample::Index]) -> Vec<Bytes> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.push(wire.len());
    let mut reader = MessageReader::new(Some(wire.len()));
    reader.frame_by(protocol);
    let mut frames = Vec::new();
    let mut start = 0;
    for end in cuts {
        reader.push(wire.slice(start..end));
        start = end;
        while let Some(frame) = reader.next_frame().expect("no message is larger than all") {
            frames.push(frame);
        }
    }
    assert_eq!(reader.buffered(), 0);
    frames
}

fn protocol() -> impl Strategy<Value = HubProtocol> {
    prop::sample::select(HubProtocol::ALL)
}

fn message(protocol: HubProtocol) -> impl Strategy<Value = HubMessage> {
    let stream_item = (message_headers(protocol), invocation_id(), raw(protocol)).prop_map(
        |(headers, invocation_id, item)| {
            HubMessage::StreamItem(StreamItem { headers, invocation_id, item })
        },
    );
    let completion = (message_headers(protocol), invocation_id(), outcome(protocol)).prop_map(
        |(headers, invocation_id, outcome)| {
            HubMessage::Completion(Completion { headers, invocation_id, outcome })
        },
    );
    let stream_invocation = (invocation(protocol), invocation_id()).prop_map(|(call, id)| {
        HubMessage::StreamInvocation(Invocation { invocation_id: Some(id), ..call })
    });
    let cancel =
        (message_headers(protocol), invocation_id()).prop_map(|(headers, invocation_id)| {
            HubMessage::CancelInvocation(CancelInvocation { headers, invocation_id })
        });
    let close = (option::of(text()), any::<bool>())
        .prop_map(|(error, allow_reconnect)| HubMessage::Close(Close { error, allow_reconnect }));
    prop_oneof![
        invocation(protocol).prop_map(HubMessage::Invocation),
        stream_item,
        completion,
        stream_invocation,
        cancel,
        Just(HubMessage::Ping),
        close,
        any::<u64>().prop_map(HubMessage::Ack),
        any::<u64>().prop_map(HubMessage::Sequence),
    ]
}

fn invocation(protocol: HubProtocol) -> impl Strategy<Value = Invocation> {
    let parts = (
        message_headers(protocol),
        option::of(invocation_id()),
        "(?s).{1,20}",
        arguments(protocol),
        vec(invocation_id(), 0..4),
    );
    parts.prop_map(|(headers, invocation_id, target, arguments, stream_ids)| Invocation {
        headers,
        invocation_id,
        target: target.into(),
        arguments,
        stream_ids,
    })
}

fn outcome(protocol: HubProtocol) -> impl Strategy<Value = Outcome> {
    prop_oneof![
        text().prop_map(Outcome::Error),
        raw(protocol).prop_map(Outcome::Value),
        Just(Outcome::Void),
    ]
}

fn arguments(protocol: HubProtocol) -> impl Strategy<Value = Arguments> {
    prop_oneof![
        Just(()).prop_map(move |none| Arguments::new(protocol, &none)),
        value().prop_map(move |a| Arguments::new(protocol, &(a,))),
        (value(), value()).prop_map(move |list| Arguments::new(protocol, &list)),
        (value(), value(), value(), value(), value())
            .prop_map(move |list| Arguments::new(protocol, &list)),
    ]
    .prop_map(|arguments| arguments.expect("a JSON value can be written"))
}

fn raw(protocol: HubProtocol) -> impl Strategy<Value = Raw> {
    value().prop_map(move |value| Raw::new(protocol, &value).expect("a JSON value can be written"))
}

/// Headers that this protocol reads: MessagePack refuses empty names and values, as ASP.NET does.
fn message_headers(protocol: HubProtocol) -> BoxedStrategy<Headers> {
    match protocol {
        HubProtocol::Json => headers(text).boxed(),
        _ => headers(|| "(?s).{1,20}").boxed(),
    }
}

fn headers<T: Strategy<Value = String>>(text: impl Fn() -> T) -> impl Strategy<Value = Headers> {
    vec((text(), text()), 0..4).prop_map(|pairs| {
        let mut headers = Headers::new();
        pairs.into_iter().for_each(|(name, value)| headers.push(name, value));
        headers
    })
}

/// Not empty: an empty id means that there is none.
fn invocation_id() -> impl Strategy<Value = InvocationId> {
    prop_oneof!["[0-9]{1,30}", "(?s).{1,30}"].prop_map(|text| InvocationId::from(&*text))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,20}", "(?s).{0,20}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((text(), inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}
