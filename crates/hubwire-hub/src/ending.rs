//! How connections end: what the client is told, and what is still done for it.

use hubwire_protocol::Close;
use hubwire_transport::DisconnectReason;

use crate::member::Member;
use crate::options::HubOptions;
use crate::texts::{self, Detail};

/// What the client is told at the end, if it can still be told.
pub(crate) fn last_words(
    reason: &DisconnectReason,
    member: &Member,
    options: &HubOptions,
) -> Option<Close> {
    let failed = |kind: &str, text: String| Close {
        error: Some(closed_with(&Detail::internal(kind, text), options)),
        allow_reconnect: true,
    };
    match reason {
        DisconnectReason::ClientClosed { .. }
        | DisconnectReason::HandshakeTimeout
        | DisconnectReason::NetworkLost => None,
        DisconnectReason::Kicked => Some(member.farewell()),
        DisconnectReason::Refused { .. } => Some(Close::default()),
        DisconnectReason::Shutdown | DisconnectReason::TokenExpired => {
            Some(Close { error: None, allow_reconnect: true })
        }
        DisconnectReason::BadMessage { detail } => {
            Some(failed("InvalidDataException", detail.clone()))
        }
        DisconnectReason::MessageTooBig { limit, .. } => Some(failed(
            "InvalidDataException",
            format!("The maximum message size of {limit}B was exceeded."),
        )),
        DisconnectReason::ClientTimeout => {
            let interval = options.client_timeout_interval;
            let text = format!(
                "Client hasn't sent a message/ping within the configured ClientTimeoutInterval ({interval:?})."
            );
            Some(failed("OperationCanceledException", text))
        }
        DisconnectReason::SlowConsumer { .. } => {
            Some(failed("OperationCanceledException", reason.to_string()))
        }
    }
}

/// The error of a Close message, with `detail` if the client may know it.
pub(crate) fn closed_with(detail: &Detail, options: &HubOptions) -> String {
    texts::with_detail(texts::CLOSED_WITH_ERROR, Some(detail), options.enable_detailed_errors)
}

/// Whether the server wants no call of the client any more, not even one that it has received.
pub(crate) fn dismisses(reason: &DisconnectReason) -> bool {
    match reason {
        DisconnectReason::BadMessage { .. }
        | DisconnectReason::ClientClosed { .. }
        | DisconnectReason::MessageTooBig { .. }
        | DisconnectReason::NetworkLost => false,
        DisconnectReason::ClientTimeout
        | DisconnectReason::HandshakeTimeout
        | DisconnectReason::Kicked
        | DisconnectReason::Refused { .. }
        | DisconnectReason::Shutdown
        | DisconnectReason::SlowConsumer { .. }
        | DisconnectReason::TokenExpired => true,
    }
}
