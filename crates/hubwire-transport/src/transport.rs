//! What carries connections: SignalR's transports, and one of ours.

use std::fmt;

use crate::TransferFormat;

/// What carries a connection, with the names of SignalR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Requests that wait for what the client receives, and a POST for each thing it sends; text and binary.
    LongPolling,
    /// An event stream for what the client receives, and a POST for each thing it sends; text only.
    ServerSentEvents,
    /// Requests that are answered at once, in the client's own rhythm, and a POST for each thing it sends; text and binary.
    ///
    /// SignalR has no such transport. It is for networks that cut whatever waits, and a client is told of it only if it asks for what SignalR lacks.
    ShortPolling,
    /// A WebSocket, for text and binary.
    WebSockets,
}

impl Transport {
    /// All of them, best first: the order in which `negotiate` lists them and clients try them.
    const BEST_FIRST: [Self; 4] =
        [Self::WebSockets, Self::ServerSentEvents, Self::LongPolling, Self::ShortPolling];

    /// The exact-case name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LongPolling => "LongPolling",
            Self::ServerSentEvents => "ServerSentEvents",
            Self::ShortPolling => "ShortPolling",
            Self::WebSockets => "WebSockets",
        }
    }

    /// The formats that it carries.
    pub const fn transfer_formats(self) -> &'static [TransferFormat] {
        match self {
            Self::ServerSentEvents => &[TransferFormat::Text],
            Self::LongPolling | Self::ShortPolling | Self::WebSockets => {
                &[TransferFormat::Text, TransferFormat::Binary]
            }
        }
    }

    /// Whether what carries the connection lasts as long as it does; polls come and go.
    pub const fn is_lasting(self) -> bool {
        match self {
            Self::LongPolling | Self::ShortPolling => false,
            Self::ServerSentEvents | Self::WebSockets => true,
        }
    }

    /// Whether it carries `format`.
    pub fn carries(self, format: TransferFormat) -> bool {
        self.transfer_formats().contains(&format)
    }

    /// Its flag in SignalR's `HttpTransportType`, and one that SignalR leaves free for the transport of ours.
    const fn flag(self) -> u8 {
        match self {
            Self::WebSockets => 1,
            Self::ServerSentEvents => 2,
            Self::LongPolling => 4,
            Self::ShortPolling => 128,
        }
    }
}

/// A set of transports.
///
/// ```
/// use hubwire_transport::{Transport, Transports};
///
/// let polls = Transports::from([Transport::ShortPolling, Transport::LongPolling]);
/// assert!(polls.contains(Transport::LongPolling) && !polls.contains(Transport::WebSockets));
/// assert_eq!(polls.to_string(), "LongPolling, ShortPolling"); // best first
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Transports(u8);

impl Transports {
    /// All that there are.
    pub const ALL: Self = Self(1 | 2 | 4 | 128);

    /// Whether `transport` is in the set.
    pub const fn contains(self, transport: Transport) -> bool {
        self.0 & transport.flag() != 0
    }

    /// Whether none is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in the set, best first.
    pub fn iter(self) -> impl Iterator<Item = Transport> {
        Transport::BEST_FIRST.into_iter().filter(move |transport| self.contains(*transport))
    }
}

impl<I: IntoIterator<Item = Transport>> From<I> for Transports {
    fn from(transports: I) -> Self {
        Self(transports.into_iter().fold(0, |flags, transport| flags | transport.flag()))
    }
}

impl fmt::Debug for Transports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for Transports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, transport) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}", transport.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_all_and_best_first() {
        assert_eq!(Transports::from(Transport::BEST_FIRST), Transports::ALL);
        assert!(Transports::ALL.iter().eq(Transport::BEST_FIRST));
        assert!(Transports::from([]).is_empty());
    }
}
