/// The rule that a message from the peer broke; the connection it came on cannot go on.
///
/// With detailed errors a client sees these texts, therefore those about missing and wrong properties are the sentences of
/// ASP.NET's own reader, which people search for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// A record separator with nothing before it. ASP.NET refuses it too.
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
    /// The message is JSON, but no object.
    #[error("Unexpected JSON Token Type '{found}'. Expected a JSON Object.")]
    NotAnObject {
        /// What it is instead, in ASP.NET's words.
        found: &'static str,
    },
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
