use bytestring::ByteString;

use crate::{Arguments, Headers, InvocationId, Raw};

/// One hub message, in the order of SignalR's type numbers.
///
/// Exhaustive on purpose: a type number from a later protocol arrives as [`Unknown`](Self::Unknown), and whoever reads
/// messages should have a thought about each.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HubMessage {
    /// 1: a call, or a send when it has no invocation id.
    Invocation(Invocation),
    /// 2: one item of a stream, in either direction.
    StreamItem(StreamItem),
    /// 3: the end of a call or of a stream.
    Completion(Completion),
    /// 4: a call of a method that answers with a stream; always has an invocation id.
    StreamInvocation(Invocation),
    /// 5: the wish that a stream stops.
    CancelInvocation(CancelInvocation),
    /// 6: still here.
    Ping,
    /// 7: the last message of a connection.
    Close(Close),
    /// 8: the number of the last message that arrived (stateful reconnect).
    Ack(u64),
    /// 9: the number of the first message that will follow (stateful reconnect).
    Sequence(u64),
    /// A type number that this version does not know. Receivers ignore it.
    Unknown(i64),
}

impl HubMessage {
    /// Whether stateful reconnect numbers this message: types 1 to 5.
    pub fn is_trackable(&self) -> bool {
        match self {
            Self::Invocation(_)
            | Self::StreamItem(_)
            | Self::Completion(_)
            | Self::StreamInvocation(_)
            | Self::CancelInvocation(_) => true,
            Self::Ping | Self::Close(_) | Self::Ack(_) | Self::Sequence(_) | Self::Unknown(_) => {
                false
            }
        }
    }
}

/// A call of a method, its arguments not decoded yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invocation {
    /// What the caller sent beside the arguments, trace context for example.
    pub headers: Headers,
    /// Where the answer goes; `None` when no answer is wanted, not even an error.
    pub invocation_id: Option<InvocationId>,
    /// The method's name as sent; never empty.
    pub target: ByteString,
    /// What comes before the streams.
    pub arguments: Arguments,
    /// The streams that the caller will send, in the order of the method's stream parameters.
    pub stream_ids: Vec<InvocationId>,
}

/// One item of a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StreamItem {
    /// What the sender sent beside the item.
    pub headers: Headers,
    /// The stream.
    pub invocation_id: InvocationId,
    /// The item; null is an item too.
    pub item: Raw,
}

/// The end of a call or of a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Completion {
    /// What the sender sent beside the outcome.
    pub headers: Headers,
    /// The call or the stream.
    pub invocation_id: InvocationId,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a call or a stream ended. There is no fourth way in SignalR.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It failed, with the text for the caller; an empty text is a failure too.
    Error(String),
    /// It gave a value, which may be null: a method without a value answers null.
    Value(Raw),
    /// Neither: a stream came to its end.
    Void,
}

/// The wish that a stream stops.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CancelInvocation {
    /// What the sender sent beside the id.
    pub headers: Headers,
    /// The stream.
    pub invocation_id: InvocationId,
}

/// Why a connection ends, and whether coming back is welcome.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Close {
    /// The text for the other side; `None` for a normal end. An empty text is an error too.
    pub error: Option<String>,
    /// Whether a client that reconnects on its own may do so now.
    pub allow_reconnect: bool,
}

/// Everything of an outgoing call but its arguments.
#[derive(Clone, Copy, Debug)]
pub struct InvocationHead<'a> {
    /// What goes beside the arguments.
    pub headers: &'a Headers,
    /// Where the answer comes to; `None`, or an empty text, when no answer is wanted.
    pub invocation_id: Option<&'a str>,
    /// The method's name, written exactly like this: .NET, Java and Python clients compare names exactly.
    pub target: &'a str,
    /// The streams that will be sent.
    pub stream_ids: &'a [InvocationId],
}

impl<'a> InvocationHead<'a> {
    /// A send to `target`: no headers, no answer, no streams.
    pub const fn new(target: &'a str) -> Self {
        static NO_HEADERS: Headers = Headers::new();
        Self { headers: &NO_HEADERS, invocation_id: None, target, stream_ids: &[] }
    }
}
