//! The sentences that clients know, to the letter of the official server.
//!
//! A detail follows when it is meant for clients or when detailed errors are switched on: a space, its kind, a colon, a space and its text.
//! Clients in the wild look for `HubException: `.

use hubwire_protocol::HubProtocol;

use crate::error::HubError;

pub(crate) const CLOSED_WITH_ERROR: &str = "Connection closed with an error.";
pub(crate) const HANDSHAKE_CANCELED: &str = "Handshake was canceled.";
pub(crate) const HANDSHAKE_FAILED: &str =
    "An unexpected error occurred during connection handshake.";
const NO_SUCH_METHOD: &str = "HubException: Method does not exist.";

/// What is told beyond a fixed sentence.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) is_public: bool,
}

impl Detail {
    /// A detail that every client may know.
    pub(crate) fn public(text: String) -> Self {
        Self { kind: "HubException".to_owned(), text, is_public: true }
    }

    /// A detail that only a server with detailed errors tells.
    pub(crate) fn internal(kind: &str, text: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), text: text.into(), is_public: false }
    }
}

impl From<&HubError> for Detail {
    fn from(error: &HubError) -> Self {
        Self {
            kind: error.kind().to_owned(),
            text: error.to_string(),
            is_public: error.message().is_some(),
        }
    }
}

/// `sentence`, with `detail` if the client may know it.
pub(crate) fn with_detail(
    sentence: &str,
    detail: Option<&Detail>,
    detailed_errors: bool,
) -> String {
    match detail {
        Some(Detail { kind, text, is_public }) if *is_public || detailed_errors => {
            format!("{sentence} {kind}: {text}")
        }
        _ => sentence.to_owned(),
    }
}

pub(crate) fn invocation_failed(method: &str) -> String {
    format!("An unexpected error occurred invoking '{method}' on the server.")
}

pub(crate) fn binding_failed(method: &str) -> String {
    format!("Failed to invoke '{method}' due to an error on the server.")
}

pub(crate) fn unknown_method(method: &str) -> String {
    format!("{} {NO_SUCH_METHOD}", binding_failed(method))
}

pub(crate) fn unauthorized(method: &str) -> String {
    format!("Failed to invoke '{method}' because user is unauthorized")
}

pub(crate) fn streaming_expected(method: &str) -> String {
    format!(
        "The client attempted to invoke the streaming '{method}' method with a non-streaming invocation."
    )
}

pub(crate) fn no_streaming_expected(method: &str) -> String {
    format!(
        "The client attempted to invoke the non-streaming '{method}' method with a streaming invocation."
    )
}

pub(crate) const STREAM_FAILED: &str = "An error occurred on the server while streaming results.";

pub(crate) fn id_in_use(invocation_id: &str) -> String {
    format!("Invocation ID '{invocation_id}' is already in use.")
}

pub(crate) fn stream_id_in_use(stream_id: &str) -> String {
    format!("Stream ID '{stream_id}' is already in use.")
}

pub(crate) fn too_many_streams(limit: usize) -> String {
    format!("The limit of {limit} open stream(s) was reached.")
}

pub(crate) fn wrong_stream_count(sent: usize, expected: usize) -> String {
    format!("Client sent {sent} stream(s), Hub method expects {expected}.")
}

pub(crate) fn wrong_argument_count(provided: usize, expected: usize) -> String {
    format!("Invocation provides {provided} argument(s) but target expects {expected}.")
}

pub(crate) const WRONG_ARGUMENT: &str = "Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked.";

pub(crate) fn unsupported_protocol(protocol: &str) -> String {
    format!("The protocol '{protocol}' is not supported.")
}

pub(crate) fn unsupported_format(protocol: HubProtocol) -> String {
    let format = protocol.transfer_format();
    format!(
        "Cannot use the '{protocol}' protocol on the current transport. The transport does not support '{format}' transfer format."
    )
}

pub(crate) fn unsupported_version(version: i64, protocol: &str) -> String {
    format!("The server does not support version {version} of the '{protocol}' protocol.")
}
