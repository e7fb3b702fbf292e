//! A message as MessagePack has it: the envelope is read, values are only found.

use std::ops::Range;

use bytes::Bytes;
use bytestring::ByteString;

use super::{
    error::ReadError,
    input::{Head, Input},
    output,
};
use crate::{
    ArgumentList, Arguments, CancelInvocation, Close, Completion, EncodeError, Headers, HubMessage,
    HubProtocol, Invocation, InvocationId, Outcome, ParseError, Raw, StreamItem,
    argument_list::Elements,
    arguments::{Frame, Spans},
    limits::{MAX_ARGUMENTS, MAX_DEPTH, MAX_HEADERS, MAX_STREAM_IDS},
};

/// Reads one message without its length.
///
/// As ASP.NET's reader does: an invocation may end before its streams and a Close before its second item, what stands
/// behind the known items is skipped, an empty id is none. Two differences: a Close may be its number alone, as in JSON,
/// and bytes behind the message are refused.
pub(crate) fn parse(frame: &Bytes) -> Result<HubMessage, ParseError> {
    let mut items = Items::begin(frame)?;
    let message = match items.number("messageType", "Int32")? {
        1 => HubMessage::Invocation(items.invocation(Answer::IfWanted)?),
        2 => HubMessage::StreamItem(items.stream_item()?),
        3 => HubMessage::Completion(items.completion()?),
        4 => HubMessage::StreamInvocation(items.invocation(Answer::Always)?),
        5 => HubMessage::CancelInvocation(items.cancel_invocation()?),
        6 => HubMessage::Ping,
        7 => HubMessage::Close(items.close()?),
        8 => HubMessage::Ack(items.sequence_id()?),
        9 => HubMessage::Sequence(items.sequence_id()?),
        unknown => HubMessage::Unknown(unknown),
    };
    items.end()?;
    Ok(message)
}

/// Writes `list` and finds its arguments again.
pub(crate) fn encode_arguments<A: ArgumentList + ?Sized>(
    list: &A,
) -> Result<Arguments, EncodeError> {
    let mut out = Vec::new();
    output::array(&mut out, list.count());
    let head = out.len();
    list.write(&mut Elements::new(HubProtocol::MessagePack, &mut out))?;
    let mut input = Input::new(&out[head..]);
    let mut spans = Spans::new();
    while !input.is_at_end() {
        // No deeper than what a peer may send, since it is for messages that peers must understand.
        let span = input.skip(0).map_err(|error| EncodeError::MessagePack(error.into()))?;
        spans.push(head + span.start..head + span.end);
    }
    Ok(Arguments { frame: Frame::MessagePack(out.into()), spans })
}

/// Whether an invocation must say where its answer goes.
#[derive(Clone, Copy)]
enum Answer {
    Always,
    IfWanted,
}

/// The items of a message, taken one after another.
struct Items<'f> {
    frame: &'f Bytes,
    input: Input<'f>,
    /// How many are still to come.
    left: usize,
}

/// How many arrays lie around an item: the message.
const AROUND_ITEM: usize = 1;

/// How many arrays lie around an argument: the message and the list.
const AROUND_ARGUMENT: usize = 2;

impl<'f> Items<'f> {
    fn begin(frame: &'f Bytes) -> Result<Self, ParseError> {
        let mut input = Input::new(frame);
        if input.is_at_end() {
            return Err(ParseError::Empty);
        }
        let Head::Array(left) = input.head()? else {
            return Err(ParseError::NotAnArray);
        };
        Ok(Self { frame, input, left })
    }

    /// Skips what later versions may have added.
    fn end(mut self) -> Result<(), ParseError> {
        while self.left > 0 {
            self.skip()?;
        }
        if self.input.is_at_end() { Ok(()) } else { Err(self.input.malformed().into()) }
    }

    fn invocation(&mut self, answer: Answer) -> Result<Invocation, ParseError> {
        let headers = self.headers()?;
        let (invocation_id, what) = match answer {
            Answer::Always => {
                let id = self.invocation_id("invocation ID for StreamInvocation message")?;
                (Some(id), "target for StreamInvocation message")
            }
            Answer::IfWanted => (self.optional_id()?, "target for Invocation message"),
        };
        let target = present(self.text("target")?, what)?;
        let arguments = self.arguments()?;
        let stream_ids = if self.left > 0 { self.stream_ids()? } else { Vec::new() };
        Ok(Invocation { headers, invocation_id, target, arguments, stream_ids })
    }

    fn stream_item(&mut self) -> Result<StreamItem, ParseError> {
        let headers = self.headers()?;
        let invocation_id = self.invocation_id("invocation ID for StreamItem message")?;
        let item = self.value("item")?;
        Ok(StreamItem { headers, invocation_id, item })
    }

