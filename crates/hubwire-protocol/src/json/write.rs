use serde::Serialize;

use crate::{
    ArgumentList, Close, EncodeError, Headers, HubMessage, HubProtocol, Invocation, InvocationHead,
    InvocationId, Outcome, Raw,
    argument_list::Elements,
    json::{RECORD_SEPARATOR, to_writer, write_text},
};

/// Writes any message; properties come in the order of ASP.NET's writer.
pub(crate) fn write(out: &mut Vec<u8>, message: &HubMessage) -> Result<(), EncodeError> {
    match message {
        HubMessage::Invocation(invocation) => write_parsed_invocation(out, 1, invocation)?,
        HubMessage::StreamItem(item) => {
            let mut record = Record::new(out, 2, &item.headers);
            record.text("invocationId", item.invocation_id.as_str());
            record.raw("item", &item.item)?;
            record.finish();
        }
        HubMessage::Completion(completion) => {
            let mut record = Record::new(out, 3, &completion.headers);
            record.text("invocationId", completion.invocation_id.as_str());
            match &completion.outcome {
                Outcome::Error(error) => record.text("error", error),
                Outcome::Value(value) => record.raw("result", value)?,
                Outcome::Void => {}
            }
            record.finish();
        }
        HubMessage::StreamInvocation(invocation) => write_parsed_invocation(out, 4, invocation)?,
        HubMessage::CancelInvocation(cancel) => {
            let mut record = Record::new(out, 5, &cancel.headers);
            record.text("invocationId", cancel.invocation_id.as_str());
            record.finish();
        }
        HubMessage::Ping => write_ping(out),
        HubMessage::Close(close) => write_close(out, close),
        HubMessage::Ack(sequence_id) => write_ack(out, *sequence_id),
        HubMessage::Sequence(sequence_id) => write_sequence(out, *sequence_id),
        HubMessage::Unknown(number) => return Err(EncodeError::UnknownType { number: *number }),
    }
    Ok(())
}

fn write_parsed_invocation(
    out: &mut Vec<u8>,
    number: u8,
    invocation: &Invocation,
) -> Result<(), EncodeError> {
    let head = InvocationHead {
        headers: &invocation.headers,
        invocation_id: invocation.invocation_id.as_ref().map(InvocationId::as_str),
        target: &invocation.target,
        stream_ids: &invocation.stream_ids,
    };
    write_call(out, number, &head, &invocation.arguments)
}

pub(crate) fn write_invocation<A: ArgumentList + ?Sized>(
    out: &mut Vec<u8>,
    head: &InvocationHead<'_>,
    arguments: &A,
) -> Result<(), EncodeError> {
    write_call(out, 1, head, arguments)
}

pub(crate) fn write_stream_invocation<A: ArgumentList + ?Sized>(
    out: &mut Vec<u8>,
    head: &InvocationHead<'_>,
    arguments: &A,
) -> Result<(), EncodeError> {
    write_call(out, 4, head, arguments)
}

fn write_call<A: ArgumentList + ?Sized>(
    out: &mut Vec<u8>,
    number: u8,
    head: &InvocationHead<'_>,
    arguments: &A,
) -> Result<(), EncodeError> {
    let mut record = Record::new(out, number, head.headers);
    if let Some(id) = head.invocation_id.filter(|id| !id.is_empty()) {
        record.text("invocationId", id);
    }
    record.text("target", head.target);
    record.arguments(arguments)?;
    record.stream_ids(head.stream_ids);
    record.finish();
    Ok(())
}

pub(crate) fn write_stream_item<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    invocation_id: &str,
    item: &T,
) -> Result<(), EncodeError> {
    let mut record = Record::about(out, 2, invocation_id);
    record.value("item", item)?;
    record.finish();
    Ok(())
}

pub(crate) fn write_result<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    invocation_id: &str,
    value: &T,
) -> Result<(), EncodeError> {
    let mut record = Record::about(out, 3, invocation_id);
    record.value("result", value)?;
    record.finish();
    Ok(())
}

pub(crate) fn write_completed(out: &mut Vec<u8>, invocation_id: &str) {
    Record::about(out, 3, invocation_id).finish();
}

pub(crate) fn write_error(out: &mut Vec<u8>, invocation_id: &str, error: &str) {
    let mut record = Record::about(out, 3, invocation_id);
    record.text("error", error);
    record.finish();
}

pub(crate) fn write_cancel(out: &mut Vec<u8>, invocation_id: &str) {
    Record::about(out, 5, invocation_id).finish();
}

pub(crate) fn write_ping(out: &mut Vec<u8>) {
    Record::new(out, 6, &Headers::new()).finish();
}

