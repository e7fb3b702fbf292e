//! What can be wrong with values and with bytes.

use std::fmt;

use serde::{de, ser};

/// Why a value does not become MessagePack, or MessagePack no value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessagePackError(Reason);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Reason {
    /// What the value's own type says.
    Custom(String),
    /// What is wrong with the bytes.
    Bytes(ReadError),
}

/// What is wrong with bytes that should be MessagePack; offsets count from the beginning of what is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ReadError {
    /// A reserved byte, or bytes that end too early: a length, or a count that the rest could not hold, included.
    #[error("no MessagePack at byte {offset}")]
    Malformed { offset: usize },
    /// Deeper than the limit.
    #[error("nested too deep")]
    TooDeep,
    /// A string that is no UTF-8.
    #[error("no UTF-8 at byte {offset}")]
    InvalidUtf8 { offset: usize },
}

impl From<ReadError> for MessagePackError {
    fn from(error: ReadError) -> Self {
        Self(Reason::Bytes(error))
    }
}

impl ser::Error for MessagePackError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Reason::Custom(message.to_string()))
    }
}

impl de::Error for MessagePackError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Reason::Custom(message.to_string()))
    }
}

impl fmt::Display for MessagePackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Custom(message) => f.write_str(message),
            Reason::Bytes(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for MessagePackError {}
