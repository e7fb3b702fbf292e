//! A message as MessagePack has it, in the order of ASP.NET's writer.

use serde::Serialize;

use super::{output, serializer};
use crate::{
    ArgumentList, Close, EncodeError, Headers, HubMessage, HubProtocol, Invocation, InvocationHead,
    InvocationId, Outcome, Raw, argument_list::Elements, length_prefix,
};

/// The kinds of a completion.
const ERROR: u64 = 1;
const VOID: u64 = 2;
const VALUE: u64 = 3;

/// The longest message that its length can be said of: 31 bits.
const LONGEST: usize = 0x7fff_ffff;

/// Writes any message; items come as ASP.NET's writer has them, also those that could be left out.
pub(crate) fn write(out: &mut Vec<u8>, message: &HubMessage) -> Result<(), EncodeError> {
    match message {
        HubMessage::Invocation(invocation) => write_parsed_invocation(out, 1, invocation)?,
        HubMessage::StreamItem(item) => {
            let mut record = Record::new(out, 4, 2, &item.headers);
            record.text(item.invocation_id.as_str());
            record.raw(&item.item)?;
            record.finish()?;
        }
        HubMessage::Completion(completion) => {
            let (headers, id) = (&completion.headers, completion.invocation_id.as_str());
            match &completion.outcome {
                Outcome::Error(error) => write_failure(out, headers, id, error)?,
                Outcome::Value(value) => {
                    let mut record = Record::new(out, 5, 3, headers);
                    record.text(id);
                    record.number(VALUE);
                    record.raw(value)?;
                    record.finish()?;
                }
                Outcome::Void => write_end(out, headers, id)?,
            }
        }
        HubMessage::StreamInvocation(invocation) => write_parsed_invocation(out, 4, invocation)?,
        HubMessage::CancelInvocation(cancel) => {
            let mut record = Record::new(out, 3, 5, &cancel.headers);
            record.text(cancel.invocation_id.as_str());
            record.finish()?;
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
    number: u64,
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
    number: u64,
    head: &InvocationHead<'_>,
    arguments: &A,
) -> Result<(), EncodeError> {
    let mut record = Record::new(out, 6, number, head.headers);
    match head.invocation_id.filter(|id| !id.is_empty()) {
        Some(id) => record.text(id),
        None => record.nil(),
    }
    record.text(head.target);
    record.arguments(arguments)?;
    record.stream_ids(head.stream_ids);
    record.finish()
}

pub(crate) fn write_stream_item<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    invocation_id: &str,
    item: &T,
) -> Result<(), EncodeError> {
    let mut record = Record::new(out, 4, 2, &Headers::new());
    record.text(invocation_id);
    record.value(item)?;
    record.finish()
}

pub(crate) fn write_result<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    invocation_id: &str,
    value: &T,
) -> Result<(), EncodeError> {
    let mut record = Record::new(out, 5, 3, &Headers::new());
    record.text(invocation_id);
    record.number(VALUE);
    record.value(value)?;
    record.finish()
}

pub(crate) fn write_completed(out: &mut Vec<u8>, invocation_id: &str) {
    write_end(out, &Headers::new(), invocation_id).expect(SHORT);
}

fn write_end(out: &mut Vec<u8>, headers: &Headers, invocation_id: &str) -> Result<(), EncodeError> {
    let mut record = Record::new(out, 4, 3, headers);
    record.text(invocation_id);
    record.number(VOID);
    record.finish()
}

pub(crate) fn write_error(out: &mut Vec<u8>, invocation_id: &str, error: &str) {
    write_failure(out, &Headers::new(), invocation_id, error).expect(SHORT);
}

fn write_failure(
    out: &mut Vec<u8>,
    headers: &Headers,
    invocation_id: &str,
    error: &str,
) -> Result<(), EncodeError> {
    let mut record = Record::new(out, 5, 3, headers);
    record.text(invocation_id);
    record.number(ERROR);
    record.text(error);
    record.finish()
}

pub(crate) fn write_cancel(out: &mut Vec<u8>, invocation_id: &str) {
    let mut record = Record::new(out, 3, 5, &Headers::new());
    record.text(invocation_id);
    record.finish().expect(SHORT);
}

pub(crate) fn write_ping(out: &mut Vec<u8>) {
    Record::bare(out, 1, 6).finish().expect(SHORT);
}

/// An empty error stays one, as in JSON; ASP.NET's writer turns it into nil here, and into an empty text there.
pub(crate) fn write_close(out: &mut Vec<u8>, close: &Close) {
    let mut record = Record::bare(out, 3, 7);
    match &close.error {
        Some(error) => record.text(error),
        None => record.nil(),
    }
    record.boolean(close.allow_reconnect);
    record.finish().expect(SHORT);
}

