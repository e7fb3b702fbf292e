use std::str::Utf8Error;

/// The rule that a message from the peer broke; the connection it came on cannot go on.
///
/// With detailed errors a client sees these texts, therefore those about missing and wrong properties are the sentences of
/// ASP.NET's own reader, which people search for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Nothing but framing. ASP.NET refuses it too.
    #[error("the message is empty")]
    Empty,
    /// A completion with both an error and a result, null included.
    #[error("The 'error' and 'result' properties are mutually exclusive.")]
    ErrorAndResult,
    /// The bytes are no UTF-8.
    #[error("the message is not UTF-8 at byte {offset}")]
    InvalidUtf8 {
        /// Where, from the beginning of the message.
        offset: usize,
    },
    /// The text is no JSON, or something follows behind its object.
    #[error("the message is not JSON at byte {offset}")]
    Malformed {
        /// Where reading stopped, from the beginning of the message; the byte at fault is this one or the next.
        offset: usize,
    },
    /// A property that this type of message needs is not there, or is an empty text where there must be one.
    #[error("Missing required property '{property}'.")]
    MissingProperty {
        /// Its name on the wire.
        property: &'static str,
    },
    /// The message is MessagePack, but no array.
    #[error("the message is not an array")]
    NotAnArray,
    /// The message is JSON, but no object.
    #[error("Unexpected JSON Token Type '{found}'. Expected a JSON Object.")]
    NotAnObject {
        /// What it is instead, in ASP.NET's words.
        found: &'static str,
    },
    /// The bytes are no MessagePack: a reserved one, too few for what they announce, or something behind the message.
    #[error("the message is not MessagePack at byte {offset}")]
    NotMessagePack {
        /// Where reading stopped, from the beginning of the message.
        offset: usize,
    },
    /// A text of MessagePack that must say something is nil or empty.
    #[error("Null or empty {what}.")]
    NullOrEmpty {
        /// What it is and where it stands, in ASP.NET's words.
        what: &'static str,
    },
    /// A completion of MessagePack that says neither error nor value nor neither.
    #[error("Invalid invocation result kind.")]
    ResultKind,
    /// Arrays and objects are nested deeper than any reader of SignalR accepts.
    #[error("the message is nested deeper than {limit} levels")]
    TooDeep {
        /// How many levels are allowed, that of the message itself included.
        limit: usize,
    },
    /// A list or a map of the envelope has more entries than we keep.
    #[error("the message has more than {limit} entries in '{property}'")]
    TooMany {
        /// Its name on the wire.
        property: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// An item of a MessagePack message is not there, or is of another type.
    #[error("Reading '{item}' as {expected} failed.")]
    Unreadable {
        /// Its name in SignalR's specification.
        item: &'static str,
        /// What it must be, in ASP.NET's words.
        expected: &'static str,
    },
    /// A header of a MessagePack message has a name or a value that is no text.
    #[error("Reading 'headers[{index}].{part}' as String failed.")]
    UnreadableHeader {
        /// Which header, from 0.
        index: usize,
        /// `Key` or `Value`.
        part: &'static str,
    },
    /// An item of a MessagePack message is no collection.
    #[error("Reading {of} length for '{item}' failed.")]
    UnreadableLength {
        /// Its name in SignalR's specification.
        item: &'static str,
        /// `array` or `map`.
        of: &'static str,
    },
    /// A header whose value is no text.
    #[error("Expected header '{name}' to be of type String.")]
    WrongHeader {
        /// The beginning of the header's name.
        name: String,
    },
    /// A property of the envelope has the wrong type.
    #[error("Expected '{property}' to be {expected}.")]
    WrongType {
        /// Its name on the wire.
        property: &'static str,
        /// What it must be, in ASP.NET's words.
        expected: &'static str,
    },
}

impl ParseError {
    pub(crate) fn not_utf8(error: Utf8Error) -> Self {
        Self::InvalidUtf8 { offset: error.valid_up_to() }
    }
}
