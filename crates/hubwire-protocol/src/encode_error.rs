use crate::HubProtocol;

/// Why a message cannot be written. Ours: the value that was to be sent has no form in the protocol.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// An undecoded value would have to be handed on to another protocol than the one it came in.
    #[error("a value encoded as {from} cannot be written as {to}")]
    ForeignProtocol {
        /// What it is encoded in.
        from: HubProtocol,
        /// What was to be written.
        to: HubProtocol,
    },
    /// The value has no form in JSON: a map with keys that are no strings, for example, or its own `Serialize` failed.
    #[error("the value cannot be written as JSON")]
    Json(#[source] serde_json::Error),
    /// [`HubMessage::Unknown`](crate::HubMessage::Unknown): there is nothing but its number.
    #[error("a message of the unknown type {number} cannot be written")]
    UnknownType {
        /// The type number.
        number: i64,
    },
}