    fn completion(&mut self) -> Result<Completion, ParseError> {
        let headers = self.headers()?;
        let invocation_id = self.invocation_id("invocation ID for Completion message")?;
        let outcome = match self.number("resultKind", "Int32")? {
            1 => Outcome::Error(self.text("error")?.map_or_else(String::new, String::from)),
            2 => Outcome::Void,
            3 => Outcome::Value(self.value("result")?),
            _ => return Err(ParseError::ResultKind),
        };
        Ok(Completion { headers, invocation_id, outcome })
    }

    fn cancel_invocation(&mut self) -> Result<CancelInvocation, ParseError> {
        let headers = self.headers()?;
        let invocation_id = self.invocation_id("invocation ID for CancelInvocation message")?;
        Ok(CancelInvocation { headers, invocation_id })
    }

    fn close(&mut self) -> Result<Close, ParseError> {
        let error = if self.left > 0 { self.text("error")?.map(String::from) } else { None };
        let allow_reconnect = self.left > 0 && self.boolean("allowReconnect")?;
        Ok(Close { error, allow_reconnect })
    }

    fn sequence_id(&mut self) -> Result<u64, ParseError> {
        let item = "sequenceId";
        match self.head(item, "Int64")? {
            Head::Unsigned(number) => Ok(number),
            _ => Err(ParseError::Unreadable { item, expected: "Int64" }),
        }
    }

    fn headers(&mut self) -> Result<Headers, ParseError> {
        let property = "headers";
        let Head::Map(count) = self.head(property, "Map")? else {
            return Err(ParseError::UnreadableLength { item: property, of: "map" });
        };
        if count > MAX_HEADERS {
            return Err(ParseError::TooMany { property, limit: MAX_HEADERS });
        }
        let mut headers = Headers::new();
        for index in 0..count {
            let mut text = |part| self.bare_text(|| ParseError::UnreadableHeader { index, part });
            let name = present(text("Key")?, "key in header")?;
            let value = present(text("Value")?, "value in header")?;
            headers.push(name, value);
        }
        Ok(headers)
    }

    fn invocation_id(&mut self, what: &'static str) -> Result<InvocationId, ParseError> {
        self.optional_id()?.ok_or(ParseError::NullOrEmpty { what })
    }

    fn optional_id(&mut self) -> Result<Option<InvocationId>, ParseError> {
        let id = self.text("invocationId")?.filter(|id| !id.is_empty());
        Ok(id.map(|id| InvocationId::from(&*id)))
    }

    fn arguments(&mut self) -> Result<Arguments, ParseError> {
        let property = "arguments";
        let Head::Array(count) = self.head(property, "Array")? else {
            return Err(ParseError::UnreadableLength { item: property, of: "array" });
        };
        if count > MAX_ARGUMENTS {
            return Err(ParseError::TooMany { property, limit: MAX_ARGUMENTS });
        }
        let mut spans = Spans::with_capacity(count);
        for _ in 0..count {
            spans.push(self.input.skip(AROUND_ARGUMENT)?);
        }
        Ok(Arguments { frame: Frame::MessagePack(self.frame.clone()), spans })
    }

    fn stream_ids(&mut self) -> Result<Vec<InvocationId>, ParseError> {
        let property = "streamIds";
        let Head::Array(count) = self.head(property, "Array")? else {
            return Err(ParseError::UnreadableLength { item: property, of: "array" });
        };
        if count > MAX_STREAM_IDS {
            return Err(ParseError::TooMany { property, limit: MAX_STREAM_IDS });
        }
        let id = |items: &mut Self| {
            let unreadable = || ParseError::Unreadable { item: property, expected: "String" };
            let id = present(items.bare_text(unreadable)?, "value in streamIds received")?;
            Ok(InvocationId::from(&*id))
        };
        (0..count).map(|_| id(self)).collect()
    }

    /// A value that stays undecoded.
    fn value(&mut self, item: &'static str) -> Result<Raw, ParseError> {
        if self.left == 0 {
            return Err(ParseError::Unreadable { item, expected: "a value" });
        }
        let span = self.skip()?;
        Ok(Raw { protocol: HubProtocol::MessagePack, bytes: self.frame.slice(span) })
    }

    fn skip(&mut self) -> Result<Range<usize>, ParseError> {
        self.left -= 1;
        Ok(self.input.skip(AROUND_ITEM)?)
    }

    fn boolean(&mut self, item: &'static str) -> Result<bool, ParseError> {
        let expected = "Boolean";
        match self.head(item, expected)? {
            Head::Bool(value) => Ok(value),
            _ => Err(ParseError::Unreadable { item, expected }),
        }
    }

    fn number(&mut self, item: &'static str, expected: &'static str) -> Result<i64, ParseError> {
        let number = match self.head(item, expected)? {
            Head::Signed(number) => Some(number),
            Head::Unsigned(number) => i64::try_from(number).ok(),
            _ => None,
        };
        number.ok_or(ParseError::Unreadable { item, expected })
    }

