#[cfg(feature = "messagepack")]
use crate::MessagePackError;

/// Why a message cannot be written. Ours: the value that was to be sent has no form in the protocol.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The value has no form in JSON: a map with keys that are no strings, for example, or its own `Serialize` failed.
    #[error("the value cannot be written as JSON")]
    Json(#[source] serde_json::Error),
    /// The value has no form in MessagePack: an integer beyond 64 bits, or its own `Serialize` failed.
    #[cfg(feature = "messagepack")]
    #[error("the value cannot be written as MessagePack")]
    MessagePack(#[source] MessagePackError),
    /// The length of the message has no form in MessagePack's framing.
    #[cfg(feature = "messagepack")]
    #[error("a message of {length} bytes is too long: its length must be below 2^31")]
    TooLong {
        /// How many bytes the message has.
        length: usize,
    },
    /// [`HubMessage::Unknown`](crate::HubMessage::Unknown): there is nothing but its number.
    #[error("a message of the unknown type {number} cannot be written")]
    UnknownType {
        /// The type number.
        number: i64,
    },
}