pub(crate) fn write_close(out: &mut Vec<u8>, close: &Close) {
    let mut record = Record::new(out, 7, &Headers::new());
    if let Some(error) = &close.error {
        record.text("error", error);
    }
    if close.allow_reconnect {
        record.name("allowReconnect");
        record.out.extend_from_slice(b"true");
    }
    record.finish();
}

pub(crate) fn write_ack(out: &mut Vec<u8>, sequence_id: u64) {
    let mut record = Record::new(out, 8, &Headers::new());
    record.number("sequenceId", sequence_id);
    record.finish();
}

pub(crate) fn write_sequence(out: &mut Vec<u8>, sequence_id: u64) {
    let mut record = Record::new(out, 9, &Headers::new());
    record.number("sequenceId", sequence_id);
    record.finish();
}

/// A message that is being written. Dropped before it is finished, by an error or by a panic in somebody's `Serialize`,
/// it leaves no trace: half a message would spoil all that follow.
struct Record<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
}

impl<'o> Record<'o> {
    fn new(out: &'o mut Vec<u8>, number: u8, headers: &Headers) -> Self {
        let start = out.len();
        out.extend_from_slice(b"{\"type\":");
        out.push(b'0' + number);
        let mut record = Self { out, start };
        record.headers(headers);
        record
    }

    fn about(out: &'o mut Vec<u8>, number: u8, invocation_id: &str) -> Self {
        let mut record = Self::new(out, number, &Headers::new());
        record.text("invocationId", invocation_id);
        record
    }

    /// Every name of the envelope is plain ASCII, so nothing in it needs an escape.
    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        write_text(self.out, text);
    }

    fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        serde_json::to_writer(&mut *self.out, &number)
            .expect("every number has a JSON form, and a Vec takes every byte");
    }

    fn value<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), EncodeError> {
        self.name(name);
        to_writer(self.out, value).map_err(EncodeError::Json)
    }

    fn raw(&mut self, name: &str, value: &Raw) -> Result<(), EncodeError> {
        self.name(name);
        Elements::new(HubProtocol::Json, self.out).raw(value)
    }

    fn arguments<A: ArgumentList + ?Sized>(&mut self, arguments: &A) -> Result<(), EncodeError> {
        self.name("arguments");
        self.out.push(b'[');
        arguments.write(&mut Elements::new(HubProtocol::Json, self.out))?;
        self.out.push(b']');
        Ok(())
    }

    fn stream_ids(&mut self, stream_ids: &[InvocationId]) {
        if stream_ids.is_empty() {
            return;
        }
        self.name("streamIds");
        for (index, id) in stream_ids.iter().enumerate() {
            self.out.push(if index == 0 { b'[' } else { b',' });
            write_text(self.out, id.as_str());
        }
        self.out.push(b']');
    }

    fn headers(&mut self, headers: &Headers) {
        if headers.is_empty() {
            return;
        }
        self.name("headers");
        for (index, (name, value)) in headers.iter().enumerate() {
            self.out.push(if index == 0 { b'{' } else { b',' });
            write_text(self.out, name);
            self.out.push(b':');
            write_text(self.out, value);
        }
        self.out.push(b'}');
    }

    fn finish(mut self) {
        self.out.extend_from_slice(&[b'}', RECORD_SEPARATOR]);
        self.start = self.out.len();
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        self.out.truncate(self.start);
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, panic};

    use serde::{Serialize, Serializer};

    use super::{write_invocation, write_result, write_stream_item};
    use crate::{EncodeError, InvocationHead};

    #[test]
    fn a_message_that_cannot_be_written_leaves_no_trace() {
        let unwritable = HashMap::from([([1], 2)]);
        let head = InvocationHead::new("T");
        let mut out = b"before".to_vec();
        for result in [
            write_invocation(&mut out, &head, &("a long argument first", &unwritable)),
            write_stream_item(&mut out, "1", &unwritable),
            write_result(&mut out, "1", &[&unwritable]),
        ] {
            assert!(matches!(result, Err(EncodeError::Json(_))), "{result:?}");
            assert_eq!(out, b"before");
        }
    }

    #[test]
    fn a_panic_in_a_value_leaves_no_trace_either() {
        struct Panics;

        impl Serialize for Panics {
            fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
                panic!("on purpose")
            }
        }

        let mut out = b"before".to_vec();
        let writing = panic::AssertUnwindSafe(|| write_result(&mut out, "1", &(1, Panics)));
        assert!(panic::catch_unwind(writing).is_err());
        assert_eq!(out, b"before");
    }

    #[test]
    fn messages_are_appended_one_after_another() {
        let mut out = Vec::new();
        write_result(&mut out, "1", &()).unwrap();
        write_stream_item(&mut out, "2", "text").unwrap();
        assert_eq!(
            out,
            b"{\"type\":3,\"invocationId\":\"1\",\"result\":null}\x1e{\"type\":2,\"invocationId\":\"2\",\"item\":\"text\"}\x1e"
        );
    }
}