    /// A text as a slice of the frame; `None` where it is nil.
    fn text(&mut self, item: &'static str) -> Result<Option<ByteString>, ParseError> {
        let unreadable = || ParseError::Unreadable { item, expected: "String" };
        self.left = self.left.checked_sub(1).ok_or_else(unreadable)?;
        self.bare_text(unreadable)
    }

    /// A text that is no item of the message but lies within one.
    fn bare_text(
        &mut self,
        unreadable: impl FnOnce() -> ParseError,
    ) -> Result<Option<ByteString>, ParseError> {
        match self.input.head()? {
            Head::Nil => Ok(None),
            Head::Text(len) => {
                let text = self.input.text(len)?;
                let shared = ByteString::try_from(self.frame.slice_ref(text.as_bytes()))
                    .expect("a slice that was a str stays one");
                Ok(Some(shared))
            }
            _ => Err(unreadable()),
        }
    }

    /// The head of the next item.
    fn head(&mut self, item: &'static str, expected: &'static str) -> Result<Head, ParseError> {
        if self.left == 0 {
            return Err(ParseError::Unreadable { item, expected });
        }
        self.left -= 1;
        Ok(self.input.head()?)
    }
}

/// The text, which must say something.
fn present(text: Option<ByteString>, what: &'static str) -> Result<ByteString, ParseError> {
    text.filter(|text| !text.is_empty()).ok_or(ParseError::NullOrEmpty { what })
}

impl From<ReadError> for ParseError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Malformed { offset } => Self::NotMessagePack { offset },
            ReadError::TooDeep => Self::TooDeep { limit: MAX_DEPTH },
            ReadError::InvalidUtf8 { offset } => Self::InvalidUtf8 { offset },
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::parse;
    use crate::{
        HubMessage, Invocation, ParseError,
        limits::{MAX_ARGUMENTS, MAX_HEADERS, MAX_STREAM_IDS},
        messagepack::output,
    };

    fn invocation(headers: usize, arguments: usize, stream_ids: usize) -> Bytes {
        let mut out = Vec::new();
        output::array(&mut out, 6);
        output::unsigned(&mut out, 1);
        output::map(&mut out, headers as u32);
        for header in 0..headers {
            output::text(&mut out, &header.to_string());
            output::text(&mut out, "v");
        }
        output::nil(&mut out);
        output::text(&mut out, "T");
        output::array(&mut out, arguments as u32);
        (0..arguments).for_each(|_| output::nil(&mut out));
        output::array(&mut out, stream_ids as u32);
        (0..stream_ids).for_each(|id| output::text(&mut out, &id.to_string()));
        out.into()
    }

    #[test]
    fn lists_may_be_as_long_as_their_limit_and_no_longer() {
        let full = invocation(MAX_HEADERS, MAX_ARGUMENTS, MAX_STREAM_IDS);
        let HubMessage::Invocation(call) = parse(&full).unwrap() else { panic!() };
        let Invocation { headers, arguments, stream_ids, .. } = call;
        assert_eq!((headers.len(), arguments.len(), stream_ids.len()), (128, 256, 256));
        for (frame, property, limit) in [
            (invocation(MAX_HEADERS + 1, 0, 0), "headers", MAX_HEADERS),
            (invocation(0, MAX_ARGUMENTS + 1, 0), "arguments", MAX_ARGUMENTS),
            (invocation(0, 0, MAX_STREAM_IDS + 1), "streamIds", MAX_STREAM_IDS),
        ] {
            assert_eq!(parse(&frame), Err(ParseError::TooMany { property, limit }));
        }
    }

    #[test]
    fn nothing_is_copied_but_ids() {
        let frame =
            Bytes::from_static(b"\x96\x01\x81\xa1k\xa1v\xa11\xa6Target\x92\xa1x\x81\xa1y\x01\x90");
        let HubMessage::Invocation(call) = parse(&frame).unwrap() else { panic!() };
        let at = |part: &[u8]| part.as_ptr().addr() - frame.as_ptr().addr();
        assert_eq!(at(call.target.as_bytes()), 10);
        assert_eq!(at(call.arguments.get(0).unwrap().as_bytes()), 17);
        assert_eq!(at(call.arguments.get(1).unwrap().as_bytes()), 19);
        let (name, value) = call.headers.iter().next().unwrap();
        assert_eq!((at(name.as_bytes()), at(value.as_bytes())), (4, 6));

        let frame = Bytes::from_static(b"\x94\x02\x80\xa11\x92\x01\x02");
        let HubMessage::StreamItem(item) = parse(&frame).unwrap() else { panic!() };
        assert_eq!(item.item.as_bytes().as_ptr(), frame[5..].as_ptr());
    }
}
