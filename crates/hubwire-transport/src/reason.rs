//! Why a connection ended.

use std::fmt;

/// Why a connection ended: told to `on_disconnected`, to the log line of the connection and to the metrics.
///
/// The set is closed on purpose: whoever counts disconnects can name them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// The peer sent something that no rule allows, and was told so before the connection closed.
    BadMessage {
        /// The rule that was broken.
        detail: String,
    },
    /// The client said goodbye: a Close message, a WebSocket close frame, or a DELETE.
    ClientClosed {
        /// The error that its Close message carried, if any.
        error: Option<String>,
    },
    /// The client pinged once and then stayed silent for longer than the client timeout, or it answered a WebSocket Ping of the server with nothing.
    ClientTimeout,
    /// No handshake came within the handshake timeout.
    HandshakeTimeout,
    /// The application ended the connection.
    Kicked,
    /// A message was larger than the limit.
    MessageTooBig {
        /// The size announced or received so far, in bytes.
        size: u64,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The network link went away without a goodbye.
    NetworkLost,
    /// The application did not accept the connection: a failed handshake or `on_connected`.
    Refused {
        /// Why.
        detail: String,
    },
    /// The server is going down; the client may reconnect.
    Shutdown,
    /// The client does not take what is sent to it.
    SlowConsumer {
        /// What was waiting for it, in bytes.
        bytes: usize,
        /// The most that may wait, in bytes.
        cap: usize,
    },
    /// The token that the client came with has expired.
    TokenExpired,
}

impl DisconnectReason {
    /// A fixed name in snake case, for metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::BadMessage { .. } => "bad_message",
            Self::ClientClosed { .. } => "client_closed",
            Self::ClientTimeout => "client_timeout",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::Kicked => "kicked",
            Self::MessageTooBig { .. } => "message_too_big",
            Self::NetworkLost => "network_lost",
            Self::Refused { .. } => "refused",
            Self::Shutdown => "shutdown",
            Self::SlowConsumer { .. } => "slow_consumer",
            Self::TokenExpired => "token_expired",
        }
    }

    /// Whether what the client sent before the end is still handed to the application.
    ///
    /// Where the client or the network ended the connection, messages that arrived before count; where the server ended it, nothing more is wanted.
    pub const fn delivers_received(&self) -> bool {
        match self {
            Self::ClientClosed { .. } | Self::NetworkLost => true,
            Self::BadMessage { .. }
            | Self::ClientTimeout
            | Self::HandshakeTimeout
            | Self::Kicked
            | Self::MessageTooBig { .. }
            | Self::Refused { .. }
            | Self::Shutdown
            | Self::SlowConsumer { .. }
            | Self::TokenExpired => false,
        }
    }

    /// Whether messages that wait for the client are dropped instead of being sent before the end.
    pub const fn discards_unsent(&self) -> bool {
        match self {
            Self::ClientClosed { .. } | Self::NetworkLost | Self::SlowConsumer { .. } => true,
            Self::BadMessage { .. }
            | Self::ClientTimeout
            | Self::HandshakeTimeout
            | Self::Kicked
            | Self::MessageTooBig { .. }
            | Self::Refused { .. }
            | Self::Shutdown
            | Self::TokenExpired => false,
        }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadMessage { detail } => write!(f, "bad message: {detail}"),
            Self::ClientClosed { error: None } => f.write_str("client closed"),
            Self::ClientClosed { error: Some(error) } => write!(f, "client closed: {error}"),
            Self::ClientTimeout => f.write_str("client timeout"),
            Self::HandshakeTimeout => f.write_str("handshake timeout"),
            Self::Kicked => f.write_str("kicked"),
            Self::MessageTooBig { size, limit } => {
                write!(f, "message too big: {size} bytes, the limit is {limit}")
            }
            Self::NetworkLost => f.write_str("network lost"),
            Self::Refused { detail } => write!(f, "refused: {detail}"),
            Self::Shutdown => f.write_str("shutdown"),
            Self::SlowConsumer { bytes, cap } => {
                write!(f, "slow consumer: {bytes} bytes waiting, the cap is {cap}")
            }
            Self::TokenExpired => f.write_str("token expired"),
        }
    }
}
