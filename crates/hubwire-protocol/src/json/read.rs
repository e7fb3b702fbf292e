use bytes::Bytes;
use bytestring::ByteString;
use serde::ser::Error as _;
use serde_json::{Error, value::RawValue};

use crate::{
    ArgumentList, Arguments, CancelInvocation, Close, Completion, EncodeError, Headers, HubMessage,
    HubProtocol, Invocation, InvocationId, Outcome, ParseError, Raw, StreamItem,
    argument_list::Elements,
    arguments::{Frame, Spans},
    json::object::{Text, Value, read_object},
    limits::{MAX_ARGUMENTS, MAX_HEADERS, MAX_STREAM_IDS},
};

/// Reads one message without its separator (HubProtocol.md, "JSON Encoding").
///
/// Beyond that text this follows ASP.NET's reader: properties in any order, unknown ones skipped, the last of several
/// equal ones wins, known ones must have their type whatever the message, null is no type. One difference: that reader
/// looks at nothing behind the object, we refuse what is no whitespace.
pub(crate) fn parse(frame: &Bytes) -> Result<HubMessage, ParseError> {
    let frame = &ByteString::try_from(frame.clone()).map_err(ParseError::not_utf8)?;
    let mut envelope = Envelope::default();
    read_object(frame, |name, value| envelope.read(name, value))?;
    let Some(number) = envelope.number else {
        return Err(ParseError::MissingProperty { property: "type" });
    };
    match number {
        1 => envelope.take_invocation(frame).map(HubMessage::Invocation),
        2 => envelope.take_stream_item(frame).map(HubMessage::StreamItem),
        3 => envelope.take_completion(frame).map(HubMessage::Completion),
        4 => envelope.take_stream_invocation(frame).map(HubMessage::StreamInvocation),
        5 => envelope.take_cancel_invocation(frame).map(HubMessage::CancelInvocation),
        6 => Ok(HubMessage::Ping),
        7 => Ok(HubMessage::Close(envelope.take_close())),
        8 => envelope.sequence_id().map(HubMessage::Ack),
        9 => envelope.sequence_id().map(HubMessage::Sequence),
        unknown => Ok(HubMessage::Unknown(unknown)),
    }
}

/// Writes `list` and finds its arguments again.
pub(crate) fn encode_arguments<A: ArgumentList + ?Sized>(
    list: &A,
) -> Result<Arguments, EncodeError> {
    let mut out = vec![b'['];
    list.write(&mut Elements::new(HubProtocol::Json, &mut out))?;
    out.push(b']');
    let text = String::from_utf8(out).map_err(|error| EncodeError::Json(Error::custom(error)))?;
    let elements: Vec<&RawValue> = serde_json::from_str(&text).map_err(EncodeError::Json)?;
    let start = text.as_ptr().addr();
    let spans = elements
        .iter()
        .map(|element| {
            let at = element.get().as_ptr().addr() - start;
            at..at + element.get().len()
        })
        .collect();
    Ok(Arguments { spans, frame: Frame::Json(text.into()) })
}

/// The properties of a message, as they came.
#[derive(Default)]
struct Envelope<'a> {
    allow_reconnect: bool,
    arguments: Option<Spans>,
    error: Option<Text<'a>>,
    headers: Vec<(Text<'a>, Text<'a>)>,
    invocation_id: Option<Text<'a>>,
    item: Option<&'a str>,
    number: Option<i64>,
    result: Option<&'a str>,
    sequence_id: Option<u64>,
    stream_ids: Vec<Text<'a>>,
    target: Option<Text<'a>>,
}

impl<'a> Envelope<'a> {
    fn read(&mut self, name: &str, value: Value<'_, 'a>) -> Result<(), ParseError> {
        match name {
            "allowReconnect" => self.allow_reconnect = value.boolean("allowReconnect")?,
            "arguments" => {
                self.arguments = Some(value.elements("arguments", MAX_ARGUMENTS)?);
            }
            "error" => self.error = Some(value.text("error")?),
            "headers" => self.headers = value.headers("headers", MAX_HEADERS)?,
            "invocationId" => self.invocation_id = Some(value.text("invocationId")?),
            "item" => self.item = Some(value.any()?),
            "result" => self.result = Some(value.any()?),
            "sequenceId" => self.sequence_id = value.number_or_null("sequenceId")?,
            "streamIds" => {
                self.stream_ids = value.texts("streamIds", MAX_STREAM_IDS)?;
            }
            "target" => self.target = Some(value.text("target")?),
            "type" => self.number = Some(value.number("type")?),
            _ => value.skip()?,
        }
        Ok(())
    }
}