pub(crate) fn write_ack(out: &mut Vec<u8>, sequence_id: u64) {
    let mut record = Record::bare(out, 2, 8);
    record.number(sequence_id);
    record.finish().expect(SHORT);
}

pub(crate) fn write_sequence(out: &mut Vec<u8>, sequence_id: u64) {
    let mut record = Record::bare(out, 2, 9);
    record.number(sequence_id);
    record.finish().expect(SHORT);
}

/// Why messages without values of others cannot be too long: ids and error texts are nowhere near 2 GiB.
const SHORT: &str = "a message without values is shorter than 2 GiB";

/// A message that is being written. Dropped before it is finished, by an error or by a panic in somebody's `Serialize`,
/// it leaves no trace: half a message would spoil all that follow.
struct Record<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
}

impl<'o> Record<'o> {
    /// A message without headers.
    fn bare(out: &'o mut Vec<u8>, items: u32, number: u64) -> Self {
        let start = out.len();
        // The place of the length, which is one byte for most messages; the others are moved when it is known.
        out.push(0);
        output::array(out, items);
        output::unsigned(out, number);
        Self { out, start }
    }

    fn new(out: &'o mut Vec<u8>, items: u32, number: u64, headers: &Headers) -> Self {
        let record = Self::bare(out, items, number);
        output::map(record.out, headers.len() as u32);
        for (name, value) in headers.iter() {
            output::text(record.out, name);
            output::text(record.out, value);
        }
        record
    }

    fn nil(&mut self) {
        output::nil(self.out);
    }

    fn boolean(&mut self, value: bool) {
        output::boolean(self.out, value);
    }

    fn number(&mut self, number: u64) {
        output::unsigned(self.out, number);
    }

    fn text(&mut self, text: &str) {
        output::text(self.out, text);
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        serializer::to_writer(self.out, value).map_err(EncodeError::MessagePack)
    }

    fn raw(&mut self, value: &Raw) -> Result<(), EncodeError> {
        Elements::new(HubProtocol::MessagePack, self.out).raw(value)
    }

    fn arguments<A: ArgumentList + ?Sized>(&mut self, arguments: &A) -> Result<(), EncodeError> {
        output::array(self.out, arguments.count());
        arguments.write(&mut Elements::new(HubProtocol::MessagePack, self.out))
    }

    fn stream_ids(&mut self, stream_ids: &[InvocationId]) {
        output::array(self.out, stream_ids.len() as u32);
        for id in stream_ids {
            output::text(self.out, id.as_str());
        }
    }

    fn finish(mut self) -> Result<(), EncodeError> {
        let length = self.out.len() - self.start - 1;
        if length > LONGEST {
            return Err(EncodeError::TooLong { length });
        }
        self.out.splice(self.start..=self.start, length_prefix::encode(length as u32));
        self.start = self.out.len();
        Ok(())
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        self.out.truncate(self.start);
    }
}

#[cfg(test)]
mod tests {
    use std::panic;

    use serde::{Serialize, Serializer};

    use super::{write_error, write_invocation, write_ping, write_result, write_stream_item};
    use crate::{EncodeError, InvocationHead};

    #[test]
    fn a_message_that_cannot_be_written_leaves_no_trace() {
        let unwritable = u128::MAX;
        let head = InvocationHead::new("T");
        let mut out = b"before".to_vec();
        for result in [
            write_invocation(&mut out, &head, &("a long argument first", &unwritable)),
            write_stream_item(&mut out, "1", &unwritable),
            write_result(&mut out, "1", &[&unwritable]),
        ] {
            assert!(matches!(result, Err(EncodeError::MessagePack(_))), "{result:?}");
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
    fn a_length_moves_only_its_own_message() {
        let mut out = Vec::new();
        write_ping(&mut out);
        for len in [0, 100, 119, 120, 200, 16_000, 17_000, 3_000_000] {
            let before = out.clone();
            write_error(&mut out, "1", &"x".repeat(len));
            write_ping(&mut out);
            assert_eq!(out[..before.len()], before);
            assert!(out.ends_with(b"\x02\x91\x06"));
            let (prefix, message) = out[before.len()..out.len() - 3].split_at(match len {
                0..=119 => 1,
                120..=16_000 => 2,
                16_001..=17_000 => 3,
                _ => 4,
            });
            let (byte, more) = prefix.split_last().unwrap();
            let length = more.iter().rev().fold(usize::from(*byte), |length, byte| {
                assert_eq!(byte & 0x80, 0x80);
                length << 7 | usize::from(byte & 0x7f)
            });
            assert_eq!(length, message.len(), "{prefix:?}");
        }
    }
}