impl Envelope<'_> {
    fn take_invocation(&mut self, frame: &ByteString) -> Result<Invocation, ParseError> {
        let target = self
            .target
            .take()
            .filter(|target| !target.as_str().is_empty())
            .ok_or(ParseError::MissingProperty { property: "target" })?;
        let spans =
            self.arguments.take().ok_or(ParseError::MissingProperty { property: "arguments" })?;
        Ok(Invocation {
            invocation_id: self.invocation_id().ok(),
            target: target.share(frame),
            arguments: Arguments { frame: Frame::Json(frame.clone()), spans },
            stream_ids: self.stream_ids.iter().map(|id| id.as_str().into()).collect(),
            headers: self.take_headers(frame),
        })
    }

    fn take_stream_invocation(&mut self, frame: &ByteString) -> Result<Invocation, ParseError> {
        // In the order of ASP.NET, which misses an absent target before the id and an empty one after it.
        if self.target.is_none() {
            return Err(ParseError::MissingProperty { property: "target" });
        }
        self.invocation_id()?;
        self.take_invocation(frame)
    }

    fn take_stream_item(&mut self, frame: &ByteString) -> Result<StreamItem, ParseError> {
        let invocation_id = self.invocation_id()?;
        let item = self.item.ok_or(ParseError::MissingProperty { property: "item" })?;
        let item = raw(frame, item);
        Ok(StreamItem { headers: self.take_headers(frame), invocation_id, item })
    }

    fn take_completion(&mut self, frame: &ByteString) -> Result<Completion, ParseError> {
        let invocation_id = self.invocation_id()?;
        let outcome = match (self.error.take(), self.result) {
            (Some(_), Some(_)) => return Err(ParseError::ErrorAndResult),
            (Some(error), None) => Outcome::Error(error.into_string()),
            (None, Some(result)) => Outcome::Value(raw(frame, result)),
            (None, None) => Outcome::Void,
        };
        Ok(Completion { headers: self.take_headers(frame), invocation_id, outcome })
    }

    fn take_cancel_invocation(
        &mut self,
        frame: &ByteString,
    ) -> Result<CancelInvocation, ParseError> {
        let invocation_id = self.invocation_id()?;
        Ok(CancelInvocation { headers: self.take_headers(frame), invocation_id })
    }

    fn take_close(&mut self) -> Close {
        let error = self.error.take().map(Text::into_string);
        Close { error, allow_reconnect: self.allow_reconnect }
    }

    fn invocation_id(&self) -> Result<InvocationId, ParseError> {
        match &self.invocation_id {
            Some(id) if !id.as_str().is_empty() => Ok(id.as_str().into()),
            _ => Err(ParseError::MissingProperty { property: "invocationId" }),
        }
    }

    fn sequence_id(&self) -> Result<u64, ParseError> {
        self.sequence_id.ok_or(ParseError::MissingProperty { property: "sequenceId" })
    }

    fn take_headers(&mut self, frame: &ByteString) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in self.headers.drain(..) {
            headers.push(name.share(frame), value.share(frame));
        }
        headers
    }
}

fn raw(frame: &ByteString, value: &str) -> Raw {
    Raw { protocol: HubProtocol::Json, bytes: frame.slice_ref(value).into_bytes() }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{MAX_ARGUMENTS, MAX_HEADERS, MAX_STREAM_IDS, parse};
    use crate::{HubMessage, ParseError};

    fn check_limit(property: &'static str, limit: usize, message: impl Fn(usize) -> String) {
        let read = |count| parse(&Bytes::from(message(count)));
        assert!(matches!(read(limit), Ok(HubMessage::Invocation(_))), "{property}");
        for count in [limit + 1, limit * 10] {
            assert_eq!(read(count), Err(ParseError::TooMany { property, limit }));
        }
    }

    #[test]
    fn lists_end_at_their_limits() {
        check_limit("arguments", MAX_ARGUMENTS, |count| {
            let arguments = vec!["0"; count].join(",");
            format!(r#"{{"type":1,"target":"T","arguments":[{arguments}]}}"#)
        });
        check_limit("streamIds", MAX_STREAM_IDS, |count| {
            let ids = vec![r#""1""#; count].join(",");
            format!(r#"{{"type":1,"target":"T","arguments":[],"streamIds":[{ids}]}}"#)
        });
        check_limit("headers", MAX_HEADERS, |count| {
            let headers = (0..count).map(|n| format!(r#""{n}":"""#)).collect::<Vec<_>>().join(",");
            format!(r#"{{"type":1,"target":"T","arguments":[],"headers":{{{headers}}}}}"#)
        });
    }

    #[test]
    fn what_has_no_escapes_is_not_copied() {
        let text =
            r#"{"type":1,"headers":{"h":"v"},"target":"Method","arguments":[ {"a" : 1} ,"\n"]}"#;
        let frame = Bytes::from(text);
        let HubMessage::Invocation(call) = parse(&frame).unwrap() else { panic!() };
        let object = call.arguments.get(0).unwrap();
        assert_eq!(object.as_bytes(), br#"{"a" : 1}"#);
        let escape = call.arguments.get(1).unwrap();
        assert_eq!(escape.as_bytes(), br#""\n""#);
        let within = frame.as_ptr_range();
        for slice in [
            call.target.as_bytes(),
            call.headers.get("h").unwrap().as_bytes(),
            object.as_bytes(),
            escape.as_bytes(),
        ] {
            assert!(within.contains(&slice.as_ptr()), "{slice:?}");
        }
    }
}
